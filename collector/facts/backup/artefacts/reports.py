"""What jobs themselves report of their runs (schemas/backup-report.schema.json)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from collector.errors import BadInput, NotUnderstood
from collector.i18n.message import msg, told
from collector.model import Capture
from collector.schema import check, load_json


@dataclass(frozen=True, slots=True)
class Snapshots:
    """The versions that can be restored, as the job counted them; times are None for none."""

    count: int
    oldest: datetime | None
    newest: datetime | None


@dataclass(frozen=True, slots=True)
class Report:
    """One run as the job itself reported it (schemas/backup-report.schema.json).

    `checked` is when and whether the backup was found readable, None where nothing was checked.
    """

    job: str
    finished: datetime
    ok: bool
    size: int | None
    paths: tuple[str, ...]
    repository: str
    encrypted: bool | None
    offsite: bool | None
    file: str
    checked: tuple[datetime, bool] | None = None
    snapshots: Snapshots | None = None
    append_only: bool | None = None


def reports(capture: Capture) -> tuple[Report, ...]:
    """Reports of runs that made a backup. Raises FactError like `all_reports`."""
    return tuple(report for act, report in all_reports(capture) if act == "backup")


def all_reports(capture: Capture) -> tuple[tuple[str, Report], ...]:
    """All reports, each with what the run did (backup, check).

    Raises FactError when one cannot be read or is not of the form, and for one that anybody may
    have written: it says nothing, neither good nor bad.
    """
    found = []
    for file in capture.read("backup.reports").present():
        if file.mode & 0o002:
            raise NotUnderstood("backup.reports", msg("report_of_anybody", path=file.path))
        try:
            document = load_json(file.text("backup.reports"), where=file.path)
            check(document, "backup-report", where=file.path)
        except BadInput as problem:
            raise NotUnderstood("backup.reports", told(problem)) from None
        try:
            found.append((document.get("act", "backup"), _report(document, file.path)))
        except ValueError as problem:
            raise NotUnderstood(
                "backup.reports", msg("at", where=file.path, what=problem)
            ) from None
    return tuple(found)


def _report(document: Mapping[str, Any], path: str) -> Report:
    finished = _time(document["finished"])
    verified, snapshots = document.get("verified"), document.get("snapshots")
    checked = (_time(verified["at"]), verified["ok"]) if verified else None
    if document.get("act") == "check":
        checked = (finished, document["ok"])
    counted = None
    if snapshots:
        oldest, newest = (
            _time(snapshots[x]) if x in snapshots else None for x in ("oldest", "newest")
        )
        if oldest and newest and oldest > newest:
            raise ValueError(msg("snapshots_oldest_younger_newest"))
        counted = Snapshots(snapshots["count"], oldest, newest)
    return Report(
        document["job"],
        finished,
        document["ok"],
        document.get("bytes"),
        tuple(document["paths"]),
        document.get("repository", ""),
        document.get("encrypted"),
        document.get("offsite"),
        path,
        checked,
        counted,
        document.get("append_only"),
    )


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text.upper()).astimezone(UTC)
