"""The root of a team's trust: who its holders are, how many have to sign, which key is online."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from collector.attest.envelope import dsse as envelope
from collector.attest.keys.keys import PublicKey
from collector.errors import BadInput
from collector.i18n.message import msg

if TYPE_CHECKING:
    from tuf.api.metadata import Root

# who can move the trust file must not be fewer people than can move the root
HOLDERS = ("root", "targets")
ONLINE = ("snapshot", "timestamp")


def first(
    holders: Sequence[PublicKey],
    threshold: int,
    online: PublicKey,
    *,
    expires: datetime,
    where: str,
) -> Root:
    """Raises BadInput for a threshold that cannot be met, and a key that stands twice."""
    from tuf.api.metadata import Root

    root = Root(expires=expires, consistent_snapshot=True)
    for key in holders:
        _add(root, key, HOLDERS, where)
    _add(root, online, ONLINE, where)
    _threshold(root, threshold, where)
    return root


def following(
    present: Root,
    add: Sequence[PublicKey],
    remove: Sequence[str],
    threshold: int | None,
    online: PublicKey | None,
    *,
    expires: datetime,
    where: str,
) -> Root:
    """The next root; what is not named stays. Raises BadInput as `first`."""
    root = copy.deepcopy(present)
    root.version += 1
    root.expires = expires
    for keyid in remove:
        if keyid not in root.roles["root"].keyids:
            raise BadInput(msg("no_holder_key", keyid=keyid), where=where)
        for role in HOLDERS:
            root.revoke_key(keyid, role)
    for key in add:
        _add(root, key, HOLDERS, where)
    if online is not None:
        for keyid in list(root.roles["timestamp"].keyids):
            for role in ONLINE:
                root.revoke_key(keyid, role)
        _add(root, online, ONLINE, where)
    _threshold(root, threshold or root.roles["root"].threshold, where)
    return root


def _add(root: Root, key: PublicKey, roles: Iterable[str], where: str) -> None:
    if key.type == "sm2":
        raise BadInput(msg("trust_repository_takes_p"), where=where)
    if any(key.keyid in one.keyids for one in root.roles.values()):
        raise BadInput(
            msg("key_part_already", keyid=key.keyid),
            where=where,
            mend=msg("each_holder_online_key"),
        )
    for role in roles:
        root.add_key(envelope.public_key(key), role)


def _threshold(root: Root, threshold: int, where: str) -> None:
    holders = len(root.roles["root"].keyids)
    if not 1 <= threshold <= holders:
        raise BadInput(
            msg("holders_cannot_give_signatures", holders=holders, threshold=threshold), where=where
        )
    for role in HOLDERS:
        root.roles[role].threshold = threshold
