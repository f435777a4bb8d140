"""What stands behind a mark in a file whose content is not ours does not leave the host with it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from collector import catalog
from collector.facts.backup.artefacts.files import artefacts
from collector.model import Capture
from tests.mallory import SECRET, Host, can_be_made

pytestmark = pytest.mark.skipif(not can_be_made(), reason="needs root, unshare, setpriv, setsid")
READS = catalog.all_reads()
_PG = "PostgreSQL database dump complete"
_MYSQL = "-- MySQL dump 10.13\n"
_RANGE = '{ "Timeline": 1, "Start-LSN": "0/2000028", "End-LSN": "0/2000100" }'
_DATED = "-- Dump completed on 2026-11-30 12:00:00"


def _leaves(tmp_path: Path, read: str, *files: tuple[str, str]) -> Capture:
    host = Host(tmp_path / "host")
    for path, text in files:
        host.write(path, text)
    said, capture = host.collected(["sh"], [READS[read]])
    assert SECRET.encode() not in said
    return capture


@pytest.mark.parametrize(
    ("end", "told"),
    [
        (f'{_DATED}\nALTER USER a IDENTIFIED BY "{SECRET}";\n', _DATED),
        (f"-- Dump completed\nGRANT ALL TO a IDENTIFIED BY '{SECRET}';\n", "-- Dump completed"),
        (f"-- Dump completed on {SECRET}\n", "-- Dump completed"),
        (f"-- Dump completed{SECRET}\n", "other"),
        (f"-- Dump {SECRET}".ljust(120), "other"),
        (f"PostgreSQL {SECRET}".ljust(120), "other"),
        (f"-- {_PG}\n-- {SECRET}\n", _PG),
        ("-- Dump completed on 2026-11-30  2:00:00\n", "-- Dump completed on 2026-11-30  2:00:00"),
        ("-- Dump completed\n", "-- Dump completed"),
    ],
)  # fmt: skip
def test_of_a_dump_its_end_alone_is_told(tmp_path: Path, end: str, told: str) -> None:
    capture = _leaves(tmp_path, "backup.artefacts", ("/srv/backup/a.sql", f"{_MYSQL}{end}"))
    text = capture.read("backup.artefacts").text()
    assert re.findall(r"^tail (.*?) *$", text, re.MULTILINE) == [told]
    assert [a.path for a in artefacts(capture).all] == ["/srv/backup/a.sql"]


@pytest.mark.parametrize(
    ("end", "told"),
    [
        (f'"WAL-Ranges": [\n{_RANGE}\n],\n"Manifest-Checksum": "0"}}\n', f"- {_RANGE}"),
        (f'{{ "Timeline": "{SECRET}" }}],\n', "other"),
    ],
)
def test_of_a_manifest_its_range_alone_is_told(tmp_path: Path, end: str, told: str) -> None:
    text = f'{{ "PostgreSQL-Backup-Manifest-Version": 1,\n{end}'
    capture = _leaves(tmp_path, "backup.artefacts", ("/srv/backup/base/backup_manifest", text))
    text = capture.read("backup.artefacts").text()
    assert re.findall(r"^tail (.*?) *$", text, re.MULTILINE) == [told]


_JOURNAL = "LANG=C journalctl -afb -p info -n1 -o cat SYSLOG_FACILITY=4 SYSLOG_FACILITY=10"


@pytest.mark.parametrize(
    ("line", "stays"),
    [
        (f'LOGREADER="{_JOURNAL}"', True),
        ('LOGREADER="LANG=C /bin/journalctl -afb -p info -n1 -t sshd -o cat"', True),
        ('LOGREADER="tail -F -n0 /var/log/auth.log"', True),
        ('FILES="/var/log/auth.log /var/log/maillog"', True),
        ("BLOCK_TIME=120", True),
        (f'LOGREADER="sshpass -p {SECRET} ssh root@loghost journalctl -fn1"', False),
        (f'LOGREADER="journalctl -afb --cursor {SECRET}"', False),
        (f'POST_PARSER="/usr/local/bin/notify --token {SECRET}"', False),
        (f'BACKEND="/usr/libexec/sshguard/x {SECRET}"', False),
        (f"FILES=/var/log/auth.log # {SECRET}", False),
    ],
)
def test_of_sshguard_what_it_reads_is_told(tmp_path: Path, line: str, stays: bool) -> None:
    file = ("/etc/sshguard/sshguard.conf", f"# {SECRET}\n{line}\n")
    (told,) = _leaves(tmp_path, "bans.settings", file).read("bans.settings").present()
    left = f"{line}\n" if stays else "LOGREADER=\n" if "LOGREADER" in line else ""
    assert told.text("bans.settings") == left
