"""What is the same for everybody: the style sheet, the site's picture, the offline verifier."""

from __future__ import annotations

import re
from functools import cache

from starlette.responses import Response

from collector.verify import webpage
from collector.web.asking.asker import Asker
from collector.web.asking.drawing import style

_POLICY = re.compile(r'http-equiv="Content-Security-Policy" content="([^"]*)"')
_YEAR = "public, max-age=31536000, immutable"
_ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16">'
    '<rect width="16" height="16" rx="3" fill="#1f3d63"/>'
    '<path d="M4 8.4 7 11.4 12.2 5" fill="none" stroke="#fff" stroke-width="2"/></svg>'
)


def css(asker: Asker) -> Response:  # noqa: ARG001 - as every page
    return Response(style()[0], media_type="text/css", headers={"Cache-Control": _YEAR})


def icon(asker: Asker) -> Response:  # noqa: ARG001
    return Response(_ICON, media_type="image/svg+xml", headers={"Cache-Control": _YEAR})


def verifier(asker: Asker) -> Response:  # noqa: ARG001
    """It runs its one script and asks for nothing: its own policy is the header's as well."""
    text, policy = _verifier()
    return Response(text, media_type="text/html", headers={"Content-Security-Policy": policy})


@cache
def _verifier() -> tuple[str, str]:
    text = webpage.page()
    found = _POLICY.search(text)
    if found is None:
        raise ValueError("the verifier's page has no policy")
    return text, f"{found[1].rstrip('; ')}; frame-ancestors 'none'"
