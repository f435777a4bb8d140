"""People's text: only listed words leave a host, and what judges need is among them."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from collector import catalog
from collector.assess import assess_host
from collector.facts.base.listed_words import LOGS, logs_program, words_program
from collector.facts.data.database_access_read import HBA as _HBA
from collector.model import Capture, ReadStatus, Text, command
from collector.resources import package_text
from collector.script import collector_script, parse_output
from tests import cases, masked
from tests.masked import AWKS, redacted
from tests.planted_forms import FOREIGN, HBA, MORE_FORMS, NUMBERS
from tests.planted_forms import SETTINGS as FORMS
from tests.planted_more import MORE
from tests.planted_reads import READS as PICKED_FORMS
from tests.planted_words import LOOKS, TEXTS, leaked, planted
from tests.read_kinds import DOCUMENTS, PEOPLE, SETTINGS, UNMASKED
from tests.test_script import SHELLS


def _run(shell: str, script: str) -> bytes:
    argv = SHELLS[shell]
    if shutil.which(argv[0]) is None:
        pytest.skip(f"no {argv[0]} here")
    done = subprocess.run(argv, input=script.encode(), capture_output=True, timeout=120, check=True)
    assert done.stderr == b""
    return done.stdout


def _is_people(read: str) -> bool:
    return catalog.all_reads()[read].redact.startswith("#words ")


def test_each_read_is_of_one_kind() -> None:
    """A new read has to say what its text is: whoever adds it decides it in `read_kinds`."""
    kinds = [PEOPLE, SETTINGS, set(UNMASKED), DOCUMENTS]
    reads = set(catalog.all_reads())
    assert reads == set().union(*kinds), reads ^ set().union(*kinds)
    assert sum(map(len, kinds)) == len(reads)
    assert {id for id in reads if _is_people(id)} == PEOPLE


def test_each_read_is_masked_or_says_why_it_need_not_be() -> None:
    assert {id for id, read in catalog.all_reads().items() if not read.redact} == set(UNMASKED)


_TEXTS = [
    *TEXTS.items(),
    *MORE.items(),
    *MORE_FORMS.items(),
    *(("script", text) for text in FOREIGN),
]


@pytest.mark.parametrize("awk", AWKS, ids=" ".join)
@pytest.mark.parametrize(("mode", "form"), _TEXTS, ids=[m for m, _ in _TEXTS])
def test_no_planted_word_is_let_through(awk: list[str], mode: str, form: str) -> None:
    """Every form with words of every look."""
    for turn in range(len(LOOKS)):
        text, secrets = planted(form, turn)
        said = redacted(f"#words {mode}", text.encode(), awk=awk).decode()
        assert [s for s in secrets if leaked(s, said)] == []


@pytest.mark.parametrize("awk", AWKS, ids=" ".join)
@pytest.mark.parametrize("mode", ["script", "tab"])
def test_no_long_number_of_a_name_is_let_through(awk: list[str], mode: str) -> None:
    """Codes of six digits: ADMIN is no `min`, REPORT no `port`."""
    lines = [x for x in NUMBERS.splitlines() if mode == "script" or re.match(r"[A-Z_]+=", x)]
    said = redacted(f"#words {mode}", "\n".join(lines).encode(), awk=awk).decode()
    assert [x for x in re.findall(r"[0-9]{5,}", "\n".join(lines)) if x in said] == []


@pytest.mark.parametrize(
    "name", ["KEEP_DAYS", "KEEPDAYS", "retention", "MAX_DAYS", "days", "TMOUT"]
)
def test_numbers_that_judges_need_stay(name: str) -> None:
    assert redacted("#words script", f"{name}=1800\n".encode()) == f"{name}=1800\n".encode()


_FORMS = FORMS | {read: FORMS.get(read, "") + text for read, text in PICKED_FORMS.items()}


@pytest.mark.parametrize("sed", [["sed"], ["busybox", "sed"]], ids=" ".join)
@pytest.mark.parametrize("read", _FORMS)
def test_settings_keep_them_back(sed: list[str], read: str) -> None:
    if shutil.which(sed[0]) is None:
        pytest.skip(f"no {sed[0]} here")
    for turn in range(len(LOOKS)):
        text, secrets = planted(_FORMS[read], turn)
        said = redacted(catalog.all_reads()[read].redact, text.encode(), sed=sed).decode()
        assert [s for s in secrets if leaked(s, said)] == []


@pytest.mark.parametrize("awk", AWKS, ids=" ".join)
def test_options_of_pg_hba_leave_by_name_only(awk: list[str]) -> None:
    for turn in range(len(LOOKS)):
        text, secrets = planted(HBA, turn)
        said = subprocess.run([*awk, _HBA], input=text.encode(), capture_output=True, check=True)
        shown = said.stdout.decode()
        assert [s for s in secrets if leaked(s, shown)] == []
        assert "local all all peer\n" in shown
        assert "10.0.0.0 255.0.0.0 radius radiusservers=*** radiussecrets=***\n" in shown
        assert 'host "my db",x all,+grp 10.0.0.0/8 ldap ldapurl=***\n' in shown
        assert shown.endswith("host all all 0.0.0.0/0 trust\n")


def test_so_many_are_planted() -> None:
    assert sum(len(planted(text)[1]) for _, text in _TEXTS) >= 500


@cache
def _through(program: str, data: bytes) -> bytes:
    return redacted(program, data)


def _seen(capture: Capture, masked_reads: frozenset[str] | set[str] = PEOPLE) -> Capture:
    """The capture as a host with today's script would have made it."""
    reads = dict(capture.reads)
    for id in masked_reads & set(reads):
        program, read = catalog.all_reads()[id].redact, reads[id]
        reads[id] = replace(
            read,
            stdout=_through(program, read.stdout),
            files=tuple(replace(f, data=_through(program, f.data)) for f in read.files),
        )
    return replace(capture, reads=reads)


