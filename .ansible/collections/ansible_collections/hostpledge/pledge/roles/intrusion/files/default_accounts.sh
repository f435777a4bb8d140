# shellcheck shell=sh
while IFS=: read -r name _ uid _ _ home shell; do
  case " $NAMES " in *" $name "*) ;; *) continue ;; esac
  [ "$uid" != 0 ] || continue
  case $shell in */nologin | */false | */true | */sync | */halt | */shutdown) continue ;; esac
  field=$(awk -F: -v name="$name" '$1 == name { print $2; exit }' /etc/shadow)
  case $field in '!'* | '*'* | x) password=no ;; *) password=yes ;; esac
  key=no
  for file in .ssh/authorized_keys .ssh/authorized_keys2; do
    [ ! -s "$home/$file" ] || key=yes
  done
  printf '%s:%s:%s:%s\n' "$name" "${shell:-/bin/sh}" "$password" "$key"
done </etc/passwd
