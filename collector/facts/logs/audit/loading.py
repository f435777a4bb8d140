"""How a boot loads the rule files: in which order, and at which line auditctl(8) gives up.

`auditctl -R` ends at the first line that it refuses, unless `-i` or `-c` stands before it. What is
taken as refused here is what auditctl 4.0.2 of Debian 13 did refuse; the calls, accounts and
folders that a host lacks are not known, and make it refuse a line as well.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

_RULE = ("-a", "-A", "-d", "-w", "-W")
_ASKS = (*_RULE, "-S", "-F", "-C", "-k", "-p", "-b", "-f", "-e", "-r", "--backlog_wait_time")
# fieldtab.h of libaudit
_FIELDS = frozenset(
    "pid ppid uid euid suid fsuid gid egid sgid fsgid auid loginuid pers arch msgtype subj_user "  # noqa: SIM905
    "subj_role subj_type subj_sen subj_clr obj_user obj_role obj_type obj_lev_low obj_lev_high "
    "obj_uid obj_gid exe devmajor devminor inode exit success path perm dir filetype fstype "
    "field_compare sessionid saddr_fam a0 a1 a2 a3 key".split()
)
# the numbers that each takes
_NUMBERS = {"-b": r"\d.*", "-r": r"\d.*", "--backlog_wait_time": r"\d.*", "-f": "[012]",
            "-e": "[012]"}  # fmt: skip


def boot_lines(found: Mapping[str, str]) -> tuple[list[str], tuple[str, ...]]:
    """The lines in the order in which a boot loads them, and the files that they are of.

    augenrules(8) makes one file of those of rules.d: the last `-b` and `-f` first, the last `-e`
    behind all others. It keeps one -D, as its first line, which is left out here.
    """
    parts = sorted((p for p in found if "/rules.d/" in p), key=_version)
    if not parts:
        places = tuple(path for path in ("/etc/audit/audit.rules",) if path in found)
        return [line for path in places for line in _lines(found[path])], places
    lines = [line for path in parts for line in _lines(found[path]) if line != "-D"]
    once = {name: [x for x in lines if x.startswith(name)][-1:] for name in ("-b", "-f", "-e")}
    rest = [line for line in lines if not line.startswith(tuple(once))]
    return [*once["-b"], *once["-f"], *rest, *once["-e"]], tuple(parts)


def refuses(words: Sequence[tuple[str, str]], before: Sequence[str], line: str) -> bool:
    """Does auditctl refuse the line: by its form, or as the rule is there already?"""
    if line in before or any(name in _ASKS and not value for name, value in words):
        return True
    if any(not re.fullmatch(_NUMBERS[n], v) for n, v in words if n in _NUMBERS):
        return True
    names = [name for name, _ in words]
    if "-h" in names:
        return True
    rule = next((at for at, name in enumerate(names) if name in _RULE), None)
    if rule is not None and any(name in ("-F", "-C", "-k", "-p") for name in names[:rule]):
        return True
    for at, (name, value) in enumerate(words):
        field = re.match(r"([\w-]+)(?:>=|<=|!=|&=|=|>|<|&)(.?)", value) if name == "-F" else None
        if field and (not field[2] or field[1].lower() not in _FIELDS):
            return True
        if field and field[1].lower() == "arch" and "-S" in names[:at]:
            return True
    return False


def _lines(text: str) -> list[str]:
    stripped = (line.strip() for line in text.splitlines())
    return [line for line in stripped if line and not line.startswith("#")]


def _version(path: str) -> list[tuple[int, int, str]]:
    """The order of `ls -v`: runs of digits by their number."""
    parts = re.findall(r"\d+|\D+", path.rsplit("/", 1)[1])
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts]
