"""encryption.storage: important and sensitive personal data lie on encrypted storage."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from collector.errors import CouldNotLook
from collector.facts.data.inventory import Store, inventory
from collector.facts.data.inventory_paths import links_in, place
from collector.facts.storage.volumes import Answer, Protection, storage
from collector.judges.predicates import holds_until
from collector.model import Clock, Facts, Method, Parameters, Quote, Result, Verdict


def judge(facts: Facts, parameters: Parameters, clock: Clock) -> Verdict:
    """One plain store fails the host, even beside others that cannot be told.

    An attestation stands in where the host cannot see, and also where it sees a plain disk, for
    a cloud encrypts its disks below what the host sees.
    """
    known = inventory(facts)
    if known is None:
        return Verdict(Result.NOTCHECKED, "no_inventory")
    wanted = [s for s in known.stores if s.encryption_wanted]
    if not wanted:
        return Verdict(Result.NOTAPPLICABLE, "none_sensitive", Method.ATTESTED)
    said: dict[Answer | str, list[str]] = {
        "yes": [],
        "no": [],
        "unknown": [],
        "unseen": [],
        "attested": [],
    }
    quotes: list[Quote] = []
    until: list[datetime] = []
    for store in wanted:
        answer, why, evidence = _look(facts, store)
        quotes += evidence
        ends = _attested_until(store, parameters.integer("months"), clock)
        if answer != "yes" and ends is not None and clock.now <= ends:
            said["attested"].append(f"{store.label}: {store.attested['encryption'].by}")
            until.append(ends)
        else:
            said[answer].append(f"{store.label}: {why}")
    shown = tuple(dict.fromkeys(quotes))
    if said["no"]:
        return Verdict(Result.FAIL, "plain", Method.OBSERVED, {"stores": [*said["no"]]}, shown)
    if said["unseen"]:
        return Verdict(
            Result.ERROR, "unseen", Method.OBSERVED, {"stores": [*said["unseen"]]}, shown
        )
    if said["unknown"]:
        return Verdict(
            Result.ERROR, "untold", Method.OBSERVED, {"stores": [*said["unknown"]]}, shown
        )
    if said["attested"]:
        return Verdict(
            Result.PASS,
            "attested",
            Method.ATTESTED,
            {"count": len(wanted), "stores": [*said["attested"]]},
            shown,
            min(until),
        )
    return Verdict(
        Result.PASS,
        "encrypted",
        Method.OBSERVED,
        {"count": len(wanted), "stores": [*said["yes"]]},
        shown,
    )


def _look(facts: Facts, store: Store) -> tuple[Answer | Literal["unseen"], str, list[Quote]]:
    if not store.path.startswith("/"):
        return "unknown", store.kind, []
    try:
        where = place(facts.capture, store.path)
    except CouldNotLook:
        return "unseen", "?", [Quote("inventory.tree")]
    if where is None:
        return "unseen", "-", [Quote("inventory.places", (store.path,))]
    known = facts.get(storage)
    found = known.encryption(where.real)
    answer, why, lines = found.encrypted, found.why, _quotes(found)
    if "E" in where.flags and answer != "yes":
        answer, why = "yes", "fscrypt"
        lines.append(Quote("inventory.places", (f"{where.flags} {where.real}",)))
    if answer != "yes":
        return answer, why, lines
    # what is mounted in the store, and what links in it lead to, lies elsewhere
    try:
        links = links_in(facts.capture, where.real)
    except CouldNotLook:
        return "unknown", f"{where.real}/… → ?", lines
    parts = [(p.mount.target, p) for p in known.inside(where.real) if p.mount]
    parts += [(f"{link} → {to}", known.encryption(to)) for link, to in links.items()]
    short = [part for part in parts if part[1].encrypted != "yes"]
    for name, part in sorted(short, key=lambda x: x[1].encrypted):
        return part.encrypted, f"{name}: {part.why}", [*lines, *_quotes(part)]
    return answer, why, lines


def _quotes(found: Protection) -> list[Quote]:
    lines = [Quote("storage.mounts", (found.mount.line,))] if found.mount else []
    return lines + (
        [Quote("storage.block", tuple(d.line for d in found.chain))] if found.chain else []
    )


def _attested_until(store: Store, months: int, clock: Clock) -> datetime | None:
    attestation = store.attested.get("encryption")
    if attestation is None:
        return None
    return holds_until(attestation.date, months, clock)
