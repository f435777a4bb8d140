"""The steps in the report: for the platforms of its hosts, each once, as they are to be copied."""

from __future__ import annotations

import html as markup
import re
from pathlib import Path

import pytest

from collector.model import Capture, HostStatus, Lang
from collector.remedies.steps import SAID, for_platform
from collector.remedies.work import hardened, in_order
from collector.report.model import remedies
from collector.report.render import html
from tests.report import recorded

_TYPED = re.compile(r'<pre class="typed">(.*?)</pre>', re.DOTALL)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_each_block_is_what_tests_type(tmp_path: Path, lang: Lang) -> None:
    given = recorded.given(tmp_path, lang)
    page = html.render(given)
    blocks = [markup.unescape(text) for text in _TYPED.findall(page)]
    wanted = {
        (f.control, host.platform) for host in given["hosts"] for f in host.open if host.platform
    }
    with_steps = {pair for pair in wanted if for_platform(*pair)}
    assert {platform for _, platform in with_steps} >= {"debian"}
    for control, platform in with_steps:
        for step in for_platform(control, platform, given["evidence"]["grade"]):
            for part in (step.look, step.commands, step.check_said, step.back):
                assert not part or "\n".join(part) in blocks
    anchors = re.findall(r'<article class="remedy" id="([^"]+)"', page)
    assert sorted(anchors) == sorted(remedies.anchor(*pair) for pair in with_steps)
    assert set(re.findall(r'href="#(m-[^"]+)"', page)) == set(anchors)


def test_what_a_role_does_comes_first_at_the_finding(tmp_path: Path) -> None:
    page = html.render(recorded.given(tmp_path, "en"))
    blocks = [markup.unescape(text) for text in _TYPED.findall(page)]
    assert hardened("logging.remote_copy") in blocks
    assert "--control logging.remote_copy \\\n  -e '{" in str(hardened("logging.remote_copy"))
    assert "--control intrusion.two_factor" not in page


def test_the_steps_stand_in_the_order_of_work(tmp_path: Path) -> None:
    page = html.render(recorded.given(tmp_path, "en"))
    section = page.partition('<section id="remedies">')[2]
    shown = re.findall(r'<article class="remedy" id="m-[a-z0-9]+-([a-z_.]+)"', section)
    assert list(dict.fromkeys(shown)) == list(in_order(shown))
    assert shown.index("antivirus.running") < shown.index("antivirus.signatures")
    assert shown[-1] == "antivirus.web_tamper"
    listed = re.findall(r"<li><a href=\"#(m-[^\"]+)\">", section.partition("</ol>")[0])
    assert listed == re.findall(r'<article class="remedy" id="([^"]+)"', section)
    assert "Do this last" in section


def test_a_check_says_how_it_ended(tmp_path: Path) -> None:
    page = html.render(recorded.given(tmp_path, "zh"))
    checks = re.findall(r"核对（.*?）：</p>\s*<pre class=\"typed\">(.*?)</pre>", page, re.DOTALL)
    assert len(checks) > 20
    assert all(markup.unescape(check).endswith(SAID) for check in checks)


def test_a_host_that_did_not_answer_has_no_platform() -> None:
    assert remedies.platform_named(Capture("gone", HostStatus.UNREACHABLE)) == ("", "")
    assert remedies.anchor("logging.remote_copy", "") == ""
