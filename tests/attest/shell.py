"""hostpledge in a folder of its own with a home of its own, for tests of keys and bundles."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


class Shell:
    """Calls return what was printed, both streams; the folder is the working directory."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, *words: str, status: int = 0) -> str:
        done = self._run(words, status)
        return done.stdout + done.stderr

    def out(self, *words: str, status: int = 0) -> str:
        """What it printed to stdout alone."""
        return self._run(words, status).stdout

    def _run(self, words: tuple[str, ...], status: int) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "collector", *words],
            cwd=self.folder,
            env=os.environ
            | {
                "HOSTPLEDGE_HOME": str(self.folder / "home"),
                "PYTHONPATH": str(ROOT),
                "LC_ALL": "C.UTF-8",
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == status, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done
