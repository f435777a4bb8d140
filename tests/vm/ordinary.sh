# The guest as a careful administrator of a Debian 13 would leave it: packet filter, audit rules,
# logs kept, fixes installed by themselves, long passwords.
set -eu
cat >/etc/nftables.conf <<'N'
#!/usr/sbin/nft -f
flush ruleset
table inet filter {
  chain input {
    type filter hook input priority filter; policy drop;
    iif lo accept
    ct state established,related accept
    ct state invalid drop
    ip protocol icmp accept
    meta l4proto ipv6-icmp accept
    ip saddr 10.0.2.0/24 tcp dport 22 accept
    limit rate 5/minute log prefix "dropped: "
  }
  chain forward { type filter hook forward priority filter; policy drop; }
  chain output { type filter hook output priority filter; policy accept; }
}
N
systemctl enable -q --now nftables
printf 'APT::Periodic::%s "1";\n' Update-Package-Lists Unattended-Upgrade >/etc/apt/apt.conf.d/20auto-upgrades
{
  for f in passwd shadow group gshadow sudoers; do echo "-w /etc/$f -p wa -k identity"; done
  echo '-w /var/log/wtmp -p wa -k logins'
  for a in 64 32; do
    set -- "-a always,exit -F arch=b$a"
    echo "$1 -S adjtimex,settimeofday,clock_settime -k time-change"
    echo "$1 -S mount,move_mount -k mounts"
    echo "$1 -S unlink,unlinkat,rename,renameat,renameat2 -F auid>=1000 -F auid!=unset -k delete"
    echo "$1 -S execve -C uid!=euid -F euid=0 -k rootcmd"
  done
} >/etc/audit/rules.d/50-host.rules
sed -i 's/^max_log_file_action.*/max_log_file_action = KEEP_LOGS/; s/^space_left_action.*/space_left_action = SYSLOG/' \
  /etc/audit/auditd.conf
systemctl restart auditd
augenrules --load >/dev/null 2>&1
mkdir -p /etc/systemd/journald.conf.d /etc/security/pwquality.conf.d
printf '[Journal]\nStorage=persistent\nMaxRetentionSec=200day\n' >/etc/systemd/journald.conf.d/keep.conf
systemctl restart systemd-journald
# this journald switches the audit off when it ends
auditctl -e 1 >/dev/null
sed -i 's/rotate [0-9]*/rotate 27/' /etc/logrotate.d/* /etc/logrotate.conf
printf 'minlen = 12\nminclass = 3\nenforce_for_root\n' >/etc/security/pwquality.conf.d/host.conf
sed -i 's/^PASS_MAX_DAYS.*/PASS_MAX_DAYS 90/' /etc/login.defs
useradd -m -s /bin/bash -G sudo,adm zhang
echo "zhang:Kq9-$(od -An -N9 -tx1 /dev/urandom | tr -d ' \n')" | chpasswd
