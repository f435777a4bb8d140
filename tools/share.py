"""`make man`: what goes below PREFIX/share, made of the commands: man pages and completions."""

from __future__ import annotations

import sys
from pathlib import Path

from collector.cli.commands.completion import script
from tools import man_pages

_COMPLETIONS = {
    "bash": "bash-completion/completions/hostpledge",
    "zsh": "zsh/site-functions/_hostpledge",
    "fish": "fish/vendor_completions.d/hostpledge.fish",
}


def main(arguments: list[str]) -> int:
    """FOLDER: what is to be `share`."""
    folder = Path(arguments[0])
    for shell, name in _COMPLETIONS.items():
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(script(shell), encoding="utf-8")
    man_pages.main([str(folder / "man")])
    print(folder, file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
