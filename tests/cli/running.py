"""Runs the command line as a user does, in a process of its own."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.forked import command


@dataclass(frozen=True)
class Ended:
    status: int
    out: str
    err: str


def hostpledge(*arguments: object, home: Path | None = None, **environment: str) -> Ended:
    """The command with this home folder (one that nobody can make, where none is given)."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("HOSTPLEDGE_", "LC_", "LANG"))}
    ended = command(
        *map(str, arguments),
        env={
            **kept,
            "LANG": "en_US.UTF-8",
            "HOSTPLEDGE_HOME": str(home or "/proc/none"),
            **environment,
        },
    )
    return Ended(ended.status, ended.out.decode(), ended.err.decode())


def answer(text: str) -> dict[str, Any]:
    """What a document holds beside its envelope, which it begins with."""
    document: dict[str, Any] = json.loads(text)
    assert next(iter(document)) == "envelope"
    envelope = document.pop("envelope")
    assert list(envelope) == ["schema", "version", "pledge", "digest"]
    return document
