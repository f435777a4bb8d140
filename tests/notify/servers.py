"""An SMTP server (RFC 5321, what a client needs of it) and a server that stands for webhooks.

Neither WeCom nor DingTalk nor Feishu can be had here: what stands for them answers as they document
it. The mail server is small, and the conversation with it a real one over a socket.
"""

from __future__ import annotations

import email
import email.policy
import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Mail:
    """`mode` is what it does with a message: take it, refuse, fall silent, close."""

    port: int = 0
    mode: str = "take"
    taken: list[EmailMessage] = field(default_factory=list)
    seen: threading.Event = field(default_factory=threading.Event)
    over: threading.Event = field(default_factory=threading.Event)


@contextmanager
def mail() -> Iterator[Mail]:
    state = Mail()

    class Talk(socketserver.StreamRequestHandler):
        def say(self, line: str) -> None:
            self.wfile.write(line.encode() + b"\r\n")

        def handle(self) -> None:
            self.say("220 test")
            while line := self.rfile.readline():
                word = line[:4].upper()
                if word == b"DATA":
                    if not self.data():
                        return
                elif word == b"RCPT" and state.mode == "no such user":
                    self.say("550 no such user")
                elif word == b"QUIT":
                    self.say("221 bye")
                    return
                else:
                    self.say("250 ok")

        def data(self) -> bool:
            self.say("354 go on")
            lines = []
            while (line := self.rfile.readline()) not in (b".\r\n", b""):
                lines.append(line.removeprefix(b"."))
            if state.mode == "busy":
                self.say("451 later")
                return True
            made = email.message_from_bytes(b"".join(lines), policy=email.policy.default)
            state.taken.append(made)
            state.seen.set()
            if state.mode == "silent":
                state.over.wait(30)
                return False
            if state.mode == "close":
                return False
            self.say("250 taken")
            return True

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        block_on_close = False

    with Server(("127.0.0.1", 0), Talk) as server:
        state.port = int(server.server_address[1])
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield state
        state.over.set()
        server.shutdown()


@dataclass
class Hook:
    """`answer` is a status and a document; a status of 0 closes without one.

    `moved`: each is sent on, by 307, to another path of the same server.
    """

    port: int = 0
    answer: tuple[int, Any] = (200, {"errcode": 0})
    moved: bool = False
    posted: list[dict[str, Any]] = field(default_factory=list)


@contextmanager
def hook() -> Iterator[Hook]:
    state = Hook()

    class Talk(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            state.posted.append(json.loads(body))
            if state.moved and self.path != "/moved":
                self.send_response(307)
                self.send_header("Location", "/moved")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            status, document = state.answer
            if not status:
                self.close_connection = True
                return
            text = document if isinstance(document, bytes) else json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Talk)
    state.port = server.server_port
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield state
    server.shutdown()
    server.server_close()
