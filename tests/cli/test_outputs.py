"""No output takes the place of what is kept, or of what the command reads."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from tests import bundles
from tests.cli.test_evidence import Shell
from tests.cli.test_judged_again import RECORD

KEPT = "belongs to what hostpledge keeps (keys, the register, its bundles)"
READ = "is what is read, or lies in it"
CALLS = (
    ("key trust -o home/keys/default.pem", KEPT),
    ("key trust -o home/keys/../keys/trust.json", KEPT),
    ("key trust -o link.pem", KEPT),
    ("key trust -o hard.pem", KEPT),
    ("key trust -o keys/new.json", KEPT),
    ("key trust -o k.pub --add k.pub", READ),
    ("register backup -o home/register.sqlite", KEPT),
    ("register backup -o home/register.sqlite-wal", KEPT),
    ("register backup -o other.sqlite --register other.sqlite", KEPT),
    ("register backup -o home/bundles/b.zip", KEPT),
    ("register checkpoint -o home/register.sqlite", KEPT),
    ("register prove P-1 -o home/register.sqlite", KEPT),
    ("register consistency old -o old", READ),
    ("pledge export P-1 -o home/register.sqlite", KEPT),
    ("pledge export P-1 -o old --since old", READ),
    ("report b.zip --html b.zip", READ),
    ("report b.zip --html hard.zip", READ),
    ("report b --html b/data/evidence.json", READ),
    ("report b --xlsx b/new.xlsx", READ),
    ("report b --export csv=b/data/evidence.json", READ),
    ("report b --export json=home/keys/default.pem", KEPT),
    ("report b --html P-1.yml --record P-1.yml", READ),
    ("report b --html trust.json --trust trust.json", READ),
    ("verify b.zip --page b.zip", READ),
    ("verify --page home/keys/default.pem", KEPT),
    ("repack b -o b/b.zip", READ),
    ("repack b -o home/keys/b", KEPT),
    ("bundle in -o home/keys/b", KEPT),
    ("inventory init in -o home/keys/new.yml", KEPT),
    ("collect -i localhost, -o home/keys", KEPT),
    ("run -i localhost, -o home/bundles/new", KEPT),
)  # fmt: skip


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    made = Shell(tmp_path_factory.mktemp("outputs"))
    bundles.write(made.folder / "in", [bundles.capture("web-1")])
    (made.folder / "P-1.yml").write_text(RECORD)
    made("key", "new")
    made("key", "trust", "-o", "trust.json")
    made("pledge", "add", "P-1.yml")
    made("pledge", "add", "P-1.yml", "--register", "other.sqlite")
    made("bundle", "in", "-o", "b", "--pledge", "P-1")
    made("pledge", "attach", "P-1", "b")
    made("repack", "b", "-o", "b.zip")
    made("register", "checkpoint", "-o", "old")
    (made.folder / "k.pub").write_text("a public key")
    os.symlink(made.home / "keys/default.pem", made.folder / "link.pem")
    os.link(made.home / "keys/default.pem", made.folder / "hard.pem")
    os.link(made.folder / "b.zip", made.folder / "hard.zip")
    os.symlink(made.home / "keys", made.folder / "keys")
    return made


def _all(folder: Path) -> dict[str, str]:
    return {
        str(path): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.endswith(("-wal", "-shm"))
    }


@pytest.mark.parametrize(("call", "why"), CALLS, ids=[call for call, _ in CALLS])
def test_nothing_that_is_kept_or_read_is_overwritten(shell: Shell, call: str, why: str) -> None:
    before = _all(shell.folder)
    words = [word.replace("home/", f"{shell.home}/") for word in call.split()]
    said = shell(*words, status=2)
    assert (said.stdout, len(said.stderr.splitlines())) == ("", 1)
    assert why in said.stderr
    assert _all(shell.folder) == before


def test_an_earlier_output_is_replaced(shell: Shell) -> None:
    for _ in range(2):
        shell("key", "trust", "-o", "again.json")
        shell("register", "backup", "-o", "again.zip")
        shell("report", "b", "--html", "again.html", "--export", "csv=again.csv")
        shell("verify", "--page", "page.html")
    said = shell("key", "trust", "-o", f"{shell.home}/keys/x", "--lang", "zh", status=2).stderr
    assert "属于 hostpledge 自己的数据（密钥、登记库或其证据包），不在此写入" in said
