"""`list.yml`: which controls withstand a spoiling, which are spared, and why.

unit_masked:
  others: of controls that look into nothing that it changes
  withstands: [firewall.default_deny]       # no case that it changes passes, but those spared
  spared:
    - why: the log of a scan is judged, whatever runs now
      controls: [antivirus.full_scan]       # every case that it changes still passes
    - why: attested, on paper
      cases: {antivirus.running: [hss]}     # those of a control that withstands it else
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from collector.schema import load_yaml

PATH = Path(__file__).with_name("list.yml")


@dataclass(frozen=True)
class Listed:
    """Of one spoiling; `spared` and `cases` hold the reasons by control."""

    others: str
    withstands: frozenset[str]
    spared: Mapping[str, str]
    cases: Mapping[str, Mapping[str, str]]


def listed() -> dict[str, Listed]:
    """By spoiling. A control that is spared twice is an error."""
    document: dict[str, Any] = load_yaml(PATH.read_text(encoding="utf-8"), where=str(PATH))
    return {name: _one(name, entry) for name, entry in document.items()}


def _one(name: str, entry: Mapping[str, Any]) -> Listed:
    assert set(entry) <= {"others", "withstands", "spared"}, name
    spared: dict[str, str] = {}
    cases: dict[str, dict[str, str]] = {}
    for excuse in entry.get("spared", ()):
        assert excuse["why"] and set(excuse) <= {"why", "controls", "cases"}, (name, excuse)
        for control in excuse.get("controls", ()):
            assert control not in spared, f"{name}: {control} stands there twice"
            spared[control] = excuse["why"]
        for control, named in excuse.get("cases", {}).items():
            for case in named:
                assert case not in cases.setdefault(control, {}), (name, control, case)
                cases[control][case] = excuse["why"]
    return Listed(entry["others"], frozenset(entry.get("withstands", ())), spared, cases)
