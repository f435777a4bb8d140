"""What is everybody's bears nobody's cookie; every denial has its line, and its reason."""

from __future__ import annotations

import os
import re
import shutil
import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from collector.errors import BadInput
from collector.pledges.database.transactions import DatabaseSaysError
from collector.pledges.register.register import Register
from collector.web.asking import settings as told
from collector.web.asking.settings import Settings
from collector.web.keeping import tables as kept
from collector.web.keeping.access import Access
from collector.web.keeping.accounts import Account
from collector.web.keeping.state import State
from tests.web.sites import PASSWORD, Place, Site, filled, served, with_accounts

_BASE = "https://pledges.example"
_PROXY = "10.1.2.3"
_SAME = ("/web.css", "/icon.svg", "/verify")


@pytest.fixture
def own(place: Place, tmp_path: Path) -> Site:
    return Site(replace(place, state=str(shutil.copytree(place.state, tmp_path / "state"))))


@pytest.fixture
def behind(place: Place, tmp_path: Path) -> Site:
    """Behind a proxy that says who it is."""
    settings = Settings(
        host="127.0.0.1", hosts=("pledges.example",),
        proxies=(told._network("10.0.0.0/8", ""),), user_header="X-Remote-User",
    )  # fmt: skip
    state = str(shutil.copytree(place.state, tmp_path / "state"))
    site = Site(replace(place, state=state), settings)
    site.house.accounts.add(Account("beyond", "engineer"), None)
    with site.house.state.write() as connection:
        connection.execute(kept.sessions.delete())
    return site


def _sessions(site: Site) -> int:
    with site.house.state.read() as connection:
        return len(connection.execute(kept.sessions.select()).all())


# --- what is the same for everybody ---------------------------------------------------------------


@pytest.mark.parametrize("path", _SAME)
@pytest.mark.parametrize("query", ["", "?lang=en"])
def test_what_others_may_keep_bears_no_cookie(behind: Site, path: str, query: str) -> None:
    browser = behind.browser(peer=_PROXY, base=_BASE)
    before = {number for number, _ in behind.house.access.newest(5)}
    answer = browser.get(path + query, **{"x-remote-user": "beyond", "x-forwarded-proto": "https"})
    assert answer.status_code == 200
    assert "set-cookie" not in answer.headers
    assert _sessions(behind) == 0
    if path == "/verify":
        newest = behind.house.access.newest(5)
        (line,) = [one for n, one in newest if n not in before and one.path.startswith(path)]
        assert line.account == "beyond"


def test_no_answer_is_public_and_bears_a_cookie(own: Site) -> None:
    for browser in (own.browser(), own.browser("boss")):
        for path in ("/", "/sign-in", "/due", "/nothing", "/accounts", *_SAME):
            answer = browser.get(f"{path}?lang=zh")
            kept_by_others = "no-store" not in answer.headers["cache-control"]
            assert not (kept_by_others and "set-cookie" in answer.headers), path


def test_the_page_of_a_one_time_password_has_its_style(own: Site) -> None:
    own.house.accounts.change_password("eng", "drawn-at-random-1", must_change=True)
    browser = own.browser()
    assert browser.sign_in("eng", "drawn-at-random-1").status_code == 303
    assert browser.get("/web.css").status_code == 200


# --- whom a proxy names ---------------------------------------------------------------------------


@pytest.mark.parametrize("named", [{}, {"x-remote-user": "nobody"}, {"x-remote-user": "boss"}])
def test_a_proxy_that_names_nobody_says_so(behind: Site, named: dict[str, str]) -> None:
    """And no form is shown whose session would not count."""
    browser = behind.browser(peer=_PROXY, base=_BASE)
    headers = {**named, "x-forwarded-proto": "https"}
    assert browser.get("/", **headers).headers["location"] == "/sign-in"
    page = browser.get("/sign-in", **headers)
    assert page.status_code == 403
    assert "A proxy in front says who you are" in page.text
    assert 'name="password"' not in page.text
    form = {"name": "boss", "password": PASSWORD, "csrf": "x"}
    answer = browser.client.post("/sign-in", data=form, headers=headers)
    assert answer.status_code == 403
    assert _sessions(behind) == 0
    assert browser.get("/oidc", **headers).status_code == 403


