"""Man pages and completions are made of the commands, one page each, and roff takes them."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from collector.cli.app import hostpledge

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def share(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("share")
    subprocess.run([sys.executable, "-m", "tools.share", place], cwd=ROOT, check=True)
    return place


def _names(command: click.Command, name: str = "hostpledge") -> Iterator[str]:
    yield name
    if isinstance(command, click.Group):
        context = click.Context(command)
        for word in command.list_commands(context):
            found = command.get_command(context, word)
            assert found is not None
            yield from _names(found, f"{name}-{word}")


@pytest.mark.parametrize("folder", ["man/man1", "man/zh_CN/man1"])
def test_every_command_has_its_page(share: Path, folder: str) -> None:
    assert {path.stem for path in (share / folder).iterdir()} == set(_names(hostpledge))


def test_a_page_says_what_the_help_says(share: Path) -> None:
    page = _shown(share / "man/man1/hostpledge-verify.1")
    for word in (
        "--trust FILE",
        "--policy FILE|strict",
        "-h, --help",
        "EXIT STATUS",
        "hostpledge(1)",
    ):
        assert word in page
    assert re.search(r"^ +3 +evidence does not verify", page, re.MULTILINE)
    chinese = _shown(share / "man/zh_CN/man1/hostpledge-verify.1")
    assert "离线核验证据包" in chinese
    assert "退出状态" in chinese
    assert "HOSTPLEDGE_REGISTER" in _shown(share / "man/man1/hostpledge.1")


def test_roff_has_nothing_to_say_of_any_page(share: Path) -> None:
    for page in sorted((share / "man").rglob("*.1")):
        _shown(page)


def _shown(page: Path) -> str:
    if shutil.which("groff") is None:
        pytest.fail("groff is not there: apt-get install groff-base man-db")
    # where a line of Chinese may end; man-db asks for it in a Chinese locale
    more = ["-mzh"] if "zh_CN" in page.parts else []
    done = subprocess.run(
        [
            "groff", "-man", *more, "-Kutf8", "-Tutf8", "-ww", "-Wbreak", "-P-cbou", "-rLL=120n",
            page,
        ],
        capture_output=True, check=True,
    )  # fmt: skip
    assert done.stderr == b"", page
    return done.stdout.decode()


def test_the_wheel_carries_them_where_they_were_made(share: Path, tmp_path: Path) -> None:
    source = tmp_path / "source"
    ignored = shutil.ignore_patterns(".*", "build", "dist", "tests", "docs", "demo")
    shutil.copytree(ROOT, source, ignore=ignored)
    shutil.copytree(share, source / "build" / "share")
    subprocess.run(
        [
            sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation",
            "--wheel-dir", tmp_path, source,
        ],
        check=True,
    )  # fmt: skip
    (wheel,) = tmp_path.glob("*.whl")
    names = {name.partition(".data/data/")[2] for name in zipfile.ZipFile(wheel).namelist()}
    wanted = {f"share/{p.relative_to(share)}" for p in share.rglob("*") if p.is_file()}
    assert wanted <= names
