from __future__ import annotations

import base64
import gzip
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import bagit
import pytest
import rfc8785
from securesystemslib.dsse import Envelope

from collector import captures, catalog, private
from collector.attest.bundle import making as bundle
from collector.attest.bundle.evidence import PledgeReference, exact
from collector.attest.bundle.reading import Evidence
from collector.attest.envelope import dsse as envelope
from collector.attest.keys.keys import TYPES, KeyType, PrivateKey
from collector.errors import BadInput
from collector.model import HostStatus, Result, Verdict, Waiver
from tests import bundles
from tests.started import until


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> bundle.Made:
    folder = tmp_path_factory.mktemp("made")
    found = [bundles.capture(host) for host in bundles.ODD_HOSTS[:3]]
    found.append(bundles.unreachable("gone"))
    return bundles.make(folder, found, attached={"数据清单 1": b"data: []\n"})[0]


def test_others_check_the_container(made: bundle.Made) -> None:
    bagit.Bag(str(made.path)).validate(processes=1)
    said = subprocess.run(
        ["sha256sum", "--strict", "-c", "manifest-sha256.txt"],
        cwd=made.path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.count(": OK\n") == len(list(made.path.glob("data/**/*.*"))) + 1
    subprocess.run(["sha256sum", "-c", "tagmanifest-sha256.txt"], cwd=made.path, check=True)


def test_evidence_is_canonical_and_complete(made: bundle.Made) -> None:
    data = (made.path / "data/evidence.json").read_bytes()
    document = json.loads(data)
    assert rfc8785.dumps(document) == data
    assert document == made.evidence
    assert set(document["hosts"]) == {*bundles.ODD_HOSTS[:3], "gone"}
    controls = {control.id for control in catalog.select()}
    assert set(document["controls"]) == controls
    for entry in document["hosts"].values():
        assert {finding["control"] for finding in entry["findings"]} == controls
        file = made.path / "data" / entry["capture"]
        assert hashlib.sha256(file.read_bytes()).hexdigest() == entry["capture_sha256"]
    gone = document["hosts"]["gone"]
    assert gone["status"] == "unreachable"
    assert {finding["verdict"] for finding in gone["findings"]} == {"error"}
    total = sum(sum(c["counts"].values()) for c in document["clauses"].values())
    assert total == 4 * len(controls)


def test_the_statement_names_every_file(made: bundle.Made) -> None:
    stored = json.loads((made.path / "data/bundle.sigstore.json").read_bytes())
    payload = base64.b64decode(stored["dsseEnvelope"]["payload"])
    assert hashlib.sha256(payload).hexdigest() == made.digest
    subjects = {s["name"]: s["digest"]["sha256"] for s in json.loads(payload)["subject"]}
    files = {
        str(p.relative_to(made.path / "data")): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in (made.path / "data").rglob("*")
        if p.is_file() and p.name != "bundle.sigstore.json"
    }
    assert subjects == files


@pytest.mark.parametrize("type", TYPES)
def test_others_verify_the_signature(type: KeyType, tmp_path: Path) -> None:
    key = PrivateKey.generate(type)
    done, _ = bundles.make(tmp_path, [bundles.unreachable("a")], key)
    stored = json.loads((done.path / "data/bundle.sigstore.json").read_bytes())
    theirs = Envelope.from_dict(json.loads(json.dumps(stored["dsseEnvelope"])))
    assert key.keyid in theirs.verify([envelope.public_key(key.public)], 1)

    (tmp_path / "pae").write_bytes(theirs.pae())
    (tmp_path / "sig").write_bytes(base64.b64decode(stored["dsseEnvelope"]["signatures"][0]["sig"]))
    (tmp_path / "pub").write_text(key.public.pem)
    command = ["openssl", "dgst", "-sha256", "-verify", "pub", "-signature", "sig", "pae"]
    if type == "ed25519":
        command = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "pub", "-rawin"]
        command += ["-sigfile", "sig", "-in", "pae"]
    said = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert said.stdout in ("Verified OK\n", "Signature Verified Successfully\n")
    (tmp_path / "pae").write_bytes(theirs.pae() + b" ")
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode


