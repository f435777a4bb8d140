"""Collecting from real logins: what each kind of host becomes, and that nothing is lost."""

from __future__ import annotations

import fcntl
import gzip
import json
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from collector import captures, catalog, script
from collector.errors import BadInput
from collector.model import Capture, HostStatus
from collector.run.collected import outcome
from collector.run.collected.locks import lock
from collector.run.collected.run_folder import RunFolder
from tests.run.conftest import Sshd, hostpledge

ROOT = Path(__file__).parents[2]


def _captures(output: Path) -> dict[str, Capture]:
    found = [captures.load(p) for p in (output / "captures").glob("*.capture.gz")]
    return {capture.host: capture for capture in found}


@pytest.fixture(scope="module")
def mixed(sshd: Sshd, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, int]:
    """One run over a host of every kind; returns its folder, stderr and exit status."""
    folder = tmp_path_factory.mktemp("mixed")
    inventory = folder / "hosts.ini"
    wrong = f"{sshd.folder}/wrong_hosts"
    inventory.write_text(
        sshd.line("well", "well")
        + sshd.line("web 01.例子", "well").replace("web 01.例子", "例子-01")
        + sshd.line("noisy", "noisy")
        + sshd.line("hangs", "hangs")
        + sshd.line("floods", "floods")
        + sshd.line("floods-inside", "floods_inside")
        + sshd.line("floods-errors", "floods_errors")
        + sshd.line("claims", "claims")
        + sshd.line("dies", "dies")
        + sshd.line("garbled", "garbled")
        + sshd.line("stranger", "stranger")
        + sshd.line("wrongkey", "well").replace(f"{sshd.folder}/known_hosts", wrong)
        + sshd.line("closed", "well").replace(f"port={sshd.port}", "port=1")
        + sshd.line("sudo", "well", "ansible_become=true ansible_become_user=nobody")
        + sshd.line(
            "sudo-refused",
            "well",
            "ansible_become=true ansible_become_user=daemon "
            "ansible_become_exe='sudo -n -u nobody sudo'",
        )
    )
    ran = hostpledge(
        "collect", "-i", str(inventory), "-o", str(folder / "out"), "--seconds", "20",
        "--family", "encryption",
    )  # fmt: skip
    return folder / "out", ran.err, ran.status


def test_each_host_has_its_own_status(mixed: tuple[Path, str, int]) -> None:
    output, errors, status = mixed
    assert status == 1
    assert {h: str(c.status) for h, c in _captures(output).items()} == {
        "well": "complete",
        "例子-01": "complete",
        "noisy": "complete",
        "hangs": "timed_out",
        "floods": "flooded",
        "floods-inside": "flooded",
        "floods-errors": "flooded",
        "claims": "complete",
        "dies": "lost",
        "garbled": "garbled",
        "stranger": "auth_refused",
        "wrongkey": "host_key_changed",
        "closed": "unreachable",
        "sudo": "complete",
        "sudo-refused": "become_refused",
    }
    assert "15 done" not in errors
    assert re.search(r"hosts: 5 done, 10 failed, 0 left", errors)


def test_the_journal_says_the_same(mixed: tuple[Path, str, int]) -> None:
    output, _, _ = mixed
    arrived = RunFolder.open(output).arrived()
    known = _captures(output)
    assert {h: a.status for h, a in arrived.items()} == {h: c.status for h, c in known.items()}
    for entry in arrived.values():
        file = output / "captures" / entry.file
        assert captures.digest(file.read_bytes()) == entry.sha256
    lines = (output / "journal.jsonl").read_text().splitlines()
    assert len(lines) == len(arrived), "one line per host"
    assert not list((output / "captures").glob("*.part"))


def test_origin_says_how_it_was_had(mixed: tuple[Path, str, int], sshd: Sshd) -> None:
    output, _, _ = mixed
    known = _captures(output)
    origin = known["well"].origin
    assert origin["host_keys"] == [f"ssh-ed25519 {sshd.fingerprint}"]
    assert known["claims"].origin["host_keys"] == origin["host_keys"]
    assert (origin["address"], origin["port"]) == ("127.0.0.1", sshd.port)
    assert origin["user"] == "root"
    assert known["well"].nonce == script.host_nonce(RunFolder.open(output).nonce, "well")
    assert known["sudo"].head["user"] == "nobody"
    assert known["sudo"].origin["become"] == "sudo"
    text = (output / "script.sh").read_text()
    assert origin["script_sha256"] == script.script_digest(text)


