"""The text of one file of logrotate's, taken apart into directives as logrotate takes it."""

from __future__ import annotations

import re

from collector.facts.logs.logrotate.directives import (
    STRICT,
    Refused,
    Rotation,
    Said,
    Version,
    stands_alone,
)
from collector.facts.shell import quoting
from collector.i18n.message import msg

SCRIPTS = ("prerotate", "postrotate", "firstaction", "lastaction", "preremove")


class Source:
    """The text of one file, taken apart as logrotate does it.

    Words without an argument may share a line; any other word takes the rest of its line, a
    comment included, so that `rotate 7 # week` is refused by logrotate.
    """

    def __init__(self, text: str, version: Version) -> None:
        self._left = list(enumerate(text.split("\n"), 1))[::-1]
        self._version = version
        self.patterns: tuple[str, ...] = ()
        self.in_section = False
        self.so_far: Rotation | None = None
        self.ended = False
        self._bare = False

    def next(self) -> Said | None:
        while self._left:
            line, text = self._left.pop()
            text = text.strip(" \t")
            if not text or text[0] == "#":
                continue
            if text[0] in "/\"'~":
                return Said(line, "/", text)
            if text[0] == "}":
                return Said(line, "}")
            word = re.match(r"[A-Za-z]*", text)[0]  # type: ignore[index]  # it matches anything
            rest = text[len(word) :]
            if not word and self._version < STRICT:
                continue
            if not word:
                self._left.append((line, text[2:]))
                raise Refused(line, msg("lines_must_begin_keyword"), whole=False)
            apart = not rest or rest[0].isspace() or rest[0] == "="
            if not rest and not self._left and self._version < (3, 22):
                apart = False  # it read on behind the end of the file
            if not apart and self._version >= STRICT:
                self._left.append((line, rest[2:]))
                raise Refused(line, msg("keyword_not_properly_separated", word=word), whole=False)
            if stands_alone(word, self._version):
                self._left.append((line, rest))
                return Said(line, word)
            if word in SCRIPTS:
                return Said(line, word)
            value = re.sub(r"^[ \t]*(=[ \t]*)?", "", rest)
            self._bare = not rest
            return Said(line, word, value.rstrip() if value else None)
        return None

    def inside(self) -> Said:
        """The next directive of a section, which the end of the file ends as a brace does."""
        return self.next() or Said(0, "}")

    def head(self, said: Said) -> None:
        """Takes the names of logs up to the brace, over as many lines as they have."""
        gathered: list[str] = []
        line, text = said.line, said.value or ""
        while "{" not in text:
            gathered.append(text)
            if "}" in text or not self._left:
                raise Refused(line, msg("missing_after_names_logs"), whole=True)
            line, text = self._left.pop()
            text = "" if text.lstrip().startswith("#") else text
        before, _, after = text.partition("{")
        if "}" in before:
            raise Refused(line, "unexpected }", whole=True)
        self._left.append((line, after))
        try:
            self.patterns = tuple(quoting.split("\n".join([*gathered, before])))
        except ValueError:
            raise Refused(line, msg("error_parsing_filename"), whole=True) from None
        self.in_section = True

    def skip_script(self, start: int) -> None:
        while self._left:
            line, text = self._left.pop()
            first = re.match(r"[ \t]*([A-Za-z]*)", text)
            if first and first[1] == "endscript":
                self._left.append((line, text[first.end() + 1 :]))
                return
        raise Refused(start, msg("script_without_endscript"), whole=True)

    def skip_section(self) -> bool:
        """Goes behind the brace that ends the section; False where the file ends before it.

        An indented brace does not count; nor does one right below a word that wants an argument
        and has none, for logrotate loses the first character behind an error.
        """
        self.in_section = False
        if self._bare and self._left:
            line, text = self._left.pop()
            self._left.append((line, text[1:]))
        while self._left:
            line, text = self._left.pop()
            word = re.match(r"[ \t]*([A-Za-z]*)", text)[1]  # type: ignore[index]  # it matches anything
            if word in SCRIPTS:
                try:
                    self.skip_script(line)
                except Refused:
                    return False
            elif text.startswith("}"):
                return True
        return False

    def every_pattern(self) -> tuple[str, ...]:
        """The names of logs in what is left, for saying what goes without its rules."""
        left = "\n".join(text for _, text in self._left[::-1])
        heads = re.findall(r"(?m)^[ \t]*([/\"~][^{}#]*)\{", left)
        return tuple(name.strip("\"'") for head in heads for name in head.split())
