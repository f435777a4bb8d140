"""Distributions that Ansible calls by names of their own are of one of the two families."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

ROLES = Path(__file__).parent.parent.parent / "roles"
_USE = re.compile(r"ansible_facts\['os_family'\](?! (?:==|!=) 'Debian')|ansible_os_family")


def test_a_role_asks_for_debian_or_not_and_never_for_the_name() -> None:
    """Anolis, OpenCloudOS, UnionTech … are names of Ansible: no file and no key is called so."""
    found = [
        f"{path.relative_to(ROLES)}: {line.strip()}"
        for path in sorted(ROLES.rglob("*"))
        if path.suffix in (".yml", ".j2", ".sh")
        for line in path.read_text(encoding="utf-8").splitlines()
        if _USE.search(line)
    ]
    assert found == []


@pytest.mark.parametrize("role", sorted(path.name for path in ROLES.iterdir()))
def test_no_role_that_needs_python_claims_el_7(role: str) -> None:
    info = yaml.safe_load((ROLES / role / "meta/main.yml").read_text(encoding="utf-8"))
    claimed = {p["name"]: p["versions"] for p in info["galaxy_info"]["platforms"]}
    # collecting is one exec without Python
    assert ("7" in claimed.get("EL", [])) is (role == "collect")
