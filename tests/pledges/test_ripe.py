"""Who has to wait is not told to mend by a day that no host can keep."""

from __future__ import annotations

from dataclasses import replace

import pytest

from collector import catalog
from collector.assess import assess_host, to_json
from collector.pledges.record.times import waiver_end
from collector.pledges.status.ripe import RIPE, ripe_on
from collector.report.model import notice
from tests import cases
from tests.pledges.records import made
from tests.pledges.test_notice import NOW, SOON, _life

LATER = "2999-05-30"


@pytest.mark.parametrize(("control", "reason"), RIPE)
def test_the_day_is_the_one_that_the_finding_tells(control: str, reason: str) -> None:
    """Held to what the judge says of a host of a case."""
    told = set()
    for path in cases.case_files(control):
        case = cases.load(path)
        if case.expect["reason"] == reason:
            (found,) = assess_host(
                case.capture, [catalog.control(control)], grade=case.grade, at=case.at,
                attached=case.attached,
            )  # fmt: skip
            day = ripe_on(to_json(found, case.at))
            assert day > case.at.date().isoformat()
            assert day in found.message.en
            told.add(day)
    assert told


@pytest.mark.parametrize(
    "values", [{}, {"date": "soon"}, {"date": 7}, None, {"date": "2026-99-01"}]
)
def test_what_tells_no_day_ripens_never(values: object) -> None:
    finding = {"control": "logging.logins", "reason": "young", "values": values}
    assert ripe_on(finding) == ""
    assert ripe_on({**finding, "values": {"date": LATER}}) == LATER
    assert ripe_on({**finding, "reason": "too_short", "values": {"date": LATER}}) == ""


def test_a_notice_names_the_day_on_which_it_is_satisfied() -> None:
    weak, young = _life("weak", "open", -9), _life("young", "open", -9)
    young = replace(young, ripe=LATER)
    own = replace(young, host="own", due=waiver_end(SOON))
    sooner = replace(young, host="sooner", ripe="2020-01-01")
    asked = notice.Asked("mend", "1", "", SOON)
    given = notice.contents(
        made(), [weak, young, own, sooner], (2, NOW, "de" * 32), asked, NOW, "en"
    )
    ((_, items),) = given["parts"]
    days = {host: item.due for item in items for host in item.hosts}
    assert days == {"weak": SOON, "young": LATER, "own": SOON, "sooner": SOON}
    said = {item.hosts: item.what for item in items}
    # once, for both of its rows
    assert "satisfied by that day" in said["sooner",]
    assert said["young",] == ""
    # by the day that somebody set for it nothing is satisfied: no such promise is made
    assert said["weak", "own"] == "mend 184"
    assert young.until(SOON) == young.until("") == LATER
