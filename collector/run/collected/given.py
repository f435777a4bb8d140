"""What a process of a connection is handed on its standard input."""

from __future__ import annotations

import subprocess
from contextlib import suppress
from typing import IO, Any

_GOING = 5.0


class Given:
    """A process's stdin. Where the process no longer takes anything, it is waited for.

    A script is larger than a pipe. Ansible gives a ssh that was refused a millisecond to go, and
    where that is too short it drops what ssh said of the reason.
    """

    def __init__(self, real: IO[bytes], process: subprocess.Popen[bytes]) -> None:
        self.real = real
        self.process = process

    def write(self, data: bytes) -> int:
        try:
            return self.real.write(data)
        except OSError:
            self._ended()
            raise

    def close(self) -> None:
        try:
            self.real.close()
        except OSError:
            self._ended()
            raise

    def _ended(self) -> None:
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(_GOING)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)
