"""The collection as it is built: what lies in it, what is documented, what plays from it alone."""

from __future__ import annotations

import importlib
import inspect
import json
import os
import re
import subprocess
import sys
import tarfile
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

import collector
from tests.fleet.machine import why_not
from tests.fleet.running import Fleet
from tools import role_pages
from tools.collection import made

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
FULL = "hostpledge.pledge."
ROLES = role_pages.roles()
ACTIONS = sorted(path.stem for path in (ROOT / "plugins/action").glob("*.py"))
MODULES = sorted(path.stem for path in (ROOT / "plugins/modules").glob("*.py"))
LOOKUPS = sorted(path.stem for path in (ROOT / "plugins/lookup").glob("*.py"))
FILTERS = sorted(path.stem for path in (ROOT / "plugins/filter").glob("*.yml"))
SANITY = (  # those that want nothing from the network
    "action-plugin-docs", "ignores", "line-endings", "no-assert", "no-get-exception",
    "no-illegal-filenames", "no-smart-quotes", "replace-urlopen", "shebang", "symlinks",
    "use-argspec-type-path", "use-compat-six",
)  # fmt: skip


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that holds the tarball and what ansible-galaxy makes of it."""
    made = tmp_path_factory.mktemp("collection")
    _done("ansible-galaxy", "collection", "build", str(ROOT), "--output-path", str(made))
    (packed,) = made.glob("hostpledge-pledge-*.tar.gz")
    # by force: the links of the checkout look like an installed one
    _done("ansible-galaxy", "collection", "install", "--force", str(packed), "-p", str(made))
    return made


@pytest.fixture(scope="module")
def names(place: Path) -> set[str]:
    """Paths of the files in the tarball."""
    (packed,) = place.glob("*.tar.gz")
    with tarfile.open(packed) as tar:
        return {member.name for member in tar if not member.isdir()}


def _env(place: Path, **more: str) -> dict[str, str]:
    return {
        "PATH": f"{BIN}:{os.environ.get('PATH', os.defpath)}",
        "HOME": str(place / "home"),
        "LC_ALL": "C.UTF-8",
        "ANSIBLE_COLLECTIONS_PATH": str(place),
        "ANSIBLE_LOCALHOST_WARNING": "False",
        "ANSIBLE_HOST_KEY_CHECKING": "False",
        "ANSIBLE_NOCOLOR": "1",
        **more,
    }


def _ran(place: Path, program: str, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(BIN / program), *words], env=_env(place, **more), cwd=place, capture_output=True,
        text=True, check=False,
    )  # fmt: skip


def _done(program: str, *words: str) -> None:
    done = subprocess.run([str(BIN / program), *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


def _yaml(*parts: str) -> Any:
    return yaml.safe_load(ROOT.joinpath(*parts).read_text(encoding="utf-8"))


def test_it_holds_what_a_user_of_it_needs_and_nothing_else(names: set[str]) -> None:
    assert {name.split("/")[0] for name in names} == {
        "FILES.json", "LICENSE", "MANIFEST.json", "README.md", "changelogs", "docs", "meta",
        "playbooks", "plugins", "roles", "tests",
    }  # fmt: skip
    below = {name for name in names if name.split("/")[0] in {"docs", "playbooks", "tests"}}
    assert below == {
        "docs/ansible.md", "docs/ansible.zh.md", "playbooks/check.yml", "playbooks/harden.yml",
        "playbooks/probe.yml",
        "playbooks/tasks/family.yml", "playbooks/undo.yml", "tests/sanity/ignore-2.19.txt",
        "tests/sanity/ignore-2.20.txt", "tests/sanity/ignore-2.21.txt",
    }  # fmt: skip
    assert {name.split("/")[1] for name in names if name.startswith("roles/")} == set(ROLES)
    assert not [n for n in names if re.search(r"_plugins/|/library/|/module_utils/hostpl|\.pyc", n)]
    for role in ROLES:
        assert f"roles/{role}/README.md" in names
        assert f"roles/{role}/meta/argument_specs.yml" in names


@pytest.mark.parametrize("role", ROLES)
def test_all_that_a_role_hands_out_is_in_it(role: str, names: set[str]) -> None:
    """A role finds in the tarball what it finds in a checkout, and looks nowhere else."""
    folder = ROOT / "roles" / role
    tasks = [*folder.glob("tasks/*.yml"), *folder.glob("handlers/*.yml")]
    text = "\n".join(path.read_text(encoding="utf-8") for path in tasks)
    assert not re.findall(r"(?:role_path|playbook_dir)\s*~\s*'/?\.\.", text)
    named = re.findall(r"(?m)^\s+src: ([\w.-]+)$|\.script: (\S+)$|builtin\.file', '([^'{]+)'", text)
    there = {Path(name).name for name in names if name.startswith(f"roles/{role}/")}
    assert [name for found in named for name in found if name and name not in there] == []
    for kind in ("files", "templates"):
        for path in folder.glob(f"{kind}/**/*"):
            assert path.is_dir() or str(path.relative_to(ROOT)) in names


def test_a_release_has_the_same_bytes_again(names: set[str], tmp_path: Path) -> None:
    first = made(tmp_path / "a").read_bytes()
    packed = made(tmp_path / "b")
    assert packed.read_bytes() == first
    with tarfile.open(packed) as tar:
        assert {member.name for member in tar if not member.isdir()} == names
    _done("ansible-galaxy", "collection", "install", "--force", str(packed), "-p", str(tmp_path))


def test_it_is_made_of_unpacked_sources_too(names: set[str], tmp_path: Path) -> None:
    """A ZIP of the sources has no git in it; its files have the time of the commit."""
    sources = tmp_path / "sources"
    sources.mkdir()
    archive = tmp_path / "sources.tar"
    subprocess.run(["git", "archive", "-o", archive, "HEAD"], cwd=ROOT, check=True)
    with tarfile.open(archive) as tar:
        tar.extractall(sources, filter="data")
    # what a person makes there is none of them
    (sources / ".venv").mkdir()
    (sources / "build").mkdir()
    for name in ("build/x.yml", ".venv/x.yml"):
        (sources / name).write_text("- x\n")
    done = subprocess.run(
        [sys.executable, "-m", "tools.collection", "dist"], cwd=sources, capture_output=True,
        text=True, check=False, env={**os.environ, "PYTHONPATH": str(sources)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (packed,) = (sources / "dist").glob("*.tar.gz")
    with tarfile.open(packed) as tar:
        held = {member.name for member in tar if not member.isdir()}
        times = {member.mtime for member in tar}
    assert {n.split("/")[0] for n in held} == {n.split("/")[0] for n in names}
    assert "roles/logging/tasks/main.yml" in held
    assert not {n for n in held if Path(n).name == "x.yml"}
    (committed,) = times
    head = subprocess.run(
        ["git", "log", "-1", "--format=%ct"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert committed == int(head.stdout)


def test_its_readme_leads_to_what_is_in_it(tmp_path: Path) -> None:
    """And says how it is installed and played; the product's own README is for a checkout."""
    with tarfile.open(made(tmp_path)) as tar:
        names = set(tar.getnames())
        text = _text(tar, "README.md")
    links = re.findall(r"\]\(([^)#]+)\)", text)
    assert len(links) > len(ROLES)
    assert [link for link in links if "://" not in link and link not in names] == []
    assert {f"roles/{role}/README.md" for role in ROLES} <= set(links)
    assert "make " not in text
    version = collector.__version__
    assert f"collection install hostpledge-pledge-{version}.tar.gz" in text
    assert f"pip install hostpledge-{version}-py3-none-any.whl" in text
    played = set(re.findall(r"ansible-playbook -i hosts.yml hostpledge\.pledge\.(\w+)", text))
    assert {f"playbooks/{name}.yml" for name in played} <= names
    assert {"check", "harden", "undo"} == played


