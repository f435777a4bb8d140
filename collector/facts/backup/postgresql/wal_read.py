"""The text of the read of `backup_wal`: how PostgreSQL archives its WAL, and what has arrived."""

from __future__ import annotations

from collector.facts.base.opened import ODD, OPENED

# Where PostgreSQL neither is installed nor has a socket, nothing is started.
STATE = (
    OPENED  # noqa: S608 - questions of fixed words
    + r"""
r= b=
pg='postgres postgresql pgsql kingbase omm gaussdb opengauss highgo gpadmin'
for f in /usr/lib/postgresql/*/bin/postgres /usr/pgsql-*/bin/postgres /usr/bin/postgres \
  /usr/local/pgsql/bin/postgres /usr/libexec/postgresql*/postgres; do [ -x "$f" ] && r=1; done
for s in /run/postgresql/.s.PGSQL.* /tmp/.s.PGSQL.*; do
  case "${s##*.}" in *[!0-9]*) continue;; esac
  [ -S "$s" ] && b="$b $s"
done
[ "$r$b" ] && for s in $(grep -o '/[^ @]*/\.s\.PGSQL\.[0-9]*$' /proc/net/unix 2>/dev/null); do
  [ -S "$s" ] || continue
  case "$s,$b " in *" $s "*|/var/run/*) ;; *) b="$b $s";; esac
done
g='[0-9A-F][0-9A-F][0-9A-F][0-9A-F][0-9A-F][0-9A-F][0-9A-F][0-9A-F]'
# target FOLDER SEGMENTS-PER-LOG: the segments in it, as ranges without a gap, and the newest
target() {
  printf 'target %s\n' "$1"
  hp_within "$1"
  hp_do "$R" sh -c '[ -r "$0" ] && [ -x "$0" ]' "$1" || { echo closed; return; }
  l=$(hp_do "$R" find "$1/" -maxdepth 2 """
    + ODD
    + r""" -type f -name "$g$g$g*" -print 2>/dev/null |
    hp_sieve | hp_below "${1%/}" |
    awk -F/ '{ print $NF, $0 }' | sort | tail -n 30000 | awk -v n="$2" '
      function hex(t,  i, v) {
        v = 0
        for (i = 1; i <= 8; i++) v = v * 16 + index("0123456789ABCDEF", substr(t, i, 1)) - 1
        return v
      }
      { name = substr($1, 1, 24); end = substr($1, 25); path = substr($0, length($1) + 2) }
      end ~ /\.backup/ { print "history " path; next }
      end ~ /\.partial/ { print "partial " path; next }
      end != "" && end !~ /^(\.(gz|bz2|lz4|zst|xz|lzo|br|gpg|age|enc))+$|^-[0-9a-f]+/ { next }
      name == last { next }
      {
        line = substr(name, 1, 8); id = hex(substr(name, 9, 8)) * n + hex(substr(name, 17, 8))
        if (last != "" && (line != at || id != before + 1)) {
          print "range " first " " last; first = ""
        }
        if (first == "") first = name
        at = line; before = id; last = name; newest = path
      }
      END { if (last != "") { print "range " first " " last; print "newest " newest } }' |
    tail -n 300)
  printf '%s\n' "$l" | while IFS= read -r x; do
    case "$x" in
      range*) printf '%s\n' "$x";;
      newest*) stat -c 'newest %Y %s %a:%u:%g %n' "${x#* }"
        case "$(hp_by "${x#* }" head -c 8 2>/dev/null | od -An -v -tx1 | tr -d ' \n')" in
          ??d1*) echo 'holds wal';;
          1f8b*|28b52ffd*|04224d18*|fd377a585a00*|425a68*) echo 'holds packed';;
          53616c7465645f5f|6167652d656e6372|8[45]*|8c*|c1*|c3*) echo 'holds ciphertext';;
          *) echo 'holds other';;
        esac;;
      history*|partial*) stat -c "${x%% *} %Y %n" "${x#* }";;
    esac
  done
  stat -c 'owned %a:%u:%g' "$1"
}
for s in $b; do
  hp_speaks "$s" $pg || {
    printf '%s\n' "$s: it is of no account of a database" >&2; continue; }
  NAMER=; hp_word "$s"; NAMER=$W
  d=${s%/*}; p=${s##*.}; w= z= c=
  printf '%s\n' "== server $s"
  for f in $(command -v psql) /usr/local/pgsql/bin/psql /usr/pgsql-*/bin/psql \
    /usr/lib/postgresql/*/bin/psql; do [ -x "$f" ] && c=$f; done
  set -- $(ls -ld "$s"); n=$3
  # nobody's own program runs as root
  hp_word "${c:-/}"; u=${NAMER:-$W}
  set -- "$c" -X -A -t -q -w -h "$d" -p "$p" -U "$n" -d postgres
  # by the server's own names: a role may make an operator that is taken before them
  PGOPTIONS='-c search_path=pg_catalog -c statement_timeout=3000' PGCONNECT_TIMEOUT=3
  export PGCONNECT_TIMEOUT PGOPTIONS
  o=$(printf '%s\n' "select 'set '||name||' '||replace(setting,chr(10),' ') from pg_settings where
    name in ('archive_mode','archive_command','archive_library','archive_timeout','data_directory',
      'server_version_num');" \
    "select 'size '||current_setting('wal_segment_size');" \
    "select 'standby '||pg_is_in_recovery();" \
    "select 'set basic_archive.archive_directory '||current_setting(
      'basic_archive.archive_directory',true);" \
    "select concat_ws(' ','archiver',coalesce(last_archived_wal,'-'),
      coalesce(floor(extract(epoch from last_archived_time))::bigint::text,'-'),
      coalesce(last_failed_wal,'-'),
      coalesce(floor(extract(epoch from last_failed_time))::bigint::text,'-'),failed_count)
      from pg_stat_archiver;" \
    "select concat_ws(' ','sender',coalesce(host(client_addr),'local'),state,application_name)
      from pg_stat_replication;" |
    if [ -z "$c" ]; then false
    elif [ -z "$u" ]; then "$@"
    else hp_as "$u" "$@"; fi 2>/dev/null | grep -E '^(set|size|standby|archiver|sender) ')
  case "$o" in *'set data_directory '*) printf '%s\n' "$o";; *) echo refused; o=;; esac
  w=$(hp_by "$s.lock" head -n 2 2>/dev/null); i=${w%%"$hp_nl"*}
  case "$w" in *"$hp_nl"*) w=${w#*"$hp_nl"};; *) w=;; esac
  case "$i" in *[!0-9]*) i=;; esac
  [ "$w" ] || w=$(printf '%s\n' "$o" | sed -n 's/^set data_directory //p')
  [ "$w" ] || continue
  printf 'data %s\n' "$w"
  if [ -z "$o" ]; then
    f=$(tr '\000' '\n' <"/proc/$i/cmdline" 2>/dev/null | sed -n 's/^config_file=//p')
    f=${f:-$w/postgresql.conf}
    e='archive_(mode|command|library|timeout)|basic_archive\.[a-z_]*'
    o=$(for x in "$f" "${f%/*}"/conf.d/*.conf "$w/postgresql.auto.conf"; do
        [ -f "$x" ] && hp_by "$x" cat
      done 2>/dev/null | grep -E "^[[:space:]]*($e)[[:space:]=]" |
      sed -e "s/^[[:space:]]*//" -e "s/^\([a-z_.]*\)[[:space:]=]*/set \1 /" \
        -e "s/'[[:space:]]*\(#[^']*\)\{0,1\}$//" -e "s/^\(set [a-z_.]* \)'/\1/" -e "s/''/'/g")
    hp_can "$f" && printf 'settings %s\n%s\n' "$f" "$o"
  fi
  for f in "$w/pg_wal/archive_status" "$w/pg_xlog/archive_status"; do
    [ -d "$f" ] || continue
    [ -r "$f" ] && [ -x "$f" ] || { echo 'ready ?'; continue; }
    set -- "$f"/*.ready; [ -e "$1" ] || set --
    printf 'ready %s\n' $#
    [ $# -gt 0 ] && hp_plain "$1" && stat -c 'oldest %Y %n' "$1"
    e=; for x in "$f"/*.done; do [ -e "$x" ] && hp_plain "$x" && e=$x; done
    [ "$e" ] && stat -c 'done %Y %n' "$e"
  done
  n=256
  case "$o" in *'size 1MB'*) n=4096;; *'size 2MB'*) n=2048;; *'size 4MB'*) n=1024;;
    *'size 8MB'*) n=512;; *'size 32MB'*) n=128;; *'size 64MB'*) n=64;; *'size 128MB'*) n=32;;
    *'size 256MB'*) n=16;; *'size 512MB'*) n=8;; *'size 1GB'*) n=4;; esac
  t=$(printf '%s\n' "$o" | sed -n -e 's/^set archive_command //p' \
    -e 's/^set basic_archive.archive_directory //p')
  [ "$t" ] || continue
  set -f
  for f in $(printf '%s\n' "$t" | grep -o '/[A-Za-z0-9_./-]*[A-Za-z0-9_]'); do
    case "$f" in /bin/*|/usr/bin/*|/sbin/*|/usr/sbin/*|/usr/lib/*) continue;; esac
    hp_can "$f" || continue
    hp_first "$f"
    case "$f,$h_l" in *.sh,*|*,'#!'*) ;; *) continue;; esac
    printf 'script %s\n' "$f"; hp_by "$f" head -c 8192 | sed 's/^/|/'; printf '\n'
    [ "$(hp_by "$f" head -c 8193 | wc -c)" -le 8192 ] || printf 'more %s\n' "$f"
    z="$z $(hp_by "$f" head -c 8192 | sed 's/^[[:space:]]*#.*//')"
  done
  set +f
  t=$(printf '%s %s\n' "$t" "$z" | grep -o '/[A-Za-z0-9_./-]*[A-Za-z0-9_]' | sort -u)
  [ "$(printf '%s\n' "$t" | wc -l)" -le 60 ] || printf 'more %s\n' archive_command
  for f in $(printf '%s\n' "$t" | head -n 60); do
    case "$f" in "$w"|"$w"/*|/bin*|/usr*|/etc|/dev|/dev/*|/proc*|/tmp|/var|/var/lib) continue;; esac
    [ -d "$f" ] && target "$f" "$n"
  done
done
f=
[ "$r" ] && f=$(hp_started 'pg_receivewal|pg_receivexlog')
for f in $f; do
  # anybody starts one that goes by the name: what it receives is root's or a service's word
  hp_system "$f" || continue
  NAMER=$W
  printf '%s\n' "== receiver /proc/$f"
  a=$(tr '\000' '\n' <"/proc/$f/cmdline" 2>/dev/null)
  printf 'args %s\n' "$(printf '%s' "$a" | tr '\n' ' ')"
  w=$(printf '%s\n' "$a" | sed -n -e '/^-D$/{n;p;}' -e 's/^-D\(.\)/\1/p' \
    -e '/^--directory$/{n;p;}' -e 's/^--directory=//p')
  case "$w" in /*) [ -d "$w" ] && target "$w" 256;; esac
done
[ "$r$b" ] && printf '== now %s\n' "$(date +%s)"
echo '== end'
exit 0
"""
)
