"""Where the paths of the data inventory really lie on the host: symlinks, marks of fscrypt."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from collector.errors import CouldNotLook, NotUnderstood
from collector.facts.base.opened import ODD, OPENED
from collector.facts.base.paths import prefixes
from collector.i18n.message import msg
from collector.model import Capture, Read, ReadStatus, Text, shell

# The paths that the inventory on the host names, each with what it really is, and the links in it
# to folders elsewhere (tablespaces of a database). `lsattr` shows the mark of fscrypt (E).
_PLACES = (
    OPENED
    + r"""
cat /etc/hostpledge/data-inventory.yml /etc/hostpledge/data-inventory.yaml \
  /etc/hostpledge/data-inventory.json 2>/dev/null | grep -v '^[[:space:]]*#' |
  sed -n 's/.*path["'\'']\{0,1\}[[:space:]]*:[[:space:]]*["'\'']\{0,1\}\(\/[^"'\'',}]*\).*/\1/p' |
  sed 's/[[:space:]]*$//' | sort -u | hp_most 500 | while IFS= read -r p; do
  [ "$p" != more ] || { printf 'more\t-\t*\t*\n'; break; }
  k=absent
  if [ -d "$p" ]; then k=dir; elif [ -e "$p" ]; then k=file; fi
  r=$p; [ "$k" = absent ] || r=$(readlink -f "$p" 2>/dev/null) || r=$p
  hp_plain "$p" && hp_plain "$r" || continue
  f=-; [ "$k" = absent ] || f=$(lsattr -d "$r" 2>/dev/null | sed 's/ .*//')
  printf '%s\t%s\t%s\t%s\n' "$k" "${f:--}" "$p" "$r"
  [ "$k" = dir ] || continue
  n=0; { timeout 2 find "$r" -xdev -maxdepth 4 """
    + ODD
    + r""" -type l -print 2>/dev/null; [ $? -lt 124 ] || echo more
  } | hp_sieve | while IFS= read -r l; do
    [ "$l" = more ] || [ -d "$l" ] || continue
    [ "$l" = more ] || [ $((n += 1)) -gt 200 ] && { printf 'more\t-\t%s\t%s\n' "$p" "$r"; break; }
    t=$(readlink -f "$l") && hp_plain "$t" || continue
    case "$t/" in "$r"/*) ;; *) printf 'link\t-\t%s\t%s\n' "$l" "$t" ;; esac
  done
done
exit 0
"""
)

# For an inventory that the host does not know: folders and links near the roots of its disks. One
# program writes names and notes: of two, one would break the other's line where its buffer ends.
_TREE = (
    OPENED
    + r"""
find / -xdev -maxdepth 3 \( -path /proc -o -path /sys -o -path /dev -o -path /run -o -path /usr \
  -o -path /etc -o -path /boot -o -path /snap -o -path '/var/lib/docker/*' -o -path '/tmp/*' \
  -o -path '/var/lib/containers/*' -o -path '/var/tmp/*' -o -path '/var/cache/*' \) -prune \
  -o """
    + ODD
    + r""" -type d -print 2>/dev/null |
  awk '/^odd name: left out: / { print; next } { print "dir\t" $0 }'
sed -n 's/^\([^ ]* \)\{4\}\(\/[^ ]*\) .* - \(ext[234]\|xfs\|btrfs\|zfs\|f2fs\|jfs\) .*/\2/p' \
  /proc/self/mountinfo 2>/dev/null | grep -v '^/$\|^/boot\|^/snap\|^/etc/\|^/var/lib/docker' |
  sort -u | hp_most 200 | while IFS= read -r m; do
  [ "$m" != more ] || { echo more; break; }
  [ -d "$m" ] && find "$m" -xdev -maxdepth 2 """
    + ODD
    + r""" -type d -print 2>/dev/null |
    awk '/^odd name: left out: / { print; next } { print "dir\t" $0 }'
