"""Security fixes that are not installed, from what the package manager fetched last.

Neither apt nor dnf is run (both take locks, write logs and take seconds): the lists that they keep
are joined with the installed packages on the host, and what differs is compared here. How old the
lists are is told by the date that the archive signed (apt), and by the cache's own files (dnf).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime

from collector.errors import NotUnderstood
from collector.facts.base.opened import OPENED
from collector.facts.base.package_versions import dpkg_newer, rpm_missing
from collector.facts.system.kernel_images import newer_images
from collector.facts.system.os_release import READS as _RELEASE_READS
from collector.facts.system.os_release import Platform, platform
from collector.facts.system.other_release import built_for_another, named_for_another, signed_other
from collector.facts.system.repositories import half_untold, holds_system, newest, repository
from collector.i18n.message import msg
from collector.model import Capture, Read, Text, shell

# apt names a list by the address that it is from, in which a private archive has its token; twice,
# for two that stand side by side
_NO_TOKENS = (
    "\n".join(r"/^\(file\|unreadable\) /s/_[[:alnum:]]\{12,\}_/_***_/g" for _ in range(2))
    + "\n"
    + r"/^\(file\|unreadable\) /s/_[0-9a-f]\{8\}-[0-9a-f-]\{27\}_/_***_/g"
)

_APT = (
    OPENED
    + r"""
command -v dpkg-query >/dev/null 2>&1 || { echo '== none'; exit 0; }
[ -d /var/lib/apt/lists ] || { echo '== none'; exit 0; }
echo '== releases'
l=/var/lib/apt/lists
for f in $l/*_InRelease $l/*_Release; do
  [ -f "$f" ] && hp_plain "$f" || continue
  printf 'file %s\n' "$f"
  sed -n '/^\(Origin\|Label\|Suite\|Codename\|Date\):/p;/^\(MD5Sum\|SHA256\):/q' "$f"
done
echo '== last'
stat -c 'info %Y' /var/lib/dpkg/status 2>/dev/null
echo '== differ'
for f in $l/*[-_]security_*_Packages $l/*[-_]security_*_Packages.*; do
  [ -f "$f" ] && hp_plain "$f" || continue
  case "$f" in
    *_Packages) cat "$f";;
    *) /usr/lib/apt/apt-helper cat-file "$f" || printf '%s\n' "unreadable $f";;
  esac
done | { dpkg-query -W -f '${db:Status-Status} ${Package} ${Version}\n'; echo '== lists'; cat; } |
awk '
  $1 == "unreadable" { print; next }
  $1 == "==" { lists = 1; next }
  !lists {
    if ($1 != "installed") next
    held[$2] = held[$2] " " $3; some = 1
    if ($2 ~ /^linux-image-[0-9]/) kernels[$2] = $3
    next
  }
  $1 == "Package:" { name = $2; read++; next }
  $1 == "Version:" && name ~ /^linux-image-[0-9]/ {
    for (k in kernels) print "kernel", k, kernels[k], name, $2
  }
  $1 == "Version:" && name in held {
    n = split(held[name], mine, " ")
    for (i = 1; i <= n; i++) if (mine[i] != $2) print name, mine[i], $2
  }
  END { print "read", some ? read + 0 : "nothing" }
' | sort -u
echo '== end'
"""
)

# Records of XML end where the next tag begins, however its lines are broken.
_DNF = (
    OPENED
    + r"""
command -v rpm >/dev/null 2>&1 || { echo '== none'; exit 0; }
[ -d /var/cache/dnf ] || [ -d /var/cache/yum ] || [ -d /var/cache/libdnf5 ] || {
  echo '== none'; exit 0
}
# dnf unpacks zst by itself, so zstd need not be there; rpm can from 4.17 on, and tells no cut end
hp_zst() {
  command -v zstd >/dev/null 2>&1 && { zstd -dcq "$1"; return; }
  case "$1" in (*[!A-Za-z0-9._/+-]*) return 1;; esac
  [ "$(rpm --eval '%{lua: if rpm.open then print("yes") end}' 2>/dev/null)" = yes ] || return 1
  rpm --eval "%{lua: local f, e = rpm.open('$1', 'r.zstdio'), ''; local d = f:read(65536)
    while d and #d > 0 do io.stdout:write(d); e = string.sub(e..d, -64); d = f:read(65536) end
    if not string.find(e, '</updates>', 1, true) then error('cut') end}" 2>/dev/null
}
u=; echo '== caches'
for f in /var/cache/dnf/*/repodata/repomd.xml /var/cache/dnf/*/repodata/*primary.xml* \
  /var/cache/libdnf5/*/repodata/repomd.xml /var/cache/libdnf5/*/repodata/*primary.xml* \
  /var/cache/yum/*/*/*/repomd.xml /var/cache/yum/*/*/*/cachecookie; do
  [ -f "$f" ] && hp_plain "$f" && stat -c '%Y %n' "$f"
done
for f in /var/cache/dnf/*/repodata/*updateinfo.xml* /var/cache/libdnf5/*/repodata/*updateinfo.xml* \
  /var/cache/yum/*/*/*/*updateinfo.xml* /var/cache/yum/*/*/*/gen/updateinfo.xml; do
  case "$f" in *.solv*|*.sqlite*) continue;; esac
  [ -f "$f" ] && hp_plain "$f" && { printf 'updateinfo %s\n' "$f"; u="$u $f"; }
done
echo '== differ'
for f in $u; do
  case "$f" in
    *.gz) gzip -dc "$f";; *.xz) xz -dc "$f";; *.bz2) bzip2 -dc "$f";; *.zst) hp_zst "$f";;
    *) cat "$f";;
  esac || printf '\n<unreadable file="%s"/>\n' "$f"
done | { rpm -qa --qf '%{NAME} %{EPOCH} %{VERSION}-%{RELEASE} %{ARCH} %{INSTALLTIME}\n'
  echo '== lists'; cat; } | awk '
  function value(text, name,   at, rest, mark) {
    at = match(text, "[ \t\n]" name "=[\"\047]")
    if (!at) return ""
    rest = substr(text, at + RLENGTH); mark = substr(text, at + RLENGTH - 1, 1)
    return substr(rest, 1, index(rest, mark) - 1)
  }
  BEGIN { RS = "\n" }
  $1 == "==" { RS = "<"; lists = 1; next }
  !lists {
    e = ($2 == "(none)") ? 0 : $2
    held[$1] = held[$1] " " e ":" $3
    if ($5 > last) last = $5
    next
  }
  /^unreadable/ { print "unreadable", value($0, "file"); next }
  /^update[ \t\n]/ { kind = value($0, "type"); id = ""; severity = "None"; issued = ""; next }
  /^id>/ && id == "" { id = substr($0, 4); sub(/[ \t\n].*/, "", id); next }
  /^severity>/ { severity = substr($0, 10); sub(/[ \t\n].*/, "", severity); next }
  /^issued/ { issued = substr(value($0, "date"), 1, 10); next }
  /^package[ \t\n]/ && kind == "security" {
    name = value($0, "name")
    if (!(name in held)) next
    e = value($0, "epoch"); if (e == "") e = 0
    v = e ":" value($0, "version") "-" value($0, "release")
    if (index(held[name] " ", " " v " ") || (name, v) in seen) next
    seen[name, v] = 1
    n = split(held[name], mine, " ")
    print name, v, id, severity, issued, held[name]
  }
  END { print "last", last + 0 }
