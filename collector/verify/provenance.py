"""What it means that captures were handed in: for who verifies, and for who takes them in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from collector.errors import one_line
from collector.model import Text

_NAMED = 8
# a host's own clock: nobody else saw it
_AHEAD = timedelta(minutes=10)
_BEHIND = timedelta(days=366)


def unproven(looked: Mapping[str, datetime], said: Mapping[str, Any], now: datetime) -> list[Text]:
    """`looked` are the hosts that were handed in, and when; `said` is the signed predicate."""
    found: list[Text] = []
    if looked:
        count = len(looked)
        found.append(
            Text(
                f"{count} 台主机的采集文件由用户自行运行脚本后提交，采集方未连接这些主机；采集时间"
                "为主机自身时钟，网络地址、主机密钥等亦为提交者所言。",
                f"{count} host(s) were not connected to: their captures were handed in by whoever "
                "ran the script there. Their time is by their own clocks, and how they were had is "
                "that person's word.",
            )
        )
    found += by_nodes(said)
    found += odd_clocks(looked, now)
    if "handed_in" not in said and len(looked) < said["hosts"]:
        found.append(
            Text(
                "其余主机是否确由采集方连接：制作此证据包的版本只凭采集文件自己的说法。",
                "That the other hosts were connected to: the version that made this bundle took "
                "the captures' own word for it.",
            )
        )
    return found


def by_nodes(said: Mapping[str, Any]) -> list[Text]:
    """Of hosts that mesh nodes collected from; `said` as `unproven` has it."""
    workers = said.get("workers", [])
    if not workers:
        return []
    count = sum(worker["hosts"] for worker in workers)
    # no node's name, and no key's, has anything in it that acts
    names = [f"{worker['node']} {worker['key']}" for worker in workers]
    more = " …" if len(names) > _NAMED else ""
    return [
        Text(
            f"{count} 台主机由网格节点采集，签名方未直接连接：{'、'.join(names[:_NAMED])}{more}。"
            "这些主机如此应答，是节点以其密钥所言。",
            f"{count} host(s) were collected from by mesh nodes, and not by the signer: "
            f"{', '.join(names[:_NAMED])}{more}. That these hosts answered so is the nodes' word, "
            "by their keys.",
        )
    ]


def odd_clocks(looked: Mapping[str, datetime], now: datetime) -> list[Text]:
    """Hosts whose own clock, when they were handed in, was in the future or a year behind."""
    found = []
    ahead = [host for host, at in looked.items() if at > now + _AHEAD]
    behind = [host for host, at in looked.items() if at < now - _BEHIND]
    if ahead:
        found.append(
            Text(
                f"提交的采集文件中，主机时钟在未来：{_named(ahead, looked, '、')}。",
                f"Handed in with a clock in the future: {_named(ahead, looked, ', ')}.",
            )
        )
    if behind:
        found.append(
            Text(
                f"提交的采集文件中，主机时钟为一年以前：{_named(behind, looked, '、')}。",
                f"Handed in with a clock of more than a year ago: {_named(behind, looked, ', ')}.",
            )
        )
    return found


def _named(hosts: Sequence[str], looked: Mapping[str, datetime], comma: str) -> str:
    shown = comma.join(f"{one_line(h)} ({looked[h]:%Y-%m-%d %H:%M}Z)" for h in hosts[:_NAMED])
    return shown + (" …" if len(hosts) > _NAMED else "")
