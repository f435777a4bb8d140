"""How old the signatures of products against malicious code are, as their own files tell.

ClamAV: the header of a database container is 512 bytes of text, colon separated (ClamAV manual,
"CVD header"): `ClamAV-VDB`, build time, version, number of signatures, functionality level,
MD5, signature, builder, build time in epoch seconds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from collector.errors import CouldNotLook, NotUnderstood
from collector.facts.base.opened import OPENED
from collector.facts.system.taken_up import LOOK, Taken, taken_up
from collector.i18n.message import msg
from collector.model import Capture, Read, Text, files, shell

READS: tuple[Read, ...] = (
    shell(
        "signatures.clamav",
        OPENED
        + r"""
set -- /var/lib/clamav
echo '== asked'
k= v= w=$hp_nl
for c in /etc/clamav/clamd.conf /etc/clamav/freshclam.conf /etc/clamd.d/*.conf \
  /etc/clamd.conf /etc/freshclam.conf /usr/local/etc/clamd.conf /usr/local/etc/freshclam.conf; do
  [ -f "$c" ] || continue
  case "$c" in *[!A-Za-z0-9_./@-]*) continue;; esac
  d=$(hp_by "$c" sed -n 's/^ *DatabaseDirectory[[:space:]]*\([^[:space:]]*\).*/\1/p' |
    tr -d '"' | tail -n 1)
  # where clamd looks is not where freshclam puts them, unless both say so
  case "$c" in
    *freshclam*)
      e='s/^ *NotifyClamd[[:space:]]\{1,\}\([^[:space:]]*\).*/\1/p'
      w=$w$(hp_by "$c" sed -n "$e" | tr -d '"')$hp_nl;;
    *) printf '== uses %s %s\n' "${d:-/var/lib/clamav}" "$c"
      [ -n "$v" ] || v=$c
      e=$(hp_by "$c" sed -n 's/^ *SelfCheck[[:space:]]\{1,\}\([0-9]\{1,9\}\).*/\1/p' | tail -n 1)
      # it looks for newer ones by itself, if not as seldom as once a day
      [ "${e:-600}" -gt 0 ] && [ "${e:-600}" -le 86400 ] || k="$k$c$hp_nl";;
  esac
  [ -n "$d" ] && case " $* " in *" $d "*) ;; *) set -- "$@" "$d";; esac
done
for d in "$@"; do
  [ -e "$d" ] || continue
  printf '== folder %s\n' "$d"
  hp_ls -ln "$d"
  for f in "$d"/daily.c?d "$d"/main.c?d "$d"/bytecode.c?d; do
    [ -f "$f" ] || continue
    printf '== file %s\n' "$f"
    hp_by "$f" head -c 512 | tr -d '\000-\011\013-\037\177-\377' | head -n 1 | sed 's/ *$//'
    echo
  done
done
[ -n "$k" ] && for p in $(hp_started clamd); do
  c=$(tr '\000' '\n' <"/proc/$p/cmdline" | sed -n -e 's/^--config-file=//p' -e '/^-c$/{n;p;}' \
    -e '/^--config-file$/{n;p;}' | tail -n 1)
  c=${c:-$v}
  case "$hp_nl$k" in *"$hp_nl$c$hp_nl"*) ;; *) continue;; esac
  case "$w" in *"$hp_nl$c$hp_nl"*) continue;; esac
  d=$(hp_by "$c" sed -n 's/^ *DatabaseDirectory[[:space:]]*\([^[:space:]]*\).*/\1/p' |
    tr -d '"' | tail -n 1)
  d=${d:-/var/lib/clamav}
  printf '== untold %s\n' "$p"
  t_p=$p t_d= t_u='clamav-daemon.service clamd@scan.service' t_f=
  for f in "$d"/daily.c[vl]d; do [ ! -f "$f" ] || t_f=$t_f$f$hp_nl; done
  """
        + LOOK.strip()
        + r""" | sed 's/^/run /'
done
true
""",
        limit=1 << 16,
        why=Text("ClamAV 特征库的发布时间", "when the ClamAV signatures were built"),
    ),
    shell(
        "signatures.mdatp",
        r"""
