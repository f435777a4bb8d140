"""The log that pgBackRest keeps for each stanza and command: when a backup ended well.

Where its repository is encrypted, that alone tells of its backups. The name of the command is
masked in older captures; the file is that of the command `backup` all the same.

>>> line = "2026-11-30 17:18:33.370 P00   INFO: backup command end: completed successfully (9ms)"
>>> len(good_ends("/var/log/pgbackrest/main-backup.log", [line], UTC))
1
>>> good_ends("/var/log/pgbackrest/main-expire.log", [line], UTC)
[]
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, tzinfo

PGBACKREST_LOG = re.compile(r"/var/log/pgbackrest/([\w.-]+)-backup\.log")
_END = re.compile(
    r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)\.\d{3} P00 +INFO: (?:backup|\*\*\*) command end:"
    r" completed successfully"
)


def good_ends(path: str, lines: Iterable[str], zone: tzinfo) -> list[tuple[datetime, str]]:
    """The moments, each with its line; none where the log is of another command."""
    if not PGBACKREST_LOG.fullmatch(path):
        return []
    return [
        (datetime.fromisoformat(match[1]).replace(tzinfo=zone).astimezone(UTC), line)
        for line in lines
        if (match := _END.match(line))
    ]
