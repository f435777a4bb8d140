"""To the provider that says who somebody is, and back."""

from __future__ import annotations

import hashlib
import re

from starlette.responses import Response

from collector.handin.senders import networks
from collector.web.asking.asker import Asker, NotFoundError, TurnedAwayError, local
from collector.web.asking.oidc import WAY, CrowdedError, NoRoleError, Provider, RefusedError
from collector.web.keeping import throttle
from collector.web.pages.sign_in import begin

_HELD = re.compile(r"oidc-[0-9a-f]{16}")
# sign-ins that one browser may have under way, each of its tabs one of its own
_TABS = 5
# of an address that is longer a browser would not keep what it is to hold
_NEXT = 1000


def away(asker: Asker) -> Response:
    provider = _provider(asker)
    try:
        next = asker.next if len(asker.next) <= _NEXT else "/"
        url, state, held = provider.begin(_back(asker), next, networks(asker.address))
    except RefusedError as problem:
        asker.note = str(problem)
        raise TurnedAwayError("turned_oidc", 502) from None
    begun = asker.cookies_of(_HELD)
    if len(begun) >= _TABS:
        # what was begun again and again, and never came back
        for name in begun:
            asker.set_cookie(name, None)
    asker.set_cookie(_cookie(state), held, WAY)
    return asker.go(url)


def back(asker: Asker) -> Response:
    """A session, where the provider vouches and its word gives a role."""
    provider, name = _provider(asker), _cookie(asker.query.get("state", ""))
    held = asker.cookie(name)
    # it holds a code
    asker.path_only = True
    # each makes us ask the provider, in our name
    tried = asker.house.throttle.take(throttle.of_address("oidc", asker.address))
    if tried.wait:
        asker.note = "throttled"
        raise TurnedAwayError("turned_oidc", 429)
    try:
        told, next = provider.end(held, asker.query, _back(asker), networks(asker.address))
    except CrowdedError as problem:
        asker.house.throttle.right(tried, ())
        asker.note = str(problem)
        raise TurnedAwayError("turned_oidc", 503) from None
    except RefusedError as problem:
        asker.note = str(problem)
        if held:
            asker.set_cookie(name, None)
        if isinstance(problem, NoRoleError):
            # the provider's newest word counts, for what it said before as well
            asker.house.accounts.untold(problem.name)
            asker.sign_out()
        raise TurnedAwayError("turned_oidc", 403) from None
    asker.house.throttle.right(tried, ())
    if held:
        asker.set_cookie(name, None)
    account = asker.house.accounts.told(told)
    if account is None or not begin(asker, account):
        asker.sign_out()
        asker.note = f"stopped: {told.name}"
        raise TurnedAwayError("turned_oidc", 403)
    return asker.go(local(next))


def _provider(asker: Asker) -> Provider:
    if asker.house.provider is None:
        raise NotFoundError
    return asker.house.provider


def _cookie(state: str) -> str:
    """What the browser holds of that sign-in: another tab's is another."""
    return f"oidc-{hashlib.sha256(state.encode('utf-8', 'replace')).hexdigest()[:16]}"


def _back(asker: Asker) -> str:
    scheme = "https" if asker.secure else "http"
    return f"{scheme}://{asker.request.headers['host']}/oidc/back"
