"""`pledge show` of hosts that a record declares since: it says which nobody ever looked at."""

from __future__ import annotations

from pathlib import Path

import pytest

from collector.pledges.register.register import Register
from tests.cli.running import Ended, answer, hostpledge
from tests.web.sites import Place, filled
from tests.web.test_declared_since import _declares

_CHECKED = {"responsibility.2.2", "responsibility.2.3", "responsibility.2.4", "pledge.4"}


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setenv("HOSTPLEDGE_HOME", str(tmp_path / "home"))
    return filled(tmp_path / "web")


def _show(own: Place, tmp_path: Path, *words: str) -> Ended:
    given = ("--register", own.register, "--lang", "en")
    return hostpledge("pledge", "show", "demo-1", *words, *given, home=tmp_path / "home")


def test_it_names_them(own: Place, tmp_path: Path) -> None:
    assert "never looked at" not in _show(own, tmp_path).out
    _declares(Register.open(own.register), ["web-01", "web-02", "web-03"])
    assert "hosts never looked at: web-02, web-03\n" in _show(own, tmp_path).out
    shown = answer(_show(own, tmp_path, "--format", "json").out)
    assert shown["never_looked_at"] == ["web-02", "web-03"]
    verdicts = {c["verdict"] for c in shown["clauses"] if c["clause"] in _CHECKED}
    assert not verdicts & {"pass", "notapplicable", "partial"}
    _declares(Register.open(own.register), ["web-01"])
    assert "never looked at" not in _show(own, tmp_path).out
