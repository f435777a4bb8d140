trap "" PIPE
exec 2>/dev/null
new_p="NEW_P" new_e="NEW_E"
rsa_p="RSA_P" rsa_e="RSA_E"
old_p="OLD_P" old_e="OLD_E"
weak_p="WEAK_P" weak_e="WEAK_E"

# a line is written in one piece: several listeners are asked at the same time
tell() {
  local x=$2
  while :; do
    printf "%s %s %s\n" "$id" "$1" "${x:0:2000}"
    x=${x:2000}; [ -n "$x" ] || return 0
  done
}

# take SECONDS: what comes within them, and until nothing comes any more
take() {
  local t=$1 c= n=0
  while [ "$n" -lt 40000 ] && IFS= read -r -d "" -n 8192 -t "$t" c <&3; do
    n=$((n + ${#c} + 1)); t=.3
    if [ "${#c}" -lt 8192 ]; then printf "%s\0" "$c"; else printf %s "$c"; fi
    c=
  done
  printf %s "$c"
}
hex() { od -An -v -tx1 | tr -d " \n"; }

two() { printf -v two "\\\\x%02x\\\\x%02x" $(($1 >> 8)) $(($1 & 255)); }

# hello KIND NAME: what is sent, for printf, in R; and that we are gone (close_notify), in gone
hello() {
  local p e s= n=${#2} x
  case $1 in
    (new) p=$new_p e=$new_e ;;
    (rsa) p=$rsa_p e=$rsa_e ;;
    (old) p=$old_p e=$old_e ;;
    (weak) p=$weak_p e=$weak_e ;;
  esac
  gone="\x15${p:0:8}\x00\x02\x01\x00"
  x=$((${#e} / 4))
  if [ "$n" -gt 0 ]; then
    x=$((x + n + 9))
    two $((n + 5)); s="\x00\x00$two"
    two $((n + 3)); s="$s$two\x00"
    two "$n"; s="$s$two$2"
  fi
  two "$x"; s="$p$two$s$e"
  x=$((${#p} / 4 + 2 + x))
  two $((x + 4)); R="\x16\x03\x01$two\x01\x00"
  two "$x"; R="$R$two$s"
}

# hear: an answer of SMTP or FTP, which may have several lines; the last is in said
hear() {
  local n=0
  heard= said=
  while [ "$n" -lt 60 ] && IFS= read -r -n 600 -t 4 said <&3; do
    n=$((n + 1)); said=${said%"$cr"}; heard="$heard $said"
    case $said in ([0-9][0-9][0-9]-*) ;; ([0-9][0-9][0-9]*) return 0 ;; (*) return 1 ;; esac
  done
  return 1
}

# what it said of the wish to encrypt, once
starttls() { [ -n "$asked" ] || tell starttls "$kind ${1:0:120}"; asked=1; }

reach() {
  exec 3<>"/dev/tcp/$host/$port" && return 0
  # where there is no IPv6, a socket for both families is reached by IPv4 alone
  [ -n "$else" ] || return 1
  host=$else else=
  exec 3<>"/dev/tcp/$host/$port"
}

# meet: a connection on which a hello may be sent
meet() {
  local c= x n=0
  reach || { tell closed; return 1; }
  case $kind in
    ('') return 0 ;;
    (smtp)
      hear || { starttls "- $said"; return 1; }
      printf "EHLO localhost\r\n" >&3; hear
      case $heard in (*STARTTLS*|*starttls*) ;; (*) starttls none; printf "QUIT\r\n" >&3; return 1 ;; esac
      printf "STARTTLS\r\n" >&3; hear; starttls "$said"
      case $said in (220*) return 0 ;; esac ;;
    (ftp)
      hear || { starttls "- $said"; return 1; }
      printf "AUTH TLS\r\n" >&3; hear; starttls "$said"
      case $said in (234*) return 0 ;; esac ;;
    (pop3)
      IFS= read -r -n 600 -t 4 said <&3
      case $said in (+OK*) ;; (*) starttls "- $said"; return 1 ;; esac
      printf "STLS\r\n" >&3
      IFS= read -r -n 600 -t 4 said <&3; starttls "${said%"$cr"}"
      case $said in (+OK*) return 0 ;; esac ;;
    (imap)
      IFS= read -r -n 600 -t 4 said <&3
      case $said in ("* OK"*) ;; (*) starttls "- $said"; return 1 ;; esac
      printf "a1 STARTTLS\r\n" >&3
      while IFS= read -r -n 600 -t 4 said <&3 && [ "$n" -lt 20 ]; do
        n=$((n + 1)); case $said in (a1*) break ;; ("* BYE"*) said="- $said"; break ;; esac
      done
      starttls "${said%"$cr"}"
      case $said in ("a1 OK"*) return 0 ;; esac ;;
    (ldap)
      printf "\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037" >&3
      x=$(take 4 | hex); starttls "$x"
      case $x in (30*78*0a0100*) return 0 ;; esac ;;
    (pg)
      printf "\x00\x00\x00\x08\x04\xd2\x16\x2f" >&3
      IFS= read -r -d "" -n 1 -t 4 c <&3; starttls "${c:-none}"
      [ "$c" = S ] && return 0 ;;
    (mysql)
      x=$(take 4 | hex)
      case $x in
        (??????000a*) ;;
        (*) starttls "${x:-none}"; return 1 ;;
      esac
      starttls greets
      printf "\x20\x00\x00\x01\x01\x8a\x00\x00\x00\x00\x00\x01\x21" >&3
      printf "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00" >&3
      printf "\x00\x00\x00\x00\x00\x00\x00" >&3
      # what is sent too soon goes into the buffer of the wrong layer there
      IFS= read -r -n 1 -t .2 c <&3
      return 0 ;;
  esac
  return 1
}

# ask KIND NAME: the answer to a hello, in x
ask() {
  local end
  hello "$1" "$2"
  for end in "$gone" ""; do
    x=
    meet || { exec 3>&-; return 1; }
    printf "$R$end" >&3
    # what arrived before a reset is lost to `read`, but not to cat
    if [ -n "$HP_TIMEOUT" ]; then
      x=$(timeout 2 cat <&3 | hex; [ "${PIPESTATUS[0]}" != 124 ] || printf .)
    else x=$(take 2 | hex); [ -n "$x" ] || x=.; fi
    exec 3>&-
    case $x in ('' | .) ;; (*) break ;; esac
  done
  # of what is no TLS only the beginning: nobody knows what a service tells to whoever comes
  case $x in (1603* | 1503* | .) tell "$1/$2" "$x" ;; (*) tell "$1/$2" "${x:0:24}" ;; esac
}

# clear: what is said of a login that is not encrypted yet; no account is named, and no password. A
# server may trust who comes from its own address, so that it is asked at another one where it can be.
clear() {
  local n=0 at=same heard= said= v=
  case $kind in (smtp|ftp|pop3|imap|ldap) ;; (*) return 0 ;; esac
  case $host in (127.0.0.1|::1) exec 3<>"/dev/tcp/127.0.0.2/$port" && at=apart ;; esac
  [ "$at" = apart ] || reach || return 0
  case $kind in
    (ftp) hear && printf "USER hostpledge\r\n" >&3 && hear; v=$said ;;
    (smtp)
      hear && printf "EHLO localhost\r\n" >&3 && hear
      case ${heard:-?} in (" 250"*[-\ ]AUTH[\ =]*) v=${heard#*[- ]AUTH[ =]}; v="AUTH ${v%% 250*}" ;; (" 250"*) v=none ;; esac ;;
    (pop3)
      IFS= read -r -n 600 -t 4 said <&3; printf "CAPA\r\n" >&3
      while [ "$n" -lt 40 ] && IFS= read -r -n 600 -t 4 said <&3; do
        n=$((n + 1)); said=${said%"$cr"}
        case $said in (.) v=${v:-none}; break ;; (-ERR*) break ;; (USER*|SASL*) v="$v$said " ;; esac
      done
      [ "$said" = . ] || v= ;;
    (imap)
      IFS= read -r -n 600 -t 4 said <&3; printf "a0 CAPABILITY\r\n" >&3
      while [ "$n" -lt 20 ] && IFS= read -r -n 2000 -t 4 said <&3; do
        n=$((n + 1)); said=${said%"$cr"}
        case $said in ("* CAPABILITY "*) v=${said#"* "} ;; (a0*) break ;; esac
      done ;;
    (ldap)
      printf "\x30\x0c\x02\x01\x01\x60\x07\x02\x01\x03\x04\x00\x80\x00" >&3
      v=$(take 4 | hex) ;;
  esac
  case $kind in (ftp|smtp|pop3) printf "QUIT\r\n" >&3 ;; (imap) printf "a1 LOGOUT\r\n" >&3 ;; esac
  exec 3>&-
  tell login "$kind $at ${v:0:300}"
}

# request NAME PATH: only the status, where it sends one to, and what login it asks for
request() {
  local n=0 line s= l= a=
  reach || return 1
  printf "HEAD %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: hostpledge\r\n" \
    "$2" "${1:-hostpledge.invalid}" >&3
  printf "Accept: */*\r\nConnection: close\r\n\r\n" >&3
  while [ "$n" -lt 60 ] && IFS= read -r -n 2000 -t 2 line <&3; do
    n=$((n + 1)); line=${line%"$cr"}
    if [ "$n" = 1 ]; then
      case $line in (HTTP/*" "[1-5][0-9][0-9]*) s=${line#* }; s=${s:0:3} ;; (*) break ;; esac
      continue
    fi
    case $line in
      ('') break ;;
      ([Ll][Oo][Cc][Aa][Tt][Ii][Oo][Nn]:*) l=${line#*:}; l=${l# }; l=${l%%[?#;]*} ;;
      ([Ww][Ww][Ww]-[Aa][Uu]*:*) a=${line#*:}; a=${a# }; a=${a%% *} ;;
    esac
  done
  exec 3>&-
  case $l in (*@*) l=- ;; esac
  l=${l// /_}
  tell http "${1:--} $2 ${s:--} ${l:--} ${a:--}"
  [ -n "$s" ]
}

one() {
  local n found=
  id=$1 host=$2 else=$3 port=$4 kind=$5 proc=$6 asked=
  shift 6
  printf -v cr "\r"
  ask new ""
  if [ -z "$kind" ]; then
    case $x in
      (3[245]3?3?2[0d]*465450*) kind=ftp ;;
      (3[245]3?3?2[0d]*) kind=smtp ;;
      (2a204f4b*) kind=imap ;;
      (2b4f4b*) kind=pop3 ;;
      (??????000a3[0-9]2e*|??????000a31[0-9]*2e*) kind=mysql ;;
    esac
    [ -z "$kind" ] || { tell again; ask new ""; }
  fi
  case $x in
    (1603*|1503*) found=1; ask rsa ""; ask old ""; ask weak "" ;;
  esac
  if [ -n "$found" ]; then
    clear
    for n in "$@"; do ask new "$n"; done
  elif [ -z "$kind" ]; then
    case $proc:$x in
      (redis-server:*|valkey-server:*|memcached:*|mongod:*|*:5353482d*) ;;
      (*: | *:. | *:485454502f* | *:3c*)
        if request "" /; then
          request "" /hostpledge-check
          for n in "$@"; do request "$n" /; request "$n" /hostpledge-check; done
        fi ;;
    esac
  fi
  tell over
}

if [ "${0##*/}" = one ]; then one "$@"; exit 0; fi

# the listeners: state, address, port, who
list() {
  local st rq sq at peer users rest q port addr proc
  if q=$(PROC_ROOT=/proc ss -ltnp); then
    while read -r st rq sq at peer users; do
      [ "$st" = LISTEN ] || continue
      proc= rest=$users
      while [[ $rest == *\(\"* ]]; do
        rest=${rest#*\(\"}; q=${rest%%\"*}
        case $proc in ('' | systemd) proc=$q ;; esac
      done
      port=${at##*:} addr=${at%:*}; addr=${addr//[\[\]]/}
      printf "%s %s %s\n" "${addr:-::}" "$port" "${proc//[^A-Za-z0-9_.@-]/_}"
    done < <(printf "%s\n" "$q")
    return 0
  fi
  grep -hE ": [0-9A-F]+:[0-9A-F]{4} [0-9A-F]+:0000 0A " /proc/net/tcp /proc/net/tcp6 |
    while read -r st at rest; do
      port=$((16#${at##*:})) q=${at%:*} addr=
      if [ "${#q}" = 8 ]; then
        addr=$((16#${q:6:2})).$((16#${q:4:2})).$((16#${q:2:2})).$((16#${q:0:2}))
      else
        for st in 0 8 16 24; do
          addr=$addr:${q:st+6:2}${q:st+4:2}:${q:st+2:2}${q:st:2}
        done
        addr=${addr#:}
        case $addr in
          (0000:0000:0000:0000:0000:0000:0000:0000) addr=:: ;;
          (0000:0000:0000:0000:0000:0000:0000:0001) addr=::1 ;;
          (0000:0000:0000:0000:0000:[Ff][Ff][Ff][Ff]:*)
            addr=$((16#${q:30:2})).$((16#${q:28:2})).$((16#${q:26:2})).$((16#${q:24:2})) ;;
        esac
      fi
      printf "%s %s \n" "$addr" "$port"
    done
}

# the names that the web servers here answer to; left counts those that are not asked for: what is beyond
# the most, and what is not written out (regular expressions, variables, names that stand on a further line)
names() {
  local line word apo
  printf -v apo "\\x27"
  set -f
  names=() left=0
  while read -r line; do
    case $line in (*server_name*";"* | *[Ss]erver[NA]*) ;; (*server_name*) left=$((left + 1)) ;; esac
    line=${line#*[Ss]erver}; line=${line#*[[:space:]]}; line=${line%%[;#]*}; line=${line//[\"$apo]/}
    for word in $line; do
      case $word in
        (\~*) left=$((left + 1)); continue ;;
        (\$hostname) word=$HOSTNAME ;;
      esac
      word=${word#*://}; word=${word%%:*}
      case $word in (\*.*) word=hostpledge${word#\*} ;; (.*) word=${word#.} ;; esac
      case $word in (*.\*) word=${word%\*}hostpledge ;; esac
      case $word in
        (*[*?$\\]*) left=$((left + 1)); continue ;;
        (*[!A-Za-z0-9.-]* | .* | -* | *.) continue ;;
        (*.*) ;;
        (*) continue ;;
      esac
      [ "${#word}" -lt 200 ] || { left=$((left + 1)); continue; }
      case " ${names[*]} " in (*" $word "*) continue ;; esac
      if [ "${#names[@]}" -lt 40 ]; then names+=("$word"); else left=$((left + 1)); fi
    done
  done < <(printf "%s\n" "$HP_SITES")
  set +f
  [ "$left" -le 9999 ] || left=9999
}

had=" " number=0 at=0 web= all=$(list)
# iproute2 before 4.x writes `*` for IPv4 and `::` for IPv6; later `*` is IPv6, perhaps with IPv4
nl='
'
case "$nl$all" in (*"$nl:: "*) star=127.0.0.1 ;; (*) star=::1 ;; esac
case $all in (*" nginx"*|*" openresty"*|*" tengine"*|*" apache2"*|*" httpd"*|*" haproxy"*) names ;; esac
[ "${left:-0}" = 0 ] || printf "%s\n" "== names $left"
while read -r addr port proc; do
  case $had in (*" $addr:$port "*) continue ;; esac
  had="$had$addr:$port "
  case $addr in (127.* | ::1 | ::ffff:127.*) continue ;; ('') continue ;; esac
  number=$((number + 1)) state=ask kind= host=$addr else=
  case $addr in
    (0.0.0.0) host=127.0.0.1 ;;
    (::) host=::1 ;;
    (\*)
      host=$star
      case "$nl$all" in (*"${nl}0.0.0.0 $port "*) ;; (*) else=127.0.0.1 ;; esac ;;
    (::ffff:*) host=${addr#::ffff:} ;;
  esac
  case $addr in (fe80:*%*) ;; (*%*) state=device ;; esac
  case $proc:$port in
    (sshd:* | sshd-session:* | dropbear:* | rpcbind:* | rpc.*:* | smbd:* | portsentry:* | epmd:* | \
      zabbix_agentd:* | zabbix_agent2:* | chronyd:* | telnetd:* | in.telnetd:* | iscsid:* | \
      rsync:* | bgpd:* | *:53 | systemd:22 | :22 | :111 | :2049 | *:139 | *:445 | :9100 | \
      mysqld:33060 | mariadbd:33060) state=skip ;;
    (systemd:* | inetd:* | xinetd:* | openbsd-inetd:* | inetutils-inetd:*) state=held ;;
    (mysqld:* | mariadbd:* | *:3306) kind=mysql ;;
    (postgres:* | postmaster:* | kingbase:* | gaussdb:* | pgbouncer:* | odyssey:* | pgpool:* | pgcat:* | \
      *:5432 | *:54321 | *:6432) kind=pg ;;
    (*:465 | *:636 | *:993 | *:995) ;;
    (*:25 | *:587 | *:2525 | master:* | smtpd:* | exim:* | exim4:* | sendmail*:*) kind=smtp ;;
    (*:21) kind=ftp ;; (*:110) kind=pop3 ;; (*:143) kind=imap ;; (*:389 | slapd:* | ns-slapd:*) kind=ldap ;;
  esac
  if [ "$state" = ask ]; then
    [ "$at" != 0 ] || ! timeout 1 true || export HP_TIMEOUT=1
    at=$((at + 1))
    [ "$at" -le 64 ] || state=more
  fi
  printf "= %s %s %s %s %s\n" "$number" "$state" "$addr" "$port" "${proc:--}"
  [ "$state" = ask ] || continue
  web=
  case $proc in (nginx | openresty | tengine | apache2 | httpd | haproxy) web=1 ;; esac
  ${HP_TIMEOUT:+timeout 15} "$BASH" -c "$BASH_EXECUTION_STRING" one "$number" "$host" "$else" \
    "$port" "$kind" "${proc:--}" \
    ${web:+"${names[@]}"} </dev/null &
  [ $((at % 20)) != 0 ] || wait
done < <(printf "%s\n" "$all")
wait
[ "$at" = 0 ] || printf "%s\n" "== hello ${new_p//\\x/} ${new_e//\\x/}"
