"""The verifier page in a real browser: what it takes, what it refuses, and that it asks nobody."""

from __future__ import annotations

import base64
import json
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)

from collector.attest.bundle import making as bundle
from collector.attest.bundle import redacted
from collector.attest.keys.keys import PrivateKey
from collector.attest.trust.trust_file import Trust, trust_of
from collector.verify import open_bundle
from collector.verify.webpage import page
from tests import bundles
from tests.attest.shell import Shell
from tests.attest.test_keys import ORDER
from tests.browser import Page, browser, opened

pytestmark = pytest.mark.skipif(browser() is None, reason="chromium is not installed")
ENVELOPE = "data/bundle.sigstore.json"
KEYS = {"p256": PrivateKey.generate(), "ed25519": PrivateKey.generate("ed25519")}
ODD = ("web-1", "数据库一号", "a b\tc")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("made")
    hosts = [bundles.unreachable(host) for host in ODD]
    return {
        name: bundles.make(
            folder, hosts, key, name=name, attached={"数据清单": b"data: []\n"},
            sm2_key=PrivateKey.generate("sm2") if name == "p256" else None,
        )[0].path
        for name, key in KEYS.items()
    }  # fmt: skip


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    folder = tmp_path_factory.mktemp("browser")
    (folder / "page.html").write_text(page(), encoding="utf-8")
    with opened((folder / "page.html").as_uri(), folder) as found:
        yield found
        assert all(url.startswith(("file://", "blob:")) for url in found.requests)
        assert found.complaints == []


@pytest.fixture
def copy(made: dict[str, Path], tmp_path: Path) -> Path:
    return Path(shutil.copytree(made["p256"], tmp_path / "copy"))


def trust(*names: str) -> str:
    return trust_of([KEYS[name].public for name in names or KEYS]).to_bytes().decode()


def told(shown: Page, place: Path, trusting: str, *, folder: bool = False) -> tuple[str, str]:
    """Whether it verified, and all that the page says."""
    shown.ask("document.getElementById('result').dataset.state = ''")
    shown.choose("#folder" if folder else "#zip", [place])
    shown.ask(f"document.getElementById('trust').value = {json.dumps(trusting)}")
    shown.ask("document.getElementById('verify').click()")
    shown.wait(
        "['verified', 'narrow', 'partial', 'undecided', 'failed']"
        ".includes(document.getElementById('result').dataset.state)"
    )
    return (
        shown.ask("document.getElementById('result').dataset.state"),
        shown.ask("document.getElementById('result').innerText"),
    )


def zipped(root: Path, target: Path) -> Path:
    bundle.pack(root, target)
    return target


def test_it_is_one_file_that_loads_nothing() -> None:
    text = page()
    assert not re.search(r"""(src|href)\s*=|url\(|@import|https?://(?!in-toto\.io)""", text)
    assert "default-src 'none'" in text
    assert "unsafe-inline" not in text
    assert "fetch(" not in text


