#!/bin/sh
# Sorts the warnings of chkrootkit's log: `exclude PATH`, a file that its package vouches for byte for
# byte; `expect`, a test that cannot work on this kind of file system; `left LINE`, all others.
log=${1:-/var/log/chkrootkit/log.today}
block='' status=''
left() { printf 'left %s\n' "$1"; }
vouched() {
  package=$(dpkg-query -S "$1" 2>/dev/null | sed -n '1s/: .*//p')
  case "$package" in ''|*,*) return 1;; esac
  [ -f "$1" ] && ! dpkg --verify "$package" 2>/dev/null | grep -qF " $1"
}
while IFS= read -r line; do
  case "$line" in
    *'suspicious files and directories were found:'*) block=files status=''; continue;;
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
