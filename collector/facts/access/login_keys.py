"""Keys that accounts may log in with: how many, and whether sshd will look at them at all."""

from __future__ import annotations

from dataclasses import dataclass

from collector.errors import NotUnderstood
from collector.facts.base.opened import OPENED
from collector.i18n.message import msg
from collector.model import Capture

# Of each file: how many lines hold a key, how many of these leave their holder a shell for good,
# and what StrictModes makes of it (misc.c, safe_path(): the file, and the folders up to the home).
# As Debian has it a group of one's own may write to them; whether it is one's own is not asked.
KEYS = (
    OPENED
    + r"""
count='
  /^[ \t]*(#|$)/ { next }
  match($0, /(^|[ \t])[A-Za-z0-9.@-]+[ \t]+AAAA[A-Za-z0-9+\/]+/) {
    any++
    told = tolower(substr($0, 1, RSTART - 1))
    if (told !~ /(^|[ \t,"])(command|expiry-time|cert-authority|principals)/) free++
  }
  END { print any + 0 ":" free + 0 }'
while IFS=: read -r n p u g c h s; do
  case "$s" in */nologin|*/false|*/true|*/sync|'#'*) continue;; esac
  for f in .ssh/authorized_keys .ssh/authorized_keys2; do
    [ -s "$h/$f" ] && hp_plain "$h/$f" || continue
    t=ok
    for d in "$h" "$h/.ssh" "$h/$f"; do
      hp_facts "$d" L || { t=unread; break; }
      case $h_uid in (0|"$u") ;; (*) t=loose;; esac
      case $h_mode in
        (????????w*) t=loose;;
        (?????w*) [ "$t" = loose ] || t=group;;
      esac
    done
    k=$(hp_by "$h/$f" awk "$count" 2>/dev/null)
    [ -n "$k" ] || { k=0:0; t=unread; }
    printf '%s:%s:%s:%s\n' "$n" "$h/$f" "$k" "$t"
  done
done </etc/passwd
for f in /etc/nologin /run/nologin; do [ -e "$f" ] && printf '#nologin %s\n' "$f"; done
:
"""
)


@dataclass(frozen=True, slots=True)
class KeyFile:
    """A file of keys of an account; `free` of its `keys` give a shell, today and tomorrow.

    `state` is `ok`, `group` (a group can write to it), `loose` (others can, or it is another's) or
    `unread`; `untold` in captures that only say that something is in the file.
    """

    account: str
    keys: int
    free: int
    state: str

    @property
    def door(self) -> bool:
        """May somebody come in by it, as far as is known?"""
        return self.keys > 0 or self.state in ("unread", "untold")

    def opens(self, *, strict: bool) -> bool:
        """Does its holder come in by it?"""
        taken = ("ok", "untold") if strict else ("ok", "untold", "group", "loose")
        return self.state in taken and (self.free > 0 or self.state == "untold")


def key_files(capture: Capture) -> tuple[KeyFile, ...]:
    """Raises FactError."""
    found = []
    for line in capture.read("sshd.keys").text().splitlines():
        if line.startswith("#nologin ") or ":" not in line:
            continue
        name, _, *rest = line.split(":")
        if not rest:
            found.append(KeyFile(name, 0, 0, "untold"))
        elif len(rest) == 3 and rest[0].isdecimal() and rest[1].isdecimal():
            found.append(KeyFile(name, int(rest[0]), int(rest[1]), rest[2]))
        else:
            raise NotUnderstood("sshd.keys", msg("not_understood", line=line))
    return tuple(found)


def key_holders(capture: Capture) -> frozenset[str]:
    """Accounts with a key in its usual place, or with a file there that may hold one."""
    return frozenset(file.account for file in key_files(capture) if file.door)


def key_users(capture: Capture, *, strict: bool = True) -> frozenset[str]:
    """Accounts that get a shell by a key, with StrictModes of sshd or without."""
    return frozenset(f.account for f in key_files(capture) if f.opens(strict=strict))


def key_doubts(capture: Capture) -> frozenset[str]:
    """Accounts of which it cannot be told: the file was not read, or a group can write to it."""
    return frozenset(
        f.account
        for f in key_files(capture)
        if f.state == "unread" or (f.state == "group" and f.free)
    )


def nobody_but_root(capture: Capture) -> str | None:
    """The file by which pam_nologin(8) keeps all but root out, where there is one."""
    for line in capture.read("sshd.keys").text().splitlines():
        if line.startswith("#nologin "):
            return line.partition(" ")[2]
    return None
