"""Which processes hold a socket, by the end of a line of ss(8).

iproute2 3.10 of CentOS 7.0 to 7.2 prints the number bare, later ones `pid=`; between it and the
file descriptor there may stand the context of SELinux.
"""

from __future__ import annotations

import re

_USER = re.compile(r'\("((?:[^"\\]|\\.)*)",(?:pid=)?(\d{1,9})\b')


def holders(text: str) -> tuple[tuple[str, int], ...]:
    """(name, number of the process) of each holder.

    >>> holders('users:(("nginx",1312,5),("nginx",1333,5))')
    (('nginx', 1312), ('nginx', 1333))
    >>> holders('users:(("sshd",pid=812,proc_ctx=system_u:system_r:sshd_t:s0,fd=3))')
    (('sshd', 812),)
    """
    return tuple((name, int(pid)) for name, pid in _USER.findall(text))
