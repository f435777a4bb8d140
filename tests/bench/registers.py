"""Lists over thousands of pledges, on SQLite and PostgreSQL: seconds, and how they grow.

    make bench-register BENCH_ARGS='--pledges 5000'

Each command runs as a user runs it, in a process of its own, on registers of half, once and twice
as many pledges. Each pledge has four hosts and four bundles attached; one in eight has something
that falls due within a month. The time of processor is told beside that of the clock.
"""

from __future__ import annotations

import argparse
import copy
import hashlib
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from collector.attest.keys.keys import PrivateKey
from collector.attest.log import logged
from collector.attest.log.checkpoint import sign
from collector.pledges.database import log, tables
from collector.pledges.record.form import PledgeRecord
from collector.pledges.register.register import Register
from tests.pledges import places
from tests.pledges.records import example

VERDICTS = '{"2.2": "fail", "2.3": "pass", "2.4": "partial"}'
COMMANDS = (("due",), ("list",), ("list", "--format", "json"), ("status", "p-00007"))


def main() -> int:
    """Prints one line per command and database; 1 where the limit of a second is passed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--pledges", type=int, default=5000)
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--sqlite-only", action="store_true")
    given = parser.parse_args()
    sizes = (given.pledges // 2, given.pledges, given.pledges * 2)
    slow = False
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        os.environ["HOSTPLEDGE_HOME"] = f"{name}/home"
        servers = [""] if given.sqlite_only else ["", stack.enter_context(places.server())]
        for server in servers:
            where = [_filled(size, Path(name), server) for size in sizes]
            for words in COMMANDS:
                found = [_median(words, place, given.times) for place in where]
                wall, processor = zip(*found, strict=True)
                slow |= wall[1] > 1
                print(
                    f"{'PostgreSQL' if server else 'SQLite':10} {' '.join(words):18} "
                    + ", ".join(
                        f"{size}: {seconds:.2f} s (processor {used:.2f})"
                        for size, seconds, used in zip(sizes, wall, processor, strict=True)
                    )
                    + f"; grows by {processor[1] / processor[0]:.2f} and "
                    f"{processor[2] / processor[1]:.2f}",
                    flush=True,
                )
    return 1 if slow else 0


def fill(
    register: Register, count: int, now: datetime, bare: Collection[int] = frozenset()
) -> None:
    """Puts records and rows of evidence in, past their checks: no bundle stands in the store.

    Those whose numbers are `bare` get no evidence.
    """
    pledges: list[dict[str, Any]] = []
    versions: list[dict[str, Any]] = []
    evidence: list[dict[str, Any]] = []
    plain = example()
    for number in range(count):
        id = f"p-{number:05d}"
        document = copy.deepcopy(plain) | {"id": id}
        document["customer"]["name"] = f"杭州示例科技有限公司{number}"
        document["resources"]["hosts"] = [f"web-{number:05d}-{host}" for host in range(4)]
        day = now.date() + timedelta(days=20 if number % 8 == 0 else 40 + number % 300)
        document["period"] = {"from": "2026-01-01", "until": day.isoformat()}
        record = PledgeRecord(document)
        added = {"added_at": now.isoformat()}
        pledges.append({"id": id, **added})
        text, digest = record.canonical().decode(), record.digest
        versions.append({"pledge": id, "version": 1, "document": text, "sha256": digest, **added})
        before = None
        for sequence in range(1, 5 if number not in bare else 1):
            digest = hashlib.sha256(f"{id}/{sequence}".encode()).hexdigest()
            at = (now - timedelta(days=20 - sequence)).isoformat()
            evidence.append(
                {
                    "pledge": id, "sequence": sequence, "digest": digest, "previous": before,
                    "collected_at": at, "made_at": at, "attached_at": at, "verdicts": VERDICTS,
                }
            )  # fmt: skip
            before = digest
    with register._database.write() as connection:
        connection.execute(tables.pledges.insert(), pledges)
        connection.execute(tables.versions.insert(), versions)
        connection.execute(tables.evidence.insert(), evidence)
        without = {"scope": None, "record": None, "seen": None}
        leaves = [logged.entry_bytes(log._fields({**row, **without}), now) for row in evidence]
        entries = [{"number": n, "leaf": leaf.decode()} for n, leaf in enumerate(leaves)]
        connection.execute(tables.log_entries.insert(), entries)
    # lists hold all of it to the root that was signed
    whole = register.log()
    note = sign(whole.checkpoint(), PrivateKey.generate())
    register.keep_checkpoint(len(whole.leaves), note)
    register.briefs()


def _filled(size: int, folder: Path, server: str) -> str:
    place = places.database(server) if server else str(folder / str(size) / "register.sqlite")
    if not server:
        Path(place).parent.mkdir()
    fill(Register.open(place), size, datetime.now(UTC))
    return place


def _median(words: Sequence[str], place: str, times: int) -> tuple[float, float]:
    """Seconds of the clock, and of the processor, in a process of its own."""
    found = []
    for number in range(times + 1):
        before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        ended = subprocess.run(
            [sys.executable, "-m", "collector", "pledge", *words, "--register", place],
            capture_output=True, stdin=subprocess.DEVNULL, check=False,
        )  # fmt: skip
        wall, after = time.monotonic() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
        assert ended.returncode in (0, 1), ended.stderr.decode()
        assert ended.stdout
        if number:  # the first one fills the caches
            used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            found.append((wall, used))
    walls, processor = zip(*found, strict=True)
    return statistics.median(walls), statistics.median(processor)


if __name__ == "__main__":
    sys.exit(main())
