# Lets the address in again, and sees to it that nothing waits to do so.
hp_act() {
  fail2ban-client unban "$HP_ADDRESS" 2>&1 | lines unbanned
  systemctl stop "hostpledge-probe-unban-$HP_N.timer" >/dev/null 2>&1
  if fail2ban-client banned "$HP_ADDRESS" 2>/dev/null | grep -q '[a-z]'; then say "left ban of $HP_ADDRESS"; fi
}
