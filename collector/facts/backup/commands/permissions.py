"""Whom a command runs as, whose home a file lies in, and who else may get at it: its mode, the
folders above it, and who is in its group.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from collector.facts.backup.commands.jobs import BackupJob
from collector.facts.backup.commands.named_files import Mode, named
from collector.facts.base.paths import folders_above
from collector.facts.system.accounts import accounts, groups
from collector.model import Facts

_ANYBODY = 0o007
_GROUP = 0o070
# The first uid of people (login.defs(5), UID_MIN), and those that web servers run as.
_PEOPLE = 1000
_WEB = frozenset({"www-data", "apache", "nginx", "httpd", "www", "http", "tomcat"})
# su - NAME -c, runuser -l NAME -c: whom the line's command runs as
_AS = re.compile(
    r"\b(?:su|runuser)\s+(?:-l\s+|--login\s+|-\s+|-s\s+\S+\s+)*([a-z_][\w.-]*)\s+(?:-s\s+\S+\s+)?"
    r"(?:-\w*c|--command)\b"
)
_NAMED = re.compile(r"\b(?:sudo|runuser|doas|gosu|setpriv)\b.*?(?:-u|--user|--reuid)[ =](\S+)")


def account_of(job: BackupJob) -> str:
    """Empty where the job does not say: then it is root."""
    line = next((x for x in job.job.text.splitlines() if job.tool in x and _AS.search(x)), "")
    if match := _AS.search(line):
        return match[1]
    at = next((i for i, w in enumerate(job.words) if w.rpartition("/")[2] == job.tool), 0)
    before = " ".join(job.words[:at])
    if match := _NAMED.search(before):
        return match[1]
    if re.search(r"\b(sudo|doas)\b", before):
        return "root"
    if dict(job.job.sandbox or ()).get("DynamicUser") == "yes":
        return job.job.name
    return job.job.user


def in_home_of(path: str, accounts: Collection[str]) -> bool:
    """Does it lie in the home of one of these accounts? Only root makes homes below /var/lib.

    >>> in_home_of("/root/.cache", {"root"}), in_home_of("/home/mallory/.cache", {"root"})
    (True, False)
    >>> in_home_of("/home/ops/.cache", {"ops"}), in_home_of("/var/lib/postgresql", {"postgres"})
    (True, True)
    """
    users = {a or "root" for a in accounts}
    if path == "/root" or path.startswith("/root/"):
        return bool(users & {"root", "0"})
    if path.startswith("/var/lib/"):
        return bool(users - {"root", "0"})
    return any(f"{path}/".startswith(f"/home/{user}/") for user in users)


def opened(
    facts: Facts,
    path: str,
    owned: tuple[int, int, int],
    users: Collection[str],
    *,
    listed: bool = False,
) -> str:
    """How others get at what lies at the absolute `path`; empty where nobody else does.

    `owned` is its mode, user and group, `users` whom its job runs as; `listed`: an access list
    names others too. A folder above it that lets nobody through closes it. A group of its owner
    and these users alone is nobody else; its owner is, where that is a person or a web server that
    the job does not run as. Raises FactError where accounts could not be seen.
    """
    mode, uid, gid = owned
    above = [x for f in folders_above(path) if (x := facts.get(named).modes.get(f)) is not None]
    if mode & _ANYBODY and all(f.mode & 0o001 for f in above):
        return f"{mode:04o}"
    others = mode & _GROUP and all(_lets_through(f, gid) for f in above)
    if others and (listed or _others_in(facts, uid, gid, users)):
        return f"{mode:04o}, gid {gid}"
    if uid != 0 and all(f.mode & 0o001 or f.uid == uid for f in above):
        names = {a.name for a in facts.get(accounts) if a.uid == uid}
        if (uid >= _PEOPLE or names & _WEB) and not names & set(users):
            return f"{mode:04o}, uid {uid}"
    return ""


def key_opened(facts: Facts, mode: Mode, users: Collection[str]) -> str:
    """The same of a file of keys, whose own mode must do: a folder's mode is soon changed.

    Its owner is root or one of the `users` that its jobs run as.
    """
    if mode.mode & _ANYBODY:
        return f"{mode.mode:04o}"
    if mode.mode & _GROUP and (mode.listed or _others_in(facts, mode.uid, mode.gid, users)):
        return f"{mode.mode:04o}, gid {mode.gid}"
    if mode.uid != 0:
        uids = {a.uid for a in facts.get(accounts) if a.name in users}
        if mode.uid not in uids:
            return f"uid {mode.uid}"
    return ""


def _lets_through(folder: Mode, gid: int) -> bool:
    return bool(
        folder.mode & 0o001 or (folder.mode & 0o010 and (folder.gid == gid or folder.listed))
    )


def _others_in(facts: Facts, uid: int, gid: int, users: Collection[str]) -> bool:
    """Has the group a member beside the owner, root, and these users?"""
    known = facts.get(accounts)
    members = {a.name for a in known if a.gid == gid}
    members |= {name for g in facts.get(groups) if g.gid == gid for name in g.members}
    trusted = {a.name for a in known if a.uid in (0, uid)}
    return bool(members - trusted - set(users))
