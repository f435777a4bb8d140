"""`hostpledge verify`: is a bundle what it claims to be, and what does that prove? Offline."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from collector import catalog
from collector import verify as verifier
from collector.attest.trust import load_trust
from collector.cli.language import lang, lang_option, tr
from collector.errors import VerifyFailed

_REASONS = (
    (r"its bytes were changed", "内容已被改动"),
    (r"is missing, and the statement names it", "文件缺失，而签名声明中列有此文件"),
    (r"is missing", "文件缺失"),
    (r"is not in the manifest", "不在清单中，属多余文件"),
    (r"is not among what was signed", "不在签名范围内"),
    (r"is not what was signed", "与签名时的内容不符"),
    (r"does not belong to the bundle", "不属于证据包"),
    (r"signed by (\S+), which is not among the trusted keys", r"由 \1 签名，该密钥不在信任文件中"),
    (r"signed by the key (\S+), revoked ([^;]+);.*", r"签名密钥 \1 已于 \2 吊销"),
    (r"signed (\S+), before the key (\S+) was valid.*", r"签署时间 \1 早于密钥 \2 的启用时间"),
    (r"signed (\S+), after the end of the key (\S+).*", r"签署时间 \1 晚于密钥 \2 的停用时间"),
    (r"the signature is not by (\S+) over this", r"签名无效：不是 \1 对此内容的签名"),
    (r"the signature is not in", "签名不是唯一允许的编码形式"),
    (r"not in its canonical bytes", "不是规范字节（RFC 8785）"),
    (r"not JSON", "不是规范的 JSON"),
    (r"its clauses do not follow from its findings", "条款结论与各项结论不符"),
    (r"no bundle here", "这里没有证据包"),
    (r"not a whole ZIP file", "ZIP 文件不完整"),
)


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
        tr("核查时段", "looked at") + f": {period['from']} … {period['to']}",
        tr("主机数", "hosts") + f": {found.hosts}",
    ]
    if pledge is not None:
        sequence = tr(f"第 {pledge['sequence']} 份", f"bundle {pledge['sequence']}")
        lines.append(tr("登记", "pledge record") + f": {pledge['id']}, {sequence}")
    for number, verdict in predicate["clauses"].items():
        clause = catalog.clauses()[number]
        lines.append(f"{clause['number']} {clause['title'][lang()]}: {words[verdict].to(lang())}")
    return lines


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
        tr(f"核验不通过：{_in_chinese(problem.what)}", f"does not verify: {problem.what}"),
        where=where or str(path),
    )


def _in_chinese(what: str) -> str:
    """The reasons that a reader is likely to meet; the others stay as they are."""
    for pattern, words in _REASONS:
        match = re.match(pattern, what)
        if match:
            return match.expand(words)
    return what
