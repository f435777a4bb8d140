"""rsyslog and syslog-ng: which file gets which messages, and where else they are sent."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from collector.errors import NotUnderstood
from collector.facts.masking import URLS, values_of
from collector.model import Capture, CapturedFile, Read, ReadStatus, Text, files

_WORDS = ("pass", "pwd", "secret", "token", "apikey", "api_key", "credential", "headervalue")
_COMMON = [
    URLS,
    r"s/\([Aa]uthorization[:=][[:space:]]*\)[^\"]*/\1redacted/g",
    r"s/\([Bb]earer[[:space:]]\{1,\}\)[^[:space:]\"]\{1,\}/\1redacted/g",
    # the customer's token of a log service, in the place of structured data
    r"s/\[[A-Za-z0-9_-]\{16,\}@/[redacted@/g",
    r"s/\(--[a-z-]*token[[:space:]=]\{1,\}\)[^[:space:]\"]*/\1redacted/g",
]
_RSYSLOG_SECRETS = "\n".join(
    [
        *_COMMON,
        values_of(*_WORDS),
        r"s/\([Pp]assw[A-Za-z]*[[:space:]]\{1,\}\)[^\"=[:space:]][^\"[:space:]]*/\1redacted/g",
        # :ommysql:HOST,DATABASE,USER,PASSWORD and its older form
        r"s/\(:om[a-z]*:[^,]*,[^,]*,[^,]*,\)[^;[:space:]]*/\1redacted/",
        r"s/\([[:space:]]>[^,]*,[^,]*,[^,]*,\)[^;[:space:]]*/\1redacted/",
    ]
)
_SYSLOG_NG_SECRETS = "\n".join(
    [
        *(
            rf"/{word}[a-z_-]*[[:space:]]*([[:space:]]*$/{{"
            "\nn\n"
            r's/"[^"]*"/"redacted"/'
            "\n}"
            for word in ("password", "token", "secret", "auth", "headers")
        ),
        *_COMMON,
        values_of("password", "secret", "token"),
        *(
            step
            for word in ("password", "token", "secret", "auth", "api-key", "access-key", "headers")
            for step in (
                rf"s/\({word}[a-z_-]*[[:space:]]*([[:space:]]*\)\"[^\"]*\"/\1redacted/g",
                rf"s/\({word}[a-z_-]*[[:space:]]*([[:space:]]*\)'[^']*'/\1redacted/g",
                rf"s/\({word}[a-z_-]*[[:space:]]*([[:space:]]*\)[^[:space:]\"')][^)]*/\1redacted/g",
            )
        ),
        *(
            rf"s/^\(@define[[:space:]]\{{1,\}}[^[:space:]]*{word}[^[:space:]]*\).*/\1 redacted/"
            for word in ("[Pp][Aa][Ss][Ss]", "[Tt][Oo][Kk][Ee][Nn]", "[Ss][Ee][Cc][Rr][Ee][Tt]")
        ),
    ]
)

READS: tuple[Read, ...] = (
    files(
        "syslog.rsyslog",
        "/etc/rsyslog.conf",
        "/etc/rsyslog.d/*",
        most=128,
        redact=_RSYSLOG_SECRETS,
        why=Text("系统日志写到何处、转发到何处", "where system messages are written and sent"),
    ),
    files(
        "syslog.syslog_ng",
        "/etc/syslog-ng/syslog-ng.conf",
        "/etc/syslog-ng/conf.d/*.conf",
        redact=_SYSLOG_NG_SECRETS,
        why=Text("系统日志写到何处、转发到何处", "where system messages are written and sent"),
    ),
)

FACILITIES = (
    *"kern user mail daemon auth syslog lpr news uucp cron authpriv ftp".split(),  # noqa: SIM905
    *(f"local{n}" for n in range(8)),
)
_LEVELS = "emerg alert crit err warning notice info debug".split()  # noqa: SIM905
_ALIASES = {"panic": "emerg", "error": "err", "warn": "warning", "security": "auth"}
_SELECTOR = re.compile(
    r"^([A-Za-z0-9,*]+\.[=!]{0,2}[A-Za-z0-9*]+(?:;[A-Za-z0-9,*]+\.[=!\w*]+)*;?)\s+"
)
_LOADED = re.compile(
    r"(?:\$ModLoad\s+|module\s*\(.*\bload\s*=\s*[\"'])(im\w+)", re.IGNORECASE | re.DOTALL
)
_STOPS = ("stop", "~", "discard")


@dataclass(frozen=True, slots=True)
class Output:
    """One way out: a file (`path`) or another host (`target`), and who gets there.

    `takes` are the facilities whose messages of level info get there; None where a condition
    decides that is not understood.
    """

    path: str
    target: str
    takes: frozenset[str] | None
    source: str
    line: str


@dataclass(frozen=True, slots=True)
class Syslog:
    """The outputs of one syslog daemon; `present` is whether it has a configuration at all.

    `inputs` is where it takes this host's messages from: `socket` (/dev/log, or what journald
    forwards) and `journal`.
    """

    daemon: str
    present: bool
    outputs: tuple[Output, ...] = ()
    inputs: frozenset[str] = frozenset(("socket", "journal"))

    def files_of(self, facility: str) -> tuple[Output, ...]:
        """The outputs to a file that get the facility's messages of level info."""
        return tuple(o for o in self.outputs if o.path and o.takes and facility in o.takes)

    def unclear(self) -> tuple[Output, ...]:
        """The outputs to a file under a condition that is not understood."""
        return tuple(o for o in self.outputs if o.path and o.takes is None)

    def targets(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(o.target for o in self.outputs if o.target))


