r"""What a worker writes on its standard output, and its strict reader.

Each frame is one line of JSON (schemas/frame.schema.json); after the line of a capture follow as
many bytes as it says, which are the capture file. The last frame is `end`, and nothing comes after
it. What is signed is the frame, together with the node, the run and the script it is of, so that
nothing of another run, shard or node can stand in its place.

>>> line({"kind": "alive"})
b'{"kind":"alive"}\n'
"""

from __future__ import annotations

import base64
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import rfc8785

from collector import captures
from collector.attest.keys.keys import PrivateKey, PublicKey, strict_base64
from collector.errors import BadInput, VerifyFailed, shown
from collector.i18n.message import msg
from collector.run.mesh.faults import NodeLost, NodeRefused
from collector.schema import load_line

SCHEMA = "urn:hostpledge:schema:frame:1"
_KINDS = ("alive", "capture", "end")
_LONGEST_LINE = 8192
# one comes every ten seconds
_MOST_ALIVE = 20_000


@dataclass(frozen=True, slots=True)
class Context:
    """Of what shard, node, run and script the frames are."""

    shard: str
    node: str
    run: str
    script_sha256: str

    def signed(self, frame: Mapping[str, Any]) -> bytes:
        """The bytes that a frame's signature is over (RFC 8785)."""
        about = {name: value for name, value in frame.items() if name != "signature"}
        return rfc8785.dumps(
            {
                **about,
                "schema": SCHEMA,
                "shard": self.shard,
                "node": self.node,
                "run": self.run,
                "script_sha256": self.script_sha256,
            }
        )

    def sign(self, frame: Mapping[str, Any], key: PrivateKey) -> dict[str, Any]:
        """The frame with its shard and signature."""
        made = {**frame, "shard": self.shard}
        signature = base64.b64encode(key.sign(self.signed(made))).decode()
        return {**made, "signature": signature}


@dataclass(frozen=True, slots=True)
class Arrival:
    """A capture that a node signed. `data` is its file, which nobody has looked into yet."""

    host: str
    data: bytes
    seconds: float
    signature: str


@dataclass(frozen=True, slots=True)
class End:
    """A node has done all it will; `said` is why, where that is less than it was asked for."""

    said: str


def line(frame: Mapping[str, Any]) -> bytes:
    """A frame as it is written."""
    return rfc8785.dumps(dict(frame)) + b"\n"


class Reader:
    """Takes what a node sends, piece by piece, and never holds more than one capture of it.

    `hosts` are those of the shard, `most` the bytes that one capture may have. Whatever is not
    just as it should be raises NodeRefused, once and for all.
    """

    def __init__(
        self, context: Context, key: PublicKey, hosts: Collection[str], most: int = captures.LARGEST
    ) -> None:
        self._context = context
        self._key = key
        self._left = set(hosts)
        self._most = most
        self._held = bytearray()
        self._capture: dict[str, Any] | None = None
        self._alive = 0
        self._taken = 0
        self.ended: End | None = None

    @property
    def missing(self) -> frozenset[str]:
        """The hosts of the shard of which nothing came."""
        return frozenset(self._left)

    def feed(self, data: bytes) -> Iterator[Arrival | End]:
        """What becomes whole by `data`. Raises NodeRefused."""
        self._held += data
        while True:
            if self.ended is not None and self._held:
                raise self._refused(msg("mesh_something_after_end"))
            if self._capture is not None:
                if len(self._held) < self._capture["bytes"]:
                    return
                yield self._arrival(self._capture)
                continue
            at = self._held.find(b"\n")
            if at < 0:
                if len(self._held) > _LONGEST_LINE:
                    raise self._refused(msg("mesh_line_too_long", most=_LONGEST_LINE))
                return
            text = bytes(self._held[:at])
            del self._held[: at + 1]
            if len(text) > _LONGEST_LINE:
                raise self._refused(msg("mesh_line_too_long", most=_LONGEST_LINE))
            frame = self._frame(text)
            if frame["kind"] == "end":
                self.ended = End(frame["said"])
                yield self.ended
            elif frame["kind"] == "capture":
                self._capture = frame

    def close(self) -> None:
        """Nothing more will come. Raises NodeLost unless the end was seen."""
        if self.ended is None:
            cut = self._capture is not None or self._held
            raise NodeLost(msg("mesh_cut_in_frame") if cut else msg("mesh_no_end_seen"))

    def _frame(self, text: bytes) -> dict[str, Any]:
        try:
            frame: dict[str, Any] = load_line(text, "frame", where="", parts=_KINDS)
        except BadInput:
            said = shown(text.decode("utf-8", "replace"), 120)
            raise self._refused(msg("mesh_no_frame", said=said)) from None
        if frame["kind"] == "alive":
            self._alive += 1
            if self._alive > _MOST_ALIVE:
                raise self._refused(msg("mesh_too_many_alive"))
            return frame
        if frame["shard"] != self._context.shard:
            raise self._refused(msg("mesh_another_shard"))
        try:
            self._key.verify(strict_base64(frame["signature"]), self._context.signed(frame))
        except (VerifyFailed, ValueError):
            raise self._refused(msg("mesh_not_signed_by_it")) from None
        count = frame["captures" if frame["kind"] == "end" else "bytes"]
        if type(count) is not int:
            # JSON Schema takes 4.0 for a whole number, and it is signed as 4
            raise self._refused(msg("mesh_no_frame", said=shown(f"{count!r}", 60)))
        if frame["kind"] == "end":
            if frame["captures"] != self._taken:
                raise self._refused(msg("mesh_end_counts_others"))
            return frame
        if frame["host"] not in self._left:
            raise self._refused(msg("mesh_host_not_asked", host=shown(frame["host"], 120)))
        if frame["bytes"] > self._most:
            raise self._refused(msg("mesh_capture_too_large", most=self._most >> 10))
        return frame

    def _arrival(self, frame: Mapping[str, Any]) -> Arrival:
        data = bytes(self._held[: frame["bytes"]])
        del self._held[: frame["bytes"]]
        self._capture = None
        host = frame["host"]
        if captures.digest(data) != frame["sha256"]:
            raise self._refused(msg("mesh_bytes_changed", host=shown(host, 120)))
        self._left.discard(host)
        self._taken += 1
        return Arrival(host, data, frame["seconds"], frame["signature"])

    def _refused(self, why: str) -> NodeRefused:
        return NodeRefused(why, where=msg("mesh_node", node=self._context.node))
