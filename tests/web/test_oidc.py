"""Signing in by a real provider, and what is tried in its name."""

from __future__ import annotations

import json
import shutil
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from datetime import date
from pathlib import Path

import httpx
import pytest
from joserfc.jwk import RSAKey

from collector.errors import BadInput
from collector.web.asking import oidc
from collector.web.asking import settings as told
from collector.web.asking.settings import Mapped, Oidc, Settings
from collector.web.keeping import passwords, tables
from collector.web.keeping.accounts import Account
from tests.cli.running import hostpledge
from tests.web.provider import CLIENT, SECRET, Maker, provider
from tests.web.sites import PASSWORD, Browser, Place, Site


@pytest.fixture(scope="module")
def maker() -> Iterator[Maker]:
    with provider() as found:
        yield found


@pytest.fixture
def fresh(maker: Maker) -> Maker:
    """As it was: nobody has spoiled it."""
    clean = Maker(maker.issuer)
    maker.claims, maker.spoil, maker.header = clean.claims, {}, clean.header
    maker.by_scope = {}
    maker.published, maker.metadata, maker.keys = maker.key, {}, maker
    return maker


@pytest.fixture
def site(place: Place, fresh: Maker, tmp_path: Path) -> Site:
    roles = (
        Mapped("managers", "manager", frozenset(), None),
        Mapped("inspectors", "auditor", frozenset({"demo-1"}), date(2099, 1, 1)),
        Mapped("ended", "auditor", frozenset({"demo-1"}), date(2020, 1, 1)),
    )
    settings = Settings(oidc=Oidc(fresh.issuer, CLIENT, SECRET, "groups", roles))
    state = str(shutil.copytree(place.state, tmp_path / "state"))
    return Site(replace(place, state=state), settings)


def _go(browser: Browser, next: str = "") -> httpx.Response:
    """To the provider, and what comes back to the site."""
    away = browser.get(f"/oidc{'?next=' + next if next else ''}")
    assert away.status_code == 303, away.text
    came = httpx.get(away.headers["location"], follow_redirects=False)
    path = came.headers["location"].partition("127.0.0.1:8300")[2]
    return browser.get(path)


def test_a_claim_says_in_which_role(site: Site, fresh: Maker) -> None:
    fresh.claims["groups"] = ["staff", "inspectors"]
    browser = site.browser()
    assert "/oidc" in browser.get("/sign-in").text
    back = _go(browser, "/due")
    assert (back.status_code, back.headers["location"]) == (303, "/due")
    assert browser.get("/pledges/demo-1").status_code == 200
    assert browser.get("/pledges/demo-0").status_code == 404
    assert browser.get("/password").status_code == 404
    line = next(one for _, one in site.house.access.newest(9) if one.path == "/oidc/back")
    assert line.note.startswith("signed in: lin~")
    # what the provider says next time is what counts
    fresh.claims["groups"] = ["managers"]
    assert _go(browser).status_code == 303
    assert browser.get("/accounts").status_code == 200
    assert [a.name for a in site.house.accounts.every() if "~" in a.name] == [line.note[11:]]


def test_a_session_of_before_sees_no_record_that_is_newer(site: Site, fresh: Maker) -> None:
    """An id may have become another customer's; with the next sign-in it is said anew."""
    fresh.claims["groups"] = ["inspectors"]
    browser = site.browser()
    assert _go(browser).status_code == 303
    assert browser.get("/pledges/demo-1").status_code == 200
    table = tables.sessions
    with site.house.state.write() as connection:
        connection.execute(table.update().values(made_at=time.time() - 6 * 3600))
    assert browser.get("/pledges/demo-1").status_code == 404
    assert "demo-1" not in browser.get("/export.csv?life=all").text
    assert _go(browser).status_code == 303
    assert browser.get("/pledges/demo-1").status_code == 200


def test_nobody_becomes_a_local_account(site: Site, fresh: Maker) -> None:
    fresh.claims |= {"preferred_username": "boss", "groups": ["inspectors"]}
    browser = site.browser()
    assert _go(browser).status_code == 303
    assert browser.get("/accounts").status_code == 404
    # and one name of two people is two accounts
    fresh.claims |= {"sub": "2"}
    assert _go(site.browser()).status_code == 303
    assert len([a for a in site.house.accounts.every() if a.name.startswith("boss~")]) == 2


