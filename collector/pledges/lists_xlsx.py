"""The rows of the first sheet of an XLSX file, as text, within bounds of size."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any

from collector.errors import BadInput

_MOST_UNPACKED = 512 * 1024 * 1024
_MOST_COLUMNS = 500


def xlsx_rows(data: bytes, *, most: int, where: str) -> Iterator[tuple[int, Sequence[str]]]:
    """(row number, cells); raises BadInput for what is no workbook, or would unpack too large."""
    from openpyxl import load_workbook

    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            if sum(entry.file_size for entry in packed.infolist()) > _MOST_UNPACKED:
                raise BadInput(f"unpacks to more than {_MOST_UNPACKED >> 20} MiB", where=where)
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        sheet = book.worksheets[0]
        for number, cells in enumerate(sheet.iter_rows(max_col=_MOST_COLUMNS), 1):
            if number > most:
                raise BadInput(f"more than {most} rows", where=where)
            yield number, [_text(cell.value) for cell in cells]
    except BadInput:
        raise
    except Exception as problem:  # noqa: BLE001 - openpyxl raises whatever its parsers met
        raise BadInput(
            f"cannot be read as XLSX: {type(problem).__name__}",
            where=where,
            mend="save it anew, or as CSV (UTF-8)",
        ) from None


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime):
        midnight = not (value.hour or value.minute or value.second)
        return value.date().isoformat() if midnight else value.isoformat(sep=" ")
    if isinstance(value, date):
        return value.isoformat()
    return str(value)
