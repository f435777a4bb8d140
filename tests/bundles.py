"""Bundles for tests, made of what the collector script really printed on this machine."""

from __future__ import annotations

import functools
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from collector import captures, catalog
from collector.attest.bundle import bag
from collector.attest.bundle import making as bundle
from collector.attest.keys.keys import PrivateKey
from collector.attest.trust.trust_file import Trust, trust_of
from collector.model import Capture, HostStatus
from collector.script import collector_script, host_nonce, parse_output

ODD_HOSTS = ("web-1", "数据库一号", "<script>alert(1)</script>", "../x", "-rf", "a b\tc", "_x")


@functools.cache
def script() -> str:
    return collector_script(catalog.all_reads().values())


@functools.cache
def output() -> bytes:
    """What the script printed here."""
    done = subprocess.run(
        ["sh"], input=script().encode(), capture_output=True, check=True, timeout=400
    )
    return done.stdout


@functools.cache
def capture(host: str = "web-1") -> Capture:
    return parse_output(output(), host=host)


def unreachable(host: str) -> Capture:
    return Capture(host, HostStatus.UNREACHABLE, detail="No route to host")


def collected(found: Capture, run: str, at: datetime) -> Capture:
    """The capture as a run of that nonce would have had it then."""
    origin = {"run": run, "clock": at.isoformat()}
    if not found.reads:
        return replace(found, origin=origin)
    return replace(found, nonce=host_nonce(run, found.host), collected_at=at, origin=origin)


def digests(files: Sequence[Path]) -> frozenset[str]:
    """What a run folder says of captures that it vouches for."""
    return frozenset(captures.digest(file.read_bytes()) for file in files)


def write(folder: Path, found: Sequence[Capture]) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for one in found:
        paths.append(folder / captures.file_name(one.host))
        captures.write(one, paths[-1])
    return paths


def make(
    folder: Path,
    found: Sequence[Capture],
    key: PrivateKey | None = None,
    name: str = "bundle",
    **more: Any,
) -> tuple[bundle.Made, Trust]:
    key = key or PrivateKey.generate()
    files = write(folder / f"{name}.captures", found)
    if more.get("run") is not None:
        # as a run folder does for what its hosts answered
        more["collected"] = digests(
            [file for file, one in zip(files, found, strict=True) if "run" in one.origin]
        )
    given: dict[str, Any] = {"controls": catalog.select(), "grade": 2, "script": script()} | more
    return bundle.make(files, folder / name, key, **given), trust_of([key.public])


def reseal(root: Path) -> None:
    """What an attacker without the key can do: make the container agree with itself again."""
    payload = bag.look(root)
    lines = (root / "bag-info.txt").read_text().splitlines()
    info = dict(line.split(": ", 1) for line in lines)
    info.pop("Payload-Oxum")
    for name, data in bag.tag_files(payload, info).items():
        (root / name).write_bytes(data)


def with_stdout(found: Capture, read: str, stdout: bytes) -> Capture:
    """The capture, one read of which returned something else."""
    other = replace(found.reads[read], stdout=stdout)
    return replace(found, reads={**found.reads, read: other})
