"""Whose word is the trust file, and may there be a newer one?

That it expired says nothing against evidence: keys were trusted for the times it names. It says
that a revocation since then would not be known here.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from collector.attest.trust.trust_file import Trust
from collector.model import Text


def to_json(trust: Trust, now: datetime) -> Mapping[str, Any] | None:
    if trust.source is None:
        return None
    return {**trust.source.to_json(), "fresh": now < trust.source.expires}


def proven(trust: Trust) -> tuple[Text, ...]:
    source = trust.source
    if source is None:
        return ()
    return (
        Text(
            f"信任文件是团队的第 {source.version} 版，由 {source.holders} 名持钥人中至少 "
            f"{source.threshold} 名签署；所据的根为 sha256:{source.pinned}。",
            f"The trust file is the team's version {source.version}, signed by at least "
            f"{source.threshold} of its {source.holders} holders, under the root "
            f"sha256:{source.pinned}.",
        ),
    )


def unproven(trust: Trust, now: datetime) -> tuple[Text, ...]:
    source = trust.source
    if trust.bare:
        return (
            Text(
                "密钥何时有效、是否已被吊销：所给的只是公钥，没有写明这些的信任文件"
                "（hostpledge key trust）。",
                "For which time the key counts, and that it was not revoked: a public key alone "
                "was given, and no trust file, which says so (`hostpledge key trust`).",
            ),
        )
    if source is None:
        return ()
    until = source.expires.isoformat()
    if now < source.expires:
        return (
            Text(
                f"密钥最近是否被吊销：信任文件在 {until} 前不必更新，其间的新版本可能尚未取得"
                "（hostpledge trust update）。",
                "That no key was revoked just now: the trust file counts as the newest until "
                f"{until}, and a newer one may be there (`hostpledge trust update`).",
            ),
        )
    return (
        Text(
            f"此后密钥是否被吊销：信任文件已于 {until} 过期，其后的变化无从得知；这不影响此前所作"
            "签名的有效性（可用 hostpledge trust update 更新）。",
            f"That no key was revoked since {until}: the trust file expired then, and what came "
            "later is not known here. What was signed before stays as valid as it was "
            "(`hostpledge trust update` gets a newer one).",
        ),
    )
