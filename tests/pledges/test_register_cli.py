"""`hostpledge register` as its owner, a witness and an auditor use it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import hostpledge as programs
from collector.attest.keys import keys
from collector.attest.trust import keyring
from collector.attest.trust.trust_file import Trust
from collector.errors import VerifyFailed
from collector.pledges.register.attach import attach
from collector.pledges.register.register import FILE, Register
from tests.cli.running import Ended, answer, hostpledge
from tests.pledges.bundles import Signer
from tests.pledges.records import made

ID = "demo-2026"


class Owner:
    """A home with a key and a register, to which two bundles are attached."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder / "home"
        keyring.new("default", "p256", None)
        self.signer = Signer(folder / "made")
        self.signer.key = keys.load(keyring.path_of("default"))
        self.signer.trust = keyring.trust()
        self.register = Register.open()
        self.register.add(made())
        self.bundles = [made_.path for made_ in self.signer.chain(ID, 3)]
        for path in self.bundles[:2]:
            attach(self.register, ID, path, self.signer.trust)
        self.trust = folder / "trust.json"
        self.trust.write_bytes(self.signer.trust.to_bytes())

    def __call__(self, *words: object, lang: str = "en") -> Ended:
        return hostpledge("register", *words, "--lang", lang, home=self.home)

    def grow(self) -> None:
        attach(self.register, ID, self.bundles[2], self.signer.trust)

    def kept(self, name: str = "kept") -> Path:
        place = self.folder / name
        assert self("checkpoint", "-o", place).status == 0
        return place


