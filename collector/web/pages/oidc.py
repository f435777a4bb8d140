"""To the provider that says who somebody is, and back."""

from __future__ import annotations

from starlette.responses import Response

from collector.web.asking.asker import Asker, NotFoundError, TurnedAwayError, local
from collector.web.asking.oidc import WAY, NoRoleError, Provider, RefusedError
from collector.web.pages.sign_in import begin


def away(asker: Asker) -> Response:
    provider = _provider(asker)
    try:
        url, held = provider.begin(_back(asker), asker.next)
    except RefusedError as problem:
        asker.note = str(problem)
        raise TurnedAwayError("turned_oidc", 502) from None
    asker.set_cookie("oidc", held, WAY)
    return asker.go(url)


def back(asker: Asker) -> Response:
    """A session, where the provider vouches and its word gives a role."""
    provider, held = _provider(asker), asker.cookie("oidc")
    asker.set_cookie("oidc", None)
    # it holds a code
    asker.path_only = True
    try:
        told, next = provider.end(held, asker.query, _back(asker))
    except RefusedError as problem:
        asker.note = str(problem)
        if isinstance(problem, NoRoleError):
            # the provider's newest word counts, for what it said before as well
            asker.house.accounts.untold(problem.name)
            asker.sign_out()
        raise TurnedAwayError("turned_oidc", 403) from None
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


def _back(asker: Asker) -> str:
    scheme = "https" if asker.secure else "http"
    return f"{scheme}://{asker.request.headers['host']}/oidc/back"
