"""A name of two lines, laid wherever a read looks, speaks for no other name.

Every place that any read names is laid out in a lab, and in each of its folders there are files,
folders and links whose names, and whose targets, go on in a second line.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from collector import catalog
from collector.errors import CouldNotLook
from collector.facts.base.listed_words import words_program
from collector.facts.base.opened import OPENED
from collector.facts.base.redaction import WORDS
from collector.model import CapturedFile, ReadResult, ReadStatus
from collector.script import parse_output
from tests.mallory import PLACES, SECRET, Host, can_be_made
from tests.test_reach_reads import named, tab

lab = pytest.mark.skipif(not can_be_made(), reason="needs root, unshare, setpriv, setsid")
READS = {i: r for i, r in catalog.all_reads().items() if r.kind == "shell"}
# what the second line begins with, after each of what ends a line for somebody
MARK = "FORGED"
ENDS = ("\n", "\r", "\v", "\u2028", "\x85", "\x1e")
# what is searched for by its name
KINDS = (".sql", ".env", ".log", ".conf", ".key", ".tar.gz", ".1", "-backup.log", ".db")
_PLACE = re.compile(
    r"(?<![\w.*$}\]])/(?:home|root|srv|opt|var/log|var/spool|var/lib|var/www|etc/[a-z][\w.-]*)"
    r"(?:/[\w.*?\[\]-]+)+"
)
_LAID = ("cron", "nginx", "clamav", "clamd", "redis", "tmpfiles", "profile", "rsyslog", "apache2")


def _filled(part: str, star: str) -> str:
    part = re.sub(r"\[[^]]*\]", "1", part).replace("?", "q")
    return part.replace("*", star, 1).replace("*", "q")


def _lay(host: Host, pattern: str) -> None:
    """The place that a pattern names, and beside each part of it that is a pattern an odd one."""
    done = ""
    parts = pattern.strip("/").split("/")
    for number, part in enumerate(parts):
        if "*" in part or "[" in part:
            rest = "/".join(_filled(p, "q") for p in parts[number + 1 :])
            for end in ENDS:
                odd = _filled(part, f"q{end}{MARK} 1 1 q") if "*" in part else ""
                if odd and len(odd.encode()) < 200:
                    _file(host, f"{done}/{odd}" + (f"/{rest}" if rest else ""))
        done += f"/{_filled(part, 'q')}"
    if "." in done.rpartition("/")[2] or "*" in pattern:
        _file(host, done)
    elif not os.path.lexists(host.at(done)):
        host.at(done).mkdir(parents=True)


def _file(host: Host, path: str) -> None:
    place = host.at(path)
    if os.path.lexists(place):
        return
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text("x\n")
    except (FileExistsError, NotADirectoryError):
        return


def _plant(folder: Path) -> None:
    for end in ENDS:
        for kind in KINDS:
            (folder / f"q{end}{MARK} 1 1 600:0:0 q{kind}").write_text("x\n")
        inner = folder / f"d{end}{MARK} 1 1 600:0:0 "
        (inner / "root").mkdir(parents=True, exist_ok=True)
        (inner / "root" / "secret.sql").write_text("x\n")
    (folder / "odd-link").symlink_to(folder / f"d\n{MARK} 1 1 600:0:0 ")


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, bytes]:
    """What each read prints on such a host."""
    host = Host(tmp_path_factory.mktemp("odd") / "host")
    for pattern in sorted({p for r in READS.values() for p in _PLACE.findall(r.body)}):
        if not pattern.startswith("/etc/") or pattern.startswith(tuple(f"/etc/{n}" for n in _LAID)):
            _lay(host, pattern)
    tab(host, "mysqldump >/srv/dumps/x.sql", "clamscan -l /srv/dumps/scan", "restic check")
    host.folder("/srv/dumps")
    host.folder("/var/www/q")
    host.folder("/home/backup", mallory=True)
    host.write("/opt/clam/bin/clamscan", "", mode=0o755)
    before = [Path(f) for place in PLACES for f, _, _ in os.walk(host.root / place)]
    for folder in before:
        if MARK not in str(folder):
            _plant(folder)
    programs = ("nginx", "postgres", "java", "mysqld", "mongod", "conmon")
    for name in programs:
        named(host, name, "-l", f"/home/mallory/{name}.log")
        host.started[-1] = (
            f'cd d?{MARK}*/ && set -- ../*.log && exec 9>>"$1" && exec .{host.started[-1]}'
        )
        shutil.copy("/bin/dash", host.at(f"/home/mallory/d\n{MARK} 1 1 600:0:0 ") / name)
    bodies = host.folder("/srv/bodies")
    for name, read in READS.items():
        (bodies / name).write_text(read.body)
    run = (
        "for f in /srv/bodies/*[a-z0-9_]; do "
        'timeout 60 dash "$f" >"/root/kept/${f##*/}" 2>/dev/null; done; exit 0'
    )
    host.ran("sh", "-c", run)
    return {name: (host.at("/root/kept") / name).read_bytes() for name in READS}


def _text(id: str, stdout: bytes) -> str:
    return ReadResult(id, ReadStatus.OK, stdout=stdout).text(odd=True)


@lab
@pytest.mark.parametrize("id", READS)
def test_no_second_line_of_a_name_stands_as_a_line(id: str, said: Mapping[str, bytes]) -> None:
    lines = _text(id, said[id]).splitlines()
    assert [x for x in lines if re.match(rf"(@\S+ )?[@a-z]{{0,9}}\W{{0,3}}{MARK}", x)] == []


# what each of them leaves out, it says
_SAYS = (
    "backup.artefacts", "exposed_files.names", "inventory.tree", "log_guard.modes", "backup.logs",
    "backup_checks.logs", "capacity.space", "record_samples.lines",
    "clamav.state",
)  # fmt: skip


@lab
@pytest.mark.parametrize("id", _SAYS)
def test_what_is_left_out_is_said(id: str, said: Mapping[str, bytes]) -> None:
    result = ReadResult(id, ReadStatus.OK, stdout=said[id])
    assert result.left_out
    with pytest.raises(CouldNotLook, match="line break"):
        result.text()


@lab
def test_the_log_files_say_it_in_their_own_way(said: Mapping[str, bytes]) -> None:
    assert b"\n@O newline\n" in said["log_files.times"]


@pytest.mark.parametrize("id", READS)
def test_searches_leave_odd_names_out(id: str) -> None:
    """What cannot be laid in the lab holds by its text."""
    body = READS[id].body.removeprefix(OPENED).replace("\\\n", " ")
    for search in re.findall(r"(?:^|[\s(])find (?:[\"/]).*", body):
        plain = "-prune -perm -001" in search  # of the folder itself, which no name comes of
        # the kernel's own names of processes
        plain = plain or search.split("find ", 1)[1].startswith("/proc -maxdepth 1 -name '[0-9]*' ")
        assert plain or '-path "*$' in search, search
    for listing in re.findall(r"(?:^|[\s(|])ls -l[^ ]* .*", body):
        fixed = 'ls -ldnL "$@"' in listing or 'ls -ld "$s"' in listing or 'ls -ldn "$@"' in listing
        # what find hands on, whose search is looked at above or leaves odd names out by itself
        fixed = fixed or (
            "-exec ls -ldn {} +" in body and '-path "*$' in body and "{} +" in listing
        )
        assert fixed, listing


def test_the_word_for_it_outlives_what_is_cut_away() -> None:
    line = b"odd name: left out: /home/mallory/\n"
    for read in READS.values():
        if not read.redact:
            continue
        if read.redact.startswith(WORDS):
            env = {"HP_MODE": read.redact.partition(" ")[2], "HP_KEY": "0" * 64, "LC_ALL": "C"}
            argv = ["awk", words_program()]
            given = line + b".\n"
        else:
            env, argv, given = {"LC_ALL": "C"}, ["sed", "-e", read.redact], line
        # the one has no names, the other its own word
        if read.id in ("backup.journal", "log_files.times"):
            continue
        env["PATH"] = os.environ["PATH"]
        done = subprocess.run(argv, input=given, capture_output=True, env=env, check=True)
        assert done.stdout.startswith(line), (read.id, done.stdout)


def _dump(host: Host) -> None:
    host.write("/root/dump.sql", f"-- MySQL dump\n{SECRET}\n-- Dump completed on 2001-02-03\n",
               mode=0o600)  # fmt: skip


@lab
def test_a_folder_of_two_lines_does_not_name_roots_dump(tmp_path: Path) -> None:
    host = Host(tmp_path / "host")
    _dump(host)
    host.folder("/home/backup", mallory=True)
    host.write("/home/backup/d\nartefact 9999999999 100 600:0:0 /root/dump.sql", "", mallory=True)
    text = host.ran("dash", "-c", READS["backup.artefacts"].body).decode()
    assert "/root/dump.sql" not in text
    assert "2001-02-03" not in text
    assert "odd name: left out: /home/backup/\n" in text


@lab
@pytest.mark.parametrize("id", ["backup.artefacts", "exposed_files.names"])
def test_a_folder_of_his_is_looked_through_as_him(id: str, tmp_path: Path) -> None:
    host = Host(tmp_path / "host")
    for folder in ("/home/backup", "/var/www"):
        host.folder(folder, mallory=True)
        host.write(f"{folder}/his.sql", "x", mallory=True)
        host.write(f"{folder}/closed/roots.sql", "x")
        host.at(f"{folder}/closed").chmod(0o700)
    text = host.ran("dash", "-c", READS[id].body).decode()
    assert "his.sql" in text
    assert "roots.sql" not in text


@lab
@pytest.mark.parametrize(
    ("name", "id"), [("rsyslogd", "syslog.running"), ("sshd", "sshd.effective")]
)
def test_what_runs_with_its_owners_rights_names_no_file(name: str, id: str, tmp_path: Path) -> None:
    """Sudo, called by another name: whose arguments are those of whoever called it."""
    host = Host(tmp_path / "host")
    host.as_root = True
    named(host, name, "-f", "/root/secret")
    host.at(f"/home/mallory/{name}").chmod(0o4755)
    os.chown(host.at(f"/home/mallory/{name}"), 0, 0)
    host.at(f"/home/mallory/{name}").chmod(0o4755)
    text = host.ran("dash", "-c", READS[id].body).decode()
    assert SECRET not in text
    assert "#sshd " not in text or "/home/mallory" not in text


@pytest.mark.parametrize("end", [*ENDS[1:], "\x0c", "\x1c", "\x1d", "\u2029"])
def test_a_line_ends_where_the_host_ends_it(end: str) -> None:
    raw = f"|one{end}{MARK}\r\ntwo\n".encode()
    for text in (_text("t.a", raw), CapturedFile("/a", ReadStatus.OK, data=raw).text("t.a")):
        assert len(text.splitlines()) == 2
        assert text.splitlines()[1] == "two"


def test_what_a_host_says_of_itself_has_an_end() -> None:
    nonce = "0123456789abcdef"
    more = "".join(f"k{n}=v\n" for n in range(100_000))
    raw = f"hostpledge-capture 1 {nonce}\n\n@{nonce} head\nuid=0\n{more}\n@{nonce} end 0 1\n"
    head = parse_output(raw.encode(), host="a").head
    assert head["uid"] == "0"
    assert len(head) < 10_000


@lab
@pytest.mark.parametrize("given", ["--config=-f/home/mallory/e.sed", "--config=/root/mongod.conf"])
def test_a_database_of_his_gives_roots_shell_nothing(given: str, tmp_path: Path) -> None:
    """Neither an option of sed, whose `w` writes where it is told to, nor a file of root's."""
    host = Host(tmp_path / "host")
    host.write("/root/kept/file", "of root\n", mode=0o600)
    host.write("/root/mongod.conf", "mode: requireTLS\n", mode=0o600)
    host.write("/home/mallory/e.sed", "w /root/kept/file\n", mallory=True)
    named(host, "mongod", given, "--tlsMode", "allowTLS")
    body = READS["tls_served.answers"].body
    # what listens here is another matter
    asked = body.partition("# How the databases here")
    said = host.ran("dash", "-c", f"{OPENED}ss() {{ false; }}\n{asked[1]}{asked[2]}").decode()
    assert host.at("/root/kept/file").read_text() == "of root\n"
    assert "requireTLS" not in said
    assert "allowTLS" in said
