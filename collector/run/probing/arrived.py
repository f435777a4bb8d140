"""What others add to a recording: a log store, a second node, and the clocks of other hosts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from collector import captures
from collector.errors import BadInput, CollectorError, one_line
from collector.facts.probed.recording import END, Recording, recording
from collector.i18n.message import msg
from collector.model import ReadResult
from collector.run.collected.run_folder import RunFolder
from collector.run.probing.site import LONGEST, MOST_LINES, Site, Undone
from collector.run.probing.stores import BY_HTTP, BY_SSH

_OTHERS = 2
_PATH = re.compile(r"/[A-Za-z0-9._@%+=:/-]{1,250}")


def host_of(store: str) -> str:
    """The inventory's name of the host that a store by ssh is on; empty for one by HTTP.

    Raises BadInput for what is no store.
    """
    if store.startswith(BY_HTTP) or not store:
        return ""
    host, _, paths = store.removeprefix(BY_SSH).partition(":")
    found = paths.split(",")
    if not store.startswith(BY_SSH) or not host or not all(map(_PATH.fullmatch, found)):
        raise BadInput(
            msg("probe_no_store_form", store=store.split("?", maxsplit=1)[0]), where="--log-store"
        )
    return host


def by_ssh(site: Site, made: Recording, store: str, seconds: int) -> list[str]:
    """The lines that the recording gets of it."""
    paths = store.removeprefix(BY_SSH).partition(":")[2].replace(",", " ")
    lines = [f"store {store}"]
    try:
        said = site.act(
            "store_files",
            LOGIN=made.all("login")[0], PATHS=paths, SECONDS=str(seconds), SELF=made.nonce,
        )  # fmt: skip
    except Undone as why:
        return [*lines, f"store_asked {' '.join(map(str, why.args))}"]
    found = [line for line in said if line.startswith("arrived ")]
    itself = [line.removeprefix("self ") for line in said if line.startswith("self ")]
    if not itself or itself[0] not in made.said("self"):
        lines += [f"store_self {itself[0] if itself else '-'}"]
    else:
        return [*lines, "store_asked itself"]
    looked = any(line.startswith("looked ") for line in said)
    return [*lines, f"store_asked {'ok' if looked else 'no such file to read'}", *found]


def from_second(site: Site, made: Recording, node: str) -> list[str]:
    """The same ports, asked once more from another node of the inventory."""
    ports = [text.split(" ")[0] for text in made.all("port")]
    target = next(iter(made.all("target")), "")
    lines = [f"second {node}"]
    try:
        said = site.act("second_ports", TARGET=target, PORTS=" ".join(ports))
    except Undone as why:
        return [*lines, f"second_asked {' '.join(map(str, why.args)).strip()}"]
    known = ("source ", "port ", "afterwards ")
    return [*lines, "second_asked ok", *(f"second_{x}" for x in said if x.startswith(known))]


def clocks(folder: RunFolder, host: str) -> list[str]:
    """`other OFFSET UNSURE NAME` of the two other hosts that lie in the middle of all others.

    A few hosts that say what they like do not become the two that everyone is held against.
    """
    found: list[tuple[float, float, str]] = []
    for other in folder.about["hosts"]:
        if other == host:
            continue
        with suppress(CollectorError, ValueError):
            made = recording(captures.load(folder.capture_path(other)), "time")
            pairs = [text.split(" ") for text in (made.all("exchange") if made else ())]
            if pairs:
                off, unsure = min(pairs, key=lambda pair: float(pair[1]))
                found.append((float(off), float(unsure), f"other {off} {unsure} {other}"))
    middle = sorted(off for off, _, _ in found)[len(found) // 2] if found else 0.0
    near = sorted(found, key=lambda one: (abs(one[0] - middle), one[1], one[2]))
    return [line for _, _, line in near[:_OTHERS]]


def added(read: ReadResult, lines: Sequence[str]) -> ReadResult:
    """A recording with more lines of the control node's before its end."""
    before, mark, after = read.stdout.decode("utf-8", "replace").partition(f"\n{END}\n")
    clean = [one_line(" ".join(line[:LONGEST].split()), LONGEST) for line in lines[:MOST_LINES]]
    return replace(read, stdout="\n".join([before, *clean]).encode() + f"{mark}{after}".encode())
