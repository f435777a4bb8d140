"""Captures → findings. Pure: the same captures, catalog and clock give the same findings."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, NamedTuple

from collector import sizes
from collector.captures import read_digest
from collector.catalog import reads_for, reasons, words
from collector.errors import BadInput, FactError, PastLimit, one_line
from collector.i18n.message import in_chinese, msg
from collector.judges.in_vain import in_vain
from collector.judges.probed import by_probes
from collector.model import (
    Capture,
    Clock,
    Control,
    Facts,
    Finding,
    HostStatus,
    Quote,
    ReadStatus,
    Result,
    Text,
    Value,
    Verdict,
    Waiver,
)

SCHEMA = "urn:hostpledge:schema:finding:1"
# what Python says of a number of more than 4,300 digits, wherever it meets one
_TOO_LONG = "for integer string conversion"
_LINES = 20
_WIDTH = 500


def assess_host(
    capture: Capture,
    controls: Iterable[Control],
    *,
    grade: int = 2,
    at: datetime | None = None,
    attached: Mapping[str, bytes] | None = None,
    waivers: Iterable[Waiver] = (),
) -> list[Finding]:
    """One finding for every control, always, in this very process and without limits of time.

    `at` (aware) is the time to judge for; without it, the time of collection.
    `attached` holds documents of the pledge record by name, for judges that want one.
    What comes from outside is judged by `judging.judge`, which bounds it.
    """
    return list(
        assess_each(capture, controls, grade=grade, at=at, attached=attached, waivers=waivers)
    )


def assess_each(
    capture: Capture,
    controls: Iterable[Control],
    *,
    grade: int = 2,
    at: datetime | None = None,
    attached: Mapping[str, bytes] | None = None,
    waivers: Iterable[Waiver] = (),
    watch: Callable[[str, str], None] | None = None,
    barred: Mapping[str, PastLimit] | None = None,
) -> Iterator[Finding]:
    """As `assess_host`, one by one.

    `watch` is told before each step which control is judged, and which fact is parsed for it
    ("": none). The controls and facts in `barred` (by id, and `model.fact_name`) are known to go
    past a limit: they are not tried, and the findings say so.
    """
    now = at or capture.collected_at
    if now is None and capture.reads:
        raise BadInput(msg("capture_no_time"), where=capture.host, mend=msg("give_one"))
    clock = Clock((now or datetime.fromtimestamp(0, UTC)).astimezone(UTC), grade)
    barred = barred or {}
    current = ""

    def parsing(fact: str) -> None:
        if watch is not None:
            watch(current, fact)

    facts = Facts(sizes.as_collected(capture), attached, watch=parsing, barred=barred)
    standing: dict[str, Waiver] = {}
    for waiver in sorted(waivers, key=lambda w: w.expires):
        if waiver.host in (capture.host, "*"):
            standing[waiver.control] = waiver  # the one that holds longest
    digests: dict[str, str] = {}
    for control in controls:
        current = control.id
        if control.id in barred:
            verdict = _past(facts.capture, control, barred[control.id])
        else:
            parsing("")
            verdict = _probed(control, _verdict(facts, control, clock), facts)
        vain = in_vain(facts, control, verdict, clock)
        if vain:
            verdict = replace(verdict, values={**verdict.values, **vain})
        borne = standing.get(control.id)
        yield finding(capture, control, verdict, clock, borne, digests=digests)


def _verdict(facts: Facts, control: Control, clock: Clock) -> Verdict:
    capture = facts.capture
    if capture.status is not HostStatus.COMPLETE and not capture.reads:
        reason = f"host_{capture.status}"
        return Verdict(Result.ERROR, reason, values={"why": capture.detail or str(capture.status)})
    try:
        return control.judge(facts, control.for_grade(clock.grade), clock)
    except FactError as problem:
        why = problem.why
        if capture.status is not HostStatus.COMPLETE:
            host = msg("at", where=str(capture.status), what=capture.detail)
            why = msg("and_also", one=why, other=host)
        return Verdict(
            Result.ERROR,
            problem.reason,
            values={"read": problem.read, "why": why, **_told(why, problem.status)},
            evidence=(Quote(problem.read),),
        )
    except PastLimit as problem:
        return _past(capture, control, problem)
    except MemoryError:
        return _past(capture, control, PastLimit(msg("takes_too_much_memory")))
    except RecursionError:
        return _past(capture, control, PastLimit(msg("nested_too_deeply_to_judge")))
    except Exception as problem:  # noqa: BLE001 - a judge's defect is an `error`, never a silence
        if isinstance(problem, ValueError) and _TOO_LONG in str(problem):
            return _past(capture, control, PastLimit(msg("number_too_long_to_judge")))
        why = one_line(f"{type(problem).__name__}: {problem}")
        return Verdict(Result.ERROR, "judge_failed", values={"why": why})


def _probed(control: Control, verdict: Verdict, facts: Facts) -> Verdict:
    try:
        return by_probes(control.id, verdict, facts)
    except PastLimit as problem:
        return _past(facts.capture, control, problem)
    except Exception as problem:  # noqa: BLE001 - as of a judge's own
        why = one_line(f"{type(problem).__name__}: {problem}")
        return Verdict(Result.ERROR, "judge_failed", values={"why": why})


def _past(capture: Capture, control: Control, limit: PastLimit) -> Verdict:
    """Names the largest of the reads that the control rests on: what there is to look at."""
    read = max(reads_for([control]), key=lambda name: sizes.of(capture.read(name)), default="-")
    values: dict[str, Value] = {
        "read": read,
        "bytes": sizes.of(capture.read(read)),
        "limit_zh": in_chinese(limit.said),
        "limit_en": str(limit),
    }
    return Verdict(Result.ERROR, "judge_limit", values=values, evidence=(Quote(read),))


_PLACE = re.compile(r"\{(\w+)\}")


def _told(why: str, status: str) -> dict[str, Value]:
    """What became of a read, in words, and what a person can do about it."""
    zh = in_chinese(why)
    mend = words()["read_mend"].get(status)
    if mend is None:
        return {"told_zh": zh, "told_en": why}
    return {"told_zh": f"{zh}；{mend.zh}", "told_en": f"{why}; {mend.en}"}


def finding(
    capture: Capture,
    control: Control,
    verdict: Verdict,
    clock: Clock,
    waiver: Waiver | None = None,
    *,
    digests: dict[str, str] | None = None,
) -> Finding:
    """A verdict with all that makes it stand alone: words, evidence, what to do.

    `digests` keeps those of reads that were quoted before.
    """
    digests = {} if digests is None else digests
    template = _template(control, verdict)
    if template is None:
        verdict = Verdict(
            Result.ERROR,
            "judge_failed",
            values={"why": f"{control.id} has no message {verdict.reason}"},
        )
        template = reasons()["judge_failed"]
    return Finding(
        host=capture.host,
        control=control.id,
        clause=control.clause,
        result=verdict.result,
        method=verdict.method,
        reason=verdict.reason,
        message=_with_more(fill(template, verdict.values), verdict.values),
        values={name: sizes.value(value) for name, value in verdict.values.items()},
        evidence=tuple(
            _quoted(capture, quote, digests) for quote in verdict.evidence[: sizes.QUOTES]
        ),
        expected=fill(control.criterion, control.for_grade(clock.grade).values),
        remediation=fill(control.remediation, control.for_grade(clock.grade).values),
        severity=control.severity_at(clock.grade),
        veto=control.veto,
        until=verdict.until,
        waiver=waiver if verdict.result in (Result.FAIL, Result.PARTIAL) else None,
    )


def _template(control: Control, verdict: Verdict) -> Text | None:
    """The control's own message, where the verdict is of the control's own making.

    A fact that was not understood may go by the same word, and fills another text.
    """
    own, common = control.messages.get(verdict.reason), reasons().get(verdict.reason)
    if own is None or common is None:
        return own or common
    return own if set(_PLACE.findall(own.en)) <= set(verdict.values) else common


def _with_more(message: Text, values: Mapping[str, Value]) -> Text:
    """What a probe showed, and an attestation in vain, stand behind the control's own words."""
    for kind in ("probed", "in_vain"):
        if f"{kind}_en" in values:
            joined = fill(reasons()[kind], values)
            message = Text(message.zh + joined.zh, f"{message.en} {joined.en}")
    return message


