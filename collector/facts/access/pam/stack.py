"""PAM as Linux-PAM reads it: the stack of a service with every include resolved, and its course.

Source: pam.conf(5), and the dispatch of Linux-PAM (libpam/pam_dispatch.c) for what the control
words and `[value=action]` lists do.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from collector.errors import NotUnderstood
from collector.facts.access.pam.redaction import NO_SECRETS
from collector.facts.base.allowance import Allowance
from collector.facts.base.redaction import NO_WORD_OF_PEOPLE
from collector.i18n.message import msg
from collector.model import Capture, Quote, Read, ReadStatus, Text, files, shell

_FOLDERS = ("/etc/pam.d/", "/usr/lib/pam.d/", "/usr/etc/pam.d/")
_TYPES = ("auth", "account", "password", "session")

READS: tuple[Read, ...] = (
    files(
        "pam.files",
        "/etc/pam.d/*",
        "/usr/lib/pam.d/*",
        "/usr/etc/pam.d/*",
        "/etc/pam.conf",
        most=256,
        redact=NO_SECRETS,
        why=Text("登录与改密经过哪些 PAM 模块", "which PAM modules logins and new passwords pass"),
    ),
    files(
        "pam.settings",
        "/etc/security/pwquality.conf",
        "/etc/security/pwquality.conf.d/*.conf",
        "/usr/etc/security/pwquality.conf",
        "/usr/etc/security/pwquality.conf.d/*.conf",
        "/etc/passwdqc.conf",
        "/etc/security/faillock.conf",
        "/etc/login.defs",
        "/etc/deepin/dde.conf",
        "/etc/security/*access*.conf",
        "/etc/security/access.d/*.conf",
        redact=NO_WORD_OF_PEOPLE,
        why=Text("口令复杂度与锁定的配置", "settings of password quality and lockout"),
    ),
    shell(
        "pam.modules",
        r"""
for d in /lib/security /lib64/security /usr/lib/security /usr/lib64/security \
  /lib/*/security /usr/lib/*/security; do
  for m in pwquality cracklib passwdqc faillock tally2 pwhistory deepin_pw_check; do
    [ -e "$d/pam_$m.so" ] && printf '%s\n' "module=pam_$m"
  done
  m=$d/pam_faillock.so
  [ -r "$m" ] && { grep -q 'faillock\.conf' "$m" && echo conf=named || echo conf=unnamed; }
done
if command -v dpkg-query >/dev/null 2>&1; then
  dpkg-query -W -f='${Package}=${Version}\n' libpwquality1 libpam-modules 2>/dev/null
elif command -v rpm >/dev/null 2>&1; then
  rpm -q --qf '%{NAME}=%{VERSION}\n' libpwquality pam 2>/dev/null | grep '^[a-z]*='
fi
true
""",
        limit=8192,
        why=Text(
            "装有哪些口令检查模块，libpwquality 与 PAM 的版本（行为随版本不同）",
            "which modules are there, and the versions of libpwquality and PAM (they differ)",
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a stack. `actions` maps return values (`success`, `default` …) to actions.

    `module` is the file's name without `.so`; `inner` holds the entries of a `substack`.
    """

    actions: Mapping[str, str]
    module: str
    args: tuple[str, ...]
    path: str
    line: str
    silent: bool = False
    inner: tuple[Entry, ...] | None = None

    def option(self, name: str) -> str | None:
        """The value of the last `name=value` argument, None when there is none."""
        found = [a.partition("=")[2] for a in self.args if a.startswith(f"{name}=")]
        return found[-1] if found else None

    def flag(self, name: str) -> bool:
        return name in self.args

    @property
    def quote(self) -> Quote:
        return Quote("pam.files", (self.line,), self.path)


_KEYWORDS: Mapping[str, Mapping[str, str]] = {
    "required": {"success": "ok", "new_authtok_reqd": "ok", "ignore": "ignore", "default": "bad"},
    "requisite": {"success": "ok", "new_authtok_reqd": "ok", "ignore": "ignore", "default": "die"},
    "sufficient": {"success": "done", "new_authtok_reqd": "done", "default": "ignore"},
    "optional": {"success": "ok", "new_authtok_reqd": "ok", "default": "ignore"},
}


