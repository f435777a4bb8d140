#!/usr/bin/python
"""The documentation of the action prepare, which runs on the control node."""

from __future__ import annotations

DOCUMENTATION = r"""
module: prepare
short_description: Begins a run of collecting, or takes up the one that was interrupted
description:
  - Lays out the folder that M(hostpledge.pledge.collect) writes captures to, with the script that all hosts run.
author: hostpledge (@hostpledge)
options:
  output:
    description: The folder of the run, on the control node.
    type: path
    required: true
  families:
    description: Families of controls to look at; all of them when empty.
    type: list
    elements: str
    default: []
  grade:
    description: MLPS grade whose controls are looked at, 2 or 3.
    type: int
    default: 2
attributes:
  check_mode:
    support: full
    description: It changes nothing, with or without C(--check).
notes:
  - Needs the Python package hostpledge in the Python that runs Ansible.
"""

EXAMPLES = r"""
- name: Begin the run
  hostpledge.pledge.prepare:
    output: ./captures
    families: [logging]
  run_once: true
"""

RETURN = r"""
output:
  description: The folder.
  returned: success
  type: str
run:
  description: The nonce that was drawn for this run.
  returned: success
  type: str
"""
