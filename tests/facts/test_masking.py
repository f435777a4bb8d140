"""Secrets in command lines and settings are masked by the host's own sed."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from collector.facts.base.redaction import ERRORS, MASK

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


_COMPLAINTS = [
    '/etc/ssh/sshd_config line 3: keyword SetEnv extra arguments at end of line "geheim"',
    '/etc/ssh/sshd_config: line 3: garbage at end of line; "geheim".',
    "/etc/ssh/sshd_config: line 3: Bad configuration option: geheim",
    "my_print_defaults: [ERROR] Found option in /etc/my.cnf at line 1: geheim",
    "yaml: unmarshal errors: cannot unmarshal !!str `geheim` into int",
    "Error loading bouncer: api_key: geheim",
]
_SAID = [
    "cat: /etc/secret: Permission denied",
    "Unable to load host key: /etc/ssh/ssh_host_rsa_key",
    'nginx: [emerg] open() "/etc/nginx/nginx.conf" failed (13: Permission denied)',
    "System has not been booted with systemd as init system (PID 1). Can't operate.",
    "You must be root to run this program.",
    "Error sending status request (Operation not permitted)",
]


@pytest.mark.parametrize("sed", SEDS, ids=lambda s: s[0])
def test_what_a_program_quotes_of_a_line_does_not_leave(sed: list[str]) -> None:
    said = _mask(sed, "\n".join(_COMPLAINTS), ERRORS)
    assert "geheim" not in said
    assert said.count("***") == len(_COMPLAINTS)
    assert _mask(sed, "\n".join(_SAID), ERRORS).splitlines() == _SAID


def _mask(sed: list[str], line: str, program: str = MASK) -> str:
    out = subprocess.run(
        [*sed, "-e", program], input=line + "\n", text=True, capture_output=True, check=False
    )
    assert out.returncode == 0, out.stderr
    return out.stdout
