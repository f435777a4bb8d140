"""What became of a connection: from what OpenSSH, sudo and Ansible say to a HostStatus."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any, NewType

from collector.errors import one_line
from collector.model import HostStatus
from collector.run.collected.unsaid import before_connection, of_variables

# of what a host says, and none of it is longer where it is known: a pattern that goes over more
# holds up all that are asked beside it. Characters of a line, and lines from either end
_LINE, _LINES = 1000, 200
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
# What these programs say of themselves, to the end of the line: a proxy's own words, an option of
# somebody's configuration or the banner of a host are not among it. Only this goes into a capture.
_NAME = r"[^\s'\"]{1,255}"
_PORT = r"port \d{1,5}"
_KNOWN = re.compile(
    "|".join(
        [
            rf"ssh: connect to host {_NAME} {_PORT}: [A-Za-z ]+",
            rf"ssh: Could not resolve hostname {_NAME}: [A-Za-z ,-]+",
            rf"(?:{_NAME}: )?Permission denied \([a-z0-9,. -]+\)\.?",
            rf"Connection (?:closed|reset) by (?:remote host|{_NAME}(?: {_PORT})?)\.?",
            rf"Connection to {_NAME}(?: {_PORT})? (?:closed|timed out)[a-z ]*\.?",
            "Connection timed out during banner exchange",
            rf"Received disconnect from {_NAME} {_PORT}:\d+: Too many authentication failures",
            r"(?:kex|ssh)_exchange_identification: [A-Za-z ]+",
            rf"Unable to negotiate with {_NAME} {_PORT}: no matching [a-z ]+ found\.?"
            "(?: Their offer: [a-z0-9@.,-]{1,400})?",
            r"Host key verification failed\.?",
            "@? *WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! *@?",
            rf"(?:No \S+ host|Host) key (?:is known )?for {_NAME} (?:has changed )?"
            r"and you have requested strict checking\.",
            "Invalid/incorrect (?:username/)?password[A-Za-z0-9 .]{0,120}",
            r"Authentication failed\.?",
            r"Load key \"[^\"]{0,255}\": [A-Za-z ]+",
            "sign_and_send_pubkey: [a-z :]*no mutual signature[a-z ]*",
            "(?:WARNING: )?Your (?:password|account) has expired[A-Za-z ,.;]{0,80}",
            "Password change required[A-Za-z ,.]{0,120}",
            r"You are required to change your password[A-Za-z ,.()]{0,80}",
            r"(?:Incorrect|Missing) \S{1,20} password",
            r"sudo: (?:\d+ )?[a-z ,]+",
            rf"{_NAME} is not in the sudoers file\.[A-Za-z .]{{0,80}}",
            rf"Sorry, user {_NAME} (?:may not run sudo|is not allowed to execute .{{0,200}})"
            rf" on {_NAME}",
            "su: Authentication failure",
            "doas: (?:Operation not permitted|[Aa]uthentication (?:failed|required)|[a-z ]{1,40})",
            "stdio forwarding failed",
            "(?:sudo|su|doas|dzdo|pbrun|ksu): (?:command )?not found",
            r"Timeout \(\d+s?\) waiting for privilege escalation prompt:?",
        ]
    )
)
_FRAME = re.compile(
    r"^(?:(?:Task|Action|Module) failed: |Failed to connect to the host via ssh: "
    r"|(?:ERROR! )?Data could not be sent to remote host .{0,300}? over ssh: )+"
)
_UNTOLD = {
    HostStatus.HOST_KEY_CHANGED: "the key of the host was not accepted",
    HostStatus.AUTH_REFUSED: "the login was refused",
    HostStatus.BECOME_REFUSED: "becoming another user was refused",
    HostStatus.UNREACHABLE: "no connection came about",
    HostStatus.LOST: "the connection ended",
}
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
# of login shells, nologin(8), sh, sudo and scp, with nothing of the host's own in them
_ANSWERS = re.compile(
    r"^(?:This account is (?:currently )?not available\.?"
    r"|(?:\S*sh: )?(?:(?:line )?\d+: )?\S{1,80}: (?:(?:command )?not found|Permission denied"
    r"|No such file or directory|Exec format error)"
    r"|sudo: [a-zA-Z ,;'-]{1,150}|Sorry, (?:try again|user \S{1,40} .{1,120})"
    r"|Connection to \S{1,80} closed\.?|Your (?:account|password) has expired.{0,80}"
    r"|PTY allocation request failed.{0,40})$"
)
_HOST_KEY = re.compile(r"^debug1: Server host key: (\S+) (SHA256:\S+)", re.MULTILINE)
_ADDRESS = re.compile(r"^debug1: Connecting to \S+ \[([^\]\n]+)\] port (\d+)", re.MULTILINE)
_OPENED = re.compile(r"^debug1: Connection established", re.MULTILINE)

# What ssh itself said of this very connection, and what no host can say a word into: stderr is the
# host's as well, and over a connection that is shared with others the first words there are its.
Own = NewType("Own", str)


def without_debug(text: str) -> str:
    """What a person would have seen: OpenSSH's -v lines left out."""
    lines = [line.strip() for line in text.splitlines()]
    return "\n".join(line for line in lines if line and not _DEBUG.match(line))


