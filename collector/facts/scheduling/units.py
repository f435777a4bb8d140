r"""What `systemctl show` printed of several units: their properties, an empty line between two.

A command's words are printed as they are, with the line breaks that `\n` in its setting became
(systemd.service(5)): what stands below such a line is of the command until its end, whatever it
looks like.

>>> shown = '''Id=x.service
... ExecStart={ path=/bin/sh ; argv[]=/bin/sh -c set -e
... User=nobody
...
... true ; ignore_errors=no ; start_time=[n/a] ; pid=0 ; code=(null) ; status=0/0 }
... User=root'''
>>> (unit,) = units(shown)
>>> unit["Id"], unit["User"], started_by(unit["ExecStart"])
('x.service', 'root', ['/bin/sh -c set -e\nUser=nobody\n\ntrue'])
"""

from __future__ import annotations

import re

from collector.errors import NotUnderstood
from collector.i18n.message import msg
from collector.model import Capture

_READ = "schedules.timers"
_END = (
    r" ; ignore_errors=(?:yes|no)"
    r"(?: ; (?:start_time|stop_time|pid|code|status)=[^;\n]*)* ?\}[ \t]*$"
)
_ENDS = re.compile(_END)
_COMMAND = re.compile(r"argv\[\]=(.*?)" + _END, re.DOTALL | re.MULTILINE)


def units(text: str) -> list[dict[str, str]]:
    """Raises NotUnderstood where a line is no property and of no command."""
    found: list[dict[str, list[str]]] = [{}]
    going: list[str] = []
    for line in text.split("\n"):
        if going:
            going[-1] += f"\n{line}"
            going = [] if _ENDS.search(line) else going
        elif not line.strip():
            found.append({})
        else:
            key, separator, value = line.partition("=")
            if not separator:
                raise NotUnderstood(_READ, msg("not_understood", line=line[:160]))
            # ExecStart and the timers' times come once for each of them
            values = found[-1].setdefault(key, [])
            values.append(value)
            if value.startswith("{ path=") and not _ENDS.search(value):
                going = values
    if going:
        raise NotUnderstood(_READ, msg("unit_command_without_end", line=going[-1][:160]))
    return [
        {key: "\n".join(values).lstrip("\n") for key, values in one.items()} for one in found if one
    ]


def started_by(started: str) -> list[str]:
    """The words of each command of ExecStart, blanks between them."""
    return _COMMAND.findall(started)


def ignoring(capture: Capture) -> frozenset[str]:
    """Services that go on after a command of theirs failed (`ExecStart=-…`), or may do so."""
    found = set()
    text = capture.read("schedules.timers").text()
    for unit in () if text.strip() in ("no systemd", "no timers") else units(text):
        started = unit.get("ExecStart", "")
        whole = started_by(started)
        strict = started.count(" ; ignore_errors=no ")
        # words behind a semicolon may be quoted, which is not shown
        loose = any(" ;" in words for words in whole)
        if loose or not len(whole) == started.count("argv[]=") == strict:
            found.add(unit.get("Id", ""))
    return frozenset(found)
