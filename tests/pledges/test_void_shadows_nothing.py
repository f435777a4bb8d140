"""What is void makes nothing else old, in whatever way it became so; and exports say what it is."""

from __future__ import annotations

import json
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from collector.model import Capture
from collector.pledges.database import sightings
from collector.pledges.database.rows import current
from collector.pledges.record import form
from collector.pledges.record.voiding import with_void, without_void
from collector.pledges.register import present as present_looks
from collector.pledges.register.register import Register
from collector.pledges.standing.found_now import lives_now
from tests.cli.running import hostpledge
from tests.pledges.bundles import Signer
from tests.pledges.lives import captured, check
from tests.pledges.records import TODAY, made

NOW = datetime.now(UTC)
ID = "one-1"
HASH = "encryption.password_hash"


class House:
    def __init__(self, folder: Path) -> None:
        self.place = folder / "r"
        self.place.mkdir()
        self.folder = folder
        self.register = Register.open(str(self.place))
        self.signer = Signer(folder / "made")
        self.register.add(made(id=ID, resources={"hosts": ["web-01"]}))

    def look(self, state: str, days: float, *, older: bool = False) -> None:
        taken: Capture = captured(state)
        at = NOW - timedelta(days=days)
        check(self.register, ID, self.signer, taken, at, older=older)

    def void(self, sequence: int) -> dict[str, Any]:
        """As a record that says so is put in: `add --update` and `revert` do no more."""
        one = self.register.every_evidence(ID)[sequence - 1]
        entry = {"sequence": sequence, "digest": one.digest, "date": TODAY.isoformat()}
        entry |= {"reason": "采集的是另一台主机", "by": "王安"}
        known = with_void(self.register.get(ID), entry, today=TODAY)
        self.register.add(form.from_document(dict(known.document), where="t", today=TODAY),
                          update=True)  # fmt: skip
        return entry

    def now(self) -> tuple[set[int], set[str]]:
        """By which evidence it stands, as one pledge, lists and findings say; and its verdict."""
        one, few = self.register.evidence(ID), self.register.newest_evidence()[ID]
        rows = [row for row in (current(one), current(few)) if row is not None]
        found = {x.seen for x in lives_now(self.register, self.register.get(ID), NOW)}
        return {row.sequence for row in rows} | found, {row.verdicts["2.4"] for row in rows}


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def test_an_older_look_counts_once_what_made_it_old_is_void(house: House) -> None:
    house.look("hardened", 9)
    house.look("hardened", 1)
    house.look("weak", 2, older=True)
    assert [one.past for one in house.register.evidence(ID)] == [None, None, True]
    assert current(house.register.evidence(ID)) == house.register.evidence(ID)[1]
    house.void(2)
    assert [one.past for one in house.register.evidence(ID)] == [None, None]
    assert house.now()[0] == {3}


def _withdrawn(house: House, sequence: int) -> None:
    known = without_void(house.register.get(ID), sequence, today=TODAY)
    house.register.add(form.from_document(dict(known.document), where="t", today=TODAY),
                       update=True)  # fmt: skip


def test_what_counts_again_makes_older_what_was_attached_in_between(house: House) -> None:
    house.look("weak", 9)
    house.look("weak", 1)
    house.void(2)
    house.look("hardened", 5)
    assert house.now()[0] == {3}
    _withdrawn(house, 2)
    assert [one.past for one in house.register.evidence(ID)] == [None, None, True]
    assert house.now()[0] == {2}


def test_several_looks_in_between_are_older_too(house: House) -> None:
    house.look("weak", 1)
    house.void(1)
    house.look("hardened", 5)
    house.look("hardened", 4)
    house.look("hardened", 3)
    _withdrawn(house, 1)
    assert [one.past for one in house.register.evidence(ID)] == [None, True, True, True]
    assert house.now()[0] == {1}


def test_what_is_older_than_something_that_counts_stays_so(house: House) -> None:
    house.look("hardened", 4)
    house.look("hardened", 1)
    house.look("weak", 6, older=True)
    house.void(2)
    assert [one.past for one in house.register.evidence(ID)] == [None, True]
    assert current(house.register.evidence(ID)) == house.register.evidence(ID)[0]


def test_a_bundle_that_cannot_be_read_is_not_taken_for_old(house: House) -> None:
    house.look("hardened", 9)
    house.look("hardened", 1)
    house.look("weak", 2, older=True)
    house.void(2)
    present = Register.open(str(house.place))
    present_looks._known.clear()
    third = present.every_evidence(ID)[2]
    (third.path / "data" / "evidence.json").unlink()
    last = current(present.evidence(ID))
    assert last is not None
    assert last.sequence == 3


def test_the_next_look_is_taken_however_it_became_void(house: House) -> None:
    house.look("hardened", 9)
    house.look("hardened", 1)
    house.void(2)
    assert house.register.newest_looks(ID)["web-01"][1] == 1
    house.look("weak", 3)
    assert house.now()[0] == {3}


def test_where_all_of_it_is_void_the_first_look_anew_is_the_first(house: House) -> None:
    house.look("hardened", 1)
    house.void(1)
    assert house.register.newest_looks(ID) == {}
    house.look("weak", 3)
    assert house.now()[0] == {2}


