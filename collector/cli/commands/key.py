"""`hostpledge key`: signing keys, and the trust file that goes to whoever verifies."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from collector.attest.envelope.timestamp import Authority
from collector.attest.keys import keys, tokenuri
from collector.attest.trust import keyring
from collector.attest.trust.trust_file import TrustedKey
from collector.captures import read_at_most, write_aside
from collector.cli.commands.key_roles import roles
from collector.cli.options.answering import answer, answering
from collector.cli.options.common import form_option
from collector.cli.options.outputs import check_output
from collector.cli.options.paths import FilePath
from collector.cli.options.signing_key import load_key, new_passphrase, passphrase_option, pin_of
from collector.cli.options.times import parse_time
from collector.cli.ui.help import Group
from collector.cli.ui.key_words import said, state
from collector.cli.ui.language import lang_option, tr
from collector.errors import BadInput, one_line
from collector.export import stamp
from collector.export.envelope import as_json

# no key and no chain of certificates is larger
_MOST = 1 << 20


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


_name_option = click.option(
    "--name", default="default", show_default=True, help=tr("密钥名称", "name of the key")
)
_token_option = click.option(
    "--token",
    metavar="URI",
    help=tr(
        "在令牌中生成，密钥不出令牌（pkcs11:token=…;object=…?module-path=…）",
        "make it in this token, which it never leaves (pkcs11:token=…;object=…?module-path=…)",
    ),
)


def _making_options(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        passphrase_option,
        _token_option,
        click.option(
            "--type",
            "type_",
            type=click.Choice(keys.ALL_TYPES),
            default="p256",
            show_default=True,
            help=tr(
                "算法：ECDSA P-256、Ed25519，或 SM2（用于 --sm2-key）",
                "ECDSA P-256, Ed25519, or SM2 (for --sm2-key)",
            ),
        ),
        _name_option,
    ):
        command = option(command)
    return command


@key.command(help=tr("生成一个密钥，从不覆盖已有的。", "Makes a key; never over another one."))
@_making_options
@lang_option
@answering("key-new")
def new(*, name: str, type_: keys.KeyType, passphrase_file: Path | None, token: str | None) -> None:
    keyring.check_free(name)
    uri = tokenuri.parse(token) if token is not None else None
    secret = pin_of(uri, passphrase_file) if uri else new_passphrase(passphrase_file)
    _say_made(name, keyring.new(name, type_, secret, uri))


@key.command(
    help=tr(
        "收用令牌中已有的密钥（pkcs11:token=…;object=…?module-path=…），并记入信任文件。",
        "Takes a key that is in a token already (pkcs11:token=…;object=…?module-path=…) under a "
        "name, and into the trust.",
    )
)
@click.argument("uri", metavar="URI")
@click.option(
    "--name", default="default", show_default=True, help=tr("密钥名称", "name of the key")
)
@passphrase_option
@lang_option
@answering("key-add")
def add(uri: str, name: str, passphrase_file: Path | None) -> None:
    keyring.check_free(name)
    named = tokenuri.parse(uri)
    _say_made(name, keyring.add(name, named, pin_of(named, passphrase_file)))


@key.command(
    help=tr(
        "以新密钥接替：旧密钥记下停用时间，仍留在信任文件中，供核验旧证据包；"
        "其中须有时间戳，或另有登记库日志的证明。",
        "Puts a new key in the place of the present one, which stays in the trust with its end, "
        "so that older bundles still verify: those with a timestamp, or with a proof of the "
        "register's log.",
    )
)
@_making_options
@lang_option
@answering("key-rotate")
def rotate(
    *, name: str, type_: keys.KeyType, passphrase_file: Path | None, token: str | None
) -> None:
    uri = tokenuri.parse(token) if token is not None else None
    secret = pin_of(uri, passphrase_file) if uri else new_passphrase(passphrase_file)
    made, ended = keyring.rotate(name, type_, secret, uri)
    answer(ended={"keyid": ended.keyid, "name": ended.name})
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
        "吊销密钥（名称或指纹）：已泄露或疑似泄露；此后只采信吊销前盖有时间戳的签名。",
        "Revokes a key (name or fingerprint) that is known or feared to be in other hands: of "
        "its signatures only those count that were timestamped before.",
    )
)
@click.argument("which", metavar="KEY")
@click.option(
    "--since",
    metavar="TIME",
    help=tr("何时起可能已泄露；默认此刻", "since when others may have it; default: now"),
)
@lang_option
@answering("key-revoke")
def revoke(which: str, since: str | None) -> None:
    revoked = keyring.revoke(which, parse_time(since, where="--since") if since else None)
    answer(keyid=revoked.keyid, name=revoked.name)
    click.echo(f"{revoked.keyid}  {revoked.name}  {state(revoked)}")


@key.command(
    help=tr(
        "设定密钥（名称或指纹）何时起、何时止可以签名；已停用或吊销的不能更改。",
        "Sets from and until when a key (name or fingerprint) may sign; not of one that has ended "
        "or was revoked.",
    )
)
@click.argument("which", metavar="KEY")
@click.option("--from", "begin", metavar="TIME", help=tr("何时起", "from when"))
@click.option("--until", "end", metavar="TIME", help=tr("何时止", "until when"))
@lang_option
@answering("key-window")
def window(which: str, begin: str | None, end: str | None) -> None:
    if begin is None and end is None:
        raise BadInput(tr("须给出 --from 或 --until", "give --from or --until"))
    entry = keyring.window(
        which,
        parse_time(begin, where="--from") if begin else None,
        parse_time(end, where="--until") if end else None,
    )
    answer(keyid=entry.keyid, name=entry.name)
    click.echo(f"{entry.keyid}  {entry.name}  {state(entry)}")


@key.command(
    help=tr(
        "列出密钥；给出 KEY（名称、文件或 pkcs11:…）时输出其公钥。",
        "Lists the keys; with KEY (a name, a file, or pkcs11:…), prints its public key.",
    )
)
@click.argument("which", metavar="[KEY]", required=False)
@passphrase_option
@form_option("table", "json")
@lang_option
def show(which: str | None, passphrase_file: Path | None, form: str) -> None:
    if which is not None:
        public = load_key(which, passphrase_file)[0].public
        if form == "json":
            about = {"keyid": public.keyid, "type": public.type, "pem": public.pem}
            click.echo(as_json("key", about), nl=False)
            return
        click.echo(f"{public.keyid}  {public.type}", err=True)
        click.echo(public.pem, nl=False)
        return
    known = keyring.trust()
    if form == "json":
        # the trust file itself, which `--trust` takes: it has a schema of its own
        click.echo(json.dumps(known.to_json(), ensure_ascii=False, indent=1))
        return
    if not known.keys:
        raise BadInput(
            tr("还没有密钥", "there is no key yet"),
            where=str(keyring.folder()),
            mend="`hostpledge key new`",
        )
    for entry in known.keys:
        shown = _place(entry.name) or tr("（无私钥文件）", "(no private key file)")
        signs = said(entry)
        click.echo(
            f"{entry.keyid}  {entry.key.type:7}  {entry.name}  {state(entry)}  {signs}  {shown}"
        )


@key.command(
    help=tr(
        "输出信任文件（公钥、用途及有效期），供核验方使用；其中没有任何秘密。",
        "Prints the trust file (public keys, what they sign, when they were valid) for whoever "
        "verifies. "
        "Nothing in it is secret.",
    )
)
@click.option(
    "-o",
    "--output",
    type=FilePath(path_type=Path),
    metavar="FILE",
    help=tr("写入文件", "write it there"),
)
@click.option(
    "--add",
    "others",
    multiple=True,
    type=FilePath(path_type=Path),
    metavar="PEM",
    help=tr("另加一个公钥文件，可重复", "another public key file to take in; repeatable"),
)
@click.option(
    "--sigstore",
    is_flag=True,
    help=tr(
        "改为输出 trusted_root.json（日志密钥与时间戳机构），供 cosign 离线核验",
        "print trusted_root.json instead (keys of logs, timestamp authorities), for cosign",
    ),
)
@lang_option
def trust(output: Path | None, others: tuple[Path, ...], sigstore: bool) -> None:
    if output is not None:
        check_output(output, *others)
    known = keyring.trust()
    for path in others:
        public = keys.PublicKey.from_pem(read_at_most(path, _MOST), where=str(path))
        if known.find(public.keyid) is None:
            known = replace(known, keys=(*known.keys, TrustedKey(public, path.stem)))
    if not known.keys:
        raise BadInput(
            tr("还没有密钥", "there is no key yet"),
            where=str(keyring.folder()),
            mend="`hostpledge key new`",
        )
    data = known.with_roles().to_bytes()
    if sigstore:
        from collector.attest.log.rekor import trusted_root

        data = trusted_root(known)
    if output is None:
        click.echo(data, nl=False)
    else:
        write_aside(output, data, 0o644)


@key.command(
    help=tr(
        "信任一个时间戳机构：PEM 为其根证书（及中间证书）。写入自己的信任文件，同名的被替换。",
        "Trusts a timestamp authority: PEM holds its root certificate, and intermediate ones if "
        "any. It goes into your own trust file, in the place of one of the same name.",
    )
)
@click.argument("pem", type=FilePath(path_type=Path))
@click.option("--name", help=tr("名称，默认为文件名", "its name; default: the file's"))
@lang_option
@answering("key-authority")
def authority(pem: Path, name: str | None) -> None:
    text = read_at_most(pem, _MOST).decode("ascii", "replace")
    known = Authority.from_pem((name or pem.stem)[:200], text, where=str(pem))
    keyring.trust_authority(known)
    answer(name=known.name)
    for one in known.certificates:
        ends = stamp(one.not_valid_after_utc)
        subject = one_line(one.subject.rfc4514_string())
        click.echo(f"{known.name}  {subject}  {tr('有效期至', 'valid until')} {ends}")


key.add_command(roles)


def _say_made(name: str, made: keys.PrivateKey) -> None:
    answer(keyid=made.keyid, type=made.public.type, name=name, place=_place(name))
    click.echo(f"{made.keyid}  {made.public.type}  {name}  {_place(name)}")


def _place(name: str) -> str:
    """The key's file, or its name in a token; empty where there is no file."""
    place = keyring.path_of(name)
    if not place.exists():
        return ""
    named = keys.in_token(place)
    return named.text if named else str(place)
