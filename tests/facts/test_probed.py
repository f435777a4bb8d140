"""What recordings of probes show: from composed recordings, in the form that the control node writes."""

from __future__ import annotations

import pytest

from collector.errors import FactError
from collector.facts.probed import shown
from collector.facts.probed.outcome import RAISES
from collector.facts.probed.outcomes import outcome
from collector.facts.probed.recording import NAMES, recorded, recording
from collector.facts.probed.restored import restore
from collector.model import Capture, Facts, HostStatus, ReadResult, ReadStatus

NONCE = "0123456789abcdef"


def of(name: str, *lines: str) -> Capture:
    head = ["hostpledge-probe 1", f"probe {name}", f"nonce {NONCE}"]
    head.append("begun 2026-11-25T04:00:00.000+00:00")
    text = "\n".join([*head, *lines, "== end", ""])
    read = ReadResult(f"probe.{name}", ReadStatus.OK, stdout=text.encode())
    return Capture("web-1", HostStatus.COMPLETE, reads={read.id: read})


def came(name: str, *lines: str) -> tuple[str | None, tuple[str, ...], tuple[str, ...]]:
    found = outcome(Facts(of(name, *lines)), name)
    assert found is not None
    return found.came, found.holds, found.broken


CANARY = f"hostpledge-canary-{NONCE}"
PLANTED = f"/etc/tmpfiles.d/hostpledge-probe-{NONCE}.conf"
ASKED = (f"account {CANARY}", "answer refused")
LOGIN = "10.0.0.7 port 4321"
ARRIVAL = (f"login {LOGIN}", "host looked 0")
HERE = (*ARRIVAL, f"host found journal Accepted publickey for root from {LOGIN} ssh2")
RECORD = f"Accepted publickey for root from {LOGIN}"
STORE = (*HERE, "host self a1", "store ssh:log:/x", "store_self b2", "store_asked ok")
SIGNED = (
    *ARRIVAL, f"host found journal web-1 sshd[7]: {RECORD} ssh2: ED25519 SHA256:k", *STORE[3:],
)  # fmt: skip
FILE = ("folder /srv/files", "host no_stream clamdscan")
BAN = ("from 10.0.0.9", "before open", "attempt 1 refused")


