"""classification.exposed_files: no dump, key or secret lies where others get at it."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from collector.errors import CouldNotLook
from collector.facts.data.exposed_files import Exposed, exposed_files
from collector.i18n.message import msg
from collector.model import Clock, Facts, Method, Parameters, Quote, Result, Value, Verdict

_SHOWN = 8


def judge(facts: Facts, parameters: Parameters, clock: Clock) -> Verdict:
    """What is served is worse than what may be read on the host, and is told first."""
    found = facts.get(exposed_files)
    ignored = parameters.strings("ignored")
    files = [f for f in found.files if not any(fnmatchcase(f.path, p) for p in ignored)]
    roots = ", ".join(found.roots)
    if not files and found.unlooked:
        what = "; ".join(found.unlooked[:_SHOWN])
        raise CouldNotLook("exposed_files.names", msg("exposed_not_all_looked_at", what=what))
    values: dict[str, Value]
    sure = [f for f in files if not f.unexamined]
    if not sure and files:
        values = {"count": len(files), "files": [*_named(files)]}
        quote = Quote("exposed_files.names", tuple(f.line for f in files[:50]))
        return Verdict(Result.ERROR, "unexamined", Method.OBSERVED, values, (quote,))
    if not files and not found.packed:
        raise CouldNotLook("exposed_files.names", msg("packed_sites_not_read"))
    if not files:
        values = {"roots": roots or "none", "roots_zh": roots or "无"}
        quote = Quote("exposed_files.names", tuple(f"root {r}" for r in found.roots))
        return Verdict(Result.PASS, "none", Method.OBSERVED, values, (quote,))
    served = [f for f in sure if f.served]
    told = served or sure
    values = {"count": len(told), "files": [*_named(told)]}
    quote = Quote("exposed_files.names", tuple(f.line for f in sure[:50]))
    reason = "served" if served else "readable"
    return Verdict(Result.FAIL, reason, Method.OBSERVED, values, (quote,))


def _named(files: Sequence[Exposed]) -> list[str]:
    names = [f"{f.path} ({f.mode:04o})" for f in files[:_SHOWN]]
    return [*names, *(["…"] if len(files) > _SHOWN else [])]
