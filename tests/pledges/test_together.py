"""Many processes at one register, and processes killed at any moment."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

from collector.cli.commands.pledge.lists import import_
from collector.errors import BadInput
from collector.pledges.database import log
from collector.pledges.record import form as record
from collector.pledges.register.attach import attach
from collector.pledges.register.register import Register
from collector.pledges.transfer import backup
from collector.pledges.transfer.restore import restore
from collector.verify import open_bundle, verify
from tests.pledges.bundles import AT, Signer
from tests.pledges.killed import begin, lasts, run
from tests.pledges.places import owner
from tests.pledges.records import EXAMPLE, TODAY, made
from tests.pledges.test_seen_before import bundled, taken

# adds, updates and attaches as fast as it can; what another process (or itself, before it was
# killed) did already is no fault
CHILD = """
import sys
from pathlib import Path
from collector.attest.trust.trust_file import load_trust
from collector.errors import BadInput
from collector.pledges.record import form as record
from collector.pledges.register.attach import attach
from collector.cli.commands.pledge.lists import import_
from collector.errors import BadInput
from collector.pledges.transfer import backup
from collector.pledges.record import form as record
from collector.pledges.register.register import Register
from collector.pledges.transfer.restore import restore
example, place, trust_file, *jobs = sys.argv[1:]
text = Path(example).read_text("utf-8")
trust = load_trust(Path(trust_file))
print("ready", flush=True)
register = Register.open(place)
for job in jobs:
    id, *bundles = job.split(",")
    known = record.from_bytes(text.replace("demo-2026", id).encode(), where="p")
    try:
        register.add(known)
    except BadInput as problem:
        assert "already" in str(problem), problem
    again = text.replace("demo-2026", id).replace("云帆", "远帆")
    register.add(record.from_bytes(again.encode(), where="p"), update=True)
    for bundle in bundles:
        try:
            attach(register, id, Path(bundle), trust)
        except BadInput as problem:
            assert "attached already" in str(problem), problem
"""


class Work:
    """A register that children work at, and what they have to do."""

    def __init__(self, folder: Path, place: str, pledges: int, bundles: int) -> None:
        self.signer = Signer(folder / "made")
        self.place = place
        self.chains = {
            f"p-{n}": [made.path for made in self.signer.chain(f"p-{n}", bundles)]
            for n in range(pledges)
        }
        self.trust = folder / "trust.json"
        self.trust.write_bytes(self.signer.trust.to_bytes())
        self.checkpoint = Register.open(self.place).log().checkpoint()

    def child(self, *ids: str) -> subprocess.Popen[bytes]:
        jobs = [",".join([id, *map(str, self.chains[id])]) for id in ids]
        arguments = [str(EXAMPLE), self.place, str(self.trust), *jobs]
        return subprocess.Popen([sys.executable, "-c", CHILD, *arguments], stdout=subprocess.PIPE)

    def whole(self) -> int:
        """Raises unless all that is there is whole, and the log grew out of what it was.

        Returns how many bundles are attached.
        """
        with owner(self.place) as theirs:
            if "://" not in self.place:
                assert theirs.execute("PRAGMA integrity_check") == [("ok",)]
            alone = "SELECT id FROM pledges WHERE id NOT IN (SELECT pledge FROM versions)"
            assert theirs.execute(alone) == []
        register = Register.open(self.place)
        attached = 0
        for known in register.list():
            evidence = register.evidence(known.id)
            assert [e.sequence for e in evidence] == list(range(1, len(evidence) + 1))
            for one in evidence:
                with open_bundle(one.path) as kept:
                    assert verify(kept, self.signer.trust).digest == one.digest
            attached += len(evidence)
        log = register.log()
        assert len(log.leaves) == attached
        log.check_begins_with(self.checkpoint, where="after a kill")
        self.checkpoint = log.checkpoint()
        return attached

    def done(self) -> None:
        register = Register.open(self.place)
        assert {known.id for known in register.list() if known.id.startswith("p-")} == set(
            self.chains
        )
        for id, chain in self.chains.items():
            assert len(register.history(id)) == 2
            assert register.get(id).customer == "杭州示例远帆科技有限公司"
            assert len(register.evidence(id)) == len(chain)
        total = sum(map(len, self.chains.values()))
        assert self.whole() == total
        # nothing is left aside, and nothing stands in the store without its row
        own = {".holders", ".lock"}
        assert len({path.name for path in register.store.folder.iterdir()} - own) == total


def test_a_killed_process_leaves_all_whole_and_can_run_again(tmp_path: Path, place: str) -> None:
    work = Work(tmp_path, place, pledges=4, bundles=4)
    moments = random.Random(20261125)
    cut_short = 0
    for _ in range(10):
        child = work.child(*work.chains)
        assert child.stdout is not None
        child.stdout.readline()
        time.sleep(moments.uniform(0.05, 0.5))
        child.kill()
        child.communicate()
        cut_short += child.returncode != 0
        work.whole()
    assert cut_short
    assert work.child(*work.chains).wait(120) == 0
    # a last process clears what the killed ones left aside
    assert work.child(*work.chains).wait(120) == 0
    work.done()


def _list(folder: Path, count: int, name: str = "云帆") -> Path:
    """A list with the pledges i-0000, i-0001 …"""
    path = folder / f"{name}.csv"
    code = record.load(EXAMPLE, today=TODAY).document["customer"]["credit_code"]
    rows = [f"i-{n:04d},杭州示例{name}科技有限公司{n},{code}" for n in range(count)]
    path.write_text("\n".join(["编号,用户名称,统一社会信用代码", *rows, ""]), "utf-8")
    return path


def _import(place: str, path: Path, *more: str) -> None:
    import_.main([str(path), "--register", place, *more], standalone_mode=False)


def _imported(place: str) -> list[str]:
    """The names of the imported pledges' customers, without their numbers."""
    register = Register.open(place)
    found = [known for known in register.list() if known.id.startswith("i-")]
    assert {known.id for known in found} <= {brief.id for brief in register.briefs()}
    return [known.customer.rstrip("0123456789") for known in found]


