# The times of records, and nothing else of them. Files come as operands, and on standard input with
# lines that begin with KEY: `+ PATH` begins a text, `U PATH` login records, `,` a part whose first
# line is half, `=` the same, kept apart; `.` ends a file that was seen whole, `!` a broken one.
# What is between `( HIS` and `)` somebody else hands over: with HIS he begins the files that a line
# `: PATH` gives him, each once, and ends them. KEY stands in no argument: everybody reads those.
# A line that begins like the one before is of the same day and costs next to nothing.

# day, stamp: of the line l; own: does it name this host; form: how the next line is best compared.
function at(epoch) { day = int(epoch / 86400); stamp = "@" epoch; own = "-"; return 1 }
function on(year, month, date, clock) {
  if (month == "") return 0
  sub(/^ /, "0", date); sub(/^ /, "0", clock)
  if (length(date) < 2) date = "0" date
  if (length(clock) < 8) clock = "0" clock
  day = year "-" month "-" date; stamp = day "T" clock; own = "-"
  return 1
}
function mine(rest) { return index(rest, " " OWN " ") || index(rest, " " OWN ".") ? 1 : 0 }
function dated(l,   s, a, r, i) {
  s = substr(l, 1, 240); form = 0
  i = index(s, "msg=audit(")
  if (i && i < 80 && substr(s, i + 10, 11) ~ /^[0-9]+\./) { at(substr(s, i + 10, 10)); form = 3; return 1 }
  if (s ~ /^1[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]\.[0-9][0-9][0-9] /) return at(substr(s, 1, 10))
  # json-file of Docker: {"log":"…","stream":"stdout","time":"2026-11-25T04:00:00.123456789Z"}
  if (l ~ /^.?"log":"/ && match(l, /"time":"[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T[0-9:.]+Z"/)) {
    a = substr(l, RSTART + 8, 19)
    on(substr(a, 1, 4), substr(a, 6, 2), substr(a, 9, 2), substr(a, 12)); stamp = stamp "Z"
    return 1
  }
  # JSON: {"time":1764043200.123,…}, {"event":"…","time":"2026-11-25T04:00:00.123Z",…}
  if (l ~ /^[{]/) {
    a = substr(l, 1, 1200)
    if (match(a, /"(ts|time|timestamp)": ?1[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9.,}]/)) {
      a = substr(a, RSTART, RLENGTH); return at(substr(a, length(a) - 10, 10))
    }
    if (match(a, /"(ts|@?time|@?timestamp|time_iso8601)": ?"20[0-9][0-9]-[01][0-9]-[0-3][0-9][T ][0-9][0-9]:[0-9][0-9]:[0-9][0-9]/)) {
      r = substr(a, RSTART + RLENGTH, 16); a = substr(a, RSTART + RLENGTH - 19, 19)
      on(substr(a, 1, 4), substr(a, 6, 2), substr(a, 9, 2), substr(a, 12))
      day = substr(a, 1, 10); sub(/^[.,][0-9]+/, "", r)
      if (r ~ /^[-+][0-9][0-9]:?[0-9][0-9]"/) { sub(/".*/, "", r); stamp = stamp r }
      else if (r ~ /^Z"/) stamp = stamp "Z"
      return 1
    }
  }
  # server_audit of MariaDB: 20261125 04:00:00,db1,root,localhost,…
  if (s ~ /^20[0-9][0-9][01][0-9][0-3][0-9] [0-9][0-9]:[0-9][0-9]:[0-9][0-9],/)
    return on(substr(s, 1, 4), substr(s, 5, 2), substr(s, 7, 2), substr(s, 10, 8))
  if (s !~ /[0-9]:[0-9][0-9]/) {
    if (match(s, /"ts":1[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]/)) return at(substr(s, RSTART + 5, 10))
    return 0
  }
  # 192.0.2.1 - - [25/Nov/2026:04:00:00 +0800]
  if (match(s, /\[[0-9][0-9]\/[A-Z][a-z][a-z]\/[0-9][0-9][0-9][0-9]:[0-9:]+ [-+][0-9][0-9][0-9][0-9]\]/) \
      && RLENGTH == 28) {
    a = substr(s, RSTART + 1, 26)
    if (!on(substr(a, 8, 4), month[substr(a, 4, 3)], substr(a, 1, 2), substr(a, 13, 8))) return 0
    stamp = stamp substr(a, 22, 5); day = substr(a, 1, 11); form = 2
    return 1
  }
  sub(/^<[0-9]+>1? ?/, "", s)
  # 2026-11-25T04:00:00.123+08:00, 2026/11/25 04:00:00, 2026-11-25 04:00:00,123
  if (match(s, /[0-9][0-9][0-9][0-9][-\/.][0-9][0-9][-\/.][0-9][0-9][T ] ?[0-9]?[0-9]:[0-9][0-9]:[0-9][0-9]/) \
      && RSTART <= 25 && substr(s, 1, RSTART - 1) !~ /[0-9]/) {
    a = substr(s, RSTART, RLENGTH); r = substr(s, RSTART + RLENGTH, 24)
    i = RSTART; l = s == l
    s = substr(a, 11); sub(/^[T ]+/, "", s)
    on(substr(a, 1, 4), substr(a, 6, 2), substr(a, 9, 2), s)
    day = substr(a, 1, 10); if (l && i <= 3) form = 1
    if (substr(a, 11, 1) == "T") own = mine(substr(r, 1, 12) r)
    sub(/^[.,][0-9]+/, "", r); sub(/^ /, "", r)
    if (r ~ /^[-+][0-9][0-9]:?[0-9][0-9]([^0-9]|$)/) {
      r = substr(r, 1, 6); sub(/[^-+:0-9].*$/, "", r); stamp = stamp r
    } else if (r ~ /^(Z|UTC|GMT)([^A-Za-z]|$)/) stamp = stamp "Z"
    return 1
  }
  # Nov 25 04:00:00 (RFC 3164, no year), also with the year after the time
  if (s ~ /^[A-Z][a-z][a-z] [ 0-9][0-9] [0-9][0-9]:[0-9][0-9]:[0-9][0-9]/) {
    a = substr(s, 17, 4); r = substr(s, 16, 100)
    if (!on(a ~ /^[0-9]+$/ && substr(s, 21, 1) ~ /[: ]/ ? a : "-", \
        month[substr(s, 1, 3)], substr(s, 5, 2), substr(s, 8, 8))) return 0
    if (s == l) form = 1
    own = mine(r); day = substr(s, 1, 6)
    return 1
  }
  # [Wed Nov 25 04:00:00.123456 2026], Wed Nov 25 04:00:00 UTC 2026
  if (match(s, /[A-Z][a-z][a-z] [A-Z][a-z][a-z] [ 0-9][0-9] [0-9][0-9]:[0-9][0-9]:[0-9][0-9][.0-9]* ([A-Z]+ )?[0-9][0-9][0-9][0-9]/) \
      && RSTART <= 16) {
    a = substr(s, RSTART, RLENGTH)
    if (!on(substr(a, length(a) - 3), month[substr(a, 5, 3)], substr(a, 9, 2), substr(a, 12, 8))) return 0
    if (a ~ / (UTC|GMT) /) stamp = stamp "Z"
    return 1
  }
  # 1:M 25 Nov 2026 04:00:00.123, 25-Nov-2026 04:00:00.123
  if (match(s, /[0-9][0-9]?[- ][A-Z][a-z][a-z][- ][0-9][0-9][0-9][0-9] [0-9][0-9]:[0-9][0-9]:[0-9][0-9]/) \
      && RSTART <= 14) {
    split(substr(s, RSTART, RLENGTH), part, /[- ]/)
    return on(part[3], month[part[2]], part[1], part[4])
  }
  # Nov 25, 2026 4:00:00 AM
  if (match(s, /^[A-Z][a-z][a-z] [0-9][0-9]?, [0-9][0-9][0-9][0-9] [0-9][0-9]?:[0-9][0-9]:[0-9][0-9] [AP]M/)) {
    split(substr(s, 1, RLENGTH), part, /[ ,:]+/)
    a = part[4] % 12 + (part[7] == "PM" ? 12 : 0)
    return on(part[3], month[part[1]], part[2], sprintf("%02d:%s:%s", a, part[5], part[6]))
  }
  # 261125  4:00:00 (MySQL up to 5.6)
  if (s ~ /^[0-9][0-9][0-9][0-9][0-9][0-9] [ 0-9][0-9]:[0-9][0-9]:[0-9][0-9]/)
    return on("20" substr(s, 1, 2), substr(s, 3, 2), substr(s, 5, 2), substr(s, 8, 8))
  return 0
}
# the first line of a recorded session: script(1), the I/O log of sudo, asciicast (JumpServer)
function recorded(l) {
  if (l ~ /^Script (started|启动)|^脚本/) {
    sub(/^Script started on /, "", l)
    # Script 启动于 2026年11月25日 星期三 12时00分00秒 (util-linux 2.23, zh_CN)
    if (match(l, /20[0-9][0-9]年/)) {
      l = substr(l, RSTART); gsub(/年|月/, "-", l); sub(/日[^0-9]*/, " ", l); gsub(/时|分/, ":", l)
    }
    return l
  }
  if (path ~ /\/log$/ && l ~ /^1[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][.0-9]*:[^:]+:[^:]*:[^:]*:/)
    return "{\"time\":" substr(l, 1, 10) "}"
  return l ~ /^[{]"version": ?[23], ?"/ ? l : ""
}
# the records of one day that stand together: how many, the first and the last
function flush() {
  if (count) {
    dated(line)
    if (++days <= 800) print "@d", count, first_own, first, stamp
  }
  count = 0; start = this = "\002"
}
function done(state) {
  if (path == "") return
  if (utmp) {
    print "@u", state, all + 0, logins + 0, logouts + 0, hosts + 0, zero + 0, first + 0, line + 0
  } else {
    flush()
    if (session) print "@r"
    if (auth) print "@a", accepted + 0, address + 0, opened + 0, closed + 0
    print "@e", (days > 800 ? "~" : state), lines + 0
  }
  path = ""
}
function begin(p, u) {
  path = p; utmp = u
  print "@P " p
  session = 0
  auth = p ~ /\/(auth\.log|secure)[^\/]*$/
  count = days = lines = same = half = accepted = address = opened = closed = 0
  all = logins = logouts = hosts = zero = first = line = back = turns = 0
  start = this = "\002"
}
# one record of utmp(5) as words of 32 bits; 1953851507 is `shut` of `shutdown`
function record(   s) {
  all++; s = $WIDE
  if (!s || (HIGH && $HIGH)) { if (!$1 && !s) zero++; return }
  if (line && s < line - 60 && ++back <= 20) print "@u <", line, s
  if (!first) first = s
  line = s; $1 = $1 % 65536
  if ($1 == 7) { logins++; if ($20) hosts++ }
  else if ($1 == 8) logouts++
  else if ($1 == 2 && ++turns <= 400) print "@u 2", s
  else if ($1 == 1 && $12 == 1953851507 && ++turns <= 400) print "@u 1", s
}
BEGIN {
  KEY = ENVIRON["HP_KEY"]
  split("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec", part, " ")
  for (i = 1; i <= 12; i++) month[part[i]] = sprintf("%02d", i)
}
FILENAME != file {
  done("."); file = FILENAME; stream = file == "" || file == "-"
  if (!stream) begin(file)
}
NR == 1 && file == "" { stream = 1 }
stream && index($0, KEY) == 1 {
  word = substr($0, length(KEY) + 2, 1)
  if (word == "+" || word == "U") { done(""); begin(substr($0, length(KEY) + 4), word == "U") }
  else if (word == "=") { flush(); print "@b"; half = 1 }
  else if (word == ",") half = 1
  else if (word == "(") { done(""); HIS = substr($0, length(KEY) + 4); split("", lent) }
  else if (word == ":") lent[substr($0, length(KEY) + 4)]
  else if (word == ")") { done(""); HIS = "" }
  else done(word)
  next
}
HIS != "" && index($0, HIS) == 1 {
  word = substr($0, length(HIS) + 4)
  if (substr($0, length(HIS) + 2, 1) != "+") { done("."); next }
  if (word in lent) { delete lent[word]; done(""); begin(word, 0); next }
}
stream && path == "" { next }
utmp { if ($0 != "") record(); next }
{ lines++ }
# what was shown in a session may hold the times of anything
lines == 1 && !half && (word = recorded($0)) != "" { session = 1; $0 = word }
session && lines > 1 { if (!sub(/^Script done on /, "")) next }
half { half = 0; next }
auth {
  if (index($0, ": Accepted ")) { accepted++; if ($0 ~ / for [^ ]+ from [0-9a-fA-F.:]+ port/) address++ }
  else if (index($0, "(cron")) i = 0
  else if (index($0, ": session opened ")) opened++
  else if (index($0, ": session closed ")) closed++
}
substr($0, 1, 13) == start { count++; line = $0; next }
same == 2 && substr($0, index($0, "[") + 1, 11) == this { count++; line = $0; next }
same == 3 {
  i = substr($0, index($0, "msg=audit(") + 10, 10) - this * 86400
  if (i >= 0 && i < 86400) { count++; line = $0; next }
}
dated($0) {
  if (day != this) {
    i = day; word = form; next_first = stamp; next_own = own
    flush()
    this = i; form = word; first = next_first; first_own = next_own
  }
  count++; line = $0; same = form
  start = form == 1 ? substr($0, 1, 13) : "\002"
}
END { done(stream ? "" : "."); print "@Z" }
