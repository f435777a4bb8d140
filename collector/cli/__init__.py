"""The command line: `main` is the console script."""

from __future__ import annotations

import sys


def main() -> None:
    """As `app.main`; who breaks off while it is still being loaded sees no traceback either."""
    try:
        from collector.cli.app import main as run
    except KeyboardInterrupt:
        sys.exit(2)
    run()


__all__ = ["main"]
