"""tests/bundles as others see it: each case before Python, the page in a browser, cosign, OpenSSL.

tests/bundles/README.md is the table of it. `HOSTPLEDGE_CORPUS=write` writes it anew; otherwise
each row has to be what that table says.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from collector.attest.bundle import making as bundle
from collector.attest.envelope import dsse as envelope
from collector.attest.keys.keys import PublicKey, strict_base64
from collector.captures import digest
from collector.errors import BadInput, CollectorError, VerifyFailed
from collector.verify import open_bundle, verify
from collector.verify.webpage import page
from tests import bundle_cases as cases
from tests.browser import Page, browser, opened
from tests.test_verify import ENVELOPE, EVIDENCE

TABLE = cases.FOLDER / "README.md"
WRITING = os.environ.get("HOSTPLEDGE_CORPUS") == "write"
PROGRAMS = ("cosign", "openssl", "unzip")
pytestmark = [
    pytest.mark.skipif(browser() is None, reason="chromium is not installed"),
    pytest.mark.skipif(
        any(shutil.which(one) is None for one in PROGRAMS), reason="a program is not installed"
    ),
]
YES, NO, PART, OPEN, NONE = "verifies", "refuses", "in part", "undecided", "–"
# not green, as what verifies is of a part alone
NARROW = "narrow"
STATES = {"verified": YES, NARROW: YES, "failed": NO, "partial": PART, "undecided": OPEN}
_PLAIN = re.compile(r"[A-Za-z0-9_=./-]+", re.ASCII)
_HEAD = """# The corpus

Bundles that are right or wrong in one way each. `CASE/case.yml` says what is done to a good one, by
whom (`who`), and where and with which words the verifier refuses it. Made anew on each run: keys
and times are of today. `HOSTPLEDGE_CORPUS=write pytest tests/test_corpus.py` writes this table, and
each row is held to it.

每个案例对一个好的证据包做一件事；`who` 是由谁做的。下表由测试写出，并逐行核对。

- **Python** `hostpledge verify`. **page** the page in a real browser; what it cannot check it
  names: *in part* (签名等成立，但有一项本页不核验), *undecided* (本页不能判定).
- **cosign**, **OpenSSL** see the signature over the statement (cosign also the digest of
  evidence.json; of a ZIP file what `unzip` makes of it) and nothing else: *verifies* says that this
  much holds (只看签名与 evidence.json 的摘要), *–* that there is nothing of theirs in it.

