"""A bundle of hardened hosts for tests: two checks, and what was done between them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from collector import catalog
from collector.assess import assess_host
from collector.attest.bundle import Before, Made, make
from collector.attest.keys import PrivateKey
from collector.model import Capture
from collector.plan import plan_host
from collector.run.folder import SCHEMA as RUN
from collector.run.harden_folder import HardenFolder
from collector.run.watching import Applied, Failure
from collector.script import script_digest
from tests import bundles

FAMILY = "encryption"
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


def run_about(nonce: str, hosts: list[str]) -> dict[str, Any]:
    return {
        "schema": RUN,
        "nonce": nonce,
        "started": NOW.isoformat(),
        "ended": NOW.isoformat(),
        "families": [FAMILY],
        "grade": 2,
        "script_sha256": script_digest(bundles.script()),
        "catalog_sha256": catalog.catalog_digest(),
        "version": "0",
        "hosts": hosts,
    }


def checks() -> tuple[list[Capture], list[Capture]]:
    """This machine, and one that never answered, before and an hour later."""
    before = [replace(bundles.capture("web-1"), collected_at=NOW), gone(NOW)]
    later = NOW + timedelta(hours=1)
    return before, [replace(bundles.capture("web-1"), collected_at=later), gone(later)]


def gone(at: datetime) -> Capture:
    return replace(bundles.unreachable("gone"), origin={"clock": at.isoformat()})


def record(folder: Path, before: list[Capture]) -> dict[str, Any]:
    """hardening.json, as the command writes it: one step changed something, one failed."""
    controls = {c.id: c for c in catalog.select([FAMILY])}
    made = HardenFolder.begin(folder, [FAMILY], list(controls), 2)
    made.planned(
        plan_host(c, assess_host(c, controls.values(), at=NOW), controls, grade=2, at=NOW)
        for c in before
    )
    made.begin_applying()
    steps = [s for s in made.about["hosts"]["web-1"]["steps"] if s["act"] == "apply"]
    names = [step["control"] for step in steps]
    applied = Applied(changed={"web-1": set(names[:1])}, reached={"web-1": dict.fromkeys(names)})
    for name in names[1:2]:
        failure = Failure("web-1", FAMILY, name, "Write it", "Read-only file system")
        applied.failures.append(failure)
    made.end_applying(applied)
    made.end()
    return made.about


def bundle(folder: Path, key: PrivateKey, **more: Any) -> Made:
    before, after = checks()
    hosts = [capture.host for capture in before]
    earlier = Before(
        bundles.write(folder / "before", before),
        run_about("a" * 32, hosts),
        bundles.script(),
        record(folder / "harden", before),
    )
    return make(
        bundles.write(folder / "after", after),
        folder / "bundle",
        key,
        **{
            "controls": catalog.select([FAMILY]),
            "grade": 2,
            "run": run_about("b" * 32, hosts),
            "script": bundles.script(),
            "before": earlier,
            **more,
        },
    )