@pytest.mark.skipif(shutil.which("cosign") is None, reason="cosign is not installed")
@pytest.mark.parametrize("type", TYPES)
def test_cosign_takes_the_envelope(type: KeyType, tmp_path: Path) -> None:
    key = PrivateKey.generate(type)
    done, _ = bundles.make(tmp_path, [bundles.unreachable("a")], key)
    (tmp_path / "pub").write_text(key.public.pem)
    root = {"mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1"}
    (tmp_path / "root.json").write_text(json.dumps(root))
    command = [
        "cosign", "verify-blob-attestation", "--key", "pub", "--bundle",
        "bundle/data/bundle.sigstore.json", "--new-bundle-format", "--insecure-ignore-tlog",
        "--trusted-root", "root.json", "--type", "urn:hostpledge:predicate:evidence:1",
    ]  # fmt: skip
    for file in ("evidence.json", "script.sh", f"captures/{captures.file_name('a')}"):
        said = subprocess.run(
            [*command, done.path / "data" / file], cwd=tmp_path, capture_output=True, check=False
        )
        assert b"Verified OK" in said.stderr
        assert said.returncode == 0
    (tmp_path / "other").write_text("other")
    said = subprocess.run([*command, "other"], cwd=tmp_path, capture_output=True, check=False)
    assert said.returncode != 0


def test_our_form_is_kept_byte_for_byte_and_plain_output_is_taken_in(tmp_path: Path) -> None:
    ours = bundles.write(tmp_path / "in", [bundles.capture("ours")])[0]
    repacked = tmp_path / "in" / "repacked.capture.gz"  # another compressor, the same lines
    lines = gzip.decompress(captures.to_bytes(bundles.capture("repacked")))
    repacked.write_bytes(gzip.compress(lines, 1, mtime=12345))
    plain = tmp_path / "in" / "handed.capture"
    plain.write_bytes(bundles.output())
    done = bundle.make(
        [ours, repacked, plain],
        tmp_path / "out",
        PrivateKey.generate(),
        controls=catalog.select(),
        grade=2,
    )
    data = done.path / "data/captures"
    assert (data / ours.name).read_bytes() == ours.read_bytes()
    assert (data / repacked.name).read_bytes() == repacked.read_bytes()
    taken = captures.load(data / captures.file_name("handed"))
    assert taken.reads == bundles.capture("handed").reads
    origin = done.evidence["hosts"]["handed"]["origin"]
    assert origin["output_sha256"] == hashlib.sha256(bundles.output()).hexdigest()


def test_any_host_name_whatever(tmp_path: Path) -> None:
    done, _ = bundles.make(tmp_path, [bundles.unreachable(host) for host in bundles.ODD_HOSTS])
    assert set(done.evidence["hosts"]) == set(bundles.ODD_HOSTS)
    assert {p.parent for p in done.path.rglob("*.gz")} == {done.path / "data/captures"}
    assert {p.name for p in tmp_path.iterdir()} == {"bundle", "bundle.captures"}


def test_refused(tmp_path: Path) -> None:
    key = PrivateKey.generate()
    one = bundles.unreachable("one")
    with pytest.raises(BadInput, match="no captures"):
        bundles.make(tmp_path, [], key)
    files = bundles.write(tmp_path / "a", [one]) + bundles.write(tmp_path / "b", [one])
    given = {"controls": catalog.select(), "grade": 2}
    with pytest.raises(BadInput, match="a second capture of the host one"):
        bundle.make(files, tmp_path / "x", key, **given)  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="upper and lower case"):
        bundles.make(tmp_path, [one, bundles.unreachable("ONE")], key)
    (tmp_path / "there").mkdir()
    with pytest.raises(BadInput, match="exists already"):
        bundles.make(tmp_path, [one], key, name="there")
    (tmp_path / "bad.capture.gz").write_bytes(b"\x1f\x8bjunk")
    with pytest.raises(BadInput, match="damaged"):
        bundle.make([tmp_path / "bad.capture.gz"], tmp_path / "x", key, **given)  # type: ignore[arg-type]
    assert not (tmp_path / "x").exists()
    assert not list(tmp_path.glob(".*"))


