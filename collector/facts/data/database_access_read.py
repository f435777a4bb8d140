"""The text of the read `database_access.state`: databases asked whom they let in, and settings."""

from __future__ import annotations

from collections.abc import Mapping

from collector.facts.base.opened import OPENED
from collector.facts.base.redaction import any_case
from collector.facts.system.taken_up import LOOK

# of processes, of accounts of one server, of lines of one pg_hba.conf
MOST, ACCOUNTS, RULES = 500, 2000, 500
ENGINES: Mapping[str, str] = {
    "redis-server": "redis",
    "valkey-server": "redis",
    "memcached": "memcached",
    "mongod": "mongodb",
    "mysqld": "mysql",
    "mariadbd": "mysql",
    "postgres": "postgresql",
    "postmaster": "postgresql",
    "kingbase": "kingbase",
    "gaussdb": "opengauss",
}
_NAMES = "|".join(ENGINES)
# of pg_hba.conf: who from where, and by which method; of an option its name alone
HBA = r"""
BEGIN {
  METHOD = "^(trust|reject|md5|password|scram-sha-256|gss|sspi|ident|peer|pam|ldap|radius|cert|bsd"
  METHOD = METHOD "|oauth|krb5|sha256|sm|sm3|sm4|scram-sm3)$"
}
{
  s = part $0; sub(/\r$/, "", s)
  if (s ~ /^[^#]*\\$/) { part = substr(s, 1, length(s) - 1); next }
  part = ""; out = ""; n = 0; most = 99
  while (n < most && match(s, /^[ \t,]*([^] \t#",=]|[]=]|"[^"]*")([^ \t#"]|"[^"]*")*/)) {
    w = substr(s, 1, RLENGTH); s = substr(s, RLENGTH + 1); sub(/^[ \t,]+/, "", w); n++
    if (n == 1 && w ~ /^include(_if_exists|_dir)?$/) most = 2
    else if (n == 1 && w !~ /^(local|host(no)?(ssl|gssenc)?|hostssm)$/) { w = "?"; most = 1 }
    else if (most == 2) { }
    else if (w ~ /=/) { sub(/=.*/, "", w); w = (w ~ /^[a-z_]+$/ ? substr(w, 1, 32) : "?") "=***" }
    else if (n > 4 || n == 4 && out ~ /^local /) {
      if (w !~ METHOD && (w !~ /^[0-9a-fA-F.:\/]+$/ || w !~ /[.:]/ || length(w) > 43)) w = "***"
    }
    out = out (n > 1 ? " " : "") w
  }
  if (out != "") print out
}
"""

# of users of Redis: names, and who comes in with no password; quotes may stand around any rule
_USER = r"""
tolower($1) == "user" {
  gsub(/\042[>#]([^\042\\]|\\.)*\042|\047[>#][^\047]*\047/, ">***")
  gsub(/\042([^\042\\]|\\.)*[ \t]([^\042\\]|\\.)*\042|\047[^\047]*[ \t][^\047]*\047/, "?")
  gsub(/[\042\047]/, "")
  out = "user " ($2 ~ /^[A-Za-z0-9_.-]+$/ ? substr($2, 1, 32) : "?")
  for (i = 3; i <= NF; i++) {
    if ($i ~ /^[>#]/) out = out " >***"
    else if (tolower($i) ~ /^(on|off|nopass|resetpass|reset)$/) out = out " " tolower($i)
  }
  print out; next
}
"""
# of an ACL file; `acl` that it was read
ACL = f'NR == 1 {{ print "acl" }}\n{_USER}'

