#!/usr/bin/python
"""Keeps what is on the host before it is changed. Runs on the target: Python 3.8 and later."""

from __future__ import annotations

DOCUMENTATION = r"""
module: remember
short_description: Keeps files and the state of units before they are changed
description:
  - What was seen first is kept under C(/var/lib/hostpledge/undo/FAMILY) and never overwritten, so
    that C(sh /var/lib/hostpledge/undo/undo.sh FAMILY) puts the family back to where it was before
    hostpledge, however often it was hardened since. That script needs neither Python nor Ansible.
  - Changed only when something new was kept. In check mode nothing is kept, and nothing is changed.
  - A path that is new and cannot be written is refused in a line, before anything is changed.
  - Content, mode, owner, times, extended attributes, ACLs and the SELinux context are put back.
options:
  family:
    description: The family of controls that the change belongs to.
    type: str
    required: true
  paths:
    description:
      - Files and symbolic links that will be written, changed or removed. One that is not there yet
        is removed when the family is put back, and so are the folders on the way to it that are
        not there yet, as long as nothing else lies in them.
      - Of a link, the file that it leads to is kept too.
      - Of a folder only mode, owner and ACL are kept, never what lies in it.
    type: list
    elements: str
    default: []
  attributes:
    description:
      - Paths whose mode, owner and ACL will be changed and whose content must never be put back,
        such as logs.
    type: list
    elements: str
    default: []
  units:
    description: systemd units whose enabled, masked and active state is put back.
    type: list
    elements: str
    default: []
  after:
    description: Commands that run once, in this order, after files and units are put back.
    type: list
    elements: str
    default: []
  undo:
    description: Text of undo.sh. The action plugin of the same name fills it in.
    type: str
    required: true
  spare:
    description: >-
      Set by the action of the same name where nothing has to be written. A path that cannot be
      written is then neither refused nor kept.
    type: bool
    default: false
  token:
    description: Set by M(hostpledge.pledge.guard), which keeps the present state apart and starts a timer.
    type: str
  seconds:
    description: Set by M(hostpledge.pledge.guard), after how many seconds the timer fires.
    type: int
  place:
    description: The folder that all this is kept in.
    type: str
    default: /var/lib/hostpledge/undo
author: hostpledge (@hostpledge)
attributes:
  check_mode:
    support: full
    description: Nothing is kept in check mode, and what would be is said.
notes:
  - The action of the same name needs the Python package hostpledge in the Python that runs Ansible.
"""

EXAMPLES = r"""
- name: Remember what is there
  hostpledge.pledge.remember:
    family: logging
    paths: [/etc/logrotate.d/hostpledge]
    attributes: [/var/log/auth.log]
    units: [rsyslog.service]
    after: ["systemctl try-reload-or-restart rsyslog"]
"""

RETURN = r"""
remembered:
  description: What is newly kept, a line each.
  returned: always
  type: list
  elements: str
things:
  description: By path which file the attributes are those of, for M(hostpledge.pledge.narrow).
  returned: always
  type: dict
left:
  description: Attributes that are not kept, for a user could have laid there what he likes; a line each.
  returned: always
  type: list
  elements: str
"""

import contextlib
import errno
import fcntl
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from typing import IO, Any

from ansible.module_utils.basic import AnsibleModule

try:  # beside a role
    from ansible.module_utils.hostpledge_place import (
        Place,
        barred,
        checked,
        look_all,
        look_attributes,
        write_aside,
    )
    from ansible.module_utils.hostpledge_walk import Refused
except ImportError:  # in a collection
    from ansible_collections.hostpledge.pledge.plugins.module_utils.place import (
        Place,
        barred,
        checked,
        look_all,
        look_attributes,
        write_aside,
    )
    from ansible_collections.hostpledge.pledge.plugins.module_utils.walk import Refused

FAMILY = re.compile(r"[a-z][a-z0-9_-]*\Z")


class Barred(Refused):
    """Nothing was kept, for something that would be changed cannot be written."""


@contextlib.contextmanager
def ready(folder: str, undo: str) -> Iterator[None]:
    """Makes the folder, puts undo.sh there and holds the lock."""
    if not os.path.isdir(folder):
        os.makedirs(folder, 0o700)
    os.chmod(folder, 0o700)
    with open(os.path.join(folder, ".lock"), "w") as lock:
        begun = time.monotonic()
        while not locked(lock):
            if time.monotonic() - begun > 120:
                raise Refused(f"another run is at work in {folder} for more than 120 s")
            time.sleep(0.1)
        script = os.path.join(folder, "undo.sh")
        if text_of(script) != undo.strip():
            write_aside(script, undo)
        yield


