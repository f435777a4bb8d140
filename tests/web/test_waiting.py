"""What a customer handed in by a link shows as just that, to those whom it concerns."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from pathlib import Path

import pytest

from collector.handin import links, quarantine
from collector.handin.places import Places
from collector.pledges.database import location
from collector.pledges.register.register import Register
from collector.web.asking import settings as told
from collector.web.asking.settings import Settings
from tests.handin.served import output
from tests.web.sites import ORIGIN, Place, Site, filled, with_accounts


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
