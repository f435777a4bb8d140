"""Whom sshd turns away for who he is: its lists of users and groups, and the stacks of PAM."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from collector.errors import FactError, NotUnderstood
from collector.facts.access.login_keys import key_users
from collector.facts.access.pam.access_conf import Who, access_texts, admits
from collector.facts.access.pam.gates import gate, refused
from collector.facts.access.pam.stack import Entry, stacks
from collector.facts.access.sshd_config import blocks, matches
from collector.facts.access.sshd_effective import Listener, listeners
from collector.facts.system.accounts import Account, membership
from collector.i18n.message import msg
from collector.model import Facts

LISTS = ("allowusers", "denyusers", "allowgroups", "denygroups")


def lists_of_blocks(facts: Facts, server: Listener) -> bool:
    """Has a Match block lists of its own, so that those of the server hold not from everywhere?"""
    return any(b.value(name) is not None for b in blocks(facts.capture, server) for name in LISTS)


def shut_out(server: Listener, asked: str, name: str, mine: Callable[[], frozenset[str]]) -> bool:
    """Do the lists, as sshd gave them for `asked`, leave the account `name` out?"""
    denied = server.all("denyusers", asked)
    if matches(name, [p.removesuffix("@*") for p in denied]):
        return True
    allowed = server.all("allowusers", asked)
    if allowed and not matches(name, [p.partition("@")[0] for p in allowed]):
        return True
    deny, allow = server.all("denygroups", asked), server.all("allowgroups", asked)
    if any(matches(g, deny) for g in (mine() if deny else ())):
        return True
    return bool(allow) and not any(matches(g, allow) for g in mine())


def has_lists(servers: Iterable[Listener]) -> bool:
    """Does any of them name whom it lets in, or turns away?"""
    return any(server.all(name) for server in servers for name in LISTS)


def kept_out(facts: Facts, account: Account) -> bool:
    """Do the lists of each sshd or pam_access leave it out, wherever it comes from?

    Raises FactError.
    """
    servers = facts.get(listeners)
    return bool(servers) and all(
        _by_lists(facts, server, account) or _by_pam(facts, server, account) for server in servers
    )


def _by_lists(facts: Facts, server: Listener, account: Account) -> bool:
    return (
        has_lists([server])
        and not lists_of_blocks(facts, server)
        and shut_out(server, "nobody", account.name, lambda: facts.get(membership).of(account))
    )


def _by_pam(facts: Facts, server: Listener, account: Account) -> bool:
    service = server.first("pamservicename") or "sshd"
    if server.first("usepam") == "no":
        return False
    try:
        return refused(facts.get(stacks), service, _admits(facts, [account]))
    except FactError:
        # before anything passes `refuse_gates` asks the same, and says what was not seen
        return False


def _admits(facts: Facts, those: Iterable[Account]) -> Callable[[Entry], bool | None]:
    """Whether a line of pam_access lets all of them in; one that it does not is enough for No."""
    who = [Who(a.name, facts.get(membership).of(a)) for a in those]

    def admitted(entry: Entry) -> bool | None:
        told = {admits(entry, facts.get(access_texts), one) for one in who}
        return told.pop() if len(told) == 1 else False if False in told else None

    return admitted


def refuse_gates(facts: Facts, those: Iterable[Account], servers: Iterable[Listener]) -> None:
    """Raises NotUnderstood where PAM may turn them away by what was not read.

    One server that asks no such module is enough. Who has a key passes by the `auth` stack.
    """
    accounts = list(those)
    names, found = [a.name for a in accounts], None
    keyed = key_users(facts.capture)
    for server in servers:
        by_key = all(name in keyed for name in names)
        entry = _gate(facts, server, accounts, by_key=by_key)
        if entry is None:
            return
        found = found or entry
    if found is not None:
        line, who = found.quote.lines[0], ", ".join(names)
        said = msg("whether_pam_lets_in", path=found.path, line=line, names=who)
        raise NotUnderstood("pam.files", said)


def _gate(facts: Facts, server: Listener, those: list[Account], *, by_key: bool) -> Entry | None:
    if server.first("usepam") == "no":
        return None
    service, known = server.first("pamservicename") or "sshd", facts.get(stacks)
    if not known.stack(service, "account"):
        raise NotUnderstood("pam.files", msg("no_service_logs_stack"))
    admits_all = _admits(facts, those)
    found = gate(known, service, "account", admits_all)
    return found if found or by_key else gate(known, service, "auth", admits_all)
