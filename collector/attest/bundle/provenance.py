"""Was a capture collected, or handed in?

Collected is what the control node had from the host itself, in a run that it began. Anything else
was handed in, whatever it says of itself: a capture file is written by whoever hands it in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType
from typing import Any

from collector.facts.probed.recording import is_ours
from collector.facts.tls.probe import OUTSIDE
from collector.model import Capture
from collector.script import host_clock

HANDED_IN = "handed-in"
_OWN = {"transport", "output_sha256", "claimed"}


def is_collected(origin: Mapping[str, Any], run: Mapping[str, Any] | None) -> bool:
    """Is a host of evidence.json of the run that stands there too?

    `origin` is the host's, `run` what the document says of the run (None: there was none). A
    capture that names a run in evidence of none claims it only.
    """
    return run is not None and origin.get("run") == run["nonce"]


def workers(
    origins: Iterable[Mapping[str, Any]], run: Mapping[str, Any] | None
) -> list[dict[str, Any]]:
    """Which mesh nodes collected, by which keys, and from how many hosts.

    `origins` are those of all hosts, `run` as `is_collected` has it: what a capture that was
    handed in says of a node is a claim.
    """
    counts: dict[tuple[str, str], int] = {}
    for origin in origins:
        worker = origin.get("worker")
        if worker and is_collected(origin, run):
            named = worker["node"], worker["key"]
            counts[named] = counts.get(named, 0) + 1
    return [{"node": n, "key": k, "hosts": counts[n, k]} for n, k in sorted(counts)]


def of_output(sha256: str) -> Mapping[str, Any]:
    """The origin of what the collector script printed, and somebody handed in."""
    return MappingProxyType({"transport": HANDED_IN, "output_sha256": sha256})


def handed_in(capture: Capture, sha256: str) -> Capture:
    """The capture as one that was handed in; `sha256` is the digest of the file that was.

    How it says that it was had stays as its claim. Whatever only a control node can know is gone:
    its view from outside, its clock, in whose place is the host's own (where the capture has none
    that can be reckoned with, what it claims). Of one that is so already nothing changes.
    """
    origin = dict(capture.origin)
    if origin.get("transport", HANDED_IN) != HANDED_IN or not origin.keys() <= _OWN:
        claimed = {name: value for name, value in origin.items() if name != "claimed"}
        origin = {**of_output(sha256), "claimed": claimed}
    reads = {id: read for id, read in capture.reads.items() if id != OUTSIDE and not is_ours(id)}
    return replace(
        capture,
        origin=MappingProxyType(origin),
        collected_at=host_clock(capture.head) or capture.collected_at or _claimed(origin),
        reads=MappingProxyType(reads),
    )


def received(capture: Capture, sha256: str) -> Capture:
    """As `handed_in`, of bytes that we had ourselves: which they were is our word alone.

    What the capture says of it, even that it was handed in as other bytes, is its claim.
    """
    said = dict(capture.origin)
    before = said.pop("claimed", {})
    claimed = {**(before if isinstance(before, dict) else {}), **said}
    origin = {**of_output(sha256), **({"claimed": claimed} if claimed else {})}
    return handed_in(replace(capture, origin=MappingProxyType(origin)), sha256)


def _claimed(origin: Mapping[str, Any]) -> datetime | None:
    """When it was tried, of a host that never answered."""
    clock = origin.get("claimed", {}).get("clock")
    try:
        at = datetime.fromisoformat(clock) if isinstance(clock, str) else None
    except ValueError:
        return None
    return at if at is not None and at.tzinfo is not None and 1970 <= at.year <= 9000 else None
