"""Loads the controls and what belongs to them. The directory is the list: nothing is registered.

`controls/<family>/<name>.yml` is the metadata, `controls/<family>/<name>.py` the judge, and the
control's id is `<family>.<name>`. `facts/<subsystem>.py` gives READS.
"""

from __future__ import annotations

import hashlib
import importlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

from collector.errors import BadInput
from collector.i18n.message import msg
from collector.model import (
    Clock,
    Control,
    Facts,
    Harden,
    Judge,
    Lang,
    Parameters,
    Read,
    Severity,
    Text,
    Value,
    Verdict,
)
from collector.schema import check, load_own

FAMILIES = (
    "antivirus",
    "firewall",
    "intrusion",
    "logging",
    "monitoring",
    "classification",
    "backup",
    "encryption",
)
GRADES = (2, 3)
_HERE = Path(__file__).parent
_FOLDED = re.compile(r"(?<=[^\x00-\x7f]) (?=[^\x00-\x7f])|(?<=[，。；：、（]) | (?=[，。；：、）])")


@cache
def controls() -> Mapping[str, Control]:
    """Every control by id, in the order of families and then of names."""
    return MappingProxyType({id: _whole(id) for id in described()})


@cache
def described() -> Mapping[str, Control]:
    """As `controls`, for who reads what they say and judges nothing: judges are loaded when called.

    Loading them takes ten times as long as reading what they say.
    """
    found: dict[str, Control] = {}
    for family in FAMILIES:
        for path in sorted((_HERE / "controls" / family).glob("*.yml")):
            control = _load(family, path)
            found[control.id] = control
    return MappingProxyType(found)


def control(id: str) -> Control:
    """The control of that id; raises BadInput when there is none.

    It alone is loaded: each task of a role is a process of its own, and many ask for one control.
    """
    if id not in described():
        raise BadInput(
            msg("no_control_named", which=id), mend=msg("hostpledge_controls_lists_them")
        )
    return _whole(id)


def select(families: Iterable[str] = (), grade: int = 2) -> tuple[Control, ...]:
    """The controls of the families (all when none is named) that apply at the grade."""
    wanted = tuple(families) or FAMILIES
    for family in wanted:
        if family not in FAMILIES:
            raise BadInput(
                msg("no_family_named", family=family), mend=msg("one_of", names=", ".join(FAMILIES))
            )
    if grade not in GRADES:
        raise BadInput(msg("grade_not_known", grade=grade), mend=msg("n_2_3"))
    return tuple(c for c in controls().values() if c.family in wanted and grade in c.grades)


def reads_for(selected: Iterable[Control]) -> Mapping[str, Read]:
    """The reads by id that the facts of these controls rest on."""
    names = sorted({name for control in selected for name in control.facts})
    return MappingProxyType({read.id: read for name in names for read in _reads(name)})


@cache
def all_reads() -> Mapping[str, Read]:
    """Every read of every control."""
    return reads_for(controls().values())


@cache
def _reads(facts: str) -> tuple[Read, ...]:
    module = importlib.import_module(f"collector.facts.{facts}")
    return cast("tuple[Read, ...]", module.READS)


@cache
def reasons() -> Mapping[str, Text]:
    """Messages of findings that no control makes itself."""
    return MappingProxyType({k: two_languages(v) for k, v in _catalog("reasons").items()})


@cache
def probes() -> Mapping[str, Mapping[str, Text]]:
    """What each probe does, its footprint, and what alarms will ring, by its name."""
    return MappingProxyType(
        {
            name: MappingProxyType({part: two_languages(text) for part, text in known.items()})
            for name, known in _catalog("probes").items()
        }
    )


@cache
def clauses() -> Mapping[str, Mapping[str, Any]]:
    """The clauses that hosts are checked for: `number`, and `title` in zh and en."""
    return MappingProxyType(_catalog("clauses"))


def clause_number(id: str, lang: Lang) -> str:
    """How a clause is cited: 二(二) in the documents' own words, 2(2) in English."""
    article, _, part = id.partition(".")
    return str(clauses()[id]["number"]) if lang == "zh" else f"{article}({part})"


