"""What each probe does, from the control node; `catalogs/probes.yml` says the same in words."""

from __future__ import annotations

import contextlib
import ipaddress
import random
import re
import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from collector.catalog import control
from collector.run.probing import from_here, stores
from collector.run.probing.seen import listening, own_addresses, target, tries_of_sshd
from collector.run.probing.site import Site, Undone

_MOST_PORTS = 60
_UNUSED = 8
_EXCHANGES = 3
# a ban below so many failures could be ours by one login
_FEWEST = 3
# sshd's own penalties (PerSourcePenalties, 5 s for a failed login) have run off by then
_APART, _MOST_TRIES, _MOMENT = 6.0, 20, 15.0
# what one try, and looking whether the address is out, may take (seconds)
_SPARE = 45.0


def integrity(site: Site) -> None:
    """One file below a watched tree, one comparison."""
    site.act("integrity")


def failed_login(site: Site) -> None:
    """One login from here, then the host's records of it."""
    where, port = target(site)
    _pledged(where, site.given["addresses"])
    _below_ban(site)
    source = site.capture.head.get("session", "").partition(" ")[0]
    site.act("login_before", SOURCE=source or "-")
    # units and files of the probe are named by its nonce, which every user of the host can see
    account = f"hostpledge-canary-{secrets.token_hex(8)}"
    site.note("account", account)
    site.note("to", f"{where} {port}")
    site.note("answer", from_here.failed_login(where, port, account))
    site.act("failed_login", ACCOUNT=account)


def _below_ban(site: Site) -> None:
    known = tries_of_sshd(site)
    if any(most < _FEWEST for most in known):
        raise Undone("ban_limit", f"maxretry {min(known)}")


def log_arrival(site: Site) -> None:
    """Our own login; nothing more is sent than that."""
    _by_ssh(site)
    said = site.plain('echo "hostpledge-login ${SSH_CONNECTION:-}"')
    found = re.search(r"hostpledge-login (\S+) (\d+) \S+ \d+", said)
    if found is None:
        raise Undone("no_login", "")
    login = f"{found[1].partition('%')[0]} port {found[2]}"
    site.note("login", login)
    site.act("log_arrival", LOGIN=login)
    store = str(site.given["store"])
    if store.startswith(stores.BY_HTTP):
        site.note("store", stores.shown(store))
        if stores.is_at(store, [str(site.capture.origin.get("address", "")), *own_addresses(site)]):
            site.note("store_asked", "itself")
            return
        for key, value in stores.ask(store, login, site.begun, int(site.given["store_seconds"])):
            site.note(key, value)


def _by_ssh(site: Site) -> None:
    """This very machine has no other clock than its own, and whose login it is nobody knows."""
    if site.capture.origin.get("transport") != "ansible-ssh":
        raise Undone("not_direct", str(site.capture.origin.get("transport", "")))


def malware_stream(site: Site) -> None:
    """The EICAR test text through clamd's stream, and into a file where a folder is named."""
    named = str(site.given["malware_folder"])
    folder = named.rstrip("/")
    if named:
        # it stands in texts of sh and in a rule of tmpfiles.d(5)
        if not re.fullmatch(r"(/[\w.-]+)+", folder):
            raise Undone("folder_form", named)
        site.note("folder", folder)
    site.act("malware_stream", FOLDER=folder)


def clock(site: Site) -> None:
    """A few exchanges over SSH: the host's clock lies between our two."""
    _by_ssh(site)
    for _ in range(_EXCHANGES):
        before = time.time()
        said = site.plain("date -u +'hostpledge-clock %s.%N'")
        after = time.time()
        found = re.search(r"hostpledge-clock (\d{9,11}(?:\.\d{1,9})?)", said)
        if found is None:
            raise Undone("lost", "")
        # a date without %N tells whole seconds, and lies up to one behind
        blur = 0.0 if "." in found[1] else 0.5
        off = float(found[1]) + blur - (before + after) / 2
        site.note("exchange", f"{off:.6f} {(after - before) / 2 + blur:.6f}")


def outside_ports(site: Site) -> None:
    """Ports that listen, ports that are attacked on sight, and a few that nobody listens on."""
    where, ssh = target(site)
    _pledged(where, site.given["addresses"])
    source = from_here.own_address(where)
    if not source:
        raise Undone("no_address", "")
    site.note("source", source)
    site.note("target", where)
    site.note("listed", " ".join(map(str, _listed())))
    for port, answer in sorted(from_here.ask_ports(where, _ports(site)).items()):
        site.note("port", f"{port} {answer}")
    # a network that went away, or a ban of this node, would look like ports that are shut
    site.note("afterwards", from_here.connects(where, ssh))


def _pledged(where: str, networks: Iterable[str]) -> None:
    """Of a pledge that declares addresses, nothing is sent to others than these."""
    declared = [ipaddress.ip_network(text, strict=False) for text in networks]
    own = ipaddress.ip_address(where)
    if declared and not any(own in n for n in declared if n.version == own.version):
        raise Undone("not_pledged", where)


