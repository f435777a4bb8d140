"""The texts of the reads of `backup_named`: what is looked at of the files that jobs name."""

from __future__ import annotations

from collector.facts.base.opened import OPENED
from collector.facts.base.redaction import only_lines

# One awk for the tabs and units, one for the scripts and settings that those name, one ls for the
# modes of all. Of a line only the path, or the repository, leaves awk.
_AWK = r"""
BEGIN {
  NAME = ENVIRON["HP_NAME"]
  q = "[\"\047]?"
  set = "(RESTIC_REPOSITORY|RESTIC_FROM_REPOSITORY|RESTIC_REPOSITORY_FILE|BORG_REPO"
  set = set "|WALG_[A-Z0-9]+_PREFIX|EnvironmentFile)" q "[ \t]*=[ \t]*" q "[^ \t\"\047;&|]+"
  server = "(^|[ \t\"\047=])(PG(HOST|HOSTADDR|PORT|SERVICE|SERVICEFILE)|MYSQL_(HOST|TCP_PORT"
  server = server "|UNIX_PORT))[ \t]*=[ \t]*" q "[^ \t\"\047;&|]+"
  opt = "(RESTIC_PASSWORD|REST_PASSWORD|BORG_PASSPHRASE|PASSPHRASE|RCLONE_CONFIG_PASS"
  opt = opt "|RSYNC_PASSWORD|SSHPASS|SECRET_ACCESS_KEY|ACCOUNT_KEY|ACCESS_KEY_SECRET"
  opt = opt "|cipher-pass|encryption_passphrase|WALG_LIBSODIUM_KEY)" q "[ \t]*[=:][ \t]*"
  holds = opt q "[^$` \t\"\047]|pass:[^$\"\047 \t]|sshpass[ \t]+-p[ \t]*" q "[^$\"\047 \t]"
  holds = holds "|--passphrase[ \t=]+" q "[^$\"\047 \t-]"
  holds = holds "|(^|[ \t/])openssl[ \t].*[ \t](-k[ \t]+(" q "[^$` \t\"\047-]|\"\"|\047\047)"
  holds = holds "|-pass(in|out)?[ \t]+" q "pass:" q "([ \t]|$))"
  holds = holds "|(^|[ \t/])(7z[ar]?|zip)[ \t].*[ \t]-[pP][ \t]*" q "[^$` \t\"\047-]"
  holds = holds "|--password-command[ \t=]+" q "(echo|printf)[ \t]"
  holds = holds "|(PASSWORD_COMMAND|PASSCOMMAND|passcommand)" q "[ \t]*[=:][ \t]*" q
  holds = holds "(echo|printf)[ \t]+[^$`]*$"
  # where a tool takes a secret that stands in a variable, or what is handed to it
  opt = "(" opt "|--passphrase[ \t=]+|pass:|sshpass[ \t]+-p[ \t]*"
  opt = opt "|(^|[ \t/])openssl[ \t].*[ \t]-k[ \t]+|-pass(in|out)?[ \t]+" q "env:"
  opt = opt "|(^|[ \t/])(7z[ar]?|zip)[ \t].*[ \t]-[pP][ \t]*)" q "([$][{]?)?"
  fed = "--passphrase-fd|-pass(in|out)?[ \t]+(fd:|stdin)|--key-file[ =]-|--password-stdin"
  given = "(^|[ \t;&({])(echo|printf)[ \t][^|]*[|]|<<<[ \t]*[^|;&]*"
  name = "(^|[ \t;&\"\047])[A-Za-z_][A-Za-z0-9_]*=(\"[^\"]*\"|\047[^\047]*\047|[^ \t;&|\"\047]+)"
  path = "/[A-Za-z0-9_./-]*[A-Za-z0-9_]"
  base = "^/((s?bin|lib(64)?|proc|dev|sys|run|usr/(s?bin|lib(64|exec)?|share))(/.*)?|usr|etc)$"
  home = "(~|[$]home|[$][{]home[}])?"
  key = "(^|[ \t\"\047;(=,])[a-z0-9_.-]*(pass|key|secret|cred|kfile|identity)[a-z0-9_-]*" q
  key = key "[ \t=:\"\047($<]*(cat[ \t]+|file:|head[^/|;&]*|gpg[^/|;&]*|age[^/|;&]*)?" q home path
  key = tolower(key "|(^|[ \t])-i[ \t]+" q home path)
}
# of(TEXT): is one of the variables that stand for a secret written here named in it?
function of(t,  v) {
  for (v in lit) if (t ~ ("[$][{]?" v "([^A-Za-z0-9_]|$)")) return 1
  return 0
}
# keeps(TEXT): which variables are set here to what is written out
function keeps(t,  m, i, b, v) {
  while (match(t, name)) {
    m = substr(t, RSTART, RLENGTH); t = substr(t, RSTART + RLENGTH)
    sub(/^[^A-Za-z_]/, "", m); i = index(m, "="); v = substr(m, 1, i - 1); b = substr(m, i + 1)
    if (b ~ /^\047..*\047$/ || b ~ /^"[^$`"]+"$/ || b ~ /^[^$`"\047]+$/) lit[v] = 1
    else delete lit[v]
  }
}
function secret(t,  v, g) {
  if (t ~ holds) return 1
  for (v in lit) if (t ~ (opt v "([^A-Za-z0-9_]|$)")) return 1
  if (t !~ fed) return 0
  if (t ~ /<<-?[ \t]*["\047]?[A-Za-z_]/) here = 1
  if (!match(t, given)) return 0
  g = substr(t, RSTART, RLENGTH)
  return g !~ /[$`]/ || of(g)
}
FNR == 1 {
  for (v in is) delete is[v]; for (v in lit) delete lit[v]
  at = NAME != "" ? NAME : FILENAME; had = here = 0; whole = ""
}
FNR > 4000 { next }
here { if ($0 !~ /[$`]/) print "holds\t" at; here = 0 }
/^[ \t]*#/ { next }
{
  whole = whole $0
  if (whole ~ /[\\]$/ && length(whole) < 4000) whole = substr(whole, 1, length(whole) - 1) " "
  else { keeps(whole); if (!had && secret(whole)) { had = 1; print "holds\t" at }; whole = "" }
}
!/[\/=:]/ { next }
{
  for (v in is) if (index($0, "$")) {
    gsub("[$][{]" v "[}]", is[v]); gsub("[$]" v "/", is[v] "/"); gsub("[$]" v " ", is[v] " ")
    gsub("[$]" v "\"", is[v] "\""); sub("[$]" v "$", is[v])
  }
  if (match($0, set)) print "set\t" at "\t" substr($0, RSTART, RLENGTH)
  if (match($0, server)) {
    m = substr($0, RSTART, RLENGTH); sub(/^[^PM]*/, "", m); print "set\t" at "\t" m
  }
  if (match($0, "^[ \t]*([.]|source)[ \t]+" q "/[A-Za-z0-9_./-]+")) {
    m = substr($0, RSTART, RLENGTH); print "from\t" at "\t" substr(m, index(m, "/"))
  }
  if (match($0, "^[ \t]*(export[ \t]+)?[A-Za-z_][A-Za-z0-9_]*=[\"\047]?/[A-Za-z0-9_./-]+")) {
    m = substr($0, RSTART, RLENGTH); sub(/^[ \t]*(export[ \t]+)?/, "", m); i = index(m, "=")
    b = substr(m, i + 1); sub(/^[^\/]/, "", b); is[substr(m, 1, i - 1)] = b
  }
  r = $0; low = tolower(r)
  while (match(low, key)) {
    m = substr(r, RSTART, RLENGTH); i = index(m, "/"); p = substr(m, i); b = substr(m, 1, i - 1)
    if (b ~ /(~|[$]HOME|[$][{]HOME[}])$/) p = "/root" p
    print "key\t" at "\t" p
    r = substr(r, RSTART + RLENGTH); low = tolower(r)
  }
  r = $0
  while (match(r, path)) {
    p = substr(r, RSTART, RLENGTH); r = substr(r, RSTART + RLENGTH)
    if (p in seen || p ~ base) continue
    seen[p] = 1; if (n++ < 400) print "path\t" p
  }
}
"""

