# What a restore lays down lies in a room of its own in memory: it may be full, and /run is not. What is
# cut off by that says nothing of the copy.
# hp_room: makes it, in HP_W, no larger than HP_MOST KiB; fails where nothing may be mounted. A mount that is
# written down (without -n) would leave a folder in /run.
hp_room() {
  # half of what the host could give to somebody else, and not more than /run would have taken
  HP_MOST=$(awk '/^MemAvailable:/ { print int($2 / 2) }' /proc/meminfo)
  hp_n=$(df -Pk /run | awk 'NR == 2 { print $4 }')
  if [ "${HP_MOST:-0}" -eq 0 ] || [ "$hp_n" -lt "$HP_MOST" ]; then HP_MOST=$hp_n; fi
  if [ "$HP_MOST" -lt 4096 ]; then undone no_room "/run: $hp_n KiB"; fi
  HP_W=$HP_D/room
  mkdir -m 700 "$HP_W" 2>/dev/null || undone no_room /run
  mount -n -t tmpfs -o "size=${HP_MOST}k,nr_inodes=200k,mode=0700,nosuid,nodev" hostpledge-probe "$HP_W" 2>/dev/null
}
# hp_files: the same for some files; where nothing may be mounted each of them is bounded instead, to an
# eighth of it (in halves of a KiB)
hp_files() {
  if ! hp_room; then hp_cap=$((HP_MOST / 4)); ulimit -f "$hp_cap" || undone no_mount; fi
}
hp_full() {
  if [ -n "${hp_cap:-}" ]; then
    [ -n "$(find "$HP_W" -type f -size "+$((hp_cap - 1))b" 2>/dev/null | head -n 1)" ]
  else
    [ "$(df -Pk "$HP_W" | awk 'NR == 2 { print $4 }')" -lt 1024 ] || grep -aqs 'No space left on device' "$HP_W/err" "$HP_D/err"
  fi
}
# hp_told STATE: what came of it
hp_told() {
  case $1 in same | loaded | verified) ;; *) if hp_full; then undone no_room "$HP_W: $HP_MOST KiB"; fi ;; esac
  say "state $1"
}
