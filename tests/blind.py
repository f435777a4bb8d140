"""Prints what `blind.yml` of a control would have to excuse: `python -m tests.blind CONTROL`."""

from __future__ import annotations

import sys
from collections import defaultdict

from tests import cases
from tests.test_never_pass_blind import passes_on_nothing, passes_without


def lines(control: str) -> list[str]:
    """YAML without its reasons, which only somebody who has looked can write."""
    paths = [p for p in cases.case_files(control) if p.name.endswith(".pass.yml")]
    without: dict[str, list[str]] = defaultdict(list)
    nothing: dict[str, list[str]] = defaultdict(list)
    for path in paths:
        case, kept = path.name.removesuffix(".pass.yml"), passes_without(path)
        for name in kept:
            without[name].append(case)
        for name in passes_on_nothing(path, kept):
            nothing[name].append(case)
    found = []
    for kind, by in (("not_needed", without), ("empty_is_an_answer", nothing)):
        together: dict[tuple[str, ...], list[str]] = defaultdict(list)
        for name in sorted(by):
            together[tuple(by[name])].append(name)
        found += [f"{kind}:"] if together else []
        for held, names in together.items():
            left = [n for p in paths if (n := p.name.removesuffix(".pass.yml")) not in held]
            few = len(left) < len(held)
            said = f"except: [{', '.join(left)}]" if few else f"cases: [{', '.join(held)}]"
            found += ['  - why: ""', "    of:", f"      - reads: [{', '.join(names)}]"]
            found.append(f"        {said}")
    return found


if __name__ == "__main__":
    print("\n".join(lines(sys.argv[1])))
