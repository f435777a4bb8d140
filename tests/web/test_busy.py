"""What takes long for a large pledge: an account has a few of it at once, and the others go on."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from collector.web.pages import evidence
from collector.web.reading.customer import Customer
from collector.web.serving import endpoint
from tests.web.sites import Browser, Site, place, site

__all__ = ["place", "site"]


@pytest.mark.parametrize(
    ("path", "held"), [("/pledges/demo-2/findings.csv", 2), ("/pledges/demo-2", 6)]
)
def test_one_account_does_not_take_all_threads(
    site: Site, monkeypatch: pytest.MonkeyPatch, path: str, held: int
) -> None:
    browser, other = site.browser("cust"), site.browser("eng")
    cookie = browser.client.cookies["hostpledge-session"]
    really: Callable[..., Any] = Customer.dossier
    go, begun = threading.Event(), threading.Semaphore(0)

    def slow(self: Customer, *given: Any, **named: Any) -> Any:
        begun.release()
        assert go.wait(60)
        return really(self, *given, **named)

    def asked(_: int) -> tuple[int, str]:
        one = site.browser()
        one.client.cookies.set("hostpledge-session", cookie, domain="127.0.0.1", path="/")
        answer = one.get(path)
        return answer.status_code, answer.headers.get("retry-after", "")

    monkeypatch.setattr(Customer, "dossier", slow)
    with ThreadPoolExecutor(12) as pool:
        try:
            under_way = [pool.submit(asked, number) for number in range(held)]
            for _ in under_way:
                assert begun.acquire(timeout=60)
            more = pool.submit(asked, held)
            assert more.result(60) == (503, "5")
            assert _others_go_on(other)
        finally:
            go.set()
        assert [one.result(60) for one in under_way] == [(200, "")] * held
    assert browser.get(path).status_code == 200


def _others_go_on(browser: Browser) -> bool:
    return browser.get("/").status_code == 200


def test_files_that_are_sent_slowly_are_few(site: Site) -> None:
    """Each lies on the disk of this machine until all of it is sent."""
    account = site.house.accounts.find("boss")
    assert account is not None
    with ExitStack() as held:
        for _ in range(4):
            held.enter_context(evidence._OPEN[True].one(account.name))
        boss, other = site.browser("boss"), site.browser("eng")
        assert boss.get("/pledges/demo-0/evidence/1.zip").status_code == 503
        assert other.get("/pledges/demo-0/evidence/1.zip").status_code == 200
    assert boss.get("/pledges/demo-0/evidence/1.zip").status_code == 200
    assert sum(places._taken.total() for places in evidence._OPEN) == 0


def test_files_for_customers_leave_places_for_managers(site: Site) -> None:
    with ExitStack() as held:
        for number in range(24):
            held.enter_context(evidence._OPEN[False].one(f"account-{number}"))
        assert site.browser("cust").get("/pledges/demo-2/evidence/1.zip").status_code == 503
        assert site.browser("boss").get("/pledges/demo-0/evidence/1.zip").status_code == 200


def test_who_reads_a_file_too_slowly_gives_his_place_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evidence, "_BESIDE", 0.2)
    (tmp_path / "x").write_bytes(b"x" * 1000)
    gone: list[int] = []
    held = ExitStack()
    held.callback(gone.append, 1)
    source = (tmp_path / "x").open("rb")

    async def send(message: Any) -> None:
        if message["type"] == "http.response.body":
            await asyncio.sleep(60)

    async def receive() -> Any:
        await asyncio.sleep(60)

    async def sent() -> None:
        async with asyncio.timeout(20):
            scope = {"type": "http", "asgi": {"spec_version": "2.4"}}
            await evidence.Download(source, {}, held)(scope, receive, send)

    asyncio.run(sent())
    assert gone and source.closed


def test_one_customer_leaves_threads_to_the_others(site: Site) -> None:
    customer = site.browser("cust")
    with ExitStack() as held:
        for _ in range(8):
            held.enter_context(endpoint._ANY.one("cust"))
        assert customer.get("/due").status_code == 503
        assert site.browser("boss").get("/due").status_code == 200
    assert customer.get("/due").status_code == 200


def test_no_number_of_customers_turns_a_manager_away(site: Site) -> None:
    page, file = "/pledges/demo-0", "/pledges/demo-0/findings.csv"
    with ExitStack() as held:
        for number in range(18):
            held.enter_context(endpoint._PAGES[0].one(f"customer {number}"))
        for number in range(6):
            held.enter_context(endpoint._FILES[0].one(f"customer {number}"))
        customer, boss = site.browser("cust"), site.browser("boss")
        assert [customer.get(path).status_code for path in (page, file)] == [503, 503]
        assert [boss.get(path).status_code for path in (page, file)] == [200, 200]
