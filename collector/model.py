"""The shapes that every room speaks of: reads, captures, controls, verdicts, findings. No I/O."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Literal, TypeVar

from collector.errors import CouldNotLook, NotUnderstood, PastLimit
from collector.i18n.message import Message, msg

Lang = Literal["zh", "en"]
Scalar = str | int | float | bool | None
Value = Scalar | list[Scalar]
T = TypeVar("T")

# Python ends lines where no program of a host does: what stands in a name or a text there must not
# become a line of its own
_LINE_ENDS = {0x0B: " ", 0x0C: " ", 0x0D: " "} | dict.fromkeys(
    (0x1C, 0x1D, 0x1E, 0x85, 0x2028, 0x2029), "\ufffd"
)
# what odd_names.sh says
_ODD = re.compile(r"^odd name: left out: (.*)\n?", re.MULTILINE)
# what opened.sh says where there are more names than are followed
_MORE = re.compile(r"^names left out: more than (\d+)$", re.MULTILINE)


def _lines_of(data: bytes) -> str:
    """Text whose lines end at LF or CR LF alone, whoever splits it."""
    text = data.decode("utf-8", "replace")
    return text.replace("\r\n", "\n").translate(_LINE_ENDS)


@dataclass(frozen=True, slots=True)
class Text:
    """A text for people in both languages."""

    zh: str
    en: str

    def to(self, lang: Lang) -> str:
        return self.zh if lang == "zh" else self.en


class Result(StrEnum):
    """Verdict words of XCCDF 1.2 (section 6.6.4.2), with `partial` for 部分符合."""

    PASS = "pass"  # noqa: S105 - a verdict
    PARTIAL = "partial"
    FAIL = "fail"
    NOTAPPLICABLE = "notapplicable"
    ERROR = "error"
    NOTCHECKED = "notchecked"


class Method(StrEnum):
    """How a verdict is known, weakest first (after NIST SP 800-53A: examine, test)."""

    ATTESTED = "attested"
    CONFIGURED = "configured"
    OBSERVED = "observed"
    TESTED = "tested"


class Severity(StrEnum):
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


# --- reads ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Read:
    """One look at a host, as data. Made with `command`, `file`, `files` or `shell` below.

    `seconds` and `limit` (bytes of output, per file for `files`) bound it on the host itself;
    `redact` is a sed program through which the output goes before it leaves the host;
    `privileged` means that only root sees the whole: as another user it is recorded as refused.
    """

    id: str
    kind: Literal["command", "files", "shell"]
    why: Text
    argv: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    body: str = ""
    seconds: int = 10
    limit: int = 65_536
    most: int = 64
    redact: str = ""
    privileged: bool = False


def command(
    id: str,
    *argv: str,
    why: Text,
    seconds: int = 10,
    limit: int = 65_536,
    redact: str = "",
    privileged: bool = False,
) -> Read:
    """Run `argv` with no input, in the C locale; a command that is not there is `missing`."""
    return Read(
        id,
        "command",
        why,
        argv=argv,
        seconds=seconds,
        limit=limit,
        redact=redact,
        privileged=privileged,
    )


def files(
    id: str,
    *paths: str,
    why: Text,
    seconds: int = 10,
    limit: int = 65_536,
    most: int = 64,
    redact: str = "",
) -> Read:
    """The content, mode, owner, size and mtime of each file that the glob `paths` match.

    At most `most` files are read; more than that makes the read `truncated`.
    """
    return Read(
        id, "files", why, paths=paths, seconds=seconds, limit=limit, most=most, redact=redact
    )


def shell(
    id: str,
    body: str,
    *,
    why: Text,
    seconds: int = 10,
    limit: int = 65_536,
    redact: str = "",
    privileged: bool = False,
) -> Read:
    """Run a small POSIX sh text with no input; it must only read. Keep it free of functions."""
    return Read(
        id,
        "shell",
        why,
        body=body.strip("\n"),
        seconds=seconds,
        limit=limit,
        redact=redact,
        privileged=privileged,
    )


# --- captures ------------------------------------------------------------------------------------


class ReadStatus(StrEnum):
    """What became of one read. Only `ok` says that everything asked for is there.

    `absent`: no such file; `missing`: no such command; `refused`: no permission; `exit`: the
    command ended with a status other than 0; `lost`: the capture ended before this read did.
    """

    OK = "ok"
    ABSENT = "absent"
    MISSING = "missing"
    REFUSED = "refused"
    TIMEOUT = "timeout"
    TRUNCATED = "truncated"
    EXIT = "exit"
    LOST = "lost"


class HostStatus(StrEnum):
    """What became of collecting from one host."""

    COMPLETE = "complete"
    UNREACHABLE = "unreachable"
    AUTH_REFUSED = "auth_refused"
    HOST_KEY_CHANGED = "host_key_changed"
    BECOME_REFUSED = "become_refused"
    TIMED_OUT = "timed_out"
    LOST = "lost"
    FLOODED = "flooded"
    GARBLED = "garbled"


def became(status: ReadStatus) -> Message:
    """What became of a read, in a word."""
    return msg(f"read_{status}")


@dataclass(frozen=True, slots=True)
class CapturedFile:
    """One file as a `files` read saw it. `mode` is e.g. 0o600, `mtime` epoch seconds."""

    path: str
    status: ReadStatus
    mode: int = 0
    uid: int = -1
    gid: int = -1
    size: int = -1
    mtime: int = 0
    data: bytes = b""

    def text(self, read: str) -> str:
        """The content; raises CouldNotLook unless it is whole."""
        if self.status is not ReadStatus.OK:
            raise CouldNotLook(
                read, msg("place_status", place=self.path, status=became(self.status)), self.status
            )
        return _lines_of(self.data)


@dataclass(frozen=True, slots=True)
class ReadResult:
    """What one read returned, byte for byte."""

    id: str
    status: ReadStatus
    rc: int = 0
    seconds: int = 0
    stdout: bytes = b""
    stderr: str = ""
    files: tuple[CapturedFile, ...] = ()

    @property
    def absent(self) -> bool:
        """There is certainly nothing there: neither the command nor the file exists."""
        return self.status in (ReadStatus.ABSENT, ReadStatus.MISSING)

    @property
    def left_out(self) -> tuple[str, ...]:
        """Folders in which names with a line break were not looked at, each with its last `/`."""
        return tuple(dict.fromkeys(_ODD.findall(_lines_of(self.stdout))))

    def text(
        self, *, accept: tuple[int, ...] = (0,), truncated: bool = False, odd: bool = False
    ) -> str:
        """What it printed, as text; its lines end at LF alone.

        Raises CouldNotLook when the read was not completed, ended with a status not in `accept`,
        or left names out; an incomplete output is only handed out where the caller says
        `truncated=True`, and one that tells of `left_out` with `odd=True`.
        """
        whole = self.status is ReadStatus.OK or (
            self.status is ReadStatus.EXIT and self.rc in accept
        )
        if not whole and not (truncated and self.status is ReadStatus.TRUNCATED):
            raise self._not_whole()
        text = _lines_of(self.stdout)
        if more := _MORE.search(text):
            raise CouldNotLook(self.id, msg("more_names_than_followed", most=more[1]))
        if "odd name: left out: " in text:
            if self.left_out and not odd:
                where = ", ".join(self.left_out[:3])
                raise CouldNotLook(self.id, msg("names_line_break_tab_below", where=where))
            text = _ODD.sub("", text)
        return text

    def present(self) -> tuple[CapturedFile, ...]:
        """The files of a `files` read; empty when there are none.

        Raises CouldNotLook when the read itself was refused, cut off or lost.
        A single file that could not be read is still in the list: its `text()` raises.
        """
        if self.status in (ReadStatus.OK, ReadStatus.ABSENT):
            return self.files
        raise self._not_whole()

    def _not_whole(self) -> CouldNotLook:
        status = self.status
        why = msg("exit_status", rc=self.rc) if status is ReadStatus.EXIT else became(status)
        if self.stderr:
            why = msg("status_saying", status=why, stderr=self.stderr)
        return CouldNotLook(self.id, why, "" if status is ReadStatus.EXIT else status)

    def one(self) -> CapturedFile | None:
        """The only file of a `files` read that names one path; None when it is not there."""
        found = self.present()
        if len(found) > 1:
            raise NotUnderstood(self.id, msg("files_where_one_asked", count=len(found)))
        return found[0] if found else None


@dataclass(frozen=True, slots=True)
class Capture:
    """What one host returned in one run, and how it was had.

    `head` is what the host said of itself (user, uid, shell, clock, machine-id digest …) and
    `origin` what the collecting side knows (transport, address, port, host key, script digest,
    clock). `collected_at` is the collecting side's clock where it had one, else the host's.
    """

    host: str
    status: HostStatus
    nonce: str = ""
    detail: str = ""
    head: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    origin: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    collected_at: datetime | None = None
    reads: Mapping[str, ReadResult] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def root(self) -> bool:
        return self.head.get("uid") == "0"

    def read(self, id: str) -> ReadResult:
        """The result of a read; one that the capture does not hold counts as `lost`."""
        found = self.reads.get(id)
        return found if found is not None else ReadResult(id, ReadStatus.LOST)


# --- controls ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Quote:
    """Evidence: lines of a read (and of one file in it) that a verdict rests on."""

    read: str
    lines: tuple[str, ...] = ()
    path: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a judge says of one host.

    `reason` names a message of the control's metadata, `values` fill it; `until` is the time up
    to which a `pass` holds if nothing changes (signature age, end of a certificate …).
    """

    result: Result
    reason: str
    method: Method = Method.CONFIGURED
    values: Mapping[str, Value] = field(default_factory=lambda: MappingProxyType({}))
    evidence: tuple[Quote, ...] = ()
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Parameters:
    """A control's numbers for one grade."""

    values: Mapping[str, Value]

    def integer(self, name: str) -> int:
        value = self.values[name]
        if isinstance(value, bool) or not isinstance(value, int):
            raise TypeError(f"parameter {name} is not an integer")
        return value

    def strings(self, name: str) -> tuple[str, ...]:
        value = self.values[name]
        if not isinstance(value, list):
            raise TypeError(f"parameter {name} is not a list")
        return tuple(str(v) for v in value)

    def integers(self, name: str) -> tuple[int, ...]:
        return tuple(int(v) for v in self.strings(name))


