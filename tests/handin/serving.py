"""`python -m tests.handin.serving FOLDER PORT BOUNDS`: the routes of hand-in, alone, by uvicorn."""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path

import uvicorn
from starlette.applications import Starlette

from collector.handin.http import Settings, routes
from collector.handin.places import Bounds


def main() -> None:
    folder, port, bounds = sys.argv[1:]
    given = json.loads(bounds)
    if most := given.pop("fsize", 0):
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    guesses = given.pop("guesses", 20)
    settings = Settings(Path(folder), bounds=Bounds(**given), guesses=guesses)
    app = Starlette(routes=list(routes(settings)))
    uvicorn.run(app, host="127.0.0.1", port=int(port), access_log=False, log_level="warning")


if __name__ == "__main__":
    main()