def _concerned(family: str) -> list[Path]:
    files = [p for p in cases.case_files() if p.parent.parent.name == family]
    return [p for p in files if any(id in p.read_text("utf-8") for id in PEOPLE)]


@pytest.mark.parametrize("family", catalog.FAMILIES)
def test_judges_still_see_what_they_need(family: str) -> None:
    """Every case with people's text, masked as on a host, ends in the verdict in its name."""
    for path in _concerned(family):
        case = cases.load(path)
        seen = _seen(case.capture)
        if seen == case.capture:
            continue
        (found,) = assess_host(
            seen,
            [catalog.control(case.control)],
            grade=case.grade,
            at=case.at,
            attached=case.attached,
        )
        assert (found.result, found.reason) == (case.result, case.expect["reason"]), path


# Settings whose masks reach far: `ucredit` of PAM holds `cred`.
FAR_REACHING = frozenset(
    {
        "pam.files", "sshd.files", "sshd.effective", "syslog.rsyslog", "syslog.running",
        "syslog.syslog_ng", "log_shipping.state", "database_access.state", "crowdsec.state",
        "service_logs.open", "record_samples.lines", "processes.all", "backup_named.files",
        "backup_named.borg", "backup.borg", "backup.lists", "storage.mounts", "storage.space",
        "app_rotation.rules", "network.state", "schedules.sources", "platform.release",
        "mandatory.state", "stores.places",
        "clamav.state", "detectors.state", "defender.state", "replication.state",
        "bans.settings",
    }
)  # fmt: skip


@pytest.mark.parametrize("family", catalog.FAMILIES)
def test_judges_see_what_they_need_of_settings(family: str) -> None:
    files = [p for p in cases.case_files() if p.parent.parent.name == family]
    for path in files:
        if not any(id in path.read_text("utf-8") for id in FAR_REACHING):
            continue
        case = cases.load(path)
        seen = _seen(case.capture, FAR_REACHING)
        if seen == case.capture:
            continue
        (found,) = assess_host(
            seen,
            [catalog.control(case.control)],
            grade=case.grade,
            at=case.at,
            attached=case.attached,
        )
        assert (found.result, found.reason) == (case.result, case.expect["reason"]), path


