"""RFC 3161 timestamps, by OpenSSL's authority over HTTP: taken, checked, and what they prove."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from cryptography.x509 import load_pem_x509_certificates

from collector.attest.envelope import timestamp
from collector.attest.envelope.signing_certificate import names_its_own
from collector.attest.envelope.timestamp import Authority, Request, Stamp
from collector.attest.keys.keys import PrivateKey
from collector.attest.trust.trust_file import Trust, TrustedKey, trust_from_bytes, trust_of
from collector.errors import BadInput, VerifyFailed
from collector.run.net import tsa as asking
from collector.verify import Verification, open_bundle, verify
from tests import bundles
from tests.tsa import Tsa

ENVELOPE = "data/bundle.sigstore.json"
SIGNATURE = b"the bytes of a signature"
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def tsa(tmp_path_factory: pytest.TempPathFactory) -> Tsa:
    return Tsa(tmp_path_factory.mktemp("tsa") / "one")


@pytest.fixture(scope="module")
def authority(tsa: Tsa) -> Authority:
    return Authority.from_pem("test", tsa.root.read_text(), where="root")


@pytest.fixture
def url(tsa: Tsa) -> Iterator[str]:
    with tsa.served() as address:
        yield address
    tsa.broken, tsa.status = None, 200


def _ask(tsa: Tsa, signature: bytes) -> bytes:
    question = Request(signature)
    return question.accept(tsa.reply(question.bytes), where="tsa")


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def test_a_timestamp_over_http_that_openssl_takes_too(
    tsa: Tsa, authority: Authority, url: str, tmp_path: Path
) -> None:
    before = _now()
    answer = asking.stamp(url, SIGNATURE)
    found = timestamp.verify(answer, SIGNATURE, [authority])
    assert found.authority == "test"
    assert before <= found.at <= _now() + timedelta(seconds=1)
    (tmp_path / "t.tsr").write_bytes(answer)
    (tmp_path / "sig").write_bytes(SIGNATURE)
    command = ["openssl", "ts", "-verify", "-in", "t.tsr", "-data", "sig", "-CAfile"]
    command.append(str(tsa.root))
    said = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "Verification: OK" in said.stdout + said.stderr
    (tmp_path / "sig").write_bytes(SIGNATURE + b"x")
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode
    with pytest.raises(VerifyFailed, match="not over this signature"):
        timestamp.verify(answer, SIGNATURE + b"x", [authority])


def test_no_changed_bit_gives_another_time(tsa: Tsa, authority: Authority) -> None:
    answer = _ask(tsa, SIGNATURE)
    right = timestamp.verify(answer, SIGNATURE, [authority])
    seen = 0
    for place in range(len(answer)):
        for bit in range(8):
            changed = bytearray(answer)
            changed[place] ^= 1 << bit
            try:
                assert timestamp.verify(bytes(changed), SIGNATURE, [authority]) == right
            except VerifyFailed:
                seen += 1
    # what is left names the algorithm of the signature, which the certificate says as well
    assert seen >= 8 * (len(answer) - 8)
    for cut in range(0, len(answer), 7):
        with pytest.raises(VerifyFailed):
            timestamp.verify(answer[:cut], SIGNATURE, [authority])
    with pytest.raises(VerifyFailed):
        timestamp.verify(answer + b"\0", SIGNATURE, [authority])


def _openssl(folder: Path, *words: str) -> bytes:
    done = subprocess.run(["openssl", *words], cwd=folder, capture_output=True, check=True)
    return done.stdout


def _wrapped(token: bytes) -> bytes:
    """The token in an answer that says `granted`."""
    body = b"\x30\x03\x02\x01\x00" + token
    return b"\x30\x82" + len(body).to_bytes(2) + body


@pytest.mark.parametrize(("more", "taken"), [([], False), (["-cades"], True)])
def test_the_authority_signs_which_certificate_is_its_own(
    tsa: Tsa, authority: Authority, tmp_path: Path, more: list[str], taken: bool
) -> None:
    """RFC 3161 2.4.2, as `openssl ts -verify` has it; -cades puts the attribute in."""
    (tmp_path / "a.tsr").write_bytes(_ask(tsa, SIGNATURE))
    (tmp_path / "sig").write_bytes(SIGNATURE)
    _openssl(tmp_path, "ts", "-reply", "-in", "a.tsr", "-token_out", "-out", "a.tok")
    _openssl(tmp_path, "cms", "-verify", "-noverify", "-inform", "DER", "-in", "a.tok",
             "-out", "tst.der", "-CAfile", str(tsa.root))  # fmt: skip
    _openssl(tmp_path, "cms", "-sign", "-binary", "-nodetach", "-in", "tst.der", "-econtent_type",
             "1.2.840.113549.1.9.16.1.4", "-signer", str(tsa.folder / "tsa.pem"), "-inkey",
             str(tsa.folder / "tsa.key"), "-outform", "DER", "-out", "b.tok", "-md", "sha256",
             *more)  # fmt: skip
    answer = _wrapped((tmp_path / "b.tok").read_bytes())
    (tmp_path / "b.tsr").write_bytes(answer)
    command = ["openssl", "ts", "-verify", "-in", "b.tsr", "-data", "sig", "-CAfile", str(tsa.root)]
    theirs = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    assert (theirs.returncode == 0) is taken
    if taken:
        assert timestamp.verify(answer, SIGNATURE, [authority]).authority == "test"
        return
    with pytest.raises(VerifyFailed, match="does not say by which certificate"):
        timestamp.verify(answer, SIGNATURE, [authority])


@pytest.mark.parametrize("how", ["sha1", "sha256", "sha384", "sha512"])
def test_each_digest_of_the_own_certificate(tmp_path: Path, how: str) -> None:
    other = Tsa(tmp_path / "other")
    settings = (other.folder / "tsa.cnf").read_text()
    (other.folder / "tsa.cnf").write_text(
        settings.replace("ess_cert_id_alg = sha256", f"ess_cert_id_alg = {how}")
    )
    trusted = Authority.from_pem("other", other.root.read_text(), where="")
    answer = _ask(other, SIGNATURE)
    assert timestamp.verify(answer, SIGNATURE, [trusted]).authority == "other"
    mine = load_pem_x509_certificates((other.folder / "tsa.pem").read_bytes())
    strange = load_pem_x509_certificates(
        Tsa(tmp_path / "third").folder.joinpath("tsa.pem").read_bytes()
    )
    assert names_its_own(answer, mine)
    assert not names_its_own(answer, strange)
    assert not names_its_own(answer[:-1], mine)


def test_authorities_that_count_for_nothing(tsa: Tsa, authority: Authority, tmp_path: Path) -> None:
    other = Tsa(tmp_path / "other")
    stranger = Authority.from_pem("other", other.root.read_text(), where="")
    answer = _ask(tsa, SIGNATURE)
    assert timestamp.verify(answer, SIGNATURE, [stranger, authority]).authority == "test"
    for trusted in ([], [stranger]):
        with pytest.raises(VerifyFailed, match="not by a trusted authority"):
            timestamp.verify(answer, SIGNATURE, trusted)


def test_what_is_no_authority_is_refused(tsa: Tsa) -> None:
    leaf = (tsa.folder / "tsa.pem").read_text()
    for pem, said in (("", "not certificates"), ("x", "not certificates"), (leaf, "no root")):
        with pytest.raises(BadInput, match=said):
            Authority.from_pem("x", pem, where="file")


def test_answers_that_are_not_taken(tsa: Tsa, url: str) -> None:
    other = Request(SIGNATURE)
    subprocess.run(
        ["openssl", "ts", "-query", "-data", "tsa.cnf", "-sha256", "-tspolicy", "1.2.9", "-out",
         "refused.tsq"],
        cwd=tsa.folder, capture_output=True, check=True,
    )  # fmt: skip
    refused = tsa.reply((tsa.folder / "refused.tsq").read_bytes())
    for broken, status, said in (
        (b"", 200, "cannot be read"),
        (b"<html>", 200, "cannot be read"),
        (refused, 200, "did not give a timestamp: .*polic"),
        (b"\0" * (1 << 17), 200, "larger than 64 KiB"),
        (tsa.reply(other.bytes), 200, "answers another question"),
        (tsa.reply(Request(b"another").bytes), 200, "not over this signature"),
        (b"", 503, "answered 503"),
    ):
        tsa.broken, tsa.status = broken, status
        with pytest.raises(BadInput, match=said) as raised:
            asking.stamp(url, SIGNATURE)
        assert raised.value.where == url


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("file:///etc/passwd", "not an http"),
        ("ftp://x/y", "not an http"),
        ("http://", "not an http"),
        ("http://x:0/", "not an http"),
        ("http://x:y/", "not an http"),
        ("http://[/", "not an http"),
        ("http://127.0.0.1:9/", "cannot be asked"),
    ],
)
def test_addresses_that_cannot_be_asked(url: str, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        asking.stamp(url, SIGNATURE)


def test_a_trust_file_keeps_its_authorities(authority: Authority) -> None:
    trust = replace(trust_of([PrivateKey.generate().public]), authorities=(authority,))
    again = trust_from_bytes(trust.to_bytes(), where="t")
    assert again == trust
    assert again.authorities[0].certificates == authority.certificates
    with pytest.raises(BadInput, match="not certificates"):
        trust_from_bytes(trust.to_bytes().replace(b"BEGIN CERT", b"BEGIN CURT"), where="t")


# --- bundles -------------------------------------------------------------------------------------


class Made:
    """A bundle with a timestamp, and one without, by one key."""

    def __init__(self, folder: Path, tsa: Tsa, authority: Authority) -> None:
        self.key = PrivateKey.generate()
        self.authority = authority
        found = [bundles.unreachable("web-1")]
        stamps = [partial(_ask, tsa)]
        self.stamped = bundles.make(folder, found, self.key, "stamped", stamps=stamps)[0].path
        self.plain = bundles.make(folder, found, self.key, "plain")[0].path

    def trust(self, **window: Any) -> Trust:
        return Trust((TrustedKey(self.key.public, "k", **window),), (self.authority,))

    def verified(self, path: Path, trust: Trust, now: datetime | None = None) -> Verification:
        with open_bundle(path) as opened:
            return verify(opened, trust, now=now)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, tsa: Tsa, authority: Authority) -> Made:
    return Made(tmp_path_factory.mktemp("made"), tsa, authority)


def _said(texts: object) -> str:
    return " ".join(text.en for text in texts)  # type: ignore[attr-defined]


def test_what_is_proven_with_a_timestamp_and_what_without(made: Made) -> None:
    found = made.verified(made.stamped, made.trust())
    assert found.stamp is not None
    assert f"was there {found.stamp.at.isoformat()}: so says the timestamp" in _said(found.proven)
    assert found.to_json()["timestamp"] == {
        "at": found.stamp.at.isoformat(),
        "authority": "test",
    }
    assert "no outside timestamp" not in _said(found.unproven)
    plain = made.verified(made.plain, made.trust())
    assert plain.stamp is None
    assert plain.to_json()["timestamp"] is None
    assert "is asserted by the signer only; no outside timestamp" in _said(plain.unproven)
    strange = made.verified(made.stamped, replace(made.trust(), authorities=()))
    assert strange.stamp is None
    assert "the trust file names no timestamp authority" in _said(strange.unproven)


@pytest.mark.parametrize("years", [0, 10, 40])
def test_a_key_that_ended_needs_a_timestamp(made: Made, years: int) -> None:
    end = datetime.now(UTC) + timedelta(minutes=1)
    now = end + timedelta(days=365 * years, seconds=1)
    assert made.verified(made.stamped, made.trust(valid_until=end), now).stamp
    with pytest.raises(VerifyFailed, match=r"the key k ended .*nothing but the signer's word"):
        made.verified(made.plain, made.trust(valid_until=end), now)
    made.verified(made.plain, made.trust(valid_until=end), end - timedelta(seconds=1))


def test_a_key_revoked_after_the_timestamp_and_before(made: Made) -> None:
    later = datetime.now(UTC) + timedelta(minutes=1)
    found = made.verified(made.stamped, made.trust(revoked_at=later))
    assert "was revoked since then" in _said(found.unproven)
    with pytest.raises(VerifyFailed, match="nothing but the signer's word"):
        made.verified(made.plain, made.trust(revoked_at=later))
    assert found.stamp is not None
    with pytest.raises(VerifyFailed, match="what shows its time is not older"):
        made.verified(made.stamped, made.trust(revoked_at=found.stamp.at))


def test_a_timestamp_after_the_end_of_the_key(made: Made, tsa: Tsa, tmp_path: Path) -> None:
    """Signed in time by the signer's word, timestamped when the key had ended."""
    with open_bundle(made.plain) as opened:
        at = datetime.fromisoformat(opened.statement["predicate"]["made_at"])
    late = Stamp(at + timedelta(days=2), "test")
    from collector.verify import times

    known = TrustedKey(made.key.public, "k", valid_until=at + timedelta(days=1))
    with pytest.raises(VerifyFailed, match=r"shown to be there .*, after the end of the key k"):
        times.check_window(known, at, late.at, stamp=late, logged=None)
    early = Stamp(at - timedelta(hours=1), "test")
    with pytest.raises(VerifyFailed, match="was timestamped before that"):
        times.check_window(known, at, at, stamp=early, logged=None)


