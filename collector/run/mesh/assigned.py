"""Which node collects from which host, and the part of the inventory that goes with it.

The variable `hostpledge_node`, of a host or of a group, names the nodes that may: one, or several
parted by commas; `local` is this machine.

>>> named("web-1", {"hostpledge_node": "bj-1, bj-2"})
('bj-1', 'bj-2')
>>> named("web-1", {})
()
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from collector.errors import BadInput
from collector.i18n.message import msg
from collector.run.mesh.node_keys import check_name

VARIABLE = "hostpledge_node"
HERE = "local"


def named(host: str, variables: Mapping[str, Any]) -> tuple[str, ...]:
    """The nodes that a host's variables name; raises BadInput for what names none."""
    value = variables.get(VARIABLE)
    if value is None or value == "":
        return ()
    words = value if isinstance(value, list) else str(value).split(",")
    found = tuple(dict.fromkeys(str(word).strip() for word in words))
    for word in found:
        try:
            check_name(word)
        except BadInput as problem:
            raise BadInput(problem.what, where=f"{host} {VARIABLE}", mend=problem.mend) from None
    return found


def assigned(
    listing: Mapping[str, Any],
    hosts: Sequence[str],
    nodes: Sequence[str],
    *,
    others_here: bool = False,
) -> dict[str, tuple[str, ...]]:
    """The nodes that may collect from each host, in the order of `hosts`; (HERE,): this machine.

    `listing` is what `ansible-inventory --list` gave, `nodes` those that may be used. Raises
    BadInput for a host whose nodes are none of them.
    """
    variables = listing.get("_meta", {}).get("hostvars", {})
    found: dict[str, tuple[str, ...]] = {}
    for host in hosts:
        own = variables.get(host, {})
        wanted = named(host, own)
        if HERE in wanted or (not wanted and (others_here or _is_here(host, own))):
            found[host] = (HERE,)
            continue
        usable = tuple(node for node in wanted or nodes if node in nodes)
        if not usable:
            raise BadInput(
                msg("mesh_node_not_to_be_used", nodes=", ".join(wanted)),
                where=f"{host} {VARIABLE}",
                mend=msg("mesh_add_or_name_nodes"),
            )
        found[host] = usable
    return found


def _is_here(host: str, variables: Mapping[str, Any]) -> bool:
    """At a node, that would be the node."""
    connection = str(variables.get("ansible_connection", ""))
    if connection.rpartition(".")[2] == "local":
        return True
    return host == "localhost" and not (connection or variables.get("ansible_host"))


def part_of(listing: Mapping[str, Any], hosts: Sequence[str]) -> dict[str, Any]:
    """An inventory of these hosts alone: their variables, and which of them are in which group."""
    variables = listing.get("_meta", {}).get("hostvars", {})
    own = {
        host: {k: v for k, v in variables.get(host, {}).items() if k != VARIABLE} for host in hosts
    }
    groups: dict[str, Any] = {}
    for group in listing:
        if group in ("_meta", "all", "ungrouped"):
            continue
        below = _below(listing, group)
        inside: dict[str, Any] = {host: {} for host in hosts if host in below}
        if inside:
            groups[group] = {"hosts": inside}
    return {"all": {"hosts": own, **({"children": groups} if groups else {})}}


def _below(listing: Mapping[str, Any], group: str) -> set[str]:
    found: set[str] = set()
    seen: set[str] = set()
    left = [group]
    while left:
        name = left.pop()
        if name in seen:
            continue
        seen.add(name)
        found.update(listing.get(name, {}).get("hosts", ()))
        left += listing.get(name, {}).get("children", ())
    return found
