"""`python -m tests.scenario SCENARIO INVENTORY before|after`: what the controls say of the hosts.

Compared is `SCENARIO/expected.yml`: for each host, when, and control the verdict. A control of the
family that is not named there is an error too: nothing is left unsaid. Where MOLECULE_PLATFORM_NAME
names one host, as `molecule test --platform-name` does, there is that one alone.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import yaml

from collector import catalog

Verdicts = Mapping[str, Mapping[str, str]]


def judged(family: str, inventory: Path, grade: int = 2) -> dict[str, dict[str, tuple[str, str]]]:
    """{host: {control: (verdict, message)}}, by the commands that a user would type."""
    hostpledge = [sys.executable, "-m", "collector"]
    with tempfile.TemporaryDirectory() as folder:
        collected = subprocess.run(
            [*hostpledge, "collect", "-i", inventory, "-o", f"{folder}/run", "--family", family,
             "--grade", str(grade)],
            check=False, capture_output=True, text=True,
        )  # fmt: skip
        if collected.returncode != 0:
            sys.exit(collected.stdout + collected.stderr)
        said = subprocess.run(
            [*hostpledge, "assess", f"{folder}/run/captures", "--family", family,
             "--grade", str(grade), "--format", "json", "--lang", "en"],
            check=False, capture_output=True, text=True,
        )  # fmt: skip
    return {
        host: {f["control"]: (f["verdict"], f["message"]) for f in entry["findings"]}
        for host, entry in json.loads(said.stdout)["hosts"].items()
    }


def differences(
    expected: Mapping[str, Verdicts], found: Mapping[str, Mapping[str, tuple[str, str]]], when: str
) -> list[str]:
    lines = []
    for host in sorted(expected.keys() | found.keys()):
        wanted = expected.get(host, {}).get(when, {})
        for control in sorted(wanted.keys() | found.get(host, {}).keys()):
            verdict, message = found.get(host, {}).get(control, ("absent", ""))
            if verdict != wanted.get(control):
                told = wanted.get(control, "not named")
                lines.append(f"{host}: {control}: {verdict}, expected: {told} ({message})")
    return lines


def main() -> int:
    scenario, inventory, when = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    family = scenario.name.partition("-")[0]
    if family not in {control.family for control in catalog.controls().values()}:
        sys.exit(f"{scenario.name}: no such family")
    expected = yaml.safe_load((scenario / "expected.yml").read_text())
    if one := os.environ.get("MOLECULE_PLATFORM_NAME"):
        expected = {one: expected[one]}
    wrong = differences(expected, judged(family, inventory), when)
    print("\n".join(wrong) or f"{when}: all as expected")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
