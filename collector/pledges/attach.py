"""Attaches a bundle to a pledge record: verified first, and only the next one of that pledge."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from collector.attest.trust import Trust
from collector.errors import BadInput, CollectorError, VerifyFailed
from collector.pledges.newest import Newest
from collector.pledges.register import Register
from collector.pledges.rows import Evidence
from collector.verify import Verification, open_bundle, verify


def attach(register: Register, id: str, bundle: Path, trust: Trust) -> Evidence:
    """Keeps a copy of the bundle (a folder or a ZIP file) and puts it in the pledge's sequence.

    It is the copy that is verified. Raises VerifyFailed when it does not verify, and BadInput
    when it was made for another pledge or for none, at a lower grade than the pledge is of, is
    attached already, or is not the next one of its pledge.
    """
    record = register.get(id)
    with register.store.aside(bundle) as copy:
        found = _verified(copy, bundle, trust)
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
        try:
            attached = register.insert_evidence(
                id,
                sequence=pledge["sequence"],
                digest=found.digest,
                previous=pledge["previous"],
                collected_at=found.looked_at,
                made_at=found.made_at,
                verdicts=predicate["clauses"],
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


def _verified(copy: Path, named: Path, trust: Trust) -> Verification:
    try:
        with open_bundle(copy) as opened:
            if opened.redacted:
                raise BadInput(
                    "a redacted bundle: its captures were left out",
                    where=str(named),
                    mend="ask its maker for the whole one",
                )
            return verify(opened, trust)
    except VerifyFailed as problem:
        where = problem.where.replace(str(copy), "").lstrip("/")
        raise VerifyFailed(
            f"does not verify: {problem.what}", where=f"{named}: {where}" if where else str(named)
        ) from None
