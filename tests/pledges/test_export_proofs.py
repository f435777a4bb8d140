"""What an inspector gets with `pledge export`: proofs of the log, checked with no register."""

from __future__ import annotations

import json
import subprocess
import zipfile
from pathlib import Path

import pytest

from collector.attest.trust import keyring
from tests.cli.running import Ended, hostpledge
from tests.pledges.test_register_cli import ID, Owner, owner

__all__ = ["owner"]


def _export(owner: Owner, *words: object, lang: str = "en") -> tuple[Ended, Path]:
    target = owner.folder / "out.zip"
    ended = hostpledge(
        "pledge", "export", ID, "-o", target, *words, "--lang", lang, home=owner.home
    )
    place = owner.folder / "got"
    if ended.status == 0:
        with zipfile.ZipFile(target) as archive:
            archive.extractall(place)
    return ended, place / f"pledge-{ID}"


def _inspector(owner: Owner, *words: object) -> Ended:
    """Has the export and the trust file, no key and no register."""
    return hostpledge(
        *words, "--trust", owner.trust, "--lang", "en", home=owner.folder / "inspector"
    )


def test_the_inspector_checks_each_bundle_with_an_older_checkpoint(owner: Owner) -> None:
    old = owner.kept()
    owner.grow()
    ended, got = _export(owner, "--since", old)
    assert ended.status == 0, ended.err
    assert sorted(p.name for p in (got / "log").iterdir())[-2:] == ["checkpoint", "since-2.proof"]
    subprocess.run(
        ["sha256sum", "--strict", "--quiet", "-c", "manifest-sha256.txt"], cwd=got, check=True
    )
    bundles = sorted((got / "bundles").iterdir())
    assert (
        json.loads((got / "evidence.json").read_text())[-1]["digest"]
        in (got / "report.html").read_text()
    ), "the newest evidence"
    assert "<html" in (got / "verify.html").read_text()
    readme = (got / "README.txt").read_text()
    assert readme.index("怎样核对") < readme.index("How to check it"), "Chinese first"
    # as it says, in its own folder
    assert f"hostpledge verify bundles/{bundles[-1].name} --trust trust.json" in readme
    proofs = [got / "log" / f"{path.name}.proof" for path in bundles]
    assert len(bundles) == 3
    for bundle, proof in zip(bundles, proofs, strict=True):
        told = _inspector(owner, "verify", bundle, "--proof", proof)
        assert told.status == 0, told.err
        assert "of the 3 in the register's log" in told.out
    swapped = _inspector(owner, "verify", bundles[0], "--proof", proofs[1])
    assert swapped.status != 0
    assert "another bundle" in swapped.out + swapped.err
    since = got / "log" / "since-2.proof"
    told = _inspector(owner, "register", "consistency", old, "--proof", since)
    assert (told.status, "grew from 2 to 3" in told.out) == (0, True)
    other = owner.kept("other")
    assert _inspector(owner, "register", "consistency", other, "--proof", since).status == 1


def test_a_log_that_did_not_grow_out_of_the_older_checkpoint(owner: Owner, tmp_path: Path) -> None:
    owner.grow()
    newer = owner.kept("newer")
    lines = newer.read_text().split("\n")
    lines[2] = "A" * 43 + "="
    forged = tmp_path / "forged"
    forged.write_text("\n".join(lines))
    ended, _ = _export(owner, "--since", forged)
    assert ended.status != 0
    assert "not those of the checkpoint" in ended.err


def test_without_a_key_a_kept_checkpoint_does(owner: Owner) -> None:
    owner.kept()
    keyring.path_of("default").rename(owner.folder / "away")
    ended, got = _export(owner)
    assert (ended.status, ended.err) == (0, "")
    assert len(list((got / "log").iterdir())) == 3


@pytest.mark.parametrize(
    ("lang", "said"), [("en", "without proofs of the log"), ("zh", "未附日志证明")]
)
def test_without_key_and_checkpoint_it_says_so(owner: Owner, lang: str, said: str) -> None:
    keyring.path_of("default").rename(owner.folder / "away")
    ended, got = _export(owner, lang=lang)
    assert ended.status == 0
    assert said in ended.err
    assert not (got / "log").exists()
