"""What people's logs say stays on the host, also where it stands in the place of something known."""

from __future__ import annotations

import re
import subprocess

import pytest

from collector.facts.logs.applications.rotation import READS as ROTATION
from collector.facts.logs.records.masking import MASKING
from collector.facts.security.detector_state import READS as DETECTORS
from collector.facts.system.services import READS as SERVICES
from collector.facts.system.updates import READS as UPDATES
from tests.masked import redacted


def _masked(line: str, web: bool = False) -> str:
    done = subprocess.run(
        ["awk", "-v", f"W={int(web)}", MASKING + "{ print mask($0, W) }\n"],
        input=line + "\n",
        capture_output=True,
        text=True,
        check=True,
        env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"},
    )
    return done.stdout


@pytest.mark.parametrize(
    "line",
    [
        "2026-11-28 18:00:00 apikey secret001-Ab9: rejected",
        "2026-11-28 18:00:01 INFO secret.name@example.com: password changed",
        "2026-11-28 18:00:02 reset secret002hunter2: used",
        "2026-11-28 18:00:02 ERROR secretname: not found",
        "<13>1 2026-11-28T18:00:03Z h secret004pass: x",
        "[worker] session=5f4dcc3b5aa765d61d8327deb882cf99:1732790000:ab12 ok",
        "ntlm x:500:5f4dcc3b5aa765d61d8327deb882cf99:31d6cfe0d16ae931b73c59d7e0c089c0:::",
        "psk deadbeefcafe5f4dcc3b5aa765d61d8327deb882cf99:feedface: x",
    ],
)
def test_no_word_of_it_leaves(line: str) -> None:
    said = _masked(line)
    assert "secret" not in said
    assert "5f4dcc3b" not in said


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        (
            "Nov 28 18:00:00 web sshd[123]: Accepted publickey for ops from 2001:db8::7 port 22",
            "sshd[123]: Accepted publickey for o** from 2001:db8:* port 22",
        ),
        ("2026-11-28T18:00:00.1+08:00 web systemd-logind[7]: New session", "systemd-logind[7]: "),
        ("Nov 28 18:00:00 web kernel: x", "kernel: x"),
        ("Nov 28 18:00:00 web ansible-ansible.legacy.command: x", "legacy.command: x"),
        ("Nov 28 18:00:00 web python3: x", "python3: x"),
        ("from fe80::1:2:3:4 port 1", "from fe80::* port 1"),
        ("from ::ffff:198.51.100.7 port 1", "from ::ffff:198.51.*.* port 1"),
    ],
)
def test_its_form_stays(line: str, kept: str) -> None:
    assert kept in _masked(line)


def test_numbers_of_a_web_log_are_those_of_the_request() -> None:
    body = r"{\"mobile\":\"13800138000\",\"code\":\"482913\",\"password\":\"654321\"}"
    said = _masked(
        f'{{"ip":"1.2.3.4","body":"{body}","status":"200","bytes":1234,"pin":4821,"time":"0.123"}}',
        web=True,
    )
    for secret in ("482913", "654321", "4821", "13800138000"):
        assert secret not in said
    for kept in ('"status":"200"', '"bytes":1234', '"time":"0.123"', '"ip":"1.2.*.*"'):
        assert kept in said
    line = '1.2.3.4 - - [28/Nov/2026:18:00:00 +0800] "GET /x HTTP/1.1" 200 1234 "-" "curl/8"'
    assert '"GET /x HTTP/1.1" 200 1234' in _masked(line, web=True)


def test_arguments_that_a_rootkit_hunter_lists() -> None:
    (read,) = (r for r in DETECTORS if r.id == "detectors.state")
    found = re.search(r"^u='([^']*)'$", read.body, re.MULTILINE)
    assert found is not None
    lines = (
        "! root         1234 pts/0  mysql -uroot -pSECRET1 -h db\n"
        "! app          1235 pts/1  sshpass -p SECRET2 ssh root@h\n"
        "! app          1236 pts/1  redis-cli AUTH SECRET3\n"
        "[10:00:00] Warning: Process '/opt/x --password SECRET4' (PID 3) is listening\n"
        "Warning: Possible rootkit: /usr/lib/.x-y\n"
    )
    said = redacted(found[1], lines.encode()).decode()
    assert "SECRET" not in said
    for kept in ("pts/0  mysql\n", "pts/1  sshpass\n", "Process '/opt/x", "rootkit: /usr/lib/.x-y"):
        assert kept in said


