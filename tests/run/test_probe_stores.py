"""Log stores by HTTP: small servers of our own that speak the interfaces of Loki and Elasticsearch.

What they answer is in the form of https://grafana.com/docs/loki/latest/reference/loki-http-api/ and
of _search of Elasticsearch and OpenSearch; neither product itself is here.
"""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from collector.run.probing import stores

LOGIN = "10.0.0.7 port 4321"
RECORD = f"Accepted publickey for root from {LOGIN} ssh2"
BEGUN = datetime(2026, 11, 25, 4, 0, tzinfo=UTC)
_MARK = "HOSTPLEDGE_LOG_STORE_AUTHORIZATION"


class _Server(ThreadingHTTPServer):
    """`records` are what it keeps; `asked` what it was asked: method, path, body, authorization."""

    records: list[str]
    asked: list[tuple[str, str, bytes, str | None]]
    answer: tuple[int, bytes] | None = None


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def log_message(self, *_: Any) -> None: ...

    def do_GET(self) -> None:
        self._note(b"")
        words = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
        wanted = json.loads(words["query"][0].partition("|=")[2])
        found = [["1795579200000000000", line] for line in self.server.records if wanted in line]
        stream = [{"stream": {"job": "syslog"}, "values": found}] if found else []
        self._say({"status": "success", "data": {"resultType": "streams", "result": stream}})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self._note(body)
        words = json.loads(body)["query"]["multi_match"]["query"].split()
        # an analyser splits at what is no word: it may find more than was asked for
        found = [r for r in self.server.records if all(word in r for word in words)]
        hits = [{"_index": "logs", "_source": {"message": line}} for line in found]
        self._say({"took": 1, "timed_out": False, "hits": {"hits": hits}})

    def _note(self, body: bytes) -> None:
        given = self.headers.get("Authorization")
        self.server.asked.append((self.command, self.path, body, given))

    def _say(self, answer: dict[str, Any]) -> None:
        code, body = self.server.answer or (200, json.dumps(answer).encode())
        self.send_response(code)
        if code == 302:
            self.send_header("Location", body.decode())
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def _serving(*records: str, answer: tuple[int, bytes] | None = None) -> Iterator[_Server]:
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.records, server.asked, server.answer = list(records), [], answer
        work = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        work.start()
        try:
            yield server
        finally:
            server.shutdown()


def _store(kind: str, server: _Server) -> str:
    base = f"{kind}+http://127.0.0.1:{server.server_port}"
    query = urllib.parse.quote('{job="syslog"}')
    return f"{base}/?query={query}" if kind == "loki" else f"{base}/logs-*"


def _asked(kind: str, server: _Server, seconds: int = 0) -> list[tuple[str, str]]:
    return list(stores.ask(_store(kind, server), LOGIN, BEGUN, seconds))


@pytest.mark.parametrize("kind", ["loki", "es"])
def test_a_record_that_arrived_is_found(kind: str) -> None:
    with _serving("other", RECORD) as server:
        found = _asked(kind, server)
    assert found[0] == ("store_asked", "ok") and len(found) == 2
    assert found[1][0] == "arrived" and RECORD in found[1][1]


@pytest.mark.parametrize("kind", ["loki", "es"])
def test_one_that_did_not_arrive_is_not(kind: str) -> None:
    # a phrase of a search may be found in another order, and is then none of ours
    with _serving(f"port 4321 of 10.0.0.7, {LOGIN.replace('4321', '43')}") as server:
        assert _asked(kind, server) == [("store_asked", "ok")]


@pytest.mark.parametrize("kind", ["loki", "es"])
def test_one_that_is_late_is_waited_for(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stores, "_PAUSE", 0.2)
    with _serving() as server:
        late = threading.Timer(0.6, server.records.append, (RECORD,))
        late.start()
        found = _asked(kind, server, seconds=10)
        assert found[0] == ("store_asked", "ok") and len(found) == 2
        assert len(server.asked) > 1


