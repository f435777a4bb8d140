"""The catalogue of each release is kept, and cannot drift from its controls."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from collector import __version__, catalog, releases
from collector.assess import fill
from collector.errors import BadInput
from collector.schema import check
from tests.counts import AT_2
from tools import release_catalog


def test_the_present_one_is_made_from_the_controls() -> None:
    found = releases.current()
    assert found.digest == catalog.catalog_digest()
    assert releases.find(found.digest) is found
    for grade in catalog.GRADES:
        assert list(found.at(grade)) == [c.id for c in catalog.select((), grade)]
    for control in catalog.controls().values():
        known = found.controls[control.id]
        assert known.title == control.title
        assert known.messages == control.messages
        for grade in control.grades:
            values = control.for_grade(grade).values
            assert known.criterion[grade] == fill(control.criterion, values)
            assert known.weighs[grade] == {
                "number": control.number,
                "family": control.family,
                "clause": control.clause,
                "veto": control.veto,
                "sha256": control.digest,
                "severity": control.severity_at(grade),
            }


def test_what_was_released_stays_as_it_was() -> None:
    """Red after a change to a control of a version that is out: give the next one its number."""
    for path in sorted(releases.FOLDER.glob("*.json")):
        found = releases.load(path)
        assert path.stem == found.version
        if found.version == __version__:
            assert json.loads(path.read_bytes()) == releases.document()


def test_a_release_that_was_kept_is_found_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = release_catalog.write(tmp_path)
    document = json.loads(place.read_bytes())
    check(document, "release", where=str(place))
    document["controls"].pop("encryption.transport")
    document["version"] = "0.0.9"
    lines = "".join(f"{id} {c['sha256']}\n" for id, c in document["controls"].items())
    document["catalog_sha256"] = hashlib.sha256(lines.encode()).hexdigest()
    (tmp_path / "0.0.9.json").write_text(json.dumps(document))
    monkeypatch.setattr(releases, "FOLDER", tmp_path)
    releases.find.cache_clear()
    try:
        found = releases.find(document["catalog_sha256"])
        assert found is not None
        assert (found.version, len(found.at(2))) == ("0.0.9", AT_2 - 1)
        assert releases.find("00" * 32) is None
    finally:
        releases.find.cache_clear()


def test_a_list_that_is_not_of_its_digest_is_refused(tmp_path: Path) -> None:
    place = release_catalog.write(tmp_path)
    document = json.loads(place.read_bytes())
    document["controls"].pop("encryption.transport")
    place.write_text(json.dumps(document))
    with pytest.raises(BadInput, match="not that of the controls it lists"):
        releases.load(place)
