"""hostpledge for programs: `verify` a bundle, `assess` a capture. Offline; docs/api.md.

What `__all__` names keeps its form until the next major version; `collector` is not for programs.
"""

from collector import __version__
from collector.errors import BadInput, CollectorError, VerifyFailed
from collector.model import Finding, Result, Text
from collector.verify import Verification
from collector.verify.policy import STRICT, Policy, Unmet
from hostpledge.assessing import assess
from hostpledge.verifying import Verified, verify

__all__ = [
    "STRICT",
    "BadInput",
    "CollectorError",
    "Finding",
    "Policy",
    "Result",
    "Text",
    "Unmet",
    "Verification",
    "Verified",
    "VerifyFailed",
    "__version__",
    "assess",
    "verify",
]