def test_loki_is_asked_for_the_selector_and_the_time() -> None:
    with _serving(RECORD) as server:
        _asked("loki", server)
    method, path, _, _ = server.asked[0]
    parts = urllib.parse.urlsplit(path)
    words = urllib.parse.parse_qs(parts.query)
    assert (method, parts.path) == ("GET", "/loki/api/v1/query_range")
    assert words["query"] == [f'{{job="syslog"}} |= "{LOGIN}"']
    assert int(words["start"][0]) == int(BEGUN.timestamp() - 60) * 10**9


def test_a_search_is_by_phrase_in_the_index_and_writes_nothing() -> None:
    with _serving(RECORD) as server:
        _asked("es", server)
    method, path, body, _ = server.asked[0]
    assert (method, path) == ("POST", "/logs-*/_search")
    assert json.loads(body)["query"]["multi_match"]["type"] == "phrase"


@pytest.mark.parametrize("kind", ["loki", "es"])
@pytest.mark.parametrize(
    "answer",
    [(500, b"oops"), (401, b"{}"), (200, b"<html>"), (200, b"{}"), (200, b"[1]")],
)
def test_a_store_that_does_not_answer_so_is_not_asked(kind: str, answer: tuple[int, bytes]) -> None:
    with _serving(RECORD, answer=answer) as server:
        found = _asked(kind, server)
    assert len(found) == 1 and found[0][0] == "store_asked" and found[0][1] != "ok"


@pytest.mark.parametrize("kind", ["loki", "es"])
def test_what_is_secret_goes_to_the_store_alone(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not where it would send on, and not into what is recorded."""
    monkeypatch.setenv(_MARK, "Bearer not-a-secret-2026")
    with _serving(RECORD) as other, _serving(RECORD) as server:
        _asked(kind, server)
        assert server.asked[0][3] == "Bearer not-a-secret-2026"
        server.answer = (302, f"http://127.0.0.1:{other.server_port}/".encode())
        found = _asked(kind, server)
        assert other.asked == [] and found[0][1] != "ok"
    assert "2026" not in str(found)
    assert stores.shown("loki+https://u:p@h:3100/a?query=x") == "loki+https://h:3100/a"


def test_nobody_there_is_told() -> None:
    with _serving() as server:
        gone = _store("es", server)
    assert next(iter(stores.ask(gone, LOGIN, BEGUN, 0)))[1].startswith("URLError")


def test_a_secret_goes_nowhere_without_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(_MARK, "Bearer x")
    for kind in ("loki", "es"):
        asked = list(stores.ask(f"{kind}+http://192.0.2.1:9/logs", LOGIN, BEGUN, 0))
        assert [key for key, _ in asked] == ["store_asked"] and "TLS" in asked[0][1]


def test_a_store_at_the_hosts_own_address_is_the_host() -> None:
    store = "loki+https://192.0.2.9:3100/?query=x"
    assert stores.is_at(store, ["192.0.2.9"])
    assert stores.is_at("es+https://[2001:db8::9]:9200/logs", ["2001:db8::9"])
    assert not stores.is_at(store, ["192.0.2.90", ""])
    assert not stores.is_at("es+https://name.invalid/logs", ["192.0.2.9"])


def test_a_store_that_drips_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stores, "_LONGEST", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def drip() -> None:
            link, _ = listening.accept()
            with link, contextlib.suppress(OSError):
                link.sendall(b"HTTP/1.0 200 OK\r\n\r\n")
                for _ in range(60):
                    link.sendall(b" ")
                    time.sleep(0.1)

        threading.Thread(target=drip, daemon=True).start()
        begun = time.monotonic()
        store = f"es+http://127.0.0.1:{listening.getsockname()[1]}/logs"
        asked = list(stores.ask(store, LOGIN, BEGUN, 0))
    assert time.monotonic() - begun < 4
    assert [key for key, _ in asked] == ["store_asked"] and "no whole answer" in asked[0][1]
