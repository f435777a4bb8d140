"""`hostpledge inventory` as a user runs it."""

from __future__ import annotations

import dataclasses
import subprocess
from pathlib import Path

from collector import captures
from collector.schema import check, load_yaml
from tests import cases
from tests.cli.running import hostpledge

_CASES = cases.HERE / "controls" / "classification" / "discovered"


def _capture(folder: Path, name: str) -> Path:
    path = folder / f"{name}.capture.gz"
    captures.write(cases.load(next(_CASES.glob(f"{name}.*.yml"))).capture, path)
    return path


def test_a_draft_has_the_right_shape_and_passes_only_when_a_person_filled_it_in(
    tmp_path: Path,
) -> None:
    capture, draft = _capture(tmp_path, "both_listed"), tmp_path / "data.yml"
    begun = hostpledge("inventory", "init", capture, "-o", draft)
    assert (begun.status, begun.out) == (0, ""), begun.err
    document = load_yaml(draft.read_bytes(), where="draft")
    check(document, "data-inventory", where="draft")
    assert [(s["engine"], s["path"]) for s in document["stores"]] == [
        ("postgresql", "/var/lib/postgresql/15/main"),
        ("mariadb", "/var/lib/mysql"),
    ]
    checked = hostpledge("inventory", "check", draft, capture)
    assert checked.status == 1
    assert "owner is to be filled in" in checked.out
    assert "reviewed is to be set" in checked.out
    filled = draft.read_text().replace("to be filled in", "Zhang San")
    draft.write_text(filled.replace("1970-01-01", "2026-11-20"))
    done = hostpledge("inventory", "check", draft, capture)
    assert (done.status, done.out) == (0, "all is well, stores: 2\n"), done.err


def test_what_is_there_but_not_listed_is_told(tmp_path: Path) -> None:
    capture, draft = _capture(tmp_path, "both_listed"), tmp_path / "data.yml"
    text = hostpledge("inventory", "init", capture).out.replace("to be filled in", "李四")
    text = text.replace("1970-01-01", "2026-11-20")
    start, end = text.index('  - name: "mariadb"'), len(text)
    draft.write_text(text[:start] + text[end:])
    checked = hostpledge("inventory", "check", draft, capture, LANG="zh_CN.UTF-8")
    assert checked.status == 1
    assert "数据库 mariadb /var/lib/mysql" in checked.out


def test_where_nothing_is_found_the_draft_shows_how_a_store_is_written(tmp_path: Path) -> None:
    draft = tmp_path / "data.yml"
    draft.write_text(hostpledge("inventory", "init", _capture(tmp_path, "nothing_at_all")).out)
    assert hostpledge("inventory", "check", draft).status == 2
    written = draft.read_text().replace("stores: []", "stores:").replace("\n#  ", "\n  ")
    draft.write_text(written.replace("to be filled in", "x").replace("1970-01-01", "2026-11-20"))
    assert hostpledge("inventory", "check", draft).out == "all is well, stores: 1\n"


def test_bad_input_is_one_line(tmp_path: Path) -> None:
    draft = tmp_path / "x.yml"
    draft.write_text("stores: [")
    for arguments in (
        ("check", draft),
        ("check", tmp_path / "none"),
        ("init", tmp_path / "none"),
        ("init", _capture(tmp_path, "cut_off")),
        ("init", _capture(tmp_path, "both_listed"), "-o", draft),
    ):
        ended = hostpledge("inventory", *arguments)
        assert ended.status == 2, ended
        assert ended.out == ""
        assert ended.err.count("\n") == 1, ended.err


def test_a_signature_is_verified_with_the_keys_that_are_given(tmp_path: Path) -> None:
    capture, draft = _capture(tmp_path, "both_listed"), tmp_path / "data.yml"
    text = hostpledge("inventory", "init", capture).out.replace("to be filled in", "Zhang San")
    draft.write_text(text.replace("1970-01-01", "2026-11-20"))
    for name in ("owner", "other"):
        key = tmp_path / name
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
        public = key.with_suffix(".pub").read_text()
        (tmp_path / f"{name}.keys").write_text(f'"Zhang San" {public}')
    keys = ("--owner-keys", tmp_path / "owner.keys")
    unsigned = hostpledge("inventory", "check", draft, *keys)
    assert (unsigned.status, "there is no" in unsigned.out) == (1, True), unsigned
    words = ["ssh-keygen", "-q", "-Y", "sign", "-n", "hostpledge-data-inventory"]
    subprocess.run([*words, "-f", tmp_path / "owner", draft], check=True)
    assert hostpledge("inventory", "check", draft, capture, *keys).status == 0
    stranger = hostpledge("inventory", "check", draft, "--owner-keys", tmp_path / "other.keys")
    assert (stranger.status, "does not name" in stranger.out) == (1, True), stranger
    judged = hostpledge(
        *("assess", capture, "--family", "classification", "--inventory", draft, *keys)
    )
    assert "signed by its owner Zhang San" in " ".join(judged.out.split())
    draft.write_text(draft.read_text().replace("重要", "一般"))
    altered = hostpledge("inventory", "check", draft, *keys)
    assert (altered.status, "is not what its owner" in altered.out) == (1, True), altered
    missing = hostpledge("inventory", "check", draft, "--owner-keys", tmp_path / "none")
    assert (missing.status, missing.err.count("\n")) == (2, 1)


def test_ten_thousand_stores_of_one_name_each_get_their_own(tmp_path: Path) -> None:
    """What a host says decides how many there are: a hundred thousand bytes of it are folders."""
    case = cases.load(next(_CASES.glob("both_listed.*.yml")))
    read = case.capture.read("stores.places")
    before, mark, after = read.stdout.partition(b"== volumes\n")
    assert mark
    some = b"".join(b"/%d/a/_data\n" % number for number in range(10_001))
    told = dataclasses.replace(read, stdout=before + mark + some + after)
    reads = {**case.capture.reads, "stores.places": told}
    path = tmp_path / "h.capture.gz"
    captures.write(dataclasses.replace(case.capture, reads=reads), path)
    begun = hostpledge("inventory", "init", path)
    assert begun.status == 0, begun.err
    names = [line for line in begun.out.splitlines() if line.startswith("  - name: ")]
    assert len(names) > 10_000
    assert len(set(names)) == len(names)
