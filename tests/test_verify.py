"""A bundle in hostile hands: every change must be seen, and the message must name the file."""

from __future__ import annotations

import base64
import gzip
import io
import json
import os
import random
import shutil
import stat
import struct
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)

from collector import captures
from collector.attest.bundle import bag, container, evidence
from collector.attest.bundle import making as bundle
from collector.attest.envelope import dsse as envelope
from collector.attest.envelope import statement
from collector.attest.keys.keys import PrivateKey
from collector.attest.trust.trust_file import Trust, TrustedKey, trust_of
from collector.errors import BadInput, VerifyFailed
from collector.verify import archive, open_bundle, verify
from tests import bundles, zip_forms
from tests.attest.test_keys import ORDER

ENVELOPE = "data/bundle.sigstore.json"
EVIDENCE = "data/evidence.json"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, PrivateKey]:
    key = PrivateKey.generate()
    found = [bundles.capture("web-1"), bundles.capture("数据库"), bundles.unreachable("gone")]
    folder = tmp_path_factory.mktemp("whole")
    made, _ = bundles.make(folder, found, key, attached={"data-inventory": b"data: []\n"})
    return made.path, key


@pytest.fixture
def copy(whole: tuple[Path, PrivateKey], tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole[0], tmp_path / "copy"))


@pytest.fixture
def key(whole: tuple[Path, PrivateKey]) -> PrivateKey:
    return whole[1]


def check(path: Path, trust: Trust) -> None:
    with open_bundle(path) as opened:
        verify(opened, trust)


def refused(path: Path, key: PrivateKey, where: str, said: str | None = None) -> None:
    with pytest.raises(VerifyFailed, match=said) as raised:
        check(path, trust_of([key.public]))
    assert raised.value.where.startswith(where), raised.value


def sign_again(root: Path, key: PrivateKey, change: Callable[[dict[str, Any]], None]) -> None:
    """What a signer who lies can do: change evidence.json and sign everything anew."""
    place = root / EVIDENCE
    document = json.loads(place.read_bytes())
    change(document)
    place.write_bytes(rfc8785.dumps(document))
    sign_statement(root, key, lambda told: follow(told, document))


def follow(told: dict[str, Any], document: dict[str, Any]) -> None:
    """The statement says of targets, controls and waivers what the changed evidence says."""
    with suppress(KeyError, TypeError, AttributeError):
        told["predicate"] |= statement.asked(document) | {
            "targets": [
                evidence.target(host, entry["head"].get("machine", ""))
                for host, entry in document["hosts"].items()
            ]
        }


def sign_statement(root: Path, key: PrivateKey, change: Callable[[dict[str, Any]], None]) -> None:
    stored = json.loads((root / ENVELOPE).read_bytes())
    document = json.loads(base64.b64decode(stored["dsseEnvelope"]["payload"]))
    for subject in document["subject"]:
        place = root / "data" / subject["name"]
        if place.exists():
            subject["digest"]["sha256"] = captures.digest(place.read_bytes())
    change(document)
    payload = rfc8785.dumps(document)
    (root / ENVELOPE).write_bytes(envelope.seal(payload, key))
    version = document["predicate"]["tool"]["version"]
    for name, data in bag.tag_files(bag.look(root), bundle.bag_info(payload, version)).items():
        (root / name).write_bytes(data)


# --- what is right -------------------------------------------------------------------------------


