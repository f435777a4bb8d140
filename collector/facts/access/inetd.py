"""What starts services on demand (inetd, xinetd), how FTP is set up, and TCP wrappers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from collector.errors import NotUnderstood
from collector.facts.base.redaction import any_case, only_lines
from collector.i18n.message import msg
from collector.model import Capture, Quote, Read, Text, files, shell

_GAP = "[[:space:]]"
_BEHIND = rf"{_GAP}*\(#.*\)\{{0,1\}}"

# Of hosts_access(5) the clients are asked, not the commands that a connection starts, which may
# stand on the line below their clients. What has another form stays a rule that is not understood.
_DAEMONS = r"[]A-Za-z0-9_.,@*?\/+![:space:]-]*"
_CLIENTS = (
    r"[A-Za-z0-9_.,@*?\/%+![:space:]-]*\(\[[0-9a-fA-F:.]*\][A-Za-z0-9_.,@*?\/%+![:space:]-]*\)*"
)
_OPTIONS = "\n".join(
    [
        ":hpj\n/\\\\$/{\n$!{\nN\ns/\\\\\\n/ /\nb hpj\n}\n}",
        r"s/^[[:space:]]*#.*/#/",
        r"s/[[:space:]]#.*//",
        only_lines(
            r"\(#\)",
            rf"\({_DAEMONS}:{_CLIENTS}\)",
            *(
                rf"\({_DAEMONS}:{_CLIENTS}:{_GAP}*{any_case(word)}\){_GAP}*"
                for word in ("allow", "deny")
            ),
            rest=rf"""s/^\({_DAEMONS}:{_CLIENTS}:{_GAP}*[A-Za-z_]\{{1,12\}}\)[^A-Za-z_].*/\1 ***/
t
s/^\({_DAEMONS}\):.*/\1: *** : ***/
t
s/^.*:.*/ALL: *** : ***/
t
/[^[:space:]]/s/.*/***/""",
        ),
    ]
)

# What inetd(8) and xinetd.conf(5) start, and whether: arguments and the like are not asked.
_SIGNS = r"[^[:space:]\"'#=;?<&]"
_WORD = rf"{_SIGNS}\{{1,\}}"
_SIX = rf"{_WORD}{_GAP}\{{1,\}}[a-z_0-9]*{_GAP}\{{1,\}}\({_WORD}{_GAP}\{{1,\}}\)\{{3\}}"
_STARTED = only_lines(
    rf"\({_GAP}*#\).*",
    rf"\({_GAP}*[{{}}]\){_BEHIND}",
    rf"\({_GAP}*service{_GAP}\{{1,\}}[^[:space:]\"'#={{]*{_GAP}*{{\{{0,1\}}\){_BEHIND}",
    rf"\({_GAP}*defaults{_GAP}*{{\{{0,1\}}\){_BEHIND}",
    rf"\({_GAP}*include[a-z]*{_GAP}\{{1,\}}\/[^[:space:]=;?<&]*\).*",
    rf"\({_GAP}*disable{_GAP}*+\{{0,1\}}={_GAP}*[A-Za-z]*\){_BEHIND}",
    rf"\({_GAP}*server{_GAP}*+\{{0,1\}}={_GAP}*\/{_WORD}\){_BEHIND}",
    rf"\({_GAP}*[a-z_]\{{1,\}}{_GAP}*[+-]\{{0,1\}}=\).*",
    # SERVICE TYPE PROTOCOL WAIT USER PROGRAM, and of its arguments the program behind tcpd
    rf"\({_GAP}*{_SIX}{_SIGNS}*\/tcpd{_GAP}\{{1,\}}[A-Za-z\/]{_SIGNS}*\)\({_GAP}.*\)\{{0,1\}}",
    rf"\({_GAP}*{_SIX}{_WORD}\)\({_GAP}.*\)\{{0,1\}}",
    rest="/[^[:space:]]/s/.*/***/",
)

# Whether FTP demands encryption: nothing else is taken, and of these no other value than such.
_DEMANDS = only_lines(
    *(
        rf"\({_GAP}*{any_case(name)}[[:space:]=]\{{1,\}}[A-Za-z01+]\{{1,10\}}\){_BEHIND}"
        for name in (
            "ssl_enable", "anonymous_enable", "allow_anon_ssl", "force_anon_logins_ssl",
            "force_local_logins_ssl", "TLSEngine", "TLSRequired",
        )
    ),
    r"\([0-9]\)[[:space:]]*",
)  # fmt: skip

READS: tuple[Read, ...] = (
    files(
        "legacy.inetd",
        "/etc/inetd.conf",
        "/etc/inetd.d/*",
        "/etc/xinetd.conf",
        "/etc/xinetd.d/*",
        redact=_STARTED,
        why=Text("inetd/xinetd 会启动哪些服务", "which services inetd and xinetd start"),
    ),
    files(
        "legacy.ftp",
        "/etc/vsftpd.conf",
        "/etc/vsftpd/*.conf",
        "/etc/proftpd/proftpd.conf",
        "/etc/proftpd.conf",
        "/etc/proftpd/tls.conf",
        "/etc/pure-ftpd/conf/TLS",
        redact=_DEMANDS,
        why=Text("FTP 是否强制加密", "whether FTP demands encryption"),
    ),
    files(
        "legacy.wrappers",
        "/etc/hosts.allow",
        "/etc/hosts.deny",
        redact=_OPTIONS,
        why=Text("TCP wrappers 允许谁连接", "whom TCP wrappers let in"),
    ),
    shell(
        "legacy.libwrap",
        r"""
