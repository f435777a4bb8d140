"""Cells of hosts that blanks alone part: two names, or one that was written with a blank. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from collector.model import Text
from collector.pledges.lists.complaints import Row

_SHOWN = 5
# what nobody writes within a name
_PARTED = re.compile(r"[\n\r,，;；、]+")


class Blanks:
    """Gathers what was taken as several hosts for a blank, row by row."""

    def __init__(self) -> None:
        self._found: list[tuple[Row, str, list[str]]] = []

    def look(self, row: Row, column: str, text: str) -> None:
        """Of one cell that was understood."""
        known = row.sheet.table.columns[column]
        if known.kind != "host" or not known.several:
            return
        for part in _PARTED.split(unicodedata.normalize("NFKC", text)):
            if len(names := part.split()) > 1:
                self._found.append((row, " ".join(names), names))

    def notes(self) -> Iterator[Text]:
        for row, text, names in self._found[:_SHOWN]:
            count, page = len(names), row.sheet.title
            zh = f"工作表“{page}”第 {row.number} 行" if page else f"第 {row.number} 行"
            en = f"sheet {page}, row {row.number}" if page else f"row {row.number}"
            yield Text(
                f"请核对主机名：{zh}，“{text}”按 {count} 台主机读入：{'、'.join(names)}"
                "（主机名中没有空格；多台请以逗号或换行分隔）",
                f"look at the hosts again: {en}: {text!r} was taken as {count} hosts: "
                f"{', '.join(names)} (no host name has a blank in it; write a comma or a new line "
                "between several)",
            )
        if (more := len(self._found) - _SHOWN) > 0:
            yield Text(f"… 另有 {more} 处如此", f"… and {more} more of these")
