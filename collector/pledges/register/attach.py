"""Attaches a bundle to a pledge record: verified first, and only the next one of that pledge."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from collector.attest.bundle.evidence import waiver_entry
from collector.attest.trust.trust_file import Trust
from collector.errors import BadInput, CollectorError, VerifyFailed
from collector.i18n.message import msg
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
                msg("bundle_made_no_pledge"),
                where=str(bundle),
                mend=msg("make_one_hostpledge_run"),
            )
        if pledge["id"] != id:
            raise BadInput(
                msg("bundle_made_pledge_not", pledge=pledge["id"], which=id),
                where=str(bundle),
            )
        if predicate["grade"] < record.grade:
            raise BadInput(
                msg(
                    "bundle_judged_grade_pledge",
                    predicate=predicate["grade"],
                    which=id,
                    grade=record.grade,
                ),
                where=str(bundle),
                mend=msg("make_one_grade", grade=record.grade),
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
            msg("hosts_judged_another_time", days=found.looks.apart.days),
            where=where,
            mend=msg("make_without"),
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
                msg(
                    "bears_waiver_stands_record",
                    waiver=waiver["control"],
                    waiver_2=waiver["host"],
                    waiver_3=waiver["approver"],
                ),
                where=where,
                mend=msg("make_bundle_again"),
            )
        raise BadInput(
            msg(
                "bears_waiver_record_never",
                waiver=waiver["control"],
                waiver_2=waiver["host"],
                waiver_3=waiver["approver"],
            ),
            where=where,
            mend=msg("hostpledge_pledge_waive_puts"),
        )


def _verified(
    copy: Path, named: Path, trust: Trust, held: Held | None
) -> tuple[Verification, frozenset[str], Sequence[Mapping[str, str]]]:
    """And the hosts in it, and its waivers."""
    try:
        with open_bundle(copy) as opened:
            if opened.redacted:
                raise BadInput(
                    msg("redacted_bundle_captures_left"),
                    where=str(named),
                    mend=msg("ask_maker_whole_one"),
                )
            found = verify(opened, trust)
            if held is not None:
                held(opened, found)
            _check_when(found, str(named))
            return found, frozenset(opened.names), opened.frame["waivers"]
    except VerifyFailed as problem:
        where = problem.where.replace(str(copy), "").lstrip("/")
        raise VerifyFailed(
            msg("not_verify", what=problem.what), where=f"{named}: {where}" if where else str(named)
        ) from None
