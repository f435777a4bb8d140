"""The text of the read `backup.artefacts`: files that look like dumps, archives, base backups."""

# ruff: noqa: E501 - one expression a line
from __future__ import annotations

from collector.facts.base.opened import ODD, OPENED

SOURCES = r"""/etc/crontab /etc/anacrontab /etc/cron.d/* /etc/cron.hourly/* /etc/cron.daily/* \
  /etc/cron.weekly/* /etc/cron.monthly/* /var/spool/cron/* /var/spool/cron/crontabs/* \
  /etc/crontabs/* /etc/systemd/system/*.service"""


def scripts_of(variable: str, more: str = "") -> str:
    """Shell text: of the lines of hp_names in `variable`, those that name a script go to `m`.

    `more`: patterns of other files that are to count as one, each with `,*|` behind it.
    """
    return rf"""m=
for l in ${variable}; do
  hp_line "$l"; f=$h_f
  case "$f" in
    /bin/*|/sbin/*|/usr/bin/*|/usr/sbin/*|/usr/lib/*|/usr/libexec/*|/usr/share/*) continue;;
  esac
  hp_can "$f" || continue
  hp_first "$f"
  case "$f,$h_l" in *.sh,*|{more}*,'#!'*) m="$m$l$hp_nl";; esac
done
NAMER="""


