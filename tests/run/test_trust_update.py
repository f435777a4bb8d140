"""`trust update` from a server that never comes to an end."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from collector.attest.keys.keys import PrivateKey
from collector.attest.trust import tuf_repository
from collector.attest.trust.trust_file import trust_of
from collector.errors import BadInput
from collector.run.net import tuf_fetch

NOW = datetime.now(UTC).replace(microsecond=0)
_HEADS = {
    "in its head": b"HTTP/1.1 200 OK\r\nX-Drip: ",
    "in what it sends": b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n{",
    "before its first word": b"",
}


@pytest.fixture(params=_HEADS)
def dripping(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a server that sends a byte every now and then, for ever."""
    head, over = _HEADS[request.param], threading.Event()

    def drip(conn: socket.socket) -> None:
        with conn:
            conn.recv(65536)
            conn.sendall(head)
            while not over.wait(0.1):
                try:
                    conn.sendall(b"x" if head else b"H")
                except OSError:
                    return

    def serve() -> None:
        while not over.is_set():
            try:
                conn, _ = listening.accept()
            except OSError:
                return
            threading.Thread(target=drip, args=(conn,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        over.set()


@pytest.fixture
def store(tmp_path: Path) -> Path:
    holder, online = PrivateKey.generate(), PrivateKey.generate()
    repo = tuf_repository.init(tmp_path / "repo", [holder.public], 1, online.public, now=NOW)
    repo.stage_trust(trust_of([PrivateKey.generate().public]).to_bytes(), now=NOW)
    repo.sign(holder)
    repo.publish(online, now=NOW)
    root = (repo.metadata / "1.root.json").read_bytes()
    tuf_fetch.update(tmp_path / "store", str(tmp_path / "repo"), root)
    return tmp_path / "store"


def _held(store: Path) -> dict[str, bytes]:
    return {str(p): p.read_bytes() for p in store.rglob("*") if p.is_file()}


def test_a_server_that_drips_is_left(
    dripping: str, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tuf_fetch, "_SECONDS", 1.5)
    before, start = _held(store), time.monotonic()
    with pytest.raises(BadInput, match="had not answered to the end after 1 seconds"):
        tuf_fetch.update(store, dripping)
    assert time.monotonic() - start < 10
    assert _held(store) == before
