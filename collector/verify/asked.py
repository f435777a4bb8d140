"""Is what the signer says of its controls what the release says that it names?

A catalogue is named by its digest, so nobody honest differs from it. What verdicts follow from
(which controls there are, their clause, severity and veto) is refused where it differs; texts are
told, as a later reader of the same catalogue may spell them otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from collector import releases, scope
from collector.assess import fill
from collector.errors import VerifyFailed, listed, one_line, shown
from collector.facts.probed.recording import PREFIX
from collector.i18n.message import msg
from collector.model import Capture, HostStatus, Result, Text
from collector.releases import Known, Release
from collector.scope import Scope
from collector.verify.before import Check

_NAMED = 5
_SATISFIED = (Result.PASS, Result.NOTAPPLICABLE)
_PLACE = re.compile(r"\{(\w+)\}")
# how the script names each of its reads
_READ = re.compile(r"^hp_\w+ '([a-z0-9_]+\.[a-z0-9_.]+)' ", re.MULTILINE)


class Asked:
    """The controls of one check, held to their release. `strange` are texts that are not its own.

    `unread` are reads of the script that ran, by host, which are not in its capture.
    """

    def __init__(self, check: Check, script: str | None) -> None:
        frame = check.frame
        self.release = releases.find(frame["catalog_sha256"])
        self.scope = scope.of_evidence(frame)
        self.strange: dict[str, None] = {}
        self.unread: dict[str, frozenset[str]] = {}
        self._script = frozenset(_READ.findall(script or ""))
        self._check = check
        self._grade: int = frame["grade"]
        self._known = self.release.at(self._grade) if self.release else {}
        for id, about in frame["controls"].items():
            if id in self._known:
                self._note(id, "title", about["title"], self._known[id].title)
                criterion = self._known[id].criterion[self._grade]
                self._note(id, "criterion", about["criterion"], criterion)

    def hold(self) -> None:
        """Raises VerifyFailed where what verdicts follow from is another than in the release.

        The last thing to be looked at: where evidence does not agree with itself, that is said.
        """
        place = self._check.findings.where
        if self.release is not None:
            self._hold(self.release, self._check.frame["controls"], place)
        self._hold_scope(place)

    @property
    def own_scope(self) -> Scope | None:
        """That by which its maker narrowed its clauses; None where it did not know of any."""
        return replace(self.scope, known=True) if "scope" in self._check.frame else None

    def _hold(self, release: Release, said: Mapping[str, Any], place: str) -> None:
        for id, about in said.items():
            version = release.version
            if id not in self._known:
                raise VerifyFailed(
                    msg("release_names_no_such", which=id, version=version),
                    where=place,
                )
            for name, value in self._known[id].weighs[self._grade].items():
                if about[name] != value:
                    raise VerifyFailed(
                        msg("release_names_another", which=id, version=version, name=name),
                        where=place,
                    )

    def _hold_scope(self, place: str) -> None:
        said = self._check.frame.get("scope")
        if said is None:
            return
        if self.scope.to_json() != said:
            raise VerifyFailed(msg("scope_not_follow_controls"), where=place)
        there = [host for host in said["absent"] if host in self._check.names]
        if there:
            raise VerifyFailed(msg("said_missing", there=there[0]), where=place)

    def finding(self, found: Mapping[str, Any]) -> None:
        """Notes where the texts of a finding are not those of the release."""
        id = found["control"]
        known = self._known.get(id)
        if self.release is None or known is None:
            return
        self._note(id, "expected", found["expected"], known.criterion[self._grade])
        self._note(id, "remediation", found["remediation"], known.remediation[self._grade])
        if not says(self.release, known, found):
            self.strange[f"{id} message"] = None

    def capture(self, capture: Capture) -> None:
        """Notes reads of the script that are not in what it printed to its end."""
        missing = self._script - set(capture.reads)
        if missing and capture.status is HostStatus.COMPLETE:
            self.unread[capture.host] = missing

    def _note(self, id: str, name: str, said: Mapping[str, str], known: Text) -> None:
        if (said["zh"], said["en"]) != (known.zh, known.en):
            self.strange[f"{id} {name}"] = None

    def unproven(self) -> tuple[Text, ...]:
        """What this leaves open, for people."""
        found = []
        if self.strange:
            names = list(self.strange)
            more = len(names) - _NAMED
            some = ", ".join(shown(name, 100) for name in names[:_NAMED])
            found.append(
                Text(
                    f"所用文字与所称版本不符，共 {len(names)} 处：{some}"
                    f"{' 等' if more > 0 else ''}；出自签名人。",
                    f"The words: {len(names)} text(s) are not those of the release it names, but "
                    f"the signer's own: {some}{f' and {more} more' if more > 0 else ''}.",
                )
            )
        if self.unread:
            count = sum(map(len, self.unread.values()))
            host, ids = min(self.unread.items())
            name, read = listed([host]), shown(min(ids), 80)
            found.append(
                Text(
                    f"所运行脚本中有 {count} 项读取不在完整的采集文件中"
                    f"（如 {name} 的 {read}）：由此得出的结论须以 replay 核对。",
                    f"What follows from {count} read(s) of the script that ran and are not in the "
                    f"captures, though these are whole (as {read} of {name}): "
                    "`hostpledge replay` shows it.",
                )
            )
        return tuple(found)


def says(release: Release, known: Known, found: Mapping[str, Any]) -> bool:
    """Is the finding's message the release's own, with the finding's values in it?

    A control may have words of its own for a reason that all controls have.
    """
    reason = found["reason"]
    told = (known.messages.get(reason), release.reasons.get(reason))
    return any(_is_of(one, release, found) for one in told if one is not None)


def _is_of(template: Text, release: Release, found: Mapping[str, Any]) -> bool:
    values, message = found["values"], found["message"]
    for kind, borne_out in _BEHIND.items():
        behind = release.reasons.get(kind)
        if behind is not None and f"{kind}_en" in values and borne_out(found):
            template = Text(template.zh + behind.zh, f"{template.en} {behind.en}")
    filled = fill(template, values)
    if (filled.zh, filled.en) == (message["zh"], message["en"]):
        return True
    return _fits(template.zh, values, "、", message["zh"]) and _fits(
        template.en, values, ", ", message["en"]
    )


def _quotes_a_probe(found: Mapping[str, Any]) -> bool:
    return any(str(quote["read"]).startswith(PREFIX) for quote in found["evidence"])


# what stands behind a control's own words, and what has to be so for it to stand there
_BEHIND: Mapping[str, Callable[[Mapping[str, Any]], bool]] = {
    "probed": _quotes_a_probe,
    "in_vain": lambda found: found["verdict"] not in _SATISFIED,
}


def _fits(template: str, values: Mapping[str, Any], comma: str, said: str) -> bool:
    pattern, place = "", 0
    for found in _PLACE.finditer(template):
        pattern += re.escape(template[place : found.start()])
        pattern += _spelt(values.get(found[1], found[0]), comma)
        place = found.end()
    return re.fullmatch(pattern + re.escape(template[place:]), said) is not None


def _spelt(value: Any, comma: str) -> str:
    """The ways in which a value may stand in a message: JSON has lost whether 1 was 1.0."""
    if isinstance(value, list):
        plain = comma.join(map(str, value))
        exact = comma.join(str(float(v)) if type(v) is int else str(v) for v in value)
    else:
        plain = str(value)
        exact = str(float(value)) if type(value) is int else plain
    spelled = {one_line(text, 1000) for text in (plain, exact)}
    return f"(?:{'|'.join(map(re.escape, sorted(spelled)))})"
