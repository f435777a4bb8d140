"""verify, replay and the page need what packaging/verify names, and nothing of the rest."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path
from zipfile import ZipFile

import pytest

from collector.attest.keys.keys import PrivateKey
from tests import bundles

ROOT = Path(__file__).parents[1]
ALONE = tomllib.loads((ROOT / "packaging/verify/pyproject.toml").read_text())
WHOLE = tomllib.loads((ROOT / "pyproject.toml").read_text())
BLOCKED = (
    "ansible", "ansible_runner", "ansible_collections", "sqlalchemy", "paramiko", "jinja2",
    "pg8000", "openpyxl",
)  # fmt: skip
# refuses what is blocked, and says in the end which distributions were imported from
PROGRAM = """
import json, sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if any(name == one or name.startswith(one + ".") for one in {blocked!r}):
            raise ModuleNotFoundError("blocked: " + name, name=name)
sys.meta_path.insert(0, Blocked())
from collector.cli import main
try:
    main()
finally:
    # a namespace that several share (google) is a folder: of whom it is, a file in it says
    real = [n for n, m in sys.modules.items()
            if getattr(m, "__file__", None) or n in sys.builtin_module_names]
    print(json.dumps(sorted({{name.split(".")[0] for name in real}})), file=sys.stderr)
"""


def _name(requirement: str) -> str:
    return re.split(r"[\[<>=~! ;]", requirement)[0].lower().replace("_", "-")


def _closure() -> set[str]:
    """The distributions that packaging/verify asks for, and what those ask for."""
    wanted = [_name(one) for one in ALONE["project"]["dependencies"]]
    found: set[str] = set()
    while wanted:
        name = wanted.pop()
        if name in found:
            continue
        found.add(name)
        try:
            wanted += [_name(one) for one in metadata.requires(name) or ()]
        except metadata.PackageNotFoundError:
            continue
    return found


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    _, trust = bundles.make(
        folder, [bundles.unreachable("a")], sm2_key=PrivateKey.generate("sm2"), name="b"
    )
    (folder / "trust.json").write_bytes(trust.to_bytes())
    return folder


@pytest.mark.parametrize(
    "words",
    [
        ["verify", "b", "--trust", "trust.json"],
        ["verify", "b", "--trust", "trust.json", "--format", "json"],
        ["verify", "--page", "page.html"],
        ["replay", "b", "--trust", "trust.json"],
        ["diff", "b", "b", "--trust", "trust.json"],
        ["repack", "b", "-o", "r.zip", "--redact"],
        ["--help"],
    ],
    ids=lambda words: " ".join(words[:2]),
)
def test_it_runs_without_the_rest(words: list[str], made: Path) -> None:
    (made / "r.zip").unlink(missing_ok=True)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(blocked=BLOCKED), *words],
        cwd=made,
        env=os.environ | {"PYTHONPATH": str(ROOT), "HOSTPLEDGE_HOME": str(made / "home")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    imported = set(json.loads(done.stderr.splitlines()[-1]))
    owners = metadata.packages_distributions()
    used = {_name(owner) for name in imported for owner in owners.get(name, ())}
    assert used - {"hostpledge", "setuptools"} <= _closure()


@pytest.mark.parametrize(
    "words",
    [
        ["run", "-i", "localhost,"],
        ["harden", "-i", "localhost,", "--check"],
        ["collect", "-i", "localhost,", "-o", "out"],
        ["pledge", "list"],
        ["register", "log", "verify"],
        ["intake", "list"],
        ["serve"],
        ["doctor"],
        ["report", "b", "--trust", "trust.json", "--html", "r.html"],
    ],
    ids=lambda words: words[0],
)
def test_what_it_has_not_is_told_and_nothing_made(words: list[str], made: Path) -> None:
    before = sorted(made.rglob("*"))
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(blocked=BLOCKED), *words],
        cwd=made,
        env=os.environ
        | {"PYTHONPATH": str(ROOT), "HOSTPLEDGE_HOME": str(made / "none"), "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    said = "cannot do that (" if words[0] == "report" else f"has no `{words[0]}`"
    assert f"this package {said}" in done.stderr.splitlines()[0]
    assert sorted(made.rglob("*")) == before


def test_what_it_asks_for_is_asked_for_by_the_whole_too() -> None:
    mine = set(ALONE["project"]["dependencies"])
    assert mine <= set(WHOLE["project"]["dependencies"])
    assert ALONE["project"]["requires-python"] == WHOLE["project"]["requires-python"]
    names = {_name(one) for one in mine}
    assert names.isdisjoint({"ansible-core", "ansible-runner", "sqlalchemy", "jinja2"})


def test_it_is_built_of_its_checkout_alone(tmp_path: Path) -> None:
    """`build` makes the wheel from the source archive, unpacked where others may write."""
    theirs = tmp_path / "tmp"
    for name in ("collector", "hostpledge", "schemas"):
        (theirs / name).mkdir(parents=True)
        (theirs / name / "__init__.py").write_text('print("PLANTED")\n__version__ = "6.6.6"\n')
    env = os.environ | {"TMPDIR": str(theirs)}
    words = ["--no-isolation", "--outdir", str(tmp_path / "out"), str(ROOT / "packaging/verify")]
    done = subprocess.run(
        [sys.executable, "-m", "build", *words],
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "PLANTED" not in done.stdout + done.stderr
    (wheel,) = (tmp_path / "out").glob("*.whl")
    with ZipFile(wheel) as packed:
        names = set(packed.namelist())
        assert packed.read("collector/__init__.py") == (ROOT / "collector/__init__.py").read_bytes()
    wanted = {"hostpledge/verifying.py", "collector/shipped/schemas/policy.schema.json"}
    assert wanted <= names
    assert not [name for name in names if name.endswith((".pyc", "schemas/__init__.py"))]


def test_elsewhere_than_in_a_checkout_it_is_not_built(tmp_path: Path) -> None:
    alone = tmp_path / "packaging of others" / "verify"
    shutil.copytree(ROOT / "packaging/verify", alone)
    (tmp_path / "collector").mkdir()
    (tmp_path / "collector/__init__.py").write_text('__version__ = "6.6.6"\n')
    done = subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--wheel", str(alone)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode
    assert not list(alone.rglob("*.whl"))
