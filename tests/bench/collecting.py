"""Collecting from many SSH targets with `hostpledge collect`, against bare ssh with its script.

    make bench BENCH_ARGS='--hosts 50 --pairs 3'
    make bench BENCH_ARGS='--hosts 2000 --pairs 1 --parallel 50 --played'

Each target is an address of its own in a network namespace, served by one real sshd. All ways run
in turn on the same machine in the same run; only their ratios mean anything. With `--played` a
target runs no script but plays a capture back that was recorded here, so that what it costs to
collect is not lost in what it costs to be looked at.
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

NAMESPACE = "hp-bench"
PORT = 2222
# the first line that comes in says the nonce
_PLAYED = """read -r nonce
nonce=${nonce#HP_NONCE=}
cat >/dev/null
exec sed "s/%s/$nonce/g" %s
"""
_RECORDED = "0" * 32
# seconds and CPU seconds
Cost = tuple[float, float]


def main() -> int:
    """Prints one line per round, and the medians."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--hosts", type=int, default=50)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--parallel", type=int, default=20)
    parser.add_argument("--played", action="store_true")
    parser.add_argument("--at-once-only", action="store_true", help="leave a task per host out")
    given = parser.parse_args()
    if os.geteuid() != 0 or not shutil.which("ip") or not Path("/usr/sbin/sshd").exists():
        print("needs root, iproute2 and openssh-server", file=sys.stderr)
        return 2
    if not 1 <= given.hosts <= 60_000:
        print("--hosts: 1 to 60000", file=sys.stderr)
        return 2
    ways = {"at once": ""} if given.at_once_only else {"at once": "", "per host": "1"}
    with tempfile.TemporaryDirectory() as name:
        forced = _played(Path(name)) if given.played else ""
        with _targets(Path(name), given.hosts, forced) as addresses:
            _compare(Path(name), addresses, ways, given.pairs, given.parallel)
    return 0


def _compare(
    folder: Path, addresses: list[str], ways: dict[str, str], pairs: int, parallel: int
) -> None:
    text = script.collector_script(catalog.all_reads().values())
    ratios: dict[str, list[Cost]] = {way: [] for way in ways}
    # the first round warms the caches
    for number in range(pairs + 1):
        few = addresses if number else addresses[:20]
        bare = _measure(lambda few=few: _bare(folder, few, text, parallel))  # type: ignore[misc]
        for way, per_host in ways.items():
            out = folder / f"{way}-{number}".replace(" ", "-")
            cost = _collect(folder, few, out, parallel, per_host)
            _check(out, few)
            shutil.rmtree(out)
            if not number:
                continue
            ratios[way].append((cost[0] / bare[0], cost[1] / bare[1]))
            wall, cpu = ratios[way][-1]
            print(
                f"{number}: {way}: wall {cost[0]:.2f} s / {bare[0]:.2f} s = {wall:.2f}, "
                f"control CPU {cost[1]:.2f} s / {bare[1]:.2f} s = {cpu:.2f}",
                flush=True,
            )
    for way, found in ratios.items():
        wall, cpu = (statistics.median(r[n] for r in found) for n in (0, 1))
        print(
            f"{len(addresses)} hosts, {parallel} at a time, {way}: "
            f"median wall ÷ bare ssh = {wall:.2f}, control CPU ÷ bare ssh = {cpu:.2f}"
        )


def _check(out: Path, addresses: list[str]) -> None:
    done = len(list((out / "captures").glob(f"*{captures.SUFFIX}")))
    lines = [json.loads(x) for x in (out / "journal.jsonl").read_text().splitlines()]
    assert done == len(addresses) == len(lines), f"{done} captures, {len(lines)} lines"
    assert {x["status"] for x in lines} == {"complete"}


def _played(folder: Path) -> str:
    """A program that answers with what the script printed here, under the nonce it is given."""
    text = script.with_nonce(script.collector_script(catalog.all_reads().values()), _RECORDED)
    done = subprocess.run(["sh", "-s"], input=text.encode(), capture_output=True, check=True)
    (folder / "recorded").write_bytes(done.stdout)
    program = folder / "play.sh"
    program.write_text(_PLAYED % (_RECORDED, folder / "recorded"))
    return f"sh {program}"


def _measure(work: Callable[[], None]) -> Cost:
    """Wall and child-process CPU seconds; the targets' sshd is no child of this process."""
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    work()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.monotonic() - begun, cpu


def _collect(folder: Path, few: list[str], out: Path, parallel: int, per_host: str) -> Cost:
    """What the whole command costs: its start, the inventory, Ansible."""
    (folder / "hosts.ini").write_text("".join(_line(folder, address) for address in few))
    begun = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "collector", "collect", "--quiet", "-i", str(folder / "hosts.ini"),
         "-f", str(parallel), "-o", str(out)],
        stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
        env={**os.environ, "LC_ALL": "C.UTF-8", "HOSTPLEDGE_PER_HOST": per_host},
    )  # fmt: skip
    _, status, used = os.wait4(process.pid, 0)
    assert status == 0, status
    return time.monotonic() - begun, used.ru_utime + used.ru_stime


def _line(folder: Path, address: str) -> str:
    ssh = " ".join(_options(folder)).replace(f" -p {PORT}", "")
    return f"{address} ansible_port={PORT} ansible_user=root ansible_ssh_common_args='{ssh}'\n"


def _bare(folder: Path, addresses: list[str], text: str, parallel: int) -> None:
    sent = script.with_nonce(text, _RECORDED).encode()

    def one(address: str) -> None:
        done = subprocess.run(
            ["ssh", *_options(folder), f"root@{address}", "sh -s"],
            input=sent, capture_output=True, check=True,
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
def _targets(folder: Path, hosts: int, forced: str) -> Iterator[list[str]]:
    """Addresses in a namespace of this run's own, with one sshd; gone when it ends."""
    addresses = [f"10.213.{number // 250}.{number % 250 + 2}" for number in range(hosts)]
    _run("ip", "netns", "add", NAMESPACE)
    try:
        _run("ip", "link", "add", "hp-b0", "type", "veth", "peer", "name", "hp-b1", "netns",
             NAMESPACE)  # fmt: skip
        _run("ip", "addr", "add", "10.213.255.254/16", "dev", "hp-b0")
        _run("ip", "link", "set", "hp-b0", "up")
        inside = ("ip", "-n", NAMESPACE)
        for name in ("lo", "hp-b1"):
            _run(*inside, "link", "set", name, "up")
        # every one of them is this namespace's own, none has to be added
        _run(*inside, "route", "add", "local", "10.213.0.0/16", "dev", "lo")
        _run(*inside, "route", "add", "10.213.255.254/32", "dev", "hp-b1")
        for name in ("key", "host"):
            _run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name))
        key = (folder / "host.pub").read_text()
        (folder / "known_hosts").write_text(f"[10.213.*]:{PORT} {key}")
        command = f'command="{forced}" ' if forced else ""
        (folder / "authorized_keys").write_text(command + (folder / "key.pub").read_text())
        (folder / "sshd").write_text(
            f"Port {PORT}\nHostKey {folder}/host\nPidFile none\nStrictModes no\nUsePAM no\n"
            f"AuthorizedKeysFile {folder}/authorized_keys\nPermitRootLogin yes\n"
            "MaxStartups 1000\n"
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
