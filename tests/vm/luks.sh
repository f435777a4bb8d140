# The disk /dev/vdb of the guest, laid out with what encrypts and with what looks as if it did.
set -eu
printf 'label: gpt\nsize=80M\nsize=80M\nsize=140M\nsize=40M\nsize=16M\nsize=16M\nsize=32M\nsize=8M\nsize=64M\n' |
  sfdisk -q /dev/vdb
udevadm settle
cd /root
head -c 32 /dev/urandom >key
chmod 600 key
luks() { cryptsetup luksFormat -q --pbkdf pbkdf2 --pbkdf-force-iterations 1000 "$@" key; }
opened() { cryptsetup open --key-file key "$@"; }

luks --type luks2 /dev/vdb1
opened /dev/vdb1 two
luks --type luks1 /dev/vdb2
opened /dev/vdb2 one
vgcreate -q vg1 /dev/mapper/one
lvcreate -q -y -L 32M -n db vg1
lvcreate -q -y -L 16M -n swap vg1
vgcreate -q vg2 /dev/vdb3
lvcreate -q -y -L 64M -n raw vg2
lvcreate -q -y -L 32M -n bare vg2
luks --type luks2 /dev/vg2/raw
opened /dev/vg2/raw onlv
luks --type luks2 /dev/vdb7
opened --type plain --cipher null --hash sha256 --key-size 256 /dev/vdb8 null
mke2fs -q -t ext4 /dev/vdb9 30M
cryptsetup reencrypt -q --encrypt --type luks2 --init-only --reduce-device-size 32M \
  --pbkdf pbkdf2 --pbkdf-force-iterations 1000 --key-file key /dev/vdb9 half
mke2fs -q -t ext4 -O encrypt /dev/vdb4
for d in two vg1-db onlv vg2-bare null; do mke2fs -q -t ext4 "/dev/mapper/$d"; done
for entry in two:mapper/two one:vg1/db onlv:mapper/onlv bare:vg2/bare null:mapper/null \
  half:mapper/half plain:vdb4; do
  mkdir -p "/srv/${entry%%:*}"
  mount "/dev/${entry#*:}" "/srv/${entry%%:*}"
done
mkdir /srv/closed

cd /srv/plain
mkdir data secret cipher /srv/go
fscrypt setup --quiet --force >/dev/null
fscrypt setup --quiet --force /srv/plain
head -c 32 /dev/urandom >/root/raw
fscrypt encrypt secret --source=raw_key --name=raw --key=/root/raw --quiet --user=root
mkdir secret/db
modprobe fuse
gocryptfs -q -init -scryptn 10 -passfile /root/key cipher
gocryptfs -q -passfile /root/key cipher /srv/go

cd /srv/two
mkdir -p data bound inner/db tables/16/main/pg_tblspc within/a
mount --bind /srv/plain/data bound
mount --bind /srv/plain/data inner/db
ln -s /srv/plain/data link
ln -s /srv/plain/data tables/16/main/pg_tblspc/16384
ln -s /srv/two/within/a within/current
ln -s /etc/hostname within/file
ln -s /srv/two/data /srv/plain/link
mkdir -p /srv/plain/bound /srv/hidden/data /srv/plain/over/data
mount --bind /srv/two/data /srv/plain/bound
mount --bind /srv/two/data /srv/hidden/data
mount --bind /srv/plain/over /srv/hidden

echo 'random /dev/vdb5 /dev/urandom swap,plain,cipher=aes-xts-plain64,size=256' >>/etc/crypttab
cryptdisks_start random >/dev/null
mkswap -q /dev/vg1/swap
mkswap -q /dev/vdb6