class Stacks:
    """The stacks of all services, made from the files when asked for."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = texts
        self._room = Allowance("pam.files", 100_000, msg("lines_stacks_include_each"))

    def has(self, service: str) -> bool:
        """Has the service a file of its own?"""
        return self._file(service) is not None

    def stack(self, service: str, kind: str) -> tuple[Entry, ...]:
        """The entries of one type (`auth`, `password` …); those of `other` where it has none.

        Raises NotUnderstood when a line has no known form, or an included file is not there.
        """
        own = tuple(self._entries(service, kind, 0)) if self.has(service) else ()
        if own or not self.has("other"):
            return own
        return tuple(self._entries("other", kind, 0))

    def _file(self, name: str) -> str | None:
        if name.startswith("/"):
            return name if name in self._texts else None
        return next((f + name for f in _FOLDERS if f + name in self._texts), None)

    def _entries(self, name: str, kind: str, depth: int) -> Iterator[Entry]:
        path = self._file(name)
        if path is None:
            raise NotUnderstood("pam.files", msg("included_not", name=name))
        if depth > 32:  # PAM_SUBSTACK_MAX_LEVEL and the like: a loop
            raise NotUnderstood("pam.files", msg("included_too_deeply", path=path))
        for line in _lines(self._texts[path]):
            self._room.take()
            bare = line.partition("#")[0].strip()
            if not bare:
                continue
            if match := re.match(r"@include\s+(\S+)$", bare):
                yield from self._entries(match[1], kind, depth + 1)
                continue
            yield from self._entry(path, bare, kind, depth)

    def _entry(self, path: str, line: str, kind: str, depth: int) -> Iterator[Entry]:
        match = re.match(r"(-?)(\w+)\s+(\[[^\]]*\]|\S+)\s+(\S+)\s*(.*)$", line)
        if match is None or match[2].lower() not in _TYPES:
            raise NotUnderstood("pam.files", msg("at", where=path, what=repr(line)))
        if match[2].lower() != kind:
            return
        control, module, rest = match[3].lower(), match[4], match[5]
        if control == "include":
            yield from self._entries(module, kind, depth + 1)
            return
        inner = None
        actions: Mapping[str, str]
        if control == "substack":
            inner = tuple(self._entries(module, kind, depth + 1))
            actions = _KEYWORDS["required"]
        elif control.startswith("["):
            pairs = re.findall(r"(?<!\w)(\w++)\s*=\s*(\w+)", control)
            actions = {"default": "bad"} | dict(pairs)
        elif control in _KEYWORDS:
            actions = _KEYWORDS[control]
        else:
            raise NotUnderstood("pam.files", msg("at", where=path, what=repr(line)))
        args = tuple(re.findall(r"\[[^\]]*\]|\S+", rest))
        name = module.rpartition("/")[2].removesuffix(".so")
        yield Entry(
            actions,
            name,
            tuple(a.strip("[]") for a in args),
            path,
            re.sub(r"\s+", " ", line),
            bool(match[1]),
            inner,
        )


def _lines(text: str) -> list[str]:
    """As libpam assembles them: a remark ends a line, also one that would go on below."""
    text = re.sub(r"#.*", "#", text)
    return re.sub(r"\\[ \t]*\n(?:[ \t]*#?[ \t]*\n)*", " ", text).splitlines()


def stacks(capture: Capture) -> Stacks:
    """Raises CouldNotLook when a file of /etc/pam.d could not be read."""
    # a link to nothing (of an MTA that is gone) is no file: libpam goes on to the next folder
    found = [f for f in capture.read("pam.files").present() if f.status is not ReadStatus.ABSENT]
    if any(f.path == "/etc/pam.conf" for f in found) and len(found) == 1:
        raise NotUnderstood("pam.files", msg("etc_pam_conf_instead"))
    return Stacks({f.path: f.text("pam.files") for f in found if f.path != "/etc/pam.conf"})


@dataclass(frozen=True, slots=True)
class Course:
    """One way through a stack: what was called with which return value, and how it ended."""

    called: tuple[tuple[Entry, str], ...] = ()
    impression: str = "none"
    success: bool = field(default=False)


Returns = Callable[[Entry, Course], tuple[str, ...]]
_MOST = 4096
# lines of a stack, with those of its substacks, and steps from one to the next
_LONGEST = 200
_STEPS = 20_000


def _length(stack: tuple[Entry, ...]) -> int:
    return sum(1 if entry.inner is None else 1 + _length(entry.inner) for entry in stack)


def courses(stack: tuple[Entry, ...], returns: Returns) -> list[Course]:
    """Every way through a stack, given the values that each module may return at its point.

    Raises NotUnderstood when the ways are more than can be followed.
    """
    found: list[Course] = []
    Allowance("pam.files", _LONGEST, msg("stack_many_lines")).take(_length(stack))
    room = Allowance("pam.files", _STEPS, msg("ways_through_stack"))
    for way, _ in _walk(stack, 0, Course(), returns, room):
        found.append(Course(way.called, way.impression, way.impression == "good"))
        if len(found) > _MOST:
            raise NotUnderstood("pam.files", msg("too_many_ways_through"))
    return found


def _walk(
    stack: tuple[Entry, ...], index: int, way: Course, returns: Returns, room: Allowance
) -> Iterator[tuple[Course, bool]]:
    """(the way so far, has it ended the whole stack)."""
    room.take()
    if index >= len(stack):
        yield way, False
        return
    entry = stack[index]
    reached: list[tuple[Course, str]] = []
    if entry.inner is None:
        for value in returns(entry, way):
            reached.append((Course((*way.called, (entry, value)), way.impression), value))
    else:
        # done and die end the substack only; its impression is what remains of it
        for inner, _ in _walk(entry.inner, 0, Course(way.called), returns, room):
            value = {"good": "success", "bad": "auth_err"}.get(inner.impression, "ignore")
            reached.append((Course(inner.called, way.impression), value))
    for course, value in reached:
        after, jump, ends = _act(entry, course, value)
        if ends:
            yield after, True
        else:
            yield from _walk(stack, index + 1 + jump, after, returns, room)


def _act(entry: Entry, way: Course, value: str) -> tuple[Course, int, bool]:
    """(the way after the action, how many entries are jumped over, is the stack at its end)."""
    action = entry.actions.get(value, entry.actions["default"])
    impression, jump, ends = way.impression, 0, False
    if action in ("ok", "done"):
        impression = "good" if impression == "none" else impression
        ends = action == "done" and impression != "bad"
    elif action in ("bad", "die"):
        impression, ends = "bad", action == "die"
    elif action == "reset":
        impression = "none"
    elif action.isdecimal():
        jump = int(action)
    elif action != "ignore":
        raise NotUnderstood("pam.files", msg("at", where=entry.path, what=repr(entry.line)))
    return Course(way.called, impression), jump, ends
