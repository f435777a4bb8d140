# What both ways of restoring share.
# of what lies there with content, and is older than the copy, how much is in it: "held K N".
# $1 lists the copy's whole paths, $2 is its time
hp_held() {
  find "$HP_PATH" -xdev -type f -size +0 -printf '%C@ %p\n' 2>/dev/null |
    awk -v t="$2" '$1 ~ /^[0-9.]+$/ && $1 + 0 < t + 0 { sub(/^[^ ]+ /, ""); print }' | shuf -n 200 >"$HP_W/live"
  if [ -s "$HP_W/live" ]; then
    say "held $(awk -v list="$1" 'BEGIN { while ((getline x < list) > 0) in_it[x] = 1 } $0 in in_it { n++ } END { print n + 0 }' "$HP_W/live") $(wc -l <"$HP_W/live" | tr -d ' ')"
  fi
}
# names, sizes and times of all that a repository is made of: nothing of it is written
hp_state() { find "$1" -printf '%P %y %s %T@\n' 2>/dev/null | sort | sha256sum | cut -c 1-64; }
