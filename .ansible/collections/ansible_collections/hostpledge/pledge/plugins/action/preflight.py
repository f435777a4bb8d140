"""Ansible finds the action here; what it does stands in the package hostpledge."""

from __future__ import annotations

from ansible_collections.hostpledge.pledge.plugins.plugin_utils.needed import action

ActionModule = action("collector.run.harden.preflight", "ActionModule")
