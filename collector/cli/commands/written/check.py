"""`hostpledge check`: do files that people wrote fit their form? For editors, hooks and CI."""

from __future__ import annotations

import re
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import click

from collector.cli.options.common import form_option
from collector.cli.options.paths import FilePath
from collector.cli.ui.columns import out
from collector.cli.ui.language import lang, lang_option, tr
from collector.errors import BadInput, CollectorError
from collector.export.envelope import as_json
from collector.faults import documents
from collector.i18n.message import in_chinese, msg
from collector.private import opened
from collector.schema import check as fits
from collector.schema import load_yaml

# what people write by hand; all else is made by a command, which checks it
KINDS = (
    "pledge-record",
    "data-inventory",
    "event-ledger",
    "restore-test",
    "backup-report",
    "policy",
)
_PREFIX = "urn:hostpledge:schema:"
_MOST = 4 << 20
# whoever forgot the schema in one of these shall hear of it; `inventory.yml` is mostly Ansible's
_OUR_NAMES = re.compile(r"(^|/)(pledges?|data-inventor(y|ies)|event-ledgers?)(/|\.|-)[^/]*")
# below it, a member is rather of a file of others
_ALIKE = 0.75
_GROUP = frozenset({"hosts", "children", "vars"})


@click.command(
    help=tr(
        "检查手写的文件是否合乎格式：登记记录、数据清单、事件台账、恢复测试记录、备份报告、核验策略。"
        "种类取自文件的 schema 字段；核验策略可不写。离线，不写任何内容。\n\n"
        "退出码：0 都合格；1 有不合格的；2 无法读取。",
        "Do files that people wrote fit their form? Pledge records, data inventories, event "
        "ledgers, restore tests, backup reports, policies; which of them a file is, its `schema` "
        "says (a policy needs none). Offline, nothing is written.\n\n"
        "Exit status: 0 all do; 1 one does not; 2 one cannot be read.",
    )
)
@click.argument("files", metavar="FILE…", nargs=-1, required=True, type=FilePath(path_type=Path))
@click.option(
    "--skip-others",
    is_flag=True,
    help=tr(
        "略过不属于 hostpledge 的文件（供钩子使用）：没有 hostpledge 的 schema，"
        "名称也不是 pledges/、data-inventory、event-ledger",
        "passes over files of others, for hooks: no schema of hostpledge's in it, and not named "
        "pledges/, data-inventory, event-ledger",
    ),
)
@form_option("text", "json")
@lang_option
def check(files: tuple[Path, ...], skip_others: bool, form: str) -> int:
    told: list[dict[str, Any]] = []
    skipped: list[str] = []
    for file in files:
        with opened(file) as source:
            data = source.read(_MOST + 1)
        kind, why = "", ""
        try:
            kind = _checked(data, str(file))
        except CollectorError as problem:
            if skip_others and _is_of_others(data, str(file)):
                skipped.append(str(file))
                continue
            why = in_chinese(problem.said) if lang() == "zh" else str(problem)
        told.append({"file": str(file), "kind": kind, "fits": not why, "why": why})
        if form == "text":
            click.echo(f"{file}: {kind}" if not why else f"hostpledge: {why}", err=bool(why))
    if form == "json":
        out(as_json("check", {"files": told, "skipped": skipped}, indent=2))
    return 0 if all(one["fits"] for one in told) else 1


def _is_of_others(data: bytes, where: str) -> bool:
    """May a hook pass it over? What cannot be parsed may be ours, if our schema stands in it."""
    # without its NULs UTF-16 reads as the rest does
    if _OUR_NAMES.search(where) or _PREFIX.encode() in data.replace(b"\0", b""):
        return False
    return len(data) > _MOST or not _is_policy(_parsed(data))


def _parsed(data: bytes) -> object:
    try:
        return load_yaml(data, where="")
    except CollectorError:
        return None


def _is_policy(document: object) -> bool:
    """Without a schema, as `verify --policy` takes it; also where a member of it is mistyped.

    A hook that passed over `complet: true` would leave a policy that wants less than is thought.
    """
    known = [name for name in documents()[f"{_PREFIX}policy:1"]["properties"] if name != "schema"]
    named = [str(name) for name in document] if isinstance(document, dict) else []
    unknown = [name for name in named if name not in known]
    near = [name for name in unknown if get_close_matches(name.casefold(), known, 1, _ALIKE)]
    return len(named) > len(unknown) and near == unknown


def _checked(data: bytes, where: str) -> str:
    """Which kind of document it is; raises BadInput where it is none, or has a fault."""
    if len(data) > _MOST:
        raise BadInput(msg("larger_mib_no_document", largest=_MOST >> 20), where=where)
    document = load_yaml(data, where=where)
    kind = _kind(document, where)
    if kind == "pledge-record":
        from collector.pledges.lists import far_days
        from collector.pledges.record.form import from_bytes

        far_days.refuse(from_bytes(data, where=where), where=where)
    else:
        fits(document, kind, where=where)
    return kind


def _kind(document: object, where: str) -> str:
    named = document.get("schema") if isinstance(document, dict) else None
    if _is_policy(document):
        return "policy"
    kind = str(named or "").removeprefix(_PREFIX).rpartition(":")[0]
    if kind in KINDS:
        return kind
    if named is None and _is_ansible_inventory(document):
        raise BadInput(msg("is_inventory_of_ansible"), where=where, mend=msg("ansible_looks_at_it"))
    raise BadInput(
        msg("names_no_schema")
        if named is None
        else msg("names_no_schema_of_ours", schema=str(named)),
        where=where,
        mend=msg("begin_it_with_schema", kinds=", ".join(f"{_PREFIX}{k}:1" for k in KINDS)),
    )


def _is_ansible_inventory(document: object) -> bool:
    """Groups, of which each has hosts, groups below it, or variables."""
    if not isinstance(document, dict) or not document:
        return False
    return all(
        isinstance(group, dict) and bool(group) and set(group) <= _GROUP
        for group in document.values()
    )
