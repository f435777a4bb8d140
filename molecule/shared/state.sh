#!/bin/sh
# state.sh keep|same|back: what files there are, what is in them, whose they are, and which units are enabled or run.
# keep writes it down; same wants all to be so still; back lets stay what a package of rpm brought, as it brought it,
# and a passphrase or key that was made.
kept=/root/state.before
now=/root/state.now
state() {
  find /etc /usr/local /usr/lib/systemd /srv -xdev -type f ! -path '/srv/*/repodata/*' ! -name '*.rpm' ! -name '.updated' \
    ! -path '/etc/passwd*' ! -path '/etc/group*' ! -path '/etc/shadow*' ! -path '/etc/gshadow*' ! -path '/etc/.pwd.lock' \
    ! -path '/etc/sub?id*' ! -path '/etc/hosts' ! -path '/etc/ld.so.cache' -printf '%p\t%m %U %G ' -exec sha256sum -z {} \; |
    tr '\000' '\n' | sed 's/  .*//'
  find /etc /usr/local -xdev -type l -printf '%p\tlink %l\n'
  find /var/log -xdev -type f ! -path '/var/log/journal/*' -printf '%p\t%m %U %G\n'
  systemctl list-units --all --plain --no-legend --state=active 'clam*' 'rsyslog*' 'sysstat*' 'logrotate*' 'auditd*' 'httpd*' 'hostpledge*' |
    sed 's/ .*/\truns/'
}
state | LC_ALL=C sort >"$now"
case $1 in
  keep) mv "$now" "$kept" ;;
  same) diff "$kept" "$now" ;;
  back)
    tab=$(printf '\t')
    LC_ALL=C comm -3 "$kept" "$now" | sed "s/^$tab//; s/$tab.*//" | LC_ALL=C sort -u | while IFS= read -r path; do
      if ! grep -qF "$path$tab" "$kept"; then
        case $path in (/var/log/*|/etc/hostpledge/backup/password|/etc/hostpledge/backup/ssh_key) continue ;; esac
        if owner=$(rpm -qf "$path" 2>/dev/null); then
          # of a link rpm has the target, of a file what is in it
          rpm -V --nodeps --nouser --nogroup --nomtime "$owner" | grep -F "  $path" || continue
        fi
        echo "there, and was not: $path"
      else
        grep -F "$path$tab" "$kept" "$now"
      fi
    done >/root/state.odd
    cat /root/state.odd
    [ ! -s /root/state.odd ]
    ;;
esac