def test_it_verifies_and_says_what_that_proves(whole: tuple[Path, PrivateKey]) -> None:
    path, key = whole
    with open_bundle(path) as opened:
        found = verify(opened, trust_of([key.public]))
        assert found.hosts == 3
        assert found.handed_in == 3
        assert found.digest == opened.digest
        assert opened.capture("web-1").reads == bundles.capture("web-1").reads
        assert opened.attached == {"data-inventory": b"data: []\n"}
        assert opened.script == bundles.script()
        assert opened.evidence["hosts"]["gone"]["status"] == "unreachable"
        with pytest.raises(BadInput, match="no host is named x"):
            opened.capture("x")
    told, frame = found.statement["predicate"], opened.frame
    assert [t["host"] for t in told["targets"]] == list(opened.names)
    machine = bundles.capture("web-1").head["machine"]
    assert {t["host"]: t["machine"] for t in told["targets"]} == {
        "web-1": machine, "数据库": machine, "gone": None,
    }  # fmt: skip
    assert told["controls"] == {id: c["sha256"] for id, c in frame["controls"].items()}
    assert (told["waivers"], told["script_sha256"]) == ([], None)
    said = " ".join(text.en for text in found.unproven)
    assert "no outside timestamp" in said
    assert "whoever is root on a host can make it print anything" in said


def test_how_old_it_is_is_told_apart_from_whether_it_verifies(
    whole: tuple[Path, PrivateKey],
) -> None:
    path, key = whole
    with open_bundle(path) as opened:
        looked = verify(opened, trust_of([key.public])).looked_at
        for days in (0, 400):
            now = looked + timedelta(days=days, hours=1)
            found = verify(opened, trust_of([key.public]), now=now)
            assert found.to_json()["age_days"] == days
            said = [text for text in found.unproven if f"{days} day(s) ago" in text.en]
            assert len(said) == 1
            assert f"{days} 天" in said[0].zh


def test_it_verifies_without_a_network_or_a_clock(
    whole: tuple[Path, PrivateKey], monkeypatch: pytest.MonkeyPatch
) -> None:
    import socket

    def closed(*_: object, **__: object) -> None:
        raise AssertionError("the verifier wants a network")

    monkeypatch.setattr(socket, "socket", closed)
    for now in (datetime(1990, 1, 1, tzinfo=UTC), datetime(2090, 1, 1, tzinfo=UTC)):
        with open_bundle(whole[0]) as opened:
            verify(opened, trust_of([whole[1].public]), now=now)


def test_the_harness_itself_makes_bundles_that_verify(copy: Path, key: PrivateKey) -> None:
    bundles.reseal(copy)
    check(copy, trust_of([key.public]))
    sign_again(copy, key, lambda _: None)
    check(copy, trust_of([key.public]))


# --- one byte ------------------------------------------------------------------------------------


def _files(root: Path) -> list[str]:
    return sorted(str(p.relative_to(root)) for p in root.rglob("*") if p.is_file())


def _flips(root: Path, name: str, most: int, seed: int) -> Iterator[int]:
    """Puts one flipped byte after another into a file, and the right one back in the end."""
    place = root / name
    data = place.read_bytes()
    draw = random.Random(seed)
    ends = {0, 1, 2, 3, 4, 9, len(data) - 2, len(data) - 1} & set(range(len(data)))
    positions = ends | set(draw.sample(range(len(data)), min(most, len(data))))
    try:
        for position in sorted(positions):
            flipped = bytearray(data)
            flipped[position] ^= 1 << draw.randrange(8)
            place.write_bytes(flipped)
            yield position
    finally:
        place.write_bytes(data)


def test_any_flipped_byte_in_any_file_is_seen_and_the_file_named(
    copy: Path, key: PrivateKey
) -> None:
    trust = trust_of([key.public])
    count = 0
    for seed, name in enumerate(_files(copy)):
        for position in _flips(copy, name, 400, seed):
            count += 1
            with pytest.raises(VerifyFailed) as raised:
                check(copy, trust)
            assert raised.value.where.startswith(name), (position, raised.value)
            assert "\n" not in str(raised.value)
    assert count >= 2000
    check(copy, trust)


