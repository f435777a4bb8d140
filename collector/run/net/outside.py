"""The outside view: what a host's TLS listeners answer to the control node itself.

Asked are those that speak TLS to their own host, and ports that are published from it, where the
rules let this machine in; with the same hellos, and never finishing a handshake. Only where the
session went straight to an address that the host has as its own: behind a jump host or a
forwarded port the same address may be another machine's.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from types import MappingProxyType
from typing import IO

from collector.facts.base.intervals import address
from collector.facts.firewall.exposure import Exposure, exposures
from collector.facts.network.interfaces import network_of
from collector.facts.tls.probe import OUTSIDE, Served, asking, hello_line, tls_served
from collector.judging.confined import Limits, within_limits
from collector.model import Capture, ReadResult, ReadStatus
from collector.run.collected import outcome
from collector.sizes import as_collected

_MOST = 8
_MOST_NAMES = 12
_NAME = re.compile(r"[A-Za-z0-9.-]{1,200}")
_SECONDS = 15.0
_LARGEST = 1 << 22
# to find out what is asked: a host of the field takes some hundredths of a second
_LIMITS = Limits(step=2, cpu=2, memory=192 << 20, seconds=20)
_SPOKEN = ("smtp", "ftp", "pop3", "imap", "ldap", "pg")


@dataclass(frozen=True)
class _Question:
    port: int
    kind: str
    process: str
    names: tuple[str, ...]


def with_outside(capture: Capture, said: outcome.Own) -> Capture:
    """The capture with what was answered here beside the host's own; the same where nothing was.

    `said` is what ssh itself told of the session: only the address that it opened is asked.
    """
    bash = shutil.which("bash")
    at = outcome.connected_to(said)
    if bash is None or at is None or outcome.led_on(said):
        return capture
    try:
        # a host may print what takes any time to look through, and others wait beside it
        questions = within_limits(partial(_first, as_collected(capture), at[0]), limits=_LIMITS)
        begun = time.monotonic()
        told = _asked(bash, at[0], questions) if questions else b""
    except Exception:  # noqa: BLE001 - the host's own answers are there; its judge says what is odd
        return capture
    if not told:
        return capture
    seconds = round(time.monotonic() - begun)
    whole = len(told) <= _LARGEST
    status = ReadStatus.OK if whole else ReadStatus.TRUNCATED
    result = ReadResult(OUTSIDE, status, 0, seconds, told if whole else b"")
    return replace(capture, reads=MappingProxyType({**capture.reads, OUTSIDE: result}))


def _first(capture: Capture, to: str) -> list[_Question]:
    return list(islice(_questions(capture, to), _MOST))


def _questions(capture: Capture, to: str) -> Iterator[_Question]:
    """Raises FactError, and ValueError where `to` is no address."""
    family, number = address(to)
    # what is let in by loopback shows nothing
    if number not in (own for _, own in network_of(capture).global_addresses(family)):
        return
    asked = tls_served(capture)
    for found in exposures(capture, _self(capture, family)):
        listener = found.listener
        mine = listener.any or listener.address == number
        if (listener.proto, listener.family) != ("tcp", family) or not mine:
            continue
        question = _question(found, asked.of(listener))
        if found.reachable != "no" and question is not None:
            yield question


def _self(capture: Capture, family: int) -> tuple[int, int] | None:
    """(family, address) of this machine as the host sees it; None where it does not say."""
    try:
        seen = address(capture.head.get("session", "").partition(" ")[0])
    except ValueError:
        return None
    return seen if seen[0] == family else None


def _question(exposure: Exposure, served: Served | None) -> _Question | None:
    port = exposure.listener.port
    # MySQL bars who breaks off too often (max_connect_errors)
    if port == 3306 or (served is not None and served.starttls[0] == "mysql"):
        return None
    if served is None and exposure.targets:
        return _Question(port, "pg" if port == 5432 else "", "-", ())
    if served is None or served.state != "ask" or not served.tls:
        return None
    kind = served.starttls[0] if served.starttls[0] in _SPOKEN else ""
    # a host may print anything, and these become part of a hello that is made here
    named = (name for _, name in served.answers if _NAME.fullmatch(name))
    names = tuple(islice(dict.fromkeys(named), _MOST_NAMES))
    return _Question(port, kind, served.process or "-", names)


def _asked(bash: str, to: str, questions: list[_Question]) -> bytes:
    """All at the same time, in the form of the read of the host; ended after `_SECONDS`."""
    running = list[subprocess.Popen[bytes]]()
    with tempfile.TemporaryFile() as out:
        try:
            for n, q in enumerate(questions, 1):
                words = [str(n), to, "", str(q.port), q.kind, q.process, *q.names]
                running.append(_start(bash, words, out))
            last = time.monotonic() + _SECONDS
            for process in running:
                with suppress(subprocess.TimeoutExpired):
                    process.wait(max(0.0, last - time.monotonic()))
        finally:
            for process in running:
                # what it started may still be there when it is gone itself
                with suppress(ProcessLookupError, PermissionError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        out.seek(0)
        told = out.read(_LARGEST + 1)
    lines = [f"= {n} ask {to} {q.port} {q.process}" for n, q in enumerate(questions, 1)]
    # who was ended in the middle of a line has not told it
    whole = told[: told.rfind(b"\n") + 1] if len(told) <= _LARGEST else told
    head = "\n".join([*lines, ""]).encode()
    return head + whole + f"{hello_line()}\n== end\n".encode()


def _start(bash: str, words: list[str], out: IO[bytes]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [bash, "-c", asking(), "one", *words],
        stdin=subprocess.DEVNULL,
        stdout=out,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        # bytes are bytes
        env={**os.environ, "LC_ALL": "C"},
    )
