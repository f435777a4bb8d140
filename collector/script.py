"""Reads → the POSIX sh collector script; the script's output → a capture. Both pure.

The output is a stream of sections. Each begins with a line `@NONCE WORD ARGUMENTS`, and the
bytes up to the next such line are its content. The nonce is drawn anew for each run, so nothing
that a host prints can pass for a section.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from collector.errors import BadInput
from collector.facts.base.listed_words import logs_program, words_program
from collector.facts.base.opened import OPENED
from collector.facts.base.redaction import ERRORS, WORDS
from collector.facts.probed.recording import is_ours
from collector.facts.tls.probe import OUTSIDE
from collector.i18n.message import msg
from collector.model import Capture, CapturedFile, HostStatus, Read, ReadResult, ReadStatus
from collector.resources import package_text

FORM = 1
_HEADER = re.compile(rb"(?:^|\n)hostpledge-capture (\d{1,9}) ([0-9a-f]{16,64})(\r?)(?=\n)")
_ID = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")
_LIMIT = re.compile(r"[0-9]{1,15}")
_NUMBER = re.compile(r"-?[0-9]{1,18}")
_CLOCK = re.compile(r"[0-9]{1,11}")
# bytes of what a host says of itself; one that says more is not believed the rest
_HEAD = 65_536
# what a capture is made of: more than ten times what a host with everything on it has
_MOST_SECTIONS = 120_000
_MOST_READS = 1500
_REFUSED = re.compile(
    r"permission denied|operation not permitted|must be (?:run as )?root|are you root"
    r"|need to be root|only root|access denied|requires? root",
    re.IGNORECASE,
)


def collector_script(reads: Iterable[Read]) -> str:
    """The sh text that performs `reads`, the same for the same reads (its digest is evidence)."""
    wanted = sorted(reads, key=lambda r: r.id)
    programs = dict.fromkeys(read.redact for read in wanted if read.redact)
    lists = any(program.startswith(WORDS) for program in programs)
    names = {program: f"HP_CUT{number}" for number, program in enumerate(programs, 1)}
    lines = ["# What is cut away before anything leaves the host: programs of sed."]
    lines += [f"{name}={_quote(program)}" for program, name in names.items()]
    if lists:
        lines += [
            "# What of people's text may leave: a program of awk.",
            f"HP_WORDS={_quote(words_program())}",
            f"HP_LOGS={_quote(logs_program())}",
        ]
    # a command may complain of a word that it was given
    lines.append(f"HP_ERRORS={_quote(ERRORS)}")
    for read in wanted:
        sed = f'"${names[read.redact]}"' if read.redact else "''"
        lines += ["", f"# {read.id}: {read.why.en}", _call(read, sed)]
    opened = f'HP_OPENED={_quote(OPENED)}\neval "$HP_OPENED"; exec 6>&-\n'
    parts = {
        "@CLEAN@\n": package_text("script_clean.sh"),
        "@SAY@\n": package_text("script_say.sh"),
        "@OPENED@\n": opened,
        "@PATH@\n": package_text("script_path.sh"),
        "@FILES@\n": package_text("script_files.sh"),
        "@READS@\n": "\n".join(lines) + "\n\n",
    }
    text = package_text("script.sh")
    for place, part in parts.items():
        text = text.replace(place, part)
    return text


def script_digest(script: str) -> str:
    """Lower-case hex SHA-256 of the script text, without any nonce line put before it."""
    return hashlib.sha256(script.encode()).hexdigest()


def with_nonce(script: str, nonce: str) -> str:
    """The script with the nonce of this run set before it."""
    return f"HP_NONCE={nonce}\n{script}"


def host_nonce(run_nonce: str, host: str) -> str:
    """The nonce of one host in one run: whoever knows the run's nonce can recompute it."""
    return hashlib.sha256(f"{run_nonce}\n{host}".encode()).hexdigest()[:32]


def _call(read: Read, sed: str) -> str:
    if read.kind == "files":
        words = [str(read.seconds), str(read.limit), str(read.most), sed]
        return " ".join(
            ["hp_files", _quote(read.id), *words, *(_quote(path) for path in read.paths)]
        )
    words = [str(read.seconds), str(read.limit), "1" if read.privileged else "0", sed]
    run = ["hp_run", _quote(read.id), *words]
    if read.kind == "shell":
        # what many reads begin with stands in the script but once
        own = read.body.removeprefix(OPENED)
        shared = '"$HP_SAY"' + ("" if own == read.body else '"$HP_OPENED"')
        return " ".join([*run, '"$HP_SH"', "-c", shared + _quote(own)])
    return " ".join([*run, *(_quote(word) for word in read.argv)])


