"""Destroying what was kept of a pledge once its terms are over, and keeping that it was there.

What stays: a record of who, which signed documents by their digests, when it began and ended, and
how it was destroyed; of every version its digest; of every bundle its row and its entry in the
log, so that the log stays what it was and a copy somebody else keeps can still be proved. What
goes: what all versions of the record said, and the bundles with everything hosts returned.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from collector.errors import BadInput
from collector.i18n.message import msg
from collector.pledges.database.rows import Evidence
from collector.pledges.due import lifecycle
from collector.pledges.record.form import PledgeRecord, from_document
from collector.pledges.record.masking import masked
from collector.pledges.register.register import Register
from collector.pledges.status.latest_bundle import Newest
from collector.pledges.transfer import strays
from collector.pledges.transfer.shared_bundles import refuse_others

# of a record, what says that there was one; the rest is about people and their systems
_STAYS = (
    *("schema", "id", "grade", "documents", "period", "renews", "ended", "retention"),
    # what was signed, even by mistake, is hidden by no disposal
    "taken_back",
)


@dataclass(frozen=True, slots=True)
class Disposed:
    """How many versions and bundles were destroyed by this call."""

    record: PledgeRecord
    versions: int
    bundles: int


def dispose(
    register: Register, id: str, about: Mapping[str, Any], today: date, *, renewed: bool
) -> Disposed:
    """`about` is the record's `disposed`: date, method, by. May be repeated after a kill.

    The versions go in one transaction, with the record that takes their place; then the bundles,
    those too that say they are this pledge's and that no row names (`strays`).
    Raises BadInput while the pledge runs, or what it holds is to be kept still, or where another
    register keeps a bundle of it in the same folder.
    """
    if not register.store.folder.is_dir():
        return _dispose(register, id, about, today, None, renewed=renewed)
    with register.store.room(alone=True) as room:
        return _dispose(register, id, about, today, room, renewed=renewed)


def _dispose(
    register: Register,
    id: str,
    about: Mapping[str, Any],
    today: date,
    room: Path | None,
    *,
    renewed: bool,
) -> Disposed:
    """`room`: the store's, alone; None where nothing was ever kept there."""
    known = register.get(id)
    evidence = register.every_evidence(id)
    for attached in evidence:
        _is_of_it(attached)
    kept_still = [attached.digest for attached in evidence if attached.path.exists()]
    refuse_others(register.store, kept_still, register.name(), register.where)
    if room is not None:
        # where another register cannot be asked, that is said before anything is destroyed
        strays.strays(register)
    gone = 0
    if id not in register.emptied():
        _check(known, lifecycle.kept_until(known, evidence, renewed=renewed), today)
        version, gone = register.replace_all(id, lambda newest: remains(newest, about, today))
        known = version.record
    if room is None:
        return Disposed(known, gone, 0)
    for digest in kept_still:
        register.store.destroy(digest, room)
        register.store.note([digest], register.name(), register.where, gone=True)
    left = strays.destroy(register, id, room)
    return Disposed(known, gone, len(kept_still) + left)


def _is_of_it(attached: Evidence) -> None:
    """Raises BadInput where the bundle of a row is another pledge's: it is not destroyed."""
    try:
        said = Newest(attached).made_for
    except (BadInput, OSError):
        return  # gone already, or damaged: it is nobody else's by its digest
    if said != attached.pledge:
        raise BadInput(
            msg("bundle_of_another_pledge", sequence=attached.sequence, pledge=said),
            where=attached.pledge,
            mend=msg("restore_backup"),
        )


def _check(record: PledgeRecord, kept: date | None, today: date) -> None:
    if kept is None:
        raise BadInput(
            msg("not_ended_nothing_may"),
            where=record.id,
            mend=msg("put_end_record_first"),
        )
    if today <= kept:
        raise BadInput(
            msg("is_to_be_kept", kept=kept), where=record.id, mend=msg("wait_until_over")
        )


def remains(record: PledgeRecord, about: Mapping[str, Any], today: date) -> PledgeRecord:
    """The record that takes the place of all others: who, what was signed, its end. Pure."""
    document: dict[str, Any] = json.loads(record.canonical())
    left = {name: document[name] for name in _STAYS if name in document}
    customer = document["customer"]
    left["customer"] = {
        name: customer[name] for name in ("name", "kind", "credit_code", "identity_masked")
        if name in customer
    }  # fmt: skip
    if customer["kind"] == "person":
        left["customer"]["name"] = f"{customer['name'][:1]}**"
    left["customer"]["name"] = masked(left["customer"]["name"])
    left["documents"] = [
        {name: d[name] for name in ("type", "version", "sha256", "signed_on") if name in d}
        for d in document["documents"]
    ]
    left["disposed"] = document.get("disposed") or dict(about)
    return from_document(left, where=record.id, today=today)
