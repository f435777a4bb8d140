"""Ansible within limits: an inventory may be a program, or endless, and a host send without end."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from collector import private
from collector.errors import BadInput
from collector.i18n.message import msg

SECONDS = 600
_MEMORY = 4 << 30
# what a play may take on a machine that is small
LEAST = 1 << 30
# entries of a folder, or beside a file, that are looked at for what would never end
_MOST = 20_000
_BESIDE = ("group_vars", "host_vars")
_PR_SET_PDEATHSIG = 1


def refuse_endless(source: Path) -> None:
    """Raises BadInput where Ansible would wait for the other end of a pipe; it reads all of a

    folder, and the folders of variables beside a file.
    """
    private.refuse_special(source)
    folder = source if source.is_dir() else source.parent
    places = [folder] if source.is_dir() else [folder / name for name in _BESIDE]
    for path in _below(places):
        private.refuse_special(path)


def _below(places: Sequence[Path]) -> Iterator[Path]:
    left = _MOST
    for place in places:
        for above, folders, files in os.walk(place):
            # what is hidden Ansible leaves alone
            folders[:] = sorted(name for name in folders if name[0] != ".")
            for name in sorted(name for name in files if name[0] != "."):
                left -= 1
                if left < 0:
                    return
                yield Path(above, name)


def listed(
    words: Sequence[str], environment: Mapping[str, str], *, where: str, seconds: int = SECONDS
) -> subprocess.CompletedProcess[bytes]:
    """Its end; it ends with this process. Raises BadInput where it goes past its limits."""
    parent = os.getpid()

    def bind() -> None:
        # what it writes holds passwords: nobody would take it away
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)
        # what is written to, and not what is set apart: a program of Java sets apart much more
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        most = _MEMORY if hard == resource.RLIM_INFINITY else min(_MEMORY, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (most, hard))

    try:
        done = subprocess.run(
            words,
            capture_output=True,
            check=False,
            stdin=subprocess.DEVNULL,
            env=environment,
            umask=0o077,
            timeout=seconds,
            preexec_fn=bind,
        )
    except subprocess.TimeoutExpired:
        raise BadInput(
            msg("inventory_takes_too_long", seconds=seconds),
            where=where,
            mend=msg("mend_try_again"),
        ) from None
    # Ansible may say of it no more than "Unexpected"
    large = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss << 10 > _MEMORY // 2
    if done.returncode != 0 and (large or b"MemoryError" in done.stderr):
        raise BadInput(
            msg("inventory_too_large", most=_MEMORY >> 30), where=where, mend=msg("mend_try_again")
        )
    return done


@contextmanager
def memory(least: int = LEAST) -> Iterator[None]:
    """Of this process, and each that it starts: a quarter of the machine, but at least `least`.

    Ansible keeps all that a module prints; `run` reads through a bounded connection of its own,
    hardening and probes by the stock ones. Past it the task fails, and its host with it.
    """
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    # what is written to, and not what is set apart
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    most = max(least, machine // 4)
    known = [one for one in (soft, hard) if one != resource.RLIM_INFINITY]
    resource.setrlimit(resource.RLIMIT_DATA, (min([most, *known]), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))
