"""The nodes that this centre knows: by name, whom shards are encrypted to and who signs.

$HOSTPLEDGE_HOME/mesh/nodes/NODE.json; what a node itself needs is written by `node_files`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from collector import private
from collector.attest.keys.keys import PublicKey
from collector.errors import BadInput
from collector.i18n.message import msg
from collector.resources import home_place
from collector.run.mesh.node_keys import check_name
from collector.schema import check, load_json

SCHEMA = "urn:hostpledge:schema:mesh-node:1"


@dataclass(frozen=True, slots=True)
class KnownNode:
    """`recipient` is age's (`age1…`); `until` is when its certificate ends."""

    node: str
    recipient: str
    key: PublicKey
    added: datetime
    until: datetime


def place() -> Path:
    """Where all of the mesh lies that is this centre's."""
    return home_place() / "mesh"


def keep(node: str, recipient: str, pem: str, until: datetime) -> KnownNode:
    """Writes a node down; raises BadInput where there is one of that name."""
    path = _path(node)
    if path.exists():
        raise BadInput(
            msg("mesh_node_known_already", node=node), mend=msg("mesh_remove_it_first", node=node)
        )
    private.folder(path.parent)
    document = {
        "schema": SCHEMA,
        "node": node,
        "recipient": recipient,
        "key": pem,
        "added": datetime.now(UTC).isoformat(timespec="seconds"),
        "until": until.isoformat(timespec="seconds"),
    }
    check(document, "mesh-node", where=str(path))
    private.write_aside(path, json.dumps(document, indent=1).encode() + b"\n")
    return known(node)


def known(node: str) -> KnownNode:
    """Raises BadInput where there is no node of that name."""
    path = _path(node)
    try:
        document = load_json(path.read_bytes(), where=str(path))
    except FileNotFoundError:
        raise BadInput(
            msg("mesh_no_such_node", node=node), mend=msg("mesh_list_shows_them")
        ) from None
    check(document, "mesh-node", where=str(path))
    return KnownNode(
        document["node"],
        document["recipient"],
        PublicKey.from_pem(document["key"], where=str(path)),
        datetime.fromisoformat(document["added"]),
        datetime.fromisoformat(document["until"]),
    )


def all_known() -> list[KnownNode]:
    """By name."""
    folder = place() / "nodes"
    if not folder.is_dir():
        return []
    return [known(path.stem) for path in sorted(folder.glob("*.json"))]


def forget(node: str) -> None:
    """Nothing more is taken from it, and nothing given to it; raises BadInput as `known`."""
    known(node)
    _path(node).unlink()
    private.sync_folder(place() / "nodes")


def _path(node: str) -> Path:
    check_name(node)
    return place() / "nodes" / f"{node}.json"
