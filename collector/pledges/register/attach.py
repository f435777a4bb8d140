"""Attaches a bundle to a pledge record: verified first, and only the next one of that pledge."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from collector.attest.bundle.evidence import waiver_entry
from collector.attest.trust.trust_file import Trust
from collector.captures import digest
from collector.errors import BadInput, CollectorError, VerifyFailed, one_line
from collector.facts.data.inventory import DOCUMENT as INVENTORY
from collector.facts.data.inventory_signature import KEYS
from collector.i18n.message import msg
from collector.model import HostStatus, Result
from collector.pledges.database import sightings
from collector.pledges.database.held import undeclared
from collector.pledges.database.next_in_order import AttachedAlready
from collector.pledges.database.rows import Evidence
from collector.pledges.database.sightings import Sighting
from collector.pledges.record.form import ANSWERED_FOR, attached_documents, waivers
from collector.pledges.register import seen_elsewhere
from collector.pledges.register.register import Register
from collector.pledges.register.signers import Signers
from collector.pledges.status.latest_bundle import Newest
from collector.scope import Scope
from collector.verify import Bundle, Verification, open_bundle, verify

Held = Callable[[Bundle, Verification], None]
# by how much the clock of a host may be wrong
_AHEAD = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class _Borne:
    """What a bundle bears of the record: its waivers, and by name the digests of its documents.

    Of the hosts `unseen` nothing was seen to its end: not reached, refused, cut off.
    """

    waivers: Sequence[Mapping[str, str]]
    documents: Mapping[str, str]
    unseen: frozenset[str]


def attach(
    register: Register,
    id: str,
    bundle: Path,
    trust: Trust,
    held: Held | None = None,
    *,
    older: bool = False,
    shared: Collection[str] = (),
) -> Evidence:
    """Keeps a copy of the bundle (a folder or a ZIP file) and puts it in the pledge's sequence.

    It is the copy that is verified. Raises VerifyFailed when it does not verify, and BadInput
    when it was made for another pledge or for none, at a lower grade than the pledge is of, bears
    a waiver, an attestation, an inventory or a ledger that the newest version of the record has
    not, is judged for another day than it was
    looked at, does not say when that was, is attached already, is not the next one of its pledge,
    or was handed in of another host or pledge before. One that looked at a part alone is taken,
    and proves no clause. One whose hosts have all been looked at later already is taken with
    `older` alone: it changes no finding, and nothing that is said of the present. Of the hosts
    `shared` somebody says that another pledge has them too (`seen_elsewhere`). `held` looks at
    the copy once it is verified, and raises BadInput for what else it does not take.
    """
    register.get(id)
    signers = Signers(register.where)
    signers.learn(trust)
    with register.store.aside(bundle) as copy:
        found, seen, borne = _verified(copy, bundle, trust, held)
        pledge = _pledge(found.statement["predicate"]["pledge"], id, str(bundle))
        register.take_in()
        try:
            with register.attaching(id):
                attached = _insert(
                    register, id, found, seen, pledge, copy, borne, str(bundle), older=older,
                    shared=shared,
                )  # fmt: skip
                signers.accept(id, found.signers)
        except AttachedAlready as problem:
            raise AttachedAlready(problem.owner, problem.number, where=str(bundle)) from None
        except BadInput as problem:
            raise BadInput(
                problem.what, where=problem.where or str(bundle), mend=problem.mend
            ) from None
    with suppress(CollectorError):
        # attached it is; whoever asks for the status is told what is wrong with the store
        register.shown(Newest(attached))
    return attached


def _insert(
    register: Register,
    id: str,
    found: Verification,
    seen: Sequence[Sighting],
    pledge: Mapping[str, Any],
    copy: Path,
    borne: _Borne,
    where: str,
    *,
    older: bool,
    shared: Collection[str],
) -> Evidence:
    """Looks at all that the register has, and writes, while nobody else attaches anything."""
    record, predicate = register.get(id), found.statement["predicate"]
    if "disposed" in record.document:
        raise BadInput(msg("disposed_takes_no_evidence"), where=id, mend=msg("give_another_id"))
    _check_grade(predicate["grade"], record.grade, id, where)
    _check_waivers(register, id, borne.waivers, where)
    _check_documents(register, id, borne.documents, where)
    hosts = frozenset(one.host for one in seen)
    # a declared host that did not answer was looked at no more than one that nobody asked
    missing = {*found.scope.absent, *(set(record.hosts) - (hosts - borne.unseen))}
    place = pledge["sequence"], found.digest, pledge["previous"]
    register.check_next(id, *place)
    past, late = _past(register, id, found, seen, older=older)
    seen_elsewhere.check(register, id, seen, shared)
    scope = replace(found.scope, absent=tuple(sorted(missing if past else missing | late)))
    return register.insert_evidence(
        id,
        sequence=place[0],
        digest=place[1],
        previous=place[2],
        collected_at=found.looked_at,
        made_at=found.made_at,
        verdicts=_verdicts(scope, predicate["clauses"], declares=bool(record.hosts)),
        scope=scope,
        handed_in=found.handed_in,
        past=past,
        seen=seen,
        copy=copy,
    )


def _verdicts(scope: Scope, signed: Mapping[str, str], *, declares: bool) -> dict[str, str]:
    """Of each clause; a record that `declares` no hosts is proven by no machine."""
    found = {n: str(scope.narrowed(n, Result(v))) for n, v in signed.items()}
    return found if declares else undeclared(found)


def _pledge(named: Mapping[str, Any] | None, id: str, where: str) -> Mapping[str, Any]:
    """What it says of its place in a pledge; raises BadInput for another pledge, and for none."""
    if named is None:
        raise BadInput(
            msg("bundle_made_no_pledge"), where=where, mend=msg("make_one_hostpledge_run")
        )
    if named["id"] != id:
        raise BadInput(msg("bundle_made_pledge_not", pledge=named["id"], which=id), where=where)
    return named


def _check_grade(judged: int, grade: int, id: str, where: str) -> None:
    if judged < grade:
        raise BadInput(
            msg("bundle_judged_grade_pledge", predicate=judged, which=id, grade=grade),
            where=where,
            mend=msg("make_one_grade", grade=grade),
        )


def _past(
    register: Register, id: str, found: Verification, seen: Sequence[Sighting], *, older: bool
) -> tuple[bool | None, frozenset[str]]:
    """As `Evidence.past` has it, and the hosts that have been looked at later already.

    Raises BadInput where nothing in it is later, unless it may be `older`.
    """
    before = register.evidence(id)
    known = register.newest_looks(id)
    late = frozenset(o.host for o in seen if o.looked_at and is_older(o, known))
    if all(found.looked_at >= one.collected_at for one in before) and not late:
        return None, late
    answered = [one.host for one in seen if one.answered]
    past = late.issuperset(answered) if answered else True
    if past and not older:
        newest = max(((known[h], h) for h in late), default=None)
        at, sequence = newest[0] if newest else max((e.collected_at, e.sequence) for e in before)
        raise BadInput(
            msg(
                "looked_at_later_already",
                at=found.looked_at.isoformat(timespec="seconds"),
                sequence=sequence,
                later=at.isoformat(timespec="seconds"),
            ),
            mend=_mend_of_later(id, at, sequence),
        )
    return past, late


def _mend_of_later(id: str, at: datetime, sequence: int) -> str:
    if at > datetime.now(UTC) + _AHEAD:
        # by a clock that was wrong: no look will be later for a long time
        return msg("void_what_is_to_come", pledge=id, sequence=sequence)
    return msg("collect_anew_or_older")


def is_older(one: Sighting, known: Mapping[str, tuple[datetime, int]]) -> bool:
    """Has its host been looked at later than this? `known` as `Register.newest_looks` has it."""
    return one.looked_at is not None and one.host in known and one.looked_at < known[one.host][0]


def _check_dated(seen: Sequence[Sighting], where: str) -> None:
    """Raises BadInput where nothing says when a host was looked at: it would count as just now."""
    undated = [one_line(one.host) for one in seen if one.answered and one.looked_at is None]
    if undated:
        raise BadInput(
            msg("nothing_says_when_looked", host=undated[0], count=len(undated)),
            where=where,
            mend=msg("set_clock_collect_anew"),
        )


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


def _check_documents(register: Register, id: str, documents: Mapping[str, str], where: str) -> None:
    """Raises BadInput for what somebody answers for, and not in the record as it is now.

    A signer's own attestation, inventory or ledger would decide controls in the record's name.
    """
    if not documents:
        return
    versions = [version.record for version in register.history(id)]
    known = [
        {name: digest(text) for name, text in attached_documents(record).items()}
        for record in versions
    ]
    # an inventory that is held to the owners' keys of the record needs not stand in it
    by_keys = KEYS in known[-1] and documents.get(KEYS) == known[-1][KEYS]
    signed = {INVENTORY} if by_keys and INVENTORY not in known[-1] else set()
    for name, sha256 in documents.items():
        if known[-1].get(name) == sha256 or name in signed:
            continue
        if any(version.get(name) == sha256 for version in known):
            raise BadInput(
                msg("bears_document_of_before", name=name),
                where=where,
                mend=msg("make_bundle_again"),
            )
        raise BadInput(
            msg("bears_document_record_never", name=name),
            where=where,
            mend=msg("put_it_into_record"),
        )


def _verified(
    copy: Path, named: Path, trust: Trust, held: Held | None
) -> tuple[Verification, tuple[Sighting, ...], _Borne]:
    """And each host in it, and what it bears of the record."""
    try:
        with open_bundle(copy) as opened:
            if opened.redacted:
                raise BadInput(
                    msg("redacted_bundle_captures_left"),
                    where=str(named),
                    mend=msg("ask_maker_whole_one"),
                )
            found = verify(opened, trust)
            run = opened.said.get("run")
            seen = tuple(sightings.of_bundle(opened.root / "data", opened.subjects, run))
            _check_dated(seen, str(named))
            if held is not None:
                held(opened, found)
            _check_when(found, str(named))
            told = {one["name"]: one["sha256"] for one in opened.frame["attached"]}
            answered = {name: told[name] for name in ANSWERED_FOR if name in told}
            unseen = frozenset(
                host for host, entry in opened.hosts() if entry["status"] != HostStatus.COMPLETE
            )
            return found, seen, _Borne(opened.frame["waivers"], answered, unseen)
    except VerifyFailed as problem:
        where = problem.where.replace(str(copy), "").lstrip("/")
        raise VerifyFailed(
            msg("not_verify", what=problem.what), where=f"{named}: {where}" if where else str(named)
        ) from None
