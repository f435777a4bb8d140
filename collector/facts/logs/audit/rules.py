"""Audit rules: those the kernel has loaded (auditctl -l) and those that a boot will load.

Source: auditctl(8), audit.rules(7), augenrules(8) of audit 2.8 to 4.1; the form `LIST_RULES:` is
that of versions before 2.4. In which order and by which rule an event is decided is in
`audit_coverage`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

from collector.errors import NotUnderstood
from collector.facts.base.redaction import NO_WORD_OF_PEOPLE
from collector.facts.logs.audit.loading import boot_lines, refuses
from collector.i18n.message import msg
from collector.model import Capture, Read, Text, command, files

_LOADED, _FILES = "audit.rules", "audit.rule_files"

READS: tuple[Read, ...] = (
    command(
        _LOADED,
        "auditctl",
        "-l",
        limit=1 << 18,
        privileged=True,
        why=Text("内核现行的审计规则", "the audit rules that the kernel goes by"),
    ),
    files(
        _FILES,
        "/etc/audit/audit.rules",
        "/etc/audit/rules.d/*.rules",
        limit=1 << 17,
        redact=NO_WORD_OF_PEOPLE,
        why=Text("重启后会装入的审计规则", "the audit rules that a boot will load"),
    ),
)

Action = Literal["always", "never"]
_B64 = "b64 x86_64 aarch64 ppc64 ppc64le s390x ia64 alpha riscv64 loongarch64".split()  # noqa: SIM905
_B32 = "b32 i386 i486 i586 i686 arm armeb armv5tejl armv7l s390 ppc riscv32".split()  # noqa: SIM905
# <linux/audit.h>: the bit __AUDIT_ARCH_64BIT is set in the numbers of 64-bit machines
_BIT_64 = 0x80000000
_FILTERS = ("task", "exit", "user", "exclude", "filesystem", "entry", "io_uring")
_OPERATOR = re.compile(r"^([A-Za-z_][\w-]*?)(>=|<=|!=|&=|=|>|<|&)(.*)$")
# options of a rule file that change no rule; with an argument, and without
_SETTINGS = (
    *("-b", "-e", "-f", "-r", "-m", "-t", "-q", "--signal"),
    *("--backlog_wait_time", "-a0", "--backlog"),
)
_FLAGS: tuple[str, ...] = (
    *("-c", "-i", "-s", "-l", "-v", "-h"),
    *("--loginuid-immutable", "--reset-lost"),
)
_FLAGS += ("--reset_backlog_wait_time_actual", "--reset_backlog_wait_time")


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `archs` and `calls` are None where it holds for all of them.

    `path` is the file that it watches, `tree` the folder with all below (a watch `-w` has both, for
    its listing does not say which it is); `perms` holds letters of `rwxa`, None where no kind of
    access is asked for. `fields` are its other conditions as name, operator and value (names in
    lower case), `compares` those of `-C`.
    """

    action: Action
    filter: str
    line: str
    archs: frozenset[str] | None = None
    calls: frozenset[str] | None = None
    path: str = ""
    tree: str = ""
    perms: frozenset[str] | None = None
    fields: tuple[tuple[str, str, str], ...] = ()
    compares: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AuditRules:
    """Both sets, each in the order in which the kernel goes through it.

    `filed` is what a boot loads: the files of rules.d where there are any (augenrules(8) makes
    audit.rules of them), else audit.rules. `locks`: the set ends in `-e 2`, and `ends_off`:
    in `-e 0`. `loginuid_fixed`: it asks for --loginuid-immutable. `stop` is the line that auditctl
    surely refuses: nothing behind it is loaded, and `filed` ends before it.
    """

    loaded: tuple[Rule, ...]
    filed: tuple[Rule, ...]
    places: tuple[str, ...]
    locks: bool = False
    loginuid_fixed: bool = False
    ends_off: bool = False
    stop: str = ""


