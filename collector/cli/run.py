"""`hostpledge run`: the main job, from an inventory to evidence attached to a pledge record."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from collector import catalog
from collector.cli.collect import ansible_options, family_option, gather, how_of
from collector.cli.key import open_key, signing_options
from collector.cli.language import lang, lang_option, tr
from collector.cli.pledged import Pledged, pledge_options, pledged
from collector.errors import BadInput, one_line
from collector.model import HostStatus, Result

if TYPE_CHECKING:
    from collector.attest.keys import PrivateKey
    from collector.run.folder import RunFolder
    from collector.verify import Bundle

_TRIES = 5
_SHOWN = 40


@click.command(
    help=tr(
        "主要工作：采集、判定、制成签名证据包、附于登记、生成报告。"
        "-i localhost, 只查本机，不用 SSH；被中断后以同一命令（含同一 -o）继续。",
        "The main job: collect, assess, make a signed bundle, attach it to the pledge record, "
        "write the report. `-i localhost,` checks this machine with no SSH; the same command with "
        "the same -o takes an interrupted run up again.",
    )
)
@click.option(
    "-i", "--inventory", multiple=True, required=True, help=tr("Ansible 清单", "Ansible inventory")
)
@pledge_options
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    help=tr("输出目录，默认 hostpledge-<时间>", "output folder; default: hostpledge-<time>"),
)
@signing_options
@click.option(
    "--grade",
    "given_grade",
    type=click.IntRange(2, 3),
    help=tr("等级保护级别；默认按登记，否则 2", "MLPS grade; default: the record's, else 2"),
)
@family_option
@ansible_options
@lang_option
def run(
    *,
    inventory: tuple[str, ...],
    pledge_id: str | None,
    output: Path | None,
    key_name: str,
    passphrase_file: Path | None,
    location: str | None,
    given_grade: int | None,
    families: tuple[str, ...],
    **given: Any,
) -> int:
    """Exit status 0 when every host answered and every control is satisfied, 1 otherwise."""
    from collector.attest import keyring
    from collector.run.folder import RunFolder, sole
    from collector.verify import open_bundle

    pledge = pledged(pledge_id, location, given_grade)
    grade = given_grade or (pledge.record.grade if pledge else 2)
    key = _key(key_name, passphrase_file)
    output = output or Path(f"hostpledge-{datetime.now(UTC):%Y%m%dT%H%M%SZ}")
    arrived = gather(output, how_of(inventory, given), families, grade, end=False)
    folder = RunFolder.open(output)
    with sole(output), open_bundle(_bundle(folder, key, grade, pledge)) as opened:
        report = _report(folder, opened, pledge)
        folder.end()
        _say(opened, pledge)
        trust = keyring.folder() / keyring.TRUST
        click.echo(f"{tr('报告', 'report')}: {report}")
        click.echo(f"{tr('核验', 'verify')}: hostpledge verify {opened.path} --trust {trust}")
        whole = all(a.status is HostStatus.COMPLETE for a in arrived.values())
        return 0 if whole and _satisfied(opened) else 1


def _key(name: str, passphrase_file: Path | None) -> PrivateKey:
    """The signing key; the first run of all makes the default one."""
    from collector.attest import keyring

    if name == "default" and not keyring.trust().keys:
        made = keyring.new("default", "p256", None)
        place = keyring.path_of("default")
        click.echo(
            tr(
                f"尚无签名密钥，已生成 {made.keyid}（{place}，未设口令）",
                f"there was no signing key: made {made.keyid} ({place}, no passphrase)",
            ),
            err=True,
        )
    return open_key(name, passphrase_file)


def _bundle(folder: RunFolder, key: PrivateKey, grade: int, pledge: Pledged | None) -> Path:
    """Makes the bundle and attaches it.

    What an interrupted run left behind is made anew, unless it is attached already. A sequence
    number that another run took meanwhile is drawn again.
    """
    from collector.attest import bundle as attest
    from collector.attest import keyring
    from collector.pledges.attach import attach

    place = folder.path / "bundle"
    if pledge is not None and _attached_before(place, pledge):
        return place
    about = {**folder.about, "ended": datetime.now(UTC).isoformat(timespec="seconds")}
    for attempt in range(1, _TRIES + 1):
        shutil.rmtree(place, ignore_errors=True)
        reference = pledge.reference() if pledge else None
        attest.make(
            [folder.capture_path(host) for host in folder.about["hosts"]],
            place,
            key,
            controls=catalog.select(folder.about["families"], grade),
            grade=grade,
            run=about,
            script=folder.script,
            attached=pledge.attached() if pledge else {},
            waivers=pledge.waivers() if pledge else (),
            pledge=reference,
        )
        if pledge is None:
            break
        try:
            attach(pledge.register, pledge.record.id, place, keyring.trust())
            break
        except BadInput:
            taken = pledge.reference() != reference
            if not taken or attempt == _TRIES:
                raise
    return place


def _attached_before(place: Path, pledge: Pledged) -> bool:
    """Did a kill come right after this run's bundle was attached?"""
    from collector.verify import open_bundle

    if not place.exists():
        return False
    known = {entry.digest for entry in pledge.register.evidence(pledge.record.id)}
    with open_bundle(place) as opened:
        return opened.digest in known


