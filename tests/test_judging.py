"""Each capture is judged by itself, within limits: what goes past one costs that control alone."""

from __future__ import annotations

import faulthandler
import json
import mmap
import os
import re
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from collector import captures, catalog
from collector.assess import assess_host
from collector.errors import BadInput, NotUnderstood
from collector.judging.confined import Confined, Limits, looked_through, within_limits
from collector.judging.hosts import Judging, in_order, judge
from collector.model import (
    Capture,
    Clock,
    Control,
    Facts,
    Judge,
    Parameters,
    ReadResult,
    ReadStatus,
    Result,
    Verdict,
)
from tests.growth import grown
from tests.growth.shapes import SHAPES

ROOT = Path(__file__).parents[1]
RECORDED = sorted((ROOT / "tests/captures").glob("*.capture.gz"))
SHORT = Limits(step=0.5, cpu=3, memory=64 << 20, seconds=20)
CAPTURE = captures.load(RECORDED[0])
FINE = Verdict(Result.PASS, "judge_failed", values={"why": "x"})


def _control(number: int, judge: Judge) -> Control:
    known = catalog.control("encryption.password_hash")
    return replace(known, id=f"encryption.c{number}", judge=judge)


def _endless(facts: Facts, parameters: Parameters, clock: Clock) -> Verdict:
    while True:
        pass


def _backtracking(facts: Facts, parameters: Parameters, clock: Clock) -> Verdict:
    re.match(r"(a|aa)+$", "a" * 60 + "b")
    return FINE


def _greedy(facts: Facts, parameters: Parameters, clock: Clock) -> Verdict:
    held = []
    while True:
        held.append(bytearray(1 << 20))


def _deep(facts: Facts, parameters: Parameters, clock: Clock) -> Verdict:
    return _deep(facts, parameters, clock)


def _crashing(facts: Facts, parameters: Parameters, clock: Clock) -> Verdict:
    faulthandler.disable()
    os.kill(os.getpid(), signal.SIGSEGV)
    return FINE


def _leaving(facts: Facts, parameters: Parameters, clock: Clock) -> Verdict:
    os._exit(0)


def _asleep(facts: Facts, parameters: Parameters, clock: Clock) -> Verdict:
    time.sleep(60)
    return FINE


def _well(facts: Facts, parameters: Parameters, clock: Clock) -> Verdict:
    return FINE


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (_endless, "more than 0.5 s of processor time"),
        (_backtracking, "more than 0.5 s of processor time"),
        (_greedy, "more memory than it may"),
        (_deep, "nested too deeply"),
        (_crashing, "breaks off"),
        (_leaving, "breaks off"),
        (_asleep, "more than 1 s"),
    ],
)
def test_what_goes_past_a_limit_costs_that_control_alone(bad: Judge, said: str) -> None:
    controls = [_control(0, _well), _control(1, bad), _control(2, _well), _control(3, _well)]
    limits = replace(SHORT, seconds=1) if bad is _asleep else SHORT
    found = judge(CAPTURE, controls, limits=limits)
    assert [f.control for f in found] == [c.id for c in controls]
    assert found[0].result is Result.PASS
    assert (found[1].result, found[1].reason) == (Result.ERROR, "judge_limit")
    assert said in found[1].message.en
    assert re.search("[一-鿿]", found[1].message.zh)
    assert found[1].evidence[0]["read"] in found[1].message.en
    if bad is not _asleep:  # no time is left after that
        assert [f.result for f in found[2:]] == [Result.PASS] * 2


def _slow_fact(capture: Capture) -> int:
    while True:
        pass


def _resting(facts: Facts, parameters: Parameters, clock: Clock) -> Verdict:
    facts.get(_slow_fact)
    return FINE


def test_a_fact_that_goes_past_a_limit_is_tried_once() -> None:
    controls = [_control(n, _resting if n % 2 else _well) for n in range(20)]
    begun = time.process_time()
    found = judge(CAPTURE, controls, limits=SHORT)
    assert [f.reason == "judge_limit" for f in found] == [n % 2 == 1 for n in range(20)]
    assert "_slow_fact" in found[1].message.en
    assert time.process_time() - begun < 5


def test_a_host_in_all_has_no_more_time_than_a_host_may() -> None:
    controls = [_control(n, _endless) for n in range(30)]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    found = judge(CAPTURE, controls, limits=SHORT)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert {f.reason for f in found} == {"judge_limit"}
    assert "taken all the time" in found[-1].message.en
    assert after.ru_utime - before.ru_utime < SHORT.cpu + 1.5


