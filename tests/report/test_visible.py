"""What a host wrote is seen as it is: nothing acts, hides or turns around."""

from __future__ import annotations

import sys

import pytest

from collector.errors import harmless
from collector.report.model.visible import plain, told, visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain\n\ttext", "plain\n\ttext"),
        ("中文（全角）　标点", "中文（全角）　标点"),
        ("<b>&\"'", "&lt;b&gt;&amp;&#34;&#39;"),
        ("\x1b[31m", '<b class="cc">\\x1b</b>[31m'),
        ("a\u202eb", 'a<b class="cc">\\u202e</b>b'),
        ("a\u200bb", 'a<b class="cc">\\u200b</b>b'),
        ("a\x00\x01b", 'a<b class="cc">\\x00\\x01</b>b'),
        ("\udcff", '<b class="cc">\\udcff</b>'),
        ("a\r\n", 'a<b class="cc">\\x0d</b>\n'),
        ("é\u202eé", 'é<b class="cc">\\u202e</b>é'),
        ("\u2028", '<b class="cc">\\u2028</b>'),
        ("", ""),
    ],
)
def test_visible(text: str, shown: str) -> None:
    assert str(visible(text)) == shown


def test_plain_has_no_markup_for_attributes() -> None:
    assert str(plain('"\u202e<\n')) == "&#34;\\u202e&lt; "


def test_what_is_told_quickly_is_what_a_closer_look_tells() -> None:
    """Every character that there is: only what is harmless stands as it is."""
    for code in range(sys.maxunicode + 1):
        c = chr(code)
        number = f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
        assert told(c) == (c if c == "\n" or harmless(c) else number), number
