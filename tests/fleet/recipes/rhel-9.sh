# The shape of AlmaLinux 9 made of Debian 13's programs. Real: rpm, dnf with a repository on disk, authselect and
# the stacks it writes, firewalld, policycoreutils. Composed: who it says it is, the packages (empty, or Debian's program
# in the family's place), crypto-policies' file for sshd, pam.d of single services, names of units.
export DEBIAN_FRONTEND=noninteractive
apt-get -qq update
apt-get -qq install --no-install-recommends -y -o Dpkg::Options::=--force-unsafe-io \
  rpm createrepo-c dnf authselect firewalld nftables libpam-pwquality libpam-systemd selinux-utils policycoreutils \
  rsyslog logrotate cron sudo aide >/dev/null 2>&1

cat >/usr/lib/os-release <<'END'
NAME="AlmaLinux"
VERSION="9.6 (Sage Margay)"
ID="almalinux"
ID_LIKE="rhel centos fedora"
VERSION_ID="9.6"
PLATFORM_ID="platform:el9"
PRETTY_NAME="AlmaLinux 9.6 (Sage Margay)"
CPE_NAME="cpe:/o:almalinux:almalinux:9::baseos"
SUPPORT_END="2032-06-01"
END
ln -sf ../usr/lib/os-release /etc/os-release
echo 'AlmaLinux release 9.6 (Sage Margay)' | tee /etc/almalinux-release /etc/redhat-release >/etc/system-release
rm -f /etc/debian_version /etc/lsb-release

# --- packages: made NAME VERSION RELEASE SCRIPT FOLDER; the script fills %{buildroot}
work=$(mktemp -d)
made() {
  {
    printf 'Name: %s\nVersion: %s\nRelease: %s.el9\nSummary: %s\nLicense: Public Domain\nBuildArch: noarch\nAutoReqProv: no\n' \
      "$1" "$2" "$3" "$1"
    printf '%%description\nStands in for the package of this name.\n%%install\ninstall -D /dev/null %%{buildroot}/usr/share/shape/%%{name}\n%s\n' "$4"
    printf '(cd "%%{buildroot}" && find . -type f | sed -e s/^.// -e "s,^/etc/,%%%%config(noreplace) /etc/," && find . -type d -empty | sed "s/^./%%%%dir /") >files.list\n'
    printf '%%files -f files.list\n'
  } >"$work/$1.spec"
  rpmbuild -bb --quiet --define "_topdir $work" --define "_rpmdir $5" --define 'debug_package %{nil}' --define '_binaries_in_noarch_packages_terminate_build 0' \
    --define '__os_install_post %{nil}' --define '_build_name_fmt %%{NAME}-%%{VERSION}-%%{RELEASE}.noarch.rpm' \
    "$work/$1.spec" >/dev/null 2>&1
}
repository=/srv/baseos
mkdir -p "$repository" "$work/here"
for name in almalinux-release bash coreutils openssh-clients pam systemd dnf rpm authselect \
  firewalld nftables rsyslog logrotate cronie shadow-utils policycoreutils; do
  made "$name" 1.0 1 : "$work/here"
