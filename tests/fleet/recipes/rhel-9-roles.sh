# The same shape with what roles bring: AppStream and EPEL on disk, each program Debian's in the family's place. Looked up,
# not seen: paths, units, users and settings (clamav.spec of EPEL, sysstat.spec, audit.spec and rsyslog.spec of Fedora).
export DEBIAN_FRONTEND=noninteractive PATH="/opt/debian:$PATH"
mkdir -p /var/cache/apt/archives/partial /var/lib/apt/lists/partial
apt() { apt-get -qq -o Dir::Bin::dpkg=/opt/debian/dpkg "$@"; }
apt update
apt install --download-only --no-install-recommends -y auditd clamav clamav-daemon clamav-freshclam clamdscan restic sysstat \
  chrony rsyslog-gnutls apache2 >/dev/null 2>&1
work=$(mktemp -d)
# Libraries are the system's; of each program what the package of the family has is taken out of `there`.
there=$work/there
mkdir -p "$there" "$work/tree"
for deb in /var/cache/apt/archives/*.deb; do
  case ${deb##*/} in
    lib*) dpkg-deb -x "$deb" "$work/lib" ;;
    *) dpkg-deb -x "$deb" "$there" ;;
  esac
done
rm -rf "$work/lib/usr/share"
cp -a "$work/lib/." /
ldconfig
rm -rf /etc/logrotate.d/* /var/log/apt /var/log/alternatives.log /var/log/dpkg.log /var/log/runit

# taken NAME FILE TO [MODE]: one file of `there` into the package.
taken() { install -D -m "${4:-0755}" "$there$2" "$work/tree/$1$3"; }
# written NAME FILE [MODE]: what comes in as a file of the package.
written() {
  install -D -m "${3:-0644}" /dev/stdin "$work/tree/$1$2"
}
# packed NAME VERSION RELEASE FOLDER HEAD SCRIPT: the package of what was taken and written.
packed() {
  {
    printf 'Name: %s\nVersion: %s\nRelease: %s.el9\nSummary: %s\nLicense: Public Domain\nBuildArch: noarch\nAutoReqProv: no\n%s\n' \
      "$1" "$2" "$3" "$1" "$5"
    printf '%%description\nStands in for the package of this name.\n%%install\ncp -a %s/. %%{buildroot}/\n' "$work/tree/$1"
    printf '(cd "%%{buildroot}" && find . -type f -o -type l | sed -e s/^.// -e "s,^/etc/,%%%%config(noreplace) /etc/," && find . -type d -empty | sed "s/^./%%%%dir /") >files.list\n'
    [ -z "$6" ] || printf '%%post\n%s\n' "$6"
    printf '%%files -f files.list\n'
  } >"$work/$1.spec"
  rpmbuild -bb --quiet --define "_topdir $work" --define "_rpmdir $4" --define 'debug_package %{nil}' \
    --define '_binaries_in_noarch_packages_terminate_build 0' --define '__os_install_post %{nil}' \
    --define '_build_name_fmt %%{NAME}-%%{VERSION}-%%{RELEASE}.noarch.rpm' "$work/$1.spec" >/dev/null 2>&1
}
appstream=/srv/appstream epel=/srv/epel
mkdir -p "$appstream" "$epel" "$work/here"

# scripts of packages may not be set apart in a container
mkdir -p /etc/rpm
printf '%%__transaction_unshare %%{nil}\n' >/etc/rpm/macros.container
# --- there as installed; scripts of packages want a shell that a package has
mkdir -p "$work/tree/basesystem"
packed basesystem 11 13 "$work/here" 'Provides: /bin/sh' ''
for name in auditctl auditd augenrules aureport ausearch; do taken audit "/usr/sbin/$name" "/usr/sbin/$name"; done
taken audit /usr/bin/ausyscall /usr/bin/ausyscall
written audit /etc/audit/auditd.conf 0640 <<'END'
local_events = yes
write_logs = yes
log_file = /var/log/audit/audit.log
log_group = root
log_format = ENRICHED
flush = INCREMENTAL_ASYNC
freq = 50
max_log_file = 8
num_logs = 5
priority_boost = 4
name_format = NONE
max_log_file_action = ROTATE
space_left = 75
space_left_action = SYSLOG
verify_email = yes
action_mail_acct = root
admin_space_left = 50
admin_space_left_action = SUSPEND
disk_full_action = SUSPEND
disk_error_action = SUSPEND
tcp_listen_queue = 5
tcp_max_per_addr = 1
tcp_client_max_idle = 0
transport = TCP
distribute_network = no
q_depth = 2000
overflow_action = SYSLOG
max_restarts = 10
plugin_dir = /etc/audit/plugins.d
end_of_event_timeout = 2
END
written audit /etc/audit/rules.d/audit.rules 0600 <<'END'
## First rule - delete all
-D

## Increase the buffers to survive stress events.
## Make this bigger for busy systems
-b 8192

## This determine how long to wait in burst of events
--backlog_wait_time 60000

## Set failure mode to syslog
-f 1

END
written audit /usr/lib/systemd/system/auditd.service <<'END'
[Unit]
Description=Security Auditing Service
DefaultDependencies=no
After=local-fs.target systemd-tmpfiles-setup.service
Before=sysinit.target shutdown.target
Conflicts=shutdown.target
RefuseManualStop=yes
ConditionKernelCommandLine=!audit=0
ConditionKernelCommandLine=!audit=off
[Service]
Type=forking
PIDFile=/run/auditd.pid
ExecStart=/sbin/auditd
ExecStartPost=-/sbin/augenrules --load
Restart=on-failure
RestartPreventExitStatus=2 4 6
[Install]
WantedBy=multi-user.target
END
mkdir -p "$work/tree/audit/etc/audit/plugins.d"
chmod 0750 "$work/tree/audit/etc/audit" "$work/tree/audit/etc/audit/rules.d" "$work/tree/audit/etc/audit/plugins.d"
install -d -m 0700 "$work/tree/audit/var/log/audit"
packed audit 3.1.5 4 "$work/here" '' ''
rpm -i --nodeps --ignoreos "$work"/here/*.rpm
chmod 0750 /etc/audit /etc/audit/rules.d
systemctl enable -q auditd.service

# --- rsyslog and logrotate as the family has them
cat >/etc/rsyslog.conf <<'END'
global(workDirectory="/var/lib/rsyslog")
module(load="builtin:omfile" Template="RSYSLOG_TraditionalFileFormat")
module(load="imuxsock" SysSock.Use="off")
module(load="imjournal" UsePid="system" FileCreateMode="0644" StateFile="imjournal.state")
include(file="/etc/rsyslog.d/*.conf" mode="optional")
*.info;mail.none;authpriv.none;cron.none                /var/log/messages
authpriv.*                                              /var/log/secure
mail.*                                                  -/var/log/maillog
cron.*                                                  /var/log/cron
*.emerg                                                 :omusrmsg:*
uucp,news.crit                                          /var/log/spooler
local7.*                                                /var/log/boot.log
END
cat >/usr/lib/systemd/system/rsyslog.service <<'END'
[Unit]
Description=System Logging Service
Wants=network.target network-online.target
After=network.target network-online.target
[Service]
Type=notify
EnvironmentFile=-/etc/sysconfig/rsyslog
ExecStart=/usr/sbin/rsyslogd -n $SYSLOGD_OPTIONS
ExecReload=/usr/bin/kill -HUP $MAINPID
UMask=0066
StandardOutput=null
Restart=on-failure
LimitNOFILE=16384
[Install]
WantedBy=multi-user.target
END
rm -f /etc/systemd/system/syslog.service /etc/rsyslog.d/*
systemctl enable -q rsyslog.service
cat >/etc/logrotate.conf <<'END'
# see "man logrotate" for details

# global options do not affect preceding include directives

# rotate log files weekly
weekly

# keep 4 weeks worth of backlogs
rotate 4

# create new (empty) log files after rotating old ones
create

# use date as a suffix of the rotated file
dateext

# uncomment this if you want your log files compressed
#compress

# packages drop log rotation information into this directory
include /etc/logrotate.d

# system-specific logs may be also be configured here.
END
cat >/etc/logrotate.d/rsyslog <<'END'
/var/log/cron
/var/log/maillog
/var/log/messages
/var/log/secure
/var/log/spooler
{
    missingok
    sharedscripts
    postrotate
        /usr/bin/systemctl -s HUP kill rsyslog.service >/dev/null 2>&1 || true
    endscript
}
END
printf '# no packages own btmp -- we'"'"'ll rotate it here\n/var/log/btmp {\n    missingok\n    monthly\n    create 0660 root utmp\n    rotate 1\n}\n' >/etc/logrotate.d/btmp
printf '# no packages own wtmp -- we'"'"'ll rotate it here\n/var/log/wtmp {\n    missingok\n    monthly\n    create 0664 root utmp\n    minsize 1M\n    rotate 1\n}\n' >/etc/logrotate.d/wtmp
printf '/var/log/hawkey.log {\n    missingok\n    notifempty\n    rotate 4\n    weekly\n    create\n}\n' >/etc/logrotate.d/dnf
printf '/var/log/firewalld {\n    weekly\n    missingok\n    rotate 4\n    copytruncate\n    minsize 1M\n}\n' >/etc/logrotate.d/firewalld
rm -rf /var/lib/wtmpdb
mkdir -p /etc/pki/tls/certs
ln -sf /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt
mkdir -p "$work/tree/ca-certificates"
packed ca-certificates 2024.2.69 91.4 "$work/late" '' ''
rpm -i --nodeps --ignoreos "$work"/late/*.rpm

# --- AppStream
gtls=$(cd "$there" && find usr/lib -name lmnsd_gtls.so)
taken rsyslog-gnutls "/$gtls" "/$gtls" 0644
packed rsyslog-gnutls 8.2310.0 4 "$appstream" '' ''

for name in sa1 sa2 sadc; do taken sysstat "/usr/libexec/sysstat/$name" "/usr/lib64/sa/$name"; done
for name in iostat mpstat pidstat sadf; do taken sysstat "/usr/bin/$name" "/usr/bin/$name"; done
taken sysstat /usr/bin/sar.sysstat /usr/bin/sar
for name in sysstat.service sysstat-collect.service sysstat-collect.timer sysstat-summary.service sysstat-summary.timer; do
  taken sysstat "/usr/lib/systemd/system/$name" "/usr/lib/systemd/system/$name" 0644
done
sed -i -e 's,/usr/libexec/sysstat,/usr/lib64/sa,g' -e 's,/var/log/sysstat,/var/log/sa,g' -e 's,/etc/sysstat,/etc/sysconfig,g' \
  -e '/sysstat-rotate/d' "$work"/tree/sysstat/usr/lib64/sa/sa? "$work"/tree/sysstat/usr/lib/systemd/system/*
written sysstat /etc/sysconfig/sysstat <<'END'
# sysstat-12.5.4 configuration file.

# How long to keep log files (in days).
HISTORY=28

# Compress (using xz, gzip or bzip2) sa and sar files older than (in days):
COMPRESSAFTER=31

# Parameters for the system activity data collector (see sadc(8) manual page)
SADC_OPTIONS="-S DISK"

# Directory where sa and sar files are saved.
SA_DIR=/var/log/sa

# Compression program to use.
ZIP="xz"
DELAY_RANGE=0
UMASK=0022
END
install -d "$work/tree/sysstat/var/log/sa"
packed sysstat 12.5.4 9 "$appstream" '' ''

taken chrony /usr/sbin/chronyd /usr/sbin/chronyd
taken chrony /usr/bin/chronyc /usr/bin/chronyc
written chrony /etc/chrony.conf <<'END'
# Use public servers from the pool.ntp.org project.
pool 2.almalinux.pool.ntp.org iburst

# Use NTP servers from DHCP.
sourcedir /run/chrony-dhcp

# Record the rate at which the system clock gains/losses time.
driftfile /var/lib/chrony/drift

# Allow the system clock to be stepped in the first three updates
# if its offset is larger than 1 second.
makestep 1.0 3

# Enable kernel synchronization of the real-time clock (RTC).
rtcsync

# Specify file containing keys for NTP authentication.
keyfile /etc/chrony.keys

# Save NTS keys and cookies.
ntsdumpdir /var/lib/chrony

# Get TAI-UTC offset and leap seconds from the system tz database.
leapsectz right/UTC

# Specify directory for log files.
logdir /var/log/chrony
END
written chrony /etc/chrony.keys 0640 </dev/null
written chrony /usr/lib/sysusers.d/chrony.conf <<'END'
u chrony - "chrony system user" /var/lib/chrony
END
written chrony /usr/lib/systemd/system/chronyd.service <<'END'
[Unit]
Description=NTP client/server
After=ntpdate.service sntp.service ntpd.service
Conflicts=ntpd.service systemd-timesyncd.service
ConditionCapability=CAP_SYS_TIME
[Service]
Type=forking
PIDFile=/run/chrony/chronyd.pid
EnvironmentFile=-/etc/sysconfig/chronyd
ExecStart=/usr/sbin/chronyd $OPTIONS
[Install]
WantedBy=multi-user.target
END
install -d -m 0750 "$work/tree/chrony/var/lib/chrony" "$work/tree/chrony/var/log/chrony"
packed chrony 4.6.1 1 "$appstream" '' 'systemd-sysusers /usr/lib/sysusers.d/chrony.conf
chown chrony: /var/lib/chrony /var/log/chrony'

# --- httpd: its own names for all of it
taken httpd /usr/sbin/apache2 /usr/sbin/httpd
modules=/usr/lib64/httpd/modules
for name in mpm_event authz_core authz_host dir log_config mime unixd systemd; do
  [ ! -e "$there/usr/lib/apache2/modules/mod_$name.so" ] || taken httpd "/usr/lib/apache2/modules/mod_$name.so" "$modules/mod_$name.so"
done
(cd "$work/tree/httpd$modules" && for file in mod_*.so; do
  name=${file#mod_}
  echo "LoadModule ${name%.so}_module modules/$file"
done) | written httpd /etc/httpd/conf.modules.d/00-base.conf
written httpd /etc/httpd/conf/httpd.conf <<'END'
ServerRoot "/etc/httpd"
Listen 80
Include conf.modules.d/*.conf
User apache
Group apache
ServerAdmin root@localhost
ServerName localhost
PidFile "/run/httpd/httpd.pid"
<Directory />
    AllowOverride none
    Require all denied
</Directory>
DocumentRoot "/var/www/html"
<Directory "/var/www/html">
    AllowOverride None
    Require all granted
</Directory>
DirectoryIndex index.html
ErrorLog "logs/error_log"
LogLevel warn
LogFormat "%h %l %u %t \"%r\" %>s %b \"%{Referer}i\" \"%{User-Agent}i\"" combined
CustomLog "logs/access_log" combined
TypesConfig /etc/mime.types
IncludeOptional conf.d/*.conf
END
written httpd /usr/sbin/apachectl 0755 <<'END'
#!/usr/bin/sh
exec /usr/sbin/httpd -d /etc/httpd -f conf/httpd.conf "$@"
END
written httpd /usr/lib/systemd/system/httpd.service <<'END'
[Unit]
Description=The Apache HTTP Server
After=network.target remote-fs.target nss-lookup.target httpd-init.service
[Service]
Type=simple
Environment=LANG=C
ExecStart=/usr/sbin/httpd -d /etc/httpd -f conf/httpd.conf -DFOREGROUND
ExecReload=/usr/sbin/httpd -d /etc/httpd -f conf/httpd.conf -k graceful
KillSignal=SIGWINCH
KillMode=mixed
PrivateTmp=true
[Install]
WantedBy=multi-user.target
END
written httpd /usr/lib/sysusers.d/httpd.conf <<'END'
u apache 48 "Apache" /usr/share/httpd
END
written httpd /usr/lib/tmpfiles.d/httpd.conf <<'END'
d /run/httpd 710 root apache
END
written httpd /etc/logrotate.d/httpd <<'END'
/var/log/httpd/*log {
    missingok
    notifempty
    sharedscripts
    delaycompress
    postrotate
        /bin/systemctl reload httpd.service > /dev/null 2>/dev/null || true
    endscript
}
END
[ -e /etc/mime.types ] || written httpd /etc/mime.types <<'END'
text/html html htm
END
mkdir -p "$work/tree/httpd/etc/httpd/conf.d"
install -d -m 0700 "$work/tree/httpd/var/log/httpd"
install -d "$work/tree/httpd/var/www/html"
ln -s ../../var/log/httpd "$work/tree/httpd/etc/httpd/logs"
ln -s ../../usr/lib64/httpd/modules "$work/tree/httpd/etc/httpd/modules"
packed httpd 2.4.62 4 "$appstream" '' 'systemd-sysusers /usr/lib/sysusers.d/httpd.conf
systemd-tmpfiles --create /usr/lib/tmpfiles.d/httpd.conf'

# --- EPEL
for name in clambc clamconf clamdscan clamscan clamsubmit sigtool; do
  [ ! -e "$there/usr/bin/$name" ] || taken clamav "/usr/bin/$name" "/usr/bin/$name"
done
taken clamav /usr/sbin/clamonacc /usr/sbin/clamonacc
written clamav /usr/lib/systemd/system/clamav-clamonacc.service <<'END'
[Unit]
Description=ClamAV On-Access Scanner
Requires=clamd@scan.service
After=clamd@scan.service syslog.target network.target
[Service]
Type=simple
User=root
ExecStart=/usr/sbin/clamonacc -F --config-file=/etc/clamd.d/scan.conf
ExecStop=/bin/kill -SIGTERM $MAINPID
[Install]
WantedBy=multi-user.target
END
ln -s clamav-clamonacc.service "$work/tree/clamav/usr/lib/systemd/system/clamonacc.service"
install -d -m 0750 "$work/tree/clamav/var/spool/quarantine"
packed clamav 1.4.3 1 "$epel" 'Requires: clamav-filesystem' ''

written clamav-filesystem /etc/clamd.d/scan.conf <<'END'
##
## Example config file for the Clam AV daemon
## Please read the clamd.conf(5) manual before editing this file.
##

# Comment or remove the line below.
#Example

# Uncomment this option to enable logging.
#LogFile /var/log/clamd.scan

# Use system logger (can work together with LogFile).
LogSyslog yes

# This option allows you to save a process identifier of the listening daemon
#PidFile /run/clamd.scan/clamd.pid

# Path to the database directory.
#DatabaseDirectory /var/lib/clamav

# The daemon can work in local mode, network mode or both.
#LocalSocket /run/clamd.scan/clamd.sock

#LocalSocketGroup virusgroup
#LocalSocketMode 660
#FixStaleSocket yes
#TCPSocket 3310
#ExcludePath ^/proc/
#ExcludePath ^/sys/
#MaxThreads 20

# Run as another user (clamd must be started by root for this option to work)
User clamscan
END
written clamav-filesystem /usr/lib/sysusers.d/clamav.conf <<'END'
g virusgroup -
u clamupdate - "Clamav database update user" /var/lib/clamav -
m clamupdate virusgroup
END
install -d "$work/tree/clamav-filesystem/var/lib/clamav"
packed clamav-filesystem 1.4.3 1 "$epel" '' 'systemd-sysusers /usr/lib/sysusers.d/clamav.conf
chown clamupdate: /var/lib/clamav'

taken clamav-freshclam /usr/bin/freshclam /usr/bin/freshclam
written clamav-freshclam /etc/freshclam.conf 0600 <<'END'
##
## Example config file for freshclam
## Please read the freshclam.conf(5) manual before editing this file.
##

# Comment or remove the line below.
#Example

#DatabaseDirectory /var/lib/clamav
UpdateLogFile /var/log/freshclam.log
#LogSyslog yes
#DatabaseOwner clamupdate
DatabaseMirror database.clamav.net
#NotifyClamd /path/to/clamd.conf
END
written clamav-freshclam /usr/lib/systemd/system/clamav-freshclam.service <<'END'
[Unit]
Description=ClamAV virus database updater
ConditionPathExists=!/etc/cron.d/clamav-freshclam
Wants=network-online.target
After=network-online.target
[Service]
ExecStart=/usr/bin/freshclam -d --foreground=true --config-file=/etc/freshclam.conf
[Install]
WantedBy=multi-user.target
END
written clamav-freshclam /usr/lib/systemd/system/clamav-freshclam-once.service <<'END'
[Unit]
Description=ClamAV virus database updater (oneshot)
[Service]
Type=oneshot
ExecStart=/usr/bin/freshclam --foreground=true --config-file=/etc/freshclam.conf
END
written clamav-freshclam /usr/lib/systemd/system/clamav-freshclam-once.timer <<'END'
[Unit]
Description=Timer for ClamAV virus database updater
[Timer]
OnCalendar=daily
Persistent=true
[Install]
WantedBy=timers.target
END
packed clamav-freshclam 1.4.3 1 "$epel" 'Requires: clamav-filesystem
Provides: clamav-update = 1.4.3-1.el9
Provides: data(clamav) = empty' ''

taken clamd /usr/sbin/clamd /usr/sbin/clamd
written clamd /usr/lib/systemd/system/clamd@.service <<'END'
[Unit]
Description = clamd scanner (%i) daemon
Documentation=man:clamd(8) man:clamd.conf(5) https://www.clamav.net/documents/
After = syslog.target nss-lookup.target network.target
[Service]
Type = forking
ExecStart = /usr/sbin/clamd -c /etc/clamd.d/%i.conf
# Reload the database
ExecReload=/bin/kill -USR2 $MAINPID
Restart = on-failure
TimeoutStartSec=420
[Install]
WantedBy = multi-user.target
END
written clamd /usr/lib/tmpfiles.d/clamd.scan.conf <<'END'
d /run/clamd.scan 0710 clamscan virusgroup
END
written clamd /usr/lib/sysusers.d/clamd.conf <<'END'
u clamscan - "Clamav scanner user" - -
m clamscan virusgroup
END
packed clamd 1.4.3 1 "$epel" 'Requires: clamav-filesystem
Requires: data(clamav)' 'systemd-sysusers /usr/lib/sysusers.d/clamd.conf
systemd-tmpfiles --create /usr/lib/tmpfiles.d/clamd.scan.conf'

taken restic /usr/bin/restic /usr/bin/restic
packed restic 0.18.0 1 "$epel" '' ''

for name in appstream epel; do
  createrepo_c -q "/srv/$name"
  printf '[%s]\nname=AlmaLinux 9 - %s\nbaseurl=file:///srv/%s\ngpgcheck=0\nenabled=1\n' "$name" "$name" "$name" \
    >"/etc/yum.repos.d/$name.repo"
done
rm -rf "$work" /var/lib/apt/lists/* /var/cache/apt