def test_a_flipped_byte_is_seen_when_the_container_agrees_with_it(
    copy: Path, key: PrivateKey
) -> None:
    trust = trust_of([key.public])
    for seed, name in enumerate(n for n in _files(copy) if n.startswith("data/")):
        for position in _flips(copy, name, 400 if name == ENVELOPE else 60, seed):
            bundles.reseal(copy)
            with pytest.raises(VerifyFailed) as raised:
                check(copy, trust)
            assert raised.value.where.startswith((name, "bag-info.txt")), (position, raised.value)


@pytest.mark.parametrize("part", [0, 1, 0.5, 0.99])
def test_a_truncated_file_is_seen(part: float, copy: Path, key: PrivateKey) -> None:
    for name in _files(copy):
        place = copy / name
        data = place.read_bytes()
        place.write_bytes(data[: int(len(data) * part) if part < 1 else -1])
        refused(copy, key, name)
        place.unlink()
        refused(copy, key, name, "missing")
        place.write_bytes(data)


@pytest.mark.parametrize(
    "name",
    ["extra", "data/extra", "data/captures/x.capture.gz", "data/attached/x", "fetch.txt", ".x"],
)
def test_an_extra_file_is_seen(name: str, copy: Path, key: PrivateKey) -> None:
    (copy / name).write_bytes(b"")
    refused(copy, key, name)
    if name.startswith("data/"):
        bundles.reseal(copy)
        refused(copy, key, name, "not among what was signed")


def test_links_folders_and_devices_are_seen(copy: Path, key: PrivateKey, tmp_path: Path) -> None:
    (copy / "data/empty").mkdir()
    refused(copy, key, "data/empty")
    (copy / "data/empty").rmdir()
    odd = copy / os.fsdecode(b"data/\xff\n")
    odd.write_bytes(b"")
    refused(copy, key, "'data/")
    odd.unlink()
    os.mkfifo(copy / "data/pipe")
    refused(copy, key, "data/pipe")
    (copy / "data/pipe").unlink()
    (copy / EVIDENCE).rename(tmp_path / "evidence.json")
    (copy / EVIDENCE).symlink_to(tmp_path / "evidence.json")
    refused(copy, key, EVIDENCE, "neither a file nor a folder")


def test_swapped_captures_are_seen(copy: Path, key: PrivateKey) -> None:
    one, other = sorted((copy / "data/captures").iterdir())[1:]
    a, b = one.read_bytes(), other.read_bytes()
    assert a != b
    one.write_bytes(b)
    other.write_bytes(a)
    refused(copy, key, f"data/captures/{one.name}")
    bundles.reseal(copy)
    refused(copy, key, f"data/captures/{one.name}", "is not what was signed")


# --- keys and signatures -------------------------------------------------------------------------


def test_another_key_is_not_trusted(copy: Path, key: PrivateKey) -> None:
    other = PrivateKey.generate()
    sign_again(copy, other, lambda _: None)
    refused(copy, key, ENVELOPE, "not among the trusted keys")
    refused(copy, key, ENVELOPE, other.keyid.replace("+", r"\+"))
    check(copy, trust_of([other.public]))
    with pytest.raises(VerifyFailed, match="not among the trusted"):
        check(copy, Trust())


def _edit(root: Path, change: Callable[[dict[str, Any]], None]) -> None:
    stored = json.loads((root / ENVELOPE).read_bytes())
    change(stored)
    (root / ENVELOPE).write_bytes(rfc8785.dumps(stored))
    bundles.reseal(root)


def test_another_keys_signature_under_the_trusted_name(copy: Path, key: PrivateKey) -> None:
    other = PrivateKey.generate()
    with open_bundle(copy) as opened:
        forged = base64.b64encode(other.sign(opened.sealed.pae())).decode()

    def change(stored: dict[str, Any]) -> None:
        stored["dsseEnvelope"]["signatures"][0]["sig"] = forged

    _edit(copy, change)
    refused(copy, key, ENVELOPE, "the signature is not by")


