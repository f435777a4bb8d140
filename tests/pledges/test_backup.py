"""A register is saved whole and put back whole, into either database, or nothing is changed."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import random
import shutil
import struct
import subprocess
import tracemalloc
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from sqlalchemy import select

from collector import private
from collector.attest.bundle import bag, redacted
from collector.attest.bundle.making import bag_info
from collector.attest.envelope import dsse as envelope
from collector.attest.envelope import statement
from collector.attest.keys.keys import PrivateKey
from collector.attest.log import checkpoint
from collector.attest.log.logged import Log
from collector.attest.trust.trust_file import Trust
from collector.errors import BadInput, CollectorError
from collector.pledges.database import tables
from collector.pledges.record.form import PledgeRecord
from collector.pledges.register.attach import attach
from collector.pledges.register.register import FILE, Register
from collector.pledges.transfer import backup
from collector.pledges.transfer.backup_file import MANIFEST, ROOT, TABLES, BackupFile, opened
from collector.pledges.transfer.restore import restore
from collector.run.net import tsa
from collector.verify import open_bundle, verify
from tests.cli.running import hostpledge
from tests.pledges.bundles import Signer
from tests.pledges.killed import lasts, run
from tests.pledges.places import database, owner
from tests.pledges.records import made
from tests.tsa import Tsa

ID = "demo-2026"


class Saved:
    """A register with two versions, two bundles and a checkpoint, and a backup of it."""

    def __init__(self, folder: Path, place: str) -> None:
        self.folder = folder
        self.signer = Signer(folder / "made")
        self.register = Register.open(place)
        self.register.add_all([made(), made(id="other")])
        self.register.add(made(title="二"), update=True)
        self.chain = self.signer.chain(ID, 3)
        for one in self.chain[:2]:
            attach(self.register, ID, one.path, self.signer.trust)
        self.file = folder / "backup.zip"
        self.about = backup.write(self.register, self.file)

    def whole(self, register: Register) -> None:
        """Raises unless the register says what this one said, and its bundles verify."""
        assert _rows(register) == _rows(self.register)
        for attached in register.evidence(ID):
            with open_bundle(attached.path) as kept:
                assert verify(kept, self.signer.trust).digest == attached.digest
        assert register.log().checkpoint().root.hex() == self.about["log"]["root"]
        assert [known.id for known in register.briefs()] == [ID, "other"]


def _rows(register: Register) -> dict[str, list[dict[str, Any]]]:
    with register.snapshot() as connection:
        return {
            table.name: [
                dict(row)
                for row in connection.execute(
                    select(table).order_by(*table.primary_key.columns)
                ).mappings()
            ]
            for table in TABLES
        }


@pytest.fixture
def saved(tmp_path: Path, place: str) -> Saved:
    return Saved(tmp_path, place)


def _elsewhere(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home of its own, and so a store of its own for what is in PostgreSQL."""
    monkeypatch.setenv("HOSTPLEDGE_HOME", str(folder))


