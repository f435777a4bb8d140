"""When borg last made an archive in each repository, by the caches of those who ran it here.

Whoever has a home on the host can lay such a cache there, of any repository: it speaks for the jobs
of that account alone.

>>> line = "made /root 23a2ba82d445 1795572000 /srv/backup/borg"
>>> _archive(line).where, _archive(line).home
('/srv/backup/borg', '/root')
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from collector.errors import NotUnderstood
from collector.facts.base.opened import OPENED
from collector.facts.base.redaction_of_places import LOCATIONS
from collector.i18n.message import msg
from collector.model import Capture, Read, Text, shell

_READ = "backup.borg"
_BORG = (
    OPENED
    + r"""
for h in /root /var/lib/* /home/*; do
  [ -d "$h/.cache/borg" ] && [ ! -L "$h/.cache" ] && [ ! -L "$h/.cache/borg" ] || continue
  case $h in (*[[:space:]]*) continue;; esac
  k=0
  for d in "$h"/.cache/borg/*/; do
    d=${d%/}; i=${d##*/}
    hp_plain "$d" || continue
    # of one user no more than leave room for those of the others
    case $h in (/home/*) k=$((k + 1)); [ $k -le 100 ] || break;; esac
    t=0
    for f in "$d"/files*; do
      [ -f "$f" ] || continue
      # `init` and `prune` leave it empty in a new cache: its digest is written with an archive
      hp_by "$d/config" head -c 65536 2>/dev/null | grep -qF "${f##*/} = {" || continue
      n=$(stat -c %Y "$f") && [ "$n" -gt "$t" ] && t=$n
    done
    case $i in (*[!0-9a-f]*) continue;; esac
    printf 'made %s %s %s %s\n' "$h" "$i" "$t" \
      "$(hp_by "$h/.config/borg/security/$i/location" head -c 512 2>/dev/null | head -n 1)"
  done
done
exit 0
"""
)

READS: tuple[Read, ...] = (
    shell(
        _READ,
        _BORG,
        redact=LOCATIONS,
        why=Text("borg 最近一次建立归档的时间", "when borg last made an archive"),
    ),
)
_LINE = re.compile(r"made (/\S+) ([0-9a-f]+) ([0-9]{1,11}) ?(.*)")
# of a collector that took the cache of `borg init` for one, and of one that did not say whose it is
_BEFORE = re.compile(r"(?:archive|borg) [0-9a-f]+ [0-9]{1,11} ?.*")


@dataclass(frozen=True, slots=True)
class Archive:
    """The repository at `where`, as the cache in `home` knows it; `made` is None without one."""

    home: str
    id: str
    made: datetime | None
    where: str
    line: str


def archives(capture: Capture) -> tuple[Archive, ...]:
    """Raises FactError."""
    lines = capture.read(_READ).text().splitlines()
    return tuple(_archive(line) for line in lines if not _BEFORE.fullmatch(line))


def _archive(line: str) -> Archive:
    match = _LINE.fullmatch(line)
    if match is None:
        raise NotUnderstood(_READ, msg("not_understood", line=line))
    when = datetime.fromtimestamp(int(match[3]), UTC) if match[3] != "0" else None
    return Archive(match[1], match[2], when, match[4], line)
