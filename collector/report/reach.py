"""Why a socket can be reached or not, in Chinese; what is not here stands as the fact says it."""

from __future__ import annotations

from types import MappingProxyType

PHRASES = MappingProxyType(
    {
        "no rule stands in the way": "没有规则阻挡",
        "bound to loopback": "只绑定回环地址",
        "the host has no address of this family": "主机没有该类地址",
        "nothing comes in for it": "没有到它的入站路径",
        "nothing listens": "没有监听者",
        "forwarding is off": "未开启转发",
        "loopback is not taken from outside": "不接受来自外部的回环地址",
        "what is sent to all is not forwarded": "发给所有主机的报文不会被转发",
    }
)
