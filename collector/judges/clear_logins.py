"""May a login go in the clear, where STARTTLS is offered? By what the server says before it.

IMAP (RFC 9051, 6.2.3): LOGINDISABLED, and no AUTH= of a password. POP3 (RFC 2449): USER, and SASL.
SMTP (RFC 4954): the mechanisms behind AUTH. FTP: the answer to USER. LDAP (RFC 4511): code 13 for a
bind in the clear. Dovecot lets in who comes from its own address: an open door proves nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

from collector.facts.tls.probe import OUTSIDE, Asked, Served

_PASSWORDS = re.compile(r"\b(?:PLAIN|LOGIN|XOAUTH2|OAUTHBEARER)\b", re.IGNORECASE)
_DEMANDS = re.compile(
    r"encrypt|cleartext|clear text|plain ?text|\bTLS\b|\bSSL\b|secur|anonymous only", re.IGNORECASE
)
_WEB = ("nginx", "openresty", "tengine", "apache2", "httpd")
_TRUSTS_ITSELF = ("imap", "pop3")


def unsealed(served: Served) -> Iterator[tuple[Literal["login", "untold"], str]]:
    """What is wrong, or not told, of logins beside STARTTLS."""
    protocol = served.starttls[0]
    if protocol not in ("imap", "pop3", "ftp", "smtp", "ldap"):
        return
    asked, at, said = served.login
    taken = _open(protocol, said) if asked == protocol and said else None
    if taken is None:
        yield "untold", f"{protocol}: login without TLS ? {said[:80]}".rstrip()
    elif taken and protocol in _TRUSTS_ITSELF and at != "apart" and served.read != OUTSIDE:
        yield "untold", f"{protocol}: {said[:80]} (127.0.0.1)"
    elif taken:
        yield "login", f"{protocol} {said[:80]}"


def basic(asked: Asked, served: Served) -> Iterator[tuple[Literal["login", "untold"], str]]:
    """Of a web server that answers in the clear: its settings for paths that nobody asked for."""
    if served.process not in _WEB or served.read == OUTSIDE:
        return
    if asked.plain is None:
        yield "untold", "HTTP Basic ?"
        return
    mine = [(kind, file) for kind, port, file in asked.plain if port == str(served.port)]
    told = [file for kind, file in mine if kind == "basic"]
    if told:
        yield "login", f"HTTP Basic {told[0]}"
    elif mine and (loose := [f for kind, port, f in asked.plain if (kind, port) == ("basic", "?")]):
        yield "untold", f"HTTP Basic ? {loose[0]}"


def _open(protocol: str, said: str) -> bool | None:
    if protocol == "imap":
        words = said.upper().split()
        if words[0] != "CAPABILITY":
            return None
        sasl = any(w.startswith("AUTH=") and _PASSWORDS.search(w) for w in words)
        return sasl or "LOGINDISABLED" not in words
    if protocol == "pop3":
        return said.upper().startswith("USER") or bool(_PASSWORDS.search(said))
    if protocol == "smtp":
        return bool(_PASSWORDS.search(said.removeprefix("AUTH "))) if said != "none" else False
    if protocol == "ftp":
        if re.match(r"(?:331|332|230|232)\b", said):
            return True
        return False if re.match(r"[45]\d\d\b", said) and _DEMANDS.search(said) else None
    return False if re.search(r"61..0a010d", said) else None