command -v mdatp >/dev/null 2>&1 || exit 0
mdatp health 2>&1 | grep -E '^(definitions_|real_time_protection_enabled|healthy|ERROR)'
true
""",
        seconds=20,
        limit=8192,
        why=Text("Defender 特征库的更新时间", "when the signatures of Defender were updated"),
    ),
    files(
        "signatures.antiy",
        "/opt/LinuxKPC/ini/version",
        limit=4096,
        why=Text("安天特征库版本", "version of the Antiy signatures"),
    ),
)

_HEADER = re.compile(
    r"^ClamAV-VDB:(\d{1,2}) ([A-Z][a-z]{2}) (\d{4}) (\d{2})-(\d{2}) ([+-]\d{4}):(\d+):(\d+):"
)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DAY = re.compile(r"(?<!\d)(20\d{2})[-./]?(0[1-9]|1[0-2])[-./]?(0[1-9]|[12]\d|3[01])(?!\d{3})")


@dataclass(frozen=True, slots=True)
class Signatures:
    """The date of one product's signatures (aware, UTC), and the line that tells it.

    `loaded`: of each engine that looks for no newer ones, and that nobody tells of them, whether it
    has loaded what lies there since.
    """

    built: datetime
    version: str
    read: str
    line: str
    loaded: tuple[Taken, ...] = ()


def clamav(capture: Capture) -> Signatures | None:
    """The daily database that clamd scans with, of several the oldest; None when there is none.

    Raises FactError when a folder was closed to us, a header is not one, or nobody asked which of
    several folders it is.
    """
    result = capture.read("signatures.clamav")
    text = result.text()
    if re.search(r"ermission denied", result.stderr):
        raise CouldNotLook("signatures.clamav", result.stderr)
    found: dict[str, Signatures] = {}
    for block in text.split("== file ")[1:]:
        path, _, rest = block.partition("\n")
        folder, _, name = path.rpartition("/")
        header = rest.split("\n", 1)[0]
        # a .cud is what ClamAV calls unsigned: anybody's, and of any date
        if name not in ("daily.cvd", "daily.cld"):
            continue
        held = _clamav_header(path, header)
        found[folder] = max(found.get(folder, held), held, key=lambda one: one.built)
    if "== asked" not in text.splitlines():
        if len(found) > 1:
            raise CouldNotLook("signatures.clamav", msg("not_collected_signatures"))
        return next(iter(found.values()), None)
    used = {m[1].rstrip("/") for m in re.finditer(r"^== uses (/\S*) ", text, re.MULTILINE)}
    dated = [found.get(folder) for folder in used or {"/var/lib/clamav"}]
    if None in dated:
        return None
    oldest = min((one for one in dated if one is not None), key=lambda one: one.built)
    return replace(oldest, loaded=tuple(_loaded(text)))


def _loaded(text: str) -> Iterator[Taken]:
    """Of each clamd with `SelfCheck 0` that freshclam does not tell (see clamd.conf(5))."""
    for block in re.split(r"^== untold ", text, flags=re.MULTILINE)[1:]:
        number, *lines = block.splitlines()
        if not re.fullmatch(r"\d{1,9}", number):
            raise NotUnderstood("signatures.clamav", msg("no_process", name=number))
        said = [x.removeprefix("run ") for x in lines if x.startswith("run ")]
        yield taken_up(said, int(number))


def _clamav_header(path: str, header: str) -> Signatures:
    match = _HEADER.match(header)
    if match is None or match[2] not in _MONTHS:
        raise NotUnderstood(
            "signatures.clamav", msg("no_clamav_header", path=path, header=header[:60])
        )
    day, month, year, hour, minute, zone, version, _ = match.groups()
    stamp = f"{year}-{_MONTHS.index(month) + 1:02}-{int(day):02} {hour}:{minute} {zone}"
    try:
        built = datetime.strptime(stamp, "%Y-%m-%d %H:%M %z").astimezone(UTC)
    except ValueError:
        raise NotUnderstood("signatures.clamav", msg("no_2", path=path, stamp=stamp)) from None
    return Signatures(built, version, "signatures.clamav", f"{path}: {header[:100]}")


def mdatp(capture: Capture) -> Signatures | None:
    """What `mdatp health` says; None when there is no such command.

    Raises FactError when it answers with anything but an age.
    """
    text = capture.read("signatures.mdatp").text()
    if not text.strip():
        return None
    match = re.search(
        r"^definitions_updated_minutes_ago\s*:\s*\"?(\d{1,8})\"?\s*$", text, re.MULTILINE
    )
    at = capture.collected_at
    if match is None or at is None:
        raise NotUnderstood("signatures.mdatp", msg("no_age", text=text.strip()[:120]))
    version = re.search(r"^definitions_version\s*:\s*\"?([\w.]+)", text, re.MULTILINE)
    built = at.astimezone(UTC) - timedelta(minutes=int(match[1]))
    return Signatures(built, version[1] if version else "", "signatures.mdatp", match[0])


def antiy(capture: Capture) -> Signatures | None:
    """The day inside the version file; None when there is no such file."""
    file = capture.read("signatures.antiy").one()
    if file is None:
        return None
    text = file.text("signatures.antiy")
    days = {match.groups() for match in _DAY.finditer(text)}
    if len(days) != 1:
        raise NotUnderstood("signatures.antiy", msg("not_one_date", text=text.strip()[:120]))
    year, month, day = map(int, days.pop())
    try:
        built = datetime(year, month, day, tzinfo=UTC)
    except ValueError:
        raise NotUnderstood(
            "signatures.antiy", msg("no_date_in", text=text.strip()[:120])
        ) from None
    return Signatures(built, text.split()[0], "signatures.antiy", text.strip()[:120])