done
made libpwquality 1.4.4 8 : "$work/here"
made sudo 1.9.5p2 9 : "$work/here"
made openssh-server 8.7p1 43 : "$work/here"
# what a role installs: the program is Debian's
made aide 0.16 103 'install -D -m 0755 /usr/bin/aide %{buildroot}/usr/sbin/aide
mkdir -p %{buildroot}/etc
cat >%{buildroot}/etc/aide.conf <<"AIDE"
@@define DBDIR /var/lib/aide
@@define LOGDIR /var/log/aide
database_in=file:@@{DBDIR}/aide.db.gz
database_out=file:@@{DBDIR}/aide.db.new.gz
gzip_dbout=yes
report_url=file:@@{LOGDIR}/aide.log
report_url=stdout
NORMAL = p+i+n+u+g+s+m+c+sha256
/boot NORMAL
/bin NORMAL
/sbin NORMAL
/usr/bin NORMAL
/usr/sbin NORMAL
/etc NORMAL
AIDE
install -d -m 0700 %{buildroot}/var/lib/aide %{buildroot}/var/log/aide' "$repository"
made dnf-automatic 4.14.0 23 'install -D -m 0644 /dev/stdin %{buildroot}/etc/dnf/automatic.conf <<"AUTO"
[commands]
upgrade_type = default
random_sleep = 0
download_updates = yes
apply_updates = no
AUTO
install -D -m 0644 /dev/stdin %{buildroot}/usr/lib/systemd/system/dnf-automatic-install.service <<"UNIT"
[Unit]
Description=dnf automatic install updates
[Service]
Type=oneshot
ExecStart=/usr/bin/dnf -y --security upgrade
UNIT
install -D -m 0644 /dev/stdin %{buildroot}/usr/lib/systemd/system/dnf-automatic-install.timer <<"UNIT"
[Unit]
Description=dnf-automatic-install timer
[Timer]
OnCalendar=*-*-* 6:00
RandomizedDelaySec=60m
Persistent=true
[Install]
WantedBy=timers.target
UNIT' "$repository"
# a newer sshd, for security: the host is behind
made openssh-server 8.7p1 45 : "$repository"
rpm --initdb
rpm -i --nodeps --ignoreos "$work"/here/*.rpm
createrepo_c -q "$repository"
cat >"$work/updateinfo.xml" <<'END'
<?xml version="1.0" encoding="UTF-8"?>
<updates>
<update from="packager@almalinux.org" status="final" type="security" version="2">
<id>ALSA-2026:0001</id><title>Important: openssh security update</title><severity>Important</severity>
<issued date="2026-01-05 00:00:00"/><updated date="2026-01-05 00:00:00"/>
<pkglist><collection short="baseos"><name>baseos</name>
<package name="openssh-server" version="8.7p1" release="45.el9" epoch="0" arch="noarch" src="openssh-8.7p1-45.el9.src.rpm">
<filename>openssh-server-8.7p1-45.el9.noarch.rpm</filename></package>
</collection></pkglist></update>
</updates>
END
modifyrepo_c --mdtype=updateinfo "$work/updateinfo.xml" "$repository/repodata" >/dev/null
mkdir -p /etc/yum.repos.d /etc/dnf/vars
echo 9 >/etc/dnf/vars/releasever
printf '[main]\ngpgcheck=1\ninstallonly_limit=3\nclean_requirements_on_remove=True\nbest=True\n' >/etc/dnf/dnf.conf
printf '[baseos]\nname=AlmaLinux 9 - BaseOS\nbaseurl=file://%s\ngpgcheck=0\nenabled=1\n' "$repository" \
  >/etc/yum.repos.d/almalinux-baseos.repo

# --- logins: authselect writes system-auth and password-auth, single services include them
for name in sshd login su sudo crond remote; do
  kind=include
  [ "$name" = sshd ] || [ "$name" = login ] && kind=substack
  stack=system-auth
  [ "$name" = sshd ] || [ "$name" = crond ] && stack=password-auth
  {
    [ "$name" != su ] || echo 'auth       sufficient   pam_rootok.so'
    printf 'auth       %-12s %s\n' "$kind" "$stack"
    printf '%-10s include      %s\n' account "$stack" password "$stack"
    [ "$name" = su ] || [ "$name" = sudo ] || echo 'session    required     pam_loginuid.so'
    printf 'session    include      %s\n' "$stack"
  } >"/etc/pam.d/$name"
done
printf 'password   substack     system-auth\n' | tee /etc/pam.d/passwd >/etc/pam.d/chpasswd
cp /etc/pam.d/passwd /etc/pam.d/newusers
printf '%s required pam_deny.so\n' auth account password session >/etc/pam.d/other
rm -f /etc/pam.d/chfn /etc/pam.d/chsh
cp /etc/pam.d/su /etc/pam.d/su-l
cp /etc/pam.d/sudo /etc/pam.d/sudo-i
cp /etc/pam.d/crond /etc/pam.d/cron
mkdir -p /etc/authselect/custom /var/lib/authselect/backups
authselect select local --force --nobackup >/dev/null
printf '# deny = 3\n# unlock_time = 600\n' >/etc/security/faillock.conf

# --- sshd: the family's names and its policy for ciphers
printf 'Include /etc/ssh/sshd_config.d/*.conf\nAuthorizedKeysFile .ssh/authorized_keys\nSubsystem sftp /usr/lib/openssh/sftp-server\n' \
  >/etc/ssh/sshd_config
mkdir -p /etc/crypto-policies/back-ends /etc/ssh/sshd_config.d
echo LEGACY >/etc/crypto-policies/config
printf 'Ciphers aes256-gcm@openssh.com,chacha20-poly1305@openssh.com,aes256-ctr,aes256-cbc,aes128-gcm@openssh.com,aes128-ctr,aes128-cbc\nMACs hmac-sha2-256-etm@openssh.com,hmac-sha1-etm@openssh.com,hmac-sha2-256,hmac-sha1,hmac-sha2-512\n' \
  >/etc/crypto-policies/back-ends/opensshserver.config
printf 'Include /etc/crypto-policies/back-ends/opensshserver.config\nSyslogFacility AUTHPRIV\nKbdInteractiveAuthentication no\nUsePAM yes\nX11Forwarding yes\nPrintMotd no\n' \
  >/etc/ssh/sshd_config.d/50-redhat.conf
systemctl disable -q ssh.service ssh.socket 2>/dev/null || :
sed -e 's/^Alias=.*//' /usr/lib/systemd/system/ssh.service >/usr/lib/systemd/system/sshd.service
# nor may systemd make a unit of the script: whichever of the two began second found the port taken
rm -f /usr/lib/systemd/system/ssh.service /usr/lib/systemd/system/ssh.socket /etc/systemd/system/sshd.service /etc/init.d/ssh
systemctl enable -q sshd.service firewalld.service
# polkit cannot have its user where CAP_SYS_ADMIN is missing, and dbus waits for it in vain; where it cannot be started
# at all, firewalld goes by what the bus lets root do
systemctl mask -q polkit.service
[ ! -e /usr/lib/systemd/system/cron.service ] || {
  systemctl disable -q cron.service
  mv /usr/lib/systemd/system/cron.service /usr/lib/systemd/system/crond.service
  sed -i '/^Alias=/d' /usr/lib/systemd/system/crond.service
  systemctl enable -q crond.service
}
groupadd -f -r wheel
rm -f /etc/sudoers.d/README
printf 'Defaults env_reset\nDefaults secure_path=/sbin:/bin:/usr/sbin:/usr/bin\nroot ALL=(ALL) ALL\n%%wheel ALL=(ALL) ALL\n' >/etc/sudoers
chmod 0440 /etc/sudoers
mkdir -p /etc/selinux
printf 'SELINUX=permissive\nSELINUXTYPE=targeted\n' >/etc/selinux/config
printf 'PASS_MAX_DAYS 99999\nPASS_MIN_DAYS 0\nPASS_WARN_AGE 7\nUMASK 022\nENCRYPT_METHOD SHA512\nUID_MIN 1000\nUID_MAX 60000\n' >/etc/login.defs
printf 'umask 022\n' >/etc/bashrc
rm -f /etc/bash.bashrc

