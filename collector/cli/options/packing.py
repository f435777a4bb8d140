"""In which form a bundle leaves: a folder, a ZIP file, or an encrypted one."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import click

from collector import private
from collector.cli.options.outputs import check_output
from collector.cli.ui.language import tr
from collector.errors import BadInput

_PLAIN = ".hostpledge-plain-"


def encrypt_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """--encrypt-to RECIPIENT (`encrypt_to`), repeatable."""
    return click.option(
        "--encrypt-to",
        multiple=True,
        metavar="RECIPIENT",
        help=tr(
            "加密给此接收方（age1…、SSH 公钥，或每行一个的文件），可重复；BUNDLE 须以 .age 结尾",
            "encrypt to this recipient (age1…, an SSH public key, or a file with one a line), "
            "repeatable; BUNDLE has to end in .age",
        ),
    )(command)


def packed(output: Path, encrypt_to: Sequence[str]) -> tuple[Path, Callable[[Path], None] | None]:
    """Where to make the bundle that is to become `output`, and what packs it from there.

    The second is None where the bundle stays a folder. Raises BadInput, before any work, for
    recipients that are none, and an `output` that exists or is not named for what it will be.
    """
    from collector.attest.bundle.making import pack_into
    from collector.attest.keys import age

    check_output(output, anew=True)
    if bool(encrypt_to) is not (output.suffix == age.SUFFIX):
        raise BadInput(
            tr(
                "加密的证据包须以 .age 结尾，且只有它",
                "an encrypted bundle, and no other, ends in .age",
            ),
            where=str(output),
            mend=tr("给出 --encrypt-to 和 .age 文件名", "give --encrypt-to and a name in .age"),
        )
    to = age.recipients(encrypt_to)
    if output.suffix not in (".zip", age.SUFFIX):
        return output, None
    if os.path.lexists(output):
        raise BadInput(tr("已经存在", "exists already"), where=str(output))
    place = output.with_name(f".{output.stem}.{secrets.token_hex(8)}.part")
    return place, partial(_encrypt, output, to) if to else partial(_zip, pack_into, output)


def _zip(pack_into: Callable[[Path, Path], None], output: Path, place: Path) -> None:
    pack_into(place, output)


def _encrypt(output: Path, to: Sequence[Any], place: Path) -> None:
    from collector.attest.bundle.making import pack
    from collector.attest.keys import age

    # nobody else reads what is not encrypted yet
    with private.set_aside(_PLAIN, output.parent) as folder:
        plain = folder / "bundle.zip"
        pack(place, plain)
        age.encrypt(plain, output, to)


def encrypting(encrypt_to: Sequence[str]) -> Callable[[Path], None]:
    """Writes a bundle (a folder) encrypted as `….zip.age` beside it; nothing without recipients.

    Raises BadInput, before any work, for recipients that are none.
    """
    from collector.attest.keys import age

    to = age.recipients(encrypt_to)

    def beside(bundle: Path) -> None:
        target = bundle.with_name(f"{bundle.name}.zip{age.SUFFIX}")
        target.unlink(missing_ok=True)
        _encrypt(target, to, bundle)

    return beside if to else lambda _: None
