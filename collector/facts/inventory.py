"""The data inventory (数据分类分级清单, clause 二(四)) and where on the host its stores lie.

It comes with the pledge record, which wins, or lies on the host under /etc/hostpledge. Its shape
is schemas/data-inventory.schema.json; a document of another shape is refused as a whole.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from collector.errors import BadInput, CouldNotLook, NotUnderstood
from collector.model import Capture, Facts, Read, ReadStatus, Text, files, shell
from collector.schema import check, load_yaml

DOCUMENT = "data-inventory"
_READ = "inventory.document"

# The paths that the inventory on the host names, each with what it really is. `lsattr` shows the
# mark of fscrypt (E) on ext4 and f2fs.
_PLACES = r"""
cat /etc/hostpledge/data-inventory.yml /etc/hostpledge/data-inventory.yaml \
  /etc/hostpledge/data-inventory.json 2>/dev/null | grep -v '^[[:space:]]*#' |
  sed -n 's/.*path["'\'']\{0,1\}[[:space:]]*:[[:space:]]*["'\'']\{0,1\}\(\/[^"'\'',}]*\).*/\1/p' |
  sed 's/[[:space:]]*$//' | sort -u | head -n 500 | while IFS= read -r p; do
  k=absent
  if [ -d "$p" ]; then k=dir; elif [ -e "$p" ]; then k=file; fi
  r=$p; [ "$k" = absent ] || r=$(readlink -f "$p" 2>/dev/null) || r=$p
  f=-; [ "$k" = absent ] || f=$(lsattr -d "$r" 2>/dev/null | sed 's/ .*//')
  printf '%s\t%s\t%s\t%s\n' "$k" "${f:--}" "$p" "$r"
done
exit 0
"""

# For an inventory that the host does not know: folders and links near the roots of its disks.
_TREE = r"""
find / -xdev -maxdepth 3 \( -path /proc -o -path /sys -o -path /dev -o -path /run -o -path /usr \
  -o -path /etc -o -path /boot -o -path /snap -o -path '/var/lib/docker/*' -o -path '/tmp/*' \
  -o -path '/var/lib/containers/*' -o -path '/var/tmp/*' -o -path '/var/cache/*' \) -prune \
  -o -type d -print 2>/dev/null | sed 's/^/dir	/'
sed -n 's/^\([^ ]* \)\{4\}\(\/[^ ]*\) .* - \(ext[234]\|xfs\|btrfs\|zfs\|f2fs\|jfs\) .*/\2/p' \
  /proc/self/mountinfo 2>/dev/null | grep -v '^/$\|^/boot\|^/snap\|^/etc/\|^/var/lib/docker' |
  sort -u | head -n 40 | while IFS= read -r m; do
  [ -d "$m" ] && find "$m" -xdev -maxdepth 2 -type d -print 2>/dev/null | sed 's/^/dir	/'
