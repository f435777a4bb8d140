"""Ansible finds the filters here; what they do stands in the package hostpledge."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.hostpledge.pledge.plugins.plugin_utils.needed import function

_ROOM = "collector.run.probes.firewalld_zones"


class FilterModule:
    """What a zone of firewalld lacks, which zones there are, and which of them are left alone."""

    def filters(self) -> Mapping[str, Callable[..., Any]]:
        """Ansible's entry."""
        return {
            "zone_changes": function(_ROOM, "changes"),
            "zone_spared": function(_ROOM, "spared"),
            "zones": function(_ROOM, "zones"),
        }
