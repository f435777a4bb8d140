"""The steps of each control per platform, from `remedies/<family>/<control>.yml`.

They are no part of a control's digest nor of evidence: a finding keeps its one sentence, and
whoever shows it takes the steps of the version that shows. Where a role brings the control about,
that comes before any step (`work.hardened`).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from collector import catalog
from collector.catalog import two_languages
from collector.model import Lang, Text
from collector.remedies.work import Fill
from collector.schema import check, load_own

PLATFORMS = ("debian", "rhel7", "rhel8", "openeuler")
# what is typed behind a check, whose status nobody would look at
SAID = "[ $? -eq 0 ] && echo OK || echo NOT OK"
_HERE = Path(__file__).parent
_PARAMETER = re.compile(r"@([a-z_]+)@")
_DEBIAN = {"debian", "ubuntu", "linuxmint", "raspbian", "deepin", "uos", "kali"}
_OPENEULER = {"openeuler", "kylin", "uniontech"}
_RHEL = {"rhel", "centos", "rocky", "almalinux", "ol", "anolis", "tencentos", "fedora", "redhat"}


@dataclass(frozen=True, slots=True)
class Step:
    """Lines are typed by root in a POSIX shell, each of at most 80 ASCII columns.

    `look` changes nothing, and `look_for` says what to see in it. `check` ends with a status other
    than 0 before `commands`, and with 0 after them. `back` undoes them. `run` is True where tests
    run every line of it on the platform; False where nothing ran it. Without `commands` it is for
    a person to decide, or for time to pass.
    """

    platforms: tuple[str, ...]
    why: Text
    commands: tuple[str, ...]
    run: bool
    packages: tuple[str, ...] = ()
    fill: tuple[Fill, ...] = ()
    look: tuple[str, ...] = ()
    look_for: Text | None = None
    check: tuple[str, ...] = ()
    back: tuple[str, ...] = ()
    warns: tuple[str, ...] = ()
    warning: Text | None = None

    @property
    def standing(self) -> str:
        """The label that says what stands behind its lines."""
        if not self.commands:
            return "decide"
        return "run" if self.run else "not_run"

    @property
    def check_said(self) -> tuple[str, ...]:
        """The check as a person types it: it says OK, or NOT OK."""
        return (*self.check, SAID) if self.check else ()

    @property
    def lines(self) -> tuple[str, ...]:
        """All that a person may type of it."""
        return (*self.look, *self.commands, *self.check, *self.back)


@cache
def steps(control: str) -> tuple[Step, ...]:
    """Every step of a control, in the order of its file; none where there is no file."""
    family, _, name = control.partition(".")
    path = _HERE / family / f"{name}.yml"
    if not path.is_file():
        return ()
    where = f"remedies/{family}/{path.name}"
    document = load_own(path.read_bytes(), where=where)
    check(document, "remedy", where=where)
    return tuple(_step(entry) for entry in document["steps"])


def filled_steps(control: str, grade: int = 2) -> tuple[Step, ...]:
    """The control's steps, with its parameters at the grade in the place of `@name@`."""
    known = catalog.described()[control]
    values = known.for_grade(grade if grade in known.grades else known.grades[0]).values

    def filled(lines: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(_PARAMETER.sub(lambda m: str(values[m[1]]), line) for line in lines)

    def said(text: Text) -> Text:
        return Text(*filled((text.zh, text.en)))

    return tuple(
        replace(
            step,
            why=said(step.why),
            look_for=said(step.look_for) if step.look_for else None,
            warning=said(step.warning) if step.warning else None,
            look=filled(step.look),
            commands=filled(step.commands),
            check=filled(step.check),
            back=filled(step.back),
        )
        for step in steps(control)
    )


def for_platform(control: str, platform: str, grade: int = 2) -> tuple[Step, ...]:
    return tuple(step for step in filled_steps(control, grade) if platform in step.platforms)


@cache
def every() -> Mapping[str, tuple[Step, ...]]:
    """By control, those that have any."""
    found = {id: steps(id) for id in catalog.described()}
    return MappingProxyType({id: some for id, some in found.items() if some})


def platform_of(id: str, version: str, like: Collection[str]) -> str | None:
    """By ID, VERSION_ID and ID_LIKE of os-release(5); None where it is none of ours."""
    major = version.lstrip("Vv").partition(".")[0]
    if id in _OPENEULER or "openeuler" in like:
        return "openeuler"
    if id in _DEBIAN or "debian" in like:
        return "debian"
    if id == "alinux":
        return "rhel7" if major == "2" else "rhel8"
    if id in _RHEL or any(word in _RHEL for word in like):
        if id == "tencentos" and major in ("2", "3"):
            return "rhel7" if major == "2" else "rhel8"
        return "rhel7" if major == "7" else "rhel8" if major in ("8", "9", "10") else None
    return None


def shown(step: Step, lang: Lang) -> dict[str, Any]:
    """A step as JSON has it, in one language."""

    def said(text: Text | None) -> str | None:
        return None if text is None else text.to(lang)

    return {
        "platforms": list(step.platforms),
        "why": said(step.why),
        "packages": list(step.packages),
        "fill": [{"name": f.name, "example": f.example, "about": said(f.about)} for f in step.fill],
        "look": list(step.look),
        "look_for": said(step.look_for),
        "commands": list(step.commands),
        "check": list(step.check),
        "back": list(step.back),
        "warns": list(step.warns),
        "warning": said(step.warning),
        "run": step.run,
    }


def _step(entry: Mapping[str, Any]) -> Step:
    def lines(name: str) -> tuple[str, ...]:
        return tuple(str(entry.get(name, "")).splitlines())

    look_for, warning = entry.get("look_for"), entry.get("warning")
    return Step(
        platforms=tuple(entry["platforms"]),
        why=two_languages(entry["why"]),
        commands=lines("commands"),
        run=entry["run"],
        packages=tuple(entry.get("packages", ())),
        fill=tuple(
            Fill(name, word["example"], two_languages(word))
            for name, word in entry.get("fill", {}).items()
        ),
        look=lines("look"),
        look_for=two_languages(look_for) if look_for else None,
        check=lines("check"),
        back=lines("back"),
        warns=tuple(warning["kinds"]) if warning else (),
        warning=two_languages(warning) if warning else None,
    )


@cache
def words() -> Mapping[str, Mapping[str, Text]]:
    """How platforms, kinds of warnings and parts of a step are called."""
    where = "remedies/words.yml"
    document = load_own((_HERE / "words.yml").read_bytes(), where=where)
    return MappingProxyType(
        {
            group: MappingProxyType({key: two_languages(text) for key, text in some.items()})
            for group, some in document.items()
        }
    )
