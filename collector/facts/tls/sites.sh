# The names of sites that web servers here answer to, in HP_SITES, a directive a line. Run by the shell
# of the read, after opened.sh; what an include leads to may lie in the reach of a user.
# shellcheck disable=SC2086,SC2154 # opened.sh has the rest; lines are split
HP_SITES=
if [ -n "$(hp_started "nginx|openresty|tengine|apache2|httpd|haproxy")" ]; then
  set -- /etc/nginx/nginx.conf /etc/nginx/conf.d/*.conf /etc/nginx/sites-enabled/* \
    /usr/local/nginx/conf/nginx.conf /usr/local/nginx/conf/vhost*/*.conf \
    /usr/local/openresty/nginx/conf/nginx.conf /www/server/panel/vhost/*/*.conf \
    /etc/apache2/apache2.conf /etc/apache2/sites-enabled/* /etc/httpd/conf/httpd.conf \
    /etc/httpd/conf.d/*.conf
  s_all=$hp_nl s_files=
  for s_n in 1 2 3 4; do
    s_new=; : "$s_n"
    for s_f do
      s_p=${s_f#*"$hp_tab"}
      case $s_all in (*"$hp_nl$s_p$hp_nl"*) continue;; esac
      s_all=$s_all$s_p$hp_nl; s_new=$s_new$s_f$hp_nl
    done
    [ -n "$s_new" ] || break
    s_files=$s_files$s_new
    IFS=$hp_nl; set -f; set -- $s_new
    s_i=$(hp_names "[Ii]nclude[A-Za-z]*[[:space:]]\{1,\}[^;#]*" "$@")
    ! hp_cut_off "$s_i" || echo "== more"
    set --
    for s_f in $s_i; do
      s_p=${s_f#*"$hp_tab"}; s_p=${s_p#*[Ii]nclude}; s_p=${s_p#*[[:space:]]}
      s_p=$(printf "%s" "$s_p" | tr -d "\"' \t")
      case $s_p in (*mime.types|*fastcgi*|*/modules-enabled/*|*/mods-enabled/*) continue;; esac
      set +f; IFS=
      for s_d in "" /etc/nginx/ /etc/apache2/ /etc/httpd/ /usr/local/nginx/conf/; do
        case $s_d$s_p in (/*) ;; (*) continue;; esac
        case $s_d:$s_p in (/*:/*) continue;; esac
        for s_e in $s_d$s_p; do
          [ ! -d "$s_e" ] || continue
          set -- "$@" "${s_f%%"$hp_tab"*}$hp_tab$s_e"
        done
      done
      set -f; IFS=$hp_nl
    done
    set +f; unset IFS
  done
  IFS=$hp_nl; set -f; set -- $s_files; set +f; unset IFS
  HP_SITES=$(hp_names "\(^\|[[:space:];{]\)\(server_name\|[Ss]erver[Nn]ame\|[Ss]erver[Aa]lias\)\([[:space:]][^;#]*;\{0,1\}\|$\)" "$@" |
    sed "s/^[^$hp_tab]*$hp_tab//" | head -n 400)
  # which of their servers listen in the clear and serve more than a redirection, and which of these ask
  # for a password there
  echo "== sites"
  hp_pour "@F " "+" "$@" | awk '
    function flush(  p) {
      if (!any) clear[80] = 1
      if (!whole && !sealed) for (p in clear) print "== " (basic ? "basic" : "clear") " " p " " file
      split("", clear); any = basic = whole = sealed = 0
    }
    function ports(w,  i) { sub(/>$/, "", w); i = w; sub(/.*:/, "", i); return i ~ /^[0-9]+$/ ? i : w ~ /[.]/ ? 80 : "" }
    function nginx(  i, p, s) {
      if (W[1] == "listen") {
        any = 1; s = 0
        for (i = 3; i <= n; i++) if (W[i] == "ssl" || W[i] == "quic") s = 1
        if (!s && (p = ports(W[2])) != "") clear[p] = 1
      } else if (W[1] == "ssl" && W[2] == "on") sealed = 1
      else if (W[1] == "auth_basic" && W[2] != "off") { if (srv) basic = 1; else print "== basic ? " file }
      else if (srv && (depth == srv || depth == srv + 1 && cond)) {
        if (W[1] == "return" && W[2] ~ /^30[12378]$/ && W[3] ~ /^https:/) whole = 1
        if (W[1] == "return" && W[2] ~ /^https:/) whole = 1
        if (W[1] == "rewrite" && W[2] ~ /^\^?(\(\.\*\))?\$?$/ && W[3] ~ /^https:/) whole = 1
      }
    }
    /^@F / { file = substr($0, 4); depth = srv = vhost = n = cond = 0; split("", clear); any = basic = whole = sealed = 0; next }
    { s = substr($0, 2); sub(/^[ \t]*#.*/, "", s); low = tolower(s); sub(/^[ \t]+/, "", low) }
    low ~ /^<virtualhost[ \t]/ { vhost = any = 1; k = split(low, V); for (i = 2; i <= k; i++) if ((p = ports(V[i])) != "") clear[p] = 1; next }
    low ~ /^<\/virtualhost/ { flush(); vhost = 0; next }
    low ~ /^sslengine[ \t]+on/ { sealed = 1 }
    low ~ /^authtype[ \t]+"?basic/ { if (vhost) basic = 1; else print "== basic ? " file }
    low ~ /^redirect(permanent|temp)?[ \t]+((permanent|temp|30[12378])[ \t]+)?"?\/"?[ \t]+"?https:/ { whole = 1 }
    low ~ /^rewriterule[ \t]+"?\^?(\/?\(?\.\*\)?)?\$?"?[ \t]+"?https:/ { whole = 1 }
    low ~ /^</ || vhost { next }
    {
      sub(/[ \t]#.*/, "", s); gsub(/[{};]/, " & ", s); gsub(/["\047]/, "", s); k = split(s, T)
      for (t = 1; t <= k; t++) {
        if (T[t] == "{") {
          depth++
          if (W[1] == "server" && n == 1) { srv = depth; split("", clear); any = basic = whole = sealed = 0 }
          cond = W[1] == "if" && W[2] ~ /scheme|https/
          n = 0
        } else if (T[t] == "}") { if (srv && depth == srv) { flush(); srv = 0 } depth--; cond = n = 0 }
        else if (T[t] == ";") { nginx(); n = 0 }
        else { W[++n] = T[t] }
      }
    }' | sort -u | hp_most 400 | sed "s/^more\$/== more/"
  # HAProxy chooses by the names in its certificates
  s_c=$(hp_names "[[:space:]]crt[[:space:]]\{1,\}/[A-Za-z0-9_./-]*" /etc/haproxy/haproxy.cfg |
    sed "s/.*[[:space:]]//" | sort -u | head -n 40)
  if [ -n "$s_c" ] && command -v openssl >/dev/null 2>&1; then
    for s_f in $s_c; do
      if [ -d "$s_f" ]; then set -- "$s_f"/*; else set -- "$s_f"; fi
      for s_e do
        hp_can "$s_e" || continue
        s_i=$(hp_by "$s_e" openssl x509 -noout -ext subjectAltName 2>/dev/null | tr "," "\n" |
          sed -n "s/^[[:space:]]*DNS:\([A-Za-z0-9.*-]*\)$/server_name \1;/p")
        HP_SITES=$HP_SITES$hp_nl$s_i
      done
    done
  fi
fi
export HP_SITES
