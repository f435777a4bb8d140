"""Rulesets nobody thought of: the same number draws the same rules for ever.

Host, devices and addresses are those of `netlab`. Each draw gives (loader, text) for `Lab.load`.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable

NETS4 = (
    "10.201.0.0/26", "10.201.0.64/26", "198.51.100.0/24", "10.201.0.2", "0.0.0.0/1",
    "172.30.0.0/24", "10.201.0.60-10.201.0.70", "128.0.0.0/1", "192.0.2.1",
)  # fmt: skip
NETS6 = ("fd00:201::/64", "2001:db8:7::7", "2001:db8::/32", "fd00:30::/64", "::/1", "fe80::/10")
PORTS = ("22", "80", "443", "8080", "53", "5000", "80-443", "1-1023", "5000-5001", "8000-9000")
_HOOKS = (
    ("input", "filter", ("filter", "0", "filter - 5", "10", "-150", "security")),
    ("prerouting", "filter", ("raw", "-300", "mangle", "filter", "dstnat - 5", "-90")),
    ("forward", "filter", ("filter", "-5", "10")),
)


class Draw:
    """One table of nft, of one family, drawn by `r`."""

    def __init__(self, r: random.Random, family: str, name: str) -> None:
        self.r = r
        self.family = family
        self.name = name
        self.chains = [f"c{n}" for n in range(r.randint(0, 3))]
        self.named: list[str] = []
        self.v4 = family != "ip6"
        self.v6 = family != "ip"

    # --- right sides -------------------------------------------------------------------------

    def some(self, of: tuple[str, ...]) -> str:
        """One value, or an anonymous set of values that do not overlap."""
        if self.r.random() < 0.5:
            return self.r.choice(of)
        plain = [v for v in of if "-" not in v and "/1" not in v]
        return "{ " + ", ".join(self.apart(plain, self.r.randint(1, 3))) + " }"

    def apart(self, of: list[str], count: int) -> list[str]:
        chosen = self.r.sample(of, min(count, len(of)))
        if "10.201.0.2" in chosen and "10.201.0.0/26" in chosen:
            chosen.remove("10.201.0.2")
        if "2001:db8:7::7" in chosen and "2001:db8::/32" in chosen:
            chosen.remove("2001:db8:7::7")
        return chosen

    def no(self) -> str:
        return "!= " if self.r.random() < 0.25 else ""

    # --- matches -----------------------------------------------------------------------------

    def of_family(self, six: bool) -> str:
        ip, nets = ("ip6", NETS6) if six else ("ip", NETS4)
        pick = self.r.random()
        if pick < 0.55:
            return f"{ip} saddr {self.no()}{self.some(nets)}"
        if pick < 0.7:
            wide = (
                "fd00:201::1"
                if six
                else self.r.choice(("10.201.0.1", "10.201.0.9", "10.201.0.0/24"))
            )
            return f"{ip} daddr {self.no()}{wide}"
        if pick < 0.8:
            return f"{ip} {'nexthdr' if six else 'protocol'} {self.r.choice(('tcp', 'udp'))}"
        return self.set_of(six)

    def set_of(self, six: bool) -> str:
        """A named set, made for this one place."""
        r = self.r
        ip, kind = ("ip6", "ipv6_addr") if six else ("ip", "ipv4_addr")
        name = f"s{len(self.named)}"
        nets = [n for n in (NETS6 if six else NETS4) if "/1" not in n and "-" not in n]
        shape = r.randrange(5)
        if shape == 0:
            held = ", ".join(self.apart(nets, 3))
            self.named.append(
                f"set {name} {{ type {kind}; flags interval; elements = {{ {held} }}\n}}"
            )
            return f"{ip} saddr {self.no()}@{name}"
        if shape == 1:
            pairs = ", ".join(
                f"{n} . {p}" for n, p in zip(self.apart(nets, 3), PORTS, strict=False)
            )
            self.named.append(
                f"set {name} {{ type {kind} . inet_service; flags interval; elements = {{ {pairs} }}\n}}"
            )
            return (
                f"{ip} saddr . {r.choice(('tcp', 'udp', 'th'))} dport {self.no()}@{name}".replace(
                    ". th dport", ". th dport" if r.random() < 2 else ""
                )
            )
        if shape == 2:
            parts = ", ".join(f"{n} . {p} . {q}" for n, p, q in zip(
                self.apart(nets, 2), ("tcp", "udp"), ("22", "80-443"), strict=False))  # fmt: skip
            self.named.append(
                f"set {name} {{ type {kind} . inet_proto . inet_service; flags interval;"
                f" elements = {{ {parts} }}\n}}"
            )
            return f"{ip} saddr . meta l4proto . th dport {self.no()}@{name}"
        if shape == 3:
            self.named.append(f"set {name} {{ type {kind}; }}")
            return f"{ip} saddr {self.no()}@{name}"
        pairs = ", ".join(
            f'"{d}" . {n}' for d, n in zip(("wan", "ct"), self.apart(nets, 2), strict=False)
        )
        self.named.append(
            f"set {name} {{ type ifname . {kind}; flags interval; elements = {{ {pairs} }}\n}}"
        )
        return f"iifname . {ip} saddr {self.no()}@{name}"

    def any_family(self) -> str:
        r = self.r
        makers: list[tuple[float, Callable[[], str]]] = [
            (6, lambda: f"tcp dport {self.no()}{self.some(PORTS)}"),
            (3, lambda: f"udp dport {self.no()}{self.some(PORTS)}"),
            (2, lambda: "meta l4proto { tcp, udp } th dport " + self.some(PORTS)),
            (1, lambda: f"meta l4proto {self.no()}{r.choice(('tcp', 'udp', '{ tcp, icmp }', 'icmp'))}"),
            (1, lambda: f"tcp dport {r.choice(('>', '<', '>=', '<='))} {r.choice(('22', '80', '443'))}"),
            (1, lambda: f"tcp sport {self.no()}{r.choice(('53', '1024-65535', '1-1023'))}"),
            (1, lambda: f"udp sport {self.no()}{r.choice(('53', '{ 53, 123 }'))}"),
            (3, lambda: "ct state " + self.no() + r.choice((
                "new", "established,related", "invalid", "{ new, untracked }", "untracked"))),
            (1, lambda: f"ct status {self.no()}dnat"),
            (1, lambda: f"ct direction {r.choice(('original', 'reply'))}"),
            (1, lambda: f"ct original proto-dst {r.choice(('8080', '443', '22'))}"),
            (2, lambda: "iifname " + self.no() + r.choice(('"wan"', '"w*"', '"lo"', '{ "wan", "ct" }', '"ct"'))),
            (1, lambda: "iif " + self.no() + r.choice(("wan", '"ct"', "lo"))),
            (2, lambda: "meta mark " + self.no() + r.choice(("0x1", "0x10", "0x0", "{ 0x1, 0x3 }"))),
            (1, lambda: f"meta mark & {r.choice(('0x1', '0x2', '0xff'))} {r.choice(('==', '!='))} {r.choice(('0x1', '0x2', '0'))}"),
            (1, lambda: f"ct mark {self.no()}{r.choice(('0x1', '0x0', '0x20'))}"),
            (1, lambda: f"meta pkttype {self.no()}{r.choice(('host', 'unicast', 'broadcast', '{ broadcast, multicast }'))}"),
            (1, lambda: f"fib daddr type {self.no()}{r.choice(('local', 'broadcast', '{ local, multicast }', 'unicast'))}"),
            (1, lambda: "fib saddr . iif oif " + r.choice(("missing", "exists", "!= 0", "0"))),
            (1, lambda: f"fib daddr . iif type {self.no()}local"),
            (1, lambda: "tcp flags " + r.choice((
                "syn", "ack", "& (fin|syn|rst|ack) == syn", "& (syn|ack) == ack", "& syn != 0",
                "& (fin|syn|rst|psh|ack|urg) == 0x0", "!= syn", "syn / fin,syn,rst,ack", "{ syn, syn|ack }"))),
            (1, lambda: f"limit rate {r.choice(('', 'over '))}9000/second burst 9000 packets"),
            (1, lambda: r.choice(("counter", 'log prefix "x "', "meta random >= 0", "ct count over 900"))),
            (0.5, lambda: r.choice(("icmp type echo-request", "icmpv6 type nd-neighbor-solicit", "meta length 1-9000", "ip ttl > 3", "meta cgroup 0", "meta hour 00:00-23:59"))),
        ]  # fmt: skip
        if self.v4 and self.v6:
            makers.append((2, lambda: f"meta nfproto {self.no()}{r.choice(('ipv4', 'ipv6'))}"))
            makers.append((1, lambda: f"meta protocol {r.choice(('ip', 'ip6', '{ ip, arp }'))}"))
        return r.choices([m for _, m in makers], [w for w, _ in makers])[0]()

    def matches(self) -> str:
        six = self.v6 and (not self.v4 or self.r.random() < 0.4)
        found = [
            self.of_family(six) if self.r.random() < 0.35 else self.any_family()
            for _ in range(self.r.choices((0, 1, 2, 3), (1, 5, 4, 1))[0])
        ]
        return " ".join(found)

    # --- verdicts ----------------------------------------------------------------------------

    def verdict(self, below: list[str]) -> str:
        r = self.r
        pick = r.choices(
            ["accept", "drop", "return", "jump", "mark", "reject", "vmap", "none", "ctmark"],
            [7, 6, 1, 4, 2, 1, 3, 1, 1],
        )[0]
        if pick == "jump" and below:
            return f"{r.choice(('jump', 'jump', 'goto'))} {r.choice(below)}"
        if pick == "vmap":
            return self.vmap(below)
        if pick == "mark":
            return "meta mark set " + r.choice((
                "0x1", "0x10", "meta mark or 0x2", "meta mark & 0xfe", "meta mark xor 0x3", "ct mark"))  # fmt: skip
        if pick == "ctmark":
            return f"ct mark set {r.choice(('0x1', 'meta mark', '0x20'))}"
        if pick == "reject":
            wide = ["reject with icmpx admin-prohibited"] if self.v4 and self.v6 else []
            return r.choice(["reject", "meta l4proto tcp reject with tcp reset", *wide])
        if pick == "none":
            return r.choice(("counter", 'log prefix "seen " level info', "continue"))
        return pick if pick in ("accept", "drop", "return") else "accept"

    def ends(self, below: list[str]) -> str:
        wanted = ["accept", "drop", *[f"jump {b}" for b in below[:1]], "return", "continue"]
        return self.r.choice(wanted)

    def vmap(self, below: list[str]) -> str:
        r = self.r
        shape = r.randrange(5)
        if shape == 0:
            keys, left = r.sample(PORTS[:6], 3), "tcp dport"
        elif shape == 1:
            keys, left = ["established", "related", "new"], "ct state"
        elif shape == 2:
            keys, left = ['"wan"', '"ct"'], "iifname"
        elif shape == 3:
            keys, left = ["tcp", "udp"], "meta l4proto"
        else:
            keys, left = (
                [f"{p} . {q}" for p, q in (("tcp", "22"), ("udp", "80"), ("tcp", "443"))],
                "meta l4proto . th dport",
            )
        arms = ", ".join(f"{key} : {self.ends(below)}" for key in keys)
        if shape in (0, 3) and r.random() < 0.4:
            name = f"m{len(self.named)}"
            kind = "inet_service" if shape == 0 else "inet_proto"
            self.named.append(f"map {name} {{ type {kind} : verdict; elements = {{ {arms} }}\n}}")
            return f"{left} vmap @{name}"
        return f"{left} vmap {{ {arms} }}"

    # --- chains ------------------------------------------------------------------------------

    def rules(self, below: list[str], most: int = 5) -> list[str]:
        found: list[str] = []
        while len(found) < most and self.r.random() < 0.8:
            made = len(self.named)
            matches, verdict = self.matches(), self.verdict(below)
            if "900" in matches and verdict in ("accept", "drop", "reject"):
                # as people write it: what is too much is dropped
                verdict = "drop" if "over" in matches else "accept"
            rule = f"{matches} {verdict}".strip()
            if _possible(rule):
                found.append(rule)
            else:
                del self.named[made:]
        return found

    def base(self, number: int) -> str:
        r = self.r
        hook, kind, priorities = r.choices(_HOOKS, (6, 3, 1))[0]
        policy = (
            r.choice(("accept", "drop"))
            if hook == "input"
            else r.choice(("accept",) * 3 + ("drop",))
        )
        lines = [] if hook == "input" else ['iifname "ct" accept']
        if hook == "prerouting" and r.random() < 0.3:
            lines.append(f"{self.matches()} notrack".strip())
        lines = [line for line in lines if _possible(line)]
        if r.random() < 0.3:
            lines.append("ct state established,related accept")
        lines += self.rules(self.chains)
        head = f"type {kind} hook {hook} priority {r.choice(priorities)}; policy {policy};"
        return _chain(f"b{number}", [head, *lines])

    def nat(self) -> str:
        r = self.r
        lines = []
        to = "dnat ip to" if self.family == "inet" else "dnat to"
        for _ in range(r.randint(1, 2)):
            choices = ["tcp dport 443 redirect to :80", "udp dport 22 redirect to :443", "redirect"]
            choices.append(
                f"{self.matches()} tcp dport {r.choice(PORTS[:4])} redirect to :{r.choice(PORTS[:4])}"
            )
            if self.v4:
                choices += [
                    f"tcp dport 8080 {to} 172.30.0.2:80",
                    f"ip saddr {self.some(NETS4)} tcp dport 8080 {to} 172.30.0.2:80",
                    f"meta l4proto {{ tcp, udp }} {to} 10.201.0.9",
                    "fib daddr type local tcp dport 8080 "
                    f"{to} tcp dport map {{ 8080 : 172.30.0.2, 443 : 10.201.0.1 }}",
                    f"{to} tcp dport map {{ 8080 : 172.30.0.2 . 80, 443 : 10.201.0.1 . 22 }}",
                    f"udp dport 8080 {to} 172.30.0.2:443",
                ]
            lines.append(r.choice([c for c in choices if _possible(c)]))
        head = "type nat hook prerouting priority dstnat; policy accept;"
        return _chain("n", [head, 'iifname "ct" accept', *lines])

    def text(self) -> str:
        bases = [self.base(n) for n in range(self.r.randint(1, 3))]
        inner = [_chain(name, self.rules(self.chains[:n], 4)) for n, name in enumerate(self.chains)]
        nat = [self.nat()] if self.r.random() < 0.3 else []
        return (
            f"table {self.family} {self.name} {{\n"
            + "\n".join([*self.named, *inner, *nat, *bases])
            + "\n}\n"
        )


def _possible(rule: str) -> bool:
    """Would nft take it: one protocol of each layer?"""
    transport = set(
        re.findall(r"\b(tcp|udp|th|icmp|icmpv6) (?:dport|sport|flags|option|type)", rule)
    )
    inner = set(re.findall(r"\b(ip6?) (?:saddr|daddr|nexthdr|protocol|ttl)", rule))
    inner |= {"ip"} if "icmp type" in rule else {"ip6"} if "icmpv6 type" in rule else set()
    inner |= {"nfproto"} if re.search("nfproto|meta protocol", rule) else set()
    inner |= {"ip"} if re.search("dnat.* to .*[0-9][.]", rule) and inner else set()
    l4 = rule.count("l4proto") + rule.count(" nexthdr") + rule.count(" protocol")
    return len(transport) + min(l4, 1) < 2 and len(inner) < 2 and l4 < 2


def _chain(name: str, lines: list[str]) -> str:
    return f"chain {name} {{\n" + "\n".join(lines) + "\n}"


def nft(r: random.Random) -> tuple[str, str]:
    families = r.choice(
        (["inet"], ["inet"], ["ip", "ip6"], ["inet", "ip"], ["ip"], ["inet", "inet"])
    )
    return "nft-as-is", "".join(Draw(r, f, f"t{n}").text() for n, f in enumerate(families))
