"""intrusion.password_quality: no weak password can be set, neither by users nor by root."""

from __future__ import annotations

from collector.errors import NotUnderstood
from collector.facts.access.pam import deepin
from collector.facts.access.pam.password_quality import (
    Quality,
    checkers,
    lets_weak_pass,
    modules,
    quality,
    stores,
)
from collector.facts.access.pam.stack import Entry, stacks
from collector.facts.access.sshd_config import takes_passwords
from collector.facts.access.sshd_effective import listeners
from collector.facts.system.accounts import accounts
from collector.i18n.message import msg
from collector.judges import taken_up
from collector.model import Clock, Facts, Method, Parameters, Result, Verdict


def judge(facts: Facts, parameters: Parameters, clock: Clock) -> Verdict:
    """Services are judged one by one; the first that lets a weak password in is the verdict.

    Whether anybody uses a password at all is asked only where the answer could excuse a failure.
    """
    first, *others = parameters.strings("services")
    verdict = _service(facts, parameters, first)
    for service in others:
        if verdict.result is Result.PASS and _sets(facts, service):
            found = _service(facts, parameters, service)
            verdict = verdict if found.result is Result.PASS else found
    if verdict.result is not Result.PASS and _no_passwords(facts):
        none = Verdict(Result.NOTAPPLICABLE, "no_passwords", Method.OBSERVED)
        return taken_up.running(none, facts.get(listeners))
    return verdict


def _sets(facts: Facts, service: str) -> bool:
    """Can a password be set by way of this service, in a stack of its own or that of `other`?"""
    known = facts.get(stacks)
    return known.has(service) and stores(known.stack(service, "password"), facts.get(modules).pam)


def _no_passwords(facts: Facts) -> bool:
    """Is there no password to log in with: neither one stored, nor a server that takes one?"""
    if any(a.usable and a.login for a in facts.get(accounts)):
        return False
    return not any(takes_passwords(facts.capture, server) for server in facts.get(listeners))


def _service(facts: Facts, parameters: Parameters, service: str) -> Verdict:
    known = facts.get(modules)
    stack = tuple(
        e
        for e in facts.get(stacks).stack(service, "password")
        # a capture may be older than the question for this module
        if not (e.silent and _missing(e, known.installed | {deepin.MODULE}))
    )
    found = checkers(stack)
    if not found:
        return Verdict(
            Result.FAIL,
            "not_in_stack",
            values={"service": service},
            evidence=tuple(e.quote for e in stack),
        )
    for entry in found:
        if _missing(entry, known.installed):
            raise NotUnderstood(
                "pam.modules", msg("names_not_installed", path=entry.path, module=entry.module)
            )
    demands = [(entry, quality(entry, facts.capture)) for entry in found]
    for_users = tuple(e for e, q in demands if _strict(q, parameters))
    for_root = tuple(e for e, q in demands if _strict(q, parameters) and q.root)
    entry, best = max(demands, key=lambda d: (_strict(d[1], parameters), d[1].root))
    if not for_users:
        reason = "too_weak" if best.enforced else "warns_only"
    elif lets_weak_pass(stack, for_users, known.pam):
        reason = "bypassed"
    elif not for_root:
        reason = "not_for_root"
    elif lets_weak_pass(stack, for_root, known.pam):
        reason = "bypassed"
    else:
        reason = "enforced"
    return Verdict(
        Result.PASS if reason == "enforced" else Result.FAIL,
        reason,
        values={
            "module": entry.module,
            "service": service,
            "length": best.length,
            "classes": best.classes,
            "line": entry.line,
        },
        evidence=best.quotes,
    )


def _missing(entry: Entry, installed: frozenset[str]) -> bool:
    return bool(checkers((entry,))) and entry.inner is None and entry.module not in installed


def _strict(found: Quality, parameters: Parameters) -> bool:
    return (
        found.enforced
        and found.length >= parameters.integer("minlen")
        and found.classes >= parameters.integer("minclass")
    )
