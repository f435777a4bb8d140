"""SM2 with SM3: OpenSSL's signatures against GmSSL's, and a bundle with two signatures."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import gmssl_pyx
import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from collector.attest.bundle.making import Made
from collector.attest.envelope import dsse as envelope
from collector.attest.envelope import statement
from collector.attest.envelope.timestamp import Authority
from collector.attest.keys import keys, sm2
from collector.attest.keys.keys import PrivateKey, PublicKey
from collector.attest.trust import keyring
from collector.attest.trust.trust_file import Trust, TrustedKey, trust_from_bytes, trust_of
from collector.errors import BadInput, VerifyFailed
from collector.run.net import tsa as asking
from collector.verify import Verification, open_bundle, verify
from tests import bundles
from tests.attest.shell import Shell
from tests.tsa import Tsa

TWIN = "data/bundle.sm2.json"
FIRST = "data/bundle.sigstore.json"
# GB/T 32918.5-2017, annex A.2
POINT = bytes.fromhex(
    "09F9DF311E5421A150DD7D161E4BC5C672179FAD1833FC076BB08FF356F35020"
    "CCEA490CE26775A52DC6EA718CC1AA600AED05FBF35E084A6632F6072DA9AD13"
)
R = 0xF5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3
S = 0xB1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOSTPLEDGE_HOME", str(tmp_path / "home"))


def spki(point: bytes) -> bytes:
    return sm2.to_pem(sm2._SPKI + point)


def point(pem: str) -> bytes:
    return base64.b64decode("".join(pem.split("\n")[1:-2]))[-64:]


# --- the algorithm, against the standard and another implementation ------------------------------


def test_the_signature_of_the_standard() -> None:
    key = PublicKey.from_pem(spki(POINT), where="t")
    assert key.type == "sm2"
    key.verify(encode_dss_signature(R, S), b"message digest")
    for signature, data in (
        (encode_dss_signature(R, S), b"message digesT"),
        (encode_dss_signature(R, S - 1), b"message digest"),
        (encode_dss_signature(0, S), b"message digest"),
        (encode_dss_signature(R, sm2._N - R), b"message digest"),
        (encode_dss_signature(R, S) + b"\0", b"message digest"),
        (encode_dss_signature(R, S)[:-1], b"message digest"),
        (b"", b"message digest"),
    ):
        with pytest.raises(VerifyFailed, match="the signature is"):
            key.verify(signature, data)


def test_sm3_is_that_of_the_standard(tmp_path: Path) -> None:
    # GB/T 32905-2016, annex A
    expected = "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
    assert sm2.sm3(b"abc") == expected
    (tmp_path / "f").write_bytes(b"abc")
    assert sm2.file_digest(tmp_path / "f") == expected
    assert gmssl_pyx.sm3_hash(b"abc").hex() == expected


@pytest.mark.parametrize("data", [b"", b"x", b"\0" * 100_000, "口令".encode()])
def test_gmssl_takes_our_signatures_and_we_take_its(data: bytes) -> None:
    key = PrivateKey.generate("sm2")
    theirs = point(key.public.pem)
    for _ in range(4):
        signature = key.sign(data)
        key.public.verify(signature, data)
        assert gmssl_pyx.sm2_verify(theirs, data, signature)
        assert not gmssl_pyx.sm2_verify(theirs, data + b"x", signature)
    public, secret = gmssl_pyx.sm2_key_generate()
    found = PublicKey.from_pem(spki(public), where="t")
    found.verify(gmssl_pyx.sm2_sign(secret, public, data), data)
    # under the GM default identity, and no other
    with pytest.raises(VerifyFailed, match="is not by SM3:"):
        found.verify(gmssl_pyx.sm2_sign(secret, public, data, b"another"), data)


# --- keys ----------------------------------------------------------------------------------------


def test_points_beside_the_curve_and_other_forms_are_no_keys() -> None:
    pem = spki(POINT).decode()
    for other in (
        spki(POINT[:-1] + b"\x14").decode(),
        spki(b"\xff" * 64).decode(),
        spki(POINT[:-1]).decode(),
        pem + "\n",
        pem.replace("\n", "\r\n"),
        pem + pem,
    ):
        with pytest.raises(BadInput):
            PublicKey.from_pem(other, where="t")


def test_the_keyid_is_the_sm3_digest_of_the_key(tmp_path: Path) -> None:
    key = PrivateKey.generate("sm2").public
    (tmp_path / "pub").write_text(key.pem)
    said = subprocess.run(
        "openssl pkey -pubin -in pub -outform DER | openssl dgst -sm3 -binary | base64",
        shell=True, cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert key.keyid == "SM3:" + said.stdout.strip().rstrip("=")


@pytest.mark.parametrize("passphrase", [None, "口令 x".encode()])
def test_a_saved_key_signs_the_same_and_openssl_reads_it(
    passphrase: bytes | None, tmp_path: Path
) -> None:
    path = tmp_path / "k.pem"
    made = PrivateKey.generate("sm2")
    made.save(path, passphrase)
    assert path.stat().st_mode & 0o777 == 0o600
    assert keys.encrypted(path) is (passphrase is not None)
    loaded = keys.load(path, passphrase)
    assert loaded.keyid == made.keyid
    made.public.verify(loaded.sign(b"data"), b"data")
    said = subprocess.run(
        ["openssl", "pkey", "-in", path, "-passin", "stdin", "-pubout"],
        input=(passphrase or b"") + b"\n", capture_output=True, check=True,
    )  # fmt: skip
    assert said.stdout.decode() == made.public.pem
    assert isinstance(made._key, sm2.Secret)
    assert made._key.pem.decode() not in repr(made._key)
    if passphrase is not None:
        with pytest.raises(BadInput, match="the passphrase is wrong"):
            keys.load(path, b"wrong")


def test_no_secret_stands_in_the_arguments(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    seen: list[list[str]] = []
    real = subprocess.run

    def spy(words: list[str], **more: object) -> object:
        seen.append([str(word) for word in words])
        return real(words, **more)  # type: ignore[call-overload]

    monkeypatch.setattr(subprocess, "run", spy)
    key = PrivateKey.generate("sm2")
    key.save(tmp_path / "k", b"very secret")
    keys.load(tmp_path / "k", b"very secret").sign(b"x")
    words = " ".join(word for words in seen for word in words)
    assert "very secret" not in words
    assert "PRIVATE" not in words
    assert len(seen) >= 5


def test_without_openssl_it_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    key = PrivateKey.generate("sm2")
    signature = key.sign(b"x")
    monkeypatch.setenv("PATH", str(tmp_path))
    for act in (PrivateKey.generate, lambda _: key.public.verify(signature, b"x")):
        with pytest.raises(BadInput, match="needs the OpenSSL 3 program"):
            act("sm2")
    # an OpenSSL that knows no SM2 is no bad signature either
    old = tmp_path / "openssl"
    old.write_text("#!/bin/sh\necho 'pkeyutl: Option unknown option -rawin' >&2\nexit 1\n")
    old.chmod(0o755)
    with pytest.raises(BadInput, match="OpenSSL refused: pkeyutl"):
        key.public.verify(signature, b"x")


# --- bundles -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def both() -> tuple[PrivateKey, PrivateKey]:
    return PrivateKey.generate(), PrivateKey.generate("sm2")


@pytest.fixture(scope="module")
def tsa(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Tsa, str]]:
    one = Tsa(tmp_path_factory.mktemp("tsa") / "one")
    with one.served() as url:
        yield one, url


@pytest.fixture(scope="module")
def made(
    both: tuple[PrivateKey, PrivateKey], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Made, Trust]:
    key, second = both
    found = [bundles.unreachable("a"), bundles.unreachable("b")]
    done, _ = bundles.make(
        tmp_path_factory.mktemp("made"), found, key, sm2_key=second, attached={"x": b"y"}
    )
    return done, trust_of([key.public, second.public])


@pytest.fixture
def copy(made: tuple[Made, Trust], tmp_path: Path) -> Path:
    return Path(shutil.copytree(made[0].path, tmp_path / "copy"))


def check(path: Path, trust: Trust, now: datetime | None = None) -> Verification:
    with open_bundle(path) as opened:
        return verify(opened, trust, now=now)


def told(found: Verification) -> str:
    return " ".join(text.en for text in (*found.proven, *found.unproven))


def test_both_signatures_are_reported(
    made: tuple[Made, Trust], both: tuple[PrivateKey, PrivateKey]
) -> None:
    done, trust = made
    found = check(done.path, trust_from_bytes(trust.to_bytes(), where="trust"))
    said = found.to_json()["signatures"]
    assert [(s["algorithm"], s["keyid"], s["verified"]) for s in said] == [
        ("ECDSA-P256-SHA256", both[0].keyid, True),
        ("SM2-SM3", both[1].keyid, True),
    ]
    assert "A second signature, SM2 with SM3" in told(found)


def test_one_trusted_key_is_enough_and_the_other_is_named(
    made: tuple[Made, Trust], both: tuple[PrivateKey, PrivateKey]
) -> None:
    for mine, other in (both, both[::-1]):
        found = check(made[0].path, trust_of([mine.public]))
        assert found.keyid == mine.keyid
        assert f"The other signature, by {other.keyid}: that key is not among" in told(found)
        assert sorted(s["verified"] for s in found.signatures) == [False, True]
    with pytest.raises(VerifyFailed, match=r"signed by SHA256:\S+ and SM3:\S+, which is not"):
        check(made[0].path, trust_of([PrivateKey.generate("sm2").public]))


def test_an_sm2_key_that_signed_nothing_is_told(
    both: tuple[PrivateKey, PrivateKey], tmp_path: Path
) -> None:
    done, _ = bundles.make(tmp_path, [bundles.unreachable("a")], both[0])
    found = check(done.path, trust_of([both[0].public, both[1].public]))
    assert "the signer made no SM2 signature of this bundle" in told(found)
    assert len(found.signatures) == 1


def test_others_check_the_second_signature(
    made: tuple[Made, Trust], both: tuple[PrivateKey, PrivateKey], tmp_path: Path
) -> None:
    root = made[0].path
    stored = json.loads((root / TWIN).read_bytes())["dsseEnvelope"]
    payload = base64.b64decode(stored["payload"])
    signature = base64.b64decode(stored["signatures"][0]["sig"])
    pae = b"DSSEv1 28 application/vnd.in-toto+json %d %s" % (len(payload), payload)
    assert gmssl_pyx.sm2_verify(point(both[1].public.pem), pae, signature)
    for name, content in (("pae", pae), ("sig", signature), ("pub", both[1].public.pem.encode())):
        (tmp_path / name).write_bytes(content)
    command = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "pub", "-sigfile", "sig"]
    command += ["-rawin", "-digest", "sm3", "-in", "pae"]
    right = [*command, "-pkeyopt", "distid:1234567812345678"]
    subprocess.run(right, cwd=tmp_path, capture_output=True, check=True)
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode
    for subject in json.loads(payload)["subject"]:
        data = (root / "data" / subject["name"]).read_bytes()
        assert gmssl_pyx.sm3_hash(data).hex() == subject["digest"]["sm3"]
    names = {str(p.relative_to(root / "data")) for p in (root / "data").rglob("*") if p.is_file()}
    assert {s["name"] for s in json.loads(payload)["subject"]} == names - set(envelope.FILES)


def sign_again(root: Path, key: PrivateKey, change: str, value: object) -> None:
    """What who holds the SM2 key can do: sign another statement with it."""
    stored = json.loads((root / TWIN).read_bytes())
    document = json.loads(base64.b64decode(stored["dsseEnvelope"]["payload"]))
    if change == "sm3":
        document["subject"][0]["digest"]["sm3"] = value
    elif change == "drop":
        for subject in document["subject"]:
            del subject["digest"]["sm3"]
    else:
        document["predicate"][change] = value
    (root / TWIN).write_bytes(envelope.seal(rfc8785.dumps(document), key))
    bundles.reseal(root)


@pytest.mark.parametrize(
    ("change", "value", "said"),
    [
        ("sm3", "0" * 64, "names another SM3 digest for data/attached/x"),
        ("drop", None, "without SM3 digests"),
        ("grade", 3, "another statement than in data/bundle.sigstore.json"),
    ],
)
def test_a_second_statement_that_says_something_else(
    copy: Path,
    both: tuple[PrivateKey, PrivateKey],
    made: tuple[Made, Trust],
    change: str,
    value: object,
    said: str,
) -> None:
    sign_again(copy, both[1], change, value)
    with pytest.raises(VerifyFailed, match=said) as raised:
        check(copy, made[1])
    assert raised.value.where == TWIN


def test_it_can_neither_be_taken_away_nor_put_there_nor_be_anothers(
    copy: Path, both: tuple[PrivateKey, PrivateKey], made: tuple[Made, Trust], tmp_path: Path
) -> None:
    sign_again(copy, PrivateKey.generate("sm2"), "grade", 2)
    with pytest.raises(VerifyFailed, match="and the statement names SM3:"):
        check(copy, made[1])
    (copy / TWIN).write_bytes((copy / FIRST).read_bytes())
    bundles.reseal(copy)
    with pytest.raises(VerifyFailed, match="not a key for this file"):
        check(copy, made[1])
    (copy / TWIN).unlink()
    bundles.reseal(copy)
    with pytest.raises(VerifyFailed, match="is missing, and the statement names it"):
        check(copy, made[1])
    plain, trust = bundles.make(tmp_path, [bundles.unreachable("a")], both[0])
    shutil.copy(made[0].path / TWIN, plain.path / TWIN)
    bundles.reseal(plain.path)
    with pytest.raises(VerifyFailed, match="is named by no statement"):
        check(plain.path, trust)


def _break(root: Path, file: str) -> None:
    stored = json.loads((root / file).read_bytes())
    signature = base64.b64decode(stored["dsseEnvelope"]["signatures"][0]["sig"])
    broken = bytes([*signature[:20], signature[20] ^ 1, *signature[21:]])
    stored["dsseEnvelope"]["signatures"][0]["sig"] = base64.b64encode(broken).decode()
    (root / file).write_bytes(rfc8785.dumps(stored))
    bundles.reseal(root)


def test_the_failure_of_either_is_said_and_what_became_of_the_other(
    copy: Path, both: tuple[PrivateKey, PrivateKey], made: tuple[Made, Trust]
) -> None:
    _break(copy, TWIN)
    with pytest.raises(VerifyFailed, match=r"is not by SM3:.*\(the signature beside it holds"):
        check(copy, made[1])
    with pytest.raises(VerifyFailed, match=r"is not by SM3:.*beside it was not checked"):
        check(copy, trust_of([both[1].public]))
    _break(copy, FIRST)
    with pytest.raises(VerifyFailed, match=r"is not by SHA256:.*\(the SM2.* fails too: .* SM3:"):
        check(copy, made[1])
    shutil.copy(made[0].path / TWIN, copy / TWIN)
    bundles.reseal(copy)
    with pytest.raises(VerifyFailed, match=r"is not by SHA256:.*\(the SM2 .* beside it holds"):
        check(copy, made[1])


def test_an_ended_sm2_key_needs_a_timestamp_of_its_own(
    both: tuple[PrivateKey, PrivateKey],
    made: tuple[Made, Trust],
    tsa: tuple[Tsa, str],
    tmp_path: Path,
) -> None:
    now = datetime.now(UTC)
    end = now + timedelta(minutes=10)
    later = now + timedelta(days=3650)
    known = (TrustedKey(both[0].public, "a"), TrustedKey(both[1].public, "b", valid_until=end))
    check(made[0].path, Trust(known))
    with pytest.raises(VerifyFailed, match="the key b ended") as raised:
        check(made[0].path, Trust(known), later)
    assert raised.value.where == TWIN
    stamped, _ = bundles.make(
        tmp_path, [bundles.unreachable("a")], both[0], sm2_key=both[1],
        stamps=[partial(asking.stamp, tsa[1])],
    )  # fmt: skip
    authority = Authority.from_pem("test", tsa[0].root.read_text(), where="root")
    trust = Trust(tuple(replace(k, valid_until=end) for k in known), (authority,))
    found = check(stamped.path, trust, later)
    assert [s["timestamp"]["authority"] for s in found.signatures] == ["test", "test"]


def test_the_statement_without_sm3_is_the_first(made: tuple[Made, Trust]) -> None:
    with open_bundle(made[0].path) as opened:
        assert opened.twin is not None
        again = statement.with_sm3(
            opened.sealed.payload,
            {n: sm2.file_digest(made[0].path / "data" / n) for n in opened.subjects},
        )
        assert again == opened.twin.payload


# --- as commands ---------------------------------------------------------------------------------


def test_the_commands(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    bundles.write(shell.folder / "in", [bundles.unreachable("gone")])
    (shell.folder / "pw").write_text("secret\n")
    shell("key", "new")
    said = shell("key", "new", "--type", "sm2", "--name", "gm", "--passphrase-file", "pw")
    assert said.startswith("SM3:")
    assert "  sm2  " in said
    shell("key", "trust", "-o", "trust.json")
    assert "asks for a passphrase" in shell("bundle", "in", "-o", "b", "--sm2-key", "gm", status=2)
    shell("bundle", "in", "-o", "b", "--sm2-key", "gm", "--sm2-passphrase-file", "pw")
    found = json.loads(shell.out("verify", "b", "--trust", "trust.json", "--format", "json"))
    assert [s["name"] for s in found["signatures"]] == ["default", "gm"]
    assert "SM2-SM3" in shell("verify", "b", "--trust", "trust.json", "--lang", "zh")
    wrong = ["bundle", "in", "-o", "c", "--key", "gm", "--passphrase-file", "pw"]
    assert "an SM2 key, which signs beside another" in shell(*wrong, status=2)
    assert "not an SM2 key" in shell("bundle", "in", "-o", "c", "--sm2-key", "default", status=2)
    shell("key", "rotate", "--type", "sm2", "--name", "gm")
    shell("key", "trust", "-o", "later.json")
    assert "the key gm-until" in shell("verify", "b", "--trust", "later.json", status=2)


def test_the_keyring_keeps_both_and_the_register_signs_with_one() -> None:
    first, second = keyring.new("default", "p256", None), keyring.new("gm", "sm2", None)
    assert [k.keyid for k in keyring.trust().keys] == [first.keyid, second.keyid]
    assert keys.load(keyring.find("gm")).keyid == second.keyid
