"""borgmatic's settings, with what they include merged in as borgmatic does (1.9, `config validate
--show`): mappings deep, lists one behind the other, the included before what includes it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from collector.errors import BadInput, NotUnderstood
from collector.i18n.message import msg, told
from collector.model import Capture
from collector.schema import load_yaml

_READ = "backup.settings"
_FILE = re.compile(r"/etc/borgmatic(\.d)?/[^/]+\.ya?ml")
# the word may have been masked: no other one stands before a path here
_MERGED = re.compile(
    r"^<<:[ \t]*(?:!include|\$_[0-9a-f]{8})[ \t]+[\"']?([^\s\"'#]+)[\"']?[ \t]*(?:#.*)?$",
    re.MULTILINE,
)
_DEEPEST = 5


@dataclass(frozen=True, slots=True)
class Settings:
    """One file of settings; `unread` names what it includes and nobody read."""

    path: str
    values: Mapping[str, Any]
    unread: tuple[str, ...]

    @property
    def whole(self) -> bool:
        return not self.unread


def borgmatic_settings(capture: Capture) -> Iterator[Settings]:
    """The files that borgmatic reads without being told. Raises FactError."""
    files = [f for f in capture.read(_READ).present() if f.path.startswith("/etc/borgmatic")]
    texts = {f.path: f.text(_READ) for f in files}
    for path in texts:
        if _FILE.fullmatch(path):
            yield Settings(path, *_loaded(path, texts, 0))


def _loaded(
    path: str, texts: Mapping[str, str], deep: int
) -> tuple[dict[str, Any], tuple[str, ...]]:
    included = _MERGED.findall(texts[path])
    text = _MERGED.sub("", texts[path])
    # an include at another place, and how it is merged in: what it brings is not known
    unread = tuple(dict.fromkeys(re.findall(r"!(?:include|retain|omit)\b", text)))
    text = re.sub(r"!(include|retain|omit)\b[ \t]*", "", text)
    try:
        # the mark of what was masked would be an alias
        document: Any = load_yaml(text.replace("***", "masked"), where=path)
    except BadInput as problem:
        raise NotUnderstood(_READ, told(problem)) from None
    if document is None and included:
        document = {}
    if not isinstance(document, dict):
        raise NotUnderstood(_READ, msg("no_mapping", path=path))
    for name in included:
        where = name if name.startswith("/") else f"{path.rpartition('/')[0]}/{name}"
        if where not in texts or deep >= _DEEPEST:
            unread = (*unread, where)
            continue
        found, missing = _loaded(where, texts, deep + 1)
        document, unread = _merged(found, document), (*unread, *missing)
    return document, unread


def _merged(one: Any, other: Any) -> Any:
    """`other` laid upon `one`."""
    if isinstance(one, dict) and isinstance(other, dict):
        both = {k: _merged(one[k], other[k]) for k in one if k in other}
        return {**one, **other, **both}
    if isinstance(one, list) and isinstance(other, list):
        return [*one, *(x for x in other if x not in one)]
    return other