# what stands behind an account may be what it logs in with; a period is one that crontab(5) knows
GONE = [
    ("script", 'databases="shop root hunter"'),
    ("script", 'hosts="web1 root hunter"'),
    ("settings", "databases: [shop, root, hunter]"),
    ("tab", 'DBS="shop sa hunter"'),
    ("tab", "@hunter root /usr/bin/true"),
    ("tab", "@daily hunter"),
    ("spool", "@daily hunter word"),
]


@pytest.mark.parametrize("awk", AWKS, ids=" ".join)
@pytest.mark.parametrize(("mode", "line"), GONE)
def test_no_word_behind_an_account_stays(awk: list[str], mode: str, line: str) -> None:
    assert "hunter" not in redacted(f"#words {mode}", line.encode() + b"\n", awk=awk).decode()


KEPT = [
    ("tab", "@reboot root /usr/bin/true"),
    ("script", 'databases="shop crm wiki"'),
    ("tab", "17 * * * * root cd / && run-parts --report /etc/cron.hourly"),
    ("tab", "0 3 * * * root tar -czf /backup/etc.tgz /etc"),
    ("tab", "0 3 * * * root rsync -a --delete /srv/data/ bak@nas:/srv/"),
    ("spool", "*/5 1-3 * jan,feb mon-fri /usr/local/bin/backup.sh > /var/log/backup.log 2>&1"),
    ("script", "restic -r /srv/repo --password-file /etc/restic/password backup /srv/data"),
    ("script", 'RSYNC_RSH="ssh -p 22" rsync -aP --delete /srv/ bak@nas:/srv/'),
    ("script", 'DBS="shop crm"; HOST=10.0.0.1:3306; DEST=nas:/backup; KEEP_DAYS=365'),
    ("script", "cd /backup && rm -f shop-*.sql.gz old.tar && unzip -q a.zip"),
    ("script", "pg_dump -Fc -f /backup/shop.dump shop"),
    ("tab", "0 2 * * * root export PGPORT=5433; pg_dump -Fc -f /backup/shop.dump shop"),
    ("script", "#!/bin/bash -eu"),
    ("script", "#!/usr/bin/env bash"),
    ("script", "#! /usr/bin/env -S bash -e"),
    ("script", "#!/bin/sh\r"),
    ("script", "sleep infinity; sleep 86400; sleep 3d; set -o noexec"),
    ("script", "trap 'rm -f \"$tmp\"; exit 1' ERR"),
    ("script", "mysqldump -uroot -h 127.0.0.1 --quick shop | gzip > /b/s-$(date +%F).gz"),
    ("script", "find /backup -name '*.gz' -mtime +180 -delete"),
    ("script", 'KEEP_DAYS=180; DEST="/backup/db"; DB=shop'),
    ("script", "su - postgres -c 'pg_dump shop' | gzip -9 > $DEST/shop.sql.gz"),
    ("script", "docker exec -i db pg_dump shop > /b/shop.sql"),
    ("script", "ssh -p 22 bak@nas 'tar czf - /srv/data' > /b/x.tgz || exit 1"),
    ("script", 'if [ $? -ne 0 ] && [ "$(id -u)" -eq 0 ]; then exit 1; fi'),
    ("script", "rclone sync /backup remote:bucket/backup --transfers 4"),
    ("script", "borg create root@vault:/mnt/repo::$(date +%s) /srv/data"),
    ("script", "pg_basebackup -D /b --dbname='port=5433 host=10.0.0.1 dbname=postgres'"),
    ("script", "pg_basebackup -D /b -d 'host=/run/postgresql port=5433'"),
    ("script", 'pg_dump --dbname="host=db1 port=6432 user=bak dbname=shop" -f /b/x.dump'),
    ("script", "duplicity /srv/data sftp://bak@nas//backup/srv"),
    ("script", "restic -r s3:https://s3.example.com/bucket/a backup /srv/data"),
    ("script", "restic -r rest:http://nas:8000/repo backup /srv"),
    ("script", "duplicity full /srv s3://bucket/backup"),
    ("script", "rsync -a /srv/ rsync://nas:873/module/srv"),
    ("sudo", "joe ALL=(root) NOPASSWD: /usr/bin/systemctl restart nginx, !/bin/su"),
    *(
        ("sudo", f"joe {line}")
        for line in (
            "ALL=(ALL) NOPASSWD:ALL", "ALL=(ALL)NOPASSWD:ALL", "ALL=NOPASSWD:ALL",
            "ALL=(ALL) PASSWD:ALL",
            "ALL=(ALL) NOPASSWD:SETENV:ALL", "ALL=(ALL) NOPASSWD:SETENV: ALL", "ALL=(ALL:ALL)ALL",
            "ALL=(ALL) NOPASSWD:!/bin/su,ALL", "w1=NOPASSWD:/usr/bin/x, PASSWD:/bin/y",
            "ALL=(ALL) NOPASSWD:OPS", "ALL = NOPASSWD:NOEXEC:/bin/vi",
            "ALL=(ALL) NOPASSWD:sudoedit /etc/x",
        )
    ),
    ("sudo", "Defaults:joe !authenticate, timestamp_timeout=15"),
    ("sudo", "Defaults timestamp_timeout=15, secure_path=/usr/bin:/bin, passwd_tries=3"),
    ("rotate", "    compressoptions -T0 -19 --rm"),
    ("rotate", "    rotate 26\n    create 0640 root adm\n    dateformat -%Y%m%d"),
    ("listed-log", "|[2026-11-25T01:00:00] /usr/bin/rsnapshot daily: completed successfully"),
]  # fmt: skip


