"""Did the log grow out of every checkpoint that was signed of it and is kept beside it?

Rows can be made to say what a changed log says. The root that somebody signed cannot: each leaf
is hashed into a tree that grows, and its root compared at the size of each checkpoint. Whoever can
write the rows can write the checkpoints as well, or take them away: so the newest that a key of
the trust signed is held to its signature, and the last that this user kept lies in their own
folder too.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, select

from collector.attest.log import merkle
from collector.attest.log.checkpoint import Checkpoint, Note, note_id, parse
from collector.attest.trust import keyring
from collector.errors import VerifyFailed
from collector.i18n.message import msg
from collector.pledges.database import tables


class Growth:
    """A Merkle tree that leaves are put into in their order, and the roots it must have had."""

    def __init__(self, known: Checkpoint | None = None) -> None:
        """`known` is the log as the user knew it before this register was read."""
        self.size = 0
        self._known = known
        # why the log is none of those that were signed, where it is not
        self._why: str | None = None
        self._by_memory = False
        # of each full tree within this one, the largest first
        self._peaks: list[bytes] = []
        self._kept = 0
        self._roots: dict[int, bytes] = {}
        self._last = 0

    def expect(self, connection: Connection) -> bool:
        """Takes in the checkpoints that are new; False where leaves were put in before them."""
        table, head = tables.checkpoints, select(tables.log_head.c.origin)
        query = select(table.c.number, table.c.note).where(table.c.number > self._kept)
        # nearly always there is none
        rows = connection.execute(query.order_by(table.c.number)).all()
        begins = self.size == 0 and self._kept == 0
        origin = str(connection.execute(head.limit(1)).scalar()) if rows or begins else ""
        notes: list[Note] = []
        for number, text in rows:
            self._kept = number
            try:
                notes.append(parse(text.encode("utf-8", "surrogatepass"), where=""))
                self._take(notes[-1].checkpoint, origin)
            except VerifyFailed as problem:
                self._why = self._why or problem.what
        try:
            if begins and self._known is not None:
                self._take_known(self._known, origin)
            _hold_to_signature(notes)
        except VerifyFailed as problem:
            self._why = self._why or problem.what
        return not rows or self.size == 0

    def _take_known(self, one: Checkpoint, origin: str) -> None:
        if one.origin != origin:
            raise VerifyFailed(msg("another_log_there", origin=one.origin, origin_2=origin))
        self._take(one, origin)

    def _take(self, one: Checkpoint, origin: str) -> None:
        if one.origin != origin:
            raise VerifyFailed(
                msg("checkpoint_another_log_one", origin=one.origin, origin_2=origin)
            )
        if self._roots.setdefault(one.size, one.root) != one.root:
            raise VerifyFailed(msg("two_roots_one_size"))
        self._last = max(self._last, one.size)
        self._compare(one.size)

    def add(self, leaf: str) -> None:
        """The next leaf."""
        place = self.size
        self.size += 1
        found = merkle.leaf_hash(leaf.encode("utf-8", "surrogatepass"))
        while place & 1:
            found = merkle.node_hash(self._peaks.pop(), found)
            place >>= 1
        self._peaks.append(found)
        self._compare(self.size)

    def _compare(self, size: int) -> None:
        if size != self.size or size not in self._roots:
            return
        if self._roots.pop(size) != self.root():
            if self._why is None and self._known is not None and self._known.size == size:
                self._by_memory = True
            self._why = self._why or msg("first_entries_log_not", size=size)

    def root(self) -> bytes:
        """Of the tree as it is now."""
        found = self._peaks[-1] if self._peaks else merkle.root([])
        for peak in reversed(self._peaks[:-1]):
            found = merkle.node_hash(peak, found)
        return found

    @property
    def is_by_memory(self) -> bool:
        """Is it this user's own memory alone that speaks against the log?"""
        return self._by_memory or (
            self._why is None
            and self._known is not None
            and self.size < self._last == self._known.size
        )

    def broken(self) -> str | None:
        """The first cause why this is not the log that was signed; None where it is."""
        if self._why is None and self._last > self.size:
            return msg("log_entries_entries_removed", size=self._last, count=self.size)
        return self._why


def _hold_to_signature(notes: Sequence[Note]) -> None:
    """Raises VerifyFailed where a key of the trust is named, and did not sign.

    From the newest on, up to the first that holds: its root is that of all leaves before it.
    """
    if not notes:
        return
    keys = [known.key for known in keyring.trust().keys if known.key.type != "sm2"]
    for note in reversed(notes):
        name = note.checkpoint.origin
        known = {note_id(key, name): key for key in keys}
        signed = [(known[id], made) for told, id, made in note.signatures if id in known]
        for key, signature in signed:
            key.verify(signature, note.checkpoint.body().encode())
        if signed:
            return
