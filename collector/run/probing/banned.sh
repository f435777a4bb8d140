# The jails that hold the address: asked as every fail2ban can be.
hp_banned() {
  for hp_i in $(fail2ban-client status 2>/dev/null | sed -n 's/.*Jail list:[[:space:]]*//p' | tr ',' ' '); do
    if fail2ban-client status "$hp_i" 2>/dev/null | sed -n 's/.*Banned IP list:[[:space:]]*//p' |
      tr ' ' '\n' | grep -qxF "$HP_ADDRESS"; then printf '%s\n' "$hp_i"; fi
  done
}
# Out, and it stays so: failures that are counted late ban it once more.
hp_unban() {
  hp_n=0
  hp_clean_times=0
  fail2ban-client unban "$HP_ADDRESS" 2>&1 | lines unbanned
  while [ "$hp_n" -lt 12 ] && [ "$hp_clean_times" -lt "$1" ]; do
    sleep 1
    hp_n=$((hp_n + 1))
    hp_clean_times=$((hp_clean_times + 1))
    hp_still=$(hp_banned)
    if [ -n "$hp_still" ]; then
      hp_clean_times=0
      for hp_i in $hp_still; do
        fail2ban-client set "$hp_i" unbanip "$HP_ADDRESS" >/dev/null 2>&1
      done
    fi
  done
}
