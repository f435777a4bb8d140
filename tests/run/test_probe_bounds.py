"""A host that says endless or odd things of itself, or nothing at all: it holds up no other one."""

from __future__ import annotations

import ast
import time
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from collector.facts.probed.recording import recording
from collector.judging import confined
from collector.model import Capture, HostStatus, ReadResult, ReadStatus
from collector.run.probing import action, acts, arrived, seen, site
from collector.run.probing.site import LONGEST, MOST_LINES, Site, Undone
from tests.pledges.lives import captured

_HERE = Path(acts.__file__).parent


def _site(capture: Capture) -> Site:
    return Site("outside_ports", capture, lambda *_: "== end\n", lambda *_: "", {})


def _with(read: str, text: str) -> Capture:
    """A capture of a host whose answer to one read is this."""
    capture = captured("weak")
    origin = {**capture.origin, "transport": "ansible-ssh", "address": "192.0.2.1", "port": 22}
    made = ReadResult(read, ReadStatus.OK, 0, 0, text.encode())
    reads = MappingProxyType({**capture.reads, read: made})
    return replace(capture, reads=reads, origin=MappingProxyType(origin))


def test_signs_without_end_in_the_name_of_an_interface() -> None:
    text = "== addresses\n1: " + "@" * (1 << 20) + "\n== rules\n== routes4\n== routes6\n== end\n"
    begun = time.process_time()
    with pytest.raises(Undone, match="not_direct"):
        seen.target(_site(_with("network.state", text)))
    assert time.process_time() - begun < 20


