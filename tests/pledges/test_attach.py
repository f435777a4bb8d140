from __future__ import annotations

import dataclasses
import json
import os
import shutil
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from types import MappingProxyType

import pytest

from collector import captures, catalog
from collector.attest.bundle import making as bundle
from collector.attest.bundle.evidence import PledgeReference
from collector.attest.trust.trust_file import Trust
from collector.cli.workflows.attach_warnings import odd
from collector.errors import BadInput, CollectorError, VerifyFailed
from collector.pledges.register.attach import attach
from collector.pledges.register.register import Register
from collector.pledges.standing.due import due
from collector.pledges.transfer import archive
from collector.verify import open_bundle, verify
from tests.pledges.bundles import AT, Signer
from tests.pledges.lives import captured
from tests.pledges.places import owner
from tests.pledges.records import made

ID = "demo-2026"


@pytest.fixture
def signer(tmp_path: Path) -> Signer:
    return Signer(tmp_path / "made")


@pytest.fixture
def register(place: str) -> Register:
    opened = Register.open(place)
    opened.add(made())
    return opened


def test_bundles_are_attached_in_sequence(register: Register, signer: Signer) -> None:
    first = signer.make("first", register.reference(ID))
    attached = attach(register, ID, first.path, signer.trust)
    assert (attached.sequence, attached.digest, attached.previous) == (1, first.digest, None)
    assert register.reference(ID) == PledgeReference(ID, 2, first.digest)
    second = signer.make("second", register.reference(ID))
    attach(register, ID, second.path, signer.trust)

    found = register.evidence(ID)
    assert [e.sequence for e in found] == [1, 2]
    assert found[1].previous == first.digest
    assert found[0].collected_at == AT
    assert found[0].verdicts == {"2.2": "notchecked", "2.3": "notchecked", "2.4": "error"}
    for evidence in found:
        with open_bundle(evidence.path) as kept:
            assert verify(kept, signer.trust).digest == evidence.digest


def test_captures_are_as_old_as_they_are_whatever_time_they_are_judged_for(
    register: Register, signer: Signer
) -> None:
    """One that was looked at lately does not make the other one fresh, nor does `--at`."""
    old, new = AT - timedelta(days=200), AT - timedelta(hours=1)
    files = []
    for host, at in (("web-01", old), ("db-01", new)):
        taken = captured("weak")
        head = MappingProxyType({**taken.head, "clock": str(int(at.timestamp()))})
        taken = dataclasses.replace(taken, host=host, head=head, collected_at=at)
        files.append(signer.folder / captures.file_name(host))
        signer.folder.mkdir(exist_ok=True)
        captures.write(taken, files[-1])
    controls = catalog.select(("encryption",), 3)
    for when in (AT, None):
        made_of_old = bundle.make(
            files,
            signer.folder / f"b-{when is None}",
            signer.key,
            controls=controls,
            grade=3,
            at=when,
            pledge=register.reference(ID),
        )
        with open_bundle(made_of_old.path) as opened:
            assert verify(opened, signer.trust).looked_at == old
        if when is not None:
            with pytest.raises(BadInput, match=r"looked at, 200 day\(s\) apart; make it without"):
                attach(register, ID, made_of_old.path, signer.trust)
            continue
        attached = attach(register, ID, made_of_old.path, signer.trust)
        assert attached.collected_at == old
    late = due(
        register.get(ID), register.evidence(ID), AT, within=timedelta(0), renewed=False, lives=None
    )
    assert "evidence" in {entry.kind for entry in late}


