"""What somebody may try who is not, or no longer, or only partly, allowed to look."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

import httpx
import pytest

from collector.pledges.database import tables
from collector.pledges.record.times import CHINA
from collector.pledges.register.read_only import ReadOnlyRegister
from collector.web.asking import settings as told
from collector.web.asking.settings import Settings
from collector.web.keeping import passwords, sessions, throttle
from collector.web.keeping import tables as kept
from collector.web.keeping.access import Access, Line
from collector.web.keeping.accounts import Account, Accounts
from collector.web.keeping.sessions import Sessions
from collector.web.keeping.state import State
from tests.web.sites import ORIGIN, PASSWORD, Place, Site

_FINDING = "/pledges/{id}/findings/encryption.password_hash/web-01"


@pytest.fixture
def own(place: Place, tmp_path: Path) -> Site:
    """A site whose accounts a test may spoil."""
    return Site(replace(place, state=str(shutil.copytree(place.state, tmp_path / "state"))))


def _lines(site: Site) -> list[Any]:
    return [line for _, line in site.house.access.newest(50)]


@pytest.mark.parametrize(
    "path",
    [
        "/pledges/{id}", "/pledges/{id}?at={today}", "/pledges/{id}/findings.csv",
        "/pledges/{id}/findings.xlsx", "/pledges/{id}/evidence/1.zip", _FINDING,
    ],
)  # fmt: skip
def test_what_is_another_customers_is_not_there(site: Site, path: str) -> None:
    """The same answer, byte for byte but for the id, as for a pledge that does not exist."""
    path = path.replace("{today}", datetime.now(CHINA).date().isoformat())
    browser = site.browser("cust")
    mine = browser.get(path.format(id="demo-2"))
    assert mine.status_code == 200, path
    theirs, nobodys = (browser.get(path.format(id=id)) for id in ("demo-0", "nono-0"))
    assert (theirs.status_code, nobodys.status_code) == (404, 404)
    assert theirs.text.replace("demo-0", "nono-0") == nobodys.text
    assert _lines(site)[1].note == "denied"


def test_lists_hold_ones_own_alone(site: Site) -> None:
    for path in ("/?life=all", "/export.csv?life=all", "/due", "/due/export.csv", "/?q=demo"):
        for name, own in (("cust", {"demo-2"}), ("aud", {"demo-0", "demo-1"})):
            text = site.browser(name).get(path).text
            assert set(re.findall(r"demo-[0-9]", text)) <= own, (name, path)
    wide = site.browser("eng").get("/?life=all").text
    assert set(re.findall(r"/pledges/(demo-[0-9])", wide)) == {f"demo-{n}" for n in range(4)}


@pytest.mark.parametrize("path", ["/accounts", "/log"])
@pytest.mark.parametrize("name", ["eng", "aud", "cust"])
def test_what_is_for_managers_is_not_there_for_others(site: Site, name: str, path: str) -> None:
    browser = site.browser(name)
    assert browser.get(path).status_code == 404
    form = {"name": "mallory", "role": "manager", "act": "disable"}
    assert browser.post("/accounts/new", form).status_code == 404
    assert browser.post("/accounts", form).status_code == 404
    assert site.house.accounts.find("mallory") is None


def test_nobody_sees_anything_without_signing_in(site: Site) -> None:
    browser = site.browser()
    for path in ("/", "/due", "/log", "/accounts", "/pledges/demo-0", "/export.csv", "/password"):
        answer = browser.get(path)
        assert answer.status_code == 303, path
        assert answer.headers["location"].startswith("/sign-in")
        assert "demo" not in answer.text
    assert browser.post("/accounts/new", {}, token="x").status_code == 403


def test_an_auditor_whose_days_are_over(own: Site) -> None:
    assert own.browser().sign_in("late").status_code == 401
    browser = own.browser("aud")
    assert browser.get("/pledges/demo-0").status_code == 200
    with own.house.state.write() as connection:
        table = kept.accounts
        connection.execute(table.update().where(table.c.name == "aud").values(ends="2020-01-01"))
    assert browser.get("/pledges/demo-0").status_code == 303


def test_a_stopped_account_is_out_at_once(own: Site) -> None:
    browser, boss = own.browser("cust"), own.browser("boss")
    assert browser.get("/pledges/demo-2").status_code == 200
    assert boss.post("/accounts", {"name": "cust", "act": "disable"}).status_code == 200
    assert browser.get("/pledges/demo-2").status_code == 303
    assert own.browser().sign_in("cust").status_code == 401
    assert boss.post("/accounts", {"name": "boss", "act": "disable"}).status_code == 400


def test_a_session_that_was_put_there_is_not_taken_over(own: Site) -> None:
    browser = own.browser()
    planted = "A" * 43
    browser.client.cookies.set("hostpledge-session", planted, domain="127.0.0.1", path="/")
    assert browser.sign_in("boss").status_code == 303
    held = browser.client.cookies["hostpledge-session"]
    assert held != planted
    assert own.house.sessions.find(planted) is None
    # and the one of before ends with the next sign-in, and with signing out
    again = own.house.accounts.find("boss")
    assert again is not None
    browser.post("/sign-out", {})
    assert own.house.sessions.find(held) is None
    browser.client.cookies.set("hostpledge-session", held, domain="127.0.0.1", path="/")
    assert browser.get("/").status_code == 303


def test_a_session_ends_by_itself(own: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = own.browser("boss")
    assert browser.get("/due").status_code == 200
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + sessions.IDLE + 1)
    assert browser.get("/due").status_code == 303


def test_forms_of_other_sites_are_not_taken(own: Site) -> None:
    browser = own.browser("boss")
    form = {"name": "mallory", "role": "manager"}
    token = browser.token("/accounts")
    for kind, headers in (
        ({"token": "0" * 32}, {}),
        ({"token": ""}, {}),
        ({"token": own.browser("eng").token("/password")}, {}),
        ({"token": token}, {"origin": "https://evil.example"}),
        ({"token": token}, {"origin": "null"}),
        ({"token": token}, {"sec-fetch-site": "cross-site"}),
    ):
        assert browser.post("/accounts/new", form, **kind, **headers).status_code == 403
    assert own.house.accounts.find("mallory") is None
    same = {"origin": ORIGIN, "sec-fetch-site": "same-origin"}
    assert browser.post("/accounts/new", form, token=token, **same).status_code == 200
    # nor is anybody signed in by another site, as somebody else
    stranger = own.browser()
    body = {"name": "boss", "password": PASSWORD}
    assert stranger.post("/sign-in", body, token="0" * 64).status_code == 403


def test_an_unknown_name_costs_the_same_work(own: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted, not timed: one verification of one password each, and one answer for all."""
    calls: list[str] = []
    real = passwords.verified

    def counted(hashed: str, password: str) -> bool:
        calls.append(hashed)
        return real(hashed, password)

    monkeypatch.setattr(passwords, "verified", counted)
    passwords.nobodys()
    pages = {}
    for name in ("boss", "nobody-of-this-name", "late", "x" * 500):
        calls.clear()
        answer = own.browser().sign_in(name, "wrong password here")
        assert answer.status_code == 401
        assert len(calls) == 1, name
        assert calls[0].split("$")[1:4] == passwords.nobodys().split("$")[1:4]
        pages[name] = re.sub(r'value="[0-9a-f]{64}"', "", answer.text)
    assert len(set(pages.values())) == 1


