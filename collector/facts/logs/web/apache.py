"""Apache httpd: the access logs of each virtual host (mod_log_config, mod_remoteip).

A virtual host with a CustomLog or TransferLog of its own does not write to those of the main
server. mod_remoteip puts a header's address in place of the proxy's, but `%{remote}p` stays the
port of the proxy's connection, unless the PROXY protocol brings both.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from collector.errors import NotUnderstood
from collector.facts.logs.web.formats import COMMON, Format, apache
from collector.facts.logs.web.models import AccessLog, Site
from collector.facts.logs.web.servers import Server
from collector.i18n.message import msg

_READ = "web_servers.config"
_STATIC = {"core", "so", "http_core", "log_config_module", "logio_module", "unixd_module"}
_WORD = re.compile(r'"((?:[^"\\]|\\.)*)"|\'((?:[^\'\\]|\\.)*)\'|(\S+)')


@dataclass(slots=True)
class _Host:
    name: str
    path: str
    logs: list[list[str]] = field(default_factory=list)
    transfers: list[list[str]] = field(default_factory=list)
    wide: list[list[str]] = field(default_factory=list)
    remote: list[list[str]] = field(default_factory=list)
    nameless: str = ""


@dataclass(slots=True)
class _State:
    server: Server
    root: str
    loaded: set[str]
    defined: dict[str, str]
    formats: dict[str, Format]
    hosts: list[_Host]


def apache_sites(server: Server) -> list[Site]:
    """Raises NotUnderstood where the configuration is not whole."""
    if server.config not in server.files:
        raise NotUnderstood(_READ, msg("it_was_not_read", config=server.config))
    base = server.config.rsplit("/", 1)[0]
    base = base.removesuffix("/conf")
    main = _Host("*", server.config)
    state = _State(server, base, set(_STATIC), dict(server.settings), {}, [main])
    _run(state, server.config, 0)
    sites = [_site(state, main, host) for host in state.hosts[1:]]
    return sites or [_site(state, main, main)]


def _run(state: _State, path: str, depth: int) -> None:
    if depth > 20:
        raise NotUnderstood(_READ, msg("includes_go_round", path=path))
    inside, skipped, macro = False, 0, False
    for line in state.server.files[path]:
        words = ["".join(x) for x in _WORD.findall(line)]
        name = words[0].lower()
        if name.startswith(("<if", "</if")):
            skipped = _conditions(state, name, words, skipped)
        elif skipped:
            continue
        elif name.startswith(("<macro", "</macro")):
            macro = name.startswith("<macro")
        elif name.startswith("<virtualhost"):
            state.hosts.append(_Host(" ".join(words[1:]).rstrip(">"), path))
            inside = True
        elif name.startswith("</virtualhost"):
            inside = False
        elif name in ("include", "includeoptional") and len(words) > 1:
            for found in _matching(state, words[1]):
                _run(state, found, depth + 1)
        else:
            if macro and name in ("customlog", "transferlog"):
                raise NotUnderstood(_READ, msg("log_within_macro", path=path))
            _take(state, state.hosts[-1] if inside else state.hosts[0], name, words)


def _conditions(state: _State, name: str, words: list[str], skipped: int) -> int:
    """How deep we are within sections that do not hold."""
    if name.startswith("</"):
        return max(0, skipped - 1)
    if skipped:
        return skipped + 1
    told = " ".join(words[1:]).rstrip(">").strip()
    negated, told = told.startswith("!"), told.lstrip("!")
    if name.startswith("<ifmodule"):
        module = re.sub(r"^mod_(\w+)\.c$", r"\1_module", told)
        holds = module in state.loaded
    else:
        holds = told in state.defined
    # a section that holds must be counted as none at its end: only those that do not are skipped
    return 0 if holds is not negated else 1


def _take(state: _State, host: _Host, name: str, words: list[str]) -> None:
    rest = [_expanded(state, w) for w in words[1:]]
    if name == "loadmodule" and rest:
        state.loaded.add(rest[0])
    elif name == "define" and rest:
        state.defined[rest[0]] = rest[1] if len(rest) > 1 else ""
    elif name == "serverroot" and rest:
        state.root = rest[0].rstrip("/")
    elif name == "servername" and rest and host is not state.hosts[0]:
        host.name = rest[0]
    elif name == "logformat" and rest:
        if len(rest) > 1:
            state.formats[rest[1]] = apache(rest[0])
        else:
            host.nameless = rest[0]
    elif name == "customlog" and rest:
        host.logs.append(rest)
    elif name == "globallog" and rest:
        host.wide.append(rest)
    elif name == "transferlog" and rest:
        host.transfers.append(rest)
    elif name.startswith("remoteip"):
        host.remote.append([words[0], *rest])


def _expanded(state: _State, word: str) -> str:
    return re.sub(r"\$\{(\w+)\}", lambda m: state.defined.get(m[1], m[0]), word)


def _matching(state: _State, pattern: str) -> list[str]:
    whole = posixpath.normpath(posixpath.join(state.root, _expanded(state, pattern)))
    folder = [p for p in state.server.files if p.startswith(f"{whole}/")]
    if not re.search(r"[*?\[]", whole):
        return [whole] if whole in state.server.files else sorted(folder)
    return sorted(
        p for p in state.server.files if p.count("/") == whole.count("/") and fnmatchcase(p, whole)
    )


def _site(state: _State, main: _Host, host: _Host) -> Site:
    own = host.logs or host.transfers
    chosen = host if own else main
    logs = list(_logs(state, main, chosen))
    if host is not main or chosen is main:
        logs += [_log(state, words, main) for words in main.wide]
    remote = [*main.remote, *(host.remote if host is not main else [])]
    told = {words[0].lower(): words for words in remote}
    real = ""
    if "remoteip_module" in state.loaded:
        proxied = told.get("remoteipproxyprotocol", ["", "off"])[-1].lower()
        real = "header" if "remoteipheader" in told else ""
        real = "proxy" if proxied == "on" else real
    lines = tuple(" ".join(w) for w in remote[:5]) if real else ()
    return Site(
        "httpd", host.name, host.path, tuple(dict.fromkeys(logs)), (), real, lines, state.formats
    )


def _logs(state: _State, main: _Host, host: _Host) -> Iterator[AccessLog]:
    for words in host.logs:
        yield _log(state, words, host)
    for words in host.transfers:
        yield _log(state, [words[0], host.nameless or main.nameless or COMMON.text], host)


def _log(state: _State, words: list[str], host: _Host) -> AccessLog:
    del host
    path = words[0] if words[0].startswith(("|", "/", "syslog:")) else f"{state.root}/{words[0]}"
    named = words[1] if len(words) > 1 and not words[1].startswith(("env=", "expr=")) else ""
    some = any(w.startswith(("env=", "expr=")) for w in words[1:])
    format = state.formats.get(named)
    if format is None:
        format = apache(named) if "%" in named else COMMON if not named else None
    return AccessLog(path, format, named or "%h %l …", some, "CustomLog " + " ".join(words))