def _quote(word: str) -> str:
    return "'" + word.replace("'", "'\\''") + "'"


# --- output → capture ----------------------------------------------------------------------------


def parse_output(
    raw: bytes,
    *,
    host: str,
    status: HostStatus | None = None,
    detail: str = "",
    nonce: str = "",
    origin: Mapping[str, Any] | None = None,
) -> Capture:
    """What the script printed, as a capture.

    `status` is what the collecting side knows of the connection, where there was one; without it
    the output alone decides (`lost` when it has no end). With `nonce` the output must carry that
    very nonce. A section that is not as the script writes it makes its read `lost`.
    Raises BadInput when the output holds no capture at all.
    """
    origin = dict(origin or {})
    fault, found, start = _find_header(raw, nonce)
    fault = fault or _too_many(raw, found, start)
    if fault is not None:
        if status is None:
            raise fault
        if status is HostStatus.COMPLETE:
            status, detail = HostStatus.GARBLED, detail or fault.what
        at = _collected_at(origin, {})
        return Capture(host, status, nonce, detail, origin=origin, collected_at=at)
    sections = raw[start:].split(b"\n@" + found.encode() + b" ")[1:]
    head, results, ended = _sections(sections)
    results = {id: r for id, r in results.items() if id != OUTSIDE and not is_ours(id)}
    if status is None or status is HostStatus.COMPLETE:
        status = HostStatus.COMPLETE if ended else HostStatus.LOST
        if not ended:
            detail = detail or msg("output_ends_before_collector")
    if ended and status is HostStatus.LOST:
        status = HostStatus.COMPLETE
    return Capture(
        host,
        status,
        found,
        detail,
        MappingProxyType(head),
        origin,
        _collected_at(origin, head),
        MappingProxyType(results),
    )


def _find_header(raw: bytes, nonce: str) -> tuple[BadInput | None, str, int]:
    """The nonce of the capture in `raw` and where its sections begin, or why there is none."""
    for match in _HEADER.finditer(raw):
        form, found = match[1].decode(), match[2].decode()
        if nonce and found != nonce:
            continue
        if form != str(FORM):
            mend = msg("hostpledge_reads_form_use", form=FORM)
            return BadInput(msg("capture_form_not_known", form=form), mend=mend), "", 0
        if match[3]:
            mend = msg("hand_in_as_written")
            return BadInput(msg("line_ends_changed_cr"), mend=mend), "", 0
        return None, found, match.end()
    what = msg("no_capture_line_hostpledge")
    mend = msg("hand_whole_output_collector")
    return BadInput(what, mend=mend), "", 0


def _too_many(raw: bytes, nonce: str, start: int) -> BadInput | None:
    """Counted before anything is made of it: a small file unpacks to millions of them."""
    begin = b"\n@" + nonce.encode() + b" "
    most, what = _MOST_SECTIONS, "sections"
    if raw.count(begin, start) <= most:
        most, what = _MOST_READS, "reads"
        if len(set(re.findall(begin + rb"read (\S+)", raw[start:]))) <= most:
            return None
    return BadInput(msg("more_no_capture_many", most=most, what=what))


def _collected_at(origin: Mapping[str, Any], head: Mapping[str, str]) -> datetime | None:
    clock = origin.get("clock")
    if isinstance(clock, str):
        return datetime.fromisoformat(clock)
    return host_clock(head)


def host_clock(head: Mapping[str, str]) -> datetime | None:
    """The time by the host's own clock, where that can be one to judge by."""
    seconds = head.get("clock", "")
    if not _CLOCK.fullmatch(seconds):
        return None
    said = datetime.fromtimestamp(int(seconds), UTC)
    # a clock that was never set, or that runs far ahead, is no time to judge by
    return said if 2020 <= said.year < 2100 else None


def _sections(
    sections: list[bytes],
) -> tuple[dict[str, str], dict[str, ReadResult], bool]:
    head: dict[str, str] = {}
    results: dict[str, ReadResult] = {}
    building: _Building | None = None
    for section in sections:
        line, _, content = section.partition(b"\n")
        word, *args = line.decode("ascii", "replace").split(" ")
        if word in ("head", "read", "end") and building is not None:
            results[building.id] = building.lost()
            building = None
        if word == "head" and not head:
            head = _head(content)
        elif word == "read" and args and _ID.fullmatch(args[0]):
            again = args[0] in results
            building = _Building(args, content, whole=not again)
        elif word == "done" and building is not None:
            results[building.id] = building.finish(args)
            building = None
        elif word == "end":
            return head, results, True
        elif building is not None:
            building.add(word, args, content)
    if building is not None:
        results[building.id] = building.lost()
    return head, results, False