def _text(tar: tarfile.TarFile, name: str) -> str:
    file = tar.extractfile(name)
    assert file is not None
    return file.read().decode()


def test_the_source_holds_what_links_of_the_checkout_lead_to(tmp_path: Path) -> None:
    _done(
        "python", "-m", "build", "--no-isolation", "--sdist", "--outdir", str(tmp_path), str(ROOT)
    )
    (packed,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(packed) as tar:
        held = {name.partition("/")[2] for name in tar.getnames()}
    assert {"galaxy.yml", "plugins/modules/remember.py", "roles/logging/tasks/main.yml"} <= held
    assert not [name for name in held if name.startswith("ansible_collections/")]


def test_the_source_is_made_of_what_is_named() -> None:
    """Evidence, keys and the register of a look at one's own machine may lie in the checkout."""
    build = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\0")
    there = {name.split("/")[0] for name in listed if name}
    assert set(build["targets"]["sdist"]["only-include"]) == there - {"ansible_collections"}


def test_one_version_everywhere() -> None:
    needed = importlib.import_module(
        "ansible_collections.hostpledge.pledge.plugins.plugin_utils.needed"
    )
    version = collector.__version__
    assert _yaml("galaxy.yml")["version"] == version
    assert version == needed.VERSION
    assert (ROOT / "meta/ee-requirements.txt").read_text() == f"hostpledge=={version}\n"
    assert version in _yaml("changelogs", "changelog.yaml")["releases"]
    (wanted,) = re.findall(r'"ansible-core(.*)"', (ROOT / "pyproject.toml").read_text())
    lowest, highest = (part.strip(">=<") for part in wanted.split(","))
    assert _yaml("meta", "runtime.yml")["requires_ansible"] == f">={lowest}.0,<{highest}.0"


def test_the_execution_environment_takes_what_make_collection_makes(names: set[str]) -> None:
    """docs/ansible.md says how it was built and played; here what would break it unseen."""
    ee = _yaml("packaging", "ee", "execution-environment.yml")
    version = collector.__version__
    packed, wheel = f"hostpledge-pledge-{version}.tar.gz", f"hostpledge-{version}-py3-none-any.whl"
    assert ee["dependencies"]["galaxy"]["collections"] == [{"name": packed, "type": "file"}]
    given = {(one["src"], one["dest"]) for one in ee["additional_build_files"]}
    assert given == {(f"../../dist/{packed}", "."), (f"../../dist/{wheel}", "wheels")}
    core = ee["dependencies"]["ansible_core"]["package_pip"]
    assert f'"{core}"' in (ROOT / "pyproject.toml").read_text()
    # ansible-builder looks for it in the collection, and reads its files from there
    assert "meta/execution-environment.yml" in names
    own = _yaml("meta", "execution-environment.yml")["dependencies"]
    assert set(own.values()) <= names
    for stage in ("prepend_builder", "prepend_final"):
        assert "COPY _build/wheels /wheels" in ee["additional_build_steps"][stage]


def test_the_roles_short_names_lead_to_the_plugins() -> None:
    routing = _yaml("meta", "runtime.yml")["plugin_routing"]
    assert routing["action"] == {
        f"hostpledge_{name}": {"redirect": FULL + name} for name in ACTIONS
    }
    assert routing["modules"] == {
        f"hostpledge_{name}": {"redirect": FULL + name} for name in MODULES
    }
    tasks = [*ROOT.glob("roles/*/*/*.yml"), *ROOT.glob("playbooks/**/*.yml")]
    # the command alone plays it
    tasks.remove(ROOT / "playbooks" / "at_once.yml")
    text = "\n".join(path.read_text(encoding="utf-8") for path in tasks)
    assert set(re.findall(r"(?m)^\s+(hostpledge_\w+):", text)) <= set(routing["modules"])
    assert set(re.findall(r"hostpledge\.pledge\.(\w+)'", text)) == set(LOOKUPS)
    assert set(re.findall(r"\| hostpledge\.pledge\.(\w+)\(", text)) == set(FILTERS)


@pytest.mark.parametrize("name", ACTIONS)
def test_an_action_is_that_of_the_role(name: str) -> None:
    (beside,) = [
        *ROOT.glob(f"roles/safeguard/action_plugins/hostpledge_{name}.py"),
        *ROOT.glob(f"roles/[!s]*/action_plugins/hostpledge_{name}.py"),
        *ROOT.glob(f"playbooks/action_plugins/hostpledge_{name}.py"),
    ][:1]
    told = re.search(
        r"from (\S+) import (\w+)(?: as ActionModule)?\nexcept", beside.read_text(encoding="utf-8")
    )
    assert told is not None
    here = (ROOT / "plugins/action" / f"{name}.py").read_text(encoding="utf-8")
    assert f'action("{told[1]}", "{told[2]}")' in here
    assert inspect.isclass(getattr(importlib.import_module(told[1]), told[2]))


@pytest.mark.parametrize(
    ("kind", "known"),
    [("module", MODULES), ("lookup", LOOKUPS), ("filter", FILTERS), ("role", ROLES)],
)
def test_ansible_doc_shows_each(kind: str, known: list[str], place: Path) -> None:
    done = _ran(place, "ansible-doc", "--json", "-t", kind, *(FULL + name for name in known))
    assert done.returncode == 0, done.stderr[-2000:]
    shown: Mapping[str, Any] = json.loads(done.stdout)
    assert set(shown) == {FULL + name for name in known}
    for name, told in shown.items():
        if kind == "role":
            assert str(place) in told["path"]
            assert told["entry_points"]["main"]["description"]
            continue
        assert str(place) in told["doc"]["filename"]
        assert told["doc"]["description"], name
        assert FULL in told["examples"], name
    listed = _ran(place, "ansible-doc", "-t", kind, "-l", "hostpledge.pledge").stdout
    assert {FULL + name for name in known} <= set(re.findall(r"hostpledge\.pledge\.\w+", listed))


@pytest.mark.parametrize("name", ["defence", "firewall", "judge", "logs"])
def test_an_actions_documentation_is_what_it_takes(name: str) -> None:
    here = (ROOT / "plugins/action" / f"{name}.py").read_text(encoding="utf-8")
    (where, what), = re.findall(r'action\("(\S+)", "(\w+)"\)', here)  # fmt: skip
    spec = getattr(importlib.import_module(where), what).spec
    text = (ROOT / "plugins/modules" / f"{name}.py").read_text(encoding="utf-8")
    document = yaml.safe_load(text.split('DOCUMENTATION = r"""')[1].split('"""')[0])
    told = document.get("options", {})
    for option in told.values():
        del option["description"]
    assert told == spec


@pytest.mark.parametrize("role", ROLES)
def test_defaults_are_those_of_the_argument_specs(role: str) -> None:
    options = role_pages.spec(role)["options"]
    for name, value in role_pages.defaults(role).items():
        if value is role_pages.COMPUTED:
            assert "default" not in options[name]
            assert "By default" in options[name]["description"], name
        else:
            assert options[name]["default"] == value, name
    assert {n for n, o in options.items() if "default" in o} <= set(role_pages.defaults(role))


@pytest.mark.parametrize("role", ROLES)
def test_readmes_are_up_to_date(role: str) -> None:
    text = (ROOT / "roles" / role / "README.md").read_text(encoding="utf-8")
    assert text == role_pages.readme(role), "python -m tools.role_pages"


@pytest.mark.parametrize("role", [role for role in ROLES if role_pages.tags(role)])
def test_each_control_has_its_tag(role: str) -> None:
    for task in _yaml("roles", role, "tasks", "main.yml"):
        shown = " ".join(task["tags"])
        named = set(re.findall(rf"\b{role}\.\w+", shown))
        if task["tags"] == [role, f"{role}.policy"]:
            continue
        assert task["tags"][0] == role
        assert named == set(role_pages.tags(role)[1:])
        for below in task.get("block", [task]):
            given = below.get("ansible.builtin.include_tasks")
            assert given is None or given["apply"]["tags"] == "always", below["name"]


@pytest.mark.parametrize(
    ("run", "skip", "meant"),
    [
        (["all"], [], ["a", "b", "c"]),
        (["logging"], [], ["a", "b", "c"]),
        (["logging.b"], [], ["b"]),
        (["logging.c", "logging.a", "backup"], [], ["a", "c"]),
        (["hardening"], [], ["a", "b", "c"]),
        (["logging", "logging.b"], [], ["a", "b", "c"]),
        (["all"], ["logging.b"], ["a", "c"]),
        (["logging.b"], ["logging.b"], []),
        (["logging.policy"], [], []),
    ],
)
def test_tags_choose_controls(run: list[str], skip: list[str], meant: list[str]) -> None:
    filters = importlib.import_module("ansible_collections.hostpledge.pledge.plugins.filter.tagged")
    chosen = filters.FilterModule().filters()["tagged"]
    assert chosen(["a", "b", "c"], "logging", run, skip) == meant
    # as Ansible's own check of `-e logging_controls=a,b,c` takes it
    assert chosen("a, b,c", "logging", run, skip) == meant


@pytest.mark.parametrize(
    ("tags", "by", "wrong"),
    [
        (["all", "logging", "backup.offsite", "logging.drops", "nginx", "tagged"], "control", []),
        (["loging"], "control", ["loging"]),
        (["LOGGING"], "control", ["LOGGING"]),
        (["logging.nope", "logging.drops"], "control", ["logging.nope"]),
        (["loging.drops"], "control", ["loging.drops"]),
        (["logging", "logging.drops"], "family", []),
        (["logging.drops"], "family", ["logging.drops"]),
        (["untagged", "web.logging"], "family", []),
    ],
)
def test_a_tag_that_chooses_nothing_is_told(tags: list[str], by: str, wrong: list[str]) -> None:
    filters = importlib.import_module("ansible_collections.hostpledge.pledge.plugins.filter.tagged")
    said = filters.FilterModule().filters()["wrong_tags"](tags, ["logging", "backup"], by)
    assert len(said) == len(wrong)
    assert all(tag in line for tag, line in zip(wrong, said, strict=True))


@pytest.mark.parametrize(
    ("book", "tag", "said"),
    [
        ("harden", "loging", "is logging meant?"),
        ("harden", "logging.nope", "brings about: persistent"),
        ("undo", "LOGGING", "is logging meant?"),
        ("undo", "logging.drops", "cannot be put back by itself"),
    ],
)
def test_a_mistyped_tag_ends_the_play(book: str, tag: str, said: str, place: Path) -> None:
    done = _play(place, f"hostpledge.pledge.{book}", "--check", "--tags", tag)
    assert done.returncode == 2, done.stdout
    (line,) = re.findall(r'^fatal: .*"msg": "(.*)"', done.stdout, re.MULTILINE)
    assert said in line


@pytest.mark.skipif(os.getuid() != 0, reason="a role asks for root first")
@pytest.mark.parametrize("words", [("--tags", "logging.drop"), ("--skip-tags", "loging")])
def test_a_mistyped_tag_ends_an_own_playbook_too(words: tuple[str, ...], place: Path) -> None:
    (place / "own.yml").write_text("- hosts: all\n  roles: [hostpledge.pledge.logging]\n")
    done = _play(place, "own.yml", "--check", *words)
    assert done.returncode == 2, done.stdout
    assert re.search(r'^fatal: .*"msg": "no such tag: log', done.stdout, re.MULTILINE), done.stdout


@pytest.mark.parametrize("book", ["harden", "undo"])
def test_a_play_that_does_nothing_says_so(book: str, place: Path) -> None:
    done = _play(place, f"hostpledge.pledge.{book}", "--check", "--tags", "untagged")
    assert "no family has the tag untagged; families: " in done.stdout
    done = _play(place, f"hostpledge.pledge.{book}", "--check", "--skip-tags", "always")
    assert done.returncode == 2
    assert "--skip-tags always leaves nothing of this play" in done.stdout


@pytest.mark.skipif(os.getuid() != 0, reason="it looks at what root alone sees")
def test_that_all_bear_a_tag_chooses_all(place: Path) -> None:
    done = _play(place, "hostpledge.pledge.undo", "--check", "--tags", "tagged")
    assert done.returncode == 0, done.stdout
    assert "item=monitoring" in done.stdout
    assert "no family has" not in done.stdout


def test_a_probe_that_nobody_agreed_to_is_none(place: Path) -> None:
    done = _play(place, "hostpledge.pledge.probe")
    assert done.returncode == 2
    assert "nothing was probed: " in done.stdout


_STORE = {"name": "etc", "kind": "path", "path": "/etc/ssh", "category": "c", "level": "important",
          "owner": "z"}  # fmt: skip


def _backed_up(place: Path, **given: Any) -> subprocess.CompletedProcess[str]:
    variables = json.dumps({"backup_repository": "/srv/repository", **given})
    return _play(place, "hostpledge.pledge.harden", "--tags", "backup", "--check", "-e", variables)


@pytest.mark.skipif(os.getuid() != 0, reason="hardening ahead wants root")
def test_backups_are_set_up_from_it(place: Path) -> None:
    """As far as check mode goes: each file that the role copies has to be there for it."""
    done = _backed_up(place, backup_stores=[_STORE])
    assert done.returncode == 0, done.stdout[-3000:]
    assert "Set up the restore test" in done.stdout


@pytest.mark.skipif(os.getuid() != 0, reason="hardening ahead wants root")
@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"kind": "file"}, "value of kind must be one of: path, database, volume, bucket"),
        ({"owner": None}, "missing required arguments: owner found in "),
        ({"path": None}, "kind is path but all of the following are missing: path"),
        ({"pth": "/etc"}, ".pth. Supported parameters include: "),
        ({"level": "importnat"}, "value of level must be one of: "),
        ({"hosts": "web-1"}, ", etc: hosts is to be a list of names"),
        ({"path": "etc"}, ", etc: path is to be an absolute path"),
        ({"backup": {"hours": 3}}, ", etc: backup is to be not_required, or some of "),
    ],
)
def test_a_mistyped_store_is_told(wrong: dict[str, Any], said: str, place: Path) -> None:
    store = {name: value for name, value in (_STORE | wrong).items() if value is not None}
    done = _backed_up(place, backup_stores=[store])
    assert done.returncode == 2
    assert said in done.stdout
    (place / "inventory.yml").write_text(json.dumps({"stores": [store]}))
    done = _backed_up(place, backup_inventory=str(place / "inventory.yml"))
    assert done.returncode == 2
    assert said in done.stdout
    assert f"{place}/inventory.yml" in done.stdout


