"""Which processes hold a socket, by the end of a line of ss(8).

iproute2 3.10 of CentOS 7.0 to 7.2 prints the number bare, later ones `pid=`; between it and the
file descriptor there may stand the context of SELinux. ss escapes nothing, and anyone calls his
process what he likes (prctl(2), PR_SET_NAME): a name `",pid=1` is as good as another holder to
whoever looks for one. A name has at most 15 bytes (and ss ends it at the first `)`), so that it
cannot make up a whole entry of the list. Hence the list is read whole, or not at all.
"""

from __future__ import annotations

import re

# the kernel writes a line break and a backslash in a name as two signs (proc(5), stat)
_NAME = r'"([^"\\\x00-\x1f\x7f]{0,15})"'
_CONTEXT = r'(?:,(?:proc|sock)_ctx=[^"() ]+)*'
_ENTRY = re.compile(rf"\({_NAME},pid=(\d{{1,9}}){_CONTEXT},fd=\d{{1,9}}\)")
_BARE = re.compile(rf"\({_NAME},(\d{{1,9}}){_CONTEXT},\d{{1,9}}\)")
_LIST = re.compile(r"(?:^|\s)users:\((.*)$")


def holders(text: str) -> tuple[tuple[str, int], ...]:
    """(name, number of the process) of each holder; none where the list is not understood.

    `text` is a line of ss, or the end of one from `users:` on.

    >>> holders('users:(("nginx",1312,5),("nginx",1333,5))')
    (('nginx', 1312), ('nginx', 1333))
    >>> holders('users:(("sshd",pid=812,proc_ctx=system_u:system_r:sshd_t:s0,fd=3)) ino:5')
    (('sshd', 812),)
    >>> holders('users:(("filebeat",pid=77,fd=3),("",pid=812",pid=76,fd=3))')
    ()
    """
    found = _LIST.search(text)
    return (_read(found[1], _ENTRY) or _read(found[1], _BARE)) if found else ()


def _read(text: str, entry: re.Pattern[str]) -> tuple[tuple[str, int], ...]:
    found: list[tuple[str, int]] = []
    at = 0
    while match := entry.match(text, at):
        found.append((match[1], int(match[2])))
        at = match.end()
        if text[at : at + 1] != ",":
            # with -i more may stand behind the list, on the same line where lines were joined
            return tuple(found) if re.match(r"\)(?:\s|$)", text[at:]) else ()
        at += 1
    return ()
