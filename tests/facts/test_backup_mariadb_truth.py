"""Dumps and physical copies of a real MariaDB: good, cut off, empty, of another database."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from collector import catalog
from collector.assess import assess_host
from collector.model import Finding, Result
from tests.facts.backuplab import CONTROLS, INVENTORY, Lab, missing

_MISSING = [t for t in ("mariadbd", "mariadb-dump", "mariadb-install-db", "zstd")
            if shutil.which(t, path="/usr/bin:/usr/sbin") is None]  # fmt: skip
pytestmark = pytest.mark.skipif(
    bool(missing() or _MISSING), reason=f"not here: {missing()} {_MISSING}"
)

DATABASE = INVENTORY.replace(
    "{name: files, kind: path, path: /srv/data, category: 合同",
    "{name: shop, kind: database, engine: mariadb, path: /var/lib/mysql, category: 订单",
)
SERVER = """
cd /; mkdir -p /run/mysqld; rm -rf /var/lib/mysql; mkdir /var/lib/mysql; : >/etc/my.cnf
id mysql >/dev/null 2>&1 || echo 'mysql:x:999:999::/nonexistent:/bin/false' >>/etc/passwd
chown mysql /var/lib/mysql /run/mysqld 2>/dev/null || chown 999 /var/lib/mysql /run/mysqld
mariadb-install-db --no-defaults --user=mysql --datadir=/var/lib/mysql --skip-test-db \
  --auth-root-authentication-method=socket --auth-root-socket-user=root >/dev/null 2>&1
setsid mariadbd --no-defaults --user=mysql --datadir=/var/lib/mysql --skip-networking \
  --socket=/run/mysqld/mysqld.sock --innodb-flush-method=fsync \
  --innodb-buffer-pool-size=16M >/var/log/maria 2>&1 </dev/null &
n=0; until mariadb --no-defaults -e 'select 1' >/dev/null 2>&1; do
  n=$((n + 1)); [ "$n" -lt 900 ] || { cat /var/log/maria; exit 1; }; sleep 0.1; done
