"""What is wrong with how a listener is served: versions, suites, certificates, or no TLS at all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from collector.facts.data.database_access import ALWAYS_ASK
from collector.facts.data.database_listeners import POOLERS, database_of
from collector.facts.data.database_listeners import PUBLISHERS as _PUBLISHERS
from collector.facts.data.database_tls import demand
from collector.facts.firewall.exposure import Exposure, breadth
from collector.facts.system.processes import processes
from collector.facts.tls.certificates import Certificate, certificate
from collector.facts.tls.probe import READ, Page, Served, tls_served
from collector.facts.tls.sealed_by_itself import sealed_by_itself
from collector.facts.tls.server_hello import VERSIONS
from collector.facts.tls.weak_suites import weak
from collector.judges.clear_logins import basic, unsealed
from collector.model import Facts, Quote

FAILS = ("old", "weak", "certificate", "database", "login")
PARTLY = ("http", "mail", "unverifiable")
_TLS12 = 0x0303
_DEMANDS = frozenset({"mysql", "postgresql", "kingbase", "opengauss", "mongodb"})
# a login goes over these in the clear
_LOGIN = ("imap", "pop3", "ftp", "ldap")


@dataclass(frozen=True, slots=True)
class Fault:
    """`kind` is one of FAILS or PARTLY, or `untold`: whether it is a fault is not known."""

    kind: str
    told: str
    quotes: tuple[Quote, ...]


@dataclass(frozen=True, slots=True)
class Limits:
    now: datetime
    days: int
    most: int
    database_ports: frozenset[int]
    tls_ports: frozenset[int]


def faults_of(
    facts: Facts, exposure: Exposure, served: Served | None, limits: Limits
) -> Iterator[Fault]:
    """What is wrong at one listener; what only perhaps can be reached is `untold` then."""
    sure = exposure.reachable == "yes"
    for fault in _all_faults(facts, exposure, served, limits):
        if sure or fault.kind == "untold":
            yield fault
        else:
            yield Fault("untold", fault.told, fault.quotes)


def _all_faults(
    facts: Facts, exposure: Exposure, served: Served | None, limits: Limits
) -> Iterator[Fault]:
    word, engine = word_of(exposure), engine_of(exposure, limits)
    if served is None or served.state in ("held", "device", "more"):
        quote = Quote(served.read, (served.line,)) if served else Quote("sockets.listening", (
            exposure.listener.line,))  # fmt: skip
        yield Fault("untold", f"{word}: -", (quote,))
        return
    quotes = (Quote(served.read, (served.line,)),)
    if exposure.targets and served.read == READ and served.process not in _PUBLISHERS:
        # packets from elsewhere go on to another destination, what this host sends itself does not
        yield Fault("untold", f"{word} → {exposure.targets[0]}: -", quotes)
        return
    if served.state == "skip":
        if _strangers(facts, exposure) or not (engine or sealed_by_itself(served)):
            yield Fault("untold", f"{word}: -", quotes)
        if engine in _DEMANDS:
            yield from _undemanded(facts, word, engine, quotes)
        return
    if not served.whole or served.closed:
        yield Fault("untold", f"{word}: …", quotes)
        return
    if served.tls:
        # who sends mail goes on in the clear where TLS fails (RFC 7435): better weak than none
        opportune = served.starttls[0] == "smtp" and served.port == 25
        for fault in _handshakes(exposure, served, quotes, limits, database=bool(engine)):
            mild = opportune and fault.kind in FAILS
            yield replace(fault, kind="mail") if mild else fault
        yield from (Fault(kind, f"{word}: {told}", quotes) for kind, told in unsealed(served))
    if engine:
        yield from _database(facts, word, engine, served, quotes)
    elif not served.tls:
        yield from _clear(facts, exposure, served, quotes, limits)
        if served.http:
            more = basic(facts.get(tls_served), served)
            yield from (Fault(kind, f"{word}: {told}", quotes) for kind, told in more)


def _handshakes(
    exposure: Exposure,
    served: Served,
    quotes: tuple[Quote, ...],
    limits: Limits,
    *,
    database: bool,
) -> Iterator[Fault]:
    word = word_of(exposure)
    chosen = [a for a in served.answers.values() if a.state == "chosen"]
    old = [VERSIONS[a.version] for a in chosen if a.version < _TLS12]
    if old:
        yield Fault("old", f"{word}: {', '.join(dict.fromkeys(old))}", quotes)
    suites = [name for a in chosen if (name := weak(a.suite))]
    if suites:
        yield Fault("weak", f"{word}: {', '.join(dict.fromkeys(suites))}", quotes)
    public = breadth(exposure.yes | exposure.unknown, exposure.listener.family) > limits.most
    chains = dict.fromkeys(a.chain for a in chosen if a.chain)
    if public and not database:
        yield from _misnamed(word, served, quotes)
    for chain in chains:
        yield from _certificates(word, chain, quotes, limits, public=public and not database)
    if not chosen:
        alert = next((a.alert for a in served.answers.values() if a.alert >= 0), -1)
        yield Fault("untold", f"{word}: alert {alert}", quotes)
    elif not chains and not suites:
        yield Fault("untold", f"{word}: {VERSIONS[chosen[0].version]}, ?", quotes)
    # whoever refuses says so: a connection that only ends may have ended for another reason
    for kind in ("old", "weak"):
        if served.answer(kind).state not in ("chosen", "refused"):
            yield Fault("untold", f"{word}: {kind} …", quotes)


def _strangers(facts: Facts, exposure: Exposure) -> bool:
    """Is it a user's own program? By its name alone it was not asked, and anyone may take a name.

    Ports below 1024 are opened by root.
    """
    pid = exposure.listener.pid
    if not pid or exposure.listener.port < 1024:
        return False
    return any(
        p.login or (p.uid and not p.service and not p.container)
        for p in facts.get(processes).all
        if p.pid == pid
    )


def _certificates(
    word: str, chain: tuple[bytes, ...], quotes: tuple[Quote, ...], limits: Limits, *, public: bool
) -> Iterator[Fault]:
    """The leaf and its issuer must hold; what stands further up has other ways to be trusted."""
    known = [certificate(data, READ) for data in chain]
    if known[0].weak:
        yield Fault("weak", f"{word}: {known[0].subject} {known[0].weak}", quotes)
    for depth, one in enumerate(known):
        told = f"{word}: {one.line}"
        if one.ends < limits.now + timedelta(days=limits.days):
            if depth < 2 or one.ends >= limits.now:
                kind = "certificate" if depth < 2 else ""
            else:
                kind = "unverifiable"
            if kind:
                yield Fault(kind, told, quotes)
        elif one.begins > limits.now:
            yield Fault("certificate", told, quotes)
    if not public:
        return
    leaf = known[0]
    broken = len(known) > 1 and known[1].subject != leaf.issuer
    if leaf.own or not leaf.names or broken:
        yield Fault("unverifiable", f"{word}: {leaf.line}", quotes)


def _misnamed(word: str, served: Served, quotes: tuple[Quote, ...]) -> Iterator[Fault]:
    """A certificate of its own that a site shows, and that does not name the site.

    What is shown to everybody says nothing: the name may not be served at this port at all.
    """
    common = served.answer("new").chain
    for (_, name), found in served.answers.items():
        if name and found.chain and found.chain != common:
            leaf = certificate(found.chain[0], READ)
            if not leaf.covers(name):
                yield Fault("unverifiable", f"{word} {name}: {leaf.line}", quotes)


def _database(
    facts: Facts, word: str, engine: str, served: Served, quotes: tuple[Quote, ...]
) -> Iterator[Fault]:
    if any(a.state == "chosen" for a in served.answers.values()):
        if engine in _DEMANDS:
            yield from _undemanded(facts, word, engine, quotes)
        elif engine == "port" or engine in POOLERS:
            yield Fault("untold", f"{word}: TLS ?", quotes)
        return
    if not served.tls:
        yield _without_tls(facts, word, engine, served, quotes)


def _without_tls(
    facts: Facts, word: str, engine: str, served: Served, quotes: tuple[Quote, ...]
) -> Fault:
    """It has none, or its way of encrypting is not known here, or it said nothing to this host."""
    none, unknown = (
        Fault("database", f"{word}: TLS -", quotes),
        Fault("untold", f"{word}: TLS ?", quotes),
    )
    states = {a.state for a in served.answers.values()}
    unasked = engine in POOLERS and served.starttls[0] != "pg"
    if engine in ALWAYS_ASK or served.starttls[1][8:10] == "ff" or unasked:
        return unknown
    if served.starttls == ("pg", "N") or "other" in states:
        return none
    if "late" in states and engine in ("redis", "memcached", "port"):
        return none
    if engine == "mongodb":
        # it closes on what is no message of its own
        for fault in _undemanded(facts, word, engine, quotes):
            return fault
    return unknown


def _undemanded(facts: Facts, word: str, engine: str, quotes: tuple[Quote, ...]) -> Iterator[Fault]:
    found = demand(facts.capture, engine)
    if found.state != "demanded":
        kind = "database" if found.state == "optional" else "untold"
        yield Fault(kind, f"{word}: {found.why}", (*quotes, found.quote))


def _clear(
    facts: Facts,
    exposure: Exposure,
    served: Served,
    quotes: tuple[Quote, ...],
    limits: Limits,
) -> Iterator[Fault]:
    """No TLS: by HTTP, by a protocol with logins, or by something that is not spoken here."""
    word, listener = word_of(exposure), exposure.listener
    protocol, said = served.starttls
    if protocol in (*_LOGIN, "smtp"):
        kind = "login" if protocol in _LOGIN or listener.port != 25 else "mail"
        # else it did not greet, so that it was not asked
        asked = bool(said) and not said.startswith("- ") and said != "-"
        yield Fault(kind if asked else "untold", f"{word}: {protocol} {said}".rstrip(), quotes)
        return
    pages = [*served.http]
    if not pages:
        # what holds a port for others may have nothing to say to the host itself
        if listener.port in limits.tls_ports or listener.process in _PUBLISHERS:
            yield Fault("untold", f"{word}: …", quotes)
        elif not sealed_by_itself(served) or (not served.ssh and _strangers(facts, exposure)):
            # whatever passes through it, passwords and records too, may do so in the clear
            yield Fault("untold", f"{word}: TLS ?", quotes)
        return
    held = tuple(Quote(served.read, (page.line,)) for page in pages[:8])
    login = [p for p in pages if p.status == 401 and p.login.lower() == "basic"]
    if login:
        yield Fault("login", f"{word}: HTTP Basic {login[0].name}{login[0].path}", held)
        return
    plain = [p for p in answered(pages) if not redirects(p)]
    if plain and breadth(exposure.yes | exposure.unknown, listener.family) > limits.most:
        site = f"{plain[0].name}{plain[0].path}"
        yield Fault("http", f"{word}: HTTP {plain[0].status} {site}", held)


def answered(pages: list[Page]) -> list[Page]:
    """Without those of names to which nobody here answers, where others are answered."""
    by_name: dict[str, list[Page]] = {}
    for page in pages:
        by_name.setdefault(page.name, []).append(page)
    nobody = [p.status for p in by_name.get("", ())]
    if min(nobody, default=0) < 400 or 401 in nobody:
        return pages
    known = [held for held in by_name.values() if [p.status for p in held] != nobody]
    return [p for held in known for p in held] or pages


def redirects(page: Page) -> bool:
    """Does it only lead to HTTPS (RFC 9110, 15.4)?"""
    return page.status in (301, 302, 303, 307, 308) and page.location.lower().startswith("https://")


def word_of(exposure: Exposure) -> str:
    listener = exposure.listener
    who = listener.process or (f"→ {exposure.targets[0]}" if exposure.targets else "?")
    return f"{listener.port} {who}"


def leaves(served: Served) -> Iterator[Certificate]:
    for found in served.answers.values():
        if found.chain:
            yield certificate(found.chain[0], READ)


def engine_of(exposure: Exposure, limits: Limits) -> str:
    """The database behind a socket, `port` for what only listens at a usual one, or nothing."""
    engine = database_of(exposure, limits.database_ports)
    return "port" if engine.startswith("port ") else engine
