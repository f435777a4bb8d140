"""No input makes a reader take more than 300 MiB: each is read in a process that is measured."""

from __future__ import annotations

import base64
import gzip
import io
import json
import os
import shutil
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import rfc8785

from collector import captures
from collector.attest.bundle import bag, container
from collector.attest.bundle import making as bundle
from collector.attest.envelope import dsse as envelope
from tests import bundle_cases as cases
from tests import bundles
from tests.test_verify import ENVELOPE, EVIDENCE

ROOT = Path(__file__).parents[1]
MOST = 300 << 20
# forks for each input, so that each has a peak of its own; prints what it said and what it took
PROGRAM = """
import json, os, sys
from pathlib import Path
from collector import captures
from collector.attest.log import checkpoint
from collector.attest.log import logged
from collector.attest.trust.trust_file import load_trust
from collector.cli.options.bundles import read_small
from collector.errors import CollectorError
from collector.pledges.record import form as record
from collector.verify import open_bundle, verify

def whole(path):
    with open_bundle(path) as opened:
        verify(opened, load_trust(Path(sys.argv[1])))

readers = {
    "bundle": whole,
    "capture": captures.load,
    "trust": load_trust,
    "record": record.load,
    "checkpoint": lambda path: checkpoint.parse(read_small(path), where="t"),
    "proof": lambda path: logged.read_inclusion(read_small(path), where="t"),
}
for line in sys.stdin:
    kind, path = json.loads(line)
    inside, outside = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            readers[kind](Path(path))
            said = "read"
        except CollectorError as problem:
            said = str(problem)
        os.write(outside, said.encode()[:4000])
        os._exit(0)
    os.close(outside)
    with os.fdopen(inside, "rb") as told:
        said = told.read().decode()
    status, used = os.wait4(child, 0)[1:]
    seconds = used.ru_utime + used.ru_stime
    print(json.dumps([status, said, used.ru_maxrss << 10, seconds]), flush=True)
"""


class Measured:
    """Asks the measuring process; `said` is the complaint, or `read`."""

    def __init__(self, trust: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(trust)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=os.environ | {"LC_ALL": "C.UTF-8"},
        )

    def __call__(self, kind: str, path: Path) -> tuple[str, int, float]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([kind, str(path)]) + "\n")
        self._process.stdin.flush()
        status, said, peak, seconds = json.loads(self._process.stdout.readline())
        assert status == 0, (status, said, peak >> 20)
        return said, peak, seconds

    def close(self) -> None:
        self._process.communicate()


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return cases.good(tmp_path_factory.mktemp("base"))["plain"]


@pytest.fixture(scope="module")
def measured(good: Path) -> Measured:
    trust = good.parent / "trust.json"
    trust.write_bytes(cases.trust(good.parent).to_bytes())
    return Measured(trust)


# --- bundles, by somebody who signs what he likes ------------------------------------------------


def _signed(root: Path, payload: bytes | None = None) -> None:
    """Digests of what is there now, and a container that agrees with them."""
    document = json.loads(
        base64.b64decode(json.loads((root / ENVELOPE).read_bytes())["dsseEnvelope"]["payload"])
    )
    for subject in document["subject"]:
        subject["digest"]["sha256"] = bag.file_digest(root / "data" / subject["name"])
    payload = payload or rfc8785.dumps(document)
    (root / ENVELOPE).write_bytes(envelope.seal(payload, cases.SIGNER))
    info = bundle.bag_info(payload, document["predicate"]["tool"]["version"])
    for name, data in bag.tag_files(bag.look(root), info).items():
        (root / name).write_bytes(data)