def fill(template: Text, values: Mapping[str, Value]) -> Text:
    """A text with the values in the place of their names, in both languages."""
    return Text(_format(template.zh, values, "、"), _format(template.en, values, ", "))


def _format(template: str, values: Mapping[str, Value], comma: str) -> str:
    """Puts each `{name}` into the text; a name without a value stays as it stands."""

    def shown(match: re.Match[str]) -> str:
        value = values.get(match[1], match[0])
        return one_line(
            comma.join(map(str, value)) if isinstance(value, list) else str(value), 1000
        )

    # in one pass: what a host calls its accounts and files is never taken for a name to fill in
    return _PLACE.sub(shown, template)


def _quoted(capture: Capture, quote: Quote, digests: dict[str, str]) -> dict[str, Any]:
    result = capture.read(quote.read)
    known = result.status is not ReadStatus.LOST
    if known and quote.read not in digests:
        digests[quote.read] = read_digest(result)
    entry: dict[str, Any] = {
        "read": quote.read,
        "status": str(result.status),
        "sha256": digests.get(quote.read),
        "lines": [one_line(line, _WIDTH) for line in quote.lines[:_LINES]],
    }
    if quote.path:
        entry["path"] = one_line(quote.path, _WIDTH)
    return entry


def to_json(finding: Finding, at: datetime) -> dict[str, Any]:
    """The finding's form in evidence (schemas/finding.schema.json), for the time `at`."""
    waiver = finding.waiver
    return {
        "control": finding.control,
        "clause": finding.clause,
        "verdict": str(finding.result),
        "method": str(finding.method),
        "reason": finding.reason,
        "message": {"zh": finding.message.zh, "en": finding.message.en},
        "values": dict(finding.values),
        "evidence": [dict(entry) for entry in finding.evidence],
        "expected": {"zh": finding.expected.zh, "en": finding.expected.en},
        "remediation": {"zh": finding.remediation.zh, "en": finding.remediation.en},
        "severity": str(finding.severity),
        "veto": finding.veto,
        "until": finding.until.astimezone(UTC).isoformat() if finding.until else None,
        "waiver": None
        if waiver is None
        else {
            "reason": waiver.reason,
            "approver": waiver.approver,
            "expires": waiver.expires.astimezone(UTC).isoformat(),
            "expired": waiver.ended or waiver.expires <= at,
        },
    }