def test_another_machine_under_the_same_name_and_an_older_look_are_said(
    register: Register, signer: Signer
) -> None:
    """What is handed in may be another host's capture, or an old one."""
    signer.folder.mkdir(exist_ok=True)

    def said(name: str, machine: str, at: datetime, host: str = "web-01") -> list[str]:
        taken = captured("weak")
        clock = str(int(at.timestamp()))
        head = MappingProxyType({**taken.head, "machine": machine, "clock": clock})
        file = signer.folder / f"{name}{captures.SUFFIX}"
        nonce = name.encode().hex() * 16  # the script draws one each time
        taken = dataclasses.replace(taken, host=host, head=head, collected_at=at, nonce=nonce)
        captures.write(taken, file)
        made_now = bundle.make(
            [file],
            signer.folder / name,
            signer.key,
            controls=catalog.select(("encryption",), 3),
            grade=3,
            pledge=register.reference(ID),
        )
        attached = attach(register, ID, made_now.path, signer.trust, older=name == "e")
        with open_bundle(made_now.path) as opened:
            return list(odd(register, attached, opened))

    given = "handed in, and not collected from: web-01"
    missing = "declared in the record, and not in this bundle: db-01"
    assert said("a", "1" * 64, AT) == [given, missing]
    assert said("b", "1" * 64, AT + timedelta(days=1)) == [given, missing]
    assert said("c", "", AT + timedelta(days=2)) == [given, missing]
    assert said("d", "1" * 64, AT + timedelta(days=3)) == [given, missing]
    assert said("e", "2" * 64, AT) == [
        "looked before evidence 2 did: there are older captures in it",
        "all its hosts have been looked at later already: it is on record, and changes no finding, "
        "nor what is said of the present",
        "another machine than in evidence 4 (its machine-id is another): web-01",
        given,
        missing,
    ]
    # named inside as nobody called it: its findings would be this pledge's
    strange = said("f", "3" * 64, AT + timedelta(days=5), "vm")
    assert any("not declared in the record" in line and ": vm;" in line for line in strange)


def test_a_zip_is_kept_as_a_folder(register: Register, signer: Signer, tmp_path: Path) -> None:
    first = signer.make("first", register.reference(ID))
    bundle.pack(first.path, tmp_path / "b.zip")
    attached = attach(register, ID, tmp_path / "b.zip", signer.trust)
    assert attached.path.is_dir()
    with open_bundle(attached.path) as kept:
        assert verify(kept, signer.trust).digest == first.digest


def _other_pledge(register: Register, signer: Signer) -> Path:
    register.add(made(id="other"))
    return signer.make("b", register.reference("other")).path


def _no_pledge(_: Register, signer: Signer) -> Path:
    return signer.make("b", None).path


def _lower_grade(register: Register, signer: Signer) -> Path:
    return signer.make("b", register.reference(ID), grade=2).path


def _again(register: Register, signer: Signer) -> Path:
    path = signer.make("b", register.reference(ID)).path
    attach(register, ID, path, signer.trust)
    return path


def _second_first(_: Register, signer: Signer) -> Path:
    return signer.make("b", PledgeReference(ID, 2, "0" * 64)).path


def _two_histories(register: Register, signer: Signer) -> Path:
    reference = register.reference(ID)
    attach(register, ID, signer.make("a", reference).path, signer.trust)
    return signer.make("b", reference).path


def _other_previous(register: Register, signer: Signer) -> Path:
    attach(register, ID, signer.make("a", register.reference(ID)).path, signer.trust)
    return signer.make("b", PledgeReference(ID, 2, "0" * 64)).path


def _strange_signer(register: Register, signer: Signer) -> Path:
    return Signer(signer.folder).make("b", register.reference(ID)).path


def _changed(register: Register, signer: Signer) -> Path:
    path = signer.make("b", register.reference(ID)).path
    evidence = path / "data" / "evidence.json"
    evidence.write_bytes(evidence.read_bytes().replace(b'"error"', b'"pass"', 1))
    return path


def _link_inside(register: Register, signer: Signer) -> Path:
    path = signer.make("b", register.reference(ID)).path
    (path / "data" / "script.sh").symlink_to("/etc/passwd")
    return path


def _pipe_inside(register: Register, signer: Signer) -> Path:
    path = signer.make("b", register.reference(ID)).path
    os.mkfifo(path / "data" / "pipe")
    return path


def _not_there(_: Register, signer: Signer) -> Path:
    return signer.folder / "none"


def _text(_: Register, signer: Signer) -> Path:
    path = signer.folder / "text.zip"
    signer.folder.mkdir()
    path.write_text("no bundle")
    return path


