"""What became of a connection: from what OpenSSH, sudo and Ansible say to a HostStatus."""

from __future__ import annotations

import re

from collector.errors import one_line
from collector.model import HostStatus

# The first line that matches decides; the texts are OpenSSH's, sudo's, su's, doas' and Ansible's.
UNFIT = "not asked: "
_SAID: tuple[tuple[HostStatus, str], ...] = (
    (
        HostStatus.HOST_KEY_CHANGED,
        r"WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED|Host key verification failed"
        r"|host key for .* has changed|No \S+ host key is known"
        r"|add this host's fingerprint to your known_hosts",
    ),
    (
        HostStatus.AUTH_REFUSED,
        r"password has expired|Password change required|required to change your password"
        r"|account has expired",
    ),
    (
        HostStatus.AUTH_REFUSED,
        r"Permission denied \(|Too many authentication failures|Invalid/incorrect (?:username/)?"
        r"password|Authentication failed|no mutual signature|Load key .*: (?:Permission|invalid)",
    ),
    (
        HostStatus.BECOME_REFUSED,
        r"(?:Incorrect|Missing) \S+ password|a password is required|is not in the sudoers file"
        r"|not allowed to (?:execute|run)|may not run sudo|Sorry, user .* is not allowed"
        r"|you must have a tty|no tty present|become (?:success|password)|su: Authentication"
        r"|privilege escalation|doas: |sudo: .*(?:not found|must be owned)|incorrect password",
    ),
    (
        HostStatus.UNREACHABLE,
        r"Could not resolve hostname|Not allowed at this time|Connection refused|No route to host"
        r"|Network is unreachable"
        r"|Connection timed out|Operation timed out|Connection closed by .* port"
        r"|Unable to negotiate|kex_exchange_identification|ssh_exchange_identification"
        r"|Failed to connect"
        r"|Bad configuration|UNREACHABLE|banner exchange|proxy|stdio forwarding failed"
        r"|Could not request|unable to connect|Connection reset by|install the sshpass program"
        rf"|^{UNFIT}",
    ),
)
_REFUSED = "the password was refused"
_ONE_PROMPT = (
    "; sshpass answers one host alone: where the jump host asks for a password too, leave "
    "password_mechanism at ssh_askpass"
)
_NO_SSHPASS = (
    "sshpass is not here, and password_mechanism asks for it: install sshpass, or leave the "
    "setting at ssh_askpass, which needs none"
)
_SSHPASS = {5: "Invalid/incorrect password", 6: "Host key verification failed."}
_AUTHENTICATED = re.compile(r"^(?:debug\d: )?Authenticated to (.*)", re.MULTILINE)
_DEBUG = re.compile(r"^(?:debug\d: |OpenSSH_|Authenticated to |Transferred: |Bytes per second)")
_HOST_KEY = re.compile(r"^debug1: Server host key: (\S+) (SHA256:\S+)", re.MULTILINE)
_ADDRESS = re.compile(r"^debug1: Connecting to \S+ \[([^\]]+)\] port (\d+)", re.MULTILINE)


def without_debug(text: str) -> str:
    """What a person would have seen: OpenSSH's -v lines left out."""
    lines = [line.strip() for line in text.splitlines()]
    return "\n".join(line for line in lines if line and not _DEBUG.match(line))


def host_key(text: str) -> str:
    """The key that this very session was checked against, `TYPE SHA256:…`; empty if not said.

    With a jump host its key is named first, the host's own last.
    """
    found = _HOST_KEY.findall(text)
    return " ".join(found[-1]) if found else ""


def connected_to(text: str) -> tuple[str, int] | None:
    """The address and port that ssh opened itself (the jump host's, where there is one)."""
    found = _ADDRESS.search(text)
    return (found[1], int(found[2])) if found else None


def led_on(text: str) -> bool:
    """Did the session go through something else than a connection of its own?"""
    return "Executing proxy command" in text or "implicit ProxyCommand" in text


def logged_in(text: str) -> bool:
    """Did the host itself let us in? What a jump host did does not count."""
    hops = _AUTHENTICATED.findall(text)
    return any("via proxy" in hop for hop in hops) if led_on(text) else bool(hops)


def of_sshpass(code: int, text: str) -> str:
    """What sshpass means by its exit status (sshpass(1), RETURN VALUES), before what ssh said."""
    return f"{_SSHPASS[code]}\n{text}" if code in _SSHPASS else text


def classify(text: str, *, begun: bool) -> tuple[HostStatus, str]:
    """The status for a connection that failed, and one line that says why.

    `begun`: the capture had begun, so whatever is said now, the connection was lost half-way.
    """
    lines = without_debug(text).splitlines()
    if begun:
        return HostStatus.LOST, one_line(lines[-1] if lines else "the connection ended")
    for status, pattern in _SAID:
        for line in lines:
            if re.search(pattern, line, re.IGNORECASE):
                return status, _explain(status, one_line(line), text)
    return HostStatus.UNREACHABLE, one_line(lines[-1] if lines else "no answer")


def _explain(status: HostStatus, line: str, text: str) -> str:
    """OpenSSH says the same of a key that changed and of one that nobody has accepted yet."""
    if status is HostStatus.HOST_KEY_CHANGED and "HAS CHANGED" not in text:
        return f"{line} No key of this host is in known_hosts: check it and accept it first."
    if status is HostStatus.AUTH_REFUSED and "Invalid/incorrect" in line:
        # sshpass answers one prompt, and ssh asked another time
        return _REFUSED + (_ONE_PROMPT if led_on(text) else "")
    if status is HostStatus.AUTH_REFUSED and "change" in line.lower():
        return f"{line} Change it on the host first."
    if "sshpass program" in line:
        return _NO_SSHPASS
    return line
