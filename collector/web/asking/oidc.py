"""Signing in by OpenID Connect: an authorization code with PKCE, and an ID token that is verified.

Who somebody is, is `sub` of that issuer and nothing else: names of people change hands.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import httpx
from authlib.oauth2.rfc6749.parameters import (  # type: ignore[import-untyped]
    prepare_grant_uri,
)
from authlib.oauth2.rfc7636 import (  # type: ignore[import-untyped]
    create_s256_code_challenge,
)
from itsdangerous import BadData, URLSafeTimedSerializer
from joserfc import jwt
from joserfc.errors import ClaimError, JoseError
from joserfc.jwk import KeySet

from collector.web.asking.settings import Mapped, Oidc, is_private
from collector.web.keeping.accounts import WIDE, Account
from collector.web.keeping.passwords import BusyError, Places

# seconds for the way to the provider and back, and between our clock and its own
WAY, _SKEW = 600, 60
_KNOWN_FOR = 3600.0
_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"]
_TIMEOUT = 10.0
# of the threads that all pages share so many wait for a provider, which may be silent
_AT_ONCE, _OF_ONE = 6, 3
# the networks in which somebody is who waits
Senders = tuple[str, ...]
# sign-ins that came back are remembered for as long as they could come back again
_REMEMBERED = 10_000
# seconds for which one that did not answer is not asked again
_FAILED = 5.0
_NEEDED = ("authorization_endpoint", "token_endpoint", "jwks_uri")
# what is raised about an answer that is not what it is to be, or none
_UNUSABLE = (
    httpx.HTTPError,
    httpx.InvalidURL,
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    RecursionError,
)


class RefusedError(Exception):
    """The provider, or what came in its name, is not in order; its text is for the log."""


class CrowdedError(RefusedError):
    """Too many wait for the provider: nothing was asked, and the same may be tried again."""


class NoRoleError(RefusedError):
    """The provider vouches for `name`, and what it says of it gives no role."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"no role for {name}{why}")
        self.name = name


