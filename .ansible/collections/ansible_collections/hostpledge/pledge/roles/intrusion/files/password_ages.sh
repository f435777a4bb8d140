# shellcheck shell=sh
today=$(($(date +%s) / 86400))
awk -F: -v today="$today" -v days="$DAYS" '
FILENAME == "/etc/passwd" {
  if ($2 == "x" && $7 !~ /\/(nologin|false|true|sync|halt|shutdown)$/) login[$1] = 1
  next
}
!($1 in login) || ($2 !~ /^[$_]/ && length($2) != 13) { next }
$8 != "" && $8 >= 0 && $8 <= today { next }
$3 == "" || ($3 > 0 && today - $3 > days) {
  print "old:" $1 ":" ($3 == "" ? "?" : today - $3)
  next
}
$5 == "" || $5 < 0 || $5 > days { print "set:" $1 ":" ($5 == "" ? -1 : $5) }
' /etc/passwd /etc/shadow
