"""What a host wrote is seen as it is: nothing acts, hides or turns around."""

from __future__ import annotations

import pytest

from collector.report.model.visible import plain, visible


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