def test_the_command_writes_it(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    assert shell("verify", "--page", "page.html") == "page.html\n"
    assert (tmp_path / "page.html").read_text(encoding="utf-8") == page()
    assert "Missing argument 'BUNDLE'" in shell("verify", status=2)


@pytest.mark.parametrize("name", KEYS)
def test_good_bundles_verify(name: str, shown: Page, made: dict[str, Path], tmp_path: Path) -> None:
    with open_bundle(made[name]) as found:
        digest = found.digest
    file = zipped(made[name], tmp_path / "b.zip")
    for place, trusting, folder in (
        (file, trust(), False),
        (file, KEYS[name].public.pem, False),
        (made[name], trust(name), True),
    ):
        state, said = told(shown, place, trusting, folder=folder)
        assert state == ("partial" if folder else "verified"), said
        assert f"sha256:{digest}" in said
        assert KEYS[name].keyid in said
        assert "whether the captures were judged rightly (hostpledge replay)" in said
        assert "links and empty folders in the folder" in said or not folder
        # the SM2 key is not trusted here
        assert ("(not trusted, not checked)" in said) is (name == "p256")


def test_it_speaks_chinese_and_a_picture_of_it(
    shown: Page, made: dict[str, Path], tmp_path: Path
) -> None:
    told(shown, zipped(made["p256"], tmp_path / "b.zip"), trust())
    shown.ask("document.getElementById('language').click()")
    shown.wait("document.getElementById('result').innerText.includes('核验通过')")
    assert shown.ask("document.documentElement.lang") == "zh"
    shown.picture(tmp_path / "page.png")
    assert (tmp_path / "page.png").stat().st_size > 20_000
    shown.ask("document.getElementById('language').click()")


def test_a_slower_answer_about_another_bundle_is_not_shown(
    shown: Page, made: dict[str, Path], copy: Path, tmp_path: Path
) -> None:
    """Whoever chooses another file meanwhile would take the first one's tick for its own."""
    good, bad = zipped(made["p256"], tmp_path / "good.zip"), tmp_path / "bad.zip"
    _flip("data/evidence.json")(copy)
    zipped(copy, bad)
    shown.choose("#zip", [good])
    shown.ask(f"document.getElementById('trust').value = {json.dumps(trust())}")
    shown.ask(
        "globalThis.slow = crypto.subtle.verify; crypto.subtle.verify = async function (...given) {"
        " await new Promise((done) => setTimeout(done, 1500)); return slow.apply(this, given); }; 0"
    )
    shown.ask("document.getElementById('verify').click()")
    shown.ask("crypto.subtle.verify = slow; 0")
    state, said = told(shown, bad, trust())
    assert state == "failed", said
    shown.ask("new Promise((done) => setTimeout(done, 2500))")
    assert shown.ask("document.getElementById('result').dataset.state") == "failed"
    shown.choose("#zip", [good])
    assert shown.ask("document.getElementById('result').innerText") == ""


def test_a_trust_file_is_chosen_as_well(shown: Page, made: dict[str, Path], tmp_path: Path) -> None:
    (tmp_path / "trust.json").write_text(trust())
    shown.choose("#trust-file", [tmp_path / "trust.json"])
    state, said = told(shown, made["ed25519"], "", folder=True)
    assert state == "partial", said
    shown.ask("document.getElementById('trust-file').value = ''")
    assert told(shown, made["ed25519"], "", folder=True)[1].count("give a trust file")


def test_a_redacted_bundle(shown: Page, made: dict[str, Path], tmp_path: Path) -> None:
    with open_bundle(made["p256"]) as found:
        redacted.write(found.root, tmp_path / "r", found.info)
    state, said = told(shown, zipped(tmp_path / "r", tmp_path / "r.zip"), trust())
    # nothing could be held to captures that are not there
    assert state == "narrow", said
    assert "Verified as far as it goes: its captures were left out" in said
    assert "captures left out, their digests alone are there" in said
    assert "That the findings come from the captures: those were left out." in said


def _flip(name: str, place: int = -20) -> Callable[[Path], None]:
    def change(root: Path) -> None:
        file = next(root.glob(name))
        data = bytearray(file.read_bytes())
        data[place] ^= 1
        file.write_bytes(data)

    return change


def _envelope(change: Callable[[dict[str, object]], None]) -> Callable[[Path], None]:
    def act(root: Path) -> None:
        stored = json.loads((root / ENVELOPE).read_bytes())
        change(stored)
        (root / ENVELOPE).write_bytes(rfc8785.dumps(stored))

    return act


def _signature(change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    def act(stored: dict[str, object]) -> None:
        signed = stored["dsseEnvelope"]["signatures"][0]  # type: ignore[index]
        signed["sig"] = base64.b64encode(change(base64.b64decode(signed["sig"]))).decode()

    return _envelope(act)


def _high(signature: bytes) -> bytes:
    r, s = decode_dss_signature(signature)
    return encode_dss_signature(r, ORDER - s)


def _payload(stored: dict[str, object]) -> None:
    envelope = stored["dsseEnvelope"]
    text = base64.b64decode(envelope["payload"])  # type: ignore[index]
    envelope["payload"] = base64.b64encode(  # type: ignore[index]
        text.replace(b'"grade":2', b'"grade":3')
    ).decode()


def _twice(root: Path) -> None:
    data = (root / ENVELOPE).read_bytes()
    (root / ENVELOPE).write_bytes(
        data.replace(b'{"dsseEnvelope"', b'{"dsseEnvelope":1,"dsseEnvelope"')
    )


@pytest.mark.parametrize("agree", [False, True], ids=["alone", "with the container"])
@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_flip("data/captures/web-1*"), "is not what was signed"),
        (_flip("data/evidence.json"), "is not what was signed"),
        (_flip("data/attached/*", 2), "is not what was signed"),
        (lambda root: next(root.glob("data/captures/*")).unlink(), "is missing"),
        (lambda root: (root / "data/more").write_text("x"), "is not among what was signed"),
        (lambda root: (root / ENVELOPE).unlink(), "is missing"),
        (lambda root: (root / "data/bundle.sm2.json").unlink(), "is missing"),
        (_envelope(_payload), "another statement than in data/bundle.sigstore.json"),
        (_signature(lambda s: s[:10] + bytes([s[10] ^ 1]) + s[11:]), "the signature is not by"),
        (_signature(_high), "not in its one allowed form"),
        (_signature(lambda s: s + b"\0"), "not in its one allowed form"),
        (_signature(lambda s: b"\x30\x81" + s[1:]), "not in its one allowed form"),
        (_twice, "not JSON in canonical bytes"),
        (lambda root: (root / "note").write_text("x"), "does not belong to the bundle"),
    ],
)
def test_what_was_changed_is_refused(
    shown: Page, copy: Path, tmp_path: Path, agree: bool, change: Callable[[Path], None], said: str
) -> None:
    change(copy)
    if agree and not (copy / "note").exists():
        bundles.reseal(copy)
    state, text = told(shown, zipped(copy, tmp_path / "b.zip"), trust())
    assert state == "failed", text
    assert said in text


