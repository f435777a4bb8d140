"""How much memory what Ansible starts may take: a host that sends without end takes no more.

Ansible keeps all that a module prints; `run` reads through a bounded connection of its own,
hardening and probes by the stock ones. Past the bound the task fails, and its host with it.
"""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager

LEAST = 1 << 30


@contextmanager
def bounded(least: int = LEAST) -> Iterator[None]:
    """Of this process, and each that it starts meanwhile: a quarter of the machine at most."""
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
