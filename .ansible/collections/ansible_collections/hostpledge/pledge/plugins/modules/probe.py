#!/usr/bin/python
"""The documentation of the action probe, which runs on the control node."""

from __future__ import annotations

DOCUMENTATION = r"""
module: probe
short_description: Makes controls of a host show themselves, and records what came of it
description:
  - Each act stands with its footprint in C(docs/probes.md). What is planted for one is taken away again.
  - What was recorded lies in the host's capture of the run, from which it is judged.
  - Nothing is done outside of the time window, once probes were stopped, or at a host whose capture is not whole.
author: hostpledge (@hostpledge)
options:
  output:
    description: The folder of the run, which holds a capture of the host.
    type: path
    required: true
  probes:
    description: Names of probes, as C(hostpledge probe --list) has them.
    type: list
    elements: str
    required: true
  phase:
    description:
      - V(act) at the host itself, V(store) where the connection is the log store's, V(second) where it is the second node's.
      - V(others), once V(act) was done everywhere, writes down the clocks of two other hosts.
    type: str
    choices: [act, store, second, others]
    default: act
  driver:
    description: The process that started this, without which nothing more is done.
    type: str
    default: ""
  window_end:
    description: When the time window ends, in ISO 8601.
    type: str
    default: ""
  consent:
    description: Who agreed to it, for the record.
    type: str
    default: ""
  addresses:
    description: Networks that the pledge declares. Ports of other addresses are not asked.
    type: list
    elements: str
    default: []
  store:
    description: The log store, as C(hostpledge probe --log-store) takes it.
    type: str
    default: ""
  store_seconds:
    description: For how long a record may be on its way.
    type: int
    default: 30
  second_node:
    description: A host of the inventory from which ports are asked once more.
    type: str
    default: ""
  ban_from:
    description: An address of this machine that may be banned.
    type: str
    default: ""
  restore:
    description: What is restored, as C(docs/probes.md) has it.
    type: dict
    default: {}
attributes:
  check_mode:
    support: none
    description: Its plan is shown by C(hostpledge probe --check).
notes:
  - Needs the Python package hostpledge in the Python that runs Ansible.
"""

EXAMPLES = r"""
- name: See that the comparison of files names one that was added
  hostpledge.pledge.probe:
    output: /var/lib/hostpledge/run
    probes: [integrity]
    consent: the owner, by letter of 2026-11-20
"""

RETURN = r"""
probes:
  description: The nonce of each probe that was recorded.
  returned: in the phase V(act)
  type: dict
"""
