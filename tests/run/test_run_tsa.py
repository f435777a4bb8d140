"""`hostpledge run --tsa URL`: with a real authority over HTTP, and with ones that fail."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from collector.attest.envelope.timestamp import Request
from tests.tsa import Tsa

ROOT = Path(__file__).parents[2]
# the command with little patience
PROGRAM = """
import collector.run.net.tsa
collector.run.net.tsa._SECONDS = 3
from collector.cli import main
main()
"""


@contextmanager
def _silent(*pieces: bytes) -> Iterator[str]:
    """A server that takes a connection, says so much of an answer, and no more."""
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            try:
                taken, _ = server.accept()
            except OSError:
                return
            with taken:
                for piece in pieces:
                    taken.sendall(piece)
                while not over.wait(0.1) and pieces:
                    try:
                        taken.sendall(b"X-a: b\r\n")
                    except OSError:
                        return
                over.wait()

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}/tsr"
        finally:
            over.set()
            server.shutdown(socket.SHUT_RDWR)
    thread.join()


class _Here:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.out = folder / "out"

    def __call__(self, *words: str, statuses: tuple[int, ...] = (0,)) -> str:
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, *words, "--lang", "en"],
            cwd=self.folder,
            env=os.environ
            | {
                "HOSTPLEDGE_HOME": str(self.folder / "home"),
                "PYTHONPATH": str(ROOT),
                "LC_ALL": "C.UTF-8",
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        said = done.stdout + done.stderr
        assert done.returncode in statuses, said
        assert "Traceback" not in said
        return said

    def run(self, *urls: str, statuses: tuple[int, ...] = (0, 1)) -> str:
        asked = [word for url in urls for word in ("--tsa", url)]
        words = ("run", "-i", "localhost,", "--family", "encryption", "-o", "out", *asked)
        return self(*words, statuses=statuses)


def test_a_run_with_an_authority_that_fails_and_one_that_answers(tmp_path: Path) -> None:
    """What fails leaves no bundle; the same command with another goes on, and asks no host."""
    tsa, here = Tsa(tmp_path / "tsa"), _Here(tmp_path)
    with tsa.served() as url, _silent() as hangs, _silent(b"HTTP/1.1 200 OK\r\n") as drips:
        other = tsa.reply(Request(b"another signature").bytes)
        for name, address, broken, status, said in (
            ("down", "http://127.0.0.1:9/", None, 200, "cannot be asked"),
            ("hangs", hangs, None, 200, "gave no answer in 3 s|timed out"),
            ("drips", drips, None, 200, "gave no answer in 3 s"),
            ("garbage", url, b"<html>", 200, "cannot be read"),
            ("another digest", url, other, 200, "not over this signature"),
            ("refuses", url, b"", 503, "answered 503"),
        ):
            tsa.broken, tsa.status = broken, status
            told = here.run(address, statuses=(2,))
            assert any(one in told for one in said.split("|")), (name, told)
            assert address in told
            assert not (here.out / "bundle").exists(), name
        tsa.broken, tsa.status = None, 200
        # both were asked for: one of them is not what was asked for
        assert ":9/" in here.run(url, "http://127.0.0.1:9/", statuses=(2,))
        assert not (here.out / "bundle").exists()
        here.run(url)
        assert len((here.out / "journal.jsonl").read_text().splitlines()) == 1
    here("key", "authority", str(tsa.root), "--name", "test")
    here("key", "trust", "-o", "trust.json")
    told = here("verify", "out/bundle", "--trust", "trust.json")
    assert "so says the timestamp authority test" in told
    found = json.loads(here("verify", "out/bundle", "--trust", "trust.json", "--format", "json"))
    assert found["timestamp"]["authority"] == "test"
