"""How `serve` begins, and ends with what began it."""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

from collector.errors import BadInput
from collector.pledges.database.location import server_url
from collector.pledges.database.tables import unasked
from collector.pledges.register.register import Register
from collector.web.asking.settings import Settings
from collector.web.keeping.state import State
from collector.web.serving import server
from collector.web.serving.app import house
from collector.web.serving.quiet import Seldom
from tests.cli.running import hostpledge
from tests.web.sites import Place, free_port, served


def test_a_port_that_is_taken(place: Place, tmp_path: Path) -> None:
    """Nothing is promised that is not there, nor is it the status of evidence that was altered."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        words = ("--port", port, "--register", place.register, "--state", tmp_path / "new")
        done = hostpledge("serve", *words, home=tmp_path)
    assert done.status == 2
    assert done.out == ""
    assert done.err.startswith(f"http://127.0.0.1:{port}: ") or "in use" in done.err
    assert "--port" in done.err
    assert "Traceback" not in done.err
    # the first account is still to be told of
    again = free_port()
    with served(Place(place.register, str(tmp_path / "new"), place.signer, place.home), port=again):
        pass


def test_a_name_that_is_none_here() -> None:
    for host in ("192.0.2.1", "no-such-name.invalid"):
        with pytest.raises(BadInput):
            server.check_place(Settings(host=host, port=free_port()))
    server.check_place(Settings(host="localhost", port=free_port()))


@pytest.mark.parametrize("phrase", ["", "a phrase"])
def test_a_certificate_of_no_use_is_said_before_a_worker_begins(
    tmp_path: Path, phrase: str
) -> None:
    key, own = tmp_path / "key", tmp_path / "cert"
    words: list[str | Path] = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-subj",
        "/CN=x",
        "-keyout",
        key,
    ]
    words += ["-out", own, *(["-passout", f"pass:{phrase}"] if phrase else ["-nodes"])]
    subprocess.run(words, check=True, capture_output=True)
    files = [(own, key)] if phrase else [(own, own), (tmp_path / "none", key), (key, key)]
    for certificate, other in files:
        with pytest.raises(BadInput, match="key"):
            server.check_place(Settings(port=free_port(), certificate=certificate, key=other))
    if not phrase:
        server.check_place(Settings(port=free_port(), certificate=own, key=key))


def test_workers_end_with_the_one_that_looks_after_them(place: Place) -> None:
    port = free_port()
    with served(place, "--workers", "2", port=port) as (_, running):
        os.kill(running.pid, signal.SIGKILL)
        until = time.monotonic() + 20
        while time.monotonic() < until:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
            except OSError:
                break
            time.sleep(0.2)
        with pytest.raises(OSError):
            socket.create_connection(("127.0.0.1", port), 1).close()


def test_requests_that_are_none_have_a_line_now_and_then() -> None:
    seldom = Seldom(3600)

    def said(text: str) -> str:
        record = logging.LogRecord("uvicorn.error", logging.WARNING, "", 0, text, None, None)
        return str(record.msg) if seldom.filter(record) else ""

    assert said("Invalid HTTP request received.") == "1 request(s) that were no HTTP"
    assert [said("Invalid HTTP request received.") for _ in range(9)] == [""] * 9
    assert said("Exception in ASGI application") == "Exception in ASGI application"
    seldom._since = float("-inf")
    assert said("Invalid HTTP request received.") == "10 request(s) that were no HTTP"


@pytest.mark.parametrize(
    "at", ["postgresql://web@db/x?sslmode=require", "postgresql://web@db:x/y", "postgresql:///",
           "mysql://a@b/c"],
)  # fmt: skip
def test_a_url_that_is_none_of_a_state_is_said_in_one_line(
    at: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(BadInput, match="--state"):
        State.open(at)
    monkeypatch.setenv("HOSTPLEDGE_STATE", str(tmp_path / "kept"))
    assert State.open().where == str(tmp_path / "kept" / "web.sqlite")


def test_a_password_that_no_command_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that asks a driver without one is answered, and says itself that it is wrong."""
    bare = server_url("postgresql://web@db/x", "--state")
    assert (bare.password, unasked(bare)) == (None, {"password": ""})
    monkeypatch.setenv("PGPASSWORD", "s3cret")
    for told in ("postgresql://web@db/x", "postgresql://web:s3cret@db/x"):
        url = server_url(told, "--state")
        assert (url.password, unasked(url)) == ("s3cret", {})
        assert "s3cret" not in url.render_as_string()


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_help_says_where_passwords_are_taken_from(lang: str, tmp_path: Path) -> None:
    told = hostpledge("serve", "--help", "--lang", lang, home=tmp_path).out
    assert "$PGPASSWORD" in told and "PGPASSFILE" in told and "$HOSTPLEDGE_STATE" in told


def test_a_state_is_of_one_register_alone(place: Place, tmp_path: Path) -> None:
    """Accounts see pledges by their ids: those of another register are none of theirs."""
    kept = tmp_path / "kept"
    with served(Place(place.register, str(kept), place.signer, place.home), port=free_port()):
        pass
    other = Register.open(str(tmp_path / "other.sqlite"))
    words = ("--port", free_port(), "--register", tmp_path / "other.sqlite", "--state", kept)
    done = hostpledge("serve", *words, home=tmp_path)
    assert (done.status, done.out) == (2, "")
    assert "accounts and lists of another register's page" in done.err
    with pytest.raises(BadInput, match="--state"):
        house(str(tmp_path / "other.sqlite"), State.open(str(kept)), Settings())
    assert not other.briefs()
