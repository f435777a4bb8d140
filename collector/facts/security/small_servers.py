"""The sh text that names the folders which small servers of files serve, by how they were started.

`python3 -m http.server`, `php -S`, httpd of busybox, webfsd, darkhttpd and their like have no
settings: the folder stands among their words, or it is the one that they were started in. A line
each: on whose word, a tab, the folder; `unsure /proc: NAME` where it cannot be told.
"""

from __future__ import annotations

# the words of a process, a line each; `told` is the folder by them, `-` where none could be told
_AWK = r"""
function base(s) { sub(/.*[/]/, "", s); return s }
# what follows one of the options (`-d X`, `-dX`, `--directory=X`), from word `i` on
function after(short, long, i,  found) {
  for (; i <= n; i++) {
    if (short != "" && A[i] == "-" short || long != "" && A[i] == "--" long) found = A[++i]
    else if (long != "" && index(A[i], "--" long "=") == 1) found = substr(A[i], length(long) + 4)
    else if (short != "" && A[i] !~ /^--/ && index(A[i], "-" short) == 1) found = substr(A[i], 3)
  }
  return found
}
# the last word from `i` on that is no option and no value of one
function last(i, values,  found) {
  for (; i <= n; i++) {
    if (A[i] ~ /^-/) { if (A[i] ~ values) i++; continue }
    found = A[i]
  }
  return found
}
{ A[++n] = $0 }
END {
  b = base(A[1]); sub(/[0-9.]+$/, "", b); told = ""; kind = ""
  if (b ~ /^(python|pypy)$/) {
    for (i = 2; i <= n && kind == ""; i++)
      if (A[i] == "-m" || A[i] ~ /^-m./) {
        m = A[i] == "-m" ? A[i + 1] : substr(A[i], 3)
        if (m ~ /^(http[.]server|SimpleHTTPServer|uploadserver|RangeHTTPServer)$/) {
          kind = m; told = after("d", "directory", i + 1)
        } else break
      } else if (A[i] !~ /^-/) break
  } else if (b == "php") {
    for (i = 2; i <= n; i++) if (A[i] ~ /^(-S.*|--server(=.*)?)$/) kind = "php"
    if (kind != "") told = after("t", "docroot", 2)
  } else if (b == "busybox" && A[2] == "httpd" || b == "httpd" && X ~ /busybox/) {
    kind = "httpd"; told = after("h", "", b == "httpd" ? 2 : 3)
    # it goes into that folder by itself
    if (told !~ /^[/]/) told = ""
  } else if (b == "ruby") {
    for (i = 2; i <= n; i++) if (A[i] == "-ehttpd" || A[i] == "-e" && A[i + 1] == "httpd") kind = "ruby"
    if (kind != "") {
      for (i = 2; i <= n; i++) if (A[i] ~ /^-e/) break
      told = last(A[i] == "-e" ? i + 2 : i + 1, "^(-p|--port|--bind-address)$")
    }
  } else if (b ~ /^(node|nodejs)$/ && base(A[2]) ~ /^(http-server|serve|live-server|static-server)([.]js)?$/) {
    kind = "node"; told = last(3, "^(-p|-a|-l|-c|-S|-C|-K|-P|--port|--listen|--config|--cors)$")
  } else if (b == "webfsd") { kind = "webfsd"; told = after("r", "", 2) }
  else if (b == "darkhttpd") { kind = "darkhttpd"; told = A[2] }
  else if (b == "thttpd" || b == "mini_httpd") { kind = b; told = after("d", "", 2); if (told == "") told = "-" }
  else if (b == "miniserve") { kind = b; told = last(2, "^(-p|-i|-a|--port|--interfaces|--auth)$") }
  else if (b == "caddy" && A[2] == "file-server") { kind = b; told = after("r", "root", 3) }
  if (kind == "") exit
  gsub(/[^A-Za-z.-]/, "", kind)
  if (told == "") told = "."
  print kind; print told
}
"""  # noqa: E501 - a program

# For a body that begins with OPENED.
SMALL_SERVERS = (
    r"""(
w='http\.server|HTTPServer|uploadserver|php|httpd|webfsd|http-server|live-server|static-server|serve'
k=0
for p in $(hp_saying "$w"); do
  k=$((k + 1)); [ "$k" -le 200 ] || { echo 'unsure /proc: more'; break; }
  p=/proc/$p
  # in a container the same path is another folder
  [ "$p/root/" -ef / ] || continue
  t=$(tr '\000' '\n' <"$p/cmdline" 2>/dev/null | awk -v "X=$(readlink "$p/exe" 2>/dev/null)" '"""
    + _AWK
    + r"""') || continue
  case "$t" in (*"$hp_nl"*) ;; (*) continue;; esac
  n=${t%%"$hp_nl"*} d=${t#*"$hp_nl"}
  case "$d" in
    (/*) ;;
    (-) d=;;
    (*) c=$(readlink "$p/cwd" 2>/dev/null); case "$c" in (/*) d=$c/$d;; (*) d=;; esac;;
  esac
  hp_owner "${p#/proc/}"
  # what a path with such signs means, a list of lines does not tell
  case "$d,$W" in
    (,*|*,-|*[!A-Za-z0-9_./\ :,@+-]*) printf 'unsure /proc: %s\n' "$n"; continue;;
  esac
  d=$(hp_do "$W" sh -c 'cd -P "$0" && pwd' "$d" 2>/dev/null)
  case "$d" in (/?*) printf '%s\t%s/\n' "$W" "$d";; (*) printf 'unsure /proc: %s\n' "$n";; esac
done | awk '!had[$0]++'
)"""
)
