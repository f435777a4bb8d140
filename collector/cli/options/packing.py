"""In which form a bundle leaves: a folder, a ZIP file, or an encrypted one."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import click

from collector import private
from collector.cli.options.outputs import check_output
from collector.cli.ui.language import tr
from collector.errors import BadInput
from collector.i18n.message import of_system


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


@contextmanager
def packed(
    output: Path, encrypt_to: Sequence[str]
) -> Iterator[tuple[Path, Callable[[], None] | None]]:
    """Where to make the bundle that is to become `output`, and what packs it from there.

    The second is None where the bundle stays a folder; else what was made goes away afterwards, or
    with the next command where this one is killed. Raises BadInput, before any work, for
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
        yield output, None
        return
    if os.path.lexists(output):
        raise BadInput(tr("已经存在", "exists already"), where=str(output))
    with ExitStack() as stack:
        try:
            private.folder(output.parent)
            # what is not encrypted yet is not for the stick or share that the encrypted file is
            # for: modes may mean nothing there, and what is taken away there may be read again
            words = () if to else (private.BESIDE, output.parent)
            folder = stack.enter_context(private.set_aside(*words))
        except OSError as problem:
            where = str(problem.filename or output.parent)
            raise BadInput(of_system(problem, "cannot_written"), where=where) from None
        place = folder / "bundle"
        yield (
            place,
            lambda: _encrypt(output, to, place, folder) if to else pack_into(place, output),
        )


def _encrypt(output: Path, to: Sequence[Any], bundle: Path, within: Path) -> None:
    from collector.attest.bundle.making import pack
    from collector.attest.keys import age

    plain = within / "bundle.zip"
    pack(bundle, plain)
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
        # the bundle itself lies here too
        with private.set_aside(private.BESIDE, target.parent) as folder:
            _encrypt(target, to, bundle, folder)

    return beside if to else lambda _: None
