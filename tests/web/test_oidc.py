"""Signing in by a real provider, and what is tried in its name."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import httpx
import pytest
from joserfc.jwk import RSAKey

from collector.errors import BadInput
from collector.web.asking import settings as told
from collector.web.asking.settings import Mapped, Oidc, Settings
from tests.web.provider import CLIENT, SECRET, Maker, provider
from tests.web.sites import Browser, Place, Site


@pytest.fixture(scope="module")
def maker() -> Iterator[Maker]:
    with provider() as found:
        yield found


@pytest.fixture
def fresh(maker: Maker) -> Maker:
    """As it was: nobody has spoiled it."""
    clean = Maker(maker.issuer)
    maker.claims, maker.spoil, maker.header = clean.claims, {}, clean.header
    maker.published = maker.key
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


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("hosts: x", "form"), ("nonsense: 1", "no such setting: nonsense"), ("[]", "form"),
        ("proxies: [300.1.1.1]", "no address"), ("user_header: X", "proxies"),
        ("log_days: 30", "200 days"), ("oidc: {issuer: x}", "missing: client_id"),
        ("oidc: {issuer: 'http://evil', client_id: a, client_secret_file: s, claim: g, "
         "roles: [{value: a, role: manager}]}", "https"),
        ("oidc: {issuer: 'https://x', client_id: a, client_secret_file: s, claim: g, "
         "roles: [{value: a, role: king}]}", "no such role"),
        ("oidc: {issuer: 'https://x', client_id: a, client_secret_file: s, claim: g, "
         "roles: [{value: a, role: auditor, pledges: [x]}]}", "last day"),
        ("oidc: {issuer: 'https://x', client_id: a, client_secret_file: nowhere, claim: g, "
         "roles: [{value: a, role: manager}]}", "nowhere"),
    ],
)  # fmt: skip
def test_settings_that_cannot_be(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "s").write_text("a secret")
    file = tmp_path / "web.yml"
    file.write_text(text)
    with pytest.raises(BadInput, match=says):
        told.read(file)


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