def audit_rules(capture: Capture) -> AuditRules:
    """Raises FactError where a set could not be seen, or a rule is of no known form."""
    text = capture.read(_LOADED).text()
    listed = [_listed(line) for line in text.splitlines() if _told(line)]
    if not listed and "No rules" not in text:
        raise NotUnderstood(_LOADED, msg("auditctl_listed_no_rule"))
    found = {file.path: file.text(_FILES) for file in capture.read(_FILES).present()}
    lines, places = boot_lines(found)
    filed, stop = _filed(lines)
    reached = lines[: lines.index(stop)] if stop else lines
    locks = [line.split()[-1] for line in reached if re.match(r"-e\s*\d", line)][-1:]
    return AuditRules(
        tuple(_as_filed(rule, filed) for rule in listed),
        tuple(filed),
        places,
        locks in (["2"], ["-e2"]),
        "--loginuid-immutable" in reached,
        locks in (["0"], ["-e0"]),
        stop,
    )


def _as_filed(rule: Rule, filed: list[Rule]) -> Rule:
    """Auditctl 4.0 lists `-a never,exit -F dir=D -F perm=P` as the watch `-w D -p P`."""
    if not rule.line.startswith("-w") or " -k " in rule.line:
        return rule
    place = rule.path or rule.tree
    for other in filed:
        same = place == (other.path or other.tree) and rule.perms == other.perms
        if same and other.action == "never" and other.filter == "exit":
            return replace(rule, action="never", fields=other.fields)
    return rule


def _told(line: str) -> bool:
    return bool(line.strip()) and line.strip() != "No rules"


class _Stray(NotUnderstood):
    """A word that belongs to no option: auditctl(8) refuses the line."""


def _filed(lines: list[str]) -> tuple[list[Rule], str]:
    """The rules, and the line at which auditctl gives up."""
    rules: list[Rule] = []
    goes_on = False
    for line in lines:
        try:
            words = _words(line, _FILES)
        except _Stray:
            if not goes_on:
                raise
            continue
        option = words[0][0] if words else ""
        goes_on = goes_on or option in ("-i", "-c")
        if refuses(words, [rule.line for rule in rules], line):
            if not goes_on:
                return rules, line
            continue
        if option == "-D":
            rules.clear()
        elif option in ("-d", "-W"):
            gone = _rule(
                _FILES, line, [("-a" if option == "-d" else "-w", words[0][1]), *words[1:]]
            )
            rules = [rule for rule in rules if _same(rule) != _same(gone)]
        elif option in ("-a", "-A", "-w") or any(name in ("-a", "-A", "-w") for name, _ in words):
            rule = _rule(_FILES, line, words)
            rules.insert(0 if any(name == "-A" for name, _ in words) else len(rules), rule)
        elif option not in (*_SETTINGS, *_FLAGS):
            raise NotUnderstood(_FILES, msg("not_line_audit_rules", line=line))
    return rules, ""


def _same(rule: Rule) -> tuple[object, ...]:
    fields = tuple(f for f in rule.fields if f[0] != "key")
    place = rule.path or rule.tree
    return (rule.action, rule.filter, rule.archs, rule.calls, place, rule.perms, fields)


def _listed(line: str) -> Rule:
    line = line.strip()
    if line.startswith("LIST_RULES:"):
        return _old(line)
    return _rule(_LOADED, line, _words(line, _LOADED))


def _words(line: str, read: str) -> list[tuple[str, str]]:
    """The options with their arguments; getopt(3) takes `-k x`, `-kx` and `--long=x` alike."""
    found: list[tuple[str, str]] = []
    tokens = line.split()
    while tokens:
        token = tokens.pop(0)
        if token.startswith("--"):
            name, joined, value = token.partition("=")
            if not joined and name in _SETTINGS and tokens:
                value = tokens.pop(0)
            found.append((name, value))
        elif re.match(r"-[A-Za-z]", token):
            name, value = token[:2], token[2:]
            if not value and name not in (*_FLAGS, "-D") and tokens:
                value = tokens.pop(0)
            found.append((name, value))
        else:
            said = msg("not_option_auditctl", token=token, line=line)
            # what is written behind a backslash is of the word before it
            raise NotUnderstood(read, said) if "\\" in line else _Stray(read, said)
    return found


def _rule(read: str, line: str, words: list[tuple[str, str]]) -> Rule:
    building = _Building(read, line)
    for option, value in words:
        if option in ("-a", "-A"):
            building.list(value)
        elif option == "-w":
            building.watch(value)
        elif option == "-p":
            building.perms = frozenset(value.lower())
        elif option == "-S":
            building.call(value)
        elif option == "-F":
            building.field(value)
        elif option == "-C":
            building.compares.append(value.replace(" ", ""))
        elif option != "-k":
            raise NotUnderstood(read, msg("not_option_rule", option=option, line=line))
    return building.finish()


