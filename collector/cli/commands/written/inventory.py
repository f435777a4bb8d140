"""`hostpledge inventory`: the data inventory begun from what captures found, and checked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import click

from collector import captures, catalog
from collector.cli.options.answering import answer, answering
from collector.cli.options.captures import capture_files, data_documents, owner_keys_option
from collector.cli.options.outputs import check_output
from collector.cli.options.paths import FilePath
from collector.cli.ui.columns import out, wrap
from collector.cli.ui.help import Group
from collector.cli.ui.intake import Intake
from collector.cli.ui.language import lang, lang_option, tr
from collector.errors import BadInput, FactError, one_line
from collector.facts.data.data_stores import Found, stores
from collector.facts.data.inventory import DOCUMENT
from collector.facts.data.inventory_signature import SIGNATURE
from collector.judges.predicates import months_after
from collector.judging.confined import looked_through
from collector.judging.hosts import judge
from collector.model import Capture, HostStatus, Result
from collector.schema import check as check_schema
from collector.schema import load_yaml

_CONTROL = "classification.discovered"
# what a person has to put in, in the language the inventory was begun in
_OPEN = ("待填写", "to be filled in")
_NEVER = "1970-01-01"


@click.group(
    cls=Group,
    help=tr(
        "数据分类分级清单：由采集文件起草，核对格式与实际。",
        "The data inventory: begun from captures, checked in form and against what is there.",
    ),
)
def inventory() -> None:
    """Nothing of its own."""


@dataclass(frozen=True)
class _Entry:
    found: Found
    name: str
    hosts: tuple[str, ...]


@inventory.command(
    help=tr(
        "由采集文件（文件或目录）起草清单：列出发现的数据库、容器卷与数据盘，类别、级别、责任人待人填写。",
        "Begins an inventory from captures (files or folders): databases, volumes and disks of "
        "data that were found; category, level and owner are for a person to fill in.",
    )
)
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option(
    "-o",
    "--output",
    type=FilePath(path_type=Path),
    metavar="FILE",
    help=tr("写入文件（已存在则拒绝）；默认标准输出", "write to this new file; default: stdout"),
)
@lang_option
def init(paths: tuple[str, ...], output: Path | None) -> int:
    """Writes a document of the right shape in which nothing is reviewed yet."""
    if output is not None:
        check_output(output)
    if output is not None and output.exists():
        raise BadInput(
            tr("已经存在", "it exists already"),
            where=str(output),
            mend=tr("请给出新文件名，或用 inventory check 核对它", "name a new file, or check it"),
        )
    text = _draft(_entries([captures.load(p) for p in capture_files(Path(p) for p in paths)]))
    if output is None:
        out(text)
        return 0
    captures.write_aside(output, text.encode())
    click.echo(
        tr(
            f"已起草 {output}：填写标有“{_OPEN[0]}”之处并更新 reviewed，"
            "再用 hostpledge inventory check 核对",
            f"begun: {output}; fill in what says {_OPEN[1]!r}, set reviewed, then "
            "`hostpledge inventory check` it",
        ),
        err=True,
    )
    return 0


def _entries(read: list[Capture]) -> list[_Entry]:
    numbers = catalog.control(_CONTROL).for_grade(2)
    sizes = (numbers.integer("gibibytes"), numbers.integer("folder_gibibytes"))
    hosts: dict[tuple[str, str, str], tuple[Found, list[str]]] = {}
    for capture in read:
        try:
            seen = looked_through(partial(stores, capture, *sizes), where=capture.host)
        except FactError as problem:
            raise BadInput(
                tr("无法得知有哪些数据", "it cannot be told what data there is")
                + f": {one_line(str(problem))}",
                where=capture.host,
                mend=tr("以 root 重新采集", "collect again as root"),
            ) from None
        for found in seen:
            hosts.setdefault((found.kind, found.engine, found.path), (found, []))[1].append(
                capture.host
            )
    names = _Names()
    return [
        _Entry(
            found,
            names.unlike(found.name or found.engine or found.path.rsplit("/", 1)[-1]),
            tuple(sorted(set(where))),
        )
        for found, where in hosts.values()
    ]


class _Names:
    """Gives each store a name of its own, however many are called the same."""

    def __init__(self) -> None:
        self._taken: set[str] = set()
        self._next: dict[str, Iterator[int]] = {}

    def unlike(self, name: str) -> str:
        """The name, or with the first number behind it that nothing is called yet."""
        unique = name
        numbers = self._next.setdefault(name, count(2))
        while unique in self._taken:
            unique = f"{name}-{next(numbers)}"
        self._taken.add(unique)
        return unique


def _draft(entries: list[_Entry]) -> str:
    open_ = tr(*_OPEN)
    lines = [
        tr(
            "# 数据分类分级清单，由采集结果起草。逐项填写后，把 reviewed 改为核对完成之日。",
            "# Data inventory, begun from captures. Fill in each store, then set reviewed.",
        ),
        tr(
            "# level：核心、重要、一般（GB/T 43697-2024）；\n"
            "# 个人信息另写 personal: true 或 sensitive_personal: true。",
            "# level: 核心 core, 重要 important, 一般 general (GB/T 43697-2024); for personal\n"
            "# information add personal: true or sensitive_personal: true.",
        ),
        tr(
            "# name：数据库写其在服务器中的库名，备份任务按此名核对。",
            "# name: of a database, the name it has in the server: jobs that dump it name it so.",
        ),
        "schema: urn:hostpledge:schema:data-inventory:1",
        f"owner: {_quoted(open_)}",
        f"reviewed: {_quoted(_NEVER)}",
        "stores:" if entries else "stores: []",
    ]
    if not entries:
        lines += [
            tr(
                "# 没有自动发现的数据。请去掉上面的 []，在下面逐项写明，至少一项：",
                "# Nothing was found. Take the [] away and write each store here, at least one:",
            ),
            "#  - name: files",
            "#    kind: path",
            "#    path: /srv/files",
            f"#    category: {_quoted(open_)}",
            "#    level: 一般",
            f"#    owner: {_quoted(open_)}",
        ]
    for entry in entries:
        found = entry.found
        lines += [f"  - name: {_quoted(entry.name)}", f"    kind: {found.kind}"]
        if found.engine:
            lines.append(f"    engine: {found.engine}")
        if found.path:
            lines.append(f"    path: {_quoted(found.path)}")
        lines += [
            f"    hosts: [{', '.join(_quoted(h) for h in entry.hosts)}]",
            f"    category: {_quoted(open_)}",
            "    level: 重要",
            f"    owner: {_quoted(open_)}",
        ]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    """A double-quoted YAML scalar; JSON's form is one."""
    return json.dumps(text, ensure_ascii=False)


