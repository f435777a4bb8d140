"""intrusion.privilege_separation: named administrators, and somebody else who reads the audit."""

from __future__ import annotations

from collector.errors import NotUnderstood
from collector.facts.access.login_keys import key_doubts
from collector.facts.access.sshd_effective import enter_by_key
from collector.facts.access.sudoers import Holders, sudoers
from collector.facts.system.accounts import Account, accounts, membership
from collector.i18n.message import msg
from collector.judges import ssh_servers
from collector.judges.predicates import attested
from collector.model import Clock, Facts, Method, Parameters, Quote, Result, Value, Verdict

CONTROL = "intrusion.privilege_separation"


def judge(facts: Facts, parameters: Parameters, clock: Clock) -> Verdict:
    """Administrators are accounts that can become root; readers see logs and cannot."""
    keys = facts.get(enter_by_key)
    enter = [
        a
        for a in facts.get(accounts)
        if a.uid and a.login and (a.usable or a.name in keys) and not a.expired(clock.now)
    ]
    admins: list[Account] = []
    readers: list[Account] = []
    roles = _Roles(facts, parameters) if enter else None
    for account in enter:
        if roles and roles.admin(account):
            admins.append(account)
        elif roles and roles.reader(account):
            readers.append(account)
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
        # who enters was asked of sshd alone
        ssh_servers.refuse_others(facts, parameters.strings("other_servers"))
        return Verdict(Result.PASS, "separate", Method.CONFIGURED, values, quotes)
    answer = attested(facts, CONTROL, clock)
    if answer is not None:
        values["by"] = f"{answer.by}: {answer.statement}"
        return Verdict(
            Result.PASS, "attested", Method.ATTESTED, values, (answer.quote, *quotes), answer.until
        )
    doubtful = sorted(facts.get(key_doubts) - keys)
    if not enough and doubtful:
        doubt = msg("whether_keys_are_taken", name=doubtful[0])
        raise NotUnderstood("sshd.keys", doubt)
    if not enough:
        return Verdict(Result.FAIL, "few_admins", Method.CONFIGURED, values, quotes)
    return Verdict(Result.PARTIAL, "no_reader", Method.CONFIGURED, values, quotes)


class _Roles:
    """What makes an account an administrator, and what a reader of the audit logs."""

    def __init__(self, facts: Facts, parameters: Parameters) -> None:
        grants = facts.get(sudoers)
        tools = parameters.strings("reader_commands")
        self._members = facts.get(membership)
        roots = [g for g in grants if (g.all or g.shell) and g.root]
        self._root = Holders.of(g for g in roots if g.holds == "yes")
        self._perhaps = Holders.of(g for g in roots if g.holds == "untold")
        self._tools = Holders.of(
            g for g in grants if g.holds == "yes" and any(tool in g.line for tool in tools)
        )
        by_su = any(a.name == "root" and a.usable for a in facts.get(accounts))
        # a group that su is left to counts where root has a password; Docker's socket always
        self._groups = set(parameters.strings("root_groups"))
        self._groups |= set(parameters.strings("su_groups")) if by_su else set()
        self._readers = set(parameters.strings("reader_groups"))

    def admin(self, account: Account) -> bool:
        mine = self._members.of(account)
        held = self._root.hold(account.name, account.uid, mine, account.gid)
        return held or not mine.isdisjoint(self._groups)

    def reader(self, account: Account) -> bool:
        mine = self._members.of(account)
        if self._perhaps.hold(account.name, account.uid, mine, account.gid):
            return False
        held = self._tools.hold(account.name, account.uid, mine, account.gid)
        return held or not mine.isdisjoint(self._readers)
