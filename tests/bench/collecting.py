"""Collecting from many SSH targets through Ansible, against bare ssh with the same script.

    make bench BENCH_ARGS='--hosts 50 --pairs 3'

Each target is an address of its own in a network namespace, served by one real sshd. Both ways run
in turn on the same machine in the same run; only their ratios mean anything.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from collector import captures, catalog, script

ROOT = Path(__file__).parents[2]
NAMESPACE = "hp-bench"
PORT = 2222


def main() -> int:
    """Prints one line per pair, and the medians."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--hosts", type=int, default=50)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--parallel", type=int, default=20)
    given = parser.parse_args()
    if os.geteuid() != 0 or not shutil.which("ip") or not Path("/usr/sbin/sshd").exists():
        print("needs root, iproute2 and openssh-server", file=sys.stderr)
        return 2
    if not 1 <= given.hosts <= 250:
        print("--hosts: 1 to 250", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as name, _targets(Path(name), given.hosts) as addresses:
        return _compare(Path(name), addresses, given.pairs, given.parallel)


def _compare(folder: Path, addresses: list[str], pairs: int, parallel: int) -> int:
    text = script.collector_script(catalog.all_reads().values())
    ratios: list[tuple[float, float]] = []
    for number in range(pairs + 1):
        out = folder / f"ansible-{number}"
        ansible = _measure(lambda out=out: _ansible(folder, out, parallel))  # type: ignore[misc]
        bare = _measure(lambda: _bare(folder, addresses, text, parallel))
        done = len(list((out / "captures").glob(f"*{captures.SUFFIX}")))
        lines = [json.loads(x) for x in (out / "journal.jsonl").read_text().splitlines()]
        assert done == len(addresses) == len(lines), f"{done} captures, {len(lines)} lines"
        assert {x["status"] for x in lines} == {"complete"}
        if number == 0:
            continue  # the first pair warms the caches
        ratios.append((ansible[0] / bare[0], ansible[1] / bare[1]))
        print(
            f"pair {number}: wall {ansible[0]:.2f} s / {bare[0]:.2f} s = {ratios[-1][0]:.2f},"
            f" control CPU {ansible[1]:.2f} s / {bare[1]:.2f} s = {ratios[-1][1]:.2f}"
        )
    wall = statistics.median(r[0] for r in ratios)
    cpu = statistics.median(r[1] for r in ratios)
    print(
        f"{len(addresses)} hosts, {parallel} at a time, one exec each: "
        f"median wall ÷ bare ssh = {wall:.2f}, control CPU ÷ bare ssh = {cpu:.2f}"
    )
    return 0


def _measure(work: Callable[[], None]) -> tuple[float, float]:
    """Wall and child-process CPU seconds; the targets' sshd is no child of this process."""
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    work()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.monotonic() - begun, cpu


def _ansible(folder: Path, out: Path, parallel: int) -> None:
    playbook = Path(sys.executable).parent / "ansible-playbook"
    subprocess.run(
        [str(playbook), "playbooks/check.yml", "-i", str(folder / "hosts.ini"), "-f",
         str(parallel), "-e", f"collect_output={out}"],
        cwd=ROOT, check=True, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
        env={**os.environ, "LC_ALL": "C.UTF-8"},
    )  # fmt: skip


def _bare(folder: Path, addresses: list[str], text: str, parallel: int) -> None:
    def one(address: str) -> None:
        done = subprocess.run(
            ["ssh", *_options(folder), f"root@{address}", "sh -s"],
            input=text.encode(), capture_output=True, check=True,
        )  # fmt: skip
        (folder / f"{address}.raw").write_bytes(done.stdout)

    with ThreadPoolExecutor(parallel) as pool:
        list(pool.map(one, addresses))


def _options(folder: Path) -> list[str]:
    words = ["-F", "none", "-i", str(folder / "key"), "-p", str(PORT)]
    for option in (f"UserKnownHostsFile={folder}/known_hosts", "IdentitiesOnly=yes",
                   "BatchMode=yes"):  # fmt: skip
        words += ["-o", option]
    return words


@contextmanager
def _targets(folder: Path, hosts: int) -> Iterator[list[str]]:
    """Addresses in a namespace of this run's own, with one sshd; gone when it ends."""
    addresses = [f"10.213.7.{number + 2}" for number in range(hosts)]
    _run("ip", "netns", "add", NAMESPACE)
    try:
        _run("ip", "link", "add", "hp-b0", "type", "veth", "peer", "name", "hp-b1", "netns",
             NAMESPACE)  # fmt: skip
        _run("ip", "addr", "add", "10.213.7.1/24", "dev", "hp-b0")
        _run("ip", "link", "set", "hp-b0", "up")
        inside = ("ip", "-n", NAMESPACE)
        for address in addresses:
            _run(*inside, "addr", "add", f"{address}/24", "dev", "hp-b1")
        _run(*inside, "link", "set", "hp-b1", "up")
        for name in ("key", "host"):
            _run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name))
        key = (folder / "host.pub").read_text()
        known = "".join(f"[{a}]:{PORT} {key}" for a in addresses)
        (folder / "known_hosts").write_text(known)
        ssh = " ".join(_options(folder)).replace(f" -p {PORT}", "")
        inventory = "".join(
            f"{a} ansible_port={PORT} ansible_user=root ansible_ssh_common_args='{ssh}'\n"
            for a in addresses
        )
        (folder / "hosts.ini").write_text(inventory)
        (folder / "sshd").write_text(
            f"Port {PORT}\nHostKey {folder}/host\nPidFile none\nStrictModes no\nUsePAM no\n"
            f"AuthorizedKeysFile {folder}/key.pub\nPermitRootLogin yes\nMaxStartups 500\n"
        )
        Path("/run/sshd").mkdir(exist_ok=True)
        sshd = subprocess.Popen(
            ["ip", "netns", "exec", NAMESPACE, "/usr/sbin/sshd", "-D", "-e", "-f",
             str(folder / "sshd")], stderr=subprocess.DEVNULL,
        )  # fmt: skip
        time.sleep(1)
        try:
            yield addresses
        finally:
            sshd.terminate()
            sshd.wait(10)
    finally:
        _run("ip", "netns", "del", NAMESPACE)


def _run(*words: str) -> None:
    subprocess.run(words, check=True, stdin=subprocess.DEVNULL)


if __name__ == "__main__":
    sys.exit(main())
