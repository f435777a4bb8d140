"""`hostpledge serve`: the register's page in a browser."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from collector.cli.commands.serve.accounts import account, state_option
from collector.cli.commands.serve.installed import installed
from collector.cli.options.paths import FilePath
from collector.cli.options.pledge import register_option
from collector.cli.ui.language import lang_option, tr

if TYPE_CHECKING:
    from collector.web.keeping.accounts import Accounts
    from collector.web.reading.library import Library


@click.group(
    invoke_without_command=True,
    help=tr(
        "在浏览器中查看登记库（只读，不持签名密钥）。首次启动时打印管理账号的一次性口令。\n\n"
        "默认只在本机提供；其他地址须有 TLS 证书，或在设置文件中写明代理。\n\n"
        "PostgreSQL 的 URL 可写在 $HOSTPLEDGE_REGISTER 与 $HOSTPLEDGE_STATE 中；URL 中没有口令时取 "
        "$PGPASSWORD（不读 PGPASSFILE 与 ~/.pgpass）。",
        "Shows the register in a browser: read-only, and with no signing key. The first start "
        "prints a manager's one-time password.\n\nOn this machine alone unless a certificate for "
        "TLS is given, or the settings name a proxy.\n\nURLs of PostgreSQL may stand in "
        "$HOSTPLEDGE_REGISTER and $HOSTPLEDGE_STATE; one without a password takes $PGPASSWORD "
        "(PGPASSFILE and ~/.pgpass are not read).",
    ),
)
@click.option("--host", default="127.0.0.1", show_default=True, help=tr("监听地址", "address"))
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    default=8300,
    show_default=True,
    help=tr("监听端口", "port"),
)
@state_option
@click.option(
    "--settings",
    type=FilePath(path_type=Path),
    metavar="FILE",
    help=tr(
        "设置文件（YAML）：主机名、代理、OIDC，见 docs/web.zh.md",
        "settings (YAML): host names, proxies, OIDC; see docs/web.md",
    ),
)
@click.option(
    "--certificate", type=FilePath(path_type=Path), metavar="FILE", help=tr("TLS 证书", "for TLS")
)
@click.option(
    "--key", type=FilePath(path_type=Path), metavar="FILE", help=tr("其私钥", "its private key")
)
@click.option(
    "--workers",
    type=click.IntRange(1, 32),
    default=1,
    show_default=True,
    help=tr("进程数（多个进程须共用 --state）", "processes; several share --state"),
)
@register_option
@lang_option
@click.pass_context
def serve(
    ctx: click.Context,
    *,
    host: str,
    port: int,
    state: str | None,
    settings: Path | None,
    certificate: Path | None,
    key: Path | None,
    workers: int,
    location: str | None,
) -> int:
    """Runs until it is ended by a signal."""
    if ctx.invoked_subcommand is not None:
        return 0
    installed()
    if (certificate is None) is not (key is None):
        raise click.UsageError(
            tr("--certificate 与 --key 须同时给出", "--certificate and --key go together")
        )
    from collector.web.keeping.accounts import Accounts
    from collector.web.keeping.state import State
    from collector.web.reading.library import Library
    from collector.web.serving import server

    given = server.options(
        register=location,
        state=state,
        settings=settings,
        host=host,
        port=port,
        certificate=certificate,
        key=key,
    )
    told = server.settings_of(given)
    library = Library(location)
    server.check_place(told)
    kept = State.open(state)
    kept.belongs_to(library.name)
    _say_trust(library)
    _say_first(Accounts(kept))
    click.echo(tr(f"登记库：{told.origin}/（Ctrl-C 结束）", f"{told.origin}/ (Ctrl-C ends it)"))
    sys.stdout.flush()
    server.serve(given, workers)
    return 0


def _say_trust(library: Library) -> None:
    """Before anybody looks: a page that knows nobody's key says of nothing that it is kept."""
    if library.trusts_nobody:
        click.echo(
            tr(
                "没有信任文件，证据一概按未能核查计：请在 HOSTPLEDGE_TRUST 中写明工程师的信任文件"
                "（hostpledge key trust 导出）",
                "no trust file, so all evidence is not verified: name the engineers' trust file "
                "in HOSTPLEDGE_TRUST (`hostpledge key trust` gives it)",
            ),
            err=True,
        )


def _say_first(accounts: Accounts) -> None:
    from collector.web.keeping import one_time

    password = accounts.first()
    if password is not None:
        click.echo(
            tr(
                f"账号 manager，一次性口令 {password}（{one_time.DAYS} 天内有效，登录后须改）",
                f"account manager, one-time password {password} (good for {one_time.DAYS} days; "
                "to be changed at once)",
            )
        )


serve.add_command(account)
