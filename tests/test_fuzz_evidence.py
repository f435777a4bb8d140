"""What comes from outside is refused or read, never a crash: a bundle and all that goes with it.

`make test` tries some hundred inputs; `make fuzz` as many as HOSTPLEDGE_FUZZ says.
"""

from __future__ import annotations

import os
import resource
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collector.attest.envelope import dsse as envelope
from collector.attest.envelope import statement, timestamp
from collector.attest.keys import sm2
from collector.attest.keys.age import decrypt
from collector.attest.keys.keys import PublicKey
from collector.attest.log import checkpoint, logged
from collector.attest.log.checkpoint import Checkpoint
from collector.attest.log.logged import Log
from collector.attest.trust.trust_file import trust_from_bytes, trust_of
from collector.captures import digest
from collector.errors import BadInput, VerifyFailed
from collector.verify import open_bundle, verify
from tests import bundle_cases as cases
from tests import bundles, zip_forms
from tests.test_verify import ENVELOPE

MANY = int(os.environ.get("HOSTPLEDGE_FUZZ", "60"))
PIECES = [
    b"", b"\0", b"{", b"}", b"[", b"]" * 50, b'"', b",", b":", b"\\u0000", b"\xff", b"null",
    b"1e999", b"NaN", b"-0", b"9" * 400, b"\r\n", b"\n", "\u202e".encode(), b"\xed\xa0\x80",
    b"__proto__", b"[" * 5000, b"../", b"=", b"A" * 300, b"2026-13-45T99:99:99Z",
]  # fmt: skip
fuzzing = settings(
    max_examples=MANY,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return cases.good(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module")
def inputs(base: dict[str, Path]) -> dict[str, bytes]:
    """One good input for each reader."""
    log = Log("hostpledge-register/" + "0" * 32, (b"{}", b"[]"))
    note = checkpoint.sign(log.checkpoint(), cases.SIGNER)
    sealed = envelope.unseal((base["stamped"] / ENVELOPE).read_bytes())
    return {
        "envelope": (base["stamped"] / ENVELOPE).read_bytes(),
        "second envelope": (base["sm2"] / f"data/{envelope.TWIN}").read_bytes(),
        "statement": sealed.payload,
        "timestamp": sealed.timestamps[0],
        "signature": sealed.signature,
        "trust": cases.trust(base["plain"].parent).to_bytes(),
        "public key": cases.SM2.public.pem.encode(),
        "checkpoint": note.encode(),
        "inclusion": log.inclusion(0, note).encode(),
        "consistency": log.consistency(1, note).encode(),
    }


def _read(kind: str, data: bytes, right: bytes) -> None:
    old = Checkpoint("hostpledge-register/" + "0" * 32, 1, b"\0" * 32)
    known = trust_of([cases.SIGNER.public])
    readers: dict[str, Callable[[], Any]] = {
        "envelope": lambda: envelope.unseal(data),
        "second envelope": lambda: envelope.unseal(data, sm2=True),
        "statement": lambda: statement.from_bytes(data, where="t"),
        "timestamp": lambda: timestamp.check(data, right),
        "signature": lambda: cases.SIGNER.public.verify(data, b"x"),
        "trust": lambda: trust_from_bytes(data, where="t"),
        "public key": lambda: PublicKey.from_pem(data, where="t"),
        "checkpoint": lambda: checkpoint.parse(data, where="t").verify(known, where="t"),
        "inclusion": lambda: logged.read_inclusion(data, where="t").check(where="t"),
        "consistency": lambda: logged.read_consistency(data, where="t").check(old, where="t"),
    }
    readers[kind]()


def _mutated(data: bytes, changes: list[tuple[float, int, bytes]]) -> bytes:
    for part, length, piece in changes:
        at = int(part * len(data))
        data = data[:at] + piece + data[at + length :]
    return data


changes = st.lists(
    st.tuples(
        st.floats(0, 1, allow_nan=False),
        st.integers(0, 40),
        st.one_of(st.sampled_from(PIECES), st.binary(max_size=4)),
    ),
    min_size=1,
    max_size=4,
)
KINDS = (
    "envelope", "second envelope", "statement", "timestamp", "signature", "trust", "public key",
    "checkpoint", "inclusion", "consistency",
)  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
@fuzzing
@given(changes=changes)
def test_a_changed_input_is_refused_or_read(
    kind: str, changes: list[tuple[float, int, bytes]], inputs: dict[str, bytes]
) -> None:
    try:
        _read(kind, _mutated(inputs[kind], changes), inputs["signature"])
    except (BadInput, VerifyFailed) as problem:
        assert str(problem).isprintable()
        assert len(str(problem)) < 2000


@pytest.mark.parametrize("kind", KINDS)
@fuzzing
@given(data=st.one_of(st.binary(max_size=400), st.text(max_size=200).map(str.encode)))
def test_any_bytes_are_refused(kind: str, data: bytes, inputs: dict[str, bytes]) -> None:
    with pytest.raises((BadInput, VerifyFailed)):
        _read(kind, data, inputs["signature"])


@fuzzing
@given(
    name=st.sampled_from(["stamped", "sm2"]),
    file=st.integers(0, 20),
    changes=changes,
    container=st.booleans(),
)
def test_no_changed_file_of_a_bundle_verifies(
    name: str,
    file: int,
    changes: list[tuple[float, int, bytes]],
    container: bool,
    base: dict[str, Path],
    tmp_path: Path,
) -> None:
    copy = Path(shutil.copytree(base[name], tmp_path / "copy", dirs_exist_ok=True))
    files = sorted(path for path in copy.rglob("*") if path.is_file())
    chosen = files[file % len(files)]
    before = chosen.read_bytes()
    after = _mutated(before, changes)
    chosen.write_bytes(after)
    if container and chosen.parent != copy:
        bundles.reseal(copy)
    try:
        with open_bundle(copy) as opened:
            verify(opened, cases.trust(base["plain"].parent))
        # a timestamp can be written in more than one way (ADR 11): it is no content
        assert before == after or chosen.name in envelope.FILES
    except (BadInput, VerifyFailed):
        assert before != after
    finally:
        shutil.rmtree(copy)


@fuzzing
@given(changes=changes)
def test_a_changed_zip_never_verifies_as_another_bundle(
    changes: list[tuple[float, int, bytes]], base: dict[str, Path], tmp_path: Path
) -> None:
    stage = cases.Stage(base["plain"], cases.trust(base["plain"].parent))
    zip_forms.pack(stage)
    place = tmp_path / "changed.zip"
    place.write_bytes(_mutated(stage.path.read_bytes(), changes))
    try:
        with open_bundle(place) as opened:
            assert verify(opened, stage.trust).digest == digest(
                envelope.unseal((base["plain"] / ENVELOPE).read_bytes()).payload
            )
    except (BadInput, VerifyFailed):
        pass


@fuzzing
@given(data=st.binary(max_size=300))
def test_what_is_no_ciphertext(data: bytes, tmp_path: Path) -> None:
    import pyrage

    source, target = tmp_path / "in", tmp_path / "out"
    source.write_bytes(b"age-encryption.org/v1\n" + data)
    target.unlink(missing_ok=True)
    with pytest.raises((BadInput, VerifyFailed)):
        decrypt(source, target, [pyrage.x25519.Identity.generate()], 1000)


def test_ten_gigabytes_of_zeros_cost_no_memory(base: dict[str, Path], tmp_path: Path) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for name in (ENVELOPE, "bag-info.txt", "zeros"):
        copy = Path(shutil.copytree(base["plain"], tmp_path / "copy"))
        target = copy / name if name != "zeros" else tmp_path / "zeros"
        with target.open("r+b" if target.exists() else "wb") as out:
            out.truncate(10 << 30 if name == "zeros" else 1 << 30)
        with pytest.raises((BadInput, VerifyFailed)):
            open_bundle(copy if name != "zeros" else target)
        shutil.rmtree(copy)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 300 << 10, f"{grown >> 10} MiB"


def test_sm2_points_of_any_bytes_are_keys_only_on_the_curve() -> None:
    @fuzzing
    @given(point=st.binary(min_size=64, max_size=64))
    def check(point: bytes) -> None:
        assert not sm2.is_public(sm2.to_pem(sm2._SPKI + point))

    check()
