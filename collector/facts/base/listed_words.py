"""The awk program that lets listed words through (docs/adr/0024), whole, and for logs alone.

gawk and busybox make something of each expression in it before they read a byte: of what is never
called too. So texts in which no command stands are read by the part of it that they need.
"""

from __future__ import annotations

import re
from functools import cache

from collector.resources import package_text

LOGS = ("listed-log", "journal", "record")
"""The modes of texts in which no command stands."""
_PARTS = ("words.awk", "words_slash.awk", "words_options.awk", "words_line.awk", "words_text.awk")
# in one line, or to the brace that stands alone
_FUNCTION = re.compile(r"^function (\w+)\((?:[^\n]*\}\n|.*?\n\}\n)", re.MULTILINE | re.DOTALL)
_CALL = re.compile(r"\b(\w+)\(")
_MODE = re.compile(r'MODE == "([\w-]+)"')


@cache
def words_program() -> str:
    """All of it, with its lists."""
    program, name = "".join(map(package_text, _PARTS)), ""
    lists: dict[str, str] = {}
    for line in package_text("words.txt").splitlines():
        if line.startswith("#"):
            continue
        if not line.startswith(" "):
            name, _, line = line.partition(":")
        lists[name] = f"{lists.get(name, '')} {line.strip()}".strip()
    for name, listed in lists.items():
        program = program.replace(f"@{name}@", " ".join(dict.fromkeys(listed.split())))
    return program


@cache
def logs_program() -> str:
    """What of it the modes in `LOGS` come to: the same text, without functions they never call."""
    program = re.sub(r"^#.*\n", "", words_program(), flags=re.MULTILINE)
    functions = {found[1]: found[0] for found in _FUNCTION.finditer(program)}
    entry = functions["masked"]
    chosen = "".join(
        line
        for line in entry.splitlines(keepends=True)
        if not (named := _MODE.findall(line)) or set(named) & set(LOGS)
    )
    rest = _FUNCTION.sub("", program)
    called, waiting = {"masked"}, _called(rest + chosen, functions)
    while waiting:
        name = waiting.pop()
        if name not in called:
            called.add(name)
            waiting |= _called(functions[name], functions)
    for name, text in functions.items():
        program = program.replace(text, text if name in called else "")
    return program.replace(entry, chosen)


def _called(text: str, functions: dict[str, str]) -> set[str]:
    return {name for name in _CALL.findall(text) if name in functions}