@cache
def words() -> Mapping[str, Mapping[str, Text]]:
    """The model's own words for people: `verdict`, `method`, `severity` …, each by its value."""
    return MappingProxyType(
        {
            kind: MappingProxyType({name: two_languages(entry) for name, entry in known.items()})
            for kind, known in _catalog("words").items()
        }
    )


def checked(number: str) -> bool:
    """Was this clause of GB/T 22239-2019 held against the text of the standard?

    Only 8.1.4 (level 3, 安全计算环境) was; others must be called unverified where they are shown.
    """
    clauses_named = re.findall(r"\d+\.\d+\.\d+", number)
    return all(clause == "8.1.4" for clause in clauses_named)


@cache
def catalog_digest() -> str:
    """One SHA-256 over all controls: what was asked, in one word."""
    digest = hashlib.sha256()
    for known in described().values():
        digest.update(f"{known.id} {known.digest}\n".encode())
    return digest.hexdigest()


def _catalog(name: str) -> dict[str, Any]:
    path = _HERE / "catalogs" / f"{name}.yml"
    return cast("dict[str, Any]", load_own(path.read_text(encoding="utf-8"), where=str(path)))


def two_languages(document: Mapping[str, str]) -> Text:
    """A folded YAML text has a blank at each line's end; beside full-width marks it is wrong."""
    return Text(_FOLDED.sub("", document["zh"]), document["en"])


def _load(family: str, path: Path) -> Control:
    where = f"{family}/{path.name}"
    source = path.read_bytes()
    document = load_own(source, where=where)
    check(document, "control", where=where)
    judge_path = path.with_suffix(".py")
    digest = hashlib.sha256(source + b"\0" + judge_path.read_bytes())
    id = f"{family}.{path.stem}"
    return Control(
        id=id,
        number=document["number"],
        clause=document["clause"],
        title=two_languages(document["title"]),
        about=two_languages(document["about"]),
        criterion=two_languages(document["criterion"]),
        severity=Severity(document["severity"]),
        veto=document.get("veto", False),
        grades=tuple(document.get("grades", GRADES)),
        facts=tuple(document["facts"]),
        parameters=_parameters(document.get("parameters", {})),
        messages=MappingProxyType({k: two_languages(v) for k, v in document["messages"].items()}),
        remediation=two_languages(document["remediation"]),
        mappings=MappingProxyType(document["mappings"]),
        digest=digest.hexdigest(),
        judge=partial(_judged, id),
        severity_3=Severity(document["severity_3"]) if "severity_3" in document else None,
        harden=_harden(document["harden"]) if "harden" in document else None,
        guides=tuple(
            (two_languages(guide["source"]), two_languages(guide["asks"]))
            for guide in document.get("guides", ())
        ),
        attested=two_languages(document["attested"]) if "attested" in document else None,
    )


@cache
def _whole(id: str) -> Control:
    return _with_judge(described()[id])


def _with_judge(known: Control) -> Control:
    for name in known.facts:
        _reads(name)
    return replace(known, judge=_judge(known.id))


def _judged(id: str, facts: Facts, parameters: Parameters, clock: Clock) -> Verdict:
    return _judge(id)(facts, parameters, clock)


def _judge(id: str) -> Judge:
    return cast("Judge", importlib.import_module(f"collector.controls.{id}").judge)


def _harden(document: Mapping[str, Any]) -> Harden:
    return Harden(
        change=two_languages(document["change"]) if "change" in document else None,
        risk=Severity(document["risk"]) if "risk" in document else None,
        reversible=document.get("reversible", False),
        person=two_languages(document["person"]) if "person" in document else None,
        person_when=frozenset(document.get("person_when", ())),
        person_when_unchanged=frozenset(document.get("person_when_unchanged", ())),
        idle_when=frozenset(document.get("idle_when", ())),
        warning=two_languages(document["warning"]) if "warning" in document else None,
    )


def _parameters(document: Mapping[str, Any]) -> Mapping[str, Mapping[int, Value]]:
    return MappingProxyType(
        {
            name: MappingProxyType({2: entry["value"], 3: entry.get("grade_3", entry["value"])})
            for name, entry in document.items()
        }
    )