def _old(line: str) -> Rule:
    """`LIST_RULES: exit,always arch=3221225534 (0xc000003e) syscall=unlink,rename key=delete`."""
    building = _Building(_LOADED, line)
    tokens = [t for t in line.split()[1:] if not re.fullmatch(r"\(0x[0-9a-f]+\)", t)]
    if not tokens:
        raise NotUnderstood(_LOADED, msg("not_rule", line=line))
    building.list(tokens[0])
    for token in tokens[1:]:
        name, _, value = token.partition("=")
        if name == "syscall":
            building.call(value)
        elif name == "watch":
            building.path = value
        else:
            building.field(token)
    return building.finish()


class _Building:
    """One rule while its parts come in."""

    def __init__(self, read: str, line: str) -> None:
        self.read, self.line = read, line
        self.action: Action | None = None
        self.filter = ""
        self.archs: frozenset[str] | None = None
        self.calls: set[str] | None = None
        self.path = self.tree = ""
        self.perms: frozenset[str] | None = None
        self.fields: list[tuple[str, str, str]] = []
        self.compares: list[str] = []

    def _no(self, what: str) -> NotUnderstood:
        return NotUnderstood(self.read, msg("in", what=what, line=self.line))

    def list(self, value: str) -> None:
        """`always,exit` or `exit,always`."""
        parts = value.lower().split(",")
        action = [p for p in parts if p in ("always", "never")]
        filters = [p for p in parts if p in _FILTERS]
        if len(parts) != 2 or len(action) != 1 or len(filters) != 1:
            raise self._no(msg("not_list_action", value=value))
        self.action = "always" if action[0] == "always" else "never"
        self.filter = filters[0]

    def watch(self, value: str) -> None:
        """Of a file or of a folder with all below: the listing does not tell, and need not."""
        self.action, self.filter = "always", "exit"
        self.perms = self.perms or frozenset("rwxa")
        self.path, self.tree = value, value

    def call(self, value: str) -> None:
        if value == "all":
            return
        self.calls = (self.calls or set()) | {c for c in value.split(",") if c}

    def field(self, value: str) -> None:
        match = _OPERATOR.match(value)
        if match is None:
            raise self._no(msg("not_condition", text=value))
        name, operator, said = match[1].lower(), match[2], match[3]
        if name == "arch":
            self.archs = frozenset((_arch(said, operator) or self._raise(value),))
        elif name in ("path", "dir", "perm") and operator != "=":
            raise self._no(msg("not_condition_understood", value=value))
        elif name == "path":
            self.path = said
        elif name == "dir":
            self.tree = said
        elif name == "perm":
            self.perms = frozenset(said.lower())
        elif name != "key":
            self.fields.append((name, operator, said))

    def _raise(self, value: str) -> str:
        raise self._no(msg("not_architecture_understood", value=value))

    def finish(self) -> Rule:
        if self.action is None:
            raise self._no(msg("no_list_no_action"))
        if self.perms is not None and (not self.perms or self.perms - frozenset("rwxa")):
            raise self._no(msg("not_kind_access"))
        if any(p and not p.startswith("/") for p in (self.path, self.tree)):
            raise self._no(msg("not_whole_path"))
        return Rule(
            self.action,
            self.filter,
            self.line,
            self.archs,
            frozenset(self.calls) if self.calls is not None else None,
            self.path.rstrip("/") or self.path,
            self.tree.rstrip("/") or self.tree,
            self.perms,
            tuple(self.fields),
            tuple(self.compares),
        )


def _arch(value: str, operator: str) -> str:
    value = value.lower()
    found = "b64" if value in _B64 else "b32" if value in _B32 else ""
    if re.fullmatch(r"\d{5,10}|0x[0-9a-f]{5,8}", value):
        found = "b64" if int(value, 0) & _BIT_64 else "b32"
    if operator == "!=":
        return {"b64": "b32", "b32": "b64"}.get(found, "")
    return found if operator == "=" else ""
