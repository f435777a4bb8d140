"""Many hosts in one task: the same captures as by a task each, and nobody waits for a slow one."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from collector import captures, catalog, script
from collector.model import Capture, HostStatus
from collector.run.ansible import many
from collector.run.ansible.inventory import How
from collector.run.collected.run_folder import RunFolder
from tests.run.conftest import Sshd, hostpledge
from tests.run.seen import below

QUICK = ("--family", "monitoring")
RECORDED = "0" * 32
# of two looks at one host, what only the moment makes different
MOMENT = ("clock", "seconds", "run", "output_sha256")
# and it becomes another user as sudo would, for whoever knows the password where one is asked for
PLAYED = """said=$(printf %%s "$SSH_ORIGINAL_COMMAND")
prompt=$(printf %%s "$said" | grep -o '\\[sudo via ansible, key=[a-z]*\\] password:' | head -n 1)
if [ -n "$prompt" ]; then
  printf %%s "$prompt" >&2
  read -r password
  [ "$password" = secret-of-root ] || { echo 'Sorry, try again.' >&2; exit 1; }
fi
printf %%s "$said" | grep -o 'BECOME-SUCCESS-[a-z]*' | head -n 1
read -r nonce
nonce=${nonce#HP_NONCE=}
cat >/dev/null
exec sed "s/%s/$nonce/g" %s
"""


@dataclass(frozen=True)
class Player:
    """A login that plays a capture back that was recorded here: each look is the same."""

    sshd: Sshd

    def line(self, name: str, more: str = "") -> str:
        return self.sshd.line(name, "played", more)


@pytest.fixture(scope="module")
def player(sshd: Sshd) -> Player:
    chosen = catalog.select(("monitoring",), 2)
    text = script.collector_script(catalog.reads_for(chosen).values())
    done = subprocess.run(
        ["sh", "-s"], input=script.with_nonce(text, RECORDED).encode(), capture_output=True,
        check=True,
    )  # fmt: skip
    (sshd.folder / "recorded").write_bytes(done.stdout)
    program = sshd.folder / "play.sh"
    program.write_text(PLAYED % (RECORDED, sshd.folder / "recorded"))
    _login(sshd, "played", f"sh {program}")
    return Player(sshd)


def _login(sshd: Sshd, name: str, command: str) -> None:
    key = sshd.folder / name
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    with (sshd.folder / "authorized_keys").open("a") as keys:
        keys.write(f'command="{command}" {key.with_suffix(".pub").read_text()}')


def _captures(output: Path) -> dict[str, Capture]:
    found = [captures.load(p) for p in (output / "captures").glob("*.capture.gz")]
    return {capture.host: capture for capture in found}


def _lasting(capture: Capture) -> Capture:
    """Without times and nonces."""
    origin = {k: v for k, v in capture.origin.items() if k not in MOMENT}
    head = {k: v for k, v in capture.head.items() if k not in ("session", "clock")}
    return replace(capture, origin=origin, head=head, nonce="", collected_at=None)


def _collected(
    inventory: Path, output: Path, *more: str, per_host: str = "", strategy: str = "linear"
) -> dict[str, Capture]:
    ran = hostpledge(
        "collect", "-i", str(inventory), "-o", str(output), *QUICK, *more,
        HOSTPLEDGE_PER_HOST=per_host, ANSIBLE_STRATEGY=strategy,
    )  # fmt: skip
    assert ran.status in (0, 1), ran.err
    return _captures(output)


SLOW = "{{ lookup('pipe', 'sleep 7; echo root') }}"


def test_what_plain_ssh_does_not_reach_has_its_own_task(player: Player, tmp_path: Path) -> None:
    """And what is wrong before there is a connection is told by it, in the same words."""
    inventory = tmp_path / "hosts.ini"
    inventory.write_text(
        # the task for all is given to the first of them
        player.line("undefined", "ansible_become=true ansible_become_user='{{ nosuch }}'")
        + player.line("plain")
        + player.line("retried", "ansible_ssh_retries=1")
        + player.line("option", "").replace("=127.0.0.1", "=\"{{ '-oX' ~ '=y' }}\"")
        + player.line("slow").replace("=root", f'="{SLOW}"')
        + player.line("no-plugin", "ansible_connection=nosuch")
        + player.line("no-become", "ansible_become=true ansible_become_method=nosuch")
        + "here ansible_connection=local\n"
    )  # fmt: skip
    both = [_collected(inventory, tmp_path / f"out{w}", per_host=w) for w in ("", "1")]
    said = [{h: (c.status, c.detail) for h, c in one.items()} for one in both]
    assert said[0] == said[1]
    assert {h for h, (status, _) in said[0].items() if status is HostStatus.COMPLETE} == {
        "plain", "retried", "slow", "here",
    }  # fmt: skip
    assert said[0]["option"][1].startswith("not asked: ansible_host")


BECOMES = "ansible_become=true ansible_become_user=nobody"
FORMS = (
    ("plain", ""),
    ("user", BECOMES),
    ("shell", "ansible_shell_executable=/bin/bash"),
    ("templates", "mine=22 ansible_ssh_extra_args='-o ConnectTimeout={{ mine }}'"),
    ("shares", "ansible_ssh_args='-o ControlMaster=auto -o ControlPersist=1s' "
               "ansible_control_path_dir={folder}/cp"),
    ("asks", f"{BECOMES} ansible_become_password=secret-of-root"),
)  # fmt: skip


def test_the_same_captures_byte_for_byte(player: Player, sshd: Sshd, tmp_path: Path) -> None:
    inventory = tmp_path / "hosts.ini"
    inventory.write_text(
        "".join(player.line(name, more.replace("{folder}", str(tmp_path))) for name, more in FORMS)
        + player.line("wrong", f"{BECOMES} ansible_become_password=not-this")
        + sshd.line("garbled", "garbled")
        + sshd.line("stranger", "stranger")
        + sshd.line("closed", "well").replace(f"port={sshd.port}", "port=1")
        + sshd.line("nowhere", "well").replace("=127.0.0.1", "=host.invalid")
        + sshd.line("unknown", "well").replace("/known_hosts", "/no_hosts")
        + sshd.line("wrongkey", "well").replace("/known_hosts", "/wrong_hosts")
        + sshd.line("bad-option", "well").replace("-F none", "-F none -o NoSuchOption=yes")
        + sshd.line("no-program", "well", "ansible_ssh_executable=/nonexistent/ssh")
    )
    at_once = _collected(inventory, tmp_path / "at-once")
    per_host = _collected(inventory, tmp_path / "per-host", per_host="1")
    assert set(at_once) == set(per_host)
    assert {h for h, c in at_once.items() if c.status is HostStatus.COMPLETE} == dict(FORMS).keys()
    for host, capture in at_once.items():
        assert _lasting(capture) == _lasting(per_host[host]), host
    for host in ("plain", "shell"):
        assert at_once[host].origin["host_keys"] == [f"ssh-ed25519 {sshd.fingerprint}"]
    assert not list((tmp_path / "at-once" / "captures").glob("*.part"))


def _timed(output: Path) -> dict[str, float]:
    """When each host's capture was in place, since the run began."""
    begun = (output / "script.sh").stat().st_mtime
    return {
        c.host: p.stat().st_mtime - begun
        for p in (output / "captures").glob("*.capture.gz")
        for c in [captures.load(p)]
    }


def test_those_that_hang_and_flood_hold_nobody(player: Player, sshd: Sshd, tmp_path: Path) -> None:
    inventory = tmp_path / "hosts.ini"
    slow = ("hangs", "floods", "floods_inside", "floods_errors")
    names = [f"h{number:02d}" for number in range(40)]
    inventory.write_text(
        "".join(sshd.line(name, name) for name in slow) + "".join(map(player.line, names))
    )
    found = _collected(inventory, tmp_path / "out", "--seconds", "45", "--forks", "6")
    assert {str(found[h].status) for h in names} == {"complete"}
    assert {h: str(found[h].status) for h in slow} == {
        "hangs": "timed_out", **dict.fromkeys(slow[1:], "flooded"),
    }  # fmt: skip
    when = _timed(tmp_path / "out")
    assert max(when[h] for h in names) < when["hangs"]


def test_forks_are_how_many_hosts_at_a_time(sshd: Sshd, tmp_path: Path) -> None:
    inventory = tmp_path / "hosts.ini"
    inventory.write_text("".join(sshd.line(f"h{n}", "hangs") for n in range(8)))
    most = 0
    with _started(inventory, tmp_path / "out", "--seconds", "8", "--forks", "3") as running:
        while running.poll() is None:
            most = max(most, len(_ssh_of(running.pid)))
            time.sleep(0.05)
    assert most == 3
    assert {c.status for c in _captures(tmp_path / "out").values()} == {HostStatus.TIMED_OUT}


def _ssh_of(pid: int) -> list[int]:
    return [child for child in below(pid) if _program(child) == "ssh"]


def _program(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


class _started:  # noqa: N801 - a context manager
    """The command at work; killed at the end, whatever became of it."""

    def __init__(self, inventory: Path, output: Path, *more: str) -> None:
        self.words = ["collect", "-i", str(inventory), "-o", str(output), *QUICK, *more]

    def __enter__(self) -> subprocess.Popen[str]:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "collector", *self.words], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
            env={**os.environ, "LC_ALL": "C.UTF-8"},
        )  # fmt: skip
        return self.process

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()