def test_guessing_ends_and_locks_nobody_out(own: Site) -> None:
    victim = own.browser("cust")
    victim.post("/sign-out", {})
    attacker = own.browser(peer="198.51.100.7")
    for _ in range(throttle.PAIR):
        assert attacker.sign_in("cust", "guess").status_code == 401
    answer = attacker.sign_in("cust", PASSWORD)
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0
    # from many addresses, up to what all strangers have for one name
    for number in range(throttle.NAME):
        own.house.throttle.take(throttle.buckets("cust", f"198.51.{number}.1", None))
    assert own.browser(peer="203.0.113.9").sign_in("cust").status_code == 429
    # whose browser has been here before is not kept out by any of it
    assert victim.sign_in("cust").status_code == 303
    assert own.browser(peer="203.0.113.9").sign_in("eng").status_code == 303


def test_a_one_time_password_is_heard_whatever_others_tried(own: Site) -> None:
    for number in range(throttle.NAME):
        own.house.throttle.take(throttle.buckets("cust", f"198.51.{number}.1", None))
    # nobody guesses a one-time password: that one is heard, and no other instead of it
    own.house.accounts.change_password("cust", "drawn-at-random-1", must_change=True)
    assert own.browser(peer="203.0.113.9").sign_in("cust").status_code == 429
    assert own.browser(peer="203.0.113.9").sign_in("cust", "drawn-at-random-1").status_code == 303
    again = own.browser(peer="203.0.113.10")
    said = [again.sign_in("cust", "wrong-one-at-all").status_code for _ in range(throttle.PAIR)]
    assert said == [429] * throttle.PAIR
    assert again.sign_in("cust", "drawn-at-random-1").status_code == 429
    # of IPv6 whoever has one address has 2^64 of them
    for number in range(throttle.PAIR):
        own.house.throttle.take(throttle.buckets("eng", f"2001:db8::{number}", None))
    assert own.browser(peer="2001:db8::ffff:1").sign_in("eng").status_code == 429
    assert own.browser(peer="2001:db8:0:1::1").sign_in("eng").status_code == 303


