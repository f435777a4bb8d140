"""Samhain: its settings as the read hands them on, its thresholds, and whose mail got out."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from collector import catalog
from collector.errors import NotUnderstood
from collector.facts.security.samhain import Samhain, samhain_alarms
from collector.model import Capture, HostStatus, ReadResult, ReadStatus
from tests.mallory import Host, can_be_made
from tests.test_script import SHELLS

CONF = "== samhain-conf 1796122656 /etc/samhain/samhainrc\n"
LOG = "== samhain-log 1796122656 /var/log/samhain/samhain.log\n"
MAIL = "[misc]\nsetmailaddress=soc@example.org\n"
RC = """\
MailSeverity=none before any section
[Log]
# MailSeverity=none
 MailSeverity = crit
LogSeverity=mark
[Database]
SetDBPassword = secret-word
[Misc]
SetMailAddress=soc@example.org
SetMailFilterNot = 'secret-word'
@if hostname_matches secret-word
SetMailAddress=secret-word$(x)
@else
@fi
!$Linux:secret-word
$end
// SetMailAddress=secret-word
[eof]
MailSeverity=none
"""
LINES = """\
[SOF]
ERROR  :  [2026-12-01T10:48:57+0000] msg=<Service failure>, service=<mail>, obj=<soc@example.org>
AD989AA37605D6B29B158CCEF9DC6CF56904F7388EC83DE7
ALERT  :  [2026-12-01T10:48:58+0000] msg=<START>, program=<Samhain>, userid=<0>, path=</etc/samhain/samhainrc>, hash=<48>
CRIT   :  [2026-12-01T10:48:59+0000] msg=<POLICY MISSING>, path=</srv/secret-word>
CRIT   :  [2026-12-01T10:48:59+0000] msg=<POLICY MISSING>, path=</srv/secret-word2>
CRIT   :  [2026-12-01T10:49:00+0000] interface=<lstat>, msg=<No such file or directory>, path=</msg=<POLICY x>
MARK   :  [2026-12-01T10:49:01+0000] msg=<File check completed.>, time=<0>, kBps=<52898.048000>
ALERT  :  [2026-12-01T10:49:02+0000] msg=<EXIT>, program=<Samhain>, status=<exit_success>
ERROR  :  [2026-12-01T10:49:02+0000] msg=<Service failure>, service=<console>, obj=</dev/console>
ALERT  :  [2026-12-01T10:49:03+0000] msg=<START>, program=<Samhain>, userid=<0>, path=</etc/samhain/samhainrc>, hash=<48>, path=</var/lib/samhain/samhain_file>, hash=<24>
"""
TOLD = """\
== samhain-conf * /etc/samhain/samhainrc
mailseverity=none before any section
[log]
mailseverity=crit
logseverity=mark
[other]
[misc]
setmailaddress=soc@example.org
setmailfilter=?
@if
setmailaddress=?
@end
@if
@end
== samhain-log * /var/log/samhain/samhain.log
2026-11-30T08:00:00+0000 alarm
2026-12-01T10:48:57+0000 mail
2026-12-01T10:48:58+0000 init
2026-12-01T10:48:59+0000 alarm
2026-12-01T10:49:01+0000 check
2026-12-01T10:49:02+0000 exit
2026-12-01T10:49:03+0000 start
"""


def _seen(text: str) -> Samhain:
    result = ReadResult("detectors.state", ReadStatus.OK, stdout=f"{text}== end\n".encode())
    capture = Capture("h", HostStatus.COMPLETE, head={}, reads={"detectors.state": result})
    found = samhain_alarms(capture)
    assert found is not None
    return found


@pytest.mark.skipif(not can_be_made(), reason="wants root and a namespace of its own")
@pytest.mark.parametrize("name", SHELLS)
def test_only_what_is_needed_leaves_the_host(name: str, tmp_path: Path) -> None:
    argv = SHELLS[name]
    if shutil.which(argv[0]) is None:
        pytest.skip(f"{argv[0]} is not installed")
    host = Host(tmp_path / "host")
    host.write("/etc/samhain/samhainrc", RC)
    host.write("/var/log/samhain/samhain.log", LINES)
    old = "CRIT   :  [2026-11-30T08:00:00+0000] msg=<POLICY ADDED>, path=</srv/secret-word>\n"
    host.write("/var/log/samhain/samhain.log.1", old)
    said = host.ran(*argv, "-c", catalog.all_reads()["detectors.state"].body).decode()
    assert "secret-word" not in said
    begin = said.index("== samhain-conf")
    kept = said[begin : said.index("== web-roots")]
    words = [line.split(" ") for line in kept.splitlines()]
    told = [" ".join([*w[:2], "*", *w[3:]]) if w[0] == "==" else " ".join(w) for w in words]
    assert "\n".join(told) + "\n" == TOLD


@pytest.mark.parametrize(
    ("severity", "mailed"),
    [
        ("crit", True), ("=crit", True), ("*", True), ("debug", True), ("err;alert", True),
        ("!alert *", True), ("!=alert *", True), ("* !=alert", True), ("* !alert", True),
        ("alert", False), ("=alert", False), ("none", False), ("crit none", False),
        ("* !crit", False), ("* !=crit", False), ("!*", False), ("!debug", False),
    ],
)  # fmt: skip
def test_thresholds(severity: str, mailed: bool) -> None:
    """sh_error.c: several in a row, each adds what it names, or takes it away."""
    found = _seen(f"{CONF}[log]\nmailseverity={severity}\n{MAIL}")
    assert found.routes == (("mail soc@example.org",) if mailed else ())


@pytest.mark.parametrize(
    "lines",
    [
        "mailseverity=critical", "mailseverity=?", "mailseverity==*", "mailseverity=CRIT",
        "@if\nmailseverity=crit\n@end", "mailclass=?", "messageheader=?", "logseverity=alert",
        "logseverity=* !=err", "@if\n[log]\n@end\nmailseverity=crit",
    ],
)  # fmt: skip
def test_what_is_not_understood_is_said(lines: str) -> None:
    with pytest.raises(NotUnderstood):
        _seen(f"{CONF}[log]\nmailseverity=crit\n{lines}\n{MAIL}")


@pytest.mark.parametrize(
    ("sender", "nobodys"),
    [
        ("daemon@example.com", True),
        ("root@shop.EXAMPLE.net", True),
        ("root@shop.invalid", True),
        ("root@shop.internal", False),
        ("root@notexample.com", False),
        ("root@example.com.cn", False),
        ("daemon", False),
    ],
)
def test_a_sender_of_nobody(sender: str, nobodys: bool) -> None:
    lines = f"setmailsender=root@a.internal\nsetmailsender={sender}\n"
    found = _seen(f"{CONF}[log]\nmailseverity=crit\n{MAIL}{lines}")
    assert (found.sender, found.of_nobody) == (sender, nobodys)
    assert not _seen(f"{CONF}{MAIL}").of_nobody, "what is compiled in is not told"


def test_no_mail_by_what_stands_where_it_does_not_count() -> None:
    assert _seen(f"{CONF}{MAIL}").routes == (), "the default is alert"
    assert _seen(f"{CONF}{MAIL}mailseverity=crit\n").routes == (), "not in [Log]"
    assert _seen(f"{CONF}[log]\nmailseverity=crit\nsetmailaddress=a@b.org\n").routes == ()


def _day(day: int, clock: str) -> datetime:
    return datetime.fromisoformat(f"2026-12-{day:02}T{clock}+00:00").astimezone(UTC)


@pytest.mark.parametrize(
    ("events", "last", "failed"),
    [
        (("01T10:00:00 start", "01T10:00:09 check"), None, None),
        (("01T10:00:00 start", "02T10:00:00 alarm"), None, None),
        (("01T10:00:00 start", "02T10:00:00 alarm", "02T10:00:02 check"), _day(2, "10:00:00"), None),
        # no relay there: it fails behind the check
        (
            ("01T10:00:00 start", "02T10:00:00 alarm", "02T10:00:02 check", "02T10:02:11 mail"),
            None, _day(2, "10:02:11"),
        ),
        # of the baseline
        (("01T10:00:00 init", "01T10:00:01 alarm", "01T10:00:02 check"), None, None),
        # it failed, and the start behind it did not: the alarm of then is lost all the same
        (
            ("01T10:00:00 alarm", "01T10:00:02 check", "01T10:00:03 mail", "01T11:00:00 start"),
            None, None,
        ),
        # another way round: what got out did, though mail fails now
        (
            ("01T10:00:00 alarm", "01T10:00:02 check", "02T10:00:00 mail", "02T10:00:00 start"),
            _day(1, "10:00:00"), _day(2, "10:00:00"),
        ),
        # two failures in a row, days after the start: perhaps its last try
        (
            ("01T10:00:00 start", "05T10:00:00 mail", "05T10:00:03 mail", "06T10:00:00 alarm",
             "06T10:00:01 check"),
            _day(6, "10:00:00"), _day(5, "10:00:03"),
        ),
        # and one run by hand in between is no new start of what runs
        (
            ("01T10:00:00 start", "05T10:00:00 mail", "05T10:00:03 mail", "05T12:00:00 start",
             "05T12:01:00 exit", "06T10:00:00 alarm", "06T10:00:01 check"),
            _day(6, "10:00:00"), _day(5, "10:00:03"),
        ),
        # within two days it never gives up
        (
            ("01T10:00:00 start", "02T10:00:00 mail", "02T10:00:03 mail", "06T10:00:00 alarm",
             "06T10:00:01 check"),
            _day(6, "10:00:00"), None,
        ),
    ],
)  # fmt: skip
def test_which_alarm_got_out(
    events: tuple[str, ...], last: datetime | None, failed: datetime | None
) -> None:
    lines = "".join(f"2026-12-{event.replace(' ', '+0000 ')}\n" for event in events)
    found = _seen(f"{CONF}[log]\nmailseverity=crit\n{MAIL}{LOG}{lines}")
    assert (found.last, found.failed) == (last, failed)
