"""The hosts that wait for a node, and what became of those that were given out.

A host is with one node at a time. What a node did not do waits anew. Of a shard that was lost, the
hosts that can have been asked just then go out in small company afterwards, and at last alone: one
that brings a worker down takes no others with it.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping, Sequence

from collector.i18n.message import msg

# a host that was given out so often, and never came back
MOST_TRIES = 5
# a node that lost so many shards in turn, with nothing done
_MOST_LOST = 5
_FEWEST, _FEW = 20, 5


class Waiting:
    """Shared by the lanes of all nodes. `asked` are hosts, with the nodes that may have each."""

    def __init__(
        self, asked: Mapping[str, tuple[str, ...]], nodes: Sequence[str], most: int
    ) -> None:
        self._lock = threading.Condition()
        self._waiting = dict(asked)
        self._asked = dict(asked)
        self._nodes = list(nodes)
        self._most = most
        self._busy: dict[str, tuple[str, ...]] = {}
        self._tries: Counter[str] = Counter()
        self._lost: Counter[str] = Counter()
        self._why: dict[str, str] = {}
        # nothing more is given to the one kind; the other may come back
        self.out: dict[str, str] = {}
        self._away: dict[str, str] = {}

    def next(self, node: str) -> tuple[str, ...] | None:
        """Hosts for this node; () where none are for it now, None where none will be any more."""
        with self._lock:
            if node in self.out:
                return None
            fit = [host for host, nodes in self._waiting.items() if node in nodes]
            if not fit:
                later = any(
                    node in self._asked[host] for hosts in self._busy.values() for host in hosts
                )
                return () if later else None
            tries = min(self._tries[host] for host in fit)
            chosen = tuple([h for h in fit if self._tries[h] == tries][: self._size(fit, tries)])
            for host in chosen:
                del self._waiting[host]
            self._busy[node] = chosen
            return chosen

    def over_for(self, node: str) -> bool:
        """Will there be nothing for this node any more, whatever becomes of the others?"""
        with self._lock:
            return not any(node in nodes for nodes in self._asked.values())

    def _size(self, fit: Sequence[str], tries: int) -> int:
        if tries:
            return _FEW if tries < MOST_TRIES - 2 else 1
        usable = max(sum(node not in self.out for node in self._nodes), 1)
        # each node twice: a slow one then holds up less
        each = max(-(-len(fit) // (2 * usable)), min(_FEWEST, -(-len(fit) // usable)))
        return min(self._most, each)

    def done(self, node: str, host: str) -> None:
        """A capture of the host is in place."""
        with self._lock:
            self._lost[node] = 0
            self._asked.pop(host, None)
            self._busy[node] = tuple(h for h in self._busy[node] if h != host)

    def back(self, node: str, why: str, at_once: int) -> int:
        """The node has ended its shard: what of it is not done waits anew.

        `why` is empty where all was done. A worker asks `at_once` hosts at a time, in their order:
        the others had no part in it. Returns how many shards in turn it has lost with nothing done.
        """
        with self._lock:
            missing = self._busy.pop(node, ())
            for place, host in enumerate(missing):
                self._tries[host] += place < at_once
                self._why[host] = why
                if self._tries[host] < MOST_TRIES:
                    self._waiting[host] = self._asked[host]
            if why:
                self._lost[node] += 1
            if self._lost[node] >= _MOST_LOST:
                self.out.setdefault(node, why)
            self._lock.notify_all()
            return self._lost[node]

    def put_back(self, node: str, hosts: Sequence[str]) -> None:
        """Hosts that were not given out after all: nobody is at fault."""
        with self._lock:
            back = set(hosts)
            self._busy[node] = tuple(h for h in self._busy.get(node, ()) if h not in back)
            self._waiting.update({host: self._asked[host] for host in hosts})

    def rule_out(self, node: str, why: str) -> None:
        """Nothing more is given to this node."""
        with self._lock:
            self.out.setdefault(node, why)
            self._lock.notify_all()

    def away(self, node: str, why: str) -> bool:
        """No way leads to this node; empty: one does again.

        Returns whether every host that waits, waits for nodes that are out or away.
        """
        with self._lock:
            if why:
                self._away[node] = why
            else:
                self._away.pop(node, None)
            gone = self.out.keys() | self._away.keys()
            stuck = all(set(self._asked[host]) <= gone for host in self._waiting)
            return stuck and not any(self._busy.values())

    def wait(self, seconds: float) -> None:
        """Until something has changed, at most so long."""
        with self._lock:
            self._lock.wait(seconds)

    def left(self) -> dict[str, str]:
        """The hosts that nobody has done, with why, in a line each."""
        with self._lock:
            return {host: self._reason(host) for host in self._asked}

    def _reason(self, host: str) -> str:
        nodes = self._asked[host]
        gone = next(
            (known[node] for known in (self.out, self._away) for node in nodes if node in known), ""
        )
        return msg("mesh_no_node_took_it", why=self._why.get(host) or gone)
