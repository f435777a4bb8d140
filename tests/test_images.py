"""Images of containers: of a checkout only what an image is made of gets into one."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fleet.machine import podman, why_not

ROOT = Path(__file__).parents[1]
IGNORED = (".containerignore", ".dockerignore")
FILES = ("packaging/container/Containerfile", "packaging/web/Containerfile")
# what the first look at one's own machine leaves behind, by README.md and docs/ci.md
LEFT = (
    ".git/config", ".env", "first/bundle/data/captures/localhost.capture.gz", "trust.json",
    ".hostpledge/keys/default.pem", "out/journal.ndjson", "demo/x", ".venv/bin/python",
    "inventory.yml", "pledges/demo.yml", "key.pem", "collector/key.pem", "build/share/x",
    "roles/logging/x.capture.gz", "tools/__pycache__/x.pyc",
)  # fmt: skip


def _allowed() -> list[str]:
    lines = (ROOT / IGNORED[0]).read_text().splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    return [rule[1:] for rule in rules if rule.startswith("!")]


def test_nothing_is_let_in_but_what_is_named() -> None:
    texts = {(ROOT / name).read_text() for name in IGNORED}
    assert len(texts) == 1
    for name in _allowed():
        tracked = subprocess.run(
            ["git", "ls-files", "--", name], cwd=ROOT, capture_output=True, text=True, check=True
        )
        assert tracked.stdout, name


@pytest.mark.parametrize("file", FILES)
def test_the_checkout_is_in_no_layer_of_the_last_stage(file: str) -> None:
    stages = re.split(r"^FROM ", (ROOT / file).read_text(), flags=re.MULTILINE)
    assert len(stages) == 3
    copied = re.findall(r"^(?:COPY|ADD) .*$", stages[-1], re.MULTILINE)
    assert copied
    assert all(" --from=build /" in line for line in copied), copied


@pytest.mark.parametrize("ignored", IGNORED)
def test_what_a_run_left_behind_gets_into_no_image(tmp_path: Path, ignored: str) -> None:
    if why := why_not():
        pytest.skip(why)
    context = tmp_path / "src"
    kept = [name if "." in name or name.isupper() else f"{name}/x" for name in _allowed()]
    for name in (*LEFT, *kept, "Makefile"):
        if name == "Makefile/x":
            continue
        (context / name).parent.mkdir(parents=True, exist_ok=True)
        (context / name).write_text(name)
    shutil.copy(ROOT / ignored, context)
    (tmp_path / "Containerfile").write_text("FROM scratch\nCOPY . /src\n")
    made = tmp_path / "made"
    podman(
        "build", "--quiet", "--layers=false", f"--output=type=local,dest={made}",
        f"--file={tmp_path / 'Containerfile'}", str(context),
    )  # fmt: skip
    there = {str(path.relative_to(made / "src")) for path in made.rglob("*") if path.is_file()}
    assert there == {name for name in kept if name != "Makefile/x"} | {"Makefile"}


def test_what_is_let_in_is_enough_to_install(tmp_path: Path) -> None:
    tracked = subprocess.run(
        ["git", "ls-files", "-z", "--", *_allowed()],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.split("\0")  # fmt: skip
    for name in filter(None, tracked):
        if (ROOT / name).is_file():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, tmp_path / name)
    for words in (
        ["tools.share", "build/share"],
        ["hatchling", "build", "-t", "wheel", "-d", "dist"],
    ):
        done = subprocess.run(
            [sys.executable, "-m", *words], cwd=tmp_path, capture_output=True, text=True,
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
    assert list((tmp_path / "dist").glob("hostpledge-*.whl"))
