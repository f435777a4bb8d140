"""Ansible finds the action here; what it does stands in the installed package."""

from __future__ import annotations

from ansible.errors import AnsibleError

try:
    from collector.run.ansible.ready import ReadyModule as ActionModule
except ImportError as problem:
    raise AnsibleError(
        f"the Python that runs Ansible has no hostpledge ({problem}): install it there with pip"
    ) from problem

__all__ = ["ActionModule"]
