"""intrusion.empty_passwords: no account without a password, none that shares its identity."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from collector.errors import FactError
from collector.facts.access.accounts.elsewhere import elsewhere, empty_words, untried
from collector.facts.access.pam.stack import Entry, stacks
from collector.facts.access.sshd_effective import listeners
from collector.facts.system.accounts import Account, accounts, shadow_names
from collector.model import Clock, Facts, Method, Parameters, Quote, Result, Value, Verdict


def judge(facts: Facts, parameters: Parameters, clock: Clock) -> Verdict:
    """The gravest violation is the verdict: UID 0, empty, shared UIDs, shared names.

    An empty field fails whether PAM lets it in today or not: one word in one file opens it.
    """
    known, names = facts.get(accounts), Counter(shadow_names(facts.capture))
    found = _accused(known, names, frozenset())
    if not any(found.values()) or set(_reasons(found)) == {"empty_without_shell"}:
        # the hash of the empty word lets in whom no password would
        found = _accused(known, names, facts.get(empty_words))
    named = {a for accused in found.values() for a in accused}
    wrong = [a for a in known if a in named]
    lines = tuple(a.line for a in wrong or known)
    evidence = (Quote("accounts.passwd", lines, "/etc/passwd"),)
    reason = next(iter(_reasons(found)), None)
    values: dict[str, Value]
    if reason is None or reason == "empty_without_shell":
        other = facts.get(elsewhere)
        if others := (*other.stores, *other.sources):
            values = {"stores": [*others], "unexamined": [*others]}
            quotes = [Quote("schedules.sources", other.lines, "/etc/nsswitch.conf")]
            quotes += [Quote("accounts.stores", other.stores)] if other.stores else []
            return Verdict(Result.ERROR, "elsewhere", Method.OBSERVED, values, tuple(quotes))
    if reason is None:
        # whose password nobody tried may get in by Enter alone
        unknown = facts.get(untried)
        if left := [a.name for a in known if a.name in unknown and a.login and not a.locked]:
            values = {"accounts": [*left], "unexamined": [*left]}
            return Verdict(Result.ERROR, "untried", Method.OBSERVED, values, evidence)
        values = {"count": len(known)}
        return Verdict(Result.PASS, "none_found", Method.OBSERVED, values, evidence)
    values = {"accounts": [f"{a.name} ({a.uid})" for a in found[reason]]}
    if reason == "empty":
        values["reach"] = _reach(facts, parameters)
    result = Result.PARTIAL if reason == "empty_without_shell" else Result.FAIL
    return Verdict(result, reason, Method.OBSERVED, values, evidence)


def _accused(
    known: Sequence[Account], in_shadow: Counter[str], words: frozenset[str]
) -> dict[str, list[Account]]:
    """The accounts by what is wrong with them, the gravest first."""
    empty = [a for a in known if a.empty or (a.name in words and not a.locked)]
    uids, names = Counter(a.uid for a in known), Counter(a.name for a in known)
    return {
        "root_uids": [a for a in known if a.uid == 0 and a.name != "root"],
        "empty": [a for a in empty if a.login],
        "shared_uids": [a for a in known if uids[a.uid] > names[a.name]],
        "shared_names": [a for a in known if names[a.name] > 1 or in_shadow[a.name] > 1],
        "empty_without_shell": [a for a in empty if not a.login],
    }


def _reasons(found: dict[str, list[Account]]) -> list[str]:
    return [reason for reason, accused in found.items() if accused]


def _reach(facts: Facts, parameters: Parameters) -> str:
    """Where such an account gets in now, as far as can be seen: no part of the verdict itself."""
    doors: list[str] = []
    try:
        known = facts.get(stacks)
        for service in parameters.strings("login_services"):
            if known.has(service) and _nullok(known.stack(service, "auth")):
                doors.append(service)
    except FactError:
        return "nullok: ?"
    try:
        over_ssh = any(s.first("permitemptypasswords") == "yes" for s in facts.get(listeners))
    except FactError:
        over_ssh = True
    if not over_ssh:
        doors = [d for d in doors if d != "sshd"]
    return f"nullok: {', '.join(doors) or '-'}"


def _nullok(stack: Iterable[Entry]) -> bool:
    return any(
        _nullok(e.inner)
        if e.inner is not None
        else e.module in ("pam_unix", "pam_unix2", "pam_tcb")
        and bool({"nullok", "nullok_secure"} & set(e.args))
        for e in stack
    )