def test_crashes_without_end_come_to_an_end() -> None:
    found = judge(CAPTURE, [_control(n, _crashing) for n in range(200)], limits=SHORT)
    assert {f.reason for f in found} == {"judge_limit"}
    assert len(found) == 200


@pytest.mark.parametrize("path", RECORDED[::4], ids=lambda p: p.name)
def test_the_findings_are_those_of_this_process(path: Path) -> None:
    capture, controls = captures.load(path), list(catalog.controls().values())
    assert judge(capture, controls, grade=3) == assess_host(capture, controls, grade=3)


def test_the_order_is_that_of_the_captures() -> None:
    def begun() -> Iterator[tuple[int, Judging]]:
        for number in range(9):
            slow = _control(number, _slow if number % 3 == 0 else _well)
            yield number, Judging(CAPTURE, [slow])

    assert [(n, f[0].control) for n, f in in_order(begun())] == [
        (n, f"encryption.c{n}") for n in range(9)
    ]


def _slow(facts: Facts, parameters: Parameters, clock: Clock) -> Verdict:
    time.sleep(0.2)
    return FINE


def test_what_is_wrong_with_the_input_is_raised_as_ever() -> None:
    with pytest.raises(BadInput, match=r"has no time; give one with --at") as caught:
        judge(replace(CAPTURE, collected_at=None), [_control(0, _well)])
    assert caught.value.mend == "give one with --at"
    with pytest.raises(NotUnderstood, match=r"a\.b: what"):
        within_limits(lambda: _raise(NotUnderstood("a.b", "what")))
    with pytest.raises(RuntimeError, match="KeyError"):
        within_limits(lambda: _raise(KeyError("x")))
    with pytest.raises(BadInput, match=r"^f: cannot be looked through: .*memory"):
        looked_through(lambda: bytearray(2 << 30), where="f")


def _raise(problem: Exception) -> Any:
    raise problem


# --- no process is left behind -------------------------------------------------------------------


def test_no_child_outlives_an_interruption() -> None:
    def begun() -> Iterator[tuple[int, Judging]]:
        yield 1, Judging(CAPTURE, [_control(0, _asleep)])
        raise KeyboardInterrupt

    before = _children()
    with pytest.raises(KeyboardInterrupt):
        list(in_order(begun()))
    assert _children() <= before


def _children() -> set[str]:
    """Those of this process, ended and waited for or not; other tests may have left some."""
    tasks = Path("/proc/self/task").iterdir()
    return {pid for task in tasks for pid in (task / "children").read_text().split()}


def test_no_child_outlives_its_parent() -> None:
    shared = mmap.mmap(-1, 8)

    def act(say: Callable[[object], None], at: Callable[[str], None]) -> None:
        shared[:8] = os.getpid().to_bytes(8, "little")
        time.sleep(60)

    parent = os.fork()
    if parent == 0:
        for _ in Confined(act).said():
            pass
        os._exit(0)
    while not (child := int.from_bytes(shared[:8], "little")):
        time.sleep(0.01)
    os.kill(parent, signal.SIGKILL)
    os.waitpid(parent, 0)
    last = time.monotonic() + 5
    while _runs(child) and time.monotonic() < last:
        time.sleep(0.01)
    assert not _runs(child)


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


# --- no read is larger than the script can have made it ------------------------------------------