def test_a_capture_reads_with_zcat_and_jq(mixed: tuple[Path, str, int]) -> None:
    output, _, _ = mixed
    with gzip.open(output / "captures" / "well.capture.gz", "rt") as lines:
        kinds = [json.loads(line)["kind"] for line in lines]
    assert kinds[0] == "head"
    assert kinds[-1] == "end"
    assert set(kinds[1:-1]) == {"read"}


def test_what_came_before_the_end_is_kept(mixed: tuple[Path, str, int]) -> None:
    output, _, _ = mixed
    lost = _captures(output)["dies"]
    assert lost.head["uid"] == "0"
    assert lost.read("accounts.shadow").status in ("lost", "ok")
    assert any(r.status == "lost" for r in map(lost.read, catalog.all_reads()))


def test_an_ended_run_makes_room_and_retry_asks_only_the_failed(sshd: Sshd, tmp_path: Path) -> None:
    inventory = tmp_path / "hosts.ini"
    inventory.write_text(sshd.line("a", "well") + sshd.line("b", "stranger"))
    words = ["collect", "-i", str(inventory), "-o", str(tmp_path / "out")]
    assert hostpledge(*words).status == 1
    first = _captures(tmp_path / "out")
    inventory.write_text(sshd.line("a", "well") + sshd.line("b", "well"))
    again = hostpledge(*words, "--retry")
    assert again.status == 0
    second = _captures(tmp_path / "out")
    assert second["a"].origin == first["a"].origin, "not collected twice"
    assert second["b"].status is HostStatus.COMPLETE
    assert hostpledge(*words).status == 0
    third = _captures(tmp_path / "out")
    assert third["a"].nonce != first["a"].nonce
    (earlier,) = (tmp_path / "out" / "earlier").iterdir()
    assert (earlier / "captures" / "a.capture.gz").exists()


def test_plain_ansible_playbook_gives_the_same_capture(sshd: Sshd, tmp_path: Path) -> None:
    inventory = tmp_path / "hosts.ini"
    inventory.write_text(sshd.line("a", "well") + sshd.line("b", "stranger"))
    playbook = shutil.which("ansible-playbook", path=Path(sys.executable).parent) or ""
    command = [
        playbook, "playbooks/check.yml", "-i", str(inventory), "-e",
        f"collect_output={tmp_path}/out",
    ]  # fmt: skip
    env = {**os.environ, "LC_ALL": "C.UTF-8"}
    # Ansible refuses a stdin that a process before left without blocking
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=ROOT, env=env,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode == 4, done.stdout + done.stderr
    assert "auth_refused: " in done.stdout
    known = _captures(tmp_path / "out")
    assert known["a"].status is HostStatus.COMPLETE
    assert known["b"].status is HostStatus.AUTH_REFUSED
    subprocess.run(
        command, capture_output=True, check=False, cwd=ROOT, env=env, stdin=subprocess.DEVNULL
    )
    assert _captures(tmp_path / "out")["a"].origin == known["a"].origin, "taken up, not repeated"


