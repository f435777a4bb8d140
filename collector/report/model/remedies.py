"""The steps that hosts of a report want typed: each once per platform, however many hosts want it.

They are those of the version that makes the report, not of the evidence.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from collector.catalog import described
from collector.errors import FactError
from collector.facts.system.os_release import platform
from collector.model import Capture, Lang
from collector.remedies.steps import Step, for_platform, hardened, platform_of, words


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
    """Of all (control, platform) that are wanted, those of which there are steps."""
    known = described()
    found = {(id, on) for id, on in wanted if on and id in known and for_platform(id, on)}
    return [
        {
            "anchor": anchor(id, on),
            "number": known[id].number,
            "title": known[id].title.to(lang),
            "platform": words()["platform"][on].to(lang),
            "role": hardened(id),
            "steps": [_step(step, lang) for step in for_platform(id, on, grade)],
        }
        for id, on in sorted(found, key=lambda pair: (known[pair[0]].number, pair[1]))
    ]


def labels(lang: Lang) -> dict[str, str]:
    return {key: text.to(lang) for key, text in words()["label"].items()}


def _step(step: Step, lang: Lang) -> dict[str, Any]:
    parts = [
        (name, look_for if name == "look" else "", "\n".join(getattr(step, name)))
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