def test_the_other_s_of_the_same_signature(copy: Path, key: PrivateKey) -> None:
    def change(stored: dict[str, Any]) -> None:
        entry = stored["dsseEnvelope"]["signatures"][0]
        r, s = decode_dss_signature(base64.b64decode(entry["sig"]))
        entry["sig"] = base64.b64encode(encode_dss_signature(r, ORDER - s)).decode()

    _edit(copy, change)
    refused(copy, key, ENVELOPE, "high s")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda d: d["dsseEnvelope"]["signatures"].append(d["dsseEnvelope"]["signatures"][0]),
            "signatures",
        ),
        (lambda d: d["dsseEnvelope"]["signatures"].clear(), "signatures"),
        (lambda d: d["dsseEnvelope"].update(payloadType="text/plain"), "payloadType"),
        (lambda d: d["dsseEnvelope"].update(extra=1), "extra"),
        (lambda d: d.update(mediaType="x"), "mediaType"),
        (lambda d: d["verificationMaterial"].update(tlogEntries=[]), "tlogEntries"),
        (
            lambda d: d["verificationMaterial"]["publicKey"].update(hint="SHA256:" + "A" * 43),
            "names one key as hint",
        ),
        (
            lambda d: d["dsseEnvelope"].update(payload=d["dsseEnvelope"]["payload"] + "\n"),
            "base64",
        ),
        (lambda d: d["dsseEnvelope"].update(payload="e30="), "statement"),
    ],
)
def test_envelopes_of_another_form(
    change: Callable[[dict[str, Any]], None], said: str, copy: Path, key: PrivateKey
) -> None:
    _edit(copy, change)
    refused(copy, key, ENVELOPE, said)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (b'{"dsse', b'{ "dsse', "canonical"),
        (b"}}", b"}}\n", "canonical"),
        (b'"mediaType"', b'"media\\u0054ype"', "canonical"),
        (b'"mediaType"', b'"MediaType":"x","mediaType"', "stands twice"),
        (b'"mediaType"', b'"mediaType":"x","mediaType"', "stands twice"),
        (b'"keyid"', b'"KeyID":"x","keyid"', "stands twice"),
        (b'"mediaType"', b'"x":NaN,"mediaType"', "NaN"),
        (b'"mediaType"', b'"x":1e999,"mediaType"', "too large"),
        (b'"mediaType"', b'"x":' + b"[" * 100_000 + b',"mediaType"', "not JSON"),
    ],
)
def test_other_bytes_of_the_same_json(
    old: bytes, new: bytes, said: str, copy: Path, key: PrivateKey
) -> None:
    data = (copy / ENVELOPE).read_bytes()
    head, _, tail = data.rpartition(old)
    (copy / ENVELOPE).write_bytes(head + new + tail)
    bundles.reseal(copy)
    refused(copy, key, ENVELOPE, said)


def _payload(root: Path, key: PrivateKey, old: bytes, new: bytes) -> None:
    with open_bundle(root) as opened:
        payload = opened.sealed.payload.replace(old, new, 1)
    (root / ENVELOPE).write_bytes(envelope.seal(payload, key))
    for name, data in bag.tag_files(bag.look(root), bundle.bag_info(payload, "0")).items():
        (root / name).write_bytes(data)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (b'"subject"', b'"Subject":[],"subject"', "stands twice"),
        (b'"subject"', b'"subject":[],"subject"', "stands twice"),
        (b'"subject":', b'"subject": ', "canonical"),
        (b'"predicateType":"urn:hostpledge', b'"predicateType":"urn:other', "predicateType"),
        (b'"name":"evidence.json"', b'"name":"../evidence.json"', "statement"),
        (b'"sha256":', b'"md5":', "statement"),
    ],
)
def test_signed_payloads_of_another_form(
    old: bytes, new: bytes, said: str, copy: Path, key: PrivateKey
) -> None:
    _payload(copy, key, old, new)
    refused(copy, key, ENVELOPE, said)


