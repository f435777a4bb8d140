"""Records of backups leave without what somebody logs in with, whoever wrote the JSON."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.masked import AWKS, redacted

ROOT = Path(__file__).parents[1]
_PLACES = (
    "rclone::webdav,url=http://h,user=u,pass=quokka:x",
    "rclone::webdav,user=u,pass=quokka",
    ":s3,access_key_id=A,secret_access_key=quokka:b",
    ":s3,provider=x,secret_access_key=quokka,access_key_id=A:b",
    ':sftp,host=h,pass="quokka":b',
    ":sftp,host=h,pass='quokka, x':b",
    "sftp://u:quokka@h/x",
    "sftp:u:quokka@h:/x",
    "//u:quokka@nas/share",
    "//u:quokka/x@nas/share",
    "u:quokka@nas:/x",
    "/u:quokka@nas/share",
    "https://h/x?key=quokka",
    "s3://id:zebra/quokka=@h/x",
    "b2:id:quokka@bucket",
    "Server=h;Password=quokka;x=y",
    "host=h password=quokka dbname=x",
    "TOKEN=quokka",
    "sftp://h/x?a=1&token=quokka",
    "smb://u:quokka@nas/x and //u:quokka@nas/y",
    "u%quokka@h",
)
_STAY = (
    "/srv/backup", "nas:/srv/backup", "sftp://u@h/x", "//nas/share", "bak@nas:/srv", "s3:h/bucket",
    "rclone:remote:bucket/x", ":s3,provider=x:bucket/y", "host=h dbname=x", "shop",
)  # fmt: skip


def _texts(place: str) -> list[str]:
    out = []
    for member in ("store", "repository", "artefact"):
        plain = json.dumps({member: place}, separators=(",", ":"))
        out += [plain, plain.replace("/", "\\/"), json.dumps({member: [place, place]})]
    return out


@pytest.mark.parametrize("awk", AWKS, ids=" ".join)
def test_no_secret_of_a_place_is_in_a_record(awk: list[str]) -> None:
    text = "".join(x + "\n" for place in _PLACES for x in _texts(place))
    said = redacted("#words record", text.encode(), awk=awk).decode()
    lines = list(zip(text.splitlines(), said.splitlines(), strict=True))
    assert [(a, b) for a, b in lines if "quokka" in b or "zebra" in b] == []
    for line in said.splitlines():
        json.loads(line)


@pytest.mark.parametrize("awk", AWKS, ids=" ".join)
def test_places_without_one_stay(awk: list[str]) -> None:
    for place in _STAY:
        for text in _texts(place):
            said = redacted("#words record", f"{text}\n".encode(), awk=awk)
            assert json.loads(said) == json.loads(text)


@pytest.mark.parametrize("shell", [["dash"], ["busybox", "sh"]], ids=" ".join)
def test_the_reporter_writes_none_down(shell: list[str], tmp_path: Path) -> None:
    if shutil.which(shell[0]) is None:
        pytest.skip(f"no {shell[0]} here")
    script = ROOT / "roles/backup/files/hostpledge-backup-report"
    for number, place in enumerate((*_PLACES, *_STAY)):
        folder = tmp_path / str(number)
        subprocess.run(
            [*shell, script, "--job", "x", "--path", "/srv", "--repository", place,
             "--folder", folder, "--", "true"],
            check=True,
        )  # fmt: skip
        (written,) = folder.glob("*.json")
        told = json.loads(written.read_text())["repository"]
        assert "quokka" not in told, place
        assert place not in _STAY or told == place
