"""Is a capture of the run that it says it is of?"""

from __future__ import annotations

from collector.errors import VerifyFailed
from collector.i18n.message import msg
from collector.model import Capture
from collector.script import host_nonce


def check_nonce(capture: Capture, run: str) -> None:
    """Raises VerifyFailed when a capture names another run, or has not this run's nonce.

    `run` is the nonce of the run. A capture that was handed in names no run, and is not held
    to one; a host that never answered has no nonce.
    """
    named = capture.origin.get("run")
    if named is None:
        return
    if named != run:
        raise VerifyFailed(msg("capture_another_run"), where=capture.host)
    answered = bool(capture.nonce or capture.head or capture.reads)
    if answered and capture.nonce != host_nonce(run, capture.host):
        raise VerifyFailed(msg("carries_another_nonce_run"), where=capture.host)
