"""What a customer handed in by a link shows as just that, to those whom it concerns."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from pathlib import Path

import pytest

from collector.handin import links, quarantine
from collector.handin.places import Places
from collector.pledges.database import location
from collector.pledges.register.register import Register
from collector.web.asking import settings as told
from collector.web.asking.settings import Settings
from collector.web.keeping.accounts import Account
from tests.handin.served import output
from tests.web.sites import ORIGIN, PASSWORD, Place, Site, filled, with_accounts


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setenv("HOSTPLEDGE_HOME", str(tmp_path / "home"))
    found = filled(tmp_path / "web")
    with_accounts(found.state)
    return found


def test_a_hand_in_waits_until_it_is_decided_on(own: Place) -> None:
    site = Site(own)
    places = Places(location.place(own.register).hand_in)
    link, token = links.new(places, "demo-2", "web-01", 3, timedelta(days=1))
    data = output()
    client = site.browser().client
    assert client.put(f"/hand-in/{token}", content=data).status_code == 201
    sha256 = hashlib.sha256(data).hexdigest()
    for name, sees in (("boss", True), ("cust", True), ("aud", False)):
        browser = site.browser(name)
        page = browser.get("/?life=all").text
        assert (sha256 in page) is sees, name
    page = site.browser("cust").get("/pledges/demo-2").text
    assert "Hand-ins waiting: 1" in page
    assert sha256 in page
    assert "proves nothing" in page
    # nothing of the link is in the log of access
    assert not [line for _, line in site.house.access.newest(50) if token in line.path]
    receipt = quarantine.receipt(places, link.digest)
    assert receipt is not None
    quarantine.decide(places, receipt, "refused")
    assert sha256 not in site.browser("cust").get("/pledges/demo-2").text


def test_hundreds_that_wait_are_paged_below_the_list(own: Place) -> None:
    site = Site(own)
    places = Places(location.place(own.register).hand_in)
    for _ in range(45):
        link, _ = links.new(places, "demo-2", "web-01", 3, timedelta(days=1))
        upload = quarantine.Upload(places, link)
        upload.write(b"x")
        upload.sync()
        upload.take_in("", "test")
        upload.close()
    for path, after in (("/?life=all", 'id="customers"'), ("/pledges/demo-2", 'id="evidence"')):
        page = site.browser("cust" if "demo" in path else "boss").get(path).text
        assert page.index(after) < page.index('<section class="wide" id="waiting">')
        assert page.count("<code>") <= 30
        assert "Hand-ins waiting: 45" in page
        join = "&" if "?" in path else "?"
        last = site.browser("boss").get(f"{path}{join}waiting=3").text
        assert last[last.index('id="waiting"') :].count('data-label="SHA-256"') == 5


def test_what_waits_is_named_by_its_receipt(own: Place) -> None:
    """By which `intake` and its sender name it."""
    site = Site(own)
    places = Places(location.place(own.register).hand_in)
    link, _ = links.new(places, "demo-2", "web-01", 3, timedelta(days=1))
    upload = quarantine.Upload(places, link)
    upload.write(b"x")
    upload.sync()
    upload.take_in("", "test")
    upload.close()
    for path in ("/", "/pledges/demo-2"):
        assert f">{link.id}<" in site.browser("boss").get(path).text


def test_a_mistyped_link_is_in_no_log(own: Place, caplog: pytest.LogCaptureFixture) -> None:
    """Nor most of it, however it was mistyped, and by whomever."""
    site = Site(own)
    places = Places(location.place(own.register).hand_in)
    _, token = links.new(places, "demo-2", "web-01", 3, timedelta(days=1))
    least = token[:30]
    for browser in (site.browser(), site.browser("boss")):
        for path in (
            f"//hand-in/{token}", f"/hand-in//{token}", f"/Hand-in/{token}", f"/hand-in{token}",
            f"/hand-in/{token}/x", f"/hand-in/x/{token}", f"/{token}", f"/pledges/{token}",
            f"/pledges/demo-2/findings/{token}/{token}", f"/pledges/demo-2/hand-in/{token}",
            f"/sign-in?next=/hand-in/{token}", f"/?q={token}", f"/?{token}", f"/?x={token}",
            f"/pledges/{least}", f"/pledges/demo-2?hand-in={token}", f"/due?kind={token}",
            f"/pledges/demo-2/evidence/{token}.zip", f"/%68and-in%2f{token}",
        ):  # fmt: skip
            browser.client.get(f"{ORIGIN}{path}")
    site.browser("boss").get("/pledges/demo-2")
    for _, line in site.house.access.newest(200):
        assert least not in f"{line.path} {line.note}"
    assert least not in caplog.text
    paths = [line.path for _, line in site.house.access.newest(200)]
    assert "/pledges/demo-2" in paths
    assert any(path.startswith("? #") for path in paths)


def test_a_link_works_behind_a_proxy_by_its_own_address(own: Place) -> None:
    settings = Settings(hosts=("pledges.example",), proxies=(told._network("10.0.0.0/8", ""),))
    site = Site(own, settings)
    places = Places(location.place(own.register).hand_in)
    _, token = links.new(places, "demo-2", "web-01", 3, timedelta(days=1))
    browser = site.browser(peer="10.0.0.1", base="http://pledges.example")
    headers = {"x-forwarded-proto": "https", "x-forwarded-for": "203.0.113.9"}
    page = browser.get(f"/hand-in/{token}", **headers)
    assert page.status_code == 200
    assert f"https://pledges.example/hand-in/{token}" in page.text
    assert (
        browser.client.put(f"/hand-in/{token}", content=output("b"), headers=headers).status_code
        == 201
    )
    assert '"came_from": "203.0.113.9"' in (places.folder / "log.jsonl").read_text()


def test_what_was_taken_in_and_is_in_no_evidence_is_said(own: Place) -> None:
    """As after an older backup of the register was restored."""
    site = Site(own)
    places = Places(location.place(own.register).hand_in)
    evidence = Register.open(own.register).evidence("demo-2")
    for bundle in (evidence[0].digest, "0" * 64):
        link, _ = links.new(places, "demo-2", "web-01", 3, timedelta(days=1))
        upload = quarantine.Upload(places, link)
        upload.write(bundle.encode())
        upload.sync()
        receipt, _ = upload.take_in("", "test")
        upload.close()
        quarantine.decide(places, receipt, "accepted", sequence=1, bundle=bundle)
    for name, sees in (("boss", True), ("cust", True), ("aud", False)):
        browser = site.browser(name)
        for path in ("/?life=all&lang=en", "/pledges/demo-2?lang=en"):
            page = browser.get(path).text
            assert ("Hand-ins taken in, and in no evidence: 1" in page) is sees, (name, path)
            assert (receipt.sha256 in page) is sees
    quarantine.decide(places, receipt, "accepted", again=True, bundle=evidence[0].digest)
    assert "in no evidence" not in site.browser("boss").get("/?lang=en").text


def _came(places: Places, host: str, *, bundle: str = "", earlier: bool = True) -> str:
    """What the digest of the bytes is of a hand-in for demo-2, with a link older than its record.

    `bundle`: that it was taken into.
    """
    link, _ = links.new(places, "demo-2", host, 3, timedelta(days=1))
    upload = quarantine.Upload(places, link)
    upload.write(f"{host}{bundle}".encode())
    upload.sync()
    receipt, _ = upload.take_in("", "test")
    upload.close()
    if bundle:
        quarantine.decide(places, receipt, "accepted", sequence=1, bundle=bundle)
    if earlier:
        _is_earlier(places, link)
    return receipt.sha256


def _is_earlier(places: Places, link: links.Link) -> None:
    path = places.file("links", link.digest, ".json")
    old = json.loads(path.read_text()) | {"made_at": "2020-01-01T00:00:00+00:00"}
    path.write_text(json.dumps(old))


def test_what_came_under_the_id_before_is_none_of_this_customer(own: Place) -> None:
    """A register that was restored gives the id to the next one, and the hand-ins lie there yet."""
    site = Site(own)
    places = Places(location.place(own.register).hand_in)
    waits, lost = _came(places, "secret-db"), _came(places, "secret-ca", bundle="0" * 64)
    theirs = _came(places, "web-01", earlier=False)
    site.house.accounts.add(Account("both", "customer", frozenset({"demo-2", "demo-3"})), PASSWORD)
    for name, path in (
        ("cust", "/pledges/demo-2"), ("boss", "/pledges/demo-2"), ("both", "/?lang=en"),
    ):  # fmt: skip
        page = site.browser(name).get(path).text
        assert theirs in page, (name, path)
        for word in (waits, lost, "secret-db", "secret-ca", "in no evidence", "waiting: 2"):
            assert word not in page, (name, path, word)
    # somebody has to refuse it
    page = site.browser("boss").get("/?lang=en").text
    assert waits in page and lost in page
    assert page.count("of whoever had this id before") == 2


def test_a_link_of_before_takes_nothing_and_one_of_no_record_is_no_customers(own: Place) -> None:
    places = Places(location.place(own.register).hand_in)
    (old, closed), (_, good), (link, _) = (
        links.new(places, id, host, 3, timedelta(days=1))
        for id, host in (("demo-2", "web-01"), ("demo-2", "web-01"), ("demo-9", "secret-db"))
    )
    _is_earlier(places, old)
    upload = quarantine.Upload(places, link)
    upload.write(b"x")
    upload.sync()
    upload.take_in("", "test")
    upload.close()
    site = Site(own)
    client = site.browser().client
    assert client.get(f"/hand-in/{good}").status_code == 200
    assert client.get(f"/hand-in/{closed}").status_code == 410
    assert client.put(f"/hand-in/{closed}", content=output()).status_code == 410
    account = Account("next", "customer", frozenset({"demo-2", "demo-9"}))
    site.house.accounts.add(account, PASSWORD)
    assert "secret-db" not in site.browser("next").get("/").text
    assert link.id in site.browser("boss").get("/").text