def test_whom_the_proxy_named_is_nobody_without_it(behind: Site) -> None:
    browser = behind.browser(peer=_PROXY, base=_BASE)
    headers = {"x-remote-user": "beyond", "x-forwarded-proto": "https"}
    assert browser.get("/due", **headers).status_code == 200
    form = {"name": "boss", "password": PASSWORD}
    answer = browser.client.post("/sign-in", data=form, headers=headers)
    assert (answer.status_code, "A proxy in front" in answer.text) == (403, True)
    assert browser.get("/sign-in?next=/due", **headers).headers["location"] == "/due"
    # the same cookie past the proxy, and after its header left the settings
    for settings, peer in (
        (behind.house.settings, "203.0.113.9"),
        (replace(behind.house.settings, user_header=""), _PROXY),
    ):
        fresh = behind.browser(peer=_PROXY, base=_BASE)
        assert fresh.get("/due", **headers).status_code == 200
        other = Site(behind.place, settings).browser(peer=peer, base=_BASE)
        other.client.cookies.update(fresh.client.cookies)
        assert other.get("/due", **{"x-forwarded-proto": "https"}).status_code == 303
    # one of a provider is not the proxy's to name
    one = Account("lin~0123456789abcdef", "manager", local=False, ground="x")
    assert behind.house.accounts.told(one) is not None
    named = {**headers, "x-remote-user": one.name}
    assert behind.browser(peer=_PROXY, base=_BASE).get("/due", **named).status_code == 303


# --- lines of denials -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("PUT", "/accounts", 405), ("DELETE", "/pledges/demo-0", 405), ("OPTIONS", "/", 405),
        ("POST", "/due", 405), ("TRACE", "/sign-in", 405), ("PURGE", "/log", 405),
        ("PUT", "/nothing", 405), ("DELETE", "/hand-in/x", 405),
    ],
)  # fmt: skip
def test_other_methods_leave_a_line(own: Site, method: str, path: str, status: int) -> None:
    for browser, account in ((own.browser("boss"), "boss"), (own.browser(), "-")):
        answer = browser.client.request(method, path)
        assert answer.status_code == status
        line = own.house.access.newest(1)[0][1]
        assert (line.method, line.status, line.account) == (method, status, account)
        if path in ("/accounts", "/due"):
            assert line.path == path
            assert set(answer.headers["allow"].split(", ")) <= {"GET", "HEAD", "POST"}
        assert "/hand-in/x" not in line.path


def test_what_the_guard_refuses_leaves_a_line(own: Site) -> None:
    assert own.browser().get("/sign-in", host="evil.example").status_code == 421
    line = own.house.access.newest(1)[0][1]
    assert (line.status, line.account, line.note) == (421, "-", "not known by this name")
    own.browser().client.post("/sign-in", content=b"&".join([b"a=b"] * 60))
    assert own.house.access.newest(1)[0][1].status == 400


def test_two_lengths_of_one_request_end_the_connection(place: Place) -> None:
    """RFC 9112 6.1: whoever goes by the other one would read the rest as a request."""
    with served(place) as (address, _):
        port = int(address.rpartition(":")[2])
        host = f"Host: 127.0.0.1:{port}\r\n".encode()
        first = (
            b"POST /sign-in HTTP/1.1\r\n" + host
            + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
        )  # fmt: skip
        with socket.create_connection(("127.0.0.1", port), 10) as asked:
            asked.sendall(first + b"GET /verify HTTP/1.1\r\n" + host + b"\r\n")
            came = b"".join(iter(lambda: asked.recv(65536), b""))
        other = b"GET http://evil.example/sign-in HTTP/1.1\r\nConnection: close\r\n" + host
        with socket.create_connection(("127.0.0.1", port), 10) as asked:
            asked.sendall(other + b"\r\n")
            elsewhere = b"".join(iter(lambda: asked.recv(65536), b""))
    assert came.startswith(b"HTTP/1.1 400 ")
    assert came.count(b"HTTP/1.1 ") == 1
    assert elsewhere.startswith(b"HTTP/1.1 404 ")
    lines = [line for _, line in Access(State.open(place.state)).newest(2)]
    assert [(line.status, line.path[:3]) for line in lines] == [(404, "? #"), (400, "? #")]


