"""The programs of awk that take directives about logs out of the settings of web servers."""

from __future__ import annotations

# nginx's own grammar, one directive a line, words parted by tabs; Lua blocks are no nginx.
NGINX = r"""
function word() { if (open) { W[++n] = cur; cur = ""; open = 0 } }
function say(c,  i, s) {
  s = c
  for (i = 1; i <= n; i++) { gsub(/\t/, " ", W[i]); s = s (s == "" ? "" : "\t") W[i] }
  if (c == "{" && W[1] == "map") s = "{\tmap\t" W[2] "\t" W[3]
  else if (c == "{" && W[1] !~ /^(http|server|location|limit_except|stream|mail)$/)
    s = "{\t" (W[1] == "if" ? "if" : "-")
  if (c != "" || W[1] ~ KEEP || W[1] == "set" && n == 3 && W[3] ~ SET) print "+" s
  n = 0
}
BEGIN {
  NAME = ENVIRON["HP_NAME"]
  KEEP = "^(include|log_format|access_log|set_real_ip_from|real_ip_header|real_ip_recursive"
  KEEP = KEEP "|listen|server_name)$"
  SET = "^[$](remote|realip|proxy_protocol|http_|time_|msec)"
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
"""
APACHE = r"""
BEGIN {
  NAME = ENVIRON["HP_NAME"]
  KEEP = "^(logformat|customlog|transferlog|globallog|include|includeoptional|loadmodule|serverroot"
  KEEP = KEEP "|servername|hostnamelookups|remoteip[a-z]*|define|<virtualhost|</virtualhost>"
  KEEP = KEEP "|<ifmodule|</ifmodule>|<ifdefine|</ifdefine>|<macro|</macro>|use)([ \t]|$)"
}
FNR == 1 { print "@F " (NAME != "" ? NAME : FILENAME); part = "" }
{
  s = part $0; sub(/\r$/, "", s)
  if (s ~ /\\$/) { part = substr(s, 1, length(s) - 1); next }
  part = ""; sub(/^[ \t]+/, "", s)
  if (tolower(s) ~ KEEP) print "+" s
}
"""
LINES = r"""
BEGIN {
  NAME = ENVIRON["HP_NAME"]
  KEEP = "[{}]|^[ \t]*(log|import|output|format|frontend|listen|log-format)([ \t]|$)|accesslog[.]"
  KEEP = KEEP "|mod_accesslog|extforward|<Host|<Valve|LogValve|RemoteIpValve|pattern=|httplog"
  KEEP = KEEP "|trusted_proxies|<!--|-->"
}
FNR == 1 { print "@F " (NAME != "" ? NAME : FILENAME) }
$0 ~ KEEP {
  gsub(/[Tt]oken[^ ]*|[Pp]ass[^ ]*/, "***"); print "+" substr($0, 1, 1000)
}
"""
