"""The controls in OSCAL: read, validated, and resolved into one another by compliance-trestle."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import pytest
from trestle.core.profile_resolver import ProfileResolver
from trestle.oscal.catalog import Catalog
from trestle.oscal.component import ComponentDefinition
from trestle.oscal.profile import Profile

from collector import catalog
from collector.export import oscal_controls
from collector.model import Lang
from tests.cli.running import hostpledge

AT = datetime(2026, 11, 29, tzinfo=UTC)
LANGS = get_args(Lang)
EVERY = list(catalog.controls().values())
KINDS = {
    "oscal-catalog": (Catalog, "catalogs", "catalog"),
    "oscal-profile": (Profile, "profiles", "profile"),
    "oscal-component": (ComponentDefinition, "component-definitions", "component-definition"),
}


def made(form: str, lang: Lang = "zh", grade: int = 2) -> str:
    return oscal_controls.FORMS[form](EVERY, AT, lang, grade)


def uuids(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [v for k, v in value.items() if k == "uuid"]
        return own + [u for v in value.values() for u in uuids(v)]
    return [u for v in value for u in uuids(v)] if isinstance(value, list) else []


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trestle")
    program = Path(sys.executable).with_name("trestle")
    subprocess.run([program, "init", "--full"], cwd=folder, check=True, capture_output=True)
    return folder


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("grade", catalog.GRADES)
@pytest.mark.parametrize("form", KINDS)
def test_trestle_reads_it_and_we_write_it_the_same_again(
    tmp_path: Path, form: str, lang: Lang, grade: int
) -> None:
    text = made(form, lang, grade)
    assert text == made(form, lang, grade)
    file = tmp_path / "document.json"
    file.write_text(text, encoding="utf-8")
    read = KINDS[form][0].oscal_read(file)
    assert read is not None
    assert read.metadata.oscal_version.root.root == "1.2.1"
    own = uuids(json.loads(text))
    assert len(own) == len(set(own))


def test_a_profile_resolves_to_the_controls_of_its_grade(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(workspace)
    for form, (_, folder, name) in KINDS.items():
        place = workspace / folder / "hostpledge"
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{name}.json").write_text(made(form, grade=3), encoding="utf-8")
    shutil.copy(
        workspace / "catalogs/hostpledge/catalog.json", workspace / oscal_controls.CATALOG_FILE
    )
    profile = workspace / "profiles/hostpledge/profile.json"
    found = ProfileResolver.get_resolved_profile_catalog(workspace, profile, block_params=False)
    resolved = {c.id: c for group in found.groups for c in group.controls}
    assert set(resolved) == {c.id for c in EVERY if 3 in c.grades}
    (days,) = [p for p in resolved["antivirus.full_scan"].params if p.id.endswith(".days")]
    assert list(map(str, days.values)) == ["7"], "grade 3 asks for more than the catalog's number"
    done = subprocess.run(
        [Path(sys.executable).with_name("trestle"), "validate", "-a"],
        cwd=workspace, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert (done.stdout + done.stderr).count("VALID:") == 3


def test_every_number_of_a_criterion_is_a_parameter_that_is_there() -> None:
    document = json.loads(made("oscal-catalog"))["catalog"]
    controls = [c for group in document["groups"] for c in group["controls"]]
    assert {c["id"] for c in controls} == set(catalog.controls())
    for control in controls:
        ids = {param["id"] for param in control.get("params", ())}
        statement = control["parts"][0]["prose"]
        for part in statement.split("{{ insert: param, ")[1:]:
            assert part.split(" }}")[0] in ids


def test_components_speak_of_controls_that_are_in_the_catalog() -> None:
    document = json.loads(made("oscal-component"))["component-definition"]
    checks, hardens = document["components"]
    for component in (checks, hardens):
        (implementation,) = component["control-implementations"]
        named = [r["control-id"] for r in implementation["implemented-requirements"]]
        assert set(named) <= set(catalog.controls())
    rules = [p["value"] for p in checks["props"] if p["name"] == "Rule_Id"]
    assert sorted(rules) == sorted(catalog.controls())
    (catalogued,) = document["back-matter"]["resources"]
    assert catalogued["uuid"] == json.loads(made("oscal-catalog"))["catalog"]["uuid"]


def test_the_command_gives_them() -> None:
    done = hostpledge(
        "controls", "--format", "oscal-profile", "--grade", "2", "--family", "logging",
        "--at", "2026-11-29", "--lang", "en",
    )  # fmt: skip
    assert done.status == 0
    document = json.loads(done.out)["profile"]
    assert document["metadata"]["last-modified"] == "2026-11-29T00:00:00Z"
    # it leads to the catalog of all grades, and picks its own
    whole = hostpledge(
        "controls", "--format", "oscal-catalog", "--family", "logging", "--lang", "en"
    )
    found = json.loads(whole.out)["catalog"]["uuid"]
    assert document["imports"][0]["href"] == f"#{found}"
    (picked,) = document["imports"][0]["include-controls"]
    assert picked["with-ids"] == [c.id for c in EVERY if c.family == "logging" and 2 in c.grades]
