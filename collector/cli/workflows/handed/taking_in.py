"""Hand-ins become evidence: one bundle of each pledge, signed, attached, and only then decided.

work/PLEDGE/job.json says which hand-ins a bundle is made of; it is on disk before the bundle is.
A command that ended between attaching and deciding is found by it: the register has the bundle or
has not, and nothing is attached twice, nor lost.
"""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from collector import catalog, private
from collector.cli.options.pledge import Pledged
from collector.cli.workflows.attach_warnings import Holding, odd
from collector.cli.workflows.evidence import Signing
from collector.cli.workflows.handed import waiting
from collector.errors import BadInput, CollectorError
from collector.handin import quarantine
from collector.handin.places import Places, load, store
from collector.handin.quarantine import Receipt
from collector.i18n.message import msg

if TYPE_CHECKING:
    from collector.pledges.database.rows import Evidence
    from collector.pledges.register.register import Register

_JOB, _BUNDLE = "job.json", "bundle"


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of one hand-in: the evidence that it is in, or why it is in none."""

    receipt: Receipt
    sequence: int = 0
    digest: str = ""
    trouble: CollectorError | None = None


def settle(
    register: Register, places: Places, damaged: list[CollectorError] | None = None
) -> list[Taken]:
    """What commands that were killed had attached and not decided; the rest of it goes away.

    What nobody holds of uploads goes too. Where the register does not say, that is the trouble of
    what the job names, and it stays; so does a job that cannot be read, which `damaged` is told.
    To be called by who holds `places.INTAKE`.
    """
    quarantine.settle(places)
    found: list[Taken] = []
    for work in sorted(places.room("work").iterdir()):
        try:
            job = load(work / _JOB) if work.is_dir() else None
        except CollectorError as problem:
            if damaged is not None:
                damaged.append(problem)
            continue
        try:
            known = _attached(register, work, job) if job is not None else None
        except CollectorError as problem:
            # of another register that has its hand-ins here, say: not ours to take away
            if job is not None and _digest(work) is not None:
                found += [Taken(one, trouble=problem) for one in _of_job(places, job)]
            continue
        if job is not None and known is not None:
            found += _decided(places, _of_job(places, job), known)
        shutil.rmtree(work, ignore_errors=True)
    return found


def _of_job(places: Places, job: dict[str, Any]) -> list[Receipt]:
    found = []
    for digest in job["digests"]:
        # what is damaged is named as such (`say_damaged`), and the others are decided
        with suppress(CollectorError):
            if (one := quarantine.receipt(places, str(digest))) is not None:
                found.append(one)
    return found


def _digest(work: Path) -> str | None:
    """That of the bundle which was made there; None where there is none to read."""
    from collector.verify import open_bundle

    if not (work / _BUNDLE).is_dir():
        return None
    with suppress(CollectorError), open_bundle(work / _BUNDLE) as opened:
        return opened.digest
    return None


def _attached(register: Register, work: Path, job: dict[str, Any]) -> Evidence | None:
    """The evidence that the bundle of that job is, where it came so far."""
    if not (work / _BUNDLE).is_dir():
        return None
    digest = _digest(work)
    if digest is None:
        raise BadInput(msg("hand_in_file_damaged"), where=str(work / _BUNDLE))
    pledge = str(job["pledge"])
    # what a connection that broke off had begun ends first
    with register.changing(pledge):
        return next((e for e in register.every_evidence(pledge) if e.digest == digest), None)


def _decided(places: Places, receipts: Sequence[Receipt], known: Evidence) -> list[Taken]:
    for one in receipts:
        about = {"sequence": known.sequence, "bundle": known.digest}
        # what is in evidence now is so, whatever was written down of it before
        quarantine.decide(places, one, "accepted", again=True, **about)
    return [Taken(one, known.sequence, known.digest) for one in receipts]


def take(
    register: Register,
    places: Places,
    receipts: Sequence[Receipt],
    signing: Signing,
    *,
    moved: bool,
    named: Collection[str] = (),
) -> list[Taken]:
    """Takes in what nothing stands against, pledge by pledge; to be called as `settle`.

    What looks odd is taken where it was asked for by its own id (`named`) alone.
    """
    found: list[Taken] = []
    fit: dict[str, list[Receipt]] = {}
    wanted = {one.digest for one in receipts}
    for held in waiting.held_all(
        register, places, waiting.undecided(places, register), moved=moved
    ):
        if held.receipt.digest not in wanted:
            continue
        against = held.trouble if held.receipt.id in named else held.against
        if against is None:
            fit.setdefault(held.receipt.pledge, []).append(held.receipt)
        else:
            found.append(Taken(held.receipt, trouble=against))
    for pledge, of_pledge in sorted(fit.items()):
        newest = {one.host: one for one in sorted(of_pledge, key=_when)}
        for one in of_pledge:
            if newest[one.host] is not one:
                found.append(Taken(one, trouble=_again(newest[one.host])))
        clear, alike = _told_apart(list(newest.values()))
        found += alike
        found += _take_most(register, places, pledge, clear, signing) if clear else []
    return found


def _told_apart(receipts: Sequence[Receipt]) -> tuple[list[Receipt], list[Taken]]:
    """Those that one bundle can hold, and those whose hosts differ in upper and lower case alone.

    Which of these it is to hold, whoever takes them in says.
    """
    by_name: dict[str, list[Receipt]] = {}
    for one in receipts:
        by_name.setdefault(one.host.casefold(), []).append(one)
    clear = [group[0] for group in by_name.values() if len(group) == 1]
    alike = [
        Taken(one, trouble=_alike(one, next(o for o in group if o is not one)))
        for group in by_name.values()
        if len(group) > 1
        for one in group
    ]
    return clear, alike


def _alike(one: Receipt, other: Receipt) -> CollectorError:
    from collector.cli.ui.language import tr

    return BadInput(
        tr(
            f"{one.host} 与提交 {other.id} 的 {other.host} 仅大小写不同，不能在同一证据包中",
            f"{one.host} and {other.host} of the hand-in {other.id} differ in upper and lower case "
            "alone, and cannot be in one bundle",
        ),
        mend=tr(
            f"以 --accept {one.id} 只收用这一份，或拒收其一",
            f"--accept {one.id} takes this one alone, or refuse one of them",
        ),
    )


def _take_most(
    register: Register, places: Places, pledge: str, receipts: Sequence[Receipt], signing: Signing
) -> list[Taken]:
    """All of them in one bundle, or without those of which no bundle can be made."""
    try:
        return _take(register, places, pledge, receipts, signing)
    except CollectorError as problem:
        trouble = problem
    try:
        known = _come(register, places, pledge)
    except CollectorError:
        # the job stays, and the next `settle` looks
        return [Taken(one, trouble=trouble) for one in receipts]
    if known is not None:
        done = _decided(places, _of_job(places, _job(places, pledge)), known)
        shutil.rmtree(places.work(pledge), ignore_errors=True)
        there = {taken.receipt.digest for taken in done}
        return done + [Taken(one, trouble=trouble) for one in receipts if one.digest not in there]
    found: list[Taken] = []
    if len(receipts) > 1:
        for one in receipts:
            try:
                _try(register, places, pledge, one, signing)
            except CollectorError as problem:
                found.append(Taken(one, trouble=problem))
    blamed = {taken.receipt.digest for taken in found}
    left = [one for one in receipts if one.digest not in blamed]
    if found and left:
        return found + _take_most(register, places, pledge, left, signing)
    return found + [Taken(one, trouble=trouble) for one in left]


def _come(register: Register, places: Places, pledge: str) -> Evidence | None:
    """The evidence that the job left there is: a connection may break off at the last word of it.

    Raises CollectorError where the register does not say.
    """
    work, job = places.work(pledge), _job(places, pledge)
    return None if not job or _digest(work) is None else _attached(register, work, job)


def _job(places: Places, pledge: str) -> dict[str, Any]:
    work = places.work(pledge)
    return load(work / _JOB) or {} if work.is_dir() else {}


def _try(register: Register, places: Places, pledge: str, one: Receipt, signing: Signing) -> None:
    """Makes the bundle of one alone, held as what is attached; raises what is wrong with it."""
    from collector.attest.trust import keyring
    from collector.verify import open_bundle, verify

    with _made(register, places, pledge, [one], signing) as made, open_bundle(made) as opened:
        Holding(pledge)(opened, verify(opened, keyring.trust()))


def _when(one: Receipt) -> tuple[datetime, datetime]:
    """When it was looked, not when it came: links may be used in any order."""
    try:
        return datetime.fromisoformat(one.looked_at).astimezone(UTC), one.received_at
    except ValueError:
        return datetime.min.replace(tzinfo=UTC), one.received_at


def _again(newer: Receipt) -> CollectorError:
    from collector.cli.ui.language import tr

    return BadInput(
        tr(
            f"同一主机另有采集更晚的提交 {newer.id}，一并收用的是那一份",
            f"the same host was looked at later too, as {newer.id}, which is taken in its place",
        )
    )


@contextmanager
def _made(
    register: Register, places: Places, pledge: str, receipts: Sequence[Receipt], signing: Signing
) -> Iterator[Path]:
    """The bundle of these; it, and the job that names them, are gone afterwards unless killed."""
    from collector.attest.bundle import making

    work = places.work(pledge)
    if _come(register, places, pledge) is not None:
        # of a job that `settle` could not tell
        raise BadInput(msg("try_again"))
    shutil.rmtree(work, ignore_errors=True)
    private.folder(work / "captures")
    about = Pledged(register, register.get(pledge))
    digests = [one.digest for one in receipts]
    store(work / _JOB, {"pledge": pledge, "digests": digests})
    files = [
        waiting.write(waiting.read(register, places, one), work / "captures") for one in receipts
    ]
    made = making.make(
        files,
        work / _BUNDLE,
        signing.key,
        controls=catalog.select((), about.record.grade),
        grade=about.record.grade,
        attached=about.attached(),
        waivers=about.waivers(),
        pledge=about.reference(),
        stamps=signing.stamps,
        sm2_key=signing.second,
        declared=about.record.hosts,
    )
    yield made.path
    shutil.rmtree(work, ignore_errors=True)


def _take(
    register: Register, places: Places, pledge: str, receipts: Sequence[Receipt], signing: Signing
) -> list[Taken]:
    from collector.attest.trust import keyring
    from collector.pledges.register.attach import attach
    from collector.verify import open_bundle

    holding = Holding(pledge)
    with _made(register, places, pledge, receipts, signing) as path:
        known = attach(register, pledge, path, keyring.trust(), holding)
        done = _decided(places, receipts, known)
        with suppress(CollectorError), open_bundle(path) as opened:
            for line in (*holding.odd, *odd(register, known, opened)):
                click.echo(line, err=True)
    return done
