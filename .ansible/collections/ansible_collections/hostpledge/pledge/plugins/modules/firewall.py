#!/usr/bin/python
"""The documentation of the action firewall, which runs on the control node."""

from __future__ import annotations

DOCUMENTATION = r"""
module: firewall
short_description: What filters packets on a host, and whether new rules would cut the way of this run
description:
  - By the engine that judges exposure.
  - Without O(rules) it says what is there; with them it fails where they would cut this run off.
author: hostpledge (@hostpledge)
options:
  controls:
    description: Names of the controls that are to be brought about, without their family.
    type: list
    elements: str
    default: []
  engine:
    description: What makes the rules; V(auto), V(nftables), V(firewalld) or V(ufw).
    type: str
    default: auto
  admin_sources:
    description: Networks from which SSH may come.
    type: list
    elements: str
    default: []
  allow:
    description: What else is let in, as the role's C(firewall_allow).
    type: list
    elements: raw
  ssh_ports:
    description: Ports of SSH beside those found.
    type: list
    elements: int
    default: []
  rules:
    description: A text of nft to weigh.
    type: str
attributes:
  check_mode:
    support: full
    description: It changes nothing, with or without C(--check).
notes:
  - Needs the Python package hostpledge in the Python that runs Ansible.
"""

EXAMPLES = r"""
- name: Look at what filters packets here
  hostpledge.pledge.firewall:
  register: seen
"""

RETURN = r"""
engine:
  description: What is to make the rules; C(leave) where the owner's own deny by default.
  returned: without O(rules)
  type: str
why:
  description: Why that one.
  returned: without O(rules)
  type: str
path:
  description: With O(rules), whether a new connection like this one still comes in, C(open), C(unknown) or C(local).
  returned: with O(rules)
  type: str
"""
