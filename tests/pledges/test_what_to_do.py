"""A notice asks for nothing that cannot be done by its day, nor for what was not found."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from collector import catalog
from collector.cli.workflows.desk.noticing import Asked, _in_time, made
from collector.model import Result, Text
from collector.pledges.record.times import CHINA, waiver_end
from collector.pledges.register.register import Register
from collector.pledges.standing.found_now import lives_now
from collector.pledges.status.findings import Event, Life, lives
from collector.pledges.status.what_to_do import mend, waits_until
from tests.pledges.bundles import Signer
from tests.pledges.lives import captured, check
from tests.pledges.records import made as record

NOW = datetime.now(UTC)
SOON = (NOW.astimezone(CHINA) + timedelta(days=15)).date().isoformat()
LATER = (NOW.astimezone(CHINA) + timedelta(days=150)).date().isoformat()
_OLD = Text("旧", "as the control has it")
_YOUNG = {"verdict": "partial", "reason": "young", "values": {"date": LATER}}


def test_every_control_of_young_records_says_from_when_they_are_old_enough() -> None:
    named = {
        control.id: set(re.findall(r"{(\w+)}", control.messages["young"].en))
        for control in catalog.controls().values()
        if "young" in control.messages
    }
    assert {"logging.retention_observed", "logging.logins", "monitoring.state"} <= named.keys()
    # its stores have a day each, in words
    del named["backup.versions"]
    for id, values in named.items():
        (word,) = values & {"date", "on"}
        found = {**_YOUNG, "values": {word: LATER}}
        assert waits_until(found) == LATER, id


@pytest.mark.parametrize(
    "found",
    [
        {**_YOUNG, "verdict": "fail"},
        {**_YOUNG, "reason": "short"},
        {**_YOUNG, "values": {"date": "some day"}},
        {**_YOUNG, "values": {}},
        {},
    ],
)
def test_nothing_else_waits(found: dict[str, Any]) -> None:
    assert waits_until(found) == ""
    assert mend(found, _OLD) is _OLD


def test_what_is_to_be_done_is_for_what_was_found() -> None:
    assert LATER in mend(_YOUNG, _OLD).zh
    none = {"verdict": "notchecked", "reason": "no_inventory"}
    assert "数据分类分级清单" in mend(none, _OLD).zh
    for control in catalog.controls().values():
        # it is handed in for whatever control wants it
        if "no_inventory" in control.messages:
            assert "inventory" in control.messages["no_inventory"].en
    assert mend({"verdict": "fail", "reason": "no_inventory"}, _OLD) is _OLD


def _life(due: str = "", waits: str = "") -> Life:
    events = (Event("opened", NOW, 1, Result.PARTIAL),)
    found = Life("c", "h", "L06", _OLD, True, "open", Result.PARTIAL, 1, events, waits=waits)
    return replace(found, due=waiver_end(due) if due else None)


@pytest.mark.parametrize(
    ("due", "by", "waits", "then"),
    [
        ("", SOON, LATER, LATER),
        (SOON, "", LATER, LATER),
        (LATER, "", SOON, LATER),
        ("", "", LATER, LATER),
        ("", LATER, SOON, ""),
        ("", SOON, "", ""),
        (SOON, "", "", SOON),
    ],
)
def test_the_day_is_the_one_on_which_time_has_done_it(
    due: str, by: str, waits: str, then: str
) -> None:
    day = _in_time(_life(due, waits), by).due
    assert (day.astimezone(CHINA).date().isoformat() if day else "") == then


def test_a_notice_has_the_day_of_what_only_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from collector.pledges.standing import found_now

    register = Register.open(str(tmp_path / "r.sqlite"))
    register.add(record(id="one-1", resources={"hosts": ["web-01"]}))
    check(register, "one-1", Signer(tmp_path), captured("weak"), NOW - timedelta(days=20))
    known = register.get("one-1")
    (open_one,) = [x for x in lives_now(register, known, NOW) if x.state == "open"]
    waits = replace(open_one, control="logging.retention_observed", waits=LATER)
    monkeypatch.setattr(found_now, "lives_told", lambda *_: ((open_one, waits), None))
    asked = Asked(recheck=False, since=None, by=SOON, issuer="", number="", owner=None, check=True)
    notice = made(register, "one-1", asked, NOW, html=True)
    assert notice is not None
    assert [row.get("mend_by") for row in notice.entry["findings"]] == [SOON, LATER]


def test_of_evidence_it_is_told_as_it_was_found() -> None:
    about = {"number": "L06", "title": {"zh": "x", "en": "x"}, "veto": True}
    finding = {
        **_YOUNG, "control": "c", "message": _both("said"), "remediation": _both("mend"),
        "waiver": None, "severity": "high",
    }  # fmt: skip
    entry = {"status": "complete", "findings": [finding], "assessed_at": NOW.isoformat()}
    document = {"hosts": {"h": entry}, "controls": {"c": about}}
    row: Any = _Row()
    (life,) = lives(record(id="one-1"), [(row, document)], NOW)
    assert (life.waits, LATER in life.mend.en) == (LATER, True)
    # what it rests on has ended: then it is looked at again first
    (life,) = lives(record(id="one-1"), [(row, document)], NOW, lambda _: {("c", "h"): _OLD})
    assert (life.verdict, life.waits) == (Result.ERROR, "")


def _both(text: str) -> dict[str, str]:
    return {"zh": text, "en": text}


class _Row:
    sequence, refused = 1, ""
    collected_at = NOW
