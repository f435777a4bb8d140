"""Judges the spoiled hosts: which controls see a spoiling, in which cases one still passes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from collector import catalog
from collector.assess import assess_host
from collector.model import Result
from tests import cases
from tests.mutations.listed import listed
from tests.mutations.shapes import catalogue


@dataclass
class Seen:
    """Of one spoiling and one control: cases that it changed, by whether they still pass."""

    withstood: list[str] = field(default_factory=list)
    passes: list[str] = field(default_factory=list)


def _result(case: cases.Case) -> Result:
    control = catalog.control(case.control)
    (found,) = assess_host(
        case.capture, [control], grade=case.grade, at=case.at, attached=case.attached
    )
    assert found.reason != "judge_failed", found.message.en
    return found.result


def touched(before: cases.Case, after: cases.Case) -> bool:
    """Is something else that the control reads, or another time?"""
    if before.at != after.at or before.attached != after.attached:
        return True
    reads = set(catalog.reads_for([catalog.control(before.control)]))
    old, new = before.capture.reads, after.capture.reads
    return any(old.get(id) != new.get(id) for id in reads | (set(new) - set(catalog.all_reads())))


def passing(control: str | None = None) -> Iterator[cases.Case]:
    for path in cases.case_files(control):
        if path.name.endswith(".pass.yml"):
            yield cases.load(path)


def judged(control: str | None = None) -> Mapping[str, Mapping[str, Seen]]:
    """{spoiling: {control: seen}}; controls that a spoiling leaves alone are not named."""
    found: dict[str, dict[str, Seen]] = {name: defaultdict(Seen) for name in catalogue()}
    for case in passing(control):
        name = case.path.name.removesuffix(".pass.yml")
        for spoiling, spoil in catalogue().items():
            spoiled = spoil(case)
            if spoiled is None or not touched(case, spoiled):
                continue
            seen = found[spoiling][case.control]
            (seen.passes if _result(spoiled) is Result.PASS else seen.withstood).append(name)
    return found


def differences(control: str, found: Mapping[str, Mapping[str, Seen]]) -> list[str]:
    """What the list says of a control, and is not so; what is so, and it does not say."""
    lines = []
    for name, entry in listed().items():
        seen = found[name].get(control, Seen())
        cases_of = set(entry.cases.get(control, ()))
        if control in entry.spared:
            if not seen.passes:
                lines.append(f"{name}: spared, and no case passes any more")
            if seen.withstood:
                lines.append(f"{name}: spared as a whole, and withstood in {seen.withstood}")
        elif left := set(seen.passes) - cases_of:
            lines.append(f"{name}: passes still: {', '.join(sorted(left))}")
        if stale := cases_of - set(seen.passes):
            lines.append(f"{name}: spared, and does not pass: {', '.join(sorted(stale))}")
        if bool(seen.withstood) is not (control in entry.withstands):
            lines.append(f"{name}: withstood in {seen.withstood or 'no case'}")
    return lines
