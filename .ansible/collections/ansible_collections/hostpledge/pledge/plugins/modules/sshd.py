#!/usr/bin/python
"""Tells what holds for sshd, where it was set, and where a setting that shall win has to stand."""

from __future__ import annotations

DOCUMENTATION = r"""
module: sshd
short_description: What holds for sshd, and where it was set
description:
  - Asks C(sshd -T) with the options of each listener, as options go before the files. Only what root
    started counts, from a program that nobody else can change.
  - Changes nothing.
options:
  users:
    description: Accounts for whom C(Match) blocks are settled.
    type: list
    elements: str
    default: [root, nobody]
  weak:
    description: Keyword to patterns of values that must not be offered.
    type: dict
    default: {}
author: hostpledge (@hostpledge)
attributes:
  check_mode:
    support: full
    description: It changes nothing, with or without C(--check).
"""

EXAMPLES = r"""
- name: See what sshd offers
  hostpledge.pledge.sshd:
    weak: {ciphers: ["*-cbc"]}
"""

RETURN = r"""
installed:
  description: Is there an sshd at all.
  type: bool
  returned: always
settings:
  description: Per listener and account its values.
  type: list
  elements: dict
  returned: where it is installed
strong:
  description: Keyword to what is left of it.
  type: dict
  returned: where it is installed
lines:
  description: Each setting as written, in the order read.
  type: list
  elements: dict
  returned: where it is installed
main:
  description: The main file.
  type: str
  returned: where it is installed
folder:
  description: Folder of drop-ins that goes before the main file, or empty.
  type: str
  returned: where it is installed
"""

import glob
import os
import re
import stat
from fnmatch import fnmatchcase
from typing import Any

from ansible.module_utils.basic import AnsibleModule

try:  # beside a role
    from ansible.module_utils.hostpledge_walk import Refused, held
except ImportError:  # in a collection
    from ansible_collections.hostpledge.pledge.plugins.module_utils.walk import Refused, held

# An address outside (RFC 5737), for which `Match` blocks are settled.
_FROM = "host=outside.invalid,addr=203.0.113.7,laddr=192.0.2.7,lport=22"
_FOLDER = "/etc/ssh/sshd_config.d"
# What the role sets, and the name before which a drop-in would win over its own.
_SET = (
    "ciphers", "clientalivecountmax", "clientaliveinterval", "kexalgorithms", "macs",
    "permitrootlogin",
)  # fmt: skip
_OURS = f"{_FOLDER}/00-hostpledge"


def _listeners() -> list[tuple[str, list[str]]]:
    """(program, options) of each sshd that listens in our own pid namespace."""
    found: list[tuple[str, list[str]]] = []
    own = os.readlink("/proc/self/ns/pid")
    for folder in sorted(glob.glob("/proc/[0-9]*")):
        try:
            with open(f"{folder}/comm") as file:
                if file.read().strip() != "sshd":
                    continue
            if not _started_by_root(folder) or os.readlink(f"{folder}/ns/pid") != own:
                continue
            exe, _space, gone = os.readlink(f"{folder}/exe").partition(" (deleted)")
            # a name proves nothing, nor does a path: only the very file of this host is run
            if "sshd" not in os.path.basename(exe):
                continue
            if not gone and not os.path.samefile(f"{folder}/exe", exe):
                continue
            with open(f"{folder}/cmdline") as file:
                line = file.read().rstrip("\0")
        except OSError:
            continue
        if not _of_root(exe):
            continue
        if line.startswith("sshd: "):
            if "[listener]" not in line:
                continue
            argv = line[len("sshd: ") :].partition("[listener]")[0].split()
        else:
            argv = line.split("\0")
        found.append((exe, _without_log(argv[1:])))
    return found


def _started_by_root(folder: str) -> bool:
    """The owner of the folder is who it runs as; who started it chose its name and its words."""
    with open(f"{folder}/status") as file:
        users = re.search(r"(?m)^Uid:\t(\d+)\t(\d+)\t(\d+)", file.read())
    if users is None or set(users.groups()) != {"0"}:
        return False
    return not os.stat(f"{folder}/exe").st_mode & (stat.S_ISUID | stat.S_ISGID)


def _of_root(path: str) -> bool:
    """Is it a file that none but root can change or put another in the place of?"""
    try:
        with held(path) as found:
            seen = found.seen
            return (
                seen is not None
                and not found.reach
                and stat.S_ISREG(seen.st_mode)
                and seen.st_uid == 0
                and not seen.st_mode & (0o002 if seen.st_gid == 0 else 0o022)
            )
    except (OSError, Refused):
        return False


def _without_log(options: list[str]) -> list[str]:
    """With -E, sshd would write to its log file."""
    kept: list[str] = []
    rest = list(options)
    while rest:
        word = rest.pop(0)
        if word == "-E" and rest:
            rest.pop(0)
        elif not word.startswith("-E"):
            kept.append(word)
    return kept


