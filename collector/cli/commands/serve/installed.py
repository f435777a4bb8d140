"""Is there what the page needs, the extra `web`?"""

from __future__ import annotations

import sys

from collector.cli.ui.language import tr
from collector.errors import BadInput


def installed() -> None:
    """Raises BadInput with how to install what is missing."""
    try:
        import argon2  # noqa: F401 - are they there?
        import starlette  # noqa: F401
        import uvicorn  # noqa: F401
    except ImportError as problem:
        raise BadInput(
            tr(f"未安装 {problem.name}", f"{problem.name} is not installed"),
            where="serve",
            mend=tr(
                f"{sys.executable} -m pip install 'hostpledge[web]'",
                f"{sys.executable} -m pip install 'hostpledge[web]'",
            ),
        ) from None
