# hp_own_copy FILE: is it a file, and no way that a user laid to another one? It is read as root, and
# what is said of it goes into the evidence. From then on it is hp_in, whatever comes in its place.
hp_own_copy() {
  [ -e "$1" ] || undone no_settings "$1: no file"
  hp_at=$1
  while [ -L "$hp_at" ]; do
    [ "$(stat -c %u "$hp_at" 2>/dev/null)" = 0 ] ||
      undone no_settings "$1: a link"
    case $(stat -c '%u %A' "${hp_at%/*}/") in (0\ d????-??-?) ;; (*) undone no_settings "$1: a link" ;; esac
    hp_to=$(readlink "$hp_at")
    case $hp_to in (/*) hp_at=$hp_to ;; (*) hp_at=${hp_at%/*}/$hp_to ;; esac
  done
  [ -f "$hp_at" ] || undone no_settings "$1: no file"
  { command exec 9<"$hp_at"; } 2>/dev/null || undone no_settings "$1: cannot be read"
  hp_in=/proc/$$/fd/9
  hp_seen=$(stat -L -c '%d %i' "$hp_in" 2>/dev/null)
  [ -n "$hp_seen" ] && [ "$hp_seen" = "$(stat -c '%d %i' "$hp_at" 2>/dev/null)" ] ||
    undone no_settings "$1: another one came in its place"
}