# Folders that jobs and their scripts name, and the usual ones; in each the files that look like
# dumps or archives, newest first; since when a repository is there, trees of versions, and what
# cannot be deleted (chattr).
ARTEFACTS = (
    OPENED
    + rf"""
stat -c %Y / >/dev/null 2>&1 || {{ echo 'no stat' >&2; exit 3; }}
w='/[A-Za-z0-9_./-]*[A-Za-z0-9_]'
IFS=$hp_nl
t=$(hp_names "$w" {SOURCES} /etc/borgmatic/*.y*ml /etc/borgmatic.d/*.y*ml /etc/rsnapshot.conf \
  /etc/restic/*.env /etc/default/restic*)
hp_cut_off "$t" && echo more
{scripts_of("t", "*.env,*|")}
set -f; names=$(hp_names "$w" $m); set +f
hp_cut_off "$names" && echo more
t=$t$hp_nl$names
unset IFS
# part FOLDER LSATTR: what lies in it, as far as whoever looks may see it
part='p=$1; a=$2; hp_odd=$3; hp_tab="	"; hp_nl="
"
[ -r "$p" ] && [ -x "$p" ] || {{ printf "closed %s\\n" "$p"; exit; }}
set --
for d in "$p"/*.[0-9] "$p"/*.[0-9][0-9] "$p"/[0-9][0-9][0-9][0-9]*; do
  [ -d "$d" ] && [ $# -lt 400 ] || continue
  case "$d" in *"$hp_nl"*|*"$hp_tab"*) sh -c "$hp_odd" sh "$d";; *) set -- "$@" "$d";; esac
done
[ $# -gt 0 ] && stat -c "tree %Y %n" "$@"
[ "$a" ] && {{ lsattr -d "$p"; lsattr "$p"; }} 2>/dev/null |
  sed -n "s/^\([-A-Za-z]*[ai][-A-Za-z]*\) /attr \1 /p" | grep -F " $p" | head -n 100
find "$p" -xdev -maxdepth 3 {ODD} -path "*/data/[0-9a-f][0-9a-f]" -prune -o -type f \( \
  -name "*.sql" -o -name "*.sql.*" -o -name "*.dump" -o -name "*.dump.*" -o -name "*.dmp" \
  -o -name "*.tar" -o -name "*.tar.*" -o -name "*.tgz" -o -name "*.gz" -o -name "*.zip" \
  -o -name "*.7z" -o -name "*.bak" -o -name "*.zst" -o -name "*.xz" -o -name "*.xbstream*" \
  -o -name "*.archive" -o -name "*.rdb" -o -name "*.gpg" -o -name "*.age" -o -name "*.enc" \
  -o -name backup_manifest -o -name backup_label -o -name "*.xb" -o -name "*.mbstream" \
  -o -name xtrabackup_checkpoints -o -name mariadb_backup_checkpoints \
  -o -path "*/snapshots/[0-9a-f]*" \) \
  -exec stat -c "artefact %Y %s %a:%u:%g %n" {{}} + 2>/dev/null |
  sort -rn -k 2 | head -n 200'
a= v= k=0 o=0 m=0; command -v lsattr >/dev/null 2>&1 && a=1
IFS=$hp_nl
for l in /backup /backups /bak /var/backups /var/backup /data/backup /data/backups /srv/backup \
  /srv/backups /opt/backup /opt/backups /home/backup /mnt/backup \
  $(printf '%s\n' "$t" | sort -u | hp_most 2000); do
  case "$l" in /*) l=$hp_tab$l;; more) echo more; continue;; *"$hp_tab"more) continue;; esac
  hp_line "$l"; p=$h_f
  # of what is named for each day the folder: `>/data/dumps/shop-$(date +%F).sql`
  [ -e "$p" ] || p=${{p%/*}}
  case "$p" in
    *.sql|*.sql.*|*.dump|*.dump.*|*.tar|*.tar.*|*.tgz|*.gz|*.zst|*.xb*) [ -f "$p" ] && p=${{p%/*}};;
  esac
  case "$p" in
    ''|/|/etc|/etc/*|/usr|/usr/*|/bin|/sbin|/lib*|/var|/var/lib|/var/lib/dpkg*) continue;;
    /var/log|/var/log/*|/var/spool*) continue;;
    /var/cache|/home|/root|/tmp|/dev*|/proc*|/sys*|/run*|/var/run*|/opt|/srv|/mnt|/boot*) continue;;
  esac
  [ -d "$p" ] || continue
  case "$hp_nl$v" in *"$hp_nl$p$hp_nl"*) continue;; esac
  v="$v$p$hp_nl"
  printf 'folder %s\n' "$p"
  if hp_can "$p/config" && [ -d "$p/data" ]; then
    hp_first "$p/config"
    case "$h_l" in
      '[repository]'*) h=$(hp_by "$p/config" sed -n 's/^append_only *= *\([01]\)[[:space:]]*$/\1/p');; *) h=;;
    esac
    printf 'repository %s %s %s\n' "$(stat -c %Y "$p/config")" "${{h:--}}" "$p"
  fi
  hp_within "$p"; r=$R
  case "$r" in
    ''|own) sh -c "$part" sh "$p" "$a" "$hp_odd";;
    -) printf 'closed %s\n' "$p";;
    *) hp_do "$r" sh -c "$part" sh "$p" "$a" "$hp_odd" | grep -aF " $p" | sed "s/^/@$r /";;
  esac
done | awk '{{ k = $0; sub(/^@[^ ]* /, "", k) }} !seen[k]++' | while IFS= read -r l; do
  NAMER=
  case "$l" in @*) NAMER=${{l#@}}; NAMER=${{NAMER%% *}}; l=${{l#* }};; esac
  printf '%s\n' "$l"
  # of each folder the newest: many files in one leave none unseen in the next
  case "$l" in folder*) k=0;; esac
  case "$l" in artefact*/snapshots/*) continue;; artefact*) ;; *) continue;; esac
  k=$((k + 1)) o=$((o + 1)); [ "$k" -le 60 ] && [ "$o" -le 300 ] || continue
  f=/${{l#*/}}
  printf 'head %s\n' "$(hp_by "$f" head -c 48 2>/dev/null | od -An -v -tx1 | tr -d ' \n')"
  u= n=120
  case "$f" in
    *.sql) ;;
    */backup_manifest) n=480;;
    */*_checkpoints) n=200;;
    *.sql.gz|*.sql.zst|*.sql.xz|*.sql.bz2)
      # unpacked as long as that is cheap: what a pipe's exit status hides shows at the end
      s=${{l#artefact * }}; s=${{s%% *}}
      case "$f" in *.gz) u=gzip;; *.zst) u=zstd;; *.xz) u=xz;; *) u=bzip2;; esac
      [ "$s" -le 4194304 ] && [ "$((m + s))" -le 16777216 ] && [ "$s" -gt 32 ] || continue
      command -v "$u" >/dev/null 2>&1 || continue
      m=$((m + s));;
    *) continue;;
  esac
  if [ "$u" ]; then
    e=$({{ hp_by "$f" "$u" -dc 2>/dev/null || echo 'hostpledge: cut off'; }} | tail -c 120 |
      tr '\n\r\t\000' '    ')
    case "$e" in *'hostpledge: cut off '*) echo 'inner cut'; continue;; esac
    case "$(hp_by "$f" "$u" -dc 2>/dev/null | head -c 96 | tr '\n\r\t\000' '    ')" in
      '-- My'*|'-- Ma'*|'/*M!999999'*) echo 'inner mysql';;
      *'-- PostgreSQL database'*) echo 'inner postgresql';;
      *) echo 'inner other'; continue;;
    esac
  else e=$(hp_by "$f" tail -c "$n" 2>/dev/null | tr '\n\r\t' '   '); fi
  printf 'tail %s\n' "$e"
done
exit 0
"""
)