def test_the_time_of_a_key(copy: Path, key: PrivateKey) -> None:
    with open_bundle(copy) as opened:
        made = datetime.fromisoformat(opened.statement["predicate"]["made_at"])
        second = timedelta(seconds=1)

        def tried(**window: Any) -> str:
            try:
                found = verify(opened, Trust((TrustedKey(key.public, "k", **window),)))
            except VerifyFailed as problem:
                return problem.what
            return " ".join(text.en for text in found.unproven)

        assert "asserted by the signer only" in tried(valid_from=made)
        assert "before the key k was valid" in tried(valid_from=made + second)
        assert "after the end of the key k" in tried(valid_until=made - second)
        assert "revoked" in tried(revoked_at=made + timedelta(days=9))
        ended = Trust((TrustedKey(key.public, "k", valid_until=made + second),))
        verify(opened, ended, now=made)
        with pytest.raises(VerifyFailed, match="nothing but the signer's word"):
            verify(opened, ended, now=made + timedelta(days=1))


# --- a signer who lies ---------------------------------------------------------------------------


def _nested(depth: int) -> dict[str, Any]:
    document: dict[str, Any] = {}
    for _ in range(depth):
        document = {"x": document}
    return document


def _first(document: dict[str, Any]) -> dict[str, Any]:
    return document["hosts"]["web-1"]  # type: ignore[no-any-return]


def _set_verdict(document: dict[str, Any]) -> None:
    finding = _first(document)["findings"][0]
    finding["verdict"] = "pass" if finding["verdict"] != "pass" else "fail"


def _drop_finding(document: dict[str, Any]) -> None:
    _first(document)["findings"].pop()


def _other_quote(document: dict[str, Any]) -> None:
    for finding in _first(document)["findings"]:
        for quote in finding["evidence"]:
            quote["sha256"] = "0" * 64


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_set_verdict, "clauses do not follow"),
        (_drop_finding, "exactly one finding for each control"),
        (_other_quote, "quotes .* which read otherwise"),
        (lambda d: d["hosts"].pop("gone"), "belongs to no host"),
        (lambda d: d["hosts"].update({"new": d["hosts"].pop("web-1")}), "names captures/web-1"),
        (lambda d: _first(d).update(status="lost"), "its status is not that of its capture"),
        (lambda d: _first(d).update(detail="x"), "its detail"),
        (lambda d: _first(d)["head"].update(uid="1000"), "its head"),
        (lambda d: _first(d).update(capture_sha256="0" * 64), "names another digest"),
        (lambda d: _first(d).update(assessed_at="2020-01-01T00:00:00+00:00"), "another period"),
        (lambda d: _first(d).update(extra=1), "extra"),
        (lambda d: _first(d).update(assessed_at="2016-12-31T23:59:60Z"), "date-time"),
        (lambda d: _first(d)["findings"][0].update(until="0000-01-01T00:00:00Z"), "date-time"),
        (lambda d: _first(d).update(origin=_nested(50)), "its origin"),
        (lambda d: _first(d).update(origin=_nested(150)), "nested too deeply"),
        (lambda d: d.update(grade=3), "another grade"),
        (lambda d: d.update(catalog_sha256="0" * 64), "another catalog_sha256"),
        (lambda d: d.update(pledge={"id": "x", "sequence": 1, "previous": None}), "pledge"),
        (lambda d: d["attached"].clear(), "differ on it"),
        (lambda d: d["attached"][0].update(sha256="0" * 64), "not the document"),
        (lambda d: d["hosts"].clear(), "belongs to no host"),
        (lambda d: d["controls"].popitem(), "exactly one finding"),
    ],
)
def test_evidence_that_does_not_agree(
    change: Callable[[dict[str, Any]], None], said: str, copy: Path, key: PrivateKey
) -> None:
    sign_again(copy, key, change)
    refused(copy, key, "data/", said)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'{"attached"', b'{ "attached"'),
        (b'"status":"unreachable"', b'"status": "unreachable"'),
        (b'"gone":{', b'"gone": {'),
        (b'"schema":', b'"Schema":1,"schema":'),
        (b'"gone":{', b'"GONE":{},"gone":{'),
        (b'"gone":{', b'"gone":{},"gone":{'),
        (b'"grade":2', b'"grade":2.0'),
        (b'"grade":2', b'"grade":02'),
        (b'"veto":false', b'"veto":fals'),
        (b'"hosts":{', b'"hosts":[{'),
        (b'"hosts":{', b'"hosts":{,'),
        (b'"waivers":[]', b'"waivers":[],'),
        (b'"waivers":[]', b'"waivers":[]]'),
        (b'"waivers":[]', b'"waivers":' + b"[" * 900 + b"]" * 900),
        (b'"waivers":[]', b'"waivers":' + b"[" * 90_000 + b"]" * 90_000),
        (b'"waivers":[]', b'"waivers":["\\ud800"]'),
        (b'"grade":2', b'"grade":' + b"2" * 5000),
    ],
)
def test_evidence_of_other_bytes(old: bytes, new: bytes, copy: Path, key: PrivateKey) -> None:
    place = copy / EVIDENCE
    data = place.read_bytes()
    assert old in data
    place.write_bytes(data.replace(old, new, 1))
    sign_statement(copy, key, lambda _: None)
    refused(copy, key, EVIDENCE)


