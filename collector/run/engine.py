"""Drives the play through ansible-runner: which hosts, how far, and the true end of it."""

from __future__ import annotations

import json
import shlex
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from collector import captures
from collector.errors import BadInput
from collector.model import Capture, HostStatus
from collector.resources import shared
from collector.run import outcome
from collector.run.driver import driver_name
from collector.run.folder import Arrived, RunFolder
from collector.run.inventory import How, complaint, environment

_DONE = {"runner_on_ok", "runner_on_failed", "runner_on_unreachable", "runner_on_skipped"}
_ACTION = "hostpledge_collect"


@dataclass
class Tally:
    """How far a run is."""

    left: int
    done: int = 0
    failed: int = 0
    said: dict[str, str] = field(default_factory=dict)


Progress = Callable[[Tally, str, HostStatus | None], None]


def collect(
    folder: RunFolder, how: How, hosts: Sequence[str], *, progress: Progress, end: bool = True
) -> dict[str, Arrived]:
    """Collects from each of `hosts` that has no whole capture in `folder` (`taken`) yet.

    Returns what arrived, every host in it. A host that answered badly before an interruption is
    asked again. With `end=False` the run is left open for what its command does next.
    """
    folder.expect(hosts)
    before = folder.arrived()
    missing = [h for h in hosts if h not in before or before[h].status is not HostStatus.COMPLETE]
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
            envvars=environment(str(private)),
            event_handler=lambda event: _event(event, tally, progress),
            cancel_callback=stop.is_set,
            quiet=True,
            suppress_env_files=True,
        )
        said = _words_of(ran)
    return stop.is_set() or ran.status == "canceled", complaint(said)


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