@dataclass(frozen=True, slots=True)
class Clock:
    """The time a verdict is given for (aware, UTC), and the grade it is given at."""

    now: datetime
    grade: int = 2


class Facts:
    """Facts of one capture, parsed when first asked for; a failed parse fails the same each time.

    `attached` holds documents of the pledge record that a judge may use (the data inventory).
    `watch` is told which fact is being parsed, and "" when it is; those in `barred` (by name, see
    `fact_name`) are not parsed: what is said of them there is raised.
    """

    def __init__(
        self,
        capture: Capture,
        attached: Mapping[str, bytes] | None = None,
        *,
        watch: Callable[[str], None] | None = None,
        barred: Mapping[str, PastLimit] | None = None,
    ) -> None:
        self.capture = capture
        self.attached: Mapping[str, bytes] = attached or {}
        self._known: dict[Callable[[Capture], Any], Any] = {}
        self._watch = watch
        self._barred = barred or {}

    def get(self, parse: Callable[[Capture], T]) -> T:
        """The fact that `parse` makes of the capture; raises what `parse` raises (FactError)."""
        if parse not in self._known:
            self._known[parse] = self._parsed(parse)
        known = self._known[parse]
        if isinstance(known, Exception):
            raise known
        return known  # type: ignore[no-any-return]  # what this very `parse` returned

    def _parsed(self, parse: Callable[[Capture], Any]) -> Any:
        name = fact_name(parse)
        if name in self._barred:
            return self._barred[name]
        if self._watch is not None:
            self._watch(name)
        try:
            return parse(self.capture)
        except Exception as problem:  # noqa: BLE001 - raised again for each judge
            # its frames hold all that was parsed so far
            return problem.with_traceback(None)
        finally:
            if self._watch is not None:
                self._watch("")


