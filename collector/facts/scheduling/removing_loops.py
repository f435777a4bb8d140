"""Loops that remove what a listing hands them: `ls -t | sed 1,5d | while read f; do rm "$f"; done`.

>>> text = 'ls -t | sed 1,5d | while read f; do rm -f "$f"; done'
>>> loop_removes(text, [["ls", "-t"], ["sed", "1,5d"], ["while", "read", "f"]])
True
>>> cut_off(["sed", "1,5d"]), cut_off(["tail", "-n", "+6"]), cut_off(["awk", "NR>5"])
(5, 5, 5)
"""

from __future__ import annotations

import re

_BODY = r"\s*[;\n]\s*do\b(.{0,800}?)\bdone\b"
_WHILE = re.compile(rf"\|\s*while\s+(?:IFS=\S{{0,20}}\s+)?read\b[^\n;]{{0,100}}{_BODY}", re.DOTALL)
_FOR = re.compile(
    rf"\bfor\s+\w{{1,60}}\s+in\s+\"?(?:\$\(|`)([^\n]{{0,400}}?)(?:\)|`)\"?{_BODY}", re.DOTALL
)
_REMOVES = re.compile(r"(?<![\w./-])(?:/usr)?(?:/bin/)?(?:rm|unlink|shred)\s")
_PERHAPS = re.compile(r"(?<!\S)(?:if|case|test|\[\[?|continue|break|\|\||&&)(?!\S)")


def loop_removes(text: str, line: list[list[str]]) -> bool | None:
    """Does a loop of the script remove what this pipeline lists? None: no loop, or none that does.

    False where the loop itself may spare some.
    """
    first = line[0][0].rpartition("/")[2]
    if first not in ("ls", "find"):
        return None
    if line[-1][0] == "while":
        bodies = [m[1] for m in _WHILE.finditer(text)]
    else:
        listed = re.compile(rf"(?:^|[\s/]){first}\s")
        bodies = [m[2] for m in _FOR.finditer(text) if listed.search(m[1])]
    removing = [body for body in bodies if _REMOVES.search(body)]
    if not removing:
        return None
    return not any(_PERHAPS.search(body) for body in removing)


def cut_off(words: list[str]) -> int | None:
    """How many of the first lines this command leaves out: `tail -n +6`, `sed 1,5d`, `awk NR>5`."""
    name, said = words[0].rpartition("/")[2], " ".join(words[1:])
    if name == "tail":
        match = re.search(r"(?:^| )(?:-n ?|--lines=)?\+(\d+)", said)
        return int(match[1]) - 1 if match else None
    if name == "sed":
        if match := re.search(r"(?:^| )1,(\d+) ?d\b", said):
            return int(match[1])
        match = re.search(r"(?:^| )(\d+),\$ ?p\b", said)
        return int(match[1]) - 1 if match and "-n" in words else None
    if name in ("awk", "gawk", "mawk"):
        match = re.fullmatch(r"NR ?(>=?) ?(\d+)(?: ?\{ ?print(?: \$0)? ?;? ?\})?", said)
        return int(match[2]) - (match[1] == ">=") if match else None
    return None
