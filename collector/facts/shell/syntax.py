"""What a shell script is made of, as the model runs it: words, commands, lists, compounds.

POSIX.1-2017 XCU 2.9; `Odd` is whatever the model has no meaning for. Nodes are compared by
identity, for two commands that read alike are two commands.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, eq=False)
class Lit:
    """Plain characters; those without quotes may be patterns."""

    text: str
    quoted: bool


@dataclass(frozen=True, slots=True, eq=False)
class Param:
    """`$name`, `${name}`, `${name OP operand}`; `size` for `${#name}`."""

    name: str
    quoted: bool
    op: str = ""
    operand: Word | None = None
    size: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class CommandSub:
    body: Seq
    quoted: bool


@dataclass(frozen=True, slots=True, eq=False)
class Arith:
    text: str
    quoted: bool


@dataclass(frozen=True, slots=True, eq=False)
class OddPart:
    """A part without a meaning here; `body` is what it starts (process substitution)."""

    quoted: bool
    body: Seq | None = None


Part = Lit | Param | CommandSub | Arith | OddPart


@dataclass(frozen=True, slots=True, eq=False)
class Word:
    parts: tuple[Part, ...]

    @property
    def literal(self) -> str | None:
        """Its text when nothing in it has to be expanded."""
        if all(isinstance(p, Lit) for p in self.parts):
            return "".join(p.text for p in self.parts if isinstance(p, Lit))
        return None


@dataclass(frozen=True, slots=True, eq=False)
class Redirect:
    """`op` as written (`>`, `>>`, `<`, `>&`, `<<`, `<<<` …); `fd` empty where none is written."""

    op: str
    fd: str
    word: Word | None


@dataclass(frozen=True, slots=True, eq=False)
class Assign:
    """`name=word`, `name+=word`; `word` None for what has no plain value (arrays, elements)."""

    name: str
    word: Word | None
    append: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Simple:
    assigns: tuple[Assign, ...]
    words: tuple[Word, ...]
    redirects: tuple[Redirect, ...] = ()
    at: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Declare:
    """export, readonly, local, declare, typeset: `items` are assignments and names."""

    keyword: str
    items: tuple[Assign | Word, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Redirected:
    body: Node
    redirects: tuple[Redirect, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Pipe:
    stages: tuple[Node, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Not:
    body: Node


@dataclass(frozen=True, slots=True, eq=False)
class AndOr:
    first: Node
    rest: tuple[tuple[str, Node], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Item:
    """`background` for what ends with `&`; `asks` when it may look at the status before it."""

    node: Node
    background: bool = False
    asks: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class Seq:
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True, eq=False)
class If:
    branches: tuple[tuple[Seq, Seq], ...]
    otherwise: Seq | None


@dataclass(frozen=True, slots=True, eq=False)
class Loop:
    condition: Seq
    body: Seq
    until: bool


@dataclass(frozen=True, slots=True, eq=False)
class For:
    """`words` None for `for x` without `in`: the arguments."""

    name: str
    words: tuple[Word, ...] | None
    body: Seq


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    word: Word
    branches: tuple[tuple[tuple[Word, ...], Seq, str], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    body: Seq


@dataclass(frozen=True, slots=True, eq=False)
class Subshell:
    body: Seq


@dataclass(frozen=True, slots=True, eq=False)
class Function:
    name: str
    body: Node


@dataclass(frozen=True, slots=True, eq=False)
class Condition:
    """`[[ … ]]`: `op` is `and`, `or`, `not`, a unary or binary operator, or `word`."""

    op: str
    operands: tuple[Condition | Word, ...]


@dataclass(frozen=True, slots=True, eq=False)
class ArithCommand:
    text: str


@dataclass(frozen=True, slots=True, eq=False)
class Odd:
    """Nothing that the model runs: from here on nothing is told."""

    inside: tuple[Simple, ...] = ()


Node = (
    Simple
    | Declare
    | Redirected
    | Pipe
    | Not
    | AndOr
    | Seq
    | If
    | Loop
    | For
    | Case
    | Group
    | Subshell
    | Function
    | Condition
    | ArithCommand
    | Odd
)
