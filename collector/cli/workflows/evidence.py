"""What commands share that end in evidence: whose key, the bundle, its place, the report."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from collector import catalog
from collector.cli.asked.loudness import stage
from collector.cli.options.signing_key import open_key
from collector.cli.ui.language import lang, tr
from collector.errors import BadInput
from collector.i18n.message import in_chinese
from collector.model import HostStatus

if TYPE_CHECKING:
    from collector.attest.bundle.making import Before
    from collector.attest.envelope.dsse import Stamper
    from collector.attest.keys.keys import PrivateKey
    from collector.cli.options.pledge import Pledged
    from collector.pledges.register.register import Register
    from collector.report.model.between import Earlier
    from collector.run.collected.run_folder import RunFolder
    from collector.verify import Bundle

_TRIES = 5


@dataclass(frozen=True)
class Signing:
    """With what a bundle is signed; `second` is the SM2 key, where there is one."""

    key: PrivateKey
    second: PrivateKey | None
    stamps: Sequence[Stamper]


def first_key(name: str, passphrase_file: Path | None) -> PrivateKey:
    """The signing key; the first run of all makes the default one."""
    from collector.attest.trust import keyring

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
    return open_key(name, passphrase_file, role="bundle")


def check_attachable(signing: Signing) -> None:
    """Raises BadInput where no register would take what is signed so: ahead of all the work."""
    from collector.attest.trust import keyring

    known = keyring.trust()
    keys = [signing.key, *([signing.second] if signing.second else [])]
    if any(known.find(key.keyid) for key in keys):
        return
    raise BadInput(
        tr(
            f"此处未保存、也不信任密钥 {signing.key.keyid}，它签名的证据不能附于登记",
            f"the key {signing.key.keyid} is neither kept nor trusted here, and what it signs "
            "cannot be attached to a pledge",
        ),
        where="--key",
        mend=tr(
            "请用 hostpledge key show 所列的密钥，或以 hostpledge key new 生成",
            "name one that `hostpledge key show` lists, or make one with `hostpledge key new`",
        ),
    )


@stage(tr("判定并签名", "judging and signing"))
def make_bundle(
    folder: RunFolder,
    output: Path,
    signing: Signing,
    grade: int,
    pledge: Pledged | None,
    before: Before | None = None,
    hosts: Sequence[str] | None = None,
) -> Path:
    """Makes the bundle of a run, as `output`/bundle, and attaches it to the pledge record.

    What an interrupted run left behind is made anew, unless it is attached already; one that is
    attached steps aside where a host has answered since that did not answer then. A sequence
    number that another run took meanwhile is drawn again. With `before`, the run is the check
    after hardening; with `hosts`, the bundle is about these of the run's hosts, and names no other.
    """
    from collector.attest.bundle import making as attest
    from collector.attest.trust import keyring
    from collector.pledges.register.attach import attach

    place = output / "bundle"
    wanted = folder.about["hosts"] if hosts is None else list(hosts)
    sequence = _attached_before(place, pledge) if pledge is not None else None
    if sequence is not None:
        if before is not None or not _answered_since(place, folder):
            return place
        place.rename(place.with_name(f"bundle-{sequence:04d}"))
    ended = datetime.now(UTC).isoformat(timespec="seconds")
    about = {**folder.about, "ended": ended, "hosts": wanted}
    for attempt in range(1, _TRIES + 1):
        shutil.rmtree(place, ignore_errors=True)
        reference = pledge.reference() if pledge else None
        attest.make(
            [folder.capture_path(host) for host in wanted],
            place,
            signing.key,
            controls=catalog.select(folder.about["families"], grade),
            grade=grade,
            run=about,
            collected=folder.vouched(),
            script=folder.script,
            attached=pledge.attached() if pledge else {},
            waivers=pledge.waivers() if pledge else (),
            pledge=reference,
            stamps=signing.stamps,
            sm2_key=signing.second,
            before=before,
            declared=pledge.record.hosts if pledge else (),
        )
        if pledge is None:
            break
        try:
            # another run may have looked later, and have been done first
            attach(pledge.register, pledge.record.id, place, keyring.trust(), older=True)
            break
        except BadInput:
            taken = pledge.reference() != reference
            if not taken or attempt == _TRIES:
                raise
    return place


def earlier_of(opened: Bundle) -> Earlier | None:
    """What the report wants of the check before hardening."""
    from collector.report.model.between import Earlier

    before = opened.before
    if before is None:
        return None
    return Earlier(before.frame, before.hosts(), before.hardening)


def _attached_before(place: Path, pledge: Pledged) -> int | None:
    """Where a kill came right after this run's bundle was attached: its sequence number."""
    from collector.verify import open_bundle

    if not place.exists():
        return None
    known = {
        entry.digest: entry.sequence for entry in pledge.register.every_evidence(pledge.record.id)
    }
    with open_bundle(place) as opened:
        return known.get(opened.digest)