QUESTION = (
    OPENED  # noqa: S608 - a question of fixed words
    + rf"""
p=$(hp_started '{_NAMES}' own | head -n {MOST + 1})
# where one runs, by the settings that it was started with
e=$(grep -aohE -e '-D(es|opensearch)[.]path[.]conf=/[A-Za-z0-9_./-]+' \
  /proc/[0-9]*/cmdline /dev/null 2>/dev/null | sed 's/^[^=]*=//' | sort -u | head -n 20)
[ -n "$p$e" ] || [ -d /etc/elasticsearch ] || {{ echo '== end'; exit 0; }}
h=$hp_nl k=0 h_e=
for f in $p; do
  k=$((k + 1)); [ $k -le {MOST} ] || {{ echo '== more processes'; break; }}
  d=/proc/$f; {{ read -r n <"$d/comm"; }} 2>/dev/null || continue
  hp_owner "$f"
  case $n in
  redis-server|valkey-server)
    o=$(tr '\000' ' ' <"$d/cmdline" | sed -n 's/.*:\([0-9]\{{1,5\}}\)\([ *].*\)\{{0,1\}}$/\1/p')
    c=$(command -v redis-cli || command -v valkey-cli)
    printf '%s\n' "== redis ${{o:--}}"
    [ -n "$o" ] && [ -n "$c" ] && {{
      set -- -h 127.0.0.1 -p "$o"
      printf 'ping %s\n' "$("$c" "$@" ping 2>&1 | head -n 1)"
      printf 'protected %s\n' "$("$c" "$@" config get protected-mode 2>&1 | sed -n 2p)"
      "$c" "$@" info server 2>/dev/null | grep -E '^(redis|valkey)_version:'
    }};;
  memcached)
    printf '%s\n' "== memcached ${{d#/proc/}}"
    tr '\000' '\n' <"$d/cmdline" | grep -E -x -e '-S|--enable-sasl|-Y|--auth-file.*|-[a-zA-Z]*S';;
  mongod)
    printf '%s\n' "== mongodb ${{d#/proc/}}"
    tr '\000' '\n' <"$d/cmdline" | grep -E -x -e '--(no)?auth|--keyFile|--transitionToAuth'
    c=$(tr '\000' '\n' <"$d/cmdline" \
      | sed -n -e '/^\(-f\|--config\)$/{{n;p;}}' -e 's/^--config=//p')
    NAMER=$W
    [ -n "$c" ] && hp_by "$c" cat | sed -n -e 's/[[:space:]]#.*//' -e 's/keyFile.*/keyFile: -/' \
      -e '/^[[:space:]]*\(authorization\|auth\|keyFile\|transitionToAuth\)[[:space:]]*[:=]/p'
    NAMER=
    # it reads its settings when it starts, and not again
    t_p=${{d#/proc/}} t_f= t_d= t_u=; [ -z "$c" ] || t_f=$c$hp_nl
    [ -n "$c" ] && hp_plain "$c" && {LOOK.strip()} | sed 's/^/run /';;
  mysqld|mariadbd)
    c=$(command -v mariadb || command -v mysql)
    printf '%s\n' "== mysql ${{d#/proc/}}"
    [ -n "$c" ] && hp_mysql && {{
      # MariaDB's client would check the certificate even at the socket
      case "$c" in *mariadb) set -- --no-defaults --skip-ssl;; *) set -- --no-defaults;; esac
      # no server gets a file of ours for the asking
      set -- "$@" --local-infile=0 -S "$S" -u root -N -B -e
      q="select concat('as ',current_user()); "
      q="${{q}}select concat_ws(' ','account',user,'@',host,if(plugin='','-',plugin),"
      q="${{q}}length(concat(ifnull(authentication_string,'')"
      t="))) from mysql.user"
      # MySQL has no such column, nor roles without a host
      echo roles
      "$c" "$@" "select concat('role ',user) from mysql.user where is_role='Y'" 2>/dev/null
      "$c" "$@" "$q,ifnull(password,'')$t" 2>/dev/null || "$c" "$@" "$q$t" 2>&1
    }} | sed 's/^==/-==/' | head -n {ACCOUNTS + 1};;
  postgres|postmaster|kingbase|gaussdb)
    w=$(readlink "$d/cwd") && hp_plain "$w" && case "$h" in
      *"$hp_nl$W$hp_tab$w$hp_nl"*) ;;
      *) h="$h$W$hp_tab$w$hp_nl"
      printf '%s\n' "== postgresql $w"
      for c in "$w"/pg_hba.conf "$w"/sys_hba.conf /etc/postgresql/*/*/pg_hba.conf; do
        case "$c" in "$w"/*) NAMER=$W;; *) NAMER=;; esac
        [ -f "$c" ] && hp_plain "$c" && {{ printf '%s\n' "hba $c"
          hp_by "$c" cat | awk '{HBA}' |
            sed -e 's/^==/-==/' -e 's/^hba /-hba /' | head -n {RULES + 1}; }}
      done; NAMER=;;
    esac;;
  esac
done
for c in /etc/redis/*.conf /etc/redis.conf /etc/valkey/*.conf /usr/local/redis/*.conf \
  /usr/local/etc/redis*.conf; do
  [ -f "$c" ] && hp_plain "$c" || continue
  printf '%s\n' "== redis-settings $c"
  w='port|bind|protected-mode|requirepass|aclfile|include|user'
  hp_by "$c" cat | grep -iE "^[[:space:]]*($w)[[:space:]]" | awk '{_USER}{{ print }}' \
    | sed -e 's/[[:space:]]#[[:space:]].*//' \
      -e 's/\({any_case("requirepass")}\)[[:space:]].*/\1 ***/'
  a=$(hp_by "$c" sed -n 's/^[[:space:]]*aclfile[[:space:]]*"\{{0,1\}}\(\/[^" ]*\).*/\1/p' |
    tail -n 1)
  [ -n "$a" ] || continue
  hp_word "$c"; NAMER=$W
  hp_by "$a" cat 2>/dev/null | head -c 65536 | awk '{ACL}'; NAMER=
done
for c in $e /etc/elasticsearch /etc/opensearch; do
  r=; printf '%s\n' "$e" | grep -qxF -e "$c" && r=1
  [ -z "$e" ] || [ -n "$r" ] || continue
  for f in "$c/elasticsearch.yml" "$c/opensearch.yml"; do [ ! -f "$f" ] || c=$f; done
  [ -f "$c" ] && hp_plain "$c" || continue
  case "$h_e" in (*"$hp_nl$c$hp_nl"*) continue;; esac
  h_e="$h_e$hp_nl$c$hp_nl"
  printf '%s\n' "== elasticsearch $c"
  [ -z "$r" ] || echo runs
  hp_by "$c" cat |
    grep -E '^[[:space:]]*(xpack\.security\.enabled|plugins\.security\.disabled)[[:space:]]*:' |
    sed 's/[[:space:]]#.*//'
done
echo '== end'
"""  # noqa: S608 - a question of fixed words
)
