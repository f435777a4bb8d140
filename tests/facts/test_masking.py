"""Secrets in command lines and settings are masked by the host's own sed."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from collector.facts.base.redaction import MASK

SEDS = [["sed"], *([["busybox", "sed"]] if shutil.which("busybox") else [])]

SECRET = [
    "0 3 * * * root PGPASSWORD=geheim pg_dump -h db shop",
    "mysqldump -uroot -pgeheim --all-databases",
    "mysqldump -u root -p'ge heim geheim' shop",
    'mysqldump -u root -p"geheim" shop',
    "$MYSQL -u root -pgeheim -e status",
    "mysqldump --password=geheim shop",
    "mysqldump --password geheim shop",
    "mysqldump --password='x geheim' shop",
    "restic -r rest:https://bak:geheim@host:8000/ backup /srv",
    "restic -r rest:https://bak:ge/h@geheim@host:8000/ backup /srv",
    "export RESTIC_PASSWORD='geheim",
    'RESTIC_PASSWORD="a geheim',
    "encryption_passphrase: geheim",
    'encryption_passphrase: "two words geheim"',
    "curl -s -u admin:geheim https://host/",
    "curl -H 'Authorization: Bearer geheim' https://host/",
    "sshpass -p geheim rsync -a /srv bak@nas:/",
    "openssl enc -aes-256-cbc -pass pass:geheim -in x",
    "openssl enc -aes-256-cbc -k geheim -in x",
    "mongodump --uri mongodb://root:geheim@localhost/ --gzip",
    "redis-cli -a geheim --rdb /backup/dump.rdb",
    "zip -r -P geheim /backup/x.zip /srv",
    "AWS_SECRET_ACCESS_KEY=geheim aws s3 cp x s3://b/",
    '"api_token": "geheim",',
    "ExecStart={ path=/usr/bin/x ; argv[]=/usr/bin/x --token geheim run ; }",
    "-----BEGIN OPENSSH PRIVATE KEY-----\ngeheim\n-----END OPENSSH PRIVATE KEY-----",
]

KEPT = [
    "17 * * * * root cd / && run-parts --report /etc/cron.hourly",
    "0 3 * * * root tar -czf /backup/etc.tgz /etc",
    "0 3 * * * root rsync -a --delete /srv/data/ bak@nas:/srv/",
    "restic -r /srv/repo --password-file /etc/restic/password backup /srv/data",
    "TimersCalendar={ OnCalendar=*-*-* 06:00:00 ; next_elapse=Wed 2026-11-25 06:00:00 UTC }",
    "pg_dump -Fc -f /backup/shop.dump shop",
]


@pytest.mark.parametrize("sed", SEDS, ids=lambda s: s[0])
@pytest.mark.parametrize("line", SECRET)
def test_secret_does_not_leave(sed: list[str], line: str) -> None:
    assert "geheim" not in _mask(sed, line)


@pytest.mark.parametrize("sed", SEDS, ids=lambda s: s[0])
@pytest.mark.parametrize("line", KEPT)
def test_what_is_no_secret_stays(sed: list[str], line: str) -> None:
    assert _mask(sed, line) == line + "\n"


def _mask(sed: list[str], line: str) -> str:
    out = subprocess.run(
        [*sed, "-e", MASK], input=line + "\n", text=True, capture_output=True, check=False
    )
    assert out.returncode == 0, out.stderr
    return out.stdout
