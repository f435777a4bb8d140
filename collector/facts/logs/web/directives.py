"""The programs of awk that take directives about logs out of the settings of web servers.

Each says what may leave: the directives that are judged by, and of these the values whose form is
known. Whatever else stands in a file, beside a brace or behind a directive too, stays on the host.
"""

from __future__ import annotations

# What a format has between its fields, and the path of a location, is text of people: of a word
# that is not listed its first letter and its length leave, as of one in a record (records/masking).
_LITERALS = r"""
function star(w,  c) {
  if (length(w) < 3 || w ~ /^[0-9][0-9]?[0-9]?$/ || (tolower(w) in LISTED)) return w
  c = substr(w, 1, 1); if (c !~ /[A-Za-z]/) c = "*"
  return c substr("********", 1, length(w) - 1)
}
# `\n`, `&quot;`: no words
function lit(s,  o, w) {
  o = ""
  while (match(s, /\\.|&[a-z]+;|&#x?[0-9a-fA-F]+;|[A-Za-z0-9_\200-\377][A-Za-z0-9_\200-\377-]*/)) {
    w = substr(s, RSTART, RLENGTH); o = o substr(s, 1, RSTART - 1); s = substr(s, RSTART + RLENGTH)
    o = o (w ~ /^\\|^&(quot|amp|apos|lt|gt|#.*);$/ ? w : star(w))
  }
  return o s
}
BEGIN {
  k = split("@LISTED@", w, " "); for (i = 1; i <= k; i++) LISTED[w[i]] = 1
}
"""
_LISTED = """
http https uri url host method status port time user addr address client remote source src dst
server upstream request response referer referrer agent user-agent user_agent useragent ua ip xff
x-forwarded-for forwarded real bytes size length sent msec level name path query args scheme ssl tls
remote_addr remote_user remote_port client_ip client_port request_time time_local time_iso8601
body_bytes_sent http_referer http_user_agent http_x_forwarded_for upstream_addr request_method
static assets public images image img css js fonts media favicon ico robots txt health healthz
nginx_status server-status index html htm php png jpg jpeg gif svg webp woff woff2 ttf eot json xml
map well-known acme-challenge api admin login upload uploads download downloads
"""
# the language of Apache's LogFormat: names of headers and of variables stay, and letters of a time
_FIELDS = r"""
function argument(a, kind,  o, w) {
  if (kind ~ /[t]$/ && kind !~ /\^/) {
    o = ""
    while (match(a, /%[-_0^#EO]*[A-Za-z+%]|[A-Za-z0-9_\200-\377]+/)) {
      w = substr(a, RSTART, RLENGTH); o = o substr(a, 1, RSTART - 1); a = substr(a, RSTART + RLENGTH)
      o = o (w ~ /^%/ || w ~ TIMES ? w : star(w))
    }
    return o a
  }
  return a ~ /^[A-Za-z0-9_.:-]+$/ && length(a) < 40 ? a : star(a)
}
function fields(s,  o, w, i) {
  o = ""
  while (match(s, /%[!0-9,<>]*([{][^}]*[}]\^?)?([A-Za-z%]|\^FU|\^FB|\^ti|\^to)/)) {
    w = substr(s, RSTART, RLENGTH); i = substr(s, 1, RSTART - 1); s = substr(s, RSTART + RLENGTH)
    o = o lit(i)
    if (i = index(w, "{")) {
      sub(/[}]/, "\t", w)
      w = substr(w, 1, i) argument(substr(w, i + 1, index(w, "\t") - i - 1), substr(w, index(w, "\t"))) "}" substr(w, index(w, "\t") + 1)
    }
    o = o w
  }
  return o lit(s)
}
BEGIN { TIMES = "^(begin|end|sec|msec|usec|msec_frac|usec_frac|yy|yyyy|M|MM|MMM|d|dd|H|HH|h|hh|m|mm|s|ss|S|SSS|a|Z|z|X|XX|XXX|T)$" }
"""  # noqa: E501 - a program


def _with(functions: str, program: str) -> str:
    return functions.replace("@LISTED@", " ".join(_LISTED.split())) + program