def _run(**more: object) -> dict[str, object]:
    return {
        "schema": "urn:hostpledge:schema:run:1",
        "nonce": "0" * 32,
        "started": "2026-11-25T00:00:00+00:00",
        "ended": None,
        "families": ["encryption"],
        "grade": 2,
        "script_sha256": "0" * 64,
        "catalog_sha256": "0" * 64,
        "version": "0",
        "hosts": ["one"],
    } | more


def test_no_host_of_a_run_can_be_left_out(tmp_path: Path) -> None:
    one = replace(bundles.unreachable("one"), origin={"run": "0" * 32})
    done, _ = bundles.make(tmp_path, [one], run=_run())
    assert done.evidence["run"]["hosts"] == ["one"]
    with pytest.raises(BadInput, match="2 hosts of the run have no capture: three, two"):
        bundles.make(tmp_path, [one], name="b", run=_run(hosts=["one", "two", "three"]))
    with pytest.raises(BadInput, match="a capture of another run"):
        bundles.make(tmp_path, [one], name="b", run=_run(nonce="1" * 32))
    stolen = replace(one, nonce="f" * 32, status=HostStatus.LOST)
    with pytest.raises(BadInput, match="carries another nonce"):
        bundles.make(tmp_path, [stolen], name="b", run=_run())


def test_pledge_and_waivers_stand_in_the_evidence(tmp_path: Path) -> None:
    control = catalog.select()[0]
    waiver = Waiver(control.id, "*", "accepted", "王工", datetime(2027, 1, 1, tzinfo=UTC))
    pledge = PledgeReference("P-1", 2, "a" * 64)
    done, _ = bundles.make(tmp_path, [bundles.capture()], waivers=[waiver], pledge=pledge)
    assert done.evidence["pledge"] == {"id": "P-1", "sequence": 2, "previous": "a" * 64}
    assert done.evidence["waivers"][0]["approver"] == "王工"
    with pytest.raises(BadInput, match="previous"):
        bundles.make(
            tmp_path,
            [bundles.capture()],
            name="b",
            pledge=PledgeReference("P-1", 2, "not a digest"),
        )
    assert not (tmp_path / "b").exists()


def test_numbers_past_json_and_broken_text_become_text(tmp_path: Path) -> None:
    assert exact({"a": [2**53, -(2**53), 2**53 - 1, True, None, 1.5, float("inf")]}) == {
        "a": [str(2**53), str(-(2**53)), 2**53 - 1, True, None, 1.5, "inf"]
    }
    assert exact("\udcff") == "\\udcff"
    odd = replace(
        catalog.select()[0],
        judge=lambda *_: Verdict(Result.PASS, "x", values={"size": 2**64}),
    )
    bundles.make(tmp_path, [bundles.capture()], controls=[odd])


def test_memory_does_not_grow_with_the_fleet(tmp_path: Path) -> None:
    import tracemalloc

    verdict = Verdict(Result.PASS, "judge_failed", values={"why": ["x" * 1000] * 100})
    large = replace(catalog.control("encryption.password_hash"), judge=lambda *_: verdict)

    read = next(iter(bundles.capture().reads.values()))

    def peak(hosts: int) -> int:
        found = [bundles.unreachable(f"h{n}") for n in range(hosts)]
        found = [replace(one, reads={read.id: read}) for one in found]
        files = bundles.write(tmp_path / f"{hosts}.captures", found)
        key = PrivateKey.generate()
        tracemalloc.start()
        bundle.make(files, tmp_path / str(hosts), key, controls=[large], grade=2)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    peak(1)
    few, many = peak(4), peak(24)
    assert (tmp_path / "24/data/evidence.json").stat().st_size > 2_400_000
    assert many - few < 300_000


