"""Whom notices go to, and by which channels: a file of its owner's, with secrets in it.

    lang: zh
    people:
      王工: ["mailtos://user:password@example.org?to=wang@example.org", "wecombot://KEY"]
      Li: {lang: en, to: ["dingtalk://TOKEN"], pledges: [yun-2026]}    # of no other pledge
      "*": ["feishu://TOKEN"]        # what is of nobody who is named here

Addresses are those of apprise. Nothing of one is ever said again: it holds a password or a key.
"""

from __future__ import annotations

import hmac
import json
import os
import re
import stat
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal
from urllib.parse import parse_qsl, unquote

from collector import captures, private
from collector.errors import BadInput
from collector.i18n.message import msg
from collector.schema import load_yaml

EVERYBODY = "*"
# those alone: others of apprise write files, or run what they are told to
CHANNELS = ("mailto", "mailtos", "wecombot", "dingtalk", "feishu")
_MOST = 1 << 20
_SECRET = ("pass", "password", "secret")
# what no message goes elsewhere by; any other word is part of where it goes
_ALL = {"format", "overflow", "verify", "rto", "cto"}
_OF_MAIL = {*_ALL, "to", "cc", "bcc", "from", "name", "user", "pass", "smtp", "mode", "reply"}
_OF_WEBHOOKS = {*_ALL, "key", "token", "to", "secret"}
_MAILBOX = re.compile(r'[^@<>"\s]+@[^@<>"\s]+').fullmatch
Lang = Literal["zh", "en", ""]


@dataclass(frozen=True, slots=True)
class Person:
    """`lang` is zh, en, or empty where the command's counts; `channels` are never shown.

    `pledges`: the ids of those whose findings of this name are this person's, `*` for all; empty
    where the settings do not say.
    """

    name: str
    lang: Lang
    channels: tuple[str, ...] = field(repr=False)
    pledges: tuple[str, ...] = ()

    def scheme(self, number: int) -> str:
        return self.channels[number].partition(":")[0].lower()

    def known_by(self, key: bytes) -> tuple[str, ...]:
        """By what an outbox knows each channel, wherever it stands and whoever has it."""
        return tuple(known_by(channel, key) for channel in self.channels)

    def only(self, channels: Collection[str], key: bytes) -> Person:
        """With those of the channels alone that an outbox knows by these."""
        known = zip(self.channels, self.known_by(key), strict=True)
        return replace(self, channels=tuple(one for one, by in known if by in channels))


def known_by(channel: str, key: bytes) -> str:
    """The same only where it reaches the same people: nothing of a password is in it.

    >>> told = known_by("mailtos://u:one@example.org?to=a@example.org", b"")
    >>> told == known_by("mailto://u:two@example.org?to=a@example.org&from=b@example.org", b"")
    True
    >>> told == known_by("mailtos://u:one@example.org?to=c@example.org", b"")
    False
    >>> known_by("wecombot://?key=A", b"") == known_by("wecombot://?key=B", b"")
    False
    """
    scheme, _, rest = channel.partition("://")
    scheme = scheme.lower().removesuffix("s") if scheme.lower() == "mailtos" else scheme.lower()
    reached = _mailboxes(rest) if scheme == "mailto" else _webhook(rest)
    text = f"{scheme} {_everything(rest) if reached is None else reached}".encode()
    return "c" + hmac.digest(key, text, "sha256").hex()[:15]


def _mailboxes(rest: str) -> str | None:
    """Who is written to, whoever sends it; None where that is more than full addresses."""
    own, path, given = _split(rest)
    known = dict(given)
    if len(known) != len(given) or known.keys() - _OF_MAIL:
        return None
    told = [known.get(name, "") for name in ("cc", "bcc")]
    named = [known.get("to", ""), *map(unquote, path.split("/"))]
    if any(named):
        found = [one for text in (*named, *told) for one in _several(text)]
        plain = "%" not in own and found and all(map(_MAILBOX, found))
        return " ".join(sorted(found)).casefold() if plain else None
    # who sends is who is written to: told by several words of the address
    user, at, host = own.rpartition("@")
    return f"{user.partition(':')[0]}@{host}".casefold() if at and not given else None


