"""classification.discovered: the data inventory and what is really there say the same."""

from __future__ import annotations

from fnmatch import fnmatchcase

from collector.errors import CouldNotLook
from collector.facts.inventory import Inventory, inventory, place
from collector.facts.stores import Found, stores
from collector.model import Clock, Facts, Method, Parameters, Quote, Result, Value, Verdict

_KIN = ({"mysql", "mariadb"}, {"postgresql", "kingbase", "opengauss"})
_NAMES = {"database": "数据库", "volume": "容器卷", "path": "数据盘"}


def judge(facts: Facts, parameters: Parameters, clock: Clock) -> Verdict:
    """What is found and not listed comes first: nobody answers for it."""
    known = inventory(facts)
    if known is None:
        return Verdict(Result.NOTCHECKED, "no_inventory")
    found = [
        f
        for f in stores(facts.capture, parameters.integer("gibibytes"))
        if not any(fnmatchcase(f.path, p) for p in parameters.strings("ignored"))
    ]
    listed, gone, unseen = _listed(facts, known, [f.path for f in found if f.path])
    quotes = tuple(Quote(f.read, (f.line,)) for f in found)
    missing = [f for f in found if not _covered(f, known, listed)]
    if missing:
        values: dict[str, Value] = {
            "found": [f"{f.engine or f.kind} {f.path or '?'}" for f in missing],
            "found_zh": [f"{_NAMES[f.kind]} {f.engine} {f.path or '?'}" for f in missing],
        }
        lines = tuple(Quote(f.read, (f.line,)) for f in missing)
        return Verdict(Result.FAIL, "not_listed", Method.OBSERVED, values, lines)
    if gone:
        quote = (Quote("inventory.places", tuple(gone)),)
        return Verdict(Result.FAIL, "gone", Method.OBSERVED, {"stores": [*gone]}, quote)
    if unseen:
        return Verdict(Result.ERROR, "unseen", Method.OBSERVED, {"stores": [*unseen]}, quotes)
    if not found and not known.stores:
        return Verdict(Result.NOTAPPLICABLE, "nothing", Method.OBSERVED)
    return Verdict(Result.PASS, "matches", Method.OBSERVED, {"count": len(found)}, quotes)


def _listed(
    facts: Facts, known: Inventory, seen: list[str]
) -> tuple[list[str], list[str], list[str]]:
    """The real paths of the stores; labels of those that are gone; of those not looked at."""
    real, gone, unseen = list[str](), list[str](), list[str]()
    for store in known.stores:
        if not store.path.startswith("/"):
            continue
        try:
            where = place(facts.capture, store.path)
        except CouldNotLook:
            # what was found there itself need not be looked for
            if not any(f"{path}/".startswith(f"{store.path}/") for path in seen):
                unseen.append(store.label)
            real.append(store.path)
            continue
        if where is None:
            gone.append(store.label)
        else:
            real.append(where.real)
    return real, gone, unseen


def _covered(found: Found, known: Inventory, listed: list[str]) -> bool:
    """A path lies at, below or above one that is listed; a database may go by its engine alone."""
    if found.path and any(_nested(found.path, path) for path in listed):
        return True
    for store in known.stores:
        if found.kind == "volume" and store.kind == "volume" and store.name == found.name:
            return True
        same = found.engine == store.engine or any({found.engine, store.engine} <= k for k in _KIN)
        if found.kind == "database" and store.kind == "database" and not store.path and same:
            return True
    return False


def _nested(one: str, other: str) -> bool:
    a, b = one.rstrip("/") + "/", other.rstrip("/") + "/"
    return a.startswith(b) or b.startswith(a)
