"""Where memory reaches a disk: swap (swapon(8)) and core dumps (core(5), coredump.conf(5))."""

from __future__ import annotations

import re
from dataclasses import dataclass

from collector.errors import CouldNotLook, NotUnderstood
from collector.facts.storage import volumes as _storage
from collector.facts.storage.volumes import Answer, Storage, storage
from collector.i18n.message import msg
from collector.model import Capture, Read, Text, shell

_READ = "residual.state"

# what a program is given that takes core dumps, and remarks behind settings
_ONLY_SETTINGS = r"""s/^\(kernel\/core_pattern:|\)[[:space:]]*[^[:space:]]*[=;?<&].*/\1***/
s/^\(kernel\/core_pattern:|[[:space:]]*[^[:space:]]*\)[[:space:]].*/\1 ***/
/^\/etc\/security\//s/\([[:space:]]core[[:space:]]\{1,\}[^[:space:]#]*\).*/\1/
/^\/[^:]*coredump[^:]*:/s/[[:space:]]*[#;].*/ #/"""

READS: tuple[Read, ...] = (
    *_storage.READS,
    shell(
        _READ,
        r"""
cd /proc/sys && grep -a . kernel/core_pattern fs/suid_dumpable
echo '== swaps'
if [ -r /proc/swaps ]; then cat /proc/swaps; else echo none; fi
echo '== limits'
cat /proc/[0-9]*/limits 2>/dev/null | grep -E '^Max core' | sort | uniq -c
echo '== may'
grep -lE '^Max core file size +[^0 ]' /proc/[0-9]*/limits 2>/dev/null | while read -r p; do
  read -r n <"${p%limits}comm" && printf '%s\n' "$n"
done 2>/dev/null | sort -u | head -n 9
echo '== later'
grep -HE '^[^#]*[[:space:]](soft|hard|-)[[:space:]]+core[[:space:]]+[^[:space:]#]' \
  /etc/security/limits.conf /etc/security/limits.d/*.conf 2>/dev/null |
  awk 'NR > 40 { print "more"; exit } { print }'
echo '== coredump'
grep -HE '^[[:space:]]*(Storage|ProcessSizeMax)[[:space:]]*=' /etc/systemd/coredump.conf \
  /etc/systemd/coredump.conf.d/*.conf /run/systemd/coredump.conf.d/*.conf \
  /usr/lib/systemd/coredump.conf.d/*.conf /usr/local/lib/systemd/coredump.conf.d/*.conf 2>/dev/null
echo '== end'
""",
        redact=_ONLY_SETTINGS,
        privileged=True,
        why=Text(
            "内存内容是否会写入磁盘：交换区、核心转储",
            "whether what lies in memory reaches a disk: swap, core dumps",
        ),
    ),
)

_SYSTEMD = re.compile(r"\|\S*/systemd-coredump( |$)")
_NOBODY = re.compile(r"\|\s*(/usr)?/bin/(false|true)( |$)")
_KEEPERS = re.compile(r"\|\S*/(abrt-hook-ccpp|apport)( |$)")
# limits.conf(5): what the sessions of others begin with from now on
_LATER = re.compile(r"/[^:]+:\s*(\S+)\s+(soft|hard|-)\s+core\s+(\S+).*")
_SWAP = re.compile(r"(/\S*)(?: \(deleted\))?\s+(partition|file)\s+(\d+)\s+\d+\s+-?\d+")


@dataclass(frozen=True, slots=True)
class Swap:
    """One swap area: `encrypted` says whether what it holds is unreadable on the disk itself."""

    path: str
    encrypted: Answer
    why: str
    line: str


@dataclass(frozen=True, slots=True)
class Dumps:
    """What becomes of a core dump: `kept` is whether it reaches a disk, `where` its folder.

    `where` is empty where that is the folder in which the program happens to work.
    """

    kept: bool
    where: str
    suid: int
    lines: tuple[str, ...]


def swaps(capture: Capture) -> tuple[Swap, ...]:
    """The swap areas in use; empty where there is none. Raises FactError."""
    found = []
    lines = _parts(capture)["swaps"].splitlines()
    if lines == ["none"]:
        return ()
    if not lines or not lines[0].startswith("Filename"):
        raise NotUnderstood(_READ, msg("not_form_proc_swaps"))
    for line in lines[1:]:
        match = _SWAP.fullmatch(line.rstrip())
        if match is None:
            raise NotUnderstood(_READ, msg("not_line_proc_swaps", line=line))
        path = re.sub(r"\\([0-7]{3})", lambda m: chr(int(m[1], 8)), match[1])
        answer, why = _under(storage(capture), path, match[2])
        found.append(Swap(path, answer, why, line.rstrip()))
    return tuple(found)