def test_plain_playbook_looks_again_once_every_host_answered(sshd: Sshd, tmp_path: Path) -> None:
    """A second look that keeps the first one's captures would judge the host as it was."""
    inventory = tmp_path / "hosts.ini"
    inventory.write_text(sshd.line("a", "well"))
    playbook = shutil.which("ansible-playbook", path=Path(sys.executable).parent) or ""

    def played(family: str) -> Capture:
        done = subprocess.run(
            [playbook, "playbooks/check.yml", "-i", str(inventory), "-e",
             json.dumps({"collect_output": f"{tmp_path}/out", "collect_families": [family]})],
            capture_output=True, text=True, check=False, cwd=ROOT,
            env={**os.environ, "LC_ALL": "C.UTF-8"}, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout
        return _captures(tmp_path / "out")["a"]

    first = played("encryption")
    second = played("encryption")
    assert second.nonce != first.nonce
    third = played("backup")
    assert third.nonce != second.nonce
    earlier = sorted((tmp_path / "out" / "earlier").iterdir())
    kept = [captures.load(one / "captures/a.capture.gz").nonce for one in earlier]
    assert kept == [first.nonce, second.nonce]
    ended = [json.loads((one / "run.json").read_text())["ended"] for one in earlier]
    assert all(ended)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["-i", "no-such-file"], "there is no such inventory"),
        (["-i", "{tmp}/bad.ini"], "bad.ini: not an inventory: "),
        (["-i", "{tmp}/bad.yml"], "bad.yml line 4: not an inventory: "),
        (["-i", "{tmp}/empty.ini"], "no host in it"),
        (["-i", "localhost,", "--limit", "other"], "--limit other: fits no host"),
        (["-i", "localhost,", "-e", "@{tmp}/none.yml"], "none.yml: there is no such file"),
        (["-i", "localhost,", "-e", "@{tmp}/bad.yml"], "bad.yml line 4: not YAML: "),
        (["-i", "localhost,", "-e", "{port: [2"], "-e: neither NAME=VALUE nor YAML; "),
        (["-i", "localhost,", "-e", "name='two"], "-e name=…: neither NAME=VALUE nor YAML; "),
        (["-i", "localhost,", "--vault-password-file", "none"], "none: there is no such file"),
        (["-i", "localhost,", "--family", "nosuch"], "no family is named nosuch"),
        (["-i", "localhost,", "--grade", "4"], "--grade"),
        ([], "-i"),
    ],
)
def test_bad_input_is_one_line(words: list[str], says: str, tmp_path: Path) -> None:
    (tmp_path / "bad.ini").write_text("[web\nhost\n")
    (tmp_path / "bad.yml").write_text("all:\n  hosts:\n    a:\n   b: [\n")
    (tmp_path / "empty.ini").write_text("")
    filled = [w.replace("{tmp}", str(tmp_path)) for w in words]
    ran = hostpledge("collect", *filled, "-o", str(tmp_path / "out"))
    assert ran.status == 2
    assert says in ran.err
    assert len(ran.err.strip().splitlines()) == 1, ran.err
    assert not (tmp_path / "out" / "run.json").exists(), "nothing half-begun"


def test_ten_kills_while_hosts_arrive_lose_and_repeat_nothing(sshd: Sshd, tmp_path: Path) -> None:
    """kill -9 of the command ten times in one run; the same command takes it up each time."""
    names = [f"h{number:02d}" for number in range(64)]
    inventory = tmp_path / "hosts.ini"
    inventory.write_text("".join(sshd.line(name, "well") for name in names))
    output = tmp_path / "out"
    words = ["collect", "-i", str(inventory), "-o", str(output), "-f", "3", "--family",
             "monitoring"]  # fmt: skip
    moments = random.Random(2026)
    clocks: dict[str, str] = {}
    nonces: set[str] = set()
    for _ in range(10):
        _kill_after(words, output, len(clocks) + moments.randint(1, 2), moments.random() * 0.4)
        about = RunFolder.open(output).about
        assert about["ended"] is None, "killed while at work, not after it"
        nonces.add(about["nonce"])
        _same_clocks(output, clocks)
    assert len(clocks) < len(names), "something was left for the last command"
    ran = hostpledge(*words)
    assert ran.status == 0, ran.err
    _same_clocks(output, clocks)
    assert sorted(clocks) == names, "none is lost"
    assert nonces == {RunFolder.open(output).nonce}, "one run, not a new one"
    assert not (output / "earlier").exists()
    assert not list((output / "captures").glob("*.part"))


