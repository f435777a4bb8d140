"""What the modules of a host answer, within bounds. See `answered`, which Ansible holds to it.

Ansible keeps each answer in one process for all hosts, and takes what stands in `ansible_facts` of
any answer for variables of that host: where files are copied from, how it is reached. Whoever is
root there writes both. And each task waits for the slowest host.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = "HOSTPLEDGE_ANSWERS"
"""The environment variable that names the folder of counts, one file a host; else none is kept."""
SECONDS = "HOSTPLEDGE_HOST_SECONDS"
"""How long all steps of one host may take together; without it they may take any time."""
THOUGHT = "HOSTPLEDGE_TASK_SECONDS"
"""Seconds of processor time here that one task of one host may take."""
# bytes of one answer, and of all that one host answers to a play
LARGEST = 2 << 20
MOST = 24 << 20
# bytes that our own looks may read of a host; they are judged where they come in, and go no further
LOOK = 48 << 20
# characters of a difference: what compares both sides of it takes minutes for a megabyte
_DIFFERENCE = 200_000
# lines of one side by those of the other, over all of one answer: at worst some tenths of a second
_COMPARED = 40_000
_LINES = 1000
_DIFFERENCES = 20
_TOO_LARGE = "(the difference is too large to be shown)\n"
# values of one answer, and how deep they lie: facts of the largest host are some 20,000
_VALUES = 100_000
_DEPTH = 60
# each is shown by itself, in the process of all hosts
_WARNINGS, _WARNING = 20, 2000
# who asks for facts, and looks them through
_GATHERS = "preflight"
# what in an answer would be words to Ansible itself, for all hosts
_WORDS = (
    "ansible_stats", "ansible_job_id", "add_group", "add_host", "include_args", "unreachable",
    "timedout", "deprecations", "censored",
)  # fmt: skip
# a path on the host itself, which Ansible adds
_FOUND = "discovered_interpreter_"


@dataclass(frozen=True, slots=True)
class Spent:
    """What one host has answered, and how long its steps took: the size of two files says it.

    Each task is a process of its own, and has but this to know of those before it.
    """

    place: Path

    @classmethod
    def of(cls, host: str) -> Spent:
        return cls(Path(os.environ[FOLDER]) / hashlib.sha256(host.encode()).hexdigest())

    @property
    def bytes(self) -> int:
        return _size(self.place.with_suffix(".bytes"))

    @property
    def seconds(self) -> float:
        return _size(self.place.with_suffix(".ms")) / 1000

    def add(self, *, answered: int = 0, took: float = 0.0) -> None:
        for suffix, more in ((".bytes", answered), (".ms", int(took * 1000))):
            handle = os.open(self.place.with_suffix(suffix), os.O_RDWR | os.O_CREAT, 0o600)
            try:
                # no byte is written: a file with a hole has any size
                os.ftruncate(handle, os.fstat(handle).st_size + more)
            finally:
                os.close(handle)


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0


def of_a_module(answer: Mapping[str, Any], action: str) -> dict[str, Any]:
    """Plain, without facts that nobody asked for, and without words that are none of a module's.

    Raises OddAnswer for what no module answers.
    """
    told = {name: value for name, value in answer.items() if name not in _WORDS}
    # what Ansible makes of a failure, and of what is out of date, holds objects of its own
    if not isinstance(told.get("exception", ""), str):
        del told["exception"]
    if isinstance(warnings := told.pop("warnings", None), list):
        some = map(_warning, warnings[:_WARNINGS])
        told["warnings"] = [text[:_WARNING] for text in some if text]
    kept: dict[str, Any] = _Plain().made(told)
    facts = kept.pop("ansible_facts", None)
    if "results" in kept:
        # a loop's are a list, and what is asked of them is asked for all hosts
        found = kept.pop("results")
        if isinstance(found, list):
            kept["results"] = [_untimed(one) for one in found]
    if len(json.dumps(kept.get("diff"))) > _DIFFERENCE:
        del kept["diff"]
    if not isinstance(facts, Mapping):
        return kept
    if action.rpartition(".")[2].removeprefix("hostpledge_") != _GATHERS:
        facts = {k: v for k, v in facts.items() if str(k).startswith(_FOUND)}
    return kept | ({"ansible_facts": facts} if facts else {})


class OddAnswer(ValueError):
    """No module answers so: an object of Ansible's own, or more than anybody could look at."""


class _Plain:
    """Makes an answer of what JSON has, and of nothing else: an object may raise when it is read,

    where Ansible does so for all hosts.
    """

    def __init__(self) -> None:
        self._left = _VALUES

    def made(self, value: Any, depth: int = 0) -> Any:
        self._left -= 1
        if depth > _DEPTH or self._left < 0:
            raise OddAnswer
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, str):
            return str.__str__(value)
        if isinstance(value, int):
            return int(value)
        if isinstance(value, float):
            return float(value)
        if isinstance(value, Mapping):
            return {str.__str__(str(k)): self.made(v, depth + 1) for k, v in value.items()}
        if isinstance(value, list | tuple):
            return [self.made(one, depth + 1) for one in value]
        raise OddAnswer


def _warning(said: Any) -> str:
    """Its text: it is an object since 2.19."""
    text = said if isinstance(said, str) else getattr(getattr(said, "event", None), "msg", "")
    return text if isinstance(text, str) else ""


def _untimed(one: Any) -> Any:
    """That a step had no end is Ansible's to say, and ours; no host's."""
    return {k: v for k, v in one.items() if k not in _WORDS} if isinstance(one, dict) else one


def shown(difference: Any) -> Any:
    """A difference that is compared in a moment, in the form of Ansible's callbacks.

    That takes the cube of its lines at worst, in the one process that all hosts wait for.
    """
    every = difference if isinstance(difference, list) else [difference]
    found, left = [], _COMPARED
    for one in every[:_DIFFERENCES]:
        if isinstance(one, Mapping):
            left -= _cost(one)
            found.append(_short(one) if left >= 0 else {"prepared": _TOO_LARGE})
    return found if len(found) == len(every) else [*found, {"prepared": _TOO_LARGE}]


def _cost(one: Mapping[str, Any]) -> int:
    before, after = (
        text if isinstance(text, str) else json.dumps(text, default=str, indent=1)
        for text in (one.get("before", ""), one.get("after", ""))
    )
    # a new file, and one that is taken away, are compared with nothing
    return len(before.splitlines()) * len(after.splitlines())


def _short(one: Mapping[str, Any]) -> Mapping[str, Any]:
    texts = [
        text if isinstance(text, str) else json.dumps(text, default=str, indent=1)
        for text in (one.get("before"), one.get("after"), one.get("prepared"))
    ]
    large = any(len(text) > _DIFFERENCE or len(text.splitlines()) > _LINES for text in texts)
    kept = {k: v for k, v in one.items() if k not in ("before", "after", "prepared")}
    return {**kept, "prepared": _TOO_LARGE} if large else one