@pytest.mark.parametrize("name", ["network_of", "jails", "exposures"])
def test_what_would_never_end_is_ended(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each look into the capture, as if it took for ever: the probe says so and others go on."""

    def forever(*_: object) -> None:
        while True:
            pass

    monkeypatch.setattr(seen, name, forever)
    small = replace(confined.LIMITS, step=0.3, cpu=0.5, seconds=20)
    monkeypatch.setattr(seen, "LIMITS", small)
    here = _site(_with("network.state", ""))
    if name == "exposures":
        assert seen.listening(here) == []
        return
    with pytest.raises(Undone, match="limit"):
        seen.target(here) if name == "network_of" else seen.tries_of_sshd(here)
    assert name == "jails" or seen.own_addresses(here) == []


def test_nothing_else_of_a_probe_reads_what_a_host_said_of_itself() -> None:
    """Outside of `seen`, which has limits, only the form of recordings and sh texts are known."""
    known = {"collector.facts.probed.recording", "collector.facts.base.opened"}
    for path in sorted(_HERE.glob("*.py")):
        tree = ast.parse(path.read_text())
        taken = {n.module or "" for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
        taken |= {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
        facts = {name for name in taken if name.startswith("collector.facts")}
        assert path.name == "seen.py" or facts <= known, path


# --- a host that does not answer -----------------------------------------------------------------


class _Clock:
    """Time as a host lets it pass."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class _Folder:
    def take(self, *_: object) -> None:
        """Nothing is written down here."""


def _played(
    monkeypatch: pytest.MonkeyPatch, answers: Any, names: list[str]
) -> tuple[Capture, float, int]:
    """The capture after the probes, the seconds that passed, and how often the host was asked."""
    clock, asked = _Clock(), 0
    kept: list[ReadResult] = []
    for module in (action, site):
        monkeypatch.setattr(module, "time", clock)

    def ask(_: object, text: str, seconds: float) -> str | None:
        nonlocal asked
        asked += 1
        took, said = answers(text)
        clock.now += min(took, seconds)
        return said if took < seconds else None

    monkeypatch.setattr(action.ActionModule, "_ask", ask)
    monkeypatch.setattr(action.ActionModule, "_plainly", ask)
    mine = action.ActionModule.__new__(action.ActionModule)
    given: dict[str, Any] = {
        "probes": names,
        "driver": "",
        "window_end": "",
        "consent": "me by --yes",
    }
    given |= {"malware_folder": "", "addresses": [], "store": "", "store_seconds": 0}
    given |= {"ban_from": "", "restore": {"tool": "tar", "store": "s", "path": "/b/*"}}
    began = clock.now

    def keep(_: object, capture: Capture, read: ReadResult) -> Capture:
        kept.append(read)
        return replace(capture, reads=MappingProxyType({**capture.reads, read.id: read}))

    monkeypatch.setattr(action, "_with", keep)
    mine._act(_Folder(), Capture("a", HostStatus.COMPLETE), given)  # type: ignore[arg-type]
    reads = {read.id: read for read in kept}
    return Capture("a", HostStatus.COMPLETE, reads=reads), clock.now - began, asked


_NAMES = ["integrity", "malware_stream", "restore", "time"]


def test_a_silent_host_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    capture, passed, asked = _played(monkeypatch, lambda _: (1e9, None), _NAMES)
    assert passed <= 130 and asked == 1
    for name in _NAMES:
        made = recording(capture, name)
        assert made is not None and made.undone == ("silent" if name != _NAMES[0] else "lost")


def test_one_that_falls_silent_in_the_middle(monkeypatch: pytest.MonkeyPatch) -> None:
    """The act is waited for, and what it left is asked for; then nothing more."""
    answers = iter([(1.0, "== end\n")])
    capture, passed, _ = _played(
        monkeypatch, lambda _: next(answers, (1e9, None)), ["integrity", "malware_stream"]
    )
    assert passed < 900 + 400
    made = recording(capture, "integrity")
    assert made is not None and made.undone == "lost" and made.left
    other = recording(capture, "malware_stream")
    assert other is not None and other.undone == "silent" and not other.left


def test_one_that_answers_late_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    _, passed, _ = _played(monkeypatch, lambda _: (890.0, "== end\n"), ["time", *_NAMES[:3]])
    assert passed < 2700 + 2 * 900
    _, passed, _ = _played(
        monkeypatch,
        lambda text: (1.0 if "did somebody stop" in text else 800.0, "== end\n"),
        [*_NAMES[:3], "failed_login"],
    )
    assert passed < 2700 + 900


def test_a_connection_that_came_back_is_gone_on_with(monkeypatch: pytest.MonkeyPatch) -> None:
    told = iter([(1.0, "== end\n"), (5.0, None), (1.0, "== end\n")])
    capture, _, asked = _played(
        monkeypatch, lambda _: next(told, (1.0, "== end\n")), ["integrity", "malware_stream"]
    )
    first, second = recording(capture, "integrity"), recording(capture, "malware_stream")
    assert first is not None and first.undone == "lost"
    assert second is not None and second.undone == "" and asked > 3


def test_others_add_no_more_than_is_kept() -> None:
    here = Site(
        "outside_ports", Capture("a", HostStatus.COMPLETE), lambda *_: "", lambda *_: "", {}
    )
    lines = ["second_port " + "9" * 100_000] * 5000
    read = arrived.added(here.recorded(), lines)
    assert len(read.stdout) < (LONGEST + 10) * (MOST_LINES + 10) * 4


class _Run:
    """A run of hosts whose clocks are so far from ours."""

    def __init__(self, **off: float) -> None:
        self.about = {"hosts": list(off)}
        self.off = off

    def capture_path(self, host: str) -> str:
        return host

    def capture(self, host: str) -> Capture:
        here = Site("time", Capture(host, HostStatus.COMPLETE), lambda *_: "", lambda *_: "", {})
        unsure = 0.001 if self.off[host] else 0.2
        here.note("exchange", f"{self.off[host]:.6f} {unsure}")
        read = here.recorded()
        return Capture(host, HostStatus.COMPLETE, reads={read.id: read})


def test_two_hosts_that_say_what_they_like_are_not_whom_all_are_held_against(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = _Run(a=0.0, evil1=900.0, b=0.0, evil2=900.0, c=0.0, d=0.0)
    monkeypatch.setattr("collector.captures.load", run.capture)
    lines = arrived.clocks(run, "a")  # type: ignore[arg-type]
    assert [line.split()[-1] for line in lines] == ["b", "c"]
