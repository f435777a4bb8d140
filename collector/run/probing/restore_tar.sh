# The newest archive of those that a pattern finds: read to its end, and one file out of it compared.
hp_act() {
  hp_files
  hp_a=$(ls -t -- $HP_PATH 2>/dev/null | head -n 1)
  if [ -z "$hp_a" ]; then say "restored nothing at $HP_PATH"; hp_told broken; return; fi
  hp_own_copy "$hp_a"
  case $hp_a in
    *.gz | *.tgz) hp_z='gzip -dc' ;;
    *.zst | *.tzst) hp_z='zstd -qdc' ;;
    *.xz | *.txz) hp_z='xz -dc' ;;
    *.bz2 | *.tbz2 | *.tbz) hp_z='bzip2 -dc' ;;
    *.tar) hp_z=cat ;;
    *) undone no_settings "$hp_a" ;;
  esac
  command -v "${hp_z%% *}" >/dev/null 2>&1 || undone no_program "${hp_z%% *}"
  say "restored $hp_a"
  say "before $(stat -L -c '%s %Y %Z' "$hp_in") $(timeout 250 cat -- "$hp_in" | sha256sum | cut -c 1-64)"
  hp_file
  say "after $(stat -L -c '%s %Y %Z' "$hp_in") $(timeout 250 cat -- "$hp_in" | sha256sum | cut -c 1-64)"
}
hp_open() { timeout 250 $hp_z <"$hp_in" 2>>"$HP_W/err"; hp_rc=$?; [ "$hp_rc" = 0 ] || printf "%s\n" "$hp_rc" >>"$HP_W/cut"; }
# in two turns, for which file it is shall not be known before all of them are
hp_file() {
  : >"$HP_W/cut"
  hp_open | TZ=UTC0 timeout 250 tar -tvf - --full-time --quoting-style=escape >"$HP_W/list" 2>>"$HP_W/err" || echo tar >>"$HP_W/cut"
  if grep -qx 124 "$HP_W/cut"; then undone no_settings "$hp_a: more than is read in 250 s"; fi
  if [ -s "$HP_W/cut" ]; then say 'error cut off or damaged'; lines error <"$HP_W/err"; hp_told broken; return; fi
  say "files $(grep -c '^-' "$HP_W/list")"
  # with content, and small enough to be held in memory
  hp_l=$(awk '$1 ~ /^-/ && $3 + 0 <= 16777216 && $3 + 0 > 0 && !/\\[^0-7]/' "$HP_W/list" | shuf -n 1)
  if [ -z "$hp_l" ]; then
    if grep -q '^-' "$HP_W/list"; then say "restored nothing with content of $hp_a"; hp_told untold; return; fi
    say 'error no file in it'; hp_told broken; return
  fi
  # what tar writes as octal numbers are the name's own bytes
  hp_f=$(printf '%b' "$(printf '%s\n' "$hp_l" | awk '{ for (i = 0; i < 4; i++) sub(/^[^ ]+ +/, ""); sub(/^[^ ]+ /, ""); print }' | sed 's/\\\([0-7][0-7][0-7]\)/\\0\1/g')")
  hp_w=$(printf '%s\n' "$hp_l" | awk '{ print $3 }')
  hp_t=$(printf '%s\n' "$hp_l" | awk '{ print $4 " " $5 }')
  say "file $hp_f"
  hp_open | timeout 250 tar -xOf - --no-wildcards --occurrence=1 -- "$hp_f" >"$HP_W/file" 2>>"$HP_W/err"
  if [ "$(wc -c <"$HP_W/file" | tr -d ' ')" != "$hp_w" ]; then hp_told differs; return; fi
  hp_x=$(sha256sum <"$HP_W/file" | cut -c 1-64)
  say "digest $hp_x"
  # where it was: below ROOT, or the archive tells whole paths
  hp_n=${HP_ROOT:-}/${hp_f#./}
  if [ "$(stat -c '%s %Y' "$hp_n" 2>/dev/null)" = "$hp_w $(date -u -d "$hp_t" +%s 2>/dev/null)" ] &&
    hp_live "$hp_n" "$(($(stat -L -c %Y "$hp_in") + 1))" "$(stat -L -c %u "$hp_in")"; then
    say "live $hp_l"
    if [ "$hp_l" != "$hp_x" ]; then hp_told differs; return; fi
    hp_told same
  else
    hp_told loaded
  fi
}
