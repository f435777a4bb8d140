nl='
'
IFS=$nl
own='' key='' now='' more='' far='' list='' links='' plain='' other='' his=''
{ read -r own </proc/sys/kernel/hostname; read -r key </proc/sys/kernel/random/uuid
  IFS=. read -r now list </proc/uptime; } 2>/dev/null
# no log can hold this run's key, so that no log speaks for another
own=${own%%.*} key="@$$-$key" late=$((${now:-0} + SECONDS_))
for c in awk stat find od; do command -v "$c" >/dev/null 2>&1 || printf '%s\n' "@O $c"; done
# logs elsewhere: those that logrotate takes care of, and that of auditd
list=
for f in /etc/audit/auditd.conf /etc/logrotate.conf /etc/logrotate.d/*; do
  case $f in *"$nl"*) echo '@O newline'; continue;; esac
  [ -f "$f" ] && list="$list$nl$f"
done
set -f; set -- $list; set +f
[ $# -gt 0 ] && more=$(awk '
  FILENAME == "/etc/audit/auditd.conf" {
    if (tolower($0) ~ /^[ \t]*log_file[ \t]*=[ \t]*\// && split($0, w, /[ \t]*=[ \t]*/) > 1) {
      sub(/[ \t].*/, "", w[2]); if (w[2] !~ /^\/var\/log\//) print w[2] "*"
    }
    next
  }
  $1 == "olddir" && $2 ~ /^\/[^\/]/ && $2 !~ /^\/(var\/log|etc|proc|sys|dev|run)(\/|$)/ && k++ < 64 { print $2 "/*" }
  $1 == "olddir" && $2 ~ /^[^\/]/ { for (i in here) print i $2 "/*" }
  /^[ \t]*}/ { split("", here) }
  /^[ \t]*["\047]?\// {
    sub(/\{.*/, ""); gsub(/["\047]/, ""); n = split($0, w, /[ \t]+/)
    for (i = 1; i <= n; i++) {
      if (w[i] !~ /^\/.*\// || w[i] ~ /^\/(var\/log|var\/run|usr\/[^l]|usr\/lib|s?bin|lib)/) continue
      if (w[i] ~ /^\/(etc|proc|sys|dev|run)/ || k++ >= 64) continue
      print w[i] "*"; sub(/[^\/]*$/, "", w[i]); here[w[i]]
    }
  }' "$@" 2>/dev/null)
for f in $more /var/lib/wtmpdb/wtmp.db /var/lib/lastlog/lastlog2.db \
  /var/lib/mysql/server_audit.log* /var/lib/mysql/*.err /var/lib/pgsql/data/*log/*.log* \
  /var/lib/pgsql/*/data/*log/*.log* \
  /var/lib/containers/storage/overlay-containers/*/userdata/ctr.log \
  /home/*/.local/share/containers/storage/overlay-containers/*/userdata/ctr.log /var/lib/docker/containers/*/*-json.log* \
  /opt/*/logs/* /opt/*/log/* /usr/local/tomcat*/logs/*; do
  [ -f "$f" ] || continue
  case $f in *"$nl"*) echo '@O newline'; continue;; esac
  far="$far$nl$f"
done
set -f
choose='
CHOOSE_'
list=$(
  {
    set -- $far
    [ $# -gt 0 ] && stat -L -c '%F|%s %Y %n' "$@"
    set -- /var/log/; set +f
    for f in /www/wwwlogs /usr/local/nginx/logs /usr/local/apache2/logs \
      /usr/local/openresty/nginx/logs /var/lib/teleport/log /var/lib/guacamole/recordings \
      /data/jumpserver/*/data/logs /data/jumpserver/core/data/media/replay \
      /opt/jumpserver/*/data/logs /opt/jumpserver/data/media/replay \
      /opt/jumpserver/logs; do
      [ -d "$f" ] && set -- "$@" "$f/"
    done
    find "$@" \( -path /var/log/journal -o -path /var/log/containers \
        -o -name sysstat -o -name sa \) -prune \
      -o -path "*$nl*" -exec printf '@O newline%.0s\n' {} + \
      -o \( -type f -o -type l \) -exec stat -L -c '%F|%s %Y %n' {} +
  } 2>/dev/null | awk -v MOST=MOST_ -v COST=COST_ "$choose"
)
case $list in *'@K '*)
  # logs that lie in a folder elsewhere, to which a link below /var/log leads
  for f in $list; do case $f in ('@K '*) links="$links$nl${f#@K }";; esac; done
  list=$(
    {
      for f in $links; do
        t=$(readlink -f "$f")
        case $t in
          (''|/|/proc*|/sys*|/dev*|/run*|/etc*|/usr|/usr/[!l]*|/var|/var/log*|/boot*|/root) continue;;
        esac
        hp_within "$f"
        hp_do "$R" find "$f/" -maxdepth 2 -path "*$nl*" -exec printf '@O newline%.0s\n' {} + \
          -o -type f -exec stat -c '%F|%s %Y %n' {} + | grep -F -e "$f/" -e '@O '
      done 2>/dev/null
      for f in $list; do
        case $f in
          ('@F '*) f=${f#@F }; t=${f%% /*}; printf 'regular|%s /%s\n' "${t% ?}" "${f#* /}";;
          ('@O '*) printf '%s\n' "$f";;
        esac
      done
    } | awk -v MOST=MOST_ -v COST=COST_ "$choose"
  );;
esac
printf '%s\n' "$list"
set +f; set -- / /var/log
for f in /var/log/*/; do case $f in *"$nl"*) ;; *) set -- "$@" "$f";; esac; done
stat -c '@D %W %n' "$@" 2>/dev/null; set -f
for f in $list; do
  case $f in
    '@F '*' S /'*)
      hp_reach "/${f#* /}"
      if [ -n "$R" ]; then his="$his$nl$R$hp_tab/${f#* /}"
      else f=/${f#* /}; [ -r "$f" ] && plain="$plain$nl$f"; fi;;
    '@F '*' '[PEZzU]' /'*) other="$other$nl$f";;
  esac
done
# glibc keeps 32-bit times in 384 bytes, and 64-bit times in 400 bytes on these (bits/utmp.h)
w=384 wide=86 high=0
case $(uname -m) in aarch64|riscv64|loongarch64) w=400 wide=87 high=88;; esac
# lent COMMAND...: what it makes of the file f, which lies in the reach of a user: his process hands
# over the bytes, and if it can not even open it nothing is said of it
lent() {
  {
    hp_by "$f" sh -c 'echo ok; exec "$@"' sh "$@" || printf '\n%s !\n' "$key"
    case $t in
      E) printf '\n%s =\n' "$key"; hp_by "$f" tail -c 4096;;
      P)
        i=5
        while [ $i -lt 40 ]; do
          printf '\n%s ,\n' "$key"
          hp_by "$f" dd bs=2048 count=1 skip=$((s / 2048 * i / 40)); i=$((i + 7))
        done
        printf '\n%s ,\n' "$key"; hp_by "$f" tail -c 4096;;
    esac
    [ "$t" = U ] || printf '\n%s .\n' "$key"
  } | {
    IFS= read -r i; [ "$i" = ok ] || exit 0
    printf '\n%s %s %s\n' "$key" "$word" "$f"
    case $t in
      U) head -c $((w * most)) | od -An -v -tu4 -w$w
        if [ "$x" ] || [ $((s % w)) = 0 ]; then printf '\n%s .\n' "$key"
        else printf '%s ?\n' "$key"; fi;;
      *) head -c $most;;
    esac
  }
}
set -- $plain
{
  # of one user all at once, with a key of their own for these files: what runs as him he may have
  # killed, and a core of it is his to read
  while [ "$his" ]; do
    set --; u=${his#"$nl"}; u=${u%%"$hp_tab"*}; s=
    for f in $his; do
      case $f in "$u$hp_tab"*) set -- "$@" "${f#*"$hp_tab"}";; *) s="$s$nl$f";; esac
    done
    his=$s
    IFS= read -r t </proc/sys/kernel/random/uuid; t=@$t
    [ "$t" != @ ] || break
    printf '\n%s ( %s\n' "$key" "$t"
    for f do printf '%s : %s\n' "$key" "$f"; done
    printf '%s\n' "$t" | hp_as "$u" sh -c "${HP_SAY-}"'read -r k
      for f do
        [ -f "$f" ] && { printf "\n%s + %s\n" "$k" "$f"; cat; printf "\n%s .\n" "$k"; } <"$f"
      done' sh "$@" 2>/dev/null
    printf '\n%s )\n' "$key"
  done
  for f in $other; do
    IFS=. read -r now t </proc/uptime
    [ "${now:-0}" -gt "$late" ] && break
    t=${f#@F }; s=${t%% *} t=${f%% /*} f=/${f#* /}; t=${t##* }
    hp_reach "$f"; u=$R
    [ "$u" ] || [ -r "$f" ] || continue
    x=
    case $f in
      *.gz|*.tgz|*.zip|*.Z) x=gzip;; *.xz|*.txz|*.lzma) x=xz;; *.bz2|*.tbz|*.tbz2) x=bzip2;;
      *.zst) x=zstd;; *.lz4) x=lz4;;
    esac
    [ "$t" = U ] && word=U || word=+
    if [ "$u" ]; then
      most=40000000
      case $t in
        U)
          most=4000; case ${f##*/} in btmp*) most=200;; esac
          if [ "$x" ]; then lent "$x" -dc
          elif [ "$s" -le $((w * most)) ]; then lent cat
          else lent sh -c 'head -c "$0"; tail -c "$0"' $((w * most / 2)); fi;;
        Z) lent "$x" -dc;;
        z) most=16384; lent "$x" -dc;;
        E) lent head -c 16384;;
        P) lent head -c 4096;;
      esac
      continue
    fi
    printf '\n%s %s %s\n' "$key" "$word" "$f"
    case $t in
      U)
        most=4000; case ${f##*/} in btmp*) most=200;; esac
        if [ "$x" ]; then "$x" -dc <"$f" | head -c $((w * most))
        elif [ "$s" -le $((w * most)) ]; then cat <"$f"
        else head -c $((w * most / 2)) <"$f"; tail -c $((w * most / 2)) <"$f"
        fi | od -An -v -tu4 -w$w
        [ "$x" ] || [ $((s % w)) = 0 ] || { printf '%s ?\n' "$key"; continue; };;
      [Zz])
        most=40000000; [ "$t" = z ] && most=16384
        { "$x" -dc <"$f" || printf '\n%s !\n' "$key"; printf '\n%s .\n' "$key"; } | head -c $most
        continue;;
      E) head -c 16384 <"$f"; printf '\n%s =\n' "$key"; tail -c 4096 <"$f";;
      P)
        head -c 4096 <"$f"; i=1
        while [ $i -lt 40 ]; do
          printf '\n%s ,\n' "$key"
          dd bs=2048 count=1 skip=$((s / 2048 * i / 40)) <"$f"; i=$((i + 1))
        done
        printf '\n%s ,\n' "$key"; tail -c 4096 <"$f";;
    esac
    printf '\n%s .\n' "$key"
  done 2>/dev/null
} | HP_KEY=$key awk -v OWN="$own" -v WIDE=$wide -v HIGH=$high '
TIMES_' "$@" -
[ -e /var/lib/wtmpdb/wtmp.db ] && command -v wtmpdb >/dev/null \
  && wtmpdb last -w --time-format iso 2>/dev/null | awk '
  function iso(i) { return $i ~ /^[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T[0-9:]+[-+][0-9:]+$/ }
  / begins / { if (iso(NF)) print "@W " $NF; next }
  {
    from = to = ""
    for (i = 2; i <= NF; i++) if (iso(i)) { if (from == "") { from = $i; host = i > 3 } else to = $i }
    if (from == "") next
    if (!late++) print "@w l", from
    if ($1 == "reboot") { if (n++ < 400) print "@w b", from, (to == "" ? "-" : to); next }
    all++; hosts += host; if (to != "") outs++
  }
  END { print "@w .", all + 0, outs + 0, hosts + 0 }'
exit 0
