# How the databases here want to be spoken to. Run by the shell of the read, after opened.sh.
# shellcheck disable=SC2154,SC2086,SC2034,SC2046,SC2116 # opened.sh has the rest; words are split
l=$(PROC_ROOT=/proc ss -ltnp 2>/dev/null) || l='"mysqld"'
t=; timeout 1 true 2>/dev/null && t="timeout 15"
set -f
case $l in (*'"mysqld"'*|*'"mariadbd"'*|*'"mongod"'*)
  k=0
  for i in $(set +f; hp_started "mysqld|mariadbd|mongod" own | head -n 17); do
    k=$((k + 1))
    [ "$k" -le 16 ] || { printf "db %s 0 more\n" mongod mysqld; break; }
    d=/proc/$i; n=; { read -r n <"$d/comm"; } 2>/dev/null || continue
    # what a program is told by whoever started it, he is asked for
    hp_owner "$i"; NAMER=$W
    case $n in
      (mongod)
        c=$(tr "\000" "\n" <"$d/cmdline" 2>/dev/null | sed -n -e "/^\(-f\|--config\)\$/{n;p;}" \
          -e "s/^--config=//p" | sed -n "/^\//{p;q;}")
        m=$(tr "\000" "\n" <"$d/cmdline" 2>/dev/null | sed -n -e "/^--\(tls\|ssl\)Mode\$/{n;p;}" \
          -e "s/^--\(tls\|ssl\)Mode=//p" | head -n 1)
        [ -z "$c" ] || c=$(hp_by "$c" head -c 1048576 2>/dev/null | sed -n \
          "s/^[[:space:]]*\(mode\|sslMode\)[[:space:]]*[:=][[:space:]]*[\"]*\([a-z]*\(TLS\|SSL\)\|disabled\).*/\2/p" |
          head -n 1)
        printf "db mongod %s %s\n" "$i" "$m${m:+${c:+ }}$c";;
      (mysqld|mariadbd)
        printf "db mysqld %s %s\n" "$i" "$n"
        c=$(command -v mariadb || command -v mysql)
        # by its socket; MariaDB would check the certificate even there
        q="--no-defaults"; case $c in (*mariadb) q="$q --skip-ssl";; esac
        # no server gets a file of ours for the asking
        if [ -n "$c" ] && hp_mysql; then
          $t "$c" $q --local-infile=0 -S "$S" -u root -N -B -e "
            show global variables where variable_name in ('require_secure_transport', 'have_ssl');
            select concat('account ', if(ssl_type = '', '-', ssl_type), ' ', host, ' ', user)
              from mysql.user where host <> ''" </dev/null 2>/dev/null | hp_most 300
        fi | while IFS=$hp_tab read -r a b; do
          printf "db mysqld %s %s\n" "$i" "$a${b:+ $b}"
        done | cut -c 1-500
        c=$(tr "\000" "\n" <"$d/cmdline" 2>/dev/null |
          grep -m 1 -E "^--defaults-(extra-)*file=/[A-Za-z0-9_/.-]*\$")
        b=$({
          ! command -v my_print_defaults >/dev/null 2>&1 ||
            hp_do "$W" my_print_defaults $c mysqld server mariadb mariadbd 2>/dev/null
          tr "\000" "\n" <"$d/cmdline" 2>/dev/null
        } | grep -E -i "^--(loose[-_])?require[-_]secure[-_]transport" | cut -c 1-80)
        [ -z "$b" ] || {
          printf "%s\n" "$b" | sed "s/^/db mysqld $i config /"
          # it reads its files when it starts, and not again
          t_p=$i; t_d=; t_u=; t_f=$(find -L /etc/my.cnf /etc/mysql /etc/my.cnf.d -name "*.cnf" -type f 2>/dev/null
            [ -z "$c" ] || printf "%s\n" "${c#*=}")$hp_nl
          @LOOK@ | sed "s/^/db mysqld $i run /"
          set -f
        };;
    esac
    NAMER=
  done;;
esac
set +f
