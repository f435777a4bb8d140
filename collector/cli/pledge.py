"""`hostpledge pledge`: the register of pledge records and the evidence attached to them."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from collector.cli.columns import out
from collector.cli.helping import Group
from collector.cli.language import lang_option, tr
from collector.errors import BadInput

if TYPE_CHECKING:
    from collector.attest.trust import Trust
    from collector.pledges.register import Register

_WITHIN = re.compile(r"([0-9]{1,4})(d|w)?")
_Command = Callable[..., Any]


@click.group(
    cls=Group,
    help=tr(
        "登记：客户签署的责任书与承诺书，以及附于其上的核查证据。",
        "The register: what customers signed, and the evidence attached to it.",
    ),
)
@lang_option
def pledge() -> None:
    """Nothing of its own."""


def _register_option(command: _Command) -> _Command:
    return click.option(
        "--register",
        "location",
        metavar="PATH|URL",
        help=tr(
            "登记库（默认 $HOSTPLEDGE_REGISTER，否则在用户数据目录中）",
            "the register (default: $HOSTPLEDGE_REGISTER, else in the user's data folder)",
        ),
    )(command)


def _format_option(command: _Command) -> _Command:
    return click.option(
        "--format",
        "form",
        type=click.Choice(["table", "json"]),
        default="table",
        show_default=True,
        help=tr("输出格式", "form of the output"),
    )(command)


def _open(location: str | None, *, create: bool = False) -> Register:
    from collector.pledges.register import Register

    return Register.open(location, create=create)


@pledge.command(
    help=tr(
        "将登记文件（YAML 或 JSON）加入登记库。",
        "Adds the pledge record in FILE (YAML or JSON) to the register.",
    )
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--update",
    is_flag=True,
    help=tr("作为已有登记的新版本；旧版本保留", "as a new version; earlier ones are kept"),
)
@_register_option
@lang_option
def add(*, file: Path, update: bool, location: str | None) -> int:
    from collector.pledges import record

    known = record.load(file)
    version = _open(location, create=True).add(known, update=update)
    out(
        tr(
            f"已登记 {known.id}，第 {version.number} 版（{known.customer}）\n",
            f"{known.id} is in the register, version {version.number} ({known.customer})\n",
        )
    )
    return 0


@pledge.command("list", help=tr("列出全部登记。", "Lists the pledge records."))
@_format_option
@_register_option
@lang_option
def list_(*, form: str, location: str | None) -> int:
    from collector.cli import pledge_tables

    register = _open(location)
    attached = register.all_evidence()
    rows = [(known, attached.get(known.id, ())) for known in register.list()]
    shown = pledge_tables.list_json if form == "json" else pledge_tables.list_table
    out(shown(rows))
    return 0


@pledge.command(
    help=tr(
        "显示一份登记：逐条款的状态与证据；电话与证件号码已掩码。",
        "Shows one pledge record, clause by clause, with its evidence; phone and identity numbers "
        "are masked.",
    )
)
@click.argument("id")
@_format_option
@_register_option
@lang_option
def show(*, id: str, form: str, location: str | None) -> int:
    from collector.cli import pledge_tables

    register = _open(location)
    history, evidence = register.history(id), register.evidence(id)
    shown = pledge_tables.show_json if form == "json" else pledge_tables.show_table
    out(shown(history, evidence, datetime.now(UTC)))
    return 0


@pledge.command(
    help=tr(
        "核验证据包并附于登记；须是为该登记制作的下一份。",
        "Verifies a bundle and attaches it to the pledge record; it must be the next one made for "
        "that pledge.",
    )
)
@click.argument("id")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option(
    "--trust",
    "trust_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help=tr("信任的公钥（默认：本机自己的密钥）", "keys to trust (default: your own keys)"),
)
@_register_option
@lang_option
def attach(*, id: str, bundle: Path, trust_file: Path | None, location: str | None) -> int:
    from collector.cli.verify import open_named
    from collector.pledges.attach import attach as attach_bundle

    register = _open(location)
    attached = attach_bundle(register, id, bundle, _trust(trust_file))
    out(
        tr(
            f"已附于 {id}，第 {attached.sequence} 份证据，摘要 {attached.digest}\n",
            f"attached to {id} as evidence {attached.sequence}, digest {attached.digest}\n",
        )
    )
    with open_named(bundle) as opened:
        missing = [name for name in register.get(id).hosts if name not in opened.names]
    if missing:
        click.echo(
            tr(
                f"登记的主机中，此证据包没有：{'、'.join(missing)}",
                f"declared in the record, and not in this bundle: {', '.join(missing)}",
            ),
            err=True,
        )
    return 0


def _trust(file: Path | None) -> Trust:
    from collector.attest import keyring
    from collector.attest.trust import load_trust

    if file is not None:
        return load_trust(file)
    trust = keyring.trust()
    if not trust.keys:
        raise BadInput(
            tr("没有自己的密钥可供信任", "there is no key of your own to trust"),
            where="--trust",
            mend=tr(
                "给出信任文件，或用 hostpledge key new 生成密钥",
                "give a trust file, or make a key with `hostpledge key new`",
            ),
        )
    return trust


@pledge.command(
    help=tr(
        "列出已逾期和即将到期的事项（登记期满、自查、清单复核、证据、豁免、公安备案、事故报告）。\n\n"
        "退出码：0 没有逾期；1 有逾期；2 无法完成。",
        "Lists what is overdue and what falls due: the end of the period, self-checks, the review "
        "of the data inventory, evidence, waivers, attestations, public-security filing, incident "
        "notices.\n\nExit status: 0 nothing is overdue; 1 something is; 2 the command could not do "
        "its work.",
    )
)
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option(
    "--within",
    default="30d",
    show_default=True,
    metavar="TIME",
    help=tr("多久之内到期，如 30d、4w", "how far ahead to look, e.g. 30d, 4w"),
)
@click.option(
    "--evidence-days",
    type=click.IntRange(1, 3660),
    metavar="N",
    help=tr("证据最多可以多旧（天）；默认 90", "how old evidence may be, in days; default: 90"),
)
@_format_option
@_register_option
@lang_option
def due(
    *,
    ids: tuple[str, ...],
    within: str,
    evidence_days: int | None,
    form: str,
    location: str | None,
) -> int:
    from collector.cli import pledge_tables
    from collector.pledges.due import due as falls_due

    ahead = _within(within)
    register = _open(location)
    now = datetime.now(UTC)
    records = [register.get(id) for id in dict.fromkeys(ids)] if ids else register.list()
    attached = register.all_evidence()
    found = [
        (known, entry)
        for known in records
        for entry in falls_due(
            known, attached.get(known.id, ()), now, within=ahead, evidence_days=evidence_days
        )
    ]
    found.sort(key=lambda pair: (pair[1].at, pair[1].pledge))
    shown = pledge_tables.due_json if form == "json" else pledge_tables.due_table
    out(shown(found, now))
    return 1 if any(entry.overdue(now) for _, entry in found) else 0


def _within(text: str) -> timedelta:
    given = _WITHIN.fullmatch(text.strip())
    if given is None:
        raise BadInput(
            tr(f"不是时长：{text}", f"no length of time: {text}"),
            where="--within",
            mend=tr("请写成 30d 或 4w", "write 30d or 4w"),
        )
    return timedelta(days=int(given[1]) * (7 if given[2] == "w" else 1))


@pledge.command(
    help=tr(
        "将登记的全部版本与证据导出为一个 ZIP（不掩码）。",
        "Exports a pledge record in all its versions with its evidence as one ZIP (not masked).",
    )
)
@click.argument("id")
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(path_type=Path),
    metavar="FILE.zip",
    help=tr("写到这个文件", "the file to write"),
)
@_register_option
@lang_option
def export(*, id: str, output: Path, location: str | None) -> int:
    from collector.pledges import archive

    if output.is_dir():
        raise BadInput(tr("是一个目录", "is a folder"), where=str(output))
    count = archive.write(_open(location), id, output)
    out(tr(f"已导出 {id}：{output}（{count} 个文件）\n", f"{id}: {count} files in {output}\n"))
    return 0