| case | who | what | Python | page | cosign | OpenSSL |
|---|---|---|---|---|---|---|
"""
_written: dict[str, str] = {}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return cases.good(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    folder = tmp_path_factory.mktemp("browser")
    (folder / "page.html").write_text(page(), encoding="utf-8")
    with opened((folder / "page.html").as_uri(), folder) as found:
        found.ask("globalThis.realNow = Date.now; undefined")
        yield found
        assert all(url.startswith(("file://", "blob:")) for url in found.requests)
        assert found.complaints == []


def _rows() -> dict[str, list[str]]:
    if not TABLE.exists():
        return {}
    lines = TABLE.read_text("utf-8").splitlines()
    cells = [[c.strip() for c in line.strip("|").split("|")] for line in lines if "|" in line]
    return {row[0]: row for row in cells[2:]}


def _python(stage: cases.Stage) -> str:
    try:
        with open_bundle(stage.path) as found:
            verify(found, stage.trust, now=stage.now)
    except (VerifyFailed, BadInput):
        return NO
    return YES


def _faithful(root: Path) -> bool:
    """Would a ZIP file hold all of it, and nothing else?"""
    every = list(root.rglob("*"))
    empty = any(p.is_dir() and not any(p.iterdir()) for p in every)
    names = [str(p.relative_to(root)) for p in every]
    return (
        not empty and not any(p.is_symlink() for p in every) and all(map(_PLAIN.fullmatch, names))
    )


def _page(stage: cases.Stage, shown: Page, tmp_path: Path) -> tuple[str, str]:
    place, folder = stage.path, False
    if place.is_dir():
        folder = not _faithful(place)
        if not folder:
            place = tmp_path / "given.zip"
            bundle.pack(stage.path, place)
    now = f"{int(stage.now.timestamp() * 1000)}" if stage.now else "realNow()"
    shown.ask(f"Date.now = () => {now}; document.getElementById('result').dataset.state = ''")
    shown.choose("#folder" if folder else "#zip", [place])
    trust = stage.trust.to_bytes().decode()
    shown.ask(f"document.getElementById('trust').value = {json.dumps(trust)}")
    shown.ask("document.getElementById('verify').click()")
    shown.wait(f"{list(STATES)}.includes(document.getElementById('result').dataset.state)")
    state = shown.ask("document.getElementById('result').dataset.state")
    return STATES[state], shown.ask("document.getElementById('result').innerText")


def _unpacked(stage: cases.Stage, tmp_path: Path) -> Path:
    """As a stranger has it: the folder, or what unzip makes of the ZIP file."""
    if stage.path.is_dir():
        return stage.path
    target = tmp_path / "unzipped"
    subprocess.run(
        ["unzip", "-qq", "-o", stage.path, "-d", target],
        stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=60,
    )  # fmt: skip
    return target / "bundle" if (target / "bundle").is_dir() else target


def _key(stage: cases.Stage) -> PublicKey | None:
    return next((one.key for one in stage.trust.keys if one.key.type == "p256"), None)


def _sealed(root: Path) -> envelope.Sealed | None:
    """What both programs could read: the envelope in any spelling, but whole."""
    try:
        stored = json.loads((root / ENVELOPE).read_bytes())["dsseEnvelope"]
        payload, signed = stored["payload"], stored["signatures"][0]
        return envelope.Sealed(
            strict_base64(payload), signed["keyid"],
            strict_base64(signed["sig"]), {},
        )  # fmt: skip
    except (OSError, ValueError, KeyError, IndexError, TypeError, RecursionError):
        return None


def _cosign(root: Path, key: PublicKey, tmp_path: Path) -> str:
    (tmp_path / "pub").write_text(key.pem)
    (tmp_path / "root.json").write_text(
        json.dumps({"mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1"})
    )
    done = subprocess.run(
        ["cosign", "verify-blob-attestation", "--key", "pub", "--bundle", root / ENVELOPE,
         "--new-bundle-format", "--insecure-ignore-tlog", "--trusted-root", "root.json",
         "--type", "urn:hostpledge:predicate:evidence:1", root / EVIDENCE],
        cwd=tmp_path, capture_output=True, check=False, timeout=60,
    )  # fmt: skip
    return YES if done.returncode == 0 else NO


def _openssl(sealed: envelope.Sealed, key: PublicKey, tmp_path: Path) -> str:
    (tmp_path / "pub").write_text(key.pem)
    (tmp_path / "pae").write_bytes(sealed.pae())
    (tmp_path / "sig").write_bytes(sealed.signature)
    done = subprocess.run(
        ["openssl", "dgst", "-sha256", "-verify", "pub", "-signature", "sig", "pae"],
        cwd=tmp_path, capture_output=True, check=False, timeout=60,
    )  # fmt: skip
    return YES if done.returncode == 0 else NO


def _holds(sealed: envelope.Sealed, key: PublicKey) -> bool:
    try:
        key.verify(sealed.signature, sealed.pae())
    except CollectorError:
        return False
    return True


def _vouched(sealed: envelope.Sealed, evidence: Path) -> bool:
    """Is evidence.json, as it is there, among the subjects of the statement?"""
    try:
        told = json.loads(sealed.payload)
        digests = [one["digest"]["sha256"] for one in told["subject"]]
        return digest(evidence.read_bytes()) in digests
    except (OSError, ValueError, KeyError, TypeError):
        return False


@pytest.mark.parametrize("name", cases.names())
def test_all_agree_on_a_case(name: str, base: dict[str, Path], shown: Page, tmp_path: Path) -> None:
    about = cases.case(name)
    room = tmp_path / "room"
    for kind, path in base.items():
        shutil.copytree(path, room / kind)
    stage = cases.Stage(room / about.get("begin", "plain"), cases.trust(base["plain"].parent))
    cases.play(stage, about)
    expected = YES if name.endswith("_ok") else NO

    assert _python(stage) == expected
    seen, said = _page(stage, shown, tmp_path)
    # anything else than what Python says is named in the case, with what it leaves unchecked
    assert seen == about.get("page", {}).get("is", expected), said
    if "is" in about.get("page", {}):
        assert seen in (PART, OPEN), "the page may say less than Python, and never the contrary"
    assert about.get("page", {}).get("said", "") in said

    root, key = _unpacked(stage, tmp_path), _key(stage)
    sealed = _sealed(root)
    cosign = openssl = NONE
    if sealed is not None and key is not None:
        openssl = _openssl(sealed, key, tmp_path)
        holds = _holds(sealed, key)
        assert (openssl == YES) is holds
        if (root / EVIDENCE).is_file():
            cosign = _cosign(root, key, tmp_path)
            # of the envelope it asks more than this, and accepts nothing that does not hold
            assert cosign == NO or (holds and _vouched(sealed, root / EVIDENCE))
            assert expected == NO or (cosign, openssl) == (YES, YES)
    row = [name, about["who"], about["about"].replace("|", "/"), expected, seen, cosign, openssl]
    _written[name] = f"| {' | '.join(row)} |"
    assert WRITING or _rows()[name] == row


def test_the_table_has_a_row_for_each_case() -> None:
    if WRITING:
        TABLE.write_text(_HEAD + "".join(f"{_written[one]}\n" for one in cases.names()), "utf-8")
    assert list(_rows()) == cases.names()
    seen = [(row[3], row[4]) for row in _rows().values()]
    assert (NO, YES) not in seen
    assert (YES, NO) not in seen
