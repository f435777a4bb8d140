from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from collector.attest.keys.keys import TYPES, KeyType, PrivateKey, PublicKey
from collector.attest.log import checkpoint as checkpoints
from collector.attest.log import logged, merkle
from collector.attest.log.checkpoint import Checkpoint
from collector.attest.log.logged import Log
from collector.attest.trust.trust_file import Trust, trust_of
from collector.errors import VerifyFailed

ORIGIN = "hostpledge-register/0"
# c2sp.org/signed-note, "Example": a verifier key, and what it signed
VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
SIGNED = "This is an example message.\n"
SIGNATURE = (
    "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM="
)
# the public key of Sigstore's public Rekor log, and the id that its checkpoints name it by
REKOR = """-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE2G2Y+2tabdTV5BcGiBIx0a9fAFwr
kBbmLSGtks4L3qX6yYY0zufBnhC8Ur/iy55GhWP/9A/bY2LhC30M9+RYtw==
-----END PUBLIC KEY-----
"""


def _log(count: int, origin: str = ORIGIN) -> Log:
    at = datetime(2026, 11, 20, tzinfo=UTC)
    fields = {
        "pledge": "p-1",
        "previous": None,
        "collected_at": at.isoformat(),
        "made_at": at.isoformat(),
        "attached_at": at.isoformat(),
        "verdicts": {"2.2": "pass"},
    }
    leaves = [
        logged.entry_bytes({**fields, "sequence": n, "digest": f"{n:064x}"}, at)
        for n in range(1, count + 1)
    ]
    return Log(origin, tuple(leaves))


def test_ids_and_signatures_as_others_make_them() -> None:
    name, id, key = VKEY.split("+", 2)
    raw = base64.b64decode(key)
    public = PublicKey.of(Ed25519PublicKey.from_public_bytes(raw[1:]), where="")
    assert checkpoints.note_id(public, name).hex() == id
    signature = base64.b64decode(SIGNATURE)
    assert signature[:4].hex() == id
    public.verify(signature[4:], SIGNED.encode())
    rekor = PublicKey.from_pem(REKOR, where="")
    assert base64.b64encode(checkpoints.note_id(rekor, "x"))[:5] == b"wNI9a"


@pytest.mark.parametrize("type", TYPES)
def test_a_checkpoint_comes_back_and_names_its_signer(type: KeyType) -> None:
    key, other = PrivateKey.generate(type), PrivateKey.generate(type)
    given = _log(3).checkpoint()
    text = checkpoints.sign(given, key)
    witnessed = (
        text + "— witness.example/x " + base64.b64encode(b"idid" + b"s" * 72).decode() + "\n"
    )
    for one in (text, witnessed):
        note = checkpoints.parse(one.encode(), where="c")
        assert note.checkpoint == given
        assert note.verify(trust_of([other.public, key.public]), where="c").keyid == key.keyid
        for nobody in (Trust(), trust_of([other.public])):
            with pytest.raises(VerifyFailed, match="not signed by a trusted key"):
                note.verify(nobody, where="c")


@pytest.mark.parametrize("type", TYPES)
def test_no_byte_of_a_checkpoint_can_change(type: KeyType) -> None:
    key = PrivateKey.generate(type)
    data = checkpoints.sign(_log(3).checkpoint(), key).encode()
    for place in range(len(data)):
        changed = bytearray(data)
        changed[place] ^= 1
        with pytest.raises(VerifyFailed):
            checkpoints.parse(bytes(changed), where="c").verify(trust_of([key.public]), where="c")


BAD_NOTES = {
    "empty": b"",
    "no_signature": b"o\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
    "binary": b"\xff\n\n",
    "nul": b"o\n0\n\0\n\n\xe2\x80\x94 o AAAAAAA=\n",
    "bidi": "o\u202e\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n— o AAAAAAA=\n".encode(),
    "cr_lf": b"o\r\n0\r\nx\r\n\r\n",
    "size": "o\n01\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n— o AAAAAAA=\n".encode(),
    "huge_size": f"o\n{'9' * 40}\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n— o A\n".encode(),
    "short_root": "o\n1\nAAAA\n\n— o AAAAAAA=\n".encode(),
    "extension": (
        "o\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\nmore\n\n— o AAAAAAA=\n".encode()
    ),
    "origin": "o o\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n— o AAAAAAA=\n".encode(),
    "many": (
        "o\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n" + "— o AAAAAAA=\n" * 65
    ).encode(),
    "large": b"o" * (2 << 20),
}


@pytest.mark.parametrize("name", BAD_NOTES)
def test_what_is_no_checkpoint_is_refused(name: str) -> None:
    with pytest.raises(VerifyFailed):
        checkpoints.parse(BAD_NOTES[name], where="c")
    for read in (logged.read_inclusion, logged.read_consistency):
        with pytest.raises(VerifyFailed):
            read(BAD_NOTES[name], where="c")


