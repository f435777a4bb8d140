# What of people's text may leave: words that are listed, paths, options, names of settings. Every
# other word becomes `$_` and a keyed token, as if it only showed at run time (docs/adr/0024).
BEGIN {
  MODE = ENVIRON["HP_MODE"]; KEY = ENVIRON["HP_KEY"]
  if (length(KEY) < 32 || KEY !~ /^[0-9a-f]*$/) { LAST = ""; exit 3 }
  tell(COMMANDS, "@COMMANDS@"); tell(KNOWN, "@KNOWN@"); tell(LEADING, "@LEADING@")
  tell(PLAIN, "@PLAIN@"); tell(BARE, "@BARE@"); tell(FLAGS, "@FLAGS@"); tell(NAMED, "@NAMED@"); tell(SAID, "@SAID@"); tell(RECORDED, "@RECORDED@")
  Q1 = sprintf("%c", 39)
  SECRET = "pass|pwd|pswd|psw|^pw|[^a-z]pw|pw$|passwd|secret|token|key|cred|^pin|[^a-z]pin$|auth|cookie|signat|[^a-z]sig$|^sig$|bearer|private|salt|hash|otp|licen[cs]e|phrase|mima|miyao|kouling|crypt|^sid$|[^a-z]psk|extraheader|[^a-z]ak$|[^a-z]sk$|^ak$|^sk$|webhook|^pass"
  OPEN = "^([a-z0-9_]*_)?(db|dbs|dbname|database|databases|schema|host|hosts|hostname|server|ip|user|username|owner|group|repo|repository|bucket|remote|dest|dst|target|targets|source|sources|src|dir|dirs|path|paths|file|files|folder|log|name|names|mode|type|format|level|stanza|archive|table|tables|exclude|excludes|include|ignore-table|exclude[a-z-]*|include[a-z-]*|what|who|tag|unit|prefix|suffix|lang|lc_all|tz|engine|compression|compress|rsh|encryption|strategy|hook|mount|device|volume|container|image|service|from-repo|port|out|link-dest|target-dir|stream|label|method|protocol|state|event|events|pager|editor|days|day)[0-9]*$"
  # names of numbers that judges need, whole: ADMIN, REPORT and MESSAGE hold some of them
  COUNT = "(^|[^a-z])((keep|retain|retention|save|saved|expire|del|delete|clean|remove|rm|max|min|num|old|backup|bak|log|logs|history|hist|reserve|cut|day|file|files|ssh|db|mysql|time|daily|weekly|monthly|hourly|yearly)?(days?|weeks?|months?|years?|hours?|minutes?|hourly|daily|weekly|monthly|yearly|within|last|count|num|age|size|limit|rotate|time|out)|keep|retain|retention|(pg)?port|tmout|level|max|min|interval|delay|depth|threads|jobs|nice|sleep|wait|retries|retry|period|percent|blocks|mtime|version|umask)([^a-z]|$)"
  LONG = "^([a-z0-9_-]*[_-])?(tmout|timeout|size|maxsize|max-size|maxage|interval|limit|bwlimit)$"
  LISTS = "(s|exclude|include|ignore-table)[0-9]*$"
  # what never takes a secret as an option, whatever the letters are
  HARMLESS = "^(tar|rsync|ls|cp|rm|mv|mkdir|ss|netstat|lsof|grep|egrep|zgrep|sort|xargs|rsnapshot|df|du|tail|head|date|gzip|gunzip|pigz|zstd|xz|zcat|find|mount|cd|test|kill|systemctl|ionice|chown|chmod|set|ps|read|stat|touch|cat|ln|wc|uniq|tee|borg|rotatelogs|scp|sftp)$"
  ENDING = "[.](sql|gz|tgz|tar|zip|7z|rar|log|dump|bak|xz|zst|bz2|rdb|json|txt|db|sh|py|pl|php|conf|cnf|ya?ml|service|timer|socket|sock|pid)$"
  PLACES = "^((s3|b2|gs|azure|swift|rest|rclone|jdbc|git|git[+]ssh|svn[+]ssh|url):|jdbc:[a-z0-9]+:)?(ssh|scp|sftp|rsync|rsh|git|s3|s3n|s3a|swift|b2|gs|gcs|azure|azblob|wasbs?|abfss?|rest|https?|wss?|ftps?|ftpes|file|local|rclone|webdavs?|davs?|smb|cifs|nfs|hdfs|oss|cos|obs|bos|tos|minio|postgres|postgresql|pgsql|mysql|mariadb|mongodb([+]srv)?|rediss?|oracle|sqlserver|db2|jdbc|dm|dm8|kingbase8?|clickhouse|influxdb?|etcd|amqps?|kafka|memcached?|ldaps?|ldapi|unix|tcp|udp|tls|ssl|elasticsearch|docker|qemu([+][a-z]+)?|socks5h?|imaps?|smtps?|nats|par2[+][a-z0-9+]+|boto3[+][a-z0-9]+|pexpect[+][a-z0-9]+|paramiko[+][a-z0-9]+|cf[+]http|ftp[s]?[+][a-z]+|onedrive|gdrive|mega|multi|tahoe|hsi|fish|lftp[+][a-z]+)://$"
  SECRET_NAMED = SECRET; gsub(/\$/, "[ \t]*=", SECRET_NAMED)
  # names of variables and settings that are paths, and of such as are none
  HOUSED = "dir|path|file|fold|root|base|home|dest|dst|target|src|source|backup|bak|bkp|store|storage|archive|out|log|tmp|temp|data|dump|mnt|mount|disk|vol|repo|local|remote|prefix|location|work|save|where|www|site|share|nas|snap|cwd|pwd"
  UNHOUSED = "user|usr|login|logon|owner|schema|uid|sid$|conn|ur[il]|api|hook|push|host|addr|server|account|cred|name$|database|pass|dsn"
  PUSHED = "^(push|ping|hooks?|webhooks?|notify|ntfy|bot|key|keys|token)$"
  RUN = "\\$[A-Za-z_][A-Za-z0-9_]*|\\$[0-9@*#?!$-]"
}
function tell(into, text,   n, i, v) { n = split(text, v, " "); for (i = 1; i <= n; i++) into[v[i]] = 1 }