def locked(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def remember(module: AnsibleModule, given: dict[str, Any], folder: str) -> dict[str, Any]:
    """Keeps what is new of a family; returns the lines that say what, and what was seen."""
    family = os.path.join(folder, given["family"])
    if module.check_mode:
        place, new = Place(module, family), []
        refuse_barred(place, given, folder)
        for path in given["attributes"]:
            look_attributes(place, checked(path, folder), keep=False)
    else:
        with ready(folder, given["undo"]):
            if not os.path.isdir(family):
                os.mkdir(family, 0o700)
            place = Place(module, family)
            try:
                refuse_barred(place, given, folder)
                new = look_all(place, given, folder)
                if new:
                    place.save()
            except (OSError, Refused):
                place.forget_copies()
                raise
    return {
        "changed": bool(new), "remembered": new, "things": place.things, "left": place.left
    }  # fmt: skip


def refuse_barred(place: Place, given: dict[str, Any], folder: str) -> None:
    """Before anything is changed: what is new and cannot be written leaves all as it is.

    What was kept before has been changed already, and may well have been frozen since.
    """
    open_to_us = []
    for path in (checked(path, folder) for path in given["paths"]):
        why = "" if place.has("path", path) else barred(path)
        if not why:
            open_to_us.append(path)
        elif not given["spare"]:
            raise Barred(f"{why}, nothing that needs it is changed: make it writable first")
    given["paths"] = open_to_us


def boot() -> str:
    try:
        with open("/proc/sys/kernel/random/boot_id") as stream:
            return stream.read().strip()
    except OSError:
        return ""


def text_of(*parts: str) -> str:
    try:
        with open(os.path.join(*parts)) as stream:
            return stream.read().strip()
    except (OSError, UnicodeDecodeError):
        return ""


def left_over(module: AnsibleModule, armed: str, family: str) -> list[str]:
    """What an earlier run left: raises Refused where it is still at work, else says what it was.

    What was rolled back in time is told by hostpledge_preflight, before anything else.
    """
    state = os.path.join(armed, family)
    for name in os.listdir(armed):
        if name.startswith(f".{family}.") or name == f"{family}.fired":
            shutil.rmtree(os.path.join(armed, name))
    if not os.path.isdir(state):
        return []
    boot_then, until = [*text_of(state, "until").split(), "", "0"][:2]
    left = int(until) - int(time.time())
    if boot_then != boot():
        shutil.rmtree(state)
        return [
            f"{family}: an earlier run was cut off, and the host was started again before it put "
            "the change back: what that run had changed is still there"
        ]
    if left > -30:
        raise Refused(
            f"{family}: another run is changing this, and has {max(left, 0)} s left to confirm it"
        )
    script = os.path.join(os.path.dirname(armed), "undo.sh")
    # under the lock that this run holds already
    argv = ["/bin/sh", script, "--abandon", family, text_of(state, "token")]
    _status, _text, error = module.run_command(argv, environ_update={"HOSTPLEDGE_LOCKED": "yes"})
    return [
        f"{family}: an earlier run was cut off and its rollback did not come; it is put back now"
        + (f" ({error.strip()})" if error.strip() else "")
    ]


def arm(module: AnsibleModule, given: dict[str, Any], folder: str) -> tuple[str, list[str]]:
    """Keeps the present state and starts the timer; returns what started it and what was left."""
    family = given["family"]
    with ready(folder, given["undo"]):
        armed = os.path.join(folder, ".armed")
        if not os.path.isdir(armed):
            os.mkdir(armed, 0o700)
        state = os.path.join(armed, family)
        said = left_over(module, armed, family)
        aside = tempfile.mkdtemp(dir=armed, prefix=f".{family}.")
        try:
            place = Place(module, aside)
            look_all(place, given, folder)
            place.save()
            write_aside(os.path.join(aside, "token"), given["token"] + "\n")
            until = int(time.time()) + given["seconds"]
            write_aside(os.path.join(aside, "until"), f"{boot()} {until}\n")
            os.rename(aside, state)
        except (OSError, Refused):
            shutil.rmtree(aside, ignore_errors=True)
            raise
        script = os.path.join(folder, "undo.sh")
        argv = ["/bin/sh", script, "--arm", family, given["token"], str(given["seconds"])]
        status, text, error = module.run_command(argv)
        if status != 0 or not text.strip():
            shutil.rmtree(state, ignore_errors=True)
            raise Refused(f"no timer can be started, so nothing is changed: {error.strip()}")
    return text.strip(), said


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "family": {"type": "str", "required": True},
            "paths": {"type": "list", "elements": "str", "default": []},
            "attributes": {"type": "list", "elements": "str", "default": []},
            "units": {"type": "list", "elements": "str", "default": []},
            "after": {"type": "list", "elements": "str", "default": []},
            # not secret: the host's log need not hold a whole script for each step
            "undo": {"type": "str", "required": True, "no_log": True},
            "spare": {"type": "bool", "default": False},
            "token": {"type": "str", "no_log": False},
            "seconds": {"type": "int"},
            "place": {"type": "str", "default": "/var/lib/hostpledge/undo"},
        },
        required_together=[("token", "seconds")],
        supports_check_mode=True,
    )
    module.run_command_environ_update = {"LC_ALL": "C", "LANGUAGE": "C"}
    given = module.params
    folder = os.path.normpath(given["place"])
    if not FAMILY.match(given["family"]):
        module.fail_json(msg=f"{given['family']!r} is no name of a family")
    try:
        if given["token"]:
            timer, said = arm(module, given, folder)
            module.exit_json(changed=False, timer=timer, left_over=said)
        told = remember(module, given, folder)
    except Refused as problem:
        module.fail_json(msg=str(problem), barred=isinstance(problem, Barred))
    except OSError as problem:
        why = {
            errno.ENOSPC: "the disk is full",
            errno.EROFS: "it is on a read-only file system",
            errno.EDQUOT: "the quota is used up",
        }.get(problem.errno, problem.strerror)
        module.fail_json(
            msg=f"nothing is changed, for it could not be kept: {problem.filename or folder}: {why}"
        )
    module.exit_json(**told)


if __name__ == "__main__":
    main()
