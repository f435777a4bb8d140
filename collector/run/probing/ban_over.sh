# Sees to it that the address is in and stays so, and that nothing waits to let it in.
hp_act() {
  hp_unban 5
  if [ -n "$(hp_banned)" ]; then
    say "left ban of $HP_ADDRESS"
  else
    systemctl stop "hostpledge-probe-unban-$HP_N.timer" >/dev/null 2>&1
  fi
}
