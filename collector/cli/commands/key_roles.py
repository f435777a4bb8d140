"""`hostpledge key roles`: what a key may sign, and a trust file says of it."""

from __future__ import annotations

import click

from collector.attest.trust import keyring
from collector.attest.trust.trust_file import ROLES
from collector.cli.options.answering import answer, answering
from collector.cli.ui.key_words import said
from collector.cli.ui.language import lang_option, tr


@click.command(
    help=tr(
        "设定密钥（名称或指纹）的用途：bundle 签证据包，log 签登记库日志的检查点；"
        "写入信任文件，核验方据此拒绝越权的签名。",
        "Says what a key (name or fingerprint) may sign: `bundle`, and checkpoints of the "
        "register's `log`. It goes into the trust file, and a verifier refuses what the key signs "
        "beside that.",
    )
)
@click.argument("which", metavar="KEY")
@click.argument("wanted", metavar="ROLE...", nargs=-1, required=True, type=click.Choice(ROLES))
@lang_option
@answering("key-roles")
def roles(which: str, wanted: tuple[str, ...]) -> None:
    entry = keyring.set_roles(which, frozenset(wanted))
    answer(keyid=entry.keyid, name=entry.name, roles=sorted(wanted))
    click.echo(f"{entry.keyid}  {entry.name}  {said(entry)}")