@pytest.mark.parametrize("awk", AWKS, ids=" ".join)
@pytest.mark.parametrize(("mode", "line"), KEPT)
def test_what_is_no_secret_stays(awk: list[str], mode: str, line: str) -> None:
    assert redacted(f"#words {mode}", line.encode() + b"\n", awk=awk).decode() == line + "\n"


def _tokens(text: str, **given: object) -> list[str]:
    said = redacted("#words script", text.encode(), **given).decode()  # type: ignore[arg-type]
    return re.findall(r"\$_[0-9a-f]{8}", said)


@pytest.mark.parametrize("awk", AWKS, ids=" ".join)
def test_the_same_word_has_the_same_token(awk: list[str]) -> None:
    first, second, third = _tokens("/opt/x hunter2\n/opt/y hunter3 hunter2\n", awk=awk)
    assert (first, second) == (third, _tokens("/opt/z hunter3\n", awk=awk)[0])
    assert first != second


def test_tokens_are_alike_in_every_awk_and_differ_with_the_key() -> None:
    assert len({tuple(_tokens("/opt/x hunter2 秘密\n", awk=awk)) for awk in AWKS}) == 1
    assert _tokens("/opt/x hunter2\n") != _tokens("/opt/x hunter2\n", key="ab" * 32)


def test_a_line_without_an_end_stays_without() -> None:
    """cron leaves such a line out: a judge must see that."""
    assert redacted("#words tab", b"0 3 * * * root /x") == b"0 3 * * * root /x"
    assert redacted("#words tab", b"") == b""


def test_a_text_cut_on_its_way_is_no_text() -> None:
    done = subprocess.run(
        ["awk", words_program()],
        input=b"rm /x\n",
        capture_output=True,
        env={"PATH": "/usr/bin:/bin", "HP_MODE": "script", "HP_KEY": masked.KEY},
        check=False,
    )
    assert done.returncode == 3


@pytest.mark.parametrize("awk", AWKS, ids=" ".join)
@pytest.mark.parametrize("mode", LOGS)
def test_the_part_for_logs_says_what_the_whole_says(mode: str, awk: list[str]) -> None:
    """Over texts of all kinds, each line of which could be one of a log too."""
    text = b"".join(Path(file).read_bytes()[:60_000] for file in (__file__, masked.__file__))
    text += (
        b'| 2026-12-01 03:00:00 INFO secret\n{"schema": "x", "ok": true, "path": "rest:u:p@h"}\n'
    )
    text += b"1.5 host borg[1]: Archive consistency check complete, no errors\n"
    environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "HP_MODE": mode, "HP_KEY": masked.KEY}
    whole, part = (
        subprocess.run(
            [*awk, program], input=text + b".\n", capture_output=True, env=environment, check=True
        )
        for program in (words_program(), logs_program())
    )
    assert part.stdout == whole.stdout
    assert len(part.stdout) > 1000


