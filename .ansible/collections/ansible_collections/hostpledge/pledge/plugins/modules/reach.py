#!/usr/bin/python
"""The documentation of the action reach, which runs on the control node."""

from __future__ import annotations

DOCUMENTATION = r"""
module: reach
short_description: Fails for a host whose address or user ssh would take for an option
description:
  - A play's first task. Nothing is asked of the host.
author: hostpledge (@hostpledge)
attributes:
  check_mode:
    support: full
    description: It changes nothing, with or without C(--check).
notes:
  - Needs the Python package hostpledge in the Python that runs Ansible.
"""

EXAMPLES = r"""
- name: See that what the host is called is no option to ssh
  hostpledge.pledge.reach:
"""

RETURN = ""
