"""What a role asks of a host's words takes a moment, whatever the words are."""

from __future__ import annotations

import re
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
_USED = re.compile(
    r"(regex_search|regex_findall|regex_replace|\bsearch|\bmatch)'?(?:\(|,\s*)"
    r"(?:'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\")"
)
_SIZE = 100_000


class _Loader(yaml.SafeLoader):
    """Ansible's own tags are no matter here."""


_Loader.add_multi_constructor("!", lambda loader, _, node: loader.construct_scalar(node))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, one in value.items():
            yield from _texts(key)
            yield from _texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)
    elif isinstance(value, str):
        yield value


def _patterns() -> dict[tuple[str, bool], str]:
    """Each pattern of the roles, as Jinja hands it on, where it stands, and is it found at the

    beginning alone?
    """
    found: dict[tuple[str, bool], str] = {}
    for path in sorted((ROOT / "roles").glob("*/*/*.yml")):
        for text in _texts(yaml.load(path.read_text(), _Loader)):
            for used in _USED.finditer(text):
                word = used[2] if used[2] is not None else used[3]
                with warnings.catch_warnings(action="ignore"):
                    plain = word.encode("ascii", "backslashreplace").decode("unicode-escape")
                found.setdefault((plain, used[1] == "match"), str(path.relative_to(ROOT)))
    return found


PATTERNS = _patterns()


def test_they_are_found() -> None:
    assert len(PATTERNS) > 60
    assert (r"^(.*):(.*)$", False) in PATTERNS


def _odd(pattern: str) -> Iterator[str]:
    """Blanks, lines, and what the pattern itself is looking for, again and again."""
    words = re.findall(r"[A-Za-z_:=/. -]{2,}", re.sub(r"\\[a-zA-Z]|\(\?[a-z]+\)", "", pattern))
    for unit in (" ", "\n", "\t", "a", "0", "-", "-a ", "/", "a.", ":", " a\n", *words):
        for end in ("", "\n", "!", "\x00"):
            yield (unit * (_SIZE // len(unit) + 1))[:_SIZE] + end
    for word in words:
        yield word + " " * _SIZE + "\x00"
        yield word + "-a " * (_SIZE // 3) + "\x00"


@pytest.mark.parametrize("pattern", PATTERNS, ids=range(len(PATTERNS)))
def test_a_pattern_takes_a_moment(pattern: tuple[str, bool]) -> None:
    word, begins = pattern
    try:
        compiled = re.compile(word)
    except re.error:
        # the rest of it is a value of ours: names of services, ports
        assert "ufw" in word
        return
    for text in _odd(word):
        began = time.process_time()
        _ = compiled.match(text) if begins else list(compiled.finditer(text))
        took = time.process_time() - began
        # where it grows with the square of the length it is minutes
        assert took < 1.5, (PATTERNS[pattern], word, text[:30], took)
