"""Settings turned round by what goes before them: a drop-in, a later line, a boot argument."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import replace

from tests.cases import Case
from tests.mutations.shapes import both, changed, in_lines, spoiling, text_of, with_file

# what an Include of higher precedence makes of `sshd -T`; words of sshd_config(5)
_LOOSE = {
    "permitrootlogin": "yes",
    "passwordauthentication": "yes",
    "kbdinteractiveauthentication": "yes",
    "permitemptypasswords": "yes",
    "authenticationmethods": "any",
    "usepam": "no",
    "maxauthtries": "100",
    "clientaliveinterval": "0",
    "channeltimeout": "none",
    "unusedconnectiontimeout": "none",
    "ciphers": "3des-cbc,aes128-ctr",
    "macs": "hmac-md5,hmac-sha2-256",
    "kexalgorithms": "diffie-hellman-group1-sha1,curve25519-sha256",
    "permituserrc": "yes",
}
_ASKED = ("allowusers", "denyusers", "allowgroups", "denygroups", "forcecommand", "port")


@spoiling
def sshd_loosened(case: Case) -> Case | None:
    """An included file turns every setting of sshd round, for everybody; it is taken up."""

    def lines(old: list[str]) -> Iterable[str]:
        seen: set[str] = set()
        for line in old:
            word = line.partition(" ")[0]
            if line.startswith(("#as ", "#sshd ")):
                seen = set()
            if line.startswith("#rc"):
                yield from (f"{k} {v}" for k, v in _LOOSE.items() if k not in seen)
            seen.add(word)
            if word in _LOOSE:
                yield f"{word} {_LOOSE[word]}"
            elif word not in ("allowusers", "denyusers", "allowgroups", "denygroups"):
                yield line

    return in_lines(case, sshd__effective=lines)


@spoiling
def pam_short_cut(case: Case) -> Case | None:
    """A line before all others in every file of pam.d lets in and sets without a question."""

    def made(path: str, text: str) -> str:
        return (
            "auth sufficient pam_permit.so\npassword sufficient pam_unix.so md5 nullok\n"
            "session [success=done default=ignore] pam_permit.so\n" + text
        )

    return text_of(case, made, "pam.files")


@spoiling
def sudo_for_all(case: Case) -> Case | None:
    """The last line of sudoers, which is the one that holds, gives everybody everything."""
    more = "ALL ALL=(ALL:ALL) NOPASSWD: ALL\n"
    return text_of(case, lambda _, text: f"{text.rstrip()}\n{more}", "sudoers.files")


@spoiling
def journal_in_memory(case: Case) -> Case | None:
    """The last drop-in of journald keeps nothing, and hands nothing on."""
    text = "[Journal]\nStorage=volatile\nMaxRetentionSec=1day\nForwardToSyslog=no\nAudit=no\n"
    path = "/etc/systemd/journald.conf.d/zzz.conf"
    return with_file(case, "journald.config", path, text)


@spoiling
def syslog_discards(case: Case) -> Case | None:
    """The first rule of rsyslog drops every message; syslog-ng has one that ends all."""

    def made(path: str, text: str) -> str:
        if path.endswith("syslog-ng.conf"):
            stop = "log { source(s_src); source(s_sys); flags(final); };\n"
            return re.sub(r"^log\b", f"{stop}log", text, count=1, flags=re.MULTILINE)
        return f"*.* stop\n{text}" if path == "/etc/rsyslog.conf" else text

    return text_of(case, made, "syslog.rsyslog", "syslog.syslog_ng")


@spoiling
def rotated_away(case: Case) -> Case | None:
    """Every log is rotated each day, and one old file of it is kept, for one day."""

    def made(path: str, text: str) -> str:
        text = re.sub(r"\b(yearly|monthly|weekly|hourly)\b", "daily", text)
        text = re.sub(r"^(\s*)(maxage|min\s?size|size)\s.*$", "", text, flags=re.MULTILINE)
        text = re.sub(r"\brotate\s+-?\d+", "rotate 1\n maxage 1", text)
        return f"daily\nrotate 1\nmaxage 1\n{text}" if path == "/etc/logrotate.conf" else text

    return text_of(case, made, "logrotate.config")


@spoiling
def swept_away(case: Case) -> Case | None:
    """A drop-in of tmpfiles.d removes what is older than a day from the folders of logs."""

    def lines(old: list[str]) -> Iterable[str]:
        yield "@F /etc/tmpfiles.d/zz.conf"
        yield "/etc/tmpfiles.d/zz.conf:e /var/log - - - 1d"
        yield from old

    return in_lines(case, tmpfiles__rules=lines)


@spoiling
def audit_never(case: Case) -> Case | None:
    """The first rule of the audit system is that nothing is recorded."""

    def listed(old: list[str]) -> Iterable[str]:
        return ["-a never,task", *old]

    return both(
        lambda c: in_lines(c, audit__rules=listed),
        lambda c: text_of(c, lambda _, text: f"-a never,task\n{text}", "audit.rule_files"),
    )(case)


@spoiling
def audit_off(case: Case) -> Case | None:
    """The kernel does not audit: `auditctl -e 0`, which a later line brought about."""

    def status(old: list[str]) -> Iterable[str]:
        return (re.sub(r"^(enabled|AUDIT_STATUS: enabled=)\s?\d", r"\g<1> 0", x) for x in old)

    return in_lines(case, audit__status=status)


@spoiling
def kernel_arguments(case: Case) -> Case | None:
    """Booted without audit and mandatory access control."""

    def lines(old: list[str]) -> Iterable[str]:
        for line in old:
            line = re.sub(r"^(/sys/module/apparmor/parameters/enabled)=Y", r"\1=N", line)
            line = re.sub(r"^(/sys/fs/selinux/enforce)=1", r"\1=0", line)
            yield re.sub(
                r"^(/sys/kernel/security/lsm=.*?),(apparmor|selinux|kysec)\b.*", r"\1", line
            )

    found = list(case.capture.read("audit.kernel").files)
    for at, file in enumerate(found):
        if file.path == "/proc/cmdline":
            data = file.data.replace(b"audit=1", b"").rstrip() + b" audit=0 apparmor=0 selinux=0\n"
            found[at] = replace(file, data=data)
    old = case.capture.read("audit.kernel")
    return both(
        lambda c: changed(c, [replace(old, files=tuple(found))]) if old.files else None,
        lambda c: in_lines(c, mandatory__state=lines),
    )(case)


@spoiling
def firewall_open(case: Case) -> Case | None:
    """The first rule of each input chain accepts everything."""

    def nft(old: list[str]) -> Iterable[str]:
        for line in old:
            yield _nft_open(line) if line.startswith("{") else line

    def saved(old: list[str]) -> Iterable[str]:
        done = False
        for line in old:
            if line.startswith("-A INPUT") and not done:
                yield "-A INPUT -j ACCEPT"
                done = True
            yield re.sub(r"^:INPUT DROP", ":INPUT ACCEPT", line)

    return in_lines(
        case, firewall__nft=nft, firewall__iptables=saved, firewall__ip6tables=saved,
        firewall__iptables_legacy=saved, firewall__ip6tables_legacy=saved,
    )  # fmt: skip


def _nft_open(line: str) -> str:
    """Where a base chain of input stands, an accepting rule behind all chains and before others."""
    found = json.loads(line)
    heads = [x["chain"] for x in found["nftables"] if x.get("chain", {}).get("hook") == "input"]
    added = [
        {"rule": {**_place(head), "handle": 9_000 + n, "expr": [{"accept": None}]}}
        for n, head in enumerate(heads)
    ]
    rest = found["nftables"]
    at = next((n for n, x in enumerate(rest) if "rule" in x), len(rest))
    return json.dumps({"nftables": [*rest[:at], *added, *rest[at:]]})


def _place(chain: dict[str, str]) -> dict[str, str]:
    return {"family": chain["family"], "table": chain["table"], "chain": chain["name"]}


@spoiling
def scanner_looks_away(case: Case) -> Case | None:
    """The last line of clamd.conf, and of Defender's list, leaves everything out."""

    def clam(old: list[str]) -> Iterable[str]:
        conf = False
        for line in old:
            if line.startswith("== ") and conf:
                yield from ("ExcludePath ^/", "OnAccessExcludePath /", "OnAccessPrevention no")
            conf = (conf and not line.startswith("== ")) or line.startswith("== conf ")
            yield line

    def defender(old: list[str]) -> Iterable[str]:
        for line in old:
            line = re.sub(r"^(real_time_protection_enabled\s*:) true", r"\1 false", line)
            if line.strip() == "No exclusions":
                continue
            yield line
            if line == "== exclusions":
                yield from ("=" * 37, "Excluded folder", 'Path: "/"', "---")

    return in_lines(case, clamav__state=clam, defender__state=defender)


