#!/usr/bin/python
"""The documentation of the action defence, which runs on the control node."""

from __future__ import annotations

DOCUMENTATION = r"""
module: defence
short_description: Which anti-malware protects a host, and what the host serves
description:
  - By the facts that the judges of the family antivirus use.
author: hostpledge (@hostpledge)
attributes:
  check_mode:
    support: full
    description: It changes nothing, with or without C(--check).
notes:
  - Needs the Python package hostpledge in the Python that runs Ansible.
"""

EXAMPLES = r"""
- name: See what protects this host
  hostpledge.pledge.defence:
  register: seen
"""

RETURN = r"""
products:
  description: Products other than ClamAV that count as anti-malware.
  returned: success
  type: list
  elements: dict
watchers:
  description: Those that only watch the host and have units of systemd.
  returned: success
  type: list
  elements: dict
web:
  description: Whether there is a server of the web, one in a container, and the folders that are served.
  returned: success
  type: dict
blinding:
  description: For each clamd.conf the patterns that hide a place that matters.
  returned: success
  type: dict
"""