def _under(known: Storage, path: str, kind: str) -> tuple[Answer, str]:
    if kind == "file":
        protection = known.encryption(path)
        return protection.encrypted, protection.why
    short = path.removeprefix("/dev/").removeprefix("mapper/")
    if re.fullmatch(r"zram\d+", short):
        return "yes", "zram"
    devices = [d for d in known.devices.values() if short in (d.name, d.kname)]
    if not devices:
        return "unknown", path
    protection = known.device_encryption(devices[0])
    return protection.encrypted, protection.why


def dumps(capture: Capture) -> Dumps:
    """What a program that dies now leaves behind. Raises FactError."""
    parts = _parts(capture)
    settings = dict(line.partition(":")[::2] for line in parts[""].splitlines())
    pattern, suid = settings.get("kernel/core_pattern"), settings.get("fs/suid_dumpable", "")
    if pattern is None or not re.fullmatch(r"[012]", suid):
        raise NotUnderstood(_READ, msg("core_pattern_suid_dumpable"))
    lines: tuple[str, ...] = (f"kernel.core_pattern={pattern}", f"fs.suid_dumpable={suid}")
    if pattern.startswith("|"):
        kept, where, told = _piped(pattern, parts["coredump"])
        return Dumps(kept, where, int(suid), (*lines, *told))
    limits = parts["limits"].splitlines()
    forms = [re.fullmatch(r"\s*\d+ Max core file size\s+(\S+)\s+\S+\s+bytes\s*", x) for x in limits]
    if not limits or None in forms:
        raise NotUnderstood(_READ, msg("limits_running_processes", limits=limits[:1]))
    open_ = [x.strip() for x, form in zip(limits, forms, strict=True) if form and form[1] != "0"]
    where = pattern.rsplit("/", 1)[0] if pattern.startswith("/") else ""
    names = ", ".join(parts.get("may", "").splitlines())
    if open_ and names:
        open_.append(f"comm={names}")
    open_ += _later(parts.get("later", ""))
    return Dumps(bool(open_), where, int(suid), (*lines, *open_))


def _later(text: str) -> list[str]:
    """The settings that let sessions to come dump core, where no hard limit forbids it."""
    told = []
    for line in text.splitlines():
        if line == "more":
            raise CouldNotLook(_READ, msg("more_than_is_read"))
        match = _LATER.fullmatch(line)
        if match is None:
            raise NotUnderstood(_READ, msg("not_line_limits_conf", line=line))
        told.append((match[1], match[2], match[3], line.strip()))
    shut = {who for who, kind, value, _ in told if kind != "soft" and value == "0"}
    raised = {who for who, kind, value, _ in told if kind != "soft" and value != "0"}
    return [
        line
        for who, kind, value, line in told
        # what holds for `*` does not hold for root
        if kind != "hard" and value != "0" and who not in shut
        and not ("*" in shut and who != "root" and who not in raised)
    ]  # fmt: skip


def _piped(pattern: str, settings: str) -> tuple[bool, str, tuple[str, ...]]:
    if _NOBODY.match(pattern):
        return False, "", ()
    if _KEEPERS.match(pattern):
        return True, "/var", ()
    if not _SYSTEMD.match(pattern):
        raise NotUnderstood(_READ, msg("becomes_dumps", pattern=pattern))
    lines = tuple(settings.splitlines())
    stores = {m[1] for x in lines if (m := re.search(r"Storage\s*=\s*(\S*)\s*$", x))}
    if len(stores) > 1:
        raise NotUnderstood(_READ, msg("coredump_conf", names=" and ".join(sorted(stores))))
    return stores != {"none"}, "/var/lib/systemd/coredump", lines


def _parts(capture: Capture) -> dict[str, str]:
    text = capture.read(_READ).text()
    pieces = re.split(r"^== (\w+)\n", text, flags=re.MULTILINE)
    parts = {"": pieces[0], **dict(zip(pieces[1::2], pieces[2::2], strict=False))}
    if tuple(x for x in parts if x not in ("may", "later")) != (
        "",
        "swaps",
        "limits",
        "coredump",
        "end",
    ):
        raise NotUnderstood(_READ, msg("ends_before_end"))
    return parts
