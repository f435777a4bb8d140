"""Words of records and folders reach Ansible as words: it fills in what looks like a template."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from collector.errors import BadInput
from collector.run.ansible.inventory import How
from collector.run.ansible.play import EACH_GRADE, play, refuse_templates
from collector.run.harden.harden_folder import HardenFolder

RUNS = "Li {{ lookup('pipe', 'id') }}"


@pytest.mark.parametrize(
    "given",
    [
        {"probe_consent": RUNS},
        {"harden_due": {"h1": [["logging", RUNS, True]]}},
        {"harden_plan": {RUNS: ["a"]}},
        {"x": [{"y": "{% for a in b %}"}]},
        {"x": "{# #}"},
        {"harden_grade": f"{EACH_GRADE}{RUNS}"},
        {"other": EACH_GRADE},
    ],
)
def test_what_ansible_would_run_is_refused(given: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="Ansible would run"):
        play("probe.yml", How(inventory=("h,",)), ["h"], given, tmp_path, tell=lambda _: None)


def test_what_is_ours_and_plain_words_are_taken() -> None:
    refuse_templates({"harden_grade": EACH_GRADE, "harden_grades": {"h": 2}, "by": "李 {1} %}"})


@pytest.mark.parametrize("described", [True, False])
def test_what_was_due_in_somebody_elses_folder_is_not_taken_up(
    tmp_path: Path, described: bool
) -> None:
    place = tmp_path / "handed"
    if described:
        HardenFolder.begin(place, ["logging"], ["logging.drops"], 2)
    place.mkdir(exist_ok=True)
    (place / "due").write_text(json.dumps(["h1", "logging", RUNS, True]) + "\n")
    with pytest.raises(BadInput):
        HardenFolder.begin(place, ["logging"], ["logging.drops"], 2)
