"""What the listeners of a host serve: TLS with which versions, suites and certificates, or none.

Each TCP listener that is not bound to loopback is sent a few ClientHellos from the host itself, by
bash (`tls_ask.sh`), after STARTTLS where its protocol has that; no handshake is ever finished, and
what is answered is taken as it came. Listeners without TLS are asked once by HTTP what stands at /.
Not asked: what systemd or inetd would first have to start, and services known to have no TLS.

    == none                      there is no bash here
    == hello HEAD TAIL           the parts of the hello `new`, in hex: what stands before and behind
                                 the name of the server
    == names LEFT                so many names of web servers more than are asked for
    == sites                     the settings of web servers were looked through
    == clear|basic PORT FILE     a server there that listens in the clear, not only to redirect,
                                 asking for a password (basic) or not; PORT is ? outside of servers
    = ID STATE ADDRESS PORT PROCESS    a listener; ask, skip (no TLS), held (would be started),
                                 device (bound to an interface), more (beyond the most asked)
    ID KIND/NAME HEX             the answer to that hello; goes on in lines of the same beginning;
                                 a dot at its end: the connection was not closed within the time
    ID again                     it greeted: the hello is sent again in the way of its protocol
    ID starttls PROTOCOL TEXT    what it said of the wish to encrypt
    ID login PROTOCOL AT TEXT    what it said of a login before STARTTLS, to another address of the
                                 host (apart) or to the very one it listens at (same)
    ID http NAME PATH STATUS LOCATION SCHEME    an answer by HTTP, `-` for what it does not hold
    ID closed                    no connection was had
    ID over                      all that there was to ask of it has been asked
    db PROGRAM PID TEXT          settings of a database
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Literal

from collector.errors import CouldNotLook, NotUnderstood
from collector.facts.base.intervals import address
from collector.facts.base.opened import OPENED
from collector.facts.network.listeners import Listener
from collector.facts.system.taken_up import LOOK
from collector.facts.tls.client_hello import KINDS, client_hello, parts
from collector.facts.tls.server_hello import Answer, answer
from collector.i18n.message import msg
from collector.model import Capture, Read, ReadStatus, Text, shell
from collector.resources import package_text

READ = "tls_served.answers"
# not in READS: nothing on the host answers it (collector/run/outside.py)
OUTSIDE = "tls_served.outside"
# most hosts have nothing but sshd to ask, and need not start bash to know it
_NOTHING = r"""
if [ -r /proc/net/tcp ]; then
  grep -hE ': [0-9A-F]+:[0-9A-F]{4} [0-9A-F]+:0000 0A ' /proc/net/tcp /proc/net/tcp6 2>/dev/null |
    grep -qvE ': ([0-9A-F]{6}7F|0{24}01000000):|: [0-9A-F]+:0016 ' || { echo '== end'; exit 0; }
