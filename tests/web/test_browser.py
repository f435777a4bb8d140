"""The pages in a real Chromium: clicked through, in both languages, wide and narrow."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.browser import browser as chromium
from tests.web.sites import NAMES, PASSWORD, Place, free_port, served

_SIZES = ((1366, 768), (360, 780))
_FINDING = "/pledges/demo-0/findings/encryption.password_hash/web-01"
_SERIOUS = ("serious", "critical")


@pytest.fixture(scope="module")
def origin(place: Place) -> Iterator[str]:
    with served(place) as (address, _):
        yield address


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


def _context(window: Browser, lang: str, **more: Any) -> BrowserContext:
    return window.new_context(locale={"zh": "zh-CN", "en": "en-US"}[lang], **more)


def _signed_in(context: BrowserContext, origin: str, name: str) -> Page:
    page = context.new_page()
    page.goto(f"{origin}/")
    page.fill("input[name=name]", name)
    page.fill("input[name=password]", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_selector(".who form")
    return page


def _watched(page: Page, origin: str) -> list[str]:
    """What the page complains of, and whatever it asks of another place."""
    found: list[str] = []
    page.on("console", lambda said: found.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: found.append(str(error)))
    page.on(
        "request",
        lambda asked: None if asked.url.startswith(origin) else found.append(asked.url),
    )
    return found


def test_a_manager_finds_a_customer_and_what_is_to_mend(
    window: Browser, origin: str, tmp_path: Path
) -> None:
    context = _context(window, "en")
    page = _signed_in(context, origin, "boss")
    complaints = _watched(page, origin)
    page.click(".tile.nothing a")
    assert page.locator("tbody th").count() == 1
    page.fill("input[name=q]", "云帆")
    page.select_option("select[name=standing]", "")
    page.click(".filters button")
    page.click(f"text={NAMES['demo-0']}")
    page.wait_for_url("**/pledges/demo-0")
    page.locator(".matrix td.fail a").first.click()
    page.wait_for_url(f"**{_FINDING}")
    assert "root:$1$" in page.inner_text("main")
    # a click takes the whole block, to be copied
    page.locator("pre.typed").first.click()
    chosen = page.evaluate("getSelection().toString()")
    assert chosen.strip() == page.locator("pre.typed").first.inner_text().strip()
    page.click(".back-to a")
    with page.expect_download() as held:
        page.locator("a[href$='.zip']").first.click()
    held.value.save_as(tmp_path / "b.zip")
    assert (tmp_path / "b.zip").stat().st_size > 10_000
    page.click("text=中文")
    assert page.locator("html").get_attribute("lang") == "zh-CN"
    page.click(".who button")
    page.wait_for_url("**/sign-in")
    page.goto(f"{origin}/pledges/demo-0")
    assert "/sign-in" in page.url
    assert complaints == []
    context.close()


def test_a_manager_lets_a_customer_in(window: Browser, origin: str) -> None:
    context = _context(window, "en")
    page = _signed_in(context, origin, "boss")
    page.click("nav >> text=Accounts")
    page.fill("form.stack input[name=name]", "wenzhou")
    page.select_option("select[name=role]", "customer")
    page.fill("input[name=pledges]", "demo-3")
    page.click("form.stack button")
    password = page.inner_text("pre.typed").strip()
    other = _context(window, "zh")
    theirs = other.new_page()
    theirs.goto(f"{origin}/")
    theirs.fill("input[name=name]", "wenzhou")
    theirs.fill("input[name=password]", password)
    theirs.click("main button")
    theirs.wait_for_url("**/password")
    for name, text in (("old", password), ("new", PASSWORD), ("again", PASSWORD)):
        theirs.fill(f"input[name={name}]", text)
    theirs.click("main button")
    theirs.wait_for_url("**/pledges/demo-3")
    assert NAMES["demo-3"] in theirs.inner_text("h1")
    page.goto(f"{origin}/accounts")
    page.click("tr:has-text('wenzhou') >> text=Stop")
    theirs.goto(f"{origin}/pledges/demo-3")
    assert "/sign-in" in theirs.url
    page.goto(f"{origin}/log")
    assert "signed in: wenzhou" in page.inner_text("main")
    context.close()
    other.close()


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_page_can_be_used_by_everybody(window: Browser, origin: str, lang: str) -> None:
    """axe-core finds nothing serious, no page is wider than its window, nothing asks outside."""
    context = _context(window, lang)
    page = _signed_in(context, origin, "boss")
    complaints = _watched(page, origin)
    found: list[str] = []
    for path in (
        "/?life=all",
        "/due",
        "/pledges/demo-0",
        _FINDING,
        "/accounts",
        "/log",
        "/password",
    ):
        for width, height in _SIZES:
            page.set_viewport_size({"width": width, "height": height})
            page.goto(f"{origin}{path}")
            over = page.evaluate(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
            assert over <= 0, (path, width, over)
        found += _serious(page, path)
    page.click(".who button")
    found += _serious(page, "/sign-in")
    assert found == []
    assert complaints == []
    context.close()


def _serious(page: Page, path: str) -> list[str]:
    result = Axe().run(page)
    return [
        f"{path} {one['id']}: {node['html'][:160]}"
        for one in result.response["violations"]
        if one["impact"] in _SERIOUS
        for node in one["nodes"][:2]
    ]


def test_reading_needs_no_script_and_no_mouse(window: Browser, origin: str) -> None:
    context = _context(window, "en", java_script_enabled=False)
    page = _signed_in(context, origin, "eng")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.url.endswith("#content")
    page.goto(f"{origin}/pledges/demo-0")
    assert page.locator(".matrix td a").count() > 3
    assert page.locator("script").count() == 0
    for cell in page.locator(".matrix td a").all()[:4]:
        label = cell.get_attribute("aria-label") or ""
        assert re.match(r"web-01 D\d+ \w+", label), label
    context.close()


def test_a_killed_server_loses_nothing(place: Place) -> None:
    """A session, an account and the log are there when it comes back."""
    port = free_port()
    with served(place, port=port) as (address, running), httpx.Client(base_url=address) as client:
        token = re.search(r'name="csrf" value="([^"]+)"', client.get("/sign-in").text)
        assert token is not None
        form = {"csrf": token[1], "name": "eng", "password": PASSWORD}
        assert client.post("/sign-in", data=form).status_code == 303
        assert client.get("/due?mark=1").status_code == 200
        running.send_signal(signal.SIGKILL)
        running.wait(30)
        with served(place, port=port):
            assert client.get("/due?mark=2").status_code == 200
            form = {"csrf": _token(client, "/password"), "name": "x"}
            assert client.post("/sign-out", data=form).status_code == 303
    from collector.web.keeping.access import Access
    from collector.web.keeping.state import State

    lines = [line.path for _, line in Access(State.open(place.state)).newest(20)]
    assert "/due?mark=1" in lines
    assert "/due?mark=2" in lines


def _token(client: httpx.Client, path: str) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', client.get(path).text)
    assert found is not None
    return found[1]
