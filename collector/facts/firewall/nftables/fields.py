"""What the left sides of nftables' JSON look at, by its name in the model of `packets`."""

from __future__ import annotations

FIELDS = {
    "ip.saddr": "saddr4", "ip6.saddr": "saddr6", "ip.daddr": "daddr4", "ip6.daddr": "daddr6",
    "ip.protocol": "proto", "ip6.nexthdr": "proto", "meta.l4proto": "proto",
    "tcp.dport": "dport", "udp.dport": "dport", "th.dport": "dport",
    "tcp.sport": "sport", "udp.sport": "sport", "th.sport": "sport",
    "udplite.dport": "dport", "sctp.dport": "dport", "dccp.dport": "dport",
    "ip.ttl": "ttl", "ip6.hoplimit": "ttl", "ip.dscp": "dscp", "ip6.dscp": "dscp",
    "meta.length": "length", "ip.length": "length",
    "ip.frag-off": "frag", "tcp option.maxseg.size": "mss",
    "tcp.flags": "flags", "icmp.type": "none", "icmpv6.type": "none", "icmp.code": "none",
    "icmpv6.code": "none", "igmp.type": "none", "esp.spi": "none", "ah.spi": "none",
    "meta.iifname": "iif", "meta.iif": "iif", "meta.oifname": "oif", "meta.oif": "oif",
    "meta.nfproto": "family", "meta.protocol": "ether", "ether.type": "ether",
    "meta.cgroup": "owner", "meta.skuid": "owner", "meta.skgid": "owner",
    "meta.mark": "mark", "ct.mark": "ctmark", "meta.pkttype": "pkttype",
    "ct.state": "state", "ct.status": "status", "ct.direction": "direction",
    "ct.l3proto": "family", "ct.protocol": "proto", "ct.proto-dst": "first_dport",
    "ct.daddr": "first_daddr", "ct.ip daddr": "first_daddr", "ct.ip6 daddr": "first_daddr",
    "ct.ip saddr": "saddr4", "ct.ip6 saddr": "saddr6",
    "fib.type.daddr": "daddr_type", "fib.type.daddr.iif": "daddr_type_in",
    "fib.type.saddr": "saddr_type",
    "fib.oif.saddr.iif": "way_back", "fib.oif.saddr.mark.iif": "way_back",
    "fib.oif.saddr": "way_back",
}  # fmt: skip
# of the model, those that hold a word
WORDS = {
    "iif", "oif", "state", "status", "direction", "pkttype", "daddr_type", "daddr_type_in",
    "saddr_type",
}  # fmt: skip
