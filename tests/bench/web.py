"""Pages over thousands of pledges, on SQLite and PostgreSQL: server time, many readers, memory.

    make bench-web BENCH_ARGS='--pledges 5000'

The register is that of `registers`, of four hosts a pledge; a few pledges have real bundles, so
that their pages read what pages read. The server is a process of its own, asked over loopback.
Asked for one at a time, a page has 200 ms of the server's processor at the 95th of a hundred; what
the clock says is told beside it, and is that of a machine with nothing else to do. Then many
readers ask at once for a while, and no answer may fail, nor the memory of the server grow.
"""

from __future__ import annotations

import argparse
import http.client
import os
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from urllib.parse import quote, urlencode

from collector import captures, catalog
from collector.attest.bundle import making
from collector.pledges.register.attach import attach
from collector.pledges.register.register import Register
from collector.web.keeping.accounts import Account, Accounts
from collector.web.keeping.state import State
from tests.bench.registers import fill
from tests.pledges import lives, places
from tests.pledges.bundles import Signer

PASSWORD = "a long one for a bench"
_LIMIT = 0.2
_HOSTS = 4


def main() -> int:
    """Prints one line per page and database; 1 where a page is too slow, fails, or memory grows."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--pledges", type=int, default=5000)
    parser.add_argument("--times", type=int, default=40)
    parser.add_argument("--readers", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--real", type=int, default=3, help="pledges with real bundles")
    parser.add_argument("--sqlite-only", action="store_true")
    parser.add_argument("--postgresql-only", action="store_true")
    given = parser.parse_args()
    bad = False
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        os.environ["HOSTPLEDGE_HOME"] = f"{name}/home"
        servers = [] if given.postgresql_only else [""]
        if not given.sqlite_only:
            servers.append(stack.enter_context(places.server()))
        for server in servers:
            kind = "PostgreSQL" if server else "SQLite"
            place = places.database(server) if server else str(folder / "register.sqlite")
            begun = time.monotonic()
            _fill(place, given.pledges, folder / kind, given.real)
            print(f"{kind}: {given.pledges} pledges, made in {time.monotonic() - begun:.0f} s")
            state = str(folder / f"state-{kind}") if not server else places.database(server)
            with _served(place, state) as site:
                bad |= _pages(kind, site, given.times)
                bad |= _many(kind, site, given.readers, given.seconds)
    return int(bad)


class Site:
    """A server that runs, and a session in it."""

    def __init__(self, port: int, pid: int) -> None:
        self.port, self.pid = port, pid
        self._cookies: dict[str, str] = {}
        page = self.get("/sign-in")[1].decode()
        token = re.search(r'name="csrf" value="([^"]+)"', page)
        assert token is not None
        form = {"csrf": token[1], "name": "bench", "password": PASSWORD}
        status, _ = self.get("/sign-in", form)
        assert status == 303, status

    def get(self, path: str, form: dict[str, str] | None = None) -> tuple[int, bytes]:
        """The status and all of the answer."""
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            headers = {"Cookie": "; ".join(f"{k}={v}" for k, v in self._cookies.items())}
            body = None
            if form is not None:
                body = urlencode(form)
                headers["Content-Type"] = "application/x-www-form-urlencoded"
            link.request("POST" if form is not None else "GET", path, body, headers)
            answer = link.getresponse()
            data = answer.read()
            for one in answer.headers.get_all("Set-Cookie") or ():
                key, _, value = one.partition(";")[0].partition("=")
                self._cookies[key] = value
            return answer.status, data
        finally:
            link.close()

    def processor(self) -> float:
        """Seconds that all threads of the server have run."""
        run = 0
        for task in Path(f"/proc/{self.pid}/task").iterdir():
            with suppress(OSError):  # it has just ended
                run += int((task / "schedstat").read_text(encoding="ascii").split()[0])
        return run / 1e9

    def memory(self) -> int:
        """MiB of the server that are in memory."""
        text = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii")
        found = re.search(r"VmRSS:\s+(\d+)", text)
        assert found is not None
        return int(found[1]) // 1024


def _fill(place: str, count: int, folder: Path, real: int) -> None:
    register, now = Register.open(place), datetime.now(UTC)
    numbers = range(1, real + 1)
    fill(register, count, now, numbers)
    signer = Signer(folder)
    folder.mkdir()
    for number in numbers:
        _real(register, f"p-{number:05d}", signer, now)


def _real(register: Register, id: str, signer: Signer, now: datetime) -> None:
    """A bundle of four hosts, judged by all controls of its grade."""
    room = signer.folder / id
    room.mkdir()
    files = []
    for number, host in enumerate(register.get(id).hosts[:_HOSTS]):
        taken = lives.captured("weak")
        nonce = f"{id}{number}".encode().hex().ljust(len(taken.nonce), "0")[: len(taken.nonce)]
        origin = MappingProxyType({**taken.origin, "clock": now.isoformat()})
        file = room / f"{host}{captures.SUFFIX}"
        head = MappingProxyType({**taken.head, "clock": str(int(now.timestamp()))})
        of_now = replace(taken, host=host, collected_at=now, nonce=nonce, origin=origin, head=head)
        captures.write(of_now, file)
        files.append(file)
    made = making.make(
        files, room / "bundle", signer.key, controls=list(catalog.select((), 3)), grade=3,
        at=now, pledge=register.reference(id),
    )  # fmt: skip
    attach(register, id, made.path, signer.trust)


@contextmanager
def _served(place: str, state: str) -> Iterator[Site]:
    Accounts(State.open(state)).add(Account("bench", "manager"), PASSWORD)
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        port = int(asked.getsockname()[1])
    words = ["serve", "--port", str(port), "--register", place, "--state", state]
    running = subprocess.Popen([sys.executable, "-m", "collector", *words])
    try:
        until = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                assert running.poll() is None
                assert time.monotonic() < until
                time.sleep(0.1)
        site = Site(port, running.pid)
        _until_indexed(site)
        yield site
    finally:
        running.send_signal(signal.SIGTERM)
        running.wait(30)


def _until_indexed(site: Site) -> None:
    """The rows are made in the background after the first start."""
    begun = time.monotonic()
    while b"p-00000" not in site.get("/")[1]:
        assert time.monotonic() - begun < 300
        time.sleep(0.5)
    print(f"  index made within {time.monotonic() - begun:.1f} s of the first page")


def _paths() -> dict[str, str]:
    real = "/pledges/p-00001"
    return {
        "overview": "/",
        "page 40": "/?page=40",
        "search": f"/?q={quote('web-01234')}",
        "filter": "/?standing=broken&c2.3=pass&grade=3&sort=collected&expiring=30",
        "due": "/due?page=2",
        "customer": real,
        "hosts": f"{real}?host=web",
        "a past day": f"{real}?at=2026-11-01",
        "finding": f"{real}/findings/encryption.password_hash/web-00001-0",
        "no bundle": "/pledges/p-01234",
        "log": "/log",
    }


def _pages(kind: str, site: Site, times: int) -> bool:
    bad = False
    for name, path in _paths().items():
        took, used, sizes = [], [], set()
        for _ in range(times + 1):
            begun, before = time.monotonic(), site.processor()
            status, data = site.get(path)
            took.append(time.monotonic() - begun)
            used.append(site.processor() - before)
            sizes.add(len(data) // 1024)
            assert status in (200, 404), (path, status)
        run, clock = sorted(used[1:]), sorted(took[1:])
        at = int(len(run) * 0.95) - 1
        bad |= run[at] > _LIMIT
        print(
            f"  {kind:10} {name:12} processor p50 {statistics.median(run) * 1000:4.0f} ms, "
            f"p95 {run[at] * 1000:4.0f} ms, first {used[0] * 1000:4.0f} ms; clock p50 "
            f"{statistics.median(clock) * 1000:4.0f} ms, p95 {clock[at] * 1000:4.0f} ms; "
            f"{max(sizes)} KiB",
            flush=True,
        )
    return bad


def _many(kind: str, site: Site, readers: int, seconds: float) -> bool:
    paths: Sequence[str] = tuple(_paths().values())
    failed: list[object] = []
    counts = [0] * readers
    before = site.memory()
    marks: list[int] = []
    until = time.monotonic() + seconds

    def read(number: int) -> None:
        while time.monotonic() < until:
            path = paths[(number + counts[number]) % len(paths)]
            try:
                status, _ = site.get(path)
                # all of one account here: past what it may have at once it is to come again
                if status not in (200, 404, 503):
                    failed.append((path, status))
            except OSError as problem:
                failed.append((path, problem))
            counts[number] += 1

    threads = [threading.Thread(target=read, args=(number,)) for number in range(readers)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        time.sleep(seconds / 8)
        marks.append(site.memory())
    # what is kept is kept after the first half; from then on nothing may be added
    grown = marks[-1] - marks[len(marks) // 2]
    print(
        f"  {kind:10} {readers} readers, {seconds:.0f} s: {sum(counts)} pages "
        f"({sum(counts) / seconds:.0f} a second), {len(failed)} failed; memory {before} MiB "
        f"before, {marks[len(marks) // 2]} half-way, {marks[-1]} at the end",
        flush=True,
    )
    for one in failed[:5]:
        print(f"    {one}")
    return bool(failed) or grown > 16


if __name__ == "__main__":
    sys.exit(main())