# RC4 over the key and the word, its first 256 bytes dropped: what it prints tells nothing of a
# word to whoever has not the key, and the key never leaves the host.
function token(w,   i, j, n, t, x, k) {
  if (w in TOKEN) return TOKEN[w]
  if (++TOLD > 300) return "$_"
  if (!(0 in KEYED)) {
    for (i = 1; i < 256; i++) ORD[sprintf("%c", i)] = i
    for (i = 0; i < length(KEY) / 2; i++)
      KEYED[i] = 16 * (index("0123456789abcdef", substr(KEY, 2 * i + 1, 1)) - 1) \
        + index("0123456789abcdef", substr(KEY, 2 * i + 2, 1)) - 1
    KEYS = i
  }
  n = length(w); if (n > 160) n = 160
  for (i = 1; i <= n; i++) KEYED[KEYS + i - 1] = ORD[substr(w, i, 1)] + 0
  KEYED[KEYS + n] = length(w) % 256
  for (i = 0; i < 256; i++) BOX[i] = i
  for (i = j = k = 0; i < 256; i++) {
    j = (j + BOX[i] + KEYED[k]) % 256; t = BOX[i]; BOX[i] = BOX[j]; BOX[j] = t
    if (++k > KEYS + n) k = 0
  }
  x = ""
  for (i = j = 0; i < 260; ) {
    k = ++i % 256
    j = (j + BOX[k]) % 256; t = BOX[k]; BOX[k] = BOX[j]; BOX[j] = t
    if (i > 256) x = x sprintf("%02x", BOX[(BOX[k] + BOX[j]) % 256])
  }
  return TOKEN[w] = "$_" x
}
# A word of a sentence or of a remark: nobody asks whether it is the same as another.
function hidden(w) { return SPOKEN ? "$_" : token(w) }

