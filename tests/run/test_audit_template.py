"""The audit rules that the role `logging` writes, held against the control that asks for them."""

from __future__ import annotations

import re

import jinja2
import pytest

from collector import catalog
from collector.controls.logging.audit_coverage import _calls, _holes
from collector.facts.logs.audit.rules import AuditRules, audit_rules
from collector.model import Capture, CapturedFile, Facts, HostStatus, ReadResult, ReadStatus
from collector.resources import shared

PARAMETERS = catalog.control("logging.audit_coverage").for_grade(2)
MACHINES = {"x86_64": {"b64": "x86_64", "b32": "i386"}, "aarch64": {"b64": "aarch64"}}


def _written(machine: str, unknown: tuple[str, ...] = ()) -> str:
    """The template as Ansible fills it in; `unknown` are calls that ausyscall does not know."""
    families = {
        "privileged": ["execve"],
        **{n: list(PARAMETERS.strings(f"{n}_calls")) for n in ("time", "mount", "delete", "new")},
    }
    calls = [c for called in families.values() for c in called if c not in unknown]
    lines = [f"{m} {c}" for m in MACHINES[machine].values() for c in calls]
    text = (shared("roles", "logging", "templates") / "audit.rules.j2").read_text()
    environment = jinja2.Environment(trim_blocks=True)
    environment.filters["split"] = lambda text: text.split()
    environment.tests["match"] = lambda text, form: re.match(form, text) is not None
    return environment.from_string(text).render(
        logging_audit_identity=PARAMETERS.strings("identity_files"),
        logging_audit_known={"stdout_lines": [*lines, "file /var/log/lastlog"]},
        logging_audit_machines=MACHINES[machine],
        logging_audit_families=families,
    )


def _read(text: str) -> AuditRules:
    file = CapturedFile("/etc/audit/rules.d/50.rules", ReadStatus.OK, data=text.encode())
    rules = "".join(line + "\n" for line in text.splitlines() if line.startswith("-"))
    reads = {
        "audit.rules": ReadResult("audit.rules", ReadStatus.OK, stdout=rules.encode()),
        "audit.rule_files": ReadResult("audit.rule_files", ReadStatus.OK, files=(file,)),
    }
    return audit_rules(Capture("x", HostStatus.COMPLETE, reads=reads))


@pytest.mark.parametrize("machine", list(MACHINES))
def test_nothing_that_is_asked_for_goes_unrecorded(machine: str) -> None:
    old = PARAMETERS.strings("old_calls") if machine == "aarch64" else ()
    known = _read(_written(machine, old))
    facts = Facts(Capture("x", HostStatus.COMPLETE))
    archs = list(MACHINES[machine])
    for rules in (known.filed, known.loaded):
        assert not _holes(facts, rules, PARAMETERS, archs, machine)
        assert not _calls(rules, "new", PARAMETERS.strings("new_calls"), archs)


def test_a_call_that_the_host_does_not_know_is_in_no_rule() -> None:
    """auditctl refuses such a rule, and all that stand behind it."""
    assert "move_mount" not in _written("x86_64", ("move_mount",))
