r"""Whether a process runs the file of this host that the link to its program names.

That link is a text: in namespaces of his own any user mounts what he likes over /usr, and runs a
program of his there, or (prctl(2), PR_SET_MM_MAP) has the link name one that he does not run. One
line of each process: its number; the file (`same`, `newer` where it was replaced since, `gone`,
`reach`: others than root can change it, `other`); the user namespace (`host`, `root`: one that root
has made, as systemd does for PrivateUsers=, `user`, - for not seen).

>>> program_files("7 same host\n8 other user\n", "-rwxr-xr-x 1 0 0 9 Jan  1  1970 /proc/7/exe\n")
{7: (True, False), 8: (False, True)}
"""

from __future__ import annotations

import re

from collector.errors import NotUnderstood
from collector.i18n.message import msg

# of the listing of links in `l`
PLACES = r"""echo '== spaces'
k=
printf '%s\n' "$l" | while IFS= read -r e; do
  p=${e#* /proc/}; p=${p%%/*}
  case $e in *' -> /'*) e=${e#* -> } ;; *) continue ;; esac
  case $e in
    *' (deleted)') e=${e%' (deleted)'}; f=gone; [ ! -f "$e" ] || f=newer ;;
    *) f=other; [ ! "/proc/$p/exe" -ef "$e" ] || f=same ;;
  esac
  case $f in same|newer)
    case $k in *":$e:"*) ;; *)
      hp_reach "$e"; [ -n "$R" ] && f=reach || k=$k:$e: ;;
    esac ;;
  esac
  s=user
  if [ "/proc/$p/ns/user" -ef /proc/self/ns/user ]; then s=host
  elif [ ! -e "/proc/$p/ns/user" ]; then s=-
  else
    # none but root makes one in which root is
    { while read -r a i b; do [ "$i" != 0 ] || s=root; done <"/proc/$p/uid_map"; } 2>/dev/null
  fi
  printf '%s\n' "$p $f $s"
done
echo '== files'
hp_ls -ldnL /proc/[0-9]*/exe 2>/dev/null
"""

_SPACE = re.compile(r"(\d+) (same|newer|gone|reach|other) (host|root|user|-)")
_FILE = re.compile(r"-.{4}(.)..(.)\S*\s+\d+\s+(\d+)\s+(\d+)\s.*\s/proc/(\d+)/exe")


def program_files(spaces: str, files: str) -> dict[int, tuple[bool, bool]]:
    """Of each pid that this was told of: `own` and `foreign` of its process.

    Raises NotUnderstood for a line of another form.
    """
    of_root = set()
    for line in files.splitlines():
        match = _FILE.fullmatch(line)
        if match and match[3] == "0" and match[2] != "w" and (match[1] != "w" or match[4] == "0"):
            of_root.add(int(match[5]))
    kept = {}
    for line in spaces.splitlines():
        match = _SPACE.fullmatch(line)
        if match is None:
            raise NotUnderstood("processes.all", msg("not_understood", line=line[:120]))
        pid, file, space = int(match[1]), match[2], match[3]
        if space != "-" and (file != "gone" or space == "user"):
            foreign = file == "other" or space == "user"
            kept[pid] = (not foreign and file != "reach" and pid in of_root, foreign)
    return kept
