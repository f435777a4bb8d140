"""Every control against its cases, and every control has the cases it must have."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import grimp
import pytest
import rfc8785

from collector import catalog, releases
from collector.assess import assess_host, to_json
from collector.schema import check
from collector.verify.asked import says
from tests import cases

_MUST = {"pass", "fail", "notapplicable", "error"}


def _name(path: Path) -> str:
    return f"{path.parent.parent.name}.{path.parent.name}/{path.name}"


@pytest.mark.parametrize("path", cases.case_files(), ids=_name)
def test_case(path: Path) -> None:
    case = cases.load(path)
    control = catalog.control(case.control)
    (found,) = assess_host(
        case.capture, [control], grade=case.grade, at=case.at, attached=case.attached
    )
    said = f"{found.result} {found.reason}: {found.message.en}"
    assert found.result is case.result, said
    assert found.reason == case.expect["reason"], said
    assert case.expect.get("message", "") in found.message.en, said
    for text in (found.message, found.expected, found.remediation):
        # `%{remote}p` is Apache's own
        said = (text.zh + text.en).replace("%{remote}p", "")
        assert "{" not in said, f"a value is missing: {text}"
    told = to_json(found, case.at)
    check(told, "finding", where=_name(path))
    # an auditor's check takes the words for the tool's, and for nobody's own
    release = releases.current()
    known = release.at(case.grade)[case.control]
    assert says(release, known, json.loads(rfc8785.dumps(told))), said


@pytest.mark.parametrize("id", list(catalog.controls()))
def test_control_has_its_cases(id: str) -> None:
    verdicts = {path.name.split(".")[-2] for path in cases.case_files(id)}
    # a control that no host can be outside of says so by having no message for it
    missing = _MUST - verdicts - ({"notapplicable"} if _always_applies(id) else set())
    assert not missing, f"{id} has no case for {sorted(missing)}"


def _always_applies(id: str) -> bool:
    source = Path(catalog.__file__).parent / "controls" / (id.replace(".", "/") + ".py")
    return "NOTAPPLICABLE" not in source.read_text(encoding="utf-8")


@pytest.mark.parametrize("id", list(catalog.controls()))
def test_every_message_is_shown_by_a_case(id: str) -> None:
    reasons = {cases.load(path).expect["reason"] for path in cases.case_files(id)}
    assert set(catalog.control(id).messages) <= reasons, "a message no case shows"


@cache
def _imports() -> grimp.ImportGraph:
    return grimp.build_graph("collector", cache_dir=None)


@pytest.mark.parametrize("id", list(catalog.controls()))
def test_judge_uses_only_the_facts_it_declares(id: str) -> None:
    """A control declares the facts modules whose reads it needs; none is idle."""
    used = _imports().find_upstream_modules(f"collector.controls.{id}")
    idle = [name for name in catalog.control(id).facts if f"collector.facts.{name}" not in used]
    assert not idle
