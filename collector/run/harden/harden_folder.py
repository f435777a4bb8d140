"""The folder of one hardening: two checks with what was done between them. Survives a kill -9.

hardening.json       what was asked, planned and done (schemas/hardening.schema.json)
due                  handlers that are due (see `collector.run.ansible.due`)
before/, after/      the two checks (see `collector.run.collected.run_folder`)
earlier/STARTED/     hardenings that ended before, moved aside
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from collector import captures, private
from collector.errors import BadInput
from collector.i18n.message import msg
from collector.plan import Act, HostPlan, Step
from collector.run.ansible.events import Applied
from collector.run.collected.run_folder import RunFolder
from collector.schema import check, load_json

SCHEMA = "urn:hostpledge:schema:hardening:1"
FILE = "hardening.json"


class HardenFolder:
    """One hardening on disk. `begin` makes it, or takes up the one that was interrupted."""

    def __init__(self, path: Path, about: dict[str, Any]) -> None:
        self.path = path
        self.about = about

    @classmethod
    def begin(
        cls,
        path: Path,
        families: Sequence[str],
        controls: Sequence[str],
        grade: int,
        *,
        undo: bool = False,
    ) -> Self:
        """A new one in `path`, or the one that was interrupted there.

        With `undo`, of putting the families back. One that ended is moved to `earlier/`. Raises
        BadInput when the folder holds something else, or an interrupted hardening of other
        controls.
        """
        private.folder(path)
        where = path / FILE
        if (path / "run.json").exists():
            raise BadInput(msg("holds_run"), where=str(path), mend=msg("choose_another_folder"))
        asked = {"families": list(families), "controls": sorted(controls), "grade": grade}
        if where.exists():
            about = load_json(where.read_bytes(), where=str(where))
            check(about, "hardening", where=str(where))
            known = cls(path, about)
            if about["ended"] is None:
                if about.get("undo", False) is not undo:
                    raise BadInput(
                        msg("interrupted_hardening_lies_here")
                        if undo
                        else msg("interrupted_putting_back_lies"),
                        where=str(path),
                        mend=msg("end_same_command_first"),
                    )
                if any(about[name] != value for name, value in asked.items()):
                    raise BadInput(
                        msg("interrupted_hardening_other_controls"),
                        where=str(path),
                        mend=msg("give_same_family_control"),
                    )
                known.refuse_foreign()
                return known
            known.set_aside()
        folder = cls._new(
            path,
            {
                "schema": SCHEMA,
                "started": _now(),
                "begun": [],
                "applied": None,
                "ended": None,
                "hosts": {},
                **asked,
                **({"undo": True} if undo else {}),
            },
        )
        folder.save()
        return folder

    @classmethod
    def _new(cls, path: Path, about: dict[str, Any]) -> Self:
        """Raises BadInput where somebody else's lies: none of ours is without its description."""
        if any((path / name).exists() for name in ("due", "before", "after")):
            raise BadInput(
                msg("interrupted_run_lies_here"), where=str(path), mend=msg("give_another_folder")
            )
        return cls(path, about)

    def save(self) -> None:
        text = json.dumps(self.about, ensure_ascii=False, indent=1, sort_keys=True)
        captures.write_aside(self.path / FILE, text.encode() + b"\n")

    def refuse_foreign(self) -> None:
        """Raises BadInput for one whose check before, which the plan is made of, is not ours."""
        if self.about["hosts"] or (self.before / "run.json").exists() or self.due.exists():
            RunFolder.open(self.before).refuse_foreign()

    def set_aside(self) -> None:
        """Moves a hardening that ended to `earlier/`."""
        name = str(self.about["started"]).replace(":", "").replace("+0000", "Z")
        place = self.path / "earlier" / name
        private.folder(place)
        # the description last: without it, what is left would belong to nothing
        entries = [e for e in self.path.iterdir() if e.name not in ("earlier", "lock", FILE)]
        for entry in [*sorted(entries), self.path / FILE]:
            entry.rename(place / entry.name)

    # --- how far it is ---

    @property
    def before(self) -> Path:
        return self.path / "before"

    @property
    def after(self) -> Path:
        return self.path / "after"

    @property
    def due(self) -> Path:
        return self.path / "due"

    @property
    def checked(self) -> bool:
        """Is the check before whole?"""
        return _ended(self.before)

    @property
    def checked_again(self) -> bool:
        """Is the check after whole?"""
        return _ended(self.after)

    @property
    def begun(self) -> bool:
        """Has anything been applied, or begun to be?"""
        return bool(self.about["begun"])

    @property
    def applied(self) -> bool:
        return self.about["applied"] is not None

    @property
    def changes(self) -> dict[str, list[str]]:
        """The plan as the play wants it: host → ids of the controls to bring about."""
        return {
            host: [step["control"] for step in entry["steps"] if step["act"] == Act.APPLY]
            for host, entry in self.about["hosts"].items()
        }

    def planned(self, plans: Iterable[HostPlan]) -> None:
        """Writes the plan down, before anything is applied."""
        self.about["hosts"] = {plan.host: _host_entry(plan) for plan in plans}
        self.save()

    def begin_applying(self) -> None:
        self.about["begun"].append(_now())
        self.save()

    def end_applying(self, applied: Applied) -> None:
        """Writes down what became of each step."""
        for host, entry in self.about["hosts"].items():
            failures = [f for f in applied.failures if f.host == host]
            steps = [step for step in entry["steps"] if step["act"] == Act.APPLY]
            for step in steps:
                said = [f for f in failures if f.control == step["control"]]
                step["said"] = "; ".join(f"{f.task}: {f.message}" for f in said)
                step["outcome"] = _outcome(step["control"], host, steps, applied)
            known = {step["control"] for step in entry["steps"]}
            entry["said"] = [
                ": ".join(word for word in (f.family, f.task, f.message) if word)
                for f in failures
                if f.control not in known
            ]
            if shared := applied.shared.get(host):
                entry["shared"] = [
                    {"family": family, "steps": names} for family, names in shared.items()
                ]
        self.about["applied"] = _now()
        self.save()

    def end_undoing(self, applied: Applied) -> None:
        """Writes down what was put back."""
        for host, entry in self.about["hosts"].items():
            families = applied.undone.get(host, {})
            for step in entry["steps"]:
                step["outcome"] = families.get(step["control"].split(".")[0], "failed")
            entry["undone"] = applied.said.get(host, [])
            if not entry["undone"]:
                failures = (f for f in applied.failures if f.host == host)
                entry["said"] = [f"{f.task}: {f.message}" for f in failures]
        self.about["applied"] = _now()
        self.save()

    def end(self) -> None:
        self.about["ended"] = _now()
        self.save()


