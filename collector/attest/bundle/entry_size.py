"""How much evidence.json may hold of one host: who reads it gives up past that, for all hosts."""

from __future__ import annotations

from collector.errors import BadInput
from collector.i18n.message import msg

LARGEST = 1 << 22


def bounded(entry: bytes, host: str, file: str) -> bytes:
    """The entry as it is. Raises BadInput, with host and capture, for more than `LARGEST`."""
    if len(entry) > LARGEST:
        raise BadInput(
            msg("host_entry_too_large", host=host, most=LARGEST >> 20),
            where=file,
            mend=msg("leave_capture_out"),
        )
    return entry
