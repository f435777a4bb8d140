"""antivirus.realtime: malicious code is stopped when it is opened, not only found later."""

from __future__ import annotations

from dataclasses import dataclass

from collector.errors import CouldNotLook, FactError
from collector.facts.security.clamav import Clamav, OnAccess, Settings, clamav
from collector.facts.security.defender import defender
from collector.facts.security.products import Sighting, antimalware
from collector.facts.security.web_roots import webroots
from collector.facts.system.processes import processes
from collector.i18n.message import msg
from collector.judges import taken_up
from collector.judges.predicates import attested
from collector.model import Clock, Facts, Method, Parameters, Quote, Result, Value, Verdict

# where clamd unpacks unless it is told another folder
_UNPACKED = "/tmp"  # noqa: S108


@dataclass(frozen=True)
class _View:
    result: Result
    reason: str
    values: dict[str, Value]
    quotes: tuple[Quote, ...]


def judge(facts: Facts, parameters: Parameters, clock: Clock) -> Verdict:
    """The product that protects best counts; what is uncertain outweighs what is certainly off."""
    seen = facts.get(antimalware)
    run = [s for s in seen.sightings if s.running and s.product.counts in ("yes", "attest")]
    views: list[_View] = []
    failures: list[FactError] = []
    for sighting in run:
        try:
            views.append(_view(sighting, facts, parameters))
        except FactError as problem:
            failures.append(problem)
    for result in (Result.PASS, Result.PARTIAL):
        for view in views:
            if view.result is result:
                return _verdict(view)
    attestation = attested(facts, "antivirus.realtime", clock)
    if attestation is not None and any(view.result is Result.ERROR for view in views):
        return Verdict(
            Result.PASS, "attested", Method.ATTESTED,
            {"by": attestation.by, "statement": attestation.statement},
            (attestation.quote,), attestation.until,
        )  # fmt: skip
    if failures:
        raise failures[0]
    if seen.blind and not any(view.result is Result.ERROR for view in views):
        raise CouldNotLook("processes.all", msg("only_root_sees_program"))
    for result in (Result.ERROR, Result.FAIL):
        for view in views:
            if view.result is result:
                return _verdict(view)
    known = facts.get(clamav)
    if watchers := known.watchers(facts.get(processes)):
        lines = tuple(p.line for p in watchers)
        values: dict[str, Value] = {"product": "ClamAV", "product_zh": "ClamAV"}
        quotes = (Quote("processes.all", lines),)
        return Verdict(Result.FAIL, "no_scanner", Method.OBSERVED, values, quotes)
    return Verdict(Result.FAIL, "none", Method.OBSERVED, evidence=(Quote("antimalware.places"),))


def _verdict(view: _View) -> Verdict:
    return Verdict(view.result, view.reason, Method.OBSERVED, view.values, view.quotes)


def _view(sighting: Sighting, facts: Facts, parameters: Parameters) -> _View:
    product = sighting.product
    values: dict[str, Value] = {"product": product.name.en, "product_zh": product.name.zh}
    lines = tuple(p.line for p in sighting.engines)
    quotes = (Quote("processes.all", lines),)
    if product.id == "clamav":
        return _clamav(facts, parameters, values, quotes)
    if product.id == "defender":
        return _defender(facts, values)
    if product.id == "aegis":
        workers = [
            p
            for p in facts.get(processes).all
            if not (p.container or p.login)
            and p.hosts
            and (p.exe or "").startswith("/usr/local/aegis/")
            and (p.exe or "").rsplit("/", 1)[-1] in parameters.strings("aegis_guards")
        ]
        if workers:
            names = sorted({(p.exe or "").rsplit("/", 1)[-1] for p in workers})
            quotes = (Quote("processes.all", tuple(p.line for p in workers)),)
            return _View(Result.PASS, "guard", values | {"guards": [*names]}, quotes)
        return _View(Result.PARTIAL, "detect_only", values, quotes)
    return _View(Result.ERROR, "console", values, quotes)


def _defender(facts: Facts, values: dict[str, Value]) -> _View:
    state = facts.get(defender)
    if state is None:
        raise CouldNotLook("defender.state", msg("defender_runs_no_mdatp"))
    lines = tuple(x for x in state.health.splitlines() if "real_time" in x or "passive" in x)
    quotes = (Quote("defender.state", lines),)
    if not state.flag("real_time_protection_enabled"):
        return _View(Result.FAIL, "off", values, quotes)
    if "passive_mode_enabled" in state.health and state.flag("passive_mode_enabled"):
        return _View(Result.PARTIAL, "detect_only", values, quotes)
    return _View(Result.PASS, "on", values, quotes)


