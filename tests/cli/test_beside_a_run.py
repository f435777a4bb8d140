"""Captures that lie beside those of a run: left out, and named."""

from __future__ import annotations

import os

import pytest

from tests import bundles
from tests.cli.test_evidence import Shell
from tests.cli.test_provenance import a_run, shell

__all__ = ["shell"]


@pytest.mark.parametrize("command", ["bundle", "assess"])
def test_captures_beside_a_run_are_named(shell: Shell, command: str) -> None:
    a_run(shell)
    out = shell.folder / "out"
    words = [command, "out", *(["-o", "b"] if command == "bundle" else [])]
    assert "beside them not" not in shell(*words, status=1 if command == "assess" else 0).stderr
    bundles.write(out, [bundles.capture("db-1")])
    (out / "late" / "more").mkdir(parents=True)
    (out / "late" / "more" / "x.capture").write_bytes(bundles.output())
    # what a bundle of the run holds is no other capture
    shell("bundle", "out", "-o", "out/bundle")
    words[-1:] = ["c"] if command == "bundle" else ["out"]
    said = shell(*words, status=1 if command == "assess" else 0).stderr
    named = [*sorted(p.name for p in out.glob("db-1*")), "late/more/x.capture"]
    assert "the captures of captures are taken, and 2 beside them not: " + ", ".join(named) in said


@pytest.mark.parametrize("kind", ["gone", "pipe", "device"])
@pytest.mark.parametrize("command", ["bundle", "assess"])
def test_none_is_left_out_in_silence(shell: Shell, command: str, kind: str) -> None:
    place = shell.folder / "caps" / "site-b"
    bundles.write(place.parent, [bundles.capture("web-1")])
    place.mkdir()
    if kind == "pipe":
        os.mkfifo(place / "db-1.capture")
    else:
        (place / "db-1.capture").symlink_to("/nonexistent" if kind == "gone" else "/dev/null")
    (place / ".x.capture").symlink_to("/nonexistent")
    words = [command, "caps", *(["-o", "b"] if command == "bundle" else [])]
    said = shell(*words, status=2).stderr
    assert "site-b/db-1.capture" in said and "no regular file" in said
    assert not (shell.folder / "b").exists()
    (place / "db-1.capture").unlink()
    shell(*words, status=1 if command == "assess" else 0)
