"""Bundles in the store that no row names: of killed commands; told, and gone with their pledge."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from collector.handin import ended
from collector.handin.places import Places
from collector.pledges.database.store import Store
from collector.pledges.record.form import from_document
from collector.pledges.register.attach import attach
from collector.pledges.register.register import Register
from collector.pledges.transfer import disposal
from collector.pledges.transfer.strays import strays
from tests.cli.running import answer, hostpledge
from tests.pledges import killed
from tests.pledges.bundles import Signer
from tests.pledges.records import TODAY, example

AFTER = datetime.now(UTC).date() + timedelta(days=800)
ABOUT = {"date": AFTER.isoformat(), "method": "消磁", "by": "接入方"}
ID = "demo-2026"


def _filled(place: str) -> Register:
    register = Register.open(place)
    stopped = {"date": "2026-11-20", "reason": "停业", "by": "接入方"}
    keep = {"pledge_years": 1, "evidence_years": 1}
    for document in (example(ended=stopped, retention=keep), example(id="other")):
        register.add(from_document(document, where="t", today=TODAY))
    return register


def _dispose(register: Register) -> disposal.Disposed:
    return disposal.dispose(register, ID, ABOUT, AFTER, renewed=False)


def _then(act: Callable[[], object], at: str, work: Callable[[], object]) -> None:
    """`work`, and `act` just before the store does `at`; in a process of its own."""

    def before(*_: Any, **__: Any) -> None:
        act()
        kept(*_, **__)

    kept = getattr(Store, at)
    setattr(Store, at, before)
    work()


def _killed_attach(place: str, id: str, bundle: Path, signer: Signer) -> None:
    def work() -> None:
        attach(Register.open(place), id, bundle, signer.trust)

    child = killed.begin(partial(_then, lambda: os.kill(os.getpid(), signal.SIGKILL), "note", work))
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status)


def _until(there: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not there():
        assert time.monotonic() < end
        time.sleep(0.01)


def _captures(folder: Path) -> Iterable[Path]:
    return folder.rglob("*.capture*")


def test_killed_between_the_bundle_and_its_row(place: str, tmp_path: Path) -> None:
    signer = Signer(tmp_path / "made")
    register = _filled(place)
    first, other = signer.chain(ID, 1)[0], signer.chain("other", 1)[0]
    _killed_attach(place, ID, first.path, signer)
    _killed_attach(place, "other", other.path, signer)
    assert register.evidence(ID) == ()
    assert strays(register) == {first.digest: ID, other.digest: "other"}
    done = _dispose(register)
    assert done.bundles == 1
    assert not register.store.path(first.digest).exists()
    # what may be evidence of another yet is left, and may be attached
    assert strays(register) == {other.digest: "other"}
    attach(register, "other", register.store.path(other.digest), signer.trust)
    assert strays(register) == {}
    assert _dispose(register).bundles == 0


def test_doctor_names_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    monkeypatch.setenv("HOSTPLEDGE_HOME", str(home))
    place = str(home / "register.sqlite")
    signer = Signer(tmp_path / "made")
    register = _filled(place)
    assert _doctor(home) == ""
    first = signer.chain(ID, 1)[0]
    _killed_attach(place, ID, first.path, signer)
    told = f"1 bundle(s) in {home}/bundles that are no evidence of any pledge"
    assert _doctor(home) == f"{told}: {first.digest} ({ID})"
    assert "1 份证据包不属于任何登记" in _doctor(home, "--lang", "zh")
    # one that cannot be read is named too
    shutil.rmtree(register.store.path(first.digest) / "data")
    assert _doctor(home) == f"{told}: {first.digest} ()"
    with register.store.room():
        assert "at work there: not looked at" in _doctor(home)
    # it is only told of, and is there still
    assert register.store.path(first.digest).exists()


def _doctor(home: Path, *words: str) -> str:
    said = answer(hostpledge("doctor", "--format", "json", *words, home=home).out)
    return next((str(one["found"]) for one in said["checks"] if one["id"] == "bundles"), "")


def test_one_whose_row_comes_next_is_not_taken_away(place: str, tmp_path: Path) -> None:
    """Another process has just put it there: dispose waits for it, and doctor does not look."""
    signer = Signer(tmp_path / "made")
    register = _filled(place)
    first, other = signer.chain(ID, 1)[0], signer.chain("other", 1)[0]
    go = tmp_path / "go"

    def wait() -> None:
        _until(go.exists)

    def attaching() -> None:
        attach(Register.open(place), "other", other.path, signer.trust)

    attach(register, ID, first.path, signer.trust)
    child = killed.begin(partial(_then, wait, "note", attaching))
    _until(register.store.path(other.digest).exists)
    with register.store.idle() as idle:
        assert not idle
    disposing = killed.begin(lambda: _dispose(Register.open(place)))
    time.sleep(1)
    assert register.store.path(first.digest).exists()
    assert os.waitpid(disposing, os.WNOHANG) == (0, 0)
    go.touch()
    assert [os.waitpid(one, 0)[1] for one in (child, disposing)] == [0, 0]
    assert not register.store.path(first.digest).exists()
    assert [e.digest for e in register.evidence("other")] == [other.digest]
    assert strays(register) == {}


def test_killed_while_it_disposes_it_is_named_until_it_is_done(place: str, tmp_path: Path) -> None:
    signer = Signer(tmp_path / "made")
    register = _filled(place)
    first = signer.chain(ID, 1)[0]
    attach(register, ID, first.path, signer.trust)
    register.replace_all(ID, lambda newest: disposal.remains(newest, ABOUT, AFTER))
    assert strays(register) == {first.digest: ID}
    assert _dispose(register).bundles == 1
    assert strays(register) == {}


def test_what_another_register_keeps_there_is_no_stray(tmp_path: Path) -> None:
    folder, signer = tmp_path / "registers", Signer(tmp_path / "made")
    folder.mkdir()
    register = _filled(str(folder / "a.sqlite"))
    second = _filled(str(folder / "b.sqlite"))
    first = signer.chain(ID, 1)[0]
    attach(second, ID, first.path, signer.trust)
    assert strays(register) == {}
    assert _dispose(register).bundles == 0
    assert second.evidence(ID)[0].path.exists()


def test_what_an_intake_that_was_killed_had_made_goes_too(tmp_path: Path) -> None:
    places = Places(tmp_path / "hand-in")
    places.make()
    for id in (ID, "other"):
        (places.work(id) / "captures").mkdir(parents=True)
        (places.work(id) / "captures" / "web-01.capture.gz").write_bytes(b"x")
    ended.end(places, ID)
    assert [path.parts[-3] for path in _captures(places.folder)] == ["other"]
