"""The documents that the readers get: of composed hosts, with odd names, and of one really read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import get_args

from collector import captures, catalog
from collector.export import FORMATS, exporter, oscal_controls
from collector.export.envelope import Identity
from collector.judging.hosts import Judging, in_order
from collector.model import Finding, Lang
from collector.scope import scope_of
from tests.export.findings import AT, HOSTS, STATUSES

ROOT = Path(__file__).parents[2]
LANGS: tuple[Lang, ...] = get_args(Lang)
_CAPTURE = ROOT / "tests/captures/audit-trixie.capture.gz"
_ODD = ("数据库-1", "=1+2", 'web 2,"x"', "a/b..c")


@cache
def findings() -> tuple[Mapping[str, Sequence[Finding]], Mapping[str, datetime]]:
    """Composed hosts, some with odd names, and one that was really read, by all its controls."""
    odd = {name: [replace(f, host=name) for f in HOSTS["web-1"]] for name in _ODD}
    hosts: dict[str, Sequence[Finding]] = {**HOSTS, **odd}
    real = captures.load(_CAPTURE)
    moment = real.collected_at or AT
    selected = catalog.select((), 2)
    for capture, found in in_order([(real, Judging(real, selected, grade=2, attached={}))]):
        hosts[capture.host] = found
    return hosts, {name: moment if name == real.host else AT for name in hosts}


def write(folder: Path) -> None:
    """`FORM.LANG` for each form and language; those of the controls are `oscal-….LANG`."""
    hosts, times = findings()
    scope = scope_of([c.id for c in catalog.select((), 2)], 2)
    about = Identity("P-1", "ab" * 32)
    for lang in LANGS:
        for form in FORMATS:
            text = exporter(form)(hosts, times, lang, STATUSES, scope, ("web-1",), about)
            (folder / f"{form}.{lang}").write_text(text, encoding="utf-8", newline="")
        for form, made in oscal_controls.FORMS.items():
            text = made(list(catalog.controls().values()), AT, lang, 2)
            (folder / f"{form}.{lang}").write_text(text, encoding="utf-8")