def _ports(site: Site) -> list[int]:
    """Those that listen first: what is left out was not asked, and nothing is said of it."""
    found = listening(site)
    listed = _listed()
    free = [p for p in range(20_000, 60_000) if p not in found]
    wanted = [
        *found[: _MOST_PORTS // 2],
        *random.Random(site.nonce).sample(free, _UNUSED),  # noqa: S311 - no secret
        *listed,
    ]
    return sorted(dict.fromkeys(wanted[:_MOST_PORTS]))


def _listed() -> list[int]:
    """What is attacked on sight."""
    found: list[int] = []
    for text in control("firewall.exposed_ports").for_grade(2).strings("ports"):
        low, _, high = text.partition("-")
        found += range(int(low), int(high or low) + 1)
    return found


def ban(site: Site) -> None:
    """A burst from an address that is given for it; it is unbanned again, whatever came of it."""
    source = str(site.given["ban_from"])
    source = _plain(source) if source else ""
    if not source:
        raise Undone("no_address", "")
    where, port = target(site)
    _pledged(where, site.given["addresses"])
    session = site.capture.head.get("session", "").partition(" ")[0]
    if source in (session, from_here.own_address(where)):
        raise Undone("own_address", source)
    site.note("from", source)
    _seen_as(site, where, port, source)
    begun = time.monotonic()
    # where that is not done there is nothing to take back either
    limits = site.act("ban_before", ADDRESS=source)
    most = max(
        (int(x.split()[2]) for x in limits if re.fullmatch(r"limit \S+ \d{1,3}", x)), default=5
    )
    # by then systemd takes the ban back, and the address would look as if it had never been out
    later = sum(int(x.split()[1]) for x in limits if re.fullmatch(r"later \d{1,4}", x))
    last = begun + later - _SPARE
    site.note("before", from_here.greets(where, port, source))
    account = f"hostpledge-canary-{site.nonce}"
    site.note("account", account)
    left = f"ban of {source} until systemd ends it"
    try:
        for number in range(min(most, _MOST_TRIES) + 1):
            if number:
                time.sleep(_APART)
            site.go_on()
            if time.monotonic() > last:
                raise Undone("late", "")
            answer = from_here.failed_login(where, port, account, source)
            site.note("attempt", f"{number + 1} {answer}")
            if answer != "refused" and number:
                break
        site.note("after", _until(lambda s: s != "open", where, port, source))
        # a network that went away looks like a ban of everybody
        site.note("beside", from_here.greets(where, port))
    finally:
        site.back("ban_after", left, ADDRESS=source)
    try:
        site.note("again", _until(lambda s: s == "open", where, port, source))
    finally:
        # what was still on its way to who bans is counted by now, and so may these connections be
        site.back("ban_over", left, ADDRESS=source)


def _seen_as(site: Site, where: str, port: int, source: str) -> None:
    """What is between may change an address: then another one would be banned, and stay so."""
    with from_here.held(where, port, source) as own:
        if not own:
            raise Undone("no_way", source)
        seen = [x.removeprefix("seen ") for x in site.act("ban_seen", PORT=str(own))]
    if source not in map(_plain, seen):
        raise Undone("other_source", ", ".join(map(_plain, seen)) or "-")


def _plain(text: str) -> str:
    """An address as `ss` prints it, as it is written."""
    with contextlib.suppress(ValueError):
        address = ipaddress.ip_address(text.strip("[]").partition("%")[0])
        mapped = getattr(address, "ipv4_mapped", None)
        return str(mapped or address)
    return text


def _until(enough: Callable[[str], bool], where: str, port: int, source: str) -> str:
    """What a connection comes to: banning, and taking it back, takes a moment."""
    end = time.monotonic() + _MOMENT
    while not enough(state := from_here.greets(where, port, source)):
        if time.monotonic() > end:
            break
        time.sleep(2)
    return state


def restore(site: Site) -> None:
    """The newest copy of one store, by what the inventory says of it (`hostpledge_restore`)."""
    wanted = site.given["restore"]
    tool = str(wanted.get("tool", ""))
    if tool not in _RESTORES or any(not str(wanted.get(x, "")) for x in _RESTORES[tool]):
        raise Undone("no_settings", f"hostpledge_restore: {tool or '-'}")
    site.note("store", wanted.get("store", ""))
    site.note("tool", tool)
    words = {key.upper(): str(wanted.get(key, "")) for key in _SETTINGS}
    site.act(f"restore_{tool}", **words)


_RESTORES: Final[Mapping[str, tuple[str, ...]]] = {
    "restic": ("store", "repository", "password_file", "path"),
    "borg": ("store", "repository", "path"),
    "tar": ("store", "path"),
    "dump": ("store", "path"),
    "mysql_dump": ("store", "path"),
    # `path` is the stanza
    "pgbackrest": ("store", "repository", "path"),
}
_SETTINGS = ("repository", "password_file", "path", "root")
ACTS: Final[Mapping[str, Callable[[Site], None]]] = {
    "log_arrival": log_arrival,
    "failed_login": failed_login,
    "malware_stream": malware_stream,
    "restore": restore,
    "outside_ports": outside_ports,
    "integrity": integrity,
    "time": clock,
    "ban": ban,
}