# --- what an error says, and to whom --------------------------------------------------------------


@pytest.fixture
def stopped(own: Site, monkeypatch: pytest.MonkeyPatch) -> Site:
    """Its database complains, whoever asks for what falls due."""

    def complains(*_given: object, **_named: object) -> None:
        raise DatabaseSaysError("invalid byte in mbutils.c", where="postgresql://db.internal/web")

    monkeypatch.setattr(type(own.house.rows), "dues", complains)
    monkeypatch.setattr(type(own.house.throttle), "take", complains)
    monkeypatch.setattr(type(own.house.customer), "dossier", complains)
    return own


@pytest.mark.parametrize("name", ["", "cust", "aud", "eng", "boss"])
def test_what_a_database_says_is_for_who_is_of_the_house(
    own: Site, request: pytest.FixtureRequest, name: str
) -> None:
    browser = own.browser(name)
    site: Site = request.getfixturevalue("stopped")
    if name:
        pledge = "/pledges/demo-2" if name == "cust" else "/pledges/demo-0"
        answers = [browser.get(p) for p in ("/due", pledge, f"{pledge}/findings.csv")]
    else:
        answers = [browser.sign_in("boss")]
    for answer in answers:
        assert answer.status_code == 500
        assert ("mbutils.c" in answer.text) == (name in ("eng", "boss"))
        assert ("db.internal" in answer.text) == (name in ("eng", "boss"))
        assert site.house.access.newest(1)[0][1].note == "error"