def rsyslog(capture: Capture) -> Syslog:
    """Raises FactError where the configuration cannot be read, or includes what was not read."""
    found = {f.path: f for f in capture.read("syslog.rsyslog").present()}
    if "/etc/rsyslog.conf" not in found:
        return Syslog("rsyslog", present=False)
    walk = _Rsyslog(found)
    walk.file("/etc/rsyslog.conf", 0)
    return Syslog("rsyslog", True, tuple(walk.outputs), frozenset(walk.inputs))


class _Rsyslog:
    """Goes through the statements in their order, as rsyslogd(8) does with a message."""

    def __init__(self, found: Mapping[str, CapturedFile]) -> None:
        self.found = found
        self.outputs: list[Output] = []
        self.inputs: set[str] = set()
        self.closed = False
        self.stopped: set[str] = set()
        self.takes: frozenset[str] | None = frozenset(FACILITIES)

    def file(self, path: str, depth: int) -> None:
        if depth > 10:
            raise NotUnderstood("syslog.rsyslog", f"{path}: included too deeply")
        for text in _statements(self.found[path].text("syslog.rsyslog")):
            included = _included(text)
            if included is None:
                self._statement(text, path)
                continue
            if not included.startswith(("/etc/rsyslog.conf", "/etc/rsyslog.d/")):
                raise NotUnderstood("syslog.rsyslog", f"{path}: includes {included}, not read")
            for name in sorted(self.found):
                regular = self.found[name].status is not ReadStatus.EXIT
                if regular and name != path and fnmatchcase(name, included):
                    self.file(name, depth + 1)

    def _input(self, text: str) -> None:
        """Is it a source of this host: imuxsock, unless its socket is closed, or imjournal?"""
        loaded = _LOADED.match(text)
        off = r"\$OmitLocalLogging\s+on\b|\bSysSock\.Use\s*=\s*[\"'](?:off|no|false|0)\b"
        self.closed = self.closed or re.search(off, text, re.IGNORECASE) is not None
        if loaded and loaded[1].lower() == "imjournal":
            self.inputs.add("journal")
        if loaded and loaded[1].lower() == "imuxsock":
            self.inputs.add("socket")
        if self.closed:
            self.inputs.discard("socket")

    def _statement(self, text: str, path: str) -> None:
        self._input(text)
        selector = _SELECTOR.match(text)
        if text.startswith("$"):
            return
        if text.startswith("&"):
            action = text[1:].strip()
        elif selector:
            self.takes = _selected(selector[1]) - self.stopped
            action = text[selector.end() :]
        elif re.match(r"(if\b|:|!|\+|-[A-Za-z])", text):
            # a condition over a message's own properties; what it lets through is not worked out
            self.takes = None
            action = text
        elif re.match(r"(action|stop)\b", text):
            self.takes = frozenset(FACILITIES) - self.stopped
            action = text
        else:
            return
        self._action(action, path, text)

    def _action(self, action: str, path: str, text: str) -> None:
        words = re.findall(r"[\w~]+", action)
        if action in _STOPS or (self.takes is not None and words[:1] == ["stop"]):
            if self.takes is not None:
                self.stopped |= self.takes
            return
        for output in _ways_out(action):
            self.outputs.append(Output(*output, self.takes, path, text))


def _statements(text: str) -> Iterator[str]:
    """Statements with comments left out and what belongs together on one line.

    A block in braces (RainerScript, rulesets, templates) stays one statement.
    """
    gathered, depth = "", 0
    for line in re.sub(r"\\\n\s*", " ", text).splitlines():
        bare = re.sub(r'("(?:[^"\\]|\\.)*")|(^|\s)#.*', lambda m: m[1] or "", line).strip()
        if not bare:
            continue
        gathered = f"{gathered} {bare}".strip()
        plain = re.sub(r'"(?:[^"\\]|\\.)*"|\'[^\']*\'', "", bare)
        depth += plain.count("{") + plain.count("(") - plain.count("}") - plain.count(")")
        if depth <= 0 and not re.search(r"\bthen$", gathered):
            yield gathered
            gathered, depth = "", 0
    if gathered:
        yield gathered


def _included(text: str) -> str | None:
    match = re.match(r"\$IncludeConfig\s+(\S+)", text, re.IGNORECASE) or re.match(
        r'include\s*\(.*?\bfile\s*=\s*"([^"]+)"', text, re.IGNORECASE
    )
    if not match:
        return None
    return match[1] + "*" if match[1].endswith("/") else match[1]


