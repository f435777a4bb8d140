"""Ansible finds the lookup here; what it does stands in the package hostpledge."""

from __future__ import annotations

DOCUMENTATION = r"""
name: read
short_description: What a read runs on a host
description:
  - A role that runs the text of a read finds what the judge finds.
  - Needs the Python package hostpledge in the Python that runs Ansible.
author: hostpledge (@hostpledge)
options:
  _terms:
    description: The id of a read that is a text of sh; C(hostpledge reads) lists them.
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
- name: Find files with secrets that others may read
  ansible.builtin.command:
    cmd: /bin/sh -s
    stdin: "{{ lookup('hostpledge.pledge.read', 'exposed_files.names') }}"
  changed_when: false
"""

RETURN = r"""
_raw:
  description: The text, for a POSIX shell.
  type: list
  elements: str
"""

from ansible_collections.hostpledge.pledge.plugins.plugin_utils.needed import lookup

LookupModule = lookup("collector.run.ansible.read", "LookupModule")