class Provider:
    """One issuer, whose addresses and keys are asked for and kept for an hour."""

    def __init__(self, settings: Oidc, secret: bytes, client: httpx.Client | None = None) -> None:
        self._settings = settings
        self._sealed = URLSafeTimedSerializer(secret, salt="hostpledge oidc")
        self._http = client or httpx.Client(timeout=_TIMEOUT, follow_redirects=False)
        self._held: dict[str, tuple[float, Any]] = {}
        self._asking, self._lock = threading.Lock(), threading.Lock()
        self._places = Places(_AT_ONCE, _OF_ONE)
        self._used: OrderedDict[str, float] = OrderedDict()
        self._failed: dict[str, float] = {}
        self.grounds = frozenset(ground(settings, one) for one in settings.roles)

    def begin(self, back: str, next: str, senders: Senders) -> tuple[str, str, str]:
        """Where to send the browser, its state, and what it is to hold until it comes back."""
        told = self._metadata(senders)
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        url = prepare_grant_uri(
            told["authorization_endpoint"],
            client_id=self._settings.client_id,
            response_type="code",
            redirect_uri=back,
            scope=self._settings.scope,
            state=state,
            nonce=nonce,
            code_challenge=create_s256_code_challenge(verifier),
            code_challenge_method="S256",
        )
        return str(url), state, str(self._sealed.dumps([state, nonce, verifier, next]))

    def end(
        self, held: str, query: Mapping[str, str], back: str, senders: Senders
    ) -> tuple[Account, str]:
        """Who it is, and where they wanted to go; each sign-in comes back once.

        Raises RefusedError; NoRoleError where it is known who it is.
        """
        try:
            state, nonce, verifier, next = self._sealed.loads(held, max_age=WAY)
        except (BadData, ValueError, TypeError):
            raise RefusedError("no sign-in of this browser is under way") from None
        if not secrets.compare_digest(query.get("state", "").encode(), str(state).encode()):
            raise RefusedError("another state")
        self._once(str(state), mark=False)
        if "code" not in query:
            raise RefusedError(f"no code: {query.get('error', '')[:60]}")
        if "iss" in query and query["iss"] != self._settings.issuer:
            raise RefusedError("another issuer")
        token = self._token(query["code"], verifier, back, senders)
        self._once(str(state), mark=True)
        claims = self._claims(token, nonce, senders)
        return self._account(claims), str(next)

    def _once(self, state: str, *, mark: bool) -> None:
        """Raises RefusedError where that came back before, to this process, and was told who it is.

        `mark`: from now on it has.
        """
        now = time.monotonic()
        with self._lock:
            while self._used and next(iter(self._used.values())) < now - WAY:
                self._used.popitem(last=False)
            if state in self._used:
                raise RefusedError("that sign-in came back before")
            if mark:
                self._used[state] = now
            if len(self._used) > _REMEMBERED:
                self._used.popitem(last=False)

    def _token(self, code: str, verifier: str, back: str, senders: Senders) -> str:
        told = self._metadata(senders)
        methods = told.get("token_endpoint_auth_methods_supported")
        # what is left out means that one
        basic = not isinstance(methods, list) or "client_secret_basic" in methods
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": back,
            "code_verifier": verifier,
            "client_id": self._settings.client_id,
        }
        given = self._settings
        auth = (
            httpx.BasicAuth(given.client_id, given.client_secret)
            if basic
            else httpx.USE_CLIENT_DEFAULT
        )
        if not basic:
            form["client_secret"] = given.client_secret
        with self._waiting(senders):
            try:
                answer = self._http.post(told["token_endpoint"], data=form, auth=auth)
                found = answer.json()["id_token"] if answer.status_code == 200 else None
            except _UNUSABLE:
                found = None
        if not isinstance(found, str):
            raise RefusedError("the provider gave no ID token")
        return found

    def _claims(self, token: str, nonce: str, senders: Senders) -> Mapping[str, Any]:
        wanted = jwt.JWTClaimsRegistry(
            leeway=_SKEW,
            iss={"essential": True, "value": self._settings.issuer},
            aud={"essential": True, "value": self._settings.client_id},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
            nonce={"essential": True, "value": nonce},
        )
        try:
            try:
                found = jwt.decode(token, self._keys(senders), algorithms=_ALGORITHMS)
            except JoseError:
                # it may have changed its keys
                found = jwt.decode(token, self._keys(senders, anew=True), algorithms=_ALGORITHMS)
            wanted.validate(found.claims)
        except (JoseError, *_UNUSABLE) as problem:
            # one of ours, by its name: nothing of what came
            which = f" {problem.claim}" if isinstance(problem, ClaimError) else ""
            raise RefusedError(f"ID token: {type(problem).__name__}{which}") from None
        claims = found.claims
        # a number and its text would be one account
        if not isinstance(claims["sub"], str) or not claims["sub"]:
            raise RefusedError("ID token: sub is no text")
        several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
        if (several or "azp" in claims) and claims.get("azp") != self._settings.client_id:
            raise RefusedError("ID token of another client")
        return claims

    def _account(self, claims: Mapping[str, Any]) -> Account:
        given = self._settings
        held = claims.get(given.claim)
        every = held if isinstance(held, list) else [held]
        # what is no text is no value of the settings: an object says something else of its groups
        values = {one for one in every if isinstance(one, str)}
        mapped = next((one for one in given.roles if one.value in values), None)
        told = claims.get(given.name_claim)
        shown = re.sub(r"[^a-z0-9._@-]", "", told.casefold())[:40] if isinstance(told, str) else ""
        digest = hashlib.sha256(f"{given.issuer}\0{claims['sub']}".encode("utf-8", "surrogatepass"))
        name = f"{shown}~{digest.hexdigest()[:16]}"
        if mapped is None:
            absent = given.claim not in claims
            why = f": no claim {given.claim}" if absent else _not_texts(given.claim, every)
            raise NoRoleError(name, why)
        seen = None if mapped.role in WIDE else mapped.pledges
        by = ground(given, mapped)
        return Account(name, mapped.role, seen, mapped.until, local=False, ground=by)

    def _metadata(self, senders: Senders) -> Mapping[str, Any]:
        base = self._settings.issuer.rstrip("/")
        found = self._asked("metadata", f"{base}/.well-known/openid-configuration", senders)
        if found.get("issuer") != self._settings.issuer:
            raise RefusedError("the provider says it is another issuer")
        for name in _NEEDED:
            if not isinstance(found.get(name), str):
                raise RefusedError(f"the provider does not say its {name}")
            if not is_private(found[name]):
                raise RefusedError(f"the provider's {name} is not https")
        return found

    def _keys(self, senders: Senders, *, anew: bool = False) -> KeySet:
        found = self._asked("keys", self._metadata(senders)["jwks_uri"], senders, anew=anew)
        return KeySet.import_key_set(found)  # type: ignore[arg-type]  # it looks for itself

    def _asked(
        self, name: str, url: str, senders: Senders, *, anew: bool = False
    ) -> dict[str, Any]:
        # whoever sends forged tokens does not make us ask again and again
        most = 10.0 if anew else _KNOWN_FOR
        if (known := self._known(name, most)) is not None:
            return known
        with self._waiting(senders), self._asking:
            # another one may have asked meanwhile
            if (known := self._known(name, most)) is not None:
                return known
            if time.monotonic() - self._failed.get(name, float("-inf")) < _FAILED:
                raise RefusedError(f"the provider did not answer just now ({name})")
            try:
                answer = self._http.get(url)
                found = answer.json() if answer.status_code == 200 else None
            except _UNUSABLE:
                found = None
            if not isinstance(found, dict):
                self._failed[name] = time.monotonic()
                raise RefusedError(f"the provider does not answer ({name})")
            self._held[name] = time.monotonic(), found
            return found

    def _known(self, name: str, most: float) -> dict[str, Any] | None:
        """What was answered within so many seconds."""
        at, known = self._held.get(name, (0.0, None))
        return known if isinstance(known, dict) and time.monotonic() - at < most else None

    @contextmanager
    def _waiting(self, senders: Senders) -> Iterator[None]:
        """One of a few who wait for the provider; whoever finds no place is told so at once."""
        with ExitStack() as held:
            try:
                held.enter_context(self._places.one(*senders))
            except BusyError:
                raise CrowdedError("too many wait for the provider") from None
            yield


def ground(given: Oidc, mapped: Mapped) -> str:
    """A word of the settings by which somebody may look, as a digest: another one is another."""
    until = mapped.until.isoformat() if mapped.until else ""
    said = [given.issuer, given.client_id, given.claim, mapped.value, mapped.role, until]
    return hashlib.sha256(json.dumps([said, sorted(mapped.pledges)]).encode()).hexdigest()


def _not_texts(claim: str, every: Sequence[object]) -> str:
    """For the log: why who has a role there may have none here."""
    kinds = sorted({type(one).__name__ for one in every if not isinstance(one, str)} - {"NoneType"})
    return f": {claim} holds {', '.join(kinds)}" if kinds else ""
