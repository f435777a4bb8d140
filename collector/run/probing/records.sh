# The records of logins on this host that name a text: PLACE LINE.
hp_records() {
  if command -v journalctl >/dev/null 2>&1; then
    timeout 20 journalctl --no-pager --quiet --since=-10min -o short-iso 2>/dev/null </dev/null |
      grep -aF "$1" | sed 's/^/journal /' | head -n 3
  fi
  for hp_f in /var/log/auth.log /var/log/secure /var/log/messages /var/log/syslog; do
    if [ -r "$hp_f" ]; then
      tail -c 2000000 "$hp_f" | grep -aF "$1" | sed "s#^#$hp_f #" | head -n 3
    fi
  done
}
