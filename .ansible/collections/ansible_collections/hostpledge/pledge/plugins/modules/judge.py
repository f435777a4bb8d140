#!/usr/bin/python
"""The documentation of the action judge, which runs on the control node."""

from __future__ import annotations

DOCUMENTATION = r"""
module: judge
short_description: What controls say of a host just now, by the judges themselves
description:
  - So that a role never mends what is in order, nor by a rule that is not the judge's.
author: hostpledge (@hostpledge)
options:
  controls:
    description: Ids of controls, such as C(logging.drops).
    type: list
    elements: str
    required: true
  grade:
    description: MLPS grade whose numbers count, 2 or 3.
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
- name: See whether logs are kept
  hostpledge.pledge.judge:
    controls: [logging.retention_configured]
  register: seen
"""

RETURN = r"""
verdicts:
  description: By control its C(verdict), C(reason), C(message) in English, and C(values).
  returned: success
  type: dict
"""
