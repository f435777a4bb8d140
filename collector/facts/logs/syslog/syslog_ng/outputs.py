"""Where a destination driver of syslog-ng leads: a file, another host, or something else."""

from __future__ import annotations

import re

from collector.facts.logs.model.syslog_message import Output
from collector.facts.logs.syslog.syslog_ng.parser import Atom

_SYSLOG = {"network": 601, "syslog": 601, "tcp": 514, "tcp6": 514, "udp": 514, "udp6": 514}
# drivers that send to another host, and the option that names it
_HOSTS = {
    "http": "url",
    "elasticsearch-http": "url",
    "elasticsearch2": "cluster-url",
    "opensearch": "url",
    "kafka": "bootstrap-servers",
    "kafka-c": "bootstrap-servers",
    "loki": "url",
    "splunk-hec": "url",
    "splunk-hec-event": "url",
    "splunk-hec-raw": "url",
    "logscale": "url",
    "opentelemetry": "url",
    "syslog-ng-otlp": "url",
    "mongodb": "uri",
    "redis": "host",
    "sql": "host",
    "amqp": "host",
    "mqtt": "address",
    "stomp": "host",
    "riemann": "server",
}


def shown(block: Atom) -> str:
    """A block as one line of evidence."""
    parts = []
    for one in block.inside:
        words = []
        for atom in one:
            if atom.mark:
                ends = ")" if atom.mark == "(" else "}"
                words.append(f"{atom.mark}{shown(atom)}{ends}")
            else:
                words.append(f'"{atom.text}"' if atom.quoted else atom.text)
        parts.append(" ".join(words))
    return re.sub(r" (?=\()", "", "; ".join(parts))[:400]


def _options(given: list[Atom]) -> dict[str, list[Atom]]:
    """`name(value …)` pairs among the arguments of a driver."""
    return {
        given[n].text.replace("_", "-"): given[n + 1].flat
        for n in range(len(given) - 1)
        if not given[n].mark and given[n + 1].mark == "("
    }


def output_of(driver: str, given: list[Atom], source: str, line: str) -> Output | None:
    first = given[0].text if given and not given[0].mark else ""
    options = _options(given)
    none = frozenset[str]()
    queue = "disk" if "disk-buffer" in options else ""
    if driver == "file" and first and not first.startswith(("/dev/", "/proc/")):
        # file("…" logrotate(enable(yes) size(30MB) rotations(5))), of syslog-ng itself
        rotating = {b.text.lower() for a in options.get("logrotate", ()) if a.mark for b in a.flat}
        limit = int("logrotate" in options and not rotating & {"no", "off", "0"})
        return Output(first, "", none, source, line, limit=limit)
    if driver in _SYSLOG:
        said = (
            options.get("transport", [Atom()])[0].text.lower() if options.get("transport") else ""
        )
        udp = driver.startswith("udp") or said == "udp"
        tls = said in ("tls", "proxied-tls") or "tls" in options
        port = 514 if udp else (6514 if tls else _SYSLOG[driver])
        ports = [a.text for name in ("port", "destport") for a in options.get(name, [])]
        port = int(ports[0]) if ports and ports[0].isdecimal() else port
        kind = "udp" if udp else ("tls" if tls else "tcp")
        return (
            Output("", first, none, source, line, port=port, transport=kind, queue=queue)
            if first
            else None
        )
    if driver in _HOSTS:
        values = [a.text for a in options.get(_HOSTS[driver], []) if a.text != ","]
        text = values[0].split(",")[0].split()[0] if values and values[0].split() else first
        place = re.sub(r"^[\w+.-]+://", "", text).split("/")[0].rsplit("@", 1)[-1]
        match = re.fullmatch(r"\[?((?<=\[)[^\]]*|[^:\]]*)\]?(?::(\d{1,5}))?", place)
        host, port_text = (match[1], match[2]) if match else (place, None)
        number = int(port_text) if port_text else None
        return Output(
            "", host or "localhost", none, source, line, port=number, transport=driver, queue=queue
        )
    return None
