"""Is a bundle the next one of its pledge?"""

from __future__ import annotations

from sqlalchemy import Connection, select

from collector.errors import BadInput
from collector.i18n.message import msg
from collector.pledges.database import tables


class AttachedAlready(BadInput):
    """The very bundle is evidence already: the `number`th of the pledge `owner`."""

    def __init__(self, owner: str, number: int, *, where: str = "") -> None:
        said = msg("bundle_attached_already_number", there=number, there_2=owner)
        super().__init__(said, where=where)
        self.owner, self.number = owner, number


def check_in_order(connection: Connection, id: str, sequence: int, previous: str | None) -> None:
    """Raises BadInput unless it has the next number and names the digest of the one before."""
    table = tables.evidence
    query = select(table.c.sequence, table.c.digest).where(table.c.pledge == id)
    query = query.order_by(table.c.sequence.desc()).limit(1)
    last = connection.execute(query).mappings().first()
    due = last["sequence"] + 1 if last else 1
    if sequence != due:
        raise BadInput(
            msg("bundle_number_number_next", sequence=sequence, which=id, due=due),
            mend=msg("make_one_hostpledge_run_pledge"),
        )
    if previous != (last["digest"] if last else None):
        raise BadInput(
            msg(
                "bundle_follows_last_one",
                previous=(previous or "none")[:12],
                which=id,
                last=last["digest"][:12] if last else "none",
            ),
            mend=msg("make_one_hostpledge_run_pledge"),
        )
