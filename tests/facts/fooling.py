"""Hosts that look closed and are open, and the other way round: (name, loader, text).

As those of `rulesets`, for the same lab.
"""

from __future__ import annotations


def _chain(head: str, *rules: str) -> str:
    return f"{{ type filter hook {head}; " + " ".join(f"{rule};" for rule in rules) + " }"


def _table(name: str, *chains: str, family: str = "inet", before: str = "") -> str:
    inner = " ".join(f"chain c{n} {chain}" for n, chain in enumerate(chains))
    return f"table {family} {name} {{ {before}\n {inner} }}\n"


_INPUT = "input priority filter; policy drop"
_OPEN = "input priority filter; policy accept"

# what looks closed and is open
OPEN: list[tuple[str, str, str]] = [
    ("dropped_where_nobody_goes", "nft",
        "table inet f { chain never { drop; }\n"
        " chain i { type filter hook input priority 0; policy accept; } }"),
    ("dormant_policy_drop_beside_an_open_one", "nft",
        "table inet a { flags dormant; chain i { type filter hook input priority -10;"
        " policy drop; } }\n" + _table("b", _chain(_OPEN, "tcp dport 80 drop"))),
    ("only_four_is_closed", "nft", _table("f", _chain(_INPUT), family="ip")),
    ("only_six_is_closed", "nft", _table("f", _chain(_INPUT), family="ip6")),
    ("dropped_for_an_interface_that_is_not_there", "nft", _table("f", _chain(
        _OPEN, 'iifname "eth*" drop', 'iifname { "eth0", "ens3" } tcp dport 80 drop'))),
    ("dropped_but_local_only", "nft", _table("f", _chain(
        "prerouting priority raw", 'iifname "wan" fib daddr type local drop',
        'iifname "ct" fib daddr type != { broadcast, multicast } drop'))),
    ("to_all_is_not_to_this_host", "nft", _table("f", _chain(
        _OPEN, "fib daddr type local drop"))),
    ("groups_are_let_in", "nft", _table("f", _chain(_INPUT, "meta pkttype multicast accept"))),
    ("broadcast_is_let_in", "nft", _table("f", _chain(
        _INPUT, "ip daddr 255.255.255.255 udp dport { 22, 53 } accept",
        "ip daddr 10.201.0.255 udp dport 80 accept"))),
    ("addresses_are_dropped_and_links_are_not", "nft", _table("f", _chain(
        _OPEN, "ip6 daddr { fd00:201::1, fd00:30::1 } drop"))),
    ("links_are_let_in", "nft", _table("f", _chain(
        _INPUT, "icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept",
        "ip6 daddr fe80::/64 accept"))),
    ("any_source_port_but_one", "nft", _table("f", _chain(
        _INPUT, "tcp sport 53 accept", "udp sport 53 accept"))),
    ("few_hops_are_let_in", "nft", _table("f", _chain(
        _OPEN, "ip ttl > 3 drop", "ip6 hoplimit > 3 drop"))),
    ("a_class_of_service_is_let_in", "nft", _table("f", _chain(
        _OPEN, "ip dscp != af11 drop", "ip6 dscp != 0x0a drop"))),
    ("set_with_a_timeout", "nft", _table("f", _chain(_INPUT, "ip saddr @s accept"),
        before="set s { type ipv4_addr; flags timeout; elements = { 10.201.0.2 timeout 1h } }\n")),
    ("flowtable", "nft", "table inet f { flowtable fast { hook ingress priority filter;"
        " devices = { wan }; }\n chain w { type filter hook forward priority 0; policy drop;"
        ' iifname "ct" accept; ct state established flow add @fast; tcp dport 80 accept; }\n'
        " chain n { type nat hook prerouting priority dstnat; tcp dport 8080 dnat ip to"
        " 172.30.0.2:80; }\n chain i { type filter hook input priority 0; policy drop; } }"),
    ("accepted_early_means_nothing_dropped_late_does", "nft",
        _table("a", _chain("input priority raw", "accept"))
        + _table("b", _chain("input priority security", "tcp dport 22 drop"))),
    ("negative_priorities", "nft",
        _table("a", _chain("input priority -5", "tcp dport 22 accept", "meta mark set 0x1"))
        + _table("b", _chain("input priority -10; policy accept", "tcp dport 80 meta mark set 0x7"))
        + _table("c", _chain(_INPUT, "meta mark 0x1 accept"))),
    ("one_hook_many_chains", "nft",
        _table("a", _chain(_OPEN, "tcp dport 22 accept"), _chain(_OPEN, "udp dport 53 drop"))
        + _table("a", _chain(_OPEN, "tcp dport 22 ip saddr 10.201.0.2 drop"), family="ip")),
    ("a_mark_from_the_front", "nft",
        _table("f", _chain("prerouting priority mangle", "tcp dport 22 meta mark set 0x10",
                           "udp dport 80 ct mark set 0x20"),
               _chain(_INPUT, "meta mark 0x10 accept", "ct mark 0x20 accept"))),
    ("new_is_let_in", "nft", _table("f", _chain(
        _INPUT, "ct state established,related accept", "ct state new accept"))),
    ("untracked_is_let_in", "nft", _table(
        "f", _chain("prerouting priority raw", "tcp dport 22 notrack"),
        _chain(_INPUT, "ct state untracked accept"))),
    ("translation_that_nothing_tracks_is_not_asked", "nft",
        "table ip n { chain p { type nat hook prerouting priority dstnat; policy drop;"
        " tcp dport 80 accept; } }\n" + _table("six", _chain(_OPEN, "ct state invalid drop"),
                                               family="ip6")),
    ("redirected_to_what_is_open", "nft",
        _table("f", "{ type nat hook prerouting priority dstnat; tcp dport { 22, 443 } redirect"
               " to :80; }", _chain(_INPUT, "tcp dport 80 accept"))),
    ("ipt_classic_without_an_end", "sh", """
iptables -A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
iptables -A INPUT -p tcp -m tcp --dport 22 -j ACCEPT"""),
    ("ipt_drop_comes_too_late", "sh", """
iptables -A INPUT -p tcp -j ACCEPT; iptables -A INPUT -p tcp -m tcp --dport 22 -j DROP"""),
    ("ipt_local_only", "sh", """
iptables -A INPUT -m addrtype --dst-type LOCAL -j DROP
ip6tables -A INPUT -m addrtype --dst-type LOCAL -j DROP"""),
    ("ipt_groups_of_ufw", "sh", """
iptables -P INPUT DROP
iptables -A INPUT -d 224.0.0.1/32 -p udp -m udp --dport 53 -j ACCEPT
ip6tables -P INPUT DROP
ip6tables -A INPUT -d ff02::1/128 -p udp -m udp --dport 8080 -j ACCEPT"""),
    ("ipt_hops", "sh", """
iptables -A INPUT -m ttl --ttl-gt 3 -j DROP; ip6tables -A INPUT -m hl --hl-gt 2 -j DROP"""),
    ("ipt_who_owns_it", "sh", """
iptables -A INPUT -m cgroup ! --cgroup 1 -j DROP"""),
]  # fmt: skip

