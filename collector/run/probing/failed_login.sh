# Looks for one failed login of an account that does not exist; plants nothing.
hp_act() {
  hp_n=0
  while [ "$hp_n" -lt 15 ]; do
    if hp_records "$HP_ACCOUNT" | grep -q .; then break; fi
    hp_n=$((hp_n + 1))
    sleep 1
  done
  hp_records "$HP_ACCOUNT" | lines found 6
  for hp_f in /var/ossec/logs/alerts/alerts.json /var/ossec/logs/alerts/alerts.log; do
    if [ -r "$hp_f" ]; then tail -c 2000000 "$hp_f" | hp_named "$HP_ACCOUNT" | sed "s#^#$hp_f #" | lines alert 2; fi
  done
  say "looked $hp_n"
}
