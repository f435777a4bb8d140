"""antivirus.exclusions: what is left out does not blind the scanner where malware lands."""

from __future__ import annotations

from fnmatch import fnmatchcase

from collector.errors import CouldNotLook, FactError
from collector.facts.security.clamav import clamav
from collector.facts.security.defender import defender
from collector.facts.security.exclusions import covers, matches, probes
from collector.facts.security.products import antimalware
from collector.facts.security.web_roots import webroots
from collector.facts.system.processes import processes
from collector.i18n.message import msg
from collector.judges import taken_up
from collector.judges.predicates import attested
from collector.model import Clock, Facts, Method, Parameters, Quote, Result, Verdict

_LOCAL = ("clamav", "defender")


def judge(facts: Facts, parameters: Parameters, clock: Clock) -> Verdict:
    """Every exclusion of every product that runs is held against every place that matters."""
    seen = facts.get(antimalware)
    run = [s for s in seen.sightings if s.running and s.product.counts in ("yes", "attest")]
    if not run:
        if seen.blind:
            raise CouldNotLook("processes.all", msg("only_root_sees_program"))
        return Verdict(Result.NOTAPPLICABLE, "no_product", Method.OBSERVED)
    served = facts.get(webroots).folders
    web = [*parameters.strings("web_roots"), *served]
    trees = list(dict.fromkeys((*parameters.strings("trees"), *web)))
    blind: list[str] = []
    quotes: list[Quote] = []
    failures: list[FactError] = []
    for sighting in run:
        try:
            if sighting.product.id == "clamav":
                blind += _clamav(facts, trees, web, quotes)
            elif sighting.product.id == "defender":
                blind += _defender(facts, trees, parameters, quotes)
        except FactError as problem:
            failures.append(problem)
    if blind:
        return Verdict(
            Result.FAIL, "blind", Method.CONFIGURED, {"blind": [*dict.fromkeys(blind)]},
            tuple(quotes),
        )  # fmt: skip
    if failures:
        raise failures[0]
    console = [s for s in run if s.product.id not in _LOCAL]
    if len(console) < len(run):
        names = [s.product.name for s in run if s.product.id in _LOCAL]
        return Verdict(
            Result.PASS, "clear", Method.CONFIGURED,
            {
                "product": ", ".join(n.en for n in names),
                "product_zh": "、".join(n.zh for n in names),
                "trees": [*trees],
            },
            tuple(quotes),
        )  # fmt: skip
    attestation = attested(facts, "antivirus.exclusions", clock)
    if attestation is not None:
        return Verdict(
            Result.PASS, "attested", Method.ATTESTED,
            {"by": attestation.by, "statement": attestation.statement},
            (attestation.quote,), attestation.until,
        )  # fmt: skip
    return Verdict(
        Result.ERROR, "console", Method.OBSERVED,
        {
            "product": ", ".join(s.product.name.en for s in console),
            "product_zh": "、".join(s.product.name.zh for s in console),
        },
    )  # fmt: skip


def _clamav(facts: Facts, trees: list[str], web: list[str], quotes: list[Quote]) -> list[str]:
    known, run = facts.get(clamav), facts.get(processes)
    blind = []
    scanners = known.scanners(run)
    if not scanners:
        raise CouldNotLook("clamav.state", msg("clamav_runs_no_clamd"))
    for scanner in scanners:
        settings = known.of(scanner)
        if settings is None:
            raise CouldNotLook("clamav.state", msg("clamd_runs_settings_not"))
        patterns = settings.all("ExcludePath")
        lines = tuple(f"ExcludePath {pattern}" for pattern in patterns)
        quotes.append(Quote("clamav.state", lines, settings.path))
        for pattern in patterns:
            for tree in trees:
                hit = matches(pattern, probes(tree, web=tree in web), "clamav.state")
                if hit:
                    blind.append(f"{tree} (ExcludePath {pattern})")
        if not settings.asked and not blind:
            raise CouldNotLook("clamav.state", msg("not_collected_limits", path=settings.path))
        blind += [f"* ({line})" for line in settings.weak]
        if settings.weak:
            quotes.append(Quote("clamav.state", settings.weak, settings.path))
    for scanner in () if blind else scanners:
        taken_up.refuse_stale("clamav.state", known.taken(scanner), "clamd")
    return blind


def _defender(
    facts: Facts, trees: list[str], parameters: Parameters, quotes: list[Quote]
) -> list[str]:
    extensions = parameters.strings("extensions")
    state = facts.get(defender)
    if state is None:
        raise CouldNotLook("defender.state", msg("defender_runs_no_mdatp"))
    listed = state.exclusions
    quotes.append(Quote("defender.state", tuple(f"{x.kind} {x.what}" for x in listed)))
    blind = []
    for entry in listed:
        if entry.kind == "extension" and entry.what.lstrip(".").lower() in extensions:
            blind.append(f"*.{entry.what.lstrip('.')}")
        elif entry.kind in ("folder", "file"):
            blind += [f"{tree} ({entry.what})" for tree in trees if covers(entry.what, tree)]
        elif entry.kind == "process" and _at_large(entry.what, parameters.strings("programs")):
            # what it opens is not scanned, wherever that lies
            blind.append(f"* (process {entry.what})")
    return blind


def _at_large(process: str, programs: tuple[str, ...]) -> bool:
    """Is it one of those that bring in or run what others send? Either side may be a pattern."""
    name = process.rpartition("/")[2] or process
    return any(fnmatchcase(name, one) or fnmatchcase(one.rstrip("*"), name) for one in programs)
