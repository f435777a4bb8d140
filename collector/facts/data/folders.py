"""Large folders below the places where data is usually laid (hier(7): /srv, /home, /var/lib …).

Folders that are disks of their own are not measured: df(1) tells of those. What a backup was laid
into, and what container engines, package managers and the panel of BT keep for themselves, is not
looked at. The places are those of `exposed_files`, where data may lie.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from collector.errors import NotUnderstood
from collector.facts.base.opened import OPENED
from collector.i18n.message import msg
from collector.model import Capture, Read, Text, shell

READ = "folders.sizes"

# One du for all; what it has not come to after eight seconds is named, and stays unmeasured.
_SIZES = (
    OPENED
    + r"""
nl='
'
m=$nl$(sed 's/^\([^ ]* \)\{4\}\([^ ]*\) .*/\2/' /proc/self/mountinfo 2>/dev/null)$nl
set --
for r in /srv /data* /home /opt /export /storage /var/www /var/opt /var/lib /www /www/wwwroot \
  /app* /u0* /mnt /media; do
  [ -d "$r" ] || continue
  # du counts nothing twice: what a link leads back to has its number already
  q=$(cd -P "$r" 2>/dev/null && pwd) || continue
  for d do case "$q/" in "$d"/*) continue 2;; esac; done
  case "$m" in *"$nl$r$nl"*) continue;; esac
  for d in "$r"/*; do
    [ -d "$d" ] && [ ! -L "$d" ] && [ $# -lt 500 ] && hp_plain "$d" || continue
    case "$d" in
      */www/wwwroot|*/www/server|*/www/wwwlogs) ;;
      */lost+found|*[Bb]ackup*|*/bak|/var/lib/docker|/var/lib/containers|/var/lib/containerd) ;;
      /var/lib/kubelet|/var/lib/rancher|/var/lib/snapd|/var/lib/flatpak|/var/lib/dpkg) ;;
      /var/lib/apt|/var/lib/rpm|/var/lib/dnf|/var/lib/systemd|/var/lib/lxcfs|/var/lib/clamav) ;;
      *) case "$m" in *"$nl$d$nl"*) ;; *) set -- "$@" "$d";; esac;;
    esac
  done
done
for d in "$@"; do printf 'folder\t%s\n' "$d"; done
if [ $# -gt 0 ]; then
  t=; command -v timeout >/dev/null 2>&1 && t='timeout 8'
  $t du -sxk "$@" 2>/dev/null | sed 's/^/size	/'
fi
echo end
"""
)

READS: tuple[Read, ...] = (
    shell(
        READ,
        _SIZES,
        seconds=20,
        limit=1 << 17,
        privileged=True,
        why=Text(
            "惯用数据目录下各目录的大小（只有名称与大小）",
            "how large the folders are in the usual places of data (names and sizes only)",
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder; `size` in bytes, None where it could not be measured in time."""

    path: str
    size: int | None
    line: str


def folders(capture: Capture) -> tuple[Folder, ...]:
    """Every folder that was looked at. Raises FactError."""
    lines = capture.read(READ).text().splitlines()
    if lines[-1:] != ["end"]:
        raise NotUnderstood(READ, msg("ends_before_end"))
    seen: dict[str, Folder] = {}
    for line in lines[:-1]:
        if match := re.fullmatch(r"folder\t(/.*)", line):
            seen[match[1]] = Folder(match[1], None, line)
        elif match := re.fullmatch(r"size\t(\d+)\t(/.*)", line):
            seen[match[2]] = Folder(match[2], int(match[1]) * 1024, line)
        else:
            raise NotUnderstood(READ, msg("not_understood", line=line))
    return tuple(seen.values())
