"""What answers when ssh asks for a password: Ansible's own program, but for two kinds of question.

That program gives the password to every question with `assword` in it. A host that holds a
password for expired asks for a new one that way: it would be changed by a look. And a jump host
asks three times, each time a wrong one is given: a few hosts behind it, and the account is locked.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

_ASKS, _ANSWERS, _OWN = "SSH_ASKPASS", "_ANSIBLE_SSH_ASKPASS_SHM", "HOSTPLEDGE_ASKPASS"
# what PAM asks is the last line of the question, below why it does
_CAREFUL = f"""#!/bin/sh
case $1 in
*"New password:"*|*"New UNIX password:"*|*"Enter new "*|*"Retype "*|*"Re-enter "*|\\
*"Current password:"*|*"(current) "*|*"'s old password:"*|*"'s new password:"*)
  echo "Your password has expired, and the host wants you to change it." >&2
  exit 1 ;;
esac
asked="$0.${_ANSWERS}.$PPID"
if grep -qxF -e "$1" "$asked" 2>/dev/null; then
  echo "Permission denied (the password was refused)." >&2
  kill "$PPID"
  exit 1
fi
printf '%s\\n' "$1" >>"$asked"
exec "${_OWN}" "$@"
"""


def careful(env: Mapping[str, str], folder: Path) -> Mapping[str, str]:
    """`env` for an ssh that does not answer where a new password is asked for.

    The program is written to `folder`; where programs may not run there, `env` stays as it is.
    """
    if _ANSWERS not in env or _ASKS not in env:
        return env
    program = folder / "hostpledge-askpass"
    if not program.exists():
        # each worker may be the first
        handle, name = tempfile.mkstemp(dir=folder)
        with open(handle, "w", encoding="ascii") as file:
            file.write(_CAREFUL)
        Path(name).chmod(0o700)
        Path(name).rename(program)
    if not os.access(program, os.X_OK):
        return env
    return {**env, _ASKS: str(program), _OWN: env[_ASKS]}
