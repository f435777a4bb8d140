"""`hostpledge check`, and the recipes for CI that begin with it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from collector.attest.keys.keys import PrivateKey
from collector.attest.trust.trust_file import trust_of
from collector.verify import open_bundle, verify
from tests.cli.running import hostpledge

ROOT = Path(__file__).parents[2]
RECORD = (ROOT / "examples/pledge.yml").read_text(encoding="utf-8")
# tells what it was called with, and as whom it would have gone
SSH = """#!/bin/sh
printf '%s ' "$@" >> {told}
env >> {told}
for word; do
  case $word in
    *IdentityFile=*)
      file=${{word#*IdentityFile=}} file=${{file#\\"}} file=${{file%\\"}}
      printf 'of mode %s: %s\n' "$(stat -c %a "$file")" "$(cat "$file")" >> {told} ;;
  esac
done
echo 'ssh: connect to host 192.0.2.1 port 22: Connection refused' >&2
exit 255
"""
POLICY = "schema: urn:hostpledge:schema:policy:1\nfresh_days: 30\n"


def test_what_ships_fits(tmp_path: Path) -> None:
    (tmp_path / "policy.yml").write_text(POLICY)
    files = [
        ROOT / "examples/pledge.yml",
        ROOT / "examples/event-ledger.yml",
        tmp_path / "policy.yml",
    ]
    ended = hostpledge("check", *files, "--lang", "en")
    assert (ended.status, ended.err) == (0, "")
    assert [line.split(": ")[-1] for line in ended.out.splitlines()] == [
        "pledge-record",
        "event-ledger",
        "policy",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (RECORD.replace("grade: 3", "grade: 4"), "grade: 4 is not one of [2, 3]"),
        # what a schema cannot see
        (RECORD.replace('"91330106MA0DEM2670"', '"91330106MA0DEM2671"'), "credit_code"),
        (POLICY.replace("30", "many"), "fresh_days"),
        (POLICY + "fresh_days: 31\n", "fresh_days"),
        ("fresh_days: 30\nfresh: 1\n", "it names no `schema`"),
        ("all: {hosts: {a: }}\nweb: {children: {all: }}\n", "inventory of Ansible's"),
        ("schema: urn:hostpledge:schema:capture:1\n", "urn:hostpledge:schema:policy:1"),
        ("- 1\n", "it names no `schema`"),
        ("a: [", "line"),
        ("", "it names no `schema`"),
        ("# " + "x" * (5 << 20), "larger than 4 MiB"),
    ],
)
def test_a_fault_is_one_line_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "记录 1.yml"
    file.write_text(text, encoding="utf-8")
    ended = hostpledge("check", file, "--lang", "en")
    assert (ended.status, ended.out) == (1, "")
    assert len(ended.err.splitlines()) == 1
    assert said in ended.err
    assert file.name in ended.err


def test_a_policy_needs_no_schema_as_verify_takes_it(tmp_path: Path) -> None:
    for name, text in (("p.yml", "log: false\n"), ("p.json", '{"fresh_days": "any"}')):
        (tmp_path / name).write_text(text)
    ended = hostpledge("check", *sorted(tmp_path.iterdir()), "--lang", "en")
    assert (ended.status, ended.err) == (0, "")
    assert [line.split(": ")[-1] for line in ended.out.splitlines()] == ["policy", "policy"]
    (tmp_path / "p.yml").write_text("log: perhaps\n")
    assert hostpledge("check", tmp_path / "p.yml", "--skip-others").status == 1


OTHERS = {
    "inventories/prod.yml": "all: {hosts: {a: }}\n",
    "inventory.yml": "all: {vars: {p: !vault x}, hosts: {a: }}\n",
    "policies/network.yml": "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n",
    "records/dns.yml": "- {name: www, type: A}\n",
    "values.yml": "a: [\n",
    "empty.yml": "",
}


def test_a_policy_with_a_mistyped_member_is_one(tmp_path: Path) -> None:
    (tmp_path / "p.yml").write_text("complet: true\nlog: true\n")
    for words in ((), ("--skip-others",)):
        ended = hostpledge("check", tmp_path / "p.yml", *words)
        assert ended.status == 1
        assert "complet" in ended.err
    # a word of others beside one that a policy has too
    (tmp_path / "o.yml").write_text("log: true\nlisten: 80\n")
    assert hostpledge("check", tmp_path / "o.yml", "--skip-others").status == 0


def test_a_hook_passes_over_files_of_others_and_of_ours_none(tmp_path: Path) -> None:
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    assert set(hook["types_or"]) == {"yaml", "json"}
    assert "files" not in hook
    # a file may be called like an option
    *words, last = hook["entry"].split()[1:]
    assert last == "--"
    for name, text in OTHERS.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    ended = hostpledge(*words, *(tmp_path / name for name in OTHERS), "--format", "json")
    assert ended.status == 0, ended.err
    said = json.loads(ended.out)
    assert (said["files"], len(said["skipped"])) == ([], len(OTHERS))
    ours = {
        "customer-a.yml": RECORD.replace("grade: 3", "grade: 4"),
        "cut.yml": "schema: urn:hostpledge:schema:policy:1\na: [",
        "old.yml": POLICY.replace("policy:1", "policy:2"),
        "pledges/forgotten.yml": "id: demo-2026\n",
        "pledges/cut.yml": "a: [",
        "data-inventory.yml": "stores: []\n",
        "policy.json": '{"log": 1}',
    }
    for name, text in ours.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
        ended = hostpledge(*words, tmp_path / name, "--lang", "en")
        assert (ended.status, len(ended.err.splitlines())) == (1, 1), name


def test_one_fault_hides_no_other(tmp_path: Path) -> None:
    for name in ("a.yml", "b.yml"):
        (tmp_path / name).write_text("{}")
    (tmp_path / "c.yml").write_text(POLICY)
    ended = hostpledge("check", *sorted(tmp_path.iterdir()), "--format", "json")
    assert ended.status == 1
    told = json.loads(ended.out)["files"]
    assert [one["fits"] for one in told] == [False, False, True]
    assert all(one["why"] for one in told[:2])


def test_what_cannot_be_read_ends_with_2(tmp_path: Path) -> None:
    ended = hostpledge("check", tmp_path / "none.yml", "--lang", "en")
    assert ended.status == 2
    assert len(ended.err.splitlines()) == 1
    assert hostpledge("check").status == 2


@pytest.mark.parametrize("name", ["ci.md", "ci.zh.md"])
def test_the_recipes_are_yaml_that_calls_us(name: str) -> None:
    text = (ROOT / "docs" / name).read_text(encoding="utf-8")
    recipes = [yaml.safe_load(each) for each in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)]
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    assert recipes[0]["repos"][0]["hooks"][0]["id"] == hook["id"] == "hostpledge-check"
    assert any("run -i" in line for line in recipes[1]["pledge"]["script"])
    rights = recipes[2]["jobs"]["pledge"]["permissions"]
    assert rights == {"contents": "read", "actions": "read", "security-events": "write"}
    assert any("run -i" in step.get("run", "") for step in recipes[2]["jobs"]["pledge"]["steps"])


def _steps(name: str, form: str) -> str:
    """What a platform runs: GitLab the lines of `script`, GitHub the one step with `run`."""
    text = (ROOT / "docs" / name).read_text(encoding="utf-8")
    recipes = [yaml.safe_load(each) for each in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)]
    if form == "gitlab":
        return "\n".join(recipes[1]["pledge"]["script"])
    (step,) = (one["run"] for one in recipes[2]["jobs"]["pledge"]["steps"] if "run" in one)
    return str(step)


@pytest.mark.parametrize("name", ["ci.md", "ci.zh.md"])
@pytest.mark.parametrize("form", ["gitlab", "github"])
def test_a_recipe_runs_as_it_is_written(tmp_path: Path, name: str, form: str) -> None:
    """By the shell of its platform, with what the platform gives: files for all, or texts."""
    checkout, given = tmp_path / "checkout", tmp_path / "given"
    (checkout / "pledges").mkdir(parents=True)
    (checkout / "pledges/demo.yml").write_text(RECORD, encoding="utf-8")
    (checkout / "inventory.yml").write_text("all: {hosts: {a: {ansible_host: 192.0.2.1}}}\n")
    given.mkdir()
    own = PrivateKey.generate()
    own.save(given / "SIGNING_KEY", None)
    for one in ("SSH_KEY", "SSH_KNOWN_HOSTS", "VAULT_PASSWORD"):
        (given / one).write_text(f"{one.lower()}\n")
    ssh = tmp_path / "ssh"
    ssh.write_text(SSH.format(told=tmp_path / "told"))
    ssh.chmod(0o755)
    env = {
        "PATH": f"{Path(sys.executable).parent}:{os.defpath}", "HOME": str(tmp_path / "nobody"),
        "LC_ALL": "C.UTF-8", "ANSIBLE_SSH_EXECUTABLE": str(ssh), "TMPDIR": str(tmp_path),
    }  # fmt: skip
    for file in given.iterdir():
        # the runner of GitLab writes files with mode 0666, GitHub gives texts without their end
        file.chmod(0o666)
        env[file.name] = str(file) if form == "gitlab" else file.read_text().rstrip("\n")
    done = subprocess.run(
        ["sh", "-e", "-c", _steps(name, form)],
        cwd=checkout, env=env, capture_output=True, text=True, check=False,
    )  # fmt: skip
    # nobody answers at that address: it ends with 1, and says so in its form
    assert done.returncode == 1, done.stderr
    told = (tmp_path / "told").read_text()
    (known_hosts,) = set(re.findall(r"UserKnownHostsFile=(\S+)", told))
    assert Path(known_hosts).name in ("known_hosts", "SSH_KNOWN_HOSTS")
    assert "of mode 600: ssh_key" in told
    assert not re.search("vault_password|PRIVATE KEY", told)
    form_of = checkout / ("junit.xml" if form == "gitlab" else "hostpledge.sarif")
    assert form_of.stat().st_size > 1000
    with open_bundle(checkout / "out/bundle") as opened:
        assert verify(opened, trust_of([own.public])).hosts == 1
    assert {path.name for path in checkout.iterdir()} == {
        "pledges", "inventory.yml", "out", form_of.name
    }  # fmt: skip


def test_a_run_prints_a_form_for_programs(tmp_path: Path) -> None:
    words = ("run", "-i", "localhost,", "--family", "encryption", "-o", tmp_path / "out")
    home = tmp_path / "home"
    ended = hostpledge(*words, "--format", "sarif", home=home, LC_ALL="C.UTF-8")
    assert ended.status in (0, 1)
    assert json.loads(ended.out)["version"] == "2.1.0"
    assert (tmp_path / "out/report.html").exists()
    more = ("run", "-i", "register", "-o", tmp_path / "more", "--format", "junit")
    ended = hostpledge(*more, home=home, LC_ALL="C.UTF-8")
    assert ended.status == 2
    assert not (tmp_path / "more").exists()


def test_the_container_file_names_what_is_there() -> None:
    text = (ROOT / "packaging/container/Containerfile").read_text()
    assert "make install EXTRAS=all" in text
    done = subprocess.run(
        ["make", "-n", "install", "EXTRAS=all"], cwd=ROOT, capture_output=True, check=False
    )
    assert done.returncode == 0


def test_a_record_in_utf_16_is_no_file_of_others(tmp_path: Path) -> None:
    record = (ROOT / "examples" / "pledge.yml").read_text(encoding="utf-8")
    (tmp_path / "u16.yml").write_bytes(record.encode("utf-16"))
    done = hostpledge("check", "--skip-others", tmp_path / "u16.yml")
    assert done.status == 1 and "u16.yml" in done.err
