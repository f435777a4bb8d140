"""`hostpledge register`: the log of what was attached, its signed checkpoints, and proofs of it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from collector.captures import write_aside
from collector.cli.commands.register.backup import backup, restore
from collector.cli.commands.register.machines import machines
from collector.cli.commands.register.moved import moved
from collector.cli.commands.register.restored import restored
from collector.cli.options.bundles import read_small
from collector.cli.options.outputs import check_output
from collector.cli.options.paths import FilePath
from collector.cli.options.pledge import open_register, register_option, trust_given
from collector.cli.options.signing_key import open_key, signing_options
from collector.cli.options.times import parse_time
from collector.cli.ui.columns import out
from collector.cli.ui.help import Group
from collector.cli.ui.language import lang, lang_option, tr
from collector.cli.workflows.checkpoints import sign_checkpoint, stepped_back
from collector.errors import BadInput, VerifyFailed
from collector.export.envelope import as_json
from collector.i18n.message import in_chinese

if TYPE_CHECKING:
    from collector.attest.log.checkpoint import Note
    from collector.attest.log.logged import Log
    from collector.attest.trust.trust_file import Trust
    from collector.pledges.register.register import Register


@click.group(
    cls=Group,
    help=tr(
        "登记库的日志：附过哪些证据包，按先后记入 Merkle 树；检查点由他人保管，删改即可发现。",
        "The register's log: a Merkle tree of every bundle that was attached. Whoever keeps a "
        "checkpoint of it can tell later that something was removed, changed or back-dated.",
    ),
)
@lang_option
def register() -> None:
    """Nothing of its own."""


_output_option = click.option(
    "-o",
    "--output",
    type=FilePath(path_type=Path),
    metavar="FILE",
    help=tr("写入文件", "write it there"),
)


@register.command(
    help=tr(
        "签署并输出日志此刻的检查点（C2SP 格式），交他人保管；日志与登记库不符时不签。",
        "Signs and prints a checkpoint of the log as it is now (C2SP form), for somebody else to "
        "keep. Nothing is signed where log and register disagree.",
    )
)
@_output_option
@signing_options
@register_option
@lang_option
def checkpoint(
    *, output: Path | None, key_name: str, passphrase_file: Path | None, location: str | None
) -> int:
    if output is not None:
        check_output(output, location=location)
    opened = open_register(location)
    note, _ = sign_checkpoint(opened, open_key(key_name, passphrase_file, role="log"))
    _give(note, output)
    return 0


@register.command(
    help=tr(
        "输出证据包在日志中的证明（C2SP tlog-proof），供 hostpledge verify --proof 离线核验；"
        "默认为该登记的最近一份。",
        "Prints the proof that a bundle stands in the log (C2SP tlog-proof), for `hostpledge "
        "verify --proof`, which needs no register. Default: the newest bundle of the pledge.",
    )
)
@click.argument("id")
@click.argument("sequence", type=click.IntRange(1), required=False)
@click.option(
    "--sigstore",
    is_flag=True,
    help=tr(
        "改为输出带日志条目的 bundle.sigstore.json，供 cosign 离线核验（Rekor v1 格式，须 P-256 "
        "密钥）",
        "print bundle.sigstore.json with its log entry instead, for cosign to verify offline "
        "(in the form of Rekor v1; needs a P-256 key)",
    ),
)
@_output_option
@signing_options
@register_option
@lang_option
def prove(
    *,
    id: str,
    sequence: int | None,
    sigstore: bool,
    output: Path | None,
    key_name: str,
    passphrase_file: Path | None,
    location: str | None,
) -> int:
    from collector.attest.log.logged import entry

    if output is not None:
        check_output(output, location=location)
    opened = open_register(location)
    attached = opened.every_evidence(id)
    number = sequence or len(attached)
    if not 1 <= number <= len(attached):
        raise BadInput(
            tr(
                f"登记 {id} 没有第 {number} 份证据" if number else f"登记 {id} 还没有证据",
                f"there is no evidence {number} of {id}"
                if number
                else f"nothing is attached to {id}",
            ),
            where=opened.where,
        )
    key = open_key(key_name, passphrase_file, role="log")
    wanted = attached[number - 1].digest
    if sigstore:
        from collector.attest.trust import keyring
        from collector.pledges.register.cosign import with_entry

        _give(with_entry(opened, wanted, key, keyring.trust()).decode(), output)
        return 0
    note, log = sign_checkpoint(opened, key)
    digests = [entry(leaf, where=opened.where)["digest"] for leaf in log.leaves]
    _give(log.inclusion(digests.index(wanted), note), output)
    return 0


@register.command(
    help=tr(
        "日志是否由旧检查点 OLD 增长而来：其后没有删除、改动、换序或倒填。"
        "默认查登记库本身；给出 --proof 时只查该证明，无需登记库。\n\n"
        "退出码：0 是；1 不是；2 无法完成。",
        "Did the log grow out of the older checkpoint OLD, with nothing removed, changed, moved or "
        "back-dated since? Looks at the register itself; with --proof at that proof alone, and "
        "needs no register.\n\nExit status: 0 it did; 1 it did not; 2 the command could not do "
        "its work.",
    )
)
@click.argument("old", type=FilePath(path_type=Path))
@click.option(
    "--proof",
    "proof_file",
    type=FilePath(path_type=Path),
    metavar="FILE",
    help=tr("核验登记方用 -o 给出的证明", "verify what the register's owner wrote with -o"),
)
@click.option(
    "--kept-at",
    metavar="TIME",
    help=tr(
        "收到 OLD 的时间（ISO 8601）：其后的条目不得早于它",
        "when you got OLD (ISO 8601): no later entry may be dated before it",
    ),
)
@click.option(
    "--trust",
    "trust_file",
    type=FilePath(path_type=Path),
    metavar="FILE",
    help=tr("信任的公钥（默认：本机自己的密钥）", "keys to trust (default: your own keys)"),
)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
@_output_option
@signing_options
@register_option
@lang_option
def consistency(
    *,
    old: Path,
    proof_file: Path | None,
    kept_at: str | None,
    trust_file: Path | None,
    form: str,
    output: Path | None,
    key_name: str,
    passphrase_file: Path | None,
    location: str | None,
) -> int:
    from collector.attest.log.checkpoint import parse

    if proof_file is not None and (output is not None or kept_at is not None):
        raise BadInput(
            tr("不能与 --proof 同用", "cannot be given together with --proof"),
            where="--output" if output is not None else "--kept-at",
        )
    if output is not None:
        check_output(output, old, trust_file, location=location)
    trust = trust_given(trust_file)
    older = parse(read_small(old), where=str(old))
    _check_signer(older, trust, str(old), kept=True)
    try:
        if proof_file is not None:
            size = _proven(older, proof_file, trust)
        else:
            opened = open_register(location)
            log = _grown(opened, older, _kept(kept_at), str(old))
            size = len(log.leaves)
            if output is not None:
                key = open_key(key_name, passphrase_file, role="log")
                note, log = sign_checkpoint(opened, key)
                _give(log.consistency(older.checkpoint.size, note), output)
    except VerifyFailed as problem:
        out(_said(form, older, None, problem))
        return 1
    out(_said(form, older, size, None))
    return 0


def _grown(opened: Register, older: Note, kept_at: datetime | None, where: str) -> Log:
    from collector.pledges.database.log import check_since

    log = opened.log()
    for said in stepped_back(log):
        click.echo(said, err=True)
    log.check_begins_with(older.checkpoint, where=where)
    if kept_at is not None:
        check_since(log, older.checkpoint.size, kept_at, where=opened.where)
    disposed = opened.emptied()
    for id, evidence in opened.all_evidence().items():
        for attached in evidence:
            if id not in disposed and not attached.path.exists():
                raise VerifyFailed(
                    f"the bundle {attached.digest[:12]} (number {attached.sequence}) is not in "
                    "the store any more",
                    where=str(attached.path),
                )
    return log


def _kept(given: str | None) -> datetime | None:
    try:
        return parse_time(given) if given else None
    except BadInput as problem:
        raise BadInput(problem.what, where="--kept-at", mend=problem.mend) from None


def _proven(older: Note, file: Path, trust: Trust) -> int:
    from collector.attest.log.logged import read_consistency

    proof = read_consistency(read_small(file), where=str(file))
    _check_signer(proof.note, trust, str(file), kept=False)
    proof.check(older.checkpoint, where=str(file))
    return proof.note.checkpoint.size


def _check_signer(note: Note, trust: Trust, where: str, *, kept: bool) -> None:
    """One that was kept from before its key was revoked is still what its keeper got."""
    signer = note.verify(trust, where=where)
    if signer.revoked_at is None:
        return
    revoked = signer.revoked_at.isoformat()
    if not kept:
        raise VerifyFailed(
            f"the checkpoint is signed by the key {signer.name}, revoked {revoked}", where=where
        )
    click.echo(
        tr(
            f"{where}：签名密钥 {signer.name} 已于 {revoked} 吊销；仅在此前已收到它时才有意义",
            f"{where}: signed by the key {signer.name}, revoked {revoked}: it says something only "
            "if you had it before",
        ),
        err=True,
    )


def _said(form: str, older: Note, size: int | None, problem: VerifyFailed | None) -> str:
    was = older.checkpoint
    if form == "json":
        found: dict[str, Any] = {
            "consistent": problem is None,
            "origin": was.origin,
            "old_size": was.size,
            "new_size": size,
            "why": None if problem is None else str(problem),
        }
        return as_json("register-consistency", found)
    if problem is not None:
        what = in_chinese(problem.what) if lang() == "zh" else problem.what
        return tr(f"不一致：{problem.where}：{what}\n", f"Inconsistent: {problem.where}: {what}\n")
    return tr(
        f"一致：日志由 {was.size} 条增至 {size} 条，原有各条均在原位、未改动\n",
        f"Consistent: the log grew from {was.size} to {size} entries, and the first {was.size} "
        "are what they were\n",
    )


def _give(text: str, output: Path | None) -> None:
    if output is None:
        click.echo(text, nl=False)
    else:
        write_aside(output, text.encode(), 0o644)
        click.echo(str(output), err=True)


register.add_command(backup)
register.add_command(restore)
register.add_command(machines)
register.add_command(moved)
register.add_command(restored)
