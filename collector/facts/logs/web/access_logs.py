"""What each site's access log holds of every request: as configured, and as the records show.

A format only says what a server was told to write; the records say whether it does, and whether
the port beside the address is the client's. Behind a proxy the client's port is known to the proxy
alone: nginx's realip leaves $remote_port empty and Apache's mod_remoteip leaves 0 where the header
names no port; only the PROXY protocol, or a header of its own, brings it along.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from collector.facts.logs.records.samples import READS as _SAMPLE_READS
from collector.facts.logs.records.samples import Samples, records
from collector.facts.logs.web.apache import apache_sites
from collector.facts.logs.web.formats import COMBINED, COMMON, Format
from collector.facts.logs.web.models import AccessLog, Site
from collector.facts.logs.web.nginx import nginx_sites
from collector.facts.logs.web.others import caddy_sites, lighttpd_sites, tomcat_sites
from collector.facts.logs.web.servers import READS as _SERVER_READS
from collector.facts.logs.web.servers import Servers, web_servers
from collector.model import Capture, Read

READS: tuple[Read, ...] = (*_SERVER_READS, *_SAMPLE_READS)

_PARSERS = {
    "nginx": nginx_sites,
    "httpd": apache_sites,
    "lighttpd": lighttpd_sites,
    "tomcat": tomcat_sites,
    "caddy": caddy_sites,
}
_LAST = 3
# by the half of an address that stays when it is masked
_PRIVATE = re.compile(
    r"10\.|127\.|192\.168\.|169\.254\.|172\.(?:1[6-9]|2\d|3[01])\.|100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7])\."
    r"|::1$|f[cd][0-9a-f]{2}:|fe80:|unix:|::ffff:(?:10|127|192\.168)\.",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"[1-9]\d{0,4}|\*{2,5}")


@dataclass(frozen=True, slots=True)
class WebSites:
    """All sites; servers whose configuration is not followed; those in containers."""

    sites: tuple[Site, ...]
    others: tuple[str, ...]
    contained: tuple[str, ...]
    samples: Samples | None


@dataclass(frozen=True, slots=True)
class Seen:
    """What the records of one log show. `count` are those in the configured form.

    `strange`: the last ones are in none of the forms known; `differs`: they are in this other one.
    `ports` is the share of records with a port in them, `inner` whether every client's address
    is one of a private network.
    """

    count: int
    ports: float
    inner: bool
    strange: str
    differs: str
    lines: tuple[str, ...]


def web_sites(capture: Capture) -> WebSites:
    """Raises FactError when servers or their configuration could not be looked at."""
    servers = web_servers(capture)
    sites, others = _parsed(servers)
    held = records(capture) if sites else None
    return WebSites(tuple(sites), tuple(others), servers.contained, held)


def configured_sites(capture: Capture) -> tuple[Site, ...]:
    """The sites alone, whatever lies in their logs. Raises FactError."""
    return tuple(_parsed(web_servers(capture))[0])


def _parsed(servers: Servers) -> tuple[list[Site], list[str]]:
    """The sites, and the servers whose configuration is not followed."""
    sites: list[Site] = []
    others: list[str] = []
    for server in servers.own:
        parse = _PARSERS.get(server.kind)
        if parse is None:
            others.append(server.process)
        else:
            sites += parse(server)
    return [_kept(site) for site in sites], others


# what is written there is gone: a null device, a ring of nginx's own memory, a pipe into either
_NOWHERE = re.compile(
    r"/dev/(?:null|zero)|memory:.*|\|{1,2}\$?\s*(?:\S*/)?(?:true|false|:)(?:\s.*)?|\|.*>\s*/dev/null\b.*"
)


def _kept(site: Site) -> Site:
    """The site without the logs that go nowhere; where it has others, those places are told.

    >>> log = AccessLog("/dev/null", None, "combined", False, "access_log /dev/null")
    >>> _kept(Site("nginx", "shop", "/etc/nginx/nginx.conf", (log,))).logs
    ()
    """
    lost = [log for log in site.logs if _NOWHERE.fullmatch(log.path)]
    if not lost:
        return site
    left = tuple(log for log in site.logs if log not in lost)
    told = tuple(log.line for log in lost) if left else ()
    return replace(site, logs=left, unlogged=(*site.unlogged, *told))


def seen(log: AccessLog, site: Site, samples: Samples) -> Seen | None:
    """What lies in the file of this log; None where it has no records, or is no file."""
    sampled = samples.logs.get(log.path)
    if sampled is None or log.format is None or not sampled.lines or sampled.kind != "web":
        return None
    # what is longer than is taken of a line does not end as the format does
    lines = [x for x in sampled.lines if len(x) < 1100 or log.format.text == "json"]
    if not lines:
        return None
    forms = {log.named: log.format, **site.formats}
    told = [log.format.values(x) for x in lines]
    last = told[-_LAST:]
    strange = differs = ""
    if any(v is None for v in last):
        line = next(x for x, v in zip(lines[-_LAST:], last, strict=True) if v is None)
        differs = next((n for n, f in _known(forms).items() if f.values(line)), "")
        strange = "" if differs else line
    values = [v for v in told if v is not None]
    ports = [v for v in values if _NUMBER.fullmatch(v.get("port", ""))]
    addresses = [v["address"] for v in values if v.get("address")]
    return Seen(
        len(values),
        len(ports) / len(values) if values else 0.0,
        bool(addresses) and all(_PRIVATE.match(a) for a in addresses),
        strange,
        differs,
        tuple(lines[-_LAST:]),
    )


def _known(formats: dict[str, Format]) -> dict[str, Format]:
    return {**formats, "combined": COMBINED, "common": COMMON}
