"""Formats of web access logs: which fields they hold, and whether a record is in that form.

nginx's log_format (ngx_http_log_module), and the language of Apache's LogFormat (mod_log_config),
which lighttpd (accesslog.format) and Tomcat (AccessLogValve, `pattern`) share.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

# What a field tells. `address` and `port` are those of the connection as the server sees it,
# `…_header` what a proxy told in a header, `…_proxy` what came by the PROXY protocol, `peer…`
# always those of the connection's other end, `server_port` the server's own.
_ADDRESS = r"(?:[0-9A-Fa-f.:*]+|unix:|-)"
_PORT = r"(?:\d{1,5}|\*{1,5}|-|)"
_TIME = (
    r"(?:\d\d/\w{3}/\d{4}:[\d:]{8} [-+]\d{4}"
    r"|\d{4}-\d\d-\d\d[T ][\d:]{8}[.,\d]*(?:Z| ?[-+]\d\d:?\d\d))"
)
_STATUS = r"(?:\d{3}|-)"

_NGINX: Mapping[str, tuple[str, str]] = {
    "remote_addr": ("address", _ADDRESS),
    "realip_remote_addr": ("peer", _ADDRESS),
    "proxy_protocol_addr": ("address_proxy", _ADDRESS),
    "remote_port": ("port", _PORT),
    "realip_remote_port": ("peer_port", _PORT),
    "proxy_protocol_port": ("port_proxy", _PORT),
    "server_port": ("server_port", _PORT),
    "time_local": ("time", rf"\[?{_TIME}\]?"),
    "time_iso8601": ("time", _TIME),
    "msec": ("time", r"1\d{9}\.\d+"),
    "request": ("url", ""),
    "request_uri": ("url", ""),
    "uri": ("url", ""),
    "document_uri": ("url", ""),
    "status": ("status", _STATUS),
    "proxy_add_x_forwarded_for": ("address_header", ""),
}
_CLIENT_PORT = re.compile(
    r"^(?:http_)?(?=.*port$)(?!.*proto)(?:.*(?:client|src|source|remote|real|for[-_]port).*)$",
    re.IGNORECASE,
)
_CLIENT_ADDRESS = re.compile(
    r"^(?:http_)?(?:x[-_]forwarded[-_]for|forwarded|.*(?:real|client|connecting|remote)[-_]?(?:ip|addr).*)$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Field:
    """A place in a format: what it tells, its name there, and the form of its value."""

    role: str
    name: str
    form: str


@dataclass(frozen=True, slots=True)
class Format:
    """A format as text, and as its literals and fields."""

    text: str
    parts: tuple[str | Field, ...]
    json: bool = False

    @property
    def roles(self) -> frozenset[str]:
        return frozenset(p.role for p in self.parts if isinstance(p, Field))

    def values(self, line: str) -> dict[str, str] | None:
        """The value of each role in a masked record (the first of each); None: another form."""
        if self.text == _CADDY:
            return _caddy_values(line)
        form, roles = _compiled(self)
        match = form.fullmatch(line)
        if match is None:
            return None
        found: dict[str, str] = {}
        for role, value in zip(roles, match.groups(), strict=True):
            found.setdefault(role, value)
        return found


def nginx(words: tuple[str, ...], derived: Mapping[str, str]) -> Format:
    """A log_format from its words; `derived` names the source of variables made by map and set."""
    json = "escape=json" in words
    text = "".join(w for w in words if not w.startswith("escape="))
    text = re.sub(r"\\([\"'\\])", r"\1", text)
    parts: list[str | Field] = []
    at = 0
    for match in re.finditer(r"\$(?:\{(\w+)\}|(\w+))", text):
        parts += [text[at : match.start()]] if match.start() > at else []
        name = match[1] or match[2]
        parts.append(_nginx_field(name, derived))
        at = match.end()
    parts += [text[at:]] if at < len(text) else []
    return Format(text, tuple(parts), json)


def _nginx_field(name: str, derived: Mapping[str, str]) -> Field:
    source = name
    for _ in range(5):
        source = derived.get(source, source)
    role, form = _NGINX.get(source, ("", ""))
    if source.startswith("http_"):
        if _CLIENT_PORT.match(source):
            role, form = "port_header", _PORT
        elif _CLIENT_ADDRESS.match(source):
            role, form = "address_header", ""
    return Field(role, name, form if source == name else "")


_APACHE_TOKEN = re.compile(r"%[!\d,<>]*(?:\{([^}]*)\}\^?)?([A-Za-z%]|\^(?:FU|FB|ti|to))")


def apache(text: str) -> Format:
    """A LogFormat string, its quotes already taken off."""
    text = text.replace('\\"', '"').replace("\\t", "\t").replace("\\n", " ")
    parts: list[str | Field] = []
    at = 0
    for match in _APACHE_TOKEN.finditer(text):
        parts += [text[at : match.start()]] if match.start() > at else []
        at = match.end()
        parts.append("%" if match[2] == "%" else _apache_field(match[2], match[1] or ""))
    parts += [text[at:]] if at < len(text) else []
    return Format(text, tuple(parts))


def _apache_field(letter: str, argument: str) -> Field:
    name = f"%{{{argument}}}{letter}" if argument else f"%{letter}"
    role, form = "", ""
    if letter in "ha":
        role = "peer" if argument.lower() in ("c", "peer") else "address"
        form = _ADDRESS if letter == "a" else r"[0-9A-Za-z.:*_-]+"
    elif letter == "p":
        role, form = ("port" if argument == "remote" else "server_port"), _PORT
    elif letter == "t":
        told = not argument or "%z" in argument or argument.endswith(("sec", "%s", "frac"))
        role = "time" if told else "time_without_zone"
        form = rf"\[?{_TIME}\]?" if not argument else ""
    elif letter in "rU":
        role = "url"
    elif letter == "s":
        role, form = "status", _STATUS
    elif letter == "i" and _CLIENT_PORT.match(argument):
        role, form = "port_header", _PORT
    elif letter == "i" and _CLIENT_ADDRESS.match(argument):
        role = "address_header"
    return Field(role, name, form)


@cache
def _compiled(format: Format) -> tuple[re.Pattern[str], tuple[str, ...]]:
    form, roles = "", []
    for at, part in enumerate(format.parts):
        if isinstance(part, str):
            form += _literal(part)
            continue
        after = format.parts[at + 1] if at + 1 < len(format.parts) else ""
        roles.append(part.role)
        form += f"({part.form or _any(after, format)})"
    return re.compile(form), tuple(roles)


def _any(after: str | Field, format: Format) -> str:
    """A value up to the literal that follows it, which servers escape within quotes."""
    if not isinstance(after, str) or not after:
        return r"\S*" if isinstance(after, Field) else ".*"
    if format.json and after[0] == '"':
        return r'(?:[^"\\]|\\.)*'
    end = re.escape(after[0])
    if after[0] == " ":
        # lists of addresses and of upstreams are parted by `, ` and ` : `; atomic, for a record of
        # nothing else would be parted in every way there is
        return r"(?>(?:[^ ]*(?:,| :) )*[^ ]*)"
    return f"[^{end}]*" if after[0] != '"' else r'(?:[^"\\]|\\.)*'


def _literal(text: str) -> str:
    """A literal as it may stand in a masked record: words outside the list are starred.

    The host says the format masked in the same way (a letter, and stars up to eight); its record
    may have the word itself, where the list has it or it is a key.
    """
    form = ""
    for piece in re.findall(r"[A-Za-z]?\*+|\w[\w-]*|\W", text):
        if re.fullmatch(r"[A-Za-z]?\*+", piece):
            stars = piece.count("*")
            first = re.escape(piece[0]) if piece[0] != "*" else r"\w"
            most = stars if piece[0] != "*" else stars - 1
            rest = r"[\w-]*" if stars >= 8 else rf"[\w-]{{0,{most}}}"
            form += rf"(?:{first}{rest}|{first}?\*{{0,9}})"
        elif piece[0] == "-" or not (piece[0].isalnum() or piece[1:]):
            form += re.escape(piece)
        else:
            form += rf"(?:{re.escape(piece)}|{re.escape(piece[0])}?\*{{0,9}})"
    return form


COMBINED = nginx(
    (
        '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent '
        '"$http_referer" "$http_user_agent"',
    ),
    {},
)
COMMON = apache('%h %l %u %t "%r" %>s %b')

_CADDY = "json"
CADDY = Format(
    _CADDY,
    tuple(Field(role, role, "") for role in ("address", "port", "time", "url", "status")),
    json=True,
)
_CADDY_KEYS = {
    "address": rf'"remote_ip":"({_ADDRESS})"',
    "port": rf'"remote_port":"({_PORT})"',
    "time": r'"ts":"?([-0-9T:.+Z*]+)',
    "url": r'"uri":"([^"]*)',
    "status": r'"status":(\d{3})',
}


def _caddy_values(line: str) -> dict[str, str] | None:
    found = {role: m[1] for role, form in _CADDY_KEYS.items() if (m := re.search(form, line))}
    # a record that is cut at its end has lost its status, not its form
    return found if {"address", "time", "url"} <= set(found) else None