@pytest.fixture
def owner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Owner:
    monkeypatch.setenv("HOSTPLEDGE_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("HOSTPLEDGE_REGISTER", raising=False)
    return Owner(tmp_path)


def auditor(*words: object) -> Ended:
    """Somebody who has neither a home, nor a register, nor a key."""
    return hostpledge("register", *words)


def test_a_checkpoint_is_printed_and_kept(owner: Owner) -> None:
    printed = owner("checkpoint")
    assert (printed.status, printed.err) == (0, "")
    origin, size, _, blank, signature, end = printed.out.split("\n")
    assert (origin, size, blank, end) == (owner.register.log().origin, "2", "", "")
    assert signature.startswith(f"— {origin} ")
    assert owner.register.checkpoint_over(owner.register.evidence(ID)[0].digest) == printed.out


def test_a_log_that_grew_is_consistent(owner: Owner) -> None:
    kept = owner.kept()
    assert owner("consistency", kept).out.startswith("Consistent: the log grew from 2 to 2 entries")
    owner.grow()
    proof = owner.folder / "proof"
    grown = owner("consistency", kept, "-o", proof)
    assert (grown.status, grown.err) == (0, f"{proof}\n")
    assert grown.out.startswith("Consistent: the log grew from 2 to 3 entries")
    assert owner("consistency", kept, lang="zh").out.startswith("一致：日志由 2 条增至 3 条")
    alone = auditor("consistency", kept, "--proof", proof, "--trust", owner.trust)
    assert (alone.status, alone.out, alone.err) == (0, grown.out, "")
    said = owner("consistency", kept, "--format", "json")
    assert answer(said.out) == {
        "consistent": True,
        "origin": owner.register.log().origin,
        "old_size": 2,
        "new_size": 3,
        "why": None,
    }


def _owned(owner: Owner, *statements: str) -> None:
    with sqlite3.connect(owner.home / FILE) as connection:
        triggers = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        for (name,) in triggers.fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            connection.execute(statement)


def test_a_deleted_entry_is_told_with_status_1(owner: Owner) -> None:
    kept = owner.kept()
    _owned(
        owner,
        "DELETE FROM log_entries WHERE number = 1",
        "DELETE FROM evidence WHERE sequence = 2",
    )
    told = owner("consistency", kept)
    assert told.status == 1
    assert told.out == (
        f"Inconsistent: {owner.home / FILE}: the log had 2 entries and has 1: entries were "
        "removed from it\n"
    )
    chinese = owner("consistency", kept, lang="zh")
    assert chinese.out == f"不一致：{owner.home / FILE}：日志曾有 2 条，现有 1 条：有条目被删除\n"
    said = json.loads(owner("consistency", kept, "--format", "json").out)
    assert (said["consistent"], said["new_size"]) == (False, None)
    refused = owner("checkpoint")
    assert (refused.status, refused.out) == (2, "")
    assert "entries were removed from it" in refused.err
    # its owner removes the register's own checkpoint as well, and the copy in their folder; the
    # one that was handed out stays
    _owned(owner, "DELETE FROM checkpoints")
    assert owner("checkpoint").status == 2
    (owner.home / "register.logs.json").unlink()
    later = owner.kept("later")
    proof = owner.folder / "proof"
    assert owner("consistency", later, "-o", proof).status == 0
    alone = auditor("consistency", kept, "--proof", proof, "--trust", owner.trust)
    assert (alone.status, alone.out) == (
        1,
        f"Inconsistent: {proof}: the log had 2 entries and has 1: entries were removed from it\n",
    )


def test_nothing_is_signed_where_log_and_register_disagree(owner: Owner) -> None:
    kept = owner.kept()
    _owned(owner, "UPDATE evidence SET verdicts = replace(verdicts, 'error', 'pass')")
    for words in (("checkpoint",), ("prove", ID)):
        refused = owner(*words)
        assert (refused.status, refused.out) == (2, "")
        assert "says another verdicts of evidence 1 of demo-2026 than entry 0" in refused.err
    assert owner("consistency", kept).status == 1


def test_a_bundle_that_is_gone_from_the_store_is_told(owner: Owner) -> None:
    kept = owner.kept()
    path = owner.register.evidence(ID)[0].path
    path.rename(path.with_name("elsewhere"))
    told = owner("consistency", kept)
    assert told.status == 1
    assert "(number 1) is not in the store any more" in told.out


def test_entries_dated_before_the_checkpoint_was_had(owner: Owner) -> None:
    kept = owner.kept()
    owner.grow()
    assert owner("consistency", kept, "--kept-at", "2026-01-01T00:00:00Z").status == 0
    told = owner("consistency", kept, "--kept-at", "2099-01-01T00:00:00Z")
    assert told.status == 1
    assert "entry 2 of the log is dated" in told.out


def test_checkpoints_of_others_and_of_revoked_keys(owner: Owner) -> None:
    kept = owner.kept()
    other = owner.folder / "other.json"
    other.write_bytes(Signer(owner.folder / "x").trust.to_bytes())
    strange = owner("consistency", kept, "--trust", other)
    assert strange.status == 2
    assert "not signed by a trusted key" in strange.err
    owner.grow()
    proof = owner.folder / "proof"
    assert owner("consistency", kept, "-o", proof).status == 0
    keyring.revoke("default")
    told = owner("consistency", kept)
    assert told.status == 0
    assert "says something only if you had it before" in told.err
    gone = owner.folder / "gone.json"
    gone.write_bytes(keyring.trust().to_bytes())
    alone = auditor("consistency", kept, "--proof", proof, "--trust", gone)
    assert alone.status == 1
    assert "revoked" in alone.out


def test_a_proof_for_one_bundle(owner: Owner) -> None:
    for words in ((ID,), (ID, 1)):
        proof = owner("prove", *words)
        assert (proof.status, proof.err) == (0, "")
        assert proof.out.startswith("c2sp.org/tlog-proof@v1\nextra ")
    assert "index 0\n" in proof.out


def test_a_program_gives_the_proof_that_the_strict_policy_wants(owner: Owner) -> None:
    proof = owner.folder / "bundle.proof"
    proof.write_text(owner("prove", ID, 1).out, encoding="utf-8")
    bundle = Register.open().every_evidence(ID)[0].path
    without = programs.verify(bundle, trust=owner.trust)
    given = programs.verify(bundle, trust=owner.trust, proof=proof)
    assert {one.name for one in without.unmet} - {one.name for one in given.unmet} == {"log"}
    proof.write_text("nothing", encoding="utf-8")
    with pytest.raises(VerifyFailed):
        programs.verify(bundle, trust=owner.trust, proof=proof)


def test_a_register_in_a_log_of_its_own_key(owner: Owner) -> None:
    keyring.new("log", "ed25519", None)
    kept = owner.folder / "kept"
    assert owner("checkpoint", "--key", "log", "-o", kept).status == 0
    assert owner("consistency", kept).status == 0
    only = replace(keyring.trust(), keys=(keyring.trust().keys[0],))
    assert isinstance(only, Trust)
    (owner.folder / "only.json").write_bytes(only.to_bytes())
    assert owner("consistency", kept, "--trust", owner.folder / "only.json").status == 2


BAD_CALLS: dict[str, tuple[Callable[[Owner], tuple[object, ...]], str]] = {
    "no_file": (lambda o: ("consistency", o.folder / "none"), "No such file"),
    "no_note": (lambda o: ("consistency", o.trust), "not a signed checkpoint"),
    "no_proof": (lambda o: ("consistency", o.kept(), "--proof", o.trust), ""),
    "kept_at": (lambda o: ("consistency", o.kept(), "--kept-at", "soon"), "--kept-at: not a time"),
    "both": (
        lambda o: ("consistency", o.kept(), "--kept-at", "2026-01-01", "--proof", o.trust),
        "cannot be given together with --proof",
    ),
    "unknown": (lambda _: ("prove", "x"), "no pledge is named x"),
    "sequence": (lambda _: ("prove", ID, 3), "there is no evidence 3 of demo-2026"),
    "key": (lambda _: ("checkpoint", "--key", "none"), "no key is named none"),
    "register": (lambda _: ("checkpoint", "--register", "/nowhere/r.sqlite"), "/nowhere"),
}


@pytest.mark.parametrize("name", BAD_CALLS)
def test_what_cannot_be_done_is_said_in_one_line(owner: Owner, name: str) -> None:
    words, expected = BAD_CALLS[name]
    ended = owner(*words(owner))
    if name == "no_proof":
        assert (ended.status, ended.err) == (1, "")
        return
    assert (ended.status, ended.out) == (2, "")
    assert len(ended.err.splitlines()) == 1
    assert expected in ended.err


def test_help_in_both_languages() -> None:
    for lang, word in (("zh", "检查点"), ("en", "checkpoint")):
        assert word in hostpledge("register", "--help", "--lang", lang).out
