"""The attack that was seen, with real commands: 50 of 57 controls left out, and signed again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from collector import catalog
from collector.attest.keys import keys
from tests import bundles
from tests.cli.test_evidence import Shell
from tests.counts import AT_2
from tests.signers import green, keeping, lie

SEVEN = [c.id for c in catalog.select() if c.clause == "2.2"][:7]
RECORD = """\
id: P-1
grade: 2
draft: true
documents: []
customer: {name: 云南示例公司, kind: unit, credit_code: 91330106MA0DEM2670}
period: {from: 2026-01-01, until: 2026-12-31}
resources: {hosts: [web-1]}
"""


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """With a pledge of one host, a bundle of it, and the same after its signer's attack."""
    shell = Shell(tmp_path_factory.mktemp("scope"))
    bundles.write(shell.folder / "in", [bundles.capture("web-1")])
    (shell.folder / "P-1.yml").write_text(RECORD)
    shell("key", "new")
    shell("key", "trust", "-o", "trust.json")
    shell("pledge", "add", "P-1.yml")
    said = shell("bundle", "in", "-o", "whole", "--pledge", "P-1")
    assert f"of {AT_2} controls" not in said.stderr
    shell("bundle", "in", "-o", "b", "--pledge", "P-1")
    key = keys.load(shell.home / "keys/default.pem", None)

    def change(document: object) -> None:
        assert isinstance(document, dict)
        keeping(SEVEN)(document)
        green(document)

    lie(shell.folder / "b", key, change, told=False)
    shell("bundle", "in", "-o", "part", "--pledge", "P-1")
    lie(shell.folder / "part", key, _some_that_do_not_fail, told=False)
    return shell


def _some_that_do_not_fail(document: dict[str, Any]) -> None:
    """Seven of a clause, as they were judged."""
    (entry,) = document["hosts"].values()
    some = [f for f in entry["findings"] if f["clause"] == "2.2" and f["verdict"] != "fail"]
    keeping([finding["control"] for finding in some[:7]])(document)


def test_verify_says_so_in_its_first_line(shell: Shell) -> None:
    said = shell("verify", "b", "--trust", "trust.json").stdout.splitlines()
    assert said[0] == f"Verified, but only 7 of {AT_2} controls: no proof of 二(二): b"
    assert f"  scope: 7 of {AT_2} controls, grade 2" in said
    assert any(
        line.startswith("  二(二) ") and "(7 of 25 controls; its signer says: pass)" in line
        for line in said
    )
    assert any(line.endswith("not looked at (0 of 17 controls)") for line in said)
    said = shell("verify", "b", "--trust", "trust.json", "--lang", "zh").stdout.splitlines()
    assert said[0] == f"核验通过，但仅 {AT_2} 项核查项中的 7 项，不能证明二(二): b"
    found = json.loads(shell("verify", "b", "--trust", "trust.json", "--format", "json").stdout)
    assert found["clauses"] == {"2.2": "error", "2.3": "notchecked", "2.4": "notchecked"}
    assert found["signed_clauses"]["2.2"] == "pass"
    assert (found["scope"]["judged"], found["scope"]["of"]) == (7, AT_2)


def test_the_strict_policy_refuses_it(shell: Shell) -> None:
    said = shell("verify", "b", "--trust", "trust.json", "--policy", "strict", status=1).stdout
    assert "It does not meet the policy strict:" in said
    assert f"! complete: 7 of {AT_2} controls judged" in said


def test_replay_carries_it(shell: Shell) -> None:
    """The lie shows; and that what is left comes out the same does not hide that it is a part."""
    said = shell("replay", "b", "--trust", "trust.json", status=1)
    assert f"scope: 7 of {AT_2} controls, grade 2: no proof of 二(二)" in said.stdout
    honest = shell.folder / "seven"
    shell("bundle", "in", "-o", "seven", "--family", "antivirus")
    assert honest.is_dir()
    said = shell("replay", "seven", "--trust", "trust.json")
    count = len(catalog.select(("antivirus",)))
    assert said.stdout == (
        f"the same: {count} of {AT_2} controls, grade 2: no proof of 二(二), {count} findings on 1 "
        "host(s)\n"
    )
    found = json.loads(shell("replay", "seven", "--format", "json").stdout)
    assert found["scope"]["whole"] is False