def test_the_container_has_one_spelling_too(shown: Page, copy: Path, tmp_path: Path) -> None:
    for name in ("bagit.txt", "bag-info.txt", "manifest-sha256.txt", "tagmanifest-sha256.txt"):
        before = (copy / name).read_bytes()
        (copy / name).write_bytes(before + b"\n")
        state, said = told(shown, zipped(copy, tmp_path / f"{name}.zip"), trust())
        assert (state, f"{name}: its bytes were changed" in said) == ("failed", True), said
        (copy / name).write_bytes(before)


def test_keys_that_do_not_count(shown: Page, made: dict[str, Path]) -> None:
    now = datetime.now(UTC)
    mine = trust_of([KEYS["p256"].public]).keys[0]
    second = trust_of([PrivateKey.generate("sm2").public])
    for known, said in (
        (replace(mine, valid_until=now - timedelta(days=1)), "after the end of the key"),
        (replace(mine, revoked_at=now + timedelta(days=1)), "was revoked, and nothing shows"),
        (replace(mine, valid_from=now + timedelta(days=1)), "before the key"),
        (second.keys[0], "which is not among the trusted keys"),
    ):
        text = Trust((known,)).to_bytes().decode()
        state, found = told(shown, made["p256"], text, folder=True)
        assert state == "failed"
        assert said in found
    other = trust("ed25519").replace(KEYS["ed25519"].keyid, KEYS["p256"].keyid)
    for text, said in (
        (trust("ed25519"), "which is not among the trusted keys"),
        (other, "the keyid is not that of the key"),
        ("hello", "neither a trust file nor a public key"),
        ("{}", "not of the form"),
        (second.keys[0].key.pem, "which is not among the trusted keys"),
    ):
        assert said in told(shown, made["p256"], text, folder=True)[1]


def test_archives_that_are_none(shown: Page, made: dict[str, Path], tmp_path: Path) -> None:
    whole = zipped(made["p256"], tmp_path / "whole.zip").read_bytes()
    for number, (data, said) in enumerate(
        (
            (b"", "not a whole ZIP file"),
            (whole[: len(whole) // 2], "not a whole ZIP file"),
            (whole.replace(b"data/evidence.json", b"../a/evidence.json"), "leads elsewhere"),
            (whole.replace(b"bag-info.txt", b"BAGIT.TXT\x00\x00\x00"), "leads elsewhere"),
            (whole + b"x", "something stands after the archive"),
            (b"x" + whole, "something stands before the archive"),
        )
    ):
        place = tmp_path / f"{number}.zip"
        place.write_bytes(data)
        state, text = told(shown, place, trust())
        assert state == "failed", text
        assert said in text