def _evidence(make: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    def change(root: Path) -> None:
        place = root / EVIDENCE
        place.write_bytes(make(place.read_bytes()))
        _signed(root)

    return change


def _hosts(text: bytes, hosts: bytes) -> bytes:
    begin = text.index(b'"hosts":') + 8
    end = text.index(b',"pledge":')
    return text[:begin] + hosts + text[end:]


def _first_capture(make: Callable[[], bytes]) -> Callable[[Path], None]:
    def change(root: Path) -> None:
        place = min((root / "data" / "captures").iterdir())
        place.write_bytes(make())
        evidence = json.loads((root / EVIDENCE).read_bytes())
        for entry in evidence["hosts"].values():
            if entry["capture"] == f"captures/{place.name}":
                entry["capture_sha256"] = captures.digest(place.read_bytes())
        (root / EVIDENCE).write_bytes(rfc8785.dumps(evidence))
        _signed(root)

    return change


def _many(count: int) -> bytes:
    return b"[" + b"[]," * count + b"0]"


def _packed(plain: bytes) -> bytes:
    return gzip.compress(plain, 1)


def _head() -> bytes:
    return gzip.decompress(captures.to_bytes(bundles.unreachable("a"))).split(b"\n")[0] + b"\n"


def _sparse(name: str, size: int) -> Callable[[Path], None]:
    def change(root: Path) -> None:
        with (root / name).open("r+b") as out:
            out.truncate(size)
        if name.startswith("data/") and name != ENVELOPE:
            _signed(root)

    return change


def _vouched(name: str, data: bytes) -> Callable[[Path], None]:
    """A manifest of any length that the tag manifest vouches for."""

    def change(root: Path) -> None:
        (root / name).write_bytes(data)
        tags = root / "tagmanifest-sha256.txt"
        lines = [line for line in tags.read_text().splitlines() if not line.endswith(f"  {name}")]
        tags.write_text("\n".join([*lines, f"{captures.digest(data)}  {name}"]) + "\n")

    return change


def _envelope_of_brackets(root: Path) -> None:
    (root / ENVELOPE).write_bytes(_many(5_000_000))
    bundles.reseal(root)


BUNDLES: dict[str, Callable[[Path], None]] = {
    "an envelope of brackets": _envelope_of_brackets,
    "an envelope of 256 MiB": _sparse(ENVELOPE, 1 << 28),
    "a statement of brackets": lambda root: _signed(root, _many(3_000_000)),
    "a statement of names": lambda root: _signed(
        root, b'{"a":[' + b",".join(b'{"name":"%d"}' % n for n in range(400_000)) + b"]}"
    ),
    "a manifest of 256 MiB": _sparse("manifest-sha256.txt", 1 << 28),
    "a manifest of lines": _vouched(
        "manifest-sha256.txt", b"".join(b"%d\n" % number for number in range(1_900_000))
    ),
    "evidence of 256 MiB of zeros": _sparse(EVIDENCE, 1 << 28),
    "evidence of brackets": _evidence(lambda _: _many(5_000_000)),
    "evidence of members": _evidence(
        lambda _: b"{" + b",".join(b'"%07d":0' % n for n in range(1_500_000)) + b"}"
    ),
    "evidence of hosts": _evidence(
        lambda text: _hosts(text, b"{" + b",".join(b'"%07d":{}' % n for n in range(400_000)) + b"}")
    ),
    "evidence of one host": _evidence(
        lambda text: _hosts(text, b'{"a":' + _many(5_000_000) + b"}")
    ),
    "evidence of one wide text": _evidence(
        lambda text: _hosts(text, b'{"a":"' + "😀".encode() * 4_000_000 + b'"}')
    ),
    "a capture that is a bomb": _first_capture(lambda: _packed(_head() + b" " * (1 << 28))),
    "a capture of one wide line": _first_capture(
        lambda: _packed(_head() + b'{"kind":"read","stdout":"' + "😀".encode() * 4_000_000 + b'"}')
    ),
    "a capture of brackets": _first_capture(
        lambda: _packed(_head() + b'{"kind":"read","files":' + _many(4_000_000) + b"}")
    ),
    "a capture of lines": _first_capture(lambda: _packed(_head() + b"\n" * 30_000_000)),
    "a script of 256 MiB": lambda root: os.truncate(root / "data/script.sh", 1 << 28),
}


@pytest.mark.parametrize("name", BUNDLES)
def test_a_bundle(name: str, good: Path, measured: Measured, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(good, tmp_path / "copy"))
    BUNDLES[name](copy)
    said, peak, _ = measured("bundle", copy)
    shutil.rmtree(copy)
    assert said != "read"
    assert peak < MOST, f"{peak >> 20} MiB: {said}"


# --- archives ------------------------------------------------------------------------------------


def _names(count: int, name: Callable[[int], str]) -> bytes:
    out = io.BytesIO()
    writer = container.Writer(out)
    for number in range(count):
        writer.add(name(number), 0, io.BytesIO(), pack=False)
    writer.close()
    return out.getvalue()


def _claims_many() -> bytes:
    """A list of a million entries, all of them the same one."""
    once = _names(1, lambda _: "a")
    start = once.index(b"PK\x01\x02")
    end = once.index(b"PK\x05\x06")
    listed = once[start:end] * 1_000_000
    whole = once[:start] + listed
    return whole + struct.pack(
        "<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, len(listed), start, 0
    )


ARCHIVES: dict[str, Callable[[], bytes]] = {
    "a list of a million entries": _claims_many,
    "names of slashes": lambda: _names(100, lambda number: f"{number}" + "/a" * 30_000),
    "long names": lambda: _names(1_000, lambda number: f"{number:07}" + "a" * 60_000),
    "many names": lambda: _names(20_000, lambda number: f"data/{number}"),
}


@pytest.mark.parametrize("name", ARCHIVES)
def test_an_archive(name: str, measured: Measured, tmp_path: Path) -> None:
    place = tmp_path / "bundle.zip"
    place.write_bytes(ARCHIVES[name]())
    said, peak, _ = measured("bundle", place)
    assert said != "read"
    assert peak < MOST, f"{peak >> 20} MiB: {said}"


def test_zeros_without_end_in_an_archive(measured: Measured, tmp_path: Path) -> None:
    place = tmp_path / "bundle.zip"
    zeros = tmp_path / "zeros"
    zeros.touch()
    os.truncate(zeros, 300 << 20)
    with place.open("wb") as out, zeros.open("rb") as source:
        writer = container.Writer(out)
        writer.add("data/evidence.json", 300 << 20, source, pack=True)
        writer.close()
    said, peak, _ = measured("bundle", place)
    assert "unpacks to more than a bundle holds" in said
    assert peak < MOST


# --- all else, by itself -------------------------------------------------------------------------

FILES: dict[str, bytes | None] = {
    "ten gigabytes of zeros": None,
    "brackets": _many(6_000_000),
    "deep": b"[" * 2_000_000,
    "text": b'"' + "😀".encode() * 6_000_000 + b'"',
    "yaml": b"a: &a [x]\n" + b"b: *a\n" * 300_000,
    "yaml of brackets": b"[" * 300_000,
    "yaml of members": b"".join(b"k%d: 0\n" % number for number in range(250_000)),
    "lines": b"\n" * 10_000_000,
}
KINDS = ("capture", "trust", "record", "checkpoint", "proof", "bundle")


@pytest.mark.parametrize("name", FILES)
def test_a_file(name: str, measured: Measured, tmp_path: Path) -> None:
    place, data = tmp_path / "file", FILES[name]
    with place.open("wb") as out:
        if data is None:
            out.truncate(10 << 30)
        else:
            out.write(data)
    for kind in KINDS:
        said, peak, _ = measured(kind, place)
        assert said != "read", kind
        assert peak < MOST, f"{kind}: {peak >> 20} MiB: {said}"
