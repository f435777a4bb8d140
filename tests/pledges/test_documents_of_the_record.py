"""A bundle bears what people answer for as the record has it, and not as its signer does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import rfc8785

from collector.attest.bundle.evidence import PledgeReference
from collector.errors import BadInput
from collector.i18n.message import in_chinese
from collector.pledges.record.form import attached_documents
from collector.pledges.register.attach import attach
from collector.pledges.register.register import Register
from tests.pledges.bundles import Signer
from tests.pledges.records import made

ID = "demo-2026"
ATTESTED: dict[str, Any] = {
    "control": "encryption.residual",
    "by": "陈示例",
    "date": "2026-11-01",
    "document": "sha256:5f8e",
}
INVENTORY: dict[str, Any] = {
    "schema": "urn:hostpledge:schema:data-inventory:1",
    "owner": "张三",
    "reviewed": "2026-11-01",
    "stores": [],
}
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDHWFfMe29gC/4BaMY0OgR7f467e8uI94gxhlnXl4FNo"


@pytest.fixture
def register(place: str) -> Register:
    opened = Register.open(place)
    opened.add(made())
    return opened


def _attach(register: Register, folder: Path, documents: dict[str, bytes]) -> None:
    signer = Signer(folder / "made")
    one = signer.make("b", PledgeReference(ID, 1, None), attached=documents)
    attach(register, ID, one.path, signer.trust)


def test_what_the_record_has_is_taken(register: Register, tmp_path: Path) -> None:
    documents = attached_documents(register.get(ID))
    assert "data-inventory" in documents
    _attach(register, tmp_path, documents)
    assert len(register.evidence(ID)) == 1


@pytest.mark.parametrize(
    ("name", "document"),
    [
        ("attestations", [ATTESTED]),
        ("data-inventory", INVENTORY),
        ("event-ledger", []),
        ("data-owner-keys", "x"),
    ],
)
def test_what_its_signer_made_up_is_not(
    register: Register, tmp_path: Path, name: str, document: Any
) -> None:
    """Ten findings were closed by it, without a word."""
    with pytest.raises(BadInput, match="that the record has not: its signer put it in") as refused:
        _attach(register, tmp_path, {name: rfc8785.dumps(document)})
    assert f"所附 {name} 不是登记中的" in in_chinese(refused.value.said)
    assert register.evidence(ID) == ()


def test_nor_what_the_record_has_no_more(register: Register, tmp_path: Path) -> None:
    before = attached_documents(register.get(ID))
    changed = {**register.get(ID).document["data_inventory"], "reviewed": "2026-11-24"}
    register.add(made(data_inventory=changed), update=True)
    with pytest.raises(BadInput, match="that the record has no more"):
        _attach(register, tmp_path, before)
    (tmp_path / "again").mkdir()
    _attach(register, tmp_path / "again", attached_documents(register.get(ID)))


def test_what_else_is_attached_is_the_signer_s(register: Register, tmp_path: Path) -> None:
    _attach(register, tmp_path, {"screenshot.txt": b"of a console"})
    assert len(register.evidence(ID)) == 1


@pytest.mark.parametrize("borne", [True, False])
def test_an_inventory_is_held_to_the_owners_keys_of_the_record(
    place: str, tmp_path: Path, *, borne: bool
) -> None:
    """With them in the bundle its judge asks for the owner's signature; without, for nothing."""
    register = Register.open(place)
    register.add(made(data_inventory=None, data_owner_keys=[{"name": "张三", "key": KEY}]))
    keys = attached_documents(register.get(ID))
    assert set(keys) == {"data-owner-keys"}
    documents = {"data-inventory": rfc8785.dumps(INVENTORY), **(keys if borne else {})}
    if borne:
        _attach(register, tmp_path, documents)
        return
    with pytest.raises(BadInput, match="that the record has not"):
        _attach(register, tmp_path, documents)
