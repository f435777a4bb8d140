"""What to do, for whoever has neither this program nor its inventory: the customer's own steps.

>>> say = "First hostpledge harden -i INVENTORY --control a.b: it is safe. By hand: do it."
>>> by_hand(Text("自动：hostpledge harden -i INVENTORY --control a.b。", say), Text("甲", "A"))
Text(zh='应达到：甲', en='By hand: do it.')
"""

from __future__ import annotations

import re

from collector.model import Text

# a sentence that has a role do it, or sends to this program for the steps
_ZH = (
    (r"[^。]*hostpledge harden [^。]*(?:。|$)", ""),
    (r"把 hostpledge explain [\w.]+ 给出的", "把接入服务商给出的"),
    (r"[，；：]步骤见 hostpledge explain [\w.]+", ""),
    (r"[^。]*见 hostpledge explain [\w.]+(?:。|$)", ""),
    (
        r"hostpledge inventory init 采集文件 -o data-inventory.yml，",
        "向接入服务商索取由采集起草的清单，",
    ),
    (r"再用\s*hostpledge inventory check data-inventory.yml 采集文件\s*核对。", "交其核对。"),
    (r"：请用 hostpledge inventory init [^。]*", ""),
    (r"在制作证据包时附上（hostpledge bundle [^）]*）", "交给接入服务商"),
    (r"附到证据包（hostpledge bundle [^）]*）", "交给接入服务商"),
)
_EN = (
    (r"(?:(?:First|By itself:) )?hostpledge harden .*?\.(?=\s|$)\s*", ""),
    (r"that hostpledge explain [\w.]+ prints", "that your provider gives you"),
    (r": hostpledge explain [\w.]+ has the steps", ""),
    (r"hostpledge explain [\w.]+ has .*?\.(?=\s|$)\s*", ""),
    (
        r"hostpledge inventory init CAPTURE -o data-inventory\.yml;",
        "ask your provider for the draft that a look at your hosts gives;",
    ),
    (
        r"then hostpledge inventory check\s+data-inventory\.yml CAPTURE\.",
        "then have your provider check it.",
    ),
    (r": begin one from a capture with hostpledge inventory init", ""),
    (r"attach it to the bundle \(hostpledge bundle [^)]*\)", "give it to your provider"),
    (r"be attached to a bundle \(hostpledge bundle [^)]*\)", "be given to your provider"),
)


def by_hand(mend: Text, reached: Text) -> Text:
    """Without the sentences of automatic remedies; `reached`: what is to hold, where none is left.

    Evidence of an earlier release may have these words otherwise: what it says is kept then.
    """
    zh, en = _without(mend.zh, _ZH), _without(mend.en, _EN)
    if mend.zh and not zh:
        zh = f"应达到：{reached.zh}"
    if mend.en and not en:
        en = f"to be reached: {reached.en}"
    return Text(zh, en)


def without_program(said: Text) -> Text:
    """What was found, without what sends to this program."""
    return Text(_without(said.zh, _ZH), _without(said.en, _EN))


def _without(text: str, rules: tuple[tuple[str, str], ...]) -> str:
    for pattern, instead in rules:
        text = re.sub(pattern, instead, text, flags=re.DOTALL)
    return text.strip()
