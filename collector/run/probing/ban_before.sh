# How often one may fail, as fail2ban says; the address is let in again later, whatever comes.
hp_act() {
  command -v fail2ban-client >/dev/null 2>&1 || undone no_program fail2ban-client
  command -v systemd-run >/dev/null 2>&1 || undone no_removal systemd-run
  hp_j=$(fail2ban-client status 2>/dev/null | sed -n 's/.*Jail list:[[:space:]]*//p' | tr ',' ' ')
  hp_most=5
  for hp_i in $hp_j; do
    case $hp_i in
      *ssh*)
        hp_l=$(fail2ban-client get "$hp_i" maxretry 2>/dev/null)
        say "limit $hp_i $hp_l"
        case $hp_l in
          '' | *[!0-9]* | ????*) ;;
          *) if [ "$hp_l" -gt "$hp_most" ]; then hp_most=$hp_l; fi ;;
        esac
        ;;
    esac
  done
  if [ "$hp_most" -gt 20 ]; then hp_most=20; fi
  hp_later=$((hp_most * 10 + 90))
  if [ -n "$(hp_banned)" ]; then undone banned_already "$HP_ADDRESS"; fi
  # not stopped with this act: it is there for the case that the other one never comes
  systemd-run --quiet --collect --unit="hostpledge-probe-unban-$HP_N" --on-active="$hp_later" \
    fail2ban-client unban "$HP_ADDRESS" >/dev/null 2>&1 || undone no_removal systemd-run
  say "later $hp_later"
  say "jails $hp_j"
}
