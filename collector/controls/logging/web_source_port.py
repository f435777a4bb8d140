"""logging.web_source_port: each request is logged with the client's address and source port."""

from __future__ import annotations

import re
from collections.abc import Iterable

from collector.errors import NotUnderstood
from collector.facts.logs.web.access_logs import Seen, WebSites, seen, web_sites
from collector.facts.logs.web.models import AccessLog, Site
from collector.i18n.message import msg
from collector.judges.predicates import Attestation, attested
from collector.model import Clock, Facts, Method, Parameters, Quote, Result, Value, Verdict

_CONTROL = "logging.web_source_port"
_CONFIG = "web_servers.config"
_LINES = "record_samples.lines"
_NEEDED = {
    "address": ("address", "address_proxy", "address_header"),
    "port": ("port", "port_proxy", "port_header"),
    "time": ("time",),
    "url": ("url",),
    "status": ("status",),
}
_ZH = {
    "address": "来源地址",
    "port": "来源端口",
    "time": "带时区的时间",
    "url": "URL",
    "status": "状态码",
}
_RANK = [
    "off", "undefined", "fields_missing", "differs", "port_lost",
    "port_unsure", "behind_proxy", "some_off", "conditional", "",
]  # fmt: skip


def judge(facts: Facts, parameters: Parameters, clock: Clock) -> Verdict:
    """Every site must log so; the worst of them is told."""
    found = facts.get(web_sites)
    if not found.sites:
        return _without(found, facts, clock)
    told = [_site(site, found, parameters) for site in found.sites]
    told.sort(key=lambda t: _RANK.index(t[0]))
    reason, values, quotes, result = told[0]
    if not reason:
        if found.others or found.contained:
            return _without(found, facts, clock)
        observed = all(t[1].get("seen") for t in told)
        names: dict[str, Value] = {
            "count": len(told),
            "sites": _list(str(t[1]["site"]) for t in told),
        }
        method = Method.OBSERVED if observed else Method.CONFIGURED
        said = "logged" if observed else "configured"
        return Verdict(Result.PASS, said, method, names, tuple(q for t in told for q in t[2])[:12])
    if result is Result.PARTIAL:
        attestation = attested(facts, _CONTROL, clock)
        if attestation is not None and reason in ("port_unsure", "behind_proxy"):
            return _attested(attestation)
    values["sites"] = _list(str(t[1]["site"]) for t in told if t[0] == reason)
    values.pop("seen", None)
    method = (
        Method.CONFIGURED if reason in ("off", "undefined", "fields_missing") else Method.OBSERVED
    )
    return Verdict(result, reason, method, values, quotes)


def _attested(told: Attestation) -> Verdict:
    values: dict[str, Value] = {"by": told.by, "statement": told.statement}
    return Verdict(Result.PASS, "attested", Method.ATTESTED, values, (told.quote,), told.until)


def _list(names: Iterable[str], most: int = 8) -> str:
    known = list(dict.fromkeys(names))
    return ", ".join(known[:most]) + (" …" if len(known) > most else "")


def _without(found: WebSites, facts: Facts, clock: Clock) -> Verdict:
    """Where a server's own files cannot say it, somebody has to."""
    told = found.others or found.contained
    if not told:
        return Verdict(Result.NOTAPPLICABLE, "no_server", Method.OBSERVED)
    attestation = attested(facts, _CONTROL, clock)
    if attestation is not None:
        return _attested(attestation)
    reason = "not_followed" if found.others else "contained"
    quote = Quote("processes.all", told)
    return Verdict(Result.ERROR, reason, Method.OBSERVED, {"servers": _list(told)}, (quote,))


_Told = tuple[str, dict[str, Value], tuple[Quote, ...], Result]


def _site(site: Site, found: WebSites, parameters: Parameters) -> _Told:
    """The reason against it, or an empty one."""
    name = f"{site.server} {site.name}"
    values: dict[str, Value] = {"site": name, "sites": name, "config": site.config}
    quotes = [Quote(_CONFIG, (*(log.line for log in site.logs), *site.lines), site.config)]
    if not site.logs:
        return "off", values, tuple(quotes), Result.FAIL
    told = [_log(log, site, found, values, quotes) for log in site.logs]
    # one log that holds everything is enough, others may hold less
    told.sort(key=lambda t: _RANK.index(t[0]), reverse=True)
    reason, more, result = told[0]
    values |= more
    if not reason:
        unlogged = [x for x in site.unlogged if not _allowed(x, parameters)]
        if unlogged:
            values["places"] = _list(x.removeprefix("location ") for x in unlogged)
            reason, result = "some_off", Result.PARTIAL
    return reason, values, tuple(quotes), result


def _allowed(place: str, parameters: Parameters) -> bool:
    """A place that holds nothing anybody would look for: an icon, a health check."""
    forms = parameters.strings("unlogged")
    return any(re.fullmatch(form, place.rsplit(" ", 1)[-1]) for form in forms)


def _log(
    log: AccessLog, site: Site, found: WebSites, values: dict[str, Value], quotes: list[Quote]
) -> tuple[str, dict[str, Value], Result]:
    if log.format is None:
        if site.server == "caddy":
            raise NotUnderstood(_CONFIG, msg("at", where=site.config, what=log.named))
        return "undefined", {"format": log.named}, Result.FAIL
    roles = set(log.format.roles)
    missing = [name for name, any_of in _NEEDED.items() if not roles & set(any_of)]
    if missing:
        quotes.append(Quote(_CONFIG, (log.format.text[:400],), site.config))
        return (
            "fields_missing",
            {
                "missing": ", ".join(missing),
                "missing_zh": "、".join(_ZH[m] for m in missing),
            },
            Result.FAIL,
        )
    shown = seen(log, site, found.samples) if found.samples else None
    if shown is not None:
        quotes.append(Quote(_LINES, shown.lines, log.path))
        if shown.differs:
            return "differs", {"path": log.path, "format": shown.differs}, Result.FAIL
        if shown.strange:
            raise NotUnderstood(_LINES, msg("not_form_set", path=log.path, strange=shown.strange))
        values["seen"] = True
    port = _port(site, roles, shown)
    if port is not None:
        return port[0], {"path": log.path}, port[1]
    if log.some:
        return "conditional", {"path": log.path}, Result.PARTIAL
    return "", {}, Result.PASS


def _port(site: Site, roles: set[str], shown: Seen | None) -> tuple[str, Result] | None:
    """What is wrong with the port that is logged; None where it is the client's."""
    if roles & {"port_header", "port_proxy"} or site.real == "proxy":
        return None
    if site.real == "header":
        if shown is None:
            return "port_unsure", Result.PARTIAL
        return None if shown.ports >= 0.99 and not shown.inner else ("port_lost", Result.FAIL)
    if shown is not None and shown.count and shown.ports < 0.99:
        return "port_lost", Result.FAIL
    if shown is not None and shown.inner:
        return "behind_proxy", Result.PARTIAL
    return None
