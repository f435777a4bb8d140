"""`hostpledge controls --format oscal-catalog|oscal-profile|oscal-component`: OSCAL 1.2.1 (NIST).

The catalog has a group for each clause and in it the controls, with their numbers as parameters;
a profile picks those of a grade and sets its numbers; the component definition says what checks
each (a component of type `validation`, with the rules and checks by which compliance-trestle joins
them) and what hardens it. `assessment-results` name the same control ids.

    {criterion of 2 days} -> "… within {{ insert: param, backup.fresh.days }} days"

Identifiers are version 5 UUIDs of the controls' digest: other controls, another document.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from collector import __version__
from collector.attest.bundle.evidence import exact
from collector.catalog import catalog_digest, clause_number, clauses, reads_for, two_languages
from collector.errors import escaped, one_line
from collector.export import stamp
from collector.export.oscal import VERSION, prop, uuid_of
from collector.model import Control, Lang, Text, Value
from collector.resources import package_text
from collector.schema import load_own

# how a profile finds the catalog beside it
CATALOG_FILE = "hostpledge-catalog.json"
_PLACE = re.compile(r"\{(\w+)\}")
_CATALOG = Text(
    "《互联网用户入网责任书》二(二)至二(四)的主机核查项",
    "Host controls of the network pledge, clauses 2(2) to 2(4)",
)
_PROFILE = {
    2: Text("二级的核查项与数值", "controls and numbers at MLPS grade 2"),
    3: Text("三级的核查项与数值", "controls and numbers at MLPS grade 3"),
}
_COMPONENTS = Text("hostpledge 的核查与加固", "What hostpledge checks and hardens")
_CHECKS = Text(
    "采集主机状态并据以判定；读取只读，判定离线、可重复。",
    "Reads the state of hosts and judges it; the reads change nothing, judging is offline and "
    "repeatable.",
)
_HARDENS = Text(
    "按核查项的数值整改主机，写入前备份并验证。",
    "Brings hosts to the controls' numbers; what it writes is saved and validated first.",
)
_READS = Text("读取：", "reads: ")


def catalog(selected: Sequence[Control], at: datetime, lang: Lang, grade: int = 2) -> str:
    """`grade` has the numbers that stand until a profile sets others."""
    groups = []
    for clause, entry in clauses().items():
        here = [_control(c, lang, _grade_of(c, grade)) for c in selected if c.clause == clause]
        if here:
            number = clause_number(clause, lang)
            title = f"{number} {entry['title'][lang]}"
            groups.append(
                {
                    "id": f"clause-{clause}",
                    "class": "clause",
                    "title": title,
                    "props": [prop("label", number)],
                    "controls": here,
                }
            )
    return _document("catalog", _CATALOG.to(lang), lang, at, selected, {"groups": groups})


def profile(selected: Sequence[Control], at: datetime, lang: Lang, grade: int = 2) -> str:
    mine = [c for c in selected if grade in c.grades]
    source = _name("catalog", lang, selected)
    picked: dict[str, Any] = {"href": f"#{source}"}
    if mine:
        picked["include-controls"] = [{"with-ids": [c.id for c in mine]}]
    settings = [
        {"param-id": f"{c.id}.{name}", "values": _values(by[grade])}
        for c in mine
        for name, by in c.parameters.items()
        if _values(by[grade])
    ]
    body = {
        "imports": [picked],
        # as the catalog has it: a group for each clause
        "merge": {"as-is": True},
        **({"modify": {"set-parameters": settings}} if settings else {}),
        "back-matter": {"resources": [_beside(source, lang)]},
    }
    title = f"{_CATALOG.to(lang)}: {_PROFILE[grade].to(lang)}"
    return _document("profile", title, lang, at, selected, body, f"grade {grade}")


def component(selected: Sequence[Control], at: datetime, lang: Lang, grade: int = 2) -> str:
    source = _name("catalog", lang, selected)
    checks = _component("validation", "hostpledge", _CHECKS, lang)
    checks["props"] = [p for n, c in enumerate(selected) for p in _rules(n, c, lang)] or [
        prop("version", __version__)
    ]
    hardened = [c for c in selected if c.harden is not None and c.harden.change is not None]
    found = [
        checks | _implemented(source, "checks", selected, lang, _how_checked(grade)),
    ]
    if hardened:
        hardens = _component("software", "hostpledge harden", _HARDENS, lang)
        found.append(hardens | _implemented(source, "hardens", hardened, lang, _how_hardened))
    if not selected:
        del found[0]["control-implementations"]
    body = {"components": found, "back-matter": {"resources": [_beside(source, lang)]}}
    title = _COMPONENTS.to(lang)
    return _document("component-definition", title, lang, at, selected, body, f"grade {grade}")


FORMS: Mapping[str, Callable[[Sequence[Control], datetime, Lang, int], str]] = {
    "oscal-catalog": catalog,
    "oscal-profile": profile,
    "oscal-component": component,
}


def _document(
    kind: str,
    title: str,
    lang: Lang,
    at: datetime,
    selected: Sequence[Control],
    body: Mapping[str, Any],
    beside: str = "",
) -> str:
    document = {
        kind: {
            "uuid": _name(kind, lang, selected, beside),
            "metadata": {
                "title": title,
                "last-modified": stamp(at),
                "version": __version__,
                "oscal-version": VERSION,
                "props": [
                    prop("tool", f"hostpledge {__version__}"),
                    prop("sha256", catalog_digest()),
                ],
            },
            **body,
        }
    }
    return escaped(json.dumps(exact(document), ensure_ascii=False, indent=2)) + "\n"


def _name(kind: str, lang: Lang, selected: Sequence[Control], beside: str = "") -> str:
    ids = ",".join(f"{c.id}:{c.digest}" for c in selected)
    return uuid_of(kind, f"{lang}\n{beside}\n{catalog_digest()}\n{ids}")


def _beside(source: str, lang: Lang) -> dict[str, Any]:
    return {
        "uuid": source,
        "title": _CATALOG.to(lang),
        "rlinks": [{"href": CATALOG_FILE, "media-type": "application/oscal.catalog+json"}],
    }


def _grade_of(control: Control, grade: int) -> int:
    return grade if grade in control.grades else control.grades[0]


def _values(value: Value) -> list[str]:
    """A value that is nothing, or blank, has no form in OSCAL."""
    listed = value if isinstance(value, list) else [value]
    return [text for text in (one_line(str(v), 2000) for v in listed) if text]


def _control(control: Control, lang: Lang, grade: int) -> dict[str, Any]:
    found: dict[str, Any] = {
        "id": control.id,
        "class": control.family,
        "title": control.title.to(lang),
        "props": _props(control),
        "parts": [
            _part(control, "statement", _inserted(control, control.criterion.to(lang))),
            _part(control, "guidance", control.about.to(lang)),
            _part(control, "remediation", control.remediation.to(lang)),
        ],
    }
    told = _declared(control)
    params = []
    for name, by_grade in control.parameters.items():
        param: dict[str, Any] = {
            "id": f"{control.id}.{name}",
            "label": one_line(told[name].to(lang), 2000),
        }
        values = _values(by_grade[grade])
        params.append(param | ({"values": values} if values else {}))
    if params:
        found["params"] = params
    return found


def _declared(control: Control) -> dict[str, Text]:
    """What each of its parameters is, which no judge needs and no `Control` has."""
    place = f"controls/{control.family}/{control.id.split('.', 1)[1]}.yml"
    declared = load_own(package_text(place), where=place).get("parameters", {})
    return {name: two_languages(said["about"]) for name, said in declared.items()}


def _props(control: Control) -> list[dict[str, str]]:
    severities = {g: str(control.severity_at(g)) for g in control.grades}
    return [
        # a label without a namespace is the one that OSCAL's readers show
        {"name": "label", "value": control.number},
        {"name": "sort-id", "value": control.number},
        prop("clause", control.clause),
        *(prop("severity", said) | {"class": f"grade-{g}"} for g, said in severities.items()),
        prop("veto", "true" if control.veto else "false"),
        *(prop("grade", str(grade)) for grade in control.grades),
        *(prop(name, str(number)) for name, number in control.mappings.items() if number != "-"),
        prop("sha256", control.digest),
    ]


def _part(control: Control, name: str, prose: str) -> dict[str, Any]:
    ours = {"ns": "urn:hostpledge:oscal:1"} if name == "remediation" else {}
    return {"id": f"{control.id}_{name}", "name": name, **ours, "prose": prose}


def _inserted(control: Control, criterion: str) -> str:
    def place(found: re.Match[str]) -> str:
        known = found[1] in control.parameters
        return f"{{{{ insert: param, {control.id}.{found[1]} }}}}" if known else found[0]

    return _PLACE.sub(place, criterion)


def _component(kind: str, title: str, about: Text, lang: Lang) -> dict[str, Any]:
    return {
        "uuid": uuid_of("component", kind),
        "type": kind,
        "title": title,
        "description": about.to(lang),
        "props": [prop("version", __version__)],
    }


def _rules(number: int, control: Control, lang: Lang) -> list[dict[str, str]]:
    """The four properties by which compliance-trestle joins a rule with its check."""
    told = {
        "Rule_Id": control.id,
        "Rule_Description": f"{control.number} {control.title.to(lang)}",
        "Check_Id": control.id,
        "Check_Description": control.about.to(lang),
    }
    return [
        prop(name, value) | {"remarks": f"rule_set_{number:02}"} for name, value in told.items()
    ]


_How = Callable[[Control, Lang], tuple[str, list[dict[str, str]]]]


def _implemented(
    source: str, name: str, selected: Sequence[Control], lang: Lang, how: _How
) -> dict[str, Any]:
    requirements = []
    for control in selected:
        description, props = how(control, lang)
        requirements.append(
            {
                "uuid": uuid_of("requirement", f"{name}\n{control.id}"),
                "control-id": control.id,
                "description": description,
                "props": props,
            }
        )
    implementation = {
        "uuid": uuid_of("implementation", f"{name}\n{source}"),
        "source": f"#{source}",
        "description": _CATALOG.to(lang),
        "implemented-requirements": requirements,
    }
    return {"control-implementations": [implementation]}


def _how_checked(grade: int) -> _How:
    def how(control: Control, lang: Lang) -> tuple[str, list[dict[str, str]]]:
        reads = ", ".join(sorted(reads_for([control])))
        said = f"{control.about.to(lang)}\n\n{_READS.to(lang)}{reads}"
        weight = control.severity_at(_grade_of(control, grade))
        return said, [prop("Rule_Id", control.id), prop("severity", str(weight))]

    return how


def _how_hardened(control: Control, lang: Lang) -> tuple[str, list[dict[str, str]]]:
    harden = control.harden
    if harden is None:
        raise KeyError(control.id)
    props = [
        prop("Rule_Id", control.id),
        prop("reversible", "true" if harden.reversible else "false"),
    ]
    if harden.risk is not None:
        props.append(prop("risk", str(harden.risk)))
    texts = (harden.change, harden.person)
    return "\n\n".join(text.to(lang) for text in texts if text is not None), props
