"""Attaches a bundle to a pledge record: verified first, and only the next one of that pledge."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from collector.attest.bundle.evidence import waiver_entry
from collector.attest.trust.trust_file import Trust
from collector.errors import BadInput, CollectorError, VerifyFailed
from collector.model import Result
from collector.pledges.database.rows import Evidence
from collector.pledges.record.form import waivers
from collector.pledges.register.register import Register
from collector.pledges.status.latest_bundle import Newest
from collector.verify import Bundle, Verification, open_bundle, verify

Held = Callable[[Bundle, Verification], None]


def attach(
    register: Register, id: str, bundle: Path, trust: Trust, held: Held | None = None
) -> Evidence:
    """Keeps a copy of the bundle (a folder or a ZIP file) and puts it in the pledge's sequence.

    It is the copy that is verified. Raises VerifyFailed when it does not verify, and BadInput
    when it was made for another pledge or for none, at a lower grade than the pledge is of, bears
    a waiver that the newest version of the record has not, is judged for another day than it was
    looked at, is attached already, or is not the next one of its pledge. One that looked at a part
    alone is taken, and proves no clause. `held` looks at the copy once it is verified, and raises
    BadInput for what else it does not take.
    """
    record = register.get(id)
    with register.store.aside(bundle) as copy:
        found, hosts, waived = _verified(copy, bundle, trust, held)
        predicate = found.statement["predicate"]
        pledge = predicate["pledge"]
        if pledge is None:
            raise BadInput(
                "the bundle was made for no pledge",
                where=str(bundle),
                mend="make one with `hostpledge run --pledge`",
            )
        if pledge["id"] != id:
            raise BadInput(
                f"the bundle was made for the pledge {pledge['id']}, not for {id}",
                where=str(bundle),
            )
        if predicate["grade"] < record.grade:
            raise BadInput(
                f"the bundle was judged at grade {predicate['grade']}, and the pledge {id} is of "
                f"grade {record.grade}",
                where=str(bundle),
                mend=f"make one with --grade {record.grade}",
            )
        _check_waivers(register, id, waived, str(bundle))
        missing = {*found.scope.absent, *(h for h in record.hosts if h not in hosts)}
        scope = replace(found.scope, absent=tuple(sorted(missing)))
        signed = predicate["clauses"]
        try:
            attached = register.insert_evidence(
                id,
                sequence=pledge["sequence"],
                digest=found.digest,
                previous=pledge["previous"],
                collected_at=found.looked_at,
                made_at=found.made_at,
                verdicts={n: str(scope.narrowed(n, Result(v))) for n, v in signed.items()},
                scope=scope,
                handed_in=found.handed_in,
                copy=copy,
            )
        except BadInput as problem:
            raise BadInput(
                problem.what, where=problem.where or str(bundle), mend=problem.mend
            ) from None
    with suppress(CollectorError):
        # attached it is; whoever asks for the status is told what is wrong with the store
        register.shown(Newest(attached))
    return attached


def _check_when(found: Verification, where: str) -> None:
    """Raises BadInput for verdicts of another day: what had ended by then would count again."""
    if found.looks.of_another_day:
        raise BadInput(
            f"its hosts were judged for another time than they were looked at, "
            f"{found.looks.apart.days} day(s) apart",
            where=where,
            mend="make it without --at",
        )


def _check_waivers(
    register: Register, id: str, waived: Sequence[Mapping[str, str]], where: str
) -> None:
    """Raises BadInput for a waiver that its signer made up: it would soften a failure.

    And for one that has been withdrawn since, or changed.
    """
    if not waived:
        return
    # of what was disposed of only digests are left, and nothing is attached to it any more
    versions = [
        [waiver_entry(waiver) for waiver in waivers(version.record)]
        for version in register.history(id)
    ]
    for waiver in waived:
        if waiver in versions[-1]:
            continue
        if any(waiver in version for version in versions):
            raise BadInput(
                f"it bears a waiver of {waiver['control']} on {waiver['host']} by "
                f"{waiver['approver']}, which stands in the record no more",
                where=where,
                mend="make the bundle again",
            )
        raise BadInput(
            f"it bears a waiver of {waiver['control']} on {waiver['host']} by "
            f"{waiver['approver']}, which the record has never had",
            where=where,
            mend="`hostpledge pledge waive` puts one on record; make the bundle after that",
        )


def _verified(
    copy: Path, named: Path, trust: Trust, held: Held | None
) -> tuple[Verification, frozenset[str], Sequence[Mapping[str, str]]]:
    """And the hosts in it, and its waivers."""
    try:
        with open_bundle(copy) as opened:
            if opened.redacted:
                raise BadInput(
                    "a redacted bundle: its captures were left out",
                    where=str(named),
                    mend="ask its maker for the whole one",
                )
            found = verify(opened, trust)
            if held is not None:
                held(opened, found)
            _check_when(found, str(named))
            return found, frozenset(opened.names), opened.frame["waivers"]
    except VerifyFailed as problem:
        where = problem.where.replace(str(copy), "").lstrip("/")
        raise VerifyFailed(
            f"does not verify: {problem.what}", where=f"{named}: {where}" if where else str(named)
        ) from None