def test_an_error_of_another_kind_tells_a_stranger_nothing(
    own: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = own.browser()
    token = browser.token("/sign-in")

    def complains(*_given: object) -> None:
        raise BadInput("cannot be read", where="/srv/secret")

    monkeypatch.setattr(type(own.house.throttle), "take", complains)
    answer = browser.post("/sign-in", {"name": "x", "password": "y"}, token=token)
    assert answer.status_code == 500
    assert "/srv/secret" not in answer.text


@pytest.mark.parametrize("name", ["", "boss"])
def test_what_cannot_be_written_down_is_not_given_out(
    own: Site, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """One page, in the language of the browser, and no traceback."""
    browser = own.browser(name)

    def complains(*_given: object) -> None:
        raise DatabaseSaysError("the disk is full")

    monkeypatch.setattr(type(own.house.access), "put", complains)
    for path in ("/due", "/sign-in", "/pledges/demo-0/evidence/1.zip", "/nothing"):
        answer = browser.get(path)
        assert answer.status_code == 500, path
        assert "This cannot be shown now" in answer.text
        assert "demo-0" not in answer.text.replace(path, "")


# --- addresses ------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", ["0", "01", "+1", "1.0", "%201", "%EF%BC%91", "1%00"])
def test_evidence_has_one_address(site: Site, number: str) -> None:
    assert site.browser("boss").get(f"/pledges/demo-0/evidence/{number}.zip").status_code == 404
    assert site.browser("boss").get("/pledges/demo-0/evidence/1.zip").status_code == 200


def test_the_page_asked_for_outlives_a_one_time_password(own: Site) -> None:
    own.house.accounts.change_password("eng", "drawn-at-random-1", must_change=True)
    browser, wanted = own.browser(), "/pledges/demo-0?hosts=2"
    come = browser.get(wanted).headers["location"]
    token = browser.token(come)
    form = {"csrf": token, "name": "eng", "password": "drawn-at-random-1"}
    to = browser.client.post(come, data=form).headers["location"]
    assert to == f"/password?next={quote(wanted, safe='')}"
    # whoever goes straight to it is led the same way
    assert browser.get(wanted).headers["location"] == to
    page = browser.get(to).text
    assert f'action="{to}"' in page
    form = {"csrf": browser.token(to), "old": "drawn-at-random-1"}
    wrong = browser.client.post(to, data={**form, "new": "short", "again": "short"})
    assert f'action="{to}"' in wrong.text
    done = browser.client.post(to, data={**form, "new": PASSWORD, "again": PASSWORD})
    assert done.headers["location"] == wanted
    # and who has signed in in another tab meanwhile is led on from the form
    assert browser.get(come).headers["location"] == wanted
    assert browser.get("/sign-in?next=//evil.example").headers["location"] == "/"
    form = {"csrf": browser.token("/password"), "old": PASSWORD, "new": "another " + PASSWORD}
    form["again"] = form["new"]
    away = browser.client.post("/password?next=//evil.example", data=form)
    assert away.headers["location"] == "/"


# --- downloads that are broken off ----------------------------------------------------------------


@pytest.mark.parametrize("most", [0, 1000])
def test_a_download_that_is_broken_off_leaves_nothing(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with served(place) as (address, running):
        with httpx.Client(base_url=address) as client:
            found = re.search(r'name="csrf" value="([^"]*)"', client.get("/sign-in").text)
            assert found is not None
            form = {"csrf": found[1], "name": "cust", "password": PASSWORD}
            assert client.post("/sign-in", data=form).status_code == 303
            token = client.cookies["hostpledge-session"]
        port = int(address.rpartition(":")[2])
        request = (
            f"GET /pledges/demo-2/evidence/1.zip HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
            f"Cookie: hostpledge-session={token}\r\n\r\n"
        )
        for _ in range(6):
            with socket.create_connection(("127.0.0.1", port), 20) as asked:
                asked.sendall(request.encode())
                if most:
                    assert asked.recv(most)
        until = time.monotonic() + 20
        while left := list(tmp_path.glob("hostpledge-*")):
            assert time.monotonic() < until, left
            time.sleep(0.2)
        # nor is a file without a name kept open
        files = Path(f"/proc/{running.pid}/fd")
        while any("(deleted)" in os.readlink(one) for one in files.iterdir() if one.is_symlink()):
            assert time.monotonic() < until
            time.sleep(0.2)


# --- bundles that were changed after they were read -----------------------------------------------


@pytest.fixture(scope="module")
def spoilt(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("spoilt")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOSTPLEDGE_HOME", str(folder / "home"))
        found = filled(folder)
        with_accounts(found.state)
        yield found


@pytest.mark.parametrize("anew", [False, True])
@pytest.mark.parametrize("how", ["changed", "gone", "older"])
def test_nothing_is_told_from_memory_of_a_bundle_that_was_changed(
    spoilt: Place, tmp_path: Path, how: str, *, anew: bool
) -> None:
    site = Site(spoilt)
    paths = [f"/pledges/demo-0{end}" for end in ("/findings.csv", "/findings.xlsx", "")]
    browser = site.browser("aud")
    for path in paths:
        assert "attachment" in browser.get(path).headers.get("content-disposition", "attachment")
    evidence = Register.open(spoilt.register).every_evidence("demo-0")
    file = (evidence[0] if how == "older" else evidence[-1]).path / "data" / "evidence.json"
    before = file.read_bytes()
    try:
        if how == "gone":
            file.unlink()
        else:
            file.write_bytes(before.replace(b'"fail"', b'"pass"', 1))
        if anew:
            browser = Site(spoilt).browser("aud")
        for path in paths[:2]:
            answer = browser.get(path)
            assert "content-disposition" not in answer.headers
            # a program that asks for a file does not keep the page as one
            assert answer.status_code == 409
            assert str(spoilt.home) not in answer.text
            assert "changed since" in answer.text or "No such file" in answer.text
        page = browser.get("/pledges/demo-0").text
        if how != "older":
            assert "could not be read" in page
            assert 'class="answer fail"' not in page
            assert 'class="answer pass"' not in page
            assert page.count('class="answer error"') == 3
            assert "not verified" in page
    finally:
        file.write_bytes(before)
    # as before it was touched
    assert "content-disposition" in browser.get(paths[0]).headers
