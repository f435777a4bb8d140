"""A shell on a terminal of 80 columns and 24 rows, into which whole blocks are pasted."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

_SIZE = struct.pack("HHHH", 24, 80, 0, 0)
_CONTROL = re.compile(r"\x1b(?:\[[?0-9;]*[A-Za-z]|[()][A-Z0-9]|[=>])|\r")


class Stuck(Exception):
    """What was pasted did not come back to the prompt: something else takes the keys."""


class Terminal:
    """`bracketed` is how terminals of today paste; without it, each line is typed by itself."""

    def __init__(self, descriptor: int, *, bracketed: bool) -> None:
        self._descriptor = descriptor
        self._bracketed = bracketed
        self._count = 0

    def paste(self, text: str, seconds: float = 60) -> tuple[int, str]:
        """The status of the last command, and what was to be seen. Raises Stuck."""
        body = text.rstrip("\n").replace("\n", "\r")
        self._type(f"\x1b[200~{body}\x1b[201~\r" if self._bracketed else f"{body}\r")
        self._count += 1
        # the echo of what is typed must not be taken for the answer
        self._type(f'echo "ended:""{self._count}:$?:"\r')
        return self._until(re.compile(rf"ended:{self._count}:(\d+):"), seconds)

    def _type(self, keys: str) -> None:
        data = keys.encode()
        while data:
            # a terminal takes no more than some kilobytes that nobody has read yet
            data = data[os.write(self._descriptor, data[:512]) :]
            time.sleep(0.01)

    def _until(self, wanted: re.Pattern[str], seconds: float) -> tuple[int, str]:
        seen = ""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if not select.select([self._descriptor], [], [], 0.2)[0]:
                continue
            try:
                seen += os.read(self._descriptor, 65536).decode("utf-8", "replace")
            except OSError:
                break
            if found := wanted.search(seen):
                return int(found[1]), _CONTROL.sub("", seen[: found.start()])
        raise Stuck(_CONTROL.sub("", seen)[-1500:])


@contextmanager
def opened(argv: Sequence[str], *, bracketed: bool = True) -> Iterator[Terminal]:
    """A terminal on which `argv`, which ends in a bash, runs."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, _SIZE)
    running = subprocess.Popen(
        argv,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        env={**os.environ, "TERM": "xterm", "HISTFILE": "/dev/null"},
    )
    os.close(theirs)
    try:
        terminal = Terminal(ours, bracketed=False)
        mode = "on" if bracketed else "off"
        terminal.paste(f"PS1='$ ' PS2='> '; bind 'set enable-bracketed-paste {mode}'")
        yield Terminal(ours, bracketed=bracketed)
    finally:
        running.kill()
        running.wait()
        os.close(ours)
