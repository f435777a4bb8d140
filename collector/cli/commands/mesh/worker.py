"""`hostpledge worker`: an encrypted shard on standard input, signed captures on standard output."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from collector.cli.options.paths import FilePath
from collector.cli.ui.language import lang_option, tr


@click.command(
    help=tr(
        "网格节点上的工作进程：从标准输入读取加密给本节点的分片，逐台采集，把每份采集文件签名后"
        "写到标准输出。由 Receptor 启动；也可由 SSH、Kubernetes 任务或 AWX 启动（见 "
        "docs/mesh.zh.md）。",
        "What a mesh node runs: reads a shard that is encrypted to this node from standard input, "
        "collects, and writes each capture, signed, to standard output. Receptor starts it, and "
        "ssh, a Kubernetes job or AWX may as well (docs/mesh.md).",
    )
)
@click.option(
    "--keys",
    required=True,
    type=FilePath(path_type=Path, file_okay=False, exists=True),
    metavar="DIR",
    help=tr("本节点的目录（mesh add 所写）", "the folder of this node, as `mesh add` wrote it"),
)
@lang_option
def worker(*, keys: Path) -> int:
    """Exit status: 0 all hosts were asked; 1 some were not; 2 there was no shard to read."""
    from collector.run.mesh import node_keys, working

    own = node_keys.load(keys)
    asked = working.received(sys.stdin.buffer, own)
    with working.own_output() as out:
        return 0 if working.work(asked, out, own) else 1
