"""The lookup `hostpledge_read`: what a read runs, so that a role finds what the judge finds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleError
from ansible.plugins.lookup import LookupBase

from collector.catalog import all_reads


class LookupModule(LookupBase):  # type: ignore[misc]  # Ansible ships no types
    """`lookup('hostpledge_read', ID)` gives the sh text of a read of the kind `shell`."""

    def run(
        self,
        terms: Sequence[str],
        variables: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> list[Any]:
        """Ansible's entry. Raises AnsibleError where there is no such read."""
        del variables
        if len(terms) != 1 or options:
            raise AnsibleError("hostpledge_read wants the id of a read, and nothing else")
        read = all_reads().get(str(terms[0]))
        if read is None or read.kind != "shell":
            raise AnsibleError(f"there is no sh text of the read {terms[0]}")
        return [read.body]
