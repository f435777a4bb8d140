"""nginx: the access logs of each server, as the directives are inherited.

ngx_http_log_module: `access_log` of an outer level holds where an inner level has none of its own;
`access_log off` ends all of its level; without any, logs/access.log in the format `combined`.
ngx_http_realip_module: what stands in for the client's address; its port only comes with it from
the PROXY protocol, or where the header names one (else $remote_port is empty).
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from collector.errors import NotUnderstood
from collector.facts.logs.web.formats import COMBINED, Format, nginx
from collector.facts.logs.web.models import AccessLog, Site
from collector.facts.logs.web.servers import Server
from collector.i18n.message import msg

_READ = "web_servers.config"
_DEEP = 20


@dataclass(slots=True)
class _Block:
    head: tuple[str, ...]
    path: str
    words: list[tuple[str, ...]] = field(default_factory=list)
    blocks: list[_Block] = field(default_factory=list)

    def all(self, name: str) -> list[tuple[str, ...]]:
        return [w for w in self.words if w[0] == name]


def nginx_sites(server: Server) -> list[Site]:
    """Raises NotUnderstood where the configuration is not whole."""
    if server.config not in server.files:
        raise NotUnderstood(_READ, msg("it_was_not_read", config=server.config))
    top = _Block((), server.config)
    _include(server, server.config, top, 0)
    sites = []
    for http in (b for b in top.blocks if b.head[:1] == ("http",)):
        derived = _derived(http)
        formats = {"combined": COMBINED}
        for words in http.all("log_format"):
            if len(words) > 2:
                formats[words[1]] = nginx(words[2:], derived)
        for block in (b for b in http.blocks if b.head[:1] == ("server",)):
            sites.append(_site(server, http, block, formats))
    return sites


def _include(server: Server, path: str, block: _Block, depth: int) -> None:
    if depth > _DEEP:
        raise NotUnderstood(_READ, msg("includes_go_round", path=path))
    open_blocks = [block]
    for line in server.files[path]:
        words = tuple(line.split("\t"))
        if words[0] == "{":
            inner = _Block(words[1:], path)
            open_blocks[-1].blocks.append(inner)
            open_blocks.append(inner)
        elif words[0] == "}":
            if len(open_blocks) == 1:
                raise NotUnderstood(_READ, msg("block_ends_not_begin", path=path))
            open_blocks.pop()
        elif words[0] == "include" and len(words) == 2:
            for found in _matching(server, words[1], path):
                _include(server, found, open_blocks[-1], depth + 1)
        else:
            open_blocks[-1].words.append(words)
    if len(open_blocks) != 1:
        raise NotUnderstood(_READ, msg("block_not_end", path=path))


def _matching(server: Server, pattern: str, path: str) -> list[str]:
    base = server.config.rsplit("/", 1)[0]
    whole = posixpath.normpath(posixpath.join(base, pattern))
    if not re.search(r"[*?\[]", whole):
        if whole not in {posixpath.normpath(p) for p in server.files}:
            raise NotUnderstood(_READ, msg("was_not_read", path=path, pattern=pattern))
        return [p for p in server.files if posixpath.normpath(p) == whole]
    return sorted(
        p
        for p in server.files
        if p.count("/") == whole.count("/")
        and fnmatchcase(posixpath.normpath(p), whole)
        and (whole.rsplit("/", 1)[1][0] == "." or not p.rsplit("/", 1)[1].startswith("."))
    )


def _derived(block: _Block) -> dict[str, str]:
    """Variables of map and set, and the variable that each is made of."""
    found = {}
    for inner in block.blocks:
        if inner.head[:1] == ("map",) and len(inner.head) == 3:
            found[inner.head[2].lstrip("$")] = inner.head[1].lstrip("$")
        found.update(_derived(inner))
    for words in block.all("set"):
        if len(words) == 3:
            found[words[1].lstrip("$")] = words[2].lstrip("$")
    return found


def _site(server: Server, http: _Block, block: _Block, formats: dict[str, Format]) -> Site:
    names = [n for words in block.all("server_name") for n in words[1:] if n not in ("", "_")]
    listen = [" ".join(words[1:]) for words in block.all("listen")]
    outer = _logs(server, http, formats)
    if outer is None:
        default = server.settings.get("log") or "logs/access.log"
        outer = [_log(server, ("access_log", default), formats)]
    own = _logs(server, block, formats)
    logs = outer if own is None else own
    inner, unlogged = _inner(server, block, formats)
    trusted = block.all("set_real_ip_from") or http.all("set_real_ip_from")
    headers = block.all("real_ip_header") or http.all("real_ip_header")
    header = headers[-1][1] if headers and len(headers[-1]) > 1 else "X-Real-IP"
    real = ""
    if trusted:
        real = "proxy" if header == "proxy_protocol" else "header"
    lines = [" ".join(w) for w in (*headers, *trusted[:3]) if trusted]
    return Site(
        server.kind,
        names[0] if names else (listen[0] if listen else "?"),
        block.path,
        tuple(dict.fromkeys((*logs, *inner))),
        tuple(unlogged),
        real,
        tuple(lines),
        formats,
    )


def _logs(server: Server, block: _Block, formats: dict[str, Format]) -> list[AccessLog] | None:
    """None where the level says nothing."""
    told = [w for w in block.all("access_log") if len(w) > 1]
    if not told:
        return None
    if any(w[1] == "off" for w in told):
        return []
    return [_log(server, w, formats) for w in told]


def _log(server: Server, words: tuple[str, ...], formats: dict[str, Format]) -> AccessLog:
    path, *rest = words[1:]
    if not path.startswith(("/", "syslog:", "$", "memory:")):
        path = posixpath.join(server.settings.get("prefix") or "/", path)
    options = [w for w in rest if re.match(r"(buffer|flush|if|gzip)(=|$)", w)]
    named = next((w for w in rest if w not in options), "combined")
    some = any(w.startswith("if=") for w in options)
    return AccessLog(path, formats.get(named), named, some, " ".join(words))


def _inner(
    server: Server, block: _Block, formats: dict[str, Format]
) -> tuple[list[AccessLog], list[str]]:
    """The logs of locations (and of `if` in them), and the locations that have none."""
    logs: list[AccessLog] = []
    unlogged: list[str] = []
    for inner in block.blocks:
        if inner.head[:1] not in (("location",), ("if",), ("limit_except",)):
            continue
        own = _logs(server, inner, formats)
        if own == []:
            unlogged.append(" ".join(inner.head))
        logs += own or []
        deeper, more = _inner(server, inner, formats)
        logs += deeper
        unlogged += more
    return logs, unlogged
