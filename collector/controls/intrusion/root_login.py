"""intrusion.root_login: root does not log in directly, and default accounts do not log in."""

from __future__ import annotations

from collector.errors import FactError, NotUnderstood
from collector.facts.access.keys_elsewhere import usual
from collector.facts.access.login_keys import key_doubts, key_holders, key_users, nobody_but_root
from collector.facts.access.pam.account_numbers import of_system
from collector.facts.access.sshd_config import Block, blocks
from collector.facts.access.sshd_effective import Listener, listeners, refused
from collector.facts.access.sudoers import sudoers
from collector.facts.system.accounts import Account, accounts, membership
from collector.i18n.message import msg
from collector.judges import ssh_entry, ssh_servers, taken_up
from collector.judges.sudo_use import Can, sudo_use
from collector.model import Clock, Facts, Method, Parameters, Quote, Result, Verdict


def judge(facts: Facts, parameters: Parameters, clock: Clock) -> Verdict:
    """Every sshd that listens must hold; the first that does not is the verdict."""
    servers = facts.get(listeners)
    return taken_up.running(_written(facts, parameters, clock, servers), servers)


def _written(
    facts: Facts, parameters: Parameters, clock: Clock, servers: tuple[Listener, ...]
) -> Verdict:
    others = parameters.strings("other_servers")
    if not servers:
        ssh_servers.refuse_others(facts, others)
        return Verdict(Result.NOTAPPLICABLE, "no_sshd", Method.OBSERVED)
    allowed = parameters.strings("allowed")
    by_key: Listener | None = None
    for server in servers:
        if _root_denied(facts, server):
            continue
        setting = server.first("permitrootlogin", "root").lower()
        if setting not in ("no", *allowed):
            return Verdict(
                Result.FAIL,
                "root_allowed",
                values={"setting": f"permitrootlogin {setting}", "program": _program(server)},
                evidence=(server.quote("permitrootlogin"),),
            )
        opened = _reopened(facts, server, allowed)
        if opened is not None:
            return Verdict(
                Result.FAIL,
                "reopened",
                values={"block": f"{opened.path}: {opened.line}"},
                evidence=(
                    Quote(
                        "sshd.files",
                        (opened.line, *(f"{k} {v}" for k, v in opened.settings)),
                        opened.path,
                    ),
                ),
            )
        if setting != "no":
            by_key = server
    found = _accounts(facts, parameters, clock, servers[0]) or _admins(
        facts, parameters, clock, servers[0], by_key
    )
    if found.result is Result.PASS:
        ssh_servers.refuse_others(facts, others)
    return found


def _program(server: Listener) -> str:
    state = f"pid {'-' if server.pid is None else server.pid}"
    return " ".join((server.exe, *server.args, f"({state})"))


def _root_denied(facts: Facts, server: Listener) -> bool:
    """Is root shut out by DenyUsers, AllowUsers, DenyGroups or AllowGroups, from everywhere?"""
    if not any(server.all(name, "root") for name in ssh_entry.LISTS):
        return False
    if ssh_entry.lists_of_blocks(facts, server):
        return False
    return ssh_entry.shut_out(server, "root", "root", lambda: _root_groups(facts))


def _root_groups(facts: Facts) -> frozenset[str]:
    root = next((a for a in facts.get(accounts) if a.name == "root"), None)
    return facts.get(membership).of(root) if root else frozenset(("root",))


def _reopened(facts: Facts, server: Listener, allowed: tuple[str, ...]) -> Block | None:
    """The first Match block that lets root in with a password from some address."""
    for block in blocks(facts.capture, server):
        value = block.value("permitrootlogin")
        if value is None or not block.concerns("root", _root_groups(facts)):
            continue
        if value.lower() not in ("no", *allowed):
            return block
        if block.always:
            break  # the first value counts: what follows cannot undo it
    return None


def _accounts(
    facts: Facts, parameters: Parameters, clock: Clock, server: Listener
) -> Verdict | None:
    names = parameters.strings("default_accounts")
    entering = [
        a
        for a in facts.get(accounts)
        if a.login and a.uid != 0 and not refused(facts.capture, a, clock.now)
    ]
    with_shell = [a for a in entering if a.name in names]
    # a locked password stops nobody who has a key: sshd with PAM takes the key all the same
    keyed = facts.get(key_holders) if with_shell else frozenset()
    opened = [a for a in with_shell if a.usable or a.name in keyed]
    others = [a for a in entering if a.usable and a.name not in names]
    served = [] if opened else _of_software(facts, parameters, others)
    wrong = opened or served or with_shell
    if not wrong:
        return None
    reason = "service_account_open" if served else "default_account_shell"
    return Verdict(
        Result.FAIL if opened or served else Result.PARTIAL,
        "default_account_open" if opened else reason,
        Method.OBSERVED,
        {"accounts": [a.name for a in wrong]},
        (
            Quote("accounts.passwd", tuple(a.line for a in wrong), "/etc/passwd"),
            server.quote("permitrootlogin"),
        ),
    )


def _of_software(facts: Facts, parameters: Parameters, known: list[Account]) -> list[Account]:
    """Those that the system or a program brought along: by their name, or by their number."""
    found = {a.name for a in known if a.name in parameters.strings("service_accounts")}
    try:
        found |= {a.name for a in known if of_system(facts.capture, a)}
    except FactError:
        if not found:
            raise
    return [a for a in known if a.name in found]


