"""What is unpacked of a bundle before it is known whose it is, and that it is one (ADR 50)."""

from __future__ import annotations

from pathlib import Path

import pytest

from collector import catalog
from collector.attest.bundle.container import Entry
from collector.attest.keys.keys import PrivateKey
from collector.attest.trust.trust_file import Trust, TrustedKey
from collector.errors import VerifyFailed
from collector.verify import archive, front, open_bundle, verify
from tests import bundles, zip_forms

KEY = PrivateKey.generate()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("front")
    hosts = [bundles.unreachable(f"h{number}") for number in range(200)]
    chosen = catalog.select(["classification"])
    return bundles.make(place, hosts, KEY, controls=chosen)[0].path


@pytest.fixture
def unpacked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of what was unpacked, in their order."""
    names: list[str] = []
    extract = archive._extract

    def noted(source: object, entry: Entry, target: Path) -> None:
        names.append(entry.name)
        extract(source, entry, target)  # type: ignore[arg-type]

    monkeypatch.setattr(archive, "_extract", noted)
    return names


def _zip(folder: Path, place: Path, **added: dict[str, int]) -> Path:
    found = zip_forms.Archive.of(folder)
    zip_forms.FORMS["added"](found, {name.replace("_", "/"): one for name, one in added.items()})
    place.write_bytes(found.bytes())
    return place


def _trusting(key: PrivateKey) -> Trust:
    return Trust((TrustedKey(key.public, "signer"),))


def test_many_that_are_small_each_have_no_more_room_than_one(
    folder: Path, tmp_path: Path, unpacked: list[str]
) -> None:
    many = {f"data_z{number:02}": {"zeros": 1_000_000} for number in range(50)}
    with pytest.raises(VerifyFailed, match="unpacks to more than a bundle holds") as refused:
        open_bundle(_zip(folder, tmp_path / "b.zip", **many))
    assert refused.value.where == "data/z01"
    assert unpacked == []


def test_what_was_not_signed_is_not_unpacked(
    folder: Path, tmp_path: Path, unpacked: list[str]
) -> None:
    with pytest.raises(VerifyFailed, match="is not among what was signed") as refused:
        open_bundle(_zip(folder, tmp_path / "b.zip", data_z={"zeros": 1000}))
    assert refused.value.where == "data/z"
    assert set(unpacked) <= front.FILES


def test_nothing_else_is_unpacked_of_what_nobody_signed_who_is_trusted(
    folder: Path, tmp_path: Path, unpacked: list[str]
) -> None:
    place = _zip(folder, tmp_path / "b.zip")
    with pytest.raises(VerifyFailed, match="not among the trusted") as refused:
        open_bundle(place, trust=_trusting(PrivateKey.generate()))
    early = str(refused.value)
    assert set(unpacked) <= front.FILES
    with open_bundle(place) as opened, pytest.raises(VerifyFailed) as refused:
        verify(opened, _trusting(PrivateKey.generate()))
    # the same words as of a folder, where all of it is read first
    assert early.partition("hostpledge")[0] == str(refused.value).partition("hostpledge")[0]


def test_one_of_ours_verifies(folder: Path, tmp_path: Path, unpacked: list[str]) -> None:
    """200 hosts that are alike: nothing of it packs as well as what is refused."""
    trust = _trusting(KEY)
    with open_bundle(_zip(folder, tmp_path / "b.zip"), trust=trust) as opened:
        assert verify(opened, trust).hosts == 200
    assert len(unpacked) > 200
    most = max(
        len(one.content) / max(1, len(one.data)) for one in zip_forms.Archive.of(folder).entries
    )
    assert most * 2 < archive.MOST_RATIO
