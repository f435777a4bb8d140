# A server of a database of its own, for a dump: the one that serves is not asked. It runs as a number that
# no account has: a process of `nobody` is any service's that runs so too, which could join it, or read its
# memory. No way out of it, for what stands in a dump is another's.
HP_AFTER="[ ! -e $HP_D/ended ] || sh $HP_D/ended;"
hp_clean() {
  if [ -e "$HP_D/ended" ]; then sh "$HP_D/ended" >/dev/null 2>&1; fi
}
# hp_own NEED NAME...: its number, and folders of those names in the room that are its alone
hp_own() {
  hp_alone
  hp_room || undone no_mount
  if [ "$1" -gt "$HP_MOST" ]; then undone no_room "$HP_W: $HP_MOST KiB"; fi
  shift
  # a container may have begun one of that number meanwhile, which has nothing to do with it
  cat >"$HP_D/ended" <<ENDED
for hp_n in 1 2 3; do
  for hp_p in /proc/[0-9]*; do
    [ "\$(stat -c %u "\$hp_p" 2>/dev/null)" = $HP_NONE ] || continue
    ! { readlink "\$hp_p/cwd"; tr '\\0' ' ' <"\$hp_p/cmdline"; } 2>/dev/null | grep -q $HP_W || kill -9 "\${hp_p#/proc/}"
  done
done
ENDED
  for hp_n in shm cache "$@"; do
    mkdir -m 700 "$HP_W/$hp_n" && chown "$HP_NONE:$HP_NONE" "$HP_W/$hp_n" || undone no_room /run
  done
  # initdb asks for a name
  { cat /etc/passwd; printf 'hostpledge-probe:x:%s:%s::/:/bin/false\n' "$HP_NONE" "$HP_NONE"; } >"$HP_W/passwd"
  chmod 644 "$HP_W/passwd"
  chgrp "$HP_NONE" "$HP_D" "$HP_W" && chmod 710 "$HP_D" "$HP_W" || undone no_room /run
  cd / || undone no_room /
  # a socket that is a file is reached from any network
  if unshare --net true 2>/dev/null; then hp_net=--net; fi
  hp_as true || undone no_mount
}
hp_alone() {
  for hp_number in $HP_NUMBERS; do
    HP_NONE=
    hp_none
    # what a container or a user's own namespace runs has no entry here
    if [ "$HP_NONE" != - ] && ! getent passwd "$HP_NONE" >/dev/null 2>&1 &&
      ! stat -c %u /proc/[0-9]* 2>/dev/null | grep -qx "$HP_NONE" &&
      ! awk -F: -v n="$HP_NONE" '$2 + 0 <= n && n < $2 + $3 { f = 1 } END { exit !f }' /etc/subuid 2>/dev/null; then
      return
    fi
  done
  undone no_account
}
# with shared memory in the room too, and none that outlives it
hp_as() {
  unshare --mount --ipc ${hp_net:-} sh -c 'mount -n --make-rprivate / && mount -n --bind "$0/passwd" /etc/passwd &&
    { [ ! -d /dev/shm ] || mount -n --bind "$0/shm" /dev/shm; } && { [ ! -d /run/nscd ] || mount -n --bind "$0/cache" /run/nscd; } && exec "$@"' "$HP_W" \
    setpriv --reuid="$HP_NONE" --regid="$HP_NONE" --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all "$@"
}
# hp_kept COMMAND...: its exit status in hp_rc, and not too much of what it says of errors, outside of the room
hp_kept() {
  rm -f "$HP_D/rc"
  { "$@"; printf "%s\n" "$?" >"$HP_D/rc"; } 2>&1 >"$HP_W/out" </dev/null | head -c 100000 >"$HP_D/err"
  hp_rc=$(cat "$HP_D/rc" 2>/dev/null)
  if [ -z "$hp_rc" ]; then undone no_room /run; fi
}
hp_open() { case $hp_f in *.gz) gzip -dc <"$hp_in" ;; *.zst) zstd -qdc <"$hp_in" ;; *.xz) xz -dc <"$hp_in" ;; *) cat <"$hp_in" ;; esac; }
# hp_big TIMES KIB: so many KiB for all of it unpacked; more may be needed, and then it is found too little
hp_big() { printf "%s\n" "$((hp_size / 1024 * $1 + $2))"; }
# by name or by time: the newest of those that the pattern finds; and how large it is unpacked
hp_newest() {
  hp_f=$(ls -t -- $HP_PATH 2>/dev/null | head -n 1)
  if [ -z "$hp_f" ]; then say "restored nothing at $HP_PATH"; say 'state broken'; return 1; fi
  hp_own_copy "$hp_f"
}
# half of a dump loads as well as the whole
hp_sound() {
  hp_size=$({ hp_open 2>/dev/null || echo cut >"$HP_D/cut"; } | wc -c | tr -d ' ')
  if [ -e "$HP_D/cut" ]; then say 'error packed, and cut off or damaged'; say 'state broken'; return 1; fi
}
