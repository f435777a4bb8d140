"""A document that fits each schema, out of a bundle made for this and out of the checkout."""

from __future__ import annotations

import base64
import gzip
import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from collector.attest.log import logged
from collector.schema import check, load_yaml
from collector.verify.policy import SCHEMA as POLICY
from tests import bundle_cases
from tools.site.plan import ROOT

_MOST = 2
_LONG = 160


def samples(folder: Path) -> dict[str, Any]:
    """By name of the schema, a document that fits it; `folder` is for what is made on the way."""
    found = {**_signed(folder), **_typed(), **_commands(folder)}
    for name, document in found.items():
        check(document, name, where=f"sample of {name}")
    return found


def shortened(value: Any) -> Any:
    """Lists cut to their first two, long texts to their beginning: to be read, not to be parsed."""
    if isinstance(value, dict):
        return {key: shortened(each) for key, each in value.items()}
    if isinstance(value, list):
        return [shortened(each) for each in value[:_MOST]]
    if isinstance(value, str) and len(value) > _LONG:
        return value[:_LONG] + "…"
    return value


def _signed(folder: Path) -> dict[str, Any]:
    """What a bundle is made of; its hosts are the tests', and no host of anybody's."""
    (folder / "bundles").mkdir()
    bundle = bundle_cases.good(folder / "bundles")["hardened"]
    data = bundle / "data"
    signed = json.loads((data / "bundle.sigstore.json").read_bytes())
    statement = json.loads(base64.b64decode(signed["dsseEnvelope"]["payload"]))
    evidence = json.loads((data / "evidence.json").read_bytes())
    capture = next(iter(sorted((data / "captures").glob("web-1*"))))
    head = json.loads(gzip.decompress(capture.read_bytes()).splitlines()[0])
    finding = next(iter(evidence["hosts"].values()))["findings"][0]
    entry = {
        "pledge": "demo-2026",
        "sequence": 1,
        "digest": "5f" * 32,
        "previous": None,
        "collected_at": "2026-11-25T02:00:00+00:00",
        "made_at": "2026-11-25T02:01:00+00:00",
        "attached_at": "2026-11-25T02:02:00+00:00",
        "verdicts": {"2.2": "pass", "2.3": "partial", "2.4": "fail"},
    }
    return {
        "sigstore-bundle": signed,
        "statement": statement,
        "predicate": statement["predicate"],
        "evidence": evidence,
        "run": evidence["run"],
        "hardening": json.loads((data / "hardening.json").read_bytes()),
        "capture": head,
        "finding": finding,
        "log-entry": json.loads(logged.entry_bytes(entry, datetime(2026, 11, 25, tzinfo=UTC))),
        "journal": {
            "host": "web-1",
            "status": "complete",
            "detail": "",
            "file": capture.name,
            "sha256": "5f" * 32,
            "seconds": 1.4,
        },
    }


def _typed() -> dict[str, Any]:
    """What a person writes, from examples and guides; what ships with the code."""
    record = _yaml("examples/pledge.yml")
    guide = (ROOT / "docs/backup-report.md").read_text(encoding="utf-8")
    report, restored = map(json.loads, re.findall(r"```json\n(.*?)```", guide, re.DOTALL))
    release = next(iter(sorted((ROOT / "collector/catalogs/releases").glob("*.json"))))
    return {
        "pledge-record": record,
        "data-inventory": record["data_inventory"],
        "event-ledger": _yaml("examples/event-ledger.yml"),
        "control": _yaml("collector/controls/logging/drops.yml"),
        "remedy": _yaml("collector/remedies/logging/drops.yml"),
        "policy": {"schema": POLICY, "fresh_days": 30, "grade": 3, "record": "pledge.yml"},
        "backup-report": report,
        "restore-test": restored,
        "release": json.loads(release.read_bytes()),
    }


def _commands(folder: Path) -> dict[str, Any]:
    """What commands print."""
    home = {**os.environ, "HOSTPLEDGE_HOME": str(folder / "home")}

    def out(*words: str) -> Any:
        done = subprocess.run(
            [sys.executable, "-m", "collector", *words],
            env=home,
            cwd=ROOT,
            capture_output=True,
            check=False,
        )
        return json.loads(done.stdout)

    capture = next(iter(sorted((folder / "bundles").rglob("captures/web-1*"))))
    subprocess.run(
        [sys.executable, "-m", "collector", "key", "new"],
        env=home,
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    assessed = out("assess", str(capture), "--format", "json", "--family", "classification")
    return {
        "assessment": assessed,
        "envelope": {"envelope": assessed["envelope"]},
        "trust": out("key", "trust"),
    }


def _yaml(name: str) -> Any:
    return load_yaml((ROOT / name).read_text(encoding="utf-8"), where=name)
