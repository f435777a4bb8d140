r"""What a script does: each command, whether it is reached, and whether its status decides.

>>> done = read("set -e\ncp a b\nif test -e c; then mail x; fi\n", dialect="bash")
>>> [(c.shown, c.reached, c.decides) for c in done.commands]
[('cp a b', 'always', True), ('mail x', 'perhaps', True)]
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from functools import lru_cache
from typing import Any, Literal

from collector.facts.shell import syntax as s
from collector.facts.shell.builtins import BUILTINS
from collector.facts.shell.files_used import used
from collector.facts.shell.machine import Machine, OutOfStepsError
from collector.facts.shell.parser import parse
from collector.facts.shell.sites import Site, Sites
from collector.facts.shell.state import Frame, State, merged
from collector.facts.shell.stops import noexec
from collector.facts.shell.values import Value, may_be, plain, shown

# pairs of commands of one place that are held to each other; beyond them any may be any
_PAIRS = 10_000
Reached = Literal["always", "perhaps", "never", "untold"]
_SHEBANG = re.compile(r"#!\s*(?:\S*/)?(?:env\s+(?:-S\s+)?)?(?:\S*/)?([\w.-]+)(?:[ \t]+([^\n]*))?")
SHELLS = {"sh": "sh", "dash": "dash", "bash": "bash", "ash": "sh", "ksh": "sh", "mksh": "sh",
         "busybox": "sh", "posh": "sh", "zsh": "sh"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Command:
    """One command. `decides`: whenever it fails, the script does; None where that is not told.

    `inside` names the programs that run it (`/timeout/ssh`); `site` is its number in the program.
    """

    words: tuple[Value, ...]
    reached: Reached
    decides: bool | None
    reads: tuple[Value, ...]
    writes: tuple[Value, ...]
    folder: Value
    variables: Mapping[str, Value | None]
    inside: str
    site: int

    @property
    def argv(self) -> tuple[str | None, ...]:
        return tuple(plain(w) for w in self.words)

    @property
    def shown(self) -> str:
        return " ".join(shown(w) for w in self.words)


@dataclass(frozen=True, slots=True)
class End:
    """One way the script may end: `good` None where its status is not told.

    `ran` holds the sites that are surely run by then, `failed` those that may have failed.
    """

    good: bool | None
    ran: int
    failed: int
    lost: bool


@dataclass(frozen=True, slots=True)
class Program:
    """`lost`: something in it has no meaning here, so what comes after is not told."""

    commands: tuple[Command, ...]
    ends: tuple[End, ...]
    lost: bool
    places: Mapping[int, int]

    def proves(self, wanted: Callable[[Command], bool]) -> bool | None:
        """Does a good end show that what is `wanted` was run, and that none of it failed?

        None where that is not told.
        """
        sites = [c for c in self.commands if c.reached != "never" and wanted(c)]
        if not sites:
            return None if self.lost else False
        bits = sum(1 << c.site for c in sites)
        ran = bits
        for place in {self.places[c.site] for c in sites if c.site in self.places}:
            others = [c for c in self.commands if self.places.get(c.site) == place]
            if all(wanted(c) for c in others):
                ran |= 1 << place
        answers = {self._proves(end, bits, ran) for end in self.ends if end.good is not False}
        if False in answers:
            return False
        if None in answers or any(c.reached == "untold" or c.decides is None for c in sites):
            return None
        return True

    @staticmethod
    def _proves(end: End, bits: int, ran: int) -> bool | None:
        if end.ran & ran and not end.failed & bits:
            return True if not end.lost else None
        return None if end.good is None or end.lost else False


def dialect_of(text: str) -> tuple[str, str]:
    """The shell that its first line names (`sh` where there is none), and the options there.

    `other` where it is a script of something that is no shell.
    """
    line = _SHEBANG.match(text)
    if line is None:
        return ("other", "") if text.startswith("#!") else ("sh", "")
    return SHELLS.get(line[1], "other"), line[2] or ""


def read(
    text: str,
    *,
    dialect: str = "",
    arguments: tuple[str | None, ...] | None = (),
    environment: Mapping[str, str] | None = None,
    scripts: Mapping[str, str] | None = None,
    settings: bool = False,
    flags: str = "",
    name: str | None = None,
    unable: frozenset[str] = frozenset(),
) -> Program:
    """What `text` does when it is run as a program with these arguments.

    `arguments` None: they are not known. What `environment` does not name may be set or not.
    `scripts`: texts by path of what it may call. `settings`: a file that is sourced and not known
    sets variables, and does nothing else. `unable`: scripts that cannot be started by their path.
    """
    told, options = dialect_of(text)
    dialect = dialect or told
    machine = Machine(dialect, scripts or {}, _held(name), settings=settings, unable=unable)
    if dialect == "other":
        return Program((), (End(None, 0, 0, lost=True),), lost=True, places={})
    begin = State(
        vars={k: _held(v) for k, v in (environment or {}).items()},
        exported=frozenset(environment or {}),
        arguments=None if arguments is None else tuple(_held(a) for a in arguments),
        flags=flags_of(f"{flags} {options}"),
    )
    tree = parse("" if noexec(options) else text)
    try:
        machine.asking = "$?" in text and re.search(r"\(\)|function\s", text) is not None
        frame = Frame()
        after = machine.run(tree, [begin], frame)
        ends = machine.trapped(after + frame.exits, frame)
        _signals(machine, begin)
    except (OutOfStepsError, RecursionError):
        return _given_up(machine, tree)
    return _program(machine, tree, ends)


def _held(text: str | None) -> Value:
    from collector.facts.shell.values import UNKNOWN

    return UNKNOWN if text is None else (text,) if text else ()


def flags_of(options: str) -> frozenset[str]:
    """Of a shell's options as they are written, those that the model keeps."""
    found = set()
    for one in options.split():
        if re.fullmatch(r"-[A-Za-z]+", one):
            found |= {n for c, n in (("e", "errexit"), ("u", "nounset")) if c in one}
    found |= {n for n in ("errexit", "nounset", "pipefail") if f"-o {n}" in options}
    return frozenset(found)


