"""Ansible finds the lookup here; what it does stands in the package hostpledge."""

from __future__ import annotations

DOCUMENTATION = r"""
name: parameter
short_description: A control's number, from where its judge has it
description:
  - Judge and fix cannot drift apart, because a role's default and the judge read the same place.
  - Needs the Python package hostpledge in the Python that runs Ansible.
author: hostpledge (@hostpledge)
options:
  _terms:
    description: The id of a control, such as C(logging.retention_configured), and the name of one of its parameters.
    type: list
    elements: str
    required: true
  grade:
    description: The MLPS grade whose number is wanted.
    type: int
    choices: [2, 3]
    default: 2
"""

EXAMPLES = r"""
- name: Say for how many days logs are to be kept
  ansible.builtin.debug:
    msg: "{{ lookup('hostpledge.pledge.parameter', 'logging.retention_configured', 'days') }}"
"""

RETURN = r"""
_raw:
  description: The value of the parameter.
  type: list
  elements: raw
"""

from ansible_collections.hostpledge.pledge.plugins.plugin_utils.needed import lookup

LookupModule = lookup("collector.run.ansible.parameter", "LookupModule")
