"""Rulesets that are loaded into a real kernel: (name, loader, text). Host: 10.201.0.1, veth `wan`.

Behind it lies a container at 172.30.0.2 on `ct`. `nft` texts go to `nft -f -`, `sh` ones to sh.
"""

from __future__ import annotations

_HEAD = "table inet f {{ chain input {{ type filter hook input priority 0; policy {0}; {1} }} }}"


def _drop(rules: str) -> str:
    return _HEAD.format("drop", rules)


def _open(rules: str) -> str:
    return _HEAD.format("accept", rules)


RULESETS: list[tuple[str, str, str]] = [
    ("nothing", "nft", ""),
    ("drop_all", "nft", _drop("")),
    ("accept_policy_final_drop", "nft", _open("tcp dport 22 accept; drop")),
    ("stateful", "nft", _drop("ct state established,related accept; tcp dport 22 accept")),
    ("state_new_only", "nft", _drop("ct state new tcp dport { 22, 443 } accept")),
    ("state_not_new", "nft", _drop("ct state != new accept")),
    ("state_vmap", "nft", _drop(
        "ct state vmap { established : accept, related : accept, invalid : drop };"
        " tcp dport 80-443 accept")),
    ("invalid_first", "nft", _open("ct state invalid drop; tcp dport != 22 drop")),
    ("sources", "nft", _drop("ip saddr 10.201.0.0/26 tcp dport 22 accept")),
    ("sources_negated", "nft", _drop("ip saddr != 10.201.0.0/26 tcp dport 22 accept")),
    ("source_range", "nft", _drop("ip saddr 10.201.0.60-10.201.0.70 accept")),
    ("anonymous_sets", "nft", _drop(
        "ip saddr { 10.201.0.2, 198.51.100.0/24 } tcp dport { 22, 8000-9000 } accept")),
    ("named_set", "nft",
        "table inet f { set s { type ipv4_addr; flags interval;"
        " elements = { 10.201.0.64/26, 192.0.2.1 } }\n"
        " chain input { type filter hook input priority 0; policy drop;"
        " ip saddr @s tcp dport 22 accept; ip saddr != @s tcp dport 80 accept; } }"),
    ("concatenation", "nft",
        "table inet f { set s { type ipv4_addr . inet_service;"
        " elements = { 10.201.0.2 . 22, 198.51.100.7 . 80 } }\n"
        " chain input { type filter hook input priority 0; policy drop;"
        " ip saddr . tcp dport @s accept; } }"),
    ("concatenation_negated", "nft", _open(
        "ip saddr . tcp dport != { 10.201.0.2 . 22, 198.51.100.7 . 80 } drop")),
    ("verdict_map", "nft",
        "table inet f { chain web { ip saddr 198.51.100.0/24 drop; accept; }\n"
        " chain input { type filter hook input priority 0; policy drop;"
        " tcp dport vmap { 22 : accept, 80 : jump web, 443 : drop }; } }"),
    ("verdict_map_of_sources", "nft", _drop(
        "ip saddr vmap { 10.201.0.2 : accept, 10.201.0.64/26 : drop }; tcp dport 443 accept")),
    ("named_verdict_map", "nft",
        "table inet f { map m { type inet_service : verdict;"
        " elements = { 22 : accept, 80 : drop } }\n"
        " chain input { type filter hook input priority 0; tcp dport vmap @m; drop; } }"),
    ("jump_and_return", "nft",
        "table inet f { chain a { tcp dport 22 return; drop; }\n"
        " chain input { type filter hook input priority 0; policy drop; jump a; accept; } }"),
    ("goto_does_not_come_back", "nft",
        "table inet f { chain a { tcp dport 22 accept; }\n"
        " chain b { goto a; accept; }\n"
        " chain input { type filter hook input priority 0; policy drop; jump b;"
        " tcp dport 80 accept; } }"),
    ("two_tables_later_drops", "nft",
        _open("tcp dport { 22, 80 } accept; drop")
        + "\ntable ip g { chain i { type filter hook input priority 10;"
        " tcp dport 80 drop; } }"),
    ("raw_drop", "nft",
        "table ip r { chain p { type filter hook prerouting priority -300;"
        " tcp dport 22 drop; } }"),
    ("ingress_drop", "nft",
        "table netdev n { chain i { type filter hook ingress device wan priority 0;"
        " tcp dport 22 drop; } }"),
    ("six_left_open", "nft",
        "table ip f { chain input { type filter hook input priority 0; policy drop; } }"),
    ("six_only_icmp", "nft", _drop(
        "meta nfproto ipv6 icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept;"
        " meta nfproto ipv4 tcp dport 22 accept; icmp type echo-request accept")),
    ("six_sources", "nft", _drop(
        "icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept;"
        " ip6 saddr fd00:201::/112 tcp dport 22 accept")),
    ("interface", "nft", _drop('iifname "wan" tcp dport 22 accept; iifname "eth*" accept')),
    ("interface_wildcard", "nft", _drop('iifname "w*" tcp dport 80 accept')),
    ("interface_negated", "nft", _drop('iifname != "lo" tcp dport 80 accept')),
    ("destination", "nft", _drop("ip daddr 10.201.0.1 tcp dport 22 accept;"
        " ip daddr 10.9.9.9 accept")),
    ("local_type", "nft", _drop("fib daddr type local tcp dport 22 accept")),
    ("way_back", "nft", _open("fib saddr . iif oif missing drop; tcp dport 80 drop")),
    ("flags_syn", "nft", _open("tcp flags & (fin|syn|rst|ack) == syn tcp dport 22 drop")),
    ("flags_other", "nft", _open("tcp flags & (fin|syn|rst|ack) == ack tcp dport 22 drop")),
    ("flags_in", "nft", _open("tcp flags syn tcp dport 80 drop; tcp flags ack tcp dport 22 drop")),
    ("limit_accept", "nft", _drop("tcp dport 22 limit rate 500/second burst 500 packets accept")),
    ("limit_over", "nft", _open("tcp dport 22 limit rate over 500/second burst 500 packets drop")),
    ("reject", "nft", _open("tcp dport 22 reject with tcp reset; tcp dport 80 reject")),
    ("mark_between", "nft",
        "table inet f { chain p { type filter hook prerouting priority -150;"
        " tcp dport 22 meta mark set 0x10; tcp dport 80 meta mark set meta mark or 0x3; }\n"
        " chain input { type filter hook input priority 0; policy drop;"
        " meta mark 0x10 accept; meta mark and 0x1 == 0x1 accept; } }"),
    ("th_and_l4proto", "nft", _drop("meta l4proto { tcp, udp } th dport 22 accept")),
    ("comparison", "nft", _drop("tcp dport > 400 accept; tcp dport < 23 accept")),
    ("notrack", "nft",
        "table inet f { chain p { type filter hook prerouting priority -300;"
        " tcp dport 22 notrack; }\n"
        " chain input { type filter hook input priority 0; policy drop;"
        " ct state new accept; } }"),
    ("redirect", "nft",
        "table ip n { chain p { type nat hook prerouting priority -100;"
        " tcp dport 8080 redirect to :80; } }\n" + _drop("tcp dport 80 accept")),
    ("redirect_from_filtered", "nft",
        "table ip n { chain p { type nat hook prerouting priority -100;"
        " tcp dport 8080 redirect to :80; } }\n" + _drop("tcp dport 8080 accept")),
    ("dnat_past_input", "nft",
        "table ip n { chain p { type nat hook prerouting priority -100;"
        " tcp dport 8080 dnat to 172.30.0.2:80; } }\n" + _drop("")),
    ("dnat_forward_drop", "nft",
        "table ip n { chain p { type nat hook prerouting priority -100;"
        " tcp dport 8080 dnat to 172.30.0.2:80; } chain f { type filter hook forward priority 0;"
        " policy drop; } }\n" + _drop("")),
    ("dnat_some_sources", "nft",
        "table ip n { chain p { type nat hook prerouting priority -100;"
        " ip saddr 198.51.100.0/24 tcp dport 8080 dnat to 172.30.0.2:80; } }\n" + _drop("")),
    ("dnat_map", "nft",
        "table ip n { chain p { type nat hook prerouting priority -100;"
        " dnat to tcp dport map { 8080 : 172.30.0.2 . 80 }; } }\n" + _drop("")),
    ("dnat_status", "nft",
        "table ip n { chain p { type nat hook prerouting priority -100;"
        " tcp dport 8080 redirect to :80; } }\n" + _drop("ct status dnat accept")),
    ("original_port", "nft",
        "table ip n { chain p { type nat hook prerouting priority -100;"
        " tcp dport 8080 redirect to :80; } }\n" + _drop("ct original proto-dst 8080 accept")),
    ("dormant", "nft", "table inet f { flags dormant; chain input { type filter hook input"
        " priority 0; policy drop; } }"),
    ("udp", "nft", _drop("udp dport 53 accept")),
    ("empty_set", "nft",
        "table inet f { set s { type ipv4_addr; }\n chain input { type filter hook input"
        " priority 0; policy drop; ip saddr @s accept; tcp dport 80 accept; } }"),
    ("ipt_classic", "sh", """
iptables -P INPUT DROP; iptables -A INPUT -i lo -j ACCEPT
iptables -A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
iptables -A INPUT -p tcp -m tcp --dport 22 -j ACCEPT"""),
    ("ipt_final_reject", "sh", """
iptables -A INPUT -m state --state RELATED,ESTABLISHED -j ACCEPT
iptables -A INPUT -p tcp -m state --state NEW -m tcp --dport 22 -j ACCEPT
iptables -A INPUT -j REJECT --reject-with icmp-host-prohibited
ip6tables -P INPUT DROP; ip6tables -A INPUT -p ipv6-icmp -j ACCEPT"""),
    ("ipt_multiport", "sh", """
iptables -A INPUT -p tcp -m multiport --dports 22,400:500 -j ACCEPT
iptables -A INPUT -p tcp -m multiport ! --dports 80 -j DROP"""),
    ("ipt_sources", "sh", """
iptables -A INPUT ! -s 10.201.0.0/26 -p tcp -m tcp --dport 22 -j DROP
iptables -A INPUT -m iprange --src-range 198.51.100.1-198.51.100.9 -j DROP"""),
    ("ipt_chains", "sh", """
iptables -N LOGDROP; iptables -A LOGDROP -j LOG; iptables -A LOGDROP -j DROP
iptables -N SSH; iptables -A SSH -s 10.201.0.2 -j RETURN; iptables -A SSH -j LOGDROP
iptables -A INPUT -p tcp -m tcp --dport 22 -j SSH
iptables -A INPUT -p tcp -m tcp --dport 80 -g LOGDROP"""),
    ("ipt_syn", "sh", """
iptables -A INPUT -p tcp -m tcp --dport 22 --syn -j DROP
iptables -A INPUT -p tcp -m tcp --dport 80 ! --syn -j DROP"""),
    ("ipt_mark", "sh", """
iptables -t mangle -A PREROUTING -p tcp -m tcp --dport 22 -j MARK --set-xmark 0x8000/0x8000
iptables -A INPUT -m mark --mark 0x8000/0x8000 -j DROP"""),
    ("ipt_limits", "sh", """
iptables -A INPUT -p tcp -m tcp --dport 22 -m limit --limit 500/sec --limit-burst 500 -j ACCEPT
iptables -A INPUT -p tcp -m tcp --dport 22 -j DROP
iptables -A INPUT -p tcp -m tcp --dport 80 -m connlimit --connlimit-above 900 -j REJECT"""),
    ("ipt_docker", "sh", """
iptables -N DOCKER; iptables -t nat -N DOCKER; iptables -P INPUT DROP; iptables -P FORWARD DROP
iptables -t nat -A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
iptables -t nat -A DOCKER ! -i ct -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.30.0.2:80
iptables -A FORWARD -o ct -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
iptables -A FORWARD -i ct ! -o ct -j ACCEPT
iptables -A FORWARD -o ct -j DOCKER
iptables -A DOCKER -d 172.30.0.2/32 ! -i ct -o ct -p tcp -m tcp --dport 80 -j ACCEPT"""),
    ("ipt_docker_user_drop", "sh", """
iptables -t nat -A PREROUTING -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.30.0.2:80
iptables -N DOCKER-USER; iptables -A FORWARD -j DOCKER-USER
iptables -A DOCKER-USER -i wan -m conntrack --ctorigdstport 8080 --ctdir ORIGINAL \\
  ! -s 10.201.0.0/26 -j DROP"""),
    ("ipt_notrack", "sh", """
iptables -t raw -A PREROUTING -p tcp -m tcp --dport 22 -j CT --notrack
iptables -A INPUT -m conntrack --ctstate NEW -j ACCEPT; iptables -A INPUT -j DROP"""),
    ("ipt_recent_is_unknown", "sh", """
iptables -A INPUT -p tcp -m tcp --dport 22 -m recent --rcheck --name k -j ACCEPT
iptables -A INPUT -p tcp -m tcp --dport 22 -j DROP"""),
    ("legacy_and_nft", "sh", """
iptables-legacy -A INPUT -p tcp -m tcp --dport 22 -j DROP
nft add table ip z; nft 'add chain ip z i { type filter hook input priority 0; }'
nft add rule ip z i tcp dport 80 drop"""),
    ("legacy_docker", "sh", """
iptables-legacy -P INPUT DROP
iptables-legacy -t nat -A PREROUTING -p tcp -m tcp --dport 8080 -j DNAT \\
  --to-destination 172.30.0.2:80"""),
    ("legacy_redirect", "sh", """
iptables-legacy -t nat -A PREROUTING -p tcp -m tcp --dport 8080 -j REDIRECT --to-ports 80
iptables-legacy -A INPUT -p tcp -m tcp --dport 8080 -j DROP"""),
]  # fmt: skip
# what a drawn ruleset once showed the engine to be wrong about
FOUND: list[tuple[str, str, str]] = [
    ("redirect_moves_what_was_sent_to_another_address", "nft",
        "table inet n { chain p { type nat hook prerouting priority -100;"
        ' iifname "ct" accept; redirect; } }\n' + _drop("ct status dnat accept")),
    ("never_both_below_and_above", "nft", _open("tcp dport < 80 tcp dport > 80 drop")),
    ("below_and_above", "nft", _open("tcp dport < 80 tcp dport > 443 drop")),
    ("outside_a_range", "nft", _open("tcp dport != 80-443 drop")),
    ("outside_a_set", "nft",
        "table inet f { set s { type inet_service; flags interval; elements = { 80-443 }; }\n"
        " chain i { type filter hook input priority 0; tcp dport != @s drop; } }"),
    ("local_by_interface", "nft", _open("fib daddr . iif type local drop")),
    ("local_by_interface_accept", "nft", _drop("fib daddr . iif type local accept")),
    ("raw_has_no_connection", "nft",
        "table inet f { chain p { type filter hook prerouting priority raw;"
        " ct state new drop; ct original proto-dst 443 drop; ct status != dnat drop;"
        " tcp dport 80 ct state invalid drop; ct mark 0x0 drop; } }"),
    ("raw_marks_no_connection", "nft",
        "table inet f { chain p { type filter hook prerouting priority raw;"
        " ct mark set 0x1; tcp dport 80 ct mark set 0x2 drop; meta mark set ct mark drop; }\n"
        " chain i { type filter hook input priority 0; policy drop; ct mark 0x0 accept; } }"),
    ("late_notrack", "nft",
        "table inet f { chain p { type filter hook prerouting priority mangle; notrack; }\n"
        " chain i { type filter hook input priority 0; policy drop; ct state new accept; } }"),
    ("redirect_gives_the_first_address", "nft",
        "table ip n { chain p { type nat hook prerouting priority -100;"
        " tcp dport { 22, 5000 } redirect; } }\n" + _open("ip daddr 10.201.0.9 drop")),
    ("redirect_where_nobody_listens", "nft",
        "table inet n { chain p { type nat hook prerouting priority -100;"
        " tcp dport 22 redirect to :81; udp dport 80 redirect to :5000; } }"),
    ("reset_is_for_tcp", "nft", _open("meta l4proto tcp reject with tcp reset")),
    ("reject_is_for_a_family", "nft", _open(
        "meta nfproto ipv4 reject with icmp admin-prohibited")),
    ("status_compared_whole", "nft",
        "table ip n { chain p { type nat hook prerouting priority -100;"
        " tcp dport 8080 dnat to 172.30.0.2:80; } chain f { type filter hook forward priority 0;"
        " policy drop; ct state established accept; ct status != dnat accept; } }"),
    ("dnat_to_itself_is_none", "nft",
        "table ip n { chain p { type nat hook prerouting priority -100;"
        " meta l4proto { tcp, udp } dnat to 10.201.0.9; } }\n" + _open("ct status dnat drop")),
    ("of_equals_the_last_comes_first", "nft",
        "table ip a { chain p { type nat hook prerouting priority -100; tcp dport 8080 redirect"
        " to :22; } }\ntable ip b { chain p { type nat hook prerouting priority -100;"
        " tcp dport 8080 redirect to :80; } }\n" + _drop("tcp dport 80 accept")),
    ("random_that_always_holds", "nft", _open("tcp dport 22 meta random >= 0 drop")),
    ("limit_that_drops", "nft", _open("tcp dport 22 limit rate 900/second burst 900 packets drop")),
    ("six_asks_for_all_types", "restore", """@@ip6tables-nft-restore
*filter
:INPUT DROP [0:0]
-A INPUT -p tcp -m tcp --dport 22 -m addrtype ! --dst-type UNICAST -j ACCEPT
-A INPUT -p tcp -m tcp --dport 80 -m addrtype --dst-type LOCAL,UNICAST -j ACCEPT
-A INPUT -p udp -m addrtype --dst-type LOCAL,MULTICAST -j ACCEPT
COMMIT
"""),
    ("connlimit_of_none", "sh", """
iptables -A INPUT -p tcp -m tcp --dport 22 -m connlimit --connlimit-above 0 -j REJECT"""),
    ("untracked_is_not_translated", "sh", """
iptables -t raw -A PREROUTING -d 10.201.0.9 -j CT --notrack
iptables -t nat -A PREROUTING -p udp -m udp --dport 8080 -j DNAT --to-destination 10.201.0.9
iptables -A INPUT -m conntrack ! --ctstate DNAT -j DROP"""),
    ("fragments_and_small_segments", "nft",
        "table netdev g { chain i { type filter hook ingress device wan priority -500;"
        " ip frag-off & 0x1fff != 0 drop; tcp flags syn tcp option maxseg size 1-535 drop; } }\n"
        + _drop("exthdr frag exists drop; tcp dport 22 tcp option maxseg size 536-65535 accept;"
        " tcp dport 80 ip frag-off & 0x2000 == 0 accept")),
    ("small_segments", "sh", """
iptables -P INPUT DROP
iptables -A INPUT -p tcp -m tcp --tcp-flags SYN SYN -m tcpmss --mss 1:535 -j DROP
iptables -A INPUT -p tcp -m tcp --dport 80 -m tcpmss --mss 536:65535 -j ACCEPT
iptables -A INPUT -p tcp -m tcp --dport 22 -m tcpmss ! --mss 1:535 -j ACCEPT"""),
    ("all_to_where_nobody_listens", "nft",
        "table inet n { chain p { type nat hook prerouting priority -100;"
        " tcp dport 1-65535 redirect to :8000; } }"),
    ("nothing_but_chance", "sh", """
iptables -A INPUT -m statistic --mode random --probability 1 -j DROP"""),
]  # fmt: skip
# the chains of Docker Engine 28 (as its documentation of iptables lists them) and of netavark 1.14
# (as it loaded them for a real container), with the addresses of the lab; INPUT drops everything
_DOCKER = """@@iptables-{0}-restore
*nat
:PREROUTING ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
:DOCKER - [0:0]
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
-A POSTROUTING -s 172.30.0.0/24 ! -o ct -j MASQUERADE
-A DOCKER -i ct -j RETURN
-A DOCKER ! -i ct -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.30.0.2:80
COMMIT
*raw
:PREROUTING ACCEPT [0:0]
-A PREROUTING -d 172.30.0.2/32 ! -i ct -j DROP
COMMIT
*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:DOCKER - [0:0]
:DOCKER-BRIDGE - [0:0]
:DOCKER-CT - [0:0]
:DOCKER-FORWARD - [0:0]
:DOCKER-INTERNAL - [0:0]
:DOCKER-USER - [0:0]
-A FORWARD -j DOCKER-USER
-A FORWARD -j DOCKER-FORWARD
-A DOCKER -d 172.30.0.2/32 ! -i ct -o ct -p tcp -m tcp --dport 80 -j ACCEPT
-A DOCKER ! -i ct -o ct -j DROP
-A DOCKER-BRIDGE -o ct -j DOCKER
-A DOCKER-CT -o ct -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A DOCKER-FORWARD -j DOCKER-CT
-A DOCKER-FORWARD -j DOCKER-INTERNAL
-A DOCKER-FORWARD -j DOCKER-BRIDGE
-A DOCKER-FORWARD -i ct -j ACCEPT
{1}COMMIT
"""
_USER = "-A DOCKER-USER ! -s 10.201.0.0/26 -i wan -m conntrack --ctstate NEW -j DROP\n"
_NETAVARK = """table inet netavark {
chain INPUT {
 type filter hook input priority filter; policy accept;
 ip saddr 172.30.0.0/24 meta l4proto { tcp, udp } th dport 53 accept
}
chain FORWARD {
 type filter hook forward priority filter; policy accept;
 ct state invalid drop
 jump NETAVARK-ISOLATION-1
 ip daddr 172.30.0.0/24 ct state established,related accept
 ip saddr 172.30.0.0/24 accept
}
chain POSTROUTING {
 type nat hook postrouting priority srcnat; policy accept;
 meta mark & 0x00002000 == 0x00002000 masquerade
}
chain PREROUTING {
 type nat hook prerouting priority dstnat; policy accept;
 fib daddr type local jump NETAVARK-HOSTPORT-DNAT
}
chain NETAVARK-HOSTPORT-DNAT { tcp dport 8080 jump nv_dnat; udp dport 8080 jump nv_dnat; }
chain NETAVARK-HOSTPORT-SETMARK { meta mark set meta mark | 0x00002000; }
chain NETAVARK-ISOLATION-1 { }
chain nv_dnat {
 ip saddr 172.30.0.0/24 tcp dport 8080 jump NETAVARK-HOSTPORT-SETMARK
 tcp dport 8080 dnat ip to 172.30.0.2:80
 udp dport 8080 dnat ip to 172.30.0.2:443
}
}
"""
PUBLISHED: list[tuple[str, str, str]] = [
    ("docker", "restore", _DOCKER.format("nft", "")),
    ("docker_legacy", "restore", _DOCKER.format("legacy", "")),
    ("docker_user_limits", "restore", _DOCKER.format("nft", _USER)),
    ("netavark", "nft", _NETAVARK + _drop("tcp dport 22 accept")),
]
# what ipset holds is in `netlab_programs.IPSETS`
WITH_IPSET: list[tuple[str, str, str]] = [
    (f"set_{sides.replace(' ', '_').replace(',', '_')}", "sh", f"""
iptables -P INPUT DROP; iptables -A INPUT -m set --match-set {sides} -j ACCEPT
iptables-legacy -A INPUT -p tcp -m tcp --dport 22 -m set ! --match-set {sides} -j ACCEPT""")
    for sides in (
        "hosts src", "hosts dst", "nets src", "pairs src,dst", "ports dst",
        "wide src,dst", "ways src,src", "holes src",
    )
]  # fmt: skip
# rulesets whose answer rests on something that no capture shows
UNKNOWN = {
    "below_and_above",
    "ipt_recent_is_unknown",
    "limit_that_drops",
    "outside_a_range",
}
