"""Messages of a host as a syslog daemon gets them, and the ways out that they take.

A configuration is followed with one ordinary message after another, as the daemon does it: what
an informational message of sshd goes through decides where logins come to rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase

FACILITIES = (
    *"kern user mail daemon auth syslog lpr news uucp cron authpriv ftp".split(),  # noqa: SIM905
    *(f"local{n}" for n in range(8)),
)
# RFC 5424 section 6.2.1: 12 to 15 have no name that all know
CODES = {name: n if n < 12 else n + 4 for n, name in enumerate(FACILITIES)}
LEVELS = "emerg alert crit err warning notice info debug".split()  # noqa: SIM905
ALIASES = {"panic": "emerg", "error": "err", "warn": "warning", "security": "auth"}
LOGINS = frozenset(("auth", "authpriv"))


@dataclass(frozen=True, slots=True)
class Message:
    """One message of this host; `level` is 0 (emerg) to 7 (debug).

    `text` is None where nobody knows it. `ordinary` messages are those that must arrive for a
    facility to count as kept; the others only tell that something of it may arrive.
    """

    facility: str
    level: int
    program: str
    text: str | None
    ordinary: bool = True

    @property
    def tag(self) -> str:
        return f"{self.program}:" if self.facility == "kern" else f"{self.program}[812]:"


def _ordinary() -> tuple[Message, ...]:
    accepted = "Accepted publickey for ops from 203.0.113.9 port 50022 ssh2"
    opened = "pam_unix(sshd:session): session opened for user ops(uid=1000) by (uid=0)"
    run = "     ops : TTY=pts/0 ; PWD=/home/ops ; USER=root ; COMMAND=/usr/bin/id"
    told = {
        "kern": ("kernel", "usb 1-1: new high-speed USB device number 2 using xhci_hcd"),
        "mail": ("postfix/qmgr", "4F1B2: from=<a@example.org>, size=312, nrcpt=1 (queue active)"),
        "daemon": ("systemd", "Started cron.service - Regular background program daemon."),
        "syslog": ("rsyslogd", '[origin software="rsyslogd"] start'),
        "cron": ("CRON", "(root) CMD (run-parts /etc/cron.hourly)"),
    }
    plain = [
        Message(name, 6, *told.get(name, ("app", "ready")))
        for name in FACILITIES
        if name not in LOGINS
    ]
    logins = [
        Message(name, level, program, text)
        for name in ("auth", "authpriv")
        for level, program, text in ((6, "sshd", accepted), (6, "sshd", opened), (5, "sudo", run))
    ]
    louder = [Message(name, 3, "app", None, ordinary=False) for name in FACILITIES]
    return (*plain, *logins, *louder)


MESSAGES: tuple[Message, ...] = _ordinary()


@dataclass(frozen=True, slots=True)
class Output:
    """One way out: a file (`path`) or another host (`target`), and who gets there.

    `takes` are the facilities whose ordinary messages all get there; `may` those of which some
    may: louder ones, those of one program; `unsure` those of which a condition decides that is
    not understood.
    `logins` are the facilities in which all that sshd says of a login gets there.
    `path` of a file whose name is made for each message holds its template's `%…%` or `$…`.
    `transport` is `udp`, `tcp`, `tls`, `relp`, `http` or the name of the output's module;
    `queue` is `disk` where what cannot be sent is kept on a disk. `follows` are globs of files
    that the daemon reads itself and whose lines get there. At `limit` bytes (0: none) the daemon
    itself makes an old file of it, by a program or by its own count.
    """

    path: str
    target: str
    takes: frozenset[str]
    source: str
    line: str
    may: frozenset[str] = frozenset()
    unsure: frozenset[str] = frozenset()
    port: int | None = None
    transport: str = ""
    queue: str = ""
    follows: tuple[str, ...] = ()
    limit: int = 0
    logins: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Syslog:
    """The outputs of one syslog daemon; `present` is whether it has a configuration at all.

    `inputs` is where it takes this host's messages from: `socket` (/dev/log, or what journald
    forwards), `journal` and `kernel`. `path` is the file that it was started with. `statistics`
    says that it counts what it sends (impstats).
    """

    daemon: str
    present: bool
    outputs: tuple[Output, ...] = ()
    inputs: frozenset[str] = frozenset(("socket", "journal"))
    path: str = ""
    statistics: bool = False

    def files_of(self, facility: str) -> tuple[Output, ...]:
        """The outputs to a file that get the facility's ordinary messages."""
        return tuple(o for o in self.outputs if o.path and facility in o.takes)

    def unclear(self) -> tuple[Output, ...]:
        """The outputs to a file under conditions that are not understood."""
        return tuple(o for o in self.outputs if o.path and o.unsure and not o.takes)

    def remote(self) -> tuple[Output, ...]:
        """The outputs to a host, whatever gets there."""
        return tuple(o for o in self.outputs if o.target)

    def targets(self) -> tuple[str, ...]:
        """The hosts that something may get to."""
        return tuple(dict.fromkeys(o.target for o in self.outputs if o.target and o.may))


@dataclass(frozen=True, slots=True)
class Reach:
    """The facilities that get to one output, each of the four as in `Output`."""

    takes: frozenset[str] = frozenset()
    may: frozenset[str] = frozenset()
    unsure: frozenset[str] = frozenset()
    logins: frozenset[str] = frozenset()


def reached(seen: dict[Message, bool | None], known: frozenset[str]) -> Reach:
    """What `seen` messages that get to an output say: True for certain, None perhaps.

    Only facilities in `known` come to the daemon at all.
    """
    takes, may, unsure, logins = set(), set(), set(), set()
    for name in known:
        own = [m for m in MESSAGES if m.facility == name]
        ordinary = [seen.get(m, False) for m in own if m.ordinary]
        if all(ordinary):
            takes.add(name)
        if name in LOGINS and all(seen.get(m) for m in own if m.program == "sshd"):
            logins.add(name)
        if None in ordinary:
            unsure.add(name)
        if any(seen.get(m, False) is not False for m in own):
            may.add(name)
    return Reach(frozenset(takes), frozenset(may), frozenset(unsure), frozenset(logins))


def globbed(path: str, glob: str) -> bool:
    """As glob(3): `*` stops at a slash, and does not find a dot at the beginning."""
    name, form = path.rsplit("/", 1)[-1], glob.rsplit("/", 1)[-1]
    if name.startswith(".") and not form.startswith("."):
        return False
    return path.count("/") == glob.count("/") and fnmatchcase(path, glob)
