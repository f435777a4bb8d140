"""What the control node itself sends to a host: a login that fails, and TCP connections."""

from __future__ import annotations

import errno
import os
import select
import socket
import subprocess
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import IO, cast

from collector.errors import one_line

_SECONDS = 20
# bytes of what ssh says: a server's banners have no end of their own
_MOST = 1 << 16
_ECHO = "/bin/echo"
# connections begun in a second, and how long one is waited for
_RATE = 10.0
_WAIT = 2.0
# where nothing is concluded from silence but that it cannot be done
_PATIENT = 10.0
# a reject by the rules says so by ICMP
_TOLD = (errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EACCES, errno.EPERM)
_FRESH = (
    "-oProxyCommand=none", "-oProxyJump=none", "-oControlPath=none",
    "-oStrictHostKeyChecking=no", "-oUserKnownHostsFile=/dev/null",
    "-oGlobalKnownHostsFile=/dev/null", "-oPubkeyAuthentication=no",
    "-oPreferredAuthentications=password", "-oNumberOfPasswordPrompts=1",
    "-oConnectTimeout=10", "-oConnectionAttempts=1", "-oLogLevel=ERROR",
)  # fmt: skip


def failed_login(address: str, port: int, account: str, source: str = "") -> str:
    """One login as an account that does not exist; what ssh asks is its password, so no file is.

    `refused` where the server said so, `let in` where it did not, else what ssh said instead. The
    account is handed over as settings: whoever reads it in an argument could write its record.
    """
    bound = [f"-oBindAddress={source}"] if source else []
    words = ["ssh", "-F/dev/stdin", *_FRESH, *bound, f"-p{port}", "--", address, "exit 0"]
    environment = {k: v for k, v in os.environ.items() if k != "SSH_AUTH_SOCK"}
    environment |= {"SSH_ASKPASS": _ECHO, "SSH_ASKPASS_REQUIRE": "force", "DISPLAY": ":"}
    with ExitStack() as held:
        ssh = held.enter_context(
            subprocess.Popen(
                words,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                env=environment,
                start_new_session=True,
            )
        )
        late = threading.Timer(_SECONDS, ssh.kill)
        late.start()
        held.callback(late.cancel)
        # ends it, where it has more to say than anybody has
        held.callback(ssh.kill)
        settings, told = cast("IO[bytes]", ssh.stdin), cast("IO[bytes]", ssh.stderr)
        with suppress(BrokenPipeError), settings:
            settings.write(f"User {account}\n".encode())
        heard = told.read(_MOST)
        if len(heard) < _MOST:
            ssh.wait()
        over = not late.is_alive()
    said = heard.decode("utf-8", "replace")
    if over:
        return "no answer in time"
    if "Permission denied (" in said:
        return "refused"
    return "let in" if ssh.returncode == 0 else one_line(said, 200) or "no answer"


def connects(address: str, port: int, source: str = "", wait: float = _WAIT) -> str:
    """open, closed (it said no) or silent, by a TCP connection that says nothing."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as link:
        link.settimeout(wait)
        try:
            if source:
                link.bind((source, 0))
            link.connect((address, port))
        except ConnectionRefusedError:
            return "closed"
        except OSError as problem:
            silent = isinstance(problem, TimeoutError) or problem.errno in _TOLD
            return "silent" if silent else "closed"
    return "open"


def greets(address: str, port: int, source: str = "", wait: float = _WAIT) -> str:
    """As `connects`, and open only where the server says who it is: sshd may close what comes."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    if (state := connects(address, port, source, wait)) != "open":
        return state
    with socket.socket(family, socket.SOCK_STREAM) as link:
        link.settimeout(_PATIENT)
        try:
            if source:
                link.bind((source, 0))
            link.connect((address, port))
            return "open" if link.recv(4) else "closed"
        except TimeoutError:
            return "silent"
        except OSError:
            return "closed"


@contextmanager
def held(address: str, port: int, source: str) -> Iterator[int]:
    """A connection from `source` that says nothing, while it is looked at; its port here.

    0 where there is none.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as link:
        link.settimeout(_PATIENT)
        try:
            link.bind((source, 0))
            link.connect((address, port))
            own = int(link.getsockname()[1])
        except OSError:
            own = 0
        yield own


def is_own(address: str) -> bool:
    """Is it an address of this machine?"""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as link:
        try:
            link.bind((address, 0))
        except OSError:
            return False
    return True


def ask_ports(address: str, ports: Iterable[int]) -> dict[int, str]:
    """Each port once; each is begun a tenth of a second after the one before was, at the least."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with ExitStack() as held_open:
        begun = []
        for port in ports:
            link = held_open.enter_context(socket.socket(family, socket.SOCK_STREAM))
            link.setblocking(False)
            code = link.connect_ex((address, port))
            begun.append((port, link, code, time.monotonic()))
            time.sleep(1 / _RATE)
        return {port: _came_of(link, code, at) for port, link, code, at in begun}


def _came_of(link: socket.socket, code: int, at: float) -> str:
    """What came of a connection that was begun at that moment."""
    if code == errno.EINPROGRESS:
        watch = select.poll()
        watch.register(link, select.POLLOUT)
        if not watch.poll(max(at + _WAIT - time.monotonic(), 0) * 1000):
            return "silent"
        code = link.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if not code:
        return "open"
    return "silent" if code in (*_TOLD, errno.ETIMEDOUT) else "closed"


def own_address(address: str) -> str:
    """The address of this machine from which it would reach another; empty where none does."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as link:
        try:
            link.connect((address, 9))
        except OSError:
            return ""
        return str(link.getsockname()[0])