def _with(path: Path, target: Path, *answers: bytes) -> Path:
    """The bundle with other timestamps, in a container that agrees with it."""
    shutil.copytree(path, target)
    document = json.loads((target / ENVELOPE).read_bytes())
    document["verificationMaterial"]["timestampVerificationData"] = {
        "rfc3161Timestamps": [
            {"signedTimestamp": base64.b64encode(answer).decode()} for answer in answers
        ]
    }
    (target / ENVELOPE).write_bytes(rfc8785.dumps(document))
    bundles.reseal(target)
    return target


def test_timestamps_put_in_by_others(made: Made, tsa: Tsa, tmp_path: Path) -> None:
    with open_bundle(made.plain) as opened:
        signature = opened.sealed.signature
    own = _ask(tsa, signature)
    stranger = Tsa(tmp_path / "stranger")
    foreign = _ask(stranger, signature)

    later = _with(made.plain, tmp_path / "later", own)
    assert made.verified(later, made.trust()).stamp
    both = _with(made.plain, tmp_path / "both", foreign, own)
    assert made.verified(both, made.trust()).stamp
    for name, answers, said in (
        ("foreign", [foreign], "not by a trusted authority"),
        ("other", [_ask(tsa, b"another signature")], "not over this signature"),
        ("one_other", [own, _ask(tsa, b"another signature")], "not over this signature"),
        ("junk", [b"junk"], "cannot be read"),
        ("large", [b"\0" * (1 << 16) + b"\0"], "larger|timestampVerificationData"),
    ):
        path = _with(made.plain, tmp_path / name, *answers)
        with pytest.raises(VerifyFailed, match=said) as raised:
            made.verified(path, made.trust())
        assert raised.value.where == ENVELOPE
    with pytest.raises(VerifyFailed, match="rfc3161Timestamps"):
        made.verified(_with(made.plain, tmp_path / "none"), made.trust())
    with pytest.raises(VerifyFailed, match="rfc3161Timestamps"):
        made.verified(_with(made.plain, tmp_path / "five", *[own] * 5), made.trust())


