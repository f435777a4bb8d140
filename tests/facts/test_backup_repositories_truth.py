"""What is said of backups, held to real repositories of restic and borg.

Each scenario is a host of its own (`backup_host`) whose store /srv/data is backed up by a job, or is
thought to be. Old versions are made with a clock set back; the rest is as the tools leave it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest

from collector import catalog
from collector.assess import assess_host
from collector.model import Capture, Finding
from tests.facts.backup_host import CONTROLS, look, made, needs_tools

INVENTORY = b"""
schema: urn:hostpledge:schema:data-inventory:1
owner: x
reviewed: 2026-11-01
stores:
  - {name: data, kind: path, path: /srv/data, category: x, level: important, owner: x}
"""

# the repositories that scenarios begin with, made once; restic's file of a snapshot is as old as it
RESTIC_MADE = r"""
restic -q -r /backup/restic init
for d in 41 20 2; do
  restic -q -r /backup/restic backup --time "$(date -d "-$d days" '+%F %T')" /srv/data
  touch -d "-$d days" "$(ls -t /backup/restic/snapshots/* | head -n 1)"
done
"""
BORG_MADE = r"""
borg init -e repokey /backup/borg
for d in 41 20 2; do
  borg create --timestamp "$(date -d "-$d days" '+%FT%T')" "/backup/borg::d$d" /srv/data
done
"""
RESTIC = "@RESTIC@"
RESTIC_CHECK = (
    "cron '0 4 * * 0 root restic -r /backup/restic check >>/var/log/restic-check.log 2>&1'\n"
)
RESTIC_NIGHT = "cron '0 2 * * * root restic -q -r /backup/restic backup /srv/data'\n"
RESTIC_HOST = RESTIC + RESTIC_NIGHT + RESTIC_CHECK

BORG = r"""
@BORG@
cat >/usr/local/bin/nightly <<'T'
#!/bin/sh
set -eu
borg create /backup/borg::{now} /srv/data
T
chmod 755 /usr/local/bin/nightly
w='/usr/local/bin/hostpledge-backup-report --job nightly --path /srv/data --repository /backup/borg'
"""
BORG_NIGHT = """cron "0 2 * * * root $w --versions 'borg list --format {time}{NL} /backup/borg' -- /usr/local/bin/nightly"\n"""
BORG_CHECK = "cron '0 4 * * 0 root borg check -v /backup/borg >>/var/log/borg-check.log 2>&1'\n"
BORG_HOST = BORG + BORG_NIGHT + BORG_CHECK

# scenario: sh, days later, and what is said of jobs, fresh, verified, versions
Said = tuple[str, str, str, str]
SCENARIOS: Mapping[str, tuple[str, float, Said]] = {
    "restic_fresh": (RESTIC_HOST, 0, (
        "pass covered", "pass fresh", "pass verified", "partial mutable")),
    "restic_stale": (RESTIC_HOST, 3, (
        "pass covered", "fail stale", "pass verified", "partial mutable")),
    "restic_stale_for_long": (RESTIC_HOST, 40, (
        "pass covered", "fail stale", "fail old", "partial mutable")),
    "restic_young": (
        "restic -q -r /backup/restic init\n" + RESTIC_NIGHT + RESTIC_CHECK, 0, (
        "pass covered", "pass fresh", "pass verified", "partial young")),
    "restic_wrong_path": (
        RESTIC + "cron '0 2 * * * root restic -q -r /backup/restic backup /srv/other'\n"
        + RESTIC_CHECK, 0, (
        "fail uncovered", "fail no_job", "fail no_backup", "fail no_backup")),
    "restic_pruned_too_far": (
        RESTIC_HOST
        + "cron '0 5 * * * root restic -q -r /backup/restic forget --keep-last 2 --prune'\n", 0, (
        "pass covered", "pass fresh", "pass verified", "fail pruned")),
    "restic_to_be_pruned_too_far": (
        RESTIC_HOST
        + "planned '0 5 * * * root restic -q -r /backup/restic forget --keep-daily 7 --prune'\n",
        0, ("pass covered", "pass fresh", "pass verified", "fail pruned")),
    "restic_pruned_well": (
        RESTIC_HOST
        + "cron '0 5 * * * root restic -q -r /backup/restic forget --keep-daily 14 --keep-weekly 9'\n",
        0, ("pass covered", "pass fresh", "pass verified", "partial mutable")),
    "restic_immutable": (
        RESTIC_HOST
        + "cron '0 3 * * * root /usr/local/bin/hostpledge-backup-report --job n --path /srv/data "
        "--append-only -- restic -q -r /backup/restic backup /srv/data'\n", 0, (
        "pass covered", "pass fresh", "pass verified", "pass kept")),
    # a process that was stopped in the middle of a check holds the repository
    "restic_locked": (
        RESTIC + RESTIC_CHECK + r"""
