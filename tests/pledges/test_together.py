"""Many processes at one register, and processes killed at any moment."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

from collector.pledges.register import FILE, Register
from tests.pledges.records import EXAMPLE

# adds records N… of the example to a register that may not be there yet, as fast as it can
ADDER = """
import sys
from pathlib import Path
from collector.errors import BadInput
from collector.pledges import record
from collector.pledges.register import Register
example, place, first, count = sys.argv[1:]
text = Path(example).read_text("utf-8")
print("ready", flush=True)
register = Register.open(place)
for number in range(int(first), int(first) + int(count)):
    known = record.from_bytes(text.replace("demo-2026", f"p-{number}").encode(), where="p")
    try:
        register.add(known)
    except BadInput as problem:
        assert "already" in str(problem), problem
    known = record.from_bytes(
        text.replace("demo-2026", f"p-{number}").replace("云帆", "远帆").encode(), where="p"
    )
    register.add(known, update=True)
"""


def _adder(place: Path, first: int, count: int) -> subprocess.Popen[bytes]:
    arguments = [str(EXAMPLE), str(place), str(first), str(count)]
    return subprocess.Popen([sys.executable, "-c", ADDER, *arguments], stdout=subprocess.PIPE)


def _whole(place: Path) -> None:
    with sqlite3.connect(place / FILE) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        alone = "SELECT id FROM pledges WHERE id NOT IN (SELECT pledge FROM versions)"
        assert connection.execute(alone).fetchall() == []


def test_eight_processes_lose_nothing(tmp_path: Path) -> None:
    # two each add the same records: whoever comes second must find them there
    children = [_adder(tmp_path, 3 * (number // 2), 3) for number in range(8)]
    for child in children:
        child.communicate()
    assert [child.returncode for child in children] == [0] * 8
    register = Register.open(str(tmp_path))
    assert sorted(known.id for known in register.list()) == sorted(f"p-{n}" for n in range(12))
    for known in register.list():
        assert [v.number for v in register.history(known.id)] == [1, 2]
        assert known.customer == "杭州示例远帆科技有限公司"
    _whole(tmp_path)


def test_a_killed_process_leaves_the_register_whole_and_can_run_again(tmp_path: Path) -> None:
    moments = random.Random(20261125)
    for _ in range(10):
        child = _adder(tmp_path, 0, 200)
        assert child.stdout is not None
        child.stdout.readline()
        time.sleep(moments.uniform(0, 0.3))
        child.kill()
        child.communicate()
        if (tmp_path / FILE).exists():
            _whole_after(tmp_path)
    assert _adder(tmp_path, 0, 8).wait(120) == 0
    register = Register.open(str(tmp_path))
    for number in range(8):
        assert len(register.history(f"p-{number}")) == 2


def _whole_after(place: Path) -> None:
    for known in Register.open(str(place)).list():
        assert known.document["id"] == known.id
    _whole(place)
