"""The text of the read `database_access.state`: databases asked whom they let in, and settings."""

from __future__ import annotations

from collections.abc import Mapping

from collector.facts.base.opened import OPENED
from collector.facts.base.redaction import any_case
from collector.facts.system.taken_up import LOOK

# of processes, of accounts of one server, of lines of one pg_hba.conf
MOST, ACCOUNTS, RULES = 500, 2000, 500
# of processes that are asked since when they have their settings
LOOKS = 40
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
_OWNERS = "postgres postgresql pgsql kingbase omm gaussdb opengauss highgo gpadmin"
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

# $w is the folder of a PostgreSQL, $f its process, on the word of $W: when it has loaded which
# pg_hba.conf, by its own answer where the peer of its socket is let in, else by its command line
_PG = rf"""
u=$W k_c=$hp_nl g= o= a= t=
NAMER=$u; hp_can "$w/postmaster.pid" && o=$(hp_by "$w/postmaster.pid" head -n 5 2>/dev/null)
NAMER=; set -f; IFS=$hp_nl; set -- $o; unset IFS; set +f
o=; a=${{4-}} t=${{5-}}
c=$(command -v psql); for b in /usr/lib/postgresql/*/bin/psql; do [ -x "$b" ] && c=$b; done
case "$a" in (*[!0-9]*|"") t=;; esac
case "$t" in (/*) ;; (*) t=;; esac
if looks && [ -n "$c" ] && [ -n "$t" ] && hp_plain "$t" &&
  hp_speaks "$t/.s.PGSQL.$a" {_OWNERS}; then
  i=$(id -un "$h_uid"); hp_word "$c"; b=${{u:-$W}}
  set -- "$c" -X -A -t -q -w -h "$t" -p "$a" -U "$i" -d postgres
  # by the server's own names: a role may make an operator that is taken before them
  PGOPTIONS='-c search_path=pg_catalog -c statement_timeout=3000' PGCONNECT_TIMEOUT=3
  export PGCONNECT_TIMEOUT PGOPTIONS
  o=$(printf '%s\n' "select 'loaded '||extract(epoch from pg_conf_load_time());" \
    "select 'at '||current_setting('hba_file');" \
    "select 'broken' from pg_hba_file_rules where error is not null limit 1;" |
    if [ -z "$b" ]; then "$@"; else hp_as "$b" "$@"; fi 2>/dev/null |
    grep -E '^(loaded [0-9.]+|at /.*|broken)$')
fi
case "$o" in
  *'at /'*) g=${{o#*at }}; g=${{g%%"$hp_nl"*}}; hp_plain "$g" || g=;;
  *)
    b=$(tr '\000' '\n' <"$d/cmdline" | sed -n 's/^config_file=\(\/.*\)/\1/p' | head -n 1)
    b=${{b:-$w/postgresql.conf}}; hp_plain "$b" || b=/dev/null
    g=${{b%/*}}/pg_hba.conf; [ -f "$g" ] || g=$w/sys_hba.conf; hp_plain "$g" || g=
    NAMER=$u
    for b in "$b" "$w/postgresql.auto.conf"; do hp_by "$b" cat 2>/dev/null; done |
      grep -qiE '^[[:space:]]*hba_file' && echo 'run elsewhere'
    NAMER=;;
esac
if [ -n "$g" ]; then
  printf '%s\n' "$o" | sed -n -e '/^at /p' -e 's/^broken$/run &/p' -e 's/^loaded /run &/p'
  t_p=$f t_f=$g$hp_nl t_d= t_u=
  [ "$k_l" -gt {LOOKS} ] || {LOOK.strip()} | sed 's/^/run /'
fi
"""  # noqa: S608 - questions of fixed words