def _admins(
    facts: Facts, parameters: Parameters, clock: Clock, first: Listener, by_key: Listener | None
) -> Verdict:
    if by_key is None:
        setting = f"permitrootlogin {first.first('permitrootlogin', 'root')}"
        if _root_denied(facts, first):
            setting = "AllowUsers/DenyUsers/AllowGroups/DenyGroups"
        keywords = ("permitrootlogin", "allowusers", "denyusers", "allowgroups", "denygroups")
        return Verdict(
            Result.PASS,
            "root_refused",
            values={"setting": setting},
            evidence=(first.quote(*keywords),),
        )
    setting = f"permitrootlogin {by_key.first('permitrootlogin', 'root')}"
    named = _named(facts, parameters, clock)
    entering = [a for a in named if _can_enter(facts, a, by_key)]
    shut = facts.get(nobody_but_root)
    if entering and shut:
        raise NotUnderstood("sshd.keys", msg("all_but_root_kept_out", path=shut))
    able = [(a, _becomes_root(facts, parameters, a)) for a in entering]
    admins = [a for a, can in able if can == "yes"]
    if not admins:
        _no_doubt(facts, named, by_key)
        for account in (a for a, can in able if can == "untold"):
            raise facts.get(sudo_use).doubt(account)
        if entering:
            return _stuck(facts, entering, setting, by_key)
        return Verdict(
            Result.FAIL,
            "no_named_admin",
            values={"setting": setting},
            evidence=(
                by_key.quote("permitrootlogin"),
                Quote("sudoers.files", tuple(g.line for g in facts.get(sudoers))),
            ),
        )
    ssh_entry.refuse_gates(facts, admins, [by_key])
    return Verdict(
        Result.PASS,
        "root_by_key",
        values={"setting": setting, "admins": [a.name for a in admins]},
        evidence=(
            by_key.quote("permitrootlogin"),
            Quote("accounts.passwd", tuple(a.line for a in admins), "/etc/passwd"),
        ),
    )


def _stuck(facts: Facts, stuck: list[Account], setting: str, server: Listener) -> Verdict:
    return Verdict(
        Result.FAIL,
        "admin_without_password",
        values={"setting": setting, "admins": [a.name for a in stuck]},
        evidence=(
            server.quote("permitrootlogin"),
            Quote("accounts.passwd", tuple(a.line for a in stuck), "/etc/passwd"),
            Quote("sudoers.files", tuple(g.line for g in facts.get(sudoers))),
        ),
    )


def _named(facts: Facts, parameters: Parameters, clock: Clock) -> list[Account]:
    """Accounts other than root that may become root.

    By sudoers, or, where root has a password for su(1), by a group that su is left to.
    """
    use = facts.get(sudo_use)
    found = []
    for account in facts.get(accounts):
        enters = account.uid and account.login and not account.expired(clock.now)
        if enters and (use.may(account) or _by_su(facts, parameters, account)):
            found.append(account)
    return found


def _by_su(facts: Facts, parameters: Parameters, account: Account) -> bool:
    """Is su, which asks for root's password, left to one of its groups?"""
    if not any(a.name == "root" and a.usable for a in facts.get(accounts)):
        return False
    groups = parameters.strings("admin_groups")
    return not facts.get(membership).of(account).isdisjoint(groups)


def _becomes_root(facts: Facts, parameters: Parameters, account: Account) -> Can:
    if _by_su(facts, parameters, account):
        return "yes"
    return facts.get(sudo_use).of(account) or "no"


def _can_enter(facts: Facts, account: Account, server: Listener) -> bool:
    """Has it a usable password that sshd takes, or a key, and does no list shut it out?

    Raises NotUnderstood where only keys that lie elsewhere could let it in.
    """
    if ssh_entry.shut_out(
        server, "nobody", account.name, lambda: facts.get(membership).of(account)
    ):
        return False
    by_password = "yes" in (
        server.first("passwordauthentication"),
        server.first("kbdinteractiveauthentication"),
    )
    if account.usable and not account.empty and by_password:
        return True
    if server.first("pubkeyauthentication") == "no":
        return False
    elsewhere = [f for f in server.first("authorizedkeysfile").split() if not usual(f)]
    command = server.first("authorizedkeyscommand")
    strict = server.first("strictmodes") != "no"
    if account.name in key_users(facts.capture, strict=strict) and (
        not elsewhere or any(map(usual, server.first("authorizedkeysfile").split()))
    ):
        return True
    if elsewhere or command not in ("", "none"):
        where = " ".join(elsewhere) or command
        raise NotUnderstood("sshd.keys", msg("whether_key", name=account.name, where=where))
    return False


def _no_doubt(facts: Facts, named: list[Account], server: Listener) -> None:
    """Raises NotUnderstood where one of them may have a key that sshd takes, or may not."""
    if server.first("pubkeyauthentication") != "no":
        for account in named:
            if account.name in facts.get(key_doubts):
                doubt = msg("whether_keys_are_taken", name=account.name)
                raise NotUnderstood("sshd.keys", doubt)