def test_a_killed_import_leaves_all_or_nothing_and_can_run_again(
    tmp_path: Path, place: str
) -> None:
    Register.open(place)
    first, second = _list(tmp_path, 150), _list(tmp_path, 150, "远帆")
    old, new = "杭州示例云帆科技有限公司", "杭州示例远帆科技有限公司"
    (tmp_path / "x").mkdir()
    long = lasts(lambda: _import(str(tmp_path / "x" / "r.sqlite"), first))
    moments, cut = random.Random(20261125), 0
    for _ in range(5):
        if not _imported(place):
            cut += not run(lambda: _import(place, first), moments.uniform(0, long))
        assert _imported(place) in ([], [old] * 150)
    if not _imported(place):
        assert run(lambda: _import(place, first))
    before = old
    for turn in range(5):
        path, after = ((second, new), (first, old))[turn % 2]
        cut += not run(
            lambda path=path: _import(place, path, "--update"),  # type: ignore[misc]
            moments.uniform(0, long),
        )
        names = _imported(place)
        assert names in ([before] * 150, [after] * 150)
        before = names[0]
    assert cut
    assert run(lambda: _import(place, second, "--update"))
    assert _imported(place) == [new] * 150


def test_eight_processes_lose_nothing_while_others_import_and_save(
    tmp_path: Path, place: str
) -> None:
    work = Work(tmp_path, place, pledges=4, bundles=2)
    path = _list(tmp_path, 40)
    importers = [begin(lambda: _import(place, path)) for _ in range(2)]
    # two each do the same: whoever comes second must find it done
    children = [work.child(f"p-{number // 2}") for number in range(8)]
    saved: list[Path] = []
    while not saved or any(child.poll() is None for child in children):
        saved.append(tmp_path / f"{len(saved)}.zip")
        backup.write(Register.open(place), saved[-1])
    assert [child.wait() for child in children] == [0] * 8
    ended = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in importers]
    assert sorted(ended) == [0, 1], "one of two that add the same is told that it is there"
    assert len(_imported(place)) == 40
    work.done()
    (tmp_path / "again").mkdir()
    target = str(tmp_path / "again" / "r.sqlite")
    for number, one in enumerate([saved[0], saved[len(saved) // 2], saved[-1]]):
        restore(one, target, replace=number > 0)
        register = Register.open(target)
        assert len(_imported(target)) in (0, 40)
        Register.open(place).log().check_begins_with(register.log().checkpoint(), where="saved")


def test_two_that_attach_one_capture_to_two_pledges_at_once(place: str, tmp_path: Path) -> None:
    """Each looks while a third process writes, and before the other one has written."""
    register = Register.open(place)
    signer = Signer(tmp_path / "made")
    given = taken("web-01", "hardened", AT)
    bundles = {}
    for id in ("demo-2026", "other-2026"):
        register.add(made(id=id, resources={"hosts": ["web-01"]}))
        bundles[id] = bundled(register, signer, id, given)

    def work(id: str) -> None:
        while not (tmp_path / "go").exists():
            time.sleep(0.01)
        said = tmp_path / f"said-{id}"
        try:
            attach(
                Register.open(place), id, bundles[id], signer.trust,
                lambda *_: (tmp_path / f"verified-{id}").touch(),
            )  # fmt: skip
            said.write_text("attached")
        except BadInput as problem:
            said.write_text(str(problem))

    children = [begin(partial(work, id)) for id in bundles]
    with register._database.write() as connection:
        log.hold(connection, where=place)
        (tmp_path / "go").touch()
        while len(list(tmp_path.glob("verified-*"))) < 2:
            time.sleep(0.05)
        time.sleep(1.5)
    for child in children:
        assert os.waitpid(child, 0)[1] == 0
    said = [path.read_text() for path in tmp_path.glob("said-*")]
    assert len(said) == 2
    assert said.count("attached") == 1, said
    assert any("capture" in one and "web-01" in one for one in said if one != "attached"), said
    attached = [register.evidence(id) for id in bundles]
    assert sorted(map(len, attached)) == [0, 1]
    assert len(Register.open(place).log().leaves) == 1
