"""Which tests take long, and whether there is time left for them.

`long.tsv` has the seconds of each. All of them run, unless HOSTPLEDGE_TEST_MINUTES says how long
after its begin a run may begin another: CI does, whose machine is at times three times as slow as
at others. What is left out then is skipped, and says so.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from functools import cache
from pathlib import Path

_BEGUN = "HOSTPLEDGE_TEST_BEGUN"
MINUTES = "HOSTPLEDGE_TEST_MINUTES"
LEFT_OUT = f"no time left ({MINUTES}); make test runs it"


@cache
def _known() -> dict[str, int]:
    lines = (Path(__file__).parent / "long.tsv").read_text(encoding="utf-8").splitlines()
    found = (line.split("\t", 1) for line in lines if not line.startswith("#"))
    return {name: int(seconds) for seconds, name in found}


def named(nodeid: str) -> str:
    """What `long.tsv` names it by: the test, or all of its cases, or its file; empty if quick."""
    names = (nodeid, nodeid.partition("[")[0], nodeid.partition("::")[0])
    return next((name for name in names if name in _known()), "")


def seconds(names: Iterable[str]) -> int:
    return sum(_known()[name] for name in names)


def begin() -> None:
    """Before there are other processes: they reckon from the same moment."""
    os.environ.setdefault(_BEGUN, str(time.time()))


def over() -> bool:
    minutes = os.environ.get(MINUTES)
    begun = float(os.environ.get(_BEGUN, time.time()))
    return bool(minutes) and time.time() - begun > 60 * float(str(minutes))
