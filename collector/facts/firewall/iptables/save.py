"""What iptables-save(8) and ip6tables-save(8) print → the model of `packets`.

The form is the same for both back ends (legacy and nf_tables) and every version since 1.4.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from collector.errors import NotUnderstood
from collector.facts.base.intervals import NONE, address
from collector.facts.firewall.iptables.matches import Sets, Words
from collector.facts.firewall.rules.packet import Numeric, Unknown
from collector.facts.firewall.rules.rules import Base, Divert, Go, Rate, Rewrite, Rule, Set, Step
from collector.facts.shell import quoting
from collector.i18n.message import msg

_PRIORITY = {"raw": -300, "mangle": -150, "nat": -100, "filter": 0, "security": 50}
_HOOKS = {"PREROUTING": "prerouting", "INPUT": "input", "FORWARD": "forward"}
_BUILT_IN = {
    "filter": ("INPUT", "FORWARD", "OUTPUT"),
    "nat": ("PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"),
    "mangle": ("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"),
    "raw": ("PREROUTING", "OUTPUT"),
    "security": ("INPUT", "FORWARD", "OUTPUT"),
}
_PASSIVE = {
    "LOG", "NFLOG", "ULOG", "TCPMSS", "CHECKSUM", "CLASSIFY", "TRACE", "SET", "TEE",
    "AUDIT", "SECMARK", "CONNSECMARK", "TCPOPTSTRIP", "MASQUERADE", "SNAT",
    "HMARK", "ECN", "RATEEST", "LED", "IDLETIMER", "SYSRQ",
}  # fmt: skip
_COMMAND = re.compile(
    r"(?:\[\d+:\d+\] )?(-A|--append|-I|--insert|-P|--policy|-[FNXZ]|--flush|--new(?:-chain)?"
    r"|--delete-chain|--zero)(?:[ \t]+(\S.*))?"
)
_SHORT = {
    "--flush": "F", "--new": "N", "--new-chain": "N", "--delete-chain": "X", "--zero": "Z",
}  # fmt: skip
_IGNORED = {"comment"}
_KNOWN = {
    "", "tcp", "udp", "udplite", "sctp", "dccp", "icmp", "icmp6", "icmpv6", "multiport",
    "conntrack", "state", "comment", "addrtype", "iprange", "mark", "connmark", "pkttype", "set",
    "rpfilter", "ttl", "hl", "length", "dscp", "tcpmss",
}  # fmt: skip
_ABSENT = {"owner", "cgroup", "rt", "frag", "mh", "ah", "esp", "hbh", "dst"}
_RATES = {"limit", "hashlimit", "connlimit", "statistic"}


@dataclass(frozen=True)
class Saved:
    """One table as saved: its chains and base chains, named `FAMILY TABLE CHAIN`."""

    family: int
    name: str
    chains: Mapping[str, tuple[Rule, ...]]
    bases: tuple[Base, ...]


def saved(
    text: str, family: int, read: str, sets: Sets, tag: str = ""
) -> tuple[list[Saved], list[str]]:
    """The tables that were printed, and the names of those that it says it could not print.

    `sets` are the sets of ipset by name; `tag` sets chains of one back end apart. Raises
    NotUnderstood.
    """
    tables: list[Saved] = []
    refused: list[str] = []
    parser: _Table | None = None
    for line in text.splitlines():
        bare = line.strip()
        if match := re.match(
            r"#\s*Table [`']?([\w-]+)'? (?:is incompatible|contains incompat)", bare
        ):
            refused.append(match[1])
        elif not bare or bare.startswith("#"):
            continue
        elif bare.startswith("*"):
            parser = _Table(family, bare[1:], tag, sets)
        elif parser is None:
            raise NotUnderstood(read, msg("outside_table", bare=bare[:120]))
        elif bare == "COMMIT":
            tables.append(parser.finish())
            parser = None
        elif bare.startswith(":"):
            parser.chain(bare, read)
        elif match := _COMMAND.match(bare):
            parser.command(match[1], match[2] or "", bare, read)
        else:
            raise NotUnderstood(read, msg("not_line_iptables_save", bare=bare[:120]))
    if parser is not None:
        raise NotUnderstood(read, msg("table_no_commit", name=parser.name))
    return tables, refused


class _Table:
    def __init__(
        self,
        family: int,
        name: str,
        tag: str,
        sets: Sets,
    ) -> None:
        self.family = family
        self.name = name
        self.prefix = f"{'iptables' if family == 4 else 'ip6tables'}{tag} {name}"
        self.sets = sets
        self.rules: dict[str, list[Rule]] = {}
        self.bases: list[Base] = []

    def chain(self, line: str, read: str) -> None:
        words = line[1:].split()
        if len(words) < 2:
            raise NotUnderstood(read, msg("not_chain_iptables_save", line=line[:120]))
        self._chain(*words[:2])

    def _chain(self, name: str, policy: str) -> None:
        self.rules[name] = []
        hook = _HOOKS.get(name)
        if hook is None or policy == "-":
            return
        # nat INPUT comes after the filter (priority of srcnat), nat PREROUTING at dstnat
        priority = 100 if (self.name, name) == ("nat", "INPUT") else _PRIORITY.get(self.name, 0)
        kind = "nat" if self.name == "nat" else "filter"
        self.bases.append(
            Base(f"{self.prefix} {name}", self.family, kind, hook, priority, policy == "ACCEPT")
        )

    def command(self, name: str, rest: str, line: str, read: str) -> None:
        """A line of a rule or, in a file that somebody wrote by hand, of a policy.

        Only the tool's own print is bound to `-A`; restoring takes what iptables(8) takes.
        """
        if name in ("-A", "--append"):
            self._rule(f"-A {rest}", read)
            return
        words = rest.split()
        if (short := _SHORT.get(name, name[1:])) in _SHORT.values():
            if not self._of_chain(short, words):
                raise NotUnderstood(read, msg("not_line_iptables_save", bare=line[:120]))
            return
        if name in ("-P", "--policy") and len(words) == 2 and words[1] in ("ACCEPT", "DROP"):
            self._of(words[0])
            of = f"{self.prefix} {words[0]}"
            self.bases = [
                replace(base, accept=words[1] == "ACCEPT") if base.chain == of else base
                for base in self.bases
            ]
            return
        place = int(words[1]) if len(words) > 1 and words[1].isdigit() else 1
        if name in ("-I", "--insert") and words and 0 < place <= len(self._of(words[0])) + 1:
            chain, _, told = rest.partition(" ")
            self._rule(f"-A {chain} {told.removeprefix(f'{place} ')}", read)
            rules = self.rules[chain]
            rules.insert(place - 1, rules.pop())
            return
        raise NotUnderstood(read, msg("not_line_iptables_save", bare=line[:120]))

    def _of_chain(self, command: str, words: list[str]) -> bool:
        """Flush, make, delete or zero chains; False where the tool would refuse that line.

        It refuses the whole file then, so that nothing of it is loaded.
        """
        own = [name for name in self.rules if name not in _BUILT_IN.get(self.name, ())]
        if len(words) > 1 or (not words and command == "N"):
            return False
        if command == "N":
            if words[0] in self.rules or words[0] in _BUILT_IN.get(self.name, ()):
                return False
            self.rules[words[0]] = []
            return True
        if words and words[0] not in self.rules:
            return command != "X" and words[0] in _BUILT_IN.get(self.name, ())
        if command == "F" and not words:
            # iptables-nft-restore keeps what the same file had before it, the older one does not
            return not any(self.rules.values())
        if command == "F":
            self.rules[words[0]] = []
        if command == "X":
            gone = words or own
            if any(name not in own or self.rules[name] for name in gone) or self._named(gone):
                return False
            for name in gone:
                del self.rules[name]
        return True

    def _named(self, chains: list[str]) -> bool:
        """Does a rule lead to one of the chains?"""
        targets = {f"{self.prefix} {name}" for name in chains}
        steps = (step for rules in self.rules.values() for rule in rules for step in rule.steps)
        return any(isinstance(step, Go) and step.target in targets for step in steps)

    def _of(self, chain: str) -> list[Rule]:
        """Its rules. A built-in chain is there without a line of its own, and lets through."""
        if chain not in self.rules and chain in _BUILT_IN.get(self.name, ()):
            self._chain(chain, "ACCEPT")
        return self.rules.setdefault(chain, [])

    def _rule(self, line: str, read: str) -> None:
        try:
            words = quoting.split(line)
        except ValueError:
            raise NotUnderstood(read, msg("quotes_not_end", line=line[:120])) from None
        steps = _steps(Words(words[2:], self.family, self.sets), self)
        text = f"{self.prefix} {line}"
        self._of(words[1]).append(Rule(tuple(steps), text[:300]))

    def finish(self) -> Saved:
        chains = {f"{self.prefix} {name}": tuple(rules) for name, rules in self.rules.items()}
        return Saved(self.family, self.name, chains, tuple(self.bases))


def _steps(words: Words, table: _Table) -> list[Step]:
    matches: list[Step] = []
    seen: set[str] = set()
    while words.at < len(words.words):
        negate = words.take("!")
        word = words.next()
        if word in ("-m", "--match"):
            words.module = words.next()
            if words.module == "recent":
                matches += _recent(words.until_next())
            elif words.module in _RATES:
                matches += _rate(words.module, words.until_next())
            elif words.module in _ABSENT:
                # a header, or a socket, that a new packet does not have
                matches.append(Numeric("proto", NONE))
            elif words.module not in _KNOWN:
                # it holds something to the packet even where no option follows
                matches.append(Unknown(f"-m {words.module}"))
            continue
        if word in ("-j", "--jump", "-g", "--goto"):
            name = words.next()
            rest = words.words[words.at :]
            return [*matches, *_target(table, name, rest, goto=word in ("-g", "--goto"))]
        found = words.match(word, words.take("!") or negate)
        if isinstance(found, Unknown):
            # what an option of a module that is not known may say was said by its name
            known = words.module in _KNOWN and words.module not in _IGNORED
            if not known or found.text in seen:
                continue
            seen.add(found.text)
        matches.append(found)
    return matches


def _recent(options: list[str]) -> list[Step]:
    """Which sources were seen before no capture shows; --set only notes one more.

    With --hitcount of more than one it holds back those who come too often, or lets in all others.
    """
    if "--set" in options and "!" not in options:
        return []
    hits = options[options.index("--hitcount") + 1] if "--hitcount" in options[:-1] else "1"
    return [Unknown("-m recent") if hits == "1" else Rate("recent", quiet="!" in options)]


def _rate(module: str, options: list[str]) -> list[Step]:
    """Few packets come: they stay below every limit, and no connection is open but this one."""
    if module == "statistic":
        share = options[options.index("--probability") + 1] if "--probability" in options else ""
        always = re.fullmatch(r"1(\.0*)?|0?\.9{9,}\d*", share) is not None and "!" not in options
        return [] if always else [Rate(module, None)]
    above = any(option in ("--hashlimit-above", "--connlimit-above") for option in options)
    if module == "connlimit":
        zero = above and options[options.index("--connlimit-above") + 1 :][:1] == ["0"]
        return [] if zero else [Rate(module, not above)]
    return [Rate(module, not above)]


def _target(table: _Table, name: str, rest: list[str], *, goto: bool) -> list[Step]:
    simple = {"ACCEPT": "accept", "DROP": "drop", "REJECT": "drop", "RETURN": "return"}
    if name in simple:
        verdicts: dict[str, Go] = {
            "accept": Go("accept"),
            "drop": Go("drop"),
            "return": Go("return"),
        }
        return [verdicts[simple[name]]]
    if name in _PASSIVE:
        return []
    if name in ("TTL", "HL", "DSCP", "TOS"):
        return [Set("ttl" if name in ("TTL", "HL") else "dscp", None)]
    if name == "TPROXY":
        port = rest[rest.index("--on-port") + 1] if "--on-port" in rest[:-1] else "0"
        return [Divert(table.family, int(port) if port.isdecimal() else None)]
    if name in ("MARK", "CONNMARK"):
        return _marking(name, rest)
    if name == "NOTRACK" or (name == "CT" and "--notrack" in rest):
        return [Set("state")]
    if name == "CT":
        return []
    if name in ("DNAT", "REDIRECT"):
        return [_rewrite(name, rest, table.family)]
    chain = f"{table.prefix} {name}"
    if name in table.rules:
        return [Go("goto" if goto else "jump", chain)]
    return [Go("unknown")]


def _rewrite(name: str, rest: list[str], family: int) -> Rewrite:
    option = "--to-ports" if name == "REDIRECT" else "--to-destination"
    given = rest[rest.index(option) + 1] if option in rest[:-1] else ""
    if name == "REDIRECT":
        exact, several = given.isdecimal(), None if "--random" in rest else _spread(given)
        known = exact or not given or several is not None
        return Rewrite(family, None, int(given) if exact else None, True, known, several)
    # without an address only the port becomes another
    where, colon, ports = given.rpartition(":")
    if family == 6 and not re.fullmatch(r"(\[.*\])?:.*", given):
        where, colon, ports = given, "", ""
    if not colon:
        where, ports = given, ""
    spread = None if "--random" in rest else _spread(ports)
    if not given or (ports and not ports.isdecimal() and spread is None):
        return Rewrite(family, known=False)
    try:
        number = address(where.strip("[]"))[1] if where else None
    except ValueError:
        return Rewrite(family, known=False)
    return Rewrite(family, number, int(ports) if ports.isdecimal() else None, spread=spread)


def _spread(ports: str) -> tuple[int, int, int] | None:
    """`LOW-HIGH` or `LOW-HIGH/BASE` of iptables-extensions(8), DNAT."""
    match = re.fullmatch(r"(\d{1,5})-(\d{1,5})(?:/(\d{1,5}))?", ports)
    if match is None or int(match[1]) > int(match[2]):
        return None
    return int(match[1]), int(match[2]), int(match[3]) if match[3] else -1


def _marking(name: str, rest: list[str]) -> list[Step]:
    """MARK and CONNMARK: --set-xmark VALUE/MASK is (old & ~mask) ^ value (iptables-extensions)."""
    option, given = (rest[0] if rest else ""), (rest[1] if len(rest) > 1 else "")
    if name == "CONNMARK" and option in ("--save-mark", "--restore-mark"):
        whole = all(int(mask, 0) == 0xFFFFFFFF for mask in rest if mask[:2] == "0x")
        if option == "--save-mark":
            return [Set("ctmark", 0 if whole else None, 0xFFFFFFFF, "mark")]
        return [Set("mark", 0 if whole else None, 0xFFFFFFFF, "ctmark")]
    value, _, mask = given.partition("/")
    try:
        number, bits = int(value, 0), int(mask, 0) if mask else 0xFFFFFFFF
    except ValueError:
        return [Set("mark" if name == "MARK" else "ctmark", None)]
    if option not in ("--set-xmark", "--set-mark"):
        return [Set("mark" if name == "MARK" else "ctmark", None)]
    return [Set("mark" if name == "MARK" else "ctmark", number, ~bits & 0xFFFFFFFF)]
