#!/usr/bin/python
"""The documentation of the action guard, which runs on the control node."""

from __future__ import annotations

DOCUMENTATION = r"""
module: guard
short_description: Arms a rollback before a change that could cut the path to the host, and disarms it
description:
  - While it is armed, the host puts the change back by itself after O(seconds) seconds.
  - It is confirmed over a new connection only, so that nobody is locked out.
  - In check mode nothing is armed.
author: hostpledge (@hostpledge)
options:
  state:
    description:
      - V(armed) before the change, V(confirmed) after it, and V(abandoned) in a C(rescue), which puts back at once.
    type: str
    choices: [armed, confirmed, abandoned]
    required: true
  family:
    description: The family of controls that the change belongs to.
    type: str
    required: true
  seconds:
    description: Seconds within which the change has to be confirmed, from 5 to 3600.
    type: int
    default: 60
  paths:
    description: As M(hostpledge.pledge.remember) takes them.
    type: list
    elements: str
    default: []
  attributes:
    description: As M(hostpledge.pledge.remember) takes them.
    type: list
    elements: str
    default: []
  units:
    description: As M(hostpledge.pledge.remember) takes them.
    type: list
    elements: str
    default: []
  after:
    description: As M(hostpledge.pledge.remember) takes them.
    type: list
    elements: str
    default: []
attributes:
  check_mode:
    support: full
    description: Nothing is armed in check mode.
notes:
  - Needs the Python package hostpledge in the Python that runs Ansible.
"""

EXAMPLES = r"""
- name: Let the host put sshd back unless it is confirmed
  hostpledge.pledge.guard:
    state: armed
    family: intrusion
    paths: [/etc/ssh/sshd_config.d/10-mine.conf]
    after: [systemctl try-reload-or-restart ssh]

- name: Confirm it over a new connection
  hostpledge.pledge.guard:
    state: confirmed
    family: intrusion
"""

RETURN = r"""
timer:
  description: What will put the change back, such as C(systemd).
  returned: when it was armed
  type: str
"""