def _until(seen: Callable[[], object], seconds: float = 60) -> None:
    last = time.monotonic() + seconds
    while not seen():
        assert time.monotonic() < last, "too slow"
        time.sleep(0.05)


@pytest.mark.parametrize("times", [1, 2])
def test_ctrl_c_ends_it_and_all_that_it_started(sshd: Sshd, tmp_path: Path, times: int) -> None:
    inventory = tmp_path / "hosts.ini"
    inventory.write_text(
        sshd.line("well", "well") + "".join(sshd.line(f"h{n}", "hangs") for n in range(6))
    )
    out = tmp_path / "out"
    with _started(inventory, out) as running:
        _until(lambda: any((out / "captures").glob("*.capture.gz")))
        asked = _ssh_of(running.pid)
        assert len(asked) >= 6
        assert len({_parent(pid) for pid in asked}) == 1, "one worker asks them all"
        for _ in range(times):
            running.send_signal(signal.SIGINT)
            time.sleep(0.2)
        _, errors = running.communicate(timeout=60)
    assert running.returncode == 2
    assert "interrupted, 1 of 7 hosts have answered" in errors
    assert "Traceback" not in errors
    _until(lambda: not [pid for pid in asked if _program(pid) == "ssh"], 10)
    assert list(_captures(out)) == ["well"], "who was left is no host that was lost"
    again = _collected(inventory, out, "--seconds", "8")
    assert {str(c.status) for h, c in again.items() if h != "well"} == {"timed_out"}


