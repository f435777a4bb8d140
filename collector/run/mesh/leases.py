"""Who is at a host now: no two coordinators are.

With one coordinator the lock of the run's folder is enough; several share a register, which holds
a row a host (`collector.pledges.register.leases`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from collector.run.ansible.inventory import Mesh
from collector.run.collected.run_folder import RunFolder


class Leases(Protocol):
    """Hosts that are this coordinator's for a time."""

    def take(self, hosts: Sequence[str], seconds: float) -> tuple[str, ...]:
        """Those of `hosts` that nobody else is at: nobody else will be, for so long."""
        ...

    def give_back(self, hosts: Sequence[str]) -> None:
        """Nobody is at them any more."""
        ...


class FolderAlone:
    """One coordinator, which holds the lock of its folder."""

    def take(self, hosts: Sequence[str], seconds: float) -> tuple[str, ...]:  # noqa: ARG002
        return tuple(hosts)

    def give_back(self, hosts: Sequence[str]) -> None:
        """Nothing was written."""


@contextmanager
def leases_of(mesh: Mesh, folder: RunFolder) -> Iterator[Leases]:
    """The register's, where one is named. Raises BadInput where it cannot be opened."""
    if not mesh.register:
        yield FolderAlone()
        return
    from collector.pledges.register.leases import opened

    with opened(mesh.register, folder.nonce) as found:
        yield found