def test_a_stopped_account_stays_out(site: Site, fresh: Maker) -> None:
    fresh.claims["groups"] = ["managers"]
    assert _go(site.browser()).status_code == 303
    name = next(a.name for a in site.house.accounts.every() if "~" in a.name)
    site.house.accounts.disable(name)
    assert _go(site.browser()).status_code == 403


def test_who_has_lost_every_role_is_out_everywhere(site: Site, fresh: Maker) -> None:
    """The provider's newest word is heard in one browser, and counts in all of them."""
    fresh.claims["groups"] = ["managers"]
    one, other = site.browser(), site.browser()
    assert _go(one).status_code == 303
    assert one.get("/accounts").status_code == 200
    fresh.claims["groups"] = ["staff"]
    assert _go(other).status_code == 403
    assert one.get("/accounts").status_code == 303
    # and in the browser of before, which was of somebody else until now
    fresh.claims |= {"sub": "2", "groups": ["managers"]}
    assert _go(one).status_code == 303
    fresh.claims |= {"sub": "3", "groups": []}
    refused = _go(one)
    assert refused.status_code == 403
    assert "/sign-out" not in refused.text
    assert one.get("/accounts").status_code == 303
    fresh.claims |= {"sub": "1", "groups": ["managers"]}
    assert _go(one).status_code == 303
    assert one.get("/accounts").status_code == 200


def _renamed(site: Site, fresh: Maker) -> list[str]:
    """What the accounts are called of who signs in by two names, one after the other."""
    fresh.claims |= {"preferred_username": "alice", "groups": ["managers"]}
    assert _go(site.browser()).status_code == 303
    fresh.claims["preferred_username"] = "alicia"
    assert _go(site.browser()).status_code == 303
    return [a.name for a in site.house.accounts.every() if "~" in a.name]


def test_another_name_is_no_other_account(site: Site, fresh: Maker) -> None:
    """People change what they are called at their provider themselves; `sub` stays."""
    (name,) = _renamed(site, fresh)
    assert name.startswith("alice~")
    site.house.accounts.disable(name)
    for called in ("alice", "alicia", "", "~"):
        fresh.claims["preferred_username"] = called
        assert _go(site.browser()).status_code == 403
    site.house.accounts.disable(name, back=True)
    assert _go(site.browser()).status_code == 303


def test_a_role_that_is_lost_under_another_name_is_lost_everywhere(
    site: Site, fresh: Maker
) -> None:
    fresh.claims |= {"preferred_username": "alice", "groups": ["managers"]}
    browser = site.browser()
    assert _go(browser).status_code == 303
    fresh.claims |= {"preferred_username": "alicia", "groups": ["staff"]}
    assert _go(site.browser()).status_code == 403
    assert browser.get("/accounts").status_code == 303
    # and a lesser role counts where the person has signed in before
    fresh.claims["groups"] = ["managers"]
    assert _go(browser).status_code == 303
    fresh.claims |= {"preferred_username": "ali", "groups": ["inspectors"]}
    assert _go(site.browser()).status_code == 303
    assert browser.get("/accounts").status_code == 404


def test_accounts_that_one_person_has_from_before(site: Site, fresh: Maker) -> None:
    """By each of their names one, as they were made once: what stops one of them stops all."""
    (name,) = _renamed(site, fresh)
    known, digest = site.house.accounts, name.partition("~")[2]
    row = {
        "name": f"alicf~{digest}", "role": "manager", "pledges": "[]", "ends": None,
        "password": None, "must_change": 0, "disabled": 0, "lang": None, "added_at": "2026-01-01",
    }  # fmt: skip
    with site.house.state.write() as connection:
        connection.execute(tables.accounts.insert().values(**row))
    old = known.find(f"alicf~{digest}")
    assert old is not None
    token = site.house.sessions.begin(old)
    assert token is not None
    known.disable(name)
    assert site.house.sessions.find(token) is None
    fresh.claims["preferred_username"] = "alicf"
    assert _go(site.browser()).status_code == 403
    known.disable(name, back=True)
    token = site.house.sessions.begin(old)
    fresh.claims["groups"] = ["staff"]
    assert _go(site.browser()).status_code == 403
    assert site.house.sessions.find(token or "") is None


