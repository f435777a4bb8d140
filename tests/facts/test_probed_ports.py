"""Ports that were asked, held against the rules and listeners of recorded hosts."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from collector import captures
from collector.facts.probed import ports
from collector.facts.probed.outcome import Outcome, worked
from collector.facts.probed.outcomes import outcome
from collector.facts.probed.recording import Recording
from collector.i18n.message import msg
from collector.model import Capture, Facts, HostStatus, ReadResult, ReadStatus

_HERE = Path(__file__).parents[1] / "captures"
_FREE = tuple(range(40_000, 40_008))


def _asked(
    name: str,
    ports: dict[int, str],
    *,
    minutes: int = 2,
    source: str = "203.0.113.5",
    afterwards: str = "open",
    more: tuple[str, ...] = (),
) -> Outcome:
    capture = captures.load(_HERE / f"{name}.capture.gz")
    assert capture.collected_at is not None
    begun = capture.collected_at + timedelta(minutes=minutes)
    lines = ["hostpledge-probe 1", "probe outside_ports", "nonce 0123456789abcdef"]
    lines += [f"begun {begun.isoformat()}", f"source {source}", "target 198.51.100.9"]
    lines += ["listed 23 3306 6379 8080"]
    lines += [f"port {port} {state}" for port, state in ports.items()]
    lines += [f"afterwards {afterwards}"] if afterwards else []
    lines += more
    read = ReadResult(
        "probe.outside_ports", ReadStatus.OK, stdout="\n".join([*lines, "== end", ""]).encode()
    )
    found = outcome(
        Facts(replace(capture, reads={**capture.reads, read.id: read})), "outside_ports"
    )
    assert found is not None
    return found


def _free(state: str) -> dict[int, str]:
    return dict.fromkeys(_FREE, state)


@pytest.mark.parametrize(
    ("name", "ports", "came", "code"),
    [
        # 22 and 80 are open to all there, the databases listen on loopback
        ("nightly-dump-trixie", {22: "open", 80: "open", 3306: "closed", **_free("closed")},
         "blocked", "probe_ports_agree"),
        ("nightly-dump-trixie", {22: "open", 80: "silent", **_free("closed")},
         "blocked", "probe_ports_agree"),
        ("nightly-dump-trixie", {22: "open", 3306: "open", **_free("closed")},
         "nothing", "probe_ports_open"),
        ("nightly-dump-trixie", {22: "open", 8080: "open", **_free("closed")},
         "nothing", "probe_ports_open"),
        # the rules let nobody in
        ("intrusion-trixie", {22: "open", **_free("silent")}, "nothing", "probe_ports_open"),
        ("intrusion-trixie", {22: "silent", **_free("silent")}, None, "probe_ports_all_silent"),
        # something on the way answers for everybody
        ("nightly-dump-trixie", {22: "open", 3306: "open", **_free("open")},
         None, "probe_ports_all_open"),
        ("nightly-dump-trixie", {}, None, "probe_said_too_little"),
        # no listener was looked at
        ("luks-trixie", {22: "open"}, None, "probe_ports_not_comparable"),
    ],
)  # fmt: skip
def test_port_by_port(name: str, ports: dict[int, str], came: str | None, code: str) -> None:
    found = _asked(name, ports)
    assert (found.came, found.why.code) == (came, code)
    assert bool(found.broken) == (came == "nothing")


def test_default_deny_is_shown_by_ports_that_nobody_listens_on() -> None:
    closed = _asked("nightly-dump-trixie", {22: "open", **_free("closed")})
    silent = _asked("nightly-dump-trixie", {22: "open", **_free("silent")})
    assert "firewall.default_deny" not in closed.holds
    assert "firewall.default_deny" in silent.holds


def test_a_look_of_long_ago_is_no_measure() -> None:
    found = _asked("nightly-dump-trixie", {8080: "open", **_free("closed")}, minutes=61)
    assert (found.came, found.why.code) == (None, "probe_ports_stale")


def test_an_address_that_is_none() -> None:
    found = _asked("nightly-dump-trixie", {22: "open"}, source="x")
    assert (found.came, found.why.code) == (None, "probe_ports_not_comparable")


def test_a_node_that_is_let_in_shows_nothing_of_others() -> None:
    """The rules name it, or what is attacked on sight is open to all: it got in, as it should."""
    found = _asked("nightly-dump-trixie", {22: "open", 80: "open", **_free("closed")})
    assert "firewall.exposed_ports" in found.holds and "firewall.admin_sources" not in found.holds
    capture = captures.load(_HERE / "nightly-dump-trixie.capture.gz")
    view = ports._View({22: "open", 3306: "open", 23: "open"}, {22: "yes", 3306: "yes", 23: "yes"})
    made = Recording(
        "outside_ports", "0" * 16, capture.collected_at or datetime.now(UTC),
        (("listed", "23 3306"), ("afterwards", "open")), (),
    )  # fmt: skip
    came = ports._first(made, view)
    assert (came.came, came.holds, came.why.code) == (None, (), "probe_ports_let_in")


def test_sources_are_told_apart_where_the_second_one_is_kept_out() -> None:
    asked = {22: "open", 3306: "closed", **_free("closed")}
    kept_out = ports._View(
        {**asked, 22: "silent"}, {22: "no", 3306: "no"} | dict.fromkeys(_FREE, "nobody")
    )
    begun = datetime.now(UTC)
    own = tuple(("port", f"{port} {state}") for port, state in asked.items())
    more = (("second", "log-1"), ("second_asked", "ok"), ("second_afterwards", "3306 closed"))
    made = Recording("outside_ports", "0" * 16, begun, (*own, *more), ())
    first = worked(made, "blocked", msg("probe_said_too_little"), of=("firewall.exposed_ports",))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(ports, "_view", lambda *_: kept_out)
        found = ports._with_second(Capture("a", HostStatus.COMPLETE), made, first)
    assert found.holds == ("firewall.exposed_ports", "firewall.admin_sources")


@pytest.mark.parametrize("afterwards", ["silent", "closed", ""])
def test_silence_of_a_host_that_answers_no_more_proves_nothing(afterwards: str) -> None:
    """The network went away in the middle, or the host banned who asked."""
    found = _asked(
        "nightly-dump-trixie", {22: "open", 80: "silent", **_free("silent")}, afterwards=afterwards
    )
    assert (found.came, found.why.code, found.holds) == (None, "probe_ports_lost", ())
    # what did answer was open all the same
    found = _asked(
        "nightly-dump-trixie", {22: "open", 3306: "open", **_free("silent")}, afterwards=afterwards
    )
    assert found.why.code == "probe_ports_open"


_TRIXIE = {22: "open", 80: "open", 3306: "closed", **_free("closed")}


def _second(ports: dict[int, str], again: str = "22 open", asked: str = "ok") -> tuple[str, ...]:
    lines = ["second log-1", f"second_asked {asked}"]
    if asked == "ok":
        lines += ["second_source 203.0.113.77"]
        lines += [f"second_port {port} {state}" for port, state in ports.items()]
        lines += [f"second_afterwards {again}"] if again else []
    return tuple(lines)


@pytest.mark.parametrize(
    ("ports", "again", "code", "good"),
    [
        (_TRIXIE, "22 open", "probe_ports_second", True),
        # open to this one alone, and nobody there should be let in
        (_TRIXIE | {3306: "open"}, "22 open", "probe_ports_second_open", False),
        (dict.fromkeys(_TRIXIE, "open"), "22 open", "probe_ports_second_untold", None),
        (dict.fromkeys(_TRIXIE, "silent"), "", "probe_ports_second_untold", None),
        (_TRIXIE, "22 silent", "probe_ports_second_untold", None),
        (_TRIXIE, "", "probe_ports_second_untold", None),
        ({22: "open"}, "22 open", "probe_ports_second_untold", None),
    ],
)
def test_a_second_node_takes_away_and_adds_nothing(
    ports: dict[int, str], again: str, code: str, good: bool | None
) -> None:
    alone = _asked("nightly-dump-trixie", _TRIXIE)
    found = _asked("nightly-dump-trixie", _TRIXIE, more=_second(ports, again))
    assert found.why.code == code
    told = True if found.came and found.complete and not found.broken else None
    assert (False if found.broken else told) is good
    assert found.holds == (() if good is False else alone.holds)


def test_a_second_node_that_could_not_ask() -> None:
    more = _second({}, asked="no_program bash")
    found = _asked("nightly-dump-trixie", _TRIXIE, more=more)
    assert (found.came, found.complete) == ("blocked", False)
    assert "log-1" in str(found.why) and "bash" in str(found.why)


def test_what_the_first_node_found_stands_whatever_the_second_one_says() -> None:
    ports = {22: "open", **_free("silent")}
    silent = dict.fromkeys(ports, "silent")
    first = _asked("intrusion-trixie", ports, more=_second(silent, ""))
    assert first.why.code == "probe_ports_open"
