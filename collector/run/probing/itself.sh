# Which machine this is, in words that tell nobody else: its start and its id, with a number of this probe.
hp_self() {
  hp_who=$(cat /proc/sys/kernel/random/boot_id /etc/machine-id 2>/dev/null)
  if [ -n "$hp_who" ] && command -v sha256sum >/dev/null 2>&1; then
    say "self $(printf '%s %s' "$1" "$hp_who" | sha256sum | cut -c 1-32)"
  fi
}