for f in /usr/sbin/sshd /usr/lib/openssh/sshd-session /usr/libexec/openssh/sshd-session; do
  [ -r "$f" ] && grep -q 'libwrap\.so' "$f" && printf '%s\n' "$f"
done
true
""",
        limit=4096,
        why=Text(
            "sshd 是否真的使用 TCP wrappers（新版本已不支持）",
            "whether sshd uses TCP wrappers at all (new versions do not)",
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class OnDemand:
    """A service that inetd or xinetd starts: its name, its program, where that is written."""

    name: str
    program: str
    quote: Quote


def on_demand(capture: Capture) -> tuple[OnDemand, ...]:
    """What is switched on in inetd.conf(5) and xinetd.conf(5). Raises FactError."""
    found: list[OnDemand] = []
    for file in capture.read("legacy.inetd").present():
        name = file.path.rpartition("/")[2]
        text = file.text("legacy.inetd")
        if "xinetd" in file.path:
            # xinetd.conf(5), includedir: names with a dot or ending in ~ are passed over
            if file.path.startswith("/etc/xinetd.d/") and ("." in name or name.endswith("~")):
                continue
            found += _xinetd(file.path, text)
        else:
            found += _inetd(file.path, text)
    return tuple(found)


def _inetd(path: str, text: str) -> list[OnDemand]:
    found = []
    for line in text.splitlines():
        words = line.partition("#")[0].split()
        if len(words) < 6:
            if words and not words[0].startswith("#"):
                raise NotUnderstood("legacy.inetd", msg("at", where=path, what=repr(line)))
            continue
        name = words[0].rpartition(":")[2]
        program = words[6] if len(words) > 6 and words[5].endswith("/tcpd") else words[5]
        found.append(OnDemand(name, program, Quote("legacy.inetd", (line.strip(),), path)))
    return found


def _xinetd(path: str, text: str) -> list[OnDemand]:
    bare = "\n".join(x for x in text.splitlines() if not x.strip().startswith("#"))
    found = []
    for name, body in re.findall(
        r"^[^\S\n]*service\s+(\S+)\s*\{([^}]*)\}", bare[: bare.rfind("}") + 1], re.MULTILINE
    ):
        values = dict(re.findall(r"^[ \t]*(\w+)\s*\+?=[ \t]*(.*?)[ \t]*$", body, re.MULTILINE))
        if values.get("disable", "no").lower() == "yes":
            continue
        lines = [f"service {name}", f"disable = {values.get('disable', '(no)')}"]
        # without a server it is one of xinetd's own, or is handed on to another port
        program = values.get("server", "internal")
        if program != "internal":
            lines.append(f"server = {program}")
        found.append(OnDemand(name, program, Quote("legacy.inetd", tuple(lines), path)))
    return found


def encrypted_ftp(capture: Capture) -> frozenset[str]:
    """The FTP servers (`vsftpd`, `proftpd`, `pure-ftpd`) that refuse logins without TLS.

    Raises NotUnderstood where one of several files of vsftpd does not demand it: each may be of a
    server of its own.
    """
    found: set[str] = set()
    files: dict[str, bool] = {}
    for file in capture.read("legacy.ftp").present():
        text = file.text("legacy.ftp")
        lines = [x.partition("#")[0].strip() for x in text.splitlines()]
        settings = {}
        for line in lines:
            match = re.match(r"(\w+)\s*[=\s]\s*(\S+)$", line)
            if match:
                settings[match[1].lower()] = match[2].lower()
        if "vsftpd" in file.path:
            files[file.path] = _vsftpd_demands(settings)
        demands = settings.get("tlsrequired") in ("on", "ctrl+data", "auth+data")
        if "proftpd" in file.path and settings.get("tlsengine") == "on" and demands:
            found.add("proftpd")
        if file.path.endswith("pure-ftpd/conf/TLS") and text.strip() in ("2", "3"):
            found.add("pure-ftpd")
    if any(files.values()):
        if plain := sorted(path for path, demands in files.items() if not demands):
            raise NotUnderstood("legacy.ftp", msg("vsftpd_files_differ", path=plain[0]))
        found.add("vsftpd")
    return frozenset(found)


def _vsftpd_demands(settings: Mapping[str, str]) -> bool:
    plain = settings.get("anonymous_enable", "yes") == "yes"
    anonymous = settings.get("allow_anon_ssl") == "yes" and (
        settings.get("force_anon_logins_ssl") == "yes"
    )
    return (
        settings.get("ssl_enable") == "yes"
        and settings.get("force_local_logins_ssl", "yes") == "yes"
        and (not plain or anonymous)
    )


def wrapped(capture: Capture, *programs: str) -> bool:
    """Was one of these built with TCP wrappers, so that hosts.allow and hosts.deny count for it?

    An sshd that somebody built himself lies beside the one of the distribution, and has none.
    """
    built = capture.read("legacy.libwrap").text().split()
    return any(re.sub(r"^/s?bin/", "/usr/sbin/", program) in built for program in programs)


def wrapper_networks(capture: Capture, daemon: str) -> tuple[tuple[str, ...], Quote] | None:
    """The clients that hosts_access(5) lets in for a daemon; None where it keeps nobody out.

    The first rule that fits decides, and hosts_options(5) lets either file allow or deny. A rule
    that denies only some is passed over: it takes nobody in. Raises NotUnderstood for forms that
    are not a plain list (EXCEPT, spawn …).
    """
    known = {f.path: f.text("legacy.wrappers") for f in capture.read("legacy.wrappers").present()}
    allowed: list[str] = []
    for path, grants in (("/etc/hosts.allow", True), ("/etc/hosts.deny", False)):
        for rule in _wrapped(known.get(path, ""), daemon, grants=grants):
            everyone = "ALL" in (c.upper() for c in rule.clients)
            if rule.grants and everyone:
                return None
            if rule.grants:
                allowed += _named(rule.clients)
            elif everyone:
                allowed += _named(rule.spared)
                lines = [
                    x
                    for p in known
                    for x in known[p].splitlines()
                    if x.strip(" \t")[:1] not in ("", "#")
                ]
                return tuple(allowed), Quote("legacy.wrappers", tuple(lines), "/etc/hosts.allow")
    return None


@dataclass(frozen=True, slots=True)
class _Rule:
    grants: bool
    clients: tuple[str, ...]
    spared: tuple[str, ...]


def _named(clients: tuple[str, ...]) -> tuple[str, ...]:
    """Addresses and names: a file or netgroup of them, a word, what is masked may be anybody."""
    for client in clients:
        if client.startswith(("/", "@", "***")) or client.upper() in (
            "KNOWN",
            "UNKNOWN",
            "PARANOID",
        ):
            raise NotUnderstood("legacy.wrappers", msg("not_understood", line=client))
    return clients


def _wrapped(text: str, daemon: str, *, grants: bool) -> list[_Rule]:
    """The rules for a daemon, in order. Words and names are read in small letters and capitals."""
    found: list[_Rule] = []
    for raw in re.sub(r"\\\n", " ", text).splitlines():
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        bare = re.sub(r"\[[^][]*\]", lambda m: m[0].replace(":", "\0"), line)
        daemons, _, rest = bare.partition(":")
        names = [n.upper() for n in re.split(r"[\s,]+", daemons.strip())]
        if not {daemon.upper(), "ALL"} & set(names):
            continue
        told, _, option = rest.partition(":")
        word = option.strip().lower()
        clients = tuple(c.replace("\0", ":") for c in re.split(r"[\s,]+", told.strip()) if c)
        allows = grants if not word else word == "allow"
        spared: tuple[str, ...] = ()
        if [c.upper() for c in clients[:2]] == ["ALL", "EXCEPT"] and not allows:
            clients, spared = clients[:1], clients[2:]
        excepts = {"EXCEPT"} & {*names, *(c.upper() for c in (*clients, *spared))}
        if word not in ("", "allow", "deny") or excepts:
            raise NotUnderstood("legacy.wrappers", msg("not_understood", line=line))
        found.append(_Rule(allows, clients, spared))
    return found