@pytest.mark.skipif(os.getuid() != 0, reason="hardening ahead wants root")
@pytest.mark.parametrize(
    ("control", "given", "said"),
    [
        ("logging.remote_copy", {"logging_remote_target": "@@logs.example.net:6514"}, "_target: "),
        ("logging.remote_copy", {"logging_remote_target": "tls://logs.example.net"}, "_target: "),
        ("logging.remote_copy", {"logging_remote_target": "logs.example.net:6514"}, "_target: "),
        ("logging.remote_copy", {"logging_remote_target": 'l" x="'}, "_target: "),
        (
            "logging.remote_copy",
            {"logging_remote_target": "logs.example.net", "logging_remote_port": 0},
            "_port: ",
        ),
    ],
)
def test_a_log_host_is_named_by_its_name(
    control: str, given: dict[str, Any], said: str, place: Path
) -> None:
    words = ("--tags", control, "--check", "-e", json.dumps(given))
    done = _play(place, "hostpledge.pledge.harden", *words)
    assert done.returncode == 2
    assert re.search(rf'"msg": "logging_remote{said}', done.stdout), done.stdout[-2000:]


@pytest.mark.parametrize(
    ("name", "fits"),
    [
        ("logs.example.net", True), ("192.0.2.7", True), ("2001:db8::1", True), ("log_1", True),
        ("log.", True), ("cafe:6514", False), ("a b", False), ("", False), ("a\n", False),
        ("-a", False),
    ],
)  # fmt: skip
def test_what_names_a_host(name: str, fits: bool) -> None:
    """The same at both places that write it into a configuration."""
    texts = [
        ROOT / "roles/logging/tasks/remote_copy.yml",
        ROOT / "roles/monitoring/tasks/time_sync.yml",
    ]
    found = [re.findall(r"'(\(\?:\[A-Za-z0-9\].*?)'", text.read_text("utf-8")) for text in texts]
    (pattern,) = {one for several in found for one in several}
    assert (re.match(pattern, name) is not None) == fits


