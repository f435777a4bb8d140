"""The bundle that a command line names, opened; verified where a trust file is given."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from collector import private
from collector import verify as verifier
from collector.attest.trust.trust_file import load_trust
from collector.captures import read_at_most
from collector.cli.asked.status import OPTION, SETTING
from collector.cli.options.paths import FilePath
from collector.cli.ui.language import tr
from collector.errors import VerifyFailed
from collector.export.envelope import Identity
from collector.i18n.message import in_chinese

_MOST = 2 << 20


def trust_option(required: bool) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """--trust FILE, and --tell-altered, which `asked.status` reads itself."""
    trust = click.option(
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
    altered = click.option(
        OPTION,
        is_flag=True,
        expose_value=False,
        help=tr(
            f"证据核验不通过（被改动，或签名人不受信任）时退出码为 3 而非 2；"
            f"也可设环境变量 {SETTING}=1",
            "exit status 3, not 2, where the evidence does not verify: altered, or not signed by "
            f"whom you trust; also by {SETTING}=1 in the environment",
        ),
    )
    return lambda command: trust(altered(command))


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


def open_named(path: Path, identity: Path | None = None, trust: Any = None) -> verifier.Bundle:
    """Opens a bundle; what is wrong with it is said with the bundle's own path before it.

    With `trust`, nothing is unpacked of what nobody in it signed; whether it verifies is not said.
    """
    from collector.attest.keys.age import identities

    try:
        return verifier.open_bundle(path, identities(identity) if identity else (), trust)
    except VerifyFailed as problem:
        raise _named(path, problem) from None


def open_trusted(
    path: Path, trust_file: Path | None, identity: Path | None = None
) -> verifier.Bundle:
    """Opens a bundle, and verifies it where a trust file is given; says so where not."""
    trust = load_trust(trust_file) if trust_file is not None else None
    opened = open_named(path, identity, trust)
    if trust is None:
        click.echo(
            tr(
                f"{path}：未核验签名（可加 --trust）",
                f"{path}: the signature was not checked (--trust does)",
            ),
            err=True,
        )
        return opened
    try:
        _verified(opened, trust)
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
    named = VerifyFailed(
        tr(f"核验不通过：{in_chinese(problem.what)}", f"does not verify: {problem.what}"),
        where=where or str(path),
    )
    named.altered = problem.altered and _looks_like_one(path)
    return named


def _looks_like_one(path: Path) -> bool:
    """Was it a bundle once? What never was one is a wrong argument, not altered evidence."""
    if path.is_dir():
        return any((path / name).exists() for name in _SHOWN_BY)
    try:
        with private.opened(path) as file:
            return file.read(len(_HEADS[1])).startswith(_HEADS)
    except OSError:
        return False


_SHOWN_BY = ("bagit.txt", "manifest-sha256.txt", "data/bundle.sigstore.json", "data/evidence.json")
# of ZIP and of age
_HEADS = (b"PK", b"age-encryption.org/")


def identity_of(opened: verifier.Bundle) -> Identity:
    """What a document about this bundle names as its subject."""
    pledge = opened.frame["pledge"]
    return Identity(pledge["id"] if pledge else None, opened.digest)


def read_small(path: Path) -> bytes:
    """The bytes of a checkpoint or a proof; raises BadInput when there are too many."""
    return read_at_most(path, _MOST)
