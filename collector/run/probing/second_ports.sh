# On a second node of the inventory: TCP connections that say nothing, five begun in a second.
hp_one() {
  hp_said=$(timeout 2 bash -c 'exec 3<>"/dev/tcp/$1/$2"' - "$HP_TARGET" "$1" 2>&1)
  hp_rc=$?
  case $hp_rc:$hp_said in
    0:*) hp_state=open ;;
    *refused*) hp_state=closed ;;
    124:* | *'No route'* | *unreachable* | *denied* | *'not permitted'* | *'timed out'*) hp_state=silent ;;
    *) hp_state=unknown ;;
  esac
  say "$2 $1 $hp_state"
}
hp_act() {
  for hp_c in bash timeout ip; do
    command -v "$hp_c" >/dev/null 2>&1 || undone no_program "$hp_c"
  done
  say "source $(ip -o route get "$HP_TARGET" 2>/dev/null | sed -n 's/.* src \([^ ]*\).*/\1/p')"
  hp_all=$(
    for hp_p in $HP_PORTS; do
      hp_one "$hp_p" port &
      # never more than ten in a second, whatever a busy machine makes of it
      sleep 0.2
    done
    wait
  )
  printf '%s\n' "$hp_all"
  # what answered before has to answer still: a ban of this node would look like ports that are shut
  hp_again=$(printf '%s\n' "$hp_all" | sed -n -e 's/^port \([0-9]*\) open$/\1/p' | head -n 1)
  if [ -z "$hp_again" ]; then
    hp_again=$(printf '%s\n' "$hp_all" | sed -n -e 's/^port \([0-9]*\) closed$/\1/p' | head -n 1)
  fi
  if [ -n "$hp_again" ]; then hp_one "$hp_again" afterwards; fi
}
