"""The words of nft's own language (nft(8)): how a text falls into them, and reading them."""

from __future__ import annotations

import re

from collector.errors import NotUnderstood
from collector.i18n.message import msg

_TOKEN = re.compile(
    r'"(?:[^"\\]|\\.)*+(?:"|\Z)|==|!=|<=|>=|[{}();,=<>!&|^\n]|:(?=\s)|\.(?=\s)'
    r"|(?:[^\s{}();,=<>!&|^\"]+)"
)
_FAMILIES = {"ip", "ip6", "inet", "arp", "bridge", "netdev"}


def tokens(text: str) -> list[str]:
    bare = re.sub(r'("(?:[^"\\\n]|\\.)*+(?:"|(?=\n)|\Z))|#[^\n]*', lambda m: m[1] or "", text)
    return _TOKEN.findall(bare.replace("\\\n", " "))


class Cursor:
    """Words from left to right, with `$NAME` put in their places."""

    def __init__(self, words: list[str], defined: dict[str, list[str]]) -> None:
        self.words = words
        self.defined = defined
        self.at = 0

    @property
    def done(self) -> bool:
        return self.at >= len(self.words)

    def next(self) -> str:
        if self.done:
            raise NotUnderstood("nft", msg("rules_end_before_their"))
        word = self.words[self.at]
        if word.startswith("$") and word[1:] in self.defined:
            self.words[self.at : self.at + 1] = self.defined[word[1:]]
            return self.next()
        self.at += 1
        return word

    def take(self, word: str) -> bool:
        if not self.done and word != "\n":
            while self.at < len(self.words) - 1 and self.words[self.at] == "\n":
                self.at += 1
        if not self.done and self.words[self.at] == word:
            self.at += 1
            return True
        return False

    def family(self) -> str:
        return self.next() if self.words[self.at] in _FAMILIES else "ip"

    def line(self) -> list[str]:
        """All words to the end of the line or to `;`, or to the brace that closes around it."""
        found: list[str] = []
        deep = 0
        while not self.done:
            word = self.words[self.at]
            if deep == 0 and word in ("\n", ";", "}"):
                break
            word = self.next()
            deep += (word == "{") - (word == "}")
            if word != "\n":
                found.append(word)
        return found

    def whole(self) -> list[str]:
        return self.line()

    def line_or_block(self) -> None:
        self.line()

    def block(self) -> list[str]:
        """A set in braces, over as many lines as it has."""
        found: list[str] = []
        deep = 0
        while True:
            word = self.next()
            deep += (word == "{") - (word == "}")
            if word != "\n":
                found.append(word)
            if deep == 0:
                return found
