"""Collecting through nodes, into the same folder as ever: what comes after does not know.

A lane a node: it takes hosts that wait, makes a shard of them, and puts each capture in its place
as it comes. What a node does not bring back waits anew.
"""

from __future__ import annotations

import math
import secrets
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from collector.errors import BadInput, one_line
from collector.i18n.message import Message, msg
from collector.model import Capture, HostStatus
from collector.run.ansible import engine
from collector.run.ansible.inventory import How, Mesh, listing_of
from collector.run.ansible.tally import Progress, Tally
from collector.run.collected.run_folder import Arrived, RunFolder
from collector.run.mesh import assigned, known_nodes, shard, vaults
from collector.run.mesh.assigned import HERE
from collector.run.mesh.control import Unwilling
from collector.run.mesh.faults import CentreLost, NodeLost, NodeRefused
from collector.run.mesh.frames import Context, Reader
from collector.run.mesh.known_nodes import KnownNode
from collector.run.mesh.leases import Leases, leases_of
from collector.run.mesh.merging import Merger
from collector.run.mesh.shard import Shard
from collector.run.mesh.transport import Transport, transport_of
from collector.run.mesh.unit import Patience
from collector.run.mesh.waiting import Waiting

_LOOKS, _PAUSE = 0.5, 2.0
# Ansible's start, and what the mesh takes to bring a shard there and the last bytes back
_AROUND = 180.0
# beyond a host's own seconds: its listeners are asked too, and all is written down
_EACH = 70.0

Say = Callable[[Message], None]


def collect(
    folder: RunFolder,
    how: How,
    hosts: Sequence[str],
    *,
    progress: Progress,
    say: Say,
    end: bool = True,
) -> dict[str, Arrived]:
    """As `engine.collect`, by the nodes of `how.mesh`. `say` gets what happens to nodes.

    Raises BadInput for nodes that are not known, and where Receptor here cannot be spoken to: the
    run stays open then, and the same command takes it up.
    """
    mesh = how.mesh
    if mesh is None:
        return engine.collect(folder, how, hosts, progress=progress, end=end)
    nodes = _nodes(mesh)
    listing = listing_of(how)
    whose = assigned.assigned(listing, hosts, list(nodes), others_here=mesh.others_here)
    through = transport_of(mesh.through, folder.nonce)
    folder.expect(hosts)
    before = folder.arrived()
    missing = [h for h in hosts if h not in before or before[h].status is not HostStatus.COMPLETE]
    away = {host: whose[host] for host in missing if whose[host] != (HERE,)}
    tally = Tally(left=len(missing), done=len(hosts) - len(missing))
    if away:
        waiting = Waiting(away, list(nodes), min(mesh.shard, shard.MOST_HOSTS))
        told = _Told(tally, progress, say)
        with through.opened(), leases_of(mesh, folder) as leases:
            _Coordinator(folder, how, mesh, listing, through, waiting, leases, told).run(nodes)
        for node in through.left:
            say(msg("mesh_left_at_node", node=node))
        _write_down(folder, waiting, told)
    here = [host for host in missing if whose[host] == (HERE,)]
    if here:
        engine.collect(folder, how, here, progress=progress, end=False)
    if end:
        folder.end()
    return {h: a for h, a in folder.arrived().items() if h in set(hosts)}


def _nodes(mesh: Mesh) -> dict[str, KnownNode]:
    found = (
        [known_nodes.known(node) for node in mesh.nodes] if mesh.nodes else known_nodes.all_known()
    )
    if not found:
        raise BadInput(msg("mesh_no_nodes"), mend=msg("mesh_add_one"))
    return {node.node: node for node in found}


def _write_down(folder: RunFolder, waiting: Waiting, told: _Told) -> None:
    """A host that no node took is a result too."""
    for host, why in waiting.left().items():
        capture = Capture(host, HostStatus.UNREACHABLE, detail=why, origin={"run": folder.nonce})
        folder.take(capture, 0)
        told.host(capture)


class _Told:
    """Progress of many lanes, one at a time."""

    def __init__(self, tally: Tally, progress: Progress, say: Say) -> None:
        self._tally, self._progress, self._say = tally, progress, say
        self._lock = threading.Lock()

    @property
    def done(self) -> int:
        return self._tally.done

    def host(self, capture: Capture) -> None:
        status = capture.status
        with self._lock:
            self._tally.count(capture.host, status, f"{status}: {capture.detail}")
            self._progress(self._tally, capture.host, status)

    def say(self, said: Message) -> None:
        with self._lock:
            self._say(said)


