"""The catalogue of messages: both languages, the same values, nothing unused, nothing unknown."""

from __future__ import annotations

import ast
import json
import pickle
import re
import string
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import collector
import hostpledge
from collector.errors import NotUnderstood
from collector.i18n.message import catalogue, from_json, msg, to_json

ROOT = Path(collector.__file__).parent
PUBLIC = Path(hostpledge.__file__).parent
# codes that are put together from a word that is known elsewhere
_MADE = ("and_beside_", "errno_", "event_", "read_", "document_", "schema_", "tuf_")
_CHINESE = re.compile("[\u4e00-\u9fff]")
# commands, and names of programs
_SAME = {"hostpledge_key_new", "cscli_metrics", "cscli_bouncers"}


def _places(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}


@cache
def _used() -> dict[str, list[tuple[str, frozenset[str]]]]:
    found: dict[str, list[tuple[str, frozenset[str]]]] = {}
    for path in sorted((*ROOT.rglob("*.py"), *PUBLIC.rglob("*.py"))):
        for code, names, line in _calls(path):
            found.setdefault(code, []).append((f"{path.relative_to(ROOT.parent)}:{line}", names))
    return found


def _calls(path: Path) -> Iterator[tuple[str, frozenset[str], int]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
            continue
        if node.func.id == "msg" and isinstance(node.args[0], ast.Constant):
            names = frozenset(keyword.arg or "" for keyword in node.keywords)
            yield str(node.args[0].value), names, node.lineno
        if node.func.id == "of_system" and isinstance(node.args[1], ast.Constant):
            yield str(node.args[1].value), frozenset(), node.lineno


def test_every_code_that_is_said_is_known_and_gets_its_values() -> None:
    for code, places in _used().items():
        assert code in catalogue(), (code, places)
        for place, names in places:
            assert names == _places(catalogue()[code].en), (code, place)


def test_nothing_in_it_is_unused() -> None:
    unused = [c for c in catalogue() if c not in _used() and not c.startswith(_MADE)]
    assert unused == []


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_template_has_no_place_but_names(language: str) -> None:
    for code, entry in catalogue().items():
        assert all(re.fullmatch("[a-z_0-9]+", name) for name in _places(getattr(entry, language)))
        assert code.isidentifier()


def test_both_languages_have_the_same_places() -> None:
    for code, entry in catalogue().items():
        assert _places(entry.en) == _places(entry.zh), code


def test_the_chinese_is_chinese() -> None:
    plain = {c for c, entry in catalogue().items() if not _CHINESE.search(entry.zh)}
    told = {
        c
        for c in plain
        if re.search("[a-z]{3,} [a-z]{3,}", re.sub(r"\{.*?\}", "", catalogue()[c].zh))
    }
    assert told == _SAME


# what is raised in rooms that speak with a person, both languages at once, is not looked at
_ABOVE = {"cli", "i18n"}
_RAISED = {
    "BadInput": 0,
    "VerifyFailed": 0,
    "PastLimit": 0,
    "NotUnderstood": 1,
    "CouldNotLook": 1,
    "NotTrusted": 1,
}


def _sentences(node: ast.expr) -> Iterator[str]:
    """Texts with words in them that stand where a message should."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        yield " ".join(str(v.value) for v in node.values if isinstance(v, ast.Constant))
    elif isinstance(node, ast.IfExp):
        yield from (*_sentences(node.body), *_sentences(node.orelse))
    elif isinstance(node, ast.BoolOp | ast.BinOp):
        inner = node.values if isinstance(node, ast.BoolOp) else [node.left, node.right]
        yield from (said for one in inner for said in _sentences(one))


def test_nothing_is_raised_in_sentences() -> None:
    """Below the command line what is wrong is a code with values."""
    found = []
    for path in sorted(ROOT.rglob("*.py")):
        if path.relative_to(ROOT).parts[0] in _ABOVE:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
                continue
            if node.func.id not in _RAISED:
                continue
            first = _RAISED[node.func.id]
            told = [*node.args[first : first + 1]]
            told += [k.value for k in node.keywords if k.arg in ("mend", "what", "why")]
            found += [
                f"{path.relative_to(ROOT)}:{node.lineno}: {said}"
                for one in told
                for said in _sentences(one)
                if re.search("[A-Za-z]{2}", said)
            ]
    assert found == []


def test_an_error_keeps_its_codes_on_the_way_to_another_process() -> None:
    inner = NotUnderstood("a.read", msg("not_number", text="x\x1b[31m"))
    again = pickle.loads(pickle.dumps(inner.said))
    assert again == "a.read: not a number: 'x\\x1b[31m'"
    assert again.zh == "a.read：不是数字：'x\\x1b[31m'"
    assert from_json(json.loads(json.dumps(to_json(inner.said)))) == again
