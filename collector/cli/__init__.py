"""The command line: `main` is the console script."""

from collector.cli.app import main

__all__ = ["main"]
