# shellcheck shell=sh
# `FILE OLD NEW` for each option in lines of the stacks that is too lenient, as it goes before faillock.conf(5).
# What authselect or authconfig writes is a link, and theirs.
for file in $STACKS; do
  if [ -L "$file" ] || [ ! -f "$file" ]; then continue; fi
  awk -v file="$file" -v deny="$FAILURES" -v locked="$SECONDS_LOCKED" -v root="$SECONDS_ROOT" -v interval="$INTERVAL" '
  function change(old, name, least) { if (!seen[old]++) print file, old, name "=" least }
  { sub(/#.*/, "") }
  /^[ \t]*-?auth[ \t].*pam_faillock\.so/ {
    for (i = 1; i <= NF; i++) {
      if (split($i, part, "=") != 2 || part[2] !~ /^[0-9]+$/) continue
      number = part[2] + 0
      if (part[1] == "deny" && (number < 1 || number > deny)) change($i, "deny", deny)
      if (part[1] == "unlock_time" && number > 0 && number < locked) change($i, "unlock_time", locked)
      if (part[1] == "root_unlock_time" && number > 0 && number < root) change($i, "root_unlock_time", root)
      if (part[1] == "fail_interval" && number < interval) change($i, "fail_interval", interval)
    }
  }' "$file"
done
