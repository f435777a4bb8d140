"""A user of this machine who is not root, and what he does to paths while somebody works."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

UID = 54_321
# renameat2(2) with RENAME_EXCHANGE: there is always something at either path
_SWAP = """
import ctypes, sys
libc = ctypes.CDLL(None)
one, other = (word.encode() for word in sys.argv[1:])
print("begun", flush=True)
while True:
    libc.renameat2(-100, one, -100, other, 2)
"""


def as_user(program: str, *words: str) -> None:
    """Runs a program of Python as him."""
    subprocess.run([sys.executable, "-c", program, *words], user=UID, group=UID, check=True)


@contextmanager
def swapping(one: Path, other: Path) -> Iterator[None]:
    """He exchanges two paths as fast as he can."""
    argv = [sys.executable, "-c", _SWAP, str(one), str(other)]
    with subprocess.Popen(
        argv, user=UID, group=UID, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as running:
        assert running.stdout
        running.stdout.readline()
        try:
            yield
        finally:
            running.kill()
