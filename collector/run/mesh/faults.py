"""What can become of a shard at a node, but for the captures themselves."""

from __future__ import annotations

from collector.errors import BadInput


class NodeRefused(BadInput):
    """A node that sent what it may not send: nothing more is taken from it in this run."""


class NodeLost(BadInput):
    """A node that did not do all of a shard: what is missing is given out anew."""


class CentreLost(BadInput):
    """The centre's own Receptor cannot be spoken to: that says nothing of any node."""
