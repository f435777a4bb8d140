"""Small evidence for the report: as `attest.evidence` writes it, from captures made here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from collector import captures, catalog
from collector.assess import assess_host
from collector.attest.bundle.evidence import Draft, PledgeReference, assessed_at, host_entry
from collector.model import (
    Capture,
    CapturedFile,
    Control,
    HostStatus,
    ReadResult,
    ReadStatus,
    Waiver,
)

AT = datetime(2026, 11, 25, 4, 0, tzinfo=UTC)
HOSTILE = "<script>alert(1)</script>"
TRICKY = "web\x1b[31m\u202egpj.exe"
CONTROL = catalog.control("encryption.password_hash")
RECORD: dict[str, Any] = {
    "id": "P-1",
    "customer": {
        "name": "云南<b>示例</b>公司",
        "kind": "unit",
        "credit_code": "91530100MA6K0EXAMP",
    },
    "documents": [
        {
            "type": "responsibility",
            "version": "2023",
            "sha256": "78" * 32,
            "signed_on": "2026-01-15",
        }
    ],
    "security_officer": {"name": "赵一"},
}


def host(
    name: str,
    shadow: bytes = b"root:$y$:20000:0:99999:7:::\n",
    *,
    status: HostStatus = HostStatus.COMPLETE,
    detail: str = "",
) -> Capture:
    if status is not HostStatus.COMPLETE:
        return Capture(name, status, detail=detail, origin={"clock": AT.isoformat()})
    users = [line.split(b":")[0] for line in shadow.splitlines() if b":" in line]
    passwd = b"".join(user + b":x:0:0::/root:/bin/bash\n" for user in users)
    return Capture(
        name,
        status,
        detail=detail,
        head={"uid": "0", "user": "root", "kernel": "Linux 6.1 <x>"},
        origin={"address": "192.0.2.7"},
        collected_at=AT,
        reads={
            id: ReadResult(
                id,
                ReadStatus.OK,
                files=(CapturedFile(path, ReadStatus.OK, 0o640, 0, 42, 9, 0, data),),
            )
            for id, path, data in (
                ("accounts.passwd", "/etc/passwd", passwd),
                ("accounts.shadow", "/etc/shadow", shadow),
                ("accounts.group", "/etc/group", b"root:x:0:\n"),
            )
        },
    )


def evidence(
    held: Sequence[Capture],
    folder: Path,
    waivers: Sequence[Waiver] = (),
    controls: Sequence[Control] = (CONTROL,),
) -> tuple[dict[str, Any], Mapping[str, Capture]]:
    draft = Draft(list(controls), folder)
    hosts: dict[str, Any] = {}
    for capture in held:
        at = assessed_at(capture, None)
        found = assess_host(capture, controls, at=at, waivers=waivers)
        file = f"captures/{captures.file_name(capture.host)}"
        draft.add(capture, file, "cd" * 32, found, at)
        hosts[capture.host] = host_entry(capture, file, "cd" * 32, found, at)
    document = draft.frame(
        grade=2,
        run=None,
        pledge=PledgeReference("P-1", 1, None),
        waivers=waivers,
        attached={"data-inventory": "ef" * 32},
    )
    draft.close()
    return {**document, "hosts": hosts}, {capture.host: capture for capture in held}


def waiver(name: str, days: int) -> Waiver:
    return Waiver(CONTROL.id, name, "待替换<i>", "王安", AT + timedelta(days=days))
