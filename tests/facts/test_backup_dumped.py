"""Commands that look like backups and take nothing, or not all; by the words of the real tools."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from collector.facts.backup.commands.jobs import backup_jobs
from collector.facts.data.inventory import Store
from collector.model import Capture, CapturedFile, HostStatus, ReadResult, ReadStatus

NOTHING = """\
mysqldump --no-data shop >/b/x.sql
mariadb-dump -d shop >/b/x.sql
mariadb-dump -uroot -d shop >/b/x.sql
mysqldump shop >/dev/null
mysqldump shop | gzip >/dev/null
mysqldump --result-file=/dev/null shop
mysqldump -h 192.0.2.9 shop >/b/x.sql
pg_dumpall --globals-only >/b/g.sql
pg_dumpall -g >/b/g.sql
pg_dumpall --roles-only -f /b/g.sql
pg_dump -s shop >/b/x.sql
pg_dump --no-data shop >/b/x.sql
pg_dump --statistics-only shop >/b/x.sql
pg_dumpall --no-data >/b/x.sql
pg_dump --schema-o -Fc shop >/b/x
pg_dump --sect=pre-data -Fc shop >/b/x
pg_dumpall --glob >/b/g.sql
mariadb-dump --loose-no-data shop >/b/x.sql
mysqldump --no_data shop >/b/x.sql
pg_dump --schema-only -Fc shop >/b/x
pg_dump postgresql://u@192.0.2.9/shop >/b/x
mongodump --uri=mongodb://192.0.2.9/shop -o /b
restic -r /b backup --dry-run /srv/data
restic -r /b backup -n /srv/data
rsync -an /srv/data/ b:/x
rsync --dry-run -a /srv/data/ b:/x
borg create -n r::a /srv/data
borg create --dry-run r::a /srv/data
rclone sync --dry-run /srv/data b:x
duplicity --dry-run /srv/data scp://b/x
tar -cf /dev/null /srv/data
tar -czf - /srv/data >/dev/null
tar -czf - /srv/data | gpg -qc >/dev/null""".splitlines()
PERHAPS = """\
mysqldump shop orders >/b/x.sql
mysqldump shop --tables orders >/b/x.sql
mysqldump --where='id > 5' shop >/b/x.sql
mysqldump -h db2 -u root shop >/b/x.sql
mysqldump --whe='id > 5' shop >/b/x.sql
mysqldump shop | grep -v INSERT | gzip >/b/x.sql.gz
mysqldump shop | sed -n 1,20p >/b/x.sql
pg_dump -Fc shop | head -c 3000 >/b/x
pg_dump --section=$_5fba1092 -Fc shop >/b/x
pg_dump --filter=/etc/shop.filter -Fc shop >/b/x
pg_dumpall --filter /etc/all.filter >/b/x.sql
tar cz /srv/data | head -c 3000 >/b/x
mariadb-backup --backup --databases=news --target-dir=/b
xtrabackup --backup --tables=shop.orders --target-dir=/b
pg_dump -t orders shop >/b/x.sql
pg_dump --table-and-children=orders shop >/b/x.sql
pg_dump --exclude-table-and-children=orders shop >/b/x.sql
pg_dump --exclude-table-data-and-children orders shop >/b/x.sql
pg_dump --no-large-objects -Fc shop >/b/x
pg_dump --no-blobs -Fc shop >/b/x
pg_dump -BFc shop >/b/x
pg_dump -e hstore shop >/b/x.sql
pg_dump --of-a-later-release shop >/b/x.sql
mongodump -d shop --excludeCollectionsWithPrefix=ord -o /b
pg_dump -Fc -n public shop >/b/x
pg_dump -h db2 -Fc shop >/b/x
pg_dump -d 'host=db2 dbname=shop' >/b/x
pg_dump postgresql://u@db2:5432/shop >/b/x
pg_basebackup -h db2 -D /b
mongodump -d shop -c orders -o /b
mongodump --host db2 --db shop""".splitlines()
ALL = """\
mysqldump shop >/b/x.sql
mysqldump -h localhost -u root -psecret shop 2>/dev/null >/b/x.sql
mysqldump -h 192.0.2.1 shop >/b/x.sql
mysqldump --defaults-extra-file /etc/d.cnf shop | gzip >/b/x.gz
mysqldump --databases shop news >/b/x.sql
mysqldump shop | sed 's/DEFINER=[^*]*//g' | gzip >/b/x.sql.gz
mariadb-dump shop | tail -n +2 | gzip >/b/x.sql.gz
mysqldump --result-file=/b/x.sql --verbose shop | grep -v Warning
tar czf /b/x.tgz -v /srv/data | grep -c x
mysqldump --ignore-table=shop.logs shop >/b/x.sql
mariadb-backup --backup -h /var/lib/mysql --target-dir=/b
mydumper -o /b -h 127.0.0.1
pg_dump -Fc shop | cat >/b/x
pg_dump -U postgres -p 5432 shop >/b/x
pg_dump -T logs -d shop -f /b/x
pg_dump --exclude-table-and-children=logs --clean --if-exists --no-owner shop >/b/x.sql
pg_dump --compress=zstd:9 --format custom --jobs=2 --file=/b/x shop
pg_dumpall --clean --if-exists --no-role-passwords >/b/x.sql
pg_dump postgresql://postgres@localhost/shop >/b/x
pg_dump -h /run/postgresql 'dbname=shop user=postgres' >/b/x
pg_dumpall -h 127.0.0.1 >/b/x
pg_basebackup -D /b -h /run/postgresql
restic -r /b backup /srv/data >/dev/null 2>&1
rsync -az -e 'ssh -n' /srv/data/ b:/x
borg create -x -C lz4 r::a /srv/data
tar -czf - /srv/data | ssh b 'cat >/x'""".splitlines()
ENGINES = {"my": "mysql", "ma": "mysql", "xt": "mysql", "pg": "postgresql", "mo": "mongodb"}


def _covers(text: str) -> set[str]:
    tab = CapturedFile(
        "/etc/cron.d/x", ReadStatus.OK, 0o644, 0, 0, 0, 0, f"0 2 * * * root {text}\n".encode()
    )
    empty = {
        id: ReadResult(id, ReadStatus.OK, 0, 0, out, "", ())
        for id, out in (
            ("backup.lists", b"options /etc/d.cnf\n=[client]\noptions told\nend\n"),
            ("schedules.called", b""),
            ("schedules.timers", b"no timers\n"),
            ("schedules.flavour", b"none\n"),
            ("schedules.spool", b""),
            ("schedules.periodic", b""),
        )
    }
    tabs = ReadResult("schedules.tabs", ReadStatus.OK, 0, 0, b"", "", (tab,))
    capture = Capture(
        "h",
        HostStatus("complete"),
        detail="",
        head={"address": "192.0.2.1/24", "hostname": "shop"},
        origin={},
        collected_at=None,
        reads={**empty, "schedules.tabs": tabs},
    )
    engine = ENGINES.get(text[:2], "")
    kind, path = ("database", "") if engine else ("path", "/srv/data")
    store = Store("shop", kind, path, engine, "x", "重要", False, False, "me", True, None, True, {})
    return {job.covers(store, path) for job in backup_jobs(capture)}


@pytest.mark.parametrize("text", NOTHING)
def test_nothing_is_taken(text: str) -> None:
    assert _covers(text) <= {"no"}


@pytest.mark.parametrize("text", PERHAPS)
def test_whether_all_is_taken_cannot_be_told(text: str) -> None:
    assert _covers(text) == {"perhaps"}


@pytest.mark.parametrize("text", ALL)
def test_all_is_taken(text: str) -> None:
    assert "yes" in _covers(text)


@pytest.mark.parametrize(
    ("tool", "said"),
    [
        ("pg_dumpall", ["-g, --globals-only", "-r, --roles-only", "-s, --schema-only"]),
        ("pg_dump", ["-s, --schema-only", "-t, --table=", "-n, --schema=", "-T, --exclude-table="]),
        ("mariadb-dump", ["-d, --no-data", "-w, --where=", "-h, --host="]),
        ("mariadb-backup", ["-h, --datadir="]),
        ("restic", ["-n, --dry-run"]),
        ("borg", ["-n, --dry-run"]),
        ("rsync", ["--dry-run, -n"]),
    ],
)
def test_what_the_options_are_called(tool: str, said: list[str]) -> None:
    path = shutil.which(tool)
    if path is None:
        pytest.skip(f"there is no {tool} here")
    argv = {"restic": [path, "backup", "--help"], "borg": [path, "create", "--help"]}
    done = subprocess.run(
        argv.get(tool, [path, "--help"]), capture_output=True, text=True, check=False
    )
    help_ = done.stdout + done.stderr
    assert [s for s in said if s not in help_] == []
