"""`hostpledge bundle --per-pledge`: one folder of captures, a bundle for each customer in it."""

from __future__ import annotations

import dataclasses
import hashlib
import shlex
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType

import pytest

from collector import captures
from collector.cli.workflows.bundling.many import shared_out
from collector.pledges.register.register import Register
from tests.cli.running import Ended, answer, hostpledge
from tests.pledges.lives import captured
from tests.pledges.records import made

AT = datetime.now(UTC) - timedelta(hours=2)


def _write(folder: Path, host: str, name: str = "weak") -> None:
    """As that host printed it two hours ago: a machine of its own."""
    taken = captured(name)
    own = hashlib.sha256(host.encode()).hexdigest()
    head = {**taken.head, "clock": str(int(AT.timestamp())), "machine": own, "boot_id": own}
    of_host = dataclasses.replace(
        taken,
        host=host,
        collected_at=AT,
        head=MappingProxyType({**head, "hostkey": ""}),
        origin=MappingProxyType({**taken.origin, "clock": AT.isoformat(), "output_sha256": own}),
        nonce=own[: len(taken.nonce)],
    )
    captures.write(of_host, folder / captures.file_name(host))


class Desk:
    """Three customers, of whom one has two hosts, and two declare one host alike."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.taken = folder, folder / "captures"
        self.taken.mkdir()
        self.register = Register.open(str(folder / "r.sqlite"), create=True)
        hosts = {"a-1": ["a-web", "a-db"], "b-2": ["b-web", "both"], "c-3": ["both"]}
        for number, (id, names) in enumerate(hosts.items()):
            papers = [{"type": "pledge", "version": "1", "sha256": f"{number:064x}",
                       "signed_on": "2026-01-05"}]  # fmt: skip
            self.register.add(made(id=id, documents=papers, resources={"hosts": names}))
        for host in ("a-web", "a-db", "b-web", "both", "stranger"):
            _write(self.taken, host)
        assert self("key", "new").status == 0

    def __call__(self, *words: object) -> Ended:
        return hostpledge(*words, home=self.folder)

    def bundle(self, *more: object) -> Ended:
        where = ("--register", self.folder / "r.sqlite")
        return self("bundle", self.taken, "--per-pledge", "-o", self.folder / "out", *where, *more)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_each_customer_gets_a_bundle_of_its_hosts_and_all_are_attached(desk: Desk) -> None:
    ended = desk.bundle("--lang", "en")
    assert ended.status == 1, ended.err
    assert sorted(path.name for path in (desk.folder / "out").iterdir()) == ["a-1.zip", "b-2.zip"]
    assert [line.split()[0].rpartition("/")[2] for line in ended.out.splitlines()] == [
        "a-1.zip",
        "b-2.zip",
    ]
    assert "1 host(s) are of no pledge in force, and left out: stranger\n" in ended.err
    assert "1 host(s) are of several pledges, and left out" in ended.err
    assert "both (b-2 c-3)\n" in ended.err
    line = ended.err.splitlines()[-1]
    assert line.startswith("hostpledge pledge attach --each ")
    files = sorted((desk.folder / "out").glob("*"))
    words = [word for word in shlex.split(line)[1:] if not word.endswith("/*")]
    # a path is no id: who forgets --each is understood
    words.remove("--each")
    attached = desk(*words[:2], *files, *words[2:])
    assert attached.status == 0, attached.err
    assert "2 attached, 0 not" in attached.out
    rows = {id: desk.register.evidence(id) for id in ("a-1", "b-2", "c-3")}
    assert {id: len(of) for id, of in rows.items()} == {"a-1": 1, "b-2": 1, "c-3": 0}
    hosts = {one.host for one in desk.register.sightings_of(rows["a-1"][0])}
    assert hosts == {"a-web", "a-db"}


def test_programs_are_told_what_became_of_each(desk: Desk) -> None:
    (desk.taken / "garbled.capture.gz").write_bytes(b"no capture")
    ended = desk.bundle("--format", "json")
    assert ended.status == 2
    told = answer(ended.out)
    assert [(one["pledge"], one["hosts"]) for one in told["bundles"]] == [("a-1", 2), ("b-2", 1)]
    assert [one["file"] for one in told["missing"]] == ["garbled.capture.gz"]
    assert (told["of_no_pledge"], told["of_several"]) == (["stranger"], {"both": ["b-2", "c-3"]})


def test_what_cannot_be_is_refused_before_any_work(desk: Desk) -> None:
    for words, said in (
        (("--pledge", "a-1"), "--per-pledge goes without --pledge"),
        (("--attach", "x=y"), "--attach"),
    ):
        ended = desk.bundle(*words, "--lang", "en")
        assert (ended.status, said in ended.err) == (2, True), ended.err
    out = desk.folder / "out"
    assert not out.exists()
    out.mkdir()
    (out / "kept").write_text("x")
    ended = desk.bundle("--lang", "en")
    assert (ended.status, len(ended.err.splitlines())) == (2, 1)
    assert "is no empty folder" in ended.err
    assert [path.name for path in out.iterdir()] == ["kept"]


def test_one_that_cannot_be_made_keeps_no_other_back(desk: Desk) -> None:
    desk.register.add(
        made(id="d-4", grade=2, documents=[], draft=True, resources={"hosts": ["stranger"]})
    )
    ended = desk.bundle("--grade", "2", "--lang", "en")
    # the others are of grade 3; of a draft nothing is checked
    assert ended.status == 2
    assert "a-1: --grade: is of grade 3, not to be judged at 2" in ended.err
    assert "stranger" in ended.err
    assert list((desk.folder / "out").iterdir()) == []


def test_nobody_s_hosts_alone_make_nothing(desk: Desk) -> None:
    for file in desk.taken.iterdir():
        if "stranger" not in file.name:
            file.unlink()
    ended = desk.bundle("--lang", "en")
    assert (ended.status, len(ended.err.splitlines())) == (2, 1)
    assert "declared by just one pledge in force" in ended.err
    assert not (desk.folder / "out").exists()


def test_hosts_are_shared_out_by_name() -> None:
    records = [made(id="a-1", resources={"hosts": ["x", "y"]}),
               made(id="b-2", resources={"hosts": ["y"]})]  # fmt: skip
    found = shared_out(["y", "x", "z", "x"], records)
    assert (found.of, found.none, found.several) == ({"a-1": ["x"]}, ["z"], {"y": ["a-1", "b-2"]})
