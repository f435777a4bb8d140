"""Remedies that want a kernel or a disk of their own are typed in a virtual machine."""

from __future__ import annotations

import shlex
import time
from collections.abc import Iterable

import pytest

from collector.remedies.steps import Step
from tests.remedies.kernel import DISKS
from tests.remedies.scenes import IN_A_MACHINE, Scene, typed
from tests.remedies.typing import whole
from tests.vm.guest import collected, judged
from tests.vm.machine import CannotRun, Machine

pytestmark = pytest.mark.vm

__all__ = ["DISKS"]
_NO_PROGRAM = (126, 127)
_TRIES = 6


def _paste(machine: Machine, lines: Iterable[str], scene: Scene) -> tuple[int, str]:
    """The lines go to one bash as its input; its status, and what it said."""
    given = [f"{name}={shlex.quote(value)}" for name, value in scene.fill.items()]
    text = "\n".join([*given, *lines]) + "\n"
    out = machine.ssh(
        "bash --norc 2>&1; s=$?; echo; echo $s", data=text.encode(), seconds=900
    ).decode("utf-8", "replace")
    said, _, status = out.rstrip("\n").rpartition("\n")
    return int(status), said


def _asked(machine: Machine, step: Step, scene: Scene) -> None:
    """On a terminal that answers: one that is asked for flushes what was typed before."""
    given = [f"{name}={shlex.quote(value)}" for name, value in scene.fill.items()]
    text = "\n".join(["set -e", *given, *step.commands]) + "\n"
    machine.ssh("cat >/root/typed", data=text.encode())
    keys = "; ".join(f"sleep 10; echo {shlex.quote(answer)}" for answer in scene.answers)
    machine.ssh(f"({keys}) | script -qec 'bash --norc /root/typed' /dev/null", seconds=900)


def _do(machine: Machine, lines: Iterable[str], scene: Scene) -> None:
    status, said = _paste(machine, ["set -e", *lines], scene)
    assert status == 0, said[-1500:]


def _holds(machine: Machine, step: Step, scene: Scene, tries: int = 1) -> bool:
    for _ in range(tries):
        if _paste(machine, step.check, scene)[0] == 0:
            return True
        time.sleep(2)
    return False


@pytest.mark.parametrize("name", IN_A_MACHINE)
def test_typed_as_it_stands(machine: Machine, name: str) -> None:
    scene = IN_A_MACHINE[name]
    steps = typed(scene)
    assert steps
    if scene.prepare:
        machine.shell(scene.prepare)
    if scene.before is not None:
        found = judged(collected(machine, scene.control), scene.control, scene.grade)
        assert found.result == scene.before, found.message.en
    for step in steps:
        for line in whole(step.look):
            status, said = _paste(machine, [line], scene)
            assert status not in _NO_PROGRAM, said
        assert not _holds(machine, step, scene), step.check
        if scene.answers:
            _asked(machine, step, scene)
        else:
            _do(machine, step.commands, scene)
        assert _holds(machine, step, scene, _TRIES), step.check
    if scene.after:
        found = judged(collected(machine, scene.control), scene.control, scene.grade)
        assert found.result in scene.after, found.message.en
    if scene.works:
        _do(machine, [scene.works], scene)
    for step in reversed(steps):
        if step.back:
            _do(machine, step.back, scene)
            assert not _holds(machine, step, scene), step.back
    if scene.away:
        machine.shell(scene.away)


def test_nothing_is_made_on_a_disk_that_holds_something(machine: Machine) -> None:
    scene = IN_A_MACHINE["encryption.storage"]
    (step,) = typed(scene)
    machine.shell("mkfs.ext4 -q /dev/vdc")
    with pytest.raises(CannotRun):
        _asked(machine, step, scene)
    assert machine.shell("blkid -o value -s TYPE /dev/vdc").strip() == "ext4"


def test_a_volume_is_enlarged_once(machine: Machine) -> None:
    scene = IN_A_MACHINE["logging.capacity-volume"]
    (step,) = typed(scene)
    machine.shell(scene.prepare)
    try:
        for _ in range(2):
            _paste(machine, step.commands, scene)
            assert _holds(machine, step, scene, _TRIES), step.check
        size = machine.shell("lvs --noheadings --nosuffix --units m -o lv_size vg0/var")
        assert size.split() == ["200.00"]
    finally:
        machine.shell(scene.away)