def test_a_revoked_signer_is_named_as_one() -> None:
    key, present = PrivateKey.generate(), PrivateKey.generate()
    note = checkpoints.parse(checkpoints.sign(_log(1).checkpoint(), key).encode(), where="c")
    trust = trust_of([key.public, present.public])
    gone = replace(trust.keys[0], revoked_at=datetime(2026, 1, 1, tzinfo=UTC))
    assert note.verify(Trust((gone,)), where="c").revoked_at is not None
    both = note.text + checkpoints.sign(note.checkpoint, present).rpartition("\n\n")[2]
    twice = checkpoints.parse(both.encode(), where="c")
    assert twice.verify(Trust((gone, trust.keys[1])), where="c").keyid == present.keyid


def test_proofs_travel_as_text() -> None:
    key = PrivateKey.generate()
    log = _log(7)
    note = checkpoints.sign(log.checkpoint(), key)
    for index in range(7):
        text = log.inclusion(index, note)
        assert text.startswith("c2sp.org/tlog-proof@v1\nextra ")
        proof = logged.read_inclusion(text.encode(), where="p")
        assert proof.check(where="p")["sequence"] == index + 1
        wrong = replace(proof, index=(index + 1) % 7)
        with pytest.raises(VerifyFailed):
            wrong.check(where="p")
    for old in range(8):
        proven = logged.read_consistency(log.consistency(old, note).encode(), where="p")
        proven.check(log.checkpoint(old), where="p")
        with pytest.raises(VerifyFailed):
            proven.check(replace(log.checkpoint(old), root=merkle.leaf_hash(b"x")), where="p")
        with pytest.raises(VerifyFailed, match="another log"):
            proven.check(replace(log.checkpoint(old), origin="other"), where="p")
    with pytest.raises(VerifyFailed, match="a proof for a checkpoint of 7 entries, not of 3"):
        proven.check(log.checkpoint(3), where="p")
    with pytest.raises(VerifyFailed, match="had 8 entries and has 7: entries were removed"):
        proven.check(Checkpoint(ORIGIN, 8, log.checkpoint().root), where="p")


@pytest.mark.parametrize("kind", ["inclusion", "consistency"])
def test_no_byte_of_a_proof_can_change(kind: str) -> None:
    key = PrivateKey.generate()
    log = _log(5)
    note = checkpoints.sign(log.checkpoint(), key)
    data = (log.inclusion(2, note) if kind == "inclusion" else log.consistency(3, note)).encode()
    trust = trust_of([key.public])

    def check(text: bytes) -> None:
        if kind == "inclusion":
            proof = logged.read_inclusion(text, where="p")
            proof.check(where="p")
            proof.note.verify(trust, where="p")
        else:
            proven = logged.read_consistency(text, where="p")
            proven.check(log.checkpoint(3), where="p")
            proven.note.verify(trust, where="p")

    check(data)
    for place in range(len(data)):
        changed = bytearray(data)
        changed[place] ^= 1
        with pytest.raises(VerifyFailed):
            check(bytes(changed))
    for cut in range(len(data)):
        with pytest.raises(VerifyFailed):
            check(data[:cut])


def _without(log: Log, number: int) -> Log:
    return replace(log, leaves=log.leaves[:number] + log.leaves[number + 1 :])


HISTORIES: dict[str, tuple[Callable[[Log], Log], str]] = {
    "removed_last": (lambda log: _without(log, 4), "had 5 entries and has 4: entries were removed"),
    "removed_and_refilled": (
        lambda log: replace(log, leaves=(*_without(log, 1).leaves, log.leaves[1])),
        "are not those of the checkpoint",
    ),
    "moved": (lambda log: replace(log, leaves=log.leaves[::-1]), "are not those"),
    "changed": (
        lambda log: replace(log, leaves=(log.leaves[0].replace(b"pass", b"fail"), *log.leaves[1:])),
        "are not those",
    ),
    "put_in": (lambda log: replace(log, leaves=(log.leaves[2], *log.leaves)), "are not those"),
    "begun_anew": (lambda log: replace(log, origin="hostpledge-register/1"), "another log"),
}


@pytest.mark.parametrize("name", HISTORIES)
def test_another_history_is_not_what_the_checkpoint_saw(name: str) -> None:
    change, said = HISTORIES[name]
    log = _log(5)
    older = log.checkpoint()
    log.check_begins_with(older, where="r")
    _log(9).check_begins_with(older, where="r")
    with pytest.raises(VerifyFailed, match=said):
        change(log).check_begins_with(older, where="r")
