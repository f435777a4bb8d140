"""`hostpledge trust`: a team's trust file, which no single person can change (TUF)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from collector import private
from collector.attest.keys.keys import PublicKey
from collector.cli.options.answering import answer, answering
from collector.cli.options.common import form_option
from collector.cli.options.paths import FilePath, Named
from collector.cli.options.signing_key import open_key, signing_options
from collector.cli.ui.help import Group
from collector.cli.ui.language import lang_option, tr
from collector.cli.ui.trust_view import say, say_staged, tell, told
from collector.errors import BadInput
from collector.i18n.message import of_system

if TYPE_CHECKING:
    from collector.attest.trust.tuf_repository import Repository

_PATH = FilePath(path_type=Path)


@click.group(
    cls=Group,
    help=tr(
        "团队的信任文件（TUF）：须由多名持钥人中的若干名签署，任何一人都不能单独更改。"
        "init、stage、sign、publish 供团队使用，update 供核验方使用。",
        "A team's trust file (TUF): some of its holders have to sign it, and no one of them can "
        "change it alone. init, stage, sign, publish are for the team, update for who verifies.",
    ),
)
@lang_option
def trust() -> None:
    """Each subcommand stands below."""


_repository = click.argument("repository", metavar="REPOSITORY", type=_PATH)


def _days(default: int | None) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    return click.option(
        "--days",
        type=click.IntRange(1, 3650),
        metavar="N",
        default=default,
        show_default=default is not None,
        help=tr("有效天数", "days until it expires")
        if default is not None
        else tr(
            "有效天数，默认信任文件 180、根 365",
            "days until it expires; default: 180 for a trust file, 365 for a root",
        ),
    )


def _holder_option(
    name: str, zh: str, en: str, *, required: bool
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    return click.option(
        name,
        "holders",
        multiple=True,
        required=required,
        type=_PATH,
        metavar="PEM",
        help=tr(zh, en),
    )


@trust.command(
    help=tr(
        "新建信任库：给出各持钥人的公钥（离线保管的私钥）、须几人签署，以及一把在线密钥的公钥。"
        "随后由持钥人 sign，再 publish。",
        "Makes a repository: the holders' public keys (their private ones stay offline), how many "
        "have to sign, and the public key that stays online. Holders `sign` then, and `publish` "
        "puts it into force.",
    )
)
@_repository
@_holder_option(
    "--holder", "持钥人的公钥，可重复", "public key of a holder, repeatable", required=True
)
@click.option(
    "--threshold",
    type=click.IntRange(1),
    metavar="N",
    required=True,
    help=tr("须几名持钥人签署", "how many holders have to sign"),
)
@click.option(
    "--online",
    type=_PATH,
    required=True,
    metavar="PEM",
    help=tr("在线密钥的公钥（签快照与时间戳）", "public key that signs which is the newest"),
)
@_days(365)
@lang_option
@answering("trust-init")
def init(
    *, repository: Path, holders: tuple[Path, ...], threshold: int, online: Path, days: int
) -> None:
    from collector.attest.trust import tuf_repository as tufrepo

    made = tufrepo.init(
        repository, _publics(holders), threshold, _public(online), days=days, now=_now()
    )
    say(made.awaited())
    answer(**told(repository))


@trust.command(
    help=tr(
        "备好待签署的内容：信任文件 TRUST（hostpledge key trust 所写），"
        "或新的根（增减持钥人、门限、在线密钥；--renew 只续期）。",
        "Gets ready what holders are to sign: a trust file TRUST (of `hostpledge key trust`), or a "
        "new root (other holders, threshold or online key; --renew for a new expiry alone).",
    )
)
@_repository
@click.argument("file", metavar="[TRUST]", type=_PATH, required=False)
@_holder_option("--add", "增加持钥人，可重复", "another holder, repeatable", required=False)
@click.option(
    "--remove", multiple=True, metavar="KEYID", help=tr("去掉持钥人，可重复", "a holder who leaves")
)
@click.option(
    "--threshold",
    type=click.IntRange(1),
    metavar="N",
    help=tr("须几名持钥人签署", "how many have to sign"),
)
@click.option("--online", type=_PATH, metavar="PEM", help=tr("新的在线密钥", "a new online key"))
@click.option("--renew", is_flag=True, help=tr("续期根", "a root with a new expiry"))
@_days(None)
@lang_option
@answering("trust-stage")
def stage(
    *,
    repository: Path,
    file: Path | None,
    holders: tuple[Path, ...],
    remove: tuple[str, ...],
    threshold: int | None,
    online: Path | None,
    renew: bool,
    days: int | None,
) -> None:
    from collector.attest.trust.tuf_repository import ROOT_DAYS, TARGETS_DAYS

    opened = _open(repository)
    anew = bool(holders or remove or threshold or online or renew)
    if file is None and not anew:
        raise click.UsageError("Missing argument 'TRUST'.", click.get_current_context())
    if anew:
        opened.stage_root(
            _publics(holders),
            remove,
            threshold,
            _public(online) if online else None,
            days=days or ROOT_DAYS,
            now=_now(),
        )
    if file is not None:
        opened.stage_trust(_bytes(file), days=days or TARGETS_DAYS, now=_now())
    say_staged(opened)
    answer(**told(repository))


@trust.command(
    help=tr(
        "以持钥人的密钥签署待签内容；可在离线的机器上进行，信任库目录可随身携带。",
        "Signs what is staged, with a holder's key; on a machine with no network as well, to which "
        "the repository's folder can be carried.",
    )
)
@_repository
@signing_options
@lang_option
@answering("trust-sign")
def sign(*, repository: Path, key_name: str, passphrase_file: Path | None) -> None:
    opened = _open(repository)
    say(opened.sign(open_key(key_name, passphrase_file)))
    answer(**told(repository))


@trust.command(
    help=tr(
        "使签够的内容生效，并以在线密钥（--key）签出新的快照与时间戳；"
        "没有待签内容时只续期，须定期执行。",
        "Puts what has enough signatures into force, and signs a new snapshot and timestamp with "
        "the online key (--key). With nothing staged it renews these two: run it regularly.",
    )
)
@_repository
@signing_options
@_days(30)
@lang_option
@answering("trust-publish")
def publish(*, repository: Path, key_name: str, passphrase_file: Path | None, days: int) -> None:
    opened = _open(repository)
    opened.publish(open_key(key_name, passphrase_file), days=days, now=_now())
    tell(repository, "table")
    answer(**told(repository))


@trust.command(
    help=tr(
        "核验方：从信任库（目录或 http 地址）取得最新的信任文件，存入 FOLDER，供 --trust 使用。"
        "首次须给出根（--root），根须由可信的人另行交付。",
        "For who verifies: takes the newest trust file from a repository (a folder or an http "
        "address) into FOLDER, which --trust takes. The first time it wants the root (--root), "
        "which somebody you trust has to hand you by another way.",
    )
)
@click.argument("folder", metavar="FOLDER", type=_PATH)
@click.option(
    "--from",
    "place",
    type=Named(),
    required=True,
    metavar="REPOSITORY",
    help=tr("信任库的目录或网址", "the repository's folder or address"),
)
@click.option(
    "--root",
    type=_PATH,
    metavar="FILE",
    help=tr("根（REPOSITORY/metadata/1.root.json）", "the root (REPOSITORY/metadata/1.root.json)"),
)
@lang_option
@answering("trust-update")
def update(*, folder: Path, place: str, root: Path | None) -> None:
    from collector.run.net.tuf_fetch import update as take

    take(folder, place, _bytes(root) if root is not None else None)
    tell(folder, "table")
    answer(**told(folder))


@trust.command(
    help=tr(
        "显示信任库，或核验方的 FOLDER：根的摘要、版本、有效期、待签内容。",
        "Shows a repository, or a FOLDER of who verifies: the root's digest, versions, expiry, "
        "what waits for signatures.",
    )
)
@click.argument("place", metavar="FOLDER", type=_PATH)
@form_option("table", "json")
@lang_option
def show(place: Path, form: str) -> None:
    tell(place, form)


def _open(folder: Path) -> Repository:
    from collector.attest.trust.tuf_repository import Repository

    return Repository(folder)


def _publics(paths: Sequence[Path]) -> list[PublicKey]:
    return [_public(path) for path in paths]


def _public(path: Path) -> PublicKey:
    return PublicKey.from_pem(_bytes(path), where=str(path))


def _bytes(path: Path) -> bytes:
    from collector.attest.trust.tuf_client import MOST

    try:
        with private.opened(path) as source:
            return source.read(MOST + 1)
    except OSError as problem:
        raise BadInput(of_system(problem, "cannot_read"), where=str(path)) from None


def _now() -> datetime:
    return datetime.now(UTC)