def _report(folder: RunFolder, opened: Bundle, pledge: Pledged | None) -> Path:
    from collector.captures import write_aside
    from collector.report.html import render

    place = folder.path / "report.html"
    page = render(
        opened.evidence,
        opened.capture,
        record=json.loads(pledge.record.canonical()) if pledge else None,
        lang=lang(),
        digest=opened.digest,
        keyid=opened.keyid,
    )
    write_aside(place, page.encode("utf-8"), 0o644)
    return place


def _satisfied(opened: Bundle) -> bool:
    for _, entry in opened.hosts():
        for finding in entry["findings"]:
            waiver = finding["waiver"]
            accepted = waiver is not None and not waiver["expired"]
            if finding["verdict"] not in ("pass", "notapplicable") and not accepted:
                return False
    return True


def _say(opened: Bundle, pledge: Pledged | None) -> None:
    """Per clause and per host on stdout; the whole of it is in the report."""
    from collector.export.table import SIGNS

    verdicts = catalog.words()["verdict"]
    for id, entry in catalog.clauses().items():
        found = opened.frame["clauses"].get(id, {"counts": {}})
        word = tr("未列入本次核查", "not part of this run")
        if any(found["counts"].values()):
            word = verdicts[found["verdict"]].to(lang())
        click.echo(f"{entry['number']}  {word}  {entry['title'][lang()]}")
    click.echo()
    lines = sorted((_host_lines(name, entry) for name, entry in opened.hosts()), reverse=True)
    for _, _, text in lines[:_SHOWN]:
        click.echo(text)
    if len(lines) > _SHOWN:
        more = len(lines) - _SHOWN
        click.echo(tr(f"… 另有 {more} 台，详见报告", f"… {more} more, see the report"))
    click.echo("  ".join(f"{SIGNS[r]} {verdicts[r].to(lang())}" for r in Result))
    click.echo()
    click.echo(f"{tr('证据包', 'bundle')}: {opened.path}  sha256:{opened.digest}")
    if pledge is not None:
        sequence = pledge.register.evidence(pledge.record.id)[-1].sequence
        click.echo(
            tr(
                f"登记: {pledge.record.id}，第 {sequence} 份证据",
                f"pledge: {pledge.record.id}, evidence no. {sequence}",
            )
        )


def _host_lines(name: str, entry: dict[str, Any]) -> tuple[int, int, str]:
    """How many controls fail, how many could not be looked at, and the lines that say which."""
    from collector.export.table import SIGNS

    by: dict[Result, list[str]] = {}
    for finding in entry["findings"]:
        number = catalog.control(finding["control"]).number
        by.setdefault(Result(finding["verdict"]), []).append(number)
    counts = "  ".join(f"{SIGNS[r]} {len(by[r])}" for r in Result if r in by)
    status = "" if entry["status"] == "complete" else f"  [{_status(entry['status'])}]"
    text = f"{one_line(name)}: {counts}{status}"
    if entry["status"] == "complete":
        wanting = (Result.FAIL, Result.PARTIAL, Result.ERROR, Result.NOTCHECKED)
        which = "  ".join(f"{SIGNS[r]} {' '.join(sorted(by[r]))}" for r in wanting if r in by)
        text += f"\n    {which}" if which else ""
    return len(by.get(Result.FAIL, ())), len(by.get(Result.ERROR, ())), text


def _status(status: str) -> str:
    return catalog.words()["host_status"][status].to(lang())
