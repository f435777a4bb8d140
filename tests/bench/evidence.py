"""What signing and verifying cost per host, against reading the same bytes plainly.

    python -m tests.bench.evidence --hosts 1000

Hosts are the recorded captures of tests/captures, and what the collector script prints here, under
names of their own. Plain reading is a digest of each file, and Python's own gunzip and JSON parser
over the captures and evidence.json: seconds depend on the machine, the ratio hardly does.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from collector import captures, catalog
from collector.assess import assess_host
from collector.attest.bundle import evidence
from collector.attest.bundle import making as bundle
from collector.attest.keys.keys import PrivateKey
from collector.attest.trust.trust_file import trust_of
from collector.model import HostStatus
from collector.verify import open_bundle, verify
from tests import bundles

RECORDED = Path(__file__).parents[1] / "captures"


def main() -> int:
    """Prints CPU milliseconds per host, ratios, and the peak of memory of verifying."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--hosts", type=int, default=200)
    parser.add_argument("--full", action="store_true", help="only what the script prints here")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        _measure(Path(name), given.hosts, full=given.full)
    return 0


def _measure(folder: Path, hosts: int, *, full: bool) -> None:
    key = PrivateKey.generate()
    files = _hosts(folder / "in", hosts, full=full)
    controls = catalog.select()

    def judge() -> None:
        for path in files:
            capture = captures.load(path)
            at = evidence.assessed_at(capture, None)
            assess_host(capture, controls=controls, grade=2, attached={}, waivers=(), at=at)

    made: list[bundle.Made] = []

    def sign() -> None:
        made.append(
            bundle.make(files, folder / "b", key, controls=controls, grade=2, script="exit 0\n")
        )

    def check() -> None:
        with open_bundle(made[0].path) as opened:
            verify(opened, trust_of([key.public]))

    judging, signing = _cpu(judge), _cpu(sign)
    plain = _cpu(lambda: _read(made[0].path))
    peak, verifying = _apart(check)
    each = 1000 / hosts
    print(
        f"{hosts} hosts: signing {(signing - judging) * each:.2f} ms per host beside judging "
        f"({judging * each:.1f} ms), verifying {verifying * each:.2f} ms per host = "
        f"{verifying / plain:.1f} × reading plainly ({plain * each:.2f} ms), at most {peak} MiB"
    )


def _hosts(folder: Path, count: int, *, full: bool) -> list[Path]:
    recorded = [] if full else [captures.load(path) for path in sorted(RECORDED.iterdir())]
    kinds = [one for one in [*recorded, bundles.capture()] if one.status is HostStatus.COMPLETE]
    folder.mkdir()
    files = []
    for number in range(count):
        capture = replace(kinds[number % len(kinds)], host=f"host-{number:05d}")
        files.append(folder / captures.file_name(capture.host))
        files[-1].write_bytes(captures.to_bytes(capture))
    return files


def _read(root: Path) -> None:
    for path in sorted(root.rglob("*")):
        if path.is_file():
            data = path.read_bytes()
            hashlib.sha256(data)
            if path.name.endswith(captures.SUFFIX):
                for line in gzip.decompress(data).splitlines():
                    json.loads(line)
            elif path.name == evidence.FILE:
                json.loads(data)


def _cpu(work: Callable[[], object]) -> float:
    begun = time.process_time()
    work()
    return time.process_time() - begun


def _apart(work: Callable[[], object]) -> tuple[int, float]:
    """Peak MiB and CPU seconds of a child that has only this to do."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    child = os.fork()
    if child == 0:
        work()
        os._exit(0)
    status, used = os.wait4(child, 0)[1:]
    assert status == 0
    return max(used.ru_maxrss >> 10, before), used.ru_utime + used.ru_stime


if __name__ == "__main__":
    sys.exit(main())
