"""What became of a message is what went over the wire, not what the library makes of it."""

from __future__ import annotations

import logging
import os
import socket
import ssl
import stat
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from collector.errors import BadInput
from collector.notify import sending
from collector.notify.settings import load
from tests.notify.servers import Hook, Mail, hook, mail


def send(channel: str, subject: str, body: str, files: Sequence[Path] = ()) -> str:
    """What became of it, alone."""
    return sending.send(channel, subject, body, files).outcome


SECRET = "s3cr3t-in-the-address"


@pytest.fixture
def server() -> Iterator[Mail]:
    with mail() as found:
        yield found


def _address(server: Mail) -> str:
    return f"mailto://127.0.0.1:{server.port}?from=a@example.org&to=b@example.org"


@pytest.mark.parametrize(
    ("mode", "outcome"),
    [("take", "sent"), ("no such user", "refused"), ("busy", "refused"), ("close", "unsure")],
)
def test_mail(server: Mail, mode: str, outcome: str) -> None:
    server.mode = mode
    assert send(_address(server), "逾期 1 项", "第一行\n第二行\n") == outcome


def test_a_mail_holds_what_was_to_be_said_and_the_file(server: Mail, tmp_path: Path) -> None:
    (tmp_path / "P-1.pdf").write_bytes(b"%PDF-1.7 x")
    assert send(_address(server), "逾期 1 项", "第一行\n", [tmp_path / "P-1.pdf"]) == "sent"
    (found,) = server.taken
    assert found["Subject"] == "逾期 1 项"
    assert found["To"] == "b@example.org"
    (file,) = found.iter_attachments()
    assert (file.get_filename(), file.get_content()) == ("P-1.pdf", b"%PDF-1.7 x")


def test_no_thread_goes_on_sending_once_it_was_given_up(server: Mail) -> None:
    """With a time limit of apprise's own, its no is of one who may yet send."""
    from apprise import apprise

    assert send(_address(server), "x", "y") == "sent"
    assert apprise._shared_executor is None


def test_nobody_there_was_told_nothing() -> None:
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        port = asked.getsockname()[1]
    assert send(f"mailto://127.0.0.1:{port}?from=a@b.org&to=c@b.org", "x", "y") == "refused"


@pytest.fixture
def webhook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hook]:
    """Where apprise would ask the three services."""
    from apprise.plugins.dingtalk import NotifyDingTalk
    from apprise.plugins.feishu import NotifyFeishu
    from apprise.plugins.wecombot import NotifyWeComBot

    with hook() as found:
        base = f"http://127.0.0.1:{found.port}/"
        monkeypatch.setattr(NotifyDingTalk, "notify_url", base + "{token}")
        monkeypatch.setattr(NotifyFeishu, "notify_url", base + "{token}/")
        monkeypatch.setattr(NotifyWeComBot, "notify_url", base + "{key}")
        yield found


@pytest.mark.parametrize("channel", ["wecombot", "dingtalk", "feishu"])
@pytest.mark.parametrize(
    ("status", "code", "outcome"),
    [(200, 0, "sent"), (200, 45009, "refused"), (403, 0, "refused"), (504, 0, "unsure"),
     (0, 0, "unsure")],
)  # fmt: skip
def test_webhooks(webhook: Hook, channel: str, status: int, code: int, outcome: str) -> None:
    """A 200 that says no inside is a no."""
    name = "code" if channel == "feishu" else "errcode"
    webhook.answer = status, {name: code}
    token = "a1b2c3d4e5f6a7b8c9d0a1b2c3d4e5f6"
    assert send(f"{channel}://{token}", "逾期", "第一行\n") == outcome
    assert len(webhook.posted) == 1
    assert "第一行" in str(webhook.posted[0])


@pytest.mark.parametrize(("code", "outcome"), [(0, "unsure"), (45009, "unsure")])
def test_who_is_sent_on_is_told_by_whoever_that_is(webhook: Hook, code: int, outcome: str) -> None:
    """No service of the three sends on: it is not known who has the message."""
    webhook.answer, webhook.moved = (200, {"errcode": code}), True
    token = "a1b2c3d4e5f6a7b8c9d0a1b2c3d4e5f6"
    assert send(f"wecombot://{token}", "逾期", "第一行\n") == outcome
    assert len(webhook.posted) == 2


