#!/usr/bin/python
"""The documentation of the action preflight, which runs on the control node."""

from __future__ import annotations

DOCUMENTATION = r"""
module: preflight
short_description: Refuses hosts that cannot be hardened, and gathers facts of those that can
description:
  - Wants root, the package manager of a Debian or RHEL family, and a Python that this Ansible takes.
  - Warns of every change that an earlier run did not confirm in time, and that the host rolled back by itself.
author: hostpledge (@hostpledge)
attributes:
  check_mode:
    support: full
    description: It changes nothing, with or without C(--check).
notes:
  - Needs the Python package hostpledge in the Python that runs Ansible.
"""

EXAMPLES = r"""
- name: See whether this host can be hardened, and what it is
  hostpledge.pledge.preflight:
"""

RETURN = ""