def test_the_script_takes_the_part_for_the_same_texts() -> None:
    patterns = "|".join(f"*' {mode}'" for mode in LOGS)
    assert f"({patterns}) hp_x=$HP_LOGS;;" in package_text("script.sh")


def test_a_long_line_takes_no_long_time() -> None:
    began = time.perf_counter()
    redacted("#words script", b"a" * (1 << 18) + b" " + b"x y=" * (1 << 18))
    assert time.perf_counter() - began < 10


@pytest.mark.parametrize("shell", SHELLS)
def test_no_awk_means_nothing_is_shown(shell: str, tmp_path: Path) -> None:
    """A host whose awk cannot: the read ends as one that could not look."""
    tab = tmp_path / "tab"
    tab.write_text("0 3 * * * root /x hunter2\n")
    read = replace(catalog.all_reads()["schedules.tabs"], paths=(str(tab),))
    script = collector_script([read]).replace("\nBEGIN {", "\nBEGIN { exit 2", 1)
    result = parse_output(_run(shell, script), host="h").read("schedules.tabs")
    assert result.files[0].status is ReadStatus.EXIT
    assert result.status is ReadStatus.EXIT
    assert b"hunter2" not in repr(result).encode()
    assert "redact" in result.stderr


@pytest.mark.parametrize("shell", SHELLS)
def test_what_a_command_complains_of_is_masked(shell: str) -> None:
    why = Text("试", "try")
    bad = command("t.bad", "sh", "-c", "echo 'no --apikey Zx9Geheim1 pw=Zx9Geheim2' >&2; exit 1",
                  why=why)  # fmt: skip
    closed = command("t.closed", "sh", "-c", "echo 'cat: /x/secret: Permission denied' >&2; exit 1",
                     why=why)  # fmt: skip
    capture = parse_output(_run(shell, collector_script([bad, closed])), host="h")
    assert "Zx9" not in capture.read("t.bad").stderr
    assert capture.read("t.bad").stderr.startswith("no --apikey")
    assert capture.read("t.closed").status is ReadStatus.REFUSED


@pytest.mark.parametrize("name", ["requirepass", "REQUIREPASS", "RequirePass"])
def test_names_in_settings_of_redis_know_no_case(name: str, tmp_path: Path) -> None:
    (tmp_path / "redis.conf").write_text(
        f'port 6379\n  {name} "Zx9Geheim1 Zx9Geheim2"\nUSER a on ">Zx9Geheim3 Zx9Geheim4" ~*\n'
    )
    script = collector_script([catalog.all_reads()["database_access.state"]])
    script = script.replace("/etc/redis/*.conf", f"{tmp_path}/*.conf")
    script = script.replace("[ -d /etc/elasticsearch ]", "true", 1)
    said = _run("dash", script).decode()
    assert f"{name} ***" in said
    assert "Zx9" not in said


@pytest.mark.parametrize("awk", AWKS, ids=" ".join)
def test_of_what_aide_is_told_behind_its_settings_one_name_stays(awk: list[str]) -> None:
    """Where it reports to besides: what stands there otherwise may change what it compares."""
    said = [
        redacted(
            "#words tab", f"1 2 * * * root aide --check --after={x}\n".encode(), awk=awk
        ).decode()
        for x in (
            "report_url=file:/var/log/aide/aide.log",
            "database_in=file:/root/few",
            "PLANTED=x",
        )
    ]
    assert re.fullmatch(r".* --after=report_url=\S+\n", said[0])
    assert "report_url" not in said[1] + said[2]
    assert "PLANTED" not in said[2]