def _signals(machine: Machine, begin: State) -> None:
    """What a trap does at a signal may be reached at any time; and no one knows the rest."""
    for action in machine.signals[:20]:
        text = plain(action)
        if text:
            frame = Frame(unsure=True, depth=1)
            machine.run(parse(text), [State(vars={}, arguments=begin.arguments)], frame)


def _walk(node: object) -> Iterator[object]:
    waiting = [node]
    while waiting:
        one = waiting.pop()
        if isinstance(one, tuple):
            waiting += reversed(one)
        elif is_dataclass(one):
            yield one
            waiting += [getattr(one, name) for name in _names(one.__class__)]


@lru_cache(maxsize=64)
def _names(kind: Any) -> tuple[str, ...]:
    return tuple(f.name for f in reversed(fields(kind)))


def _unvisited(machine: Machine, tree: s.Seq, reached: Reached) -> list[Command]:
    found = []
    nothing = State(vars={}, arguments=None, lost=True)
    known = _known(tree)
    budget = 2000
    for node in _walk(tree):
        if not isinstance(node, s.Simple) or not node.words or id(node) in machine.sites.nodes:
            continue
        budget -= 1
        if budget < 0:
            break
        words = []
        for word in node.words:
            literal = word.literal
            words.append((literal,) if literal else () if literal == "" else _held(None))
        if plain(words[0]) in BUILTINS or plain(words[0]) in known:
            continue
        found.append(Command(tuple(words), reached, False if reached == "never" else None,
                             (), (), nothing.folder, {}, "", -1))  # fmt: skip
    return found


def _known(tree: s.Seq) -> set[str]:
    return {x.name for x in _walk(tree) if isinstance(x, s.Function)}


def _given_up(machine: Machine, tree: s.Seq) -> Program:
    """Too much of it: nothing is told of any of its commands."""
    machine.sites.nodes.clear()
    commands = _unvisited(machine, tree, "untold")
    return Program(tuple(commands), (End(None, 0, 0, lost=True),), lost=True, places={})


def _program(machine: Machine, tree: s.Seq, ends: list[State]) -> Program:
    lost = machine.lost
    last = merged(ends)
    everywhere = last + machine.endless
    must = -1
    for end in everywhere:
        must &= end.must
    loose = blurred = 0
    unclear = machine.unclear
    for end in last:
        if end.status > 0 or end.status == -1:
            continue
        if end.lost or end.status == -2:
            unclear |= end.failed
        elif end.blurred:
            blurred |= end.failed
        else:
            loose |= end.failed
    if machine.waited:
        unclear |= machine.background
    unclear |= _alike(machine.sites, loose | unclear | blurred)
    commands, places = [], {}
    for number, site in enumerate(machine.sites.every):
        if site.group >= 0:
            continue
        bit = 1 << number
        commands.append(
            _command(
                site,
                number,
                always=bool(must & bit),
                loose=bool(loose & bit),
                unclear=bool((unclear | blurred) & bit),
            )
        )
        node = machine.sites.kept[len(commands) - 1]
        places[number] = machine.sites.place(node)
    commands += _unvisited(machine, tree, "untold" if lost else "never")
    made = tuple(
        End(None if x.status == -2 else x.status == 0, x.must, x.failed, x.lost) for x in last
    )
    return Program(tuple(commands), made, lost, places)


def _alike(sites: Sites, bits: int) -> int:
    """Sites whose words may be, in a run, those of another one of their place that is in `bits`.

    `a $x` where x may hold anything, and `a 0`: who sees `a 0` run does not know which it is.
    """
    by_place: dict[int, list[int]] = {}
    numbered = [n for n, x in enumerate(sites.every) if x.group < 0]
    for node, number in zip(sites.kept, numbered, strict=True):
        by_place.setdefault(id(node), []).append(number)
    found = 0
    for numbers in by_place.values():
        others = [n for n in numbers if bits >> n & 1]
        many = len(numbers) * len(others) > _PAIRS
        for number in numbers if others else ():
            words = sites.every[number].words
            if bits >> number & 1 or all(plain(w) is not None for w in words):
                continue
            if many or any(may_be(words, sites.every[n].words) for n in others):
                found |= 1 << number
    return found


def _command(site: Site, number: int, *, always: bool, loose: bool, unclear: bool) -> Command:
    reached: Reached = "untold"
    if site.clean:
        reached = "always" if always and not site.perhaps else "perhaps"
    decides: bool | None = None
    if site.clean and not site.undecided:
        decides = None if unclear else not loose
        if site.lost:
            decides = None
    reads, writes = used(site.words, site.redirects)
    return Command(
        site.words, reached, decides, reads, writes, site.folder, site.variables, site.inside,
        number,
    )  # fmt: skip
