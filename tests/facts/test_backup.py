"""Command lines of backup tools, the files and records they leave, and which store is whose."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from collector import captures
from collector.errors import CouldNotLook, NotUnderstood
from collector.facts.backup.artefacts.checks import traces
from collector.facts.backup.artefacts.files import artefacts
from collector.facts.backup.artefacts.reports import reports
from collector.facts.backup.artefacts.traces import records
from collector.facts.backup.commands.command_lines import commands, databases_of, sources_of
from collector.facts.backup.commands.scheduled import all_jobs
from collector.model import Capture, CapturedFile, HostStatus, ReadResult, ReadStatus

RECORDED = Path(__file__).parent.parent / "captures"


# the first line of mariadb-dump 10.11 and 11.8, of pg_dumpall 15 and 17
MARIADB = "2f2a4d213939393939395c2d20656e61626c65207468652073616e64626f78206d6f6465202a2f200a"
PG_CLUSTER = "2d2d0a2d2d20506f737467726553514c20646174616261736520636c75737465722064756d700a"


def _capture(id: str, stdout: str, status: ReadStatus = ReadStatus.OK) -> Capture:
    return Capture(
        "h", HostStatus.COMPLETE, reads={id: ReadResult(id, status, stdout=stdout.encode())}
    )


def _recorded(name: str) -> Capture:
    return captures.load(RECORDED / f"{name}.capture.gz")


@pytest.mark.parametrize(
    ("line", "sources"),
    [
        ("restic -r /r backup --exclude /srv/tmp /srv /etc", ["/srv", "/etc"]),
        ("restic backup --tag a --files-from=/l", ["/a", "/b"]),
        ("restic backup --files-from /not-read", ["?"]),
        ("restic forget --keep-last 7 --prune", None),
        ("borg create --stats -C zstd /r::{now} /srv /home", ["/srv", "/home"]),
        ("borg prune /r", None),
        ("tar czf /b/x.tgz /srv", ["/srv"]),
        ("tar -czf /b/x.tgz -C /srv data", ["/srv/data"]),
        ("tar --create --gzip --file /b/x.tgz /srv", ["/srv"]),
        ("tar -xzf /b/x.tgz -C /srv", None),
        ("tar tzf /b/x.tgz", None),
        ("rsync -a --delete --exclude /tmp /srv/ /home bak@nas:/x", ["/srv/", "/home"]),
        ("rsync --version", None),
        ("duplicity full /srv sftp://nas/x", ["/srv"]),
        ("duplicity restore sftp://nas/x /srv", None),
        ("rclone sync /srv oss:bucket", ["/srv"]),
        ("rclone lsd oss:", None),
    ],
)
def test_sources(line: str, sources: list[str] | None) -> None:
    ((words, folder),) = list(commands(line))
    assert sources_of(words[0], words[1:], folder, {"/l": ["/a", "/b"]}) == sources


@pytest.mark.parametrize(
    ("line", "databases"),
    [
        ("mysqldump --all-databases", ("*",)),
        ("mysqldump -A -u root", ("*",)),
        ("mysqldump -u root -p*** shop orders", ("shop",)),
        ("mysqldump --databases shop crm", ("shop", "crm")),
        ("mysqldump $db", ("?",)),
        ("pg_dump -U postgres -Fc -f /b/x shop", ("shop",)),
        ("pg_dump --dbname=shop", ("shop",)),
        ("pg_dump -d shop -h db", ("shop",)),
        ("pg_dumpall", ("*",)),
        ("mongodump --gzip --archive=/b/x", ("*",)),
        ("mongodump --db shop", ("shop",)),
        ("mariadb-backup --backup --target-dir=/b", ("*",)),
        ("mariadb-backup --prepare --target-dir=/b", ()),
        ("pgbackrest --stanza=main backup", ("*",)),
        ("pgbackrest --stanza=main info", ()),
    ],
)
def test_databases(line: str, databases: tuple[str, ...]) -> None:
    ((words, _),) = list(commands(line))
    assert databases_of(words[0], words[1:]) == databases


def test_commands_inside_a_script() -> None:
    text = (
        'D=/backup\nOUT=$(restic backup "$SRC" /srv)\n'
        "cd /srv && tar -czf $D/x-$(date +%F).tgz data\n"
        "mysqldump shop \\\n  | gzip > $D/shop.gz\n"
    )
    found = [(" ".join(words), folder) for words, folder in commands(text)]
    assert ("tar -czf /backup/x-$_.tgz data", "/srv") in found
    assert ("mysqldump shop", "/srv") in found
    assert any(words == "restic backup $SRC /srv" for words, _ in found)


def test_real_jobs() -> None:
    found = {j.job.name: j for j in all_jobs(_recorded("backup-trixie"))}
    assert found["borgmatic.timer"].sources == ("/srv/data",)
    assert found["borgmatic.timer"].targets == ("/srv/backup/borgmatic",)
    assert found["restic-backup.timer"].sources == ("/srv/data",)
    # the capture is of a collector that did not look at option files
    assert found["/etc/cron.d/db-backup"].databases == ("~shop",)
    assert "borgmatic.timer" not in {j.job.name for j in all_jobs(_recorded("backup-bookworm"))}


def test_real_records() -> None:
    found = records(_recorded("backup-trixie"))
    # `borg ID TIME PLACE` is of a collector that took the time of `borg init` as well
    assert not any(r.read == "backup.borg" for r in found)
    restic = next(r for r in found if r.read == "backup.journal")
    assert restic.size == 300006
    assert restic.when == datetime(2026, 11, 25, 2, 16, 36, tzinfo=UTC)


def test_real_artefacts() -> None:
    found = artefacts(_recorded("backup-bookworm"))
    last = next(a for a in found.all if a.path.endswith("shop-2026-11-25.sql.gz"))
    assert last.fault == "an empty gzip stream"
    assert {a.repository for a in found.all if a.repository} == {"/srv/backup/restic"}


@pytest.mark.parametrize(
    ("name", "head", "tail", "fault"),
    [
        ("a.sql", "2d2d204d7953514c2064756d70", "-- Dump completed on 2026-11-25  2:00:00", ""),
        ("a.sql", "2d2d204d7953514c2064756d70", "other", "Dump completed"),
        ("a.sql", MARIADB + "2d2d204d617269", "-- Dump completed on 2026-11-25  2:42:34", ""),
        ("a.sql", MARIADB + "2d2d204d617269", "other", "Dump completed"),
        ("a.sql", MARIADB + "0a2f2a21343031", "other", ""),  # --skip-comments
        ("a.sql", PG_CLUSTER, "PostgreSQL database cluster dump complete", ""),
        ("a.sql", PG_CLUSTER, "other", "dump complete"),
        ("a.sql", "other", "other", ""),
        ("a.sql", "", "", ""),
        ("a.sql.gz", "other", "", "no gzip file"),
        ("a.sql.gz", "1f8b0800000000000003", "", ""),
    ],
)
def test_faults(name: str, head: str, tail: str, fault: str) -> None:
    text = f"folder /b\nartefact 1795573900 900 /b/{name}\nhead {head}\n"
    text += f"tail {tail}\n" if tail else ""
    (found,) = artefacts(_capture("backup.artefacts", text)).all
    assert fault in found.fault
    assert bool(found.fault) is bool(fault)


def test_a_gzip_header_knows_better_than_a_copied_file() -> None:
    when = datetime(2026, 10, 1, tzinfo=UTC)
    stamp = int(when.timestamp()).to_bytes(4, "little").hex()
    text = f"folder /b\nartefact 1795573900 900 /b/a.gz\nhead 1f8b0808{stamp}0003\n"
    (found,) = artefacts(_capture("backup.artefacts", text)).all
    assert found.when == when


@pytest.mark.parametrize(
    ("head", "second"),
    [
        (  # pg_dump -Fc of PostgreSQL 17.12
            "5047444d50011000040801010022000000002a00000000020000000019000000000a000000007e"
            "000000000000000000",
            34,
        ),
        (  # pg_dump -Fc of PostgreSQL 15.20
            "5047444d50010e0004080101010000000030000000002a00000000020000000019000000000a"
            "000000007e0000000000",
            48,
        ),
    ],
)
def test_the_header_of_pg_dump_has_its_time(head: str, second: int) -> None:
    text = f"folder /b\nartefact 1795920000 900 /b/a.dump\nhead {head}\n"
    (found,) = artefacts(_capture("backup.artefacts", text)).all
    assert found.when == datetime(2026, 11, 25, 2, 42, second, tzinfo=UTC)


@pytest.mark.parametrize("status", [ReadStatus.TRUNCATED, ReadStatus.TIMEOUT, ReadStatus.REFUSED])
def test_what_was_not_seen_whole_is_not_empty(status: ReadStatus) -> None:
    with pytest.raises(CouldNotLook):
        artefacts(_capture("backup.artefacts", "folder /b\n", status))


def test_pgbackrest_counts_backups_without_an_error() -> None:
    """backup.info as pgBackRest 2.5x writes it, cut to the fields that are read."""
    line = '20261124-020000F={"backup-error":%s,"backup-info-size":29,"backup-timestamp-stop":%d}\n'
    text = (
        "[backup:current]\n"
        + line % ("false", 1795485605)
        + line.replace("24", "25")
        % (
            "true",
            1795572005,
        )
    )
    file = CapturedFile(
        "/var/lib/pgbackrest/backup/m/backup.info", ReadStatus.OK, data=text.encode()
    )
    reads = {
        id: ReadResult(id, ReadStatus.OK) for id in ("backup.borg", "backup.journal", "backup.logs")
    }
    reads["backup.pgbackrest"] = ReadResult("backup.pgbackrest", ReadStatus.OK, files=(file,))
    (found,) = records(Capture("h", HostStatus.COMPLETE, reads=reads))
    assert (found.when, found.size) == (datetime(2026, 11, 24, 2, 0, 5, tzinfo=UTC), 29)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        '{"schema": "urn:hostpledge:schema:backup-report:1", "job": "a", "ok": true, "ok": true}',
        '{"schema": "urn:hostpledge:schema:backup-report:1", "job": "a", "started": "x",'
        ' "finished": "2026-11-25T02:00:00Z", "ok": true, "paths": ["/a"]}',
    ],
)
def test_reports_are_read_strictly(text: str) -> None:
    file = CapturedFile("/var/lib/hostpledge/backup/a.json", ReadStatus.OK, data=text.encode())
    result = ReadResult("backup.reports", ReadStatus.OK, files=(file,))
    with pytest.raises(NotUnderstood):
        reports(Capture("h", HostStatus.COMPLETE, reads={"backup.reports": result}))


@pytest.mark.parametrize(
    ("zone", "hour"), [("+0800", 18), ("-0500", 7), ("+0000", 2), ("", 12), (None, 12)]
)
def test_times_of_rsnapshot_are_in_the_zone_of_the_host(zone: str | None, hour: int) -> None:
    """They carry none themselves; where the host does not tell either, the earliest counts."""
    said = b"log 0 /var/log/rsnapshot.log\n|[2026-11-25T02:00:01] /usr/bin/rsnapshot daily: completed successfully\n"
    reads = {
        "backup.borg": ReadResult("backup.borg", ReadStatus.OK),
        "backup.journal": ReadResult("backup.journal", ReadStatus.MISSING),
        "backup.pgbackrest": ReadResult("backup.pgbackrest", ReadStatus.ABSENT),
        "backup.logs": ReadResult("backup.logs", ReadStatus.OK, stdout=said),
    }
    head = {} if zone is None else {"zone": zone}
    (found,) = records(Capture("h", HostStatus.COMPLETE, head=head, reads=reads))
    assert found.when.hour == hour


@pytest.mark.parametrize(
    ("line", "good"),
    [
        ("no errors were found", True),
        ("2026-11-25 03:00:01 no errors were found", True),
        ("[2026-11-25 03:00:01,123] INFO: /srv/r: Archive consistency check complete, no problems"
         " found.", True),
        ("Finished full repository check, no problems found.", True),
        ("new       /home/bob/no errors were found", False),
        ("home/bob/a: no errors were found", False),
        ("A /home/bob/Archive consistency check complete, no problems found.", False),
    ],
)  # fmt: skip
def test_a_name_that_is_printed_is_no_result(line: str, good: bool) -> None:
    journal = f"1795577398.000001 h/restic-check.service restic[7]: {line}\n"
    logs = f"log 1795577398 /var/log/restic-check.log\n={line}\n"
    capture = replace(
        _capture("backup.journal", journal),
        reads={
            "backup.journal": _capture("backup.journal", journal).read("backup.journal"),
            "backup_checks.logs": _capture("backup_checks.logs", logs).read("backup_checks.logs"),
        },
    )
    assert [trace.good for trace in traces(capture)] == [True] * (2 * good)


@pytest.mark.parametrize("ahead", ["", "new /home/bob/", '{"path":"message_type":"summary",'])
def test_a_name_that_is_printed_is_no_snapshot(ahead: str) -> None:
    line = f"1795577398.000001 h/backup.service restic[7]: {ahead}snapshot 5f3a9b1c saved\n"
    reads = {
        id: ReadResult(id, ReadStatus.OK)
        for id in ("backup.borg", "backup.logs", "backup.pgbackrest")
    }
    reads |= {"backup.journal": ReadResult("backup.journal", ReadStatus.OK, stdout=line.encode())}
    found = records(Capture("h", HostStatus.COMPLETE, reads=reads))
    assert len(found) == (not ahead)
