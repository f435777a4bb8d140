"""What an inspector is handed: the evidence, a report to read, and how to check both alone.

One new folder, whole or not at all. Its digests are in `manifest-sha256.txt`, in the form that
`sha256sum -c` takes; what it says in words stands in `README.txt`, Chinese first.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from collector import catalog
from collector.captures import write_aside
from collector.cli.ui.language import lang, tr
from collector.cli.ui.scope_line import void_said
from collector.cli.workflows import reports
from collector.errors import BadInput, CollectorError
from collector.model import Lang, Result, Text
from collector.pledges.record.times import CHINA
from collector.private import OWNER
from collector.resources import package_text
from collector.scope import of_evidence, verdicts

if TYPE_CHECKING:
    from collector.pledges.register.register import Register
    from collector.report.model.standings import Outdated, Since
    from collector.verify import Bundle

BUNDLE, PAGE, TRUST = "evidence.zip", "verify.html", "trust.json"
README, MANIFEST = "README.txt", "manifest-sha256.txt"
REPORT = "report.html"
_REPORT = Text(
    "report.html 是最近一份证据的报告，用浏览器打开，无需联网。",
    "report.html is the report of the newest evidence; any browser opens it, without a\nnetwork.",
)
_NO_REPORT = Text(
    "不含 report.html：导出时最近一份证据未能读取。",
    "there is no report.html, for the newest evidence could not be read.",
)
_NONE_COUNTS = Text(
    "不含 report.html：所附证据均已作废，不据以得出任何结论。",
    "there is no report.html, for all of the evidence is void, and nothing follows\nfrom it.",
)
_NO_EVIDENCE = Text(
    "不含 report.html：尚无核查证据。",
    "there is no report.html, for no evidence is attached yet.",
)


def write(opened: Bundle, trust_file: Path, folder: Path, redacted: bool) -> None:
    """All of it into a folder that is there; the bundle has been verified against `trust_file`.

    Raises OSError where something cannot be written. `redacted`: the bundle goes without its
    captures, and so do the reports, which show what stands in them; it cannot be judged again by
    whoever has it. So it is of a bundle that has none.
    """
    from collector.attest.bundle import making
    from collector.attest.bundle import redacted as without
    from collector.verify.webpage import page

    source, bare = opened.root, redacted or opened.redacted
    if redacted and not opened.redacted:
        source = folder / ".without"
        without.write(opened.root, source, opened.info)
    making.pack(source, folder / BUNDLE)
    if source != opened.root:
        shutil.rmtree(source)
    write_aside(folder / PAGE, page().encode(), OWNER)
    write_aside(folder / TRUST, trust_file.read_bytes(), OWNER)
    if not bare:
        _reports(opened, trust_file, folder)
    write_aside(folder / README, _readme(opened, folder, bare=bare).encode(), OWNER)
    names = sorted(path.name for path in folder.iterdir())
    digests = ((hashlib.sha256((folder / n).read_bytes()).hexdigest(), n) for n in names)
    text = "".join(f"{digest}  {name}\n" for digest, name in digests)
    write_aside(folder / MANIFEST, text.encode(), OWNER)


def _reports(opened: Bundle, trust_file: Path, folder: Path) -> None:
    """The HTML always; the PDF where its pages can be set on this machine."""
    html, sheet = folder / "report.html", folder / "report.xlsx"
    pdf_file: Path | None = folder / "report.pdf"
    try:
        from collector.report.render import pdf

        pdf.check()
    except CollectorError as problem:
        pdf_file = None
        click.echo(tr(f"不含 PDF：{problem}", f"without the PDF: {problem}"), err=True)
    brief = folder / "brief.pdf" if pdf_file else None
    places = reports.Places(html, pdf_file, sheet, brief)
    reports.write(opened, places, None, None, trust_file, OWNER)


def _readme(opened: Bundle, folder: Path, *, bare: bool) -> str:
    names = {path.name for path in folder.iterdir()}
    since, old = reports.since_of(opened), reports.outdated(opened)
    parts = [_said(opened, names, lang, since, old, bare=bare) for lang in ("zh", "en")]
    return ("\n" + "-" * 72 + "\n\n").join(parts)


def _said(
    opened: Bundle,
    names: set[str],
    lang: Lang,
    since: Mapping[str, Since],
    outdated: Outdated | None,
    *,
    bare: bool,
) -> str:
    """The ten lines of one language, from a text that has a place for each."""
    pledge = opened.frame.get("pledge")
    found = verdicts(opened.frame)
    words, scope = catalog.words()["verdict"], of_evidence(opened.frame)
    lines = [f"    ! {outdated.text.to(lang)}"] if outdated else []
    for id, entry in catalog.clauses().items():
        if id not in found:
            continue
        now = since.get(id)
        changed = now is not None and now.outweighs(Result(found[id]))
        word = words[now.result if now is not None and changed else Result(found[id])].to(lang)
        lines.append(f"    {catalog.clause_number(id, lang)}  {word}  {entry['title'][lang]}")
        lines += [f"         {why}" for why in (now.why(lang) if now and changed else ())]
    clauses = "\n".join(lines)
    made = datetime.fromisoformat(opened.statement["predicate"]["made_at"]).astimezone(CHINA)
    nothing = {"zh": "（不属于任何登记）", "en": "(of no pledge)"}[lang]
    form = "bare" if bare else "hand_over"
    return package_text(f"cli/workflows/{form}.{lang}.txt").format(
        pledge=pledge["id"] if pledge else nothing,
        sequence=pledge["sequence"] if pledge else "-",
        digest=opened.digest,
        made=f"{made:%Y-%m-%d %H:%M}",
        hosts=len(opened.names),
        scope=scope.said().to(lang),
        clauses=clauses,
        bundle=BUNDLE,
        page=PAGE,
        trust=TRUST,
        manifest=MANIFEST,
        pdf=", ".join(sorted(n for n in names if n.endswith(".pdf"))) or "report.html",
    )


def of_export(register: Register, id: str) -> dict[str, bytes]:
    """What goes with the export of a pledge for people: the page, a report of the newest evidence.

    Its first screen says what the clauses come to now, as all other places do; where nothing of
    that changed, the same pledge gives the same bytes. Without evidence that counts there is no
    report. Raises BadInput where the newest cannot be read: see `without_report`.
    """
    from collector.cli.workflows.history import Kept
    from collector.pledges.database.rows import current
    from collector.report.model.contents import Source, contents
    from collector.report.render import html
    from collector.verify import open_bundle

    last, newest = register.history(id)[-1], current(register.evidence(id))
    if newest is None:
        return without_report(register, id)
    known = json.loads(last.record.canonical())
    with open_bundle(newest.path) as opened:
        source = Source(
            opened.evidence,
            opened.capture,
            known,
            opened.digest,
            opened.keyid,
            attached=opened.attached,
            since=Kept(register, id).since(opened.digest, datetime.now(UTC)),
        )
        report = html.render(contents(source, lang())).encode()
    there = without_report(register, id, f"bundles/{newest.sequence:04d}-{newest.digest[:12]}")
    return {**there, REPORT: report}


def without_report(register: Register, id: str, newest: str = "") -> dict[str, bytes]:
    """How to check it, and the page that does; `newest`: the folder that a report is of."""
    from collector.pledges.record.voiding import voided
    from collector.verify.webpage import page

    void = [void_said(entry) for entry in voided(register.get(id))]
    every = register.every_evidence(id)
    report = _REPORT if newest else _NO_REPORT if register.evidence(id) else _NONE_COUNTS
    report = report if every else _NO_EVIDENCE
    place = newest or (f"bundles/{every[-1].sequence:04d}-{every[-1].digest[:12]}" if every else "")
    told: tuple[Lang, ...] = ("zh", "en")
    said = [
        package_text(f"cli/workflows/export.{one}.txt").format(
            pledge=id,
            bundles=_counted(register, id).to(one),
            page=PAGE,
            newest=place or "bundles/…",
            manifest=MANIFEST,
            report=report.to(one),
            void="".join(f" ! {line.to(one)}\n" for line in void),
        )
        for one in told
    ]
    return {README: ("\n" + "-" * 72 + "\n\n").join(said).encode(), PAGE: page().encode()}


def _counted(register: Register, id: str) -> Text:
    """How many bundles there are, and which of them are void: those lie there as well."""
    from collector.pledges.record.voiding import voided

    count = len(register.every_evidence(id))
    numbers = [str(entry["sequence"]) for entry in voided(register.get(id))]
    zh, en = f"共 {count} 份", f"{count} bundle(s)"
    if numbers:
        zh += f"，其中第 {'、'.join(numbers)} 份已声明无效，不据以得出任何结论"
        en += f", of which number {', '.join(numbers)} is void: nothing follows from it"
    return Text(zh, en)


def check(target: Path) -> None:
    """Before minutes of work: raises BadInput where a folder cannot be made there."""
    if target.suffix in (".zip", ".age"):
        raise BadInput(
            tr("交检查人的是目录", "what an inspector is handed is a folder"),
            where=str(target),
            mend=tr("给出目录名", "give a name without .zip or .age"),
        )