def _answered_since(place: Path, folder: RunFolder) -> bool:
    """Is there a whole capture now of a host that the bundle has none of?"""
    from collector.verify import open_bundle

    arrived = folder.arrived()
    with open_bundle(place) as opened:
        silent = [name for name, entry in opened.hosts() if entry["status"] != HostStatus.COMPLETE]
    return any(h in arrived and arrived[h].status is HostStatus.COMPLETE for h in silent)


def checkpoint_of(register: Register, key: PrivateKey) -> str:
    """A checkpoint of the register's log now; empty, and said so, where none is signed."""
    from collector.attest.trust import keyring
    from collector.cli.workflows.checkpoints import sign_checkpoint
    from collector.pledges.database.held import Disagrees

    if keyring.may(key, "log"):
        try:
            return sign_checkpoint(register, key)[0]
        except Disagrees as problem:
            # the evidence of this pledge is attached, and its report is wanted
            no = tr("报告中没有检查点", "the report shows no checkpoint")
            why = in_chinese(problem.said) if lang() == "zh" else problem.said
            click.echo(f"{no}: {why}", err=True)
            return ""
    click.echo(
        tr(
            "签名密钥不作日志密钥，报告中没有检查点：请用 hostpledge register checkpoint --key "
            "另行签署",
            "the key signs no logs, so the report shows no checkpoint: sign one with `hostpledge "
            "register checkpoint --key`",
        ),
        err=True,
    )
    return ""


@stage(tr("报告", "the report"))
def write_report(
    output: Path,
    opened: Bundle,
    pledge: Pledged | None,
    key: PrivateKey,
    *,
    checkpoint: str = "",
    renewed: bool | None = None,
) -> Path:
    """Writes report.html into `output`, and beside it the checkpoint of the log that it shows.

    That one is signed now, unless it is given; `renewed` as `Kept` has it.
    """
    from collector.captures import write_aside
    from collector.cli.workflows.history import Kept
    from collector.report.model.contents import Source, contents
    from collector.report.render.html import render

    place = output / "report.html"
    if pledge is not None:
        checkpoint = checkpoint or checkpoint_of(pledge.register, key)
    if checkpoint:
        write_aside(output / "checkpoint.txt", checkpoint.encode(), 0o644)
    kept = Kept(pledge.register, pledge.record.id, renewed=renewed) if pledge else None
    now = datetime.now(UTC)
    source = Source(
        opened.evidence,
        opened.capture,
        json.loads(pledge.record.canonical()) if pledge else None,
        opened.digest,
        opened.keyid,
        attached=opened.attached,
        checkpoint=checkpoint,
        earlier=earlier_of(opened),
        trend=kept.trend(opened.digest) if kept else None,
        compared=kept.compared(opened) if kept else None,
        standings=kept.standings(opened.digest, now) if kept else None,
        since=kept.since(opened.digest, now) if kept else {},
        outdated=kept.outdated(opened.digest, now) if kept else None,
    )
    write_aside(place, render(contents(source, lang())).encode("utf-8"))
    return place
