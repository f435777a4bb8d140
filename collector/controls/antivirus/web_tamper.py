"""antivirus.web_tamper: what web servers serve is compared with a baseline, and looked through."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from collector.errors import NotUnderstood
from collector.facts.security.file_integrity import Baseline, integrity
from collector.facts.security.web_roots import webroots
from collector.facts.system.processes import processes
from collector.i18n.message import msg
from collector.judges.predicates import attested, past
from collector.model import Clock, Facts, Method, Parameters, Quote, Result, Value, Verdict

_NEVER = datetime.fromtimestamp(0, UTC)
_WORST = (Result.FAIL, Result.PARTIAL, Result.PASS)


def judge(facts: Facts, parameters: Parameters, clock: Clock) -> Verdict:
    """Each folder served needs a baseline that covers it, compared lately, nothing left over."""
    web = facts.get(webroots)
    if not web.servers and not web.contained:
        return Verdict(Result.NOTAPPLICABLE, "no_server", Method.OBSERVED)
    folders = (web.folders or parameters.strings("usual")) if web.servers else ()
    baselines = facts.get(integrity)
    open_ = [f for f in folders if not any(b.covers(f) for b in baselines)]
    if web.folders and not open_:
        return _age(baselines, folders, parameters, clock)
    attestation = attested(facts, "antivirus.web_tamper", clock)
    if attestation is not None:
        return Verdict(
            Result.PASS, "attested", Method.ATTESTED,
            {"by": attestation.by, "statement": attestation.statement},
            (attestation.quote,), attestation.until,
        )  # fmt: skip
    if not web.servers:
        quotes = (Quote("processes.all", tuple(p.line for p in web.contained)),)
        return Verdict(Result.ERROR, "contained", Method.OBSERVED, evidence=quotes)
    guards = [p for p in facts.get(processes).all if _guards(p.exe or "", parameters)]
    values: dict[str, Value] = {"folders": [*open_]}
    if guards:
        quotes = (Quote("processes.all", tuple(p.line for p in guards)),)
        return Verdict(Result.ERROR, "guard", Method.OBSERVED, values, quotes)
    if not open_:
        # the usual folders are a guess: enough to fail on, not to pass on
        raise NotUnderstood("detectors.state", msg("no_setting_tells_web"))
    quotes = (Quote("detectors.state", web.lines),)
    return Verdict(Result.FAIL, "uncovered", Method.CONFIGURED, values, quotes)


def _guards(exe: str, parameters: Parameters) -> bool:
    return exe.startswith("/usr/local/aegis/") and exe.rsplit("/", 1)[-1] in parameters.strings(
        "guards"
    )


def _age(
    baselines: tuple[Baseline, ...],
    folders: tuple[str, ...],
    parameters: Parameters,
    clock: Clock,
) -> Verdict:
    """The worst of the verdicts on the baseline of each folder that was compared last."""
    last = [
        max((b for b in baselines if b.covers(f)), key=lambda b: (b.checked or _NEVER, b.made))
        for f in folders
    ]
    found = [_of(known, folders, parameters, clock) for known in dict.fromkeys(last)]
    return min(found, key=lambda v: (_WORST.index(v.result), v.until or _NEVER))


def _of(last: Baseline, folders: tuple[str, ...], parameters: Parameters, clock: Clock) -> Verdict:
    days = timedelta(days=parameters.integer("days"))
    values: dict[str, Value] = {
        "folders": [*folders],
        "tool": last.tool,
        "checked": last.checked.strftime("%Y-%m-%d %H:%M UTC") if last.checked else "-",
        "changes": last.changes or 0,
    }
    quotes = (Quote("detectors.state", last.lines, last.path),)
    checked = last.checked and past(last.checked, clock, "detectors.state")
    if checked is None or clock.now - checked > days:
        return Verdict(Result.FAIL, "stale", Method.OBSERVED, values, quotes)
    if last.changes and last.made <= checked:
        return Verdict(Result.PARTIAL, "changed", Method.OBSERVED, values, quotes)
    until = checked + days
    return Verdict(Result.PASS, "compared", Method.OBSERVED, values, quotes, until)
