"""What is said below the command line: a code and its values, in English and in Chinese (ADR 28).

>>> said = msg("not_a_number", value="x")
>>> said, said.code
('not a number: x', 'not_a_number')
>>> said.zh
'不是数字：x'
"""

from __future__ import annotations

import errno
import tomllib
from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, Self

# what a template may ask to be shown in a form of its own
_AS_THEY_ARE = (int, float, date, bytes, tuple, list, dict, type(None))


class Template(NamedTuple):
    """One message of the catalogue, with `{names}` as str.format has them."""

    en: str
    zh: str


class Message(str):  # noqa: SLOT000 - a str has no room for them
    """Its English text, which knows by which code and with which values it was made.

    Values are text, other messages, numbers, times, or collections of them.
    """

    code: str
    values: Mapping[str, Any]

    def __new__(cls, text: str, code: str, values: Mapping[str, Any]) -> Self:
        made = super().__new__(cls, text)
        made.code, made.values = code, values
        return made

    def __reduce__(self) -> tuple[type[Message], tuple[str, str, Mapping[str, Any]]]:
        return Message, (str(self), self.code, self.values)

    @property
    def zh(self) -> str:
        """The same in Chinese."""
        values = {name: in_chinese(value) for name, value in self.values.items()}
        return visible(catalogue()[self.code].zh.format(**values))

    def shown_as(self, text: str) -> Message:
        """The same message, with `text` in the place of the English."""
        return Message(text, self.code, self.values)


def visible(text: str) -> str:
    """`text` with control characters and line ends made visible."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)


@cache
def catalogue() -> Mapping[str, Template]:
    """Every message by its code, of `messages.toml` beside this file."""
    text = Path(__file__).with_name("messages.toml").read_text(encoding="utf-8")
    return {code: Template(entry["en"], entry["zh"]) for code, entry in tomllib.loads(text).items()}


def msg(code: str, /, **values: object) -> Message:
    """The message of that code.

    An error of ours stands for what it says; KeyError where code or values are not the catalogue's.
    """
    kept = {name: _kept(value) for name, value in values.items()}
    return Message(catalogue()[code].en.format(**kept), code, kept)


def in_chinese(value: Any) -> Any:
    """A message in Chinese; whatever else as it is."""
    return value.zh if isinstance(value, Message) else value


def of_system(problem: OSError, otherwise: str) -> str:
    """What the system says of a file, by its error number; the message `otherwise` if nothing."""
    code = f"errno_{errno.errorcode.get(problem.errno or 0, '').lower()}"
    return msg(code) if code in catalogue() else problem.strerror or msg(otherwise)


def to_json(text: str) -> Any:
    """A message as JSON, with its code; whatever else as it is."""
    if not isinstance(text, Message):
        return text
    values = {name: to_json(value) for name, value in text.values.items()}
    return {"code": text.code, "values": values}


def from_json(entry: Any) -> str:
    """What `to_json` wrote of a message, or the text."""
    if not isinstance(entry, dict):
        return str(entry)
    values = {
        name: from_json(value) if isinstance(value, dict) else value
        for name, value in entry["values"].items()
    }
    return msg(entry["code"], **values)


def told(problem: BaseException) -> str:
    """What an error says: its message where it carries one, else its text."""
    if isinstance(problem, OSError):
        return of_system(problem, "cannot_read")
    said = problem.args[0] if len(problem.args) == 1 else None
    return said if isinstance(said, Message) else str(problem)


def _kept(value: object) -> Any:
    if isinstance(value, BaseException):
        return told(value)
    if isinstance(value, Message | bool) or type(value) in _AS_THEY_ARE:
        return value
    return value if isinstance(value, date) else format(value)