def _outcome(control: str, host: str, steps: Sequence[Mapping[str, Any]], applied: Applied) -> str:
    """What became of one control that was to be brought about."""
    family = control.partition(".")[0]
    failures = [f for f in applied.failures if f.host == host]
    reached = control in applied.reached.get(host, ())
    if any(f.control == control for f in failures):
        return "failed"
    if control in applied.changed.get(host, ()):
        return "changed"
    # a role may find that there is nothing to do yet, and go on
    if not reached and (host in applied.lost or {f.family for f in failures} & {family, ""}):
        return "not_done"
    if family in applied.shared.get(host, ()) and control in applied.together.get(host, ()):
        alone = sum(step["control"].split(".")[0] == family for step in steps) == 1
        return "changed" if alone else "shared"
    return "unchanged"


def _host_entry(plan: HostPlan) -> dict[str, Any]:
    return {
        "untouched": plan.untouched and {"zh": plan.untouched.zh, "en": plan.untouched.en},
        "steps": [_step_entry(step) for step in plan.steps],
        "said": [],
    }


def _step_entry(step: Step) -> Mapping[str, Any]:
    change = None
    if step.change is not None and step.risk is not None:
        change = {
            "text": {"zh": step.change.zh, "en": step.change.en},
            "risk": str(step.risk),
            "reversible": step.reversible,
        }
    return {
        "control": step.control,
        "verdict": str(step.result),
        "act": str(step.act),
        "change": change,
        "person": step.person and {"zh": step.person.zh, "en": step.person.en},
        "outcome": None,
        "said": "",
    }


def _ended(path: Path) -> bool:
    return (path / "run.json").exists() and RunFolder.open(path).about["ended"] is not None


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