# --- as commands, under another clock ------------------------------------------------------------


class Shell:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, *words: str, clock: str = "", status: int = 0) -> str:
        before = ["faketime", "-f", clock] if clock else []
        done = subprocess.run(
            [*before, sys.executable, "-m", "collector", *words],
            cwd=self.folder,
            env=os.environ
            | {"HOSTPLEDGE_HOME": str(self.folder / "home"), "PYTHONPATH": str(ROOT)}
            | {"LC_ALL": "C.UTF-8"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == status, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done.stdout + done.stderr


@pytest.fixture
def shell(tmp_path: Path, tsa: Tsa) -> Shell:
    bundles.write(tmp_path / "in", [bundles.unreachable("a")])
    ready = Shell(tmp_path)
    ready("key", "new")
    assert "CN=test root" in ready("key", "authority", str(tsa.root), "--name", "test")
    return ready


@pytest.mark.skipif(shutil.which("faketime") is None, reason="faketime is not installed")
def test_ten_years_later_with_the_key_and_the_certificates_long_over(
    shell: Shell, url: str
) -> None:
    shell("bundle", "in", "-o", "stamped", "--tsa", url)
    shell("bundle", "in", "-o", "plain")
    # a second before the key ends, the bundle has to be there already
    time.sleep(2)
    shell("key", "rotate")
    shell("key", "trust", "-o", "trust.json")
    for clock in ("", "+10y"):
        found = shell("verify", "stamped", "--trust", "trust.json", clock=clock)
        assert "so says the timestamp authority test" in found
        failed = shell("verify", "plain", "--trust", "trust.json", clock=clock, status=2)
        assert "nothing but the signer's word says that it was signed before" in failed
    # what the verifier's own clock parameter is for: "I had it then"
    trusting = json.loads((shell.folder / "trust.json").read_text())
    ended = datetime.fromisoformat(trusting["keys"][0]["valid_until"])
    at = (ended - timedelta(seconds=1)).isoformat()
    assert "asserted by the signer only" in shell(
        "verify", "plain", "--trust", "trust.json", "--at", at
    )
    shell("verify", "plain", "--trust", "trust.json", "--at", "2036-01-01", status=2)
    told = shell("verify", "plain", "--trust", "trust.json", "--lang", "zh", status=2)
    assert "停用" in told


def test_the_registers_log_stands_in_for_a_timestamp(shell: Shell) -> None:
    shell("pledge", "add", str(ROOT / "examples" / "pledge.yml"))
    shell("bundle", "in", "-o", "b", "--pledge", "demo-2026")
    shell("pledge", "attach", "demo-2026", "b")
    shell("register", "prove", "demo-2026", "-o", "early")
    # the key ends with a whole second; the bundle has to be there before it
    time.sleep(1.1)
    shell("key", "rotate")
    shell("key", "trust", "-o", "trust.json")
    shell("verify", "b", "--trust", "trust.json", status=2)
    # its checkpoint is by the ended key as well: no better word than the bundle's own
    shell("verify", "b", "--trust", "trust.json", "--proof", "early", status=2)
    shell("register", "prove", "demo-2026", "-o", "late")
    found = shell("verify", "b", "--trust", "trust.json", "--proof", "late")
    assert "It is evidence 1 of demo-2026, entry 0 of the 1 in the register's log" in found
    document = json.loads(
        shell("verify", "b", "--trust", "trust.json", "--proof", "late", "--format", "json")
    )
    assert document["log"]["index"] == 0
    if shutil.which("faketime") is not None:
        later = ("verify", "b", "--trust", "trust.json")
        assert "entry 0 of the 1" in shell(*later, "--proof", "late", clock="+10y")
        shell(*later, "--proof", "early", clock="+10y", status=2)
        shell(*later, clock="+10y", status=2)
    shell("bundle", "in", "-o", "other")
    failed = shell("verify", "other", "--trust", "trust.json", "--proof", "late", status=2)
    assert "a proof for another bundle" in failed
    shell("verify", "b", "--trust", "trust.json", "--proof", "trust.json", status=2)


def test_an_authority_that_does_not_answer_leaves_no_bundle(shell: Shell) -> None:
    for url, said in (
        ("http://127.0.0.1:9/", "cannot be asked"),
        ("file:///etc/passwd", "not an http"),
    ):
        assert said in shell("bundle", "in", "-o", "b", "--tsa", url, status=2)
        assert not (shell.folder / "b").exists()
    assert {p.name for p in shell.folder.iterdir()} == {"in", "home"}


@pytest.mark.skipif(shutil.which("cosign") is None, reason="cosign is not installed")
def test_cosign_takes_the_timestamp(made: Made, tsa: Tsa, tmp_path: Path) -> None:
    (tmp_path / "pub").write_text(made.key.public.pem)
    command = [
        "cosign", "verify-blob-attestation", "--key", "pub", "--bundle",
        str(made.stamped / ENVELOPE), "--new-bundle-format", "--insecure-ignore-tlog",
        "--use-signed-timestamps", "--trusted-root", "root.json", "--type",
        "urn:hostpledge:predicate:evidence:1", str(made.stamped / "data/evidence.json"),
    ]  # fmt: skip

    def chain(authority: Tsa) -> dict[str, object]:
        def der(name: str) -> str:
            said = subprocess.run(
                ["openssl", "x509", "-in", authority.folder / name, "-outform", "DER"],
                capture_output=True, check=True,
            )  # fmt: skip
            return base64.b64encode(said.stdout).decode()

        certificates = [{"rawBytes": der("tsa.pem")}, {"rawBytes": der("root.pem")}]
        return {
            "subject": {"organization": "test", "commonName": "test"},
            "certChain": {"certificates": certificates},
            "validFor": {"start": "2020-01-01T00:00:00Z"},
        }

    def status(authority: Tsa) -> int:
        root = {
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "timestampAuthorities": [chain(authority)],
        }
        (tmp_path / "root.json").write_text(json.dumps(root))
        said = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
        return said.returncode

    assert status(tsa) == 0
    assert status(Tsa(tmp_path / "other")) != 0
