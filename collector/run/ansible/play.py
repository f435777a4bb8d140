"""Runs one of our playbooks through ansible-runner: for these hosts, with every event told."""

from __future__ import annotations

import json
import re
import shlex
import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from collector.errors import BadInput, shown
from collector.i18n.message import msg
from collector.resources import shared
from collector.run.ansible import private as handed
from collector.run.ansible.bounded import memory
from collector.run.ansible.inventory import How, complaint, environment
from collector.run.ansible.umask import users_umask

Event = Mapping[str, Any]
EACH_GRADE = "{{ harden_grades[inventory_hostname] }}"
"""The grade of the host at hand, as the play fills it in."""
TEMPLATES = (("harden_grade", EACH_GRADE),)
_UUID = re.compile(r"[0-9a-f-]{32,40}", re.ASCII)
_TEMPLATE = re.compile(r"\{[{%#]")


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

    `private` is a `private_folder`: the variables lie in it, and what Ansible keeps. `settings`
    are environment variables. The first Ctrl-C (or TERM) ends Ansible in order.
    """
    import ansible_runner

    refuse_templates(variables)
    only, given = private / "hosts", private / "variables.json"
    only.write_text("\n".join(hosts) + "\n", encoding="utf-8")
    given.touch(0o600)
    given.write_text(json.dumps(variables), encoding="utf-8")
    # not in the run's folder: Ansible splits a --limit at spaces, commas and colons
    words = [*how.arguments(private), f"--limit=@{only}", "--forks", str(how.forks)]
    words += ["-e", f"@{given}", *flags]
    if how.inventory == ("localhost,",):
        words += ["-c", "local"]
    words += [f"--user={how.user}"] if how.user else []
    words += [f"--private-key={_absolute(how.private_key)}"] if how.private_key else []
    words += ["-b"] if how.become else []
    words += handed.passwords(how.ask_pass, how.ask_become_pass, private)
    stop = threading.Event()
    with _signals(stop), users_umask(), memory():
        ran = ansible_runner.run(
            private_data_dir=str(private),
            playbook=str(shared("playbooks", playbook)),
            cmdline=shlex.join(words),
            envvars=environment(str(private)) | dict(settings or {}),
            event_handler=lambda event: _told(event, tell, private),
            status_handler=lambda status, **_: _unwritten(status, private),
            cancel_callback=stop.is_set,
            quiet=True,
            suppress_env_files=True,
        )
        said = _words_of(ran)
    return Played(stop.is_set() or ran.status == "canceled", complaint(said))


def refuse_templates(given: Any, name: str = "") -> None:
    """Ansible runs what stands in `{{ }}` in its variables, here, as whoever plays.

    Names, consents and what was due come from records and folders that others wrote. Raises
    BadInput; `TEMPLATES` are our own.
    """
    if isinstance(given, Mapping):
        for key, value in given.items():
            refuse_templates(str(key), name)
            if (key, value) not in TEMPLATES:
                refuse_templates(value, name or str(key))
    elif isinstance(given, str):
        if _TEMPLATE.search(given):
            raise BadInput(msg("template_in_words", said=shown(given, 120)), where=name)
    elif isinstance(given, Iterable):
        for value in given:
            refuse_templates(value, name)


def _told(event: Event, tell: Callable[[Event], None], private: Path) -> bool:
    """False: ansible-runner keeps no file per event."""
    if not _UUID.fullmatch(str(event.get("uuid"))) or not isinstance(
        event.get("event_data") or {}, Mapping
    ):
        # what a host printed may look like one
        return False
    if event.get("event") == "playbook_on_start":
        handed.forget(private)
    tell(event)
    return False


def _unwritten(status: Mapping[str, Any], private: Path) -> None:
    """ansible-runner writes down the whole environment just before it starts Ansible."""
    if status.get("status") == "running":
        for file in private.glob("artifacts/*/command"):
            file.unlink(missing_ok=True)


def _absolute(file: str) -> Path:
    """ansible-runner works in another folder."""
    return Path(file).expanduser().resolve()


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
