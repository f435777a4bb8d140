"""What a host, its address, a user and a port may be called, so that no command takes it for more.

Names come from pledge records, inventories and captures, and end as words of ssh, sftp or docker,
as a line of a limit, as a template of Ansible. What OpenSSH refuses of late in ssh.c
(`valid_hostname`, `valid_ruser`) is refused here whatever version there is.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata

# these begin an option, an exclusion, an intersection, a regular expression, the name of a file
_FIRST = "-!&~@"
# these make a pattern, a range, a list or a template of it
_OF_PATTERNS = re.compile(r"[*?\[\]{},]")
_OF_SHELLS = re.compile(r"['`\"$\\;&<>|(){}\s]")
_OF_USERS = re.compile(r"['`\";&<>|(){}]|\s-|\\$")


def wrong_name(name: str) -> str:
    """Why no host may be called that in an inventory or a pledge record; empty where it may."""
    if not name:
        return "the name of a host is empty"
    if name[0] in _FIRST:
        return f"a host's name may not begin with {name[0]}: a command would not take it for one"
    if _controls(name):
        return "a host's name may not hold a line break or another control character"
    if found := _OF_PATTERNS.search(name):
        return f"a host's name may not hold {found[0]}: Ansible takes it for a pattern"
    if ":" in name and not _is_address(name):
        return "a host's name may not hold a colon: Ansible takes what follows for a port"
    return ""


def wrong_address(address: str) -> str:
    """Why nothing can be reached there."""
    if not address or address[0] == "-":
        return "a host's address may not begin with -: ssh would take it for an option"
    if _controls(address) or _OF_SHELLS.search(address):
        return "a host's address may hold neither blanks nor characters of the shell"
    return ""


def wrong_user(user: str) -> str:
    """Why nobody can log in as that."""
    if user[:1] == "-":
        return "a user's name may not begin with -: a command would take it for an option"
    if _controls(user) or _OF_USERS.search(user):
        return "a user's name may hold neither quotes nor other characters of the shell"
    return ""


def wrong_port(port: object) -> str:
    """Why that is no TCP port."""
    text = str(port)
    if text.isascii() and text.isdecimal() and 0 < int(text[:9]) < 65536:
        return ""
    return "a port is a number from 1 to 65535"


def _controls(text: str) -> bool:
    """Line ends, and what turns the direction of writing, too."""
    return any(unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp", "Cs") for c in text)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
