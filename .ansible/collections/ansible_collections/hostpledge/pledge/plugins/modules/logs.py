#!/usr/bin/python
"""The documentation of the action logs, which runs on the control node."""

from __future__ import annotations

DOCUMENTATION = r"""
module: logs
short_description: What the logs of a host are made of, and which files of logrotate would keep them longer
description:
  - By the engine that judges retention.
author: hostpledge (@hostpledge)
options:
  days:
    description: Days for which each log is to be kept.
    type: int
    required: true
  grade:
    description: MLPS grade whose numbers count, 2 or 3.
    type: int
    default: 2
  file_size:
    description: Least size in MiB at which auditd begins a new file.
    type: int
    default: 8
  leave:
    description: Files of logrotate, or names of logs, that stay as they are.
    type: list
    elements: str
    default: []
attributes:
  check_mode:
    support: full
    description: It changes nothing, with or without C(--check).
notes:
  - Needs the Python package hostpledge in the Python that runs Ansible.
"""

EXAMPLES = r"""
- name: Look at the logs
  hostpledge.pledge.logs:
    days: 184
  register: seen
"""

RETURN = r"""
short:
  description: Logs that do not keep so many days as it is now, and why.
  returned: success
  type: list
  elements: str
rotation:
  description: The files of logrotate with their new text, and what is left alone.
  returned: success
  type: dict
journal:
  description: How journald keeps.
  returned: success
  type: dict
"""