printf 'module(load="imuxsock" SysSock.Use="off")\nmodule(load="imjournal" UsePid="system" StateFile="imjournal.state")\nglobal(workDirectory="/var/lib/rsyslog")\nmodule(load="builtin:omfile" Template="RSYSLOG_TraditionalFileFormat")\ninclude(file="/etc/rsyslog.d/*.conf" mode="optional")\n*.info;mail.none;authpriv.none;cron.none /var/log/messages\nauthpriv.* /var/log/secure\ncron.* /var/log/cron\n' >/etc/rsyslog.conf
mkdir -p /var/lib/rsyslog
printf '/var/log/cron\n/var/log/messages\n/var/log/secure\n{\n    missingok\n    sharedscripts\n    postrotate\n        /usr/bin/systemctl kill -s HUP rsyslog.service >/dev/null 2>&1 || true\n    endscript\n}\n' >/etc/logrotate.d/rsyslog

# the family's own tools are found, and Debian's are not
rm -rf "$work" /var/lib/apt/lists/* /var/cache/apt /usr/share/pam-configs /etc/pam.d/common-* /usr/bin/aide* /etc/aide
mkdir -p /opt/debian
mv /usr/bin/apt* /usr/bin/dpkg* /usr/sbin/pam-auth-update /opt/debian/
