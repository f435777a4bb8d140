"""hostpledge in a folder of its own with a home of its own, for tests of keys and bundles."""

from __future__ import annotations

import os
from pathlib import Path

from tests.forked import command

ROOT = Path(__file__).parents[2]


class Shell:
    """Calls return what was printed, both streams; the folder is the working directory."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, *words: str, status: int = 0) -> str:
        return "".join(self._run(words, status))

    def out(self, *words: str, status: int = 0) -> str:
        """What it printed to stdout alone."""
        return self._run(words, status)[0]

    def _run(self, words: tuple[str, ...], status: int) -> tuple[str, str]:
        done = command(
            *words,
            cwd=self.folder,
            env=os.environ
            | {
                "HOSTPLEDGE_HOME": str(self.folder / "home"),
                "PYTHONPATH": str(ROOT),
                "LC_ALL": "C.UTF-8",
            },
        )
        out, err = done.out.decode(), done.err.decode()
        assert done.status == status, out + err
        assert "Traceback" not in err
        return out, err