fi
"""


def asking() -> str:
    """The text for bash that asks: a whole host as `all`, one listener as `one`."""
    text = package_text("facts/tls/tls_ask.sh")
    for kind in KINDS:
        for name, data in zip(("P", "E"), parts(kind), strict=True):
            escaped = "".join(f"\\x{byte:02x}" for byte in data)
            text = text.replace(f"{kind.upper()}_{name}", escaped)
    return text


def hello_line() -> str:
    """What tells in a capture which hello `asking` sends."""
    head, tail = parts("new")
    return f"== hello {head.hex()} {tail.hex()}"


def _body() -> str:
    quoted = asking().replace("'", "'\\''")
    return (
        OPENED
        + _NOTHING
        + "command -v bash >/dev/null 2>&1 || { echo '== none'; echo '== end'; exit 0; }\n"
        + package_text("facts/tls/sites.sh")
        + f"bash -c '{quoted}' all || exit\n"
        + package_text("facts/tls/databases.sh").replace("@LOOK@", LOOK.strip())
        + "echo '== end'\n"
    )


READS: tuple[Read, ...] = (
    shell(
        READ,
        _body(),
        seconds=60,
        limit=1 << 22,
        privileged=True,
        why=Text(
            "监听端口实际提供的 TLS 版本、套件与证书（从本机发起握手，但不完成）；"
            "明文 HTTP 是否只作跳转",
            "which versions, suites and certificates of TLS the listeners serve (asked from the"
            " host itself, no handshake is finished); whether plain HTTP only redirects",
        ),
    ),
)

State = Literal["ask", "skip", "held", "device", "more"]
_HEAD = re.compile(r"= (\d{1,4}) (ask|skip|held|device|more) (\S+) (\d{1,5}) (\S+)")
_LINE = re.compile(r"(\d{1,4}) ([a-z]+)(?:/([A-Za-z0-9.-]*))? ?(.*)")
_HTTP = re.compile(r"(\S+) (/\S*) (\d{3}|-) (\S+) (\S+)")


@dataclass(frozen=True, slots=True)
class Page:
    """What is at one path of one site by plain HTTP; `location` and `login` are empty or said."""

    name: str
    path: str
    status: int
    location: str
    login: str
    line: str


@dataclass(frozen=True, slots=True)
class Served:
    """One listener. `answers` are by (kind, name) of the hello; `whole`: all was asked; `closed`:

    no connection was had, at least once.

    `address` is None where it is bound to all of `families`; `starttls` is the protocol and what
    was said of the wish to encrypt, both empty where there was none; `login` the protocol,
    from where, and what was said of a login before that, empty where it was not asked.
    """

    state: State
    families: tuple[int, ...]
    address: int | None
    port: int
    process: str
    line: str
    answers: Mapping[tuple[str, str], Answer] = field(default_factory=dict)
    starttls: tuple[str, str] = ("", "")
    login: tuple[str, str, str] = ("", "", "")
    pages: tuple[Page, ...] = ()
    whole: bool = False
    closed: bool = False
    read: str = READ

    @property
    def tls(self) -> bool:
        """Does it speak TLS at all, be it only to refuse?"""
        return any(a.state in ("chosen", "refused") for a in self.answers.values())

    @property
    def http(self) -> tuple[Page, ...]:
        """What it answered by HTTP in the clear."""
        return tuple(p for p in self.pages if p.status)

    @property
    def ssh(self) -> bool:
        """Did it greet by SSH (RFC 4253, 4.2)?"""
        return self.answer("new").greeting.startswith(b"SSH-")

    @property
    def told(self) -> bool:
        """Has it been asked to the end, and said how it is served?"""
        said = self.starttls[1]
        spoke = said not in ("", "-", "none") and not said.startswith("- ")
        return self.whole and not self.closed and (self.tls or bool(self.http) or spoke)

    def answer(self, kind: str) -> Answer:
        return self.answers.get((kind, ""), Answer("silent"))


@dataclass(frozen=True, slots=True)
class Asked:
    """All that was asked. `possible` is False where the host has no bash to ask with.

    `names_left` counts the names of sites that were not asked for; `databases` are (program, pid,
    text) of their settings; `plain` are (clear or basic, port, file) of web servers, None where
    their settings were not looked through.
    """

    possible: bool
    served: tuple[Served, ...]
    names_left: int
    databases: tuple[tuple[str, str, str], ...]
    plain: tuple[tuple[str, str, str], ...] | None = None

    def of(self, listener: Listener) -> Served | None:
        """What is served at this listener; None where it was not seen when they were asked."""
        mine = [s for s in self.served if s.port == listener.port]
        exact = [s for s in mine if s.address == listener.address and not listener.any]
        wide = [s for s in mine if s.address is None and listener.any]
        same = [s for s in exact + wide if listener.family in s.families]
        return min(same, key=lambda s: len(s.families), default=None)

    def near(self, listener: Listener) -> Served | None:
        """What is served at an address that this listener has, be it one of several."""
        mine = (s for s in self.served if s.port == listener.port)
        held = (s for s in mine if listener.any or s.address == listener.address)
        return next((s for s in held if listener.family in s.families), None)


def tls_served(capture: Capture) -> Asked:
    """What the host itself was answered. Raises FactError."""
    return _asked(capture, READ)


def tls_outside(capture: Capture) -> Asked | None:
    """What the control node was answered; None where that is not had. Raises FactError."""
    whole = capture.read(OUTSIDE).status is ReadStatus.OK
    return _asked(capture, OUTSIDE) if whole else None


def _asked(capture: Capture, read: str) -> Asked:
    lines = capture.read(read).text().splitlines()
    if not lines or lines[-1] != "== end":
        raise NotUnderstood(read, msg("ends_before_end"))
    heads: dict[str, re.Match[str]] = {}
    told: dict[str, list[tuple[str, str, str]]] = {}
    databases: list[tuple[str, str, str]] = []
    possible, left, sent = True, 0, None
    plain: list[tuple[str, str, str]] | None = None
    for line in lines[:-1]:
        if line == "== more":
            raise CouldNotLook(read, msg("more_than_is_read"))
        if line == "== none":
            possible = False
        elif match := re.fullmatch(r"== hello ((?:[0-9a-f]{2})+) ((?:[0-9a-f]{2})+)", line):
            sent = (bytes.fromhex(match[1]), bytes.fromhex(match[2]))
        elif match := re.fullmatch(r"== names (\d{1,4})", line):
            left = int(match[1])
        elif line == "== sites":
            plain = []
        elif match := re.fullmatch(r"== (clear|basic) (\d{1,5}|\?) (/.*)", line):
            plain = [] if plain is None else plain
            plain.append((match[1], match[2], match[3]))
        elif match := re.fullmatch(r"db (mysqld|mongod) (\d{1,9}) ?(.*)", line):
            databases.append((match[1], match[2], match[3]))
        elif match := _HEAD.fullmatch(line):
            if match[1] in heads:
                raise NotUnderstood(read, msg("listener_stands_twice", line=line))
            heads[match[1]] = match
        elif (match := _LINE.fullmatch(line)) and match[1]:
            told.setdefault(match[1], []).append((match[2], match[3] or "", match[4]))
        else:
            raise NotUnderstood(read, msg("line_no_form", line=line[:120]))
    if set(told) - set(heads):
        raise NotUnderstood(read, msg("answer_no_listener"))
    # only where a socket for both families is shown as such is `*` more than IPv4
    old = any(m[3] == "::" for m in heads.values()) and any(m[3] == "*" for m in heads.values())
    if sent is None and any(kind in KINDS for lines in told.values() for kind, _, _ in lines):
        raise NotUnderstood(read, msg("not_tell_hello_sent"))
    served = tuple(
        _served(read, m, told.get(number, []), sent or (b"", b""), old=old)
        for number, m in heads.items()
    )
    known = None if plain is None else tuple(plain)
    return Asked(possible, served, left, tuple(databases), known)


def _bound(read: str, place: str, *, old: bool) -> tuple[int | None, tuple[int, ...]]:
    """The address, None for any, and the families that it takes."""
    bare = place.partition("%")[0]
    if bare == "*":
        return None, (4,) if old else (4, 6)
    try:
        family, number = address(bare)
    except ValueError:
        raise NotUnderstood(read, msg("no_address", line=place)) from None
    if family == 6 and number >> 32 == 0xFFFF:
        family, number = 4, number & 0xFFFFFFFF
    # without IPv4's own beside it, a wildcard of IPv6 may take both
    return number or None, (4, 6) if (family, number) == (6, 0) else (family,)


def _served(
    read: str,
    head: re.Match[str],
    lines: list[tuple[str, str, str]],
    sent: tuple[bytes, bytes],
    *,
    old: bool,
) -> Served:
    _, state, place, port, process = head.groups()
    where, families = _bound(read, place, old=old)
    kinds = [kind for kind, _, _ in lines]
    if "again" in kinds:
        lines = lines[kinds.index("again") + 1 :]
    answers: dict[tuple[str, str], Answer] = {}
    for key, group in groupby((x for x in lines if x[0] in KINDS), key=lambda x: (x[0], x[1])):
        text = "".join(x[2] for x in group)
        try:
            found = answer(client_hello(sent, key[1]), bytes.fromhex(text.removesuffix(".")))
        except ValueError:
            raise NotUnderstood(read, msg("not_hex", text=text[:60])) from None
        answers[key] = replace(found, state="late") if text == "." else found
    starttls, login = ("", ""), ("", "", "")
    pages, whole = list[Page](), False
    for kind, _, text in lines:
        if kind == "starttls":
            protocol, _, said = text.partition(" ")
            starttls = (protocol, said.strip())
        elif kind == "login":
            protocol, at, said = [*text.split(" ", 2), "", ""][:3]
            login = (protocol, at, said.strip())
        elif kind == "http":
            pages.append(_page(read, text))
        elif kind == "over":
            whole = True
        elif kind not in (*KINDS, "closed"):
            raise NotUnderstood(read, msg("answer_no_kind", kind=kind))
    return Served(
        state,  # type: ignore[arg-type]  # one of the words of its pattern
        families,
        where,
        int(port),
        "" if process == "-" else process,
        head[0],
        answers,
        starttls,
        login,
        tuple(pages),
        whole,
        "closed" in kinds,
        read,
    )


def _page(read: str, text: str) -> Page:
    match = _HTTP.fullmatch(text)
    if match is None:
        raise NotUnderstood(read, msg("not_answer_http", text=text[:120]))
    name, path, status, location, login = ("" if x == "-" else x for x in match.groups())
    return Page(name, path, int(status or 0), location, login, text)