def test_looks_that_another_process_kept_of_it_count_for_nothing(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was taken in while it was declared void."""
    house.look("hardened", 9)
    house.look("hardened", 1)
    monkeypatch.setattr(sightings, "drop", lambda *_: None)
    house.void(2)
    assert house.register.newest_looks(ID)["web-01"][1] == 1
    assert house.register.looked_at(NOW - timedelta(days=1)) == ()


def test_an_export_says_which_is_void(house: House, tmp_path: Path) -> None:
    house.look("weak", 9)
    house.look("hardened", 1)
    entry = house.void(2)
    out = tmp_path / "e.zip"
    ended = hostpledge("pledge", "export", ID, "-o", out, "--register", house.place, home=tmp_path)
    assert ended.status == 0, ended.err
    with zipfile.ZipFile(out) as archive:
        rows = json.loads(archive.read(f"pledge-{ID}/evidence.json"))
        readme = archive.read(f"pledge-{ID}/README.txt").decode()
    assert [row.get("void") for row in rows] == [None, entry]
    assert "2 bundle(s), of which number 2 is void: nothing follows from it" in readme
    assert "共 2 份，其中第 2 份已声明无效" in readme


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_an_export_of_void_evidence_alone_says_so(house: House, tmp_path: Path, lang: str) -> None:
    house.look("weak", 9)
    entry = house.void(1)
    out = tmp_path / "e.zip"
    words = ("pledge", "export", ID, "-o", out, "--register", house.place, "--lang", lang)
    ended = hostpledge(*words, home=tmp_path)
    assert ended.status == 0, ended.err
    with zipfile.ZipFile(out) as archive:
        names = {name.partition("/")[2] for name in archive.namelist()}
        readme = archive.read(f"pledge-{ID}/README.txt").decode()
        manifest = archive.read(f"pledge-{ID}/manifest-sha256.txt").decode()
    assert {"README.txt", "verify.html"} <= names and "report.html" not in names
    assert "  README.txt" in manifest and "  verify.html" in manifest
    said = {
        "zh": f"第 1 份证据已于 {entry['date']} 作废（{entry['by']}）：{entry['reason']}",
        "en": f"evidence 1 is void since {entry['date']} ({entry['by']}): {entry['reason']}",
    }
    assert all(f" ! {text}" in readme for text in said.values())
    assert "不含 report.html：所附证据均已作废" in readme
    assert "there is no report.html, for all of the evidence is void" in readme
    assert "bundles/0001-" in readme
    assert said[lang] in ended.err
    assert {"zh": "不含报告", "en": "without a report"}[lang] in ended.err


def _made_of(house: House, sequence: int, *words: str) -> dict[str, str]:
    """The reports of a kept bundle, on the machine that has its register."""
    trust = house.folder / "trust.json"
    trust.write_bytes(house.signer.trust.to_bytes())
    out = {name: house.folder / f"{sequence}.{name}" for name in ("html", "json", "prometheus")}
    path = house.register.every_evidence(ID)[sequence - 1].path
    ended = hostpledge(
        "report", path, "--trust", trust, "--html", out["html"],
        *(w for n in ("json", "prometheus") for w in ("--export", f"{n}={out[n]}")),
        "--lang", "en", *words,
        home=house.folder, HOSTPLEDGE_REGISTER=str(house.place),
    )  # fmt: skip
    assert ended.status == 0, ended.err
    return {name: path.read_text("utf-8") for name, path in out.items()}


def test_a_report_of_what_is_void_says_so_first(house: House) -> None:
    house.look("weak", 9)
    house.look("hardened", 1)
    before = _made_of(house, 2)
    assert all("void" not in before[name] for name in ("json", "prometheus"))
    house.void(2)
    said = _made_of(house, 2)
    first = said["html"][: said["html"].index('class="facts"')]
    assert "This evidence is void" in first
    assert "Not verified" in first
    assert "Kept" not in first
    told = json.loads(said["json"])
    assert "evidence 2 was declared void" in told["outdated"]
    assert {one["verdict"] for one in told["clauses"].values()} == {"error"}
    assert "# evidence 2 was declared void" in said["prometheus"]


def test_a_report_of_what_is_not_the_newest_says_which_is(house: House) -> None:
    house.look("weak", 9)
    house.look("hardened", 1)
    said = _made_of(house, 1)
    first = said["html"][: said["html"].index('class="facts"')]
    assert "Other evidence says how things are now" in first
    assert "number 2 (collected" in first
    assert "number 2 (collected" in json.loads(said["json"])["outdated"]
    assert "outdated" not in json.loads(_made_of(house, 2)["json"])


def test_what_an_inspector_is_handed_says_it_in_its_text(house: House) -> None:
    house.look("weak", 9)
    house.look("hardened", 1)
    house.void(2)
    trust = house.folder / "trust.json"
    trust.write_bytes(house.signer.trust.to_bytes())
    out = house.folder / "handed"
    ended = hostpledge(
        "repack", house.register.every_evidence(ID)[1].path, "--for-inspector", "-o", out,
        "--trust", trust, home=house.folder, HOSTPLEDGE_REGISTER=str(house.place),
    )  # fmt: skip
    assert ended.status == 0, ended.err
    readme = (out / "README.txt").read_text("utf-8")
    assert "evidence 2 was declared void" in readme
    assert "第 2 份证据已于" in readme
    assert "pass" not in readme.split("What to read")[0].split("What each clause")[1]


def test_its_history_says_it_beside_what_it_found(house: House) -> None:
    house.look("weak", 9)
    house.look("hardened", 1)
    entry = house.void(2)
    ended = hostpledge("pledge", "history", ID, "--register", house.place, home=house.folder)
    assert "evidence 2 was declared void" in " ".join(ended.out.split())
    told = hostpledge(
        "pledge", "history", ID, "--format", "json", "--register", house.place, home=house.folder
    )
    rows = json.loads(told.out)["evidence"]
    assert [row.get("void") for row in rows] == [entry, None]
