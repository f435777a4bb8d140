"""The keys of a node: one that reads shards (age), one that signs captures (Ed25519)."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

import pyrage

from collector import private
from collector.attest.keys import keys
from collector.attest.keys.keys import PrivateKey
from collector.errors import BadInput
from collector.i18n.message import msg
from collector.schema import load_json

_ABOUT, _SIGNS, _READS = "node.json", "worker.key", "worker.age"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_LARGEST = 1 << 16


@dataclass(frozen=True, slots=True)
class NodeKeys:
    """`identity` is age's secret key, `signing` what captures are signed with.

    Receptor's control socket lies in `runtime`, where the worker is run by Receptor.
    """

    node: str
    runtime: Path
    identity: str
    signing: PrivateKey


def check_name(node: str) -> None:
    """Raises BadInput for what is no name of a node: Receptor's words are parted by blanks."""
    if not _NAME.fullmatch(node) or node == "localhost":
        raise BadInput(msg("mesh_not_a_node_name", name=node), mend=msg("mesh_node_name_mend"))


def make(folder: Path, node: str, runtime: str) -> tuple[str, str]:
    """Makes a node's keys in `folder`: its recipient (`age1…`) and public key (PEM).

    Raises BadInput where there are some already.
    """
    check_name(node)
    private.folder(folder)
    if (folder / _SIGNS).exists():
        raise BadInput(msg("file_already"), where=str(folder / _SIGNS))
    identity = pyrage.x25519.Identity.generate()
    private.write_aside(folder / _READS, f"{identity}\n".encode())
    private.write_aside(
        folder / _ABOUT, json.dumps({"node": node, "runtime": runtime}).encode() + b"\n"
    )
    signing = PrivateKey.generate("ed25519")
    signing.save(folder / _SIGNS, None)
    return str(identity.to_public()), signing.public.pem


def load(folder: Path) -> NodeKeys:
    """Raises BadInput where the keys are not there, or others can read them."""
    try:
        about = load_json(_read(folder / _ABOUT), where=str(folder / _ABOUT))
        identity = _read(folder / _READS).decode("ascii", "replace").strip()
    except OSError as problem:
        raise BadInput(
            msg("mesh_no_node_keys"), where=str(problem.filename), mend=msg("mesh_add_writes_them")
        ) from None
    named = isinstance(about, dict) and {type(about.get(n)) for n in ("node", "runtime")} == {str}
    if not named:
        raise BadInput(msg("mesh_no_node_keys"), where=str(folder / _ABOUT))
    check_name(about["node"])
    return NodeKeys(about["node"], Path(about["runtime"]), identity, keys.load(folder / _SIGNS))


def _read(path: Path) -> bytes:
    with private.opened(path) as source:
        if os.fstat(source.fileno()).st_mode & 0o077:
            mode = os.fstat(source.fileno()).st_mode & 0o7777
            raise BadInput(
                msg("others_can_read_key", mode=mode),
                where=str(path),
                mend=msg("chmod_600_new_key", path=path),
            )
        return source.read(_LARGEST)
