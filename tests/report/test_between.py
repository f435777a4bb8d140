"""The report of a hardening: before and after per control, and what still fails is not hidden."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from collector.attest.keys.keys import PrivateKey
from collector.cli.workflows.evidence import earlier_of
from collector.model import Lang
from collector.plan import Became
from collector.report.model.contents import Source, contents
from collector.report.render.html import own_words, render
from collector.verify import open_bundle
from tests import hardened


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return hardened.bundle(tmp_path_factory.mktemp("between"), PrivateKey.generate()).path


def page(path: Path, lang: Lang, **more: Any) -> str:
    with open_bundle(path) as opened:
        earlier = more.get("earlier", earlier_of(opened))
        source = Source(opened.evidence, opened.capture, None, "", "", earlier=earlier)
        whole = render(contents(source, lang))
    found = re.search(r'<section id="between">.*?</section>', whole, re.DOTALL)
    return found[0] if found else ""


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_each_control_with_both_verdicts_and_what_was_done(made: Path, lang: Lang) -> None:
    shown = page(made, lang)
    words = {key: text.to(lang) for key, text in own_words().items()}
    for word in ("before", "after", "done", "untouched"):
        assert words[word] in shown
    with open_bundle(made) as opened:
        assert opened.before is not None
        steps = opened.before.hardening["hosts"]["web-1"]["steps"]
        numbers = {id: c["number"] for id, c in opened.frame["controls"].items()}
    open_steps = [s for s in steps if s["act"] != "leave"]
    assert open_steps
    for step in open_steps:
        assert f">{numbers[step['control']]}</a>" in shown
    assert "No route to host" in shown, "a host that was not touched says why"


@pytest.mark.parametrize("stands", list(Became))
def test_what_failed_is_shown_with_its_reason(
    made: Path, stands: Became, monkeypatch: pytest.MonkeyPatch
) -> None:
    """How it stands is for `became` (see test_plan.py); here it is shown, loud or not."""
    with open_bundle(made) as opened:
        assert opened.before is not None
        steps = opened.before.hardening["hosts"]["web-1"]["steps"]
    assert any(step["outcome"] == "failed" for step in steps)
    monkeypatch.setattr("collector.report.model.between.became", lambda *_: stands)
    shown = page(made, "en")
    assert "Write it: Read-only file system" in shown
    assert ("Not satisfied!" in shown) == (stands.loud or stands is Became.UNDONE)


def test_no_section_where_nothing_was_hardened(made: Path) -> None:
    assert page(made, "zh", earlier=None) == ""
