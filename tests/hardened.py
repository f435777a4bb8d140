"""A bundle of hardened hosts for tests: two checks, and what was done between them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from collector import catalog
from collector.assess import assess_host
from collector.attest.bundle.making import Before, Made, make
from collector.attest.keys.keys import PrivateKey
from collector.model import Capture
from collector.plan import plan_host
from collector.run.ansible.events import Applied, Failure
from collector.run.collected.run_folder import SCHEMA as RUN
from collector.run.harden.harden_folder import HardenFolder
from collector.script import script_digest
from tests import bundles

FAMILY = "encryption"
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
BEFORE, AFTER = "a" * 32, "b" * 32


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


def checks(after: str = AFTER) -> tuple[list[Capture], list[Capture]]:
    """This machine, and one that never answered, before and an hour later (in the run `after`)."""
    return _check(NOW, BEFORE), _check(NOW + timedelta(hours=1), after)


def _check(at: datetime, nonce: str) -> list[Capture]:
    there = bundles.collected(bundles.capture("web-1"), nonce, at)
    return [there, gone(at, nonce)]


def gone(at: datetime, nonce: str) -> Capture:
    """A host that never answered, in the run `nonce`."""
    return bundles.collected(bundles.unreachable("gone"), nonce, at)


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


def bundle(
    folder: Path,
    key: PrivateKey,
    run: str = AFTER,
    found: tuple[list[Capture], list[Capture]] | None = None,
    **more: Any,
) -> Made:
    """`found` are the captures before and after; by default those of `checks`."""
    before, after = found or checks(run)
    hosts = [capture.host for capture in before]
    files = bundles.write(folder / "before", before)
    earlier = Before(
        files,
        run_about(BEFORE, hosts),
        bundles.script(),
        record(folder / "harden", before),
        bundles.digests(files),
    )
    files = bundles.write(folder / "after", after)
    return make(
        files,
        folder / "bundle",
        key,
        **{
            "controls": catalog.select([FAMILY]),
            "grade": 2,
            "run": run_about(run, hosts),
            "collected": bundles.digests(files),
            "script": bundles.script(),
            "before": earlier,
            **more,
        },
    )
