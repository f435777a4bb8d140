"""A folder from outside is measured before it is read: a sparse file says any size."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from collector.attest.bundle import bag
from collector.errors import VerifyFailed
from collector.pledges.database import store
from collector.pledges.register.attach import attach
from collector.pledges.register.register import Register
from collector.verify import open_bundle
from tests.pledges.bundles import Signer
from tests.pledges.records import made


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("data/captures/web-01.capture.gz", "larger than 64 MiB"),
        ("data/evidence.json", "larger than 8192 MiB"),
        ("manifest-sha256.txt", "larger than 16 MiB"),
        ("data/bundle.sigstore.json", "larger than 16 MiB"),
    ],
)
def test_a_sparse_file_is_refused_by_its_size(tmp_path: Path, name: str, says: str) -> None:
    register = Register.open(str(tmp_path / "r.sqlite"))
    register.add(made())
    signer = Signer(tmp_path / "made")
    path = signer.make("b", register.reference("demo-2026")).path
    with open_bundle(path):
        pass
    os.truncate(path / name, 20 << 30)
    begun = time.monotonic()
    with pytest.raises(VerifyFailed, match=says) as refused:
        open_bundle(path)
    assert refused.value.where == name
    with pytest.raises(VerifyFailed, match=says):
        attach(register, "demo-2026", path, signer.trust)
    assert time.monotonic() - begun < 5
    assert not [*register.store.folder.glob(".aside*")]


def test_many_files_are_counted_together() -> None:
    sizes = {f"data/captures/{n}.capture.gz": 60 << 20 for n in range(200)}
    with pytest.raises(VerifyFailed, match="8 GiB"):
        bag.check_sizes(sizes)
    assert store.MOST_BYTES == bag.MOST_BYTES
