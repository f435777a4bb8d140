"""A mesh of real Receptor nodes in network namespaces: kills, throughput, what a node costs.

    make bench-mesh BENCH_ARGS='--hosts 2000 --kills 20'
    make bench-mesh BENCH_ARGS='--hosts 400 --kills 0 --all'

With `--kills` what is killed is chosen from all kinds in turn; each host has to be there once, and
nothing may be left in a datadir. Without, one node, two and so on collect from the same hosts, and
so does this machine alone; only their ratios mean anything. Hosts play a capture back that was
recorded here, of all controls with `--all`.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from collector import catalog
from tests.mesh import lab as labs
from tests.mesh.chaos import KINDS, Run
from tests.mesh.lab import Lab, Node

# the more usual twice
_KILLS = (
    "worker", "receptor", "coordinator", "centre", "network", "full", "worker", "receptor",
    "coordinator", "full centre", "worker", "network for long", "receptor", "coordinator",
    "centre", "worker", "network", "full", "coordinator", "worker",
)  # fmt: skip


def main() -> int:
    """Prints a line per run; exit status 1 where a host is missing or something is left."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--hosts", type=int, default=2000)
    parser.add_argument("--nodes", type=int, default=3)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--forks", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=5400)
    parser.add_argument("--lost-after", type=int, default=45)
    parser.add_argument("--all", action="store_true", help="all controls, not monitoring alone")
    given = parser.parse_args()
    if why := labs.lacking():
        print(why, file=sys.stderr)
        return 2
    # what was made is taken away, however it ends
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    families = tuple(catalog.FAMILIES) if given.all else ("monitoring",)
    folder = Path(tempfile.mkdtemp(prefix="hpm"))
    try:
        with Lab(folder, given.nodes, given.hosts, families=families, size="512m") as lab:
            if given.kills:
                return _kills(lab, given)
            return _throughput(lab, given)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _kills(lab: Lab, given: argparse.Namespace) -> int:
    kinds = [_KILLS[n % len(_KILLS)] for n in range(given.kills)]
    random.Random(given.seed).shuffle(kinds)
    assert set(kinds) <= set(KINDS)
    run = Run(
        lab,
        lab.folder / "out",
        seconds=given.seconds,
        forks=given.forks,
        lost_after=given.lost_after,
    )
    run.go(kinds, given.seed)
    lines = run.lines()
    by_node = Counter((line.get("worker") or {}).get("node") for line in lines)
    print(f"{given.hosts} hosts, {given.nodes} nodes, {len(run.killed)} kills, {run.took:.0f} s")
    print(f"kills: {dict(Counter(run.killed))}")
    print(f"by node: {dict(by_node)}")
    for line in run.said:
        if line.startswith(("mesh node", "hostpledge:")):
            print(f"  {line}")
    run.check()
    print("each host once, and nothing left")
    return 0


def _throughput(lab: Lab, given: argparse.Namespace) -> int:
    inventory = lab.inventory()
    size = (lab.folder / "recorded").stat().st_size
    print(f"{given.hosts} hosts, {given.forks} at a time each, {size >> 10} KiB a host")
    ways = [("here", "")] + [
        (f"{n} node(s)", ",".join(f"n{k}" for k in range(1, n + 1)))
        for n in range(1, given.nodes + 1)
    ]
    families = [word for family in lab.families for word in ("--family", family)]
    space = lab.centre.space
    for way, nodes in ways:
        out = lab.folder / "out"
        words = ["collect", "--quiet", "-i", str(inventory), "-o", str(out), *families,
                 "-f", str(given.forks)]  # fmt: skip
        if nodes:
            words += ["--mesh", str(lab.centre.runtime / "control.sock"), "--nodes", nodes]
        else:
            # where the hosts are within reach of this machine: a node's own namespace
            lab.centre.space = lab.nodes["n1"].space
        begun = time.monotonic()
        process = lab.command(*words)
        _, status, used = os.wait4(process.pid, 0)
        took = time.monotonic() - begun
        lab.centre.space = space
        assert status == 0, status
        cpu = used.ru_utime + used.ru_stime
        print(
            f"{way}: {took:.1f} s, {given.hosts / took * 60:.0f} hosts a minute; of the centre's "
            f"CPU {cpu * 1000 / given.hosts:.0f} ms a host",
            flush=True,
        )
        shutil.rmtree(out)
    for node in lab.nodes.values():
        print(f"{node.name}: Receptor {_memory(node) >> 10} MiB, {_idle(node):.1f} % CPU idle")
    return 0


def _receptors(node: Node) -> list[int]:
    assert node.process is not None
    return [pid for pid in node.inside() if b"receptor" in _read(pid, "cmdline")]


def _read(pid: int, name: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:
        return b""


def _memory(node: Node) -> int:
    """KiB."""
    found = (re.search(rb"VmRSS:\s+(\d+)", _read(pid, "status")) for pid in _receptors(node))
    return sum(int(one[1]) for one in found if one)


def _idle(node: Node, seconds: float = 10) -> float:
    """Per cent of one CPU, with nothing to do."""

    def ticks() -> int:
        stats = (_read(pid, "stat").rpartition(b")")[2].split() for pid in _receptors(node))
        return sum(int(fields[11]) + int(fields[12]) for fields in stats if fields)

    before = ticks()
    time.sleep(seconds)
    return (ticks() - before) / os.sysconf("SC_CLK_TCK") / seconds * 100


if __name__ == "__main__":
    sys.exit(main())