def _head(content: bytes) -> dict[str, str]:
    """`key=value` lines; a key that comes again (host keys, addresses) is joined by newlines."""
    head: dict[str, list[str]] = {}
    for line in content[:_HEAD].decode("utf-8", "replace").split("\n"):
        key, separator, value = line.partition("=")
        if separator:
            head.setdefault(key, []).append(value)
    return {key: "\n".join(values) for key, values in head.items()}


def _number(text: str) -> int:
    """Raises ValueError for what `stat`, `date` and `$?` do not print."""
    if not _NUMBER.fullmatch(text):
        raise ValueError("not a number")
    return int(text)


class _Building:
    """One read while its sections come in; `whole` ends when one is not as the script writes it."""

    def __init__(self, args: list[str], stdout: bytes, *, whole: bool) -> None:
        self.id = args[0]
        self.whole = whole and len(args) == 2 and bool(_LIMIT.fullmatch(args[1]))
        self.limit = int(args[1]) if self.whole else 0
        self.stdout = stdout
        self.stderr = ""
        self.spoiled = False
        self.files: list[CapturedFile] = []

    def add(self, word: str, args: list[str], content: bytes) -> None:
        if word == "stderr":
            self.stderr = content.decode("utf-8", "replace")
        elif word == "file":
            self.files.append(_file(args, content))
        elif word == "data" and self.files:
            self.files[-1] = self._with_data(self.files[-1], content)
        elif word == "spoiled":
            self._spoil()
        else:
            self.whole = False

    def _spoil(self) -> None:
        self.spoiled = not self.files
        if self.files and self.files[-1].status is ReadStatus.OK:
            self.files[-1] = replace(self.files[-1], status=ReadStatus.EXIT)

    def _with_data(self, file: CapturedFile, content: bytes) -> CapturedFile:
        status = file.status
        if len(content) > self.limit or file.size > self.limit:
            status, content = ReadStatus.TRUNCATED, content[: self.limit]
        return replace(file, status=status, data=content)

    def lost(self) -> ReadResult:
        return ReadResult(self.id, ReadStatus.LOST, stdout=self.stdout[: self.limit])

    def finish(self, args: list[str]) -> ReadResult:
        try:
            status, rc, seconds = ReadStatus(args[0]), _number(args[1]), _number(args[2])
        except (ValueError, IndexError):
            return self.lost()
        if not self.whole or (self.spoiled and status is not ReadStatus.TIMEOUT):
            return self.lost()
        if len(self.stdout) > self.limit:
            status, self.stdout = ReadStatus.TRUNCATED, self.stdout[: self.limit]
        elif status is ReadStatus.EXIT and _REFUSED.search(self.stderr):
            status = ReadStatus.REFUSED
        return ReadResult(self.id, status, rc, seconds, self.stdout, self.stderr, tuple(self.files))


def _file(args: list[str], content: bytes) -> CapturedFile:
    """A file whose numbers are not all there is `lost`: it went away while it was looked at."""
    path = content.decode("utf-8", "surrogateescape")
    status = ReadStatus.LOST
    try:
        status = ReadStatus(args[0])
        mode, *numbers = args[1:]
        uid, gid, size, mtime = map(_number, numbers)
        return CapturedFile(path, status, _mode(mode), uid, gid, size, mtime)
    except (ValueError, IndexError):
        return CapturedFile(path, ReadStatus.LOST if status is ReadStatus.OK else status)


def _mode(text: str) -> int:
    """Permission bits from `stat -c %a` (octal) or, where there is no stat, from `ls -l`."""
    if re.fullmatch(r"[0-7]{1,4}", text):
        return int(text, 8)
    if not re.fullmatch(r"[-a-zA-Z]([-r][-w][-xsS]){2}[-r][-w][-xtT][.+@]?", text):
        raise ValueError("not a mode")
    bits = 0
    for place, letter in enumerate(text[1:10]):
        if letter not in "-ST":
            bits |= 0o400 >> place
        if letter in "sStT":
            bits |= {2: 0o4000, 5: 0o2000, 8: 0o1000}.get(place, 0)
    return bits