@pytest.mark.parametrize("who", ["command", "ansible", "worker"])
def test_kill_9_leaves_nothing_that_goes_on(sshd: Sshd, tmp_path: Path, who: str) -> None:
    """Whoever of the three is killed; and no capture is made of what the kill did."""
    inventory = tmp_path / "hosts.ini"
    inventory.write_text(
        sshd.line("well", "well") + "".join(sshd.line(f"h{n}", "hangs") for n in range(3))
    )
    out = tmp_path / "out"
    with _started(inventory, out, "--seconds", "30") as running:
        _until(lambda: any((out / "captures").glob("*.capture.gz")))
        asked = _ssh_of(running.pid)
        worker = _parent(asked[0])
        victim = {"command": running.pid, "ansible": _parent(worker), "worker": worker}[who]
        os.kill(victim, signal.SIGKILL)
        if who == "command":
            running.communicate(timeout=60)
            _until(lambda: not [pid for pid in asked if _program(pid) == "ssh"], 15)
            assert RunFolder.open(out).about["ended"] is None
        else:
            running.communicate(timeout=120)
    if who == "command":
        _collected(inventory, out, "--seconds", "8")
    found = _captures(out)
    assert str(found.pop("well").status) == "complete"
    assert {str(c.status) for c in found.values()} <= {"timed_out", "unreachable"}
    lines = [json.loads(x)["host"] for x in (out / "journal.jsonl").read_text().splitlines()]
    assert lines.count("well") == 1, "not asked twice"


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def test_a_host_of_many_that_changed_its_key(player: Player, tmp_path: Path) -> None:
    inventory = tmp_path / "hosts.ini"
    lines = [player.line(f"h{n}") for n in range(4)]
    lines[2] = lines[2].replace("/known_hosts", "/wrong_hosts")
    inventory.write_text("".join(lines))
    found = _collected(inventory, tmp_path / "out")
    assert {h: str(c.status) for h, c in found.items()} == {
        "h0": "complete", "h1": "complete", "h2": "host_key_changed", "h3": "complete",
    }  # fmt: skip
    assert "HAS CHANGED" in found["h2"].detail