def waived(finding: Finding | Weighed, at: datetime) -> bool:
    """Does a waiver that has not expired cover this finding?"""
    waiver = finding.waiver
    return waiver is not None and not waiver.ended and waiver.expires > at


class Weighed(NamedTuple):
    """Of a finding what the verdict of its clause follows from."""

    clause: str
    result: Result
    severity: str
    veto: bool
    waiver: Waiver | None


def clause_result(findings: Iterable[Finding | Weighed], at: datetime) -> Result:
    """One clause over all its findings: 符合, 部分符合, 不符合, 不适用 or 未能核查.

    A veto control that fails, or any high one, makes the clause `fail`; what could not be looked
    at makes it `error` unless something failed already; `partial`, lesser failures, waived
    failures and missing attestations make it `partial`. Where nothing at all was checked, it is
    `notchecked`.
    """
    seen = list(findings)
    if not seen:
        return Result.NOTCHECKED
    failed = [f for f in seen if f.result is Result.FAIL and not waived(f, at)]
    if any(f.veto or f.severity == "high" for f in failed):
        return Result.FAIL
    results = {f.result for f in seen}
    if Result.ERROR in results:
        return Result.ERROR
    if Result.NOTCHECKED in results and results <= {Result.NOTCHECKED, Result.NOTAPPLICABLE}:
        return Result.NOTCHECKED
    if results & {Result.FAIL, Result.PARTIAL, Result.NOTCHECKED}:
        return Result.PARTIAL
    return Result.NOTAPPLICABLE if results == {Result.NOTAPPLICABLE} else Result.PASS


def satisfied(findings: Iterable[Finding], at: datetime) -> bool:
    """Is everything satisfied, so that a command may end with status 0?"""
    return all(f.result in (Result.PASS, Result.NOTAPPLICABLE) or waived(f, at) for f in findings)
