"""The sizes of folders, against what was really laid there."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from collector.errors import NotUnderstood
from collector.facts.data.folders import READ, READS, folders
from collector.model import Capture, HostStatus, ReadResult, ReadStatus

(_READ,) = READS


def _folders(root: Path, shell: str = "sh") -> dict[str, int | None]:
    """The read's own text, with its usual places below `root`."""
    body = _READ.body
    head, listed, rest = re.split(r"(?<=for r in )(.*?)(?=; do)", body, maxsplit=1, flags=re.DOTALL)
    body = head + re.sub(r"(?<!\S)/", f"{root}/", listed) + rest
    done = subprocess.run([shell, "-c", body], capture_output=True, check=True)
    assert done.stderr == b""
    result = ReadResult(READ, ReadStatus.OK, stdout=done.stdout)
    found = folders(Capture("h", HostStatus.COMPLETE, reads={READ: result}))
    return {f.path.removeprefix(str(root)): f.size for f in found}


def test_what_is_measured_and_what_is_left_alone(tmp_path: Path) -> None:
    for name in (
        "srv/a b/c",
        "srv/backups",
        "home/anna",
        "data1/x",
        "var/lib/pg",
        "srv/lost+found",
    ):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "srv/a b/c/file").write_bytes(b"x" * 3_000_000)
    (tmp_path / "srv/link").symlink_to(tmp_path / "home")
    (tmp_path / "srv/file").write_text("no folder")
    found = _folders(tmp_path)
    assert set(found) == {"/srv/a b", "/home/anna", "/data1/x", "/var/lib/pg"}
    size = found["/srv/a b"]
    assert size is not None
    assert 3_000_000 <= size < 3_200_000


def test_the_places_of_panels_and_applications(tmp_path: Path) -> None:
    for name in (
        "www/wwwroot/shop", "www/wwwlogs/x", "www/server/mysql", "www/other", "app/data",
        "apps/y", "u01/oradata", "mnt/files", "media/disk", "data_old/z", "opt/app/data",
    ):  # fmt: skip
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "file").write_bytes(b"x" * 300_000)
    (tmp_path / "app9").symlink_to(tmp_path / "opt/app")
    found = _folders(tmp_path)
    assert set(found) == {
        "/www/wwwroot/shop", "/www/other", "/app/data", "/apps/y", "/u01/oradata", "/mnt/files",
        "/media/disk", "/data_old/z", "/opt/app",
    }  # fmt: skip
    assert all(size and size >= 300_000 for size in found.values())


def test_nothing_there_is_an_answer(tmp_path: Path) -> None:
    assert _folders(tmp_path) == {}


@pytest.mark.parametrize(
    "text",
    ["", "folder\t/srv/a\n", "folder\t/srv/a\nsize\t1\t/srv/a\n", "folder /srv/a\nend\n",
     "size\tx\t/srv/a\nend\n", "du: cannot\nend\n"],
)  # fmt: skip
def test_what_is_not_understood_is_not_guessed(text: str) -> None:
    result = ReadResult(READ, ReadStatus.OK, stdout=text.encode())
    with pytest.raises(NotUnderstood):
        folders(Capture("h", HostStatus.COMPLETE, reads={READ: result}))


def test_a_folder_without_a_size_is_unmeasured() -> None:
    text = b"folder\t/srv/a\nfolder\t/srv/b\nsize\t8\t/srv/a\nend\n"
    result = ReadResult(READ, ReadStatus.OK, stdout=text)
    found = folders(Capture("h", HostStatus.COMPLETE, reads={READ: result}))
    assert [(f.path, f.size) for f in found] == [("/srv/a", 8192), ("/srv/b", None)]
