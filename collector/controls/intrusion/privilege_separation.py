"""intrusion.privilege_separation: named administrators, and somebody else who reads the audit."""

from __future__ import annotations

from collector.facts.accounts import Account, accounts, groups, groups_of
from collector.facts.sshd import key_holders
from collector.facts.sudoers import Grant, sudoers
from collector.judges import attested
from collector.model import Clock, Facts, Method, Parameters, Quote, Result, Value, Verdict

CONTROL = "intrusion.privilege_separation"


def judge(facts: Facts, parameters: Parameters, clock: Clock) -> Verdict:
    """Administrators are accounts that can become root; readers see logs and cannot."""
    keys = facts.get(key_holders)
    enter = [
        a
        for a in facts.get(accounts)
        if a.uid and a.login and not a.expired(clock.now) and (a.usable or a.name in keys)
    ]
    admins = [a for a in enter if _admin(facts, parameters, a)]
    readers = [a for a in enter if a not in admins and _reader(facts, parameters, a)]
    values: dict[str, Value] = {
        "admins": [a.name for a in admins] or ["-"],
        "readers": [a.name for a in readers] or ["-"],
        "least": parameters.integer("admins"),
    }
    quotes = (
        Quote("accounts.passwd", tuple(a.line for a in (*admins, *readers)), "/etc/passwd"),
        Quote("sudoers.files", tuple(g.line for g in facts.get(sudoers))),
    )
    enough = len(admins) >= parameters.integer("admins")
    if enough and readers:
        return Verdict(Result.PASS, "separate", Method.CONFIGURED, values, quotes)
    answer = attested(facts, CONTROL, clock)
    if answer is not None:
        values["by"] = f"{answer.by}: {answer.statement}"
        return Verdict(
            Result.PASS, "attested", Method.ATTESTED, values, (answer.quote, *quotes), answer.until
        )
    if not enough:
        return Verdict(Result.FAIL, "few_admins", Method.CONFIGURED, values, quotes)
    return Verdict(Result.PARTIAL, "no_reader", Method.CONFIGURED, values, quotes)


def _grants(facts: Facts, account: Account) -> list[Grant]:
    mine = groups_of(account, facts.get(groups))
    found = facts.get(sudoers)
    return [g for g in found if g.concerns(account.name, account.uid, mine, account.gid)]


def _admin(facts: Facts, parameters: Parameters, account: Account) -> bool:
    """By sudoers; by a group that su is left to, where root has a password; by Docker's socket."""
    if any(g.all and g.root for g in _grants(facts, account)):
        return True
    mine = groups_of(account, facts.get(groups))
    if mine & set(parameters.strings("root_groups")):
        return True
    by_su = any(a.name == "root" and a.usable for a in facts.get(accounts))
    return by_su and bool(mine & set(parameters.strings("su_groups")))


def _reader(facts: Facts, parameters: Parameters, account: Account) -> bool:
    if groups_of(account, facts.get(groups)) & set(parameters.strings("reader_groups")):
        return True
    tools = parameters.strings("reader_commands")
    return any(tool in g.line for g in _grants(facts, account) for tool in tools)