def test_from_either_database_into_the_other_and_back(
    saved: Saved, postgresql: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = database(postgresql) if "://" not in saved.register.where else ""
    if not other:
        (tmp_path / "fresh").mkdir()
        other = str(tmp_path / "fresh" / FILE)
    _elsewhere(tmp_path / "away", monkeypatch)
    done = restore(saved.file, other)
    assert (done.about, done.lost) == (saved.about, 0)
    moved = Register.open(other)
    assert moved.store.folder != saved.register.store.folder
    saved.whole(moved)
    # it goes on where it was: the next bundle, the next checkpoint, and all of it append-only
    attach(moved, ID, saved.chain[2].path, saved.signer.trust)
    moved.keep_checkpoint(3, "not signed in this test")
    for table in tables.APPEND_ONLY:
        with owner(other) as theirs, pytest.raises(Exception, match="append-only"):
            theirs.execute(f"DELETE FROM {table.name}")
    (tmp_path / "back").mkdir()
    again = tmp_path / "again.zip"
    with owner(other) as theirs:
        theirs.unguard()
        theirs.execute("DELETE FROM checkpoints")
    backup.write(moved, again)
    back = str(tmp_path / "back" / FILE)
    restore(again, back)
    assert _rows(Register.open(back)) == _rows(moved)
    assert len(Register.open(back).evidence(ID)) == 3


def test_what_is_there_stays_unless_told(saved: Saved, tmp_path: Path) -> None:
    where = saved.register.where
    attach(saved.register, ID, saved.chain[2].path, saved.signer.trust)
    before = _rows(saved.register)
    with pytest.raises(BadInput, match=r"holds 2 pledge records.*--replace"):
        restore(saved.file, _location(saved))
    assert _rows(saved.register) == before
    shutil.rmtree(saved.register.evidence(ID)[0].path)
    done = restore(saved.file, _location(saved), replace=True)
    assert (done.lost, done.where) == (1, where)
    assert len(saved.register.evidence(ID)) == 2
    saved.whole(Register.open(_location(saved)))


def _location(saved: Saved) -> str:
    return saved.register.where


def test_the_backup_is_checked_with_what_everybody_has(saved: Saved, tmp_path: Path) -> None:
    with zipfile.ZipFile(saved.file) as archive:
        archive.extractall(tmp_path / "out")
    subprocess.run(
        ["sha256sum", "--quiet", "-c", MANIFEST], cwd=tmp_path / "out" / ROOT, check=True
    )
    assert saved.file.stat().st_mode & 0o777 == 0o600


def test_a_damaged_register_is_not_taken_for_a_backup(saved: Saved) -> None:
    before = saved.file.read_bytes()
    kept = saved.register.evidence(ID)[1].path
    (kept / "data" / "evidence.json").write_bytes(b"{}")
    with pytest.raises(BadInput, match=r"does not read back: .*not as it was signed"):
        backup.write(saved.register, saved.file)
    shutil.rmtree(kept)
    with pytest.raises(BadInput, match="not in the store any more"):
        backup.write(saved.register, saved.file)
    with owner(saved.register.where) as theirs:
        theirs.unguard()
        theirs.execute("DELETE FROM evidence WHERE sequence = 2")
    with pytest.raises(CollectorError, match="is not in the register any more"):
        backup.write(saved.register, saved.file)
    assert saved.file.read_bytes() == before
    assert not list(saved.folder.glob(f"{private.BESIDE}*"))


Change = Callable[[dict[str, bytes]], None]


def _in(name: str, old: bytes, new: bytes) -> Change:
    def change(files: dict[str, bytes]) -> None:
        found = next(one for one in files if fnmatch(one, name))
        assert old in files[found]
        files[found] = files[found].replace(old, new, 1)

    return change


def _gone(part: str) -> Change:
    def change(files: dict[str, bytes]) -> None:
        for name in [name for name in files if part in name]:
            del files[name]

    return change


def _more(name: str) -> Change:
    return lambda files: files.update({name: b"x"})


def _beside(name: str) -> Change:
    """One more file in a bundle, which no verifier would take then."""

    def change(files: dict[str, bytes]) -> None:
        digest = next(one for one in files if one.startswith("bundles/")).split("/")[1]
        files[f"bundles/{digest}/{name}"] = b"x"

    return change


def _stamped(files: dict[str, bytes], token: bytes = b"none") -> None:
    """With a timestamp, in the part of the envelope that nobody signed."""
    name = next(one for one in files if one.endswith("data/bundle.sigstore.json"))
    found = json.loads(files[name])
    stamp = {"signedTimestamp": base64.b64encode(token).decode()}
    found["verificationMaterial"]["timestampVerificationData"] = {"rfc3161Timestamps": [stamp]}
    files[name] = rfc8785.dumps(found)
    _tagged(files, name.split("/")[1])


def _twin(files: dict[str, bytes]) -> None:
    """A second signature that no statement names."""
    digest = next(one for one in files if one.startswith("bundles/")).split("/")[1]
    files[f"bundles/{digest}/data/bundle.sm2.json"] = b"anything"
    _tagged(files, digest)


def _tagged(files: dict[str, bytes], digest: str) -> None:
    """The manifests of that bundle made anew, as its maker would."""
    root = f"bundles/{digest}/"
    data = {n.removeprefix(root): b for n, b in files.items() if n.startswith(f"{root}data/")}
    sha256 = {name: hashlib.sha256(some).hexdigest() for name, some in data.items()}
    sealed = envelope.unseal(data[f"data/{envelope.FILE}"])
    told = statement.from_bytes(sealed.payload, where="x")
    info = bag_info(sealed.payload, told["predicate"]["tool"]["version"])
    size = sum(map(len, data.values()))
    for name, text in bag.tag_files(bag.Payload(sha256, size), info).items():
        files[f"{root}{name}"] = text


# by somebody who makes the digests of the manifest anew
CAREFUL: dict[str, tuple[Change, str]] = {
    "record": (_in("versions.jsonl", b"2029", b"2037"), "does not match its digest"),
    "verdict": (_in("evidence.jsonl", b"error", b"pass"), "says another verdicts"),
    "entry": (_in("log_entries.jsonl", b"error", b"pass"), "says another verdicts"),
    "log_name": (_in("log_head.jsonl", b"register/", b"register/f"), "another log than it says"),
    "capture": (_in("bundles/*/data/evidence.json", b"web-01", b"web-02"), "not as it was signed"),
    "beside": (_beside("x"), "not as it was signed"),
    "beside_data": (_beside("data/attached/x"), "not as it was signed"),
    "tags": (_in("bundles/*/bag-info.txt", b"hostpledge", b"somebody"), "not as it was signed"),
    "stamp": (_stamped, "not as it was signed"),
    "twin": (_twin, "not as it was signed"),
    "no_tags": (_gone("/bagit.txt"), "not as it was signed"),
    "bundle": (_gone("/data/captures/"), "not as it was signed"),
    "bundles": (_gone("bundles/"), "not those of its evidence"),
    "table": (_gone("checkpoints.jsonl"), "checkpoints.jsonl"),
    "more": (_more("bundles/../../x"), "manifest-sha256.txt is not one"),
    "absolute": (_more("/etc/x"), "manifest-sha256.txt is not one"),
    "strange": (_more("x"), "holds what no backup does"),
    "newer": (_in("backup.json", b"backup:1", b"backup:2"), "made by a newer hostpledge"),
    "rows": (_in("backup.json", b'"pledges": 2', b'"pledges": 3'), "other numbers of rows"),
    "column": (_in("pledges.jsonl", b'"id"', b'"ID"'), "pledges.jsonl: not a row of it"),
    "type": (_in("versions.jsonl", b'"version": 1', b'"version": "1"'), "not a row of it"),
    "no_json": (_in("pledges.jsonl", b"{", b"["), "not a whole backup"),
    "cut_line": (_in("pledges.jsonl", b"}\n", b"}"), "not a whole backup"),
}


def _changed(source: Path, target: Path, change: Change, after: bytes = b"") -> None:
    with zipfile.ZipFile(source) as archive:
        files = {
            name.removeprefix(f"{ROOT}/"): archive.read(name)
            for name in archive.namelist()
            if name != f"{ROOT}/{MANIFEST}"
        }
    change(files)
    digests = [f"{hashlib.sha256(data).hexdigest()}  {name}" for name, data in files.items()]
    files[MANIFEST] = ("\n".join(digests) + "\n").encode() + after
    with zipfile.ZipFile(target, "w") as archive:
        for name, data in files.items():
            entry = zipfile.ZipInfo(f"{ROOT}/{name}")
            entry.external_attr = 0o600 << 16
            large = len(data) > 32 << 20
            archive.writestr(entry, data, zipfile.ZIP_DEFLATED if large else None)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Saved:
    """One in SQLite, to spoil copies of its backup."""
    folder = tmp_path_factory.mktemp("sound")
    (folder / "register").mkdir()
    return Saved(folder, str(folder / "register" / FILE))


def _refused(file: Path, folder: Path, expected: str) -> None:
    target = folder / "target"
    target.mkdir(exist_ok=True)
    with pytest.raises(BadInput, match="not a whole backup of a register") as raised:
        restore(file, str(target / FILE))
    assert expected in str(raised.value)
    assert "\n" not in str(raised.value)
    assert list(target.iterdir()) == []


@pytest.mark.parametrize("name", CAREFUL)
def test_a_changed_backup_is_refused(sound: Saved, tmp_path: Path, name: str) -> None:
    change, expected = CAREFUL[name]
    _changed(sound.file, tmp_path / "bad.zip", change)
    _refused(tmp_path / "bad.zip", tmp_path, expected)


@pytest.mark.parametrize("name", ["backup.json", MANIFEST])
def test_what_is_held_in_memory_is_small(sound: Saved, tmp_path: Path, name: str) -> None:
    """Blanks after what it says: 64 MiB in 64 KiB."""
    blanks = b" " * (64 << 20)

    def padded(files: dict[str, bytes]) -> None:
        if name in files:
            files[name] += blanks

    bad = tmp_path / "bad.zip"
    _changed(sound.file, bad, padded, blanks if name == MANIFEST else b"")
    tracemalloc.start()
    _refused(bad, tmp_path, name)
    assert tracemalloc.get_traced_memory()[1] < 16 << 20
    tracemalloc.stop()


def test_a_backup_that_was_cut_off_or_holds_another_byte_is_refused(
    sound: Saved, tmp_path: Path
) -> None:
    data = sound.file.read_bytes()
    bad = tmp_path / "bad.zip"
    places = random.Random(20261125)
    for end in [0, 1, 4, len(data) - 1, *(places.randrange(len(data)) for _ in range(20))]:
        bad.write_bytes(data[:end])
        _refused(bad, tmp_path, "")
    with zipfile.ZipFile(sound.file) as archive:
        packed = [e for e in archive.infolist() if e.compress_size > 8]
    for entry in places.sample(packed, 20):
        # behind the entry's own header; the last bits of what is packed say nothing
        header = data[entry.header_offset : entry.header_offset + 30]
        at = entry.header_offset + 30 + sum(struct.unpack("<HH", header[26:30]))
        at += places.randrange(max(1, entry.compress_size - 1))
        bad.write_bytes(data[:at] + bytes([data[at] ^ 1 << places.randrange(8)]) + data[at + 1 :])
        _refused(bad, tmp_path, "")


def test_a_backup_in_which_another_program_finds_other_files_is_refused(
    sound: Saved, tmp_path: Path
) -> None:
    data, bad = sound.file.read_bytes(), tmp_path / "bad.zip"
    hidden = data[: data.index(b"PK\1\2")]
    for changed in (b"x" + data, data + b"x", data + data, hidden + data[-22:], hidden + data):
        bad.write_bytes(changed)
        _refused(bad, tmp_path, "")


def _many(place: str, count: int) -> None:
    one = made().document
    many = [PledgeRecord({**one, "id": f"p-{n:04d}"}) for n in range(count)]
    Register.open(place).add_all(many)


def test_killed_while_it_is_saved(saved: Saved) -> None:
    _many(saved.register.where, 100)
    target = saved.folder / "new.zip"

    def save() -> None:
        backup.write(Register.open(saved.register.where), target)

    long, cut = lasts(save), 0
    moments = random.Random(8)
    for _ in range(10):
        target.unlink(missing_ok=True)
        cut += not run(save, moments.uniform(0, long))
        if target.exists():
            with opened(target) as whole:
                whole.check()
    assert cut
    for bare in saved.folder.glob(f"{private.BESIDE}*"):
        # one that was killed before it held anything might be just being made
        if not list(bare.iterdir()):
            os.utime(bare, (0, 0))
    assert run(save)
    assert not list(saved.folder.glob(f"{private.BESIDE}*"))


def test_killed_while_it_is_put_back(saved: Saved, tmp_path: Path) -> None:
    where = saved.register.where
    _many(where, 100)
    full = tmp_path / "full.zip"
    sizes = {full: backup.write(saved.register, full)["rows"]["pledges"], saved.file: 2}
    digests = [one.digest for one in saved.chain[:2]]

    def put(file: Path) -> None:
        restore(file, where, replace=True)

    # the small one and the full one take each other's place
    long, cut, before = lasts(lambda: put(saved.file)), 0, 2
    moments = random.Random(8)
    for turn in range(10):
        file = (full, saved.file)[turn % 2]
        for digest in digests:  # as if they had been lost, too
            shutil.rmtree(saved.register.store.path(digest), ignore_errors=True)
        done = run(lambda file=file: put(file), moments.uniform(0, long))  # type: ignore[misc]
        cut += not done
        register = Register.open(where)
        count = len(register.list())
        assert count in ((sizes[file],) if done else (before, sizes[file]))
        register.log()
        for digest in digests:
            kept = register.store.path(digest)
            if kept.exists():
                with open_bundle(kept) as bundle:
                    assert verify(bundle, saved.signer.trust).digest == digest
        before = count
    assert cut
    assert run(lambda: put(saved.file))
    saved.whole(Register.open(where))


def test_killed_while_a_new_register_is_made(sound: Saved, tmp_path: Path) -> None:
    def put(folder: Path) -> None:
        restore(sound.file, str(folder / FILE))

    (tmp_path / "long").mkdir()
    long, cut = lasts(lambda: put(tmp_path / "long")), 0
    moments = random.Random(8)
    for turn in range(10):
        folder = tmp_path / str(turn)
        folder.mkdir()
        cut += not run(lambda f=folder: put(f), moments.uniform(0, long))  # type: ignore[misc]
        if not (folder / FILE).exists():
            assert run(lambda f=folder: put(f))  # type: ignore[misc]
        sound.whole(Register.open(str(folder / FILE)))
    assert cut


def test_the_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    monkeypatch.setenv("HOSTPLEDGE_HOME", str(home))
    Saved(tmp_path, str(home.parent / "r.sqlite"))
    file, place = tmp_path / "b.zip", tmp_path / "r.sqlite"
    ended = hostpledge("register", "backup", "-o", file, "--register", place, home=home)
    assert (ended.status, ended.err) == (0, "")
    assert ended.out.startswith("saved 2 pledge records and 2 bundles (log of 2, root ")
    target = tmp_path / "new"
    target.mkdir()
    words = ("register", "restore", file, "--register", target / FILE)
    ended = hostpledge(*words, home=home)
    assert ended.status == 0
    assert ended.err.splitlines() == [
        "no checkpoint in it: nothing shows that its log was not written anew",
        "2 bundle(s) are signed by no key that is trusted here and still counts (unknown, revoked, "
        "ended, or for logs alone)",
    ]
    assert ended.out.startswith("restored 2 pledge records and 2 bundles")
    assert ended.out.endswith(f": {target / FILE}\n")
    refused = hostpledge(*words, "--lang", "zh", home=home)
    assert (refused.status, refused.out) == (2, "")
    assert "登记库中已有 2 份登记；加 --replace" in refused.err
    (tmp_path / "cut.zip").write_bytes(file.read_bytes()[:5000])
    cut = hostpledge(
        "register", "restore", tmp_path / "cut.zip", "--register", tmp_path / "none.sqlite",
        "--lang", "zh", home=home,
    )  # fmt: skip
    assert (cut.status, cut.out, len(cut.err.splitlines())) == (2, "", 1)
    assert "不是完整的登记库备份" in cut.err
    assert not (tmp_path / "none.sqlite").exists()
    calls: tuple[tuple[tuple[object, ...], str], ...] = (
        (("backup", "-o", tmp_path / "x" / "y"), "No such file"),
        (("restore", file, "--register", tmp_path / "no" / FILE), "no such folder"),
    )
    for call, said in calls:
        ended = hostpledge("register", *call, home=home)
        assert (ended.status, ended.out, len(ended.err.splitlines())) == (2, "", 1), call
        assert said in ended.err


def _retold(field: str, value: object) -> Change:
    """Row, log and all digests say it of the first bundle: that needs no key."""

    def change(files: dict[str, bytes]) -> None:
        rows = [json.loads(line) for line in files["evidence.jsonl"].splitlines()]
        logged = [json.loads(line) for line in files["log_entries.jsonl"].splitlines()]
        leaf = json.loads(logged[0]["leaf"])
        where, _, inside = field.partition(".")
        told = json.loads(rows[0][where]) if inside else {}
        rows[0][where] = json.dumps({**told, inside: value}) if inside else value
        leaf[where] = {**told, inside: value} if inside else value
        logged[0]["leaf"] = rfc8785.dumps(leaf).decode()
        for name, lines in (("evidence.jsonl", rows), ("log_entries.jsonl", logged)):
            files[name] = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
        about = json.loads(files["backup.json"])
        log = Log(about["log"]["origin"], tuple(line["leaf"].encode() for line in logged))
        about["log"]["root"] = log.checkpoint().root.hex()
        files["backup.json"] = json.dumps(about).encode()

    return change


@pytest.mark.parametrize(
    ("field", "value", "named"),
    [
        ("verdicts.2.4", "pass", "verdicts"),
        ("verdicts.2.2", "pass", "verdicts"),
        ("collected_at", "2026-11-21T04:00:00+00:00", "collected_at"),
        ("made_at", "2026-11-21T04:00:00+00:00", "made_at"),
        ("scope.handed_in", 0, "handed_in"),
        ("scope.grade", 2, "scope"),
        ("scope.absent", -1, "scope"),
        ("scope.clauses", {"2.4": {"judged": 57, "of": 57}}, "scope"),
        ("scope.whole", True, ""),
    ],
)
def test_what_a_row_says_and_no_signature_is_refused(
    sound: Saved, tmp_path: Path, field: str, value: object, named: str
) -> None:
    _changed(sound.file, tmp_path / "bad.zip", _retold(field, value))
    told = f"says another {named} of evidence 1 of {ID} than the signed statement"
    _refused(tmp_path / "bad.zip", tmp_path, told if named else "evidence.jsonl: not a row of it")


def test_trusted_keys_signed_what_they_are_said_to(saved: Saved, tmp_path: Path) -> None:
    trust = saved.signer.trust
    (tmp_path / "a").mkdir()
    done = restore(saved.file, str(tmp_path / "a" / FILE), trust=trust)
    assert (done.strangers, done.unproven_log) == (0, True)
    register, again = saved.register, tmp_path / "again.zip"
    register.keep_checkpoint(2, checkpoint.sign(register.log().checkpoint(), saved.signer.key))
    backup.write(register, again)
    (tmp_path / "b").mkdir()
    done = restore(again, str(tmp_path / "b" / FILE), trust=trust)
    assert (done.strangers, done.unproven_log) == (0, False)
    (tmp_path / "c").mkdir()
    done = restore(again, str(tmp_path / "c" / FILE))
    assert (done.strangers, done.unproven_log) == (2, True)

    def other_signature(files: dict[str, bytes]) -> None:
        name = next(n for n in files if n.endswith("bundle.sigstore.json"))
        found = json.loads(files[name])
        other = found["dsseEnvelope"]["signatures"][0]
        sealed = envelope.unseal(files[name])
        forged = PrivateKey.generate("p256").sign(sealed.pae())
        other["sig"] = base64.b64encode(forged).decode()
        files[name] = rfc8785.dumps(found)

    def other_note(files: dict[str, bytes]) -> None:
        row = json.loads(files["checkpoints.jsonl"])
        body, line = row["note"].rstrip().rsplit(" ", 1)
        told = base64.b64decode(line)[:4]
        forged = PrivateKey.generate("p256").sign(register.log().checkpoint().body().encode())
        row["note"] = f"{body} {base64.b64encode(told + forged).decode()}\n"
        files["checkpoints.jsonl"] = json.dumps(row).encode() + b"\n"

    for change in (other_signature, other_note):
        _changed(again, tmp_path / "bad.zip", change)
        target = str(tmp_path / "a" / "none.sqlite")
        with pytest.raises(BadInput, match=r"not a whole backup of a register: .*signature"):
            restore(tmp_path / "bad.zip", target, trust=trust)
        assert not Path(target).exists()


def test_another_backup_that_ends_meanwhile_stops_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "b.zip"
    gone = tmp_path / f"{private.BESIDE}gone"
    monkeypatch.setattr(Path, "glob", lambda *_: [gone])
    with backup._aside(target) as (out, aside):
        out.write(b"x")
        out.flush()
        assert aside.read_bytes() == b"x"


def test_only_an_earlier_backup_of_the_same_register_is_replaced(
    saved: Saved, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mistyped folder is an empty register, and the file may be the only backup there is."""
    target = tmp_path / "b.zip"
    register = Register.open(_location(saved))
    backup.write(register, target)
    register.add(made(id="one-more"))
    about = backup.write(register, target)
    there = target.read_bytes()
    empty = Register.open(str(tmp_path / "empty.sqlite"))
    with pytest.raises(BadInput, match="no earlier backup of the same register"):
        backup.write(empty, target)
    # the same register as it was: a copy that somebody put back by hand
    with monkeypatch.context() as earlier:
        earlier.setattr(backup, "_older", lambda _: {**about, "rows": {"versions": 99}})
        with pytest.raises(BadInput, match="more versions of records are in it"):
            backup.write(register, target)
    assert target.read_bytes() == there
    for bytes_ in (b"", b"schema: x\n", there[:-9]):
        target.write_bytes(bytes_)
        with pytest.raises(BadInput, match="no earlier backup of the same register") as refused:
            backup.write(register, target)
        assert "name another file" in str(refused.value.mend)
        assert target.read_bytes() == bytes_
    assert not list(tmp_path.glob(".b.zip*"))


def test_records_that_are_in_no_backup_are_named(saved: Saved, tmp_path: Path) -> None:
    """Whom their ids were given to may have an account, or a link, for them."""
    target = tmp_path / "b.zip"
    register = Register.open(_location(saved))
    backup.write(register, target)
    for number in range(14):
        register.add(made(id=f"later-{number:02}"))
    ended = hostpledge(
        "register", "restore", target, "--replace", "--register", _location(saved),
        home=tmp_path / "home",
    )  # fmt: skip
    assert ended.status == 0, ended.err
    (said,) = [line for line in ended.err.splitlines() if "later-00" in line]
    assert said.startswith("14 record(s) that were there are not in it: later-00, later-01, ")
    assert "later-11 …" in said and "later-12" not in said
    again = restore(target, _location(saved), replace=True)
    assert again.gone == ()


def test_a_bundle_in_order_is_not_given_up_for_one_that_says_less(
    saved: Saved, tmp_path: Path
) -> None:
    """Its timestamp is no part of what was signed: the backup is of before it was there."""
    (first, _) = saved.register.evidence(ID)
    root, stamps = first.path, Tsa(tmp_path / "tsa")
    files = {f"bundles/{first.digest}/{path.relative_to(root)}": path.read_bytes()
             for path in root.rglob("*") if path.is_file()}  # fmt: skip
    sealed = envelope.unseal((root / "data" / envelope.FILE).read_bytes())
    with stamps.served() as url:
        _stamped(files, tsa.stamp(url, sealed.signature))
    for name, data in files.items():
        (root / name.removeprefix(f"bundles/{first.digest}/")).write_bytes(data)
    stamped = (root / "data" / envelope.FILE).read_bytes()
    restore(saved.file, saved.register.where, replace=True, trust=saved.signer.trust)
    saved.whole(Register.open(saved.register.where))
    assert (root / "data" / envelope.FILE).read_bytes() == stamped
    # what does not hold together makes room for the backup's
    (root / "data" / envelope.FILE).write_bytes(stamped[:-2])
    restore(saved.file, saved.register.where, replace=True, trust=saved.signer.trust)
    saved.whole(Register.open(saved.register.where))


def test_what_is_no_whole_bundle_or_a_strangers_gives_way(saved: Saved, tmp_path: Path) -> None:
    """Both hold together, and neither is what was attached."""
    (first, _) = saved.register.evidence(ID)
    root, trust = first.path, saved.signer.trust

    def held() -> dict[str, bytes]:
        return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}

    whole = held()
    with open_bundle(root) as bundle:
        payload = bundle.sealed.payload
        redacted.write(root, tmp_path / "public", bundle.info)
    files = {f"bundles/{first.digest}/{name}": data for name, data in whole.items()}
    of_envelope = f"bundles/{first.digest}/data/{envelope.FILE}"
    files[of_envelope] = envelope.seal(payload, PrivateKey.generate())
    _tagged(files, first.digest)
    for theirs in (None, files):
        if theirs is None:
            shutil.rmtree(root)
            shutil.copytree(tmp_path / "public", root)
        else:
            for name, data in theirs.items():
                (root / name.removeprefix(f"bundles/{first.digest}/")).write_bytes(data)
        assert held() != whole
        with open_bundle(root) as bundle:
            assert bundle.digest == first.digest
        restore(saved.file, saved.register.where, replace=True, trust=trust)
        assert held() == whole


def test_a_bundle_larger_than_any_is_not_unpacked(
    saved: Saved, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bag, "MOST_BYTES", 1000)
    monkeypatch.setattr(BackupFile, "extract", None)
    with pytest.raises(BadInput, match="no bundle is"):
        restore(saved.file, str(tmp_path / "new.sqlite"))
    assert not (tmp_path / "new.sqlite").exists()


def test_a_key_that_counts_no_more_vouches_for_nothing(saved: Saved, tmp_path: Path) -> None:
    """As `verify` has it: it was revoked, or may sign checkpoints alone."""
    (known,) = saved.signer.trust.keys
    register, again = saved.register, tmp_path / "again.zip"
    register.keep_checkpoint(2, checkpoint.sign(register.log().checkpoint(), saved.signer.key))
    backup.write(register, again)
    long_ago = datetime(2020, 1, 1, tzinfo=UTC)
    changes: tuple[tuple[dict[str, Any], tuple[int, bool]], ...] = (
        ({"roles": frozenset({"log"})}, (2, False)),
        ({"revoked_at": long_ago}, (2, True)),
        ({"valid_until": long_ago}, (2, False)),
        ({}, (0, False)),
    )
    for number, (change, expected) in enumerate(changes):
        (tmp_path / f"{number}").mkdir()
        trust = Trust((replace(known, **change),))
        done = restore(again, str(tmp_path / f"{number}" / FILE), trust=trust)
        assert (done.strangers, done.unproven_log) == expected, change
        assert done.after_checkpoint == (2 if done.unproven_log else 0)


def test_the_last_checkpoint_is_the_one_of_the_highest_number(saved: Saved, tmp_path: Path) -> None:
    register, trust = saved.register, saved.signer.trust
    by = (saved.signer.key, PrivateKey.generate())
    for size, key in enumerate(by, 1):
        register.keep_checkpoint(size, checkpoint.sign(register.log().checkpoint(size), key))
    backup.write(register, tmp_path / "again.zip")
    (tmp_path / "a").mkdir()
    done = restore(tmp_path / "again.zip", str(tmp_path / "a" / FILE), trust=trust)
    assert (done.unproven_log, done.after_checkpoint) == (True, 2)

    def turned(files: dict[str, bytes]) -> None:
        lines = files["checkpoints.jsonl"].splitlines(keepends=True)
        files["checkpoints.jsonl"] = b"".join(reversed(lines))

    _changed(tmp_path / "again.zip", tmp_path / "bad.zip", turned)
    with pytest.raises(BadInput, match="checkpoints are out of order"):
        restore(tmp_path / "bad.zip", str(tmp_path / "a" / "none.sqlite"), trust=trust)


def test_rows_that_pack_like_nothing_real_are_not_unpacked(sound: Saved, tmp_path: Path) -> None:
    def many(files: dict[str, bytes]) -> None:
        files["log_entries.jsonl"] += b'{"number":0,"leaf":""}\n' * 2_000_000

    _changed(sound.file, tmp_path / "bad.zip", many)
    _refused(tmp_path / "bad.zip", tmp_path, "unpacks to more than a bundle holds")
