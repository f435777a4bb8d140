# How often one may fail, as fail2ban says; the address is let in again later, whatever comes.
hp_act() {
  command -v fail2ban-client >/dev/null 2>&1 || undone no_program fail2ban-client
  command -v systemd-run >/dev/null 2>&1 || undone no_removal systemd-run
  hp_j=$(fail2ban-client status 2>/dev/null | sed -n 's/.*Jail list:[[:space:]]*//p' | tr ',' ' ')
  for hp_i in $hp_j; do
    case $hp_i in
      *ssh*) say "limit $hp_i $(fail2ban-client get "$hp_i" maxretry 2>/dev/null)" ;;
    esac
  done
  if fail2ban-client banned "$HP_ADDRESS" 2>/dev/null | grep -q '[a-z]'; then undone busy "$HP_ADDRESS"; fi
  # not stopped with this act: it is there for the case that the other one never comes
  systemd-run --quiet --collect --unit="hostpledge-probe-unban-$HP_N" --on-active=600 \
    fail2ban-client unban "$HP_ADDRESS" >/dev/null 2>&1 || undone no_removal systemd-run
  say "jails $hp_j"
}
