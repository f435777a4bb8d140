"""No page is wider than a phone, whatever stands in it: each control's finding, long names, links.

Measured in a real Chromium, in both languages.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import cast

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from collector import captures, catalog
from collector.attest.bundle import making
from collector.handin import links, quarantine
from collector.handin.places import Places
from collector.handin.quarantine import Verdict
from collector.pledges.database import location
from collector.pledges.register.attach import attach
from collector.pledges.register.register import Register
from tests.browser import browser as chromium
from tests.cli.running import hostpledge
from tests.clock import signing_after
from tests.pledges import lives
from tests.pledges.bundles import Signer
from tests.pledges.records import made
from tests.web.sites import NAMES, PASSWORD, Place, served, with_accounts

# as long as names of machines get, without a place to break it
HOST = "i-" + "0123456789abcdef" * 3
ID = "pledge-" + "2026abcdef" * 3
WIDTH = 360
_OVER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
# the first few elements that reach past the window, and can be scrolled within nothing
_WHICH = """() => { const wide = document.documentElement.clientWidth; const found = [];
for (const one of document.querySelectorAll('body *')) {
  if (one.getBoundingClientRect().right <= wide + 0.5) continue;
  let above = one.parentElement;
  while (above && getComputedStyle(above).overflowX === 'visible') above = above.parentElement;
  if (!above) found.push(one.tagName + '.' + one.className + ' ' + one.textContent.slice(0, 50));
}
return found.slice(0, 4); }"""


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("narrow")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOSTPLEDGE_HOME", str(folder / "home"))
        (folder / "register").mkdir()
        where = str(folder / "register" / "register.sqlite")
        register, signer = Register.open(where), Signer(folder / "signer")
        document = made().document
        register.add(
            made(
                id=ID,
                customer={**document["customer"], "name": NAMES["demo-0"] * 3},
                resources={**document["resources"], "hosts": [HOST]},
            )
        )
        _checked(register, signer, folder)
        place = Place(where, str(folder / "state"), signer, folder)
        with_accounts(place.state)
        yield place


def _checked(register: Register, signer: Signer, folder: Path) -> None:
    """All controls, of a host that fails many of them."""
    taken, at = lives.captured("weak"), datetime.now(UTC) - timedelta(days=1)
    taken = replace(
        taken,
        host=HOST,
        collected_at=at,
        origin=MappingProxyType({**taken.origin, "clock": at.isoformat()}),
        head=MappingProxyType({**taken.head, "clock": str(int(at.timestamp()))}),
    )
    file = folder / f"{HOST}{captures.SUFFIX}"
    captures.write(taken, file)
    with signing_after(at):
        bundle = making.make(
            [file], folder / "bundle", signer.key, grade=3, at=at, controls=catalog.select((), 3),
            pledge=register.reference(ID), declared=register.get(ID).hosts,
        )  # fmt: skip
    attach(register, ID, bundle.path, signer.trust)


@pytest.fixture(scope="module")
def window() -> Iterator[Browser]:
    program = chromium()
    if program is None:
        pytest.skip("chromium is not installed")
    with sync_playwright() as playwright:
        flags = ["--no-sandbox"] if os.geteuid() == 0 else []
        opened = playwright.chromium.launch(executable_path=program, args=flags)
        yield opened
        opened.close()


def _handed(place: Place) -> Sequence[str]:
    """Addresses of links: to be used, and what came by them, waiting, taken in, refused."""
    places = Places(location.place(place.register).hand_in)
    found = []
    for verdict in ("", "waiting", "accepted", "refused"):
        link, token = links.new(places, ID, HOST, 3, timedelta(days=1))
        found.append(f"/hand-in/{token}")
        if not verdict:
            continue
        upload = quarantine.Upload(places, link)
        upload.write(verdict.encode())
        upload.sync()
        receipt, _ = upload.take_in("", "test")
        upload.close()
        if verdict != "waiting":
            quarantine.decide(places, receipt, cast("Verdict", verdict), bundle="0" * 64)
    return found


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_no_page_is_wider_than_a_phone(own: Place, window: Browser, lang: str) -> None:
    handed = _handed(own)
    locale = {"zh": "zh-CN", "en": "en-US"}[lang]
    with served(own) as (origin, _):
        context = window.new_context(locale=locale, viewport={"width": WIDTH, "height": 780})
        page = context.new_page()
        wide = [_wide(page, origin, "/sign-in")]
        page.fill("input[name=name]", "boss")
        page.fill("input[name=password]", PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_selector(".who form")
        before = "?at=2020-01-01"
        paths = [
            "/", "/?life=all", "/?q=nothing", "/due", "/accounts", "/log", "/password", "/verify",
            "/nothing-there", f"/pledges/{ID}", f"/pledges/{ID}{before}", "/pledges/none",
            f"/pledges/{ID}/evidence/9.zip", "/?at=x", *handed, "/hand-in/none",
        ]  # fmt: skip
        page.goto(f"{origin}/pledges/{ID}")
        every = page.locator(".matrix a[href*='/findings/']").all()
        paths += dict.fromkeys(str(one.get_attribute("href")) for one in every)
        assert len(paths) > 60
        wide += [_wide(page, origin, path) for path in paths]
        context.close()
    assert [one for one in wide if one] == []


def _wide(page: Page, origin: str, path: str) -> str:
    page.goto(f"{origin}{path}")
    over = page.evaluate(_OVER)
    return f"{path} {over} {page.evaluate(_WHICH)}" if over > 0 else ""


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_nor_is_a_notice(own: Place, window: Browser, tmp_path: Path, lang: str) -> None:
    notice = tmp_path / "notice.html"
    words = ("pledge", "notice", ID, "-o", notice, "--draft", "--by", "2040-12-31", "--lang", lang)
    done = hostpledge(*words, "--register", own.register, home=own.home)
    assert done.status == 0, done.err
    page = window.new_page(viewport={"width": WIDTH, "height": 780})
    page.goto(notice.as_uri())
    assert page.evaluate(_OVER) == 0, page.evaluate(_WHICH)
    # and on paper all stands in its table
    page.emulate_media(media="print")
    assert page.locator(".notice thead").first.is_visible()
