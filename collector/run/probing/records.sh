# hp_named TEXT: the lines that name it. As an argument of grep every user could read it, and write
# such a line himself; a process's environment is read by its own user alone.
hp_named() { HP_TEXT=$1 awk 'index($0, ENVIRON["HP_TEXT"])'; }
# hp_journal MATCH...: what is in the journal of the last ten minutes.
hp_journal() {
  if command -v journalctl >/dev/null 2>&1; then
    timeout 20 journalctl --no-pager --quiet --since=-10min -o short-iso "$@" 2>/dev/null </dev/null
  fi
}
# The records of logins on this host that name a text: PLACE LINE. Who wrote them is not known, so the
# text has to be one that nobody else could know.
hp_records() {
  hp_journal | hp_named "$1" | sed 's/^/journal /' | head -n 3
  for hp_f in /var/log/auth.log /var/log/secure /var/log/messages /var/log/syslog; do
    if [ -r "$hp_f" ]; then
      tail -c 2000000 "$hp_f" | hp_named "$1" | sed "s#^#$hp_f #" | head -n 3
    fi
  done
}
# Of these what this very server of SSH wrote, as journald saw it: _EXE is the program's own path, where
# _COMM is any name that a user gives to a link to sudo, and he that calls `logger` is no root.
hp_server_wrote() {
  set -- _UID=0
  hp_p=$$
  while [ "${hp_p:-0}" -gt 1 ]; do
    hp_x=$(readlink "/proc/$hp_p/exe" 2>/dev/null)
    hp_x=${hp_x%' (deleted)'}
    case $hp_x in */sshd | */sshd-session | */dropbear) set -- "$@" "_EXE=$hp_x" ;; esac
    hp_p=$(sed -n 's/^PPid:[^0-9]*//p' "/proc/$hp_p/status" 2>/dev/null)
  done
  if [ $# -gt 1 ]; then hp_journal "$@" | hp_named "$HP_LOGIN" | sed 's/^/journal /' | head -n 3; fi
}
