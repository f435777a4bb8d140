"""What rsyslog knows of a message, and which its selectors and property filters let through.

Answers are True, False, and None where the message at hand does not tell.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from collector.errors import NotUnderstood
from collector.facts.logs.model.syslog_message import ALIASES, CODES, LEVELS, Message
from collector.i18n.message import msg

_READ = "syslog.rsyslog"
Properties = Mapping[str, str]


def properties(message: Message, host: str, source: str) -> dict[str, str]:
    """What rsyslog's properties hold of a message of this host; those not here are not known."""
    level = LEVELS[message.level]
    known = {
        "syslogfacility": str(CODES[message.facility]),
        "syslogfacility-text": message.facility,
        "syslogseverity": str(message.level),
        "syslogseverity-text": level,
        "syslogpriority": str(message.level),
        "syslogpriority-text": level,
        "pri": str(CODES[message.facility] * 8 + message.level),
        "pri-text": f"{message.facility}.{level}",
        "programname": message.program.partition("/")[0],
        "app-name": message.program,
        "syslogtag": message.tag,
        "fromhost-ip": "127.0.0.1",
        "structured-data": "-",
    }
    if message.text is not None:
        known["msg"] = known["rawmsg-after-pri"] = f" {message.text}"
    if host:
        known |= dict.fromkeys(("hostname", "source", "fromhost", "$myhostname"), host)
    if source:
        known["inputname"] = source
    return known


def selected(selector: str, message: Message) -> bool:
    """Does a selector of rsyslog.conf(5) let the message through? The last part that names its

    facility decides.
    """
    through = False
    for part in selector.strip(";").split(";"):
        names, _, level = part.rpartition(".")
        listed = {ALIASES.get(n, n) for n in names.lower().split(",")}
        if "*" in listed or message.facility in listed:
            through = _level(through, level.lower(), message.level)
    return through


def _level(through: bool, level: str, of: int) -> bool:
    if level == "none":
        return False
    negated, level = level.startswith("!"), level.lstrip("!")
    only, level = level.startswith("="), level.lstrip("=")
    level = ALIASES.get(level, level)
    if level == "*":
        reached = True
    elif level.isdecimal() and int(level) < len(LEVELS):
        reached = of == int(level) if only else of <= int(level)
    elif level not in LEVELS:
        raise NotUnderstood(_READ, msg("no_level_named", level=level))
    else:
        reached = of == LEVELS.index(level) if only else of <= LEVELS.index(level)
    if negated:
        return through and not reached
    return through or reached


def property_filter(name: str, op: str, value: str, known: Properties) -> bool | None:
    """`:name, op, "value"`; `op` may begin with `!`."""
    text = known.get(name.lower().lstrip("$"))
    negated, op = op.startswith("!"), op.lstrip("!").strip().lower()
    if text is None:
        return None
    found: bool | None
    if op == "isequal":
        found = text == value
    elif op == "isempty":
        found = not text
    elif op in ("regex", "ereregex"):
        found = searched(value, text, extended=op == "ereregex")
    else:
        found = compared_texts(op, text, value)
    return None if found is None else found is not negated


def compared_texts(op: str, text: str, value: str) -> bool | None:
    if op.endswith("_i"):
        op, text, value = op[:-2], text.lower(), value.lower()
    if op == "contains":
        return value in text
    if op == "startswith":
        return text.startswith(value)
    if op == "endswith":
        return text.endswith(value)
    return None


def searched(form: str, text: str, *, extended: bool) -> bool | None:
    if not extended:
        # in basic expressions these are plain letters; escaped, they are what they are here
        form = re.sub(r"\\?[(){}|+?]", lambda m: m[0][1:] if len(m[0]) == 2 else f"\\{m[0]}", form)
    try:
        return re.search(form, text) is not None
    except (re.error, RecursionError):
        return None
