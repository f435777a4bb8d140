"""key, bundle, verify, replay and diff as commands: what they print, and with which status."""

from __future__ import annotations

import json
import os
import stat
from dataclasses import dataclass
from pathlib import Path

import pytest

from collector.run.collected.run_folder import RunFolder
from collector.script import host_nonce
from tests import bundles
from tests.forked import command

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Said:
    stdout: str
    stderr: str


class Shell:
    """hostpledge in a folder of its own, with a home of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder / "home"

    def __call__(self, *words: str, status: int = 0, text: str = "") -> Said:
        done = command(
            *words,
            cwd=self.folder,
            env=os.environ
            | {"HOSTPLEDGE_HOME": str(self.home), "PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8"},
            data=text.encode(),
        )
        said = Said(done.out.decode(), done.err.decode())
        assert done.status == status, said
        assert "Traceback" not in said.stderr
        if status == 2:
            assert said.stdout == ""
            assert said.stderr.splitlines()[-1].startswith("hostpledge: ")
        return said


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


def test_the_whole_line(shell: Shell) -> None:
    bundles.write(shell.folder / "in", [bundles.capture("web-1"), bundles.unreachable("gone")])
    (shell.folder / "in" / "handed.capture").write_bytes(bundles.output())
    said = shell("key", "new")
    keyid = said.stdout.split()[0]
    assert keyid.startswith("SHA256:")
    shell("key", "trust", "-o", "trust.json")
    assert shell("key", "trust").stdout == (shell.folder / "trust.json").read_text()
    assert keyid in shell("key", "show").stdout

    key = str(shell.home / "keys/default.pem")
    made = shell("bundle", "in", "-o", "b", "--key", key)
    digest = made.stdout.split("sha256:")[1].strip()
    said = shell("verify", "b", "--trust", "trust.json")
    assert said.stdout.startswith("Verified: b\n")
    assert digest in said.stdout
    assert "Not proven:" in said.stdout
    assert "未证明" in shell("verify", "b", "--trust", "trust.json", "--lang", "zh").stdout
    document = json.loads(shell("verify", "b", "--trust", "trust.json", "--format", "json").stdout)
    assert document["verified"] is True
    assert document["digest"] == digest
    assert document["hosts"] == 3

    said = shell("replay", "b", "--trust", "trust.json", "--format", "json")
    assert json.loads(said.stdout)["same"] is True
    assert said.stderr == ""
    assert "signature was not checked" in shell("replay", "b").stderr

    shell("bundle", "in", "-o", "c.zip")
    shell("verify", "c.zip", "--trust", "trust.json")
    said = shell("diff", "b", "c.zip", "--trust", "trust.json", "--format", "json")
    assert json.loads(said.stdout)["regressed"] == []
    said = shell("bundle", "in", "-o", "b", status=2)
    assert "exists already" in said.stderr
    assert "exists already" in shell("bundle", "in", "-o", "c.zip", status=2).stderr
    names = {p.name for p in shell.folder.iterdir()}
    assert names == {"in", "home", "trust.json", "b", "c.zip"}


def test_what_does_not_verify_ends_with_2_and_one_line(shell: Shell) -> None:
    bundles.write(shell.folder / "in", [bundles.unreachable("a")])
    shell("key", "new")
    shell("key", "trust", "-o", "trust.json")
    shell("key", "new", "--name", "other")
    shell("bundle", "in", "-o", "b", "--key", "other")
    said = shell("verify", "b", "--trust", "trust.json", status=2)
    assert "not among the trusted keys" in said.stderr
    assert len(said.stderr.splitlines()) == 1
    shell("key", "trust", "-o", "trust.json")
    shell("verify", "b", "--trust", "trust.json")

    place = shell.folder / "b/data/evidence.json"
    data = bytearray(place.read_bytes())
    data[100] ^= 1
    place.write_bytes(data)
    for words in (("verify", "b", "--trust", "trust.json"), ("replay", "b"), ("diff", "b", "b")):
        said = shell(*words, status=2)
        assert "b: data/evidence.json: does not verify" in said.stderr
    said = shell("verify", "b", "--trust", "trust.json", "--lang", "zh", status=2)
    assert (
        "b: data/evidence.json：核验不通过：内容已被改动（与 manifest-sha256.txt 不符）\n"
        in said.stderr
    )
    said = shell("verify", "none", "--trust", "trust.json", status=2)
    assert "no such bundle" in said.stderr
    said = shell("verify", "b", "--trust", "none", status=2)
    assert "No such file" in said.stderr
    shell("verify", "b", status=2)


def test_passphrases_come_from_a_file(shell: Shell) -> None:
    bundles.write(shell.folder / "in", [bundles.unreachable("a")])
    (shell.folder / "pass").write_text("秘密\n")
    (shell.folder / "wrong").write_text("x\n")
    shell("key", "new", "--type", "ed25519", "--passphrase-file", "pass")
    place = shell.home / "keys/default.pem"
    assert "ENCRYPTED" in place.read_text()
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert stat.S_IMODE(place.parent.stat().st_mode) == 0o700
    assert "asks for a passphrase" in shell("bundle", "in", "-o", "b", status=2).stderr
    said = shell("bundle", "in", "-o", "b", "--passphrase-file", "wrong", status=2)
    assert "the passphrase is wrong" in said.stderr
    shell("bundle", "in", "-o", "b", "--passphrase-file", "pass")
    place.chmod(0o640)
    said = shell("bundle", "in", "-o", "c", "--passphrase-file", "pass", status=2)
    assert "others can read this key (mode 0640)" in said.stderr


def test_older_bundles_want_more_than_the_word_of_a_key_that_ended(shell: Shell) -> None:
    bundles.write(shell.folder / "in", [bundles.unreachable("a")])
    shell("key", "new")
    shell("bundle", "in", "-o", "b")
    shell("key", "rotate", "--type", "ed25519")
    shell("bundle", "in", "-o", "c")
    shell("key", "trust", "-o", "trust.json")
    said = shell("verify", "b", "--trust", "trust.json", status=2)
    assert "a timestamp would, or --proof of the register's log" in said.stderr
    said = shell("verify", "c", "--trust", "trust.json")
    assert "is asserted by the signer only" in said.stdout
    old = next((shell.home / "keys").glob("default-until-*.pem"))
    assert "this key ended" in shell("bundle", "in", "-o", "d", "--key", str(old), status=2).stderr
    shell("key", "revoke", old.stem)
    shell("key", "trust", "-o", "trust.json")
    assert "revoked" in shell("verify", "b", "--trust", "trust.json", status=2).stderr


def test_a_run_is_bundled_with_its_description_and_script(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOSTPLEDGE_HOME", str(shell.home))
    out = shell.folder / "out"
    run = RunFolder.begin(out, ["encryption"], 3)
    run.expect(["web-1", "gone"])
    from dataclasses import replace

    found = replace(
        bundles.capture("web-1"),
        origin={"run": run.nonce},
        nonce=host_nonce(run.nonce, "web-1"),
    )
    run.take(found, 0)
    shell("key", "new")
    said = shell("bundle", "out", "-o", "b", status=2)
    assert "1 hosts of the run have no capture: gone" in said.stderr
    gone = replace(bundles.unreachable("gone"), origin={"run": run.nonce})
    run.take(gone, 0)
    run.end()
    shell("bundle", "out", "-o", "b")
    shell("key", "trust", "-o", "trust.json")
    shell("verify", "b", "--trust", "trust.json")
    document = json.loads((shell.folder / "b/data/evidence.json").read_text())
    assert document["grade"] == 3
    assert document["run"]["nonce"] == run.nonce
    assert {control.split(".")[0] for control in document["controls"]} == {"encryption"}
    assert (shell.folder / "b/data/script.sh").read_text() == run.script


def test_folders_that_hold_nothing(shell: Shell) -> None:
    shell("key", "new")
    (shell.folder / "in").mkdir()
    assert "no capture in this folder" in shell("bundle", "in", "-o", "b", status=2).stderr
    assert "no such" in shell("bundle", "none", "-o", "b", status=2).stderr
    bundles.write(shell.folder / "in", [bundles.unreachable("a")])
    said = shell("bundle", "in", "-o", "b", "--key", "none", status=2)
    assert "no key is named none" in said.stderr
    assert not (shell.folder / "b").exists()


def test_replay_and_diff_end_with_1_where_something_differs(shell: Shell) -> None:
    from collector import catalog
    from collector.attest.keys import keys
    from tests.test_verify import sign_again

    shell("key", "new")
    bundles.write(shell.folder / "in", [bundles.unreachable("a")])
    shell("bundle", "in", "-o", "b")
    shell("bundle", "in", "-o", "c")
    key = keys.load(shell.home / "keys/default.pem")
    first = catalog.select()[0]

    def lie(document: dict[str, object]) -> None:
        finding = document["hosts"]["a"]["findings"][0]  # type: ignore[index]
        finding["verdict"] = "pass"

    sign_again(shell.folder / "b", key, lie)
    said = shell("replay", "b", status=1)
    assert said.stdout.startswith(f"a  {first.id}  pass → error")
    said = shell("diff", "b", "c", status=1)
    assert said.stdout.startswith("regressed (1)\n")
    assert "fixed (1)" in shell("diff", "c", "b").stdout
