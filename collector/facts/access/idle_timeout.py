"""How long an idle shell stays open: what TMOUT a login shell of bash ends up with.

The files are followed as bash follows them (bash(1), INVOCATION), and only as far as can be told
without running them: an assignment under a condition that is not known is not counted.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace

from collector.errors import CouldNotLook, NotUnderstood
from collector.facts.access.sessions import SESSIONS
from collector.facts.base.durations import systemd_span
from collector.facts.base.opened import OPENED
from collector.facts.base.redaction import NO_WORD_OF_PEOPLE, only_listed
from collector.i18n.message import msg
from collector.model import Capture, Quote, Read, ReadStatus, Text, became, files, shell

# Lines that neither branch nor speak of TMOUT are emptied: profiles hold passwords and tokens.
_KEPT = "/^|/!b\n/TMOUT/b\n" + "\n".join(
    rf"/^|[[:space:]]*{word}/b"
    for word in (
        "if[[:space:]]", "elif[[:space:]]", "else", "fi", "for[[:space:]]", "while[[:space:]]",
        "until[[:space:]]", "do$", "do[[:space:]]", "done", "case[[:space:]]", "esac", "then",
        "return", "exit", "[.][[:space:]]", "source[[:space:]]", "[}]", "[A-Za-z_]*[[:space:]]*()",
    )
)  # fmt: skip
_KEPT += "\ns/.*/|/"

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
""".replace("@KEPT@", _KEPT)
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

_SET = re.compile(
    r"^(?:(?P<word>export|readonly|declare|typeset)\s+(?P<options>(?:-\w+\s+)*))?"
    r"TMOUT=[\"']?(?P<value>[^\"'\s;]*)[\"']?$"
)
_MARK = re.compile(
    r"^(?P<word>export|readonly|declare|typeset|unset)\s+(?P<options>(?:-\w+\s+)*)TMOUT$"
)
# conditions that hold for an interactive login shell of bash
_HOLDS = re.compile(
    r"""^(?:\[\[?|test)\s+(?:
      -[nr]\s+["']?\$\{?(?:PS1|BASH|BASH_VERSION)[-:]*\}?["']?
    | ["']?\$\{?(?:PS1|BASH|BASH_VERSION)[-:]*\}?["']?
    | -z\s+["']?\$\{?TMOUT[-:]*\}?["']?
    )\s*\]?\]?$""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Idle:
    """`seconds` of TMOUT (None: not set, 0: off), whether users cannot change it, the lines.

    `conditional` are lines that set it under a condition that is not understood.
    """

    seconds: int | None = None
    fixed: bool = False
    quotes: tuple[Quote, ...] = ()
    conditional: tuple[str, ...] = ()


def idle(capture: Capture) -> Idle:
    """What root's shells end up with. Raises FactError where a file could not be read."""
    return idle_without(capture, frozenset())


def idle_without(capture: Capture, unread: frozenset[str]) -> Idle:
    """The same for one who cannot read these files, and skips them. Raises FactError."""
    known = _files(capture.read("startup.shell").text())
    known = {path: text for path, text in known.items() if path not in unread}
    order = ["/etc/environment", "/etc/profile"]
    order += sorted(p for p in known if p.startswith("/etc/profile.d/"))
    order += ["/etc/profile.local", "/etc/bashrc", "/etc/bash.bashrc", "/etc/bash.bashrc.local"]
    if "/etc/profile" not in known:
        order = ["/etc/environment", "/etc/bash.bashrc"]
    state = Idle()
    for path in order:
        if path in known:
            state = _file(state, path, known[path])
    return state


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


def _file(state: Idle, path: str, text: str) -> Idle:
    """The state after one file. Branches are followed where their condition is known to hold."""
    open_: list[bool] = []  # for each block: is it certain that this line is run?
    for raw in re.sub(r"\\\n", " ", text).splitlines():
        for part in _parts(raw):
            if re.match(r"(if|elif)\b", part):
                known = bool(_HOLDS.match(re.sub(r"^(if|elif)\s+", "", part)))
                if part.startswith("elif"):
                    known = False
                    if open_:
                        open_[-1] = known
                else:
                    open_.append(known)
            elif re.match(r"(for|while|until|case)\b", part) or re.match(r"\w+\s*\(\)", part):
                open_.append(False)
            elif re.match(r"else\b", part) and open_:
                open_[-1] = False
            elif re.match(r"(fi|done|esac|\})\b", part) or part == "}":
                if open_:
                    open_.pop()
            elif re.match(r"(return|exit)\b", part) and all(open_):
                return state
            elif "TMOUT" in part:
                state = _statement(state, path, part, raw, certain=all(open_))
    return state


def _parts(line: str) -> list[str]:
    bare = re.sub(r"(^|\s)#.*", "", line).strip()
    parts = [p.strip() for p in re.split(r";|(?<!\w)then\b|(?<!\w)do\b", bare)]
    return [p for p in parts if p]


def _statement(state: Idle, path: str, part: str, raw: str, *, certain: bool) -> Idle:
    quote = Quote("startup.shell", (raw.strip(),), path)
    guarded = re.match(r"^(.*\])\s*&&\s*(.*)$", part)
    if guarded:
        return _statement(
            state, path, guarded[2], raw, certain=certain and bool(_HOLDS.match(guarded[1]))
        )
    several = re.match(r"^(export|readonly)\s+(.*)$", part)
    words = several[2].split() if several else []
    if several and len(words) > 1 and "TMOUT" in words:
        part = f"{several[1]} TMOUT"
    value, mark = _SET.match(part), _MARK.match(part)
    if not value and not mark:
        if not re.search(r"TMOUT=|unset|readonly", part):
            return state  # it is only looked at
        if certain:
            raise NotUnderstood("startup.shell", msg("at", where=path, what=repr(raw.strip())))
    if not certain:
        return replace(state, conditional=(*state.conditional, f"{path}: {raw.strip()}"))
    if state.fixed:
        return state  # bash refuses: it is readonly
    held = value or mark
    assert held is not None  # noqa: S101 - one of the two matched
    word, options = held["word"] or "", held["options"] or ""
    if word == "unset":
        return replace(state, seconds=None, quotes=(*state.quotes, quote))
    seconds = state.seconds
    if value:
        if not re.fullmatch(r"\d{1,9}", value["value"]):
            raise NotUnderstood("startup.shell", msg("at", where=path, what=repr(raw.strip())))
        seconds = int(value["value"])
    fixed = word == "readonly" or bool(re.search(r"-\w*r", options))
    return replace(state, seconds=seconds, fixed=fixed, quotes=(*state.quotes, quote))


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
