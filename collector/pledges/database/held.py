"""Is a row of evidence what the signed statement of its bundle says? Pure.

Rows and log are made by whoever has the register, or a backup of it, and need no key.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from collector import releases
from collector.errors import BadInput
from collector.i18n.message import msg
from collector.model import Result
from collector.pledges.database.rows import Evidence
from collector.scope import Part, Scope, scope_of

_LONGEST = 1 << 22


class Disagrees(BadInput):
    """A row says something else than what was signed."""


def hold(row: Evidence, said: Mapping[str, Any], looks: Iterable[str | None], where: str) -> None:
    """Raises Disagrees, with the first cause, where it is not.

    `said` is the statement's predicate, `looks` when each of its captures was taken, if it says.
    """
    name = next(_differing(row, said, looks), None)
    if name is not None:
        raise Disagrees(
            msg(
                "register_says_another_evidence",
                name=name,
                sequence=row.sequence,
                pledge=row.pledge,
            ),
            where=where,
            mend=msg("restore_backup"),
        )


def look(chunks: Iterable[bytes]) -> str | None:
    """When a capture was taken, from the beginning of its file; raises BadInput for no capture."""
    found = head(chunks)["collected_at"]
    return found if isinstance(found, str) else None


def head(chunks: Iterable[bytes]) -> dict[str, Any]:
    """The first line of a capture, which says whose it is; raises BadInput for no capture."""
    unpacked = zlib.decompressobj(zlib.MAX_WBITS | 16)
    line = b""
    try:
        for chunk in chunks:
            line += unpacked.decompress(chunk, _LONGEST)
            if b"\n" in line or len(line) > _LONGEST:
                break
        found: dict[str, Any] = json.loads(line.partition(b"\n")[0])
        found["collected_at"]
    except (zlib.error, ValueError, KeyError, TypeError, RecursionError):
        raise BadInput(msg("not_capture_hostpledge_s")) from None
    return found


def _differing(
    row: Evidence, said: Mapping[str, Any], looks: Iterable[str | None]
) -> Iterator[str]:
    pledge = said["pledge"] or {}
    for name, value in (
        ("pledge", row.pledge),
        ("sequence", row.sequence),
        ("previous", row.previous),
    ):
        if pledge.get({"pledge": "id"}.get(name, name)) != value:
            yield name
    if datetime.fromisoformat(said["made_at"]) != row.made_at:
        yield "made_at"
    if not _may_be_oldest(row.collected_at, said, looks):
        yield "collected_at"
    if not _same_count(row.handed_in, said):
        yield "handed_in"
    if not _same_scope(row, said):
        yield "scope"
    # a record that declares no hosts is proven by no machine: nothing more is claimed for it
    if dict(row.verdicts) not in (proven := _verdicts(row, said), undeclared(proven)):
        yield "verdicts"


def _may_be_oldest(at: datetime, said: Mapping[str, Any], looks: Iterable[str | None]) -> bool:
    """What no capture dates was looked at when it was judged: within the period of them all."""
    known = list(looks)
    taken = [datetime.fromisoformat(one) for one in known if one is not None]
    period = {name: datetime.fromisoformat(one) for name, one in said["period"].items()}
    if len(taken) == len(known):
        return at == min(taken, default=at)
    return min([*taken, period["from"]]) <= at <= min([*taken, period["to"]])


def _same_count(handed_in: int | None, said: Mapping[str, Any]) -> bool:
    """A check before hardening has captures of its own, which the statement does not count."""
    told = said.get("handed_in")
    if handed_in is None or told is None:
        return True
    return bool(handed_in >= told if "before" in said else handed_in == told)


def _same_scope(row: Evidence, said: Mapping[str, Any]) -> bool:
    if row.scope is None:
        return True
    if row.scope.grade != said["grade"] or row.absent < len(_absent(said)):
        return False
    # one that no release vouched for proves nothing, whatever numbers stand there
    signed = _scope(said)
    return not row.scope.known or signed is None or row.scope.clauses == signed.clauses


def _scope(said: Mapping[str, Any]) -> Scope | None:
    """As its release has it or, where nobody here knows that one, as its signer says."""
    release = releases.find(said["catalog_sha256"])
    if release is not None and "controls" in said:
        return scope_of(said["controls"], said["grade"], release=release)
    if "scope" not in said:
        return None
    told = said["scope"]["clauses"]
    return Scope(said["grade"], {n: Part(p["judged"], p["of"]) for n, p in told.items()})


def _absent(said: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(said.get("scope", {}).get("absent", ()))


def undeclared(verdicts: Mapping[str, str]) -> dict[str, str]:
    """What evidence proves of a record that declares no hosts, by clause."""
    kept = (Result.FAIL, Result.NOTCHECKED)
    return {n: v if v in kept else str(Result.ERROR) for n, v in verdicts.items()}


def _verdicts(row: Evidence, said: Mapping[str, Any]) -> dict[str, str]:
    """As `attach` would store them; evidence from before scopes were kept has what was signed."""
    signed: dict[str, str] = dict(said["clauses"])
    if row.scope is None:
        return signed
    scope = replace(row.scope, absent=("",) * row.absent)
    return {n: str(scope.narrowed(n, Result(verdict))) for n, verdict in signed.items()}