done
for l in /* /var/* /var/lib/* /srv/* /opt/* /data/* /home/* /mnt/*; do
  [ -L "$l" ] && [ -e "$l" ] && hp_plain "$l" || continue
  t=$(readlink -f "$l"); hp_plain "$t" && printf 'link\t%s\t%s\n' "$l" "$t"
done
exit 0
"""
)

READS: tuple[Read, ...] = (
    shell(
        "inventory.places",
        _PLACES,
        limit=1 << 18,
        why=Text("清单所列路径的实际位置", "where the paths of the inventory really lie"),
    ),
    shell(
        "inventory.tree",
        _TREE,
        limit=1 << 19,
        why=Text(
            "各磁盘顶层的目录与符号链接（只有名称）",
            "folders and links near the roots of the disks (names only)",
        ),
    ),
)

# where programs and the kernel's own are, no data
_SYSTEM = re.compile(r"/(usr|etc|s?bin|lib\w*|proc|sys|dev|run|snap)(/|$)")
# Below this depth nothing was listed: what lies there is taken to lie where its folder lies.
_DEEP = 3


@dataclass(frozen=True, slots=True)
class Place:
    """Where a path really lies; `flags` are those of lsattr(1), empty where not known."""

    path: str
    real: str
    flags: str


def place(capture: Capture, path: str) -> Place | None:
    """Where `path` really lies, symlinks followed; None when it certainly is not there.

    Raises CouldNotLook when that cannot be told: the host was not asked about this very path,
    and it lies beyond what was listed.
    """
    exact = _places(capture).get(path)
    if exact is not None:
        kind, flags, real = exact
        if kind == "absent":
            return None
        return Place(path, real, "" if flags == "-" else flags)
    folders, links = _tree(capture)
    real = path
    for _ in range(20):
        link = next((x for x in prefixes(real) if x in links and links[x] != x), None)
        if link is None:
            break
        real = links[link] + real[len(link) :]
    if real in folders:
        return Place(path, real, "")
    known = [x for x in prefixes(real) if x in folders]
    if (
        known
        and known[-1].count("/") >= _DEEP
        and not any(f.startswith(known[-1] + "/") for f in folders)
    ):
        return Place(path, real, "")
    raise CouldNotLook(
        "inventory.places",
        msg("not_seen_host_where", path=path),
    )


def _places(capture: Capture) -> dict[str, tuple[str, str, str]]:
    if capture.read("inventory.places").status is ReadStatus.LOST:
        return {}
    return {
        path.rstrip("/") or "/": (kind, flags, real)
        for kind, flags, path, real in _lines(capture)
        if kind not in ("link", "more")
    }


def _lines(capture: Capture) -> list[tuple[str, str, str, str]]:
    found = []
    for line in capture.read("inventory.places").text().splitlines():
        parts = line.split("\t")
        if len(parts) != 4 or parts[0] not in ("dir", "file", "absent", "link", "more"):
            raise NotUnderstood("inventory.places", msg("not_understood", line=line))
        found.append((parts[0], parts[1], parts[2], parts[3]))
    return found


def _tree(capture: Capture) -> tuple[frozenset[str], Mapping[str, str]]:
    folders, links = {"/"}, {}
    for line in capture.read("inventory.tree").text(odd=True).splitlines():
        word, *rest = line.split("\t")
        if word == "dir" and len(rest) == 1:
            folders.add(rest[0])
        elif word == "link" and len(rest) == 2:
            links[rest[0]] = rest[1]
        elif line == "more":
            raise CouldNotLook("inventory.tree", msg("more_than_is_read"))
        elif not re.match(r"dir\t", line):
            raise NotUnderstood("inventory.tree", msg("not_understood", line=line))
    if len(folders) == 1 and not links:
        raise NotUnderstood("inventory.tree", msg("lists_not_single_folder"))
    return frozenset(folders), links


def links_on(capture: Capture, path: str, real: str) -> tuple[str, ...]:
    """The symlinks on the way to `path`; `path` itself where which they are was not seen."""
    if not path.startswith("/"):
        return ()
    try:
        _, links = _tree(capture)
    except CouldNotLook:
        return (path,)
    seen = tuple(x for x in prefixes(path) if links.get(x, x) != x)
    return seen or (() if real in ("", path) else (path,))


def links_in(capture: Capture, real: str) -> Mapping[str, str]:
    """The symlinks below `real` that lead to folders of data outside of it, and where each leads.

    Of a store that the host was not asked about, those that lie near the root of its disk. Raises
    CouldNotLook where there were more than could be looked at.
    """
    found = {}
    if capture.read("inventory.places").status is not ReadStatus.LOST:
        lines = _lines(capture)
        if any(kind == "more" and to in (real, "*") for kind, _, _, to in lines):
            raise CouldNotLook("inventory.places", msg("not_all_symlinks_looked", real=real))
        found = {link: to for kind, _, link, to in lines if kind == "link"}
    for left in capture.read("inventory.tree").left_out:
        if f"{left}/".startswith(f"{real.rstrip('/')}/"):
            raise CouldNotLook("inventory.tree", msg("names_line_break_tab", left=left))
    if capture.read("inventory.tree").status is not ReadStatus.LOST:
        found |= _tree(capture)[1]
    within = real.rstrip("/") + "/"
    return {
        link: to
        for link, to in found.items()
        if link.startswith(within) and not to.startswith(within) and not _SYSTEM.match(to)
    }
