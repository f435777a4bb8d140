"""Where `hostpledge probe` acts: its hosts, the address it sends from, and a second node."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from collector.cli.ui.language import tr

if TYPE_CHECKING:
    from collector.cli.options.pledge import Pledged
    from collector.run.ansible.inventory import How
    from collector.run.probing.drive import Wanted


def check_source(text: str) -> None:
    """Raises BadInput for what is no address of this machine that a host could ban."""
    import ipaddress

    from collector.errors import BadInput
    from collector.run.probing import from_here

    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        raise BadInput(tr(f"不是地址：{text}", f"no address: {text}"), where="--ban-from") from None
    if address.is_unspecified or address.is_loopback or address.is_multicast:
        raise BadInput(
            tr(f"不是可被封禁的单个地址：{text}", f"no single address that can be banned: {text}"),
            where="--ban-from",
        )
    if not from_here.is_own(text):
        raise BadInput(
            tr(f"不是本机的地址：{text}", f"no address of this machine: {text}"),
            where="--ban-from",
            mend=tr(
                f"先把它加到网卡上：ip addr add {text}/{address.max_prefixlen} dev 网卡",
                f"put it on an interface first: ip addr add {text}/{address.max_prefixlen} dev "
                "INTERFACE",
            ),
        )


def hosts_to_probe(how: How, pledge: Pledged | None, wished: Wanted) -> list[str]:
    """Those of the inventory; with a pledge, the ones that it declares. Raises BadInput."""
    from collector.errors import BadInput
    from collector.run.ansible.inventory import hosts_of
    from collector.run.probing.arrived import host_of

    known = hosts_of(how)
    _check_second(wished, how, known)
    # those of the inventory that are asked, not probed
    beside = {host_of(wished.store), wished.second_node}
    if pledge is None:
        return [h for h in known if h not in beside] or known
    hosts = [h for h in known if h in pledge.record.hosts]
    if not hosts:
        raise BadInput(
            tr(
                "清单中没有此登记所申报的主机",
                "no host of the inventory is one that the record declares",
            ),
            where=pledge.record.id,
        )
    return hosts


def _check_second(wished: Wanted, how: How, known: list[str]) -> None:
    """Raises BadInput for a second node that the inventory lacks, or that nothing asks."""
    from collector.errors import BadInput
    from collector.run.ansible.inventory import hosts_of

    node = wished.second_node
    if not node:
        return
    # --limit says what is probed, not who asks
    everybody = hosts_of(replace(how, limit="")) if how.limit else known
    if node not in everybody:
        said = tr(f"清单中没有这台主机：{node}", f"no host of the inventory: {node}")
    elif "outside_ports" not in wished.names:
        said = tr("只有 outside_ports 会用到第二个节点", "outside_ports alone asks a second node")
    elif known == [node]:
        said = tr(f"{node} 不能询问它自己", f"{node} cannot ask itself")
    else:
        return
    raise BadInput(said, where="--second-node")
