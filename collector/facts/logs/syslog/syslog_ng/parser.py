"""The configuration language of syslog-ng as nested words, with its files put together."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from collector.errors import NotUnderstood
from collector.facts.logs.model.syslog_message import globbed
from collector.i18n.message import msg
from collector.model import CapturedFile, ReadStatus

_READ = "syslog.syslog_ng"
_INCLUDE = re.compile(r"^\s*@include\s+[\"']?([^\"'\n]+?)[\"']?\s*(?:#.*)?$")
_DEFINE = re.compile(r"^\s*@define\s+([\w.-]+)\s+(.*?)\s*$")
_TOKEN = re.compile(
    r"""(?:\s++|\#[^\n]*+)*+(?:
      (?P<string>"(?:[^"\\]|\\.)*+"|'[^']*+')
    | (?P<mark>[{}();])
    | (?P<word>(?:[^\s{}();"',#=!<>~]|=|[<>!~]=?)++|,)
    )""",
    re.VERBOSE | re.DOTALL,
)
_DEEPEST = 40


@dataclass(slots=True)
class Atom:
    """A word or string, or what stands in parentheses or braces: `inside` are its statements."""

    text: str = ""
    quoted: bool = False
    mark: str = ""
    inside: list[list[Atom]] = field(default_factory=list)

    @property
    def flat(self) -> list[Atom]:
        """What stands inside, whatever divides it."""
        return [atom for one in self.inside for atom in one]


def configuration(found: Mapping[str, CapturedFile], main: str) -> list[list[Atom]]:
    """Its statements, each a row of atoms. Raises FactError."""
    defined: dict[str, str] = {}
    text = _file(found, main, defined, 0)
    for _ in range(3):
        text = re.sub(r"`([\w.-]+)`", lambda m: defined.get(m[1], ""), text)
    tokens: list[tuple[str, str]] = []
    at, end = 0, len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at)
        if match is None:
            if not re.sub(r"\s+|#[^\n]*", "", text[at:]):
                break
            raise NotUnderstood(_READ, msg("at", where=main, what=repr(text[at : at + 60].strip())))
        tokens.append((match.lastgroup or "", match[match.lastgroup or 0]))
        at = match.end()
    statements, stop = _group(tokens, 0, "", 0)
    if stop != len(tokens):
        raise NotUnderstood(_READ, msg("where_nothing_open", main=main, tokens=tokens[stop][1]))
    return statements


def _file(found: Mapping[str, CapturedFile], path: str, defined: dict[str, str], depth: int) -> str:
    if depth > 10:
        raise NotUnderstood(_READ, msg("included_too", path=path))
    lines: list[str] = []
    for line in found[path].text(_READ).splitlines():
        if match := _INCLUDE.match(line):
            names = _included(found, match[1], path)
            lines += [_file(found, name, defined, depth + 1) for name in names]
        elif match := _DEFINE.match(line):
            defined[match[1]] = match[2].strip("\"'")
        elif not line.lstrip().startswith("@"):
            lines.append(line)
    return "\n".join(lines)


def _included(found: Mapping[str, CapturedFile], wanted: str, path: str) -> list[str]:
    """scl.conf only defines blocks, which are looked at where they are used."""
    if wanted.rsplit("/", 1)[-1] == "scl.conf" or wanted.startswith("scl/"):
        return []
    full = wanted if wanted.startswith("/") else f"/etc/syslog-ng/{wanted}"
    names = [n for n in sorted(found) if globbed(n, full)]
    # a folder stands for the .conf files in it
    names = names or [n for n in sorted(found) if globbed(n, f"{full.rstrip('/')}/*.conf")]
    regular = [n for n in names if found[n].status is not ReadStatus.EXIT and n != path]
    if not regular and not re.fullmatch(r"/etc/syslog-ng/conf\.d(/\*\.conf|/)?", full):
        raise NotUnderstood(_READ, msg("includes_not", path=path, wanted=wanted))
    return regular


def _group(
    tokens: list[tuple[str, str]], at: int, end: str, depth: int
) -> tuple[list[list[Atom]], int]:
    if depth > _DEEPEST:
        raise NotUnderstood(_READ, msg("nested_too_deeply"))
    statements: list[list[Atom]] = [[]]
    while at < len(tokens):
        kind, text = tokens[at]
        at += 1
        if kind == "string":
            bare = text[1:-1]
            bare = re.sub(r"\\(.)", r"\1", bare) if text[0] == '"' else bare
            statements[-1].append(Atom(bare, quoted=True))
        elif kind == "word":
            statements[-1].append(Atom(text))
        elif text == ";":
            statements.append([])
        elif text in "({":
            inside, at = _group(tokens, at, ")" if text == "(" else "}", depth + 1)
            statements[-1].append(Atom(mark=text, inside=inside))
            # `log { … }` may follow `}` of a block without a semicolon
        elif text == end:
            return [one for one in statements if one], at
        else:
            return [one for one in statements if one], at - 1
    if end:
        raise NotUnderstood(_READ, msg("no_to_its_end", end=end))
    return [one for one in statements if one], at
