"""Rulesets of iptables and ip6tables, both back ends, drawn by number like those of `drawn`.

Given in the form of iptables-save, each part headed by the command that it goes to (`Lab.load`).
"""

from __future__ import annotations

import random
import shutil

from tests.facts.drawn import NETS6

_NETS4 = (
    "10.201.0.0/26",
    "10.201.0.64/26",
    "198.51.100.0/24",
    "10.201.0.2",
    "0.0.0.0/1",
    "172.30.0.0/24",
)
_PORTS = ("22", "80", "443", "8080", "53", "5000", "80:443", ":1023", "5000:5001", "8000:")


class Tables:
    """The tables of one family, drawn by `r`."""

    def __init__(self, r: random.Random, family: int, sets: bool) -> None:
        self.r = r
        self.family = family
        self.sets = sets
        self.nets = _NETS4 if family == 4 else NETS6

    def no(self) -> str:
        return "! " if self.r.random() < 0.25 else ""

    def match(self, hook: str) -> str:
        r, six = self.r, self.family == 6
        proto = r.choice(("tcp", "udp"))
        own = "fd00:201::1" if six else r.choice(("10.201.0.1", "10.201.0.9", "10.201.0.0/24"))
        ranges = "fd00:201::1-fd00:201::ff" if six else "10.201.0.60-10.201.0.70"
        made = [
            (5, f"{self.no()}-s {r.choice(self.nets)}"),
            (2, f"{self.no()}-d {own}"),
            (2, f"{self.no()}-i {r.choice(('wan', 'w+', 'lo', 'ct'))}"),
            (6, f"-p {proto} -m {proto} {self.no()}--dport {r.choice(_PORTS)}"),
            (3, f"-p {proto} -m multiport {self.no()}--dports {','.join(r.sample(_PORTS[:6], 3))},8000:9000"),
            (1, f"-p {proto} -m multiport --ports 53,22"),
            (1, f"-p {proto} -m {proto} {self.no()}--sport {r.choice(('53', '1024:65535', ':1023'))}"),
            (1, f"{self.no()}-p {r.choice(('tcp', 'udp', 'icmp', '47'))}"),
            (3, "-m conntrack " + self.no() + "--ctstate " + r.choice((
                "NEW", "RELATED,ESTABLISHED", "INVALID", "NEW,UNTRACKED", "UNTRACKED", "DNAT", "NEW,ESTABLISHED"))),
            (1, f"-m state {self.no()}--state {r.choice(('NEW', 'RELATED,ESTABLISHED', 'INVALID'))}"),
            (1, f"-m conntrack {self.no()}--ctstatus {r.choice(('SEEN_REPLY', 'CONFIRMED', 'ASSURED', 'NONE'))}"),
            (1, f"-m conntrack {self.no()}--ctorigdstport {r.choice(('8080', '443'))}"),
            (1, f"-m conntrack --ctdir {r.choice(('ORIGINAL', 'REPLY'))}"),
            (1, f"-m addrtype {self.no()}--dst-type {r.choice(('LOCAL', 'MULTICAST' if six else 'BROADCAST', 'UNICAST', 'LOCAL,MULTICAST'))}"),
            (1, f"-m addrtype {self.no()}--dst-type LOCAL --limit-iface-in"),
            (1, f"-m addrtype {self.no()}--src-type {r.choice(('LOCAL', 'UNICAST'))}"),
            (1, f"-m iprange {self.no()}--src-range {ranges}"),
            (2, f"-m mark {self.no()}--mark {r.choice(('0x1', '0x10/0xf0', '0x0', '0x2/0x2'))}"),
            (1, f"-m connmark {self.no()}--mark {r.choice(('0x1', '0x20/0xff', '0x0'))}"),
            (1, f"-m pkttype {self.no()}--pkt-type {r.choice(('unicast', 'broadcast', 'multicast'))}"),
            (1, "-p tcp -m tcp " + self.no() + r.choice((
                "--syn", "--tcp-flags FIN,SYN,RST,ACK SYN", "--tcp-flags ALL NONE", "--tcp-flags SYN,RST SYN,RST", "--tcp-flags ACK ACK"))),
            (1, "-m limit --limit 9000/sec --limit-burst 9000"),
            (1, f"-m hashlimit --hashlimit-{r.choice(('upto', 'above'))} 9000/sec --hashlimit-burst 9000 --hashlimit-mode srcip --hashlimit-name h{r.randrange(99)}"),
            (1, f"-p tcp -m connlimit {r.choice(('--connlimit-above 900', '--connlimit-upto 900', '--connlimit-above 0'))}"),
            (1, '-m comment --comment "a b -j DROP"'),
            (1, "-m statistic --mode random --probability 1"),
            (1, r.choice(("-m length --length 1:9000", "-m u32 --u32 0=0", "-m ttl --ttl-gt 3" if not six else "-m hl --hl-gt 3", "-m recent --name x --set", "-m dscp --dscp 0x00"))),
        ]  # fmt: skip
        if hook == "PREROUTING":
            made.append((1, f"-m rpfilter {r.choice(('', '--invert', '--loose'))}"))
        if self.sets and not six:
            made.append((3, f"-m set {self.no()}--match-set " + r.choice((
                "hosts src", "nets src", "pairs src,dst", "ports dst", "wide src,dst", "ways src,src", "holes src", "hosts dst"))))  # fmt: skip
        if self.sets and six:
            made.append((1, f"-m set {self.no()}--match-set nets6 src"))
        return r.choices([m for _, m in made], [w for w, _ in made])[0]

    def matches(self, hook: str) -> str:
        while True:
            count = self.r.choices((0, 1, 2, 3), (1, 5, 4, 1))[0]
            text = " ".join(self.match(hook) for _ in range(count))
            options = [w for w in text.split() if w in ("-p", "-s", "-d", "-i")]
            # one of each option, of each match
            named = [part.split()[0] for part in text.split("-m ")[1:]]
            if len(set(options)) == len(options) and len(set(named)) == len(named):
                return text

    def rule(self, chain: str, table: str, below: list[str], hook: str) -> str:
        r = self.r
        target = r.choices(
            ["ACCEPT", "DROP", "RETURN", "jump", "LOG", "REJECT", "MARK", "CONNMARK", "none"],
            [7, 6, 1, 4, 1, 1, 2, 1, 1],
        )[0]
        matches = self.matches(hook)
        if "limit" in matches and target in ("ACCEPT", "DROP", "REJECT") and r.random() < 0.9:
            # as people write it: what is too much is dropped
            target = "DROP" if "above" in matches else "ACCEPT"
        if target == "jump" and below:
            target = f"{r.choice(('-j', '-j', '-g'))} {r.choice(below)}"
        elif target == "none":
            target = ""
        elif target == "REJECT" and table == "filter":
            target = "-j REJECT"
            if "-p tcp" in matches and "! -p" not in matches:
                target += " --reject-with tcp-reset"
        elif target == "LOG":
            target = '-j LOG --log-prefix "[UFW BLOCK] "'
        elif target == "MARK" and table == "mangle":
            target = "-j MARK --set-xmark " + r.choice(
                ("0x1/0xffffffff", "0x10/0xf0", "0x2/0x2", "0x3/0x0")
            )
        elif target == "CONNMARK" and table == "mangle":
            target = "-j CONNMARK " + r.choice(
                (
                    "--set-xmark 0x1/0xffffffff",
                    "--save-mark",
                    "--restore-mark",
                    "--restore-mark --nfmask 0xff --ctmask 0xff",
                )
            )
        elif target in ("ACCEPT", "DROP", "RETURN"):
            target = f"-j {target}"
        else:
            target = "-j ACCEPT"
        return " ".join(f"-A {chain} {matches} {target}".split(" ")).replace("  ", " ").strip()

    def table(self, name: str, chains: tuple[str, ...]) -> str:
        r = self.r
        own = [f"{name[:1]}{n}" for n in range(r.randint(0, 3))]
        lines, rules = [], []
        for chain in chains:
            drop = chain == "INPUT" and name == "filter" and r.random() < 0.5
            lines.append(f":{chain} {'DROP' if drop else 'ACCEPT'} [0:0]")
            if chain in ("PREROUTING", "FORWARD"):
                rules.append(f"-A {chain} -i ct -j ACCEPT")
            if r.random() < 0.4 and name == "filter":
                rules.append(f"-A {chain} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT")
            if name == "raw" and r.random() < 0.4:
                rules.append(
                    f"-A {chain} {self.matches(chain)} -j {r.choice(('CT --notrack', 'NOTRACK'))}"
                )
            rules += [self.rule(chain, name, own, chain) for _ in range(r.randint(0, 5))]
        for at, chain in enumerate(own):
            lines.append(f":{chain} - [0:0]")
            rules += [self.rule(chain, name, own[:at], "") for _ in range(r.randint(0, 4))]
        return "\n".join([f"*{name}", *lines, *rules, "COMMIT\n"])

    def nat(self) -> str:
        r, six = self.r, self.family == 6
        container, second = ("[fd00:30::2]", "fd00:201::1") if six else ("172.30.0.2", "10.201.0.9")
        local = "-m addrtype --dst-type LOCAL"
        choices = [
            f"{local} -j DOCKER",
            f"-p tcp -m tcp --dport 8080 -j DNAT --to-destination {container}:80",
            f"-s {r.choice(self.nets)} -p tcp -m tcp --dport 443 -j DNAT --to-destination {container}:80",
            f"-p udp -m udp --dport {r.choice(('22', '443'))} -j REDIRECT --to-ports 80",
            f"{self.matches('PREROUTING')} -p tcp -m tcp --dport 8080 -j REDIRECT --to-ports 22",
            "-p tcp -m tcp --dport 443 -j REDIRECT",
            f"-p udp -m udp --dport 8080 -j DNAT --to-destination {second}",
        ]
        chosen = [c for c in r.sample(choices, 2) if c.count("-p ") < 2]
        chosen = [c for c in chosen if c.count("-m tcp") < 2]
        return "\n".join([
            "*nat", ":PREROUTING ACCEPT [0:0]", ":DOCKER - [0:0]", "-A PREROUTING -i ct -j ACCEPT",
            *(f"-A PREROUTING {c}" for c in chosen),
            f"-A DOCKER ! -i ct -p tcp -m tcp --dport 8080 -j DNAT --to-destination {container}:80",
            "COMMIT\n",
        ])  # fmt: skip

    def text(self) -> str:
        r = self.r
        parts = [
            self.table("filter", ("INPUT", "FORWARD", "OUTPUT") if r.random() < 0.3 else ("INPUT",))
        ]
        if r.random() < 0.3:
            parts.append(self.table("raw", ("PREROUTING",)))
        if r.random() < 0.4:
            parts.append(self.table("mangle", ("PREROUTING", "INPUT")))
        if r.random() < 0.4:
            parts.append(self.nat())
        return "".join(parts).replace("-A OUTPUT", "-A INPUT")


def _both(r: random.Random, back: str) -> tuple[str, str]:
    sets = shutil.which("ipset") is not None
    return "restore", "".join(
        f"@@{command}-{back}-restore\n{Tables(r, family, sets).text()}"
        for command, family in (("iptables", 4), ("ip6tables", 6))
    )


def iptables_nft(r: random.Random) -> tuple[str, str]:
    return _both(r, "nft")


def iptables_legacy(r: random.Random) -> tuple[str, str]:
    return _both(r, "legacy")