'
echo '== end'
"""
)

READS: tuple[Read, ...] = (
    shell(
        "updates.apt",
        _APT,
        redact=_NO_TOKENS,
        seconds=30,
        limit=1 << 20,
        why=Text(
            "apt 缓存中有哪些尚未安装的安全更新，缓存有多旧",
            "which security fixes in apt's lists are not installed, and how old the lists are",
        ),
    ),
    shell(
        "updates.dnf",
        _DNF,
        seconds=60,
        limit=1 << 22,
        why=Text(
            "dnf/yum 缓存中有哪些尚未安装的安全更新，缓存有多旧",
            "which advisories in the cache of dnf or yum are not installed, and how old it is",
        ),
    ),
    *_RELEASE_READS,
)


@dataclass(frozen=True, slots=True)
class Fix:
    """A fix that is not installed. `severity` and `issued` are None where the archive (apt) does

    not tell them.
    """

    package: str
    installed: str
    fixed: str
    advisory: str = ""
    severity: str | None = None
    issued: date | None = None

    @property
    def line(self) -> str:
        told = (self.advisory, self.severity, None if self.issued is None else str(self.issued))
        words = " ".join(word for word in told if word)
        return f"{self.package} {self.installed} -> {self.fixed} {words}".rstrip()


@dataclass(frozen=True, slots=True)
class Updates:
    """`fetched`: how new the oldest thing is that the answer rests on; None: nothing was fetched.

    `source`: is there a list of security fixes of the system itself; `last`: when packages last
    changed; `foreign`: a list of another release of the system, which may be all that was compared.
    """

    read: str
    fixes: tuple[Fix, ...]
    fetched: datetime | None
    source: bool
    last: datetime | None
    lines: tuple[str, ...]
    foreign: str = ""


def updates(capture: Capture) -> Updates | None:
    """What apt's or dnf's lists say; None where there is neither. Raises FactError."""
    apt = capture.read("updates.apt").text()
    dnf = capture.read("updates.dnf").text()
    for id, text in (("updates.apt", apt), ("updates.dnf", dnf)):
        if text.strip() != "== none" and not text.rstrip().endswith("== end"):
            raise NotUnderstood(id, msg("ends_before_end"))
        if match := re.search(r"^unreadable.*$", text, re.MULTILINE):
            raise NotUnderstood(id, match[0])
    if apt.strip() != "== none":
        return _apt(apt, platform(capture))
    return None if dnf.strip() == "== none" else _dnf(dnf, platform(capture))


def _section(text: str, name: str) -> list[str]:
    match = re.search(rf"^== {name}\n(.*?)^== ", text, re.DOTALL | re.MULTILINE)
    return match[1].splitlines() if match else []


def _apt(text: str, system: Platform) -> Updates:
    releases: list[dict[str, str]] = []
    for line in _section(text, "releases"):
        name, _, value = line.partition(" ")
        if name == "file":
            releases.append({"file": value})
        elif releases:
            releases[-1][name.rstrip(":")] = value.strip()
    security = [r for r in releases if _security(r)]
    dates = [_http_date(r.get("Date", ""), r["file"]) for r in security]
    last: datetime | None = None
    for line in _section(text, "last"):
        if match := re.match(r"info (\d+)$", line):
            last = _moment(match[1], "updates.apt")
    fixes, images = list[Fix](), list[tuple[str, str, str, str]]()
    listed = 0
    for line in _section(text, "differ"):
        words = line.split()
        if words[:1] == ["read"] and len(words) == 2:
            if words[1] == "nothing":
                raise NotUnderstood("updates.apt", msg("dpkg_named_no_installed"))
            listed = _count(words[1], "updates.apt")
            continue
        if words[:1] == ["kernel"] and len(words) == 5:
            images.append((words[1], words[2], words[3], words[4]))
            continue
        if len(words) != 3:
            raise NotUnderstood("updates.apt", msg("not_difference", line=line))
        if dpkg_newer(words[2], words[1]):
            fixes.append(Fix(words[0], words[1], words[2]))
    fixes += [Fix(*image) for image in newer_images(images)]
    if security and not listed:
        raise NotUnderstood("updates.apt", msg("security_archive_s_list"))
    shown = [f"{r.get('Label')} {r.get('Suite')} {r.get('Date')}" for r in security or releases]
    # which of the lists an entry was in is not told, so that one of another release spoils all
    other, oldest = signed_other(security, system), min(dates, default=None)
    return Updates("updates.apt", tuple(fixes), oldest, bool(security), last, tuple(shown), other)


def _count(text: str, read: str) -> int:
    if not re.fullmatch(r"[0-9]{1,11}", text):
        raise NotUnderstood(read, msg("not_number", text=text))
    return int(text)


def _moment(text: str, read: str) -> datetime:
    return datetime.fromtimestamp(_count(text, read), UTC)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if re.fullmatch(r"[0-9-]{10}", text) else None
    except ValueError:
        return None


def _security(release: dict[str, str]) -> bool:
    words = " ".join(release.get(k, "") for k in ("Label", "Suite", "Codename")).lower()
    return "security" in words or "-security_" in release["file"]


def _http_date(text: str, where: str) -> datetime:
    try:
        return parsedate_to_datetime(text.replace("UTC", "+0000")).astimezone(UTC)
    except (ValueError, OverflowError):
        raise NotUnderstood("updates.apt", msg("date", where=where, text=text)) from None


def _dnf(text: str, release: Platform) -> Updates:
    caches: dict[str, int] = {}
    told = []
    for line in _section(text, "caches"):
        stamp, _, path = line.partition(" ")
        if stamp == "updateinfo":
            told.append(path)
        else:
            folder = path.rpartition("/")[0]
            caches[folder] = max(caches.get(folder, 0), _count(stamp, "updates.dnf"))
    fixes: list[Fix] = []
    pairs: list[tuple[str, str]] = []
    last: datetime | None = None
    for line in _section(text, "differ"):
        words = line.split()
        if words[:1] == ["last"] and len(words) == 2:
            if words[1] == "0":
                raise NotUnderstood("updates.dnf", msg("rpm_named_no_installed"))
            last = _moment(words[1], "updates.dnf")
            continue
        issued = _day(words[4]) if len(words) > 5 else None
        if issued is None:
            raise NotUnderstood("updates.dnf", msg("not_advisory", line=line))
        pairs += [(words[1], held) for held in words[5:]]
        fix = rpm_missing(words[1], words[5:])
        if fix:
            fixes.append(Fix(words[0], fix, words[1], words[2], words[3], issued))
    if last is None:
        raise NotUnderstood("updates.dnf", msg("rpm_holds_not_compared"))
    # the caches that tell of fixes, each of which must be new; an old one of the same repository
    # stays behind when its address changes
    current = newest(caches)
    folders = {p.rpartition("/")[0].removesuffix("/gen") for p in told} & current
    stamps = [caches[folder] for folder in folders]
    fetched = datetime.fromtimestamp(min(stamps), UTC) if stamps else None
    own, cached = ({*filter(holds_system, map(repository, x))} for x in (folders, current))
    system = bool(own) and not half_untold(cached, own)
    shown = told if system else [*told, *sorted({f"repo {repository(f)}" for f in caches})]
    ours = [folder for folder in folders if holds_system(repository(folder))]
    other = named_for_another(ours, release) or built_for_another(pairs)
    return Updates("updates.dnf", tuple(fixes), fetched, system, last, tuple(shown), other)
