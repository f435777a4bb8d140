# Words with a slash in them: paths, addresses, and what somebody logs in with.

# How far this word goes, and where the last `@` of it is: a blank or a quote ends it.
function reach(i,   j) {
  LASTAT = 0
  for (j = i; j < PARTS; j += 2) {
    if (j > i && PART[j] ~ /[ \t\r"']/) break
    if (PART[j + 1] ~ /@/) LASTAT = j
  }
  UPTO = j
}
# What stands before the next part in the same word of the shell, where quotes do not part it.
function headed(i, was,   sep) {
  sep = PART[i]
  if (i == 1 && !CARRIED || sep ~ /[ \t\r;|&<>(]/) HEAD = ""
  else if (sep ~ /\)/) HEAD = was ~ /^(pwd|dirname|realpath|readlink|mktemp|date|cd|basename)$/ ? "$PWD" : "$()"
  else if (sep ~ /[=,]/ && HEAD !~ /\//) HEAD = ""
  if (i >= UPTO || sep ~ /["']/) reach(i)
}
function onto(w, sep) {
  if (sep ~ /\[$/) return
  if (BRACED && match(w, /^[A-Za-z_0-9]+/)) w = "{" substr(w, 1, RLENGTH) "}"
  if (length(HEAD) < 99) HEAD = HEAD w
}
# Is a variable or a setting of this name a path?
function housed(name) {
  name = tolower(name); sub(/^-+/, "", name)
  return name !~ UNHOUSED && (name ~ HOUSED || name ~ /^[a-z]?(b|d|f|bk|here|this|now|day|date|today)$/)
}
function variable(s) { return match(s, /^\$[{]?[A-Za-z_][A-Za-z0-9_]*/) ? (substr(s, 2, 1) == "{" ? substr(s, 3, RLENGTH - 2) : substr(s, 2, RLENGTH - 1)) : "" }
# Does somebody log in with what stands here?
function logs_in(name) {
  if (name != "") return tolower(name) ~ /^-*([a-z0-9_]*_)?(userid|logon|login|conn|connect|connstr|conn_?str(ing)?|connect(ion)?_?(str(ing)?|desc)?|account|cred|dsn)$/ || logging() && (!housed(name) || tolower(name) ~ /^(target|catalog|auxiliary)$/)
  return logging() || confided()
}
function logging() { return tolower(CMD) ~ /^(sqlplus(64)?|sqlcl|expdp|impdp|exp|imp|rman|sqlldr|sqluldr2|ociuldr|disql|d?exp|d?imp|dexpdp|dimpdp|dmrman|dmfldr|i?u?sql|htpasswd|conn|connect|[.]?logon)$/ }
# The word without what may be a secret, where no path is surely meant; else "" and NOWAY is set to
# whether what stands between its variables is none. `name` is what it is the value of.
function veiled(w, name,   all, i, head, house) {
  NOWAY = 0
  if (HEAD ~ /:\/\// && w !~ /^[-:.$0-9]*$/) return addressed(w)
  if (w !~ /\// || w ~ /:\/\//) return ""
  all = HEAD w
  if (all ~ /^-/ && name == "") { NOWAY = all ~ /^-[A-Za-z][$]/ && (!naming() || all ~ /^-[uU]/) && !housed(variable(substr(all, 3))); return "" }
  if (all ~ /^[.~]*\// || all ~ /^@[$.~]*[A-Za-z]*\// || all ~ /^-/) return ""
  i = index(w, "/"); head = substr(w, 1, i - 1)
  if (!MUCH && logs_in(name)) {
    HUSHED = 1; MUCH = 1
    if (all !~ /[$]/) return hidden(w)
    return (head == "" ? "" : filled(head, 0)) "/***" (w ~ /[$]$/ ? "$" : "")
  }
  house = variable(all); house = house != "" && housed(house)
  # X/Y@HOST
  if (all ~ /^[^\/@:]*\// && (index(substr(all, index(all, "/")), "@") || LASTAT > AT) && !(naming() || name != "" && housed(name) && house)) {
    HUSHED = 1
    if (all !~ /[$]/) return hidden(w)
    return (head == "" ? "" : filled(head, 0)) "/***" (w ~ /[$]$/ ? "$" : "")
  }
  if (all !~ /[$]/) return ""
  if (CMD ~ /^(curl|wget|https?|httpie|aria2c|axel|lynx|w3m)$/ && (name == "" || tolower(name) ~ /ur[il]$/)) {
    if (PREV ~ /^-[a-zA-Z]*[oTKPODcE]$|^--(output|upload-file|config|ca[a-z]*|cert|directory-prefix|cookie-jar|key|netrc-file|output-[a-z]+)$/) return ""
    return (head == "" ? "" : filled(head, 0)) webbed(substr(w, i), 1)
  }
  NOWAY = !(house || naming() || !SPOKEN && !NOTE && (CMD == "" && name == "" && HEAD !~ /^[$][(]/ || CMD ~ HARMLESS || CMD ~ /^[[]+$/ || CMD in PLAIN) || name != "" && housed(name) || PREV ~ /^-.*(file|dir|path|out|output|config|log|dest|target)$/)
  if (!NOWAY || w !~ /^\//) return ""
  return apieces(w)
}
# Each part between slashes by itself, and none of it a name.
function apieces(w,   n, i, v, out) {
  n = split(w, v, "/"); out = ""
  for (i = 1; i <= n; i++) out = out (i > 1 ? "/" : "") (v[i] == "" ? "" : v[i] ~ /[$]/ ? filled(v[i], 0) : v[i] ~ /^[-._:@%+,~*?!]*$/ || dated(v[i]) ? v[i] : token(v[i]))
  return out
}
# Where on a host of the web: parts that could be a key do not leave.
function webbed(w, strict,   n, i, v, out) {
  n = split(w, v, "/"); out = ""
  for (i = 1; i <= n; i++) {
    if (i > 1) out = out "/"
    if (v[i] == "" || v[i] ~ /^[?#;]?\*\*\*$/) out = out v[i]
    else if (v[i] ~ /[?#;]/) { match(v[i], /[?#;]/); out = out (RSTART > 1 ? token(substr(v[i], 1, RSTART - 1)) : "") substr(v[i], RSTART, 1) "***"; ASKED = 1; break }
    else if (v[i] ~ /[$]/) out = out filled(v[i], 0)
    else if (strict ? !(v[i] in KNOWN) && v[i] !~ /^(api|v[0-9]|ping|fail|log|[0-9])$/ : v[i] !~ /^[a-z_.-]*$/ || length(v[i]) > 12) out = out (v[i] ~ /\*\*\*$/ ? "***" : hidden(v[i]))
    else out = out (step(v[i], 0) ? v[i] : filled(v[i], 0))
    if (v[i] ~ PUSHED) strict = 1
  }
  return out
}
# A host of the web whose paths are keys, and parts of a path that keys stand behind.
function pushing(host) { return host ~ /ping|hook|bot|api|push|sct|notify|ntfy|cronitor|^hc[.-]|healthchecks|uptime|kuma|gotify|bark/ }
# The rest of an address that a variable cut.
function addressed(w,   i) {
  if (LASTAT > AT || w ~ /@/ && HEAD !~ /@/) { HUSHED = 1; return "***" }
  i = index(w, "/")
  if (HEAD ~ /^(https?|wss?):\/\// && (i || HEAD ~ /:\/\/[^\/]*\//)) return i ? (i > 1 ? filled(substr(w, 1, i - 1), 0) : "") webbed(substr(w, i), 1) : webbed(w, 1)
  return ""
}
function url(w,   scheme, at, i, host, rest, who, n, v, out, web, tail) {
  i = index(w, "://"); scheme = substr(w, 1, i + 2); rest = substr(w, i + 3)
  if (scheme !~ /^[A-Za-z0-9+.:\/-]+$/) return hidden(w)
  # of all other schemes the host may be the secret itself: dingtalk://TOKEN, bark://h/KEY
  if (tolower(scheme) !~ PLACES) return (length(scheme) < 24 ? scheme : "***://") "***"
  # a password with a sign in it that ends a word, which its `@` stands behind
  if (LASTAT > AT && rest !~ /^[^\/:@]*@/) { HUSHED = 1; return scheme "***" }
  at = 0; for (i = 1; i <= length(rest); i++) if (substr(rest, i, 1) == "@") at = i
  if (at) {
    who = substr(rest, 1, at - 1); rest = substr(rest, at + 1)
    i = index(who, ":")
    if (i) who = (scheme !~ /^https?:/ && plain(substr(who, 1, i - 1)) ? substr(who, 1, i - 1) : "***") ":***"
    else if (scheme ~ /^https?:/ || !plain(who) || length(who) > 20) who = "***"
    scheme = scheme who "@"
  }
  # a password with a slash or a comma in it, which its `@` stands behind
  else if (scheme !~ /rclone|jdbc|boto|swift|b2|nfs|s3|gs|azure/ && match(rest, /^[^\/:]*:/) && substr(rest, RLENGTH + 1) ~ /^[^0-9$:?#;*]/) { HUSHED = 1; return scheme "***" }
  tail = ""
  if (scheme !~ /^https?:/ && (i = index(rest, "::"))) {
    tail = substr(rest, i + 2); rest = substr(rest, 1, i - 1)
    tail = "::" (tail == "" || plain(tail) ? tail : filled(tail, 1))
  }
  if (match(rest, /[?#;]/)) { rest = substr(rest, 1, RSTART) "***"; ASKED = 1 }
  n = split(rest, v, "/"); host = v[1]
  out = scheme (host ~ /^[A-Za-z0-9._$:-]*$/ && !random(host) ? host : host ~ /^[A-Za-z0-9.-]*[?]\*\*\*$/ ? host : hidden(host))
  web = scheme ~ /^(https?|wss?):/
  if (web) return n > 1 ? out webbed(substr(rest, length(host) + 1), pushing(host) || host ~ /[$]/) tail : out tail
  for (i = 2; i <= n; i++) {
    if (v[i] == "" || v[i] ~ /^[?#;]\*\*\*$/) out = out "/" v[i]
    else out = out "/" (step(v[i], 0) ? v[i] : filled(v[i], 0))
  }
  return out tail
}