@dataclass
class _Coordinator:
    folder: RunFolder
    how: How
    mesh: Mesh
    listing: dict[str, Any]
    through: Transport
    waiting: Waiting
    leases: Leases
    told: _Told

    def __post_init__(self) -> None:
        self.merger = Merger.of(self.folder)
        self.stop = threading.Event()
        self.signalled = False
        self.problems: list[Exception] = []

    def run(self, nodes: dict[str, KnownNode]) -> None:
        """Until no host waits for a node that could have it. Raises BadInput as `collect`."""
        lanes = [
            threading.Thread(target=self._lane, args=(node,), daemon=True)
            for node in nodes.values()
        ]
        with self._signals():
            for lane in lanes:
                lane.start()
            for lane in lanes:
                while lane.is_alive():
                    lane.join(_LOOKS)
        if self.problems:
            raise self.problems[0]
        if self.signalled:
            total = self.told.done + len(self.waiting.left())
            raise BadInput(
                msg("interrupted_hosts_answered", count=self.told.done, count_2=total),
                where=str(self.folder.path),
                mend=msg("same_command_takes_up"),
            )

    def _lane(self, node: KnownNode) -> None:
        try:
            while not self.stop.is_set():
                if not self._within_reach(node):
                    return
                hosts = self.waiting.next(node.node)
                if hosts is None:
                    return
                hosts = self._leased(node, hosts)
                if not hosts:
                    self.waiting.wait(_LOOKS)
                else:
                    self._give(node, hosts)
        except Exception as problem:  # noqa: BLE001 - it is raised where it can be told
            self.problems.append(problem)
            self.stop.set()

    def _within_reach(self, node: KnownNode) -> bool:
        """Waits for a node that no way leads to, as long as others are at work.

        Raises CentreLost where Receptor here is away as long as a node may be.
        """
        since, told = time.monotonic(), False
        while not self.stop.is_set():
            away: CentreLost | None = None
            try:
                if self.through.reaches(node.node):
                    self.waiting.away(node.node, "")
                    return True
            except (CentreLost, Unwilling) as problem:
                away = problem if isinstance(problem, CentreLost) else None
            if self.waiting.over_for(node.node):
                return False
            if time.monotonic() - since > self.mesh.lost_after:
                if away is not None:
                    raise away
                stuck = self.waiting.away(node.node, msg("mesh_no_way_to_it"))
                if not told:
                    told = True
                    self.told.say(msg("mesh_node_away", node=node.node))
                if stuck:
                    return False
            self.waiting.wait(_LOOKS)
        return False

    def _leased(self, node: KnownNode, hosts: tuple[str, ...]) -> tuple[str, ...]:
        if not hosts:
            return ()
        mine = self.leases.take(hosts, self._seconds(len(hosts)))
        if len(mine) < len(hosts):
            self.waiting.put_back(node.node, [h for h in hosts if h not in set(mine)])
        return mine

    def _give(self, node: KnownNode, hosts: tuple[str, ...]) -> None:
        """One shard, to its end."""
        why = ""
        try:
            said = self._collect(node, hosts)
            why = one_line(said, 200) if said else ""
        except NodeRefused as problem:
            self.waiting.rule_out(node.node, problem.what)
            why = problem.what
        except NodeLost as problem:
            why = problem.what
        finally:
            self.leases.give_back(hosts)
            lost = self.waiting.back(node.node, why, self.how.forks)
        if why and node.node in self.waiting.out:
            self.told.say(msg("mesh_node_ruled_out", node=node.node, why=why))
        elif why and not self.stop.is_set():
            self.told.say(msg("mesh_shard_lost", node=node.node, why=why))
            # others come first: what failed here once fails here again
            self.stop.wait(_PAUSE * 2 ** max(lost - 1, 0))

    def _collect(self, node: KnownNode, hosts: tuple[str, ...]) -> str:
        """What the node said at its end, where it did not do all. Raises NodeRefused, NodeLost."""
        seconds = self._seconds(len(hosts))
        asked = Shard(
            secrets.token_hex(16),
            node.node,
            datetime.now(UTC) + timedelta(seconds=seconds),
            shard.of_run(self.folder.about),
            vaults.opened(assigned.part_of(self.listing, hosts), self.how),
            shard.options_of(self.how),
        )
        run = asked.run
        context = Context(asked.id, node.node, run["nonce"], run["script_sha256"])
        reader = Reader(context, node.key, hosts)
        patience = Patience(self.stop, time.monotonic() + seconds, self.mesh.lost_after)
        payload = asked.encrypted(node.recipient)
        arrivals = self.through.arrivals(node.node, payload, reader, patience)
        # what is left of it goes before its hosts are given to another
        with closing(arrivals):
            for arrival in arrivals:
                capture = self.merger.take(node, asked.id, arrival)
                self.waiting.done(node.node, arrival.host)
                self.told.host(capture)
        said = reader.ended.said if reader.ended is not None else ""
        return said or (msg("mesh_hosts_left_out") if reader.missing else "")

    def _seconds(self, hosts: int) -> float:
        """Until when a shard has to be done: each host may take all of its time."""
        waves = math.ceil(hosts / max(self.how.forks, 1))
        return _AROUND + waves * (self.how.seconds + _EACH)

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """The first Ctrl-C (or TERM) ends it in order; what has arrived stays."""

        def end(*_: object) -> None:
            self.signalled = True
            self.stop.set()

        wanted = (signal.SIGINT, signal.SIGTERM)
        before = {number: signal.signal(number, end) for number in wanted}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