def test_guesses_at_once_are_counted_like_others(
    own: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counted before the work is done: forty that come together are no more than five."""
    monkeypatch.setattr(passwords, "STRANGERS", passwords.Places(40, 40))
    clients = [own.browser(peer="198.51.100.9") for _ in range(12)]
    tokens = [client.token("/sign-in") for client in clients]
    form = {"name": "cust", "password": "guess guess guess"}
    with ThreadPoolExecutor(12) as pool:
        found = list(
            pool.map(lambda n: clients[n].post("/sign-in", form, token=tokens[n]), range(12))
        )
    counted = Counter(answer.status_code for answer in found)
    assert counted == {401: throttle.PAIR, 429: 12 - throttle.PAIR}
    # and of one address for many names
    for _ in range(throttle.ADDRESS):
        own.house.throttle.take(throttle.buckets("x", "198.51.100.10", None)[1:])
    assert own.browser(peer="198.51.100.10").sign_in("eng").status_code == 429


def test_the_right_password_does_not_count(own: Site) -> None:
    browser = own.browser(peer="198.51.100.11")
    for _ in range(throttle.PAIR + 2):
        browser.client.cookies.clear()
        assert browser.sign_in("eng").status_code == 303
    with own.house.state.read() as connection:
        assert connection.execute(kept.attempts.select()).all() == []


def test_the_log_cannot_be_made_to_lie(own: Site) -> None:
    browser = own.browser()
    evil = "boss\r\n2026-01-01 boss 127.0.0.1 GET / 200\x1b[2J\u202e"
    browser.sign_in(evil, "x")
    browser.get("/pledges/" + quote("a\r\nb\x00\u202ec"), **{"user-agent": "x\ny"})
    told_lines = _lines(own)
    assert told_lines
    for line in told_lines:
        for text in (line.path, line.note, line.account, line.address):
            assert text.isprintable(), text
    assert any("\\x0d\\x0a" in line.path for line in told_lines)
    # a password that was typed for a name is not in it
    assert not any("2026-01-01 boss" in line.note for line in told_lines)
    assert any(line.note == "failed: no such name" for line in told_lines)
    page = own.browser("boss").get("/log").text
    assert "\u202e" not in page
    assert "\x1b" not in page


@pytest.mark.parametrize(
    "path",
    [
        "/pledges/..%2f..%2fetc%2fpasswd", "/pledges/%2e%2e", "/../../etc/passwd",
        "/web.css/../../etc/passwd", "/pledges/demo-0/evidence/..%2f1.zip",
        "/pledges/demo-0/evidence/99.zip", "/pledges/demo-0/findings.exe",
        "/pledges/demo-0/findings/%00/web-01", "/export.html",
        "/pledges/demo-0/findings/encryption.password_hash/%2e%2e%2f%2e%2e%2fetc",
        "/pledges/" + "x" * 3000,
    ],
)  # fmt: skip
def test_paths_lead_nowhere_else(site: Site, path: str) -> None:
    answer = site.browser("boss").get(path)
    assert answer.status_code == 404
    assert "root:" not in answer.text


@pytest.mark.parametrize("at", ["2026-13-01", "yesterday", "-1", "0001-01-01", "9999-12-31", "%00"])
def test_days_that_are_none(site: Site, at: str) -> None:
    assert site.browser("boss").get(f"/pledges/demo-0?at={at}").status_code in (200, 400, 404)


def test_names_and_captures_do_not_act(site: Site) -> None:
    for path in ("/?life=all", "/pledges/demo-1", "/due", _FINDING.format(id="demo-1")):
        answer = site.browser("boss").get(path)
        assert answer.status_code == 200
        assert "<script" not in answer.text
        assert "&lt;script&gt;" in answer.text
        assert "script-src" not in answer.headers["content-security-policy"]
        assert "default-src 'none'" in answer.headers["content-security-policy"]
    asked = site.browser("boss").get("/?q=" + quote('"><script>alert(1)</script>'))
    assert "<script" not in asked.text
    # a spreadsheet takes nothing for a formula
    page = site.browser("boss").get("/export.csv?life=all").text
    assert not re.search(r"(^|,)[=+@-][A-Za-z]", page, re.MULTILINE)


def test_personal_numbers_are_masked(site: Site) -> None:
    browser = site.browser("boss")
    for path in ("/pledges/demo-0", _FINDING.format(id="demo-0"), "/pledges/demo-0/findings.csv"):
        assert "13800000001" not in browser.get(path).text


@pytest.mark.parametrize("header", ["evil.example", "127.0.0.1.evil.example", "", "127.0.0.1@evil"])
def test_other_names_of_the_host_are_refused(site: Site, header: str) -> None:
    answer = site.browser().get("/sign-in", host=header)
    assert answer.status_code == 421
    assert "hostpledge" not in answer.text


def test_a_proxys_word_counts_where_it_is_ours(place: Place) -> None:
    settings = Settings(
        host="127.0.0.1", hosts=("pledges.example",),
        proxies=(told._network("10.0.0.0/8", ""),), user_header="X-Remote-User",
    )  # fmt: skip
    site = Site(place, settings)
    if site.house.accounts.find("outer") is None:
        site.house.accounts.add(Account("outer", "engineer"), None)
    base = "https://pledges.example"
    ours = site.browser(peer="10.1.2.3", base=base)
    headers = {"x-remote-user": "outer", "x-forwarded-proto": "https"}
    headers |= {"x-forwarded-for": "6.6.6.6, 203.0.113.5, 10.9.9.9"}
    answer = ours.get("/due", **headers)
    assert answer.status_code == 200
    line = _lines(site)[0]
    assert (line.account, line.address) == ("outer", "203.0.113.5")
    assert "Secure" in answer.headers["set-cookie"]
    assert "__Host-hostpledge-session" in answer.headers["set-cookie"]
    # whoever comes past the proxy is nobody, and has the address that he has
    forged = site.browser(peer="203.0.113.66", base=base)
    assert forged.get("/due", **headers).status_code == 303
    assert (_lines(site)[0].account, _lines(site)[0].address) == ("-", "203.0.113.66")
    # an account that is over, that nobody made, or that has a password of its own is nobody's here
    for name in ("late", "nobody", "", "eng", "boss"):
        known = site.browser(peer="10.1.2.3", base=base)
        assert known.get("/due", **{**headers, "x-remote-user": name}).status_code == 303
    # the line that the proxy adds itself is the last
    twice = httpx.Headers([*headers.items(), ("x-forwarded-for", "203.0.113.7")])
    again = site.browser(peer="10.1.2.3", base=base)
    assert again.client.get("/due", headers=twice).status_code == 200
    assert _lines(site)[0].address == "203.0.113.7"
    # some write the port too
    for said, address in (("203.0.113.8:521", "203.0.113.8"), ("[2001:db8::8]:4", "2001:db8::8")):
        assert ours.get("/due", **{**headers, "x-forwarded-for": said}).status_code == 200
        assert _lines(site)[0].address == address
    two = httpx.Headers([*headers.items(), ("x-remote-user", "boss")])
    assert (
        site.browser(peer="10.1.2.3", base=base).client.get("/due", headers=two).status_code == 303
    )


def test_nobody_asks_past_the_proxy_that_has_tls(place: Place) -> None:
    settings = Settings(
        host="192.0.2.2", hosts=("pledges.example",), proxies=(told._network("10.0.0.0/8", ""),)
    )
    site = Site(place, settings)
    base = "http://pledges.example"
    assert site.browser(peer="203.0.113.66", base=base).get("/sign-in").status_code == 403
    assert site.browser(peer="10.1.2.3", base=base).get("/sign-in").status_code == 200


def test_a_number_of_thousands_of_digits_is_no_page(own: Site) -> None:
    eng = own.browser("eng")
    digits = "9" * 5000
    assert eng.get(f"/pledges/demo-0/evidence/{digits}.zip").status_code == 404
    assert own.browser().get(f"/pledges/x/evidence/{digits}.zip").status_code == 303
    assert eng.get(f"/?page={digits}").status_code == 200


def test_a_link_leads_back_into_this_site_alone(own: Site) -> None:
    for next, to in (
        ("/pledges/demo-0%3Fat=2026-01-01", "/pledges/demo-0?at=2026-01-01"),
        ("https://evil.example", "/"),
        ("//evil.example", "/"),
        ("/%5Cevil.example", "/"),
        ("/%0d%0aSet-Cookie:x", "/"),
    ):
        answer = own.browser().sign_in("boss", next=next)
        assert answer.headers["location"] == to


@pytest.mark.parametrize("path", ["//evil.example", "///evil.example/x", "/%5Cevil.example"])
def test_no_link_of_a_page_leads_to_another_site(site: Site, path: str) -> None:
    for browser in (site.browser("boss"), site.browser()):
        answer = browser.client.get(f"{ORIGIN}{path}", follow_redirects=True)
        links = re.findall(r'(?:href|action)="([^"]*)"', answer.text)
        assert any("lang=" in link for link in links)
        for link in links:
            # a browser takes a back slash for a slash
            led = urlsplit(urljoin(f"{ORIGIN}{path}", link.replace("\\", "/")))
            assert f"{led.scheme}://{led.netloc}" == ORIGIN, link


def test_cookies_and_headers(own: Site) -> None:
    answer = own.browser().sign_in("boss")
    for cookie in answer.headers.get_list("set-cookie"):
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie
    page = own.browser("boss").get("/")
    assert page.headers["x-content-type-options"] == "nosniff"
    assert page.headers["cache-control"] == "no-store"
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]


def test_the_register_cannot_be_written_to(place: Place) -> None:
    register = ReadOnlyRegister.open_read_only(place.register)
    with pytest.raises(Exception, match="readonly"), register._database.write() as connection:
        connection.execute(tables.pledges.delete())


def test_the_file_of_accounts_is_its_owners(place: Place) -> None:
    path = Path(place.state) / "web.sqlite"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert PASSWORD.encode() not in path.read_bytes()


@pytest.mark.parametrize(
    "words",
    [["--host", "0.0.0.0"], ["--host", "192.0.2.1"], ["--certificate", "x"], ["--port", "0"]],
)
def test_nothing_goes_over_a_network_in_the_clear(place: Place, words: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "collector", "serve", *words, "--register", place.register],
        capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, timeout=60,
    )  # fmt: skip
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1


def test_the_first_password_is_for_one_time(place: Place, tmp_path: Path) -> None:
    state = State.open(str(tmp_path / "fresh"))
    password = Accounts(state).first()
    assert password is not None
    assert Accounts(state).first() is None
    site = Site(replace(place, state=str(tmp_path / "fresh")))
    browser = site.browser()
    assert browser.sign_in("manager", password).headers["location"] == "/password"
    assert browser.get("/").headers["location"] == "/password"
    form = {"old": password, "new": PASSWORD, "again": PASSWORD}
    assert browser.post("/password", {**form, "again": "another one here"}).status_code == 400
    assert browser.post("/password", {**form, "new": "short", "again": "short"}).status_code == 400
    assert browser.post("/password", form).status_code == 303
    assert browser.get("/").status_code == 200
    assert site.browser().sign_in("manager", password).status_code == 401


def test_old_lines_of_the_log_go(tmp_path: Path) -> None:
    state = State.open(str(tmp_path / "s"))
    old = Line(datetime(2020, 1, 1, tzinfo=UTC), "a", "b", "GET", "/", 200, "")
    Access(state).put(old)
    kept = Access(state, days=1)
    kept.put(replace(old, at=datetime.now(UTC)))
    assert len(kept.newest(10)) == 1


def test_accounts_are_made_in_order(tmp_path: Path) -> None:
    known = Accounts(State.open(str(tmp_path / "s")))
    known.add(Account("one", "manager"), PASSWORD)
    for bad in (
        Account("one", "engineer"), Account("Two", "engineer"), Account("a b", "engineer"),
        Account("three", "auditor", frozenset({"x"})), Account("four", "customer", frozenset()),
    ):  # fmt: skip
        with pytest.raises(Exception, match=r"."):
            known.add(bad, PASSWORD)
    with pytest.raises(Exception, match="12 to 200"):
        known.add(Account("five", "engineer"), "short")
    assert [one.name for one in known.every()] == ["one"]
    assert Sessions(State.open(str(tmp_path / "s"))).find("") is None


@pytest.mark.parametrize("blank", ["\xa0", "\x85", "\x1c", "\x1f", "\x0b", "\x0c"])
@pytest.mark.parametrize("around", ["before", "behind"])
def test_a_session_under_another_name_is_none(own: Site, blank: str, around: str) -> None:
    """A neighbour site may set it: browsers hold `__Host-` alone to this host, and to TLS."""
    browser = own.browser("cust")
    token = browser.client.cookies["hostpledge-session"]
    bare = own.browser()
    name = "hostpledge-session"
    other = blank + name if around == "before" else name + blank

    def asked(name: str) -> int:
        sent = f"x=1; {name}={token}".encode("latin-1")
        answer = bare.client.get("/pledges/demo-2", headers=[(b"cookie", sent)])
        return int(answer.status_code)

    assert asked(name) == 200
    assert asked(other) == 303
