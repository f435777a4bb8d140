"""Runs one of our playbooks through ansible-runner: for these hosts, with every event told."""

from __future__ import annotations

import json
import shlex
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from collector.private import users_umask
from collector.resources import shared
from collector.run.inventory import How, complaint, environment

Event = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Played:
    """How a play ended. `said` is Ansible's complaint, for the case that it could not work."""

    interrupted: bool
    said: str


def play(
    playbook: str,
    how: How,
    hosts: Sequence[str],
    variables: Mapping[str, Any],
    private: Path,
    *,
    tell: Callable[[Event], None],
    flags: Sequence[str] = (),
    settings: Mapping[str, str] | None = None,
) -> Played:
    """Plays `playbook` (a name under playbooks/) on `hosts`; `tell` gets each event.

    `private` is an empty folder of mode 0700 that goes away afterwards: the variables lie in it,
    and what Ansible keeps. `settings` are environment variables. The first Ctrl-C (or TERM) ends
    Ansible in order.
    """
    import ansible_runner

    only, given = private / "hosts", private / "variables.json"
    only.write_text("\n".join(hosts) + "\n", encoding="utf-8")
    given.touch(0o600)
    given.write_text(json.dumps(variables), encoding="utf-8")
    # not in the run's folder: Ansible splits a --limit at spaces, commas and colons
    words = [*how.arguments(), "--limit", f"@{only}", "--forks", str(how.forks)]
    words += ["-e", f"@{given}", *flags]
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
    with _signals(stop), users_umask():
        ran = ansible_runner.run(
            private_data_dir=str(private),
            playbook=str(shared("playbooks", playbook)),
            cmdline=shlex.join(words),
            passwords=passwords,
            envvars=environment(str(private)) | dict(settings or {}),
            event_handler=lambda event: _told(event, tell),
            cancel_callback=stop.is_set,
            quiet=True,
            suppress_env_files=True,
        )
        said = _words_of(ran)
    return Played(stop.is_set() or ran.status == "canceled", complaint(said))


def _told(event: Event, tell: Callable[[Event], None]) -> bool:
    """False: ansible-runner keeps no file per event."""
    tell(event)
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
