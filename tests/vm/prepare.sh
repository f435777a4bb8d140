#!/bin/sh
# Sets up what `make test-vm` needs beyond `make test`: an emulator, and what makes its image. As
# root and with apt, after saying what; the guest's own packages are fetched when the image is made.
set -eu

say() { printf '%s\n' "$*" >&2; }

# package:what shows that it is there
wanted='qemu-system-x86:qemu-system-x86_64 mmdebstrap:mmdebstrap e2fsprogs:mke2fs
openssh-client:ssh zstd:zstd'

set --
for entry in $wanted; do
  PATH=$PATH:/usr/sbin:/sbin command -v "${entry#*:}" >/dev/null 2>&1 || set -- "$@" "${entry%%:*}"
done
if [ "$#" -gt 0 ]; then
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    say "not installed here (needs root and apt):$(printf ' %s' "$@")"
    exit 2
  fi
  say "installing with apt:$(printf ' %s' "$@")"
  export DEBIAN_FRONTEND=noninteractive
  log=$(mktemp)
  if ! { apt-get update -q && apt-get install -y -q --no-install-recommends "$@"; } >"$log" 2>&1; then
    tail -n 5 "$log" >&2
    say "apt could not install all of it"
  fi
  rm -f "$log"
fi
for entry in $wanted; do
  PATH=$PATH:/usr/sbin:/sbin command -v "${entry#*:}" >/dev/null 2>&1 || {
    say "not there: ${entry#*:} (package ${entry%%:*})"
    exit 2
  }
done
say "the guest's image (systemd, sshd, auditd, LUKS, LVM, rsyslog, nftables, a cloud kernel; some"
say "600 MB to fetch and unpack, once) is made when the tests first want it; a boot takes a minute"
