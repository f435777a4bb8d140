"""What bash 4.2 can read: it takes the `)` of a pattern for the end of a `$(` around the `case`.

CentOS 7.0 and 7.1 have it without the patch that came later. A bash of that age is built from the
commit of patch 45 in its own repository (f281b8f4: `./configure && make bash`) and named in
`BASH_4_2`; seen with it: of all texts `log_files.times` alone was refused, which has been mended.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator

import pytest

from collector import catalog
from collector.model import Read
from collector.resources import package_text
from collector.script import collector_script

_OLD = os.environ.get("BASH_4_2", "")
_OTHERS = ("facts/tls/databases.sh", "facts/tls/tls_ask.sh")
_WORD = re.compile(r"(?<![^\s;&|(`])(case|esac)(?![^\s;&|)`])")


def _texts() -> dict[str, str]:
    reads = catalog.all_reads()
    found = {read.id: read.body for read in reads.values() if read.body}
    found |= {name: package_text(name) for name in _OTHERS}
    return found | {"the whole script": collector_script(reads.values())}


def _quoted(text: str, at: int, inner: list[str]) -> int:
    """Behind the double quotes that begin at `at`; what is substituted in them goes to `inner`."""
    at += 1
    while at < len(text) and text[at] != '"':
        if text[at] == "\\":
            at += 2
        elif text.startswith("$(", at):
            at = _substituted(text, at, inner)
        else:
            at += 1
    return at + 1


def _substituted(text: str, at: int, inner: list[str]) -> int:
    """Behind the `$(` that begins at `at`, by its parentheses alone, as that bash looks for it."""
    begin, depth, bare = at, 0, []
    while at < len(text):
        sign = text[at]
        if sign == "\\":
            at += 2
        elif sign == "'":
            at = text.find("'", at + 1) + 1 or len(text)
        elif sign == '"':
            at = _quoted(text, at, inner)
        elif sign == "#" and text[at - 1] in " \t\n;(":
            at = text.find("\n", at) if "\n" in text[at:] else len(text)
        elif text.startswith("$(", at) and at > begin:
            at = _substituted(text, at, inner)
        else:
            depth += (sign == "(") - (sign == ")")
            bare.append(sign)
            at += 1
            if sign == ")" and depth == 0:
                break
    inner.append("".join(bare)[2:-1])
    return at


def _substitutions(text: str) -> Iterator[str]:
    at, inner = 0, list[str]()
    while at < len(text):
        if text[at] == "\\":
            at += 2
        elif text[at] == "'":
            at = text.find("'", at + 1) + 1 or len(text)
        elif text[at] == '"':
            at = _quoted(text, at, inner)
        elif text[at] == "#" and text[at - 1 : at] in ("", " ", "\t", "\n", ";"):
            at = text.find("\n", at) if "\n" in text[at:] else len(text)
        elif text.startswith("$(", at):
            at = _substituted(text, at, inner)
        else:
            at += 1
    yield from inner


def unclosed(text: str) -> list[str]:
    """Substitutions that hold a `case` and not its `esac`, when ended where bash 4.2 ends them."""
    found = []
    for inner in _substitutions(text):
        words = _WORD.findall(inner)
        if words.count("case") != words.count("esac"):
            found.append(inner)
    return found


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("a=$(for f in $l; do case $f in x) echo;; esac; done)", 1),
        ("a=$(\n  case $f in x) echo;; esac\n)", 1),
        ('echo "$(case $f in x) echo;; esac)"', 1),
        ("a=$(for f in $l; do case $f in (x|')') echo \")\";; (*) b=$(c);; esac; done)", 0),
        ("case $f in x) a=$(echo one # a case )\n);; esac", 0),
        ("echo 'a=$(case $f in x) echo;; esac)'", 0),
    ],
)
def test_the_measure(text: str, count: int) -> None:
    assert len(unclosed(text)) == count


@pytest.mark.parametrize("name", _texts())
def test_no_pattern_ends_the_substitution_around_it(name: str) -> None:
    assert unclosed(_texts()[name]) == []


if _OLD:

    @pytest.mark.parametrize("name", _texts())
    def test_bash_4_2_reads_it(name: str) -> None:
        done = subprocess.run(
            [_OLD, "-n"], input=_texts()[name].encode(), capture_output=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, b"")

    def test_bash_4_2_reads_what_is_quoted_in_the_script() -> None:
        """`log_files.times` runs as `sh -c TEXT`: here with that bash as sh."""
        read: Read = catalog.all_reads()["log_files.times"]
        done = subprocess.run([_OLD, "-c", read.body], capture_output=True, check=False, timeout=60)
        assert b"syntax error" not in done.stderr
        assert b"@D " in done.stdout
