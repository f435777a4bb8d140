"""`pledge show` of hosts that a record declares since: it says which nobody ever looked at."""

from __future__ import annotations

from pathlib import Path

import pytest

from collector.pledges.register.register import Register
from tests.cli.running import Ended, answer, hostpledge
from tests.pledges.records import made
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


def test_show_says_where_in_its_life_a_record_is(tmp_path: Path) -> None:
    """A draft, and what had ended, looked as what is in force."""
    register = Register.open(str(tmp_path / "r.sqlite"))
    ended = {"date": "2026-10-31", "reason": "搬迁", "by": "王安"}
    register.add(made(id="over-1", ended=ended))
    register.add(made(id="now-2"))
    for id, state, said in (
        ("over-1", "ended", "已终止，2026-10-31（搬迁）"),
        ("now-2", "active", "有效"),
    ):
        words = ("pledge", "show", id, "--register", tmp_path / "r.sqlite")
        shown = hostpledge(*words, "--lang", "zh", home=tmp_path).out
        assert f"状态        {said}\n" in shown
        assert answer(hostpledge(*words, "--format", "json", home=tmp_path).out)["state"] == state
