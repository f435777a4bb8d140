"""Names as they are compared: however the blanks in them were typed, and seen or not. Pure."""

from __future__ import annotations

import re

_BLANKS = re.compile(r"\s+")
# a name of two characters is often set as wide as one of three
_TWO = re.compile(r"^([\u4e00-\u9fff]) ([\u4e00-\u9fff])(?= |$)")
# what web pages and chats leave in a copied text, and no screen shows; joiners are of scripts, and
# what turns a text round is refused (`validation`)
_INVISIBLE = re.compile("[\u00ad\u200b\u200e\u200f\u2060-\u2064\ufeff]+")


def visible(text: str) -> str:
    r"""Without the characters that nobody sees.

    >>> visible("云\u200b帆")
    '云帆'
    """
    return _INVISIBLE.sub("", text)


def plain_name(text: str) -> str:
    """Without blanks around it, and with one plain blank for each row of blanks within.

    >>> plain_name(" 李 工  13800000001"), plain_name("Li  Na")
    ('李工 13800000001', 'Li Na')
    """
    return _TWO.sub(r"\1\2", _BLANKS.sub(" ", text).strip(), count=1) if text else text