@pytest.mark.parametrize(
    ("name", "lines", "expected"),
    [
        ("integrity", (f"host planted {PLANTED}", "host rc 1", f"host named f+++: {PLANTED}"), "logged"),
        (
            "integrity",
            (f"host planted {PLANTED}", "host rc 1", f"host named f+++: {PLANTED}", "host ignores s+sha256"),
            "nothing",
        ),
        (
            "integrity",
            (f"host planted {PLANTED}", "host rc 1", f"host named f+++: {PLANTED}", "host ignores e2fsattrs+m+c"),
            "logged",
        ),
        ("integrity", (f"host planted {PLANTED}", "host rc 0"), "nothing"),
        ("integrity", (f"host planted {PLANTED}", "host rc 1", "host named f+++: /etc/x"), "nothing"),
        (
            "integrity",
            (
                f"host planted {PLANTED}", "host rc 1", f"host named f+++: {PLANTED}",
                "host unknown d+++: /etc/tmpfiles.d",
            ),
            None,
        ),
        ("integrity", (f"host planted {PLANTED}", "host rc 17", "host error no database"), None),
        ("integrity", ("host rc 0",), None),
        ("integrity", ("host undone no_program aide",), None),
        ("failed_login", (*ASKED, "host looked 0", f"host found journal Invalid user {CANARY}"), "logged"),
        ("failed_login", (*ASKED, "host looked 15"), "nothing"),
        ("failed_login", (f"account {CANARY}", "answer no answer in time", "host looked 15"), None),
        ("failed_login", ASKED, None),
        ("failed_login", (*ASKED, "host looked 0", "host found journal Invalid user admin"), "nothing"),
        ("log_arrival", (*STORE, f"arrived /x sshd[7]: {RECORD} ssh2"), "logged"),
        ("log_arrival", STORE, "nothing"),
        ("log_arrival", (*STORE, f"arrived /x {RECORD}9"), "nothing"),
        ("log_arrival", (*STORE, f"arrived /x for root from 1{LOGIN}"), "nothing"),
        # the store's own record of what it was asked
        ("log_arrival", (*STORE, f'arrived level=info query="{{job=x}} |= {LOGIN}"'), "nothing"),
        # what any user can have written: by a log of lines it is not known who did
        ("log_arrival", (*ARRIVAL, f"host unsure journal sshd[7]: {RECORD} ssh2"), None),
        ("log_arrival", (*ARRIVAL, f"host found /var/log/auth.log sshd[7]: {RECORD} ssh2"), None),
        ("log_arrival", (*ARRIVAL, "host unsure /var/log/auth.log from 10.0.0.9 port 1"), "nothing"),
        ("log_arrival", (*SIGNED, f"arrived /x sshd[7]: {RECORD} ssh2: ED25519 SHA256:k"), "logged"),
        ("log_arrival", (*SIGNED, f"arrived /x sshd[7]: {RECORD} ssh2: ED25519 SHA256:x"), "nothing"),
        ("log_arrival", ARRIVAL, "nothing"),
        ("log_arrival", (f"login {LOGIN}",), None),
        ("malware_stream", ("host rc 1", "host clean_rc 0"), "alerted"),
        ("malware_stream", ("host rc 0", "host clean_rc 0"), "nothing"),
        ("malware_stream", ("host rc 1", "host clean_rc 1"), "nothing"),
        ("malware_stream", ("host rc 2", "host clean_rc 2"), None),
        ("malware_stream", (*FILE, "host file written refused after 0", "host beside open"), "blocked"),
        ("malware_stream", (*FILE, "host file refused gone after 0", "host beside open"), "blocked"),
        ("malware_stream", (*FILE, "host file written open after 20", "host beside open"), "nothing"),
        # whatever lies there is taken away
        ("malware_stream", (*FILE, "host file written gone after 3", "host beside gone"), None),
        ("malware_stream", (*FILE, "host file written hangs after 3", "host beside open"), None),
        ("malware_stream", (*FILE, "host file written gone after 3"), None),
        ("malware_stream", FILE, None),
        ("malware_stream", (*FILE, "host undone no_room /srv"), None),
        ("time", ("exchange 0.2 0.1", "exchange 9.0 8.9"), "logged"),
        ("time", ("exchange -7.5 0.1",), "nothing"),
        ("time", ("exchange 1.05 0.1",), None),
        ("time", ("exchange 40.0 0.1", "other 40.1 0.1 b", "other 39.9 0.1 c"), None),
        ("time", ("exchange 40.0 0.1", "other 40.1 0.1 b", "other 0.1 0.1 c"), "nothing"),
        ("time", ("exchange 0.1 0.1", "other 40.1 0.1 b", "other 40.2 0.1 c"), None),
        ("time", ("exchange nan 0.1",), None),
        ("ban", (*BAN, "after closed", "beside open", "again open"), "blocked"),
        # the control node was out as well: a network that went away
        ("ban", (*BAN, "after silent", "beside silent", "again open"), None),
        ("ban", (*BAN, "after silent", "again open"), None),
        ("ban", (*BAN, "after open", "again open"), "nothing"),
        ("ban", (*BAN, "after closed", "beside open", "again closed"), None),
        ("ban", ("from 10.0.0.9", "before silent", "after silent"), None),
        ("restore", ("store shop", "host state same"), "logged"),
        ("restore", ("store shop", "host state broken"), "nothing"),
        ("restore", ("store shop", "host state differs"), "nothing"),
        ("restore", ("store shop", "host state same", "host before a", "host after b"), None),
        # a copy that holds little of what is there
        ("restore", ("store shop", "host state same", "host held 0 3"), "nothing"),
        ("restore", ("store shop", "host state same", "host held 40 100"), None),
        ("restore", ("store shop", "host state same", "host held 90 100"), "logged"),
        ("restore", ("store shop",), None),
    ],
)  # fmt: skip
def test_what_it_shows(name: str, lines: tuple[str, ...], expected: str | None) -> None:
    found, holds, broken = came(name, *lines)
    assert found == expected
    assert {*holds, *broken} <= set(RAISES[name])
    assert not (expected is None and (holds or broken))


