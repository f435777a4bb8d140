"""The compiled schemas say what the explaining ones say; the fast spelling is RFC 8785's."""

from __future__ import annotations

import copy
import gzip
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from collector import captures, schema
from collector.attest.envelope import canonical
from collector.attest.envelope import dsse as envelope
from collector.errors import BadInput, VerifyFailed
from collector.faults import _explaining, documents, first_fault, formats
from tests import bundle_cases as cases
from tests import bundles
from tests.test_verify import ENVELOPE, EVIDENCE

thorough = settings(
    max_examples=250,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
VALUES: list[Any] = [
    None, True, False, 0, -1, 1, 2, 3, 1.0, 1.5, -0.0, 1e300, 2**53, 2**64, -(10**30), "", "x",
    "ok", "a" * 64, "A" * 64, "a" * 64 + "\n", "0644", "0644\n", "2.2", "pass", "lost", "\0",
    "2026-11-25T20:00:00Z", "2026-11-25t20:00:00z", "2026-02-30T20:00:00Z", "2016-12-31T23:59:60Z",
    "2026-11-25T20:00:00+24:00", "2026-11-25 20:00:00Z", "２026-11-25T20:00:00Z", "2026-11-25",
    "2026-02-30", "a@b", "captures/x.capture.gz", "captures/x.capture.gz\n", "数" * 256, "😀" * 255,
    "x.y", "x.y.z_1", "X.y", [], {}, [None], {"": None}, {"en": "x", "zh": "y"},
]  # fmt: skip
NAMES = ["kind", "id", "stdout", "stdout_base64", "path_base64", "extra", "Status", "", "数", "en"]


def _places(document: Any) -> Iterator[tuple[Any, Any]]:
    """Each member and element, with what holds it."""
    inner = document.items() if isinstance(document, dict) else enumerate(document)
    for key, value in list(inner):
        yield document, key
        if isinstance(value, dict | list):
            yield from _places(value)


@st.composite
def changed(draw: st.DrawFn, document: Any) -> Any:
    """A document of which a few places hold something else."""
    document = copy.deepcopy(document)
    for _ in range(draw(st.integers(1, 3))):
        places = list(_places(document))
        if not places:
            break
        holder, key = places[draw(st.integers(0, len(places) - 1))]
        how = draw(st.sampled_from(("other", "other", "gone", "more")))
        value = copy.deepcopy(draw(st.sampled_from(VALUES)))
        if how == "gone":
            del holder[key]
        elif how == "other":
            holder[key] = value
        elif isinstance(holder, dict):
            holder[draw(st.sampled_from(NAMES))] = value
        else:
            holder.append(value)
    return document


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str | None], list[Any]]:
    """Documents as they are written, by their schema."""
    folder = tmp_path_factory.mktemp("base")
    base = cases.good(folder)
    found: dict[tuple[str, str | None], list[Any]] = {
        ("evidence", None): [json.loads((base["plain"] / EVIDENCE).read_bytes())],
        ("sigstore-bundle", None): [json.loads((base["stamped"] / ENVELOPE).read_bytes())],
        ("trust", None): [json.loads(cases.trust(folder).to_bytes())],
        ("statement", None): [
            json.loads(envelope.unseal((base[name] / ENVELOPE).read_bytes()).payload)
            for name in ("plain", "sm2")
        ],
    }
    for entry in found["evidence", None]:
        entry["controls"] = dict(list(entry["controls"].items())[:3])
        entry["hosts"] = dict(list(entry["hosts"].items())[:1])
        for host in entry["hosts"].values():
            host["findings"] = host["findings"][:4]
    for line in gzip.decompress(captures.to_bytes(bundles.capture())).splitlines():
        document = json.loads(line)
        for name in ("stdout", "stderr"):
            if name in document:
                document[name] = document[name][:50]
        found.setdefault(("capture", document["kind"]), []).append(document)
        found.setdefault(("capture", None), []).append(document)
    return found


def _agree(document: Any, name: str, part: str | None) -> bool:
    fits = schema._fits(schema.validator(name, part), document)
    fault = first_fault(document, name, part)
    assert fits is (fault is None), (name, part, fault, document)
    return fits