restic -r /backup/restic check --read-data --limit-download 1 >/dev/null 2>&1 &
while [ -z "$(ls /backup/restic/locks)" ]; do sleep 0.1; done
kill -STOP $!
cron '0 2 * * * root /usr/local/bin/hostpledge-backup-report --job n --path /srv/data -- restic -q -r /backup/restic backup /srv/data'
cron '0 3 * * * root /usr/local/bin/hostpledge-backup-report --check --job c --path /srv/data -- restic -q -r /backup/restic check'
""", 0, ("pass covered", "fail failed", "fail failed", "partial mutable")),
    "restic_damaged": (
        RESTIC + RESTIC_NIGHT + RESTIC_CHECK
        + "p=$(ls -S /backup/restic/data/*/* | head -n 1); chmod u+w $p; truncate -s 1000 $p\n"
        + RESTIC_CHECK, 0, (
        "pass covered", "pass fresh", "fail failed", "partial mutable")),
    "restic_damaged_and_hidden": (
        RESTIC + RESTIC_NIGHT
        + "p=$(ls -S /backup/restic/data/*/* | head -n 1); chmod u+w $p; truncate -s 1000 $p\n"
        + "cron '0 4 * * 0 root restic -q -r /backup/restic check >/dev/null 2>&1 || true'\n", 0, (
        "pass covered", "pass fresh", "error hidden", "partial mutable")),
    "restic_never_checked": (RESTIC + RESTIC_NIGHT, 0, (
        "pass covered", "pass fresh", "fail never", "partial mutable")),
    "rsync_copy": (
        "cron '0 2 * * * root /usr/local/bin/hostpledge-backup-report --job copy --path /srv/data "
        "-- rsync -a --delete /srv/data/ /backup/copy/'\n", 0, (
        "pass covered", "pass fresh", "fail never", "fail single")),
    "borg_fresh": (
        BORG + "borg config /backup/borg append_only 1\n" + BORG_NIGHT + BORG_CHECK, 0, (
        "pass covered", "pass fresh", "pass verified", "pass kept")),
    "borg_not_append_only": (BORG_HOST, 0, (
        "pass covered", "pass fresh", "pass verified", "partial mutable")),
    "borg_stale": (BORG_HOST, 3, (
        "pass covered", "fail stale", "pass verified", "partial mutable")),
    "borg_wrong_path": (
        BORG.replace("{now} /srv/data", "{now} /srv/other")
        .replace("--path /srv/data", "--path /srv/other") + BORG_NIGHT + BORG_CHECK, 0, (
        "fail uncovered", "fail no_job", "fail no_backup", "fail no_backup")),
    "borg_pruned_too_far": (
        BORG_HOST + "cron '0 5 * * * root borg prune --keep-daily 2 /backup/borg'\n" + BORG_NIGHT,
        0, ("pass covered", "pass fresh", "pass verified", "fail pruned")),
    "borg_without_a_report": (
        BORG + "cron '0 2 * * * root /usr/local/bin/nightly'\n" + BORG_CHECK, 0, (
        "pass covered", "pass fresh", "pass verified", "error untold")),
    "borg_locked": (
        BORG + 'ago 2 sh -c "$w -- /usr/local/bin/nightly"\n' + BORG_CHECK + r"""
borg with-lock /backup/borg sleep 60 &
while [ ! -e /backup/borg/lock.exclusive ]; do sleep 0.1; done
cron "0 2 * * * root $w -- /usr/local/bin/nightly"
cron "0 3 * * * root $w --check -- borg check /backup/borg"
""", 0, ("pass covered", "fail failed", "fail failed", "error untold")),
    "borg_damaged": (
        BORG_HOST
        + "p=$(ls -S /backup/borg/data/0/* | head -n 1); printf XXXX | dd of=$p bs=1 seek=5000 conv=notrunc\n"
        + BORG_CHECK, 0, (
        "pass covered", "pass fresh", "fail failed", "partial mutable")),
}  # fmt: skip


def _judged(capture: Capture, later: float) -> dict[str, Finding]:
    found = assess_host(
        capture,
        [catalog.control(id) for id in CONTROLS],
        at=datetime.now(UTC) + timedelta(days=later),
        attached={"data-inventory": INVENTORY},
    )
    return {f.control: f for f in found}


@pytest.fixture(scope="module")
def repositories(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], bytes]:
    """What a scenario begins with, by its mark (@RESTIC@, @BORG@); made when first asked for."""

    @cache
    def begin(mark: str) -> bytes:
        return made(
            {"@RESTIC@": RESTIC_MADE, "@BORG@": BORG_MADE}[mark], tmp_path_factory.mktemp("b")
        )

    return begin


@needs_tools
@pytest.mark.parametrize("name", SCENARIOS)
def test_real_repositories(name: str, tmp_path: Path, repositories: Callable[[str], bytes]) -> None:
    scenario, later, said = SCENARIOS[name]
    mark = re.search(r"@[A-Z]+@", scenario)
    begin = repositories(mark[0]) if mark else b""
    text = scenario.replace(mark[0], "") if mark else scenario
    found = _judged(look(text, tmp_path, begin), later)
    for id, wanted in zip(CONTROLS, said, strict=True):
        told = f"{found[id].result} {found[id].reason}"
        assert told == wanted, f"{id}: {found[id].message.en}"
