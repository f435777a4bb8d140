"""Captures that were attached before, for another host or pledge: whether they may be again."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from collector.errors import BadInput, one_line
from collector.i18n.message import msg
from collector.pledges.database.sightings import Sighting
from collector.pledges.register.register import Register


def check(
    register: Register, id: str, seen: Sequence[Sighting], shared: Collection[str] = ()
) -> None:
    """Raises BadInput for a capture that was attached already, whole or changed, of another place.

    What a run of ours had from a host may be evidence of all pledges that declare that host. What
    was handed in may be so of the hosts `shared` alone, where somebody says that it is one machine
    that both customers have: whoever handed it in could have had it from the other.
    """
    twins = register.twins_of(id, seen)
    declares = _declaring(register, [id, *(twin.pledge for twin in twins if twin.same_bytes)])
    collected = {one.host for one in seen if one.collected}
    for host in shared:
        others = [twin.pledge for twin in twins if (twin.host, twin.other) == (host, host)]
        if not any(host in declares.get(other, ()) for other in others):
            raise BadInput(msg("not_shared", host=one_line(host)), where="--shared")
        if host not in declares[id]:
            raise BadInput(msg("shared_not_declared", host=one_line(host), id=id), where="--shared")
    for twin in twins:
        if not twin.same_bytes or (twin.host in collected and twin.other == twin.host):
            continue
        both = twin.other == twin.host and all(
            twin.host in declares[one] for one in (id, twin.pledge)
        )
        if both and twin.host in shared:
            continue
        raise BadInput(
            msg("same_capture_elsewhere", host=twin.host, other=twin.other, pledge=twin.pledge),
            mend=msg("say_shared", host=one_line(twin.host))
            if both
            else msg("collect_from_that_host"),
        )
    for host, sequence in register.edited(id, seen):
        # it is an earlier one with other bytes in it
        raise BadInput(
            msg("capture_edited", host=one_line(host), sequence=sequence),
            mend=msg("collect_from_that_host"),
        )


def _declaring(register: Register, ids: Collection[str]) -> Mapping[str, frozenset[str]]:
    return {id: frozenset(register.get(id).hosts) for id in set(ids)}
