"""Bundles that travel: encrypted to somebody, or without their captures."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import bagit
import pyrage
import pytest

from collector.attest.bundle import redacted
from collector.attest.keys import age
from collector.attest.keys.keys import PrivateKey
from collector.attest.trust.trust_file import Trust
from collector.errors import BadInput, VerifyFailed
from collector.replay import replay
from collector.verify import open_bundle, verify
from tests import bundles
from tests.attest.shell import Shell

with_age = pytest.mark.skipif(shutil.which("age") is None, reason="age is not installed")
MARK = b"what only the raw capture holds"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Trust]:
    found = [
        bundles.with_stdout(bundles.capture("web-1"), "platform.init", MARK),
        bundles.unreachable("gone"),
    ]
    made, trust = bundles.make(
        tmp_path_factory.mktemp("whole"), found, attached={"x": b"y"},
        sm2_key=PrivateKey.generate("sm2"),
    )  # fmt: skip
    return made.path, trust


@pytest.fixture
def shell(whole: tuple[Path, Trust], tmp_path: Path) -> Shell:
    shutil.copytree(whole[0], tmp_path / "b")
    (tmp_path / "trust.json").write_bytes(whole[1].to_bytes())
    mine = pyrage.x25519.Identity.generate()
    (tmp_path / "id").write_text(f"# created\n# public key: {mine.to_public()}\n{mine}\n")
    (tmp_path / "to").write_text(f"# the auditor\n{mine.to_public()}\n")
    return Shell(tmp_path)


def recipient(shell: Shell) -> str:
    return (shell.folder / "to").read_text().split("\n")[1]


# --- encrypted -----------------------------------------------------------------------------------


def test_what_is_encrypted_verifies_after_decryption(shell: Shell) -> None:
    for to in (recipient(shell), "to"):
        shell("repack", "b", "-o", "b.zip.age", "--encrypt-to", to)
        data = (shell.folder / "b.zip.age").read_bytes()
        assert data.startswith(b"age-encryption.org/v1\n")
        assert b"evidence.json" not in data
        said = shell("verify", "b.zip.age", "--trust", "trust.json", "--identity", "id")
        assert said.startswith("Verified: b.zip.age\n")
        for command in ("replay", "verify"):
            failed = shell(command, "b.zip.age", "--trust", "trust.json", status=2)
            assert "encrypted (age); give --identity" in failed
        shell("replay", "b.zip.age", "--trust", "trust.json", "--identity", "id")
        (shell.folder / "b.zip.age").unlink()
    left = sorted(path.name for path in shell.folder.iterdir())
    assert left == ["b", "id", "to", "trust.json"]


@with_age
def test_the_age_program_reads_it_and_we_read_what_it_writes(shell: Shell) -> None:
    shell("repack", "b", "-o", "b.zip.age", "--encrypt-to", recipient(shell))
    run = ["age", "-d", "-i", "id", "-o", "b.zip", "b.zip.age"]
    subprocess.run(run, cwd=shell.folder, check=True)
    shell("verify", "b.zip", "--trust", "trust.json")
    for more in ([], ["-a"]):
        run = ["age", *more, "-R", "to", "-o", "theirs", "b.zip"]
        subprocess.run(run, cwd=shell.folder, check=True)
        shell("verify", "theirs", "--trust", "trust.json", "--identity", "id")


def test_an_ssh_key_and_several_recipients(shell: Shell) -> None:
    for name in ("one", "two"):
        run = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", name]
        subprocess.run(run, cwd=shell.folder, check=True)
    key = (shell.folder / "one.pub").read_text().strip()
    shell("repack", "b", "-o", "s.age", "--encrypt-to", key, "--encrypt-to", "to")
    for identity in ("one", "id"):
        shell("verify", "s.age", "--trust", "trust.json", "--identity", identity)
    failed = shell("verify", "s.age", "--trust", "trust.json", "--identity", "two", status=2)
    assert "encrypted to others than this identity" in failed
    run = ["ssh-keygen", "-q", "-p", "-P", "", "-N", "word", "-f", "one"]
    subprocess.run(run, cwd=shell.folder, check=True)
    failed = shell("verify", "s.age", "--trust", "trust.json", "--identity", "one", status=2)
    assert "no identity that one could decrypt with" in failed


def test_a_new_bundle_is_encrypted_at_once(shell: Shell) -> None:
    bundles.write(shell.folder / "in", [bundles.unreachable("gone")])
    shell("key", "new")
    shell("key", "trust", "-o", "mine.json")
    shell("bundle", "in", "-o", "new.age", "--encrypt-to", recipient(shell))
    shell("verify", "new.age", "--trust", "mine.json", "--identity", "id")
    assert not [p for p in shell.folder.iterdir() if p.name.startswith(".")]


def test_what_is_wrong_is_said_before_any_work(shell: Shell) -> None:
    for words, said in (
        (["-o", "x.zip", "--encrypt-to", recipient(shell)], "ends in .age"),
        (["-o", "x.age"], "ends in .age"),
        (["-o", "x.age", "--encrypt-to", "age1xyz"], "no recipient that one could encrypt to"),
        (["-o", "x.age", "--encrypt-to", "ssh-ed25519 AAAA"], "no recipient that one could"),
        (["-o", "x.age", "--encrypt-to", "none"], "No such file"),
        (["-o", "trust.json"], "exists already"),
    ):
        assert said in shell("repack", "b", *words, status=2)
    assert not list(shell.folder.glob("*x.*"))


def test_changed_and_cut_ciphertexts_are_refused(whole: tuple[Path, Trust], tmp_path: Path) -> None:
    mine = pyrage.x25519.Identity.generate()
    plain, sealed = tmp_path / "plain", tmp_path / "sealed"
    plain.write_bytes(bytes(200_000))
    age.encrypt(plain, sealed, [mine.to_public()])
    data = sealed.read_bytes()
    for number, changed in enumerate(
        (
            data[:-1],
            data[:100_000],
            data[:200],
            data + b"x",
            data[:1000] + bytes([data[1000] ^ 1]) + data[1001:],
            data.replace(b"-> X25519", b"-> X25518"),
        )
    ):
        broken = tmp_path / f"broken{number}"
        broken.write_bytes(changed)
        with pytest.raises((VerifyFailed, BadInput), match=r"cannot be decrypted|encrypted to oth"):
            open_bundle(broken, [mine])
    with pytest.raises(VerifyFailed, match="larger than a bundle is"):
        age.decrypt(sealed, tmp_path / "out", [mine], 150_000)
    with pytest.raises(BadInput, match="File exists"):
        age.encrypt(plain, sealed, [mine.to_public()])


def test_the_plain_text_is_gone_when_the_bundle_is_closed(
    whole: tuple[Path, Trust], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    mine = pyrage.x25519.Identity.generate()
    from collector.attest.bundle.making import pack

    pack(whole[0], tmp_path / "b.zip")
    age.encrypt(tmp_path / "b.zip", tmp_path / "b.age", [mine.to_public()])
    with open_bundle(tmp_path / "b.age", [mine]) as opened:
        (inside,) = (tmp_path / "tmp").iterdir()
        assert inside.stat().st_mode & 0o777 == 0o700
        verify(opened, whole[1])
    assert not list((tmp_path / "tmp").iterdir())
    for identities in ([], [pyrage.x25519.Identity.generate()]):
        with pytest.raises(BadInput):
            open_bundle(tmp_path / "b.age", identities)
        assert not list((tmp_path / "tmp").iterdir())


# --- redacted ------------------------------------------------------------------------------------


@pytest.fixture
def left_out(whole: tuple[Path, Trust], tmp_path: Path) -> Path:
    with open_bundle(whole[0]) as opened:
        redacted.write(opened.root, tmp_path / "r", opened.info)
    return tmp_path / "r"


def test_a_redacted_bundle_says_how_far_it_goes(whole: tuple[Path, Trust], left_out: Path) -> None:
    assert not (left_out / "data/captures").exists()
    with open_bundle(whole[0]) as full, open_bundle(left_out) as opened:
        before, found = verify(full, whole[1]), verify(opened, whole[1])
    assert (before.redacted, found.redacted) == (False, True)
    assert found.digest == before.digest
    assert found.statement == before.statement
    assert found.handed_in == before.handed_in
    said = " ".join(text.en for text in found.proven)
    assert "captures of the 2 host(s) were left out, and their digests are among" in said
    assert "belongs to their captures" not in said
    said = " ".join(text.en for text in found.unproven)
    assert "That the findings and what they quote come from the captures" in said
    bagit.Bag(str(left_out)).validate(processes=1)
    subprocess.run(["sha256sum", "-c", "manifest-sha256.txt"], cwd=left_out, check=True)


def test_nothing_is_judged_from_what_is_not_there(left_out: Path) -> None:
    with open_bundle(left_out) as opened:
        for act in (lambda: replay(opened), lambda: opened.capture("web-1")):
            with pytest.raises(BadInput, match="its captures were left out"):
                act()


def test_a_bundle_is_redacted_whole_and_says_so_or_not_at_all(
    whole: tuple[Path, Trust], left_out: Path, tmp_path: Path
) -> None:
    def refused(root: Path, said: str) -> None:
        bundles.reseal(root)
        with pytest.raises(VerifyFailed, match=said):
            open_bundle(root)

    some = Path(shutil.copytree(whole[0], tmp_path / "some"))
    next((some / "data/captures").iterdir()).unlink()
    refused(some, "is missing, and the statement names it")
    silent = Path(shutil.copytree(left_out, tmp_path / "silent"))
    info = (silent / "bag-info.txt").read_text()
    (silent / "bag-info.txt").write_text(info.replace("Hostpledge-Left-Out: captures\n", ""))
    refused(silent, "is missing, and the statement names it")
    (left_out / "data/captures").mkdir()
    one = next((whole[0] / "data/captures").iterdir())
    shutil.copy(one, left_out / "data/captures")
    refused(left_out, "stands in a bundle without captures")
    shutil.rmtree(left_out / "data/captures")
    evidence = left_out / "data/evidence.json"
    evidence.write_bytes(evidence.read_bytes().replace(b'"hosts"', b'"hostz"'))
    refused(left_out, "is not what was signed")


def test_the_commands(shell: Shell) -> None:
    said = shell("repack", "b", "-o", "r.zip", "--redact")
    assert MARK not in b"".join(p.read_bytes() for p in shell.folder.glob("r.zip"))
    found = shell.out("verify", "r.zip", "--trust", "trust.json", "--format", "json")
    assert json.loads(found)["redacted"] is True
    assert json.loads(found)["digest"] in said
    assert shell("verify", "r.zip", "--trust", "trust.json").startswith(
        "Verified as far as it goes: its captures were left out: r.zip\n"
    )
    assert "已略去" in shell("verify", "r.zip", "--trust", "trust.json", "--lang", "zh")
    assert "left out" in shell("replay", "r.zip", "--trust", "trust.json", status=2)
    shell("repack", "b", "-o", "r.age", "--redact", "--encrypt-to", "to")
    shell("verify", "r.age", "--trust", "trust.json", "--identity", "id")
    shell("repack", "r.age", "-o", "r", "--identity", "id")
    shell("repack", "r", "-o", "again", "--redact")
    shell("verify", "again", "--trust", "trust.json")
    assert "exists already" in shell("repack", "b", "-o", "r", status=2)


def test_the_register_takes_no_redacted_bundle(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    bundles.write(tmp_path / "in", [bundles.unreachable("gone")])
    root = Path(__file__).parents[2]
    shell("key", "new")
    shell("pledge", "add", str(root / "examples" / "pledge.yml"))
    shell("bundle", "in", "-o", "b", "--pledge", "demo-2026")
    shell("repack", "b", "-o", "r", "--redact")
    assert "its captures were left out" in shell("pledge", "attach", "demo-2026", "r", status=2)
    (tmp_path / "to").write_text(str(pyrage.x25519.Identity.generate().to_public()))
    shell("repack", "b", "-o", "b.zip.age", "--encrypt-to", "to")
    assert "decrypt it: age -d" in shell("pledge", "attach", "demo-2026", "b.zip.age", status=2)
    shell("pledge", "attach", "demo-2026", "b")
