"""The command table, and what happens when a command cannot do its work."""

from __future__ import annotations

import difflib
import gc
import importlib
import importlib.util
import os
import sys
from typing import Any, cast

import click

from collector import __version__
from collector.cli.asked.loudness import verbose
from collector.cli.asked.status import ALTERED, BROKEN_PIPE, COULD_NOT, STATUSES, tells_altered
from collector.cli.options.every import with_loudness, with_values_once
from collector.cli.ui import of_click, streams
from collector.cli.ui.help import COMPLETE, Formatter, Group
from collector.cli.ui.language import lang, lang_option, tr
from collector.errors import CollectorError, VerifyFailed, one_line
from collector.i18n.message import in_chinese, told
from collector.run.ansible.umask import put_umask_aside

# command → module of collector.cli.commands that holds a click command of the same name
_COMMANDS = {
    "run": "run",
    "harden": "harden",
    "probe": "probe",
    "collect": "collect",
    "mesh": "mesh.group",
    "worker": "mesh.worker",
    "assess": "assess",
    "exposure": "engines.exposure",
    "retention": "engines.retention",
    "shell": "engines.shell",
    "inventory": "written.inventory",
    "check": "written.check",
    "bundle": "bundle",
    "repack": "repack",
    "verify": "verify",
    "replay": "replay",
    "diff": "diff",
    "report": "report",
    "pledge": "pledge.group",
    "intake": "pledge.handed.intake",
    "register": "register.group",
    "serve": "serve.serving",
    "key": "key",
    "trust": "trust",
    "controls": "controls",
    "explain": "explain",
    "reads": "reads",
    "doctor": "doctor",
    "completion": "completion",
}
# what hostpledge-verify goes without, and a command would miss only halfway
_WANTS = {
    **dict.fromkeys(("run", "harden", "probe", "collect", "mesh", "worker"), "ansible_runner"),
    **dict.fromkeys(("pledge", "intake", "register", "serve", "doctor"), "sqlalchemy"),
}
_LEFT_OUT = frozenset({*_WANTS.values(), "alembic", "ansible", "jinja2", "openpyxl"})


def _there(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ImportError:
        return False


class _Commands(Group):
    """Loads a command's module only when the command is called, or listed."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        module = _COMMANDS.get(cmd_name)
        if module is None:
            return None
        loaded = importlib.import_module(f"collector.cli.commands.{module}")
        command = with_loudness(cast("click.Command", getattr(loaded, cmd_name)))
        # of two filters one would be dropped; elsewhere a later word may replace an earlier one
        return with_values_once(command) if cmd_name == "pledge" else command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does it; of a name that is none, the nearest is named, whatever click's age."""
        name = args[0]
        wanted = _WANTS.get(name)
        if wanted and not ctx.resilient_parsing and not _there(wanted):
            raise click.ClickException(
                tr(
                    f"此安装包没有 `{name}` 命令（未安装 {wanted}）；"
                    "请在单独的环境中安装完整的 hostpledge",
                    f"this package has no `{name}` ({wanted} is not installed); install hostpledge "
                    "itself, in an environment of its own",
                )
            )
        near = difflib.get_close_matches(name, _COMMANDS, n=1)
        if name not in _COMMANDS and near and not name.startswith("-"):
            raise click.UsageError(f"No such command '{name}'. Did you mean '{near[0]}'?", ctx)
        return super().resolve_command(ctx, args)


@click.command(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    help=tr(
        "逐台主机核查入网责任书二(二)至二(四)，并将所见转为可独立核验的签名证据。",
        "Shows, host by host, that the technical duties of a network pledge are kept, and turns "
        "what it saw into signed evidence that anyone can verify.",
    ),
    epilog=tr("退出状态：", "Exit status: ")
    + tr("；", "; ").join(f"{status} {said.to(lang())}" for status, said in STATUSES.items()),
)
@click.version_option(__version__, prog_name="hostpledge")
@lang_option
def hostpledge() -> None:
    """Nothing of its own: each command stands in its own module."""


def main() -> None:
    """Exit status: 0 all satisfied, 1 something is not, 2 the command could not do its work.

    3, in the place of 2, for evidence that does not verify, where that was asked for.
    """
    click.Context.formatter_class = Formatter
    put_umask_aside()
    # thousands of records or captures hold no cycles: looking for them again and again costs more
    # than reading them
    gc.set_threshold(100_000, 50, 50)
    streams.begin()
    try:
        status = hostpledge.main(standalone_mode=False, complete_var=COMPLETE)
        sys.stdout.flush()
    except click.exceptions.Exit as ended:
        status = ended.exit_code
    except click.Abort:
        status = _complain(tr("已中断", "interrupted"))
    except click.exceptions.NoArgsIsHelpError as problem:
        click.echo(problem.format_message(), err=True)
        status = COULD_NOT
    except click.UsageError as problem:
        hint = f"{problem.ctx.command_path if problem.ctx else 'hostpledge'} --help"
        said = _told(problem.format_message().replace("' / '", " / "))
        status = _complain(said + tr(f"（见 {hint}）", f" (see {hint})"))
    except click.ClickException as problem:
        status = _complain(_told(problem.format_message()))
    except CollectorError as problem:
        status = _complain(_said(problem))
        if isinstance(problem, VerifyFailed) and problem.altered and tells_altered():
            status = ALTERED
    except KeyboardInterrupt:
        status = _complain(tr("已中断", "interrupted"))
    except streams.ReaderGoneError:
        streams.give_up()
        status = BROKEN_PIPE
    except OSError as problem:
        place = f"{os.fsdecode(problem.filename)}: " if problem.filename else ""
        status = _complain(f"{place}{_said(problem)}")
    except Exception as problem:
        if os.environ.get("HOSTPLEDGE_DEBUG") or verbose():
            raise
        status = _complain(_unforeseen(problem))
    sys.exit(_last(_status(status)))


def _unforeseen(problem: Exception) -> str:
    module = problem.name if isinstance(problem, ModuleNotFoundError) else None
    if module and module.split(".")[0] in _LEFT_OUT:
        return tr(
            f"此安装包没有该功能（未安装 {module}）；请在单独的环境中安装完整的 hostpledge",
            f"this package cannot do that ({module} is not installed); install hostpledge itself, "
            "in an environment of its own",
        )
    return (
        tr("内部错误，请报告", "a defect of hostpledge, please report it")
        + f": {type(problem).__name__}: {problem} (HOSTPLEDGE_DEBUG=1)"
    )


def _last(status: int) -> int:
    """The status once all was written: also after a complaint something may be left to say."""
    try:
        sys.stdout.flush()
    except streams.ReaderGoneError:
        status = BROKEN_PIPE
    except OSError as problem:
        if status not in (COULD_NOT, ALTERED):
            status = _complain(f"stdout: {_said(problem)}")
    else:
        return status
    streams.give_up()
    return status


def _status(returned: Any) -> int:
    return returned if isinstance(returned, int) and not isinstance(returned, bool) else 0


def _said(problem: Exception) -> str:
    said = told(problem)
    return in_chinese(said) if lang() == "zh" else str(said)


def _told(text: str) -> str:
    return of_click.in_chinese(text) if lang() == "zh" else text


def _complain(text: str) -> int:
    click.echo(f"hostpledge: {one_line(text, 2000)}", err=True)
    return COULD_NOT