@pytest.mark.parametrize("data", [b"", b"{", b"}", b"{}", b"[]", b"null", b'"', b'{"', b'{"a":'])
def test_evidence_that_is_none(data: bytes, copy: Path, key: PrivateKey) -> None:
    (copy / EVIDENCE).write_bytes(data)
    sign_statement(copy, key, lambda _: None)
    refused(copy, key, EVIDENCE)


def _with_time(plain: bytes, text: str) -> bytes:
    lines = plain.split(b"\n")
    head = json.loads(lines[0]) | {"collected_at": text}
    return b"\n".join([json.dumps(head).encode(), *lines[1:]])


def test_a_signed_capture_that_is_none(copy: Path, key: PrivateKey) -> None:
    name = f"data/captures/{captures.file_name('web-1')}"
    good = (copy / name).read_bytes()
    plain = gzip.compress(bundles.output())
    timeless = gzip.compress(_with_time(gzip.decompress(good), "2016-12-31T23:59:60Z"))
    for data in (b"", good[:-9], bundles.output(), plain, good + b"x", timeless):
        (copy / name).write_bytes(data)

        def change(document: dict[str, Any], data: bytes = data) -> None:
            _first(document)["capture_sha256"] = captures.digest(data)

        sign_again(copy, key, change)
        refused(copy, key, name)


def test_subjects_that_are_not_there(copy: Path, key: PrivateKey) -> None:
    (copy / "data/script.sh").unlink()
    sign_statement(copy, key, lambda _: None)
    refused(copy, key, "data/script.sh", "the statement names it")


def test_a_host_of_the_run_that_was_left_out(copy: Path, key: PrivateKey, tmp_path: Path) -> None:
    run = {
        "schema": "urn:hostpledge:schema:run:1", "nonce": "0" * 32, "families": ["backup"],
        "started": "2026-11-25T00:00:00+00:00", "ended": None, "grade": 2,
        "script_sha256": captures.digest(bundles.script().encode()), "version": "0",
        "catalog_sha256": "0" * 64, "hosts": ["one"],
    }  # fmt: skip
    one = replace(bundles.unreachable("one"), origin={"run": "0" * 32})
    path = bundles.make(tmp_path, [one], key, run=run)[0].path
    check(path, trust_of([key.public]))
    sign_again(path, key, lambda d: d["run"]["hosts"].append("two"))
    refused(path, key, EVIDENCE, "the run was about two too")
    sign_again(path, key, lambda d: d["run"].update(hosts=["one"], script_sha256="0" * 64))
    refused(path, key, "data/script.sh", "not the script that the run names")
    sign_again(path, key, lambda d: d["run"].update(nonce="1" * 32))
    refused(path, key, "data/captures/one", "a capture of another run")


