"""A command line without what only runs it.

>>> inner_words("systemd-cat -t x restic backup /srv".split())
['restic', 'backup', '/srv']
>>> inner_words("xargs -I{} mysqldump --result-file=/b/{}.sql {}".split())
['mysqldump', '--result-file=/b/$_.sql', '$_']
"""

from __future__ import annotations

from collector.facts.shell.values import shown
from collector.facts.shell.wrappers import unwrap

# they change nothing of where, as whom and from what their command runs
_TRANSPARENT = {"systemd-cat", "xargs", "stdbuf", "setsid", "chronic", "cronic"}


def inner_words(words: list[str]) -> list[str]:
    """The words of the command that is run in the end; `$_` for what xargs puts in."""
    for _ in range(6):
        if not words or words[0].rpartition("/")[2] not in _TRANSPARENT:
            break
        found = unwrap([(w,) if w else () for w in words], None)
        if found is None or found.words is None:
            break
        words = [shown(w) for w in found.words]
    return words