def fact_name(parse: Callable[..., Any]) -> str:
    """How a fact is named where judging it is watched: `firewall.rules`."""
    module = parse.__module__.removeprefix("collector.facts.")
    return f"{module}.{getattr(parse, '__qualname__', '?')}"


Judge = Callable[[Facts, Parameters, Clock], Verdict]


@dataclass(frozen=True, slots=True)
class Harden:
    """What hardening does about a control, and what is left to a person.

    `change` is None where no role brings the control about; `risk` says how much of the host's
    work it can disturb (high: it can cut people or services off), `reversible` whether undo puts
    all of it back. `person` is what somebody has to do and why; one of the two is there.
    `person_when` are the reasons of the judge that mean that the person's part alone is missing
    still, `person_when_unchanged` those that mean it where the role found nothing to change.
    `idle_when` are the reasons with which the role has nothing to change: it is not begun then.
    `warning` is what the change may take from the host that has nothing to do with the control.
    """

    change: Text | None
    risk: Severity | None
    reversible: bool
    person: Text | None
    person_when: frozenset[str] = frozenset()
    person_when_unchanged: frozenset[str] = frozenset()
    idle_when: frozenset[str] = frozenset()
    warning: Text | None = None


@dataclass(frozen=True, slots=True)
class Control:
    """One checkable unit: metadata (from YAML) and its judge."""

    id: str
    number: str
    clause: str
    title: Text
    about: Text
    criterion: Text
    severity: Severity
    veto: bool
    grades: tuple[int, ...]
    facts: tuple[str, ...]
    parameters: Mapping[str, Mapping[int, Value]]
    messages: Mapping[str, Text]
    remediation: Text
    mappings: Mapping[str, Any]
    digest: str
    judge: Judge
    severity_3: Severity | None = None
    harden: Harden | None = None
    guides: tuple[tuple[Text, Text], ...] = ()
    """(which guide of a distribution, what it asks for) where that is not what is asked here."""
    attested: Text | None = None
    """Where an attestation of the pledge record counts; None where none does."""

    @property
    def family(self) -> str:
        return self.id.split(".", 1)[0]

    def severity_at(self, grade: int) -> Severity:
        """How much it weighs at a grade: some weigh more where the standard asks for them."""
        return self.severity_3 if grade == 3 and self.severity_3 else self.severity

    def for_grade(self, grade: int) -> Parameters:
        return Parameters({name: by[grade] for name, by in self.parameters.items()})


@dataclass(frozen=True, slots=True)
class Waiver:
    """A failure accepted for a while: it stays visible, and counts as accepted until `expires`.

    `ended`: it stood when it was judged, and does not at the time that is asked about.
    """

    control: str
    host: str
    reason: str
    approver: str
    expires: datetime
    ended: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """One control's verdict on one host, complete enough to stand alone in evidence."""

    host: str
    control: str
    clause: str
    result: Result
    method: Method
    reason: str
    message: Text
    values: Mapping[str, Value]
    evidence: tuple[Mapping[str, Any], ...]
    expected: Text
    remediation: Text
    severity: Severity
    veto: bool
    until: datetime | None = None
    waiver: Waiver | None = None
