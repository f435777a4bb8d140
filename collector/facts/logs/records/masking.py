"""An awk program that masks log records on the host itself: their form stays, what they say goes.

It is the other way round than `masking`: only words of a list, times, numbers in known places and
the first half of an address stay; of every other word the first letter does (`root` → `r***`).
POSIX awk without intervals and classes, so that gawk, mawk and busybox awk take it.
"""

from __future__ import annotations

# Words of sshd, PAM, sudo, su, systemd-logind, shadow and the kernel's audit, and of HTTP.
_WORDS = """
Accepted Failed Invalid Illegal illegal invalid user for from port ssh ssh2 publickey password
keyboard-interactive pam none hostbased gssapi-with-mic session opened closed by authentication
failure failures pam_unix pam_sss pam_systemd pam_succeed_if pam_faillock sshd sshd-session sudo
sudo-i su su-l su-session login cron crond CRON auth account systemd systemd-user
systemd-logind polkit-1 polkitd runuser passwd chpasswd useradd userdel usermod groupadd vsftpd
xrdp-sesman gdm-password New new Removed of on to Connection connection reset Disconnected
Disconnecting Received disconnect from: preauth authenticating message repeated times error more
maximum attempts exceeded incorrect attempt attempts command not allowed NOT in sudoers TTY PWD
USER COMMAND GROUP ENV logname uid euid gid egid tty ruser rhost auid old-auid pid ppid ses
old-ses tty-old subj op acct exe hostname addr terminal res success yes no failed type msg audit
unit comm key grantors id login unset root-login USER_LOGIN USER_AUTH USER_ACCT USER_CMD
USER_START USER_END USER_LOGOUT USER_ERR USER_MGMT USER_CHAUTHTOK CRED_ACQ CRED_DISP CRED_REFR
ADD_USER DEL_USER ADD_GROUP DEL_GROUP GRP_MGMT CRYPTO_SESSION CRYPTO_KEY_USER CONFIG_CHANGE
SERVICE_START SERVICE_STOP SYSCALL EXECVE PROCTITLE PATH CWD LOGIN ANOM_ABEND DAEMON_START
DAEMON_END SYSTEM_BOOT SYSTEM_SHUTDOWN syscall arch exit items pts ttyS console PAM setcred
session_open session_close authentication: usr bin sbin local lib libexec openssh
GET POST HEAD PUT DELETE OPTIONS PATCH CONNECT TRACE PROPFIND HTTP http https status method
remote_addr remote_port client_ip client_port source_port IN OUT SRC DST SPT DPT PROTO MAC LEN TOS
FAILED ON BY FOR ROOT SU name UID GID home shell changed chauthtok
PREC TTL ID DF TCP UDP ICMP SYN ACK WINDOW RES URGP UFW BLOCK AUDIT ALLOW
Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec Mon Tue Wed Thu Fri Sat Sun UTC CST AM PM
"""

# after one of these a number stays: it is no more than a number
_NUMBERED = """
port uid euid gid egid auid old-auid pid ppid ses old-ses id res SPT DPT LEN TTL TOS syscall exit
items status remote_port client_port source_port times
"""

# parts of the names of members in JSON; the names of others may be anybody's
_KEYS = """
uri url host ip xff proto protocol server client remote local source src dst dest request response
req resp req_id upstream referer referrer agent ua x forwarded real bytes size length sent body
headers header duration latency elapsed path query args scheme ssl tls ts time timestamp datetime
date iso8601 msec level logger severity message event action result code err ctx trace span common
log content version cipher suite site vhost domain file line thread class app service process sec
timezone nginx apache caddy access error remoteip clientip ident verb httpversion phone
"""