FILES = (
    OPENED
    + rf"""
nl='
'
IFS=$nl
o= r= all= d=
for f in /etc/crontab /etc/anacrontab /etc/cron.d/* /etc/cron.hourly/* /etc/cron.daily/* \
  /etc/cron.weekly/* /etc/cron.monthly/* /var/spool/cron/* /var/spool/cron/crontabs/* \
  /etc/crontabs/* /etc/systemd/system/*.service /etc/systemd/system/*.service.d/*.conf \
  /etc/borgmatic/*.y*ml /etc/borgmatic.d/*.y*ml /etc/rsnapshot.conf /etc/restic/*.env \
  /etc/default/restic* /etc/pgbackrest.conf /etc/pgbackrest/*.conf /etc/pgbackrest/conf.d/*.conf
do [ -f "$f" ] && hp_plain "$f" && o="$o$hp_tab$f$nl"; done
for f in /root/.config/borg/keys/* /home/*/.config/borg/keys/*; do
  hp_can "$f" && r="${{r}}key	borg	$f$nl" all="$all$f$nl"
done
set -f
awk='{_AWK.replace("'", chr(39) + chr(92) + chr(39) + chr(39))}'
# his LINE: what awk finds in it, each line with a mark of whose word it is
his() {{
  hp_line "$1"; f=$h_f
  hp_word "$f"
  hp_by "$f" head -c 262144 2>/dev/null | HP_NAME=$f awk "$awk" | sed "s/^/@$W /"
}}
# sees FILE: is it there for whoever names it?
sees() {{
  case "$NAMER" in
    '') [ -f "$1" ];;
    *) hp_do "$NAMER" sh -c '[ -e "$0" ]' "$1";;
  esac
}}
for n in 1 2 3; do
  # who named the last path of the round before names none of this one's files
  set -- $o; o= NAMER=
  [ $# -gt 0 ] || break
  hp_voices "$@"
  x=$(hp_with "$h_ours" awk "$awk") || exit 3
  x=$x$nl$(hp_each "$h_others" his)
  for l in $x; do
    NAMER=; case "$l" in @*) NAMER=${{l%% *}}; NAMER=${{NAMER#@}}; l=${{l#* }};; esac
    p=${{l##*	}}
    case "$l" in
      set*) r="$r$l$nl"
        case "$l" in *REPOSITORY_FILE*|*EnvironmentFile*) p=/${{p#*/}};; *) continue;; esac;;
      from*|holds*) r="$r$l$nl";;
      key*) sees "$p" && r="$r$l$nl";;
    esac
    case "$l,$p" in
      key*) ;;
      *,/|*,/bin/*|*,/sbin/*|*,/lib*|*,/usr/bin/*|*,/usr/sbin/*|*,/usr/lib*) continue;;
      *,/usr/share/*|*,/proc*|*,/dev*|*,/sys*|*,/run*|*,/var/run*) continue;;
    esac
    case "$nl$all$d" in *"$nl$p$nl"*) continue;; esac
    [ -z "$NAMER" ] || sees "$p" || continue
    if [ -f "$p" ]; then
      all="$all$p$nl"
      [ "$n" -lt 3 ] && hp_can "$p" || continue
      case "$l,$p" in
        set*REPOSITORY_FILE*|key*) continue;;
        set*|from*|*.sh|*.bash|*.env|*.conf|*.cnf|*.yml|*.yaml) ;;
        *) hp_first "$p"; case "$h_l" in '#!'*) ;; *) continue;; esac;;
      esac
      o="$o$NAMER$hp_tab$p$nl"
    else
      # of what is named for each day the folder: `>/backup/shop-$(date +%F).sql`
      [ -d "$p" ] || p=${{p%/*}}
      [ -d "$p" ] || continue
      case "$nl$d" in *"$nl$p$nl"*) continue;; esac
      case "$p" in
        /etc|/etc/*|/bin|/sbin|/usr|/usr/*|/home|/root|/tmp|/var|/var/lib|/var/log|/var/log/*) ;;
        /var/spool*|/var/lib/dpkg*|/var/cache|/opt|/srv|/mnt|/boot*) ;;
        *) d="$d$p$nl";;
      esac
    fi
  done
done
printf '%s' "$r"
[ -n "$all$d" ] || {{ echo '== end'; exit 0; }}
a=
for p in $all $d; do
  while p=${{p%/*}}; [ -n "$p" ]; do
    case "$nl$a" in *"$nl$p$nl"*) break;; esac
    a="$a$p$nl"
  done
done
echo '== modes'
hp_ls -ldnL / $a $all $d 2>/dev/null
for p in $d; do
  q=$(cd -P "$p" 2>/dev/null && pwd) || q=$p
  [ "$q" = "$p" ] || ! hp_plain "$q" || printf 'real	%s	%s\n' "$p" "$q"
done
echo '== end'
exit 0
"""
)

