"""A headless Chromium, spoken to through a pipe (Chrome DevTools Protocol), with no network."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

BROWSERS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "microsoft-edge",
)
# no request may leave, no profile may stay
_FLAGS = (
    "--headless",
    "--disable-gpu",
    "--disable-quic",
    "--disable-extensions",
    "--disable-sync",
    "--disable-component-update",
    "--disable-background-networking",
    "--no-first-run",
    "--no-default-browser-check",
    "--host-resolver-rules=MAP * ~NOTFOUND",
)
_SECONDS = 60


def browser() -> str | None:
    """The path of a Chromium, or None."""
    return next((found for name in BROWSERS if (found := shutil.which(name))), None)


class Page:
    """One page in the browser. `requests` are the addresses that it asked for."""

    def __init__(self, order: int, answer: int, url: str) -> None:
        self._out = os.fdopen(order, "wb")
        self._in = os.fdopen(answer, "rb")
        self._number = 0
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self._session: str | None = None
        found = self.call("Target.attachToTarget", targetId=self._first(), flatten=True)
        self._session = found["sessionId"]
        for domain in ("Network", "Page", "DOM", "Runtime", "Log"):
            self.call(f"{domain}.enable")
        self.call("Page.navigate", url=url)
        self.wait("document.readyState === 'complete'")

    def _first(self) -> str:
        """The page with which the browser begins."""
        until = time.monotonic() + _SECONDS
        while time.monotonic() < until:
            for target in self.call("Target.getTargets")["targetInfos"]:
                if target["type"] == "page":
                    return str(target["targetId"])
            time.sleep(0.05)
        raise AssertionError("the browser shows no page")

    def call(self, method: str, **given: Any) -> dict[str, Any]:
        """The result of a command of the protocol."""
        self._number += 1
        order = {"id": self._number, "method": method, "params": given}
        if self._session:
            order["sessionId"] = self._session
        self._out.write(json.dumps(order).encode() + b"\0")
        self._out.flush()
        while True:
            said = self._read()
            if said.get("id") == self._number:
                assert "error" not in said, said
                result: dict[str, Any] = said["result"]
                return result

    def _read(self) -> dict[str, Any]:
        data = bytearray()
        while (byte := self._byte()) != b"\0":
            data += byte
        said: dict[str, Any] = json.loads(data)
        if said.get("method") == "Network.requestWillBeSent":
            self.requests.append(said["params"]["request"]["url"])
        if said.get("method") in ("Log.entryAdded", "Runtime.exceptionThrown"):
            self.complaints.append(json.dumps(said["params"]))
        return said

    def _byte(self) -> bytes:
        byte = self._in.read(1)
        assert byte, "the browser ended"
        return byte

    def ask(self, script: str) -> Any:
        """The value of an expression in the page."""
        found = self.call(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def wait(self, script: str) -> None:
        """Until the expression holds."""
        until = time.monotonic() + _SECONDS
        while not self.ask(script):
            assert time.monotonic() < until, script
            time.sleep(0.05)

    def choose(self, selector: str, files: Sequence[Path]) -> None:
        """Gives files, or one folder, to an `<input type="file">`, and waits for the browser."""
        field = f"document.querySelector({json.dumps(selector)})"
        self.ask(f"{field}.value = ''")
        root = self.call("DOM.getDocument")["root"]["nodeId"]
        node = self.call("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        self.call("DOM.setFileInputFiles", nodeId=node, files=[str(file) for file in files])
        self.wait(f"{field}.files.length > 0")

    def picture(self, target: Path) -> None:
        """A PNG of the whole page."""
        shot = self.call("Page.captureScreenshot", captureBeyondViewport=True)
        target.write_bytes(base64.b64decode(shot["data"]))


@contextmanager
def opened(url: str, folder: Path, *, lang: str = "en") -> Iterator[Page]:
    """The page at `url`; the browser's profile lies in `folder`."""
    program = browser()
    assert program is not None
    # the browser reads orders from 3 and answers on 4
    pairs = [os.pipe(), os.pipe()]
    ends = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 60) for pair in pairs for end in pair]
    for end in (end for pair in pairs for end in pair):
        os.close(end)
    theirs_in, ours_out, ours_in, theirs_out = ends
    flags = [*_FLAGS, f"--lang={lang}", "--remote-debugging-pipe", "--window-size=1100,1400"]
    if os.geteuid() == 0:
        flags.append("--no-sandbox")
    running = subprocess.Popen(
        ["bash", "-c", f'exec "$@" 3<&{theirs_in} 4>&{theirs_out}', "bash", program, *flags,
         f"--user-data-dir={folder}/profile", "about:blank"],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        pass_fds=(theirs_in, theirs_out),
    )  # fmt: skip
    os.close(theirs_in)
    os.close(theirs_out)
    page = None
    try:
        page = Page(ours_out, ours_in, url)
        yield page
    finally:
        running.terminate()
        try:
            running.wait(20)
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()
        if page is not None:
            page._in.close()
            page._out.detach()
