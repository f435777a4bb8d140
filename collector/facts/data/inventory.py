"""The data inventory (数据分类分级清单, clause 二(四)) and where on the host its stores lie.

It comes with the pledge record, which wins, or lies on the host under /etc/hostpledge. Its shape
is schemas/data-inventory.schema.json; a document of another shape is refused as a whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from collector.errors import BadInput, NotTrusted, NotUnderstood
from collector.facts.base.documents import NO_PASSWORDS
from collector.facts.data import inventory_paths as _places
from collector.facts.data.inventory_signature import KEYS, SIGNATURES, owner_signature
from collector.i18n.message import msg, told
from collector.model import Capture, Facts, Read, Text, files
from collector.schema import check, load_yaml

DOCUMENT = "data-inventory"
_READ = "inventory.document"

READS: tuple[Read, ...] = (
    files(
        _READ,
        "/etc/hostpledge/data-inventory.yml",
        "/etc/hostpledge/data-inventory.yaml",
        "/etc/hostpledge/data-inventory.json",
        limit=1 << 20,
        redact=NO_PASSWORDS,
        why=Text("本机的数据分类分级清单", "the data inventory of this host"),
    ),
    files(
        SIGNATURES,
        "/etc/hostpledge/data-inventory.*.sig",
        "/etc/hostpledge/data-inventory.*.asc",
        "/etc/hostpledge/data-inventory.*.p7s",
        limit=32_768,
        redact="/-----BEGIN[A-Z ]*PRIVATE/,$d",
        why=Text("清单是否附有签名文件", "whether a signature lies beside the inventory"),
    ),
    *_places.READS,
)

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
    """One store of data, with the owner's own numbers where the inventory has them.

    `objective_hours` is the recovery point, `keep_days` how far back versions must reach,
    `restore_test_months` how often a restore is tried.
    """

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
    keep_days: int | None = None
    restore_test_months: int | None = None
    offsite_wanted: bool = False

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
    `source` is the document as it was read, byte for byte: what a detached signature is over.
    """

    owner: str
    reviewed: date
    stores: tuple[Store, ...]
    total: int
    attached: bool
    path: str
    source: bytes


def inventory(facts: Facts) -> Inventory | None:
    """The inventory that holds for this host; None when there is none. For all that rests on it.

    Raises as `as_found` does, and NotTrusted where the owner's keys are known and show that it
    is not what its owner signed: whoever altered it says which data is important.
    """
    found = as_found(facts)
    if found is None or KEYS not in facts.attached:
        return found
    signed = owner_signature(facts, found)
    if signed.state in ("altered", "stranger"):
        why = msg("not_owner_signed_see", path=found.path or DOCUMENT)
        raise NotTrusted(SIGNATURES, why)
    return found


def as_found(facts: Facts) -> Inventory | None:
    """The inventory, whoever may have altered it.

    Raises NotUnderstood naming line or field when it is malformed, CouldNotLook when it cannot
    be read, and NotUnderstood when several files claim to be it.
    """
    attached = facts.attached.get(DOCUMENT)
    if attached is not None:
        where = msg("data_inventory_pledge_record")
        return _parse(attached, where, facts.capture, attached=True, path="")
    found = facts.capture.read(_READ).present()
    if not found:
        return None
    if len(found) > 1:
        raise NotUnderstood(_READ, msg("which_one_holds", names=", ".join(f.path for f in found)))
    found[0].text(_READ)  # raises unless the whole file was read
    return _parse(found[0].data, found[0].path, facts.capture, attached=False, path=found[0].path)


def _parse(source: bytes, where: str, capture: Capture, *, attached: bool, path: str) -> Inventory:
    try:
        document = load_yaml(source, where=where)
        check(document, DOCUMENT, where=where)
        names = [(s["name"], tuple(s.get("hosts", ()))) for s in document["stores"]]
        twice = {n for n in names if names.count(n) > 1}
        if twice:
            raise BadInput(msg("stores_stands_twice", min=min((n for n, _ in twice))), where=where)
        # what lies on the host itself may also call it by the name it has there
        own = {capture.host} | (set() if attached else {capture.head.get("hostname", capture.host)})
        stores = tuple(_store(s) for s in document["stores"] if own & set(s.get("hosts", own)))
        return Inventory(
            document["owner"],
            date.fromisoformat(document["reviewed"]),
            stores,
            len(names),
            attached,
            path,
            source,
        )
    except (BadInput, ValueError) as problem:
        raise NotUnderstood(_READ, told(problem)) from None


def _store(entry: Mapping[str, Any]) -> Store:
    level = _LEVELS[entry["level"]]
    sensitive = bool(entry.get("sensitive_personal", False))
    backup = entry.get("backup", {})
    demanded = {} if backup == "not_required" else backup
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
        objective_hours=demanded.get("objective_hours"),
        encryption_wanted=important or sensitive or entry.get("encryption") == "required",
        attested={
            what: Attestation(a["by"], date.fromisoformat(a["date"]), a["document"])
            for what, a in entry.get("attested", {}).items()
        },
        keep_days=demanded.get("keep_days"),
        restore_test_months=demanded.get("restore_test_months"),
        offsite_wanted=important or bool(demanded.get("offsite")),
    )