def test_what_is_written_fits(written: dict[tuple[str, str | None], list[Any]]) -> None:
    for (name, part), found in written.items():
        assert all(_agree(document, name, part) for document in found)


@thorough
@given(data=st.data())
def test_compiled_and_explaining_agree(
    data: st.DataObject, written: dict[tuple[str, str | None], list[Any]]
) -> None:
    name, part = data.draw(st.sampled_from(sorted(written, key=str)))
    document = data.draw(st.sampled_from(written[name, part]))
    _agree(data.draw(changed(document)), name, part)


@thorough
@given(
    document=st.recursive(
        st.sampled_from(VALUES),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner),
        max_leaves=12,
    ),
    name=st.sampled_from(sorted(urn.split(":")[-2] for urn in documents())),
)
def test_they_agree_on_any_json(document: Any, name: str) -> None:
    _agree(document, name, None)


def test_every_schema_is_one() -> None:
    for urn in documents():
        name = urn.split(":")[-2]
        assert schema.validator(name) is schema.validator(name)
        assert first_fault({}, name) is not None


_TEXT = st.text(max_size=6) | st.sampled_from(["\x7f", "\u2028", "\0", "\x1f\t\b", "é", "\ufffe"])
_LEAF = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**60), 2**60),
    st.floats(allow_nan=False, allow_infinity=False),
    _TEXT,
)
_JSON = st.recursive(
    _LEAF,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXT, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=600, deadline=None)
@given(document=_JSON, ascii=st.booleans(), order=st.booleans(), spaced=st.booleans())
def test_what_is_taken_as_canonical_is(
    document: Any, ascii: bool, order: bool, spaced: bool
) -> None:
    """Spelt in many ways, of which the fast way must take those alone that are RFC 8785's."""
    separators = (", ", ": ") if spaced else (",", ":")
    spelt = [
        json.dumps(document, ensure_ascii=ascii, sort_keys=order, separators=separators).encode()
    ]
    try:
        spelt.append(rfc8785.dumps(document))
    except rfc8785.CanonicalizationError:
        assert any(abs(number) > 2**53 - 1 for number in _whole(document))
    for data in spelt:
        try:
            right = rfc8785.dumps(json.loads(data)) == data
        except rfc8785.CanonicalizationError:
            right = False
        try:
            canonical.parse(data, where="t")
            taken = True
        except VerifyFailed as problem:
            taken = False
            right = right and "stands twice" not in problem.what
        assert taken is right, data


def test_every_character_is_spelt_as_rfc_8785_has_it() -> None:
    every = "".join(map(chr, [*range(0xD800), *range(0xE000, 0x10000)]))
    assert canonical._plain([every, {every: every}]) == rfc8785.dumps([every, {every: every}])
    keys = [chr(at) for at in (*range(0x80), 0xE9, 0x7FF, 0x800, 0xD7FF, 0xE000, 0xFB33, 0xFFFF)]
    assert canonical._plain(dict.fromkeys(keys)) == rfc8785.dumps(dict.fromkeys(keys))


