"""`report --export`: the findings of a bundle, as they were signed, for programs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from collector import catalog
from collector.captures import write_aside
from collector.cli.options.bundles import identity_of
from collector.cli.ui.language import lang, tr
from collector.errors import BadInput
from collector.export import FORMATS, exporter
from collector.model import Finding, HostStatus
from collector.scope import of_evidence

if TYPE_CHECKING:
    from collector.verify import Bundle

Export = tuple[str, Path]


def export_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """--export FORMAT=FILE (`exports`)."""
    return click.option(
        "--export",
        "exports",
        multiple=True,
        metavar="FORMAT=FILE",
        help=tr(
            f"把包内结论（含豁免）写给程序读，可重复：{', '.join(FORMATS)}",
            f"write the findings in it, with waivers, for programs, repeatable: "
            f"{', '.join(FORMATS)}",
        ),
    )(command)


def wanted(words: Sequence[str]) -> list[Export]:
    """Raises BadInput for what is no format and file."""
    found = []
    for word in words:
        form, _, file = word.partition("=")
        if form not in FORMATS or not file:
            raise BadInput(
                tr(f"不能导出：{word}", f"cannot be exported: {word}"),
                where="--export",
                mend=tr(
                    f"请写成 格式=文件，格式为 {', '.join(FORMATS)}",
                    f"write FORMAT=FILE with a format of {', '.join(FORMATS)}",
                ),
            )
        found.append((form, Path(file)))
    return found


def write(exports: Sequence[Export], opened: Bundle, mode: int, *, unchecked: bool = False) -> None:
    """Each into its file, as `texts` makes them."""
    forms = [form for form, _ in exports]
    for (_, file), text in zip(exports, texts(forms, opened, unchecked=unchecked), strict=True):
        write_aside(file, text.encode("utf-8"), mode)


def texts(forms: Sequence[str], opened: Bundle, *, unchecked: bool = False) -> Iterator[str]:
    """`unchecked`: nobody looked whether the signature holds, and each of them says so.

    Raises BadInput where a control in it is not among ours: its texts are not here.
    """
    from collector.attest.bundle.evidence import finding_from_json
    from collector.attest.bundle.provenance import is_collected

    unknown = sorted(opened.frame["controls"].keys() - catalog.controls().keys())
    if unknown and forms:
        version = opened.frame["tool"]["version"]
        raise BadInput(
            tr(f"本版没有核查项 {unknown[0]}", f"holds {unknown[0]}, a control not known here"),
            where=str(opened.path),
            mend=tr(f"请用 hostpledge {version}", f"use hostpledge {version}"),
        )
    hosts: dict[str, list[Finding]] = {}
    times: dict[str, datetime] = {}
    statuses: dict[str, HostStatus] = {}
    handed_in: set[str] = set()
    for name, entry in opened.hosts() if forms else ():
        hosts[name] = [finding_from_json(name, finding) for finding in entry["findings"]]
        times[name] = datetime.fromisoformat(entry["assessed_at"])
        statuses[name] = HostStatus(entry["status"])
        if not is_collected(entry["origin"], opened.frame["run"]):
            handed_in.add(name)
    scope = replace(of_evidence(opened.frame), unchecked=unchecked)
    about = identity_of(opened)
    for form in forms:
        yield exporter(form)(hosts, times, lang(), statuses, scope, handed_in, about)
