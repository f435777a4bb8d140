"""The Merkle tree against transparency-dev's vectors, and against the definition of RFC 9162."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from collector.attest.log import merkle
from collector.errors import VerifyFailed

VECTORS = json.loads((Path(__file__).parent / "vectors" / "merkle.json").read_bytes())
# the leaves and roots of the same project's reference tree (testonly/constants.go)
LEAVES = [
    bytes.fromhex(leaf)
    for leaf in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = (
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)


def _bytes(vector: dict[str, Any], name: str) -> bytes:
    return base64.b64decode(vector[name] or "")


def _proof(vector: dict[str, Any]) -> list[bytes]:
    return [base64.b64decode(one) for one in vector["proof"] or ()]


@pytest.mark.parametrize("vector", VECTORS["inclusion"], ids=lambda v: v["name"])
def test_inclusion_vectors(vector: dict[str, Any]) -> None:
    def check() -> None:
        merkle.check_inclusion(
            _bytes(vector, "leafHash"),
            vector["leafIdx"],
            vector["treeSize"],
            _proof(vector),
            _bytes(vector, "root"),
        )

    if vector["wantErr"]:
        with pytest.raises(VerifyFailed):
            check()
    else:
        check()


@pytest.mark.parametrize("vector", VECTORS["consistency"], ids=lambda v: v["name"])
def test_consistency_vectors(vector: dict[str, Any]) -> None:
    def check() -> None:
        merkle.check_consistency(
            vector["size1"],
            vector["size2"],
            _proof(vector),
            _bytes(vector, "root1"),
            _bytes(vector, "root2"),
        )

    if vector["wantErr"]:
        with pytest.raises(VerifyFailed):
            check()
    else:
        check()


def test_there_are_as_many_vectors_as_were_taken() -> None:
    assert [len(VECTORS[kind]) for kind in ("inclusion", "consistency")] == [98, 98]


@pytest.mark.parametrize("size", range(len(ROOTS)))
def test_roots_of_the_reference_tree(size: int) -> None:
    hashes = [merkle.leaf_hash(leaf) for leaf in LEAVES[:size]]
    assert merkle.root(hashes).hex() == ROOTS[size]


def _defined(leaves: list[bytes]) -> bytes:
    """MTH as section 2.1.1 defines it."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\0" + leaves[0]).digest()
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return hashlib.sha256(b"\1" + _defined(leaves[:k]) + _defined(leaves[k:])).digest()


def test_every_proof_of_every_tree_up_to_33_leaves() -> None:
    leaves = [str(n).encode() for n in range(33)]
    hashes = [merkle.leaf_hash(leaf) for leaf in leaves]
    roots = [merkle.root(hashes[:n]) for n in range(34)]
    for size in range(34):
        assert roots[size] == _defined(leaves[:size])
        for index in range(size):
            proof = merkle.inclusion(hashes[:size], index)
            merkle.check_inclusion(hashes[index], index, size, proof, roots[size])
            with pytest.raises(VerifyFailed):
                merkle.check_inclusion(hashes[index - 1], index, size, proof, roots[size][::-1])
            if size > 1:
                with pytest.raises(VerifyFailed):
                    merkle.check_inclusion(hashes[index - 1], index, size, proof, roots[size])
        for old in range(1, size + 1):
            proof = merkle.consistency(hashes[:size], old)
            merkle.check_consistency(old, size, proof, roots[old], roots[size])
            with pytest.raises(VerifyFailed):
                merkle.check_consistency(old, size, proof, b"\0" * 32, roots[size])
    for ask, number in ((merkle.inclusion, 33), (merkle.consistency, 34)):
        with pytest.raises(ValueError, match="33"):
            ask(hashes, number)
