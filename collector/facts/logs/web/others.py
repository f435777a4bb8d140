"""lighttpd, Tomcat and Caddy: where their requests are logged, and in which form.

lighttpd: mod_accesslog (accesslog.format), mod_extforward. Tomcat: AccessLogValve and
RemoteIpValve of conf/server.xml. Caddy: the `log` directive of each site; without it a site has no
access log at all.
"""

from __future__ import annotations

import html
import re

from collector.errors import NotUnderstood
from collector.facts.logs.web.formats import CADDY, apache
from collector.facts.logs.web.models import AccessLog, Site
from collector.facts.logs.web.servers import Server
from collector.i18n.message import msg

_READ = "web_servers.config"
_LIGHTTPD = '%h %V %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i"'
_TOMCAT = {
    "common": '%h %l %u %t "%r" %s %b',
    "combined": '%h %l %u %t "%r" %s %b "%{Referer}i" "%{User-Agent}i"',
}


def lighttpd_sites(server: Server) -> list[Site]:
    """One site for the whole server: conditions on hosts and paths are taken together."""
    lines = [x for held in _read(server).values() for x in held if not x.lstrip().startswith("#")]
    loaded = any("mod_accesslog" in x for x in lines)
    text = "\n".join(lines)
    formats = re.findall(r'^[ \t]*accesslog\.format\s*=\s*"((?:[^"\\]|\\.)*)"', text, re.MULTILINE)
    files = re.findall(r'^[ \t]*accesslog\.filename\s*=\s*"([^"]*)"', text, re.MULTILINE)
    format = formats[-1] if formats else _LIGHTTPD
    logs = [AccessLog(f, apache(format), format, False, f"accesslog.filename {f}") for f in files]
    real = "header" if "extforward" in text else ""
    return [Site("lighttpd", "*", server.config, tuple(logs) if loaded else (), (), real)]


def tomcat_sites(server: Server) -> list[Site]:
    """Each Host with an AccessLogValve in it; one site without logs where there is no valve."""
    text = "\n".join(_read(server)[server.config])
    text = re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)
    hosts = re.findall(r'<Host\b[^>]*?name="([^"]*)"', text)
    real = "header" if "RemoteIpValve" in text else ""
    logs = []
    for valve in re.findall(r"<Valve\b[^>]*AccessLogValve[^>]*", text, re.DOTALL):
        told = re.search(r'pattern\s*=\s*"([^"]*)"', valve)
        pattern = html.unescape(told[1]) if told else "common"
        format = apache(_TOMCAT.get(pattern, pattern))
        logs.append(AccessLog("logs/", format, pattern, "condition" in valve, valve[:200]))
    return [Site("tomcat", hosts[0] if hosts else "*", server.config, tuple(logs), (), real)]


def caddy_sites(server: Server) -> list[Site]:
    """Raises NotUnderstood where Caddy was given its configuration another way."""
    blocks = _blocks(_read(server)[server.config])
    snippets = {head[1:-1]: lines for head, lines in blocks if re.fullmatch(r"\([^)]*\)", head)}
    options = [x for head, lines in blocks if not head for x in lines]
    real = "header" if any("trusted_proxies" in x for x in options) else ""
    sites = []
    for head, lines in blocks:
        if not head or head.startswith("("):
            continue
        held = list(lines)
        for line in lines:
            if line.startswith("import "):
                held += snippets.get(line.split()[1], [])
        logs: tuple[AccessLog, ...] = ()
        if any(x.split(" ")[0] == "log" for x in held):
            path = next((x.split()[2] for x in held if re.match(r"output file \S", x)), "-")
            other = next((x for x in held if re.match(r"format (?!json)", x)), "")
            logs = (AccessLog(path, None if other else CADDY, other or "json", False, "log"),)
        sites.append(Site("caddy", head, server.config, logs, (), real))
    if not sites:
        raise NotUnderstood(_READ, msg("no_site_caddy", config=server.config))
    return sites


def _blocks(lines: tuple[str, ...]) -> list[tuple[str, list[str]]]:
    """The outermost blocks of a Caddyfile: their heads, and what stands in them."""
    found: list[tuple[str, list[str]]] = []
    depth = 0
    for line in (x.strip() for x in lines):
        if line.startswith("#"):
            continue
        if line.endswith("{"):
            if depth == 0:
                found.append((line[:-1].strip(), []))
            else:
                found[-1][1].append(line[:-1].strip())
            depth += 1
        elif line == "}":
            depth -= 1
            if depth < 0:
                raise NotUnderstood(_READ, msg("block_caddyfile_ends_not"))
        elif depth:
            found[-1][1].append(line)
    if depth:
        raise NotUnderstood(_READ, msg("block_caddyfile_not_end"))
    return found


def _read(server: Server) -> dict[str, tuple[str, ...]]:
    if server.config not in server.files:
        raise NotUnderstood(_READ, msg("it_was_not_read", config=server.config))
    return server.files
