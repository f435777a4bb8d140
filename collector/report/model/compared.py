"""Two bundles, compared → what the report of the later one shows of it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from collector import replay
from collector.model import Lang, Result
from collector.report.model.view import spoken, when


@dataclass(frozen=True, slots=True)
class Row:
    """One control on one host; `waived` as it is in the later bundle."""

    host: str
    number: str
    title: str
    before: Result
    after: Result
    waived: bool
    said: str


@dataclass(frozen=True, slots=True)
class Gone:
    """Log records that went before their time; `certain`: it was seen in every file."""

    host: str
    path: str
    start: str
    end: str
    certain: bool


@dataclass(frozen=True, slots=True)
class Compared:
    """`digest` and `collected` are those of the earlier bundle; `parts` are words of the report

    with their rows, `names` others with names of hosts or controls.
    """

    digest: str
    collected: str
    parts: Sequence[tuple[str, Sequence[Row]]]
    gone: Sequence[Gone]
    names: Sequence[tuple[str, Sequence[str]]]
    same_catalog: bool


def compared(
    earlier: Mapping[str, Any], digest: str, found: replay.Comparison, controls: Any, lang: Lang
) -> Compared:
    """`earlier` is the frame of the earlier bundle, `controls` are those of the later one."""
    parts = [
        (word, [_row(entry, controls, lang) for entry in entries])
        for word, entries in (
            ("diff_regressed", found.regressed),
            ("diff_fixed", found.fixed),
            ("diff_changed", found.changed),
        )
    ]
    names = [
        ("diff_new_hosts", found.new_hosts),
        ("diff_gone_hosts", found.gone_hosts),
        ("diff_new_controls", found.new_controls),
        ("diff_gone_controls", found.gone_controls),
        ("diff_uncompared", found.uncompared),
        ("diff_handed_in", found.handed_in[0]),
    ]
    return Compared(
        digest,
        when((earlier.get("run") or {}).get("ended")),
        parts,
        [
            Gone(
                lost.host,
                lost.loss.path,
                lost.loss.first.date().isoformat(),
                lost.loss.last.date().isoformat(),
                lost.loss.seen,
            )
            for lost in found.lost
        ],
        [(word, named) for word, named in names if named],
        found.catalogs[0] == found.catalogs[1],
    )


def _row(entry: replay.Difference, controls: Mapping[str, Any], lang: Lang) -> Row:
    # `replay.diff` lists what both bundles speak of
    old, new = entry.old or {}, entry.new or {}
    control = controls.get(entry.control, {})
    waiver = new["waiver"]
    return Row(
        entry.host,
        str(control.get("number", entry.control)),
        spoken(control.get("title"), lang) or entry.control,
        Result(old["verdict"]),
        Result(new["verdict"]),
        waiver is not None and not waiver["expired"],
        spoken(new["message"], lang),
    )
