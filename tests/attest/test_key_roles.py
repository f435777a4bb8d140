"""A key that is trusted for logs signs no bundles, and the other way round."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from collector.attest.keys.keys import PrivateKey
from collector.attest.log import checkpoint
from collector.attest.log.checkpoint import Checkpoint
from collector.attest.log.rekor import trusted_root
from collector.attest.trust.trust_file import Trust, TrustedKey, trust_from_bytes
from collector.errors import BadInput, VerifyFailed
from collector.verify import open_bundle, verify
from tests import bundles
from tests.cli.test_evidence import Shell


def trusted(key: PrivateKey, *roles: str) -> Trust:
    return Trust((TrustedKey(key.public, "k", roles=frozenset(roles) if roles else None),))


@pytest.mark.parametrize("roles", [(), ("bundle",), ("bundle", "log")])
def test_a_bundle_key_signs_bundles(tmp_path: Path, roles: tuple[str, ...]) -> None:
    key = PrivateKey.generate()
    made, _ = bundles.make(tmp_path, [bundles.unreachable("a")], key)
    with open_bundle(made.path) as opened:
        verify(opened, trusted(key, *roles))


def test_a_log_key_signs_no_bundles(tmp_path: Path) -> None:
    key = PrivateKey.generate()
    made, _ = bundles.make(tmp_path, [bundles.unreachable("a")], key)
    with (
        open_bundle(made.path) as opened,
        pytest.raises(VerifyFailed, match="trusted as a log key alone and signs no bundles"),
    ):
        verify(opened, trusted(key, "log"))


def test_a_bundle_key_signs_no_logs() -> None:
    key = PrivateKey.generate()
    note = checkpoint.parse(
        checkpoint.sign(Checkpoint("log/1", 1, b"\0" * 32), key).encode(), where="note"
    )
    for roles in ((), ("log",), ("bundle", "log")):
        assert note.verify(trusted(key, *roles), where="note").keyid == key.keyid
    with pytest.raises(VerifyFailed, match="trusted as a bundle key alone and signs no logs"):
        note.verify(trusted(key, "bundle"), where="note")


def test_a_log_of_another_key_beside_it_counts() -> None:
    """Two signatures on one checkpoint: that of a key with the role is enough."""
    first, second = PrivateKey.generate(), PrivateKey.generate()
    found = Checkpoint("log/1", 1, b"\0" * 32)
    line = checkpoint.sign(found, second).partition("\n\n")[2]
    note = checkpoint.parse((checkpoint.sign(found, first) + line).encode(), where="note")
    trust = Trust((*trusted(first, "bundle").keys, *trusted(second, "log").keys))
    assert note.verify(trust, where="note").keyid == second.keyid


def test_a_trust_file_without_roles_means_both() -> None:
    key = PrivateKey.generate()
    again = trust_from_bytes(trusted(key).to_bytes(), where="t").keys[0]
    assert again.roles is None
    assert again.may("bundle")
    assert again.may("log")
    written = json.loads(trusted(key).with_roles().to_bytes())["keys"][0]
    assert written["roles"] == ["bundle", "log"]
    assert trust_from_bytes(trusted(key, "log").to_bytes(), where="t").keys[0].roles == frozenset(
        {"log"}
    )


@pytest.mark.parametrize("roles", [[], ["root"], ["log", "log"], "log"])
def test_roles_that_there_are_not_are_refused(roles: object) -> None:
    document = trusted(PrivateKey.generate()).to_json()
    document["keys"][0]["roles"] = roles
    with pytest.raises(BadInput, match="not a trust"):
        trust_from_bytes(json.dumps(document).encode(), where="t")


def test_cosign_is_told_of_log_keys_alone() -> None:
    key = PrivateKey.generate("p256")
    assert json.loads(trusted_root(trusted(key, "log")))["tlogs"]
    assert not json.loads(trusted_root(trusted(key, "bundle")))["tlogs"]


def test_the_commands_keep_to_it(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    bundles.write(tmp_path / "in", [bundles.unreachable("web-1")])
    shell("key", "new")
    shell("key", "new", "--name", "ledger")
    assert "logs" in shell("key", "roles", "ledger", "log").stdout
    assert "bundles" in shell("key", "roles", "default", "bundle").stdout
    shell("key", "trust", "-o", "trust.json")
    written = json.loads((tmp_path / "trust.json").read_text())["keys"]
    assert {k["name"]: k["roles"] for k in written} == {"default": ["bundle"], "ledger": ["log"]}
    said = shell("bundle", "in", "-o", "b", "--key", "ledger", status=2)
    assert "this key is kept as a log key alone" in said.stderr
    shell("bundle", "in", "-o", "b")
    shell("verify", "b", "--trust", "trust.json")
    # the same after a rotation
    shell("key", "rotate", "--name", "ledger")
    again = json.loads(shell("key", "trust").stdout)["keys"]
    assert [k["roles"] for k in again if k["name"] == "ledger"] == [["log"]]
    said = shell("key", "roles", "default", "root", status=2)
    assert len(said.stderr.splitlines()) == 1
