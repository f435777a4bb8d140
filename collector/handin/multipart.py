"""The one file of a form that a browser sends, passed on as it comes: never held, never spooled."""

from __future__ import annotations

from collections.abc import Callable

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header

from collector.errors import BadInput
from collector.i18n.message import msg

FIELD = "capture"
_LONGEST = 4096
# a form has one of them, a browser adds a few
_MOST = 20


class OneFile:
    """Feed it the body; `into` is given the bytes of the field `capture`.

    Raises BadInput for what is no such form. Names of files are not looked at: nothing is called
    after them.
    """

    def __init__(self, content_type: str, into: Callable[[bytes], None]) -> None:
        kind, options = parse_options_header(content_type)
        boundary = options.get(b"boundary", b"")
        if kind != b"multipart/form-data" or not 0 < len(boundary) <= 200:
            raise _no_form()
        self._into = into
        self._name, self._value = b"", b""
        self._ours = False
        self._seen = self._parts = 0
        self._ended = False
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_part_data": self._data,
                "on_header_field": self._field,
                "on_header_value": self._of_value,
                "on_header_end": self._header,
                "on_end": self._end,
            },
        )

    def write(self, data: bytes) -> None:
        try:
            self._parser.write(data)
        except MultipartParseError:
            raise _no_form() from None

    def close(self) -> None:
        """Raises BadInput where the form did not come to its end, or has no file or several."""
        if not self._ended or self._seen != 1:
            raise _no_form()

    def _begin(self) -> None:
        self._parts += 1
        if self._parts > _MOST:
            raise _no_form()
        self._ours = False
        self._name = self._value = b""

    def _field(self, data: bytes, start: int, end: int) -> None:
        self._name = self._bounded(self._name + data[start:end])

    def _of_value(self, data: bytes, start: int, end: int) -> None:
        self._value = self._bounded(self._value + data[start:end])

    def _header(self) -> None:
        if self._name.lower() == b"content-disposition":
            _, options = parse_options_header(self._value)
            self._ours = options.get(b"name") == FIELD.encode()
            self._seen += self._ours
        self._name = self._value = b""

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._ours:
            if self._seen > 1:
                raise _no_form()
            self._into(data[start:end])

    def _end(self) -> None:
        self._ended = True

    @staticmethod
    def _bounded(text: bytes) -> bytes:
        if len(text) > _LONGEST:
            raise _no_form()
        return text


def _no_form() -> BadInput:
    return BadInput(msg("hand_in_form_odd"), mend=msg("hand_in_by_curl"))
