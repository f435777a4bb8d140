"""The steps that hosts of a report want typed: each once per platform, however many hosts want it.

They are those of the version that makes the report, not of the evidence.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from collector.catalog import described
from collector.errors import FactError
from collector.facts.system.os_release import platform
from collector.model import Capture, Control, Lang, Severity
from collector.remedies.steps import Step, for_platform, platform_of, words
from collector.remedies.work import before, comes_last, hardened, in_order, to_fill

_SEVERITIES = tuple(Severity)


def platform_named(capture: Capture) -> tuple[str, str]:
    """The platform whose commands a host understands, and what its distribution calls itself.

    Each is empty where that cannot be told.
    """
    if not capture.reads:
        return "", ""
    try:
        seen = platform(capture)
    except FactError:
        return "", ""
    return platform_of(seen.id, seen.version, seen.like) or "", seen.name


def anchor(control: str, platform: str) -> str:
    """Where the steps of a control stand in the page; empty where there are none."""
    return f"m-{platform}-{control}" if platform and for_platform(control, platform) else ""


def remedies(wanted: Iterable[tuple[str, str]], grade: int, lang: Lang) -> list[dict[str, Any]]:
    """Of all (control, platform) that are wanted, those of which there are steps, as to be done."""
    known = described()
    found = {(id, on) for id, on in wanted if on and id in known and for_platform(id, on)}
    wanted_ids = {id for id, _ in found}
    return [
        {
            "anchor": anchor(id, on),
            "number": known[id].number,
            "title": known[id].title.to(lang),
            "platform": words()["platform"][on].to(lang),
            "role": hardened(id),
            "role_fill": [(word.name, word.example, word.about.to(lang)) for word in to_fill(id)],
            "first": [known[one].number for one in before(id) if one in wanted_ids],
            "last": comes_last(id),
            "steps": [_step(step, lang) for step in for_platform(id, on, grade)],
        }
        for id in in_order(sorted(wanted_ids, key=lambda one: _gravest(known[one])))
        for on in sorted(on for one, on in found if one == id)
    ]


def labels(lang: Lang) -> dict[str, str]:
    return {key: text.to(lang) for key, text in words()["label"].items()}


def _gravest(control: Control) -> tuple[bool, int, str]:
    return (not control.veto, -_SEVERITIES.index(control.severity), control.number)


def _typed(step: Step, name: str) -> tuple[str, ...]:
    lines: tuple[str, ...] = step.check_said if name == "check" else getattr(step, name)
    return lines


def _step(step: Step, lang: Lang) -> dict[str, Any]:
    parts = [
        (name, look_for if name == "look" else "", "\n".join(_typed(step, name)))
        for look_for in [step.look_for.to(lang) if step.look_for else ""]
        for name in ("look", "commands", "check", "back")
        if getattr(step, name)
    ]
    return {
        "why": step.why.to(lang),
        "warning": step.warning.to(lang) if step.warning else "",
        "kinds": [words()["kind"][kind].to(lang) for kind in step.warns],
        "packages": " ".join(step.packages),
        "fill": [(word.name, word.example, word.about.to(lang)) for word in step.fill],
        "parts": parts,
        "run": step.standing,
    }
