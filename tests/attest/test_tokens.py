"""Keys in a token, with the real SoftHSM2: named by PKCS#11 URIs, used wherever a key signs."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.attest.keys import keys, token, tokenuri
from collector.attest.keys.tokenuri import parse
from collector.attest.trust import keyring
from collector.errors import BadInput
from tests import bundles
from tests.attest.shell import ROOT, Shell

PIN = b"1234"
MODULE = "?module-name=softhsm2"
soft = pytest.mark.skipif(shutil.which("softhsm2-util") is None, reason="no softhsm2-util")


@pytest.fixture(scope="module")
def slot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Tokens `team`, `twin` and `twin`, PIN 1234; yields the file that holds it."""
    folder = tmp_path_factory.mktemp("softhsm")
    (folder / "tokens").mkdir()
    settings = folder / "softhsm2.conf"
    settings.write_text(f"directories.tokendir = {folder}/tokens\nlog.level = ERROR\n")
    (folder / "pin").write_bytes(PIN + b"\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOFTHSM2_CONF", str(settings))
        for label in ("team", "twin", "twin"):
            subprocess.run(
                ["softhsm2-util", "--init-token", "--free", "--label", label, "--so-pin",
                 "11112222", "--pin", "1234"], check=True, capture_output=True,
            )  # fmt: skip
        yield folder / "pin"


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOSTPLEDGE_HOME", str(tmp_path / "home"))


def _uri(name: str, rest: str = "") -> tokenuri.KeyUri:
    return parse(f"pkcs11:token=team;object={name}{rest}{MODULE}")


