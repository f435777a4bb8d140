"""The bundle that a command line names, opened; verified where a trust file is given."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from collector import verify as verifier
from collector.attest.trust.trust_file import load_trust
from collector.captures import read_at_most
from collector.cli.options.paths import FilePath
from collector.cli.ui.language import tr
from collector.errors import VerifyFailed
from collector.i18n.message import in_chinese

_MOST = 2 << 20


def trust_option(required: bool) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """--trust FILE."""
    return click.option(
        "--trust",
        "trust_file",
        required=required,
        type=FilePath(path_type=Path),
        metavar="FILE",
        help=tr(
            "信任文件（由签名方 hostpledge key trust 给出）、hostpledge trust update 所存的目录，"
            "或 PEM 公钥",
            "trust file (the signer's `hostpledge key trust` writes it), the folder that "
            "`hostpledge trust update` keeps, or a public key in PEM",
        ),
    )


def identity_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """--identity FILE, for commands that read a bundle that may be encrypted."""
    return click.option(
        "--identity",
        type=FilePath(path_type=Path),
        metavar="FILE",
        help=tr(
            "解密加密证据包（.age）的私钥：age-keygen 所写的文件，或 SSH 私钥",
            "what decrypts an encrypted bundle (.age): a file of age-keygen, or an SSH private key",
        ),
    )(command)


def open_named(path: Path, identity: Path | None = None) -> verifier.Bundle:
    """Opens a bundle; what is wrong with it is said with the bundle's own path before it."""
    from collector.attest.keys.age import identities

    try:
        return verifier.open_bundle(path, identities(identity) if identity else ())
    except VerifyFailed as problem:
        raise _named(path, problem) from None


def open_trusted(
    path: Path, trust_file: Path | None, identity: Path | None = None
) -> verifier.Bundle:
    """Opens a bundle, and verifies it where a trust file is given; says so where not."""
    opened = open_named(path, identity)
    if trust_file is None:
        click.echo(
            tr(
                f"{path}：未核验签名（可加 --trust）",
                f"{path}: the signature was not checked (--trust does)",
            ),
            err=True,
        )
        return opened
    try:
        _verified(opened, load_trust(trust_file))
    except BaseException:
        opened.close()
        raise
    return opened


def _verified(opened: verifier.Bundle, trust: Any, **more: Any) -> verifier.Verification:
    try:
        return verifier.verify(opened, trust, **more)
    except VerifyFailed as problem:
        raise _named(opened.path, problem) from None


def _named(path: Path, problem: VerifyFailed) -> VerifyFailed:
    where = problem.where if problem.where in ("", str(path)) else f"{path}: {problem.where}"
    return VerifyFailed(
        tr(f"核验不通过：{in_chinese(problem.what)}", f"does not verify: {problem.what}"),
        where=where or str(path),
    )


def read_small(path: Path) -> bytes:
    """The bytes of a checkpoint or a proof; raises BadInput when there are too many."""
    return read_at_most(path, _MOST)