MASKING = (
    "BEGIN {\n"
    f'  n = split("{" ".join(_WORDS.split())}", w, " "); for (i = 1; i <= n; i++) K[w[i]] = 1\n'
    f'  n = split("{" ".join(_NUMBERED.split())}", w, " "); for (i = 1; i <= n; i++) N[w[i]] = 1\n'
    f'  n = split("{" ".join(_KEYS.split())}", w, " "); for (i = 1; i <= n; i++) J[w[i]] = 1\n'
    r"""  split("user acct USER ruser logname USERNAME", w, " "); for (i in w) S[w[i]] = 1
  H = "^[A-Z][a-z][a-z] [ 0-9][0-9] [0-9][0-9]:[0-9][0-9]:[0-9][0-9] "
  D = "[0-9][0-9][0-9][0-9][-/][0-9][0-9][-/][0-9][0-9]"
  C = "[0-9][0-9]:[0-9][0-9]:[0-9][0-9]"
  I = "^" D "[T ]" C "([.,][0-9]+)?( ?(Z|[-+][0-9][0-9]:?[0-9][0-9]))?"
  Y = "^[A-Z][a-z][a-z] [ 0-9][0-9] " C "(\\.[0-9]+)?( [0-9][0-9][0-9][0-9])?"
  E = "[A-Za-z0-9_./&%\200-\377-]"
  G = "^[0-9][0-9]?/[A-Z][a-z][a-z]/[0-9][0-9][0-9][0-9]:" C "( [-+][0-9][0-9][0-9][0-9])?"
}
function star(s,  c) {
  c = substr(s, 1, 1)
  if (c !~ /[A-Za-z]/) c = "*"
  return c substr("********", 1, length(s) - 1)
}
function take(n) { T = substr(R, 1, n); R = substr(R, n + 1) }
# heads: time, host, program; the host goes, the program stays
function head(s,  lvl, L) {
  R = s; O = ""
  if (match(R, /^<[0-9]+>(1 )?/)) { take(RLENGTH); O = T }
  if (match(R, H) || match(R, I " ")) {
    take(RLENGTH); O = O T
    if (match(R, /^[^ ]+ /)) {
      take(RLENGTH); T = substr(T, 1, RLENGTH - 1)
      lvl = T ~ /^\[?(TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|SEVERE|FATAL|CRITICAL)\]?:?$/
      O = O (T ~ /^[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+$/ ? quad(T) : star(T)) " "
      if (!lvl && match(R, /^[A-Za-z(][A-Za-z0-9_.()\/-]*(\[[0-9]+\])?: ?/) && RLENGTH < 60) {
        L = RLENGTH
        if (daemon(substr(R, 1, L))) { take(L); O = O T }
      }
    }
  }
  return O
}
# a program of syslog has its number, or a plain name: a log of its own may have any word there
function daemon(s) {
  if (s ~ /\[[0-9]+\]: ?$/) return 1
  sub(/: ?$/, "", s)
  return (s in K) || s !~ /[0-9][0-9][0-9]|[0-9][A-Za-z]/
}
function quad(s,  p) { split(s, p, "."); return p[1] "." p[2] ".*.*" }
# is it no address: has it a group of more than four digits?
function long(s,  p, n, i) {
  n = split(s, p, ":")
  for (i = 1; i <= n; i++) if (length(p[i]) > 4 && p[i] !~ /\./) return 1
  return n > 9
}
# Is the name of a member in JSON made of listed words, or that of a path?
function listed(s,  n, i, p) {
  if (length(s) < 25 && s ~ /^[A-Za-z_-]*(ur[il]|path)[A-Za-z_-]*$/) return 1
  while (match(s, /[a-z][A-Z]/)) s = substr(s, 1, RSTART) "_" substr(s, RSTART + 1)
  n = split(s, p, /[_.@-]/)
  for (i = 1; i <= n; i++)
    if (p[i] != "" && !(p[i] in K) && !(tolower(p[i]) in K) && !(tolower(p[i]) in J)) return 0
  return 1
}
function starred(s,  o, w) {
  o = ""
  while (match(s, /[A-Za-z0-9_-]+/)) {
    w = substr(s, RSTART, RLENGTH); o = o substr(s, 1, RSTART - 1); s = substr(s, RSTART + RLENGTH)
    o = o (listed(w) ? w : star(w))
  }
  return o s
}
# No number of a process or an account has more than ten digits: telephones and cards do.
function few(s, name,  most) {
  most = name ~ /port$|^[SD]PT$/ ? 5 : 10
  sub(/\..*/, "", s)
  return length(s) <= most || name ~ /time|msec|ts$/ && s ~ /^1[6-9][0-9]*$/ && length(s) == 13
}
function mask(s, web,  O, P, B, prev, key, ok, p) {
  O = web ? "" : head(s)
  if (web) R = s
  P = ""; B = web ? "" : " "; prev = ""
  while (R != "") {
    key = ""
    if (match(R, /^"[A-Za-z_@.][A-Za-z0-9_@.-]*"[ \t]*:/)) {
      take(RLENGTH); key = T; gsub(/[" \t:]/, "", key); prev = key; B = ":"
      O = O (listed(key) ? T : "\"" starred(key) "\":"); continue
    }
    if (match(R, I) || match(R, G) || match(R, Y) || match(R, /^audit\([0-9]+\.[0-9]+:[0-9]+\)/)) {
      take(RLENGTH); O = O T; B = substr(T, RLENGTH); continue
    }
    if (match(R, "^" C) && substr(R, RLENGTH + 1, 1) !~ /[:0-9A-Fa-f]/) {
      take(RLENGTH); O = O T; B = "0"; continue
    }
    if (match(R, /^[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+/) && B !~ /[0-9A-Za-z.\/-]/) {
      take(RLENGTH); O = O (length(T) < 16 ? quad(T) : star(T)); B = "*"; continue
    }
    if (match(R, /^[0-9A-Fa-f]*:[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*/) && B !~ /[0-9A-Za-z\/]/) {
      take(RLENGTH)
      if (T ~ /^:*$/) O = O T
      else if (T ~ /^::[Ff][Ff][Ff][Ff]:[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+$/)
        O = O "::ffff:" quad(substr(T, 8))
      else if (T == "::1") O = O T
      else if (long(T)) O = O star(T)
      else { split(T, p, ":"); O = O p[1] ":" p[2] ":*" }
      B = "*"; continue
    }
    if (match(R, /^[0-9]+(\.[0-9]+)?/) && substr(R, RLENGTH + 1, 1) !~ E) {
      take(RLENGTH); ok = 0
      if (web && T ~ /^1[6-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9](\.[0-9]+)?$/) ok = 1
      else if (B == "=") ok = (prev in N) && (!web || prev ~ /port$|^status$/)
      else if (web && (B == "\"" || B == ":" && prev != ""))
        ok = RLENGTH == 3 || prev ~ /(^|_)(status|bytes|size|length|sent|time|port|duration|msec)/
      else if (web) ok = B ~ /^[ '\[(,|\t:]?$/ && (RLENGTH < 7 || T ~ /\./ && RLENGTH < 12)
      else ok = (prev in N) && B == " " || B == "[" && RLENGTH < 8
      if (web && O ~ /HTTP\/$/) ok = 1
      if (ok && !few(T, prev) && !(web && T ~ /^1[6-9][0-9]+\./)) ok = 0
      O = O (ok ? T : substr("********", 1, RLENGTH)); B = "0"; prev = ""; continue
    }
    if (match(R, /^[A-Za-z0-9_\200-\377][A-Za-z0-9_\200-\377-]*/)) {
      take(RLENGTH)
      # after `user ` and `acct=` there is a name, even where it looks like another word
      ok = T in K
      if ((prev in S) && (B == "=" || B == " " && prev == "user" || B == "\"" && P == "=")) ok = 0
      if (prev == "for" && B == " " && T != "invalid" && T != "user" && T != "illegal") ok = 0
      O = O (ok ? T : star(T)); prev = T; B = "a"; P = ""; continue
    }
    take(1); O = O (T ~ /[ -~\t]/ ? T : " ")
    if (T == "(" || T == "[" || !web && T == ":" || web && T !~ /[ ="']/) prev = ""
    if (T == " " && B == " ") prev = ""
    P = B; B = T
  }
  return O
}
"""
)
