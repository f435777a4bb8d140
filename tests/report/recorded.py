"""Contents of a report over hosts that were really recorded, and over one that means harm."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from collector import captures, catalog
from collector.model import Capture, Lang, Result
from collector.report.model.contents import Source, contents
from collector.report.model.trend import Check, trend
from tests.pledges import records
from tests.report.evidence import AT, evidence, host, waiver

CHECKPOINT = "hostpledge.example/log\n12\nq1ZqdGVzdA==\n\n— hostpledge.example AbCd==\n"
# names and lines that a spreadsheet, a page or a terminal might act on
FORMULAS = ("=HYPERLINK(A1)", "+1+1", "-2", "@SUM(A1)", "\tx", "＝1", "=cmd|' /C calc'!A0")
SHADOW = b"root:$y$:20000:0:99999:7:::\n" + b"".join(
    name.encode() + b":$1$:14000:0:99999:7:::\n" for name in ("old", "=1+1", "x\x07\x1b[31my")
)
CONTROLS = tuple(
    control
    for control in catalog.controls().values()
    if control.family in ("backup", "antivirus")
    or control.id
    in (
        "firewall.exposed_ports",
        "logging.retention_configured",
        "logging.retention_observed",
        "logging.no_gaps",
        "logging.remote_copy",
        "encryption.password_hash",
    )
)
_RECORDED = Path(__file__).parents[1] / "captures"


@functools.cache
def held() -> tuple[Capture, ...]:
    """Real hosts, one with a long name in both scripts, and one whose name is a formula."""
    named = {
        "logging-bookworm-kept": "web-01",
        "role-logging-trixie": "生产数据库-01.a-rather-long-name.internal.example.cn",
        "offsite-restic": "db-02",
    }
    real = [replace(captures.load(_RECORDED / f"{f}.capture.gz"), host=n) for f, n in named.items()]
    # its sockets were read
    shown = captures.load(Path(__file__).parents[1] / "pledges" / "resources.capture.gz")
    return (*real, replace(shown, host="gw-01"), host(FORMULAS[0], SHADOW), host("𓀀🦉-ཀ", SHADOW))


def inventory() -> bytes:
    return json.dumps(records.example()["data_inventory"]).encode()


def source(folder: Path, lang: Lang, **more: Any) -> Source:
    """Everything that a report can show, but for a hardening and a comparison."""
    document, known = evidence(held(), folder, [waiver(FORMULAS[0], 9)], controls=CONTROLS)
    record = records.example(
        security_officer={"name": "周示例 13912345678", "phone": "0571-88000000"},
        safety_contact={"name": "林示例 110101199003070011", "phone": "13800000001"},
    )
    given: dict[str, Any] = {
        "attached": {"data-inventory": inventory()},
        "checkpoint": CHECKPOINT,
        "trend": trend(checks(), lang),
        **more,
    }
    return Source(document, known.__getitem__, record, "de" * 32, "SHA256:abcdefgh", **given)


def given(folder: Path, lang: Lang, **more: Any) -> dict[str, Any]:
    return contents(source(folder, lang, **more), lang)


def checks() -> list[Check]:
    """Three bundles: two findings, one of them mended, a third that comes later; one unread."""

    def check(number: int, verdict: Result, found: Mapping[str, bool] | None) -> Check:
        findings = None if found is None else {("web-01", id): bad for id, bad in found.items()}
        at = AT + timedelta(days=30 * number)
        trouble = "" if findings is not None else "was changed"
        return Check(number, at, {"2.2": verdict, "2.3": Result.ERROR}, findings, trouble)

    return [
        check(1, Result.FAIL, {"a": True, "b": True, "c": False}),
        check(2, Result.FAIL, None),
        check(3, Result.PASS, {"a": False, "c": True}),
    ]


NOW = datetime(2026, 11, 25, 4, 0, tzinfo=UTC)
