"""How much of a clause was judged at all. Pure.

A clause is a promise about every control of its grade on every host: seven controls that pass out
of fifty-seven prove none of it. So how many were judged is a part of the verdict, and follows from
the catalogue of the release that the evidence names, never from what its signer listed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from collector import catalog, releases
from collector.errors import listed
from collector.model import Lang, Result, Text
from collector.releases import Release

_NAMED = 5


@dataclass(frozen=True, slots=True)
class Part:
    """Of the `of` controls that a clause has at the grade, `judged` were."""

    judged: int
    of: int

    @property
    def whole(self) -> bool:
        return self.judged >= self.of


@dataclass(frozen=True, slots=True)
class Scope:
    """What was judged of each clause, at which grade. `absent`: declared hosts with no capture.

    `known` is False where nobody here knows the release: the numbers are then the signer's word.
    `unchecked`: it is of a bundle of which nobody looked whether its signature holds. `outdated`:
    why it does not say how things are now, by a register; of what is `void` nothing follows.
    """

    grade: int
    clauses: Mapping[str, Part]
    absent: tuple[str, ...] = ()
    known: bool = True
    unchecked: bool = False
    outdated: Text | None = None
    void: bool = False

    @property
    def warnings(self) -> tuple[Text, ...]:
        """What is to be said before anything else."""
        said = [self.outdated] if self.outdated is not None else []
        return (*([not_checked()] if self.unchecked else []), *said)

    @property
    def judged(self) -> int:
        return sum(part.judged for part in self.clauses.values())

    @property
    def of(self) -> int:
        return sum(part.of for part in self.clauses.values())

    @property
    def whole(self) -> bool:
        """Every control of the grade, on every declared host, by a release that is known."""
        return self.known and not self.absent and all(p.whole for p in self.clauses.values())

    def proves(self, clause: str) -> bool:
        """Was enough judged that this clause can be proven by it?"""
        part = self.clauses.get(clause)
        return not self.void and self.known and not self.absent and part is not None and part.whole

    def narrowed(self, clause: str, result: Result) -> Result:
        """The verdict of a clause, given that of its findings.

        What failed has failed, however little was judged; and a clause of which nothing was is
        not checked. Anything else is no more than "could not look" unless all of it was judged.
        """
        if self.void:
            return Result.ERROR
        part = self.clauses.get(clause)
        untouched = result is Result.NOTCHECKED and not (part and part.judged)
        if result is Result.FAIL or untouched or self.proves(clause):
            return result
        return Result.ERROR

    def at_most(self, result: Result) -> Result:
        """As `narrowed`, of a verdict over all clauses."""
        if self.void:
            return Result.ERROR
        return result if result is Result.FAIL or self.whole else Result.ERROR

    def said(self, clause: str | None = None) -> Text:
        """`7 of 57 controls`: of one clause, or of them all."""
        part = Part(self.judged, self.of) if clause is None else self.clauses[clause]
        return counted(part)

    def short(self, clause: str) -> Text:
        """As `said`, where there is little room and the reader knows what is counted."""
        part = self.clauses[clause]
        return Text(f"{part.of} 项中的 {part.judged} 项", f"{part.judged} of {part.of} controls")

    @property
    def unproven(self) -> tuple[str, ...]:
        """The clauses of which something, and not all, was judged; or all, where hosts miss."""
        return tuple(n for n, part in self.clauses.items() if part.judged and not self.proves(n))

    def reasons(self) -> tuple[Text, ...]:
        """Why it proves less than it seems to, for people; empty where it is whole."""
        found = []
        if not self.known:
            found.append(unknown_release())
        if not all(part.whole for part in self.clauses.values()):
            lacking = [(n, part) for n, part in self.clauses.items() if not part.whole]
            zh = "；".join(f"{cited(n)}：{p.of} 项中的 {p.judged} 项" for n, p in lacking)
            en = "; ".join(f"{cited(n)}: {p.judged} of {p.of}" for n, p in lacking)
            said = self.said()
            found.append(Text(f"只判定了 {said.zh}（{zh}）", f"{said.en} judged ({en})"))
        if self.absent:
            found.append(not_seen(self.absent))
        return tuple(found)

    def to_json(self) -> dict[str, Any]:
        """As evidence.json and the statement have it."""
        return {
            "judged": self.judged,
            "of": self.of,
            "clauses": {n: {"judged": p.judged, "of": p.of} for n, p in self.clauses.items()},
            "absent": list(self.absent),
        }


def not_checked() -> Text:
    """Of findings that were taken out of a bundle without a trust file."""
    return Text("证据包的签名未经核验", "the signature of the bundle was not checked")


def no_hosts() -> Text:
    """Of a record that declares none: any machine could pass for all of them."""
    return Text(
        "登记未写明主机（resources.hosts），无从得知是否全部核查，不足以证明；请补登主机后重新核查",
        "the record declares no hosts (resources.hosts), so nothing tells whether all were looked "
        "at: no proof; declare them, and run again",
    )


def unknown_release() -> Text:
    return Text(
        "出自此处所不知的版本，无从核对核查范围",
        "made by a release that is not known here: its scope cannot be checked",
    )


def lower_grade(grade: int, wanted: int) -> Text:
    return Text(
        f"按 {grade} 级判定，而登记为 {wanted} 级",
        f"judged at grade {grade}, while the record is of grade {wanted}",
    )


def counted(part: Part) -> Text:
    return Text(f"{part.of} 项核查项中的 {part.judged} 项", f"{part.judged} of {part.of} controls")


def cited(clause: str) -> str:
    """How the two documents number it: 二(二)."""
    return str(catalog.clauses()[clause]["number"])


def numbered(text: str, lang: Lang) -> str:
    """With clauses cited as the language has them: 2(2) in English."""
    for id in catalog.clauses():
        text = text.replace(cited(id), catalog.clause_number(id, lang))
    return text


def no_proof(clauses: Iterable[str]) -> Text:
    """`no proof of 二(二), 二(三)`."""
    numbers = [cited(n) for n in clauses]
    return Text(f"不能证明{'、'.join(numbers)}", f"no proof of {', '.join(numbers)}")


def not_seen(absent: Sequence[str]) -> Text:
    named, more = absent[:_NAMED], len(absent) > _NAMED
    return Text(
        f"登记的主机未核查：{listed(named, '、')}{f' 等 {len(absent)} 台' if more else ''}",
        f"declared, and not looked at: {listed(named)}"
        f"{f' and {len(absent) - _NAMED} more' if more else ''}",
    )


def scope_of(
    ids: Collection[str],
    grade: int,
    absent: Iterable[str] = (),
    release: Release | None = None,
) -> Scope:
    """That of judging these controls, by the release (default: the one installed here)."""
    wanted = (release or releases.current()).at(grade)
    held = set(ids)
    parts: dict[str, Part] = {}
    for number in catalog.clauses():
        mine = {id for id, known in wanted.items() if known.clause == number}
        parts[number] = Part(len(mine & held), len(mine))
    return Scope(grade, parts, tuple(absent))


def of_evidence(frame: Mapping[str, Any]) -> Scope:
    """That of an evidence.json, with its hosts or without.

    What it says itself of its scope counts only where its release is not known here, and then
    for no more than the signer's word.
    """
    release = releases.find(frame["catalog_sha256"])
    said = frame.get("scope") or {}
    absent = tuple(said.get("absent", ()))
    if release is not None:
        return scope_of(frame["controls"], frame["grade"], absent, release)
    counts = dict.fromkeys(catalog.clauses(), 0)
    for about in frame["controls"].values():
        counts[about["clause"]] += 1
    told = said.get("clauses", {})
    parts = {
        n: Part(count, max(count, told.get(n, {}).get("of", 0))) for n, count in counts.items()
    }
    return Scope(frame["grade"], parts, absent, known=False)


def verdicts(frame: Mapping[str, Any], scope: Scope | None = None) -> dict[str, Result]:
    """What evidence comes to, clause by clause, given how much of each was judged."""
    known = scope or of_evidence(frame)
    return {
        number: known.narrowed(number, Result(clause["verdict"]))
        for number, clause in frame["clauses"].items()
    }
