"""What removes logs that do not lie below /var/log, read as what removes those that do."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from collector.errors import NotUnderstood
from collector.facts.backup.commands.command_lines import filled
from collector.facts.logs.deletions import removals, removing
from collector.facts.logs.model.removals import Removal
from collector.facts.scheduling import starts as _starts
from collector.facts.scheduling.models import Job
from collector.facts.scheduling.starts import starts
from collector.i18n.message import Message, msg
from collector.model import Capture, Read

READS: tuple[Read, ...] = _starts.READS

_LOGS = "/var/log"
# stands for such a folder while a job is read
_AS_IF = "/var/log/hostpledge-elsewhere"


def removals_beside(capture: Capture, places: Iterable[str]) -> tuple[Removal, ...]:
    """What units remove that no timer of the system starts, and what enabled jobs remove below

    `places`. Raises FactError as `log_removals` does.
    """
    begun = starts(capture)
    found = [one for job in begun for one in removals(job)]
    for place in sorted(set(places)):
        for job in (*removing(capture, place), *begun):
            found += _below(job, place)
    return tuple(found)


def _below(job: Job, place: str) -> list[Removal]:
    form = re.compile(rf"(?<![\w/.*-]){re.escape(place)}(?![\w.-])")
    text = filled(job.text)
    if not form.search(text):
        return []
    # what it does below /var/log is known
    text = form.sub(_AS_IF, text.replace(_LOGS, "/var/hostpledge-log"))
    try:
        told = removals(replace(job, text=text))
    except NotUnderstood as doubt:
        why = doubt.why
        if isinstance(why, Message):
            why = msg(why.code, **{name: _back(value, place) for name, value in why.values.items()})
        raise NotUnderstood(doubt.read, why) from None
    return [
        replace(one, folder=_back(one.folder, place), line=_back(one.line, place))
        for one in told
        if one.folder.startswith(_AS_IF)
    ]


def _back(value: Any, place: str) -> Any:
    if not isinstance(value, str) or isinstance(value, Message):
        return value
    return value.replace(_AS_IF, place).replace("/var/hostpledge-log", _LOGS)