@pytest.mark.parametrize(("when", "outcome"), [("before", "refused"), ("after", "unsure")])
def test_tls_that_breaks_before_the_message_or_after_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, when: str, outcome: str
) -> None:
    """One false record on the way, once the service has it all: it is not told again unasked."""
    from apprise.plugins.wecombot import NotifyWeComBot

    key, own = tmp_path / "key", tmp_path / "cert"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
         "-keyout", key, "-out", own], check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(own, key)
    came: list[bytes] = []

    def answer(asked: socket.socket) -> None:
        conn, _ = asked.accept()
        with conn:
            if when == "before":
                conn.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                return
            tls = context.wrap_socket(conn, server_side=True, do_handshake_on_connect=True)
            while b"first line" not in b"".join(came):
                came.append(tls.recv(65536))
            os.write(tls.fileno(), b"\x17\x03\x03\x00\x20" + b"x" * 32)
            time.sleep(0.5)
            tls.close()

    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        asked.listen()
        at = f"https://localhost:{asked.getsockname()[1]}/" + "{key}"
        monkeypatch.setattr(NotifyWeComBot, "notify_url", at)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(own))
        thread = threading.Thread(target=answer, args=(asked,), daemon=True)
        thread.start()
        token = "a1b2c3d4e5f6a7b8c9d0a1b2c3d4e5f6"
        assert send(f"wecombot://{token}", "x", "first line\n") == outcome
        thread.join(20)
    assert bool(came) == (when == "after")


def test_a_name_calls_nobody(webhook: Hook) -> None:
    """In a text of Feishu's it would call all of a group; names are whatever a list says."""
    webhook.answer = 200, {"code": 0}
    token = "a1b2c3d4e5f6a7b8c9d0a1b2c3d4e5f6"
    send(f"feishu://{token}", "x", '客户<at user_id="all">所有人</at>有限公司 <AT id=1> a<atom>\n')
    text = str(webhook.posted[0])
    assert "<at" not in text.lower().replace("<atom>", "")
    assert "<atom>" in text
    assert "所有人" in text


@pytest.mark.parametrize("channel", ["wecombot", "dingtalk", "feishu"])
@pytest.mark.parametrize("said", [b"<html>sign in to the network</html>", b"", [], {"ok": True}])
def test_who_answers_in_the_place_of_a_service_took_nothing(
    webhook: Hook, channel: str, said: object
) -> None:
    """A portal's or a gateway's page with status 200: it is not known who has the message."""
    webhook.answer = 200, said
    token = "a1b2c3d4e5f6a7b8c9d0a1b2c3d4e5f6"
    assert send(f"{channel}://{token}", "逾期", "第一行\n") == "unsure"


def test_an_address_is_never_said(
    server: Mail, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    server.mode = "no such user"
    caplog.set_level(logging.DEBUG)
    for address in (f"mailto://u:{SECRET}@127.0.0.1:{server.port}", f"wecombot://{SECRET}?x=:::"):
        send(address, "x", "y")
    said = capfd.readouterr()
    assert SECRET not in said.out + said.err + caplog.text


GOOD = """\
lang: zh
people:
  王工: ["mailto://u:s3cr3t-in-the-address@example.org"]
  Li: {lang: en, to: "wecombot://s3cr3t-in-the-address"}
"""


def _file(tmp_path: Path, text: str, mode: int = 0o600) -> Path:
    path = tmp_path / "notify.yml"
    path.write_text(text)
    path.chmod(mode)
    return path


def test_settings(tmp_path: Path) -> None:
    people = load(_file(tmp_path, GOOD))
    assert {name: (p.lang, p.scheme(0)) for name, p in people.items()} == {
        "王工": ("zh", "mailto"),
        "Li": ("en", "wecombot"),
    }
    assert SECRET not in repr(people)


@pytest.mark.parametrize(
    ("text", "mode"),
    [
        (GOOD, 0o640),
        (GOOD, 0o604),
        ("people: {a: ['file:///s3cr3t-in-the-address']}", 0o600),
        ("people: {a: ['s3cr3t-in-the-address']}", 0o600),
        ("people: {a: [mailto://s3cr3t-in-the-address", 0o600),
        ("people: {a: {two: 's3cr3t-in-the-address'}}", 0o600),
        ("people: {}", 0o600),
        ("people: {a: ['mailto://x']}\nlang: s3cr3t-in-the-address", 0o600),
        ("- s3cr3t-in-the-address", 0o600),
    ],
)
def test_settings_that_are_none_are_refused_without_a_word_of_them(
    tmp_path: Path, text: str, mode: int
) -> None:
    path = _file(tmp_path, text, mode)
    assert stat.S_IMODE(path.stat().st_mode) == mode
    with pytest.raises(BadInput) as refused:
        load(path)
    assert SECRET not in str(refused.value)