def _clamav(
    facts: Facts, parameters: Parameters, values: dict[str, Value], quotes: tuple[Quote, ...]
) -> _View:
    known, run = facts.get(clamav), facts.get(processes)
    watchers = known.watchers(run)
    if not watchers:
        return _View(Result.FAIL, "on_demand", values, quotes)
    if not known.scanners(run):
        return _View(Result.FAIL, "no_scanner", values, quotes)
    watcher = watchers[0]
    settings = known.of(watcher)
    state = known.onaccess.get(watcher.pid)
    if settings is None or state is None:
        raise CouldNotLook("clamav.state", msg("clamonacc_runs_settings_not"))
    if state.marks is None:
        raise CouldNotLook("clamav.state", msg("kernel_not_show_clamonacc"))
    lines = [f"{k} {v}" for k, vs in settings.values.items() for v in vs if "OnAccess" in k]
    lines.append(f"fanotify: {state.marks} marks, {state.refusing} may refuse")
    quotes = (*quotes, Quote("clamav.state", tuple(lines), settings.path))
    prevents = settings.on("OnAccessPrevention")
    if state.marks == 0:
        return _View(Result.FAIL, "watches_nothing", values, quotes)
    if prevents and not state.refusing:
        return _View(Result.FAIL, "not_refusing", values, quotes)
    if not prevents and not state.refusing:
        return _View(Result.PARTIAL, "notify_only", values, quotes)
    trees = (*parameters.strings("trees"), *facts.get(webroots).folders)
    open_ = [
        tree for tree in dict.fromkeys(trees) if not _watched(known, settings, watcher.pid, tree)
    ]
    if len(open_) == len(set(trees)):
        return _View(Result.FAIL, "irrelevant", values | {"open": [*open_]}, quotes)
    holes = [e for e in _excluded(settings, state) if any(_within(e, tree) for tree in trees)]
    if open_ or holes:
        return _View(Result.PARTIAL, "narrow", values | {"open": [*open_, *holes]}, quotes)
    if weak := _weak(known, (settings, *map(known.of, known.scanners(run)))):
        return _View(Result.PARTIAL, "looks_aside", values | {"settings": [*weak]}, quotes)
    engines = {str(p.uid) for p in known.scanners(run)}
    if left := _left_out(settings, engines, parameters.strings("engine_users")):
        return _View(Result.PARTIAL, "users_left_out", values | {"users": [*left]}, quotes)
    if state.opens is not True and any(p.uid for p in known.scanners(run)):
        if state.opens is None:
            raise CouldNotLook(known.read, msg("not_collected_opens", path=settings.path))
        return _View(Result.PARTIAL, "not_handed_over", values, quotes)
    for name, some in (("clamonacc", watchers[:1]), ("clamd", known.scanners(run))):
        for process in some:
            taken_up.refuse_stale("clamav.state", known.taken(process), name)
    return _View(Result.PASS, "blocking", values | {"trees": [*dict.fromkeys(trees)]}, quotes)


def _weak(known: Clamav, all_: tuple[Settings | None, ...]) -> list[str]:
    """Settings by which what is opened is not looked into. Raises CouldNotLook."""
    told = [settings for settings in all_ if settings is not None]
    found = [line for settings in told for line in settings.weak]
    if not found and not all(settings.asked for settings in told):
        raise CouldNotLook(known.read, msg("not_collected_limits", path=told[0].path))
    return [*dict.fromkeys(found)]


def _left_out(settings: Settings, uids: set[str], names: tuple[str, ...]) -> list[str]:
    """Accounts whose files are not looked at, the engine's own excepted, which has to be one."""
    found = [name for name in settings.all("OnAccessExcludeUname") if name not in names]
    found += [uid for uid in settings.all("OnAccessExcludeUID") if uid not in uids]
    if settings.on("OnAccessExcludeRootUID") and "0" not in uids:
        found.append("root")
    return [*dict.fromkeys(found)]


def _watched(known: Clamav, settings: Settings, pid: int, tree: str) -> bool:
    """Is the whole of `tree` watched by folder? Mounts never refuse, nor does the folder `/`.

    Raises CouldNotLook where that hangs on the folder in which clamd unpacks, and it is not told.
    """
    state = known.onaccess[pid]
    named = [f for f in settings.all("OnAccessIncludePath") if f.rstrip("/") in settings.folders]
    # of `/` nothing is left, and everything lies within it
    if any(_within(tree, e) for e in _excluded(settings, state)):
        return False
    folders = [f for f in (*named, *state.watched) if _within(tree, f.rstrip("/") or "?")]
    sure = [f for f in folders if f != (settings.temporary or _UNPACKED)]
    if folders and not sure and settings.temporary is None:
        raise CouldNotLook(known.read, msg("not_collected_temporary", path=settings.path))
    return bool(sure)


def _excluded(settings: Settings, state: OnAccess) -> list[str]:
    """Folders that are left out with all below them; `/` is the empty word."""
    found = (*settings.all("OnAccessExcludePath"), *state.excluded)
    return [*dict.fromkeys(folder.rstrip("/") for folder in found if folder)]


def _within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder}/")
