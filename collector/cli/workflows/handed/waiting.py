"""What lies in the quarantine, held to the register: whose is it, of when, of which machine?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from collector import captures
from collector.attest.bundle import provenance
from collector.cli.ui.language import tr
from collector.cli.workflows.handed.doubts import Seen, doubts, reads_of
from collector.cli.workflows.handed.given import check_given
from collector.errors import BadInput, CollectorError
from collector.handin import links, looking, quarantine
from collector.handin.lost import Accepted
from collector.handin.places import Places
from collector.handin.quarantine import Receipt
from collector.i18n.message import msg
from collector.judging.confined import looked_through
from collector.pledges.record.times import CHINA
from collector.verify.times import SKEW

if TYPE_CHECKING:
    from collector.model import Capture
    from collector.pledges.database.sightings import Sighting
    from collector.pledges.register.register import Register

# by which a host's clock, and ours, may be off
_CLOCKS = timedelta(days=1)
_SAME_MACHINE = ("machine", "boot")
_SAME = ("capture", "output", "nonce", *_SAME_MACHINE)


@dataclass(frozen=True, slots=True)
class Waiting:
    """One hand-in that nobody has decided on yet; `trouble` is why it cannot be taken, if so.

    `doubt`: why it is taken by its name alone.
    """

    receipt: Receipt
    trouble: CollectorError | None = None
    doubt: CollectorError | None = None

    @property
    def against(self) -> CollectorError | None:
        return self.trouble or self.doubt


def place(register: Register, location: str | None) -> Places:
    """The folder of hand-ins that belongs to a register. Raises BadInput for another one's."""
    from collector.pledges.database import location as registers

    places = Places(registers.place(location).hand_in)
    if places.folder.is_dir():
        places.belongs_to(register.name(), register.where)
    return places


def undecided(places: Places, register: Register | None = None) -> list[Receipt]:
    """The oldest first; with `register`, what was taken in and is in none of its evidence, too.

    What is damaged is left out: `damaged` names it.
    """
    found, _ = quarantine.undecided(places)
    if register is None:
        return found
    lost = Accepted(places).lost(register.bundles())
    return sorted((*found, *lost), key=lambda one: (one.received_at, one.id))


def held_all(
    register: Register, places: Places, receipts: Sequence[Receipt], *, moved: bool
) -> list[Waiting]:
    """Each with the first thing that stands against it; `moved`: hosts may be other machines now.

    What several of them have in common stands against all: which of them it is of, nobody knows.
    """
    troubles: dict[str, CollectorError] = {}
    seen: dict[str, Seen] = {}
    for one in receipts:
        try:
            capture = read(register, places, one)
            seen[one.digest] = Seen(one, sighting(capture), reads_of(capture))
            _check_pledge(register, places, one)
            _check(register, places, one, capture, moved=moved)
        except CollectorError as problem:
            troubles[one.digest] = problem
    every = list(seen.values())
    troubles = {**_alike([(one.receipt, one.sighting) for one in every]), **troubles}
    return [
        Waiting(
            one,
            trouble := troubles.get(one.digest),
            _lost(places, one) or doubts(register, seen[one.digest], every)
            if trouble is None
            else None,
        )
        for one in receipts
    ]


def _alike(seen: Sequence[tuple[Receipt, Sighting]]) -> dict[str, CollectorError]:
    """Of those that are one machine's, or one and the same capture, under several names."""
    by_mark: dict[str, list[Receipt]] = {}
    for one, sighted in seen:
        for mark, kind in sighted.marks.items():
            if kind in _SAME:
                by_mark.setdefault(mark, []).append(one)
    found: dict[str, CollectorError] = {}
    for group in by_mark.values():
        for one in group:
            others = [o for o in group if (o.pledge, o.host) != (one.pledge, one.host)]
            if others:
                found[one.digest] = _one_machine(others[0])
    return found


