# hp_live FILE BEFORE [OWNER]: into hp_l the digest of what lies there now, where it is older than BEFORE
# (seconds); whose copy it is compared with may be of a user, OWNER, who writes into it what he likes.
# Only where root alone can change what lies in its folders: in a user's another file may come in its
# place at any moment, and the digest goes into the evidence.
hp_owner() { if [ -d "$1" ]; then stat -c %u "$1"; fi; }
hp_live() {
  hp_l=
  [ -f "$1" ] && [ "$(readlink -f -- "$1" 2>/dev/null)" = "$1" ] || return 1
  # who sets the time of a file back does not set that of its change
  hp_of=$(stat -c '%Y %Z %u' "$1" 2>/dev/null) || return 1
  for hp_one_time in ${hp_of% *}; do [ "$hp_one_time" -lt "$2" ] || return 1; done
  if [ "${3:-0}" != 0 ] && [ "${hp_of##* }" != "$3" ]; then return 1; fi
  hp_at=$1
  while [ -n "$hp_at" ]; do
    hp_at=${hp_at%/*}
    case $(stat -c '%u %A' "${hp_at:-/}") in (0\ d????-??-?) ;; (*) return 1 ;; esac
  done
  timeout 120 dd if="$1" iflag=nofollow,nonblock bs=65536 count=512 >"$HP_W/live" 2>/dev/null || return 1
  # shellcheck disable=SC2034  # said by who asks
  hp_l=$(sha256sum <"$HP_W/live" | cut -c 1-64)
}
