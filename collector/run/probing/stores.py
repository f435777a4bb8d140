"""Asks a log store whether a record arrived: Loki and Elasticsearch (or OpenSearch) by HTTP.

    loki+https://HOST:3100/[?query=SELECTOR]     Loki: query_range, SELECTOR such as {job="syslog"}
    es+https://HOST:9200/INDEX                   Elasticsearch, OpenSearch: _search by phrase
    ssh:HOST:/PATH[,/PATH…]                      files on a host of the inventory (no HTTP)

What HTTP needs for a header `Authorization` comes from $HOSTPLEDGE_LOG_STORE_AUTHORIZATION alone.
"""

from __future__ import annotations

import ipaddress
import json
import os
import socket
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

from collector.errors import one_line

BY_HTTP = ("loki+http://", "loki+https://", "es+http://", "es+https://")
BY_SSH = "ssh:"
_AUTHORIZATION = "HOSTPLEDGE_LOG_STORE_AUTHORIZATION"
_LARGEST = 4 << 20
_SECONDS, _PAUSE = 10, 2.0
# of one whole answer
_LONGEST = 20.0
_MOST = 3


def shown(store: str) -> str:
    """The store without what may be secret in its address."""
    found = urllib.parse.urlsplit(store)
    host = found.hostname or ""
    return f"{found.scheme}://{host}{f':{found.port}' if found.port else ''}{found.path}"


def is_at(store: str, addresses: Sequence[str]) -> bool:
    """Is the store at one of these addresses? No record has left a host for it then."""
    name = urllib.parse.urlsplit(store.partition("+")[2]).hostname or ""
    try:
        found = {str(entry[4][0]).partition("%")[0] for entry in socket.getaddrinfo(name, None)}
    except (OSError, UnicodeError):
        return False
    return bool(found & set(addresses))


def ask(store: str, login: str, since: datetime, seconds: int) -> Iterator[tuple[str, str]]:
    """`store_asked ok|WHY`, and an `arrived` for each record; asked again for as many seconds."""
    end = time.monotonic() + seconds
    while True:
        try:
            found = _found(store, login, since)
        except (OSError, ValueError, KeyError, TypeError) as problem:
            said = getattr(problem, "reason", problem)
            yield "store_asked", one_line(f"{type(problem).__name__}: {said}", 200)
            return
        if found or time.monotonic() > end:
            break
        time.sleep(_PAUSE)
    yield "store_asked", "ok"
    for line in found[:_MOST]:
        yield "arrived", line


def _found(store: str, login: str, since: datetime) -> list[str]:
    kind, _, url = store.partition("+")
    parts = urllib.parse.urlsplit(url)
    base = urllib.parse.urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/"), "", ""))
    lines = _loki(base, parts.query, login, since) if kind == "loki" else _search(base, login)
    # a store's own idea of a phrase may be wider than ours
    return [one_line(line, 500) for line in lines if login in line]


def _loki(base: str, query: str, login: str, since: datetime) -> list[str]:
    given = dict(urllib.parse.parse_qsl(query))
    selector = given.get("query", '{job=~".+"}')
    begun = int(since.timestamp() - 60) * 10**9
    words = urllib.parse.urlencode(
        {"query": f"{selector} |= {json.dumps(login)}", "start": begun, "limit": 20}
    )
    answer = _json(urllib.request.Request(f"{base}/loki/api/v1/query_range?{words}"))  # noqa: S310
    return [str(entry[1]) for one in answer["data"]["result"] for entry in one["values"]]


def _search(base: str, login: str) -> list[str]:
    body = {
        "size": 20,
        "query": {
            "multi_match": {"query": login, "type": "phrase", "fields": ["*"], "lenient": True}
        },
    }
    request = urllib.request.Request(  # noqa: S310
        f"{base}/_search",
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
        method="POST",
    )
    hits = _json(request)["hits"]["hits"]
    return [json.dumps(hit["_source"], ensure_ascii=False) for hit in hits]


def _json(request: urllib.request.Request) -> Any:
    """Raises OSError or ValueError. Nothing is followed to another place."""
    if secret := os.environ.get(_AUTHORIZATION):
        if request.type == "http" and not _is_here(request.host):
            raise ValueError("a secret is not sent without TLS")
        request.add_unredirected_header("Authorization", secret)
    data = _within(lambda: _answer(request), _LONGEST)
    if len(data) > _LARGEST:
        raise ValueError("the answer is too large")
    return json.loads(data)


def _answer(request: urllib.request.Request) -> bytes:
    opener = urllib.request.build_opener(_Stay)
    with opener.open(request, timeout=_SECONDS) as answer:
        return bytes(answer.read(_LARGEST + 1))


def _within(act: Callable[[], bytes], seconds: float) -> bytes:
    """What it returns. One that drips is left behind: a socket's timeout is that of each byte."""
    came: list[bytes | BaseException] = []

    def work() -> None:
        try:
            came.append(act())
        except Exception as problem:  # noqa: BLE001 - raised again where it is waited for
            came.append(problem)

    at_work = threading.Thread(target=work, daemon=True)
    at_work.start()
    at_work.join(seconds)
    if not came:
        raise TimeoutError(f"no whole answer within {seconds:.0f} s")
    if isinstance(found := came[0], BaseException):
        raise found
    return found


def _is_here(host: str) -> bool:
    name = urllib.parse.urlsplit(f"//{host}").hostname or ""
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        """Who sends on is not the store that was named."""