QUESTION = (
    OPENED  # noqa: S608 - a question of fixed words
    + rf"""
p=$(hp_started '{_NAMES}' own | head -n {MOST + 1})
# of Elasticsearch and OpenSearch: the folder of settings that a process was started with, by its
# own words, or by those of the process of the same account that has started it
conf_of() {{
  tr '\000' '\n' <"/proc/$1/cmdline" 2>/dev/null |
    sed -n 's,^-D\(es\|opensearch\)[.]path[.]conf=\(/[A-Za-z0-9_./-]*\)$,\2,p' | tail -n 1
}}
e=; k=0
for f in $(hp_started 'java|elasticsearch|opensearch' | head -n {MOST + 1}); do
  k=$((k + 1)); [ $k -le {MOST} ] || {{ e="${{e}}more$hp_nl"; break; }}
  # one of a container has its settings there
  [ "/proc/$f/root/" -ef / ] || continue
  c=$(conf_of "$f")
  [ -n "$c" ] || {{
    hp_owner "$f"; u=$h_u i=$h_from
    [ -n "$i" ] && hp_owner "$i" && [ "$h_u" = "$u" ] && c=$(conf_of "$i"); }}
  while :; do case $c in (?*/) c=${{c%/}};; (*) break;; esac; done
  [ -z "$c" ] || e="$e$f $c$hp_nl"
done
[ -n "$p$e" ] || [ -d /etc/elasticsearch ] || {{ echo '== end'; exit 0; }}
h=$hp_nl k=0 k_l=0
# anybody starts many that go by such a name
looks() {{ k_l=$((k_l + 1)); [ "$k_l" -le {LOOKS} ]; }}
for f in $p; do
  k=$((k + 1)); [ $k -le {MOST} ] || {{ echo '== more processes'; break; }}
  d=/proc/$f; {{ read -r n <"$d/comm"; }} 2>/dev/null || continue
  hp_owner "$f"
  case $n in
  redis-server|valkey-server)
    o=$(tr '\000' ' ' <"$d/cmdline" | sed -n 's/.*:\([0-9]\{{1,5\}}\)\([ *].*\)\{{0,1\}}$/\1/p')
    c=$(command -v redis-cli || command -v valkey-cli)
    printf '%s\n' "== redis ${{o:--}}"
    a=; [ -n "$o" ] && [ -n "$c" ] && {{
      set -- -h 127.0.0.1 -p "$o"
      a=$("$c" "$@" ping 2>&1 | head -n 1)
      case "$a" in (PONG|*NOAUTH*|AUTH*|NOPERM*) ;; (*)
        # it may serve TLS alone, or the client has none
        t=$("$c" "$@" --tls --insecure ping 2>&1 | head -n 1)
        case "$t" in (PONG|*NOAUTH*|AUTH*|NOPERM*)
          a=$t; set -- "$@" --tls --insecure; echo tls;;
        esac;;
      esac
      printf 'ping %s\n' "$a"
      printf 'protected %s\n' "$("$c" "$@" config get protected-mode 2>&1 | sed -n 2p)"
      "$c" "$@" info server 2>/dev/null | grep -E '^(redis|valkey)_version:'
    }}
    case "$a" in (PONG|*NOAUTH*|AUTH*|NOPERM*) ;; (*) ! looks || {{
      # then its settings alone tell, of which it has what it found when it started
      t_p=$f t_f= t_d= t_u=
      {LOOK.strip()} | sed 's/^/run /'; }};;
    esac;;
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
    if [ -z "$c" ]; then echo 'run none'
    elif hp_plain "$c" && looks; then {LOOK.strip()} | sed 's/^/run /'; fi;;
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
      {_PG.strip()}
      for c in "$w"/pg_hba.conf "$w"/sys_hba.conf "$g" /etc/postgresql/*/*/pg_hba.conf; do
        case "$k_c" in *"$hp_nl$c$hp_nl"*) continue;; esac
        k_c="$k_c$c$hp_nl"
        case "$c" in "$w"/*|"$g") NAMER=$u;; *) NAMER=;; esac
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
  stat -L -c 'run file %.9Y %.9Z %.9W %n' "$c"
  w='port|tls-port|tls-auth-clients|bind|protected-mode|requirepass|aclfile|include|user'
  hp_by "$c" cat | grep -iE "^[[:space:]]*($w)[[:space:]]" | awk '{_USER}{{ print }}' \
    | sed -e 's/[[:space:]]#[[:space:]].*//' \
      -e 's/\({any_case("requirepass")}\)[[:space:]].*/\1 ***/'
  a=$(hp_by "$c" sed -n 's/^[[:space:]]*aclfile[[:space:]]*"\{{0,1\}}\(\/[^" ]*\).*/\1/p' |
    tail -n 1)
  [ -n "$a" ] || continue
  hp_word "$c"; NAMER=$W
  hp_by "$a" cat 2>/dev/null | head -c 65536 | awk '{ACL}'; NAMER=
done
# settings PID FOLDER: of one that runs, on the word of NAMER; or, for `-`, of a package
settings() {{
  for f in "$2/elasticsearch.yml" "$2/opensearch.yml"; do
    case "$f" in (/etc/elasticsearch/*|/etc/opensearch/*) NAMER=;; esac
    hp_plain "$f" && hp_can "$f" || continue
    printf '%s\n' "== elasticsearch $f"
    [ "$1" = - ] || {{
      echo runs
      t_p=$1 t_f=$f$hp_nl t_d= t_u=
      ! looks || {LOOK.strip()} | sed 's/^/run /'
    }}
    hp_by "$f" cat | sed -n 's/[[:space:]]#.*//
s/^[[:space:]]*\(xpack\.security\.enabled\|plugins\.security\.disabled\)[[:space:]]*:/\1:/p' |
      sed '/: *["'"'"']\{{0,1\}}\(true\|false\)["'"'"']\{{0,1\}}[[:space:]]*$/!s/:.*/: ***/'
  done
  NAMER=
}}
IFS=$hp_nl
for l in $e; do
  unset IFS
  [ "$l" != more ] || {{ echo '== more processes'; break; }}
  hp_owner "${{l%% *}}"; NAMER=$W; settings "${{l%% *}}" "${{l#* }}"
done
unset IFS
[ -n "$e" ] || for c in /etc/elasticsearch /etc/opensearch; do settings - "$c"; done
echo '== end'
"""  # noqa: S608 - a question of fixed words
)
