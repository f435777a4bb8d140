"""`hostpledge verify`: is a bundle what it claims to be, and what does that prove? Offline."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from collector import catalog
from collector import verify as verifier
from collector.attest.trust import load_trust
from collector.cli.chinese import in_chinese
from collector.cli.language import lang, lang_option, tr
from collector.errors import VerifyFailed
from collector.export import stamp


def trust_option(required: bool) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """--trust FILE."""
    return click.option(
        "--trust",
        "trust_file",
        required=required,
        type=click.Path(path_type=Path),
        metavar="FILE",
        help=tr(
            "信任文件（由签名方 hostpledge key trust 给出）",
            "trust file (the signer's `hostpledge key trust` writes it)",
        ),
    )


@click.command(
    help=tr(
        "离线核验证据包（目录或 ZIP）。退出码：0 核验通过；2 核验不通过或无法核验。",
        "Verifies a bundle (a folder or a ZIP file), offline. Exit status: 0 it verifies; 2 it "
        "does not, or cannot be read.",
    )
)
@click.argument("bundle", metavar="BUNDLE", type=click.Path(path_type=Path))
@trust_option(required=True)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
@lang_option
def verify(bundle: Path, trust_file: Path, form: str) -> None:
    trust = load_trust(trust_file)
    with open_named(bundle) as opened:
        found = _verified(opened, trust)
    if form == "json":
        click.echo(json.dumps(found.to_json(), ensure_ascii=False, indent=1))
        return
    click.echo(tr("核验通过", "Verified") + f": {bundle}")
    for line in _about(found):
        click.echo(f"  {line}")
    click.echo(tr("已证明：", "Proven:"))
    for text in found.proven:
        click.echo(f"  + {text.to(lang())}")
    click.echo(tr("未证明：", "Not proven:"))
    for text in found.unproven:
        click.echo(f"  - {text.to(lang())}")


def _about(found: verifier.Verification) -> list[str]:
    predicate = found.statement["predicate"]
    period, pledge = predicate["period"], predicate["pledge"]
    words = catalog.words()["verdict"]
    lines = [
        f"sha256:{found.digest}",
        tr("核查时段", "looked at") + f": {_second(period['from'])} … {_second(period['to'])}",
        tr("主机数", "hosts") + f": {found.hosts}",
    ]
    if pledge is not None:
        sequence = tr(f"第 {pledge['sequence']} 份", f"bundle {pledge['sequence']}")
        lines.append(tr("登记", "pledge record") + f": {pledge['id']}, {sequence}")
    for number, verdict in predicate["clauses"].items():
        clause = catalog.clauses()[number]
        lines.append(f"{clause['number']} {clause['title'][lang()]}: {words[verdict].to(lang())}")
    return lines


def _second(moment: str) -> str:
    return stamp(datetime.fromisoformat(moment))


def open_named(path: Path) -> verifier.Bundle:
    """Opens a bundle; what is wrong with it is said with the bundle's own path before it."""
    try:
        return verifier.open_bundle(path)
    except VerifyFailed as problem:
        raise _named(path, problem) from None


def open_trusted(path: Path, trust_file: Path | None) -> verifier.Bundle:
    """Opens a bundle, and verifies it where a trust file is given; says so where not."""
    opened = open_named(path)
    if trust_file is None:
        click.echo(
            tr(
                f"{path}：未核验签名（可加 --trust）",
                f"{path}: the signature was not checked (--trust does)",
            ),
            err=True,
        )
        return opened
    try:
        _verified(opened, load_trust(trust_file))
    except BaseException:
        opened.close()
        raise
    return opened


def _verified(opened: verifier.Bundle, trust: Any) -> verifier.Verification:
    try:
        return verifier.verify(opened, trust)
    except VerifyFailed as problem:
        raise _named(opened.path, problem) from None


def _named(path: Path, problem: VerifyFailed) -> VerifyFailed:
    where = problem.where if problem.where in ("", str(path)) else f"{path}: {problem.where}"
    return VerifyFailed(
        tr(f"核验不通过：{in_chinese(problem.what)}", f"does not verify: {problem.what}"),
        where=where or str(path),
    )
