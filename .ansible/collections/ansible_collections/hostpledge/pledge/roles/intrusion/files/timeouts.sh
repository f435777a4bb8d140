# shellcheck shell=sh
for file in /etc/profile /etc/profile.d/*.sh /etc/profile.local /etc/bashrc /etc/bash.bashrc /etc/bash.bashrc.local; do
  if [ ! -f "$file" ] || [ "$file" = "$OWN" ]; then continue; fi
  awk -v file="$file" '{ sub(/(^|[ \t])#.*/, "") } /TMOUT=/ { print file ":" FNR ": " $0 } /(readonly|-r)[ \t]+TMOUT[ \t]*$/ { print file ":" FNR ": " $0 }' "$file"
done
:
