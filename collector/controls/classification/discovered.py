"""classification.discovered: the data inventory and what is really there say the same."""

from __future__ import annotations

from fnmatch import fnmatchcase

from collector.errors import CouldNotLook
from collector.facts.base.paths import within
from collector.facts.data.data_stores import Found, running_engines, stores, unmeasured
from collector.facts.data.inventory import Inventory, inventory
from collector.facts.data.inventory_paths import place
from collector.model import Clock, Facts, Method, Parameters, Quote, Result, Value, Verdict

_KIN = ({"mysql", "mariadb"}, {"postgresql", "kingbase", "opengauss"})
_NAMES = {"database": "数据库", "volume": "容器卷", "path": "目录或数据盘"}


def judge(facts: Facts, parameters: Parameters, clock: Clock) -> Verdict:
    """What is found and not listed, and what is listed and not found, are both told."""
    known = inventory(facts)
    if known is None:
        return Verdict(Result.NOTCHECKED, "no_inventory")
    ignored = parameters.strings("ignored")
    sizes = (parameters.integer("gibibytes"), parameters.integer("folder_gibibytes"))
    found = [
        f for f in stores(facts.capture, *sizes) if not any(fnmatchcase(f.path, p) for p in ignored)
    ]
    listed, gone, unseen = _listed(facts, known, [f.path for f in found if f.path])
    quotes = tuple(Quote(f.read, (f.line,)) for f in found)
    missing = [f for f in found if not _covered(f, known, listed)]
    if missing or gone:
        values: dict[str, Value] = {
            "found": [f"{f.engine or f.kind} {f.path or '?'}" for f in missing],
            "found_zh": [f"{_NAMES[f.kind]} {f.engine} {f.path or '?'}" for f in missing],
            "stores": [*gone],
        }
        lines = [Quote(f.read, (f.line,)) for f in missing]
        lines += [Quote("inventory.places", tuple(gone))] if gone else []
        reason = "both" if missing and gone else "not_listed" if missing else "gone"
        return Verdict(Result.FAIL, reason, Method.OBSERVED, values, tuple(lines))
    if unseen:
        return Verdict(Result.ERROR, "unseen", Method.OBSERVED, {"stores": [*unseen]}, quotes)
    unknown = [
        path
        for path in unmeasured(facts.capture)
        if not any(fnmatchcase(path, p) for p in ignored)
        and not any(_nested(path, other) for other in (*listed, *(f.path for f in found if f.path)))
    ]
    if unknown:
        more = (*quotes, Quote("folders.sizes", tuple(f"folder\t{path}" for path in unknown)))
        return Verdict(Result.ERROR, "unmeasured", Method.OBSERVED, {"folders": [*unknown]}, more)
    if not found and not known.stores:
        return Verdict(Result.NOTAPPLICABLE, "nothing", Method.OBSERVED)
    return Verdict(Result.PASS, "matches", Method.OBSERVED, {"count": len(found)}, quotes)


def _listed(
    facts: Facts, known: Inventory, seen: list[str]
) -> tuple[list[str], list[str], list[str]]:
    """The real paths of the stores; labels of those that are gone; of those not looked at."""
    real, gone, unseen = list[str](), list[str](), list[str]()
    engines = running_engines(facts.capture)
    for store in known.stores:
        if store.kind == "database" and not store.path and store.engine not in ("", "other"):
            if not any(_same(store.engine, engine) for engine in engines):
                gone.append(f"{store.label} [{store.engine}]")
            continue
        if not store.path.startswith("/"):
            continue
        try:
            where = place(facts.capture, store.path)
        except CouldNotLook:
            # what was found there itself need not be looked for
            if not any(within(path, store.path) for path in seen):
                unseen.append(store.label)
            real.append(store.path)
            continue
        if where is None:
            gone.append(store.label)
        else:
            real.append(where.real)
    return real, gone, unseen


def _covered(found: Found, known: Inventory, listed: list[str]) -> bool:
    """A path lies at, below or above one that is listed; a database may go by its engine alone.

    A database that lies below what is listed as a mere folder (`/var`) is not listed by that.
    """
    mere = {s.path for s in known.stores if s.kind != "database"}
    mere -= {s.path for s in known.stores if s.kind == "database"}
    below = found.kind == "database"
    if found.path and any(
        _nested(found.path, path)
        and not (below and path in mere and found.path.startswith(path.rstrip("/") + "/"))
        for path in listed
    ):
        return True
    for store in known.stores:
        if found.kind == "volume" and store.kind == "volume" and store.name == found.name:
            return True
        by_engine = store.kind == found.kind == "database" and not store.path
        if by_engine and _same(found.engine, store.engine):
            return True
    return False


def _same(one: str, other: str) -> bool:
    return one == other or any({one, other} <= kin for kin in _KIN)


def _nested(one: str, other: str) -> bool:
    a, b = one.rstrip("/") + "/", other.rstrip("/") + "/"
    return a.startswith(b) or b.startswith(a)
