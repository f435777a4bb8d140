"""`hostpledge mesh`: adding, listing, checking and removing nodes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from collector.cli.options.answering import answer, answering
from collector.cli.options.outputs import check_output
from collector.cli.options.paths import FilePath
from collector.cli.ui.help import Group
from collector.cli.ui.language import lang_option, tr
from collector.errors import CollectorError, one_line
from collector.i18n.message import in_chinese

if TYPE_CHECKING:
    from collector.run.mesh.control import Control
    from collector.run.mesh.known_nodes import KnownNode

# a certificate that ends sooner is told of
_SOON = timedelta(days=30)


@click.group(
    cls=Group,
    help=tr(
        "采集网格：由各地的节点就近采集，签名后送回本机（中心节点）。节点说明保存在 "
        "$HOSTPLEDGE_HOME/mesh。见 docs/mesh.zh.md。",
        "The mesh: nodes that collect where the hosts are, and send signed captures back to this "
        "machine, the centre. What is known of them lies in $HOSTPLEDGE_HOME/mesh. See "
        "docs/mesh.md.",
    ),
)
@lang_option
def mesh() -> None:
    """Each subcommand stands below."""


_socket_option = click.option(
    "--mesh",
    "socket",
    type=FilePath(path_type=Path),
    metavar="SOCKET",
    help=tr("本机 Receptor 的控制套接字", "the control socket of the Receptor that runs here"),
)


@mesh.command(
    help=tr(
        "为一个节点写出全部文件（Receptor 配置、双向 TLS 证书、签名与解密密钥、systemd 单元、"
        "nftables 规则）；首次执行时一并写出中心节点自己的。",
        "Writes all files of a node (Receptor's configuration, certificate for TLS on both sides, "
        "keys, systemd unit, nftables rules), and the first time those of the centre as well.",
    )
)
@click.argument("node", metavar="NODE")
@click.option(
    "-o",
    "--output",
    required=True,
    type=FilePath(path_type=Path),
    metavar="DIR",
    help=tr("新目录，之后整个移到节点上", "a new folder, which is then taken to the node whole"),
)
@click.option(
    "--centre",
    required=True,
    metavar="HOST[:PORT]",
    help=tr("节点所连的中心节点地址", "what the node dials: the address of this machine"),
)
@click.option(
    "--bind",
    default="0.0.0.0",  # noqa: S104 - what the firewall rules beside it narrow
    show_default=True,
    metavar="ADDRESS",
    help=tr("中心节点监听的本机地址", "the address of this machine that Receptor listens on"),
)
@click.option(
    "--place",
    default="/etc/hostpledge-mesh",
    show_default=True,
    metavar="DIR",
    help=tr("这些文件在节点上的位置", "where the files will lie at the node"),
)
@click.option(
    "--runtime",
    default="/run/hostpledge-mesh",
    show_default=True,
    metavar="DIR",
    help=tr("Receptor 的数据目录所在（内存文件系统）", "where Receptor's data lie (in memory)"),
)
@click.option(
    "--program",
    default="/usr/bin/hostpledge",
    show_default=True,
    metavar="FILE",
    help=tr("节点上的 hostpledge", "hostpledge at the node"),
)
@click.option(
    "--days",
    type=click.IntRange(1, 3650),
    default=825,
    show_default=True,
    help=tr("证书有效天数", "days that its certificate holds"),
)
@lang_option
@answering("mesh-add")
def add(
    *,
    node: str,
    output: Path,
    centre: str,
    bind: str,
    place: str,
    runtime: str,
    program: str,
    days: int,
) -> None:
    from collector.run.mesh import node_files

    check_output(output, anew=True)
    places = node_files.Places(place, runtime, program)
    known, own = node_files.add(node, output, centre, places=places, days=days, bind=bind)
    answer(node=_entry(known), output=str(output), centre=str(own))
    click.echo(
        tr(
            f"节点 {node}：{output}\n"
            f"  移到节点的 {place}（属主 {places.user}，权限 0700），然后在节点上执行：\n"
            f"  systemctl enable --now {place}/hostpledge-mesh.service\n"
            f"中心节点：{own}\n"
            f"  在本机执行：systemctl enable --now {own}/hostpledge-mesh.service",
            f"node {node}: {output}\n"
            f"  take it to {place} there (owner {places.user}, mode 0700), and then, there:\n"
            f"  systemctl enable --now {place}/hostpledge-mesh.service\n"
            f"centre: {own}\n"
            f"  here: systemctl enable --now {own}/hostpledge-mesh.service",
        )
    )


@mesh.command("list", help=tr("列出已知节点。", "Lists the nodes that are known."))
@lang_option
@answering("mesh-list")
def listed() -> None:
    from collector.run.mesh import known_nodes

    nodes = known_nodes.all_known()
    answer(nodes=[_entry(node) for node in nodes])
    for node in nodes:
        until = f"{node.until:%Y-%m-%d}"
        click.echo(f"{node.node}  {node.key.keyid}  {tr('证书至', 'certificate until')} {until}")
    if not nodes:
        click.echo(tr("尚无节点", "no node is known"))


@mesh.command(
    help=tr(
        "查看各节点此刻能否连到、证书是否将到期、其数据目录中还有几个任务。\n\n"
        "退出码：0 都能连到；1 有节点连不到或证书将到期；2 无法与本机 Receptor 通信。",
        "Says of each node whether it can be reached now, whether its certificate ends soon, and "
        "how many units of work lie in its datadir.\n\nExit status: 0 all can be reached; 1 one "
        "cannot, or its certificate ends soon; 2 the Receptor here cannot be spoken to.",
    )
)
@click.argument("names", nargs=-1, metavar="[NODE]...")
@_socket_option
@lang_option
@answering("mesh-check")
def check(*, names: tuple[str, ...], socket: Path | None) -> int:
    from collector.run.mesh import known_nodes
    from collector.run.mesh.control import Control

    nodes = [known_nodes.known(name) for name in names] or known_nodes.all_known()
    control = Control(socket or Path("/run/hostpledge-mesh/control.sock"))
    reachable = control.reachable()
    found = [_seen(node, control, reachable) for node in nodes]
    answer(nodes=found)
    for entry in found:
        click.echo(f"{entry['node']}  {tr(*entry.pop('said'))}")
    return 0 if all(entry["fit"] for entry in found) else 1


def _seen(node: KnownNode, control: Control, reachable: frozenset[str]) -> dict[str, Any]:
    soon = node.until - datetime.now(UTC) < _SOON
    entry: dict[str, Any] = {"node": node.node, "reachable": node.node in reachable, "units": None}
    zh, en = "连不到", "cannot be reached"
    if entry["reachable"]:
        try:
            entry["units"] = len(control.units_at(node.node))
            zh, en = f"可连到，任务 {entry['units']} 个", f"reachable, {entry['units']} unit(s)"
        except CollectorError as problem:
            entry["reachable"] = False
            said = one_line(str(problem), 200)
            zh, en = f"{zh}：{in_chinese(problem.said)}", f"{en}: {said}"
    if soon:
        zh += f"，证书 {node.until:%Y-%m-%d} 到期"
        en += f", its certificate ends on {node.until:%Y-%m-%d}"
    return {**entry, "fit": entry["reachable"] and not soon, "said": (zh, en)}


@mesh.command(
    help=tr(
        "除去一个节点：不再向它派发，也不再接受它的采集文件；给出 --mesh 时一并清除它留在本机的"
        "任务。",
        "Removes a node: nothing more is given to it, and nothing taken from it; with --mesh, what "
        "of its work lies here goes too.",
    )
)
@click.argument("node", metavar="NODE")
@_socket_option
@lang_option
@answering("mesh-remove")
def remove(*, node: str, socket: Path | None) -> None:
    from collector.run.mesh import known_nodes
    from collector.run.mesh.control import Control

    known_nodes.known(node)
    gone = 0
    if socket is not None:
        control = Control(socket)
        for id, unit in control.units().items():
            if (unit.get("ExtraData") or {}).get("RemoteNode") == node:
                control.release(id, force=True)
                gone += 1
    known_nodes.forget(node)
    answer(node=node, units=gone)
    click.echo(
        tr(
            f"已除去节点 {node}。它的证书到期前仍能连到中心节点：请停掉它的 Receptor，"
            "或在防火墙中除去其地址",
            f"removed {node}. Until its certificate ends it can still connect: stop its Receptor, "
            "or take its address out of the firewall",
        )
    )


def _entry(node: KnownNode) -> dict[str, Any]:
    return {
        "node": node.node,
        "key": node.key.keyid,
        "recipient": node.recipient,
        "until": node.until.isoformat(),
    }