@pytest.mark.parametrize("by", ["command", "page"])
def test_who_signs_in_elsewhere_gets_no_password(site: Site, fresh: Maker, by: str) -> None:
    """Or what the provider says, or a proxy, would count for nothing from then on."""
    fresh.claims["groups"] = ["managers"]
    assert _go(site.browser()).status_code == 303
    name = next(a.name for a in site.house.accounts.every() if "~" in a.name)
    site.house.accounts.add(Account("beyond", "engineer"), None)
    for one in (name, "beyond"):
        if by == "page":
            boss = site.browser("boss")
            form = {"name": one, "act": "password"}
            answer = boss.post("/accounts", form, token=boss.token("/accounts"))
            assert answer.status_code == 400
            assert "signs in elsewhere" in answer.text
        else:
            words = ("serve", "account", "password", one, "--state", site.place.state)
            done = hostpledge(*words, home=site.place.home)
            assert done.status == 2
            assert "signs in elsewhere" in done.err
        found = site.house.accounts.find(one)
        assert found is not None
        assert not found.local
    assert _go(site.browser()).status_code == 303


def test_a_password_that_one_of_a_provider_has_from_before_opens_nothing(
    site: Site, fresh: Maker
) -> None:
    fresh.claims["groups"] = ["managers"]
    assert _go(site.browser()).status_code == 303
    name = next(a.name for a in site.house.accounts.every() if "~" in a.name)
    table = tables.accounts
    with site.house.state.write() as connection:
        theirs = table.update().where(table.c.name == name)
        connection.execute(theirs.values(password=passwords.hashed(PASSWORD)))
    assert site.browser().sign_in(name).status_code == 401
    assert _go(site.browser()).status_code == 303
    with site.house.state.read() as connection:
        query = table.select().where(table.c.name == name)
        assert connection.execute(query).mappings().one()["password"] is None


def test_a_sign_in_comes_back_once(site: Site, fresh: Maker) -> None:
    """Whoever sends it again and again would make us ask the provider each time."""
    fresh.claims["groups"] = ["managers"]
    browser = site.browser()
    away = browser.get("/oidc").headers["location"]
    held = dict(browser.client.cookies)
    path = httpx.get(away, follow_redirects=False).headers["location"]
    path = path.partition("127.0.0.1:8300")[2]
    assert browser.get(path).status_code == 303
    for _ in range(2):
        again = site.browser()
        again.client.cookies.update(held)
        assert again.get(path).status_code == 403
    notes = [one.note for _, one in site.house.access.newest(2)]
    assert notes == ["that sign-in came back before"] * 2