def _selected(selector: str) -> frozenset[str]:
    """The facilities of which the selector lets a message of level info through."""
    taken: set[str] = set()
    for part in selector.strip(";").split(";"):
        names, _, level = part.rpartition(".")
        listed = {_ALIASES.get(n, n) for n in names.lower().split(",")}
        chosen = set(FACILITIES) if "*" in listed else listed & set(FACILITIES)
        taken = _with_level(taken, chosen, level.lower())
    return frozenset(taken)


def _with_level(taken: set[str], chosen: set[str], level: str) -> set[str]:
    if level == "none":
        return taken - chosen
    negated, level = level.startswith("!"), level.lstrip("!")
    only, level = level.startswith("="), level.lstrip("=")
    level = _ALIASES.get(level, level)
    info = _LEVELS.index("info")
    if level == "*":
        reached = True
    elif level not in _LEVELS:
        raise NotUnderstood("syslog.rsyslog", f"no level is named {level}")
    else:
        reached = _LEVELS.index(level) == info if only else _LEVELS.index(level) >= info
    if negated:
        return taken - chosen if reached else taken
    return taken | chosen if reached else taken


def _ways_out(action: str) -> list[tuple[str, str]]:
    """The (path, target) of an action; none for users, pipes, and programs."""
    found: list[tuple[str, str]] = []
    for body in re.findall(r"action\s*\(((?:[^()\"]|\"[^\"]*\")*)\)", action):
        keys = {k.lower(): v for k, v in re.findall(r'(\w+)\s*=\s*"([^"]*)"', body)}
        kind = keys.get("type", "")
        if kind == "omfile" and keys.get("file", "").startswith("/"):
            found.append((keys["file"], ""))
        elif kind == "omfile":
            found.append((keys.get("dynafile", "?"), ""))
        elif kind in ("omfwd", "omrelp") and keys.get("target"):
            found.append(("", keys["target"]))
    if found or "action" in action:
        return found
    tail = re.split(r"\bthen\b|\s(?=[-@/?])", action)[-1].strip(" {}")
    match = re.match(r"-?(/[^\s;]+)", tail)
    if match and not match[1].startswith(("/dev/", "/proc/")):
        return [(match[1], "")]
    if tail.startswith("?"):
        return [(tail, "")]
    if match := re.match(r"@@?(?:\([^)]*\))?\[?([^\s;\]]+)", tail):
        return [("", match[1])]
    return []


# --- syslog-ng -----------------------------------------------------------------------------------


def syslog_ng(capture: Capture) -> Syslog:
    """The files and hosts that log paths lead to; a path with a filter counts as not understood."""
    found = [f for f in capture.read("syslog.syslog_ng").present() if f.path.endswith(".conf")]
    if not found:
        return Syslog("syslog-ng", present=False)
    text = "\n".join(_without_comments(f.text("syslog.syslog_ng")) for f in found)
    destinations = dict(re.findall(r"destination\s+([\w.-]+)\s*\{(.*?)\}\s*;", text, re.DOTALL))
    filters = dict(re.findall(r"filter\s+([\w.-]+)\s*\{(.*?)\}\s*;", text, re.DOTALL))
    outputs: list[Output] = []
    for path in re.findall(r"log\s*\{(.*?)\}\s*;", text, re.DOTALL):
        takes = _passes(re.findall(r"filter\s*\(\s*([\w.-]+)\s*\)", path), filters)
        line = " ".join(path.split())
        for name in re.findall(r"destination\s*\(\s*([\w.-]+)\s*\)", path):
            body = destinations.get(name, "")
            for file in re.findall(r"file\s*\(\s*\"([^\"]+)\"", body):
                outputs.append(Output(file, "", takes, found[0].path, line))
            for host in re.findall(r"(?:tcp|udp|network|syslog)\s*\(\s*\"([^\"]+)\"", body):
                outputs.append(Output("", host, takes, found[0].path, line))
    return Syslog("syslog-ng", True, tuple(outputs))


def _without_comments(text: str) -> str:
    return re.sub(r'("[^"\n]*")|#[^\n]*', lambda m: m[1] or "", text)


def _passes(names: Iterable[str], filters: Mapping[str, str]) -> frozenset[str] | None:
    """Facilities that pass filters made of facility(…) and level(…) alone; None for others."""
    taken = frozenset(FACILITIES)
    for name in names:
        body = " ".join(filters.get(name, "?").split()).rstrip("; ")
        taken_here: set[str] = set(FACILITIES)
        for part in re.split(r"\s+and\s+", body):
            match = re.fullmatch(r"(not\s+)?(facility|level|priority)\s*\(([^()]*)\)", part)
            if not match:
                return None
            words = {w.strip() for w in match[3].split(",")}
            if match[2] == "facility":
                taken_here = taken_here - words if match[1] else taken_here & words
            elif not any(
                w in ("info", "debug") or w.startswith(("info..", "debug..")) for w in words
            ):
                taken_here = set()
        taken &= taken_here
    return taken
