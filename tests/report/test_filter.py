"""The filter of the page in a real browser: what it hides, what it never hides."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from collector.report.render import html
from tests.browser import Page, browser, opened
from tests.report import recorded

_GIVEN: dict[str, Any] = {}


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    if browser() is None:
        pytest.skip("chromium is not installed")
    folder = tmp_path_factory.mktemp("filter")
    _GIVEN.update(recorded.given(folder, "en"))
    (folder / "report.html").write_text(html.render(_GIVEN), encoding="utf-8")
    with opened((folder / "report.html").as_uri(), folder) as page:
        yield page


def _ask(page: Page, words: str = "", verdict: str = "", clause: str = "") -> dict[str, Any]:
    """What is seen after these are asked for."""
    given = json.dumps([words, verdict, clause])
    found: dict[str, Any] = page.ask(
        f"""(() => {{
          const bar = document.getElementById('filter');
          const fields = [bar.querySelector('input'), ...bar.querySelectorAll('select')];
          {given}.forEach((value, place) => {{ fields[place].value = value; }});
          fields[0].dispatchEvent(new Event('input'));
          const seen = (place) => place.getClientRects().length > 0;
          const names = (all) => [...all].filter(seen).length;
          return {{
            bar: seen(bar),
            said: bar.querySelector('output').value,
            clear: seen(bar.querySelector('button')),
            hosts: names(document.querySelectorAll('article.host')),
            rows: names(document.querySelectorAll('.matrix tr[data-host]')),
            findings: names(document.querySelectorAll('article.host [data-verdict]')),
            verdicts: [...new Set([...document.querySelectorAll('article.host [data-verdict]')]
              .filter(seen).map((f) => f.dataset.verdict))].sort(),
          }};
        }})()"""
    )
    return found


def test_all_of_it_stands_there_until_something_is_asked_for(shown: Page) -> None:
    every = sum(len(h.by_control) for h in _GIVEN["hosts"])
    seen = _ask(shown)
    assert (seen["bar"], seen["said"], seen["clear"]) == (True, "", False)
    assert (seen["hosts"], seen["rows"]) == (len(_GIVEN["hosts"]),) * 2
    assert seen["findings"] == every
    assert not shown.complaints


def test_what_is_asked_for_alone_is_seen(shown: Page) -> None:
    failed = [f for h in _GIVEN["hosts"] for f in h.by_control.values() if f.css == "fail"]
    seen = _ask(shown, verdict="fail")
    assert failed
    assert (seen["verdicts"], seen["findings"]) == (["fail"], len(failed))
    assert seen["said"].startswith(f"{len(failed)} finding(s), {seen['hosts']} host(s)")
    assert seen["rows"] == seen["hosts"] < len(_GIVEN["hosts"])
    assert seen["clear"]
    of_host = _ask(shown, "WEB-01")
    assert of_host["hosts"] == 1
    one = next(h for h in _GIVEN["hosts"] if h.name == "web-01")
    assert of_host["findings"] == len(one.by_control)
    id = one.open[0].clause
    wanted = [f for f in one.by_control.values() if f.clause == id]
    assert 0 < len(wanted) < len(one.by_control)
    assert _ask(shown, "web-01", clause=id)["findings"] == len(wanted)
    nothing = _ask(shown, "<script>alert(1)</script> no such words")
    assert (nothing["hosts"], nothing["findings"]) == (0, 0)
    assert nothing["said"] == "0 finding(s), 0 host(s)"
    assert _ask(shown)["findings"] == sum(len(h.by_control) for h in _GIVEN["hosts"])


def test_a_link_into_what_is_hidden_shows_it(shown: Page) -> None:
    anchor = next(iter(_GIVEN["hosts"][-1].by_control.values())).anchor
    _ask(shown, "no such words")
    shown.ask(f"location.hash = {json.dumps(anchor)}")
    shown.wait(f"document.getElementById({json.dumps(anchor)}).getClientRects().length > 0")


def test_on_paper_all_of_it_stands(shown: Page) -> None:
    every = sum(len(h.by_control) for h in _GIVEN["hosts"])
    _ask(shown, "no such words")
    shown.call("Emulation.setEmulatedMedia", media="print")
    try:
        seen = "(place) => place.getClientRects().length > 0"
        places = "document.querySelectorAll('article.host [data-verdict]')"
        assert shown.ask(f"[...{places}].filter({seen}).length") == every
        assert not shown.ask("document.getElementById('filter').getClientRects().length")
    finally:
        shown.call("Emulation.setEmulatedMedia", media="")
        _ask(shown)


def test_no_other_script_runs(shown: Page) -> None:
    """The policy names one digest: what somebody adds to the file afterwards is refused."""
    shown.ask(
        "(() => { const more = document.createElement('script'); more.textContent = 'window.bad=1';"
        " document.body.append(more); })()"
    )
    assert shown.ask("window.bad") is None


def test_without_script_the_page_reads_whole(tmp_path: Path) -> None:
    """The bar comes with its script; nothing is hidden until the script hides it."""
    text = html.render(recorded.given(tmp_path, "en"))
    assert '<div id="filter" class="screen-only" role="search" hidden>' in text
    assert not re.search(r'class="[^"]*\bout\b', text)


def test_what_is_to_be_typed_is_copied_whole(shown: Page) -> None:
    _ask(shown)
    count = shown.ask("document.querySelectorAll('pre.typed').length")
    assert shown.ask("document.querySelectorAll('button.copy').length") == count > 20
    shown.ask(
        """(() => {
          const put = (text) => { window.copied = text; return Promise.resolve(); };
          Object.defineProperty(navigator, 'clipboard', { value: { writeText: put } });
        })()"""
    )
    block = "[...document.querySelectorAll('pre.typed')].find((b) => b.textContent.includes('EOF'))"
    shown.ask(f"{block}.previousSibling.click()")
    shown.wait(f"{block}.previousSibling.textContent === 'Copied'")
    assert shown.ask(f"window.copied === {block}.textContent")
    assert "<<" in shown.ask("window.copied")
    assert "\n" in shown.ask("window.copied")
    shown.ask("window.copied = ''; delete navigator.clipboard")
    assert not [c for c in shown.complaints if "Content-Security" in c or "Uncaught" in c]


def test_without_the_script_nothing_offers_to_copy(shown: Page) -> None:
    page = html.render(_GIVEN)
    assert 'class="copy' not in page.partition("<script>")[0]