def _whole(document: Any) -> Iterator[int]:
    if isinstance(document, int):
        yield document
    elif isinstance(document, dict | list):
        for holder, key in _places(document):
            if isinstance(holder[key], int):
                yield holder[key]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"[" * 65 + b"]" * 65, "too deeply"),
        (b'{"a":' * 65 + b"1" + b"}" * 65, "too deeply"),
        (b"[" * 100_000 + b"]" * 100_000, "too deeply"),
        (b"[" + b"0," * 500_000 + b"0]", "more values"),
        (b'{"a":1,"A":2}', "stands twice"),
        (b'{"a":1,"a":2}', "stands twice"),
        (b"[NaN]", "NaN"),
        (b"[-Infinity]", "Infinity"),
        (b"[1e999]", "too large"),
        (b"[" + b"9" * 5000 + b"]", "digits"),
        (b'["\\ud800"]', "surrogates"),
        (b'["\xed\xa0\x80"]', "utf-8"),
        (b"[1]x", "Extra data"),
        (b"\xff", "utf-8"),
    ],
)
def test_what_is_no_json_here(text: bytes, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        schema.load_json(text, where="t")


def test_json_that_is_large_and_not_many_values() -> None:
    text = b'["' + b'[{,\\"' * 300_000 + b'"]'
    assert len(schema.load_json(text, where="t")[0]) == 4 * 300_000
    assert schema.load_json(b"[" * 64 + b"]" * 64, where="t")
    assert schema.load_json(b'\xef\xbb\xbf["\\ud83d\\ude00"]', where="t") == ["😀"]
    for text in (b"[1", b"[1,]", b"nul", b'"\\x"', Path(__file__).read_bytes()):
        with pytest.raises(BadInput):
            schema.load_json(text, where="t")


OWN = sorted(Path(schema.__file__).parent.rglob("*.yml"))


def test_our_own_files_read_as_strictly_as_foreign_ones() -> None:
    assert len(OWN) > 60
    for path in OWN:
        text = path.read_bytes()
        assert schema.load_own(text, where=path.name) == schema.load_yaml(text, where=path.name)
    for text in (b"a: 1\na: 2\n", b"a: [1\n", b"1.5: a\n", b"a: \x07\n"):
        with pytest.raises(BadInput, match=r"^t: not YAML"):
            schema.load_own(text, where="t")
    assert schema.load_own("day: 2026-11-25\n", where="t") == {"day": "2026-11-25"}


@pytest.mark.parametrize(
    "value",
    [
        "2026-01-01", "2026-1-1", "2026-02-30", "20260101", "2026-01-01\n", "٢٠٢٦-01-01", "", "x@y",
        "@", "2026-01-01T00:00:00Z", "2026-01-01T00:00:60Z", "9999-12-31",
        "2026-01-01T00:00:00", "2026-01-01 00:00:00Z", "2026-01-01T24:00:00Z", 5, None,
        "2026-01-01T00:00:00.123456789Z", "2026-01-01T00:00:00+08:00",
    ],
)  # fmt: skip
def test_a_format_takes_what_jsonschema_takes(value: object) -> None:
    known = Draft202012Validator.FORMAT_CHECKER
    for name, takes in formats().items():
        assert takes(value) is known.conforms(value, name), name


def test_a_line_end_is_no_part_of_what_ends_there() -> None:
    entry = {"name": "evidence.json", "digest": {"sha256": "a" * 64 + "\n"}}
    document = {"_type": "https://in-toto.io/Statement/v1", "subject": [entry, entry]}
    found = [error.json_path for error in _explaining("statement", None).iter_errors(document)]
    assert "$.subject[0].digest.sha256" in found


def test_what_fits_is_known_without_the_grammar_of_iris() -> None:
    """Importing jsonschema builds it, for longer than `pledge status` takes in all."""
    script = (
        "import sys; from collector.schema import validator; "
        "validator('evidence').is_valid({}); "
        "sys.exit('jsonschema' in sys.modules or 'rfc3987_syntax' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_a_line_end_behind_a_pattern_fits_nowhere() -> None:
    """Python's `$` lets one follow, and the schemas that another refers to name their dialect."""
    at = {"id": "p1\n", "sequence": 1, "previous": None}
    with pytest.raises(BadInput, match=r"pledge\.id: 'p1\\n'"):
        schema.check({**_predicate(), "pledge": at}, "predicate", where="x")


def test_what_nothing_explains_is_refused_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema, "first_fault", lambda *_: None)
    with pytest.raises(BadInput, match="does not fit its schema"):
        schema.check({}, "predicate", where="x")


def _predicate() -> dict[str, Any]:
    digest, at = "0" * 64, "2026-11-25T12:00:00Z"
    return {
        "schema": "urn:hostpledge:schema:predicate:1",
        "tool": {"name": "hostpledge", "version": "1"}, "made_at": at,
        "catalog_sha256": digest, "grade": 2, "run": None, "pledge": None,
        "period": {"from": at, "to": at}, "hosts": 1, "clauses": dict.fromkeys(["2.2"], "pass"),
    }  # fmt: skip
