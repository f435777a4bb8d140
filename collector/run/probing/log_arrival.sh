# Looks for our own login in the records of this host; plants nothing.
hp_act() {
  hp_n=0
  while [ "$hp_n" -lt 10 ]; do
    if hp_records "$HP_LOGIN" | grep -q .; then break; fi
    hp_n=$((hp_n + 1))
    sleep 1
  done
  hp_records "$HP_LOGIN" | lines found 6
  say "looked $hp_n"
  hp_self "$HP_N"
}
