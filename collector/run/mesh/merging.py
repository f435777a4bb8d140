"""A capture that a node signed, on its way into the run's folder: is it one of this run?

A node is believed what its hosts returned, and nothing else: neither another host, another run or
another script, nor a time that cannot be, nor a read that nobody asked for (what a probe records
would raise a verdict).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from collector import captures, catalog
from collector.attest.bundle.nonce import check_nonce
from collector.errors import BadInput, VerifyFailed, shown
from collector.facts.tls.probe import OUTSIDE
from collector.i18n.message import msg
from collector.model import Capture, HostStatus
from collector.run.collected.run_folder import RunFolder
from collector.run.mesh.faults import NodeRefused
from collector.run.mesh.frames import Arrival
from collector.run.mesh.known_nodes import KnownNode

# what two clocks that are set by the network may differ, and more
_SLACK = timedelta(minutes=10)
_OF_ANSIBLE = frozenset(
    {
        "transport", "clock", "seconds", "run", "script_sha256", "output_sha256", "address",
        "port", "user", "become", "host_keys", "host_key_note", "worker",
    }
)  # fmt: skip


@dataclass(frozen=True)
class Merger:
    """Takes captures of nodes into the folder of one run."""

    folder: RunFolder
    reads: frozenset[str]

    @classmethod
    def of(cls, folder: RunFolder) -> Merger:
        about = folder.about
        selected = catalog.select(tuple(about["families"]), about["grade"])
        return cls(folder, frozenset({*catalog.reads_for(selected), OUTSIDE}))

    def take(self, node: KnownNode, shard: str, arrival: Arrival) -> Capture:
        """Puts the capture in place, byte for byte; raises NodeRefused where it is none."""
        try:
            capture = self._checked(node, arrival)
        except (BadInput, VerifyFailed) as problem:
            raise NodeRefused(
                msg("mesh_bad_capture", host=shown(arrival.host, 120), why=problem.what),
                where=msg("mesh_node", node=node.node),
            ) from None
        signed = {
            "node": node.node,
            "key": node.key.keyid,
            "shard": shard,
            "signature": arrival.signature,
        }
        self.folder.put(capture, arrival.data, arrival.seconds, signed)
        return capture

    def _checked(self, node: KnownNode, arrival: Arrival) -> Capture:
        if not captures.own_form(arrival.data):
            raise BadInput(msg("mesh_not_a_capture_file"))
        capture = captures.from_bytes(arrival.data, where="")
        run = self.folder.about
        if capture.host != arrival.host:
            raise BadInput(msg("mesh_of_another_host", host=shown(capture.host, 120)))
        origin = capture.origin
        if origin.get("run") != run["nonce"]:
            raise BadInput(msg("capture_another_run"))
        check_nonce(capture, run["nonce"])
        if capture.status is HostStatus.COMPLETE and not capture.nonce:
            raise BadInput(msg("carries_another_nonce_run"))
        if origin.get("worker") != {"node": node.node, "key": node.key.keyid}:
            raise BadInput(msg("mesh_names_another_worker"))
        if capture.reads and origin.get("script_sha256") != run["script_sha256"]:
            raise BadInput(msg("mesh_of_another_script"))
        self._plain(capture)
        self._in_time(capture)
        return capture

    def _plain(self, capture: Capture) -> None:
        """Nothing in it that only somebody else could say, or that nobody asked for."""
        _only(capture.origin.keys(), _OF_ANSIBLE)
        transport = str(capture.origin.get("transport", "ansible-"))
        if not transport.startswith("ansible-"):
            raise BadInput(msg("mesh_says_more", name=shown(transport, 60)))
        _only(capture.reads.keys(), self.reads)

    def _in_time(self, capture: Capture) -> None:
        """A capture of another day would be judged by that day."""
        begun = datetime.fromisoformat(self.folder.about["started"]) - _SLACK
        now = datetime.now(UTC)
        if capture.collected_at is None and capture.reads:
            raise BadInput(msg("mesh_without_a_time"))
        # judged by the one, and looked at by the other
        for at in (capture.collected_at, _clock(capture)):
            if at is not None and at.tzinfo is None:
                raise BadInput(msg("mesh_without_a_time"))
            if at is not None and not begun <= at <= now + _SLACK:
                raise BadInput(
                    msg(
                        "mesh_not_of_this_time",
                        at=at.isoformat(),
                        now=now.isoformat("T", "seconds"),
                    )
                )


def _clock(capture: Capture) -> datetime | None:
    """What the node's clock said of it. Raises BadInput for what is no time."""
    said = capture.origin.get("clock")
    if said is None:
        return None
    try:
        return datetime.fromisoformat(str(said))
    except ValueError:
        raise BadInput(msg("mesh_without_a_time")) from None


def _only(names: Collection[str], allowed: Collection[str]) -> None:
    for name in names:
        if name not in allowed:
            raise BadInput(msg("mesh_says_more", name=shown(name, 60)))
