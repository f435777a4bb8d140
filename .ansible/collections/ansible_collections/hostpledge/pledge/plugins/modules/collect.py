#!/usr/bin/python
"""The documentation of the action collect, which runs on the control node."""

from __future__ import annotations

DOCUMENTATION = r"""
module: collect
short_description: Runs the read-only collector script on the host, in one exec
description:
  - The script goes over the connection's stdin and needs nothing on the host but a POSIX shell. Nothing is written there.
  - What came back is kept on the control node as a capture. A host that cannot be reached is written down too.
  - M(hostpledge.pledge.prepare) has to have begun the run.
author: hostpledge (@hostpledge)
options:
  output:
    description: The folder of the run, on the control node.
    type: path
    required: true
  seconds:
    description: Seconds that the host may take.
    type: int
    default: 300
  limit:
    description: Bytes that the host may return.
    type: int
    default: 67108864
  outside:
    description: Ask the host's TLS listeners from the control node too, where it connects to them directly.
    type: bool
    default: true
  driver:
    description: Set by the command hostpledge; left empty otherwise.
    type: str
    default: ""
attributes:
  check_mode:
    support: full
    description: It changes nothing, with or without C(--check).
notes:
  - Needs the Python package hostpledge in the Python that runs Ansible.
"""

EXAMPLES = r"""
- name: Run the collector script and keep what it returns
  hostpledge.pledge.collect:
    output: ./captures
"""

RETURN = r"""
status:
  description: How it ended, such as C(complete).
  returned: always
  type: str
sha256:
  description: Digest of the capture.
  returned: always
  type: str
reads:
  description: How many reads the capture holds.
  returned: success
  type: int
"""
