"""`hostpledge pledge export`: a pledge, its evidence and the proofs of the log, in one ZIP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from collector.cli.options.answering import answer, answering
from collector.cli.options.bundles import read_small
from collector.cli.options.outputs import check_output
from collector.cli.options.paths import FilePath
from collector.cli.options.pledge import open_register, register_option
from collector.cli.options.signing_key import open_key, signing_options
from collector.cli.ui.columns import out
from collector.cli.ui.language import lang, lang_option, tr
from collector.cli.ui.scope_line import void_line
from collector.cli.workflows.checkpoints import sign_checkpoint
from collector.errors import BadInput
from collector.export.envelope import Identity
from collector.i18n.message import in_chinese

if TYPE_CHECKING:
    from collector.attest.log.checkpoint import Checkpoint
    from collector.pledges.register.register import Register


@click.command(
    help=tr(
        "将登记的全部版本与证据导出为一个 ZIP（不掩码），附登记库日志的检查点，以及每份证据"
        "在日志中的证明；另有最近一份证据的报告、核验页与说明。检查点取登记库已有的；没有覆盖到最近一份证据的，用密钥新签一个。",
        "Exports a pledge record in all its versions with its evidence as one ZIP (not masked). "
        "With it go a checkpoint of the register's log, and the proof for each bundle that it "
        "stands in the log; and a report of the newest evidence, the page that verifies, and how "
        "to check it all. Where no checkpoint is over the newest bundle yet, the key signs one.",
    )
)
@click.argument("id")
@click.option(
    "-o",
    "--output",
    required=True,
    type=FilePath(path_type=Path),
    metavar="FILE.zip",
    help=tr(
        "写到这个文件（不是目录；已有同名文件则替换）",
        "the file to write, and no folder; one of that name is replaced",
    ),
)
@click.option(
    "--since",
    multiple=True,
    type=FilePath(path_type=Path),
    metavar="CHECKPOINT",
    help=tr(
        "检查方留存的旧检查点：附上日志由它增长而来的证明，可重复",
        "an older checkpoint that the inspector kept: add the proof that the log grew out of it; "
        "repeatable",
    ),
)
@signing_options
@register_option
@lang_option
@answering("pledge-export")
def export(
    *,
    id: str,
    output: Path,
    since: tuple[Path, ...],
    key_name: str,
    passphrase_file: Path | None,
    location: str | None,
) -> int:
    from collector.attest.log.checkpoint import parse
    from collector.pledges.record.voiding import voided
    from collector.pledges.transfer import archive

    _check_place(output, id)
    check_output(output, *since, location=location)
    older = [parse(read_small(path), where=str(path)).checkpoint for path in since]
    opened = open_register(location)
    proofs = _proofs(opened, id, older, key_name, passphrase_file)
    for_people = {} if id in opened.emptied() else _for_people(opened, id)
    count = archive.write(opened, id, output, {**for_people, **proofs})
    void = voided(opened.get(id))
    answer(Identity(id), file=str(output), files=count, void=[int(one["sequence"]) for one in void])
    for entry in void:
        click.echo(f"{void_line(entry)}{tr('；不据以得出任何结论', '; nothing follows')}", err=True)
    out(tr(f"已导出 {id}：{output}（{count} 个文件）\n", f"{id}: {count} files in {output}\n"))
    return 0


def _check_place(output: Path, id: str) -> None:
    """Raises BadInput for a folder, and for a file in none, before anything is looked at."""
    if output.is_dir():
        raise BadInput(
            tr("是一个目录", "is a folder"),
            where=str(output),
            mend=tr(
                f"请给出其中的文件名，如 {output / id}.zip",
                f"name a file in it, e.g. {output / id}.zip",
            ),
        )
    if not output.absolute().parent.is_dir():
        raise BadInput(
            tr("没有这个目录", "no such folder"),
            where=str(output.parent),
            mend=tr("请先建立", "make it first"),
        )


def _for_people(opened: Register, id: str) -> Mapping[str, bytes]:
    """A report and how to check it; why there is no report is said."""
    from collector.cli.workflows import hand_over

    try:
        there = hand_over.of_export(opened, id)
    except BadInput as problem:
        said = in_chinese(problem.said) if lang() == "zh" else str(problem)
        click.echo(tr(f"不含报告：{said}", f"without a report: {said}"), err=True)
        return hand_over.without_report(opened, id)
    if hand_over.REPORT not in there:
        click.echo(
            tr("不含报告：没有有效的证据", "without a report: there is no evidence that counts"),
            err=True,
        )
    return there


def _proofs(
    opened: Register,
    id: str,
    older: Sequence[Checkpoint],
    key_name: str,
    passphrase_file: Path | None,
) -> Mapping[str, bytes]:
    """What proves, without the register, that its log holds the evidence; {} where nothing can."""
    from collector.attest.log.checkpoint import parse
    from collector.pledges.register.proofs import files

    opened.history(id)
    evidence = opened.every_evidence(id)
    if not evidence:
        return {}
    log = opened.log()
    note = opened.checkpoint_over(evidence[-1].digest)
    least = max((one.size for one in older), default=0)
    if note is None or parse(note.encode(), where=opened.where).checkpoint.size < least:
        try:
            key = open_key(key_name, passphrase_file, role="log")
        except BadInput as problem:
            if older:
                raise
            click.echo(
                tr(
                    f"未附日志证明：还没有覆盖它们的检查点，也没有可签署的密钥（{problem.where}）",
                    "without proofs of the log: no checkpoint is over them yet, and there is no "
                    f"key to sign one ({problem.where})",
                ),
                err=True,
            )
            return {}
        note, log = sign_checkpoint(opened, key)
    return files(log, note, evidence, older, where=opened.where)