def _some(text: str) -> list[str]:
    """The lines of it that are looked at, none longer than what any program says."""
    lines = without_debug(text).splitlines()
    some = lines if len(lines) <= 2 * _LINES else [*lines[:_LINES], *lines[-_LINES:]]
    return [line[:_LINE] for line in some]


def answered(text: str) -> str:
    """What the host said instead of a capture, where it is known what that says.

    Whatever else a profile or a wrapper prints may hold a password, and would be signed.
    """
    lines = without_debug(text).splitlines()
    for line in lines:
        if len(line) < 200 and _ANSWERS.search(line):
            return one_line(line)
    return f"{len(lines)} line(s) that are not shown" if lines else "the host answered nothing"


def own(log: bytes) -> Own:
    """What `apart` made ssh write into a file of its own, with the lines as stderr has them."""
    return Own(log.decode("utf-8", "replace").replace("\r\n", "\n"))


def apart(args: Any, log: str) -> Any:
    """A command line with ssh's words about itself in the file `log`; as it is where none is ssh.

    A ssh that goes over another's connection says nothing there of a key or an address, and one
    that goes through a jump host nothing of the jump host's. Whoever names a file by `-E` in
    arguments of his own keeps it, and nothing is known of that connection.
    """
    if isinstance(args, str | bytes):
        return args
    words = list(args)
    at = next((n for n, word in enumerate(words) if Path(os.fsdecode(word)).name == "ssh"), None)
    # behind sshpass and its options; a host may be called so too
    if at is None or (at and Path(os.fsdecode(words[0])).name != "sshpass"):
        return args
    option, name = ("-E", log) if isinstance(words[at], str) else (b"-E", os.fsencode(log))
    return [*words[: at + 1], option, name, *words[at + 1 :]]


def host_key(said: Own) -> str:
    """The key that this very session was checked against, `TYPE SHA256:…`; empty if not said."""
    found = _HOST_KEY.search(said)
    return " ".join(found.groups()) if found else ""


def connected_to(said: Own) -> tuple[str, int] | None:
    """The address and port that ssh opened itself; of several, the one that answered."""
    opened = _OPENED.search(said)
    found = list(_ADDRESS.finditer(said[: opened.start()] if opened else said))
    return (found[-1][1], int(found[-1][2])) if found else None


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
    lines = _some(text)
    if begun:
        return HostStatus.LOST, _shown(HostStatus.LOST, lines[-1:])
    for status, pattern in _SAID:
        for line in lines:
            if re.search(pattern, line, re.IGNORECASE):
                return status, _explain(status, _shown(status, [line]), text)
    return HostStatus.UNREACHABLE, _shown(HostStatus.UNREACHABLE, lines[-1:])


def _shown(status: HostStatus, lines: list[str]) -> str:
    """The line as far as it is known what it says; else what kind of failure it means."""
    if not lines:
        return "no answer" if status is HostStatus.UNREACHABLE else _UNTOLD[status]
    line = _FRAME.sub("", one_line(lines[0]))
    if line.startswith(UNFIT):
        return line
    if "sshpass program" in line:
        return _NO_SSHPASS
    if "command line on a controller" in line:
        return before_connection(line)
    if _KNOWN.fullmatch(line):
        return line
    # Ansible 2.19 puts words of its own before it, and the first line of stderr behind it
    if found := re.search(r"Invalid/incorrect (?:username/)?password[A-Za-z0-9 .]{0,120}", line):
        return found[0]
    if found := re.search(r"Bad configuration option: ", line):
        return f"ssh: {found[0].strip(' :')} in its configuration, or in what it is given"
    return of_variables(line) or f"{_UNTOLD[status]}: its own words are not known, and not kept"


def _explain(status: HostStatus, line: str, text: str) -> str:
    """OpenSSH says the same of a key that changed and of one that nobody has accepted yet."""
    if status is HostStatus.HOST_KEY_CHANGED and "HAS CHANGED" not in text:
        return f"{line} No key of this host is in known_hosts: check it and accept it first."
    if status is HostStatus.AUTH_REFUSED and "Invalid/incorrect" in line:
        # sshpass answers one prompt, and ssh asked another time
        return _REFUSED + (_ONE_PROMPT if led_on(text) else "")
    if status is HostStatus.AUTH_REFUSED and "change" in line.lower():
        return f"{line} Change it on the host first."
    return line
