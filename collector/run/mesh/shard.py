"""A shard: hosts that one node is to collect from, encrypted to that node's key alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyrage

from collector.errors import BadInput
from collector.i18n.message import msg
from collector.run.ansible.inventory import How
from collector.schema import check, load_json

SCHEMA = "urn:hostpledge:schema:shard:1"
MOST_HOSTS = 500
# encrypted; an inventory has some hundred bytes a host
LARGEST = 64 << 20
# of the run, what a node needs to know: not which other hosts there are
_OF_RUN = (
    "nonce", "started", "families", "grade", "script_sha256", "catalog_sha256", "version",
)  # fmt: skip
_OF_HOW = (
    "user", "become", "ask_pass", "ask_become_pass", "private_key", "forks", "seconds",
    "limit_bytes",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Shard:
    """`id` is drawn anew for each time that hosts are given out; `until` is its deadline.

    `run` is of run.json what a node needs; `inventory` is one of Ansible's, in JSON, with the
    variables of these hosts, vaults open; `how` are the options of `How` by name.
    """

    id: str
    node: str
    until: datetime
    run: Mapping[str, Any]
    inventory: Mapping[str, Any]
    how: Mapping[str, Any]

    @property
    def hosts(self) -> tuple[str, ...]:
        return tuple(self.inventory["all"]["hosts"])

    def encrypted(self, recipient: str) -> bytes:
        """For whoever holds the identity of `recipient` (`age1…`)."""
        document = {
            "schema": SCHEMA,
            "id": self.id,
            "node": self.node,
            "until": self.until.isoformat(),
            "run": dict(self.run),
            "inventory": dict(self.inventory),
            "how": dict(self.how),
        }
        text = json.dumps(document, ensure_ascii=False).encode("utf-8", "surrogateescape")
        return bytes(pyrage.encrypt(text, [pyrage.x25519.Recipient.from_str(recipient)]))


def decrypted(data: bytes, identity: str) -> Shard:
    """The shard that `data` is; raises BadInput for anything else, and for another's."""
    if len(data) > LARGEST:
        raise BadInput(msg("shard_too_large", most=LARGEST >> 20))
    try:
        text = pyrage.decrypt(data, [pyrage.x25519.Identity.from_str(identity)])
    except (pyrage.DecryptError, pyrage.IdentityError, ValueError):
        raise BadInput(msg("shard_not_for_this_node")) from None
    document = load_json(bytes(text), where=msg("the_shard"))
    check(document, "shard", where=msg("the_shard"))
    return Shard(
        document["id"],
        document["node"],
        datetime.fromisoformat(document["until"]),
        document["run"],
        document["inventory"],
        document["how"],
    )


def of_run(about: Mapping[str, Any]) -> dict[str, Any]:
    """Of run.json what a node needs to know."""
    return {name: about[name] for name in _OF_RUN}


def options_of(how: How) -> dict[str, Any]:
    """Of Ansible's options what still says something once variables are filled in."""
    return {name: getattr(how, name) for name in _OF_HOW}
