"""`hostpledge doctor`: each trouble is found, and its mend named."""

from __future__ import annotations

import importlib.metadata
import os
from pathlib import Path

import pytest

from collector.cli.commands import doctor
from collector.cli.commands.doctor import Check, State, numbers_of
from collector.report.render import pdf
from tests.cli.running import hostpledge


@pytest.fixture(autouse=True)
def _english(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("collector.cli.commands.doctor.tr", lambda zh, en: en)
    monkeypatch.setenv("HOSTPLEDGE_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("HOSTPLEDGE_REGISTER", raising=False)


def checks() -> dict[str, Check]:
    return {check.name: check for check in doctor.examine()}


def test_a_fresh_machine_is_fit_and_told_of_the_first_steps(tmp_path: Path) -> None:
    found = checks()
    assert found["own folder"].state is State.OK
    assert found["signing key"].state is State.NOTE
    assert found["signing key"].mend == "hostpledge key new"
    assert found["register"].state is State.NOTE


@pytest.mark.parametrize(
    ("version", "state"),
    [
        ("2.18.9", State.BAD),
        ("2.19.0", State.OK),
        ("2.19.4rc1", State.OK),
        ("2.21.3", State.OK),
        ("2.22.0", State.BAD),
        ("2.9.27", State.BAD),
        ("3.0", State.BAD),
    ],
)
def test_versions_of_the_engine(
    version: str, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.metadata, "version", lambda name: version)
    check = checks()["ansible-core"]
    assert check.state is state
    assert ("pip install" in check.mend) is (state is State.BAD)


def test_an_engine_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", missing)
    assert checks()["ansible-runner"] == Check(
        "ansible-runner", State.BAD, "not installed", "pip install 'ansible-runner>=2.4.1'"
    )


def test_programs_that_are_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    found = checks()
    assert found["ssh"].state is State.BAD
    assert "openssh" in found["ssh"].mend
    assert found["sshpass"].state is State.NOTE


def test_what_pages_of_the_report_want(monkeypatch: pytest.MonkeyPatch) -> None:
    assert checks()["WeasyPrint"].state is State.OK
    monkeypatch.setattr(pdf, "FONTS", ("No Such Font",))
    missing = checks()["WeasyPrint"]
    assert missing.state is State.NOTE
    assert "fonts-noto-cjk" in missing.mend


def test_a_home_open_to_others(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home").chmod(0o755)
    check = checks()["own folder"]
    assert check.state is State.BAD
    assert check.mend == f"chmod 700 {tmp_path}/home"


def test_a_home_that_cannot_be_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOSTPLEDGE_HOME", "/proc/none")
    found = checks()
    assert found["own folder"].state is State.BAD
    assert "signing key" not in found


def test_keys(tmp_path: Path) -> None:
    from collector.attest.trust import keyring

    keyring.new("ours", "p256", None)
    assert checks()["signing key"] == Check("signing key", State.OK, "ours")
    path = keyring.path_of("ours")
    path.chmod(0o644)
    check = checks()["signing key"]
    assert (check.state, check.mend) == (State.BAD, f"chmod 600 {path}")
    path.chmod(0o600)
    path.write_text("nonsense")
    assert checks()["signing key"].state is State.BAD


def test_a_register_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir(mode=0o700)
    (tmp_path / "home" / "register.sqlite").write_bytes(b"not a database at all, only text\n" * 99)
    assert checks()["register"].state is State.BAD


def test_status_and_words(tmp_path: Path) -> None:
    home = tmp_path / "kept"
    ended = hostpledge("doctor", home=home, PATH=os.environ["PATH"])
    assert ended.status == 0, ended.out
    assert "fit for use" in ended.out
    assert not home.exists()
    home.mkdir()
    home.chmod(0o777)
    ended = hostpledge("doctor", "--lang", "zh", home=home)
    assert ended.status == 1
    assert f"chmod 700 {home}" in ended.out
    assert "1 个问题需要处理" in ended.out


@pytest.mark.parametrize(
    ("text", "numbers"),
    [("2.19.4", (2, 19, 4)), ("2.19.4rc1", (2, 19, 4)), ("2.20.0.dev0", (2, 20, 0)), ("x", ())],
)
def test_numbers_of(text: str, numbers: tuple[int, ...]) -> None:
    assert numbers_of(text) == numbers
