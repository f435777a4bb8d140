"""What a run says of each clause at a terminal."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest

from collector import catalog
from collector.cli.workflows import run_summary
from collector.verify import Bundle
from tests.report import recorded


@dataclass(frozen=True)
class _Opened:
    """What is shown of a bundle that was opened."""

    frame: Mapping[str, Any]
    path: Path
    digest: str = "ab" * 32

    def hosts(self) -> list[tuple[str, Mapping[str, Any]]]:
        return list(self.frame["hosts"].items())


def test_what_fails_is_said_beside_what_could_not_be_looked_at(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOSTPLEDGE_LANG", "en")
    frame = recorded.source(tmp_path, "en").evidence
    failed = Counter(
        finding["clause"]
        for entry in frame["hosts"].values()
        for finding in entry["findings"]
        if finding["verdict"] == "fail" and finding["waiver"] is None
    )
    assert any(failed.values())
    run_summary.say(cast("Bundle", _Opened(frame, tmp_path)), None)
    said = " ".join(capsys.readouterr().out.split())
    for count in filter(None, failed.values()):
        assert f"not verified ({count} more fail)" in said


def test_what_is_waived_is_named_and_counted_apart(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOSTPLEDGE_LANG", "en")
    frame = copy.deepcopy(recorded.source(tmp_path, "en").evidence)
    failing = [
        finding
        for entry in frame["hosts"].values()
        for finding in entry["findings"]
        if finding["clause"] == "2.4" and finding["verdict"] == "fail"
    ]
    assert failing
    for finding in failing:
        finding["waiver"] = {"expired": False}
    run_summary.say(cast("Bundle", _Opened(frame, tmp_path)), None)
    said = " ".join(capsys.readouterr().out.split())
    numbers = sorted({catalog.control(finding["control"]).number for finding in failing})
    assert f"not verified (fail, waived: {', '.join(numbers)})" in said
    failing[0]["waiver"] = {"expired": True}
    run_summary.say(cast("Bundle", _Opened(frame, tmp_path)), None)
    assert "not verified (1 more fail)" in " ".join(capsys.readouterr().out.split())