# what looks open and is closed
CLOSED: list[tuple[str, str, str]] = [
    ("accepted_first_dropped_after", "nft",
        _table("a", _chain("input priority -10; policy accept", "accept"))
        + _table("b", _chain("input priority 10; policy drop"))),
    ("accepted_by_name_dropped_by_netdev", "nft",
        _table("a", _chain(_OPEN, "accept"))
        + "table netdev n { chain i { type filter hook ingress device wan priority -500;"
        " ip saddr 10.201.0.0/24 drop; ip6 saddr fd00:201::/64 tcp dport 22 drop; } }\n"),
    ("ingress_of_inet", "nft",
        'table inet n { chain i { type filter hook ingress device "wan" priority filter;'
        " ip protocol tcp drop; } }\n" + _table("a", _chain(_OPEN, "accept"))),
    ("translation_drops_what_is_new", "nft",
        "table ip n { chain p { type nat hook prerouting priority dstnat; policy drop;"
        " tcp dport 80 accept; } }\n" + _table("f", _chain(_OPEN, "ct state invalid drop"))),
    ("established_only", "nft", _table("f", _chain(_INPUT, "ct state established,related accept"))),
    ("redirected_to_what_is_shut", "nft",
        _table("f", "{ type nat hook prerouting priority dstnat; tcp dport 22 redirect to :8080; }",
               _chain(_INPUT, "tcp dport 22 accept"))),
    ("let_in_by_a_chain_that_is_left", "nft",
        "table inet f { chain a { tcp dport 22 goto b; accept; }\n chain b { return; }\n"
        " chain i { type filter hook input priority 0; policy drop; goto a; accept; } }"),
    ("raw_drops_what_input_lets_in", "nft", _table(
        "f", _chain("prerouting priority raw", 'iifname "w*" meta protocol ip6 drop'),
        _chain(_OPEN))),
    ("an_old_table_of_the_other_back_end", "sh", """
iptables-legacy -P INPUT DROP
nft add table ip z; nft 'add chain ip z i { type filter hook input priority 0; policy accept; }'
nft add rule ip z i accept"""),
    ("a_new_table_behind_the_old", "sh", """
iptables-legacy -A INPUT -j ACCEPT
nft add table inet z; nft 'add chain inet z i { type filter hook input priority 100; policy drop; }'"""),
    ("ipt_accept_in_filter_drop_in_mangle", "sh", """
iptables -A INPUT -j ACCEPT; iptables -t mangle -A INPUT -p tcp -m tcp --dport 80 -j DROP"""),
    ("ipt_published_but_users_chain_drops", "sh", """
iptables -t nat -A PREROUTING -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.30.0.2:80
iptables -N DOCKER-USER; iptables -I FORWARD -j DOCKER-USER; iptables -A FORWARD -j ACCEPT
iptables -A DOCKER-USER -i wan -j DROP; iptables -A DOCKER-USER -j RETURN; iptables -P INPUT DROP"""),
]  # fmt: skip

# whose answer rests on something that is not in a capture, or not modelled: never the wrong word
FOGGY: list[tuple[str, str, str]] = [
    ("let_in_by_an_owner_it_has_not", "nft", _table("f", _chain(_INPUT, "meta skuid 0 accept",
        "meta skgid != 5 accept"))),
    ("knocking", "nft", _table("f", _chain(
        _INPUT, "ip saddr @k tcp dport 22 accept", "tcp dport 443 add @k { ip saddr timeout 9s }"),
        before="set k { type ipv4_addr; flags dynamic,timeout; }\n")),
    ("address_written_without_tracking", "nft", _table("f", _chain(
        "prerouting priority raw", "ip daddr 10.201.0.1 udp dport 22 ip daddr set 10.201.0.9"),
        _chain(_INPUT, "ip daddr 10.201.0.9 udp dport 22 accept"))),
    ("port_written_without_tracking", "nft", _table("f", _chain(
        "prerouting priority raw", "udp dport 22 udp dport set 80"),
        _chain(_INPUT, "udp dport 80 accept"))),
]  # fmt: skip