done
for l in /* /var/* /var/lib/* /srv/* /opt/* /data/* /home/* /mnt/*; do
  [ -L "$l" ] && [ -e "$l" ] && printf 'link\t%s\t%s\n' "$l" "$(readlink -f "$l")"
done
exit 0
"""

READS: tuple[Read, ...] = (
    files(
        _READ,
        "/etc/hostpledge/data-inventory.yml",
        "/etc/hostpledge/data-inventory.yaml",
        "/etc/hostpledge/data-inventory.json",
        limit=1 << 20,
        why=Text("本机的数据分类分级清单", "the data inventory of this host"),
    ),
    files(
        "inventory.signature",
        "/etc/hostpledge/data-inventory.*.sig",
        "/etc/hostpledge/data-inventory.*.asc",
        "/etc/hostpledge/data-inventory.*.p7s",
        limit=32_768,
        redact="/-----BEGIN[A-Z ]*PRIVATE/,$d",
        why=Text("清单是否附有签名文件", "whether a signature lies beside the inventory"),
    ),
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

# Below this depth nothing was listed: what lies there is taken to lie where its folder lies.
_DEEP = 3

Level = Literal["核心", "重要", "一般"]
_LEVELS: Mapping[str, Level] = {
    "核心": "核心",
    "重要": "重要",
    "一般": "一般",
    "core": "核心",
    "important": "重要",
    "general": "一般",
}


@dataclass(frozen=True, slots=True)
class Attestation:
    """Somebody answers for what the host cannot show."""

    by: str
    date: date
    document: str


@dataclass(frozen=True, slots=True)
class Store:
    """One store of data. `objective_hours` is the owner's own recovery point, if any."""

    name: str
    kind: str
    path: str
    engine: str
    category: str
    level: Level
    personal: bool
    sensitive: bool
    owner: str
    backup_wanted: bool
    objective_hours: int | None
    encryption_wanted: bool
    attested: Mapping[str, Attestation]

    @property
    def important(self) -> bool:
        """核心 or 重要."""
        return self.level in ("核心", "重要")

    @property
    def label(self) -> str:
        """Its name, and its path where that says more."""
        return self.name if self.path in ("", self.name) else f"{self.name} ({self.path})"


@dataclass(frozen=True, slots=True)
class Inventory:
    """An inventory of the right shape. `stores` are those of the host asked about.

    `attached`: it came with the pledge record, whose bundle is signed; else `path` on the host.
    """

    owner: str
    reviewed: date
    stores: tuple[Store, ...]
    total: int
    attached: bool
    path: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where a path really lies; `flags` are those of lsattr(1), empty where not known."""

    path: str
    real: str
    flags: str


def inventory(facts: Facts) -> Inventory | None:
    """The inventory that holds for this host; None when there is none.

    Raises NotUnderstood naming line or field when it is malformed, CouldNotLook when it cannot
    be read, and NotUnderstood when several files claim to be it.
    """
    attached = facts.attached.get(DOCUMENT)
    if attached is not None:
        where = "data-inventory of the pledge record"
        return _parse(attached, where, facts.capture, attached=True, path="")
    found = facts.capture.read(_READ).present()
    if not found:
        return None
    if len(found) > 1:
        raise NotUnderstood(_READ, "which one holds: " + ", ".join(f.path for f in found))
    text = found[0].text(_READ).encode()
    return _parse(text, found[0].path, facts.capture, attached=False, path=found[0].path)


def _parse(source: bytes, where: str, capture: Capture, *, attached: bool, path: str) -> Inventory:
    try:
        document = load_yaml(source, where=where)
        check(document, DOCUMENT, where=where)
        names = [(s["name"], tuple(s.get("hosts", ()))) for s in document["stores"]]
        twice = {n for n in names if names.count(n) > 1}
        if twice:
            raise BadInput(f"stores: {min(n for n, _ in twice)!r} stands twice", where=where)
        stores = tuple(_store(s) for s in document["stores"] if _here(s, capture.host))
        return Inventory(
            document["owner"],
            date.fromisoformat(document["reviewed"]),
            stores,
            len(names),
            attached,
            path,
        )
    except (BadInput, ValueError) as problem:
        raise NotUnderstood(_READ, str(problem)) from None


def _here(store: Mapping[str, Any], host: str) -> bool:
    return "hosts" not in store or host in store["hosts"]


def _store(entry: Mapping[str, Any]) -> Store:
    level = _LEVELS[entry["level"]]
    sensitive = bool(entry.get("sensitive_personal", False))
    backup = entry.get("backup", {})
    important = level != "一般"
    path = entry.get("path", "")
    return Store(
        name=entry["name"],
        kind=entry["kind"],
        path=path.rstrip("/") or path,
        engine=entry.get("engine", ""),
        category=entry["category"],
        level=level,
        personal=bool(entry.get("personal", False)) or sensitive,
        sensitive=sensitive,
        owner=entry["owner"],
        backup_wanted=important or backup != "not_required",
        objective_hours=None if backup == "not_required" else backup.get("objective_hours"),
        encryption_wanted=important or sensitive or entry.get("encryption") == "required",
        attested={
            what: Attestation(a["by"], date.fromisoformat(a["date"]), a["document"])
            for what, a in entry.get("attested", {}).items()
        },
    )


def signature_files(capture: Capture) -> tuple[str, ...]:
    """Signature files beside the inventory, not empty. What they sign is not looked at here."""
    return tuple(f.path for f in capture.read("inventory.signature").present() if f.size != 0)


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
        link = next((x for x in _prefixes(real) if x in links and links[x] != x), None)
        if link is None:
            break
        real = links[link] + real[len(link) :]
    if real in folders:
        return Place(path, real, "")
    known = [x for x in _prefixes(real) if x in folders]
    if (
        known
        and known[-1].count("/") >= _DEEP
        and not any(f.startswith(known[-1] + "/") for f in folders)
    ):
        return Place(path, real, "")
    raise CouldNotLook(
        "inventory.places",
        f"{path}: not seen on the host; where it is there, put the inventory also on the host as "
        "/etc/hostpledge/data-inventory.yml and collect again",
    )


def _places(capture: Capture) -> dict[str, tuple[str, str, str]]:
    result = capture.read("inventory.places")
    if result.status is ReadStatus.LOST:
        return {}
    found = {}
    for line in result.text().splitlines():
        parts = line.split("\t")
        if len(parts) != 4 or parts[0] not in ("dir", "file", "absent"):
            raise NotUnderstood("inventory.places", f"not understood: {line!r}")
        found[parts[2].rstrip("/") or "/"] = (parts[0], parts[1], parts[3])
    return found


def _tree(capture: Capture) -> tuple[frozenset[str], Mapping[str, str]]:
    folders, links = {"/"}, {}
    for line in capture.read("inventory.tree").text().splitlines():
        word, *rest = line.split("\t")
        if word == "dir" and len(rest) == 1:
            folders.add(rest[0])
        elif word == "link" and len(rest) == 2:
            links[rest[0]] = rest[1]
        elif not re.match(r"dir\t", line):
            raise NotUnderstood("inventory.tree", f"not understood: {line!r}")
    if len(folders) == 1 and not links:
        raise NotUnderstood("inventory.tree", "it lists not a single folder")
    return frozenset(folders), links


def links_on(capture: Capture, path: str, real: str) -> tuple[str, ...]:
    """The symlinks on the way to `path`; `path` itself where which they are was not seen."""
    if not path.startswith("/"):
        return ()
    try:
        _, links = _tree(capture)
    except CouldNotLook:
        return (path,)
    seen = tuple(x for x in _prefixes(path) if links.get(x, x) != x)
    return seen or (() if real in ("", path) else (path,))


def _prefixes(path: str) -> list[str]:
    """`/a/b/c` → `/a`, `/a/b`, `/a/b/c`."""
    parts = path.strip("/").split("/")
    return ["/" + "/".join(parts[: n + 1]) for n in range(len(parts))]
