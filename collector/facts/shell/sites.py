"""The commands of a script as they are met while it runs, each with a number of its own."""

from __future__ import annotations

from dataclasses import dataclass, field

from collector.facts.shell import syntax as s
from collector.facts.shell.state import State
from collector.facts.shell.values import Value


@dataclass(slots=True)
class Site:
    """One command with the words that it has there. `perhaps` when more than its place decides."""

    words: tuple[Value, ...]
    redirects: tuple[tuple[str, str, Value], ...]
    folder: Value
    variables: dict[str, Value | None]
    feeds_from: str = ""
    clean: bool = False
    lost: bool = False
    perhaps: bool = False
    undecided: bool = False
    inside: str = ""
    where: tuple[int, int] = (0, 0)
    group: int = -1


@dataclass(slots=True)
class Sites:
    """`visit` gives the number of a command; a group stands for all that one place may run."""

    every: list[Site] = field(default_factory=list)
    numbers: dict[object, int] = field(default_factory=dict)
    nodes: set[int] = field(default_factory=set)
    # keeps nodes alive, for their identity is their name
    kept: list[s.Simple] = field(default_factory=list)

    def visit(
        self,
        node: s.Simple,
        words: list[Value],
        state: State,
        redirects: tuple[tuple[str, str, Value], ...] = (),
        inside: str = "",
    ) -> int:
        key = (id(node), tuple(words), redirects, inside)
        number = self.numbers.get(key)
        if number is None:
            number = self.numbers[key] = len(self.every)
            self.every.append(
                Site(tuple(words), redirects, state.folder, dict(state.vars), inside=inside)
            )
            self.nodes.add(id(node))
            self.kept.append(node)
        site = self.every[number]
        if state.lost:
            site.lost = True
        else:
            site.clean = True
        return number

    def place(self, node: s.Simple) -> int:
        """The number of the place itself, whatever the words."""
        key = ("place", id(node))
        number = self.numbers.get(key)
        if number is None:
            number = self.numbers[key] = len(self.every)
            self.every.append(Site((), (), (), {}, group=number))
        return number