def _one_machine(other: Receipt) -> CollectorError:
    return BadInput(
        tr(
            f"与提交 {other.id}（登记 {other.pledge} 的主机 {other.host}）出自同一台机器",
            f"of the same machine as the hand-in {other.id} ({other.host} of {other.pledge})",
        ),
        mend=tr("拒收不属实的一份", "refuse the one that is not what it says"),
    )


def _lost(places: Places, one: Receipt) -> CollectorError | None:
    """It was taken in once, and the register has no evidence of it any more."""
    decided = quarantine.decision(places, one)
    if decided is None:
        return None
    n = decided.get("sequence")
    return BadInput(
        tr(
            f"曾收用为第 {n} 份证据，登记库中已无此证据（恢复过较早的备份？）",
            f"it was taken in as evidence {n}, which the register does not have: was an older "
            "backup restored?",
        ),
        mend=tr(f"以 --accept {one.id} 再次收用", f"--accept {one.id} takes it in again"),
    )


def read(register: Register, places: Places, one: Receipt) -> Capture:
    """The capture as one that was handed in, under the name of its link's host.

    Raises BadInput where its bytes are gone, or are not those of the receipt.
    """
    decided = quarantine.decision(places, one)
    if decided is not None:
        return _of_bundle(register, one, decided)
    path = places.file("quarantine", one.digest)
    data = captures.read_at_most(path, captures.LARGEST)
    if captures.digest(data) != one.sha256:
        raise BadInput(
            tr("不是收到的那些字节", "these are not the bytes that were received"), where=str(path)
        )
    looked_through(partial(_look, data, one.host), where=one.id)
    found = looking.of_bytes(data, one.host)
    if captures.own_form(data):
        return provenance.received(found, one.sha256)
    return replace(found, host=one.host, origin=provenance.of_output(one.sha256))


def _of_bundle(register: Register, one: Receipt, decided: Mapping[str, Any]) -> Capture:
    """As the bundle has it that it was taken into, which the store may hold still."""
    from collector.pledges.status.latest_bundle import opened

    try:
        kept = opened(register.store, one.pledge, str(decided["bundle"]))
        found = kept.capture(one.host)
    except (CollectorError, KeyError, ValueError):
        found = None
    if found is None or found.origin.get("output_sha256") != one.sha256:
        raise BadInput(
            tr(
                f"曾收用为第 {decided.get('sequence')} 份证据，登记库中已无此证据，证据包也不在",
                f"it was taken in as evidence {decided.get('sequence')}; the register does not "
                "have that, and its bundle is gone",
            ),
            mend=tr(
                "以新的链接请用户再次提交，并拒收这一份",
                "have it handed in anew by another link, and refuse this one",
            ),
        )
    return found


def _look(data: bytes, host: str) -> None:
    looking.of_bytes(data, host)


def _check_pledge(register: Register, places: Places, one: Receipt) -> None:
    record = register.get(one.pledge)
    # first of all: what the record says of its hosts is of another customer
    check_given(register, places, one)
    if one.host not in record.hosts:
        raise BadInput(
            tr(
                f"主机 {one.host} 不在登记 {one.pledge} 所列主机之中",
                f"the host {one.host} is not (or no longer) one of the pledge {one.pledge}",
            )
        )


def _check(
    register: Register, places: Places, one: Receipt, capture: Capture, *, moved: bool
) -> None:
    seen = sighting(capture)
    if seen.looked_at is None:
        raise BadInput(
            msg("nothing_says_when_looked", host=one.host, count=1),
            mend=msg("set_clock_collect_anew"),
        )
    asked = links.of_digest(places, one.digest)
    _check_replayed(register, one, seen)
    if asked is not None and seen.looked_at < asked.made_at - _CLOCKS:
        raise BadInput(
            tr(
                f"采集于 {_day(seen.looked_at)}，早于链接的生成（{_day(asked.made_at)}）",
                f"collected at {_day(seen.looked_at)}, before the link was made "
                f"({_day(asked.made_at)})",
            ),
            mend=tr("请重新采集并提交", "have it collected and handed in anew"),
        )
    _check_machine(register, one, seen, str(capture.head.get("machine", "")), moved=moved)
    _check_clock(one, seen.looked_at)


