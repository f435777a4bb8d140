"""The sh text that names the folders which web servers serve, out of their settings.

nginx (root, alias), Apache (DocumentRoot, Alias and its like, VirtualDocumentRoot, UserDir),
lighttpd (server.document-root, alias.url, …) and Caddy (root), each by its own words and quotes, so
that a directive within a line or a block is one as well. A line each: `FILE:DIRECTIVE FOLDER;`. Of
a path with a variable in it what stands before it is the folder; one that cannot be told is named
by `unsure FILE: DIRECTIVE`.
"""

from __future__ import annotations

_AWK = r"""
function out(d, p) {
  if (p ~ /^\//) {
    if (match(p, /[$%{*]/)) { p = substr(p, 1, RSTART - 1); sub(/[^\/]*$/, "", p) }
    gsub(/\/\/+/, "/", p)
  }
  if (p !~ /^\/[^\/]/ || p ~ /["';\t|]/) print "unsure " F ": " d
  else print F ":" d " " (p ~ / / ? "\"" p "\"" : p) ";"
}
# a file that is taken in from elsewhere
function more(k, p) {
  if (p !~ /^\/[^\/]/ || p ~ /["';\t|$%{]/) print "unsure " F ": include"
  else print "incl " k " " p
}
# nginx
function word() { if (open) { W[++n] = cur; cur = ""; open = 0 } }
function said(  p, d) {
  if (n > 1 && W[1] == "include") {
    p = W[2]; d = F; sub(/\/[^\/]*$/, "", d)
    if (p !~ /^\//) p = (F ~ /^\/(usr\/local|www)\// ? d : "/etc/nginx") "/" p
    if (p !~ /mime\.types$|_params$|^\/etc\/nginx\/([^\/]*\.conf|(conf\.d|sites-enabled|default\.d)\/[^\/]*)$/)
      more("n", p)
  }
  if (n > 1 && W[1] ~ /^(root|alias)$/) {
    p = W[2]
    if (p ~ /^[A-Za-z0-9_.]/) {
      d = F; sub(/\/[^\/]*$/, "", d)
      out(W[1], d "/" p); sub(/\/[^\/]*$/, "", d); out(W[1], d "/" p)
      out(W[1], "/usr/share/nginx/" p); out(W[1], "/usr/local/nginx/" p)
      if (p != "html") out(W[1], p)
    } else out(W[1], p)
  }
  n = 0
}
function nginx(s,  at) {
  s = s " "
  while (s != "") {
    if (lua) {
      if (!match(s, /[{}"@Q@]|--/)) break
      at = substr(s, RSTART, 1); s = substr(s, RSTART)
      if (at == "-") break
      if (at == "\"" && match(s, /^"([^"\\]|\\.)*"/)) s = substr(s, RLENGTH + 1)
      else if (at == Q && match(s, "^" Q "([^" Q "\\\\]|\\\\.)*" Q)) s = substr(s, RLENGTH + 1)
      else { lua += at == "{" ? 1 : at == "}" ? -1 : 0; s = substr(s, 2) }
    } else if (q != "") {
      at = match(s, q == "\"" ? "^([^\"\\\\]|\\\\.)*\"" : "^([^" Q "\\\\]|\\\\.)*" Q)
      if (!at) { cur = cur s; break }
      cur = cur substr(s, 1, RLENGTH - 1); s = substr(s, RLENGTH + 1); q = ""; word()
    } else if (match(s, /^[ \t\r]+/)) { word(); s = substr(s, RLENGTH + 1) }
    else if (!open && s ~ /^#/) break
    else if (s ~ /^;/) { word(); said(); s = substr(s, 2) }
    else if (cur ~ /\$$/ && match(s, /^[{][^}]*[}]/)) { cur = cur substr(s, 1, RLENGTH); s = substr(s, RLENGTH + 1) }
    else if (s ~ /^[{}]/) {
      word(); if (s ~ /^[{]/ && W[1] ~ /_by_lua_block$/) lua = 1
      n = 0; s = substr(s, 2)
    } else if (!open && (s ~ /^"/ || substr(s, 1, 1) == Q)) { q = substr(s, 1, 1); open = 1; s = substr(s, 2) }
    else {
      if (!match(s, /^[^ \t\r;{}"#@Q@]+/)) RLENGTH = 1
      cur = cur substr(s, 1, RLENGTH); open = 1; s = substr(s, RLENGTH + 1)
    }
  }
}
# words as Apache and Caddy part them, into W
function words(s,  t) {
  n = 0
  while (match(s, /^[ \t\r]*("([^"\\]|\\.)*"|`[^`]*`|@Q@[^@Q@]*@Q@|[^ \t\r]+)/)) {
    t = substr(s, 1, RLENGTH); s = substr(s, RLENGTH + 1); sub(/^[ \t\r]+/, "", t)
    if (t ~ /^["`]/ || substr(t, 1, 1) == Q) t = substr(t, 2, length(t) - 2)
    W[++n] = t
  }
}
function apache(s,  d, p, i, t) {
  if (s ~ /\\$/) { part = part substr(s, 1, length(s) - 1); return }
  words(part s); part = ""
  d = tolower(W[1])
  if (!n || d ~ /^#/) return
  if (d == "define" && n > 2) { D[W[2]] = W[3]; return }
  if (d == "serverroot") { SR = W[2]; return }
  if (d ~ /^include(optional)?$/) {
    p = W[2]
    if (p ~ /^((mods|conf|sites)-enabled|ports\.conf|conf\.d|conf\.modules\.d)(\/|$)/) return
    if (p !~ /^\//) p = (SR != "" ? SR : F ~ /httpd/ ? "/etc/httpd" : "/etc/apache2") "/" p
    if (p !~ /^\/etc\/(apache2|httpd)\/((mods|conf|sites)-enabled|conf\.d|conf\.modules\.d)\//) more("a", p)
    return
  }
  if (d !~ /^(documentroot|(script)?alias(match)?|virtual(documentroot|scriptalias)(ip)?|userdir)$/ || n < 2) return
  p = d == "documentroot" ? W[2] : W[n]
  while (match(p, /[$][{][A-Za-z0-9_]+[}]/)) {
    t = substr(p, RSTART + 2, RLENGTH - 3)
    if (!(t in D) || ++i > 9) break
    p = substr(p, 1, RSTART - 1) D[t] substr(p, RSTART + RLENGTH)
  }
  if (d == "userdir") {
    if (tolower(W[2]) ~ /^(disabled|enabled)$/) return
    if (p ~ /^[A-Za-z0-9_]/ && p !~ /[:;]/) print F ":" d " /home/*/" p ";"
    else if (p !~ /^https?:/) out(W[1], p)
    return
  }
  if (p ~ /^[A-Za-z0-9_]/ && SR != "") p = SR "/" p
  out(W[1], p)
}
# the strings of an expression of lighttpd, and its variables, from where `s` begins
function value(s,  v, t) {
  v = ""
  while (1) {
    sub(/^[ \t]+/, "", s)
    if (match(s, /^"([^"\\]|\\.)*"/)) v = v substr(s, 2, RLENGTH - 2)
    else if (match(s, /^[A-Za-z_][A-Za-z0-9_.]*/)) {
      t = substr(s, 1, RLENGTH); sub(/^var[.]/, "", t)
      v = v (t in D ? D[t] : "$")
    } else return v "$"
    s = substr(s, RLENGTH + 1); sub(/^[ \t]+/, "", s)
    if (s !~ /^[+][ \t]*/) return v
    s = substr(s, 2)
  }
}
function lighttpd(s,  d, a) {
  match(s, /^([^"#]|"([^"\\]|\\.)*")*/); s = substr(s, 1, RLENGTH)
  if (match(s, /^[ \t]*(var[.])?[a-z_]+[ \t]*=[ \t]*/)) {
    d = substr(s, 1, RLENGTH); gsub(/[ \t=]|var[.]/, "", d); D[d] = value(substr(s, RLENGTH + 1))
  }
  while (aliases || match(s, /(server[.]document-root|simple-vhost[.]server-root|evhost[.]path-pattern|alias[.]url)[ \t]*[+]?=[ \t]*/)) {
    if (!aliases) {
      d = substr(s, RSTART, RLENGTH); s = substr(s, RSTART + RLENGTH); sub(/[ \t+=]+$/, "", d)
      if (d != "alias.url") { out(d, value(s)); continue }
      aliases = 1
    }
    a = match(s, /^([^")]|"([^"\\]|\\.)*")*[)]/) ? RLENGTH : 0
    d = a ? substr(s, 1, a) : s; s = a ? substr(s, a + 1) : ""
    while (match(d, /=>[ \t]*/)) { d = substr(d, RSTART + RLENGTH); out("alias.url", value(d)) }
    if (a) aliases = 0
    else return
  }
}
function caddy(s,  i, p) {
  words(s)
  for (i = 1; i <= n; i++) {
    if (W[i] ~ /^#/) return
    if (W[i] != "root" || i > 1 && W[i - 1] !~ /^[{]$/ || i == n) continue
    p = i + 2 <= n && W[i + 2] !~ /^[{}#]/ ? W[i + 2] : W[i + 1]
    out("root", p)
  }
}
BEGIN { Q = sprintf("%c", 39) }
/^==F / {
  F = substr($0, 5); word(); n = lua = aliases = 0; q = cur = part = ""
  K = K0 != "" ? K0 : F ~ /Caddyfile/ ? "c" : F ~ /lighttpd/ ? "l" : F ~ /apache|httpd/ ? "a" : "n"
  next
}
{
  s = substr($0, 2)
  if (K == "n") nginx(s); else if (K == "a") apache(s); else if (K == "l") lighttpd(s); else caddy(s)
}
"""  # noqa: E501 - a program
# no quote of its own may stand in a word of sh; a class that holds one is made by its octal
_PROGRAM = (
    _AWK.replace("@Q@", r"\047")
    .replace("[\"';\\t|]", r'["\047;\t|]')
    .replace("[\"';\\t|$%{]", r'["\047;\t|$%{]')
)