def _webhook(rest: str) -> str | None:
    """The token, and whom it calls by name; what stands before it is how it is signed."""
    own, path, given = _split(rest)
    known = dict(given)
    tokens = [known[name] for name in ("key", "token") if known.get(name)]
    if len(known) != len(given) or known.keys() - _OF_WEBHOOKS or len(tokens) > 1:
        return None
    named = sorted([*filter(None, path.split("/")), *_several(known.get("to", ""))])
    return "/".join([*(tokens or [own.rpartition("@")[2]]), *named])


def _everything(rest: str) -> str:
    """All but the password; which of two equal words counts depends on where they stand."""
    own, path, given = _split(rest)
    user, at, host = own.rpartition("@")
    told = [f"{name}={value}" for name, value in given if name not in _SECRET]
    if len(dict(given)) == len(given):
        told.sort()
    # a password with a slash in it: none of it can be told from the rest
    who = own if ":" in own and not at else f"{user.partition(':')[0]}{at}{host}"
    return json.dumps([who, path.rstrip("/"), told])


def _split(rest: str) -> tuple[str, str, list[tuple[str, str]]]:
    """Who sends by which server, the path, and the words behind it."""
    before, _, given = rest.partition("?")
    own, _, path = before.partition("/")
    found = parse_qsl(given, keep_blank_values=True)
    if ":" in own and "@" not in own and "@" in path:
        # it may be a password with a slash in it
        found = [("", before), *found]
    return own, path, [(name.casefold(), value) for name, value in found]


def _several(text: str) -> list[str]:
    return [one for one in re.split(r"[,;\s]+", text) if one]


def load(path: Path) -> Mapping[str, Person]:
    """By name. Raises BadInput for a file that others may read, and for what is none."""
    data = captures.read_at_most(path, _MOST)
    about = path.stat()
    if private.others_may_read(path) or about.st_uid not in (os.geteuid(), 0):
        mode = f"{stat.S_IMODE(about.st_mode):04o}"
        raise BadInput(
            msg("notify_file_open", mode=mode), where=str(path), mend=msg("notify_file_chmod")
        )
    try:
        document = load_yaml(data, where=str(path))
    except BadInput:
        # a complaint of YAML shows the line, and the line a password
        raise BadInput(msg("notify_file_no_yaml"), where=str(path)) from None
    known = document.get("people") if isinstance(document, dict) else None
    if not isinstance(known, dict) or not known or document.keys() - {"people", "lang"}:
        raise _odd(path, "people")
    lang = _lang(document.get("lang", ""), path, "lang")
    return {str(name): _person(str(name), entry, lang, path) for name, entry in known.items()}


def _person(name: str, entry: Any, lang: Lang, path: Path) -> Person:
    pledges: list[str] = []
    if isinstance(entry, dict):
        pledges = entry.get("pledges", [])
        listed = isinstance(pledges, list) and all(isinstance(one, str) for one in pledges)
        limited = listed and bool(pledges) and name != EVERYBODY
        if entry.keys() - {"lang", "to", "pledges"} or ("pledges" in entry and not limited):
            raise _odd(path, name)
        lang, entry = _lang(entry.get("lang", lang), path, name), entry.get("to")
    channels = [entry] if isinstance(entry, str) else entry
    if not isinstance(channels, list) or not channels:
        raise _odd(path, name)
    for number, channel in enumerate(channels, 1):
        if not isinstance(channel, str) or channel.partition("://")[0].lower() not in CHANNELS:
            raise BadInput(
                msg("notify_channel_unknown", name=name, number=number),
                where=str(path),
                mend=msg("notify_channels_known", channels=", ".join(CHANNELS)),
            )
    return Person(name, lang, tuple(channels), tuple(pledges))


def _lang(found: Any, path: Path, name: str) -> Lang:
    if found == "zh":
        return "zh"
    if found == "en":
        return "en"
    if found == "":
        return ""
    raise _odd(path, name)


def _odd(path: Path, name: str) -> BadInput:
    return BadInput(
        msg("notify_settings_odd", name=name), where=str(path), mend=msg("notify_settings_form")
    )
