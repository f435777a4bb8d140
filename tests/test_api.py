"""`import hostpledge`: what docs/api.md promises to programs."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import hostpledge
from collector import captures
from collector.captures import to_bytes
from tests import bundles

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a bundle, its trust file and a capture, as the example has them."""
    folder = tmp_path_factory.mktemp("api")
    taken = captures.load(ROOT / "tests/captures/audit-trixie.capture.gz")
    _, trust = bundles.make(folder, [taken])
    (folder / "trust.json").write_bytes(trust.to_bytes())
    (folder / "web-1.capture").write_bytes(to_bytes(taken))
    return folder


def _command(place: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "collector", *words], cwd=place, capture_output=True, text=True,
        check=False,
    )  # fmt: skip


@pytest.mark.parametrize("name", ["api.md", "api.zh.md"])
def test_the_example_runs(name: str, place: Path) -> None:
    text = (ROOT / "docs" / name).read_text(encoding="utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(example.splitlines()) <= 10
    done = subprocess.run(
        [sys.executable, "-c", example], cwd=place, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert "accepted: False" in done.stdout
    assert " logging." in done.stdout


def test_assess_says_what_the_command_says(place: Path) -> None:
    found = hostpledge.assess(place / "web-1.capture")
    said = json.loads(
        _command(place, "assess", "web-1.capture", "--format", "json", "--lang", "en").stdout
    )
    ((host, told),) = said["hosts"].items()
    assert {f.host for f in found} == {host}
    assert [(f.control, str(f.result), f.message.en) for f in found] == [
        (one["control"], one["verdict"], one["message"]) for one in told["findings"]
    ]
    few = hostpledge.assess(str(place / "web-1.capture"), families=["logging"], grade=3)
    assert {f.control.split(".")[0] for f in few} == {"logging"}


@pytest.mark.parametrize(
    "policy", [hostpledge.STRICT, hostpledge.Policy("mine", fresh_days=None, replay=False)]
)
def test_verify_says_what_the_command_says(policy: hostpledge.Policy, place: Path) -> None:
    found = hostpledge.verify(place / "bundle", policy, trust=place / "trust.json")
    words = ["verify", "bundle", "--trust", "trust.json", "--format", "json", "--policy"]
    if policy is not hostpledge.STRICT:
        (place / "mine.yml").write_text(
            "schema: urn:hostpledge:schema:policy:1\nfresh_days: any\nreplay: false\n"
        )
    said = json.loads(
        _command(place, *words, "strict" if policy.name == "strict" else "mine.yml").stdout
    )
    assert [one.to_json() for one in found.unmet] == said["policy"]["unmet"]
    assert found.accepted is said["policy"]["met"]
    assert found.verification.digest == said["digest"]


def test_what_is_not_what_it_seems_is_raised_in_a_line(place: Path, tmp_path: Path) -> None:
    _, others = bundles.make(tmp_path, [bundles.unreachable("a")])
    (tmp_path / "trust.json").write_bytes(others.to_bytes())
    with pytest.raises(hostpledge.VerifyFailed) as failed:
        hostpledge.verify(place / "bundle", trust=tmp_path / "trust.json")
    assert len(str(failed.value).splitlines()) == 1
    (tmp_path / "not.capture").write_bytes(b"nothing")
    given = place / "web-1.capture"
    with pytest.raises(hostpledge.BadInput):
        hostpledge.assess(tmp_path / "not.capture")
    with pytest.raises(hostpledge.BadInput):
        hostpledge.assess(given, families=["nonsense"])
    with pytest.raises(hostpledge.BadInput):
        hostpledge.assess(given, grade=4)
    late = datetime.now(UTC) + timedelta(days=400)
    naive = late.replace(tzinfo=None)
    with pytest.raises(ValueError, match="zone"):
        hostpledge.verify(place / "bundle", trust=place / "trust.json", now=naive)
    with pytest.raises(ValueError, match="zone"):
        hostpledge.assess(place / "web-1.capture", at=naive)
    old = hostpledge.verify(place / "bundle", trust=place / "trust.json", now=late)
    assert "fresh_days" in {one.name for one in old.unmet}


def test_it_needs_no_engine_no_register_and_no_command_line(place: Path) -> None:
    program = (
        "import sys, hostpledge\n"
        "hostpledge.verify('bundle', trust='trust.json')\n"
        "hostpledge.assess('web-1.capture', families=['monitoring'])\n"
        "print(sorted({name.partition('.')[0] for name in sys.modules}"
        " & {'ansible', 'ansible_runner', 'click', 'paramiko', 'sqlalchemy', 'rich'}))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=place, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "[]\n"


def test_what_is_promised_is_there() -> None:
    for name in hostpledge.__all__:
        assert getattr(hostpledge, name) is not None
    assert (ROOT / "hostpledge/py.typed").exists()
    assert (ROOT / "collector/py.typed").exists()


@pytest.mark.parametrize(
    "given",
    [
        {"complete": None}, {"waivers": "no"}, {"handed_in": "false"}, {"log": 0}, {"replay": None},
        {"fresh_days": float("nan")}, {"fresh_days": True}, {"fresh_days": -1}, {"fresh_days": 1e9},
        {"grade": 4}, {"grade": True}, {"hosts": "web-1"}, {"hosts": ["web-1"]}, {"pledge": ""},
        {"timestamp_authorities": (1,)}, {"name": None},
    ],
)  # fmt: skip
def test_a_policy_of_other_types_is_none(given: dict[str, Any]) -> None:
    """`waivers="no"` would let waivers in."""
    with pytest.raises(hostpledge.BadInput, match=next(iter(given))):
        hostpledge.Policy(**{"name": "mine", **given})


def test_what_is_of_another_type_is_said(place: Path) -> None:
    others: tuple[Any, ...] = (None, "strict", {})
    for policy in others:
        with pytest.raises(TypeError, match="policy"):
            hostpledge.verify(place / "bundle", policy, trust=place / "trust.json")
    when: Any = "2026-01-01"
    with pytest.raises(TypeError, match="now"):
        hostpledge.verify(place / "bundle", trust=place / "trust.json", now=when)
    with pytest.raises(hostpledge.BadInput):
        hostpledge.verify(place / "bundle", trust="{" * 5000)
    with pytest.raises(hostpledge.BadInput):
        hostpledge.verify("{" * 5000, trust=place / "trust.json")
    wrong: list[dict[str, Any]] = [
        {"families": None}, {"families": "logging"}, {"grade": "2"}, {"at": "2026"},
    ]  # fmt: skip
    for given in wrong:
        with pytest.raises(TypeError, match=next(iter(given))):
            hostpledge.assess(place / "web-1.capture", **given)


def test_times_and_names_that_nothing_comes_of(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An empty name is not the folder one is in, which may well be a bundle."""
    trust, capture = place / "trust.json", place / "web-1.capture"
    for at in (datetime.max.replace(tzinfo=UTC), datetime.min.replace(tzinfo=UTC)):
        with pytest.raises(ValueError, match="now: no time to reckon from"):
            hostpledge.verify(place / "bundle", trust=trust, now=at)
        with pytest.raises(ValueError, match="at: no time to reckon from"):
            hostpledge.assess(capture, at=at)
    monkeypatch.chdir(place / "bundle")
    for call in (
        lambda: hostpledge.verify("", trust=trust),
        lambda: hostpledge.verify(place / "bundle", trust=""),
        lambda: hostpledge.verify(place / "bundle", trust=trust, proof=""),
        lambda: hostpledge.assess(""),
    ):
        with pytest.raises(hostpledge.BadInput, match="an empty name of a file"):
            call()
