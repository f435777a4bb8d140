"""Ansible finds the callback here; what it does stands in the installed package."""

from __future__ import annotations

DOCUMENTATION = r"""
name: hostpledge_due
type: notification
short_description: Writes down which handlers are due on a host, and which have run
description:
  - Ansible keeps in memory alone which handlers are due. C(hostpledge harden) names a file in the
    environment variable HOSTPLEDGE_DUE; without it nothing is written.
"""

try:
    from collector.run.ansible.notified import CallbackModule
except ImportError:
    # whoever plays the roles without the package is told so by their actions
    from ansible.plugins.callback import CallbackBase

    class CallbackModule(CallbackBase):  # type: ignore[misc,no-redef]
        """Nothing to write down."""

        CALLBACK_VERSION = 2.0
        CALLBACK_TYPE = "notification"
        CALLBACK_NAME = "hostpledge_due"


__all__ = ["CallbackModule"]
