"""What the page reckons for itself it reckons as Python does: names, times, clauses, schemas."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from collector import captures
from collector.alike_names import fold
from collector.assess import fill
from collector.attest.bundle import evidence
from collector.attest.bundle.evidence import Clauses, weighed_from_json
from collector.attest.keys import sm2
from collector.faults import documents
from collector.model import Text
from collector.verify.asked import Asked
from collector.verify.webpage import SHOWN, page, source, words
from tests import bundles
from tests.browser import Page, browser, opened

pytestmark = pytest.mark.skipif(browser() is None, reason="chromium is not installed")
TIMES = (
    "2026-11-25T12:00:00Z", "2026-11-25T12:00:00.123456789+08:00", "2026-02-29T00:00:00Z",
    "2024-02-29T23:59:59-00:30", "0001-01-01T00:00:00+10:00", "9999-12-31T23:59:59-10:00",
    "0001-01-01T00:00:00Z", "1969-12-31T23:59:59.5Z", "2026-11-25t12:00:00Z",
    "2026-11-25T24:00:00Z", "2026-11-25T12:00:60Z", "2026-11-25 12:00:00Z", "2026-11-25T12:00:00",
)  # fmt: skip
NAMES = ("web-1", "数据库一号", "a b\tc", ".x", "-rf", "é" * 200, "a" * 300, "𠮷", "=", "10")


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    folder = tmp_path_factory.mktemp("browser")
    (folder / "page.html").write_text(page(), encoding="utf-8")
    with opened((folder / "page.html").as_uri(), folder) as found:
        yield found


def test_every_word_of_the_schemas_is_known(shown: Page) -> None:
    """A word that the page does not know would let anything pass."""
    known = set(shown.ask("[...Object.keys(WORDS_OF_SCHEMA), ...NOTES]"))

    def look(schema: Any) -> None:
        if not isinstance(schema, dict):
            return
        assert schema.keys() <= known, schema.keys() - known
        for word in ("properties", "$defs"):
            for inner in schema.get(word, {}).values():
                look(inner)
        for word in ("items", "additionalProperties", "propertyNames"):
            look(schema.get(word))
        for word in ("oneOf", "anyOf"):
            for inner in schema.get(word, ()):
                look(inner)
        named = schema.get("$ref", "#").partition("#")[0]
        assert named in ("", *words()["schemas"])

    for schema in words()["schemas"].values():
        look(schema)
    assert words()["schemas"].keys() <= documents().keys()


def test_times(shown: Page) -> None:
    for text in TIMES:
        try:
            at = datetime.fromisoformat(text)
            expected = None
            if at.tzinfo is not None and text[10] == "T" and "T24" not in text:
                expected = evidence.time(at)
        except (ValueError, OverflowError):
            expected = None
        asked = f"moment({json.dumps(text)}) === null ? null : written(moment({json.dumps(text)}))"
        assert shown.ask(asked) == expected, text


def test_names_of_files(shown: Page) -> None:
    for name in NAMES:
        expected = captures.file_name(name).removesuffix(captures.SUFFIX)
        assert shown.ask(f"fileName({json.dumps(name)})") == expected


def test_letters_that_are_one_letter_to_python_are_one_to_the_page(shown: Page) -> None:
    groups: dict[str, list[str]] = {}
    for number in range(0x110000):
        if not 0xD800 <= number < 0xE000:
            groups.setdefault(chr(number).casefold(), []).append(chr(number))
    several = [group for group in groups.values() if len(group) > 1]
    told = shown.ask(
        f"{json.dumps(several)}.filter((some) => new Set(some.map(fold)).size > 1).map(String)"
    )
    assert told == []


def test_letters_that_are_two_to_python_are_two_to_the_page(shown: Page) -> None:
    """In this browser, whose Unicode may be a later one, and in any later Python."""
    changed = dict(
        shown.ask(
            "Array.from({length: 0x110000}, (_, at) => String.fromCodePoint(at))"
            ".filter((one) => one.isWellFormed() && fold(one) !== one)"
            ".map((one) => [one, fold(one)])"
        )
    )
    one_to_the_page: dict[str, set[str]] = {}
    for letter, folded in changed.items():
        one_to_the_page.setdefault(folded, {fold(folded)}).add(fold(letter))
    assert {page: many for page, many in one_to_the_page.items() if len(many) > 1} == {}
    for pair in (
        "iı",
        "\ua7da\ua7db",
        "\U00010d55\U00010d75",
        "\u1c89\u1c8a",
        "\U00016ea0\U00016ebb",
    ):
        assert len(set(map(fold, pair))) == 2
        assert shown.ask(f"new Set(Array.from({json.dumps(pair)}, fold)).size") == 2


def test_sm3(shown: Page) -> None:
    for size in (0, 1, 55, 56, 63, 64, 65, 119, 120, 1000):
        data = random.Random(size).randbytes(size)
        asked = f"hex(sm3(Uint8Array.from({list(data)})))"
        assert shown.ask(asked) == sm2.sm3(data)


def test_clauses(shown: Page) -> None:
    """Verdicts of clauses over thousands of sets of findings."""
    dice = random.Random(1)
    at = datetime(2026, 11, 25, tzinfo=UTC)
    results = ["pass", "partial", "fail", "notapplicable", "error", "notchecked"]

    def finding() -> dict[str, Any]:
        expires = at + timedelta(days=dice.choice([-1, 0, 1]))
        waiver = {"reason": "x", "approver": "y", "expires": expires.isoformat(), "expired": False}
        return {
            "control": "a.b", "clause": dice.choice(["2.2", "2.3", "2.4"]),
            "verdict": dice.choice(results), "severity": dice.choice(["low", "medium", "high"]),
            "veto": dice.random() < 0.2, "waiver": waiver if dice.random() < 0.3 else None,
        }  # fmt: skip

    cases: list[dict[str, dict[str, Any]]] = [
        {
            str(host): {
                "assessed_at": at.isoformat(),
                "findings": [finding() for _ in range(dice.randrange(6))],
            }
            for host in range(dice.randrange(1, 4))
        }
        for _ in range(2000)
    ]
    told = shown.ask(f"{json.dumps(cases)}.map(weigh)")
    for hosts, said in zip(cases, told, strict=True):
        clauses = Clauses()
        for host, entry in hosts.items():
            clauses.add([weighed_from_json(host, one) for one in entry["findings"]], at)
        assert said == clauses.to_json()


class _Held:
    """As `Asked` takes a check."""

    def __init__(self, frame: dict[str, Any]) -> None:
        self.frame = frame


def _strange(document: dict[str, Any]) -> list[str]:
    asked = Asked(_Held(document), None)  # type: ignore[arg-type]
    for entry in document["hosts"].values():
        for finding in entry["findings"]:
            asked.finding(finding)
    return list(asked.strange)


def test_words_of_the_signer(shown: Page, tmp_path: Path) -> None:
    """Whose a title, a criterion or a message is, over many that were changed in one place."""
    made, _ = bundles.make(tmp_path, [bundles.capture("web-1"), bundles.unreachable("gone")])
    whole = json.loads((made.path / "data/evidence.json").read_bytes())
    dice = random.Random(2)
    shown.ask("(async () => { RELEASES = await releases; })()")

    def said(document: dict[str, Any]) -> list[str]:
        found: list[str] = shown.ask(f"Array.from(strangeTexts({json.dumps(document)}))")
        return found

    assert said(whole) == _strange(whole) == []
    every = [f for host in whole["hosts"].values() for f in host["findings"]]
    for number in range(60):
        changed = json.loads(json.dumps(whole))
        for _ in range(dice.randrange(1, 4)):
            finding = dice.choice(changed["hosts"][dice.choice(["web-1", "gone"])]["findings"])
            name = dice.choice(["message", "expected", "remediation", "reason", "values", "title"])
            if name == "reason":
                finding["reason"] = dice.choice(every)["reason"]
            elif name == "values":
                finding["values"] = dice.choice(every)["values"]
            elif name == "title":
                changed["controls"][finding["control"]]["title"]["zh"] += "。"
            else:
                finding[name][dice.choice(["zh", "en"])] = dice.choice(every)[name]["en"]
        assert said(changed) == _strange(changed), number


@pytest.mark.parametrize(
    "value",
    [
        1,
        0,
        -3,
        1.5,
        0.00002,
        1e21,
        True,
        None,
        "a\tb",
        "x" * 1200,
        "  y ",
        ["a", 1, 2.5],
        [],
        "{n}",
    ],
)
def test_values_in_messages(shown: Page, value: Any) -> None:
    """However Python spelled a value, the page finds it so."""
    given = {"n": value, "m": "z"}
    for values in (given, {**given, "n": float(value)} if type(value) is int else given):
        text = fill(Text("有 {n} 项，{m}{k}", "{n} of {m}: {k}"), values)
        for template, comma, filled in (
            ("有 {n} 项，{m}{k}", "、", text.zh), ("{n} of {m}: {k}", ", ", text.en),
        ):  # fmt: skip
            asked = [template, given, comma, filled]
            assert shown.ask(f"filledAs(...{json.dumps(asked)})") is True
            asked[-1] = filled + "."
            assert shown.ask(f"filledAs(...{json.dumps(asked)})") is False


def test_the_logic_needs_no_page() -> None:
    assert "document.getElementById" not in source()
    assert all(len(source((name,)).splitlines()) <= 350 for name in _parts())
    # what the logic names stands in it, and in no part that shows
    names = re.compile(r"^(?:const|let) ([A-Z_]+)\b", re.MULTILINE)
    shown = set(names.findall(source(SHOWN)))
    assert not {one for one in shown if re.search(rf"\b{one}\b", source())}


def _parts() -> tuple[str, ...]:
    return tuple(path.stem for path in Path("collector/verify/page").glob("*.js"))


def test_scope_narrows_what_was_not_wholly_judged(shown: Page) -> None:
    scope = {"absent": [], "clauses": {"2.2": {"judged": 1, "of": 2}, "2.3": {"judged": 0, "of": 2},
                                       "2.4": {"judged": 2, "of": 2}}}  # fmt: skip
    for number, verdict, known, expected in (
        ("2.2", "pass", True, "error"), ("2.2", "fail", True, "fail"),
        ("2.3", "notchecked", True, "notchecked"), ("2.4", "pass", True, "pass"),
        ("2.4", "pass", False, "error"),
    ):  # fmt: skip
        asked = f"narrowed({number!r}, {verdict!r}, {json.dumps(scope)}, {json.dumps(known)})"
        assert shown.ask(asked) == expected
