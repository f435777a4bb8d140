"""`hostpledge assess` on files and folders, good ones and damaged ones."""

from __future__ import annotations

import gzip
import json
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from collector import captures, catalog
from collector.cli.options.captures import capture_files
from collector.cli.options.times import parse_time
from collector.errors import BadInput
from collector.model import Capture, CapturedFile, HostStatus, ReadResult, ReadStatus
from collector.script import collector_script
from tests.cli.running import hostpledge

AT = datetime(2026, 11, 25, 4, 0, tzinfo=UTC)
STRONG = b"root:$y$:20000:0:99999:7:::\n"
WEAK = b"root:$1$:20000:0:99999:7:::\n"


def capture(host: str, shadow: bytes = STRONG) -> Capture:
    return Capture(
        host,
        HostStatus.COMPLETE,
        head={"uid": "0"},
        collected_at=AT,
        reads={
            id: ReadResult(
                id,
                ReadStatus.OK,
                files=(CapturedFile(path, ReadStatus.OK, 0o640, 0, 0, 9, 0, data),),
            )
            for id, path, data in (
                ("accounts.passwd", "/etc/passwd", b"root:x:0:0:root:/root:/bin/bash\n"),
                ("accounts.shadow", "/etc/shadow", shadow),
                ("accounts.group", "/etc/group", b"root:x:0:\n"),
            )
        },
    )


def put(folder: Path, host: str, shadow: bytes = STRONG) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / captures.file_name(host)
    captures.write(capture(host, shadow), path)
    return path


def judged(*arguments: object) -> tuple[int, dict[str, Any]]:
    ended = hostpledge("assess", *arguments, "--format", "json", "--family", "encryption")
    assert ended.status in (0, 1), ended.err
    return ended.status, json.loads(ended.out)["hosts"]


def verdict(findings: list[dict[str, Any]], control: str = "encryption.password_hash") -> str:
    found: str
    (found,) = [f["verdict"] for f in findings if f["control"] == control]
    return found


def test_a_weak_hash_is_found_and_the_status_says_so(tmp_path: Path) -> None:
    put(tmp_path, "weak", WEAK)
    put(tmp_path, "strong")
    status, hosts = judged(tmp_path)
    assert status == 1
    assert verdict(hosts["weak"]["findings"]) == "fail"
    assert verdict(hosts["strong"]["findings"]) == "pass"
    assert len(hosts["weak"]["findings"]) == len(catalog.select(["encryption"]))
    assert hosts["weak"]["assessed_at"] == "2026-11-25T04:00:00Z"


def test_the_output_of_the_script_as_it_stands(tmp_path: Path) -> None:
    script = collector_script(
        catalog.reads_for([catalog.control("encryption.password_hash")]).values()
    )
    raw = subprocess.run(["sh"], input=script.encode(), capture_output=True, check=True).stdout
    (tmp_path / "mine.capture").write_bytes(raw)
    (tmp_path / "zipped.txt").write_bytes(gzip.compress(raw))
    _, hosts = judged(tmp_path / "mine.capture", tmp_path / "zipped.txt")
    assert list(hosts) == ["mine", "zipped"]


def test_the_same_captures_give_the_same_bytes(tmp_path: Path) -> None:
    put(tmp_path, "a", WEAK)
    first = hostpledge("assess", tmp_path, "--format", "json")
    assert first.out == hostpledge("assess", tmp_path, "--format", "json").out


def test_at_moves_the_clock(tmp_path: Path) -> None:
    path = put(tmp_path, "a")
    _, hosts = judged(path, "--at", "2027-01-01T08:00:00+08:00")
    assert hosts["a"]["assessed_at"] == "2027-01-01T00:00:00Z"


def test_a_host_that_was_never_reached_is_judged_for_the_attempt(tmp_path: Path) -> None:
    gone = Capture(
        "gone", HostStatus.UNREACHABLE, detail="no route", origin={"clock": AT.isoformat()}
    )
    captures.write(gone, tmp_path / captures.file_name("gone"))
    status, hosts = judged(tmp_path)
    assert status == 1
    assert hosts["gone"]["status"] == "unreachable"
    assert hosts["gone"]["assessed_at"] == "2026-11-25T04:00:00Z"
    assert {f["verdict"] for f in hosts["gone"]["findings"]} == {"error"}


def test_a_folder_of_a_run_and_a_bundle_are_looked_into(tmp_path: Path) -> None:
    put(tmp_path / "run" / "captures", "a")
    put(tmp_path / "bundle" / "data" / "captures", "b")
    put(tmp_path / "run" / "elsewhere", "c")
    found = capture_files([tmp_path / "run", tmp_path / "bundle"])
    assert [path.name for path in found] == ["a.capture.gz", "b.capture.gz"]