def _kill_after(words: list[str], output: Path, arrived: int, more: float) -> None:
    """Starts the command and kills it `more` seconds after so many captures are in place."""
    process = subprocess.Popen(
        [sys.executable, "-m", "collector", *words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )
    _wait(process, lambda: len(list((output / "captures").glob("*.capture.gz"))) >= arrived)
    time.sleep(more)
    process.send_signal(signal.SIGKILL)
    process.communicate()


def _wait(process: subprocess.Popen[str], seen: Callable[[], bool], seconds: float = 90) -> None:
    until = time.monotonic() + seconds
    while not seen():
        if process.poll() is not None:
            pytest.fail(f"it ended too early: {process.communicate()[1]}")
        assert time.monotonic() < until, "too slow"
        time.sleep(0.02)


def _same_clocks(output: Path, clocks: dict[str, str]) -> None:
    """Every capture is whole, and one that was there before is the very same one."""
    for host, capture in _captures(output).items():
        assert capture.status is HostStatus.COMPLETE
        clock = capture.origin["clock"]
        assert clocks.setdefault(host, clock) == clock, f"{host} was collected twice"


def test_ctrl_c_says_how_to_go_on(sshd: Sshd, tmp_path: Path) -> None:
    inventory = tmp_path / "hosts.ini"
    inventory.write_text(sshd.line("a", "well") + sshd.line("b", "hangs"))
    process = subprocess.Popen(
        [sys.executable, "-m", "collector", "collect", "-i", str(inventory), "-o",
         str(tmp_path / "out")],
        stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    _wait(process, lambda: any((tmp_path / "out" / "captures").glob("*.capture.gz")))
    # the one that is in place is told to the command a moment later
    time.sleep(2)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "interrupted, 1 of 2 hosts have answered" in errors
    assert "the same command takes it up" in errors
    assert "Traceback" not in errors


def test_two_commands_at_once_in_one_folder(sshd: Sshd, tmp_path: Path) -> None:
    inventory = tmp_path / "hosts.ini"
    inventory.write_text(sshd.line("b", "hangs"))
    words = ["collect", "-i", str(inventory), "-o", str(tmp_path / "out"), "--seconds", "120"]
    first = subprocess.Popen(
        [sys.executable, "-m", "collector", *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    _wait(first, (tmp_path / "out" / "run.json").exists)
    second = hostpledge(*words)
    assert second.status == 2
    assert "another hostpledge is at work here" in second.err
    assert first.poll() is None
    first.send_signal(signal.SIGINT)
    assert first.wait(60) == 2


def test_a_full_disk_leaves_no_half_line_in_the_journal(tmp_path: Path) -> None:
    """The system takes a part of a line, and the next one would go on from there."""
    folder = RunFolder.begin(tmp_path / "out", ["encryption"], 2)
    first = folder.take(Capture("a", HostStatus.UNREACHABLE, origin={"run": folder.nonce}), 0)
    journal = tmp_path / "out" / "journal.jsonl"
    size = journal.stat().st_size
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 20, hard))
    try:
        with pytest.raises(OSError, match="No space left on device") as full:
            folder.take(Capture("b", HostStatus.LOST, origin={"run": folder.nonce}), 0)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert full.value.filename == str(journal)
    assert journal.stat().st_size == size
    folder.take(Capture("c", HostStatus.LOST, origin={"run": folder.nonce}), 0)
    assert sorted(folder.arrived()) == ["a", "c"]
    assert first in folder.vouched()


def test_folder_mends_a_half_written_journal(tmp_path: Path) -> None:
    folder = RunFolder.begin(tmp_path / "out", ["encryption"], 2)
    capture = Capture("a", HostStatus.UNREACHABLE, detail="x", origin={"run": folder.nonce})
    digest = folder.take(capture, 0)
    with (tmp_path / "out" / "journal.jsonl").open("a") as journal:
        journal.write('{"host": "a", "stat')
    stray = folder.part_path("b")
    stray.write_bytes(b"half")
    # what a kill leaves of a file that was being written aside
    aside = [stray.with_name(".b.capture.gz.123.part"), tmp_path / "out" / ".run.json.123.part"]
    begun = tmp_path / "out" / ".bundle.0123456789abcdef.part"
    begun.mkdir()
    for path in aside:
        path.write_bytes(b"half")
    own = Capture("e", HostStatus.COMPLETE, origin={"run": folder.nonce})
    captures.write(own, folder.capture_path("e"))
    again = RunFolder.begin(tmp_path / "out", ["encryption"], 2)
    assert sorted(again.arrived()) == ["a"], "what no line speaks of was not collected"
    assert again.vouched() == {digest}
    assert folder.capture_path("e").exists(), "it is somebody's, and stays"
    assert again.nonce == folder.nonce
    assert again.arrived()["a"].sha256 == digest
    assert not [path for path in (stray, *aside) if path.exists()]
    assert begun.is_dir(), "another command may be at work in it, and the next bundle looks"
    with pytest.raises(BadInput, match="other controls"):
        RunFolder.begin(tmp_path / "out", ["firewall"], 2)


def test_nothing_is_mended_while_a_worker_of_a_killed_command_is_at_a_host(tmp_path: Path) -> None:
    """Its half-written file is its own until it lets go of the lock."""
    place = tmp_path / "out"
    folder = RunFolder.begin(place, ["encryption"], 2)
    part = folder.part_path("busy")
    part.write_bytes(b"half")
    with lock(place / "workers.lock", fcntl.LOCK_SH) as held:
        assert held
        with (
            pytest.raises(BadInput, match="still busy here"),
            RunFolder.taken(place, ["encryption"], 2, patience=0.2),
        ):
            pytest.fail("entered while a worker was at work")
        assert part.read_bytes() == b"half"
    with RunFolder.taken(place, ["encryption"], 2, patience=0.2) as again:
        assert again.nonce == folder.nonce
        assert not part.exists()
        with lock(place / "workers.lock", fcntl.LOCK_SH) as held:
            assert held, "its own workers may begin"


def test_status_texts_of_openssh_and_sudo() -> None:
    said = {
        "root@h: Permission denied (publickey,password).": HostStatus.AUTH_REFUSED,
        "Host key verification failed.": HostStatus.HOST_KEY_CHANGED,
        "ssh: connect to host 10.9.9.9 port 22: No route to host": HostStatus.UNREACHABLE,
        "Missing sudo password": HostStatus.BECOME_REFUSED,
        "Incorrect sudo password": HostStatus.BECOME_REFUSED,
        "sudo: a password is required": HostStatus.BECOME_REFUSED,
        "ops is not in the sudoers file.": HostStatus.BECOME_REFUSED,
        "something nobody has seen before": HostStatus.UNREACHABLE,
    }
    for text, status in said.items():
        debug = "debug1: Reading configuration data /etc/ssh/ssh_config\n"
        assert outcome.classify(debug + text, begun=False)[0] is status, text


def test_ssh_config_jump_host_and_vault(sshd: Sshd, tmp_path: Path) -> None:
    """What the user's ssh_config says holds, through a jump host; vaulted variables are opened."""
    (tmp_path / "ssh_config").write_text(
        f"Host *\n  Port {sshd.port}\n  HostName 127.0.0.1\n  User root\n  IdentitiesOnly yes\n"
        f"  UserKnownHostsFile {sshd.folder}/known_hosts\n  IdentityFile {sshd.folder}/well\n"
        "Host inner\n  ProxyJump outer\n"
    )
    (tmp_path / "password").write_text("not-a-secret\n")
    vault = shutil.which("ansible-vault", path=Path(sys.executable).parent) or ""
    sealed = subprocess.run(
        [vault, "encrypt_string", "--vault-password-file", str(tmp_path / "password"),
         f"-F {tmp_path}/ssh_config", "--name", "ansible_ssh_common_args"],
        capture_output=True, text=True, check=True, env={**os.environ, "LC_ALL": "C.UTF-8"},
        stdin=subprocess.DEVNULL,
    ).stdout  # fmt: skip
    (tmp_path / "group_vars").mkdir()
    (tmp_path / "group_vars" / "all.yml").write_text(sealed)
    (tmp_path / "hosts").write_text("inner\n")
    words = ["collect", "-i", str(tmp_path / "hosts"), "-o", str(tmp_path / "out")]
    closed = hostpledge(*words)
    assert closed.status == 2
    assert "ault" in closed.err
    assert "Traceback" not in closed.err
    ran = hostpledge(*words, "--vault-password-file", str(tmp_path / "password"))
    assert ran.status == 0, ran.err
    origin = _captures(tmp_path / "out")["inner"].origin
    assert origin["host_keys"] == [f"ssh-ed25519 {sshd.fingerprint}"]


def test_plain_playbook_refuses_a_folder_of_another_run(sshd: Sshd, tmp_path: Path) -> None:
    inventory = tmp_path / "hosts.ini"
    inventory.write_text(sshd.line("a", "well"))
    RunFolder.begin(tmp_path / "out", ["encryption"], 2)
    playbook = shutil.which("ansible-playbook", path=Path(sys.executable).parent) or ""
    done = subprocess.run(
        [playbook, "playbooks/check.yml", "-i", str(inventory), "-e",
         f"collect_output={tmp_path}/out"],
        capture_output=True, text=True, check=False, cwd=ROOT,
        env={**os.environ, "LC_ALL": "C.UTF-8"}, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode == 2
    assert "an interrupted run of other controls lies here" in done.stdout


def test_a_capture_with_another_nonce_is_no_answer() -> None:
    """An old capture played back, or one of another host, is not taken for this host's."""
    raw = b"hostpledge-capture 1 " + b"a" * 32 + b"\n\n@" + b"a" * 32 + b" end 0 1\n"
    answered = script.parse_output(raw, host="h", status=HostStatus.COMPLETE, nonce="a" * 32)
    assert answered.status is HostStatus.COMPLETE
    played_back = script.parse_output(raw, host="h", status=HostStatus.COMPLETE, nonce="b" * 32)
    assert played_back.status is HostStatus.GARBLED
    assert not played_back.reads