def _unit_options() -> list[str]:
    """The options that the distribution's unit gives, where none listens."""
    found: list[str] = []
    for path in ("/etc/default/ssh", "/etc/sysconfig/sshd"):
        for line in _read(path):
            match = re.match(r"(?:SSHD_OPTS|OPTIONS)=[\"']?([^\"']*)", line)
            if match:
                found += match[1].split()
    return found


def _read(path: str) -> list[str]:
    """Its lines; none of what a user could lead elsewhere."""
    try:
        with held(path) as found:
            found.alone()
            if found.seen is None or not stat.S_ISREG(found.seen.st_mode):
                return []
            with open(found.name, encoding="utf-8", errors="replace") as file:
                return file.read().splitlines()
    except Refused:
        return []


def _words(line: str) -> tuple[str, str]:
    """(keyword in small letters, the rest); `keyword=value` is allowed (sshd_config(5))."""
    match = re.match(r"\s*(\w+)(?:\s*=\s*|\s+)(.*?)\s*$", line)
    return (match[1].lower(), match[2]) if match else ("", "")


def _lines(path: str, block: str, depth: int, found: list[dict[str, Any]]) -> str:
    """Appends what is set in a file and in those it includes; returns the Match block at its end.

    A `Match` of an included file ends with that file (sshd_config(5), Include).
    """
    if depth > 16:
        return block
    for number, line in enumerate(_read(path), 1):
        keyword, value = _words(line)
        if keyword == "match":
            block = "" if value.lower() == "all" and depth == 0 else f"Match {value}"
        if not keyword or keyword == "match":
            continue
        found.append(
            {
                "path": path,
                "number": number,
                "keyword": keyword,
                "value": value,
                "match": block,
                "text": f"{path}:{number}: {line.strip()}" + (f" ({block})" if block else ""),
            }
        )
        if keyword == "include":
            for pattern in value.split():
                pattern = pattern.strip('"')
                for other in sorted(glob.glob(os.path.join("/etc/ssh", pattern))):
                    _lines(other, block, depth + 1, found)
    return block


def _folder(main: str, lines: list[dict[str, Any]]) -> str:
    """The folder of drop-ins, where the main file includes it before it sets anything itself.

    Empty too where the owner has a drop-in that is read before ours and sets what we set.
    """
    if any(
        line["path"].startswith(_FOLDER) and line["path"] < _OURS and line["keyword"] in _SET
        for line in lines
    ):
        return ""
    own = [line for line in lines if line["path"] == main]
    first = own[0] if own else None
    if first and first["keyword"] == "include" and os.path.isdir(_FOLDER):
        names = [word.strip('"') for word in first["value"].split()]
        if any(os.path.join("/etc/ssh", name) == f"{_FOLDER}/*.conf" for name in names):
            return _FOLDER
    return ""


def _settings(module: AnsibleModule, exe: str, options: list[str], user: str) -> dict[str, Any]:
    status, out, err = module.run_command(
        [exe, "-T", "-C", f"user={user},{_FROM}", *options],
        environ_update={"LC_ALL": "C"},
    )
    if status != 0:
        module.fail_json(msg=f"{exe} -T does not take the configuration: {err.strip()}")
    found: dict[str, Any] = {}
    for line in out.splitlines():
        keyword, _blank, value = line.partition(" ")
        found.setdefault(keyword.lower(), []).append(value.strip())
    return found


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "users": {"type": "list", "elements": "str", "default": ["root", "nobody"]},
            "weak": {"type": "dict", "default": {}},
        },
        supports_check_mode=True,
    )
    program = module.get_bin_path("sshd", opt_dirs=["/usr/sbin", "/usr/local/sbin"])
    servers = _listeners() or ([(program, _unit_options())] if program else [])
    if not servers:
        module.exit_json(changed=False, installed=False)
    # the unit makes it when it starts; without it, sshd says nothing
    if not os.path.isdir("/run/sshd") and not module.check_mode:
        os.makedirs("/run/sshd", mode=0o755, exist_ok=True)
    settings = [
        {user: _settings(module, exe, options, user) for user in module.params["users"]}
        for exe, options in servers
    ]
    strong: dict[str, str] = {}
    for keyword, patterns in module.params["weak"].items():
        offered = settings[0][module.params["users"][0]].get(keyword, [""])[0].split(",")
        kept = [a for a in offered if a and not any(fnmatchcase(a, p) for p in patterns)]
        if len(kept) < len(offered):
            strong[keyword] = ",".join(kept)
    main_file = next(
        (p for p in ("/etc/ssh/sshd_config", "/usr/etc/ssh/sshd_config") if os.path.exists(p)), ""
    )
    lines: list[dict[str, Any]] = []
    _lines(main_file, "", 0, lines)
    module.exit_json(
        changed=False,
        installed=True,
        options=[options for _program, options in servers],
        program=servers[0][0],
        settings=settings,
        strong=strong,
        lines=lines,
        main=main_file,
        folder=_folder(main_file, lines),
    )


if __name__ == "__main__":
    main()
