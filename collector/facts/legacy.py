"""What starts services on demand (inetd, xinetd), how FTP is set up, and TCP wrappers."""

from __future__ import annotations

import re
from dataclasses import dataclass

from collector.errors import NotUnderstood
from collector.facts.masking import MASK
from collector.model import Capture, Quote, Read, Text, files, shell

# Of hosts_access(5) the clients are asked, not the commands that a connection starts.
_OPTIONS = r"""s/^[[:space:]]*#.*/#/
s/\(:[[:space:]]*[a-z_]\{1,\}[[:space:]]\{1,\}\).*/\1***/"""

READS: tuple[Read, ...] = (
    files(
        "legacy.inetd",
        "/etc/inetd.conf",
        "/etc/inetd.d/*",
        "/etc/xinetd.conf",
        "/etc/xinetd.d/*",
        redact=MASK,
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
        redact=r"""s/\([Pp][Aa][Ss][Ss][A-Za-z_]*[[:space:]=]\{1,\}\).*/\1***/
s/\(SQLConnectInfo[[:space:]]\).*/\1***/
s/\(SQLNamedConnectInfo[[:space:]]\).*/\1***/
s/\(LDAPBindDN[[:space:]]\).*/\1***/""",
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
  [ -r "$f" ] && grep -q 'libwrap\.so' "$f" && echo "$f"
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
                raise NotUnderstood("legacy.inetd", f"{path}: {line!r}")
            continue
        name = words[0].rpartition(":")[2]
        program = words[6] if len(words) > 6 and words[5].endswith("/tcpd") else words[5]
        found.append(OnDemand(name, program, Quote("legacy.inetd", (line.strip(),), path)))
    return found


def _xinetd(path: str, text: str) -> list[OnDemand]:
    bare = "\n".join(x for x in text.splitlines() if not x.strip().startswith("#"))
    found = []
    for name, body in re.findall(
        r"^\s*service\s+(\S+)\s*\{(.*?)\}", bare, re.DOTALL | re.MULTILINE
    ):
        values = dict(re.findall(r"^\s*(\w+)\s*\+?=\s*(.*?)\s*$", body, re.MULTILINE))
        if values.get("disable", "no").lower() == "yes":
            continue
        lines = (f"service {name}", f"disable = {values.get('disable', '(no)')}")
        found.append(OnDemand(name, values.get("server", ""), Quote("legacy.inetd", lines, path)))
    return found


def encrypted_ftp(capture: Capture) -> frozenset[str]:
    """The FTP servers (`vsftpd`, `proftpd`, `pure-ftpd`) that refuse logins without TLS."""
    found: set[str] = set()
    for file in capture.read("legacy.ftp").present():
        text = file.text("legacy.ftp")
        lines = [x.partition("#")[0].strip() for x in text.splitlines()]
        settings = {}
        for line in lines:
            match = re.match(r"(\w+)\s*[=\s]\s*(\S+)$", line)
            if match:
                settings[match[1].lower()] = match[2].lower()
        if "vsftpd" in file.path and settings.get("ssl_enable") == "yes":
            plain = settings.get("anonymous_enable", "yes") == "yes"
            anonymous = settings.get("allow_anon_ssl") == "yes" and (
                settings.get("force_anon_logins_ssl") == "yes"
            )
            if settings.get("force_local_logins_ssl", "yes") == "yes" and (not plain or anonymous):
                found.add("vsftpd")
        demands = settings.get("tlsrequired") in ("on", "ctrl+data", "auth+data")
        if "proftpd" in file.path and settings.get("tlsengine") == "on" and demands:
            found.add("proftpd")
        if file.path.endswith("pure-ftpd/conf/TLS") and text.strip() in ("2", "3"):
            found.add("pure-ftpd")
    return frozenset(found)


def wrapped(capture: Capture) -> bool:
    """Was sshd built with TCP wrappers, so that hosts.allow and hosts.deny count for it?"""
    return bool(capture.read("legacy.libwrap").text().strip())


def wrapper_networks(capture: Capture, daemon: str) -> tuple[tuple[str, ...], Quote] | None:
    """The clients that hosts_access(5) lets in for a daemon; None where it keeps nobody out.

    Raises NotUnderstood for forms that are not a plain list (EXCEPT, spawn …).
    """
    known = {f.path: f.text("legacy.wrappers") for f in capture.read("legacy.wrappers").present()}
    denied = _wrapped(known.get("/etc/hosts.deny", ""), daemon)
    if "ALL" not in denied:
        return None
    allowed = _wrapped(known.get("/etc/hosts.allow", ""), daemon)
    if "ALL" in allowed:
        return None
    lines = [x for p in known for x in known[p].splitlines() if x.strip() and x[0] != "#"]
    return tuple(allowed), Quote("legacy.wrappers", tuple(lines), "/etc/hosts.allow")


def _wrapped(text: str, daemon: str) -> list[str]:
    found: list[str] = []
    for raw in re.sub(r"\\\n", " ", text).splitlines():
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        daemons, _, rest = re.sub(r"\[[^\]]*\]", lambda m: m[0].replace(":", "\0"), line).partition(
            ":"
        )
        if not {daemon, "ALL"} & set(re.split(r"[\s,]+", daemons.strip())):
            continue
        clients, _, option = rest.partition(":")
        if option.strip().lower() not in ("", "allow") or "EXCEPT" in line:
            raise NotUnderstood("legacy.wrappers", f"not understood: {line!r}")
        found += [c.replace("\0", ":") for c in re.split(r"[\s,]+", clients.strip()) if c]
    return found