# --- ZIP -----------------------------------------------------------------------------------------


def _zip(root: Path, target: Path, form: str = "", given: Any = None) -> Path:
    """As `pack` packs it, or changed in one way (tests/zip_forms)."""
    bundle.pack(root, target)
    if form:
        archive_of = zip_forms.Archive.of(root)
        zip_forms.FORMS[form](archive_of, given)
        target.write_bytes(archive_of.bytes())
    return target


@pytest.mark.parametrize(
    ("name", "about", "said"),
    [
        ("../slipped", {}, "leads elsewhere"),
        ("data/../../slipped", {}, "leads elsewhere"),
        ("/tmp/slipped", {}, "leads elsewhere"),
        ("data\\..\\slipped", {}, "leads elsewhere"),
        ("data/./x", {}, "leads elsewhere"),
        ("c:x", {}, "leads elsewhere"),
        ("DATA/evidence.json", {}, "twice"),
        (EVIDENCE, {}, "twice"),
        ("data/evidence.json/x", {}, "both a file and a folder"),
        ("data/link", {"listed": {"external": (stat.S_IFLNK | 0o777) << 16}}, "link"),
        ("data/bomb", {"zeros": 50 << 20}, "more than a bundle holds"),
        ("data/x", {"listed": {"method": zipfile.ZIP_LZMA}}, "unusual way"),
    ],
)
def test_hostile_archives(
    name: str,
    about: dict[str, Any],
    said: str,
    whole: tuple[Path, PrivateKey],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    place = tmp_path / "unpacked"
    place.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(place))
    packed = _zip(whole[0], tmp_path / "b.zip", "added", {name: about})
    with pytest.raises(VerifyFailed, match=said):
        open_bundle(packed)
    assert not list(place.iterdir())
    assert not list(tmp_path.rglob("slipped"))


