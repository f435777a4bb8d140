"""Where systemd listens in the place of sshd: the unit that it starts, and with which words."""

# `by` are the units that systemd starts for each connection, or for the first one, to run a program
# named sshd; what listens on this host alone (a path) starts none of them. `hp_started UNIT` prints
# the program and its words: systemd.exec(5) takes a variable from Environment= and then from the
# files. Fields are divided by tabs: unit, files, environment, words; `?` where they are not told.
SOCKETS = r"""
by=; units=
if [ -d /run/systemd/system ]; then
  l=$(systemctl show --no-pager -p Id,Accept,Triggers,Listen,ListenStream $(
    systemctl list-units --plain --no-legend --no-pager --type=socket --state=active 2>/dev/null |
    sed -n 's/^\([A-Za-z0-9_.-]*\.socket\) .*/\1/p') 2>/dev/null | awk '
    function out() { if (far) print (a == "yes" ? id "@hp.service" : t); far = 0; a = t = id = "" }
    $0 == "" { out(); next }
    { v = $0; sub(/^[A-Za-z]*=/, "", v) }
    /^Accept=/ { a = v }
    /^Id=/ { id = v; sub(/\.socket$/, "", id) }
    /^Triggers=/ { t = v; sub(/ .*/, "", t) }
    /^Listen(Stream)?=/ && v !~ /^[\/@]/ { far = 1 }
    END { out() }')
  [ -z "$l" ] || units=$(systemctl show --no-pager -p Id,ExecStart,ActiveState \
    -p EnvironmentFiles,EnvironmentFile,Environment $l 2>/dev/null | awk '
    function out() {
      if (b) x = "?"
      if (x != "" && (id ~ /@/ || on != "active")) print id "\t" f "\t" e "\t" x
      id = x = on = f = e = b = ""
    }
    # a line break in the command is printed as it is
    g { if (/ ; ignore_errors=[a-z]+ ;.*[}]$/) g = 0; next }
    /^ExecStart=[{] / && !/ ; ignore_errors=[a-z]+ ;.*[}]$/ {
      if (/path=[^ ;]*\/sshd ;/) b = 1
      g = 1; next
    }
    $0 == "" { out(); next }
    { v = $0; sub(/^[A-Za-z]*=/, "", v); gsub(/\t/, " ", v) }
    /^Id=/ { id = v }
    /^ActiveState=/ { on = v }
    /^Environment=/ { e = v }
    /^EnvironmentFiles?=/ { sub(/ .*/, "", v); f = f " " v }
    /^ExecStart=.*path=[^ ;]*\/sshd ;/ {
      x = v; sub(/.*argv\[\]=/, "", x); sub(/ ; ignore_errors=.*/, "", x)
    }
    END { out() }')
  by=$(printf '%s\n' "$units" | cut -f 1)
fi
hp_started() {
  s_l=$(printf '%s\n' "$units" | awk -F "\t" -v u="$1" '$1 == u')
  s_f=$(printf '%s\n' "$s_l" | cut -f 2); s_e=$(printf '%s\n' "$s_l" | cut -f 3 | tr ' ' '\n')
  for s_a in $(printf '%s\n' "$s_l" | cut -f 4); do
    case $s_a in
      \$*)
        s_a=${s_a#?}; s_a=${s_a#\{}; s_a=${s_a%\}}
        case $s_a in (*[!A-Za-z0-9_]*) continue;; esac
        {
          printf '%s\n' "$s_e"
          for s_o in $s_f; do hp_plain "$s_o" && hp_by "$s_o" cat; done
        } 2>/dev/null | sed -n "s/^$s_a=//p" | tail -n 1 | tr -d "\"'";;
      *) printf '%s\n' "$s_a";;
    esac
  done
}
"""
