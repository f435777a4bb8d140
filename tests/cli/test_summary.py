"""`verify --svr`: read by in-toto's own library, signed as bundles are, claiming what held."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.json_format import Parse
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.statement import Statement

from collector import captures
from collector.attest.envelope import dsse
from collector.attest.keys import keys
from collector.verify.summary import PREDICATE_TYPE
from tests import bundles
from tests.cli.running import hostpledge

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("svr")
    taken = captures.load(ROOT / "tests/captures/audit-trixie.capture.gz")
    _, trust = bundles.make(folder, [taken])
    (folder / "trust.json").write_bytes(trust.to_bytes())
    return folder


def told(place: Path, *words: object, status: int = 0) -> dict[str, Any]:
    file = place / "svr.json"
    bundle = next(p for p in place.iterdir() if (p / "bagit.txt").exists())
    done = hostpledge("verify", bundle, "--trust", place / "trust.json", "--svr", file, *words)
    assert done.status == status, done
    data = file.read_bytes()
    document: dict[str, Any] = json.loads(data)
    if "dsseEnvelope" in document:
        document = json.loads(base64.b64decode(document["dsseEnvelope"]["payload"]))
    read = Parse(json.dumps(document), statement_pb2.Statement())
    Statement.copy_from_pb(read).validate()
    assert read.predicate_type == PREDICATE_TYPE
    return document


def test_it_names_the_bundle_and_what_was_shown(place: Path) -> None:
    document = told(place, "--at", "2026-11-29T12:00:00Z")
    bundle = next(p for p in place.iterdir() if (p / "bagit.txt").exists())
    said = json.loads(
        hostpledge("verify", bundle, "--trust", place / "trust.json", "--format", "json").out
    )
    digests = {one["name"]: one["digest"]["sha256"] for one in document["subject"]}
    assert digests["bundle"] == said["digest"]
    predicate = document["predicate"]
    assert predicate["timeCreated"] == "2026-11-29T12:00:00Z"
    assert "HOSTPLEDGE_SIGNATURE" in predicate["properties"]
    assert all(name.startswith("HOSTPLEDGE_") for name in predicate["properties"])
    # no timestamp, no log, no policy: none of them is claimed
    for name in ("TIMESTAMP", "IN_LOG", "POLICY_MET", "REPLAYED", "SECOND_SIGNATURE"):
        assert f"HOSTPLEDGE_{name}" not in predicate["properties"]
    for clause, verdict in said["clauses"].items():
        shown = f"HOSTPLEDGE_CLAUSE_{clause.replace('.', '_')}_GRADE_2" in predicate["properties"]
        assert not shown or verdict == "pass"


def test_the_same_time_gives_the_same_bytes(place: Path) -> None:
    at = ("--at", "2026-11-29T12:00:00Z")
    assert told(place, *at) == told(place, *at)


def test_an_unmet_policy_is_not_called_met(place: Path) -> None:
    properties = told(place, "--policy", "strict", status=1)["predicate"]["properties"]
    assert "HOSTPLEDGE_POLICY_MET" not in properties
    assert "HOSTPLEDGE_REPLAYED" in properties
    (place / "easy.json").write_text(
        json.dumps(
            {
                "schema": "urn:hostpledge:schema:policy:1", "complete": False, "own_words": True,
                "fresh_days": "any", "handed_in": True, "key_roles": False, "fresh_trust": False,
                "timestamp": False, "log": False, "ahead": True, "waivers": True,
                "same_machine": True, "replay": False, "judged_when_looked": False,
            }
        )
    )  # fmt: skip
    document = told(place, "--policy", place / "easy.json")
    assert "HOSTPLEDGE_POLICY_MET" in document["predicate"]["properties"]
    assert "HOSTPLEDGE_REPLAYED" not in document["predicate"]["properties"]
    assert document["predicate"]["verifier"]["policy"]


def test_what_is_dated_ahead_is_not_told_as_fresh(place: Path) -> None:
    early = (datetime.now(UTC) - timedelta(days=9000)).strftime("%Y-%m-%dT%H:%M:%SZ")
    properties = told(place, "--at", early)["predicate"]["properties"]
    assert not [name for name in properties if "LOOKED_WITHIN" in name]


def test_signed_it_is_a_sigstore_bundle_of_that_key(place: Path) -> None:
    key = keys.PrivateKey.generate()
    key.save(place / "mine.pem", None)
    told(place, "--svr-key", place / "mine.pem")
    sealed = dsse.unseal((place / "svr.json").read_bytes())
    assert sealed.keyid == key.keyid
    sealed.verify(key.public)


def test_what_does_not_verify_has_no_summary(place: Path, tmp_path: Path) -> None:
    (tmp_path / "other.json").write_bytes((place / "trust.json").read_bytes())
    bundle = next(p for p in place.iterdir() if (p / "bagit.txt").exists())
    other = keys.PrivateKey.generate().public.pem
    (tmp_path / "other.pem").write_text(other)
    file = tmp_path / "svr.json"
    done = hostpledge("verify", bundle, "--trust", tmp_path / "other.pem", "--svr", file)
    assert done.status == 2
    assert not file.exists()
    alone = hostpledge("verify", bundle, "--trust", place / "trust.json", "--svr-key", "default")
    assert alone.status == 2
