"""`make golden` writes the golden record anew; `python -m tests.golden --check` compares."""

from __future__ import annotations

import sys

from tests.golden.record import PARTS, differences, write


def main(arguments: list[str]) -> int:
    """Exit status 1 when something differs from what is kept."""
    if arguments == ["--check"]:
        found = [line for part in PARTS for line in differences(part)]
        print("\n".join(found) or "equal")
        return 1 if found else 0
    if arguments:
        print("usage: python -m tests.golden [--check]", file=sys.stderr)
        return 2
    for part in PARTS:
        print(write(part))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
