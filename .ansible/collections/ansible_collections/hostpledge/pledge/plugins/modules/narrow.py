#!/usr/bin/python
"""Takes rights away from files that may lie in the reach of a user. Python 3.8 and later."""

from __future__ import annotations

DOCUMENTATION = r"""
module: narrow
short_description: Takes rights away from files, also where users may rename them
description:
  - Each file is reached from / without a link that a user could have laid, and changed by the descriptor
    that holds it, so that nothing else is changed whatever a user puts in its place meanwhile.
  - Rights are taken away only, never given.
  - What is another file than M(hostpledge.pledge.remember) saw, a link, or a file with several names in the reach of
    a user is left alone, and said in a line.
options:
  files:
    description: The files and folders.
    type: list
    elements: dict
    required: true
    suboptions:
      path:
        description: Where it lies.
        type: str
        required: true
      most:
        description: The widest mode that it may keep, in octal digits.
        type: str
        required: true
      owner:
        description: To whom it is given.
        type: str
        choices: [root]
  things:
    description: What M(hostpledge.pledge.remember) returned by this name.
    type: dict
    required: true
author: hostpledge (@hostpledge)
attributes:
  check_mode:
    support: full
    description: Nothing is changed in check mode, and what would be is said.
  diff_mode:
    support: full
    description: Shows modes and owners.
"""

EXAMPLES = r"""
- name: Remember the mode of a file
  hostpledge.pledge.remember:
    family: classification
    attributes: [/srv/app/.env]
  register: remembered

- name: Close it to others
  hostpledge.pledge.narrow:
    files:
      - path: /srv/app/.env
        most: "7770"
    things: "{{ remembered.things }}"
"""

RETURN = r"""
narrowed:
  description: What was changed, a line each.
  returned: always
  type: list
  elements: str
left:
  description: What was left alone and why, a line each.
  returned: always
  type: list
  elements: str
"""

import os
import stat
from typing import Any

from ansible.module_utils.basic import AnsibleModule

try:  # beside a role
    from ansible.module_utils.hostpledge_walk import Held, Refused, held
except ImportError:  # in a collection
    from ansible_collections.hostpledge.pledge.plugins.module_utils.walk import Held, Refused, held


def wanted(found: Held, wish: dict[str, Any], things: dict[str, str]) -> tuple[int, int]:
    """(mode, uid) that it shall have. Raises Refused."""
    found.alone()
    seen = os.fstat(found.number)
    if not (stat.S_ISREG(seen.st_mode) or stat.S_ISDIR(seen.st_mode)):
        raise Refused(f"{wish['path']} is neither a file nor a folder")
    if things[wish["path"]] != found.identity:
        raise Refused(f"{wish['path']} is another file than was looked at")
    owner = seen.st_uid
    if wish["owner"] and owner != 0:
        if found.reach:
            raise Refused(f"{wish['path']} is not given to root: {found.reach}")
        owner = 0
    return stat.S_IMODE(seen.st_mode) & int(wish["most"], 8), owner


def narrow(wish: dict[str, Any], things: dict[str, str], check: bool) -> tuple[str, str]:
    """What it was and what it is, in words; both empty where nothing is to be done."""
    with held(wish["path"]) as found:
        if found.seen is None or wish["path"] not in things:
            return "", ""
        mode, owner = wanted(found, wish, things)
        seen = found.seen
        before = f"{stat.S_IMODE(seen.st_mode):04o} {seen.st_uid} {wish['path']}"
        after = f"{mode:04o} {owner} {wish['path']}"
        if after == before:
            return "", ""
        if not check:
            # first whose it is: the old owner could give himself the rights again
            if owner != seen.st_uid:
                os.chown(found.name, owner, -1)
            os.chmod(found.name, mode)
        return before, after


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "files": {
                "type": "list",
                "elements": "dict",
                "required": True,
                "options": {
                    "path": {"type": "str", "required": True},
                    "most": {"type": "str", "required": True},
                    "owner": {"type": "str", "choices": ["root"]},
                },
            },
            "things": {"type": "dict", "required": True},
        },
        supports_check_mode=True,
    )
    before, after, left = [], [], []
    for wish in module.params["files"]:
        try:
            was, now = narrow(wish, module.params["things"], module.check_mode)
        except Refused as problem:
            left.append(str(problem))
        except OSError as problem:
            left.append(f"{wish['path']} cannot be changed: {problem.strerror}")
        else:
            if now:
                before.append(was)
                after.append(now)
    module.exit_json(
        changed=bool(after),
        narrowed=after,
        left=left,
        diff={
            "before": "".join(f"{x}\n" for x in before),
            "after": "".join(f"{x}\n" for x in after),
        },
    )


if __name__ == "__main__":
    main()