def test_a_kill_leaves_no_half_bundle(tmp_path: Path) -> None:
    found = [bundles.unreachable(f"h{n}") for n in range(200)]
    bundles.write(tmp_path / "in", found)
    PrivateKey.generate().save(tmp_path / "k.pem", None)
    program = (
        "import sys; from pathlib import Path; from collector import catalog;"
        "from collector.attest.keys import keys; from collector.attest.bundle import making;"
        "f=sorted(Path(sys.argv[1]).iterdir());"
        "making.make(f, Path(sys.argv[2]), keys.load(Path(sys.argv[3])),"
        "controls=[catalog.control('encryption.password_hash')], grade=2)"
    )
    environ = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    command: list[str | Path] = [sys.executable, "-c", program, tmp_path / "in"]
    halves = 0
    for n, arrived in enumerate((0, 20, 120)):
        out = tmp_path / f"out{n}" / "b"
        child = subprocess.Popen(
            [*command, out, tmp_path / "k.pem"], stdout=subprocess.DEVNULL, env=environ
        )
        last = time.monotonic() + 60
        while time.monotonic() < last and not out.exists():
            if (
                len(list(out.parent.glob(f"{private.BESIDE}*/bundle/data/captures/*")))
                >= arrived
                > 0
            ):
                break
            if arrived == 0 and list(out.parent.glob(f"{private.BESIDE}*/.held")):
                break
            time.sleep(0.001)
        child.send_signal(signal.SIGKILL)
        child.wait()
        if out.exists():
            bagit.Bag(str(out)).validate()
            assert len(Evidence(out / "data/evidence.json").names) == 200
            continue
        halves += 1
        assert list(out.parent.glob(f"{private.BESIDE}*"))
        subprocess.run([*command, out, tmp_path / "k.pem"], env=environ, check=True)
        assert list(out.parent.iterdir()) == [out]
    assert halves >= 2


def test_a_kill_leaves_no_half_of_a_repacked_bundle(tmp_path: Path) -> None:
    bundles.write(tmp_path / "in", [bundles.unreachable(f"h{n}") for n in range(200)])
    key = PrivateKey.generate()
    controls = [catalog.control("encryption.password_hash")]
    bundle.make(
        sorted((tmp_path / "in").iterdir()), tmp_path / "b", key, controls=controls, grade=2
    )
    command = [sys.executable, "-m", "collector", "repack", str(tmp_path / "b"), "-o"]
    environ = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    folder = tmp_path / "out"
    child = subprocess.Popen([*command, str(folder / "c")], stdout=subprocess.DEVNULL, env=environ)
    until(
        lambda: (
            (folder / "c").exists() or bool(list(folder.glob(f"{private.BESIDE}*/bundle/data/*")))
        ),
        "nothing is repacked",
    )
    child.send_signal(signal.SIGKILL)
    child.wait()
    if (folder / "c").exists():
        bagit.Bag(str(folder / "c")).validate()
        return
    assert list(folder.glob(f"{private.BESIDE}*"))
    subprocess.run(
        [*command, str(folder / "c")], stdout=subprocess.DEVNULL, env=environ, check=True
    )
    assert list(folder.iterdir()) == [folder / "c"]
    bagit.Bag(str(folder / "c")).validate()


def test_a_zip_holds_the_same_bytes_each_time(made: bundle.Made, tmp_path: Path) -> None:
    bundle.pack_into(made.path, tmp_path / "a.zip")
    bundle.pack_into(made.path, tmp_path / "b.zip")
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    with pytest.raises(BadInput):
        bundle.pack_into(made.path, tmp_path / "a.zip")
    subprocess.run(["unzip", "-q", "a.zip", "-d", "x"], cwd=tmp_path, check=True)
    subprocess.run(["diff", "-r", "x", made.path], cwd=tmp_path, check=True)
