"""What a command says goes through here: whole or not at all, and nothing in it acts on a terminal.

A name or a message may come from a host that means no good: what turns the reading direction,
hides, or drives a terminal is written as its number, in the form that JSON has for it too. So the
same output is safe to look at and, where it is JSON, still says the same.
"""

from __future__ import annotations

import io
import logging
import os
import sys
from typing import Any, TextIO

from collector.cli.asked.loudness import verbose
from collector.errors import escaped, one_line

# what moves the line of progress to its beginning and empties it
_AGAIN = "\r\033[K"
_STREAMS = ((1, "stdout"), (2, "stderr"))
# whose defects the log of the page is to have with all there is of them
_OURS = ("hostpledge", "collector")


class ReaderGoneError(BaseException):
    """Nobody reads standard output any more; click would make status 1 of a BrokenPipeError."""


class _Bytes(io.BufferedWriter):
    """What is under `Out`: files go there as they are, past its text."""

    def flush(self) -> None:
        try:
            super().flush()
        except OSError as problem:
            raise _named(problem) from None


class Out(io.TextIOWrapper):
    """Standard output. A write that the system takes a part of only is gone on with, or fails."""

    def __init__(self) -> None:
        # an unbuffered stream of Python's own (-u) would leave out what did not fit
        raw = _Bytes(io.FileIO(1, "w", closefd=False))
        super().__init__(
            raw, encoding="utf-8", errors="backslashreplace", line_buffering=os.isatty(1)
        )

    def write(self, text: str) -> int:
        # a CR before a LF ends a line (RFC 4180), and moves nothing back
        self.ours("\r\n".join(map(escaped, text.split("\r\n"))))
        return len(text)

    def ours(self, text: str) -> None:
        """As `write`, for text with colours, in which nothing that others said is left to act."""
        try:
            super().write(text)
        except OSError as problem:
            raise _named(problem) from None

    def flush(self) -> None:
        try:
            super().flush()
        except OSError as problem:
            raise _named(problem) from None


class Err(io.TextIOWrapper):
    """Standard error: where it cannot be written to, nobody can be told."""

    def __init__(self) -> None:
        raw = io.BufferedWriter(io.FileIO(2, "w", closefd=False))
        super().__init__(raw, encoding="utf-8", errors="backslashreplace", line_buffering=True)

    def write(self, text: str) -> int:
        moved = _AGAIN if text.startswith(_AGAIN) else ""
        try:
            super().write(moved + escaped(text.removeprefix(moved)))
            super().flush()
        except OSError:
            self.__init__()  # type: ignore[misc]  # what could not be said is forgotten
        return len(text)

    def flush(self) -> None:
        """Each write did it."""


class _OneLine(logging.Formatter):
    """What a library warns of: one line as any other, without where in its own code that was."""

    def format(self, record: logging.LogRecord) -> str:
        if record.name.partition(".")[0] in _OURS or _all_is_wanted():
            return super().format(record)
        said = record.getMessage()
        if record.exc_info and (problem := record.exc_info[1]) is not None:
            said = f"{said}: {type(problem).__name__}: {problem}"
        return one_line(said, 2000)


def _unraisable(found: sys.UnraisableHookArgs) -> None:
    """Nobody can do anything about it: a connection that broke ends once more when it is let go."""
    if _all_is_wanted():
        sys.__unraisablehook__(found)


def _all_is_wanted() -> bool:
    return bool(os.environ.get("HOSTPLEDGE_DEBUG")) or verbose()


def _named(problem: OSError) -> BaseException:
    if isinstance(problem, BrokenPipeError):
        return ReaderGoneError()
    problem.filename = "stdout"
    return problem


def begin() -> None:
    """Takes the standard streams over; those that the caller closed lead nowhere.

    Whatever is opened next would take their place otherwise, and be written into. A closed
    standard output takes nothing: what was to be said there is lost, and that is no success.
    No library says there more than a line at a time.
    """
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.dup2(_nowhere(os.O_RDONLY if number == 1 else os.O_RDWR), number)
    sys.stdin = sys.stdin or open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - until the end
    for number, name in _STREAMS:
        known: TextIO | None = getattr(sys, name)
        if known is None or _is(known, number):
            setattr(sys, name, Out() if number == 1 else Err())
    sys.unraisablehook = _unraisable
    if logging.lastResort is not None:
        logging.lastResort.setFormatter(_OneLine())


def _is(stream: TextIO, number: int) -> bool:
    try:
        return stream.fileno() == number
    except (OSError, ValueError):
        return False


def _nowhere(flags: int = os.O_RDWR) -> int:
    return os.open(os.devnull, flags)


def give_up() -> None:
    """Nothing more is written to standard output: what is left there could not be."""
    if isinstance(sys.stdout, Out):
        # it writes what is left when it ends, and Python 3.13 tells that this failed
        nowhere = _nowhere()
        os.dup2(nowhere, 1)
        os.close(nowhere)
    sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - until the end


def loud(text: str) -> None:
    """A line that must not be overlooked."""
    # standard error, which may stand in its place, makes colours visible
    moving = not isinstance(sys.stdout, Err) and sys.stdout.isatty()
    if moving and not os.environ.get("NO_COLOR"):
        coloured(f"\033[31;1m{escaped(text)}\033[0m\n")
    else:
        sys.stdout.write(f"{text}\n")


def coloured(text: str) -> None:
    """Text with colours of ours; the rest of it was made harmless already."""
    stream: Any = sys.stdout
    (stream.ours if isinstance(stream, Out) else stream.write)(text)