@soft
def test_evidence_of_a_key_in_a_token_verifies_like_any_other(slot: Path, tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    pin = ("--passphrase-file", str(slot))
    uri = _uri("signing").text
    assert uri in shell("key", "new", "--token", uri, *pin)
    assert uri in shell("key", "show")
    shell("key", "trust", "-o", "trust.json")
    shell("pledge", "add", str(ROOT / "examples" / "pledge.yml"))
    bundles.write(tmp_path / "in", [bundles.unreachable("a")])
    shell("bundle", "in", "-o", "b", "--pledge", "demo-2026", *pin)
    shell("pledge", "attach", "demo-2026", "b")
    assert "Verified" in shell("verify", "b", "--trust", "trust.json")
    # the URI itself, and a checkpoint: by the one key
    note = shell.out("register", "checkpoint", "--key", f"{uri}&pin-source=file:{slot}")
    (tmp_path / "kept.txt").write_text(note)
    shell("register", "consistency", "kept.txt", "--trust", "trust.json")
    # OpenSSL, by the public key that the token gives out
    (tmp_path / "signer.pub").write_text(shell.out("key", "show", uri, *pin))
    sealed = json.loads((tmp_path / "b/data/bundle.sigstore.json").read_text())
    from collector.attest.envelope.dsse import unseal

    opened = unseal((tmp_path / "b/data/bundle.sigstore.json").read_bytes())
    assert sealed["verificationMaterial"]["publicKey"]["hint"] == opened.keyid
    (tmp_path / "sig").write_bytes(opened.signature)
    (tmp_path / "signed").write_bytes(opened.pae())
    subprocess.run(
        ["openssl", "dgst", "-sha256", "-verify", "signer.pub", "-signature", "sig", "signed"],
        cwd=tmp_path, check=True,
    )  # fmt: skip
    # a kept key in a token turns, and the bundle of the old one still stands on the register's log
    shell("key", "rotate", "--token", _uri("later").text, *pin)
    shell("register", "prove", "demo-2026", "-o", "proof", *pin)
    shell("key", "trust", "-o", "newer.json")
    assert "ended" in shell("verify", "b", "--trust", "newer.json", status=2)
    shell("verify", "b", "--trust", "newer.json", "--proof", "proof")


@soft
@pytest.mark.parametrize("type", keys.TYPES)
def test_a_key_is_made_in_the_token_and_signs_there(type: keys.KeyType, slot: Path) -> None:
    made = keyring.new(type, type, PIN, _uri(type))
    path = keyring.path_of(type)
    assert keys.encrypted(path)
    assert keyring.trust().find(made.keyid) is not None
    loaded = keys.load(path, PIN)
    assert (loaded.public, loaded.public.type) == (made.public, type)
    for _ in range(8):  # P-256: half of them come with a high s
        loaded.public.verify(loaded.sign(b"data"), b"data")
    other = keys.PrivateKey.generate(type).public
    loaded.public, honest = other, loaded.public
    with pytest.raises(BadInput, match="does not fit the public key"):
        loaded.sign(b"data")
    loaded.public = honest
    with pytest.raises(BadInput, match="there is a key of that name in the token; `hostpledge key"):
        token.generate(_uri(type), type, PIN)
    with pytest.raises(BadInput, match=f"this key is kept already, as {type}"):
        keyring.add("again", _uri(type), PIN)
    with pytest.raises(BadInput, match="is in a token, and the new one would lie in a file"):
        keyring.rotate(type, type, None)
    keyring.revoke(type)
    with pytest.raises(BadInput, match="this key ended"):
        keyring.check_usable(loaded, "")


@soft
def test_a_key_that_another_program_made_is_taken(slot: Path, tmp_path: Path) -> None:
    keys.PrivateKey.generate().save(tmp_path / "k.pem", None)
    public = keys.load(tmp_path / "k.pem").public
    subprocess.run(
        ["softhsm2-util", "--import", tmp_path / "k.pem", "--token", "team", "--label", "brought",
         "--id", "0a", "--pin", "1234"], check=True, capture_output=True,
    )  # fmt: skip
    added = keyring.add("brought", parse(f"pkcs11:token=team;id=%0A{MODULE}"), PIN)
    assert added.public == public


@soft
def test_what_a_token_refuses_is_one_clear_line(
    slot: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):
        keys.PrivateKey.generate().save(tmp_path / "k.pem", None)
        subprocess.run(
            ["softhsm2-util", "--import", tmp_path / "k.pem", "--token", "team", "--label", "both",
             "--id", "0b", "--force", "--pin", "1234"], check=True, capture_output=True,
        )  # fmt: skip
        (tmp_path / "k.pem").unlink()
    for uri, pin, said in (
        (_uri("both"), b"4321", "the PIN is wrong; each wrong one may bring a lock nearer"),
        (_uri("both"), b"1", "the PIN is wrong"),
        (_uri("both"), b"\xff\xfe123", "the PIN is not UTF-8"),
        (_uri("both"), None, "asks for a PIN; give --passphrase-file"),
        (_uri("both"), PIN, r"2 private keys in the token fit: id=%0B, id=%0B; add id= to it"),
        (_uri("nobody"), PIN, "no such private key in the token; there are: .*both"),
        (parse(f"pkcs11:token=other;object=x{MODULE}"), PIN, "no such token; there are: .*team"),
        (parse(f"pkcs11:token=team;serial=0;object=x{MODULE}"), PIN, "no such token"),
        (parse(f"pkcs11:token=twin;object=x{MODULE}"), PIN, "2 tokens fit: serial .*; add serial="),
        (parse("pkcs11:object=x?module-path=/none.so"), PIN, "there is no PKCS#11 module /none.so"),
        (parse("pkcs11:object=x?module-name=none"), PIN, "there is no PKCS#11 module none"),
        (parse(f"pkcs11:object=x?module-path={ROOT}/README.md"), PIN, "the PKCS#11 module refused"),
    ):
        with pytest.raises(BadInput, match=said):
            keys.of_token(uri, pin)
    with pytest.raises(BadInput, match="a token makes P-256 and Ed25519 keys only"):
        token.generate(_uri("gm"), "sm2", PIN)
    # SoftHSM2 never locks a PIN: what a token says that does
    import pkcs11

    def locked(*_: object, **__: object) -> None:
        raise pkcs11.PinLocked

    monkeypatch.setattr(token, "_token", locked)
    with pytest.raises(BadInput, match="PIN is locked after too many wrong ones; its security"):
        keys.of_token(_uri("both"), PIN)


@soft
def test_complaints_are_chinese_in_a_chinese_session(slot: Path, tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    (tmp_path / "wrong").write_text("9999\n")
    said = shell(
        "key", "show", _uri("nobody").text, "--passphrase-file", "wrong", "--lang", "zh", status=2
    )
    assert said == f"hostpledge: {_uri('nobody').text}：PIN 错误；多次输错可能锁定令牌\n"
    said = shell("key", "show", f"pkcs11:object=x{MODULE}&pin-value=1", "--lang", "zh", status=2)
    assert "PIN 人人可见" in said
    assert "pin-value=1" not in said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("pkcs11", "not a PKCS#11 URI"),
        ("pkcs11:object=a b", "not a PKCS#11 URI"),
        ("pkcs11:object=\u202ea", "not a PKCS#11 URI"),
        ("pkcs11:token=x", "names no key"),
        ("pkcs11:", "names no key"),
        ("pkcs11:object=a;object=b", "the attribute object stands twice"),
        ("pkcs11:object=a;colour=b", "the attribute colour is not understood"),
        ("pkcs11:object=a;library-version=1", "the attribute library-version is not understood"),
        ("pkcs11:object=a;module-path=/x", "the attribute module-path is not understood"),
        ("pkcs11:object", "not of the form name=value"),
        ("pkcs11:object=%zz", "not of the form name=value"),
        ("pkcs11:object=a;type=cert", "not about a private key"),
        ("pkcs11:object=a;slot-id=-1", "not a slot number"),
        ("pkcs11:object=a?pin-source=|cat%20/pin", "names no file"),
        ("pkcs11:object=a?pin-source=pin", "names no file"),
    ],
)
def test_uris_that_are_refused(text: str, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        parse(text)


@given(st.text(max_size=60), st.binary(max_size=200))
def test_no_text_and_no_file_ends_in_a_defect(text: str, data: bytes) -> None:
    with suppress(BadInput):
        assert parse(f"pkcs11:{text}").text == f"pkcs11:{text}"
    with suppress(BadInput):
        tokenuri.from_pem(data, where="f")
    label = tokenuri.PEM_LABEL.encode()
    body = base64.b64encode(data)
    with suppress(BadInput):
        tokenuri.from_pem(
            b"-----BEGIN %b-----\n%b\n-----END %b-----\n" % (label, body, label), where="f"
        )


def test_without_the_library_it_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pkcs11", None)
    for asked in (
        lambda: keys.of_token(_uri("x"), PIN),
        lambda: token.generate(_uri("x"), "p256", PIN),
    ):
        with pytest.raises(BadInput, match="need python-pkcs11, which is not here; pip install"):
            asked()


def test_a_uri_is_read_as_rfc_7512_has_it(tmp_path: Path) -> None:
    uri = parse(
        "pkcs11:token=The%20Software;serial=4d;slot-id=7;id=%00%ff;type=private"
        "?module-path=/a%20b.so&pin-source=file:///p"
    )
    assert uri.token == {"token": "The Software", "serial": "4d"}
    assert (uri.slot, uri.id, uri.module_path) == (7, b"\x00\xff", "/a b.so")
    assert uri.pin_source == Path("/p")
    # files as OpenSSL's provider writes them (uri2pem of pkcs11-provider 1.0)
    for text in (uri.text, "pkcs11:object=" + "x" * 200, "pkcs11:object=" + "x" * 900):
        assert tokenuri.from_pem(parse(text).to_pem(), where="f") == parse(text)
    pem = parse("pkcs11:object=a").to_pem()
    for broken in (pem[:-30], pem.replace(b"\n", b"\n\n", 1)[:60], pem.replace(b"MC", b"MD")):
        with pytest.raises(BadInput, match="damaged"):
            tokenuri.from_pem(broken, where="f")
