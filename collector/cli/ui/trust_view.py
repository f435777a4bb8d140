"""What `hostpledge trust` tells of a repository, or of what a verifier keeps of one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from collector.cli.ui.key_words import said as signs
from collector.cli.ui.key_words import state
from collector.cli.ui.language import tr
from collector.errors import one_line
from collector.export import stamp
from collector.export.envelope import as_json

if TYPE_CHECKING:
    from collector.attest.trust.tuf_client import Source
    from collector.attest.trust.tuf_repository import Awaited, Repository


def told(place: Path) -> dict[str, Any]:
    """For programs."""
    opened, source = _opened(place)
    return {
        "trust": source.to_json() if source else None,
        "staged": [
            {"role": one.role, "version": one.version, "signatures": list(one.signed)}
            for one in (opened.awaited() if opened else ())
        ],
    }


def _opened(place: Path) -> tuple[Repository | None, Source | None]:
    from collector.attest.trust import tuf_client as tufstore
    from collector.attest.trust import tuf_repository as tufrepo

    if (place / "metadata").is_dir():
        opened = tufrepo.Repository(place)
        return opened, opened.check() if opened.published() else None
    return None, tufstore.load(place)[1]


def tell(place: Path, form: str) -> None:
    if form == "json":
        click.echo(as_json("trust-show", told(place)), nl=False)
        return
    opened, source = _opened(place)
    if source is not None:
        over = source.expires <= datetime.now(UTC)
        state = tr("（已过期）", " (expired)") if over else ""
        click.echo(
            tr(
                f"信任文件第 {source.version} 版，须 {source.holders} 名持钥人中的 "
                f"{source.threshold} 名签署；有效期至 {stamp(source.expires)}{state}",
                f"trust file {source.version}, which {source.threshold} of {source.holders} "
                f"holders signed; until {stamp(source.expires)}{state}",
            )
        )
        click.echo(
            tr(
                f"根第 {source.root_version} 版；首个根 sha256:{source.pinned}",
                f"root {source.root_version}; the first one: sha256:{source.pinned}",
            )
        )
    if opened is not None:
        say_staged(opened)


def say_staged(opened: Repository) -> None:
    """All that a holder should know before signing."""
    awaited = opened.awaited()
    say(awaited)
    if any(one.role == "targets" for one in awaited):
        known, digest = opened.staged_trust()
        click.echo(f"  sha256:{digest}")
        for entry in known.keys:
            click.echo(
                f"  {entry.keyid}  {entry.key.type:7}  {one_line(entry.name)}  {state(entry)}  "
                f"{signs(entry)}"
            )
        for one in known.authorities:
            click.echo(f"  {tr('时间戳机构', 'timestamp authority')}  {one_line(one.name)}")
    if awaited:
        for keyid, signed in opened.holders():
            mark = tr("已签", "signed") if signed else tr("未签", "not signed")
            click.echo(f"  {tr('持钥人', 'holder')}  {keyid}  {mark}")


def say(awaited: Sequence[Awaited]) -> None:
    names = {"root": tr("根", "root"), "targets": tr("信任文件", "trust file")}
    for one in awaited:
        counts = tr("、", ", ").join(f"{have}/{wanted}" for have, wanted in one.signed)
        click.echo(
            tr(
                f"待生效：{names[one.role]}第 {one.version} 版，签名 {counts}，有效期至 "
                f"{stamp(one.expires)}",
                f"staged: {names[one.role]} {one.version}, signatures {counts}, until "
                f"{stamp(one.expires)}",
            )
        )
