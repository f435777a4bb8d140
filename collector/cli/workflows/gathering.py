"""Collecting into a folder, with the progress shown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import click

from collector import catalog
from collector.cli.asked.loudness import stage
from collector.cli.options.openness import say_open
from collector.cli.ui.language import tr
from collector.cli.ui.progress import HostProgress
from collector.i18n.message import Message
from collector.run.ansible import engine
from collector.run.ansible.inventory import How, hosts_of
from collector.run.ansible.tally import Progress
from collector.run.collected.run_folder import Arrived, RunFolder


@stage(tr("采集", "collecting"))
def gather(
    output: Path,
    how: How,
    families: tuple[str, ...],
    grade: int,
    *,
    retry: bool = False,
    end: bool = True,
    hosts: Sequence[str] | None = None,
    begun: Callable[[], None] | None = None,
) -> dict[str, Arrived]:
    """Begins or resumes the run in `output` and collects, showing progress.

    With `end=False` the run stays open: what comes after collecting is part of it. With `hosts`
    it is about these of the inventory alone. `begun` is called before the first host is asked.
    """
    # first: an unusable inventory leaves no empty run behind
    hosts = hosts_of(how) if hosts is None else hosts
    catalog.select(families, grade)
    say_open(output)
    taken = RunFolder.taken(output, families, grade, patience=how.seconds + 10, retry=retry)
    with taken as folder, HostProgress() as progress:
        say_before(folder)
        if begun is not None:
            begun()
        return collect(folder, how, hosts, progress=progress, end=end)


def say_before(folder: RunFolder) -> None:
    """One that had ended is no more to be resumed: that this is a new one is said."""
    if (place := folder.before) is not None:
        click.echo(
            tr(
                f"该目录中的上次核查已结束，移至 {place}；本次为新的核查，另成证据",
                f"the run that had ended here is in {place} now: this is a new one, and makes "
                "evidence of its own",
            ),
            err=True,
        )


def collect(
    folder: RunFolder, how: How, hosts: Sequence[str], *, progress: Progress, end: bool = True
) -> dict[str, Arrived]:
    """As `engine.collect`; what happens to nodes is said, a line each."""
    if how.mesh is None:
        return engine.collect(folder, how, hosts, progress=progress, end=end)
    from collector.run.mesh import coordinator

    return coordinator.collect(folder, how, hosts, progress=progress, say=_say, end=end)


def _say(said: Message) -> None:
    click.echo(tr(said.zh, said), err=True)
