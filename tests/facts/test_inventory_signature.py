"""The owner's signature of a data inventory, held to what the real ssh-keygen signs and says."""

from __future__ import annotations

import subprocess
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.errors import FactError, NotUnderstood
from collector.facts.data.inventory import as_found, inventory
from collector.facts.data.inventory_signature import (
    KEYS,
    NAMESPACE,
    SIGNATURE,
    Signed,
    owner_keys,
    owner_signature,
)
from collector.model import Capture, Facts, HostStatus
from collector.pledges.record.form import attached_documents
from tests.pledges.records import made

OWNER = "王 安全"
TEXT = f"""schema: urn:hostpledge:schema:data-inventory:1
owner: {OWNER}
reviewed: 2026-11-01
stores:
  - {{name: a, kind: path, path: /srv/a, category: c, level: 重要, owner: 李四}}
""".encode()
KINDS = {
    "ed25519": ("-t", "ed25519"),
    "p256": ("-t", "ecdsa", "-b", "256"),
    "p384": ("-t", "ecdsa", "-b", "384"),
    "p521": ("-t", "ecdsa", "-b", "521"),
    "rsa": ("-t", "rsa", "-b", "2048"),
}


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("keys")
    for name, options in KINDS.items():
        _keygen("-q", *options, "-N", "", "-C", "a comment", "-f", str(folder / name))
    return {name: folder / name for name in KINDS}


def _keygen(*arguments: str, data: bytes = b"") -> bytes:
    done = subprocess.run(
        ["ssh-keygen", *arguments], input=data, capture_output=True, check=True, timeout=60
    )
    return done.stdout


def _sign(key: Path, text: bytes = TEXT, namespace: str = NAMESPACE, form: str = "sha512") -> bytes:
    options = ("-O", f"hashalg={form}")
    return _keygen("-Y", "sign", "-f", str(key), "-n", namespace, *options, data=text)


def _public(key: Path) -> str:
    return " ".join(key.with_suffix(".pub").read_text().split()[:2])


def _listed(key: Path, name: str = OWNER) -> bytes:
    """As the pledge record hands it to judges."""
    record = made(data_owner_keys=[{"name": name, "key": _public(key)}])
    return attached_documents(record)[KEYS]


def _signed(text: bytes, signature: bytes, listed: bytes | None) -> Signed:
    attached = {"data-inventory": text, SIGNATURE: signature}
    if listed is not None:
        attached[KEYS] = listed
    facts = Facts(Capture("h", HostStatus.COMPLETE), attached)
    known = as_found(facts)
    assert known is not None
    return owner_signature(facts, known)


@pytest.mark.parametrize("form", ["sha256", "sha512"])
@pytest.mark.parametrize("kind", KINDS)
def test_what_ssh_keygen_signs_is_good_for_both(
    keys: dict[str, Path], tmp_path: Path, kind: str, form: str
) -> None:
    signature, listed = _sign(keys[kind], form=form), _listed(keys[kind])
    (tmp_path / "signature").write_bytes(signature)
    (tmp_path / "listed").write_bytes(listed)
    told = _keygen(
        *("-Y", "verify", "-f", str(tmp_path / "listed"), "-I", OWNER, "-n", NAMESPACE),
        *("-s", str(tmp_path / "signature")),
        data=TEXT,
    ).decode()
    found = _signed(TEXT, signature, listed)
    assert found.state == "good"
    assert found.keyid in told
    assert found.keyid in _keygen("-l", "-f", str(keys[kind])).decode()


@pytest.mark.parametrize("kind", KINDS)
def test_no_other_content_is_what_was_signed(keys: dict[str, Path], kind: str) -> None:
    signature, listed = _sign(keys[kind]), _listed(keys[kind])
    for text in (
        TEXT.replace("重要".encode(), "一般".encode()),
        TEXT + b"\n",
        TEXT.replace(b"\n", b"\r\n"),
    ):
        assert _signed(text, signature, listed).state == "altered"


def test_only_a_key_of_the_owner_counts(keys: dict[str, Path]) -> None:
    signature = _sign(keys["ed25519"])
    stranger = _signed(TEXT, signature, _listed(keys["p256"]))
    assert (stranger.state, stranger.name) == ("stranger", "")
    other = _signed(TEXT, signature, _listed(keys["ed25519"], "李四"))
    assert (other.state, other.name) == ("stranger", "李四")
    both = _listed(keys["ed25519"], "李四") + _listed(keys["ed25519"])
    assert _signed(TEXT, signature, both).state == "good"
    assert _signed(TEXT, signature, None).state == "no_keys"
    assert _signed(TEXT, signature, b"# nobody\n").state == "stranger"


def test_a_key_of_another_purpose_signs_no_inventory(keys: dict[str, Path]) -> None:
    line = f'"{OWNER}" namespaces="git,file" {_public(keys["rsa"])}\n'.encode()
    assert _signed(TEXT, _sign(keys["rsa"]), line).state == "stranger"
    made_for = _signed(TEXT, _sign(keys["rsa"], namespace="file"), _listed(keys["rsa"]))
    assert (made_for.state, made_for.name) == ("namespace", "file")


@given(at=st.integers(0, 10_000), bit=st.integers(0, 7))
@settings(max_examples=200, deadline=None)
def test_a_signature_with_a_flipped_bit_is_never_of_other_content(
    keys: dict[str, Path], at: int, bit: int
) -> None:
    """A flip may leave the signature good (a line end), but never makes an altered text good."""
    signature, listed = bytearray(_sign_once(keys["p256"])), _listed(keys["p256"])
    signature[at % len(signature)] ^= 1 << bit
    with suppress(NotUnderstood):
        assert _signed(TEXT + b"#", bytes(signature), listed).state != "good"


_MADE: dict[Path, bytes] = {}


def _sign_once(key: Path) -> bytes:
    if key not in _MADE:
        _MADE[key] = _sign(key)
    return _MADE[key]


@pytest.mark.parametrize(
    "line",
    [
        "a ssh-dss AAAA",
        "a ssh-ed25519",
        "a ssh-ed25519 AAAA",
        'a valid-after="20260101" ssh-ed25519 AAAA',
        "a cert-authority ssh-ed25519 AAAA",
        "@cert-authority * ssh-ed25519 AAAA",
    ],
)
def test_a_list_of_keys_that_is_not_understood_trusts_nobody(line: str) -> None:
    with pytest.raises(NotUnderstood, match="line 2"):
        owner_keys(f"# keys\n{line}\n".encode())


def test_nothing_rests_on_an_inventory_that_was_altered(keys: dict[str, Path]) -> None:
    signature, listed = _sign(keys["p256"]), _listed(keys["p256"])
    attached = {"data-inventory": TEXT, SIGNATURE: signature, KEYS: listed}
    assert inventory(Facts(Capture("h", HostStatus.COMPLETE), attached)) is not None
    for change in (
        {"data-inventory": TEXT.replace("重要".encode(), "一般".encode())},
        {KEYS: _listed(keys["rsa"])},
        {SIGNATURE: signature[:-40]},
    ):
        with pytest.raises(FactError):
            inventory(Facts(Capture("h", HostStatus.COMPLETE), {**attached, **change}))
