"""The steps in the report: for the platforms of its hosts, each once, as they are to be copied."""

from __future__ import annotations

import html as markup
import re
from pathlib import Path

import pytest

from collector.model import Capture, HostStatus, Lang
from collector.remedies.steps import for_platform
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
            for part in (step.look, step.commands, step.check, step.back):
                assert not part or "\n".join(part) in blocks
    anchors = re.findall(r'<article class="remedy" id="([^"]+)"', page)
    assert sorted(anchors) == sorted(remedies.anchor(*pair) for pair in with_steps)
    assert set(re.findall(r'href="#(m-[^"]+)"', page)) == set(anchors)


def test_what_a_role_does_comes_first_at_the_finding(tmp_path: Path) -> None:
    page = html.render(recorded.given(tmp_path, "en"))
    assert "hostpledge harden -i INVENTORY --control logging.remote_copy</pre>" in page
    assert "--control intrusion.two_factor" not in page


def test_a_host_that_did_not_answer_has_no_platform() -> None:
    assert remedies.platform_named(Capture("gone", HostStatus.UNREACHABLE)) == ("", "")
    assert remedies.anchor("logging.remote_copy", "") == ""
