"""Where copies really go and who may read them: restic, borg, rsync, gpg, PostgreSQL, sshd.

Each job here ran, and each copy lies where it is said to lie, on this host or on the other one.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

from collector.model import Finding, Result
from tests.facts.backuplab import INVENTORY, Lab, missing

pytestmark = pytest.mark.skipif(bool(missing()), reason=f"not here: {missing()}")

FAR = "sftp:root@vault:/mnt/r"
KEY = "/etc/restic/pw"
DATABASE = INVENTORY.replace(
    "{name: files, kind: path, path: /srv/data, category: 合同",
    "{name: shop, kind: database, engine: postgresql, path: /var/lib/postgresql/main, category: 订单",
)
POSTGRES = r"""
B=$(ls -d /usr/lib/postgresql/*/bin | tail -n 1); D=/var/lib/postgresql/main; cd /
mkdir -p "$D" /run/postgresql; chown postgres "$D" /run/postgresql
P="setpriv --reuid postgres --regid postgres --clear-groups"
$P "$B/initdb" -D "$D" -A trust >/dev/null
printf "unix_socket_directories='/run/postgresql'\nlisten_addresses='*'\nfsync=off\n" \
  >>"$D/postgresql.conf"
printf 'host replication all 10.77.0.2/32 trust\n' >>"$D/pg_hba.conf"
$P "$B/pg_ctl" -D "$D" -l "$D/log" -w start >/dev/null 2>&1
$P psql -q -c 'create database shop' postgres
$P psql -q -c 'create table t as select generate_series(1, 5000) n' shop
"""
FOLLOWER = r"""
mkdir -p /mnt/wal; chown postgres /mnt/wal; cd /
B=$(ls -d /usr/lib/postgresql/*/bin | tail -n 1)
setsid setpriv --reuid postgres --regid postgres --clear-groups "$B/pg_receivewal" \
  -h 10.77.0.1 -D /mnt/wal --synchronous >/dev/null 2>&1 </dev/null &
