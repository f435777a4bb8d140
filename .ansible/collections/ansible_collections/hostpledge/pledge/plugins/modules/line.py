#!/usr/bin/python
"""Sets a line of a file that may lie in the reach of a user. Python 3.8 and later."""

from __future__ import annotations

DOCUMENTATION = r"""
module: line
short_description: Sets a line of a file, also where a user may rename it
description:
  - As M(ansible.builtin.lineinfile), but the file is reached from / without a link that a user could have laid, and
    written in the very folder that was reached. A service often owns the folder of its settings.
  - Where a user has laid a link, or another name of somebody else's file, it fails in a line and changes nothing.
options:
  path:
    description: The file. It has to be there.
    type: str
    required: true
  regexp:
    description: The last line that it fits is replaced.
    type: str
    required: true
  line:
    description: The line.
    type: str
    required: true
  insertafter:
    description: Where none fits, the line is added behind the last that this fits, or at the end.
    type: str
author: hostpledge (@hostpledge)
attributes:
  check_mode:
    support: full
    description: Nothing is changed in check mode, and what would be is said.
  diff_mode:
    support: none
    description: What people wrote there is not shown.
"""

EXAMPLES = r"""
- name: Bind Redis to loopback
  hostpledge.pledge.line:
    path: /etc/redis/redis.conf
    regexp: '^\s*bind\s'
    line: bind 127.0.0.1
"""

RETURN = r"""
file:
  description: The file without a link in its path.
  returned: success
  type: str
"""

import os
import re
import stat
from typing import Any

from ansible.module_utils.basic import AnsibleModule

try:  # beside a role
    from ansible.module_utils.hostpledge_walk import Held, Refused, held
except ImportError:  # in a collection
    from ansible_collections.hostpledge.pledge.plugins.module_utils.walk import Held, Refused, held

_MOST = 16 << 20


def with_line(text: str, given: dict[str, Any]) -> str:
    """The text with the line in it."""
    lines = text.split("\n")
    if lines[-1] == "":
        lines.pop()
    fits = [n for n, old in enumerate(lines) if re.search(given["regexp"], old)]
    if fits:
        lines[fits[-1]] = given["line"]
    else:
        pattern = given["insertafter"]
        after = [n for n, old in enumerate(lines) if pattern and re.search(pattern, old)]
        lines.insert(after[-1] + 1 if after else len(lines), given["line"])
    return "\n".join(lines) + "\n"


def write(folder: Held, name: str, text: str, old: int) -> None:
    """Puts the text in the place of the file that is open, with all of its attributes."""
    aside = f".hostpledge.{os.getpid()}"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    number = os.open(aside, flags, 0o600, dir_fd=folder.number)
    try:
        with os.fdopen(number, "w", encoding="utf-8", errors="surrogateescape", newline="") as new:
            new.write(text)
            new.flush()
            seen = os.fstat(old)
            os.fchown(number, seen.st_uid, seen.st_gid)
            os.fchmod(number, stat.S_IMODE(seen.st_mode))
            for key in os.listxattr(old):
                if not key.startswith("security.ima"):
                    os.setxattr(number, key, os.getxattr(old, key))
            os.fsync(number)
        os.rename(aside, name, src_dir_fd=folder.number, dst_dir_fd=folder.number)
    except OSError:
        os.unlink(aside, dir_fd=folder.number)
        raise


def set_line(given: dict[str, Any], check: bool) -> tuple[str, bool]:
    """(the file, whether it is another now). Raises Refused and OSError."""
    with held(given["path"]) as found:
        found.alone()
        path = found.path
        if found.seen is None or not stat.S_ISREG(found.seen.st_mode):
            raise Refused(f"{given['path']} is no file")
        if found.seen.st_size > _MOST:
            raise Refused(f"{given['path']} has {found.seen.st_size >> 20} MiB")
        with open(found.name, encoding="utf-8", errors="surrogateescape", newline="") as file:
            text = file.read()
            new = with_line(text, given)
            if new != text and not check:
                replace(found, new, file.fileno())
    return path, new != text


def replace(found: Held, text: str, old: int) -> None:
    """Writes the text into the folder of the file, if this is the folder that it still lies in."""
    name = os.path.basename(found.path)
    with held(os.path.dirname(found.path)) as folder:
        now = os.stat(name, dir_fd=folder.number, follow_symlinks=False)
        if f"{now.st_dev}:{now.st_ino}" != found.identity:
            raise Refused(f"{found.path} is another file at each look")
        write(folder, name, text, old)


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "str", "required": True},
            "regexp": {"type": "str", "required": True},
            "line": {"type": "str", "required": True},
            "insertafter": {"type": "str"},
        },
        supports_check_mode=True,
    )
    try:
        path, changed = set_line(module.params, module.check_mode)
    except Refused as problem:
        module.fail_json(msg=f"{problem}; nothing is changed, a person has to look")
    except OSError as problem:
        module.fail_json(msg=f"{module.params['path']} cannot be changed: {problem.strerror}")
    module.exit_json(changed=changed, file=path)


if __name__ == "__main__":
    main()
