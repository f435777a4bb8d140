# From where the host sees the connection come that the control node holds open by that port.
hp_act() {
  command -v ss >/dev/null 2>&1 || undone no_program ss
  ss -tn 2>/dev/null | awk -v p=":$HP_PORT" '{
    at = length($5) - length(p) + 1
    if (at > 1 && substr($5, at) == p) print "seen " substr($5, 1, at - 1)
  }'
}
