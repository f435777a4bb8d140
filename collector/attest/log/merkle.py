"""The Merkle tree of a log: roots, inclusion proofs, consistency proofs. SHA-256. Pure.

RFC 9162 sections 2.1.1 to 2.1.4, the same tree as RFC 6962's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from collector.errors import VerifyFailed
from collector.i18n.message import msg

SIZE = 32


def leaf_hash(leaf: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """The root over leaf hashes; that of no leaves is the hash of nothing (section 2.1.1)."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    level = list(leaves)
    while len(level) > 1:
        paired = [node_hash(level[n], level[n + 1]) for n in range(0, len(level) - 1, 2)]
        level = paired + level[len(paired) * 2 :]
    return level[0]


def inclusion(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """The audit path of the leaf at `index`, from its sibling upwards (section 2.1.3.1)."""
    if not 0 <= index < len(leaves):
        raise ValueError(msg("no_leaf_among", index=index, count=len(leaves)))
    path: list[bytes] = []
    first, last = 0, len(leaves)
    while last - first > 1:
        middle = first + _split(last - first)
        if index < middle:
            path.append(root(leaves[middle:last]))
            last = middle
        else:
            path.append(root(leaves[first:middle]))
            first = middle
    return path[::-1]


def consistency(leaves: Sequence[bytes], old: int) -> list[bytes]:
    """The proof that the tree over the first `old` leaves grew into this one (section 2.1.4.1)."""
    if not 0 < old <= len(leaves):
        raise ValueError(msg("no_tree_one", old=old, count=len(leaves)))
    if old == len(leaves):
        return []
    path: list[bytes] = []
    first, last, whole = 0, len(leaves), True
    while old != last - first:
        middle = first + _split(last - first)
        if old <= middle - first:
            path.append(root(leaves[middle:last]))
            last = middle
        else:
            path.append(root(leaves[first:middle]))
            old -= middle - first
            first, whole = middle, False
    if not whole:
        path.append(root(leaves[first:last]))
    return path[::-1]


def _split(count: int) -> int:
    """The largest power of two below `count`, which is at least 2."""
    return int(1 << (count - 1).bit_length() - 1)


def check_inclusion(
    leaf: bytes, index: int, size: int, proof: Sequence[bytes], expected: bytes
) -> None:
    """Raises VerifyFailed unless the leaf hash stands at `index` in the tree of that root.

    Section 2.1.3.2.
    """
    _sized([leaf, expected, *proof])
    if not 0 <= index < size:
        raise VerifyFailed(msg("entry_cannot_log", index=index, size=size))
    place, last, found = index, size - 1, leaf
    for hash_ in proof:
        if last == 0:
            raise VerifyFailed(msg("inclusion_proof_too_long"))
        if place & 1 or place == last:
            found = node_hash(hash_, found)
            while not place & 1 and place:
                place >>= 1
                last >>= 1
        else:
            found = node_hash(found, hash_)
        place >>= 1
        last >>= 1
    if last:
        raise VerifyFailed(msg("inclusion_proof_too_short"))
    if found != expected:
        raise VerifyFailed(msg("entry_not_log_checkpoint"))


def check_consistency(
    old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes
) -> None:
    """Raises VerifyFailed unless the tree of `old` leaves grew into that of `new`.

    Section 2.1.4.2, which knows no proof that begins with an empty tree.
    """
    if not 0 < old <= new:
        raise VerifyFailed(msg("nothing_shows_how_log", old=old, new=new))
    if old == new:
        if proof:
            raise VerifyFailed(msg("consistency_proof_too_long"))
        if old_root != new_root:
            raise VerifyFailed(msg("two_roots_one_size"))
        return
    _sized([old_root, new_root, *proof])
    path = list(proof) if old & (old - 1) else [old_root, *proof]
    if not path:
        raise VerifyFailed(msg("consistency_proof_too_short"))
    place, last = old - 1, new - 1
    while place & 1:
        place >>= 1
        last >>= 1
    before = after = path[0]
    for hash_ in path[1:]:
        if last == 0:
            raise VerifyFailed(msg("consistency_proof_too_long"))
        if place & 1 or place == last:
            before, after = node_hash(hash_, before), node_hash(hash_, after)
            while not place & 1 and place:
                place >>= 1
                last >>= 1
        else:
            after = node_hash(after, hash_)
        place >>= 1
        last >>= 1
    if last:
        raise VerifyFailed(msg("consistency_proof_too_short"))
    if before != old_root:
        raise VerifyFailed(msg("older_checkpoint_holds_not"))
    if after != new_root:
        raise VerifyFailed(msg("consistency_proof_leads_another"))


def _sized(hashes: Sequence[bytes]) -> None:
    if any(len(one) != SIZE for one in hashes):
        raise VerifyFailed(msg("hash_another_length_sha"))
