# Two failed logins are counted together by what bans addresses; ours shall stay alone for an hour.
hp_act() {
  if command -v journalctl >/dev/null 2>&1; then
    hp_c=$(timeout 20 journalctl --no-pager --quiet --since=-60min _UID=0 2>/dev/null </dev/null |
      grep -a 'hostpledge-canary-[0-9a-f]* from ' | grep -caF " from $HP_SOURCE ")
    if [ "${hp_c:-0}" -gt 0 ]; then undone recent "$HP_SOURCE"; fi
  fi
}