mariadb --no-defaults <<'S'
S
true
"""
FILL = """mariadb --no-defaults <<'S'
create database if not exists shop; create database if not exists news; use shop;
create or replace table shop.orders as select seq n, md5(seq) t, sha1(seq) u from seq_1_to_20000;
create or replace table shop.kept as select seq n, md5(seq) t from seq_1_to_20000;
create or replace table news.texts as select seq n, md5(seq) t from seq_1_to_100;
S
"""


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with Lab(tmp_path_factory.mktemp("maria")) as lab:
        lab.sh(SERVER.partition("mariadb --no-defaults <<")[0] + FILL)
        yield lab


@pytest.fixture
def lab(both: Lab) -> Lab:
    both.forget()
    both.sh(FILL + "rm -rf /var/backups/*; mkdir -p /var/backups/db; chmod 700 /var/backups/db")
    return both


def look(lab: Lab, *, later: timedelta = timedelta()) -> dict[str, Finding]:
    found = assess_host(
        lab.collect(),
        [catalog.control(c) for c in CONTROLS],
        grade=2,
        at=datetime.now(UTC) + later,
        attached={"data-inventory": DATABASE.encode()},
    )
    return {f.control: f for f in found}


def fresh(lab: Lab, *, later: timedelta = timedelta()) -> Finding:
    return look(lab, later=later)["backup.fresh"]


OUT = "/var/backups/db/shop-$(date +%F)"
GOOD = {
    "file": f"mariadb-dump --no-defaults shop >{OUT}.sql",
    "result-file": f"mariadb-dump --no-defaults --result-file={OUT}.sql shop",
    "gzip": f"mariadb-dump --no-defaults --single-transaction shop | gzip >{OUT}.sql.gz",
    "zstd": f"mariadb-dump --no-defaults shop | zstd -q -o {OUT}.sql.zst",
    "all": "mariadb-dump --no-defaults --all-databases | gzip >/var/backups/db/all-$(date +%F).sql.gz",
    "mysqldump": f"mysqldump --no-defaults --databases shop news | xz -0 >{OUT}.sql.xz",
}


@pytest.mark.parametrize("command", GOOD.values(), ids=GOOD)
def test_a_dump(lab: Lab, command: str) -> None:
    if not shutil.which("mysqldump"):
        command = command.replace("mysqldump", "mariadb-dump")
    lab.job(command)
    found = look(lab)
    assert found["backup.jobs"].result is Result.PASS
    assert found["backup.fresh"].result is Result.PASS, found["backup.fresh"].message.en
    old = fresh(lab, later=timedelta(hours=25))
    assert (old.result, old.reason) == (Result.FAIL, "stale")


def test_another_database(lab: Lab) -> None:
    lab.job("mariadb-dump --no-defaults news >/var/backups/db/news.sql")
    found = look(lab)
    assert found["backup.jobs"].reason == "uncovered"
    assert found["backup.fresh"].reason == "no_job"


PACKERS = {
    "file": ("cat", "sql"),
    "gzip": ("gzip", "sql.gz"),
    "zstd": ("zstd -q", "sql.zst"),
    "xz": ("xz -0", "sql.xz"),
    "bzip2": ("bzip2", "sql.bz2"),
}


@pytest.mark.parametrize(("packer", "end"), PACKERS.values(), ids=PACKERS)
def test_the_dump_breaks_off_in_the_middle(lab: Lab, packer: str, end: str) -> None:
    """A view of a table that is gone: mariadb-dump ends there with status 2, the pipe with 0."""
    lab.sh(
        "mariadb --no-defaults -e 'create or replace view shop.last as select n from shop.kept;"
        " drop table shop.kept'"
    )
    lab.job(f"mariadb-dump --no-defaults shop | {packer} >{OUT}.{end}")
    lab.sh("mariadb --no-defaults -e 'drop view shop.last'")
    found = fresh(lab)
    assert (found.result, found.reason) == (Result.FAIL, "failed"), found.message.en
    assert "ends before its last line" in found.message.en


@pytest.mark.parametrize(
    ("packer", "end"),
    [v for k, v in PACKERS.items() if k != "file"],
    ids=[k for k in PACKERS if k != "file"],
)
def test_the_packer_was_killed(lab: Lab, packer: str, end: str) -> None:
    lab.job(f"mariadb-dump --no-defaults shop | {packer} >{OUT}.{end}")
    lab.sh(f"truncate -s -2000 {OUT}.{end}")
    found = fresh(lab)
    assert (found.result, found.reason) == (Result.FAIL, "failed"), found.message.en
    assert "does not unpack to its end" in found.message.en


SEALERS = {
    "openssl": ("openssl enc -aes-256-cbc -pbkdf2 -kfile /etc/hostname", "sql.enc"),
    "gzip and gpg": (
        "gzip | gpg --homedir /root --batch --passphrase-file /etc/hostname -qc --cipher-algo AES256",
        "sql.gz.gpg",
    ),
}


@pytest.mark.parametrize(
    ("packer", "end"), [*PACKERS.values(), *SEALERS.values()], ids=[*PACKERS, *SEALERS]
)
def test_nobody_could_log_in(lab: Lab, packer: str, end: str) -> None:
    lab.job(f"mariadb-dump --no-defaults -u nobody -pwrong shop | {packer} >{OUT}.{end}")
    found = fresh(lab)
    assert found.result is Result.FAIL, found.message.en
    assert found.reason == "empty", found.message.en


_COPIES = [t for t in ("mariadb-backup",) if shutil.which(t, path="/usr/bin:/usr/sbin") is None]
physical = pytest.mark.skipif(bool(_COPIES), reason="no mariadb-backup here")
COPY = (
    "mariadb-backup --no-defaults --backup --user=root --datadir=/var/lib/mysql"
    " --socket=/run/mysqld/mysqld.sock"
)


@physical
def test_a_physical_copy(lab: Lab) -> None:
    lab.job(f"{COPY} --target-dir=/var/backups/db/full-$(date +%F) >/var/log/full 2>&1")
    found = look(lab)
    assert found["backup.jobs"].result is Result.PASS
    assert found["backup.fresh"].result is Result.PASS, found["backup.fresh"].message.en
    old = fresh(lab, later=timedelta(hours=25))
    assert (old.result, old.reason) == (Result.FAIL, "stale")


@physical
def test_a_physical_copy_as_a_stream(lab: Lab) -> None:
    lab.job(
        f"{COPY} --stream=xbstream 2>/var/log/full | gzip >/var/backups/db/full-$(date +%F).xb.gz"
    )
    found = fresh(lab)
    assert found.result is Result.PASS, found.message.en


@physical
def test_a_physical_copy_broke_off(lab: Lab) -> None:
    """Yesterday's is there, today's was killed: the folder has data, and not what ends it."""
    lab.job(
        f"{COPY} --target-dir=/var/backups/db/full-$(date -d yesterday +%F) >/var/log/full 2>&1",
        name="first",
    )
    lab.sh("rm /etc/cron.d/first; find /var/backups/db -type f -exec touch -d '26 hours ago' {} +")
    lab.job(f"{COPY} --target-dir=/var/backups/db/full-$(date +%F) >/var/log/full 2>&1")
    lab.sh("ls -la /var/backups/db/full-*; rm -f /var/backups/db/full-$(date +%F)/*_checkpoints")
    found = fresh(lab)
    assert found.result is Result.FAIL, found.message.en
