# The texts, each by its own form, and the way through them.

# crontab(5) and anacrontab(5): when, as whom, and what.
function tab(s, user,   n, f, head) {
  if (s ~ /^[ \t]*#/) return "#"
  if (match(s, /^[ \t]*["']?[A-Za-z_][A-Za-z0-9_]*["']?[ \t]*=[ \t]*/)) {
    f = substr(s, 1, RLENGTH); head = substr(s, RLENGTH + 1); gsub(/[^A-Za-z0-9_]/, "", f)
    if (!named(f)) f = token(f)
    return f "=" settled(f, head)
  }
  n = 0; head = ""
  while (n < 5 && match(s, /^[ \t]*[^ \t]+[ \t]+/)) {
    f = substr(s, 1, RLENGTH); gsub(/[ \t]/, "", f)
    if (f ~ /^@(reboot|yearly|annually|monthly|weekly|daily|midnight|hourly|(every_)?minutely|every_minute|every_second)$/ && n == 0) { n = 5; head = substr(s, 1, RLENGTH); s = substr(s, RLENGTH + 1); if (s !~ /^[0-9]+[ \t]/) break; n = 1; continue }
    if (f !~ /^-?[0-9*,\/~LW#?-]+$/ && tolower(f) !~ /^-?([a-z][a-z][a-z][-,\/0-9]*)+$/ || f ~ /[0-9][0-9][0-9][0-9]/ || tolower(f) ~ /^[a-z]+$/ && tolower(f) !~ /^(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|mon|tue|wed|thu|fri|sat|sun)$/) break
    head = head substr(s, 1, RLENGTH); s = substr(s, RLENGTH + 1); n++
  }
  if ((n == 5 && user || n == 2) && match(s, /^[ \t]*[A-Za-z_][A-Za-z0-9_.:$-]*[ \t]+/) && !random(substr(s, 1, RLENGTH))) {
    head = head substr(s, 1, RLENGTH); s = substr(s, RLENGTH + 1)
  }
  # what stands behind a bare % is the command's input
  n = match(s, /(^|[^\\])%/)
  return n ? head line(substr(s, 1, n)) "%" (length(s) > n + RLENGTH - 1 ? "***" : "") : head line(s)
}
# The words of a value that goes to the end of its line.
function settled(name, s,   i, n, out, opt, hush, q, begins, veil) {
  hush = tolower(name) ~ SECRET && (MODE != "settings" || s !~ /^[ \t]*[[{]/)
  gsub(/[^] \t\r\\;|&()<>`"'{},=[]+/, "\n&\n", s)
  PARTS = n = split(s, PART, "\n"); UPTO = MUCH = HUSHED = CARRIED = BRACED = 0; SAT = ASKED = 0; out = ""; QUOTE = ""; SPOKEN = CODE = 0; CMD = PREV = q = ""
  for (i = 1; i <= n; i += 2) {
    out = out PART[i]
    if (i == n) break
    q = within(q, PART[i])
    if (MODE == "settings" && PART[i + 1] ~ /[$]./) gsub(/[$]/, "\001", PART[i + 1])
    AT = i; headed(i, ""); BRACED = PART[i] ~ /^[{]/ && HEAD ~ /[$]$/
    if (PART[i] ~ /[ \t]/ && q == "") HUSHED = 0
    # of a secret nothing is a name, nor is what a quote ends behind
    begins = !hush && (tolower(name) !~ SECRET || q == "" && PART[i] ~ /[,{[]/) && (q == "" || substr(PART[i + 2], PART[i + 1] ~ /:$/ ? 1 : 2, 1) != q)
    if (i > 1 && PART[i] ~ /[ \t]/) ASKED = 0
    if (substr(PART[i + 1], 1, 1) == "#" && PART[i] ~ /[ \t]$|^$/) return out "#"
    if (ASKED || HUSHED || hush && i > 1) out = out "***"
    else if (begins && PART[i + 1] ~ /^[A-Za-z_]+:$/ && named(substr(PART[i + 1], 1, length(PART[i + 1]) - 1))) { name = PART[i + 1]; SAT = 0; sub(/:$/, "", name); out = out PART[i + 1] }
    else if (begins && PART[i + 2] ~ /^=[^=]/ && named(PART[i + 1])) { name = PART[i + 1]; SAT = 0; out = out name }
    else if (!hush && (veil = veiled(PART[i + 1], name)) != "") out = out veil
    else {
      opt = substr(PART[i + 1], 1, 1) == "-" && option(PART[i + 1]) && tolower(name) !~ SECRET
      out = out bare(opt ? PART[i + 1] : PREV != "" && tolower(name) !~ SECRET ? wanted(PREV, PART[i + 1]) : value(name, PART[i + 1]))
      PREV = opt ? PART[i + 1] : ""
      sat(PART[i + 1])
    }
    onto(PART[i + 1], PART[i])
  }
  BRACED = HUSHED = NOWAY = 0
  return out
}
# The quote that is open behind these characters.
function within(q, sep,   i, c) {
  for (i = 1; i <= length(sep); i++) {
    c = substr(sep, i, 1)
    if (c == "\\" && q != Q1) i++
    else if (c == q) q = ""
    else if (q == "" && (c == "\"" || c == Q1)) q = c
  }
  return q
}
# What `systemctl show` prints. A command is printed with the line breaks in it: what follows is of it
# until its end, and what is no property that was asked for is of the value above.
function unit(s,   i, n, v) {
  if (SHUT == "") {
    SHUT = " ; ignore_errors=[a-z]+ ; start_time=\\[[^]]*\\] ; stop_time=\\[[^]]*\\] ; pid=[0-9]+ ; code=[^ ;]* ; status=[^ ;]* *[}]$"
    n = split("Id Unit LoadState ActiveState SubState UnitFileState FragmentPath Result User ExecStart TimersCalendar TimersMonotonic LastTriggerUSec ExecMainStartTimestamp ExecMainExitTimestamp ExecMainCode ExecMainStatus ConditionResult ConditionTimestamp ProtectHome PrivateTmp DynamicUser RootDirectory RootImage InaccessiblePaths InaccessibleDirectories TemporaryFileSystem BindPaths BindReadOnlyPaths AmbientCapabilities", v, " ")
    for (i = 1; i <= n; i++) PROPERTY[v[i]] = 1
  }
  FIRST = 1; GOING = 0
  if (STARTED) return "***" ended_by(s)
  if (s == "" || s ~ /^(no (systemd|timers)|odd name: left out: \/.*)$/) return s
  i = index(s, "=")
  if (!i || !(substr(s, 1, i - 1) in PROPERTY)) return "***"
  if (s !~ /^ExecStart=/) return s
  if (s !~ /^ExecStart=[{] /) return substr(s, 1, i) joined(substr(s, i + 1))
  STARTED = 1; v[2] = ended_by(s); s = substr(s, 1, length(s) - length(v[2]))
  if (!match(s, /argv\[\]=/)) return substr(s, 1, i) "***" v[2]
  i = RSTART + RLENGTH - 1
  return substr(s, 1, i) joined(substr(s, i + 1)) v[2]
}
function ended_by(s) {
  if (!match(s, SHUT)) return ""
  STARTED = 0
  return substr(s, RSTART)
}
function rotation(s,   i) {
  if (s ~ /^[ \t]*endscript([^A-Za-z]|$)/) { INSIDE = 0; return "endscript" }
  if (INSIDE) return line(s)
  if (s ~ /^[ \t]*#/) return "#"
  # a script begins behind the word for it, whatever else stands on its line
  if (match(s, /(^|[ \t{}])(pre|post|first|last)(rotate|action|remove)([^A-Za-z]|$)/) && substr(s, 1, RSTART) !~ /#/) {
    match(s, /(^|[ \t{}])(pre|post|first|last)(rotate|action|remove)/); i = RSTART + RLENGTH
    INSIDE = 1; GOING = 0; s = loose(substr(s, 1, i - 1)) line(substr(s, i))
    return s
  }
  if (s ~ /^[ \t]*mail[ \t]+/) return "mail ***"
  if (match(s, /^[ \t]*compressoptions[ \t=]+/)) return substr(s, 1, RLENGTH) switches(substr(s, RLENGTH + 1))
  if (match(s, /^[ \t]*(un)?compresscmd[ \t=]+[^ \t]+/)) return loose(substr(s, 1, RLENGTH)) (RLENGTH < length(s) ? " ***" : "")
  return loose(s)
}
function switches(s,   i, n, v, out) {
  n = split(s, v, /[ \t\r]+/); out = ""
  for (i = 1; i <= n; i++) out = out (i > 1 ? " " : "") (v[i] ~ /^(-[A-Za-z0-9][0-9]?[0-9]?|--[a-z][a-z-]*)?$/ && v[i] !~ /^-[pPkKwWa][0-9]/ ? v[i] : "***")
  return out
}
# Settings whose words are names and numbers by their nature: what looks like none is hidden.
function loose(s,   i, n, out, w, was) {
  gsub(/[^] \t\r\\;|&()<>`"'{},=[]+/, "\n&\n", s)
  PARTS = n = split(s, PART, "\n"); UPTO = HUSHED = 0; out = ""; QUOTE = HEAD = ""; SPOKEN = NOWAY = 0
  for (i = 1; i <= n; i += 2) {
    out = out PART[i]
    if (i == n) break
    w = PART[i + 1]; AT = i
    if (i >= UPTO || PART[i] ~ /["']/) reach(i)
    if (PART[i] ~ /[] \t\r"']/) HUSHED = 0
    if (HUSHED) { out = out "***"; continue }
    if (substr(w, 1, 1) == "#" && PART[i] ~ /[ \t]$|^$/) return out "#"
    was = i > 1 ? PART[i - 1] : ""
    if (tolower(was) ~ SECRET && PART[i] ~ /^=["']?$/) { out = out hidden(w); continue }
    if (was ~ /^--?[a-z]/ && (tolower(was) ~ SECRET || !(was in NAMED) && !(was in FLAGS) && w !~ /^[-\/]|^[0-9][0-9]?[0-9]?$/)) { out = out hidden(w); continue }
    out = out (w ~ /:\/\// ? url(w) : w ~ /^[!~.]?[.]?\// ? path(w, 1) : number(w, was ~ /size$/ ? 12 : 4) || plain(w) || dated(w) || shown(w) ? w : w ~ /\// ? path(w, 0) : hidden(w))
  }
  HUSHED = 0
  return out
}
function sudoers(s,   i, head) {
  if (s ~ /^[ \t]*[#@]include(dir)?[ \t]/) return s
  if (s ~ /^[ \t]*#[^0-9]|^[ \t]*#$/) return "#"
  if (WENT) { WENT = s ~ /\\$/; return WENT2 ? loose(s) : line(s) }
  WENT = s ~ /\\$/; WENT2 = 0
  if (s ~ /^[ \t]*Defaults/) { WENT2 = 1; return defaults(s) }
  if (s ~ /^[ \t]*(User|Runas|Host)_Alias/) { WENT2 = 1; return loose(s) }
  if (!match(s, /[^\\]=/)) return loose(s)
  head = substr(s, 1, RSTART + 1)
  return loose(head) line(substr(s, RSTART + 2))
}
function defaults(s,   i, n, v, out) {
  n = split(s, v, "="); out = loose(v[1])
  for (i = 2; i <= n; i++) out = out "=" (!settled_by_name(v[i - 1]) || v[i - 1] ~ /(prompt|message|badpass|password|insults|mail[a-z]*|host[a-z]*_pw)[ \t+-]*$/ ? "***" (i < n ? ", " named_tail(v[i]) : "") : loose(v[i]))
  return out
}
# The options of sudoers(5) whose values are numbers, paths and names.
function settled_by_name(w) {
  sub(/[ \t+-]*$/, "", w); sub(/^.*[ \t,!]/, "", w)
  return w ~ /^([a-z_]*(timeout|tries|path|file|dir|group|service|type|seq|len|default|umask|from|policy|interval|mode|user|ids|format|editor|lecture|locale|iolog_[a-z]+)|logfile|syslog[a-z]*|env_[a-z]+|verifypw|listpw|umask|badpri|goodpri|role|type|privs|limitprivs|rlimit_[a-z]+|log_servers|fdexec|noexec_file|closefrom)$/
}
function named_tail(w) { sub(/^.*[, \t]/, "", w); return named(w) ? w : "***" }
# YAML of borgmatic, and the tabs of rsnapshot.conf
function setting(s,   key, head, i) {
  if (s ~ /^[ \t]*#/) return "#"
  if (s ~ /^[a-z_]+\t/) {
    i = index(s, "\t"); key = substr(s, 1, i - 1)
    GOING = key !~ /^cmd_|script|exec|args/; start(); CMD = "rsnapshot"; DEEP = 0
    return key (key ~ SECRET ? "\t***" : "\t" line(substr(s, i + 1)))
  }
  if (match(s, /^[ \t]*(- +)*["']?[A-Za-z0-9_.-]+["']?:([ \t]+|$)/)) {
    head = substr(s, 1, RLENGTH); key = head; gsub(/[^A-Za-z0-9_.]|^[ \t-]+/, "", key)
    if (!named(key)) { sub(/[^ \t-].*/, "", head); head = head token(key) ": "; key = "secret" }
    KEYNAME = key; s = substr(s, RLENGTH + 1)
    if (s ~ /^[|>][-+0-9]*[ \t]*$/) return head s
  } else head = ""
  if (KEYNAME ~ /^(before|after|on)_|^(commands|run|hooks?)$/) { GOING = 0; return head (match(s, /^[ \t]*- /) ? substr(s, 1, RLENGTH) line(substr(s, RLENGTH + 1)) : line(s)) }
  if (KEYNAME ~ /options/ && tolower(KEYNAME) !~ SECRET) return head options(s, head != "")
  if (s !~ /^[ \t]*(- +)*[{][^}]*:[ \t]/ && KEYNAME !~ /(user|host)name$/ && KEYNAME ~ /director|pattern|exclude|path$|label|^name$|format|checks?$|frequency|keep_|archive|prefix|compression|encryption$|unit|umask|size|version/ && tolower(KEYNAME) !~ SECRET) return head loose(s)
  # whoever knows the topic of ntfy reads and writes there
  if (KEYNAME == "topic" && s !~ /^[ \t]*$/) return head "***"
  if (head == "" && match(s, /^[ \t]*(- +)+/)) { head = substr(s, 1, RLENGTH); s = substr(s, RLENGTH + 1) }
  return head (head == "" && s ~ /^[ \t]*$/ ? s : settled(KEYNAME, s))
}
# Options of a program that is not named beside them, as on its line, whatever quote is around them all.
function options(s, first,   head, q, tail) {
  match(s, /^[ \t]*(- +)*["']?/); head = substr(s, 1, RLENGTH); s = substr(s, RLENGTH + 1)
  q = substr(head, length(head)); tail = ""
  if (q ~ /["']/ && (match(s, q "[ \t\r]*$") || match(s, q "[ \t]+#"))) { tail = substr(s, RSTART, RLENGTH); s = substr(s, 1, RSTART - 1) }
  if (first) { start(); CMD = "options"; DEEP = 0 }
  GOING = UNSHELLED = 1; s = line(s); UNSHELLED = 0; NOTE = DOCUMENT = MUTED = ""
  return head s tail
}
# Logs: times, and the words of tools that are asked for.
function said(s,   i, n, a, out, w, head) {
  gsub(/[^] \t\r\\;|&()<>`"'{},=[]+/, "\n&\n", s)
  n = split(s, a, "\n"); out = ""
  for (i = 1; i <= n; i += 2) {
    out = out a[i]
    if (i == n) break
    w = a[i + 1]; head = w; sub(/[.:,]+$/, "", head)
    if (head in SAID || w in SAID) out = out w
    else if (w ~ /^[12][0-9][0-9][0-9]-[01][0-9]-[0-3][0-9]([T ][0-9:.,]+(Z|[-+][0-9:]+)?)?$/ || w ~ /^[0-2][0-9]:[0-5][0-9]:[0-6][0-9]([.,][0-9]+)?$/) out = out w
    else if (a[i - 1] == "snapshot" && w ~ /^[0-9a-f]+$/ && length(w) == 8) out = out w
    else if (a[i - 1] ~ /^total_bytes_processed$/ && w ~ /^:?[0-9]+$/) out = out w
    else if (w ~ /^:[0-9]+$/ && a[i - 1] == "total_bytes_processed") out = out w
    else if (w ~ /^[-.:@%+\/_]+$/) out = out w
    else if (i <= 3 && LEADS && plain(w)) out = out w
    else out = out "***"
  }
  return out
}
function journal(s,   v) {
  if (split(s, v, " ") < 4 || v[1] !~ /^[0-9]+[.][0-9]+$/) return said(s)
  sub(/^[^ ]+ +[^ ]+ +[^ ]+ */, "", s)
  return v[1] " " place(v[2]) " " (v[3] ~ /^[A-Za-z0-9_.@-]+(\[[0-9]+\])?:$/ && !random(v[3]) ? v[3] : "***:") " " said(s)
}
function place(w) { return w ~ /^[A-Za-z0-9_.@:\\\/-]*$/ && !random(w) ? w : "***" }

# Records in JSON (backup-report, restore-test): of members that are not of their form the values
# stay here, and what people say freely.
function recorded(s,   out, w, rest) {
  out = ""
  while (match(s, /"([^"\\]|\\.)*"?|[-+.0-9A-Za-z_]+/)) {
    out = out substr(s, 1, RSTART - 1); w = substr(s, RSTART, RLENGTH); s = substr(s, RSTART + RLENGTH)
    if (w ~ /^"/ && s ~ /^[ \t]*:/) {
      KEYNAME = substr(w, 2, length(w) - 2)
      out = out (named(KEYNAME) ? w : "\"***\"")
    } else if (KEYNAME in RECORDED) {
      gsub(/\\\//, "/", w)
      out = out unsaid(without(unnamed(w)))
    }
    else if (w ~ /^"/) out = out "\"***\""
    else out = out (w ~ /^(true|false|null)$/ ? w : "0")
  }
  return out s
}
# Of what a place's options say behind the name of a secret nothing stays, nor what follows.
function unnamed(s,   rest, at) {
  rest = s; at = 0
  while (match(rest, /[A-Za-z][A-Za-z0-9_.-]*[ \t]*=/)) {
    at += RSTART + RLENGTH - 1
    if (tolower(substr(rest, RSTART, RLENGTH)) ~ SECRET_NAMED && substr(s, at - RLENGTH, 1) !~ /[?&]/) return substr(s, 1, at) "***" (s ~ /"$/ ? "\"" : "")
    rest = substr(rest, RSTART + RLENGTH)
  }
  return s
}
# USER:PASSWORD@HOST, behind a scheme as in sftp:USER@HOST too, in each word.
function unsaid(s,   head, one, out) {
  out = ""
  while (match(s, /[^ \t,]+[ \t,]*/)) {
    out = out substr(s, 1, RSTART - 1); one = substr(s, RSTART, RLENGTH); s = substr(s, RSTART + RLENGTH)
    if (one !~ /:\/\// && one ~ /[:%].*@/) {
      head = match(one, /^"?((sftp|ssh|scp|rsync|rclone|s3|b2|gs|azure|swift|rest|local|ftps?):)?\/*/) ? substr(one, 1, RLENGTH) : ""
      one = substr(one, length(head) + 1)
      if (match(one, /^[^\/@:% \t]*[:%].*@/)) { sub(/[:%].*@/, ":***@", one) }
      one = head one
    }
    out = out one
  }
  return out s
}
# Text without what URLs in it carry: passwords, and all behind `?`.
function without(s,   out, w, i, at) {
  out = ""
  while (i = index(s, "://")) {
    out = out substr(s, 1, i + 2); s = substr(s, i + 3)
    match(s, /^[^ \t"\\]*@|^[^] \t"\\,)}]*/); w = substr(s, 1, RLENGTH); s = substr(s, RLENGTH + 1)
    at = 0; for (i = 1; i <= length(w); i++) if (substr(w, i, 1) == "@") at = i
    if (match(substr(w, at + 1), /[?#]/)) w = substr(w, 1, at + RSTART) "***"
    if (at) {
      i = index(substr(w, 1, at), ":")
      w = (i ? substr(w, 1, i) "***" : at > 20 ? "***" : substr(w, 1, at - 1)) substr(w, at)
    }
    out = out w
  }
  return out s
}

# What backup_wal.state prints: a command of settings, scripts that it names, the rest told by tools.
function archiving(s,   head) {
  FIRST = TITLE; TITLE = s !~ /^[|]/
  if (!TITLE) return "|" line(substr(s, 2))
  GOING = 0; FIRST = 1
  if (match(s, /^args /)) return "args " joined(substr(s, 6))
  if (match(s, /^set archive_command /)) { head = substr(s, 1, RLENGTH); return head line(substr(s, RLENGTH + 1)) }
  if (match(s, /^sender [^ ]* /)) { head = substr(s, 1, RLENGTH); return head loose(substr(s, RLENGTH + 1)) }
  if (s !~ /^set / || s ~ /^set [a-z_.]*directory \//) return s
  return loose(s)
}

# Is this a line that tells what follows, and not one of what is listed?
function titled(s, marks) {
  FIRST = TITLE
  if (s ~ marks) return 0
  GOING = 0; return 1
}
function masked(s) {
  FIRST = LINES++ == 0
  if (MODE == "script") return line(s)
  if (MODE == "listed") return (TITLE = titled(s, "^[|]")) ? s : substr(s, 1, 1) line(substr(s, 2))
  if (MODE == "listed-log") return (TITLE = titled(s, "^[|=]")) ? s : substr(s, 1, 1) said(substr(s, 2))
  if (MODE == "tab") return tab(s, 1)
  if (MODE == "spool") return tab(s, 0)
  if (MODE == "units") return unit(s)
  if (MODE == "rotate") return rotation(s)
  if (MODE == "sudo") return sudoers(s)
  if (MODE == "settings") return setting(s)
  if (MODE == "journal") return journal(s)
  if (MODE == "wal") return archiving(s)
  if (MODE == "record") return recorded(s)
  exit 3
}
# A dot behind the last byte shows that all has come, and whether the last line had an end.
NR > 1 { print masked(LAST) }
{ LAST = $0 }
END {
  if (LAST !~ /[.]$/) exit 3
  LAST = substr(LAST, 1, length(LAST) - 1)
  if (LAST != "") printf "%s", masked(LAST)
}
