"""WAL of a real PostgreSQL, archived in real ways or only seemingly, and real base backups."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from collector import catalog
from collector.assess import assess_host
from collector.model import Capture, Finding, Result
from tests.facts.backuplab import CONTROLS, INVENTORY, Lab, missing
from tests.facts.test_backup_protection_truth import POSTGRES

pytestmark = pytest.mark.skipif(bool(missing()), reason=f"not here: {missing()}")

DATA = "/var/lib/postgresql/main"
WAL, BASES = "/var/backups/wal", "/var/backups/base"
DATABASE = INVENTORY.replace(
    "{name: files, kind: path, path: /srv/data, category: 合同",
    f"{{name: shop, kind: database, engine: postgresql, path: {DATA}, category: 订单",
)
AS = """cd /; B=$(ls -d /usr/lib/postgresql/*/bin | tail -n 1)
P="setpriv --reuid postgres --regid postgres --clear-groups"
switch() {
  $P psql -q -c 'insert into t select generate_series(1, 1000)' shop
  $P psql -qAt -c 'select pg_switch_wal()' postgres >/dev/null
}
# wait QUERY: until it is true
wait_for() {
  n=0; until [ "$($P psql -qAt -c "select $1" postgres)" = t ]; do
    n=$((n + 1)); [ "$n" -lt 600 ] || {
      tail -n 20 /var/lib/postgresql/main/log >&2; echo "waited for: $1" >&2; exit 1; }
    sleep 0.1
  done
}
idle="not exists (select from pg_ls_archive_statusdir() where name like '%.ready')"
"""
BASE = f"pg_basebackup -h /run/postgresql -U postgres -c fast -D {BASES}/$(date +%F)"
COPY = f"test ! -f {WAL}/%f && cp %p {WAL}/%f"


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with Lab(tmp_path_factory.mktemp("wal")) as lab:
        lab.sh(POSTGRES)
        lab.sh(f"""{AS} echo archive_mode=on >>{DATA}/postgresql.conf
        $P $B/pg_ctl -D {DATA} -l {DATA}/log -w restart >/dev/null 2>&1""")
        yield lab


@pytest.fixture
def lab(both: Lab) -> Lab:
    """PostgreSQL that archives nowhere yet, without a backup."""
    both.forget()
    both.sh(f"""{AS} mkdir -p {WAL} {BASES}; chown postgres {WAL}; chmod 755 /var/backups; chmod 700 {WAL} {BASES}
    for n in command library timeout; do $P psql -qc "alter system reset archive_$n"; done
    $P psql -qc "alter system set archive_command = 'true'"
    $P psql -qc 'select pg_reload_conf()' >/dev/null
    rm -f {DATA}/pg_wal/archive_status/*""")
    return both


def archived(lab: Lab, command: str = COPY, *, timeout: int = 60) -> None:
    """What the server does from now on with WAL."""
    lab.sh(f"""{AS} cat >/root/s <<'S'
alter system set archive_command = $c${command}$c$;
alter system set archive_timeout = {timeout};
select pg_reload_conf();
select pg_stat_reset_shared('archiver');
S
$P psql -q </root/s >/dev/null; sleep 0.3""")


def weekly(lab: Lab, command: str = BASE) -> None:
    """A job of cron; the base backup that it just made is PLANTED as three days old."""
    try:
        lab.job(command, name="base")
    except AssertionError as problem:
        # its receiver of logs came back to a file that it had begun: PostgreSQL gives up then
        if "should be 0 or" not in str(problem):
            raise
        lab.job(command, name="base")
    lab.sh(f"find {BASES} -maxdepth 2 -type f -exec touch -d '3 days ago' {{}} +")
    lab.sh(f"touch -d '3 days ago' {WAL}/*.backup 2>/dev/null || true")


def run(lab: Lab, text: str) -> None:
    lab.sh(AS + text)


def judged(
    capture: Capture, *, later: timedelta = timedelta(), inventory: str = DATABASE
) -> dict[str, Finding]:
    found = assess_host(
        capture,
        [catalog.control(c) for c in CONTROLS],
        grade=2,
        at=datetime.now(UTC) + later,
        attached={"data-inventory": inventory.encode()},
    )
    return {f.control: f for f in found}


def look(lab: Lab, *, later: timedelta = timedelta()) -> dict[str, Finding]:
    return judged(lab.collect(), later=later)


def test_a_base_backup_rolled_forward_by_wal(lab: Lab) -> None:
    archived(lab)
    weekly(lab)
    run(lab, 'switch; wait_for "$idle"')
    capture = lab.collect()
    found = judged(capture)
    assert found["backup.jobs"].result is Result.PASS
    assert found["backup.fresh"].result is Result.PASS, found["backup.fresh"].message.en
    assert "last_archived_time" in found["backup.fresh"].message.en
    old = judged(capture, later=timedelta(hours=25))["backup.fresh"]
    assert (old.result, old.reason) == (Result.FAIL, "stale")


def test_without_wal_it_is_three_days_old(lab: Lab) -> None:
    weekly(lab)
    found = look(lab)["backup.fresh"]
    assert (found.result, found.reason) == (Result.FAIL, "unarchived")
    assert "archive_command=true" in found.message.en


def test_wal_alone_is_no_backup(lab: Lab) -> None:
    archived(lab)
    run(lab, 'switch; wait_for "$idle"')
    found = look(lab)
    for control in ("jobs", "fresh", "offsite"):
        one = found[f"backup.{control}"]
        assert one.result is Result.FAIL
        assert "only WAL is archived (archive_command), with no base backup" in one.message.en
        assert "没有可供重放的基础备份" in one.message.zh


def test_a_base_backup_made_once_by_hand(lab: Lab) -> None:
    archived(lab)
    run(lab, f'{BASE}; find {BASES} -type f -exec touch -d "3 days ago" {{}} +; switch')
    run(lab, 'wait_for "$idle"')
    found = look(lab)
    assert found["backup.jobs"].result is Result.PASS
    assert "WAL (archive_command)" in found["backup.jobs"].message.en
    assert found["backup.fresh"].result is Result.PASS


def test_the_archive_fails(lab: Lab) -> None:
    """It can still be rolled forward to where it failed: a day later that is too old."""
    archived(lab)
    weekly(lab)
    run(
        lab,
        f"""wait_for "$idle"; sleep 1.1; chown root {WAL}; chmod 755 {WAL}; switch
        wait_for '(select failed_count > 0 from pg_stat_archiver)'""",
    )
    capture = lab.collect()
    now, later = judged(capture), judged(capture, later=timedelta(hours=25))
    assert now["backup.fresh"].result is Result.PASS
    assert later["backup.fresh"].reason == "unarchived"
    assert "last_failed_time=" in later["backup.fresh"].message.en
    assert "ready=1" in later["backup.fresh"].message.en


@pytest.mark.parametrize("command", ["/bin/true", ":", "cp %p /dev/null", "exit 0", "echo %p", ""])
def test_wal_that_goes_nowhere(lab: Lab, command: str) -> None:
    archived(lab, command)
    weekly(lab)
    found = look(lab)["backup.fresh"]
    assert (found.result, found.reason) == (Result.FAIL, "unarchived")
    assert f"archive_command={command}" in found.message.en


SCRIPT = """#!/bin/sh
# /usr/local/bin/archive PATH NAME
D=/var/backups/wal
if [ -e /run/full ]; then logger full; exit 0; fi
gzip -c "$1" >"$D/$2.gz"
"""


def test_a_script_that_packs(lab: Lab) -> None:
    lab.put("/usr/local/bin/archive", SCRIPT, "755")
    archived(lab, "/usr/local/bin/archive %p %f")
    weekly(lab)
    run(lab, 'switch; wait_for "$idle"')
    found = look(lab)["backup.fresh"]
    assert found.result is Result.PASS, found.message.en


def test_a_script_that_says_it_did(lab: Lab) -> None:
    """PostgreSQL believes that it is archived, and removes it."""
    lab.put("/usr/local/bin/archive", SCRIPT, "755")
    archived(lab, "/usr/local/bin/archive %p %f")
    weekly(lab)
    run(lab, 'wait_for "$idle"; touch /run/full; switch; switch; wait_for "$idle"; rm /run/full')
    lab.sh(f"find {WAL} -type f -exec touch -d '2 days ago' {{}} +")
    found = look(lab)["backup.fresh"]
    assert (found.result, found.reason) == (Result.FAIL, "unarchived")
    assert f"{WAL}: 0000" in found.message.en
    assert "last_archived_wal=0000" in found.message.en


def test_a_segment_is_missing(lab: Lab) -> None:
    archived(lab)
    weekly(lab)
    run(lab, 'switch; switch; switch; wait_for "$idle"')
    lab.sh(f"rm $(ls {WAL}/????????????????????????  | tail -n 2 | head -n 1)")
    found = look(lab)["backup.fresh"]
    assert (found.result, found.reason) == (Result.FAIL, "unarchived")
    assert " | 0000" in found.message.en


def test_older_wal_than_the_base_backup_was_cleaned_away(lab: Lab) -> None:
    archived(lab)
    run(lab, 'switch; switch; wait_for "$idle"')
    weekly(lab)
    run(lab, 'switch; wait_for "$idle"')
    run(lab, f"$B/pg_archivecleanup {WAL} $(ls {WAL} | grep backup | tail -n 1)")
    assert look(lab)["backup.fresh"].result is Result.PASS


def test_wal_of_the_base_backup_was_cleaned_away(lab: Lab) -> None:
    archived(lab)
    weekly(lab)
    run(lab, 'switch; switch; switch; wait_for "$idle"')
    run(lab, f"$B/pg_archivecleanup {WAL} $(ls {WAL} | grep -v backup | tail -n 1)")
    found = look(lab)["backup.fresh"]
    assert (found.result, found.reason) == (Result.FAIL, "unarchived")


@pytest.mark.parametrize("form", ["-Ft", "-Ft -z"])
def test_a_base_backup_of_archives(lab: Lab, form: str) -> None:
    weekly(lab, f"{BASE} {form}")
    lab.sh(f"find {BASES} -type f -exec touch {{}} +")
    found = look(lab)["backup.fresh"]
    assert found.result is Result.PASS, found.message.en
    lab.sh(
        f"rm -rf /root/earlier; mv {BASES}/* /root/earlier\n"
        f"mkdir {BASES}/2026-11-01; mv /root/earlier/* {BASES}/2026-11-01"
    )
    lab.sh(f"find {BASES} -type f -exec touch -d '20 days ago' {{}} +")
    lab.sh(f"{BASE} {form}; rm {BASES}/$(date +%F)/backup_manifest")
    found = look(lab)["backup.fresh"]
    assert (found.result, found.reason) == (Result.FAIL, "failed")
    assert "no backup_manifest" in found.message.en


def test_the_base_backup_broke_off(lab: Lab) -> None:
    weekly(lab)
    lab.sh(
        f"mv {BASES}/$(date +%F) {BASES}/2026-11-01\n"
        f"find {BASES}/2026-11-01 -type f -exec touch -d '9 days ago' {{}} +"
    )
    run(
        lab,
        f"""$P psql -qc "update pg_database set datname = datname" postgres
    {BASE} -r 32k >/dev/null 2>&1 & sleep 1.5; kill -9 $!""",
    )
    found = look(lab)["backup.fresh"]
    assert (found.result, found.reason) == (Result.FAIL, "failed")
    assert "no backup_manifest" in found.message.en


RECEIVER = f"""setsid $P $B/pg_receivewal -h /run/postgresql -D {WAL} --synchronous \
  >/dev/null 2>&1 </dev/null & echo $! >/run/receiver
wait_for "exists (select from pg_stat_replication where state = 'streaming')"
"""
# what is written from now on by others (a checkpoint) is no part of what was switched
RECEIVED = """lsn=$($P psql -qAt -c 'select pg_current_wal_lsn()' postgres)
wait_for "exists (select from pg_stat_replication where flush_lsn >= '$lsn')"
"""


def test_received_on_this_host(lab: Lab) -> None:
    run(lab, RECEIVER)
    try:
        weekly(lab)
        run(lab, f"switch; switch; {RECEIVED}")
        found = look(lab)["backup.fresh"]
        assert found.result is Result.PASS, found.message.en
        assert "pg_receivewal streaming" in found.message.en
    finally:
        lab.sh("pkill -x pg_receivewal")


def test_received_elsewhere_may_be_backed_up_there(lab: Lab) -> None:
    lab.sh(
        f"""{AS} mkdir -p /mnt/wal; chown postgres /mnt/wal
    setsid $P $B/pg_receivewal -h 10.77.0.1 -D /mnt/wal >/dev/null 2>&1 </dev/null &""",
        host="vault",
    )
    try:
        run(
            lab,
            """wait_for "exists (select from pg_stat_replication where state = 'streaming')" """,
        )
        found = look(lab)
        assert (found["backup.jobs"].result, found["backup.jobs"].reason) == (
            Result.ERROR,
            "untold",
        )
        assert "pg_receivewal (10.77.0.2)" in found["backup.jobs"].message.en
        assert found["backup.fresh"].result is Result.ERROR
    finally:
        lab.sh("pkill -x pg_receivewal", host="vault")


def test_the_server_lets_nobody_ask(lab: Lab) -> None:
    """Its settings and the marks in archive_status tell."""
    archived(lab)
    weekly(lab)
    run(lab, 'switch; wait_for "$idle"')
    lab.sh(f"""sed -i '1i local all postgres reject' {DATA}/pg_hba.conf
    {AS} $P $B/pg_ctl -D {DATA} reload""")
    try:
        found = look(lab)["backup.fresh"]
    finally:
        lab.sh(f"sed -i 1d {DATA}/pg_hba.conf; {AS} $P $B/pg_ctl -D {DATA} reload")
    assert found.result is Result.PASS, found.message.en
    assert "archive_status/*.done" in found.message.en


def test_sent_to_the_other_host(lab: Lab) -> None:
    lab.sh(f"""{AS} mkdir -p /mnt/wal""", host="vault")
    lab.sh(
        "mkdir -p /var/lib/pgkey; cp /root/.ssh/id /var/lib/pgkey/id\n"
        "chown -R postgres /var/lib/pgkey; chmod 600 /var/lib/pgkey/id"
    )
    archived(
        lab,
        "rsync -a -e 'ssh -i /var/lib/pgkey/id -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null'"
        " %p root@vault:/mnt/wal/%f",
    )
    weekly(lab)
    run(lab, 'switch; wait_for "$idle"')
    assert "0000" in lab.sh("ls /mnt/wal", host="vault")
    found = look(lab)["backup.fresh"]
    assert found.result is Result.PASS, found.message.en


FAR = (
    "rsync -a -e 'ssh -i /var/lib/pgkey/id -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null'"
    " %p root@vault:/mnt/wal/%f"
)
SENT_BASE = "pg_basebackup -h /run/postgresql -U postgres -c fast -X fetch -Ft -D - | ssh -o BatchMode=yes vault 'cat >/mnt/base.tar'"


def _key(lab: Lab) -> None:
    lab.sh("mkdir -p /mnt/wal", host="vault")
    lab.sh(
        "mkdir -p /var/lib/pgkey; cp /root/.ssh/id /var/lib/pgkey/id\n"
        "chown -R postgres /var/lib/pgkey; chmod 600 /var/lib/pgkey/id"
    )


def _reported(lab: Lab, ago: str) -> None:
    """The job's own report of its base backup, so long ago."""
    at = lab.sh(f"date -u -d '{ago} ago' +%FT%TZ").strip()
    lab.put(
        "/var/lib/hostpledge/backup/base.json",
        '{"schema": "urn:hostpledge:schema:backup-report:1", "job": "base", "ok": true,'
        f' "started": "{at}", "finished": "{at}", "paths": ["shop"],'
        ' "repository": "ssh://vault/mnt/base.tar"}',
    )


def test_both_reach_the_other_host(lab: Lab) -> None:
    _key(lab)
    archived(lab, FAR)
    lab.job(SENT_BASE, name="base")
    _reported(lab, "3 days")
    run(lab, 'switch; wait_for "$idle"')
    found = look(lab)
    assert found["backup.fresh"].result is Result.PASS, found["backup.fresh"].message.en
    assert found["backup.offsite"].result is Result.PASS, found["backup.offsite"].message.en
    assert "+ WAL" in found["backup.offsite"].message.en
    plain = found["encryption.backups"]
    assert (plain.result, plain.reason) == (Result.FAIL, "plain")
    assert "vault:/mnt/wal" in plain.message.en


def test_only_the_base_backup_reaches_the_other_host(lab: Lab) -> None:
    archived(lab)
    lab.job(SENT_BASE, name="base")
    _reported(lab, "3 days")
    lab.sh(f"touch -d '3 days ago' {WAL}/*.backup")
    run(lab, 'switch; wait_for "$idle"')
    found = look(lab)["backup.offsite"]
    assert (found.result, found.reason) == (Result.FAIL, "stale"), found.message.en


def test_only_the_wal_reaches_the_other_host(lab: Lab) -> None:
    _key(lab)
    archived(lab, FAR)
    weekly(lab)
    run(lab, 'switch; wait_for "$idle"')
    found = look(lab)["backup.offsite"]
    assert (found.result, found.reason) == (Result.FAIL, "same_disk"), found.message.en


@pytest.mark.parametrize("mode", ["700", "755"])
def test_who_may_read_the_wal(lab: Lab, mode: str) -> None:
    archived(lab, f"umask 022; {COPY}; chmod 644 {WAL}/%f")
    weekly(lab)
    run(lab, 'switch; wait_for "$idle"')
    lab.sh(f"chmod {mode} {WAL} /var/backups")
    said = look(lab)["encryption.backups"].message.en
    assert (f"{WAL}/0000" in said and "(0644)" in said) is (mode == "755"), said


def test_wal_that_is_encrypted_on_its_way(lab: Lab) -> None:
    lab.sh(
        "umask 077; mkdir -p /var/lib/pggpg; echo geheim | tee /root/pass >/var/lib/pggpg/pass\n"
        "chown -R postgres /var/lib/pggpg"
    )
    archived(
        lab,
        f"gpg --homedir /var/lib/pggpg --batch --passphrase-file /var/lib/pggpg/pass -qc -o {WAL}/%f.gpg %p",
    )
    lab.job(
        "pg_basebackup -h /run/postgresql -U postgres -c fast -X fetch -Ft -D - | gpg --homedir /root"
        f" --batch --passphrase-file /root/pass -qc >{BASES}/base-$(date +%F).tar.gpg",
        name="base",
    )
    run(lab, 'wait_for "$idle"')
    lab.sh(
        f"find {BASES} -type f -exec touch -d '3 days ago' {{}} +; touch -d '3 days ago' {WAL}/*.backup*"
    )
    run(lab, 'switch; wait_for "$idle"')
    found = look(lab)
    assert found["backup.fresh"].result is Result.PASS, found["backup.fresh"].message.en
    assert found["encryption.backups"].result is Result.PASS, found["encryption.backups"].message.en


SECOND = "/var/lib/postgresql/second"
_SECOND = f"""mkdir -p {SECOND}; chown postgres {SECOND}
$P "$B/initdb" -D {SECOND} -A trust >/dev/null
printf "unix_socket_directories='/run/postgresql'\\nlisten_addresses=''\\nport=5433\\nfsync=off\\n" \\
  >>{SECOND}/postgresql.conf
$P "$B/pg_ctl" -D {SECOND} -l {SECOND}/log -w start >/dev/null 2>&1
"""


@pytest.mark.parametrize(
    ("options", "first", "second"),
    [
        ("", "covered", "uncovered"),
        ("-p 5433", "uncovered", "covered"),
        ("--port=5433", "uncovered", "covered"),
        ("--dbname='port=5433 dbname=postgres'", "uncovered", "covered"),
    ],
)
def test_which_of_two_servers(lab: Lab, options: str, first: str, second: str) -> None:
    run(lab, _SECOND)
    try:
        weekly(lab, f"{BASE} {options}")
        capture = lab.collect()
    finally:
        run(lab, f'$P "$B/pg_ctl" -D {SECOND} -m immediate stop >/dev/null; rm -rf {SECOND}')
    for path, reason in ((DATA, first), (SECOND, second)):
        found = judged(capture, inventory=DATABASE.replace(DATA, path))["backup.jobs"]
        assert found.reason == reason, (path, found.message.en)