_NAME = "[A-Za-z0-9_.-]"
_GAP = "[[:space:]]"
# words behind which anything may stand that is none
_NAMES = rf"\({_GAP}\{{1,\}}{_NAME}\{{1,\}}\)*"
_REST = rf"\({_GAP}.*\)\{{0,1\}}"
_PATH = r"[^][:space:]?&=#,;\"'@|<>[]"


def _says(key: str, value: str) -> str:
    return rf"\({_GAP}*{key}{_GAP}*={_GAP}*{value}\){_GAP}*"


_HOST = r"[A-Za-z0-9_.-]\{1,\}"
_PLACE = rf"\([a-z][a-z0-9+]*:\/\/\)\{{0,1\}}{_HOST}"
# Of names only what says where they lead; of settings only what says where to and how, in the forms
# that such a value has.
KEPT = "\n".join(
    [
        r"s/^[[:space:]]*[#;].*//",
        # /etc/hosts, and Host and HostName of ssh_config(5): remarks stand behind names, too
        r"/^[[:space:]]*[0-9a-fA-F.:]*[.:][0-9a-zA-Z.:%]*[[:space:]]/s/[[:space:]]*#.*//",
        r"/^[[:space:]]*[Hh][Oo][Ss][Tt]/s/[[:space:]]*#.*//",
        # whoever logs in, and what options of a connection string say, is not asked
        r"s#\(://\)[^/[:space:]]*@#\1#",
        r"s/^\([[:space:]]*remote[[:space:]]*=[[:space:]]*:\{0,1\}[^,:]*\),.*:/\1:/",
        r"s#^\([[:space:]]*endpoint[[:space:]]*=[[:space:]]*[a-z0-9+]*:*/*[A-Za-z0-9_.-]\{1,\}\)[:/].*#\1#",
        r"s#^\([[:space:]]*url[[:space:]]*=[[:space:]]*[a-z0-9+]*://[A-Za-z0-9_.-]\{1,\}\)[:/].*#\1#",
        r"s/^\([[:space:]]*repo[0-9]*-cipher-pass[[:space:]]*=\).*/\1***/",
        only_lines(
            rf"\({_GAP}*[0-9a-fA-F.:]*[.:][0-9a-zA-Z.:%]*{_NAMES}\){_REST}",
            rf"\({_GAP}*[Hh][Oo][Ss][Tt]\({_GAP}\{{1,\}}[A-Za-z0-9_.*?!%:-]\{{1,\}}\)*\)"
            rf"\({_GAP}\{{1,\}}[^=[:space:]].*\)\{{0,1\}}",
            rf"\({_GAP}*[Hh][Oo][Ss][Tt]\([Nn][Aa][Mm][Ee]\)\{{0,1\}}[[:space:]=]\{{1,\}}"
            rf"[A-Za-z0-9_.%:-]\{{1,\}}\){_REST}",
            rf"\({_GAP}*\[[^]=\"'@#[]\{{1,64\}}\]\){_GAP}*",
            _says("type", "[a-z0-9_-]*"),
            _says("remote", rf":\{{0,1\}}{_PATH}*\( {_PATH}*\)*"),
            _says("endpoint", _PLACE),
            _says("url", _PLACE),
            _says("repo[0-9]*-host", _HOST),
            _says("repo[0-9]*-path", rf"\/{_PATH}*\( {_PATH}*\)*"),
            _says("pg[0-9]*-path", rf"\/{_PATH}*\( {_PATH}*\)*"),
            _says("repo[0-9]*-type", "[a-z0-9]*"),
            _says("repo[0-9]*-s3-endpoint", rf"{_PLACE}\(:[0-9]*\)\{{0,1\}}"),
            _says("repo[0-9]*-s3-bucket", _HOST),
            _says("repo[0-9]*-sftp-host", _HOST),
            _says("repo[0-9]*-cipher-type", "[a-z0-9-]*"),
            rf"\({_GAP}*repo[0-9]*-cipher-pass{_GAP}*=[*]*\)",
            # a place in another form is one that nobody knows
            rest=r"""s/^\([[:space:]]*remote[[:space:]]*=\).*/\1 ***:/
t
s/^\([[:space:]]*repo[0-9]*-path[[:space:]]*=\).*/\1***/
t
s/^\([[:space:]]*pg[0-9]*-path[[:space:]]*=\).*/\1***/
t
s/^\([[:space:]]*repo[0-9]*-host[[:space:]]*=\).*/\1***/
t
d""",
        ),
    ]
)
