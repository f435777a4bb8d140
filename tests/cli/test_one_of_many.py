"""A run over many pledges: a defect met in one is told in a line, and keeps no other back."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from collector import verify
from collector.cli.workflows import fleet_run
from collector.cli.workflows.fleet_summary import Outcome

_TOLD = "a defect of hostpledge, please report it: ValueError: year 10000 is out of range"


def _bundle(_: Any, place: Path, *__: Any) -> Path:
    if place.name == "no-bundle":
        raise ValueError("year 10000 is out of range")
    return place / "bundle"


def _report(place: Path, *_: Any, **__: Any) -> Path:
    if place.name == "no-report":
        raise ValueError("year 10000 is out of range")
    return place / "report.html"


def test_a_report_or_bundle_that_fails_is_told_of_its_pledge(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(fleet_run, "make_bundle", _bundle)
    monkeypatch.setattr(fleet_run, "write_report", _report)
    monkeypatch.setattr(
        fleet_run, "outcome_of", lambda pledge, grade, made, _: Outcome(pledge, grade, None, made)
    )
    monkeypatch.setattr(verify, "open_bundle", nullcontext)
    names = ("no-report", "no-bundle", "well")
    chosen: Any = SimpleNamespace(
        fleet=SimpleNamespace(records={}, register=None, renewed=()),
        parts=[SimpleNamespace(id="", folder=n, grade=2, hosts=("h",)) for n in names],
    )
    signing: Any = SimpleNamespace(key=None)
    packed: list[Path] = []
    nothing: Any = None
    found = fleet_run.prove(chosen, nothing, tmp_path, signing, packed.append)
    assert [str(one.problem or "") for one in found] == [_TOLD, _TOLD, ""]
    assert found[2].report == tmp_path / "pledges" / "well" / "report.html"
    assert packed == [tmp_path / "pledges" / "well" / "bundle"]
    assert not fleet_run.settled(found, tmp_path)
    assert "does what is left" in capsys.readouterr().err
