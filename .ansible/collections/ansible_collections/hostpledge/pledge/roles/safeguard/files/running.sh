# shellcheck shell=sh
# Which of the programs in NAMES run here, a line each: by a file of root's that goes by the name, started by no
# person, in our own namespace. A name alone is what anybody gives a process.
own=$(readlink /proc/self/ns/pid)
for name in $NAMES; do
  for number in $(pidof "$name" 2>/dev/null); do
    [ "$(readlink "/proc/$number/ns/pid")" = "$own" ] || continue
    file=$(readlink "/proc/$number/exe") || continue
    file=${file%' (deleted)'}
    case ${file##*/} in "$name" | busybox) ;; *) continue ;; esac
    [ ! -u "/proc/$number/exe" ] || continue
    [ "$(stat -L -c %u "/proc/$number/exe" 2>/dev/null)" = 0 ] || continue
    user=$(sed -n 's/^Uid:[[:space:]]*\([0-9]*\).*/\1/p' "/proc/$number/status" 2>/dev/null)
    [ "${user:-1000}" -lt 1000 ] || continue
    printf '%s\n' "$name"
    break
  done
done
