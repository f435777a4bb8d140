"""Well-kept hosts that are, or were, easily misread: they pass, by what their jobs really do.

They stand on captures from before some reads were there, so that they are no cases of the controls.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from collector import catalog
from collector.assess import assess_host
from tests import cases

HERE = Path(__file__).parent / "scripts_of_jobs"


@pytest.mark.parametrize(
    "path", sorted(HERE.glob("*/*/*.yml")), ids=lambda p: p.name.partition(".")[0]
)
def test_the_script_is_read_as_it_runs(path: Path) -> None:
    case = cases.load(path)
    (found,) = assess_host(
        case.capture,
        [catalog.control(case.control)],
        grade=case.grade,
        at=case.at,
        attached=case.attached,
    )
    assert found.result is case.result, found.message.en
    assert found.reason == case.expect["reason"]
    assert case.expect["message"] in found.message.en
