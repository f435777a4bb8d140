"""Who connects and says nothing, or says it slowly, or does not read, keeps nobody else out."""

from __future__ import annotations

import asyncio
import http.client
import resource
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from collector.handin.http import RECEIVING
from collector.handin.senders import sender
from collector.web.serving import door, patience
from tests.web.sites import Place, Site, free_port, served


async def _plain(_request: Request) -> Response:
    return PlainTextResponse("there")


async def _taken(request: Request) -> Response:
    return PlainTextResponse(str(len(await request.body())))


async def _handed(request: Request) -> Response:
    """As the desk says of a capture that comes by a link."""
    request.scope[RECEIVING] = True
    return await _taken(request)


async def _large(_request: Request) -> Response:
    return StreamingResponse(iter([b"x" * 65536] * 1600))


@contextmanager
def _running() -> Iterator[int]:
    """The port of a server under which a small application is."""
    app = Starlette(
        routes=[
            Route("/", _plain),
            Route("/large", _large),
            Route("/taken", _taken, methods=["POST"]),
            Route("/hand-in/x", _handed, methods=["POST"]),
            Route("/hand-in/", _taken, methods=["POST"]),
        ]
    )
    port = free_port()
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            port=port,
            log_level="error",
            lifespan="off",
            timeout_keep_alive=1,
            http="collector.web.serving.patience:Patient",
            loop="collector.web.serving.door:Loop",
        )
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until = time.monotonic() + 20
    while not server.started:
        assert time.monotonic() < until
        time.sleep(0.02)
    try:
        yield port
    finally:
        server.should_exit = True
        thread.join(20)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    monkeypatch.setattr(patience, "HEADERS", 0.5)
    monkeypatch.setattr(patience, "BODY", 0.7)
    monkeypatch.setattr(patience, "READING", 0.7)
    with _running() as port:
        yield port


def _connected(port: int, source: str = "127.0.0.1") -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), 5, source_address=(source, 0))


def _status(port: int, source: str = "127.0.0.1") -> int:
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=10, source_address=(source, 0))
    try:
        link.request("GET", "/sign-in")
        return link.getresponse().status
    finally:
        link.close()


def _ended(link: socket.socket, drip: bytes = b"", within: float = 5) -> float:
    """Seconds until the server ended it, while `drip` is sent byte by byte."""
    begun = time.monotonic()
    link.settimeout(0.1)
    while time.monotonic() - begun < within:
        try:
            if drip:
                link.sendall(drip[:1])
                drip = drip[1:] or drip
            if not link.recv(65536):
                return time.monotonic() - begun
        except TimeoutError:
            continue
        except OSError:
            return time.monotonic() - begun
    raise AssertionError("it was not ended")