"""


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with Lab(tmp_path_factory.mktemp("backup")) as lab:
        yield lab


@pytest.fixture
def lab(both: Lab) -> Lab:
    both.forget()
    both.put(KEY, "geheim")
    return both


def restic(repository: str, *, initial: bool = True) -> str:
    return (
        f"export RESTIC_REPOSITORY={repository} RESTIC_PASSWORD_FILE={KEY}\n"
        f"{'restic -q init' if initial else ':'}\nrestic -q backup /srv/data\n"
    )


def told(found: dict[str, Finding]) -> tuple[str, str]:
    return found["backup.offsite"].reason, found["encryption.backups"].reason


def test_restic_on_another_host_and_its_key(lab: Lab) -> None:
    """The host as it should be, and then one thing wrong at a time: each turns its control alone."""
    lab.job(restic(FAR) + lab.report(repository=FAR))
    assert "config" in lab.sh("ls /mnt/r", host="vault")
    assert {k: str(f.result) for k, f in lab.look().items()} == dict.fromkeys(
        ("backup.offsite", "encryption.backups", "backup.jobs", "backup.fresh"), "pass"
    )
    lab.sh(f"chmod 644 {KEY}")
    found = lab.look()
    assert told(found) == ("offsite", "key_readable")
    assert f"{KEY} (0644)" in found["encryption.backups"].message.en
    # a folder that is closed today does not mend it
    lab.sh("chmod 700 /etc/restic")
    assert told(lab.look())[1] == "key_readable"
    lab.sh(f"chmod 600 {KEY}; chmod 755 /etc/restic; chown 33 {KEY}")
    assert "uid 33" in lab.look()["encryption.backups"].message.en


def test_restic_beside_its_data(lab: Lab) -> None:
    lab.job(restic("/srv/backup/restic"))
    found = lab.look()
    assert told(found) == ("same_disk", "protected")
    assert "/srv/backup/restic" in found["backup.offsite"].message.en
    # by another path, by a link, on another disk
    lab.sh("mkdir -p /mnt/b; mount --bind /srv/backup /mnt/b; ln -s /srv/backup /mnt/l")
    for path, reason in (
        ("/mnt/b/restic", "same_disk"),
        ("/mnt/l/restic", "same_disk"),
        ("/mnt/disk/restic", "same_host"),
    ):
        lab.job(restic(path), runs=path.startswith("/mnt/disk"))
        found = lab.look()
        assert told(found) == (reason, "protected")
        assert path in found["backup.offsite"].message.en
    # what the report claims is seen to be false
    lab.job(restic("/srv/backup/restic", initial=False) + lab.report(offsite=True))
    assert told(lab.look())[0] == "same_disk"


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "10.77.0.1", "shop", "far"])
def test_a_target_that_is_this_host(lab: Lab, host: str) -> None:
    lab.sh("printf 'Host far\\n HostName 10.77.0.1\\n' >>/root/.ssh/config")
    assert lab.sh("ssh -G far | grep ^hostname").split() == ["hostname", "10.77.0.1"]
    lab.job(restic(f"sftp:root@{host}:/r"), runs=False)
    found = lab.look()["backup.offsite"]
    assert (found.reason, found.result) == ("same_host", Result.FAIL)


def test_rsync_to_another_host(lab: Lab) -> None:
    """Plain files there; without a report nothing shows that they came there."""
    lab.job("rsync -a /srv/data/ root@vault:/mnt/v/")
    assert "contracts" in lab.sh("ls /mnt/v", host="vault")
    found = lab.look()
    assert told(found) == ("untold", "plain")
    assert "vault:/mnt/v/ [rsync" in found["encryption.backups"].message.en
    lab.job("rsync -a /srv/data/ root@vault:/mnt/v/\n" + lab.report(repository="root@vault:/mnt/v"))
    assert told(lab.look()) == ("offsite", "plain")
    lab.job(
        "rsync -a /srv/data/ root@vault:/mnt/v/\n"
        + lab.report(repository="root@vault:/mnt/v", encrypted=True)
    )
    assert told(lab.look()) == ("offsite", "attested")


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("repokey-blake2", "protected"),
        ("keyfile", "protected"),
        ("none", "plain"),
        ("authenticated", "plain"),
    ],
)
def test_borg_over_ssh(lab: Lab, kind: str, reason: str) -> None:
    """Its own record of the last archive is proof of the transfer; the kind of key shows here."""
    lab.job(
        f'export BORG_REPO=ssh://root@vault/mnt/b BORG_PASSCOMMAND="cat {KEY}"\n'
        f"borg init -e {kind} 2>/dev/null\nborg create ::a /srv/data"
    )
    assert told(lab.look()) == ("offsite", reason)
    if kind == "keyfile":
        lab.sh("chmod 644 /root/.config/borg/keys/*")
        assert "/root/.config/borg/keys/" in lab.look()["encryption.backups"].message.en


@pytest.mark.parametrize(
    ("pack", "name", "reason"),
    [
        ("cat", "a.tar", "plain"),
        ("gzip", "a.tar.gz", "plain"),
        ("xz", "a.tar.xz", "plain"),
        ("zstd -q", "a.tar.zst", "plain"),
        ("cat", "a.tar.gpg", "plain"),
        ("gpg --batch -q --trust-model always -r backup@shop -e", "a.tar.gpg", "protected"),
        (f"gpg --batch -q --passphrase-file {KEY} -c", "a.tar.gpg", "protected"),
        (f"gpg --batch -q --passphrase-file {KEY} -a -c", "a.tar.gpg", "protected"),
        (f"openssl enc -aes-256-cbc -pbkdf2 -pass file:{KEY}", "a.tar.enc", "protected"),
        (f"openssl enc -sm4-ctr -pbkdf2 -pass file:{KEY} | gzip", "a.tar.gz", "plain"),
    ],
)
def test_what_a_file_begins_with(lab: Lab, pack: str, name: str, reason: str) -> None:
    """By what the real program wrote, whatever the file is called."""
    tool = pack.partition(" ")[0]
    if not shutil.which(tool):
        pytest.skip(f"there is no {tool} here")
    lab.sh(
        "[ -d /root/.gnupg ] || gpg --batch --passphrase '' --quick-gen-key backup@shop default"
        " default 2>/dev/null"
    )
    lab.job(f"mkdir -p /srv/backup\ntar -c -C /srv data | {pack} >/srv/backup/{name}")
    found = lab.look()["encryption.backups"]
    assert found.reason == reason, found.message.en


def test_modes_of_a_dump(lab: Lab) -> None:
    pack = f"gpg --batch -q --passphrase-file {KEY} -c"
    lab.job(f"mkdir -p /srv/backup\ntar -c -C /srv data | {pack} >/srv/backup/a.tar.gpg")
    for change, reason in (
        (":", "protected"),
        ("chmod 644 /srv/backup/*; chmod 755 /srv/backup", "readable"),
        ("chmod 700 /srv/backup", "protected"),
        ("chmod 755 /srv/backup; chmod 640 /srv/backup/*", "protected"),
        ("usermod -aG backup games; chgrp backup /srv/backup/*", "readable"),
        ("chmod 600 /srv/backup/*", "protected"),
    ):
        lab.sh(change)
        found = lab.look()["encryption.backups"]
        assert found.reason == reason, f"{change}: {found.message.en}"


def test_a_password_in_a_script(lab: Lab) -> None:
    script = restic(FAR).replace(f"RESTIC_PASSWORD_FILE={KEY}", "RESTIC_PASSWORD=geheim")
    lab.job(script + lab.report(repository=FAR))
    found = lab.look()
    assert told(found) == ("offsite", "key_readable")
    assert "/usr/local/bin/nightly (0755)" in found["encryption.backups"].message.en
    assert "geheim" not in repr(lab.collect())
    lab.sh("chmod 700 /usr/local/bin/nightly")
    assert told(lab.look()) == ("offsite", "protected")


def test_postgresql(lab: Lab) -> None:
    """A dump in the clear; one that restic takes; a follower on the other host, in real time."""
    lab.sh(POSTGRES)
    as_user = "setpriv --reuid postgres --regid postgres --clear-groups"
    lab.job(f"umask 022\nmkdir -p /srv/backup\n{as_user} pg_dump shop >/srv/backup/shop.sql")
    found = lab.look(inventory=DATABASE)
    assert told(found) == ("same_host", "several")
    assert "/srv/backup/shop.sql (0644)" in found["encryption.backups"].message.en
    lab.forget()
    lab.put(KEY, "geheim")
    lab.job(
        f"mkdir -p /var/backups/shop\n{as_user} pg_dump -Fc shop >/var/backups/shop/shop.dump\n"
        + restic(FAR).replace("/srv/data", "/var/backups/shop")
        + lab.report(repository=FAR).replace("/srv/data", "shop")
    )
    assert told(lab.look(inventory=DATABASE)) == ("offsite", "protected")
    report = "/var/lib/hostpledge/backup/n.json"
    lab.sh(f'sed -i \'s/"finished": "[^"]*"/"finished": "2026-01-01T00:00:00Z"/\' {report}')
    found = lab.look(inventory=DATABASE)
    assert told(found) == ("stale", "protected")
    assert "2026-01-01" in found["backup.offsite"].message.en
    lab.sh(
        "/usr/local/bin/nightly || :; " + lab.report(repository=FAR).replace("/srv/data", "shop")
    )
    assert told(lab.look(inventory=DATABASE)) == ("offsite", "protected")
    lab.sh(FOLLOWER, host="vault")
    for _ in range(20):
        state = lab.collect().read("replication.state").text()
        if "streaming" in state:
            break
    lab.sh(f"rm {report}")
    found = lab.look(inventory=DATABASE, grade=3)
    assert told(found) == ("realtime", "protected"), state
    assert "10.77.0.2" in found["backup.offsite"].message.en


def test_no_backup_at_all(lab: Lab) -> None:
    found = lab.look()
    assert found["backup.offsite"].reason == "no_copy"
    assert found["encryption.backups"].result is Result.NOTAPPLICABLE
