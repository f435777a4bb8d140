"""The lookup `hostpledge_parameter`: a control's number, from where the judge has it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleError
from ansible.plugins.lookup import LookupBase

from collector.catalog import GRADES, control, described
from collector.errors import CollectorError


class LookupModule(LookupBase):  # type: ignore[misc]  # Ansible ships no types
    """`lookup('hostpledge_parameter', CONTROL, PARAMETER, grade=2)` gives the parameter's value."""

    def run(
        self,
        terms: Sequence[str],
        variables: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> list[Any]:
        """Ansible's entry. Raises AnsibleError where control, parameter or grade do not exist."""
        del variables
        try:
            id, name = terms
        except ValueError:
            raise AnsibleError("hostpledge_parameter wants a control and a parameter") from None
        grade = options.pop("grade", 2)
        if options or str(grade) not in {str(g) for g in GRADES}:
            raise AnsibleError("hostpledge_parameter takes grade=2 or grade=3, and nothing else")
        try:
            known_here = described().get(id) or control(id)
            parameters = known_here.parameters
        except CollectorError as problem:
            raise AnsibleError(str(problem)) from None
        if name not in parameters:
            known = ", ".join(parameters) or "none"
            raise AnsibleError(f"{id} has no parameter {name}; it has {known}")
        return [parameters[name][int(grade)]]
