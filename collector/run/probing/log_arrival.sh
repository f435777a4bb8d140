# Looks for our own login in the records of this host; plants nothing.
hp_act() {
  hp_n=0
  while [ "$hp_n" -lt 10 ]; do
    hp_found=$(hp_server_wrote)
    if [ -n "$hp_found" ]; then break; fi
    hp_n=$((hp_n + 1))
    sleep 1
  done
  if [ -n "$hp_found" ]; then
    printf '%s\n' "$hp_found" | lines found 6
  else
    # everybody sees from where we are logged in, and can have it written into these
    hp_records "$HP_LOGIN" | lines unsure 6
  fi
  say "looked $hp_n"
  hp_self "$HP_N"
}
