"""Ansible finds the callback here, before the first host is asked."""

from __future__ import annotations

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = r"""
name: hostpledge_answers
type: notification
short_description: Bounds what the modules of a host answer, and how long its steps take in all
description:
  - Facts that no task asked for are left out. A host whose answers are too large, or that takes too
    long in all, is left as if it could not be reached. C(hostpledge harden) names a folder for the
    counts in the environment variable HOSTPLEDGE_ANSWERS; without it nothing is bounded.
"""


class CallbackModule(CallbackBase):  # type: ignore[misc]  # Ansible ships no types
    """Tells nothing: Ansible makes it in the process that all workers come from."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "hostpledge_answers"

    def __init__(self) -> None:
        super().__init__()
        try:
            from collector.run.harden import answered
        except ImportError:
            # whoever plays the roles without the package is told so by their actions
            return
        answered.bind()