# of each Java its number and where its Tomcat is, as `hp_said` prints it
CATALINA = "hp_said '-Dcatalina[.]base=/[[:alnum:]_./-]+' 200"

# For a body that begins with OPENED. What settings take in from elsewhere is followed.
WEB_SETTINGS = (
    r"""(
IFS=$hp_nl K0=
set +f
folders() {
  hp_pour '==F ' '|' "$@" 2>/dev/null | awk -v "K0=$K0" '"""
    + _PROGRAM
    + r"""'
}
l=$(folders /etc/nginx/*.conf /etc/nginx/conf.d/* /etc/nginx/sites-enabled/* \
  /etc/nginx/default.d/* /usr/local/nginx/conf/*.conf /usr/local/nginx/conf/*/*.conf \
  /usr/local/openresty/nginx/conf/*.conf /www/server/panel/vhost/*/*.conf \
  /etc/apache2/*.conf /etc/apache2/sites-enabled/* /etc/apache2/conf-enabled/* \
  /etc/httpd/conf/*.conf /etc/httpd/conf.d/*.conf \
  /usr/local/apache2/conf/*.conf /usr/local/apache2/conf/*/*.conf \
  /etc/lighttpd/*.conf /etc/lighttpd/*/*.conf /etc/caddy/Caddyfile)
# started: the settings that servers were started with, by their title or their words; what a user
# says of his own, who may read none of the files of root, is only not known
started() {
  n=0
  for p in $(hp_saying 'nginx: master process |httpd|apache2'); do
    hp_owner "$p"; o=$W
    [ "$HP_UID" = 0 ] || o=-
    if [ -n "$o" ] && [ -n "$h_from" ]; then
      # its processes that serve run as somebody else, and say what it does
      a=; { read -r a <"/proc/$p/cmdline"; } 2>/dev/null
      b=; { read -r b <"/proc/$h_from/cmdline"; } 2>/dev/null
      hp_owner "$h_from"
      [ "$a" != "$b" ] || [ -n "$W" ] || continue
    fi
    n=$((n + 1)); [ $n -le 64 ] || { echo 'unsure /proc: more'; break; }
    tr '\000' '\n' <"/proc/$p/cmdline" 2>/dev/null | awk -v "own=${o:-2}" '
  function say(k, p, o) {
    if (own == 2 && p ~ "^/[A-Za-z0-9_./-]+$") print "incl " k " " p
    else print "unsure /proc: " o
  }
  /^nginx: master process / {
    p = c = ""
    for (i = 5; i <= NF; i++) {
      if ($i == "-p") p = $(i + 1); else if ($i ~ /^-p./) p = substr($i, 3)
      if ($i == "-c") c = $(i + 1); else if ($i ~ /^-c./) c = substr($i, 3)
    }
    sub("/+$", "", p)
    if (own == 2 && p ~ "^/[A-Za-z0-9_./-]+$") print "x:root " p "/html;"
    else if (p != "") print "unsure /proc: nginx"
    if (c != "") say("n", c ~ "^/" || p == "" ? c : p "/" c, "nginx")
    else if (own == 2 && p != "") print "incl n " p "/conf/nginx.conf"
  }
  want { say("a", $0, "httpd"); want = 0; next }
  /^([^ ]*[/])?(httpd|apache2)$/ { server = 1; next }
  server && /^-f$/ { want = 1; next }
  server && !/^-/ && !/^(start|restart|graceful|FOREGROUND)$/ { server = 0 }
'
  done | awk '!had[$0]++'
}
l="$l$hp_nl$(started)"
all=
for r in 1 2 3 4 5; do
  printf '%s\n' "$l" | grep -v '^incl '
  i=$(printf '%s\n' "$all" = "$l" | awk '
    $0 == "=" { on = 1; next }
    /^incl / && !had[$0]++ && on { if (n++ < 64) print; else { print "more"; exit } }')
  [ -n "$i" ] || break
  case $r$i in (5*|*more) echo 'unsure /: include';; esac
  [ $r -lt 5 ] || break
  all=$all$hp_nl$i; l=
  for K0 in n a; do
    set --
    for x in $(printf '%s\n' "$i" | sed -n "s/^incl $K0 //p"); do
      for f in $x; do [ -f "$f" ] && hp_plain "$f" && set -- "$@" "$f"; done
    done
    [ $# -eq 0 ] || l="$l$(folders "$@")$hp_nl"
  done
done
)"""
)
