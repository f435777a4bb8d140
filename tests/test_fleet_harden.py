"""`hostpledge harden` on a real host over SSH: proven, killed half-way, taken up, and put back."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from collector.attest.trust.trust_file import load_trust
from collector.verify import open_bundle, verify
from tests.fleet import Fleet
from tests.fleet.machine import why_not
from tests.run.conftest import Ran, hostpledge

pytestmark = pytest.mark.fleet

# small, and each changes something on a bare host
WANTED = ("logging.retention_configured", "intrusion.session_timeout")


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    if reason := why_not():
        say = pytest.fail if os.environ.get("CI") else pytest.skip
        say(f"containers cannot run here: {reason}")
    folder = tmp_path_factory.mktemp("harden")
    with Fleet(("bare",), folder=folder, prefix=f"harden-{os.getpid()}") as running:
        yield running


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hardened")


def words(host: Fleet, place: Path, *more: str) -> list[str]:
    chosen = [word for control in WANTED for word in ("--control", control)]
    return ["harden", "-i", str(host.inventory), "-o", str(place / "out"), *chosen, *more]


def harden(host: Fleet, place: Path, *more: str) -> Ran:
    home = str(place / "home")
    return hostpledge(*words(host, place, *more), timeout=600, HOSTPLEDGE_HOME=home)


def record(place: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((place / "out" / "hardening.json").read_text())
    return found


def on(host: Fleet, command: str) -> str:
    done = subprocess.run(
        [*host.ssh("bare"), command], capture_output=True, text=True, check=False, timeout=60
    )
    return done.stdout


def test_killed_while_applying_the_same_command_ends_it(host: Fleet, place: Path) -> None:
    """The host answers, no half of an output is there, and the check before is the first one."""
    process = subprocess.Popen(
        [sys.executable, "-m", "collector", *words(host, place, "--yes")],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "HOSTPLEDGE_HOME": str(place / "home"), "LC_ALL": "C.UTF-8"},
    )
    until = time.monotonic() + 300
    while process.poll() is None and time.monotonic() < until:
        kept = place / "out" / "hardening.json"
        if kept.exists() and record(place)["begun"]:
            break
        time.sleep(0.2)
    time.sleep(4)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert "up" in on(host, "echo up")
    assert record(place)["applied"] is None
    assert not (place / "out" / "bundle").exists()
    seen = (place / "out" / "before" / "journal.jsonl").read_bytes()
    ended = harden(host, place, "--yes")
    assert ended.status == 0, ended.err + ended.out
    assert (place / "out" / "before" / "journal.jsonl").read_bytes() == seen
    assert len(record(place)["begun"]) == 2


def test_one_bundle_proves_both(host: Fleet, place: Path) -> None:
    with open_bundle(place / "out" / "bundle") as opened:
        verify(opened, load_trust(place / "home" / "keys" / "trust.json"))
        assert opened.before is not None
        sides = [
            {f["control"]: f["verdict"] for f in side.host("bare")["findings"]}
            for side in (opened.before, opened)
        ]
    for control in WANTED:
        assert sides[0][control] in ("fail", "error")
        assert sides[1][control] == "pass"
    replayed = hostpledge("replay", str(place / "out" / "bundle"))
    assert replayed.status == 0, replayed.err
    assert '<section id="between">' in (place / "out" / "report.html").read_text()


def test_a_second_time_there_is_nothing_to_change(host: Fleet, place: Path) -> None:
    ended = harden(host, place, "--yes")
    assert ended.status == 0, ended.err + ended.out
    assert "nothing was changed" in ended.out
    looked = harden(host, place, "--check")
    assert looked.status == 0, looked.err + looked.out
    assert "+++" not in looked.out


def test_ansible_playbook_by_itself_shows_no_change(host: Fleet) -> None:
    """As somebody looks who uses Ansible alone."""
    program = Path(sys.executable).with_name("ansible-playbook")
    plan = json.dumps({"harden_plan": {"bare": WANTED}})
    done = subprocess.run(
        [program, "-i", host.inventory, "playbooks/harden.yml", "--check", "--diff", "-e", plan],
        cwd=Path(__file__).parents[1],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    recap = done.stdout.rpartition("PLAY RECAP")[2]
    assert "changed=0" in recap, done.stdout
    assert "+++" not in done.stdout


def undo(host: Fleet, place: Path, *more: str) -> Ran:
    words = ["harden", "-i", str(host.inventory), "--undo", "--yes", "--family", "intrusion"]
    home = str(place / "home")
    return hostpledge(*words, "-o", str(place / "undo"), *more, HOSTPLEDGE_HOME=home)


def test_undo_puts_it_back(host: Fleet, place: Path) -> None:
    undone = undo(host, place)
    assert undone.status == 0, undone.err + undone.out
    assert "bare: intrusion: put back (" in undone.out
    assert "logging" not in undone.out
    assert "TMOUT" not in on(host, "cat /etc/profile.d/*.sh /etc/profile.d/hostpledge* 2>/dev/null")
    with open_bundle(place / "undo" / "bundle") as opened:
        verify(opened, load_trust(place / "home" / "keys" / "trust.json"))
        assert opened.before is not None
        sides = [
            {f["control"]: f["verdict"] for f in side.host("bare")["findings"]}
            for side in (opened.before, opened)
        ]
    assert [side["intrusion.session_timeout"] for side in sides] == ["pass", "fail"]
    looked = harden(host, place, "--check")
    assert looked.status == 1
    assert "intrusion.session_timeout" in record(place)["controls"]
    acts = {s["control"]: s["act"] for s in record(place)["hosts"]["bare"]["steps"]}
    assert acts == {
        "intrusion.session_timeout": "apply",
        "logging.retention_configured": "leave",
    }
    assert "TMOUT" in looked.out, "the difference is shown"
    assert "put back already" in undo(host, place).out


def test_undo_without_root_does_not_say_that_nothing_was_changed(host: Fleet, place: Path) -> None:
    on(host, "useradd -m op; usermod -p '*' op; cp -r /root/.ssh ~op/; chown -R op ~op/.ssh")
    refused = undo(host, place, "-e", "ansible_user=op")
    assert refused.status == 1
    assert "putting back needs root on the host" in refused.err + refused.out
    assert "changed nothing" not in refused.out
