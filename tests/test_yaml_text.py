"""YAML that was made to hurt is refused in one line, at every entrance, and quickly."""

from __future__ import annotations

import os
import time
from datetime import date
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from collector import schema, yaml_text
from collector.errors import BadInput
from collector.facts.monitoring.event_ledger import check_ledger
from collector.pledges.record import form as record
from tests.forked import command

_LAUGHS = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{','.join([f'*{chr(97 + n)}'] * 9)}]\n" for n in range(20)
)
HOSTILE: dict[str, bytes] = {
    "no whole number": b'a: !!int ""\n',
    "no truth value": b'a: !!bool "x"\n',
    "no fraction": b'a: !!float ""\n',
    "not nothing": b'a: !!null "x"\n',
    "a program": b'a: !!python/object/apply:os.system ["true"]\n',
    "bytes": b"a: !!binary aGk=\n",
    "an own tag": b"a: !x 1\n",
    "laughs": _LAUGHS.encode(),
    "itself": b"a: &a [*a]\n",
    "merging itself": b"a: &a\n  <<: *a\n",
    "merging": b"a: &a {x: 1}\nb:\n  <<: *a\n",
    "a NUL": b"a: \0\n",
    "cut in a character": b"\xe4\xb8",
    "UTF-16 cut": "﻿a: 1\n".encode("utf-16-le")[:-1],
    "no key": b"? [a]\n: 1\n",
    "twice": b"a: 1\na: 2\n",
    "two documents": b"---\na: 1\n---\nb: 1\n",
    "base sixty": b"a: 1" + b":59" * 300_000 + b"\n",
    "digits": b"a: " + b"9" * 900_000 + b"\n",
    "hex digits": b"a: 0x" + b"f" * 900_000 + b"\n",
    "brackets": b"[" * 90_000,
    "braces": b"{a: " * 90_000,
    "dashes": b"- " * 90_000,
    "question marks": b"? " * 90_000,
    "members": b"".join(b"k%d: 0\n" % number for number in range(90_000)),
    "anchors": b"".join(b"- &a%d x\n" % number for number in range(90_000)),
    "directives": b"".join(b"%%TAG !a%d! tag:x\n" % number for number in range(60_000)),
    "documents": b"---\n" * 90_000,
    "blanks": b" " * 900_000,
    "tags": b'- !!int ""\n' * 80_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_record_or_a_ledger_is_refused_in_one_line(name: str) -> None:
    begun = time.process_time()
    for entrance in (_record, _ledger):
        with pytest.raises(BadInput) as caught:
            entrance(HOSTILE[name])
        assert "\n" not in str(caught.value)
        assert len(str(caught.value)) < 1000
    assert time.process_time() - begun < 5


def _record(data: bytes) -> None:
    record.from_bytes(data, where="f.yml", today=date(2026, 11, 25))


def _ledger(data: bytes) -> None:
    check_ledger(schema.load_yaml(data, where="f.yml"), where="f.yml")


@pytest.mark.parametrize(
    "words",
    [
        ("pledge", "add", "FILE"),
        ("inventory", "check", "FILE"),
    ],
    ids=" ".join,
)
def test_the_command_says_one_line_and_ends_with_2(words: tuple[str, ...], tmp_path: Path) -> None:
    place = tmp_path / "f.yml"
    env = os.environ | {"LC_ALL": "C.UTF-8", "HOSTPLEDGE_REGISTER": str(tmp_path / "r.db")}
    for name, data in HOSTILE.items():
        place.write_bytes(data)
        done = command(*(str(place) if w == "FILE" else w for w in words), env=env, cwd=tmp_path)
        said = done.err.decode()
        assert done.status == 2, f"{name}: {said}"
        assert said.count("\n") == 1, f"{name}: {said}"
        assert "defect" not in said, f"{name}: {said}"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: 1:30", {"a": "1:30"}),
        ("a: 2026-11-25", {"a": "2026-11-25"}),
        ("a: 0x1f", {"a": 31}),
        ("a: 017", {"a": 15}),
        ("a: 08", {"a": "08"}),
        ("a: 1_000", {"a": 1000}),
        ("a: 1.5e+3", {"a": 1500.0}),
        ("a: on", {"a": True}),
        ("a: ~", {"a": None}),
        ("a: '1'", {"a": "1"}),
        ('a: !!str 1\nb: !!int "2"', {"a": "1", "b": 2}),
        ("", None),
        ("﻿a: 1", {"a": 1}),
    ],
)
def test_what_is_taken(text: str, value: object) -> None:
    assert schema.load_yaml(text, where="t") == value
    assert schema.load_yaml(text.encode(), where="t") == value


def test_the_own_files_of_programs_may_name_and_merge() -> None:
    text = "a: &a {x: 1, y: 2}\nb:\n  <<: *a\n  y: 3\n  y: 4\n---\nc: [*d]\n"
    with pytest.raises(BadInput, match="nothing was named 'd' before"):
        schema.load_documents(text, where="t", aliases=True)
    text = text.replace("[*d]", "&d [1, *d]")
    with pytest.raises(BadInput, match="nothing was named 'd' before"):
        schema.load_documents(text, where="t", aliases=True)
    assert schema.load_documents(text.partition("---")[0], where="t", aliases=True) == [
        {"a": {"x": 1, "y": 2}, "b": {"x": 1, "y": 4}}
    ]
    with pytest.raises(BadInput, match="far longer than anything"):
        schema.load_documents(_LAUGHS, where="t", aliases=True)


# PyYAML does not quote every sign that is a line end to YAML
_SIGNS = st.sampled_from("ab1 -:#'\"\\,[]{}&*!|>%@?~=.\n\t中é")


@settings(max_examples=400, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(_SIGNS, max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.text(_SIGNS, max_size=4), inner, max_size=3)
        ),
        max_leaves=12,
    )
)
def test_what_is_written_reads_the_same(value: object) -> None:
    text = yaml.safe_dump(value, allow_unicode=True)
    assert list(yaml_text.parse(text)) == [value]