def test_caps_count_what_comes_out(
    whole: tuple[Path, PrivateKey], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = _zip(whole[0], tmp_path / "b.zip")
    with open_bundle(packed) as opened:
        verify(opened, trust_of([whole[1].public]))
        inside = opened._temporary
        assert inside is not None
        assert inside.path.is_dir()
    assert not inside.path.exists()
    monkeypatch.setattr(archive, "MOST_BYTES", 1000)
    with pytest.raises(VerifyFailed, match="more than a bundle holds"):
        open_bundle(packed)
    monkeypatch.setattr(archive, "MOST_ENTRIES", 3)
    with pytest.raises(VerifyFailed, match="more than 3 entries"):
        open_bundle(packed)


def test_an_archive_that_lies_about_sizes(whole: tuple[Path, PrivateKey], tmp_path: Path) -> None:
    """The central directory says 10 bytes; 4 MiB come out."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr("bagit.txt", b"\0" * (4 << 20))
    data = buffer.getvalue().replace(struct.pack("<L", 4 << 20), struct.pack("<L", 10))
    (tmp_path / "b.zip").write_bytes(data)
    with pytest.raises(VerifyFailed):
        open_bundle(tmp_path / "b.zip")


def test_archives_made_by_others_are_refused_and_their_folders_are_not(
    whole: tuple[Path, PrivateKey], tmp_path: Path
) -> None:
    """Each program writes other headers: whoever got such a file unpacks it first."""
    root, trust = whole[0], trust_of([whole[1].public])
    shutil.make_archive(str(tmp_path / "python"), "zip", root)
    commands: dict[str, list[str]] = {
        "zip": ["zip", "-q", "-r", f"{tmp_path}/zip.zip", "."],
        "stream": ["sh", "-c", 'zip -q -r - . | cat >"$0"', f"{tmp_path}/stream.zip"],
        "bsdtar": ["bsdtar", "-a", "-cf", f"{tmp_path}/bsdtar.zip", "."],
        "python": [],
    }
    for name, command in commands.items():
        if command:
            if shutil.which(command[0]) is None:
                continue
            subprocess.run(command, cwd=root, check=True)
        with pytest.raises(VerifyFailed, match=r"unpack it and verify the folder|its parts|before"):
            check(tmp_path / f"{name}.zip", trust)
        with zipfile.ZipFile(tmp_path / f"{name}.zip") as packed:
            packed.extractall(tmp_path / name)
        check(tmp_path / name, trust)


def test_a_zip_that_python_writes_is_the_one_that_is_taken(
    whole: tuple[Path, PrivateKey], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As bundles were packed before ADR 21, where the library is the same; ZIP64 too."""
    for limit, counted in ((container.LIMIT, container.MOST_COUNTED), (5000, 65535), (1 << 30, 3)):
        monkeypatch.setattr(container, "LIMIT", limit)
        monkeypatch.setattr(container, "MOST_COUNTED", counted)
        monkeypatch.setattr(zipfile, "ZIP64_LIMIT", limit)
        monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", counted)
        ours, theirs = tmp_path / f"{limit}.zip", tmp_path / f"{limit}.before.zip"
        bundle.pack(whole[0], ours)
        with zipfile.ZipFile(theirs, "w") as packed:
            for path in sorted(p for p in whole[0].rglob("*") if p.is_file()):
                entry = zipfile.ZipInfo(str(path.relative_to(whole[0])))
                entry.external_attr = 0o644 << 16
                entry.compress_type = 8 if bundle.packs(entry.filename) else 0
                entry.file_size = path.stat().st_size
                with path.open("rb") as source, packed.open(entry, "w") as member:
                    shutil.copyfileobj(source, member, 1 << 20)
        check(theirs, trust_of([whole[1].public]))
        check(ours, trust_of([whole[1].public]))
        assert ours.read_bytes() == theirs.read_bytes()


def test_truncated_archives(whole: tuple[Path, PrivateKey], tmp_path: Path) -> None:
    data = _zip(whole[0], tmp_path / "b.zip").read_bytes()
    for length in (0, 1, 4, 100, len(data) // 2, len(data) - 1):
        (tmp_path / "c.zip").write_bytes(data[:length])
        with pytest.raises(VerifyFailed, match="not a whole ZIP file"):
            open_bundle(tmp_path / "c.zip")


def test_no_bundle_at_all(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no such bundle"):
        open_bundle(tmp_path / "none")
    with pytest.raises(VerifyFailed, match="missing"):
        open_bundle(tmp_path)


def test_a_file_that_changes_after_it_was_looked_at(copy: Path, key: PrivateKey) -> None:
    with open_bundle(copy) as opened:
        verify(opened, trust_of([key.public]))
        name = f"data/captures/{captures.file_name('web-1')}"
        (copy / name).write_bytes(b"other")
        with pytest.raises(VerifyFailed, match="is not what was signed"):
            opened.capture("web-1")


def test_a_control_that_weighs_more_at_grade_3(tmp_path: Path) -> None:
    """What evidence says of a control is what it says for the grade that it was judged at."""
    from collector import catalog

    heavier = next(c for c in catalog.controls().values() if c.severity_3 is not None)
    (tmp_path / "in").mkdir()
    source = tmp_path / "in" / "h.capture"
    source.write_bytes(bundles.output())
    key = PrivateKey.generate()
    for grade in (2, 3):
        made = bundle.make([source], tmp_path / str(grade), key, controls=[heavier], grade=grade)
        assert made.evidence["controls"][heavier.id]["severity"] == heavier.severity_at(grade)
        with open_bundle(made.path) as opened:
            verify(opened, Trust((TrustedKey(key.public, "k"),)))