@spoiling
def in_the_clear(case: Case) -> Case | None:
    """No layer below the files encrypts: what was LUKS is a plain volume, fscrypt has no policy."""

    def block(old: list[str]) -> Iterable[str]:
        for line in old:
            line = line.replace('TYPE="crypt"', 'TYPE="lvm"')
            yield line.replace('FSTYPE="crypto_LUKS"', 'FSTYPE="LVM2_member"')

    def stack(old: list[str]) -> Iterable[str]:
        for line in old:
            line = re.sub(r"uuid=CRYPT-\S+", "uuid=LVM-abcdefghijklmnop", line)
            yield re.sub(r"^(table \S+) crypt .*", r"\1 linear -", line)

    def places(old: list[str]) -> Iterable[str]:
        return (re.sub(r"^(\w+\t[-\w]*?)E([-\w]*\t)", r"\1-\2", x) for x in old)

    return in_lines(case, storage__block=block, storage__stack=stack, inventory__places=places)


@spoiling
def disk_full(case: Case) -> Case | None:
    """Nothing is left on any file system."""

    def space(old: list[str]) -> Iterable[str]:
        for line in old:
            found = re.match(r"(\S+\s+)(\d+)(\s+)\d+(\s+)\d+(\s+)\d+%(\s+/.*)", line)
            yield (
                f"{found[1]}{found[2]}{found[3]}{found[2]}{found[4]}0{found[5]}100%{found[6]}"
                if found
                else line
            )

    def room(old: list[str]) -> Iterable[str]:
        for line in old:
            found = re.match(r"(\w+ \d+ \d+) \d+ (\d+) \d+ (/.*)", line)
            yield f"{found[1]} 0 {found[2]} 0 {found[3]}" if found else line

    return in_lines(case, storage__space=space, capacity__space=room)