@pytest.mark.parametrize(
    ("state", "rc", "expected", "holds", "broken"),
    [
        ("refused", 1, "blocked", {"realtime", "running"}, set()),
        ("refused", 0, "nothing", {"realtime"}, {"running", "signatures"}),
        ("open", 1, "nothing", {"running"}, {"realtime"}),
        ("hangs", 1, "alerted", {"running"}, set()),
        ("refused", 2, "blocked", {"realtime"}, set()),
    ],
)
def test_of_a_file_and_the_stream_the_worse_is_what_came(
    state: str, rc: int, expected: str, holds: set[str], broken: set[str]
) -> None:
    seen = came(
        "malware_stream", "folder /srv", f"host file written {state} after 1", "host beside open",
        f"host rc {rc}", f"host clean_rc {min(rc, 2) if rc == 2 else 0}",
    )  # fmt: skip
    assert seen[0] == expected
    assert ({x.split(".")[1] for x in seen[1]}, {x.split(".")[1] for x in seen[2]}) == (
        holds, broken,
    )  # fmt: skip


@pytest.mark.parametrize(
    "more",
    [
        ("host self a1", "store ssh:log:/x", "store_asked itself"),
        ("host self a1", "store ssh:log:/x", "store_self -", "store_asked ok"),
        ("store ssh:log:/x", "store_self b2", "store_asked ok"),
        ("store ssh:log:/x", "store_asked ok"),
        ("host self a1", "store es+https://log:9200/x", "store_asked itself"),
    ],
)
def test_a_store_that_may_be_the_host_itself_shows_no_copy(more: tuple[str, ...]) -> None:
    lines = (*HERE, *more, f"arrived /x {RECORD} ssh2")
    assert came("log_arrival", *lines) == ("logged", ("logging.logins",), ())
    made = recording(of("log_arrival", *lines), "log_arrival")
    assert made is not None and not shown.log_arrival(made).complete


@pytest.mark.parametrize("name", NAMES)
def test_one_that_was_not_done_shows_nothing(name: str) -> None:
    assert came(name, "undone window 04:00") == (None, (), ())


def test_no_host_speaks_for_the_control_node() -> None:
    """It may print whatever it likes: behind `host` it stays its own."""
    made = recording(of("ban", *BAN, "after open", "host after closed", "host again open"), "ban")
    assert made is not None
    assert shown.ban(made).came == "nothing"
    assert came("failed_login", "host account x", "host answer refused")[0] is None


def test_a_restore_of_one_store_proves_none_of_the_others() -> None:
    made = recording(of("restore", "store shop", "host state same"), "restore")
    assert made is not None
    assert restore(made, ("shop",)).holds == RAISES["restore"]
    assert restore(made, ("shop", "crm")).holds == ()
    assert restore(made, ()).holds == ()


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"hostpledge-probe 2\nprobe time\n== end\n",
        b"hostpledge-probe 1\nprobe time\nnonce x\nbegun 2026-11-25T04:00:00+00:00\n== end\n",
        b"hostpledge-probe 1\nprobe time\nnonce 0123456789abcdef\nbegun 2026-11-25\n== end\n",
        b"hostpledge-probe 1\nprobe ban\nnonce 0123456789abcdef\nbegun 2026-11-25T04:00:00Z\n== end\n",
        b"hostpledge-probe 1\nprobe time\nnonce 0123456789abcdef\nbegun 2026-11-25T04:00:00Z\n",
    ],
)
def test_what_is_no_recording_is_not_understood(text: bytes) -> None:
    read = ReadResult("probe.time", ReadStatus.OK, stdout=text)
    capture = Capture("web-1", HostStatus.COMPLETE, reads={read.id: read})
    assert recorded(capture) == ("time",)
    with pytest.raises(FactError):
        recording(capture, "time")


def test_left_is_told_by_either_side() -> None:
    made = recording(of("time", "left /run/x", "host left /etc/y", "host left /etc/y"), "time")
    assert made is not None and made.left == ("/run/x", "/etc/y")


def test_a_line_that_needs_nothing_to_be_known_shows_no_arrival() -> None:
    """A login by password has no fingerprint in its record: all of it is seen by every user."""
    lines = [line.replace("publickey", "password") for line in STORE]
    arrived = f"arrived /x sshd[7]: {RECORD.replace('publickey', 'password')} ssh2"
    found = outcome(Facts(of("log_arrival", *lines, arrived)), "log_arrival")
    assert found is not None and (found.holds, found.broken) == (("logging.logins",), ())
    assert not found.complete and found.why.code == "probe_arrived_whose"