@inventory.command(
    help=tr(
        "核对清单 FILE：格式、未填写之处、复核日期；给出采集文件则与实际核对，"
        "给出责任人公钥则核验 FILE.sig。"
        "签名由责任人用 ssh-keygen -Y sign -f 私钥 -n hostpledge-data-inventory FILE 制作。\n\n"
        "退出码：0 无误；1 有待改之处；2 无法完成。",
        "Checks the inventory FILE: its form, what is not filled in, the day of its review; with "
        "captures also whether it matches what is there, with the owner's keys also FILE.sig. Its "
        "owner makes that with ssh-keygen -Y sign -f KEY -n hostpledge-data-inventory FILE.\n\n"
        "Exit status: 0 all is well; 1 something has to be mended; 2 the command could not do its "
        "work.",
    )
)
@click.argument("file", type=FilePath(path_type=Path), metavar="FILE")
@click.argument("paths", nargs=-1, metavar="[PATH...]")
@owner_keys_option
@lang_option
@answering("inventory-check")
def check(file: Path, paths: tuple[str, ...], owner_keys: Path | None) -> int:
    """A line for each thing that has to be mended."""
    attached = data_documents(file, owner_keys)
    document: dict[str, Any] = load_yaml(attached[DOCUMENT], where=str(file))
    check_schema(document, DOCUMENT, where=str(file))
    problems = [*_unfilled(document), *_review(document["reviewed"])]
    # what is to be changed anyway is signed after that
    if owner_keys is not None and not problems:
        problems += _signature(attached, file)
    intake = Intake()
    for path in capture_files(Path(p) for p in paths):
        capture = intake.take(path).capture
        control = catalog.control(_CONTROL)
        (found,) = judge(capture, [control], grade=2, attached=attached)
        if found.result not in (Result.PASS, Result.NOTAPPLICABLE):
            problems.append(f"{capture.host}: {found.message.to(lang())}")
    answer(problems=problems, stores=len(document["stores"]))
    if problems:
        out("".join(wrap(p, indent="  ").replace("  ", "- ", 1) + "\n" for p in problems))
        return 1
    count = len(document["stores"])
    out(tr(f"清单无误：{count} 项\n", f"all is well, stores: {count}\n"))
    return 0


def _unfilled(document: dict[str, Any]) -> list[str]:
    told = [tr("owner 待填写", "owner is to be filled in")] if document["owner"] in _OPEN else []
    for store in document["stores"]:
        missing = [field for field in ("category", "owner") if store[field] in _OPEN]
        if missing:
            fields = tr("、", ", ").join(missing)
            told.append(
                tr(
                    f"{store['name']}：{fields} 待填写",
                    f"{store['name']}: {fields} to be filled in",
                )
            )
    return told


def _review(reviewed: str) -> list[str]:
    """The inventory is reviewed every year, by `classification.inventory`."""
    now = datetime.now(UTC)
    months = catalog.control("classification.inventory").for_grade(2).integer("months")
    day = datetime.fromisoformat(reviewed).replace(tzinfo=UTC)
    if reviewed == _NEVER:
        return [tr("reviewed 待改为核对完成之日", "reviewed is to be set to the day of the review")]
    if now > months_after(day, months):
        return [
            tr(
                f"复核日期 {reviewed} 距今已超过 {months} 个月",
                f"reviewed on {reviewed}, more than {months} months ago",
            )
        ]
    return []


def _signature(attached: dict[str, bytes], file: Path) -> list[str]:
    """As `classification.inventory` says it of an inventory that is handed in."""
    if SIGNATURE not in attached:
        return [tr(f"没有签名：{file}.sig 不存在", f"not signed: there is no {file}.sig")]
    control = catalog.control("classification.inventory")
    nothing, now = Capture("-", HostStatus.COMPLETE), datetime.now(UTC)
    (found,) = judge(nothing, [control], at=now, attached=attached)
    return [] if found.result is Result.PASS else [found.message.to(lang())]
