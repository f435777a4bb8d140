"""How long an idle shell stays open: what TMOUT a login shell of bash ends up with.

The files are followed as bash follows them (bash(1), INVOCATION), and only as far as can be told
without running them: an assignment under a condition that is not known is not counted.
"""

from __future__ import annotations

import math
import re

from collector.errors import CouldNotLook, NotUnderstood
from collector.facts.access.sessions import SESSIONS
from collector.facts.access.startup_flow import Idle, Walk
from collector.facts.base.durations import systemd_span
from collector.facts.base.opened import OPENED
from collector.facts.base.redaction import NO_WORD_OF_PEOPLE, only_listed
from collector.i18n.message import msg
from collector.model import Capture, Quote, Read, ReadStatus, Text, became, files, shell

# Of a line that neither branches nor leaves a file nor speaks of TMOUT only that it is one command
# stays: profiles hold passwords and tokens. What may be part of a longer one stays as it is.
_KEPT = "\n".join(
    [
        r"/^|/!b",
        # how files ask whether the shell is interactive, by words that may leave
        r"""s/"\{0,1\}\${-#\*i}"\{0,1\} != "\{0,1\}\$-"\{0,1\}/-n "$PS1"/""",
        r"""s/"\{0,1\}\$-"\{0,1\} ==\{0,1\} \*i\*/-n "$PS1"/""",
        r"""s/"\{0,1\}\$-"\{0,1\} =~ "\{0,1\}[.*]*i[.*]*"\{0,1\}/-n "$PS1"/""",
        r"""s/case[[:space:]]\{1,\}"\{0,1\}\$-"\{0,1\}[[:space:]]\{1,\}in/case "$PS1" in/""",
        r"s/\*i\*)/i)/g",
        r"/TMOUT/b",
        r"s/^|[[:space:]]*#.*/|/",
        r"/^|[[:space:]]*$/b",
        *(
            rf"/^|[[:space:]]*{word}/b"
            for word in (
                "if[[:space:]]", "elif[[:space:]]", "else", "fi", "for[[:space:]]",
                "while[[:space:]]", "until[[:space:]]", "do$", "do[[:space:]]", "done",
                "case[[:space:]]", "esac", "then", "[.][[:space:]]", "source[[:space:]]", "[(){}]",
                "function[[:space:]]", "[A-Za-z_]*[[:space:]]*()", "[^()]*)",
                "[A-Za-z_]\\{1,24\\}$",
            )
        ),
        r"/[^[:alnum:]_]\(return\|exit\|break\|continue\|exec\|eval\|alias\)\([^[:alnum:]_]\|$\)/b",
        r"/[^[:alnum:]_.\/]\([.]\|source\)[[:space:]]/b",
        r"/<</b",
        r"/;;/b",
        r"/\([\\{(|]\|&&\)[[:space:]]*$/b",
        r"/^[^']*'[^']*$/b",
        r'/^[^"]*"[^"]*$/b',
        "s/.*/|:/",
    ]
)  # fmt: skip

READS: tuple[Read, ...] = (
    shell(
        "startup.shell",
        OPENED
        + (
            r"""
set --
for f in /etc/environment /etc/profile /etc/profile.d/*.sh /etc/profile.local /etc/bashrc \
  /etc/bash.bashrc /etc/bash.bashrc.local; do
  [ -f "$f" ] && hp_plain "$f" || continue
  if hp_can "$f"; then set -- "$@" "$f"; else printf 'refused %s\n' "$f"; fi
done
hp_pour 'file ' '|' "$@" | sed -e '@KEPT@' || exit 1
""".replace("@KEPT@", _KEPT.replace("'", "'\\''"))
            + SESSIONS
            + r"""
echo '== end'
"""
        ),
        limit=1 << 18,
        redact=only_listed("listed"),
        why=Text("登录 shell 的空闲超时（TMOUT）", "the idle timeout of login shells (TMOUT)"),
    ),
    files(
        "startup.logind",
        "/etc/systemd/logind.conf",
        "/etc/systemd/logind.conf.d/*.conf",
        "/usr/lib/systemd/logind.conf.d/*.conf",
        redact=NO_WORD_OF_PEOPLE,
        why=Text("systemd 是否关闭空闲会话", "whether systemd ends idle sessions"),
    ),
)


def idle(capture: Capture) -> Idle:
    """What root's shells end up with. Raises FactError where a file could not be read."""
    return idle_without(capture, frozenset())


def idle_without(capture: Capture, unread: frozenset[str]) -> Idle:
    """The same for one who cannot read these files, and skips them. Raises FactError."""
    known = _files(capture.read("startup.shell").text())
    walk = Walk({path: text for path, text in known.items() if path not in unread})
    walk.file("/etc/environment")
    walk.file("/etc/profile")
    # by bash itself, or by what accounts have in their own files
    for path in ("/etc/profile.local", *_INTERACTIVE):
        if path not in walk.seen:
            walk.file(path)
    return walk.state


_INTERACTIVE = ("/etc/bashrc", "/etc/bash.bashrc", "/etc/bash.bashrc.local")


def _files(text: str) -> dict[str, str]:
    if not text.rstrip().endswith("== end"):
        raise NotUnderstood("startup.shell", msg("ends_before_end"))
    found: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in text.partition("\n== more\n")[0].splitlines():
        if line.startswith("refused "):
            raise CouldNotLook(
                "startup.shell",
                msg("place_status", place=line[8:], status=became(ReadStatus.REFUSED)),
                ReadStatus.REFUSED,
            )
        if line.startswith("file "):
            lines = found.setdefault(line.partition(" ")[2], [])
        elif line.startswith("|"):
            lines.append(line[1:])
        elif line.strip() not in ("", "== end"):
            raise NotUnderstood("startup.shell", msg("not_understood", line=line))
    return {path: "\n".join(body) for path, body in found.items()}


def session_seconds(capture: Capture) -> tuple[int | None, tuple[Quote, ...]]:
    """StopIdleSessionSec of logind.conf(5) in seconds (systemd 252 and later); None: never.

    Raises FactError.
    """
    known = {f.path: f.text("startup.logind") for f in capture.read("startup.logind").present()}
    parts: dict[str, str] = {}
    for base in ("/usr/lib/systemd/", "/etc/systemd/"):
        parts |= {p.rpartition("/")[2]: p for p in known if p.startswith(f"{base}logind.conf.d/")}
    main = ["/etc/systemd/logind.conf"] if "/etc/systemd/logind.conf" in known else []
    found: tuple[int | None, tuple[Quote, ...]] = (None, ())
    for path in [*main, *(parts[name] for name in sorted(parts))]:
        section = ""
        for line in known[path].splitlines():
            if line.strip().startswith("["):
                section = line.strip()
            match = re.match(r"^StopIdleSessionSec\s*=\s*(.*?)\s*$", line.strip())
            # elsewhere systemd says "unknown key", and goes on
            if match and section == "[Login]":
                found = (_idle_span(match[1]), (Quote("startup.logind", (line.strip(),), path),))
    return found


def _idle_span(text: str) -> int | None:
    """StopIdleSessionSec in seconds; None for never. What systemd does not understand it drops."""
    try:
        seconds = systemd_span(text) if text else math.inf
    except ValueError:
        raise NotUnderstood("startup.logind", msg("not_time_span", time=text)) from None
    return int(seconds) if 0 < seconds < math.inf else None
