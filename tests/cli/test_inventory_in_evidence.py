"""The owner's signature of a data inventory, from the pledge record into a bundle and out again."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
import yaml

from collector import captures
from collector.facts.data.inventory_signature import KEYS, NAMESPACE, SIGNATURE
from collector.model import Capture, CapturedFile, HostStatus, ReadResult, ReadStatus
from tests import cases
from tests.cli.running import hostpledge
from tests.pledges.records import example

OWNER = "王安全"
PLACE = "/etc/hostpledge/data-inventory.yml"
TEXT = f"""schema: urn:hostpledge:schema:data-inventory:1
owner: {OWNER}
reviewed: 2026-11-20
stores:
  - {{name: shop, kind: path, path: /srv/shop, category: 订单, level: 重要, owner: 李运维}}
""".encode()


@pytest.fixture
def signed(tmp_path: Path) -> tuple[str, bytes]:
    """The owner's public key, and the signature over TEXT."""
    key = tmp_path / "owner"
    words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)]
    subprocess.run(words, check=True)
    sign = ["ssh-keygen", "-Y", "sign", "-f", str(key), "-n", NAMESPACE]
    done = subprocess.run(sign, input=TEXT, capture_output=True, check=True)
    return " ".join(key.with_suffix(".pub").read_text().split()[:2]), done.stdout


def _host(text: bytes, signature: bytes) -> Capture:
    """A host on which the inventory lies, and its signature beside it."""
    laid = {"inventory.document": (PLACE, text), "inventory.signature": (f"{PLACE}.sig", signature)}
    reads = {
        id: ReadResult(id, ReadStatus.OK, files=(CapturedFile(path, ReadStatus.OK, data=data),))
        for id, (path, data) in laid.items()
    }
    head = {"uid": "0"}
    return Capture("db-01", HostStatus.COMPLETE, head=head, collected_at=cases.AT, reads=reads)


def _bundle(tmp_path: Path, *words: object) -> dict[str, tuple[str, str]]:
    """Verdict and reason by control, of a bundle that verifies and replays."""
    home = tmp_path / "home"
    hostpledge("key", "new", home=home)
    key, trust = home / "keys/default.pem", home / "keys/trust.json"
    made = hostpledge(
        "bundle", tmp_path / "in", "-o", tmp_path / "b", "--key", key, *words, home=home
    )
    assert made.status == 0, made.err
    assert hostpledge("verify", tmp_path / "b", "--trust", trust, home=home).status == 0
    replayed = hostpledge("replay", tmp_path / "b", "--trust", trust, "--format", "json")
    assert json.loads(replayed.out)["same"] is True, replayed
    evidence = json.loads((tmp_path / "b/data/evidence.json").read_text())
    return {
        f["control"]: (f["verdict"], f["reason"]) for f in evidence["hosts"]["db-01"]["findings"]
    }


@pytest.mark.parametrize(
    ("text", "verdict"),
    [(TEXT, ("pass", "signed")), (TEXT.replace("重要".encode(), b"general"), ("fail", "altered"))],
    ids=["as signed", "altered"],
)
def test_what_lies_on_the_host_is_verified_with_the_record_s_keys(
    tmp_path: Path, signed: tuple[str, bytes], text: bytes, verdict: tuple[str, str]
) -> None:
    key, signature = signed
    (tmp_path / "in").mkdir()
    captures.write(_host(text, signature), tmp_path / "in/db-01.capture.gz")
    record = tmp_path / "record.yml"
    known = example(
        id="story-1", data_inventory=None, data_owner_keys=[{"name": OWNER, "key": key}]
    )
    record.write_text(yaml.safe_dump(known, allow_unicode=True))
    added = hostpledge("pledge", "add", record, home=tmp_path / "home")
    assert added.status == 0, added.err
    found = _bundle(tmp_path, "--pledge", "story-1")
    assert found["classification.inventory"] == verdict
    trusted = verdict[0] == "pass"
    assert (found["backup.jobs"][1] == "not_trusted") is not trusted


def test_an_outsider_verifies_the_signature_with_what_is_in_the_bundle(
    tmp_path: Path, signed: tuple[str, bytes]
) -> None:
    key, signature = signed
    nothing = Capture("db-01", HostStatus.COMPLETE, collected_at=cases.AT)
    (tmp_path / "in").mkdir()
    captures.write(nothing, tmp_path / "in/db-01.capture.gz")
    (tmp_path / "data.yml").write_bytes(TEXT)
    (tmp_path / "data.yml.sig").write_bytes(signature)
    (tmp_path / "owners").write_text(f'"{OWNER}" {key}\n')
    words = ("--inventory", tmp_path / "data.yml", "--owner-keys", tmp_path / "owners")
    found = _bundle(tmp_path, *words)
    assert found["classification.inventory"] == ("pass", "signed")
    attached = tmp_path / "b/data/attached"
    verify = ["ssh-keygen", "-Y", "verify", "-f", str(attached / KEYS), "-I", OWNER]
    told = subprocess.run(
        [*verify, "-n", NAMESPACE, "-s", str(attached / SIGNATURE)],
        input=(attached / "data-inventory").read_bytes(),
        capture_output=True,
        check=False,
    )
    assert told.returncode == 0, told.stderr
