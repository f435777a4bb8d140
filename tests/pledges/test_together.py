"""Many processes at one register, and processes killed at any moment."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

from collector.pledges.register import FILE, Register
from collector.verify import open_bundle, verify
from tests.pledges.bundles import Signer
from tests.pledges.records import EXAMPLE

# adds, updates and attaches as fast as it can; what another process (or itself, before it was
# killed) did already is no fault
CHILD = """
import sys
from pathlib import Path
from collector.attest.trust import load_trust
from collector.errors import BadInput
from collector.pledges import record
from collector.pledges.attach import attach
from collector.pledges.register import Register
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

    def __init__(self, folder: Path, pledges: int, bundles: int) -> None:
        self.signer = Signer(folder / "made")
        self.place = folder / "register"
        self.place.mkdir()
        self.chains = {
            f"p-{n}": [made.path for made in self.signer.chain(f"p-{n}", bundles)]
            for n in range(pledges)
        }
        self.trust = folder / "trust.json"
        self.trust.write_bytes(self.signer.trust.to_bytes())

    def child(self, *ids: str) -> subprocess.Popen[bytes]:
        jobs = [",".join([id, *map(str, self.chains[id])]) for id in ids]
        arguments = [str(EXAMPLE), str(self.place), str(self.trust), *jobs]
        return subprocess.Popen([sys.executable, "-c", CHILD, *arguments], stdout=subprocess.PIPE)

    def whole(self) -> int:
        """Raises unless all that is there is whole; returns how many bundles are attached."""
        with sqlite3.connect(self.place / FILE) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            alone = "SELECT id FROM pledges WHERE id NOT IN (SELECT pledge FROM versions)"
            assert connection.execute(alone).fetchall() == []
        register = Register.open(str(self.place))
        attached = 0
        for known in register.list():
            evidence = register.evidence(known.id)
            assert [e.sequence for e in evidence] == list(range(1, len(evidence) + 1))
            for one in evidence:
                with open_bundle(one.path) as kept:
                    assert verify(kept, self.signer.trust).digest == one.digest
            attached += len(evidence)
        return attached

    def done(self) -> None:
        register = Register.open(str(self.place))
        assert {known.id for known in register.list()} == set(self.chains)
        for id, chain in self.chains.items():
            assert len(register.history(id)) == 2
            assert register.get(id).customer == "杭州示例远帆科技有限公司"
            assert len(register.evidence(id)) == len(chain)
        total = sum(map(len, self.chains.values()))
        assert self.whole() == total
        # nothing is left aside, and nothing stands in the store without its row
        assert len(list((self.place / "bundles").iterdir())) == total + 1


def test_eight_processes_lose_nothing(tmp_path: Path) -> None:
    work = Work(tmp_path, pledges=4, bundles=2)
    # two each do the same: whoever comes second must find it done
    children = [work.child(f"p-{number // 2}") for number in range(8)]
    for child in children:
        child.communicate()
    assert [child.returncode for child in children] == [0] * 8
    work.done()


def test_a_killed_process_leaves_all_whole_and_can_run_again(tmp_path: Path) -> None:
    work = Work(tmp_path, pledges=4, bundles=4)
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
        if (work.place / FILE).exists():
            work.whole()
    assert cut_short
    assert work.child(*work.chains).wait(120) == 0
    # a last process clears what the killed ones left aside
    assert work.child(*work.chains).wait(120) == 0
    work.done()
