"""Drives the play through ansible-runner: which hosts, how far, and the true end of it."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from collector import captures
from collector.errors import BadInput, one_line
from collector.model import Capture, HostStatus
from collector.resources import shared
from collector.run import outcome
from collector.run.driver import driver_name
from collector.run.folder import Arrived, RunFolder

_DONE = {"runner_on_ok", "runner_on_failed", "runner_on_unreachable", "runner_on_skipped"}
_ACTION = "hostpledge_collect"


@dataclass(frozen=True)
class How:
    """What of Ansible's own command line the user gave: passed on as it is."""

    inventory: tuple[str, ...]
    limit: str = ""
    user: str = ""
    become: bool = False
    ask_pass: str = ""
    ask_become_pass: str = ""
    vault_password_files: tuple[str, ...] = ()
    private_key: str = ""
    extra_vars: tuple[str, ...] = ()
    forks: int = 20
    seconds: int = 300
    limit_bytes: int = 64 << 20

    def arguments(self) -> list[str]:
        """The common part of `ansible-inventory` and `ansible-playbook`."""
        words = [word for source in self.inventory for word in ("-i", _place(source))]
        for file in self.vault_password_files:
            words += ["--vault-password-file", str(Path(file).resolve())]
        for entry in self.extra_vars:
            words += ["-e", f"@{Path(entry[1:]).resolve()}" if entry[:1] == "@" else entry]
        return words


def _place(source: str) -> str:
    """Paths become absolute (ansible-runner works in another folder); host lists stay."""
    return source if "," in source else str(Path(source).resolve())


@dataclass
class Tally:
    """How far a run is."""

    left: int
    done: int = 0
    failed: int = 0
    said: dict[str, str] = field(default_factory=dict)


Progress = Callable[[Tally, str, HostStatus | None], None]


