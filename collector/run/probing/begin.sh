# What each act on a host begins with. It starts only once all of it has arrived, goes on to its end
# where the connection does not, and takes away what it planted however it ends (ADR 59).
HP_D=/run/hostpledge-probe

say() { printf '%s\n' "$*" 2>/dev/null; }
undone() {
  say "undone $*"
  if [ -z "${HP_LOCKED:-}" ]; then say "== end"; fi
  exit 0
}
# what others print stands on one line each, and is cut
lines() { tr -d '\r' | tr '\t\v\f' '   ' | cut -c 1-300 | head -n "${2:-3}" | sed "s/^/$1 /" 2>/dev/null; }

hp_stopped() {
  for hp_s in /run/hostpledge-probe.stop /etc/hostpledge/probe.stop; do
    if [ -e "$hp_s" ]; then undone stopped "$hp_s"; fi
  done
}

# an act that was killed: its lock stays until the next one, or the next start of the host
hp_sweep() {
  if [ -e "$HP_D/planted" ]; then
    while IFS= read -r hp_p; do
      case $hp_p in /etc/tmpfiles.d/hostpledge-probe-*.conf) rm -f -- "$hp_p" ;; esac
    done <"$HP_D/planted"
    if [ -e "$HP_D/time" ]; then touch -c -r "$HP_D/time" /etc/tmpfiles.d; fi
  fi
  # its timer would take away what is the next one's
  systemctl stop "hostpledge-probe-$(cat "$HP_D/nonce" 2>/dev/null).timer" >/dev/null 2>&1 </dev/null
  if [ -e "$HP_D/ended" ]; then sh "$HP_D/ended" >/dev/null 2>&1; fi
  hp_away
}
# a room that is mounted in it goes first
hp_away() {
  if [ -d "$HP_D/room" ]; then umount -n -l "$HP_D/room" 2>/dev/null; fi
  rm -rf -- "$HP_D"
}

hp_lock() {
  if [ "$(stat -f -c %T /run 2>/dev/null)" != tmpfs ]; then undone no_removal /run; fi
  if ! mkdir -m 700 "$HP_D" 2>/dev/null; then
    if [ ! -d "$HP_D" ]; then undone no_room /run; fi
    hp_pid=$(cat "$HP_D/pid" 2>/dev/null)
    if [ -n "$hp_pid" ] && [ "$(hp_born "$hp_pid")" = "$(cat "$HP_D/born" 2>/dev/null)" ] && [ -d "/proc/$hp_pid" ]; then
      undone busy
    fi
    # one that has only just begun has not written its number yet
    if [ -z "$hp_pid" ]; then sleep 2; [ ! -s "$HP_D/pid" ] || undone busy; fi
    hp_sweep
    mkdir -m 700 "$HP_D" 2>/dev/null || undone busy
  fi
  HP_LOCKED=1
  trap hp_end EXIT
  trap 'exit 1' HUP INT TERM
  { printf '%s\n' "$HP_N" >"$HP_D/nonce" && hp_born $$ >"$HP_D/born" &&
    printf '%s\n' $$ >"$HP_D/pid"; } 2>/dev/null || undone no_room /run
  hp_later "${HP_AFTER:-} umount -n -l $HP_D/room 2>/dev/null; rm -rf -- $HP_D"
}

# when a process was started, which no later one of its number shares
hp_born() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d ' ' -f 20; }

# what would be left of an act that is killed is taken away by systemd, a quarter of an hour later
hp_later() {
  if systemd-run --quiet --collect --unit="hostpledge-probe-$HP_N" --on-active=900 \
    /bin/sh -c "$1" >/dev/null 2>&1 </dev/null; then
    HP_TIMER=1
  elif [ -n "${HP_AFTER:-}" ]; then
    undone no_removal systemd-run
  fi
}

hp_end() {
  trap '' HUP INT TERM
  hp_clean
  if [ -n "${HP_TIMER:-}" ]; then
    systemctl stop "hostpledge-probe-$HP_N.timer" >/dev/null 2>&1 </dev/null
  fi
  hp_away
  for hp_p in "$HP_D" ${HP_PLANTED:-}; do
    if [ -e "$hp_p" ]; then say "left $hp_p"; fi
  done
  say "== end"
}
hp_clean() { :; }