# Of a file's beginning and end only what marks a dump leaves the host, never a row of data.
_LSN = r"\"[0-9A-F]\{1,8\}\/[0-9A-F]\{1,8\}\""
_RANGE = rf"{{ \"Timeline\": [0-9]\{{1,9\}}, \"Start-LSN\": {_LSN}, \"End-LSN\": {_LSN} }}"
_DAY = r"[0-9]\{4\}-[0-9][0-9]-[0-9][0-9]"
_TIME = r"[0-9]\{1,2\}:[0-9][0-9]:[0-9][0-9]"
NO_CONTENT = (
    r"""
s/^\(head 1f8b.\{16\}\).*/\1/
s/^\(head 53616c7465645f5f\).*/\1/
s/^\(head 553246736447566b58\).*/\1/
s/^\(head 6167652d656e6372797074\).*/\1/
s/^\(head 2d2d2d2d2d424547494e20\(504750\)\{0,1\}\(414745\)\{0,1\}\).*/\1/
s/^\(head 8[45]\(..\)\{1,2\}0[36]\).*/\1/
s/^\(head 8c..0[4-6]\).*/\1/
s/^\(head c1\(..\)\{1,2\}0[36]\).*/\1/
s/^\(head c3..0[4-6]\).*/\1/
s/^\(head 504b0304........\).*/\1/
s/^\(head fd377a585a00\).*/\1/
s/^\(head 28b52ffd\).*/\1/
s/^\(head 425a68\).*/\1/
s/^\(head 04224d18\).*/\1/
s/^\(head 377abcaf271c\).*/\1/
s/^\(head 524544495330\).*/\1/
s/^\(head 56414c4b4559\).*/\1/
s/^\(head 6de29981\).*/\1/
s/^\(head 5[0-9a-f]2a4d18\).*/\1/
s/^\(head 02214c18\).*/\1/
t
s/^\(head 5047444d5001[0-9a-f]\{4\}04[0-9a-f]\{6\}\(00..0[01]0000\)\{6\}\).*/\1/
s/^\(head 5047444d5001[0-9a-f]\{4\}04[0-9a-f]\{4\}\(0[01]..0[0-9a-f]0000\)\{7\}\).*/\1/
t
s/^\(head 5047444d50\).*/\1/
t
s/^\(head 2d2d204d7953514c2064756d70\).*/\1/
s/^\(head 2d2d204d6172696144422064756d70\).*/\1/
s/^\(head 2d2d0a2d2d20506f737467726553514c206461746162617365\).*/\1/
s/^\(head 2f2a4d213939393939395c2d20656e61626c65207468652073616e64626f78206d6f6465202a2f\(20\)\{0,1\}0a2d2d204d[67][19]\).*/\1/
t
s/^head \([02-7][0-9a-f]\)\{1,\}$/head text/
t
s/^head .*/head other/
t
s/^tail .*"Last-Modified": "\(@DAY@ @TIME@ GMT\)".*\(@RANGE@\) *\],.*/tail \1 \2/
t
s/^tail .*\(@RANGE@\) *\],.*/tail - \1/
t
s/^tail .*\(backup_type = [a-z-]\{4,20\} *from_lsn = [0-9]* *to_lsn = [0-9]*\).*/tail \1/
t
s/^tail .*\(-- Dump completed on @DAY@ \{1,2\}@TIME@\).*/tail \1/
t
s/^tail .*\(-- Dump completed\)\([[:space:]].*\)\{0,1\}$/tail \1/
t
s/^tail .*\(PostgreSQL database \(cluster \)\{0,1\}dump complete\).*/tail \1/
t
s/^tail .*/tail other/
""".replace("@RANGE@", _RANGE)
    .replace("@DAY@", _DAY)
    .replace("@TIME@", _TIME)
)