@pytest.mark.parametrize(
    ("sent", "drip"),
    [
        (b"", b""),
        (b"GET / HT", b""),
        (b"GET / HTTP/1.1\r\n", b"x" * 99),
        (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"\r\n" * 50),
        (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"GET /" + b"y" * 99),
        (b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 999\r\n\r\n", b"z" * 99),
        (b"POST /taken HTTP/1.1\r\nHost: a\r\nContent-Length: 999\r\n\r\n", b"z" * 99),
        (b"POST /taken HTTP/1.1\r\nHost: a\r\nContent-Length: 999\r\n\r\n", b""),
        (
            b"POST /taken HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"1\r\nz\r\n" * 20,
        ),
    ],
)  # fmt: skip
def test_each_step_has_its_time(quick: int, sent: bytes, drip: bytes) -> None:
    with _connected(quick) as link:
        link.sendall(sent)
        assert _ended(link, drip) < 3


def test_who_does_not_read_is_not_waited_for(quick: int) -> None:
    with _connected(quick) as link:
        link.sendall(b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n")
        time.sleep(2.5)
        got = 0
        link.settimeout(5)
        try:
            while part := link.recv(1 << 20):
                got += len(part)
        except OSError:
            pass
        assert got < 65536 * 1600


def test_what_is_in_time_is_answered(quick: int) -> None:
    link = http.client.HTTPConnection("127.0.0.1", quick, timeout=10)
    for _ in range(3):
        link.request("POST", "/taken", b"x" * 200_000)
        assert link.getresponse().read() == b"200000"
        link.request("GET", "/large")
        assert len(link.getresponse().read()) == 65536 * 1600
        time.sleep(0.4)
    link.close()


def test_silent_connections_keep_nobody_out(place: Place) -> None:
    """More than the process has places, of one address and of many, as long as they may last."""
    with served(place) as (address, _), ExitStack() as stack:
        port = int(address.rpartition(":")[2])
        for _ in range(250):
            stack.enter_context(_connected(port))
        assert _status(port) == 200
        for number in range(2, 14):
            for _ in range(50):
                stack.enter_context(_connected(port, f"127.0.0.{number}"))
        begun = time.monotonic()
        assert _status(port) == 200
        assert _status(port, "127.0.0.200") == 200
        assert time.monotonic() - begun < 5


_POST = b"POST /sign-in HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 60000\r\n\r\na"


def test_forms_that_do_not_come_keep_nobody_out(place: Place) -> None:
    """As many as the process has places, of many addresses; who has most of them makes room."""
    with served(place) as (address, _), ExitStack() as stack:
        port = int(address.rpartition(":")[2])
        few = stack.enter_context(_connected(port, "127.0.0.100"))
        few.sendall(_POST)
        for number in range(2, 12):
            for _ in range(60):
                link = stack.enter_context(_connected(port, f"127.0.0.{number}"))
                link.sendall(_POST)
        # until what they sent was read
        time.sleep(1.5)
        begun = time.monotonic()
        for _ in range(5):
            assert _status(port) == 200
            assert _status(port, "127.0.0.200") == 200
        assert time.monotonic() - begun < 5
        few.settimeout(0.5)
        with pytest.raises(TimeoutError):
            few.recv(1)


def test_a_capture_that_comes_is_not_ended_for_another(
    monkeypatch: pytest.MonkeyPatch, quick: int
) -> None:
    monkeypatch.setattr(patience, "BODY", 20)
    monkeypatch.setattr(patience, "OF_ALL", 2)
    with ExitStack() as stack:
        link = stack.enter_context(_connected(quick))
        head = b"POST /hand-in/x HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n"
        link.sendall(head)
        form = stack.enter_context(_connected(quick))
        form.sendall(head.replace(b"/hand-in/x", b"/taken"))
        time.sleep(0.3)
        assert _status(quick) == 404
        assert _ended(form) < 3
        link.sendall(b"x" * 9)
        assert link.recv(4096).startswith(b"HTTP/1.1 200")


def test_what_is_called_a_hand_in_and_has_no_link_is_ended_for_another(
    monkeypatch: pytest.MonkeyPatch, quick: int
) -> None:
    monkeypatch.setattr(patience, "BODY", 20)
    monkeypatch.setattr(patience, "OF_ALL", 2)
    with ExitStack() as stack:
        links = [stack.enter_context(_connected(quick, f"127.0.0.{n}")) for n in (2, 3)]
        for link in links:
            link.sendall(b"POST /hand-in/ HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n")
        time.sleep(0.3)
        assert _status(quick) == 404
        assert _ended(links[0]) < 3


def test_who_does_not_read_is_ended_for_another(
    monkeypatch: pytest.MonkeyPatch, quick: int
) -> None:
    """One answer after the other waits for him, and no request of his is silent."""
    monkeypatch.setattr(patience, "READING", 60)
    monkeypatch.setattr(patience, "STALLED", 0.5)
    monkeypatch.setattr(patience, "OF_ALL", 2)
    with ExitStack() as stack:
        links = [stack.enter_context(_connected(quick, f"127.0.0.{n}")) for n in (2, 3)]
        for link in links:
            link.sendall(b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n" * 3)
        time.sleep(1.5)
        assert _status(quick) == 404


def test_a_capture_has_its_own_time_from_when_its_link_is_known(quick: int) -> None:
    """Its first bytes came before that: they were of a form, as far as anybody knew."""
    with _connected(quick) as link:
        link.sendall(b"POST /hand-in/x HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n")
        for _ in range(9):
            time.sleep(0.2)
            link.sendall(b"x")
        assert link.recv(4096).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("path", ["taken", "hand-in/x", "sign-in", ""])
def test_a_body_in_the_finest_parts_stops_nobody(path: str) -> None:
    """A part costs the same, however small: of one byte each, it was a second for a megabyte."""
    head = f"POST /{path} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    with _running() as port, ExitStack() as stack:
        until = time.monotonic() + 4

        def flood(link: socket.socket) -> None:
            with suppress(OSError):
                link.sendall(head)
                while time.monotonic() < until:
                    link.sendall(b"1\r\na\r\n" * 20_000)

        for _ in range(12):
            link = stack.enter_context(_connected(port))
            threading.Thread(target=flood, args=(link,), daemon=True).start()
        longest = 0.0
        while time.monotonic() < until:
            begun = time.monotonic()
            assert _status(port, "127.0.0.200") == 404
            longest = max(longest, time.monotonic() - begun)
        assert longest < 3


def test_a_capture_in_parts_of_a_common_size_is_taken(quick: int) -> None:
    """As `curl -T -` sends it; lines that end as Windows ends them are no parts."""
    for body, size in ((b"x" * 300_000, 8192), (b"a line of it\r\n" * 20_000, 65536)):
        parts = (body[at : at + size] for at in range(0, len(body), size))
        link = http.client.HTTPConnection("127.0.0.1", quick, timeout=10)
        link.request("POST", "/hand-in/x", parts, encode_chunked=True)
        assert link.getresponse().read() == str(len(body)).encode()
        link.close()


def test_who_is_accepted_and_never_speaks_tls_is_counted(tmp_path: Path, place: Place) -> None:
    """Before its handshake and after its end a connection is nobody's to uvicorn."""
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-subj", "/CN=localhost", "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    words = ("--certificate", str(certificate), "--key", str(key))
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    with served(place, *words) as (address, running), ExitStack() as stack:
        port = int(address.rpartition(":")[2])
        asked = ssl.create_default_context(cafile=str(certificate))
        asked.check_hostname = False
        for number in range(2, 12):
            for _ in range(120):
                stack.enter_context(_connected(port, f"127.0.0.{number}"))
        for _ in range(40):
            stack.enter_context(_connected(port))
        begun = time.monotonic()
        for source in ("127.0.0.200", "127.0.0.2"):
            link = http.client.HTTPSConnection(
                "127.0.0.1", port, timeout=10, context=asked, source_address=(source, 0)
            )
            link.request("GET", "/sign-in", headers={"Host": address.partition("//")[2]})
            assert link.getresponse().status == 200
            link.close()
        assert time.monotonic() - begun < 8
        held = len(list(Path(f"/proc/{running.pid}/fd").iterdir()))
        assert held < 900, held
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == limit


def test_of_ipv6_a_network_is_one_sender() -> None:
    one, same, other = (sender(a) for a in ("2001:db8::1", "2001:db8::ffff:1", "2001:db8:0:1::1"))
    assert one == same != other
    assert sender("::ffff:192.0.2.7") == "192.0.2.7"


def test_one_address_has_no_more_than_its_places(
    quick: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that are being answered are not ended for another; a proxy's are not counted."""
    monkeypatch.setattr(patience, "BODY", 5)
    with ExitStack() as stack:
        for _ in range(patience.OF_ONE):
            link = stack.enter_context(_connected(quick))
            link.sendall(b"POST /taken HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n")
        time.sleep(0.3)
        with pytest.raises(OSError):
            _status(quick)
        assert _status(quick, "127.0.0.9") == 404
        monkeypatch.setattr(patience.Patient, "trusts", staticmethod(lambda _address: True))
        assert _status(quick) == 404
        link.sendall(b"x" * 9)
        assert link.recv(4096).startswith(b"HTTP/1.1 200")


def test_a_handshake_has_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, object] = {}

    async def kept(_self: object, *_given: object, **named: object) -> None:
        given.update(named)

    monkeypatch.setattr(asyncio.SelectorEventLoop, "create_server", kept)
    loop = door.Loop()
    loop.run_until_complete(loop.create_server(ssl=ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)))
    loop.close()
    assert given["ssl_handshake_timeout"] == 15.0
    assert given["ssl_shutdown_timeout"] == 3.0


def test_who_waits_for_the_first_list_need_do_nothing(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = Site(place)
    monkeypatch.setattr(site.house.index, "renew", lambda **_: None)
    monkeypatch.setattr(site.house.index, "said", lambda *_: "")
    answer = site.browser("boss").get("/?lang=en")
    assert (answer.status_code, answer.headers["Refresh"]) == (503, "5")
    assert "reloads by itself" in answer.text
