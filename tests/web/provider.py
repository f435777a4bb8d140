"""A small real OpenID Connect provider on loopback: code flow, PKCE, RS256, keys that change."""

from __future__ import annotations

import base64
import hashlib
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlencode

import uvicorn
from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from tests.web.sites import free_port

CLIENT, SECRET = "hostpledge", "a client's secret"


class Maker:
    """The provider; `claims` are of who signs in there, `spoil` changes what is signed."""

    def __init__(self, issuer: str) -> None:
        self.issuer = issuer
        self.claims: dict[str, Any] = {"sub": "1", "preferred_username": "Lin", "groups": []}
        self.spoil: dict[str, Any] = {}
        # by scope, the claims that come where it is asked for alone
        self.by_scope: dict[str, str] = {}
        self.key = RSAKey.generate_key(2048, {"kid": "one"})
        self.published = self.key
        # what it says of itself beside the truth, and its keys where they are not these
        self.metadata: dict[str, Any] = {}
        self.keys: Any = self
        self.header: dict[str, str] = {"alg": "RS256", "kid": "one"}
        self._codes: dict[str, dict[str, str]] = {}

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self._metadata),
                Route("/jwks", self._jwks),
                Route("/authorize", self._authorize),
                Route("/token", self._token, methods=["POST"]),
            ]
        )

    async def _metadata(self, _request: Request) -> Response:
        ends = {n: f"{self.issuer}/{p}" for n, p in (
            ("authorization_endpoint", "authorize"), ("token_endpoint", "token"),
            ("jwks_uri", "jwks"),
        )}  # fmt: skip
        return JSONResponse({"issuer": self.issuer, **ends, **self.metadata})

    async def _jwks(self, _request: Request) -> Response:
        told = [self.published.as_dict(private=False)] if self.keys is self else self.keys
        return JSONResponse({"keys": told})

    async def _authorize(self, request: Request) -> Response:
        """Whoever comes is signed in here already."""
        asked = dict(request.query_params)
        assert asked["response_type"] == "code"
        assert asked["client_id"] == CLIENT
        assert asked["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(16)
        self._codes[code] = asked
        query = urlencode({"code": code, "state": asked["state"]})
        return RedirectResponse(f"{asked['redirect_uri']}?{query}", 302)

    async def _token(self, request: Request) -> Response:
        form = {k: v[0] for k, v in parse_qs((await request.body()).decode()).items()}
        basic = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        asked = self._codes.pop(form.get("code", ""), None)
        challenge = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        held = base64.urlsafe_b64encode(challenge).decode().rstrip("=")
        if (
            asked is None
            or request.headers.get("authorization") != f"Basic {basic}"
            or held != asked["code_challenge"]
            or form.get("redirect_uri") != asked["redirect_uri"]
        ):
            return JSONResponse({"error": "invalid_grant"}, 400)
        now = int(time.time())
        claims = {
            "iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 300,
            "nonce": asked["nonce"], **self.claims, **self.spoil,
        }  # fmt: skip
        for scope, name in self.by_scope.items():
            if scope not in asked["scope"].split():
                claims.pop(name, None)
        token = jwt.encode(self.header, claims, self.key)
        return JSONResponse({"access_token": "x", "token_type": "Bearer", "id_token": token})


@contextmanager
def provider() -> Iterator[Maker]:
    port = free_port()
    made = Maker(f"http://127.0.0.1:{port}")
    config = uvicorn.Config(made.app(), host="127.0.0.1", port=port, log_level="warning")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until = time.monotonic() + 30
    while not server.started:
        assert time.monotonic() < until
        time.sleep(0.05)
    try:
        yield made
    finally:
        server.should_exit = True
        thread.join(20)
