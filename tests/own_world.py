"""The reads of log files, led to a folder of the test's own.

What else lies on the machine that runs the tests (containers, databases, panels, homes) is not
their business.
"""

from __future__ import annotations

import re
from pathlib import Path

# every place outside /var/log in which the read looks for logs
_ELSEWHERE = (
    "/etc/logrotate",
    "/var/lib",
    "/home",
    "/opt",
    "/data",
    "/www",
    "/usr/local/tomcat",
)


def led_to(body: str, folder: Path) -> str:
    """The text of a read with `folder` for /var/log, and nothing in the other places."""
    text = re.sub(r"(?<![\w*])/var/log(?![\w])", str(folder), body)
    for place in _ELSEWHERE:
        # only where a path begins: not in patterns, and not below `folder` itself
        text = re.sub(rf"(?<=[\s\"'=]){re.escape(place)}(?=[/*.])", f"{folder}/none", text)
    return text
