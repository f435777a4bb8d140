"""intrusion.privilege_separation: named administrators, and somebody else who reads the audit."""

from __future__ import annotations

from collector.errors import NotUnderstood
from collector.facts.access.login_keys import key_doubts
from collector.facts.access.sshd_effective import enter_by_key, listeners
from collector.facts.access.sudoers import Holders, sudoers
from collector.facts.system.accounts import Account, accounts, membership
from collector.i18n.message import msg
from collector.judges import ssh_entry, ssh_servers, taken_up
from collector.judges.predicates import attested
from collector.judges.sudo_use import Can, sudo_use
from collector.model import Clock, Facts, Method, Parameters, Quote, Result, Value, Verdict

CONTROL = "intrusion.privilege_separation"
_SSHD = "sshd.effective"


def judge(facts: Facts, parameters: Parameters, clock: Clock) -> Verdict:
    """Administrators are accounts that can become root; readers see logs and cannot."""
    keys = facts.get(enter_by_key)
    enter = [
        a
        for a in facts.get(accounts)
        if a.uid
        and a.login
        and (a.usable or a.name in keys)
        and not a.expired(clock.now)
        and not ssh_entry.kept_out(facts, a)
    ]
    roles = _Roles(facts, parameters) if enter else None
    able = [(a, roles.admin(a)) for a in enter] if roles else []
    admins = [a for a, can in able if can == "yes"]
    locked = [a for a, can in able if can == "no"]
    # who holds the right and lacks the password for it is one who may become root, and no reader
    readers = [a for a, can in able if can is None and roles and roles.reader(a)]
    values: dict[str, Value] = {
        "admins": [a.name for a in admins] or ["-"],
        "readers": [a.name for a in readers] or ["-"],
        "least": parameters.integer("admins"),
    }
    quotes = (
        Quote(
            "accounts.passwd", tuple(a.line for a in (*admins, *locked, *readers)), "/etc/passwd"
        ),
        Quote("sudoers.files", tuple(g.line for g in facts.get(sudoers))),
    )
    enough = len(admins) >= parameters.integer("admins")
    if enough and readers:
        # who enters was asked of sshd alone
        ssh_servers.refuse_others(facts, parameters.strings("other_servers"))
        servers = facts.get(listeners)
        ssh_entry.refuse_gates(facts, (*admins, *readers), servers)
        for server in servers if ssh_entry.has_lists(servers) else ():
            # whom it names in its settings it lets in once it runs with them
            taken_up.refuse_stale(_SSHD, server.taken, f"{server.exe} (pid {server.pid})")
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
    untold = [a for a, can in able if can == "untold"]
    if not enough and untold and len(admins) + len(untold) >= parameters.integer("admins"):
        raise facts.get(sudo_use).doubt(untold[0])
    if not enough and locked:
        values["locked"] = [a.name for a in locked]
        return Verdict(Result.FAIL, "admins_without_password", Method.CONFIGURED, values, quotes)
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
        self._use = facts.get(sudo_use)
        self._perhaps = Holders.of(g for g in roots if g.holds == "untold")
        self._tools = Holders.of(
            g for g in grants if g.holds == "yes" and any(tool in g.line for tool in tools)
        )
        by_su = any(a.name == "root" and a.usable for a in facts.get(accounts))
        # a group that su is left to counts where root has a password; Docker's socket always
        self._groups = set(parameters.strings("root_groups"))
        self._groups |= set(parameters.strings("su_groups")) if by_su else set()
        self._readers = set(parameters.strings("reader_groups"))

    def admin(self, account: Account) -> Can | None:
        """Can it become root? None where it may not."""
        if not self._members.of(account).isdisjoint(self._groups):
            return "yes"
        return self._use.of(account, shells=True)

    def reader(self, account: Account) -> bool:
        mine = self._members.of(account)
        if self._perhaps.hold(account.name, account.uid, mine, account.gid):
            return False
        held = self._tools.hold(account.name, account.uid, mine, account.gid)
        return held or not mine.isdisjoint(self._readers)
