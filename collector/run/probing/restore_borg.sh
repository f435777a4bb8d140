# Some files of the newest archive; the repository is only read, with no lock, and all that borg keeps
# for itself lies in memory.
hp_act() {
  hp_files
  command -v borg >/dev/null 2>&1 || undone no_program borg
  hp_keys=${BORG_KEYS_DIR:-${HOME:-/root}/.config/borg/keys}
  BORG_REPO=$HP_REPOSITORY BORG_BASE_DIR=$HP_W/borg TMPDIR=$HP_W BORG_KEYS_DIR=$hp_keys
  BORG_RELOCATED_REPO_ACCESS_IS_OK=yes BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK=yes
  export BORG_REPO BORG_BASE_DIR BORG_KEYS_DIR TMPDIR
  export BORG_RELOCATED_REPO_ACCESS_IS_OK BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK
  if [ -n "${HP_PASSWORD_FILE:-}" ]; then
    BORG_PASSCOMMAND="cat $HP_PASSWORD_FILE"
    export BORG_PASSCOMMAND
  fi
  if [ -d "$HP_REPOSITORY" ]; then say "before $(hp_state "$HP_REPOSITORY")"; fi
  timeout 240 borg --bypass-lock list --last 1 --format '{archive} {time:%s}{NL}' >"$HP_W/newest" 2>"$HP_W/err"
  hp_rc=$?
  if [ "$hp_rc" != 0 ]; then
    hp_errors
    # a passphrase, an address or an account may be wrong here: that shows nothing of the backup
    if ! grep -qi 'integrity' "$HP_W/err"; then undone no_settings "borg ends with $hp_rc: $(hp_errors | cut -c 7-160)"; fi
    say "restored the list of archives"; hp_told broken
  elif [ ! -s "$HP_W/newest" ]; then
    say 'restored no archive at all'; hp_told broken
  else
    hp_s=$(cut -d ' ' -f 1 "$HP_W/newest")
    hp_t=$(cut -d ' ' -f 2 "$HP_W/newest")
    say "snapshot $hp_s $hp_t"
    hp_file
  fi
  if [ -d "$HP_REPOSITORY" ]; then say "after $(hp_state "$HP_REPOSITORY")"; fi
}
hp_file() {
  if ! timeout 240 borg --bypass-lock list --format '{type} {size} {path}{NL}' "::$hp_s" "${HP_PATH#/}" >"$HP_W/list" 2>"$HP_W/err"; then
    say "restored the list of $HP_PATH"; hp_errors; hp_told broken; return
  fi
  # up to 16 of up to 4 MiB: small enough to be held in memory, with plain names
  awk '$1 == "-" { sub(/^[^ ]+ [^ ]+ /, "/"); print }' "$HP_W/list" >"$HP_W/paths"
  hp_held "$HP_W/paths" "$hp_t"
  awk '$1 == "-" && $2 + 0 > 0 && $2 + 0 <= 4194304 && !/[\\*?[]/ { sub(/^[^ ]+ /, ""); print }' "$HP_W/list" | shuf -n 16 >"$HP_W/some"
  if [ ! -s "$HP_W/some" ]; then
    if [ -s "$HP_W/list" ]; then say "restored nothing with content of $HP_PATH"; hp_told untold; return; fi
    undone no_settings "nothing of $HP_PATH in $hp_s"
  fi
  hp_k=loaded
  hp_c=0
  while read -r hp_w hp_f; do
    hp_one || return
    hp_c=$((hp_c + 1))
    hp_last=$hp_f
  done <"$HP_W/some"
  say "restored /$hp_last"
  say "files $hp_c"
  hp_told "$hp_k"
}
hp_one() {
  if ! timeout 120 borg --bypass-lock extract --stdout "::$hp_s" "pp:$hp_f" >"$HP_W/file" 2>"$HP_W/err" </dev/null; then
    say "restored /$hp_f"; hp_errors; hp_told broken; return 1
  fi
  hp_x=$(sha256sum <"$HP_W/file" | cut -c 1-64)
  say "digest $hp_x"
  if [ "$(wc -c <"$HP_W/file" | tr -d ' ')" != "$hp_w" ]; then say "restored /$hp_f"; hp_told differs; return 1; fi
  # what was changed since the archive is no measure of it
  if hp_live "/$hp_f" "$hp_t" "$(hp_owner "$HP_REPOSITORY")"; then
    if [ "$hp_l" != "$hp_x" ]; then say "restored /$hp_f"; say "live $hp_l"; hp_told differs; return 1; fi
    hp_k=same
  fi
}
# of a traceback its first lines say what it is
hp_errors() { grep -aiE 'error|integrity|exist|passphrase|locked' "$HP_W/err" | lines error 1; }
