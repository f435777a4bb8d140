# shellcheck shell=sh
# Lines for faillock.conf(5), where what holds is too lenient (unset: deny 3, 600 s, over 900 s).
sed -e 's/#.*//' -e 's/[[:space:]]*=[[:space:]]*/ /' /etc/security/faillock.conf 2>/dev/null |
  awk -v deny="$FAILURES" -v locked="$SECONDS_LOCKED" -v root="$SECONDS_ROOT" -v interval="$INTERVAL" '
  NF { value[$1] = NF > 1 ? $2 : "" }
  END {
    if ("deny" in value && (value["deny"] < 1 || value["deny"] + 0 > deny)) print "deny = " deny
    if ("unlock_time" in value && value["unlock_time"] != "never" && value["unlock_time"] != "0" && value["unlock_time"] + 0 < locked)
      print "unlock_time = " locked
    if ("fail_interval" in value && value["fail_interval"] + 0 < interval) print "fail_interval = " interval
    if (!("even_deny_root" in value)) print "even_deny_root"
    if (!("root_unlock_time" in value) || value["root_unlock_time"] != "never" && value["root_unlock_time"] != "0" && value["root_unlock_time"] + 0 < root)
      print "root_unlock_time = " root
  }'