def test_it_is_attached_and_shown_for_what_it_is(shell: Shell) -> None:
    said = shell("pledge", "attach", "P-1", "b", status=2)
    assert "b: judged again, " in said.stderr
    said = shell("pledge", "attach", "P-1", "part")
    assert f"scope: 7 of {AT_2} controls, grade 2: no proof of 二(二)" in said.stdout
    said = shell("pledge", "list")
    assert "error 7/25" in " ".join(said.stdout.split())
    assert f"P-1: 7 of {AT_2} controls, grade 2: no proof of 二(二)" in said.stdout
    assert "pass" not in said.stdout
    said = shell("pledge", "list", "--lang", "zh")
    assert f"P-1: {AT_2} 项核查项中的 7 项，2 级：不能证明二(二)" in said.stdout
    entry = json.loads(shell("pledge", "list", "--format", "json").stdout)["pledges"][0]
    assert entry["proof"] is False
    assert entry["last"]["verdicts"]["2.2"] == "error"
    assert entry["last"]["scope"]["judged"] == 7
    said = shell("pledge", "show", "P-1")
    assert f"#1: 7 of {AT_2} controls" in said.stdout
    said = shell("pledge", "status", "P-1", status=1)
    text = " ".join(said.stdout.split())
    assert f"scope 7 of {AT_2} controls, grade 2: no proof of 二(二)" in text
    assert "7 of 25 controls of 二(二) judged: no proof" in text
    found = json.loads(shell("pledge", "status", "P-1", "--format", "json", status=1).stdout)
    clause = next(c for c in found["clauses"] if c["clause"] == "responsibility.2.2")
    assert (clause["verdict"], clause["satisfied"]) == ("error", False)
    shell("register", "prove", "P-1", "-o", "proof.txt")
    proof = json.loads(
        shell(
            "verify", "part", "--trust", "trust.json", "--proof", "proof.txt", "--format", "json"
        ).stdout
    )
    assert proof["log"]["index"] == 0


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_report_and_the_exports_say_it(shell: Shell, lang: str) -> None:
    shell(
        "report", "b", "--html", "r.html", "--xlsx", "r.xlsx", "--export", "json=r.json",
        "--export", "csv=r.csv", "--lang", lang,
    )  # fmt: skip
    html = (shell.folder / "r.html").read_text()
    assert {"zh": "本证据的核查范围不完整：不能证明二(二)", "en": "no proof of 2(2)"}[lang] in html
    found = json.loads((shell.folder / "r.json").read_text())
    assert found["clauses"]["2.2"]["verdict"] == "error"
    assert {"zh": f"{AT_2} 项核查项中的 7 项", "en": f"7 of {AT_2} controls"}[lang] in (
        shell.folder / "r.csv"
    ).read_text()


def test_a_comparison_says_of_both_how_much_they_are(shell: Shell) -> None:
    said = shell("diff", "whole", "b", status=0)
    assert f"A: {AT_2} of {AT_2} controls, grade 2\n" in said.stdout
    assert f"B: 7 of {AT_2} controls, grade 2: no proof of 二(二)\n" in said.stdout


def test_a_family_alone_proves_no_clause_in_the_bundle_itself(shell: Shell) -> None:
    said = shell("bundle", "in", "-o", "family", "--family", "encryption")
    assert f"of {AT_2} controls, grade 2: no proof of 二(四)" in said.stderr
    document = json.loads((shell.folder / "family/data/evidence.json").read_text())
    assert document["clauses"]["2.4"]["verdict"] in ("error", "fail")
    assert document["scope"]["clauses"]["2.4"]["judged"] < 15


def test_a_declared_host_that_is_missing_leaves_no_clause_proven(shell: Shell) -> None:
    (shell.folder / "P-2.yml").write_text(
        RECORD.replace("P-1", "P-2").replace("[web-1]", "[web-1, db-1]")
    )
    shell("pledge", "add", "P-2.yml")
    said = shell("bundle", "in", "-o", "one-host", "--pledge", "P-2")
    assert "declared, and not looked at: db-1" in said.stderr
    document = json.loads((shell.folder / "one-host/data/evidence.json").read_text())
    assert document["scope"]["absent"] == ["db-1"]
    assert {c["verdict"] for c in document["clauses"].values()} <= {"error", "fail"}
    said = shell("verify", "one-host", "--trust", "trust.json")
    assert "declared, and not looked at: db-1" in said.stdout
    # all controls were judged: of those nothing is short
    assert said.stdout.startswith("Verified, but not on every declared host: no proof of 二(二)")


def test_assess_says_it_of_a_family(shell: Shell) -> None:
    said = shell("assess", "in", "--family", "encryption", status=1)
    assert f"of {AT_2} controls: no proof of 二(四)" in said.stdout


def test_a_whole_bundle_is_as_it_was(shell: Shell) -> None:
    said = shell("verify", "whole", "--trust", "trust.json").stdout
    assert said.startswith("Verified: whole\n")
    assert Path(shell.folder / "whole").is_dir()