def test_check_looks_whatever_the_tags(place: Path, tmp_path: Path) -> None:
    done = _play(
        place, "hostpledge.pledge.check", "--tags", "logging", "-e", f"collect_output={tmp_path}"
    )
    assert "Run the collector script" in done.stdout


def _play(place: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    return _ran(place, "ansible-playbook", "-i", "localhost,", "-c", "local", *words, **more)


def test_tags_are_listed(place: Path) -> None:
    (place / "own.yml").write_text("- hosts: all\n  roles: [hostpledge.pledge.logging]\n")
    done = _play(place, "own.yml", "--list-tags")
    (listed,) = re.findall(r"TASK TAGS: \[(.*)\]", done.stdout)
    assert set(listed.split(", ")) == {"always", *role_pages.tags("logging")}


def test_without_the_package_the_first_task_says_what_to_do(place: Path) -> None:
    hidden = place / "hidden"
    hidden.mkdir()
    (hidden / "collector.py").write_text("raise ImportError(\"No module named 'collector'\")\n")
    (place / "own.yml").write_text(
        "- hosts: all\n  gather_facts: false\n  roles: [hostpledge.pledge.logging]\n"
    )
    for playbook in ("hostpledge.pledge.harden", "hostpledge.pledge.check", "own.yml"):
        done = _play(place, playbook, PYTHONPATH=str(hidden))
        assert done.returncode == 2
        (line,) = re.findall(r'^fatal: .*"msg": "(.*)"', done.stdout, re.MULTILINE)
        assert "pip install hostpledge-" in line
        assert "请执行" in line
        assert "\\n" not in line


def test_another_version_of_the_package_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    needed = importlib.import_module(
        "ansible_collections.hostpledge.pledge.plugins.plugin_utils.needed"
    )
    there = needed.action("collector.run.harden.guard", "GuardModule")
    assert there.__module__ == "collector.run.harden.guard"
    monkeypatch.setattr(collector, "__version__", "9.0.0")
    assert needed.action("collector.run.harden.guard", "GuardModule").__module__ == needed.__name__
    assert "it has 9.0.0" in needed.lacking("it has 9.0.0")


@pytest.mark.skipif(os.getuid() != 0, reason="hardening ahead wants root")
def test_a_role_plays_ahead_on_this_machine(place: Path) -> None:
    done = _play(
        place,
        "hostpledge.pledge.harden",
        "--tags",
        "classification.exposed_files",
        "--check",
        "--diff",
    )
    assert done.returncode == 0, done.stdout[-2000:]
    assert "hostpledge.pledge.classification : " in done.stdout
    assert "hostpledge.pledge.logging : " not in done.stdout


@pytest.mark.skipif(
    subprocess.run(["git", "--version"], capture_output=True, check=False).returncode != 0,
    reason="ansible-test wants git",
)
def test_sanity(place: Path) -> None:
    """The tests of ansible-test that need nothing from the network; tools/sanity.sh runs all."""
    words = [word for name in SANITY for word in ("--test", name)]
    done = subprocess.run(
        [str(BIN / "ansible-test"), "sanity", *words], env=_env(place),
        cwd=place / "ansible_collections/hostpledge/pledge", capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    if reason := why_not():
        pytest.skip(reason)
    with Fleet(["bare-12"], folder=tmp_path_factory.mktemp("alone"), prefix="alone") as fleet:
        yield fleet


@pytest.mark.fleet
def test_check_harden_again_and_undo_by_the_collection_alone(place: Path, host: Fleet) -> None:
    """What docs/ansible.md promises to whoever knows Ansible only."""

    def play(name: str, *words: str) -> dict[str, int]:
        done = _ran(
            place, "ansible-playbook", "-i", str(host.inventory), FULL + name, "--tags",
            "monitoring.event_ledger,intrusion.session_timeout,monitoring,intrusion"
            if name == "undo" else "monitoring.event_ledger,intrusion.session_timeout", *words,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout[-3000:]
        said.append(done.stdout)
        return {key: int(n) for key, n in re.findall(r"(\w+)=(\d+)", done.stdout.split("RECAP")[1])}

    def etc() -> bytes:
        found = (
            "find /etc -xdev ! -type d -exec ls -ld --time-style=+ {} + -type f -exec cksum {} +"
        )
        return host.execute("bare-12", "sh", "-c", found).stdout

    said: list[str] = []
    before = etc()
    assert play("harden", "--check", "--diff")["changed"] > 0
    assert "TMOUT" in said[-1]
    assert etc() == before
    assert play("harden")["changed"] > 0
    assert etc() != before
    assert play("harden")["changed"] == 0
    hardened = etc()
    assert play("undo", "--check")["changed"] == 1
    assert "intrusion: would be put back" in said[-1] or "item=intrusion" in said[-1]
    assert etc() == hardened
    assert play("undo")["changed"] == 1
    assert etc() == before
