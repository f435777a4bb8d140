"""`hostpledge key`: signing keys, and the trust file that goes to whoever verifies."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from collector.attest import keyring, keys
from collector.attest.trust import Trust, TrustedKey
from collector.captures import write_aside
from collector.cli.helping import Group
from collector.cli.language import lang_option, tr
from collector.errors import BadInput
from collector.export import stamp


@click.group(
    cls=Group,
    help=tr(
        "签名密钥与信任文件。密钥保存在 $HOSTPLEDGE_HOME/keys。",
        "Signing keys, and the trust file for whoever verifies. Keys lie in $HOSTPLEDGE_HOME/keys.",
    ),
)
@lang_option
def key() -> None:
    """Each subcommand stands below."""


_passphrase_option = click.option(
    "--passphrase-file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help=tr("口令文件（首行）", "file whose first line is the passphrase"),
)


def signing_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """--key KEY (`key_name`) and --passphrase-file, for commands that sign."""
    named = click.option(
        "--key",
        "key_name",
        default="default",
        show_default=True,
        metavar="KEY",
        help=tr("私钥文件，或密钥名称", "private key file, or the name of a kept key"),
    )
    return named(_passphrase_option(command))


def _making_options(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        _passphrase_option,
        click.option(
            "--type",
            "type_",
            type=click.Choice(keys.TYPES),
            default="p256",
            show_default=True,
            help=tr("算法：ECDSA P-256 或 Ed25519", "ECDSA P-256 or Ed25519"),
        ),
        click.option(
            "--name", default="default", show_default=True, help=tr("密钥名称", "name of the key")
        ),
    ):
        command = option(command)
    return command


@key.command(help=tr("生成一个密钥，从不覆盖已有的。", "Makes a key; never over another one."))
@_making_options
@lang_option
def new(name: str, type_: keys.KeyType, passphrase_file: Path | None) -> None:
    keyring.check_free(name)
    made = keyring.new(name, type_, _new_passphrase(passphrase_file))
    _say_made(name, made)


@key.command(
    help=tr(
        "以新密钥接替：旧密钥记下停用时间，仍留在信任文件中，供核验旧证据包。",
        "Puts a new key in the place of the present one, which stays in the trust with its end, "
        "so that older bundles still verify.",
    )
)
@_making_options
@lang_option
def rotate(name: str, type_: keys.KeyType, passphrase_file: Path | None) -> None:
    made, ended = keyring.rotate(name, type_, _new_passphrase(passphrase_file))
    _say_made(name, made)
    click.echo(
        tr(
            f"旧密钥 {ended.keyid} 已停用，现名 {ended.name}；请把新的信任文件发给核验方",
            f"the old key {ended.keyid} has ended and is named {ended.name} now; hand the new "
            "trust file to whoever verifies",
        ),
        err=True,
    )


@key.command(
    help=tr(
        "吊销密钥（名称或指纹）：已泄露或疑似泄露；其签名一律不再采信。",
        "Revokes a key (name or fingerprint) that is known or feared to be in other hands: no "
        "signature of it counts any more.",
    )
)
@click.argument("which", metavar="KEY")
@lang_option
def revoke(which: str) -> None:
    revoked = keyring.revoke(which)
    click.echo(f"{revoked.keyid}  {revoked.name}  {_state(revoked)}")


@key.command(help=tr("列出密钥。", "Lists the keys."))
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table")
@lang_option
def show(form: str) -> None:
    known = keyring.trust()
    if form == "json":
        click.echo(json.dumps(known.to_json(), ensure_ascii=False, indent=1))
        return
    if not known.keys:
        raise BadInput(
            tr("还没有密钥", "there is no key yet"),
            where=str(keyring.folder()),
            mend="`hostpledge key new`",
        )
    for entry in known.keys:
        place = keyring.path_of(entry.name)
        shown = str(place) if place.exists() else tr("（无私钥文件）", "(no private key file)")
        click.echo(f"{entry.keyid}  {entry.key.type:7}  {entry.name}  {_state(entry)}  {shown}")


@key.command(
    help=tr(
        "输出信任文件（公钥及有效期），供核验方使用；其中没有任何秘密。",
        "Prints the trust file (public keys and when they were valid) for whoever verifies. "
        "Nothing in it is secret.",
    )
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help=tr("写入文件", "write it there"),
)
@click.option(
    "--add",
    "others",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="PEM",
    help=tr("另加一个公钥文件，可重复", "another public key file to take in; repeatable"),
)
@lang_option
def trust(output: Path | None, others: tuple[Path, ...]) -> None:
    known = keyring.trust()
    for path in others:
        try:
            public = keys.PublicKey.from_pem(path.read_bytes(), where=str(path))
        except OSError as problem:
            raise BadInput(problem.strerror or "cannot be read", where=str(path)) from None
        if known.find(public.keyid) is None:
            known = Trust((*known.keys, TrustedKey(public, path.stem)))
    if not known.keys:
        raise BadInput(
            tr("还没有密钥", "there is no key yet"),
            where=str(keyring.folder()),
            mend="`hostpledge key new`",
        )
    if output is None:
        click.echo(known.to_bytes(), nl=False)
    else:
        write_aside(output, known.to_bytes(), 0o644)


def read_passphrase(path: Path) -> bytes:
    """The first line of a passphrase file."""
    try:
        with path.open("rb") as source:
            line = source.readline(4096).rstrip(b"\r\n")
    except OSError as problem:
        raise BadInput(problem.strerror or "cannot be read", where=str(path)) from None
    if not line:
        raise BadInput(tr("口令文件是空的", "the passphrase file is empty"), where=str(path))
    return line


def open_key(which: str, passphrase_file: Path | None) -> keys.PrivateKey:
    """The private key that a command signs with; asks for its passphrase on a terminal."""
    path = keyring.find(which)
    passphrase = None
    if keys.encrypted(path):
        if passphrase_file is not None:
            passphrase = read_passphrase(passphrase_file)
        elif sys.stdin.isatty():
            asked = tr(f"{path} 的口令", f"Passphrase of {path}")
            passphrase = str(click.prompt(asked, hide_input=True, err=True)).encode()
    loaded = keys.load(path, passphrase)
    keyring.check_usable(loaded, str(path))
    return loaded


def _new_passphrase(path: Path | None) -> bytes | None:
    if path is not None:
        return read_passphrase(path)
    if not sys.stdin.isatty():
        click.echo(
            tr(
                "未设口令：私钥仅由文件权限（0600）保护；可用 --passphrase-file 设置口令",
                "no passphrase: only the file's mode (0600) guards the key; --passphrase-file "
                "sets one",
            ),
            err=True,
        )
        return None
    asked = tr("新口令（留空则不设）", "New passphrase (empty for none)")
    again = tr("再次输入", "Once more")
    text = click.prompt(
        asked, default="", hide_input=True, confirmation_prompt=again, show_default=False, err=True
    )
    return str(text).encode() or None


def _say_made(name: str, made: keys.PrivateKey) -> None:
    click.echo(f"{made.keyid}  {made.public.type}  {name}  {keyring.path_of(name)}")


def _state(entry: TrustedKey) -> str:
    if entry.revoked_at:
        revoked = stamp(entry.revoked_at)
        return tr(f"已于 {revoked} 吊销", f"revoked {revoked}")
    if entry.valid_until:
        ended = stamp(entry.valid_until)
        return tr(f"已于 {ended} 停用", f"ended {ended}")
    return tr("使用中", "in use")
