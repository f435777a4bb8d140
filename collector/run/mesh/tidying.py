"""At a node: what ended long ago, and nobody came for, goes.

A centre releases its units. One whose machine was switched off has forgotten them, and the shards
and captures would lie in the node's datadir until its Receptor starts anew.
"""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path

from collector.errors import BadInput
from collector.run.mesh.control import ENDED, Control

# no centre waits longer for a node that has fallen silent
OLD = 7200.0
_SECONDS = 5.0


def tidy(runtime: Path, node: str, older: float = OLD) -> int:
    """Releases the units of ours at this node that ended so many seconds ago; how many."""
    control = Control(runtime / "control.sock", _SECONDS)
    gone = 0
    # no shard waits for this, and none is lost by it
    with suppress(BadInput):
        for id, unit in control.units().items():
            status = runtime / "data" / node / id / "status"
            with suppress(OSError):
                old = time.time() - status.stat().st_mtime > older
                if old and unit.get("State") in ENDED:
                    control.release(id)
                    gone += 1
    return gone
