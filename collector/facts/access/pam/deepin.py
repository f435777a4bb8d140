"""What pam_deepin_pw_check of UOS and deepin demands, by /etc/deepin/dde.conf.

Source: linuxdeepin/deepin-pw-check 6.0.11, lib/deepin_pw_check.c and pam/pam.c: the file is read at
each change of a password by iniparser, nobody is spared, `level=` is not looked at. Builds that
take further words in the line (those of the server with Kylin's and EL's stacks) are not public:
there root counts as bound by `enforce_for_root` alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from collector.errors import NotUnderstood
from collector.facts.access.pam.stack import Entry
from collector.i18n.message import msg
from collector.model import Capture, Quote

MODULE = "pam_deepin_pw_check"
_CONF = "/etc/deepin/dde.conf"
_KNOWN = ("level", "retry", "debug", "dict_path")
_MARKS = r"[^0-9A-Za-z]+"
_KINDS = (r"[0-9]+", r"[a-z]+", r"[A-Z]+", _MARKS)


def demands(entry: Entry, capture: Capture) -> tuple[int, int, bool, tuple[Quote, ...]]:
    """Least length, least kinds of characters, whether root is bound, and the lines that say so.

    Raises FactError where the file was not collected, or its numbers are none.
    """
    known = {f.path: f for f in capture.read("pam.settings").present()}
    if _CONF not in known:
        # the module would write one whose numbers differ by the edition
        raise NotUnderstood("pam.settings", msg("demands_not_known", path=_CONF, module=MODULE))
    settings = _settings(known[_CONF].text("pam.settings"))
    strange = [word for word in entry.args if word.partition("=")[0] not in _KNOWN]
    root = not strange or "enforce_for_root" in strange
    used = tuple(f"{name.upper()} = {value}" for name, value in settings.items())
    quotes = (entry.quote, Quote("pam.settings", used, _CONF))
    # as iniparser: the first letter decides, and what is neither keeps the default, on
    if settings.get("strong_password", "true")[:1].lower() in ("n", "f", "0"):
        return 1, 1, root, quotes
    kinds = _number(settings, "validate_required")
    return _number(settings, "password_min_length"), _least(kinds, settings), root, quotes


def _settings(text: str) -> dict[str, str]:
    """The names of the section [Password], in lower case; of two equal ones the last counts."""
    found: dict[str, str] = {}
    section = ""
    for line in text.splitlines():
        bare = line.strip()
        if match := re.match(r"\[(.*)\]", bare):
            section = match[1].strip().lower()
            continue
        name, equals, value = bare.partition("=")
        if section != "password" or not equals or bare[:1] in "#;":
            continue
        name = name.strip().lower()
        # of this one alone the module reads the whole line
        if name != "validate_policy":
            value = re.split(r"[;#]", value)[0]
        found[name] = value.strip().strip("\"'") if name != "validate_policy" else value.strip()
    return found


def _number(settings: Mapping[str, str], name: str) -> int:
    """strtol(3) with base 0 reads a leading 0 as octal: no number that anybody meant."""
    value = settings.get(name, "1")
    if not re.fullmatch(r"0|[1-9]\d{0,5}", value):
        line = f"{name.upper()} = {value}"
        raise NotUnderstood("pam.settings", msg("at", where=_CONF, what=line))
    return int(value)


def _least(required: int, settings: Mapping[str, str]) -> int:
    """How many of the four kinds that many of the groups of VALIDATE_POLICY are.

    Raises NotUnderstood unless each group is of one kind, as in the file that the module writes.
    """
    policy = settings.get("validate_policy", "")
    if not policy or required < 2:
        return max(min(required, 4), 1)
    text = policy[1:-1] if policy[:1] == policy[-1:] == '"' else policy
    # the marks hold `;` themselves
    groups: list[str] = []
    for group in filter(None, text.split(";")):
        if groups and _kind(group) == _kind(groups[-1]) == _MARKS:
            groups[-1] += f";{group}"
        else:
            groups.append(group)
    kinds = [_kind(group) for group in groups]
    if None in kinds or len(set(kinds)) != len(kinds):
        line = f"VALIDATE_POLICY = {policy}"
        raise NotUnderstood("pam.settings", msg("at", where=_CONF, what=line))
    return min(required, 4)


def _kind(group: str) -> str | None:
    return next((kind for kind in _KINDS if re.fullmatch(kind, group)), None)