function random(w,   d) {
  sub(/[.][a-z0-9][a-z0-9]?[a-z0-9]?[a-z0-9]?$/, "", w)
  if (length(w) < 7) return 0
  if (w ~ /[0-9]/ && w ~ /[a-z]/ && w ~ /[A-Z]/) return 1
  if (w ~ /[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]/ && w !~ /^[^0-9]*20[0-9][0-9][01][0-9][0-3][0-9]([0-9][0-9][0-9][0-9]([0-9][0-9])?)?[^0-9]*$/ && w !~ /^[0-9a-f-]*[a-f][0-9a-f-]*$/) return 1
  return length(w) > 23 && w !~ /[._-]/ && w ~ /[0-9]/ && w ~ /[a-zA-Z]/ && w !~ /^[0-9a-f]*$/
}
function plain(w) {
  return length(w) < 49 && w ~ /^[%!]?[A-Za-z0-9_.*?@+~:^-]+$/ && w !~ /[0-9][0-9][0-9][0-9][0-9]/ \
    && w !~ /[:@].*[:@]/ && !random(w)
}
function named(w) { return length(w) < 49 && w ~ /^[A-Za-z_][A-Za-z0-9_.-]*[+]?$/ && !random(w) }
function dated(w) { return w ~ /%/ && w ~ /^[+]?(%[-_]?[A-Za-z]|[-_.:T])*$/ }
function path(w, wide,   n, i, v, out) {
  i = index(w, "::")
  if (i) { v[1] = substr(w, i + 2); return path(substr(w, 1, i - 1), wide) "::" (v[1] == "" || plain(v[1]) ? v[1] : filled(v[1], 1)) }
  n = split(w, v, "/")
  for (i = 1; i <= n; i++)
    out = out (i > 1 ? "/" : "") (v[i] == "" || step(v[i], wide) ? v[i] : filled(v[i], 1))
  return out
}
function step(c, wide) {
  if (dated(c) || c ~ /^[A-Za-z0-9]*[.]?%/ && dated(substr(c, index(c, "%")))) return 1
  if (c ~ /[$\001]/ || random(c)) return 0
  if (wide) return length(c) < 100 && c !~ /[!#]|[@:].*[@:]|:[^0-9]/
  return length(c) < 49 && c ~ /^[A-Za-z0-9_.*?%+~@:^-]+$/ && c !~ /[@:].*[@:]/
}
# The parts of a word between the variables in it.
function filled(w, wide,   out, part, ref) {
  if (w ~ /[^$][$]$/) { part = substr(w, 1, length(w) - 1); return (part ~ /[$]/ ? filled(part, wide) : bit(part, wide)) "$" }
  if (w !~ /[$]/ || (QUOTE == Q1 && !CODE && w !~ /^[$][0-9]$/)) return hidden(w)
  while (match(w, RUN)) {
    part = substr(w, 1, RSTART - 1); ref = substr(w, RSTART, RLENGTH); w = substr(w, RSTART + RLENGTH)
    out = out (part == "" ? "" : bit(part, wide)) ref
  }
  return out (w == "" ? "" : bit(w, wide))
}
function bit(w, wide) {
  if (w ~ /^[-._:@%+,~*?\/$!]*$/ || dated(w) || length(w) < 15 && w ~ /^([.][a-z0-9]+)+$/) return w
  if (w ~ /\//) return NOWAY ? apieces(w) : path(w, 0)
  if (w ~ /^[-_.]?([a-z]+[-_.])*(sql|gz|tgz|tar|zip|log|dump|bak|xz|zst|bz2|rdb|json|txt|db|ibd|age|gpg|enc|full|all|daily|data|backup|old|tmp)([-_.][a-z0-9]*)?$/) return w
  return wide || w ~ /^[A-Za-z_.-]$/ ? (step(w, 1) ? w : token(w)) : hidden(w)
}
# HOST:PATH, USER@HOST:PATH, REMOTE:PATH, s3:HOST/PATH …
function far(w,   i, head) {
  if (w ~ /^\//) return path(w, 1)
  if (w !~ /^(sftp|ssh|scp|rsync|rclone|s3|b2|gs|azure|swift|rest|local|ftps?):/ && match(w, /^[^\/@:]*:[^@]*@/)) return (plain(substr(w, 1, index(w, ":") - 1)) ? substr(w, 1, index(w, ":")) : "***:") "***@" far(substr(w, RLENGTH + 1))
  i = index(w, ":")
  if (!i) return plain(w) ? w : filled(w, 0)
  head = substr(w, 1, i - 1)
  if (head != "" && !(head ~ /^[A-Za-z0-9_.@$-]*$/ && !random(head))) head = hidden(head)
  w = substr(w, i + 1)
  return head ":" (w ~ /:/ ? far(w) : w ~ /^\// ? path(w, 1) : path(w, 0))
}
function number(w, most) {
  if (w !~ /^[-+]?[0-9]+([.:][0-9]+)?[kKmMgGtTsdhwbcB%]?([bB]|days?|weeks?|months?|years?|hours?|min)?$/) return 0
  gsub(/[^0-9]/, "", w)
  return length(w) <= most
}
# Does a tool stand here whose words are names? Not in what is only said, in other languages, in a
# document on its way into a file, nor behind a word that speaks of a secret.
function naming() { return CMD in PLAIN && !TAINT && !SHY && !NOTE && !FOREIGN && !MUTED }
function told() { return naming() && !SPOKEN }
function shown(w) {
  return w ~ /^[0-9]-[0-9]$/ || w ~ /^[-.:*?!$#@+%~\/^]$/ || w ~ /^([.][.]|--|!=|[$][?#@*$!]|[.]\/|\/\*)$/ || w in KNOWN
}
# The task of a panel (BT) by which python backs up a database or a site: their names stand behind it.
function tasked(w) { if (w ~ /^\/www\/server\/panel\/script\/backup[.]py$/ && CMD ~ /^python/) CMD = "backup.py" }
# HOST:PORT; behind a colon only a name of places has a path, not what goes for a password.
function apart(low, w,   i) {
  i = index(w, ":")
  if (w ~ /:[:\/]|^:|^[^:]*:$/ && low !~ /(user|username|owner)[0-9]*$/ || low ~ /repo|bucket|remote|dest|dst|target|sources?$|src$|dirs?$|paths?$|files?$|folder|archive|prefix|out$/ && w !~ /:.*:/) return far(w)
  return (plain(substr(w, 1, i - 1)) ? substr(w, 1, i) : hidden(substr(w, 1, i - 1)) ":") (number(substr(w, i + 1), 5) && low ~ /host|server|ip$/ ? substr(w, i + 1) : filled(substr(w, i + 1), 0))
}
# Is a further word of a list of the first one's kind? A host, a user and a password make a list too.
function alike(low, w) {
  return low ~ /exclude|include|ignore|dirs?|paths?|files?|tables?$/ || LISTED !~ /[,;|]/ && (!DOTTED || w ~ /[.:]/)
}
# The value of a setting, an option or a variable of this name.
function value(name, w,   low) {
  low = tolower(name); sub(/^-+/, "", low); sub(/[+]$/, "", low)
  if (substr(name, 1, 1) == "-" && name in FLAGS) low = "flag"
  if (low ~ SECRET) {
    if (low ~ /(file|path|dir|keyring)s?[0-9]*$/ && low !~ /profile[0-9]*$/ && w ~ /^[~.$]?[A-Za-z_]*\//) return path(w, 1)
    return w ~ /^[$]([A-Za-z_][A-Za-z0-9_]*)?$/ && QUOTE != Q1 ? w : "***"
  }
  # where AIDE reports to besides: the rest of what may stand there changes what it compares
  if (name == "--after" && w == "report_url") return w
  if (w ~ /^jdbc:/ && w !~ /:\/\//) return "jdbc:***"
  if (w ~ /:\/\//) return url(w)
  # a user's name is no path, and of hosts only the first may be a socket
  if (w ~ /^[\^~.]?[.]?\// && (low ~ /(^|_)(user|username|owner)[0-9]*$/ || SAT && low ~ /(^|_)(host|hosts|hostname|server|ip)[0-9]*$/)) return hidden(w)
  if (w ~ /^(\^?\/|[.][.]?\/|~\/)/) return path(w, 1)
  if (dated(w)) return w
  if (w ~ /^(yes|no|true|false|on|off|none|null|0|1|all|auto|y|n|Yes|No|True|False)$/) return w
  if (number(w, low ~ LONG ? 7 : low ~ COUNT ? low ~ /port[0-9]*$/ ? 5 : 4 : 2)) return w
  if (w ~ /^-/) return option(w) ? w : glued(w)
  if (low ~ OPEN && (!SAT || low ~ LISTS && SAT < 99 && alike(low, w))) return w ~ /:/ ? apart(low, w) : plain(w) ? w : filled(w, 0)
  if (w in COMMANDS || shown(w)) return w
  return filled(w, 0)
}
function option(w) {
  if (w ~ /^--?[a-z][a-z0-9-]*$/ && length(w) < 40 && w ~ /^--/) return !random(w) && w !~ /[0-9].*[0-9].*[0-9]/
  if (w ~ /^-[A-Za-z]?[0-9][0-9]?[0-9]?$/ && w !~ /^-[pPkwWa]/) return 1
  if (w ~ /^-[A-Za-z]+[PpkKWwa][A-Za-z]/ && CMD !~ HARMLESS && !(w in FLAGS) && !(w in NAMED)) return 0
  if (w ~ /^-[A-Za-z]+$/) return length(w) < 3 || w in FLAGS || length(w) < 6 && w !~ /^-[pPkKwWa]/ || (length(w) < 7 && CMD in PLAIN && w !~ /^-[pPkwW]/)
  return w in FLAGS || w == "-" || w == "--"
}
function spoken_of() { return PREV ~ /^[a-zA-Z_.-]+:?$/ && !(PREV in COMMANDS) && tolower(PREV) ~ SECRET }
function operand(w,   free) {
  # `config secret_key WORD`, `login joe password WORD`
  if (spoken_of() && !(w ~ /^[$]/ && QUOTE != Q1) && !(w ~ /^[.~]?\// && !SPOKEN && (CMD ~ HARMLESS || CMD in PLAIN))) { HUSHED = 1; return "***" }
  if (shown(w)) return w
  if (w ~ /^jdbc:/ && w !~ /:\/\//) return "jdbc:***"
  if (w ~ /:\/\//) return url(w)
  tasked(w)
  if (confided() && w ~ /\// && w !~ /^\/\/|^[$]/) return hidden(w)
  # behind an account that a tool of nobody's list is told
  if (w ~ /^[.~]*\// && CMD != "" && !(CMD in COMMANDS) && PREV ~ /^(root|sa|dba|admin|administrator|postgres|mysql|system|sys|SYSDBA|oracle|[$][A-Za-z_]*([Uu][Ss][Ee]?[Rr]))$/) return hidden(w)
  if (w ~ /^(\/|[.][.]?\/|~\/)/) return path(w, 1)
  if (dated(w)) return w
  free = told() && !(CMD in BARE) && !(CMD == "service" && PREV != "")
  if (number(w, told() || CMD ~ /^(sleep|test|\[|\[\[|umask|ulimit|exit|return|timeout|seq|head|tail)$/ ? 4 : SPOKEN ? 0 : 3)) return w
  if (free) return w ~ /:/ ? far(w) : w ~ /^[^@:]*\// ? path(w, 0) : plain(w) ? w : filled(w, 0)
  if (w in COMMANDS && !SPOKEN) return w
  if (told() && w ~ /^[A-Za-z0-9_.-]+(@[A-Za-z0-9_.-]+)?:\//) return far(w)
  if (told() && w !~ /[:@$]/ && (w ~ /\// || (w ~ ENDING || w ~ /[*]/) && plain(w))) return w ~ /\// ? path(w, 0) : w
  if (w ~ /^[A-Za-z0-9_.-]+[.](sh|py|pl|php|conf|cnf|ya?ml|service|timer|sock|pid)$/ && !random(w)) return w
  if (w ~ /^[$]/ || w ~ /\//) return w ~ /[$]/ ? filled(w, 0) : w ~ /^[a-z_-]+\/[a-z_\/-]+[.](sh|py|pl|php|conf|cnf|ya?ml)$/ && !SPOKEN ? w : hidden(w)
  return filled(w, 0)
}