def test_one_sender_does_not_take_all_places(
    site: Site, fresh: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = site.house.provider
    assert provider is not None
    with ExitStack() as held:
        for _ in range(3):
            held.enter_context(provider._waiting(("192.0.2.1",)))
        with pytest.raises(oidc.RefusedError, match="too many"), provider._waiting(("192.0.2.1",)):
            pass
        with provider._waiting(("192.0.2.2",)):
            pass


def test_two_tabs_sign_in(site: Site, fresh: Maker) -> None:
    fresh.claims["groups"] = ["managers"]
    browser = site.browser()
    paths = []
    for _ in range(2):
        away = browser.get("/oidc").headers["location"]
        came = httpx.get(away, follow_redirects=False).headers["location"]
        paths.append(came.partition("127.0.0.1:8300")[2])
    assert [browser.get(path).status_code for path in paths] == [303, 303]
    # one that nobody finishes leaves little behind
    for _ in range(40):
        browser.get(f"/oidc?next=/{'x' * 3000}")
    held = [name for name in browser.client.cookies if "oidc" in name]
    assert 1 <= len(held) <= 5
    assert sum(len(browser.client.cookies[name]) for name in held) < 4000
    # and what is none of ours is not put into an answer
    cookie = "; ".join(f"hostpledge-oidc-{n}=x" for n in ("a b", "(", '"', *"cdefgh"))
    assert browser.client.get("/oidc", headers={"cookie": cookie}).status_code == 303


def _anew(site: Site, **changes: object) -> Site:
    """The page started once more, with other settings."""
    oidc = site.house.settings.oidc
    assert oidc is not None
    return Site(site.place, Settings(oidc=replace(oidc, **changes)))  # type: ignore[arg-type]


def _as_before(site: Site, before: Browser) -> int:
    """What the browser of before is answered there."""
    browser = site.browser()
    browser.client.cookies.update(before.client.cookies)
    return browser.get("/due").status_code


@pytest.mark.parametrize(
    "changes",
    [
        {"roles": ()}, {"roles": (Mapped("bosses", "manager", frozenset(), None),)},
        {"roles": (Mapped("managers", "engineer", frozenset(), None),)},
        {"roles": (Mapped("managers", "manager", frozenset(), date(2099, 1, 1)),)},
        {"issuer": "https://other.example"}, {"client_id": "other"}, {"claim": "roles"},
    ],
)  # fmt: skip
def test_a_word_that_left_the_settings_ends_its_sessions(
    site: Site, fresh: Maker, changes: dict[str, object]
) -> None:
    fresh.claims["groups"] = ["managers"]
    browser = site.browser()
    assert _go(browser).status_code == 303
    # another start alone ends nothing
    assert _as_before(_anew(site), browser) == 200
    assert _as_before(_anew(site, **changes), browser) == 303


def test_without_a_provider_nobody_is_in_by_it(site: Site, fresh: Maker) -> None:
    fresh.claims["groups"] = ["managers"]
    browser, boss = site.browser(), site.browser("boss")
    assert _go(browser).status_code == 303
    assert "in use" in boss.get("/accounts").text
    plain = Site(site.place, Settings())
    again = plain.browser()
    again.client.cookies.update(boss.client.cookies)
    assert "no role from where it signs in" in again.get("/accounts").text
    assert _as_before(plain, browser) == 303


@pytest.mark.parametrize(
    ("groups", "status", "note"),
    [
        ([{"a": 1}, "managers"], 303, "signed in"), ([["managers"]], 403, "groups holds list"),
        ({"managers": 1}, 403, "groups holds dict"), ([], 403, "no role for lin~"),
        ([1, None, True], 403, "groups holds bool, int"),
    ],
)  # fmt: skip
def test_claims_of_odd_kinds(
    site: Site, fresh: Maker, groups: object, status: int, note: str
) -> None:
    fresh.claims["groups"] = groups
    assert _go(site.browser()).status_code == status
    line = next(one for _, one in site.house.access.newest(9) if one.path == "/oidc/back")
    assert note in line.note


def test_groups_that_come_by_a_scope(site: Site, fresh: Maker) -> None:
    """As Dex, Okta and Canaille give them."""
    fresh.claims["groups"], fresh.by_scope = ["managers"], {"groups": "groups"}
    assert _go(site.browser()).status_code == 403
    line = next(one for _, one in site.house.access.newest(9) if one.path == "/oidc/back")
    assert line.note.endswith(": no claim groups")
    assert site.house.settings.oidc is not None
    asking = replace(site.house.settings.oidc, scope="openid profile groups")
    assert _go(Site(site.place, Settings(oidc=asking)).browser()).status_code == 303


def test_a_token_that_is_not_in_order_is_named_by_its_claim(site: Site, fresh: Maker) -> None:
    fresh.spoil = {"aud": "<other>"}
    assert _go(site.browser()).status_code == 403
    line = next(one for _, one in site.house.access.newest(9) if one.path == "/oidc/back")
    assert line.note.endswith("ID token: InvalidClaimError aud")


@pytest.mark.parametrize(
    ("claims", "status"),
    [
        ({"sub": 1}, 403), ({"sub": ["1"]}, 403), ({"sub": {"a": 1}}, 403), ({"sub": ""}, 403),
        ({"preferred_username": ["x"]}, 303), ({"preferred_username": {"a": 1}}, 303),
        ({"aud": [{"a": 1}]}, 403), ({"aud": [CLIENT]}, 303), ({"nonce": ["x"]}, 403),
        ({"azp": "other"}, 403), ({"azp": None}, 403), ({"azp": CLIENT}, 303),
        ({"aud": [CLIENT], "azp": "other"}, 403), ({"aud": [CLIENT, "b"], "azp": CLIENT}, 303),
    ],
)  # fmt: skip
def test_tokens_of_odd_kinds_and_of_other_clients(
    site: Site, fresh: Maker, claims: dict[str, object], status: int
) -> None:
    fresh.claims["groups"] = ["managers"]
    fresh.spoil = claims
    assert _go(site.browser()).status_code == status


@pytest.mark.parametrize(
    "metadata",
    [
        {"authorization_endpoint": None}, {"token_endpoint": 5}, {"token_endpoint": "http://[x"},
        {"jwks_uri": ["x"]}, {"jwks_uri": "http://[x"},
        {"token_endpoint_auth_methods_supported": 5, "token_endpoint": "http://127.0.0.1:9/x"},
    ],
)  # fmt: skip
def test_a_provider_that_says_odd_things_of_itself(
    site: Site, fresh: Maker, metadata: dict[str, object]
) -> None:
    fresh.claims["groups"] = ["managers"]
    fresh.metadata = metadata
    browser = site.browser()
    away = browser.get("/oidc")
    assert away.status_code in (303, 502)
    if away.status_code == 303:
        assert _go(browser).status_code == 403


@pytest.mark.parametrize(
    "keys", [["x"], None, [{}], {"a": 1}, [{"kty": "RSA", "n": 1, "e": []}], "x", [None]]
)
def test_keys_of_odd_kinds(site: Site, fresh: Maker, keys: object) -> None:
    fresh.claims["groups"] = ["managers"]
    fresh.keys = keys
    assert _go(site.browser()).status_code == 403


@pytest.mark.parametrize("groups", [[], ["nobodys"], ["ended"], "managersx", None])
def test_without_a_role_nobody_gets_in(site: Site, fresh: Maker, groups: object) -> None:
    fresh.claims["groups"] = groups
    browser = site.browser()
    assert _go(browser).status_code == 403
    assert browser.get("/").status_code == 303


@pytest.mark.parametrize(
    "spoil",
    [
        {"iss": "https://evil.example"}, {"aud": "another"}, {"aud": [CLIENT, "another"]},
        {"nonce": "x"}, {"exp": int(time.time()) - 3600}, {"sub": None}, {"iat": "soon"},
    ],
)  # fmt: skip
def test_tokens_of_others_are_not_taken(site: Site, fresh: Maker, spoil: dict[str, object]) -> None:
    fresh.claims["groups"] = ["managers"]
    fresh.spoil = spoil
    assert _go(site.browser()).status_code == 403


def test_a_token_signed_by_another_key_is_not_taken(site: Site, fresh: Maker) -> None:
    fresh.claims["groups"] = ["managers"]
    fresh.published = RSAKey.generate_key(2048, {"kid": "one"})
    assert _go(site.browser()).status_code == 403


def test_keys_that_changed_are_asked_for_again(
    site: Site, fresh: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh.claims["groups"] = ["managers"]
    assert _go(site.browser()).status_code == 303
    before = fresh.key
    fresh.key = fresh.published = RSAKey.generate_key(2048, {"kid": "two"})
    fresh.header = {"alg": "RS256", "kid": "two"}
    real = time.monotonic
    monkeypatch.setattr(time, "monotonic", lambda: real() + 11)
    try:
        assert _go(site.browser()).status_code == 303
    finally:
        fresh.key = before


def test_what_another_browser_began_does_not_end_here(site: Site, fresh: Maker) -> None:
    fresh.claims["groups"] = ["managers"]
    mallory, victim = site.browser(), site.browser()
    away = mallory.get("/oidc").headers["location"]
    came = httpx.get(away, follow_redirects=False).headers["location"]
    path = came.partition("127.0.0.1:8300")[2]
    assert victim.get(path).status_code == 403
    victim.get("/oidc")
    assert victim.get(path).status_code == 403
    # a code is good once
    assert mallory.get(path).status_code == 303
    assert mallory.get(path).status_code == 403
    assert site.browser().get("/oidc/back?code=x&state=").status_code == 403


def test_no_code_of_the_provider_is_in_the_log(site: Site, fresh: Maker) -> None:
    fresh.claims["groups"] = ["managers"]
    _go(site.browser())
    assert not [one for _, one in site.house.access.newest(9) if "code=" in one.path]


def test_a_provider_that_is_away(place: Place, tmp_path: Path) -> None:
    gone = Oidc("http://127.0.0.1:9", CLIENT, SECRET, "groups", ())
    state = str(shutil.copytree(place.state, tmp_path / "state"))
    site = Site(replace(place, state=state), Settings(oidc=gone))
    assert site.browser().get("/oidc").status_code == 502
    assert site.browser("boss").get("/").status_code == 200


def test_a_provider_that_is_silent_holds_up_nobody_else(
    site: Site, fresh: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes the connection and says nothing, for longer than anybody waits."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as silent:
        monkeypatch.setattr(oidc, "_TIMEOUT", 1.5)
        issuer = f"http://127.0.0.1:{silent.getsockname()[1]}"
        slow = _anew(site, issuer=issuer)
        browsers = [slow.browser() for _ in range(45)]
        begun = time.monotonic()
        with ThreadPoolExecutor(45) as pool:
            found = list(pool.map(lambda one: one.get("/oidc").status_code, browsers))
        assert set(found) == {502}
        # one has waited for it, and those who stood behind: not one after another
        assert time.monotonic() - begun < 12
        # nor is it asked again at once
        begun = time.monotonic()
        assert slow.browser().get("/oidc").status_code == 502
        assert time.monotonic() - begun < 1
    notes = {one.note for _, one in slow.house.access.newest(50) if one.path == "/oidc"}
    assert "too many wait for the provider" in notes


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("hosts: ['*']", "no name of a host"), ("hosts: ['*.example.com']", "no name of a host"),
        ("hosts: ['https://x.example']", "no name"), ("hosts: ['x.example:8300']", "no name"),
        ("hosts: ['']", "no name"), ("hosts: ['a b']", "no name"), ("hosts: ['x.example.']", "no"),
        ("hosts: ['示例.example']", "xn--"), ("hosts: ['300.1.1.1']", "no name"),
        ("{proxies: [10.0.0.2], user_header: 'X Remote'}", "no header"),
        ("{proxies: [10.0.0.2], user_header: 'X-User:'}", "no header"),
        ("{proxies: [10.0.0.2], user_header: '用户'}", "no header"),
        ("{proxies: [10.0.0.2], user_header: Cookie}", "no header"),
        ("{proxies: [10.0.0.2], user_header: x-forwarded-for}", "no header"),
        ("{proxies: [10.0.0.2], user_header: Accept-Language}", "no header"),
        ("proxies: ['0.0.0.0']", "no address"), ("proxies: ['224.0.0.1']", "no address"),
        ("oidc: {issuer: 'https://x', client_id: a, client_secret_file: empty, claim: g, "
         "roles: [{value: a, role: manager}]}", "missing: client_secret_file"),
        ("hosts: x", "form"), ("nonsense: 1", "no such setting: nonsense"), ("[]", "form"),
        ("proxies: [300.1.1.1]", "no address"), ("user_header: X", "proxies"),
        ("log_days: 30", "200 to 36500 days"), ("log_days: 99999999999", "200 to 36500 days"),
        ("proxies: ['0.0.0.0/0']", "everybody"), ("proxies: ['::/0']", "everybody"),
        ("proxies: ['128.0.0.0/1']", "everybody"), ("proxies: ['::ffff:0:0/96']", "everybody"),
        ("proxies: ['2000::/3']", "everybody"), ("url: 'https://x@evil.example'", "https://"),
        ("url: 'https://:80'", "https://"), ("url: 'https://x:99999'", "https://"),
        ("oidc: {issuer: x}", "missing: client_id"),
        ("oidc: {issuer: 'http://evil', client_id: a, client_secret_file: s, claim: g, "
         "roles: [{value: a, role: manager}]}", "https"),
        ("oidc: {issuer: 'https://x', client_id: a, client_secret_file: s, claim: g, "
         "roles: [{value: a, role: king}]}", "no such role"),
        ("oidc: {issuer: 'https://x', client_id: a, client_secret_file: s, claim: g, "
         "roles: [{value: a, role: auditor, pledges: [x]}]}", "last day"),
        ("oidc: {issuer: 'https://x', client_id: a, client_secret_file: s, claim: g, roles: 5}",
         "form"),
        ("oidc: {issuer: 'https://x', client_id: a, client_secret_file: s, claim: g, "
         "roles: [{role: manager}]}", "missing: value"),
        ("oidc: {issuer: 'https://x', client_id: a, client_secret_file: nowhere, claim: g, "
         "roles: [{value: a, role: manager}]}", "nowhere"),
        ("oidc: {issuer: 'https://x', client_id: a, client_secret_file: s, claim: g, "
         "roles: [{value: a, role: manager}], scope: profile groups}", "no scope"),
        ("oidc: {issuer: 'https://x', client_id: a, client_secret_file: s, claim: g, "
         "roles: [{value: a, role: manager}], scope: 'openid \"x\"'}", "no scope"),
        ("oidc: {issuer: 'https://x', client_id: a, client_secret_file: s, claim: g, "
         "roles: [{value: a, role: manager}], scope: [openid]}", "form"),
    ],
)  # fmt: skip
def test_settings_that_cannot_be(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "s").write_text("a secret")
    (tmp_path / "empty").write_text("\n")
    file = tmp_path / "web.yml"
    file.write_text(text)
    with pytest.raises(BadInput, match=says):
        told.read(file)


def test_names_by_which_a_browser_asks(tmp_path: Path) -> None:
    file = tmp_path / "web.yml"
    file.write_text(
        "{hosts: [pledges.example.com, XN--FSQ.example, web_1, 10.0.0.5, '[2001:db8::1]',"
        " '2001:DB8::2'], proxies: [10.0.0.2], user_header: X-Forwarded-User}"
    )
    known = Settings(host="10.0.0.9", **told.read(file))
    for header in ("pledges.example.com:8300", "xn--fsq.example", "web_1", "10.0.0.5:80",
                   "[2001:db8::1]:8300", "[2001:db8::2]"):  # fmt: skip
        assert known.knows_host(header), header
    assert not known.knows_host("other.example.com")


@pytest.mark.parametrize(
    "issuer",
    [
        "http://127.0.0.1:1@evil.example", "http://localhost:80@evil.example/x",
        "http://127.0.0.1.evil.example", "http://localhost:x", "https://", "https://a@evil.example",
        "ftp://127.0.0.1", "http://evil.example", "https://evil.example\\@x", "127.0.0.1",
    ],
)  # fmt: skip
def test_an_issuer_that_only_looks_like_ours(tmp_path: Path, issuer: str) -> None:
    (tmp_path / "s").write_text("a secret")
    file = tmp_path / "web.yml"
    given = {"issuer": issuer, "client_id": "a", "client_secret_file": "s", "claim": "g"}
    given["roles"] = [{"value": "a", "role": "manager"}]  # type: ignore[assignment]
    file.write_text(json.dumps({"oidc": given}))
    with pytest.raises(BadInput, match="https"):
        told.read(file)


def test_networks_of_proxies_that_may_be(tmp_path: Path) -> None:
    every = ["10.0.0.0/8", "10.0.0.2", "172.16.0.0/12", "fc00::/7", "2001:db8::/32", "::1"]
    (tmp_path / "web.yml").write_text(json.dumps({"proxies": every}))
    assert len(told.read(tmp_path / "web.yml")["proxies"]) == 6


@pytest.mark.parametrize("name", ["authorization_endpoint", "token_endpoint", "jwks_uri"])
def test_a_provider_that_leads_to_the_clear(site: Site, fresh: Maker, name: str) -> None:
    """What it says of itself over TLS does not lead to where there is none."""
    fresh.metadata = {name: "http://keys.example/jwks"}
    assert site.browser().get("/oidc").status_code == 502
    line = next(one for _, one in site.house.access.newest(9) if one.path == "/oidc")
    assert line.note == f"the provider's {name} is not https"


def test_settings_as_the_guide_has_them(tmp_path: Path) -> None:
    guide = (Path(__file__).parents[2] / "docs" / "web.md").read_text(encoding="utf-8")
    blocks = [part.partition("```")[0] for part in guide.split("```yaml\n")[1:]]
    (tmp_path / "oidc.secret").write_text("a secret\n")
    (tmp_path / "web.yml").write_text("\n".join(blocks))
    found = Settings(host="10.0.0.5", **told.read(tmp_path / "web.yml"))
    found.check()
    assert found.oidc is not None
    assert found.oidc.client_secret == "a secret"
    assert found.trusts("10.0.0.2")
    assert not found.trusts("10.0.0.3")
