from __future__ import annotations

import os
import stat
import subprocess
from errno import ENOSPC
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)

from collector.attest.keys import keys
from collector.attest.keys.keys import PrivateKey, PublicKey, strict_base64
from collector.attest.trust import keyring
from collector.attest.trust.trust_file import load_trust
from collector.errors import BadInput, VerifyFailed

ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOSTPLEDGE_HOME", str(tmp_path / "home"))


@pytest.mark.parametrize("type", keys.TYPES)
def test_the_keyid_is_what_ssh_keygen_prints(type: keys.KeyType, tmp_path: Path) -> None:
    public = PrivateKey.generate(type).public
    loaded = serialization.load_pem_public_key(public.pem.encode())
    line = tmp_path / "key.pub"
    line.write_bytes(
        loaded.public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    )
    said = subprocess.run(["ssh-keygen", "-lf", line], capture_output=True, text=True, check=True)
    assert said.stdout.split()[1] == public.keyid


@pytest.mark.parametrize("type", keys.TYPES)
@pytest.mark.parametrize("passphrase", [None, "口令 x".encode()])
def test_a_saved_key_signs_the_same(
    type: keys.KeyType, passphrase: bytes | None, tmp_path: Path
) -> None:
    path = tmp_path / "k.pem"
    made = PrivateKey.generate(type)
    made.save(path, passphrase)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert keys.encrypted(path) is (passphrase is not None)
    loaded = keys.load(path, passphrase)
    assert loaded.keyid == made.keyid
    made.public.verify(loaded.sign(b"data"), b"data")
    assert [p.name for p in tmp_path.iterdir()] == ["k.pem"]


@pytest.mark.parametrize("type", keys.TYPES)
def test_openssl_reads_the_key_file(type: keys.KeyType, tmp_path: Path) -> None:
    PrivateKey.generate(type).save(tmp_path / "k.pem", b"secret")
    subprocess.run(
        ["openssl", "pkey", "-in", tmp_path / "k.pem", "-passin", "pass:secret", "-noout"],
        check=True,
    )


def test_a_key_is_never_written_over_a_file(tmp_path: Path) -> None:
    path = tmp_path / "k.pem"
    path.write_text("precious")
    with pytest.raises(BadInput, match="there is a file already"):
        PrivateKey.generate().save(path, None)
    assert path.read_text() == "precious"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_key_that_others_can_read_is_refused(mode: int, tmp_path: Path) -> None:
    path = tmp_path / "k.pem"
    PrivateKey.generate().save(path, None)
    path.chmod(mode)
    with pytest.raises(BadInput, match=rf"others can read this key \(mode {mode:04o}\); chmod 600"):
        keys.load(path)


def _pem(key: object, form: serialization.PrivateFormat) -> bytes:
    return key.private_bytes(  # type: ignore[attr-defined, no-any-return]
        serialization.Encoding.PEM, form, serialization.NoEncryption()
    )


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "not a private key"),
        (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "damaged"),
        (PrivateKey.generate().public.pem.encode(), "a public key, where the private one"),
        (
            _pem(rsa.generate_private_key(65537, 2048), serialization.PrivateFormat.PKCS8),
            "only P-256, Ed25519 and SM2",
        ),
        (
            _pem(ec.generate_private_key(ec.SECP384R1()), serialization.PrivateFormat.PKCS8),
            "only P-256, Ed25519 and SM2",
        ),
        (
            _pem(
                ec.generate_private_key(ec.SECP256R1()),
                serialization.PrivateFormat.TraditionalOpenSSL,
            ),
            "openssl pkcs8 -topk8",
        ),
    ],
)
def test_other_files_are_refused(content: bytes, said: str, tmp_path: Path) -> None:
    path = tmp_path / "k.pem"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(BadInput, match=said):
        keys.load(path)


def test_a_wrong_passphrase_and_none(tmp_path: Path) -> None:
    path = tmp_path / "k.pem"
    PrivateKey.generate().save(path, b"right")
    with pytest.raises(BadInput, match="the passphrase is wrong"):
        keys.load(path, b"wrong")
    with pytest.raises(BadInput, match="asks for a passphrase"):
        keys.load(path)


def test_the_signature_has_one_form_only() -> None:
    key = PrivateKey.generate()
    for _ in range(20):
        signature = key.sign(b"data")
        r, s = decode_dss_signature(signature)
        assert s <= ORDER // 2
        key.public.verify(signature, b"data")
    high = encode_dss_signature(r, ORDER - s)
    loaded = serialization.load_pem_public_key(key.public.pem.encode())
    assert isinstance(loaded, ec.EllipticCurvePublicKey)
    loaded.verify(high, b"data", ec.ECDSA(hashes.SHA256()))  # valid for everybody else
    with pytest.raises(VerifyFailed, match="high s"):
        key.public.verify(high, b"data")
    # BER: the length of the sequence in its long form
    for loose in (b"\x30\x81" + signature[1:], signature + b"\x00"):
        with pytest.raises(VerifyFailed):
            key.public.verify(loose, b"data")