def test_a_read_larger_than_the_script_makes_it_is_cut() -> None:
    many = {
        id: ReadResult(id, ReadStatus.OK, stdout=b"x=\n" * (5 << 20 // 3))
        for id, read in catalog.all_reads().items()
        if read.kind != "files"
    }
    capture = replace(CAPTURE, reads=MappingProxyType(many))
    begun = time.process_time()
    found = judge(capture, list(catalog.controls().values()))
    assert Result.PASS not in {f.result for f in found if not f.control.startswith("backup")}
    assert time.process_time() - begun < 10


# --- the command ---------------------------------------------------------------------------------


def _hostile(folder: Path, id: str, content: bytes) -> Path:
    base = captures.load(ROOT / "tests/captures/intrusion-trixie.capture.gz")
    read = catalog.all_reads()[id]
    result = ReadResult(id, ReadStatus.OK, stdout=content)
    if read.kind == "files":
        known = base.reads[id].files if id in base.reads else ()
        assert known, id
        result = replace(result, stdout=b"", files=(replace(known[0], data=content),))
    capture = replace(base, host="bad", reads=MappingProxyType({**base.reads, id: result}))
    place = folder / "bad.capture.gz"
    captures.write(capture, place)
    return place


def _measured(act: Callable[[], Any]) -> tuple[Any, float, int]:
    """What it returns as JSON has it, and the CPU seconds and most bytes of what it started.

    It is done in a fork: what other tests started before does not count, nor does the memory that
    this process has taken by now, of which each of its children has a copy.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            held = int(Path("/proc/self/statm").read_text().split()[1]) * mmap.PAGESIZE
            done = act()
            used = resource.getrusage(resource.RUSAGE_CHILDREN)
            said = [done, used.ru_utime + used.ru_stime, (used.ru_maxrss << 10) - held]
            with os.fdopen(writing, "w") as target:
                json.dump(said, target)
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as source:
        text = source.read()
    os.waitpid(child, 0)
    assert text, "it did not come to its end"
    value, cpu, most = json.loads(text)
    return value, cpu, most


# a process that has taken nothing yet: what execve(2) starts counts its memory of before as well
_WATCH = """
import json, resource, subprocess, sys
done = subprocess.run(sys.argv[1:], capture_output=True, check=False)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
said = (done.stdout if done.returncode == 1 else done.stderr).decode()
print(json.dumps([done.returncode, said, used.ru_utime + used.ru_stime, used.ru_maxrss << 10]))
"""


@pytest.mark.parametrize("command", [("assess", "--format", "json")])
def test_five_megabytes_of_hostile_content(command: tuple[str, ...], tmp_path: Path) -> None:
    """The host is judged within 10 s and 500 MB, and the other host as if it were alone."""
    rule = b'-A INPUT -p tcp -m comment --comment "[[[[[[[[" -s 10.0.0.1/32 -j c1\n'
    text = b"*filter\n:INPUT DROP [0:0]\n:c1 - [0:0]\n" + rule * ((5 << 20) // len(rule))
    bad = _hostile(tmp_path, "firewall.iptables", text + b"COMMIT\n")
    good = ROOT / "tests/captures/audit-trixie.capture.gz"
    env = os.environ | {"LC_ALL": "C.UTF-8"}
    alone = subprocess.run(
        [sys.executable, "-m", "collector", *command, str(good)],
        capture_output=True,
        env=env,
        check=False,
    )

    argv = [sys.executable, "-m", "collector", *command, str(bad), str(good)]
    begun = time.monotonic()
    watched = subprocess.run(
        [sys.executable, "-c", _WATCH, *argv], capture_output=True, check=True, env=env
    )
    status, said, cpu, most = json.loads(watched.stdout)
    assert status == 1, said
    found, known = json.loads(said)["hosts"], json.loads(alone.stdout)["hosts"]
    assert {n: found[n] for n in known} == known
    assert len(found["bad"]["findings"]) == len(next(iter(known.values()))["findings"])
    assert cpu < 14, f"{cpu} s, {time.monotonic() - begun} s"
    assert most < 500_000_000


_ALL = sorted(catalog.all_reads(), key=lambda name: -catalog.all_reads()[name].limit)
# the others are cut to less than a megabyte before anything looks at them
_READS = _ALL if os.environ.get("HOSTPLEDGE_GROWTH") else _ALL[:9:2]


def _count(capture: Capture, at: datetime) -> int:
    return len(judge(capture, list(catalog.controls().values()), at=at))


@pytest.mark.parametrize("id", _READS)
def test_five_megabytes_in_each_read(id: str) -> None:
    """In whatever shape: the process that judges is done in its time and memory."""
    controls = (c for c in catalog.controls().values() if id in catalog.reads_for([c]))
    case = next(case for control in controls for case in grown.told_most(control.id, id))
    for name in ("renamed", "then b'['", "tails b' '"):
        result = grown.grown(case.capture.reads[id], SHAPES[name], 5 << 20)
        capture = grown.with_reads(CAPTURE, [*case.capture.reads.values(), result])
        found, cpu, most = _measured(partial(_count, capture, case.at))
        assert found == len(catalog.controls())
        assert cpu < 9.5, name
        assert most < 500_000_000, name


def test_a_limit_is_told_in_both_languages(tmp_path: Path) -> None:
    """Where a command looks through one capture by itself, it ends with one line."""
    from collector.i18n.message import in_chinese

    for act in (lambda: bytearray(2 << 30), lambda: _deep(None, None, None)):  # type: ignore[arg-type]
        with pytest.raises(BadInput, match=r"^f: cannot be looked through: it ") as caught:
            looked_through(act, where="f")
        assert re.search("[a-z]{3}", in_chinese(caught.value.said)) is None
