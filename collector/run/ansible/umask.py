"""The umask of whoever started the command, and the narrow one that it works with."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

_OTHERS = 0o077


class _Umask:
    """The umask that the command was started with; None until it was put aside."""

    users: int | None = None


def put_umask_aside() -> None:
    """From now on nothing is open to others unless it is meant to be: for libraries, above all."""
    if _Umask.users is None:
        _Umask.users = os.umask(_OTHERS)


@contextmanager
def users_umask() -> Iterator[None]:
    """For programs that work for the user, on this machine too: Ansible, which installs there."""
    if _Umask.users is None:
        yield
        return
    ours = os.umask(_Umask.users)
    try:
        yield
    finally:
        os.umask(ours)
