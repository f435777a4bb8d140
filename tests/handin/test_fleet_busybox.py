"""A real host with busybox alone, no Python and no curl, hands in by what the page says."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.fleet import Fleet, why_not
from tests.handin.served import serving

pytestmark = pytest.mark.fleet


def test_a_host_without_python_or_curl_hands_in(tmp_path: Path) -> None:
    """Its connection back to the server is a forwarded port, wherever containers have their net."""
    if reason := why_not():
        say = pytest.fail if os.environ.get("CI") else pytest.skip
        say(f"containers cannot run here: {reason}")
    with (
        serving(tmp_path / "hand-in") as served,
        Fleet(["busybox"], folder=tmp_path / "fleet", prefix=f"handin-{os.getpid()}") as fleet,
    ):
        link, address = served.link("busybox")
        there = address.replace(f":{served.port}/", ":8080/")
        typed = (
            f"busybox wget -qO collect.sh {there}/collect.sh && sh collect.sh > x.capture && "
            f"busybox wget -qO- --post-file=x.capture {there}"
        )
        ssh = fleet.ssh("busybox")
        forward = ["-R", f"8080:127.0.0.1:{served.port}"]
        done = subprocess.run(
            [ssh[0], *forward, *ssh[1:], typed],
            capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
        assert f"收据 receipt: {link.id}" in done.stdout, done
        (line,) = [line for line in served.log() if line["what"] == "received"]
        assert line["host"] == "busybox"
