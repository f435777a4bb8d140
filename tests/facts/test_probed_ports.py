"""Ports that were asked, held against the rules and listeners of recorded hosts."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from collector import captures
from collector.facts.probed.outcome import Outcome
from collector.facts.probed.outcomes import outcome
from collector.model import Facts, ReadResult, ReadStatus

_HERE = Path(__file__).parents[1] / "captures"
_FREE = tuple(range(40_000, 40_008))


def _asked(
    name: str,
    ports: dict[int, str],
    *,
    minutes: int = 2,
    source: str = "203.0.113.5",
    afterwards: str = "open",
) -> Outcome:
    capture = captures.load(_HERE / f"{name}.capture.gz")
    assert capture.collected_at is not None
    begun = capture.collected_at + timedelta(minutes=minutes)
    lines = ["hostpledge-probe 1", "probe outside_ports", "nonce 0123456789abcdef"]
    lines += [f"begun {begun.isoformat()}", f"source {source}", "target 198.51.100.9"]
    lines += [f"port {port} {state}" for port, state in ports.items()]
    lines += [f"afterwards {afterwards}"] if afterwards else []
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
