"""A folder in the temporary place for what is secret, for as long as a command runs."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from collector.private import hold, sweep

_PREFIX = "hostpledge-held-"


class Scratch:
    """A folder of mode 0700, `path`, until it is closed. What killed commands left goes first."""

    def __init__(self) -> None:
        sweep(_PREFIX)
        self.path = Path(tempfile.mkdtemp(prefix=_PREFIX))
        self._lock = hold(self.path)

    def close(self) -> None:
        if self._lock >= 0:
            shutil.rmtree(self.path, ignore_errors=True)
            os.close(self._lock)
            self._lock = -1
