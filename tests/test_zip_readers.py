"""Changed ZIP files before both readers, Python and the page in a browser: they always agree.

`HOSTPLEDGE_FUZZ=2000` (make fuzz COUNT=2000) tries more of them.
"""

from __future__ import annotations

import base64
import json
import os
import random
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from collector.errors import BadInput, VerifyFailed
from collector.verify import open_bundle, verify
from collector.verify.webpage import page
from tests import bundle_cases as cases
from tests import zip_forms
from tests.browser import Page, browser, opened
from tests.zip_forms import Archive

pytestmark = pytest.mark.skipif(browser() is None, reason="chromium is not installed")
COUNT = int(os.environ.get("HOSTPLEDGE_FUZZ", "120"))
_AT_ONCE = 30
_FIELDS = ("version", "flags", "method", "time", "date", "crc", "packed", "size")
_LISTED = (*_FIELDS, "made", "system", "reserved", "disk", "internal", "external", "offset")
_VALUES = (0, 1, 3, 8, 9, 12, 20, 45, 63, 255, 2048, 0xFFFF)
_IN_THE_PAGE = """
(async (trust, files) => {
  const told = [];
  const trusted = await readTrust(trust);
  for (const text of files) {
    const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
    try {
      const files = await fromZip(new File([bytes], "b.zip"));
      told.push((await verifyBundle(files, trusted, () => {}, false)).digest);
    } catch (problem) {
      if (!(problem instanceof Failed)) throw problem;
      told.push(problem instanceof Undecided ? "undecided" : "");
    }
  }
  return told;
})(%s, %s)
"""


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return cases.good(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    folder = tmp_path_factory.mktemp("browser")
    (folder / "page.html").write_text(page(), encoding="utf-8")
    with opened((folder / "page.html").as_uri(), folder) as found:
        yield found


def _header(archive: Archive, dice: random.Random) -> None:
    one, value = dice.choice(archive.entries), dice.choice(_VALUES)
    both, name = dice.random() < 0.3, dice.choice(_LISTED)
    if name in _FIELDS and (both or dice.random() < 0.5):
        one.local[name] = value
    if both or name not in one.local:
        one.listed[name] = value


def _around(archive: Archive, dice: random.Random) -> None:
    data = dice.choice([b"\0", b"PK\5\6", b"PK\3\4" + bytes(26), dice.randbytes(12)])
    of_entry = ("before", "after", "extra", "local_extra", "comment")
    of_all = ("lead", "before_list", "after_list", "wide", "comment", "trail")
    if dice.random() < 0.5:
        setattr(dice.choice(archive.entries), dice.choice(of_entry), data)
    else:
        setattr(archive, dice.choice(of_all), data)


def _stream(archive: Archive, dice: random.Random) -> None:
    one = dice.choice(archive.entries)
    kind = dice.randrange(4)
    if kind == 0:
        one.data += dice.choice([b"\0", b"\3\0", dice.randbytes(3)])
    elif kind == 1:
        one.data = one.data[: -dice.randrange(1, 4)]
    elif kind == 2 and one.data:
        place = dice.randrange(len(one.data))
        changed = one.data[place] ^ 1 << dice.randrange(8)
        one.data = one.data[:place] + bytes([changed]) + one.data[place + 1 :]
    elif one.method == 8:  # as another library packs it: that is no change
        packing = zlib.compressobj(dice.choice([1, 4, 9]), 8, -dice.choice([9, 12, 15]), 8)
        one.data = packing.compress(one.content) + packing.flush()


def _names(archive: Archive, dice: random.Random) -> None:
    one, kind = dice.choice(archive.entries), dice.randrange(5)
    if kind == 0:
        dice.shuffle(archive.entries)
        archive.unordered = True
    elif kind == 1:
        name = one.name
        one.name = dice.choice([name.upper(), name + b"/", b"./" + name, b"d/" + name])
    elif kind == 2:
        one.hidden = True
    elif kind == 3:
        archive.entries.remove(one)
    else:
        archive.end[dice.choice(zip_forms.END)] = dice.choice([0, 1, 2, 0xFFFF])


def _bytes(data: bytes, dice: random.Random) -> bytes:
    changed = bytearray(data)
    start = zip_forms.parts(data)[2] if dice.random() < 0.6 else 0
    place, kind = dice.randrange(start, len(data)), dice.randrange(3)
    if kind == 0:
        changed[place] ^= 1 << dice.randrange(8)
    elif kind == 1:
        del changed[place : place + dice.choice([1, 2, 4, 22, 46])]
    else:
        changed[place:place] = dice.choice([b"\0", b"PK\5\6" + bytes(18), dice.randbytes(4)])
    return bytes(changed)


def _mutant(root: Path, dice: random.Random) -> bytes:
    archive = Archive.of(root)
    if dice.random() < 0.25:
        return _bytes(archive.bytes(), dice)
    for _ in range(dice.choice([1, 1, 2])):
        dice.choice([_header, _around, _stream, _names])(archive, dice)
    return archive.bytes()


def _python(data: bytes, place: Path, base: dict[str, Path]) -> str:
    place.write_bytes(data)
    try:
        with open_bundle(place) as found:
            return verify(found, cases.trust(base["plain"].parent)).digest
    except (VerifyFailed, BadInput):
        return ""


def test_both_readers_say_the_same(base: dict[str, Path], shown: Page, tmp_path: Path) -> None:
    dice = random.Random(20261128)
    trust = cases.trust(base["plain"].parent).to_bytes().decode()
    verified = 0
    for _ in range(0, COUNT, _AT_ONCE):
        made: list[bytes] = []
        while len(made) < _AT_ONCE:
            try:
                made.append(_mutant(base[dice.choice(["plain", "sm2"])], dice))
            except struct.error:  # a value that its field does not hold
                continue
        files = [base64.b64encode(data).decode() for data in made]
        told = shown.ask(_IN_THE_PAGE % (json.dumps(trust), json.dumps(files)))
        for data, said in zip(made, told, strict=True):
            assert said == _python(data, tmp_path / "b.zip", base)
            verified += bool(said)
    assert 0 < verified < COUNT / 2
