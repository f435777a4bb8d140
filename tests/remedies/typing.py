"""Types the steps of a remedy on a host of the fleet, as a person who copies them would."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Iterable, Mapping

from collector import catalog
from collector.assess import assess_host
from collector.model import Finding
from collector.remedies.steps import Step
from collector.script import collector_script, parse_output
from tests.fleet import Fleet
from tests.fleet.machine import environment
from tests.remedies.scene import Scene

_SECONDS = 600
# for a script under `set -e`: what is logged now is written, by rsyslog where it runs
LOG_ARRIVES = """
word="line $$ $(date +%s)"
logger "$word"
arrived() {
  if systemctl is-active --quiet rsyslog; then grep -q "$word" /var/log/syslog
  else journalctl -n 100 -o cat | grep -q "$word"; fi
}
for n in 1 2 3 4 5 6 7 8; do ! arrived || break; sleep 0.5; done
arrived
"""
# what a shell says of a program that is not there, or cannot be run
_NO_PROGRAM = (126, 127)


class Typed(Exception):
    """A line of a remedy did not do what the remedy says of it."""


def paste(
    fleet: Fleet, host: str, lines: Iterable[str], fill: Mapping[str, str]
) -> tuple[int, str]:
    """The lines go to one bash as its input, one after the other; its status, and what it said."""
    given = [f"{name}={shlex.quote(value)}" for name, value in fill.items()]
    text = "\n".join([*given, *lines]) + "\n"
    done = fleet.execute(host, "bash", "--norc", data=text.encode(), seconds=_SECONDS)
    said = (done.stdout + done.stderr).decode("utf-8", "replace")
    return done.returncode, said


def look(fleet: Fleet, host: str, step: Step, fill: Mapping[str, str]) -> None:
    for line in whole(step.look):
        status, said = paste(fleet, host, [line], fill)
        if status in _NO_PROGRAM:
            raise Typed(f"{line}: {said[-500:]}")


def do(fleet: Fleet, host: str, lines: tuple[str, ...], fill: Mapping[str, str]) -> str:
    """Raises Typed where any line fails: `set -e` of what a person would have to notice."""
    status, said = paste(fleet, host, ["set -e", *lines], fill)
    if status != 0:
        raise Typed(f"status {status}: {said[-1500:]}")
    return said


def holds(fleet: Fleet, host: str, step: Step, fill: Mapping[str, str]) -> bool:
    """What the step's own check says; raises Typed where it cannot be run."""
    status, said = paste(fleet, host, step.check, fill)
    if status in _NO_PROGRAM and "bash: line" in said and "syntax" in said:
        raise Typed(said[-500:])
    return status == 0


def whole(lines: Iterable[str]) -> list[str]:
    """Lines of a `look`, those that a backslash or a pipe continues together."""
    found: list[str] = []
    open_ended = False
    for line in lines:
        if open_ended:
            found[-1] += "\n" + line
        else:
            found.append(line)
        open_ended = line.endswith(("\\", "|", "&&"))
    return found


def judged(fleet: Fleet, host: str, scene: Scene) -> Finding:
    """What our own judge says of the host now, by what the collector reads there."""
    known = catalog.control(scene.control)
    script = collector_script(catalog.reads_for([known]).values())
    done = subprocess.run(
        fleet.execute_argv(host, "sh", "-s"),
        input=script.encode(),
        capture_output=True,
        env=environment(),
        check=True,
        timeout=_SECONDS,
    )
    capture = parse_output(done.stdout, host=host)
    attached = {n: fleet.execute(host, "sh", "-c", c).stdout for n, c in scene.attach.items()}
    (found,) = assess_host(
        capture, [known], grade=scene.grade, at=capture.collected_at, attached=attached
    )
    return found


def logs_in(fleet: Fleet, host: str) -> bool:
    """A new SSH session, by key."""
    done = subprocess.run([*fleet.ssh(host), "true"], capture_output=True, timeout=60, check=False)
    return done.returncode == 0
