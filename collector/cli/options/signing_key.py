"""Which key a command signs with, and how it is opened."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from collector import private
from collector.attest.keys import keys, tokenuri
from collector.attest.trust import keyring
from collector.cli.options.paths import FilePath, Named
from collector.cli.ui.language import tr
from collector.errors import BadInput
from collector.i18n.message import of_system

# OpenSSL takes no longer one
_LONGEST = 1023

passphrase_option = click.option(
    "--passphrase-file",
    type=FilePath(path_type=Path),
    metavar="FILE",
    help=tr("口令或 PIN 文件（首行）", "file whose first line is the passphrase, or PIN"),
)


def signing_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """--key KEY (`key_name`) and --passphrase-file, for commands that sign."""
    named = click.option(
        "--key",
        "key_name",
        type=Named(),
        default="default",
        show_default=True,
        metavar="KEY",
        help=tr(
            "私钥文件、密钥名称，或令牌中的密钥（pkcs11:…，RFC 7512）",
            "private key file, the name of a kept key, or one in a token (pkcs11:…, RFC 7512)",
        ),
    )
    return named(passphrase_option(command))


def sm2_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """--sm2-key KEY (`sm2_key`) and --sm2-passphrase-file, for commands that make bundles."""
    named = click.option(
        "--sm2-key",
        metavar="KEY",
        help=tr(
            "另以此 SM2 密钥作第二份签名（SM3 摘要；须有 OpenSSL 3）",
            "sign with this SM2 key too, beside the first signature (SM3 digests; needs OpenSSL 3)",
        ),
    )
    unlocking = click.option(
        "--sm2-passphrase-file",
        type=FilePath(path_type=Path),
        metavar="FILE",
        help=tr("SM2 密钥的口令文件（首行）", "file whose first line is the SM2 key's passphrase"),
    )
    return named(unlocking(command))


def read_passphrase(path: Path) -> bytes:
    """The first line of a passphrase file."""
    try:
        with private.opened(path) as source:
            line = source.readline(_LONGEST + 3).rstrip(b"\r\n")
    except OSError as problem:
        raise BadInput(of_system(problem, "cannot_read"), where=str(path)) from None
    if not line:
        raise BadInput(tr("口令文件是空的", "the passphrase file is empty"), where=str(path))
    return _short(line, str(path))


def _short(secret: bytes, where: str) -> bytes:
    if len(secret) > _LONGEST:
        raise BadInput(
            tr(f"口令超过 {_LONGEST} 字节", f"a passphrase of more than {_LONGEST} bytes"),
            where=where,
            mend=tr("换一个较短的", "take a shorter one"),
        )
    return secret


def open_key(
    which: str, passphrase_file: Path | None, *, sm2: bool = False, role: str | None = None
) -> keys.PrivateKey:
    """The private key that a command signs with; asks for its passphrase on a terminal.

    Raises BadInput for an SM2 key, or with `sm2` for another one, and for a kept key that may not
    sign what is of the `role`.
    """
    loaded, where = load_key(which, passphrase_file)
    if sm2 and loaded.public.type != "sm2":
        raise BadInput("not an SM2 key", where=where)
    if not sm2 and loaded.public.type == "sm2":
        raise BadInput(
            "an SM2 key, which signs beside another key only",
            where=where,
            mend="give it as --sm2-key",
        )
    keyring.check_usable(loaded, where, role)
    return loaded


def load_key(which: str, passphrase_file: Path | None) -> tuple[keys.PrivateKey, str]:
    """Any private key, also one that has ended, and where it is; asks as `open_key` does."""
    if which.startswith(tokenuri.SCHEME):
        uri = tokenuri.parse(which)
        return keys.of_token(uri, pin_of(uri, passphrase_file)), which
    path = keyring.find(which)
    passphrase = _secret(passphrase_file, str(path)) if keys.encrypted(path) else None
    return keys.load(path, passphrase), str(path)


def pin_of(uri: tokenuri.KeyUri, passphrase_file: Path | None) -> bytes | None:
    """The PIN for a token; None where the URI itself names a file with it, or nobody can be asked.

    A file given with the command counts for more than that of the URI.
    """
    if passphrase_file is None and uri.pin_source is not None:
        return None
    return _secret(passphrase_file, uri.text)


def _secret(file: Path | None, what: str) -> bytes | None:
    if file is not None:
        return read_passphrase(file)
    if not sys.stdin.isatty():
        return None
    asked = tr(f"{what} 的口令或 PIN", f"Passphrase or PIN of {what}")
    return str(click.prompt(asked, hide_input=True, err=True)).encode()


def open_sm2_key(which: str | None, passphrase_file: Path | None) -> keys.PrivateKey | None:
    """The SM2 key that `sm2_options` name; None where they name none."""
    if which is None:
        if passphrase_file is not None:
            raise BadInput(
                tr("没有给出 --sm2-key", "there is no --sm2-key"), where="--sm2-passphrase-file"
            )
        return None
    return open_key(which, passphrase_file, sm2=True, role="bundle")


def new_passphrase(path: Path | None) -> bytes | None:
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
    return _short(str(text).encode(), "") or None