def test_a_file_named_twice_counts_once(tmp_path: Path) -> None:
    path = put(tmp_path, "a")
    assert capture_files([path, tmp_path, tmp_path / "." / path.name]) == [path]


def test_a_part_of_a_file_being_written_is_left_alone(tmp_path: Path) -> None:
    put(tmp_path, "a")
    (tmp_path / ".b.capture.gz.12.part").write_bytes(b"half")
    (tmp_path / ".c.capture.gz").write_bytes(b"half")
    assert [path.name for path in capture_files([tmp_path])] == ["a.capture.gz"]


# --- what cannot be done -------------------------------------------------------------------------


def complaint(*arguments: object) -> str:
    ended = hostpledge("assess", *arguments)
    assert ended.status == 2, ended
    assert ended.out == ""
    assert ended.err.count("\n") == 1
    assert "Traceback" not in ended.err
    return ended.err


def test_damaged_captures_are_named(tmp_path: Path) -> None:
    good = put(tmp_path, "good").read_bytes()
    for name, data in {
        "cut": good[:-20],
        "empty": b"",
        "noise": b"\x1f\x8b" + b"\0" * 40,
        "text": b"not a capture at all\n",
        "changed": gzip.compress(gzip.decompress(good).replace(b"root", b"toor")),
    }.items():
        path = tmp_path / f"{name}.capture.gz"
        path.write_bytes(data)
        assert f"{name}.capture.gz" in complaint(tmp_path / path.name), name
        ended = hostpledge("assess", tmp_path, "--format", "json", "--family", "encryption")
        assert ended.status == 2, name
        assert list(json.loads(ended.out)["hosts"]) == ["good"]
        assert ended.err.startswith("not judged: ")
        assert f"{name}.capture.gz" in ended.err, name
        path.unlink()


def test_a_capture_without_a_time_keeps_no_other_from_being_judged(tmp_path: Path) -> None:
    put(tmp_path, "good")
    timeless = replace(capture("bad"), collected_at=None)
    captures.write(timeless, tmp_path / captures.file_name("bad"))
    late = replace(capture("late"), collected_at=datetime(2099, 1, 1, tzinfo=UTC))
    captures.write(late, tmp_path / captures.file_name("late"))
    ended = hostpledge("assess", tmp_path, "--format", "csv", "--family", "encryption")
    assert ended.status == 2
    assert "good" in ended.out
    assert "bad" not in ended.out
    said = ended.err.splitlines()
    assert [line.split("/")[-1].split(".")[0] for line in said] == ["bad", "late"]
    assert "the capture has no time; give one with --at" in said[0]
    at = hostpledge("assess", tmp_path, "--format", "csv", "--at", "2026-11-25T04:00:00Z")
    assert at.status in (0, 1)
    assert "no time" in complaint(tmp_path / captures.file_name("bad"))


def test_two_captures_of_one_host_name_both_files(tmp_path: Path) -> None:
    put(tmp_path / "monday", "web")
    put(tmp_path / "tuesday", "web")
    said = complaint(tmp_path)
    assert "monday/web.capture.gz" in said
    assert "tuesday/web.capture.gz" in said


def test_nothing_to_judge(tmp_path: Path) -> None:
    assert "no capture" in complaint(tmp_path)
    assert "no such file" in complaint(tmp_path / "nothing")
    assert "Missing argument" in complaint()


def test_bad_options(tmp_path: Path) -> None:
    path = put(tmp_path, "a")
    assert "not a time" in complaint(path, "--at", "yesterday")
    assert "grade" in complaint(path, "--grade", "4")
    assert "--family" in complaint(path, "--family", "virus")
    assert "--format" in complaint(path, "--format", "pdf")
    assert "nowhere.yml" in complaint(path, "--inventory", tmp_path / "nowhere.yml")


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-25", datetime(2026, 11, 25, tzinfo=UTC)),
        ("2026-11-25T12:00:00", datetime(2026, 11, 25, 12, tzinfo=UTC)),
        ("2026-11-25T12:00:00+08:00", AT),
        ("2026-11-25T04:00:00Z", AT),
    ],
)
def test_times(text: str, moment: datetime) -> None:
    assert parse_time(text) == moment


def test_a_time_that_is_none() -> None:
    with pytest.raises(BadInput):
        parse_time("2026-13-01")


def test_chinese(tmp_path: Path) -> None:
    path = put(tmp_path, "a", WEAK)
    assert "不符合" in hostpledge("assess", path, "--lang", "zh").out
    assert "不符合" in hostpledge("assess", path, LANG="zh_CN.UTF-8").out
    # also where the locale is no UTF-8
    assert "不符合" in hostpledge("assess", path, "--lang", "zh", LC_ALL="C", PYTHONUTF8="0").out
