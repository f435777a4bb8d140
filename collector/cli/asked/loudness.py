"""--quiet and --verbose: how much is said beside results and complaints, for a whole process.

Quiet leaves out how far it is. What went wrong, what must be known, and what is asked stay.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import click

_SAID = {"quiet": False, "verbose": False}


def be(how: str) -> None:
    """`quiet` or `verbose`, from now on."""
    _SAID[how] = True


def quiet() -> bool:
    return _SAID["quiet"]


def verbose() -> bool:
    return _SAID["verbose"] and not quiet()


@contextmanager
def stage(name: str) -> Iterator[None]:
    """Says afterwards how long it took, where --verbose wants that."""
    begun = time.monotonic()
    yield
    if verbose():
        click.echo(f"{name}: {time.monotonic() - begun:.1f} s", err=True)