REFUSED: dict[str, tuple[Callable[[Register, Signer], Path], type[CollectorError], str]] = {
    "other_pledge": (_other_pledge, BadInput, "made for the pledge other, not for demo-2026"),
    "no_pledge": (_no_pledge, BadInput, "made for no pledge"),
    "lower_grade": (_lower_grade, BadInput, "judged at grade 2"),
    "attached_already": (_again, BadInput, "attached already, as number 1 of demo-2026"),
    "second_before_first": (_second_first, BadInput, "number 2 of demo-2026, and number 1 is"),
    "two_histories": (_two_histories, BadInput, "number 1 of demo-2026, and number 2 is"),
    "other_previous": (_other_previous, BadInput, "follows 000000000000, and the last"),
    "strange_signer": (_strange_signer, VerifyFailed, "not among the trusted keys"),
    "changed": (_changed, VerifyFailed, "does not verify"),
    "link_inside": (_link_inside, BadInput, "neither a file nor a folder"),
    "pipe_inside": (_pipe_inside, BadInput, "neither a file nor a folder"),
    "not_there": (_not_there, BadInput, "No such file"),
    "text": (_text, VerifyFailed, "not a whole ZIP"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_the_next_bundle_is_refused(
    register: Register, signer: Signer, name: str
) -> None:
    make, kind, expected = REFUSED[name]
    path = make(register, signer)
    before = register.evidence(ID)
    kept = set(os.listdir(register.store.folder)) if register.store.folder.exists() else {".lock"}
    with pytest.raises(kind, match=expected) as caught:
        attach(register, ID, path, signer.trust)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert register.evidence(ID) == before
    assert set(os.listdir(register.store.folder)) == kept


def test_an_empty_trust_takes_nothing(register: Register, signer: Signer) -> None:
    with pytest.raises(VerifyFailed):
        attach(register, ID, signer.make("b", register.reference(ID)).path, Trust())


def test_what_a_killed_process_left_is_cleared_and_done_again(
    register: Register, signer: Signer
) -> None:
    """As a kill leaves it: a half copy, and a bundle that has its name but no row yet."""
    first = signer.make("first", register.reference(ID))
    (register.store.folder / ".aside-left" / "bundle").mkdir(parents=True)
    shutil.copytree(first.path, register.store.path(first.digest))
    (register.store.path(first.digest) / "data" / "evidence.json").write_text("changed since")
    attached = attach(register, ID, first.path, signer.trust)
    with open_bundle(attached.path) as kept:
        assert verify(kept, signer.trust).digest == first.digest
    assert sorted(os.listdir(register.store.folder)) == [".holders", ".lock", first.digest]


def test_evidence_cannot_be_changed(register: Register, signer: Signer) -> None:
    attach(register, ID, signer.make("b", register.reference(ID)).path, signer.trust)
    for statement in ("UPDATE evidence SET verdicts = '{}'", "DELETE FROM evidence"):
        with owner(register.where) as theirs, pytest.raises(Exception, match="append-only"):
            theirs.execute(statement)


def test_the_archive_holds_the_bundles_and_says_when_one_is_gone(
    register: Register, signer: Signer, tmp_path: Path
) -> None:
    made_bundles = signer.chain(ID, 2)
    for one in made_bundles:
        attach(register, ID, one.path, signer.trust)
    archive.write(register, ID, tmp_path / "p.zip")
    shutil.unpack_archive(tmp_path / "p.zip", tmp_path / "out")
    root = tmp_path / "out" / f"pledge-{ID}"
    listed = json.loads((root / "evidence.json").read_text("utf-8"))
    assert [e["digest"] for e in listed] == [one.digest for one in made_bundles]
    for folder in sorted((root / "bundles").iterdir()):
        with open_bundle(folder) as kept:
            verify(kept, signer.trust)
    archive.write(register, ID, tmp_path / "again.zip")
    assert (tmp_path / "again.zip").read_bytes() == (tmp_path / "p.zip").read_bytes()

    shutil.rmtree(register.evidence(ID)[0].path)
    with pytest.raises(BadInput, match="not in the store any more"):
        archive.write(register, ID, tmp_path / "third.zip")
    assert not (tmp_path / "third.zip").exists()
