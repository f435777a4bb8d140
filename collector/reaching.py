"""What a host, its address, a user and a port may be called, so that no command takes it for more.

Names come from pledge records, inventories and captures, and end as words of ssh, sftp or docker,
as a line of a limit, as a template of Ansible. What OpenSSH refuses of late in ssh.c
(`valid_hostname`, `valid_ruser`) is refused here whatever version there is.
"""

from __future__ import annotations

import ipaddress
import re
import socket
import unicodedata

from collector.i18n.message import msg

# these begin an option, an exclusion, an intersection, a regular expression, the name of a file
_FIRST = "-!&~@"
# these make a pattern, a range, a list or a template of it
_OF_PATTERNS = re.compile(r"[*?\[\]{},]")
_OF_SHELLS = re.compile(r"['`\"$\\;&<>|(){}\s]")
_OF_USERS = re.compile(r"['`\";&<>|(){}]|\s-|\\$")
# groups that every inventory has, and the part of a listing that is no group
_OF_ANSIBLE = ("all", "ungrouped", "_meta")
# as `pledges.transfer.inventory` names groups, beside those of each pledge and customer
OWN_GROUPS = ("due", "check_due", "grade_2", "grade_3")
# as hosts files of Debian's and of RHEL's kind name it, and RFC 6761, section 6.3
_HERE = re.compile(
    r"localhost[46]?(\.localdomain[46]?)?|ip6-(localhost|loopback)|.+\.localhost", re.IGNORECASE
)


def wrong_name(name: str) -> str:
    """Why no host may be called that in an inventory or a pledge record; empty where it may."""
    if not name:
        return msg("name_host_empty")
    if name.lower() in _OF_ANSIBLE:
        return msg("host_s_name_is_ansible_s", name=name)
    if name[0] in _FIRST:
        return msg("host_s_name_may_not_begin", name=name[0])
    if _controls(name):
        return msg("host_s_name_may")
    if found := _OF_PATTERNS.search(name):
        return msg("host_s_name_may_not_hold", found=found[0])
    if ":" in name and not _is_address(name):
        return msg("host_s_name_may_not")
    return ""


def wrong_declared(name: str) -> str:
    """Why no host of a pledge may be called that; empty where it may."""
    if why := wrong_name(name):
        return why
    if _HERE.fullmatch(name.rstrip(".")) or _leads_here(name):
        return msg("host_s_name_is_control_node", name=name)
    if name.lower() in OWN_GROUPS:
        return msg("host_s_name_is_our_group", name=name)
    return ""


def wrong_address(address: str) -> str:
    """Why nothing can be reached there."""
    if not address or address[0] == "-":
        return msg("host_s_address_may")
    if _controls(address) or _OF_SHELLS.search(address):
        return msg("host_s_address_may_hold")
    return ""


def wrong_user(user: str) -> str:
    """Why nobody can log in as that."""
    if user[:1] == "-":
        return msg("user_s_name_may")
    if _controls(user) or _OF_USERS.search(user):
        return msg("user_s_name_may_hold")
    return ""


def wrong_port(port: object) -> str:
    """Why that is no TCP port."""
    text = str(port)
    if text.isascii() and text.isdecimal() and 0 < int(text[:9]) < 65536:
        return ""
    return msg("port_number_1_65535")


def _controls(text: str) -> bool:
    """Line ends, and what turns the direction of writing, too."""
    return any(unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp", "Cs") for c in text)


def _leads_here(text: str) -> bool:
    """Is it an address of the very machine that connects to it, however it is written?"""
    try:
        # as inet_aton(3) has it, and with it ssh: 127.1, 0x7f000001, 2130706433
        address = ipaddress.ip_address(socket.inet_aton(text))
    except (OSError, ValueError):
        try:
            address = ipaddress.ip_address(text.partition("%")[0])
        except ValueError:
            return False
    mapped = getattr(address, "ipv4_mapped", None) or address
    return bool(mapped.is_loopback or mapped.is_unspecified)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
