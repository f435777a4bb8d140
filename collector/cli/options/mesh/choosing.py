"""`--mesh` and what goes with it: hosts that nodes collect from."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import click

from collector.cli.ui.language import tr
from collector.run.ansible.inventory import Mesh

_OPTIONS: tuple[tuple[tuple[str, ...], dict[str, Any]], ...] = (
    (
        ("--mesh", "through"),
        {
            "default": "",
            "metavar": "SOCKET",
            "help": tr(
                "由网格节点采集：本机 Receptor 的控制套接字，或“exec:命令”（命令中有 {node}）",
                "let mesh nodes collect: the control socket of the Receptor here, or "
                "`exec:COMMAND` with {node} in it",
            ),
        },
    ),
    (
        ("--nodes",),
        {
            "default": "",
            "metavar": "A,B",
            "help": tr(
                "只用这些节点，默认全部；主机的变量 hostpledge_node 指定由谁采集",
                "only these nodes; by default all. A host's variable hostpledge_node says who "
                "collects from it",
            ),
        },
    ),
    (
        ("--others-here",),
        {
            "is_flag": True,
            "help": tr(
                "没有 hostpledge_node 的主机由本机采集",
                "hosts without hostpledge_node are asked from here",
            ),
        },
    ),
    (
        ("--lost-after",),
        {
            "type": click.IntRange(15, 3600),
            "default": 90,
            "show_default": True,
            "help": tr(
                "节点多少秒没有音讯即视为失联，其主机改派",
                "seconds without a word after which a node is lost, and its hosts go to another",
            ),
        },
    ),
)


def mesh_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Who collects; `mesh_of` makes one value of them."""
    for names, how in reversed(_OPTIONS):
        command = click.option(*names, **how)(command)
    return command


def mesh_of(given: dict[str, Any], location: str | None = None) -> Mesh | None:
    """Takes the options out of `given`; raises UsageError for some without --mesh.

    Leases are kept in a register that more than one machine can write.
    """
    through = given.pop("through")
    nodes = tuple(dict.fromkeys(n.strip() for n in given.pop("nodes").split(",") if n.strip()))
    here, lost_after = given.pop("others_here"), given.pop("lost_after")
    if not through:
        if nodes or here:
            raise click.UsageError(
                tr(
                    "--nodes、--others-here 与 --mesh 同用",
                    "--nodes and --others-here go with --mesh",
                )
            )
        return None
    named = location or os.environ.get("HOSTPLEDGE_REGISTER") or ""
    register = named if named.startswith("postgresql") else ""
    return Mesh(through, nodes, here, float(lost_after), register=register)