def test_limit_and_hosts_that_are_there_already(player: Player, tmp_path: Path) -> None:
    inventory = tmp_path / "hosts.ini"
    inventory.write_text("".join(player.line(f"h{n}") for n in range(5)))
    assert sorted(_collected(inventory, tmp_path / "out", "--limit", "h1,h3")) == ["h1", "h3"]


@pytest.mark.parametrize("strategy", ["free", "host_pinned"])
def test_a_strategy_that_has_no_task_for_all(player: Player, tmp_path: Path, strategy: str) -> None:
    inventory = tmp_path / "hosts.ini"
    inventory.write_text("".join(player.line(f"h{n}") for n in range(3)))
    found = _collected(inventory, tmp_path / "out", strategy=strategy)
    assert [str(c.status) for c in found.values()] == ["complete"] * 3


def test_when_it_is_worth_a_task(monkeypatch: pytest.MonkeyPatch) -> None:
    how = How(inventory=("hosts.ini",))
    assert many.many(how, ["a", "b"])
    assert not many.many(how, ["a"])
    assert not many.many(How(inventory=("localhost,",)), ["a", "b"])
    monkeypatch.setenv(many.PER_HOST, "1")
    assert not many.many(how, ["a", "b"])


def test_a_vaulted_password_for_becoming_root(player: Player, tmp_path: Path) -> None:
    """Of several hosts, each with its own; a wrong vault password is told as ever."""
    key = tmp_path / "key"
    key.write_text("of the vault\n")
    vault = shutil.which("ansible-vault", path=Path(sys.executable).parent) or ""
    sealed = subprocess.run(
        [vault, "encrypt_string", "--vault-password-file", str(key), "secret-of-root", "--name",
         "ansible_become_password"],
        capture_output=True, text=True, check=True, env={**os.environ, "LC_ALL": "C.UTF-8"},
        stdin=subprocess.DEVNULL,
    ).stdout  # fmt: skip
    (tmp_path / "group_vars").mkdir()
    (tmp_path / "group_vars" / "all.yml").write_text(
        f"ansible_become: true\nansible_become_user: nobody\n{sealed}"
    )
    inventory = tmp_path / "hosts.ini"
    inventory.write_text("".join(player.line(f"h{n}") for n in range(3)))
    opened = _collected(inventory, tmp_path / "out", "--vault-password-file", str(key))
    assert [(str(c.status), c.origin["become"]) for c in opened.values()] == [
        ("complete", "sudo")
    ] * 3
    key.write_text("of another\n")
    words = ["collect", "-i", str(inventory), "-o", str(tmp_path / "closed"), *QUICK]
    closed = hostpledge(*words, "--vault-password-file", str(key))
    assert closed.status == 2
    assert "ault" in closed.err
