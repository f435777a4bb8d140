"""What is attested in the pledge record: how it is written, where it counts, what is said of it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from collector import catalog
from collector.assess import assess_host
from collector.cli.commands.explain import attestation_form, how_to_attest
from collector.cli.ui import language
from collector.errors import BadInput
from collector.model import Finding
from collector.pledges.record.form import from_document
from collector.schema import load_yaml
from tests import cases

ROOT = Path(__file__).parents[1]
RECORD = (ROOT / "examples" / "pledge.yml").read_text(encoding="utf-8")
_TODAY = date(2026, 12, 1)
_TAKEN = [c for c in catalog.controls().values() if c.attested is not None]


@pytest.fixture
def spoken() -> Iterator[Callable[[], None]]:
    yield language.lang.cache_clear
    language.lang.cache_clear()


def _recorded(entries: Any) -> None:
    document = load_yaml(RECORD, where="examples/pledge.yml")
    document["attestations"] = entries
    from_document(document, where="record", today=_TODAY)


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("control", _TAKEN, ids=lambda one: one.id)
def test_what_explain_prints_is_taken(
    control: Any, lang: str, monkeypatch: pytest.MonkeyPatch, spoken: Callable[[], None]
) -> None:
    monkeypatch.setenv("HOSTPLEDGE_LANG", lang)
    spoken()
    document = load_yaml("\n".join(attestation_form(control)), where="explain")
    _recorded(document["attestations"])
    shown = "\n".join(how_to_attest(control))
    assert "\n".join(attestation_form(control)) in shown
    assert control.attested.to(lang)[:10] in shown
    monkeypatch.undo()


@pytest.mark.parametrize("guide", ["operators-guide.md", "operators-guide.zh.md"])
def test_what_the_guide_shows_is_taken(guide: str) -> None:
    text = (ROOT / "docs" / guide).read_text(encoding="utf-8")
    blocks = re.findall(r"```yaml\n(attestations:.*?)```", text, re.DOTALL)
    assert len(blocks) == 1
    _recorded(load_yaml(blocks[0], where=guide)["attestations"])


@pytest.mark.parametrize("id", list(catalog.controls()))
def test_a_control_says_so_where_its_judge_takes_one(id: str) -> None:
    source = ROOT / "collector" / "controls" / (id.replace(".", "/") + ".py")
    takes = "attested(facts, " in source.read_text(encoding="utf-8").replace("_attested(", "(")
    assert (catalog.control(id).attested is not None) == takes


@pytest.mark.parametrize(
    ("written", "said", "said_zh"),
    [
        ("2.2", "write responsibility.2.2", "请写作 responsibility.2.2"),
        ("2(2)", "write responsibility.2.2", "请写作 responsibility.2.2"),
        ("二（二）", "write responsibility.2.2", "请写作 responsibility.2.2"),
        ("责任书二(二)", "write responsibility.2.2", "请写作 responsibility.2.2"),
        ("6", "write responsibility.6 / pledge.6", "responsibility.6 / pledge.6"),
        ("firewall", "firewall is none", "firewall 不是"),
    ],
)
def test_a_clause_by_another_name_is_refused_in_words(
    written: str, said: str, said_zh: str
) -> None:
    entry = {"clause": written, "statement": "s", "by": "b", "date": "2026-11-01"}
    with pytest.raises(BadInput) as refused:
        _recorded([entry])
    what = refused.value.what
    assert said in str(what)
    assert said_zh in what.zh  # type: ignore[attr-defined]
    assert "attestations[0].clause" in str(what)
    assert "^" not in str(what)


def _detection(**entry: str) -> Finding:
    case = cases.load(next(p for p in cases.case_files("intrusion.detection") if "fail" in p.name))
    told = {"control": case.control, "clause": "responsibility.2.2", "statement": "tested",
            "by": "李示例", "date": "2026-11-20", **entry}  # fmt: skip
    attached = {**case.attached, "attestations": json.dumps([told]).encode()}
    control = catalog.control(case.control)
    (found,) = assess_host(case.capture, [control], grade=2, at=case.at, attached=attached)
    assert found.result == "fail"
    return found


def test_an_attestation_that_does_not_count_is_named_with_the_reason() -> None:
    found = _detection()
    assert (
        "(an attestation by 李示例 of 2026-11-20 is in the pledge record and does not count: "
        in (found.message.en)
    )
    assert "one is taken only where a product runs" in found.message.en
    assert "（登记中李示例于2026-11-20就此所作的证明不作数：仅在此种情形采信——" in found.message.zh


def test_one_that_has_ended_or_is_of_tomorrow_is_said_to() -> None:
    assert "it ended on 2026-11-24" in _detection(expires="2026-11-24").message.en
    assert "its date is yet to come" in _detection(date="2026-12-24").message.en


def test_where_none_is_taken_that_is_said() -> None:
    case = cases.load(next(p for p in cases.case_files("backup.jobs") if ".fail." in p.name))
    told = {"control": case.control, "clause": "responsibility.2.4", "statement": "s", "by": "b",
            "date": "2026-11-20"}  # fmt: skip
    control = catalog.control(case.control)
    for hosts, says in (({}, True), ({"hosts": ["another"]}, False)):
        attached = {**case.attached, "attestations": json.dumps([{**told, **hosts}]).encode()}
        (found,) = assess_host(case.capture, [control], grade=2, at=case.at, attached=attached)
        assert ("this control takes none of the pledge record" in found.message.en) == says


def test_nothing_is_said_where_it_counts_or_is_not_needed() -> None:
    for path in cases.case_files():
        case = cases.load(path)
        if "attestations" in case.attached and case.result == "pass":
            control = catalog.control(case.control)
            (found,) = assess_host(
                case.capture, [control], grade=case.grade, at=case.at, attached=case.attached
            )
            assert "does not count" not in found.message.en, path
