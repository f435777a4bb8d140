"""`hostpledge pledge attach`: bundles become evidence of the pledges that they were made for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from collector.cli.options.answering import answer, answering
from collector.cli.options.paths import FilePath
from collector.cli.options.pledge import open_register, register_option, trust_given
from collector.cli.ui.columns import out
from collector.cli.ui.language import lang, lang_option, tr
from collector.errors import BadInput, CollectorError
from collector.export.envelope import Identity
from collector.i18n.message import in_chinese

if TYPE_CHECKING:
    from collector.attest.trust.trust_file import Trust
    from collector.pledges.register.register import Register


@click.command(
    help=tr(
        "核验证据包，依据其采集文件重新判定，并附于登记；须是为该登记制作的下一份。可一次附多份；"
        "--each（或首个参数就是证据包的路径）则不给编号，各附于其自身所属的登记，此前已附上的不算错。"
        "\n\n退出码：0 全部附上；2 有未附上的。",
        "Verifies bundles, judges their captures again, and attaches them to the pledge record; "
        "each must be the next one made for that pledge. With --each (or where the first argument "
        "is the path of a bundle) no ID is given: each goes to the pledge that it was made for, "
        "and one that is there already is no failure."
        "\n\nExit status: 0 all are attached; 2 one is not.",
    )
)
@click.argument("id")
@click.argument("bundles", nargs=-1, type=FilePath(path_type=Path), metavar="BUNDLE...")
@click.option(
    "--each",
    is_flag=True,
    help=tr(
        "各附于其自身所属的登记；参数全是证据包",
        "each to the pledge that it was made for; all arguments are bundles",
    ),
)
@click.option(
    "--trust",
    "trust_file",
    type=FilePath(path_type=Path),
    metavar="FILE",
    help=tr("信任的公钥（默认：本机自己的密钥）", "keys to trust (default: your own keys)"),
)
@click.option(
    "--older",
    is_flag=True,
    help=tr(
        "其中的主机此前已有更新的采集时，仍附上存档：不改变任何问题，也不改变现状",
        "attach it for the record where its hosts have been looked at later already: it changes no "
        "finding, and nothing that is said of the present",
    ),
)
@click.option(
    "--shared",
    multiple=True,
    metavar="HOST",
    help=tr(
        "此主机确为另一份登记也登记了的同一台：同一份采集可附于两份登记；可多次给出",
        "this host is one machine that another pledge declares too: one capture of it may be "
        "attached to both; may be repeated",
    ),
)
@register_option
@lang_option
@answering("pledge-attach")
def attach(
    *,
    id: str,
    bundles: tuple[Path, ...],
    each: bool,
    trust_file: Path | None,
    older: bool,
    shared: tuple[str, ...],
    location: str | None,
) -> int:
    # no id has a slash in it: `attach FOLDER/*` names bundles alone
    each = each or ("/" in id and Path(id).exists())
    if each:
        # and the first of them stands where the ID would
        paths = (FilePath(path_type=Path).convert(id, None, None), *bundles)
    elif not bundles:
        raise BadInput(
            tr("没有给出证据包", "no bundle is given"),
            where="attach",
            mend=tr("写成 attach 编号 证据包", "write `attach ID BUNDLE`"),
        )
    else:
        paths = bundles
    register, trust = open_register(location), trust_given(trust_file)
    if len(paths) == 1 and not each:
        done = _attach(register, id, paths[0], trust, older=older, shared=shared)
        answer(Identity(id, done["digest"]), attached=[done], missing=0)
        return 0
    from collector.pledges.database.next_in_order import AttachedAlready

    missing, attached, before = 0, [], []
    for path, pledge in _in_order(paths):
        try:
            if isinstance(pledge, CollectorError):
                raise pledge
            into = pledge if each else id
            attached.append(_attach(register, into, path, trust, older=older, shared=shared))
        except CollectorError as problem:
            if each and isinstance(problem, AttachedAlready) and problem.owner == pledge:
                before.append({"pledge": problem.owner, "sequence": problem.number})
                continue
            missing += 1
            said = in_chinese(problem.said) if lang() == "zh" else str(problem)
            click.echo(f"hostpledge: {said}", err=True)
    answer(attached=attached, missing=missing, attached_before=before)
    known = tr(f"，{len(before)} 份此前已附上", f", {len(before)} attached already")
    told = tr(
        f"附上 {len(attached)} 份，未附上 {missing} 份", f"{len(attached)} attached, {missing} not"
    )
    out(f"{told}{known if before else ''}\n")
    return 2 if missing else 0


def _in_order(paths: Sequence[Path]) -> Iterable[tuple[Path, str | CollectorError]]:
    """Those of one pledge by their sequence, each with its pledge, or why that cannot be told."""
    from collector.cli.options.bundles import open_named

    found: list[tuple[str, int, Path]] = []
    for path in dict.fromkeys(paths):
        try:
            with open_named(path) as opened:
                pledge = opened.statement["predicate"]["pledge"]
                if pledge is None:
                    raise BadInput(tr("不属于任何登记", "was made for no pledge"), where=str(path))
                found.append((pledge["id"], pledge["sequence"], path))
        except CollectorError as problem:
            yield path, problem
    for id, _, path in sorted(found, key=lambda one: one[:2]):
        yield path, id


def _attach(
    register: Register,
    id: str,
    bundle: Path,
    trust: Trust,
    *,
    older: bool,
    shared: Sequence[str],
) -> dict[str, Any]:
    from collector.cli.commands.pledge.tables import lacking
    from collector.cli.options.bundles import open_named
    from collector.cli.workflows.attach_warnings import Holding, odd
    from collector.pledges.register.attach import attach as attach_bundle

    holding = Holding(str(bundle))
    attached = attach_bundle(register, id, bundle, trust, holding, older=older, shared=shared)
    out(
        tr(
            f"已附于 {id}，第 {attached.sequence} 份证据，摘要 {attached.digest}\n",
            f"attached to {id} as evidence {attached.sequence}, digest {attached.digest}\n",
        )
    )
    why = lacking(attached, register.get(id).grade)
    if why:
        out(tr(f"核查范围：{why}\n", f"scope: {why}\n"))
    with open_named(bundle) as opened:
        for line in (*holding.odd, *odd(register, attached, opened)):
            click.echo(line, err=True)
    return {"pledge": id, "sequence": attached.sequence, "digest": attached.digest}