def test_the_token_of_a_private_archive() -> None:
    (read,) = (r for r in UPDATES if r.id == "updates.apt")
    assert read.redact is not None
    lists = "/var/lib/apt/lists/"
    lines = (
        f"file {lists}dl.example.io_Tok3n001AbCd_Tok3n002AbCd_acme_deb_debian_dists_trixie_InRelease\n"
        f"file {lists}x_0f8fad5b-d9cb-469f-a165-70867728950e_ubuntu_dists_noble_InRelease\n"
        f"file {lists}security.debian.org_debian-security_dists_trixie-security_InRelease\n"
        "Origin: Debian\n"
    )
    said = redacted(read.redact, lines.encode()).decode()
    assert "Tok3n" not in said
    assert "0f8fad5b" not in said
    assert said.endswith("".join(lines.splitlines(keepends=True)[2:]))


def test_the_description_of_a_unit_is_nobodys() -> None:
    (read,) = (r for r in SERVICES if r.id == "services.units")
    assert read.redact is not None
    lines = (
        'nightly.service loaded failed failed [systemd-run] /bin/sh -c "mysqldump -pSECRET db"\n'
        "● ssh.service             loaded active   running OpenBSD Secure Shell SECRET\n"
        "cron.service loaded active running\n"
        "  user@0.service loaded active running SECRET\n"
        # the description that systemd-run made of a script goes on in lines of its own
        "run-u7.service loaded active running /usr/bin/python3 -c\n"
        "                                     import socket\n"
        "password = 'SECRET'; loaded = True\n"
        "odd.service unheard-of active running SECRET\n"
    )
    said = redacted(read.redact, lines.encode()).decode()
    assert "SECRET" not in said
    assert [line.split()[-4:] for line in said.splitlines()] == [
        ["nightly.service", "loaded", "failed", "failed"],
        ["ssh.service", "loaded", "active", "running"],
        ["cron.service", "loaded", "active", "running"],
        ["user@0.service", "loaded", "active", "running"],
        ["run-u7.service", "loaded", "active", "running"],
        # what begins as a unit is not left out: it is not understood
        ["odd.service", "?"],
    ]


def test_what_stands_in_properties_of_a_logger() -> None:
    (read,) = (r for r in ROTATION if r.id == "app_rotation.rules")
    assert read.redact is not None
    lines = (
        '/a/log4j2.xml:<Properties><Property name="pw">SECRET1</Property>'
        '<Property name="lark" value="SECRET2"/></Properties>\n'
        "/a/log4j2.xml:<Property name=\"X-Api-Key\" value='SECRET3' />\n"
        '/a/logback.xml:<variable name="x" value="SECRET4"/>\n'
        "/etc/postgresql/16/main/postgresql.conf:include_dir 'conf.d' # SECRET5\n"
        '/a/logback.xml:<property name="LOG_HOME" value="/srv/app/logs"/>\n'
        '/a/log4j2.xml:<Property name="size">100MB</Property>\n'
        '/a/logback.xml:<property name="days" value="180"/>\n'
        '/a/log4j2.xml:<Property name="dir">${sys:app.home}/logs</Property>\n'
    )
    said = redacted(read.redact, lines.encode()).decode()
    assert "SECRET" not in said
    for kept in ('"/srv/app/logs"', ">100MB<", '"180"', "${sys:app.home}/logs", "'conf.d'"):
        assert kept in said


@pytest.mark.parametrize("web", [False, True])
@pytest.mark.parametrize(
    "line",
    [
        "x pid=13812345678 uid=110101199003071234 ses=6222021234567890123",
        "user port 6222021234567890123 uid 13812345678",
        "order [13812345678] card [6222021234567890123]",
        '{"user_size": 13812345678, "time": 110101199003071234, "status":6222021234567890123}',
        "port=13812345678 status=110101199003071234",
    ],
)
def test_numbers_of_people_are_none_of_processes(line: str, web: bool) -> None:
    said = _masked(line, web)
    assert re.findall(r"\d{6,}", said) == []


def test_numbers_of_processes_and_accounts_stay() -> None:
    line = "type=LOGIN pid=4194304 uid=4294967295 ses=4294967295 x[4194304]: port 65535"
    assert _masked(line) == line + "\n"


@pytest.mark.parametrize("name", ["zhangsan", "secret_key1", "ip_zhangsan"])
def test_names_of_members_that_are_not_listed_are_masked(name: str) -> None:
    said = _masked(f'{{"{name}":"x","remoteAddr":"y","request_uri":"/z","user_agent":1}}', web=True)
    assert name not in said
    assert '"remoteAddr":' in said
    assert '"request_uri":' in said
    assert '"user_agent":' in said
