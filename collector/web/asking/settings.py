"""How the page is served: what the command line said, and a file of settings in YAML.

hosts: [pledges.example.com]        names by which browsers may ask for it
url: https://pledges.example.com    the address that customers are told, with its hand-in links
proxies: [10.0.0.2, 10.1.0.0/16]    whose X-Forwarded-For and -Proto are believed
user_header: X-Remote-User          of these proxies: the account that signed in there
log_days: 400                       how long the log of access is kept
oidc:
issuer: https://login.example.com/realms/shop
client_id: hostpledge
client_secret_file: /etc/hostpledge/oidc.secret
claim: groups                     whose values say which role
roles:
- {value: pledge-managers, role: manager}
- {value: inspectors, role: auditor, pledges: [demo-2026], until: "2026-12-31"}
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from collector import private
from collector.errors import BadInput
from collector.i18n.message import msg, of_system
from collector.schema import load_yaml
from collector.web.keeping.access import DAYS
from collector.web.keeping.accounts import ROLES, WIDE, Role

LOOPBACK = ("127.0.0.1", "::1", "localhost")
_KNOWN = {"hosts", "url", "proxies", "user_header", "log_days", "oidc"}
_OIDC = {"issuer", "client_id", "client_secret_file", "claim", "roles", "name_claim", "scope"}
_LARGEST = 1 << 20
# a hundred years
_DAYS = 36_500
# a network of a proxy is not wider: everybody could be in it
_WIDEST = {4: 8, 6: 19}
_MAPPED = ipaddress.IPv6Network("::ffff:0:0/96")
_EVERY = ("0.0.0.0", "::")  # noqa: S104 - what is looked for

_LABEL = r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_HOST = re.compile(rf"{_LABEL}(\.{_LABEL})*")
_DIGITS = re.compile(r"[0-9.]+")
# RFC 9110, 5.6.2
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
# RFC 6749, 3.3: what is asked for, where the settings name nothing else
SCOPE = "openid profile"
_SCOPE = re.compile(r"[!#-[\]-~]{1,100}")
# what browsers and proxies send of every request, and nobody's name stands in
_OTHERS = frozenset(
    {
        "authorization", "cache-control", "connection", "cookie", "date", "expect", "forwarded",
        "from", "host", "origin", "pragma", "range", "referer", "te", "trailer",
        "transfer-encoding", "upgrade", "user-agent", "via", "x-real-ip",
    }
)  # fmt: skip
_OF_MANY = re.compile(
    r"(accept|content|if|proxy|sec|access-control)(-|$)"
    r"|x-forwarded-(for|host|port|proto|server|prefix)$",
    re.IGNORECASE,
)

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Mapped:
    """Whoever has `value` among what their claim holds is of that role."""

    value: str
    role: Role
    pledges: frozenset[str]
    until: date | None


@dataclass(frozen=True, slots=True)
class Oidc:
    issuer: str
    client_id: str
    client_secret: str
    claim: str
    roles: tuple[Mapped, ...]
    name_claim: str = "preferred_username"
    scope: str = SCOPE


@dataclass(frozen=True, slots=True)
class Settings:
    """`origin`: the address to tell people, e.g. `http://127.0.0.1:8300`."""

    host: str = "127.0.0.1"
    port: int = 8300
    hosts: tuple[str, ...] = ()
    url: str = ""
    proxies: tuple[Network, ...] = ()
    user_header: str = ""
    log_days: int = DAYS
    oidc: Oidc | None = None
    certificate: Path | None = None
    key: Path | None = None

    @property
    def known_as(self) -> str:
        """The address by which customers reach it, as far as it is told; else empty."""
        if self.url or not self.certificate or not self.hosts:
            return self.url
        port = "" if self.port == 443 else f":{self.port}"
        return f"https://{self.hosts[0]}{port}"

    @property
    def loopback(self) -> bool:
        return self.host in LOOPBACK

    @property
    def by_proxy_alone(self) -> bool:
        """Without TLS of its own nobody asks past the proxy that has it."""
        return not self.loopback and self.certificate is None

    @property
    def origin(self) -> str:
        scheme = "https" if self.certificate else "http"
        shown = f"[{self.host}]" if ":" in self.host else self.host
        return f"{scheme}://{shown}:{self.port}"

    def knows_host(self, header: str) -> bool:
        """May a browser ask for it by that name (as the Host header has it)?"""
        name = header.rpartition(":")[0] if _with_port(header) else header
        name = name.strip("[]").casefold().rstrip(".")
        allowed = {h.casefold() for h in self.hosts}
        if self.loopback:
            allowed |= set(LOOPBACK)
        elif self.certificate:
            allowed.add(self.host.casefold())
        return name in allowed

    def trusts(self, address: str) -> bool:
        """Is it a proxy whose headers are believed?"""
        try:
            peer = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(peer in network for network in self.proxies)

    def check(self) -> None:
        """Raises BadInput where passwords would go over a network in the clear."""
        if not self.loopback and not self.certificate and not self.proxies:
            raise BadInput(
                msg("web_needs_tls", host=self.host), where="--host", mend=msg("web_tls_mend")
            )
        if not self.loopback and not self.hosts and self.host in _EVERY:
            raise BadInput(msg("web_needs_hosts"), where="--settings", mend=msg("web_hosts_mend"))


def _with_port(header: str) -> bool:
    return header.rpartition(":")[2].isdigit() and (header.count(":") == 1 or "]:" in header)


def read(path: Path | None) -> dict[str, Any]:
    """What the file says, as arguments of Settings; raises BadInput with one line."""
    if path is None:
        return {}
    where = str(path)
    try:
        with private.opened(path) as source:
            text = source.read(_LARGEST).decode("utf-8-sig")
    except OSError as problem:
        raise BadInput(of_system(problem, "cannot_read"), where=where) from None
    except UnicodeDecodeError as problem:
        raise BadInput(
            msg("not_utf_8_byte", start=problem.start), where=where, mend=msg("save_file_utf_8")
        ) from None
    said = load_yaml(text, where=where)
    if not isinstance(said, dict):
        raise BadInput(msg("web_settings_form"), where=where)
    _only(said, _KNOWN, where)
    found: dict[str, Any] = {}
    hosts = _texts(said.get("hosts", []), f"{where}: hosts")
    found["hosts"] = tuple(_host(one, f"{where}: hosts") for one in hosts)
    found["url"] = _url(_text(said.get("url", ""), f"{where}: url"), f"{where}: url")
    found["proxies"] = tuple(
        _network(one, f"{where}: proxies") for one in _texts(said.get("proxies", []), where)
    )
    found["user_header"] = _text(said.get("user_header", ""), f"{where}: user_header")
    if found["user_header"]:
        _check_header(found["user_header"], f"{where}: user_header")
    if found["user_header"] and not found["proxies"]:
        raise BadInput(msg("web_header_needs_proxies"), where=f"{where}: user_header")
    days = said.get("log_days", DAYS)
    if not isinstance(days, int) or isinstance(days, bool) or not DAYS <= days <= _DAYS:
        raise BadInput(msg("web_log_days", least=DAYS, most=_DAYS), where=f"{where}: log_days")
    found["log_days"] = days
    if "oidc" in said:
        found["oidc"] = _oidc(said["oidc"], path.parent, f"{where}: oidc")
    return found


def _oidc(said: Any, folder: Path, where: str) -> Oidc:
    if not isinstance(said, dict):
        raise BadInput(msg("web_settings_form"), where=where)
    _only(said, _OIDC, where)
    for name in ("issuer", "client_id", "client_secret_file", "claim", "roles"):
        if not said.get(name):
            raise BadInput(msg("web_setting_missing", name=name), where=where)
    if not isinstance(said["roles"], list):
        raise BadInput(msg("web_settings_form"), where=f"{where}: roles")
    secret = folder / _text(said["client_secret_file"], where)
    try:
        with private.opened(secret) as source:
            password = source.read(4096).decode().strip()
    except (OSError, UnicodeDecodeError):
        raise BadInput(msg("cannot_read"), where=str(secret)) from None
    if not password:
        raise BadInput(msg("web_setting_missing", name="client_secret_file"), where=str(secret))
    issuer = _text(said["issuer"], where)
    if not is_private(issuer):
        raise BadInput(msg("web_issuer_https"), where=f"{where}: issuer")
    return Oidc(
        issuer,
        _text(said["client_id"], where),
        password,
        _text(said["claim"], where),
        tuple(_mapped(one, f"{where}: roles") for one in said["roles"]),
        _text(said.get("name_claim") or "preferred_username", where),
        _scope(_text(said.get("scope") or SCOPE, where), f"{where}: scope"),
    )


def _scope(text: str, where: str) -> str:
    """Raises BadInput where no ID token would come by it."""
    words = text.split()
    if "openid" not in words or not all(map(_SCOPE.fullmatch, words)):
        raise BadInput(msg("web_no_scope", text=text), where=where, mend=msg("web_no_scope_mend"))
    return " ".join(words)


def _host(text: str, where: str) -> str:
    """As a browser asks for it, without scheme and port: a name that is none is never asked for."""
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    try:
        address = ipaddress.ip_address(bare)
    except ValueError:
        # of digits and dots alone it is an address with a slip in it
        plain = len(text) <= 253 and _HOST.fullmatch(text) and not _DIGITS.fullmatch(text)
        if not plain:
            raise BadInput(
                msg("web_no_host", text=text), where=where, mend=msg("web_no_host_mend")
            ) from None
        return text
    # as browsers write one of IPv6
    return str(address)


def _check_header(text: str, where: str) -> None:
    """Raises BadInput for what is no name of a header, and for one that says something else."""
    if not _TOKEN.fullmatch(text) or text.casefold() in _OTHERS or _OF_MANY.match(text):
        raise BadInput(msg("web_no_header", text=text), where=where, mend=msg("web_no_header_mend"))


def is_private(url: str) -> bool:
    """Does what is asked for there go over TLS, or stay on this machine?"""
    try:
        parts = urlsplit(url)
        # raises ValueError for a port that is none
        named = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False
    # what stands before an @ looks like a name, and is none
    if not named or "@" in parts.netloc or "\\" in url or not url.isprintable():
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)


def _mapped(said: Any, where: str) -> Mapped:
    if not isinstance(said, dict) or said.get("role") not in ROLES:
        raise BadInput(msg("web_role_unknown", roles=", ".join(ROLES)), where=where)
    _only(said, {"value", "role", "pledges", "until"}, where)
    if not said.get("value"):
        # whose claim holds an empty text has nothing that says a role
        raise BadInput(msg("web_setting_missing", name="value"), where=where)
    pledges = frozenset(_texts(said.get("pledges", []), where))
    role: Role = said["role"]
    if role not in WIDE and not pledges:
        raise BadInput(msg("web_pledges_wanted", role=role), where=where)
    until = said.get("until")
    if role == "auditor" and until is None:
        raise BadInput(msg("web_end_wanted"), where=where)
    try:
        last = date.fromisoformat(str(until)) if until is not None else None
    except ValueError:
        raise BadInput(msg("web_no_day", text=str(until)), where=where) from None
    return Mapped(_text(said["value"], where), role, pledges, last)


def _only(said: Mapping[str, Any], known: set[str], where: str) -> None:
    for name in said:
        if name not in known:
            raise BadInput(msg("web_setting_unknown", name=str(name)), where=where)


def _texts(said: Any, where: str) -> Sequence[str]:
    if not isinstance(said, list) or not all(isinstance(one, str) for one in said):
        raise BadInput(msg("web_settings_form"), where=where)
    return said


def _url(text: str, where: str) -> str:
    if text and not _is_page(text):
        raise BadInput(msg("web_no_url", text=text), where=where)
    return text.rstrip("/")


def _is_page(text: str) -> bool:
    try:
        parts = urlsplit(text)
        named = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False
    plain = text.isprintable() and not set(text) & set("\\ @?#")
    return plain and named and parts.scheme in ("https", "http")


def _text(said: Any, where: str) -> str:
    if not isinstance(said, str):
        raise BadInput(msg("web_settings_form"), where=where)
    return said


def _network(text: str, where: str) -> Network:
    try:
        found = ipaddress.ip_network(text)
    except ValueError:
        raise BadInput(msg("web_no_network", text=text), where=where) from None
    if found.is_multicast or found.is_unspecified:
        # nobody asks from there
        raise BadInput(msg("web_no_network", text=text), where=where)
    plain: Network = found
    if isinstance(found, ipaddress.IPv6Network) and found.subnet_of(_MAPPED):
        # of IPv4, as a socket of both has it
        first = int(found.network_address) - int(_MAPPED.network_address)
        plain = ipaddress.IPv4Network((first, found.prefixlen - _MAPPED.prefixlen))
    if plain.prefixlen < _WIDEST[plain.version] and not plain.is_private:
        raise BadInput(msg("web_network_everybody", text=text), where=where)
    return found
