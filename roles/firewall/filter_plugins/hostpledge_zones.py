"""Ansible finds the filters here; what they do stands in the installed package."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleError

try:
    from collector.run.probes.firewalld_zones import changes, spared, zones
except ImportError as problem:
    raise AnsibleError(
        f"the Python that runs Ansible has no hostpledge ({problem}): install it there with pip"
    ) from problem


class FilterModule:
    """What a zone of firewalld lacks, which zones there are, and which of them are left alone."""

    def filters(self) -> Mapping[str, Callable[..., Any]]:
        """Ansible's entry."""
        return {
            "hostpledge_zone_changes": changes,
            "hostpledge_zone_spared": spared,
            "hostpledge_zones": zones,
        }