def hosts_of(how: How) -> list[str]:
    """The names of the inventory's hosts, in its order; raises BadInput for an unusable one."""
    for source in how.inventory:
        if "," not in source and not Path(source).exists():
            raise BadInput(
                "there is no such inventory",
                where=source,
                mend="give a file, a folder, or host names with a comma, e.g. `-i localhost,`",
            )
    limit = ["--limit", how.limit] if how.limit else []
    with tempfile.TemporaryDirectory(prefix="hostpledge-") as private:
        done = subprocess.run(
            [_tool("ansible-inventory"), "--list", *how.arguments(), *limit],
            capture_output=True,
            check=False,
            stdin=subprocess.DEVNULL,
            env=_environment(private) | {"ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "True"},
        )
    if done.returncode != 0:
        raise BadInput(_complaint(done.stderr), where=", ".join(how.inventory))
    listing = json.loads(done.stdout)
    names: dict[str, None] = {}
    for group in listing.values():
        names.update(dict.fromkeys(group.get("hosts", [])))
    names.update(dict.fromkeys(listing.get("_meta", {}).get("hostvars", {})))
    if not names:
        raise BadInput("no host in it", where=", ".join(how.inventory))
    return list(names)


def collect(
    folder: RunFolder, how: How, hosts: Sequence[str], *, progress: Progress, end: bool = True
) -> dict[str, Arrived]:
    """Collects from each of `hosts` that has no whole capture in `folder` yet.

    Returns what arrived, every host in it. A host that answered badly before an interruption is
    asked again. With `end=False` the run is left open for what its command does next.
    """
    with folder.sole(patience=how.seconds + 10):
        folder.expect(hosts)
        before = folder.arrived()
        missing = [
            h for h in hosts if h not in before or before[h].status is not HostStatus.COMPLETE
        ]
        if missing:
            tally = Tally(left=len(missing), done=len(hosts) - len(missing))
            started = {h: before.get(h) for h in missing}
            # not in the run's folder: Ansible splits a --limit at spaces, commas and colons
            with tempfile.TemporaryDirectory(prefix="hostpledge-") as private:
                interrupted, said = _play(folder, how, missing, tally, progress, Path(private))
            arrived = folder.arrived()
            fresh = [h for h in missing if arrived.get(h) != started[h]]
            if interrupted:
                raise BadInput(
                    f"interrupted, {len(hosts) - len(missing) + len(fresh)} of {len(hosts)} hosts "
                    "have answered",
                    where=str(folder.path),
                    mend="the same command takes it up where it stopped",
                )
            if not fresh and not tally.said:
                raise BadInput(said, where="ansible-playbook")
            if not fresh and all("decrypt" in text.lower() for text in tally.said.values()):
                raise BadInput(
                    "the inventory holds variables that Ansible Vault could not open",
                    where=", ".join(how.inventory),
                    mend="give the right --vault-password-file",
                )
            _write_down_the_silent(folder, [h for h in missing if h not in fresh], tally)
        if end:
            folder.end()
    return {h: a for h, a in folder.arrived().items() if h in set(hosts)}


def _write_down_the_silent(folder: RunFolder, silent: Sequence[str], tally: Tally) -> None:
    """A host whose worker wrote nothing is a result too."""
    for host in silent:
        said = tally.said.get(host, "Ansible ended before it asked this host")
        status, detail = outcome.classify(said, begun=False)
        capture = Capture(host, status, detail=detail, origin={"run": folder.nonce})
        digest = captures.write(capture, folder.capture_path(host))
        folder.record(host, status, detail, digest, 0)


def _play(
    folder: RunFolder,
    how: How,
    missing: Sequence[str],
    tally: Tally,
    progress: Progress,
    private: Path,
) -> tuple[bool, str]:
    """Runs the play; returns whether it was interrupted, and Ansible's complaint if it had one."""
    import ansible_runner

    only = private / "hosts"
    only.write_text("\n".join(missing) + "\n", encoding="utf-8")
    words = [*how.arguments(), "--limit", f"@{only}", "--forks", str(how.forks)]
    words += ["-e", json.dumps(_variables(folder, how))]
    if how.inventory == ("localhost,",):
        words += ["-c", "local"]
    for flag, value in (("-u", how.user), ("--private-key", how.private_key)):
        words += [flag, value] if value else []
    words += ["-b"] if how.become else []
    passwords: dict[str, str] = {}
    if how.ask_pass:
        words.append("-k")
        passwords[r"SSH password:\s*$"] = how.ask_pass
    if how.ask_become_pass:
        words.append("-K")
        passwords[r"BECOME password.*:\s*$"] = how.ask_become_pass
    stop = threading.Event()
    with _signals(stop):
        ran = ansible_runner.run(
            private_data_dir=str(private),
            playbook=str(shared("playbooks", "check.yml")),
            cmdline=shlex.join(words),
            passwords=passwords,
            envvars=_environment(str(private)),
            event_handler=lambda event: _event(event, tally, progress),
            cancel_callback=stop.is_set,
            quiet=True,
            suppress_env_files=True,
        )
        said = _words_of(ran)
    return stop.is_set() or ran.status == "canceled", _complaint(said)


def _variables(folder: RunFolder, how: How) -> dict[str, Any]:
    return {
        "collect_output": str(folder.path.resolve()),
        "collect_driver": driver_name(),
        "collect_seconds": how.seconds,
        "collect_limit": how.limit_bytes,
    }


def _event(event: Mapping[str, Any], tally: Tally, progress: Progress) -> bool:
    """Counts; returns False so that ansible-runner keeps no file per event."""
    data = event.get("event_data") or {}
    if event.get("event") in _DONE and str(data.get("task_action", "")).endswith(_ACTION):
        result = data.get("res") or {}
        host = str(data.get("host", ""))
        known = result.get("status")
        status = HostStatus(known) if known in set(HostStatus) else None
        tally.left -= 1
        if event["event"] in ("runner_on_ok", "runner_on_skipped"):
            tally.done += 1
            status = HostStatus.COMPLETE
        else:
            tally.failed += 1
            tally.said[host] = str(result.get("msg", ""))
        progress(tally, host, status)
    return False


@contextmanager
def _signals(stop: threading.Event) -> Iterator[None]:
    """The first Ctrl-C (or TERM) ends Ansible in order; what has arrived stays."""
    wanted = (signal.SIGINT, signal.SIGTERM)
    before = {s: signal.signal(s, lambda *_: stop.set()) for s in wanted}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _words_of(ran: Any) -> bytes:
    """What Ansible printed, for the case that it could not work at all."""
    stdout = getattr(ran, "stdout", None)
    if stdout is None:
        return b""
    with stdout:
        return str(stdout.read()[-20_000:]).encode("utf-8", "replace")


def _complaint(output: bytes) -> str:
    """The line of Ansible's output that says what is wrong."""
    lines = [line.strip() for line in output.decode("utf-8", "replace").splitlines()]
    lines = [line for line in lines if line]
    marked = [line for line in lines if "ERROR" in line or "fatal" in line]
    chosen = (marked or lines or ["Ansible ended without a word"])[0]
    return one_line(chosen.replace("[ERROR]:", "").replace("ERROR!", ""))


def _tool(name: str) -> str:
    """The Ansible of this very Python first: a virtual environment need not be on PATH."""
    beside = Path(sys.executable).parent / name
    found = str(beside) if beside.exists() else shutil.which(name)
    if not found:
        raise BadInput(f"{name} is not here", mend="pip install ansible-core")
    return found


def _environment(private: str) -> dict[str, str]:
    from ansible import constants

    roles = str(shared("roles"))
    config = constants.CONFIG_FILE or str(shared("playbooks", "ansible.cfg"))
    own = os.environ.get("ANSIBLE_ROLES_PATH")
    python = str(Path(sys.executable).parent)
    return {
        **os.environ,
        "ANSIBLE_CONFIG": config,
        "ANSIBLE_ROLES_PATH": f"{roles}:{own}" if own else roles,
        "ANSIBLE_LOCAL_TEMP": f"{private}/ansible",
        "ANSIBLE_HOST_KEY_CHECKING": str(_host_key_checking()),
        "ANSIBLE_LOCALHOST_WARNING": "False",
        "ANSIBLE_INVENTORY_UNPARSED_WARNING": "False",
        "ANSIBLE_DEPRECATION_WARNINGS": "False",
        "ANSIBLE_RETRY_FILES_ENABLED": "False",
        "ANSIBLE_NOCOLOR": "1",
        "LC_ALL": _utf8(),
        "PATH": f"{python}:{os.environ.get('PATH', os.defpath)}",
    }


def _host_key_checking() -> bool:
    """As the user's own configuration has it: ansible-runner alone would turn it off."""
    from ansible import constants

    return bool(constants.config.get_config_value("HOST_KEY_CHECKING"))


def _utf8() -> str:
    """Ansible refuses to start in a locale that is not UTF-8."""
    locale = os.environ.get("LC_ALL") or os.environ.get("LANG") or ""
    return locale if "utf" in locale.lower() else "C.UTF-8"