# nginx's own grammar, one directive a line, words parted by tabs; Lua blocks are no nginx.
NGINX = _with(
    _LITERALS,
    r"""
function word() { if (open) { W[++n] = cur; cur = ""; open = 0 } }
function format(s,  o, w, p) {
  if (s ~ /^escape=(default|json|none)$/) return s
  o = ""
  while (match(s, /[$]([{][A-Za-z0-9_]+[}]|[A-Za-z0-9_]+)/)) {
    w = substr(s, RSTART, RLENGTH); p = substr(s, 1, RSTART - 1); s = substr(s, RSTART + RLENGTH)
    o = o lit(p) w
  }
  return o lit(s)
}
function say(c,  i, s) {
  s = c
  if (c == "{" && W[1] == "location") for (i = 2; i <= n; i++) W[i] = lit(W[i])
  if (W[1] == "log_format") {
    if (W[2] !~ NAMED) W[2] = "***"
    for (i = 3; i <= n; i++) W[i] = format(W[i])
  }
  if (W[1] == "access_log") for (i = 3; i <= n; i++) {
    if (W[i] ~ /^if=/) { if (W[i] !~ IF) W[i] = "if=***" }
    else if (W[i] !~ (i > 3 ? OPTION : NAMED)) W[i] = "***"
  }
  for (i = 1; i <= n; i++) { gsub(/\t/, " ", W[i]); s = s (s == "" ? "" : "\t") W[i] }
  if (c == "{" && W[1] == "map") s = "{\tmap\t" (W[2] ~ VARS ? W[2] : "***") "\t" W[3]
  else if (c == "{" && W[1] !~ /^(http|server|location|limit_except|stream|mail)$/)
    s = "{\t" (W[1] == "if" ? "if" : "-")
  if (c != "" || W[1] ~ KEEP || W[1] == "set" && n == 3 && W[3] ~ SET) print "+" s
  n = 0
}
BEGIN {
  NAME = ENVIRON["HP_NAME"]
  KEEP = "^(include|log_format|access_log|set_real_ip_from|real_ip_header|real_ip_recursive"
  KEEP = KEEP "|listen|server_name)$"
  SET = "^([$][{]?(remote|realip|proxy_protocol|http_|time_|msec)[a-z0-9_]*[}]?[^A-Za-z0-9$]?)+$"
  VARS = "^([$][{]?[A-Za-z0-9_]+[}]?[^A-Za-z0-9$]?)+$"
  NAMED = "^[A-Za-z0-9_.=-]+$"
  OPTION = "^((buffer|flush|gzip)=[0-9a-z]+|gzip)$"
  IF = "^if=[$][{]?[A-Za-z0-9_]+[}]?$"
}
FNR == 1 { print "@F " (NAME != "" ? NAME : FILENAME); word(); n = 0; q = ""; lua = 0 }
{
  s = $0 " "
  while (s != "") {
    if (lua) {
      if (!match(s, /[{}"']|--/)) { s = ""; continue }
      at = substr(s, RSTART, 1); s = substr(s, RSTART)
      if (at == "-") s = ""
      else if (at == "\"" && match(s, /^"([^"\\]|\\.)*"/)) s = substr(s, RLENGTH + 1)
      else if (at == "'" && match(s, /^'([^'\\]|\\.)*'/)) s = substr(s, RLENGTH + 1)
      else { lua += at == "{" ? 1 : at == "}" ? -1 : 0; s = substr(s, 2) }
      if (!lua) print "+}"
    } else if (q != "") {
      if (q == "\"") at = match(s, /^([^"\\]|\\.)*"/); else at = match(s, /^([^'\\]|\\.)*'/)
      if (at) {
        cur = cur substr(s, 1, RLENGTH - 1); s = substr(s, RLENGTH + 1); q = ""; word()
      } else { cur = cur s; s = "" }
    } else if (match(s, /^[ \t\r]+/)) { word(); s = substr(s, RLENGTH + 1) }
    else if (!open && s ~ /^#/) s = ""
    else if (s ~ /^;/) { word(); say(""); s = substr(s, 2) }
    else if (cur ~ /\$$/ && match(s, /^[{][^}]*[}]/)) {
      cur = cur substr(s, 1, RLENGTH); s = substr(s, RLENGTH + 1)
    } else if (s ~ /^[{]/) {
      word(); if (W[1] ~ /_by_lua_block$/) lua = 1
      say("{"); s = substr(s, 2)
    }
    else if (s ~ /^[}]/) { word(); print "+}"; n = 0; s = substr(s, 2) }
    else if (!open && s ~ /^["']/) { q = substr(s, 1, 1); open = 1; s = substr(s, 2) }
    else {
      if (!match(s, /^[^ \t\r;{}"'#]+/)) RLENGTH = 1
      cur = cur substr(s, 1, RLENGTH); open = 1; s = substr(s, RLENGTH + 1)
    }
  }
}
""",
)
APACHE = _with(
    _LITERALS + _FIELDS,
    r"""
# quoted as it was
function quoted(w, what,  q) {
  q = w ~ /^["']/ ? substr(w, 1, 1) : ""
  if (q != "") w = substr(w, 2, length(w) - 2)
  return q (what == "format" ? fields(w) : w ~ /^[A-Za-z0-9_.-]*$/ ? w : lit(w)) q
}
function words(s) {
  k = 0
  while (match(s, /"([^"\\]|\\.)*"|'([^'\\]|\\.)*'|[^ \t]+/)) {
    V[++k] = substr(s, RSTART, RLENGTH); s = substr(s, RSTART + RLENGTH)
  }
}
function logged(s,  i, o) {
  words(s)
  o = V[1]
  if (tolower(V[1]) == "logformat") {
    if (k > 1) o = o " " quoted(V[2], "format")
    return o (k > 2 ? " " quoted(V[3]) : "")
  }
  for (i = 2; i <= k; i++) {
    if (i == 3 && V[i] !~ /^(env|expr)=/) V[i] = quoted(V[i], V[i] ~ /%/ ? "format" : "")
    else if (i > 2 && V[i] !~ /^env=!?[A-Za-z0-9_-]+$/) V[i] = V[i] ~ /expr=/ ? "expr=***" : "***"
    o = o " " V[i]
  }
  return o
}
BEGIN {
  NAME = ENVIRON["HP_NAME"]
  KEEP = "^(logformat|customlog|transferlog|globallog|include|includeoptional|loadmodule|serverroot"
  KEEP = KEEP "|servername|hostnamelookups|remoteip[a-z]*|define|<virtualhost|</virtualhost>"
  KEEP = KEEP "|<ifmodule|</ifmodule>|<ifdefine|</ifdefine>|<macro|</macro>|use)([ \t]|$)"
  VALUE = "^([$][{][A-Za-z_]+[}])?/[A-Za-z0-9_./-]*$|^%[A-Za-z{<>]|^[$][{][A-Za-z_]+[}]$"
  VALUE = VALUE "|^[a-z0-9-]+([.][a-z0-9-]+)*[.][a-z][a-z]+$"
}
FNR == 1 { print "@F " (NAME != "" ? NAME : FILENAME); part = "" }
{
  s = part $0; sub(/\r$/, "", s)
  if (s ~ /\\$/) { part = substr(s, 1, length(s) - 1); next }
  part = ""; sub(/^[ \t]+/, "", s)
  if (tolower(s) !~ KEEP) next
  if (tolower(s) ~ /^(logformat|(custom|global|transfer)log)[ \t]/) s = logged(s)
  else if (tolower(s) ~ /^use[ \t]/) { split(s, w); s = w[1] " " w[2] }
  else if (tolower(s) ~ /^define[ \t]/) {
    k = split(s, w); v = w[3]; gsub(/["']/, "", v)
    # a folder, a format or the name of a host
    if (k != 3 && v !~ /^%/ || v !~ VALUE) v = k > 2 ? "***" : ""
    else { match(s, /^[^ \t]+[ \t]+[^ \t]+[ \t]+/); v = substr(s, RLENGTH + 1) }
    if (v ~ /^["']?%/) v = quoted(v, "format")
    s = w[1] " " w[2] (v == "" ? "" : " " v)
  }
  print "+" s
}
""",
)
# Caddy's own words (quotes, backquotes, heredocs, remarks), for a brace within a text is none.
CADDY = r"""
function name(w) { return w ~ /^[A-Za-z0-9_][A-Za-z0-9_.-]*$/ ? w : "***" }
# the address of a site: its path and what stands for something else stay here
function site(w,  s) {
  if (w ~ /^&?[(][A-Za-z0-9_.-]+[)]$/) return w
  s = ""; if (match(w, /^[a-z]+:\/\//)) { s = substr(w, 1, RLENGTH); w = substr(w, RLENGTH + 1) }
  if (w ~ /[{$]/) return "{***}"
  if (match(w, /\//)) { s = s substr(w, 1, RSTART - 1); w = substr(w, RSTART) } else { s = s w; w = "" }
  if (s ~ /[@?=#"'`\\]/) return "***"
  return s (w == "" || w == "/" || w == "/*" ? w : "/***")
}
function put() { if (open) { W[++n] = cur; Q[n] = quoted }; cur = ""; open = 0; quoted = 0 }
function told(last,  s, i) {
  if (!deep) {
    s = ""
    if (last) for (i = 1; i < n; i++) s = s site(W[i]) (i < n - 1 ? " " : "")
    return s
  }
  if (W[1] == "log" || W[1] == "servers" || W[1] == "trusted_proxies") return W[1]
  if (W[1] == "import") return "import " (W[2] ~ /\// ? "***" : name(W[2]))
  if (W[1] == "format") return "format " (W[2] ~ FORMATS ? W[2] : "***")
  if (W[1] != "output") return ""
  if (W[2] == "file" && W[3] ~ /^[A-Za-z0-9_.\/][A-Za-z0-9_.\/-]*$/) return "output file " W[3]
  return W[2] ~ /^(file|net|stdout|stderr|discard)$/ ? "output " W[2] (W[2] == "file" ? " ***" : "") : "output ***"
}
function say(  last, s) {
  if (n && !deep && W[n] ~ /,$/ && !Q[n]) return
  last = n && W[n] == "{" && !Q[n]
  if (n && W[1] == "}" && !Q[1]) { print "+}"; if (deep) deep--; n = 0; return }
  if (n) {
    s = told(last)
    if (last) { print "+" (s != "" ? s " {" : n > 1 ? "- {" : "{"); deep++ }
    else if (s != "") print "+" s
  }
  n = 0
}
BEGIN {
  NAME = ENVIRON["HP_NAME"]
  FORMATS = "^(json|console|filter|append|transform|formatted|single_field|logfmt|single|elastic|encode)$"
}
FNR == 1 { print "@F " (NAME != "" ? NAME : FILENAME); n = deep = open = quoted = 0; q = doc = cur = "" }
{
  s = $0; sub(/\r$/, "", s)
  if (doc != "") {
    w = s; gsub(/^[ \t]+/, "", w)
    if (index(w, doc) != 1) next
    s = substr(w, length(doc) + 1); doc = ""; put()
  }
  while (s != "") {
    if (q != "") {
      at = q == "`" ? match(s, /^[^`]*`/) : match(s, /^([^"\\]|\\.)*"/)
      if (!at) { cur = cur s " "; s = ""; break }
      cur = cur substr(s, 1, RLENGTH - 1); s = substr(s, RLENGTH + 1); q = ""; quoted = 1; put()
    } else if (match(s, /^[ \t]+/)) { put(); s = substr(s, RLENGTH + 1) }
    else if (!open && s ~ /^#/) s = ""
    else if (!open && s ~ /^["`]/) { q = substr(s, 1, 1); open = 1; s = substr(s, 2) }
    else if (s == "\\") { put(); next }
    else if (!open && match(s, /^<<[A-Za-z0-9_-]+$/)) {
      doc = substr(s, 3); open = 1; quoted = 1; s = ""
    } else {
      if (!match(s, /^[^ \t\\]+/)) RLENGTH = 2
      cur = cur substr(s, 1, RLENGTH); open = 1; s = substr(s, RLENGTH + 1)
    }
  }
  if (q == "" && doc == "") { put(); say() }
}
"""  # noqa: E501 - a program
# lighttpd: what the log is, and for which hosts there are settings; conditions are not followed.
LIGHTTPD = _with(
    _LITERALS + _FIELDS,
    r"""
BEGIN { NAME = ENVIRON["HP_NAME"]; STRING = "\"([^\"\\\\]|\\\\.)*\"" }
FNR == 1 { print "@F " (NAME != "" ? NAME : FILENAME) }
{
  s = $0; sub(/\r$/, "", s)
  match(s, /^([^"#]|"([^"\\]|\\.)*")*/); s = substr(s, 1, RLENGTH); sub(/^[ \t]+/, "", s)
  if (s ~ /"mod_accesslog"/) print "+server.modules += ( \"mod_accesslog\" )"
  if (s ~ /"mod_extforward"/) print "+server.modules += ( \"mod_extforward\" )"
  if (s ~ /^extforward[.]/) { sub(/[^a-z.-].*/, "", s); print "+" s " = ***"; next }
  if (match(s, /^accesslog[.](format|filename)[ \t]*=[ \t]*/)) {
    key = s; sub(/[ \t=].*/, "", key); s = substr(s, RLENGTH + 1)
    if (match(s, "^" STRING)) {
      s = substr(s, 1, RLENGTH)
      if (key == "accesslog.format") s = "\"" fields(substr(s, 2, RLENGTH - 2)) "\""
    } else if (key == "accesslog.format") s = "***"
    else if (s !~ /^[a-z_.]+[ \t]*[+][ \t]*"[A-Za-z0-9_.\/%-]*"[ \t]*$/) s = "***"
    sub(/[ \t]+$/, "", s)
    print "+" key " = " s
    next
  }
  if (match(s, /[$]HTTP\["host"\][ \t]*(==|!=|=~|!~|=\^|=[$])[ \t]*"[^"]*"/)) {
    s = substr(s, RSTART, RLENGTH)
    if (s !~ /\[ \t]*==|\][ \t]*==[ \t]*"[A-Za-z0-9.:_-]*"$/) sub(/"[^"]*"$/, "\"***\"", s)
    print "+" s " {"
  }
}
""",
)
# Tomcat: the elements of hosts and of valves that log, each a line, with what is asked of them.
TOMCAT = _with(
    _LITERALS + _FIELDS,
    r"""
function value(name,  s, q) {
  s = tag; gsub(/[ \t]*=[ \t]*/, "=", s)
  if (!match(s, "[ \t]" name "=[\"']")) return ""
  q = substr(s, RSTART + RLENGTH - 1, 1); s = substr(s, RSTART + RLENGTH)
  return index(s, q) ? substr(s, 1, index(s, q) - 1) : ""
}
function one(name, v) { gsub(/"/, "\\&quot;", v); gsub(/>/, "\\&gt;", v); return " " name "=\"" v "\"" }
function say(  c, v, s) {
  if (tag ~ /^<Host[ \t]/) {
    v = value("name"); print "+<Host" one("name", v ~ /^[^{}$@=&<]*$/ ? v : "***") ">"
  } else if (tag ~ /^<Valve[ \t]/) {
    c = value("className"); if (c !~ /^[A-Za-z0-9_.$]*(AccessLogValve|RemoteIpValve)$/) return
    s = "+<Valve" one("className", c)
    if (c ~ /AccessLogValve$/) {
      if ((v = value("pattern")) != "") s = s one("pattern", v ~ /^(common|combined)$/ ? v : fields(v))
      if (tag ~ /[ \t]condition/) s = s " condition=\"***\""
    }
    print s "/>"
  }
}
BEGIN { NAME = ENVIRON["HP_NAME"]; INSIDE = "^<[^<>\"']*(\"[^\"]*\"[^<>\"']*|'[^']*'[^<>\"']*)*>" }
FNR == 1 { print "@F " (NAME != "" ? NAME : FILENAME); s = ""; remark = 0 }
{
  sub(/\r$/, "")
  if (remark) { if (!(at = index($0, "-->"))) next; remark = 0; $0 = substr($0, at + 3) }
  s = s (s == "" ? "" : " ") $0
  while (match(s, /</)) {
    s = substr(s, RSTART)
    if (s ~ /^<!--/) {
      if (at = index(s, "-->")) { s = substr(s, at + 3); continue }
      remark = 1; break
    }
    if (!match(s, INSIDE)) { if (s !~ /^<[A-Za-z]/ || length(s) > 65536) { s = substr(s, 2); continue }; next }
    tag = substr(s, 1, RLENGTH); s = substr(s, RLENGTH + 1); say()
  }
  s = ""
}
""",  # noqa: E501 - a program
)