@pytest.mark.parametrize("type", keys.TYPES)
def test_another_key_or_other_data_do_not_verify(type: keys.KeyType) -> None:
    key, other = PrivateKey.generate(type), PrivateKey.generate(type)
    for public, data in ((other.public, b"data"), (key.public, b"datA")):
        with pytest.raises(VerifyFailed, match="is not by"):
            public.verify(key.sign(b"data"), data)


@pytest.mark.parametrize("text", ["YQ", "YQ=", "YR==", "YQ==\n", " YQ==", "Y Q==", "YQ==YQ==", "é"])
def test_base64_has_one_spelling(text: str) -> None:
    with pytest.raises(ValueError, match="base64"):
        strict_base64(text)
    assert strict_base64("YQ==") == b"a"


def test_a_public_key_with_something_beside_it_is_refused() -> None:
    pem = PrivateKey.generate().public.pem
    for other in (pem + "\n", "# mine\n" + pem, pem + pem):
        with pytest.raises(BadInput):
            PublicKey.from_pem(other, where="t")


# --- the keyring ---------------------------------------------------------------------------------


def test_new_and_rotate_leave_a_trust_that_knows_both() -> None:
    first = keyring.new("default", "p256", None)
    second, ended = keyring.rotate("default", "ed25519", b"pw")
    known = keyring.trust()
    assert [k.keyid for k in known.keys] == [first.keyid, second.keyid]
    assert ended.keyid == first.keyid
    assert ended.valid_until is not None
    assert known.keys[1].valid_until is None
    assert keys.load(keyring.find("default"), b"pw").keyid == second.keyid
    assert keys.load(keyring.find(ended.name)).keyid == first.keyid
    third, _ = keyring.rotate("default", "p256", None)  # within the same second
    names = [k.name for k in keyring.trust().keys]
    assert len(set(names)) == 3
    assert keyring.trust().find(third.keyid) is not None
    assert stat.S_IMODE(keyring.folder().stat().st_mode) == 0o700


def test_a_name_is_taken_once_and_cannot_lead_elsewhere() -> None:
    first = keyring.new("default", "p256", None)
    with pytest.raises(BadInput, match="there is a key already"):
        keyring.new("default", "p256", None)
    assert keys.load(keyring.find("default")).keyid == first.keyid
    for name in ("../x", "", "a/b", ".x", "中"):
        with pytest.raises(BadInput, match="not a key name"):
            keyring.new(name, "p256", None)
    with pytest.raises(BadInput, match="no key is named other"):
        keyring.rotate("other", "p256", None)


def test_a_rotation_that_fails_leaves_no_private_key_about(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    keyring.new("default", "p256", None)
    before = {path.name for path in keyring.folder().iterdir()}

    def full(_: object) -> None:
        raise OSError(ENOSPC, "No space left on device")

    monkeypatch.setattr(keyring, "_write", full)
    with pytest.raises(OSError, match="No space"):
        keyring.rotate("default", "p256", None)
    assert {path.name for path in keyring.folder().iterdir()} == before


def test_a_rotation_that_was_killed_leaves_no_key_that_signs_in_vain(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first = keyring.new("default", "p256", None)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", killed)
        patch.setattr(keyring, "write_aside", lambda p, d: p.write_bytes(d))
        with pytest.raises(KeyboardInterrupt):
            keyring.rotate("default", "p256", None)
    present = keys.load(keyring.find("default"))
    assert present.keyid == first.keyid
    with pytest.raises(BadInput, match="this key ended"):
        keyring.check_usable(present, "k")
    second, _ = keyring.rotate("default", "p256", None)
    present = keys.load(keyring.find("default"))
    assert present.keyid == second.keyid
    keyring.check_usable(present, "k")


def test_revoked_keys_sign_no_more() -> None:
    key = keyring.new("default", "p256", None)
    assert keyring.revoke("default").revoked_at is not None
    with pytest.raises(BadInput, match="this key ended"):
        keyring.check_usable(key, "k")


def test_a_trust_file_with_a_lying_keyid_is_refused(tmp_path: Path) -> None:
    keyring.new("default", "p256", None)
    path = tmp_path / "trust.json"
    text = keyring.trust().to_bytes().decode()
    path.write_text(text)
    assert load_trust(path) == keyring.trust()
    other = PrivateKey.generate().keyid
    path.write_text(text.replace(keyring.trust().keys[0].keyid, other))
    with pytest.raises(BadInput, match="does not belong to the key"):
        load_trust(path)
    path.write_text(text.replace('"name"', '"Name": "x", "name"'))
    with pytest.raises(BadInput, match="stands twice"):
        load_trust(path)
    os.truncate(path, 50)
    with pytest.raises(BadInput, match="not JSON"):
        load_trust(path)