def _check_clock(one: Receipt, looked_at: datetime) -> None:
    """Held to when it came: what was dated ahead then is not right once that time has come."""
    if looked_at <= one.received_at + SKEW:
        return
    raise BadInput(
        tr(
            f"采集时间 {_day(looked_at)} 晚于收到时间（{_day(one.received_at)}），主机时钟不准",
            f"dated {_day(looked_at)}, later than it came ({_day(one.received_at)}): the host's "
            "clock is wrong",
        ),
        mend=tr(
            "请校准主机时钟，重新采集并提交",
            "set that clock, and have it collected and handed in anew",
        ),
    )


def _check_replayed(register: Register, one: Receipt, seen: Sighting) -> None:
    """It is no capture that was attached before, whole or changed, here or elsewhere."""
    for twin in register.twins_of(one.pledge, [seen]):
        if twin.same_bytes or "nonce" in twin.kinds:
            raise BadInput(
                msg("same_capture_elsewhere", host=one.host, other=twin.other, pledge=twin.pledge)
            )
    for _, sequence in register.edited(one.pledge, [seen]):
        raise BadInput(msg("capture_edited", host=one.host, sequence=sequence))
    known = register.newest_looks(one.pledge).get(one.host)
    if known is not None and seen.looked_at is not None and seen.looked_at <= known[0]:
        raise BadInput(
            tr(
                f"采集于 {_day(seen.looked_at)}，第 {known[1]} 份证据的采集（{_day(known[0])}）"
                "不比它旧：重复或过时的提交",
                f"collected at {_day(seen.looked_at)}, and evidence {known[1]} is of "
                f"{_day(known[0])}: a capture that was handed in before, or an outdated one",
            ),
            mend=tr("请重新采集并提交", "have it collected and handed in anew"),
        )


def _check_machine(
    register: Register, one: Receipt, seen: Sighting, machine: str, *, moved: bool
) -> None:
    from collector.cli.workflows.twins import strange

    for twin in strange(register, one.pledge, register.twins_of(one.pledge, [seen])):
        if any(kind in _SAME_MACHINE for kind in twin.kinds):
            raise BadInput(
                tr(
                    f"与登记 {twin.pledge} 的主机 {twin.other} 是同一台机器，不是 {one.host}",
                    f"of the machine that is {twin.other} of pledge {twin.pledge}, not {one.host}",
                )
            )
    known = _known_machine(register, one)
    if known and known != machine and not moved:
        why = (
            tr("它没有给出 machine-id", "it tells no machine-id")
            if not machine
            else tr("machine-id 不同", "its machine-id is another")
        )
        raise BadInput(
            tr(
                f"与此前的 {one.host} 不是同一台机器（{why}）",
                f"another machine than {one.host} was before ({why})",
            ),
            mend=tr(
                "主机确已更换时加 --moved", "--moved takes it, where the host was replaced indeed"
            ),
        )


def _known_machine(register: Register, one: Receipt) -> str | None:
    """By the last evidence that knows it: one of another host alone says nothing of this one."""
    from collector.pledges.status.latest_bundle import Newest

    for attached in reversed(register.evidence(one.pledge)):
        known = Newest(attached).machines.get(one.host)
        if known:
            return known
    return None


def sighting(capture: Capture) -> Sighting:
    """As the register will see it once it is attached."""
    from collector.pledges.database import sightings

    stored = captures.to_bytes(capture)
    return sightings.of_capture(_head(capture), captures.digest(stored))


def _head(capture: Capture) -> dict[str, Any]:
    at = capture.collected_at
    return {
        "host": capture.host,
        "nonce": capture.nonce,
        "head": dict(capture.head),
        "origin": dict(capture.origin),
        "collected_at": at.isoformat() if at else None,
    }


def write(capture: Capture, folder: Path) -> Path:
    """The capture as a file that bundles are made of."""
    path = folder / captures.file_name(capture.host)
    captures.write(capture, path)
    return path


def _day(at: datetime) -> str:
    return at.astimezone(CHINA).isoformat(timespec="seconds")
