#!/bin/sh
# Sorts the warnings of chkrootkit's log: `exclude PATH`, a file that its package vouches for byte for
# byte; `expect`, a test that cannot work on this kind of file system; `left LINE`, all others.
# Names of files stand in it as they are, line breaks too: whoever makes a file in /tmp writes lines of
# it. So a path is taken as one word only where no shell and no pattern sees more in it, and only of a
# file in the folders of libraries, where packages put what chkrootkit takes for hidden.
set -f
log=${1:-/var/log/chkrootkit/log.today} within=${2:-/usr/lib /lib}
block='' status='' vouched=0
# what Ansible takes for the end of a line is more than the shell does
left() { printf 'left %s\n' "$(printf '%s' "$1" | LC_ALL=C tr '\000-\037\177-\377' '?')"; }
vouched() {
  case "$1" in *[!A-Za-z0-9_./+:@%,~-]*|*/../*|*/./*|*//*) return 1;; esac
  in=
  for root in $within; do case "$1" in "$root"/*) in=1;; esac; done
  [ "$in" ] && [ -f "$1" ] && [ ! -L "$1" ] && [ "$vouched" -lt 50 ] || return 1
  vouched=$((vouched + 1))
  package=$(dpkg-query -S "$1" 2>/dev/null) || return 1
  case "$package" in *', '*": $1"|*'
'*) return 1;; *": $1") package=${package%": $1"};; *) return 1;; esac
  ! dpkg --verify "$package" 2>/dev/null | grep -qF " $1"
}
while IFS= read -r line; do
  case "$line" in
    'WARNING: The following suspicious files and directories were found:') block=files status=''; continue;;
    'WARNING: chkdirs: '*|'Warning: Possible LKM Trojan installed'*) block=chkdirs status=''; continue;;
    'WARNING: Output from ifpromisc:') block=sniffer status=''; continue;;
    '') [ "$status" ] || block=''; continue;;
  esac
  case "$block" in
    files)
      path=${line%% \[From Debian package: *}
      for one in $path; do
        if vouched "$one"; then printf 'exclude %s\n' "$one"; else left "$one"; fi
      done
      continue;;
    chkdirs)
      case "$line" in
        'chkdirs: '*'Skipping unsupported filesystem ('*) echo expect;;
        *) left "$line";;
      esac
      continue;;
    sniffer)
      case "$line" in
        *': not promisc and no packet sniffer sockets') echo expect;;
        *) left "$line";;
      esac
      continue;;
  esac
  case "$line" in
    *' not found'|*' not infected'|*' not tested'|*'nothing found') ;;
    *...*WARNING) [ "$status" ] && left "$status"; status=$line;;
    'chkdirs: '*'Skipping unsupported filesystem ('*) echo expect;;
    *INFECTED*|*[Ww]arning*|*WARNING*|*[Ss]uspicious*|*'PACKET SNIFFER'*|*Vulnerable*) left "$line";;
  esac
done <"$log"
[ "$status" ] && left "$status"
grep -q "^Checking .chkutmp'" "$log" || left "$log does not come to its end"
exit 0
