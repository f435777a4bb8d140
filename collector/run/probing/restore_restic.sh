# One file of the newest snapshot, and a part of the repository's data; the repository is only read.
hp_act() {
  hp_files
  command -v restic >/dev/null 2>&1 || undone no_program restic
  RESTIC_REPOSITORY=$HP_REPOSITORY RESTIC_PASSWORD_FILE=$HP_PASSWORD_FILE TMPDIR=$HP_W
  export RESTIC_REPOSITORY RESTIC_PASSWORD_FILE TMPDIR
  if [ -d "$HP_REPOSITORY" ]; then say "before $(hp_state "$HP_REPOSITORY")"; fi
  timeout 120 restic --no-lock --no-cache --json snapshots --path "$HP_PATH" --latest 1 >"$HP_W/newest" 2>"$HP_W/err"
  hp_rc=$?
  if [ "$hp_rc" != 0 ]; then
    # a password, an address or an account may be wrong here: that shows nothing of the backup
    lines error <"$HP_W/err"
    undone no_settings "restic ends with $hp_rc: $(lines x <"$HP_W/err" | tail -n 1 | cut -c 3-160)"
  fi
  hp_s=$(grep -o '"short_id":"[0-9a-f]*"' "$HP_W/newest" | tail -n 1 | cut -d '"' -f 4)
  hp_t=$(grep -o '"time":"[^"]*"' "$HP_W/newest" | tail -n 1 | cut -d '"' -f 4)
  if [ -z "$hp_s" ]; then
    if timeout 120 restic --no-lock --no-cache --json snapshots --latest 1 2>/dev/null | grep -q '"short_id"'; then
      undone no_settings "no snapshot of $HP_PATH, but of other paths"
    fi
    say "restored no snapshot at all"; hp_told broken
  else
    say "snapshot $hp_s $hp_t"
    hp_file
    timeout 240 restic --no-lock --no-cache check --read-data-subset=1% >"$HP_W/out" 2>&1 || {
      grep -iE 'error|fatal' "$HP_W/out" | lines error; say 'check failed'; hp_told broken
    }
  fi
  if [ -d "$HP_REPOSITORY" ]; then say "after $(hp_state "$HP_REPOSITORY")"; fi
}
hp_file() {
  if ! timeout 120 restic --no-lock --no-cache ls --long --recursive "$hp_s" "$HP_PATH" >"$HP_W/list" 2>"$HP_W/err"; then
    say "restored the list of $HP_PATH"; lines error <"$HP_W/err"; hp_told broken; return
  fi
  # SIZE PATH of its files; how a name of unusual bytes is written differs, and such a one is passed over
  awk '$1 ~ /^-/ { s = $4; for (i = 0; i < 5; i++) sub(/^[^ ]+ +/, ""); sub(/^[^ ]+ /, ""); if (/^\//) print s, $0 }' \
    "$HP_W/list" >"$HP_W/sizes"
  sed 's/^[^ ]* //' "$HP_W/sizes" >"$HP_W/paths"
  hp_held "$HP_W/paths" "$(date -d "$hp_t" +%s 2>/dev/null || echo 0)"
  # with content, and small enough to be held in memory
  hp_l=$(awk '$1 + 0 > 0 && $1 + 0 <= 16777216 && !/\\/' "$HP_W/sizes" | shuf -n 1)
  hp_f=${hp_l#* }
  if [ -z "$hp_f" ]; then say "restored nothing with content of $HP_PATH"; hp_told untold; return; fi
  hp_w=${hp_l%% *}
  say "restored $hp_f"
  if ! timeout 120 restic --no-lock --no-cache dump "$hp_s" "$hp_f" >"$HP_W/file" 2>"$HP_W/err"; then
    lines error <"$HP_W/err"; hp_told broken; return
  fi
  hp_x=$(sha256sum <"$HP_W/file" | cut -c 1-64)
  say "digest $hp_x"
  if [ "$(wc -c <"$HP_W/file" | tr -d ' ')" != "$hp_w" ]; then hp_told differs; return; fi
  # what was changed since the snapshot is no measure of it
  if hp_live "$hp_f" "$(date -d "$hp_t" +%s 2>/dev/null || echo 0)" "$(hp_owner "$HP_REPOSITORY")"; then
    say "live $hp_l"
    if [ "$hp_l" != "$hp_x" ]; then hp_told differs; return; fi
    hp_told same
  else
    hp_told loaded
  fi
}
