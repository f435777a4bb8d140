"""A page for each read: what the script looks at on a host, why, within which limits, for what."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from collector import catalog
from collector.facts.base.opened import OPENED
from collector.facts.base.redaction import WORDS
from collector.model import Read
from tools.site.languages import Lang, cell, colon, either


def pages(lang: Lang) -> Iterator[tuple[str, str]]:
    """Each page's place, and its text."""
    every = sorted(catalog.all_reads().values(), key=lambda read: read.id)
    users: dict[str, list[str]] = {read.id: [] for read in every}
    for control in catalog.controls().values():
        for id in catalog.reads_for([control]):
            users[id].append(control.id)
    yield "reads/index.md", "\n".join(_index(every, lang)) + "\n"
    for read in every:
        yield f"reads/{read.id}.md", "\n".join(_page(read, users[read.id], lang)) + "\n"


def _index(every: list[Read], lang: Lang) -> Iterator[str]:
    yield f"# {either(lang, '读取', 'Reads')}"
    yield ""
    yield either(
        lang,
        f"在一台主机上读取的全部内容，共 {len(every)} 条。脚本只读，不写文件；口令、密钥与令牌"
        "在主机上即被去除。"
        "`hostpledge reads` 在终端中打印同样的内容，`hostpledge collect --script` 打印实际运行"
        "的脚本。",
        f"All that is looked at on a host: {len(every)} reads. They write nothing, and "
        "passwords, keys and tokens are cut "
        "away on the host. `hostpledge reads` prints the same, `hostpledge collect --script` "
        "the script that runs.",
    )
    yield from ("", either(lang, "| 读取 | 为何 |", "| read | why |"), "|---|---|")
    for read in every:
        yield f"| [`{read.id}`]({read.id}.md) | {cell(read.why.to(lang))} |"


def _page(read: Read, users: list[str], lang: Lang) -> Iterator[str]:
    yield f"# {read.id}"
    yield from ("", cell(read.why.to(lang)), "")
    yield from _looked(read, lang)
    if read.redact.startswith(WORDS):
        yield from (
            "",
            either(
                lang,
                "脱敏：只放行列出的词、路径与选项，其余以 `$_` 记号代替。",
                "Redaction: listed words, paths and options stay, others become `$_` tokens.",
            ),
        )
    elif read.redact:
        yield from ("", either(lang, "脱敏（sed）：", "Redaction (sed):"), "", "```sed")
        yield from (*read.redact.splitlines(), "```")
    yield from ("", f"- {either(lang, '上限', 'Limits')}{colon(lang)}{_limits(read, lang)}")
    if read.privileged:
        root = "Needs root; else it is not run, and recorded as refused"
        yield f"- {either(lang, '需要 root；否则不执行，记为“权限不足”', root)}"
    linked = [f"[`{id}`](../controls/{id}.md)" for id in users]
    yield f"- {either(lang, '用于', 'Used by')}{colon(lang)}{', '.join(linked)}"


def _looked(read: Read, lang: Lang) -> Iterator[str]:
    if read.kind == "command":
        yield from ("```sh", shlex.join(read.argv), "```")
    elif read.kind == "files":
        yield from ("```text", *read.paths, "```")
    else:
        own = read.body.removeprefix(OPENED)
        if own != read.body:
            yield either(
                lang,
                "以公用函数开头（以文件所有者的权限打开文件；见 `hostpledge reads`）。",
                "Begins with the functions that open a file as whom it lies with (`hostpledge "
                "reads` shows them).",
            )
            yield ""
        yield from ("```sh", *own.splitlines(), "```")


def _limits(read: Read, lang: Lang) -> str:
    size = next(
        (
            f"{read.limit / bytes_:.3g} {unit}"
            for unit, bytes_ in (("MiB", 1 << 20), ("KiB", 1 << 10))
            if read.limit >= bytes_
        ),
        f"{read.limit} B",
    )
    seconds = either(lang, f"{read.seconds} 秒", f"{read.seconds} s")
    if read.kind == "files":
        return either(
            lang,
            f"{seconds}，最多 {read.most} 个文件，每个 {size}",
            f"{seconds}, {read.most} files at most, {size} each",
        )
    return either(lang, f"{seconds}，{size}", f"{seconds}, {size}")
