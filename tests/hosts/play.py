"""The real script in a played root, and what all controls say of it."""

from __future__ import annotations

import resource
import subprocess
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import yaml

from collector import catalog
from collector.assess import assess_host
from collector.model import Capture, Finding
from collector.script import collector_script, parse_output, with_nonce
from tests.cases import AT
from tests.hosts.building import build
from tests.hosts.facts import Facts

EXPECTED = Path(__file__).parent / "expected"
_NONCE = "0123456789abcdef0123456789abcdef"
_ALONE = ["unshare", "--mount", "--pid", "--net", "--fork", "--kill-child"]


@dataclass(frozen=True, slots=True)
class Played:
    """One host as it was played: its capture, and the findings by control."""

    capture: Capture
    findings: dict[str, Finding]
    cpu: float
    """Seconds of CPU that the script and all that it ran took."""
    seconds: float


@cache
def _script() -> bytes:
    return with_nonce(collector_script(catalog.all_reads().values()), _NONCE).encode()


def collect(root: Path) -> tuple[Capture, float, str]:
    """The script of all controls run in `root`; what it cost in CPU; what it complained of."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [*_ALONE, "chroot", str(root), "/bin/sh"],
        input=_script(),
        capture_output=True,
        timeout=300,
        check=False,
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    said = done.stderr.decode("utf-8", "replace")
    return parse_output(done.stdout, host=root.name, nonce=_NONCE), cpu, said


def play(facts: Facts, base: Path, shell: str = "") -> Played:
    """`shell` is /bin/sh instead of the host's own."""
    began = time.monotonic()
    root = build(replace(facts, shell=shell or facts.shell), base)
    capture, cpu, said = collect(root)
    assert not said, f"{facts.name}: {said}"
    found = assess_host(capture, catalog.controls().values(), grade=2, at=AT)
    return Played(capture, {f.control: f for f in found}, cpu, time.monotonic() - began)


def expected(name: str) -> dict[str, str]:
    """{control: "verdict reason"} of the reviewed file, or nothing where there is none."""
    path = EXPECTED / f"{name}.yml"
    return (
        dict(yaml.safe_load(path.read_text(encoding="utf-8"))["findings"]) if path.exists() else {}
    )


def said(findings: Iterable[Finding]) -> dict[str, str]:
    return {f.control: f"{f.result} {f.reason}" for f in findings}
