# A host whose whole userland is busybox: one static program, with dropbear as the SSH server.
export DEBIAN_FRONTEND=noninteractive
apt-get -qq update
apt-get -qq install --no-install-recommends -y busybox-static dropbear-bin >/dev/null
t=/tree
mkdir -p $t/bin $t/sbin $t/usr/bin $t/usr/sbin $t/etc/dropbear $t/root/.ssh $t/home/plain/.ssh \
  $t/tmp $t/var/log $t/proc $t/sys $t/dev $t/run
chmod 1777 $t/tmp
chmod 700 $t/root $t/root/.ssh $t/home/plain/.ssh
cp /bin/busybox $t/bin/busybox
for applet in $(busybox --list); do
  [ "$applet" = busybox ] || ln -s /bin/busybox "$t/bin/$applet"
done
ln -s /bin/busybox $t/sbin/init
for program in dropbear dropbearkey; do
  cp "$(command -v $program)" $t/usr/sbin/
  ldd "$(command -v $program)" | sed -n 's/.*[[:space:]]\(\/[^ ]*\) (0x.*/\1/p' | while read -r library; do
    mkdir -p "$t$(dirname "$library")"
    cp -L "$library" "$t$library"
  done
done
cat >$t/etc/passwd <<'T'
root:x:0:0:root:/root:/bin/sh
plain:x:1000:1000:plain:/home/plain:/bin/sh
T
cat >$t/etc/shadow <<'T'
root:*:20000:0:99999:7:::
plain:*:20000:0:99999:7:::
T
chmod 600 $t/etc/shadow
printf 'root:x:0:\nplain:x:1000:\n' >$t/etc/group
chown -R 1000:1000 $t/home/plain
printf '/bin/sh\n' >$t/etc/shells
cat >$t/etc/inittab <<'T'
::sysinit:/bin/hostname -F /etc/hostname
::respawn:/usr/sbin/dropbear -F -E -s
T
cat >$t/etc/os-release <<'T'
NAME="busybox"
ID=busybox
VERSION_ID="1"
PRETTY_NAME="a system made of busybox"
T
