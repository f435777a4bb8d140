#!/bin/sh
# Sets up what `make demo` and `make test` need: Debian packages (as root, after saying so) and a
# virtual environment, which is all that building and the documentation want. Usage:
# tools/prepare.sh demo|test|build|docs
set -eu
cd "$(dirname "$0")/.."
purpose=${1:?demo, test, build or docs}
python=${PYTHON:-python3}
venv=${VENV:-.venv}

say() { printf '%s\n' "$*" >&2; }

venv_works() { "$python" -c 'import ensurepip, venv' >/dev/null 2>&1; }

# package:what shows that it is there
demo="openssh-client:ssh podman:podman crun:crun netavark:/usr/lib/podman/netavark
aardvark-dns:/usr/lib/podman/aardvark-dns mmdebstrap:mmdebstrap nftables:nft passt:passt
fonts-noto-cjk:/usr/share/doc/fonts-noto-cjk libpango-1.0-0:/usr/share/doc/libpango-1.0-0
libpangoft2-1.0-0:/usr/share/doc/libpangoft2-1.0-0
libharfbuzz-subset0:/usr/share/doc/libharfbuzz-subset0"
test="$demo openssh-server:sshd sshpass:sshpass sudo:sudo shellcheck:shellcheck
busybox-static:/usr/share/doc/busybox-static ksh93u+m:ksh93 mksh:mksh zsh:zsh jq:jq openssl:openssl
fish:fish groff-base:groff man-db:man
receptor:receptor iproute2:ip iptables:iptables ipset:ipset bpftool:bpftool faketime:faketime logrotate:logrotate
rsync:rsync restic:restic borgbackup:borg gpg:gpg zip:zip bzip2:bzip2 xz-utils:xz zstd:zstd gawk:gawk
mawk:mawk original-awk:original-awk vsftpd:vsftpd systemd:systemd-tmpfiles
nginx:nginx mariadb-server-core:mariadbd mariadb-client-core:mariadb
mariadb-client:mariadb-dump mariadb-backup:mariadb-backup
apache2-utils:rotatelogs postgresql:/usr/lib/postgresql default-jdk-headless:javac
liblogback-java:/usr/share/java/logback-core.jar liblog4j2-java:/usr/share/java/log4j-core.jar
softhsm2:softhsm2-util
chromium:chromium poppler-utils:pdftoppm cosign:cosign age:age openscap-scanner:oscap"

wanted=$demo
[ "$purpose" = test ] && wanted=$test
case $purpose in build | docs) wanted='' ;; esac

set --
venv_works || set -- python3-venv
for entry in $wanted; do
  package=${entry%%:*}
  shown=${entry#*:}
  case $shown in
    /*) [ -e "$shown" ] || set -- "$@" "$package" ;;
    *) PATH=$PATH:/usr/sbin:/sbin command -v "$shown" >/dev/null 2>&1 || set -- "$@" "$package" ;;
  esac
done

if [ "$#" -gt 0 ]; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    say "installing with apt:$(printf ' %s' "$@")"
    export DEBIAN_FRONTEND=noninteractive
    log=$(mktemp)
    # their packages start servers: receptor does what whoever connects asks for
    for server in receptor vsftpd; do
      case " $* " in *" $server "*) systemctl mask "$server.service" >/dev/null 2>&1 || : ;; esac
    done
    wait='-o DPkg::Lock::Timeout=300'
    # shellcheck disable=SC2086 # two words
    if ! { apt-get $wait update -q && apt-get $wait install -y -q --no-install-recommends "$@"; } >"$log" 2>&1; then
      tail -n 5 "$log" >&2
      say "apt could not install all of it; what needs the missing packages will say so"
    fi
    rm -f "$log"
  else
    say "not installed here (needs root and apt):$(printf ' %s' "$@")"
    say "going on without: what needs them will say so"
  fi
fi

venv_works || {
  say "$python cannot make virtual environments: install python3-venv (Python 3.11 or newer)"
  exit 2
}
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
  say "$python is older than 3.11: give a newer one, e.g. make $purpose PYTHON=python3.13"
  exit 2
}

lock=requirements/demo.txt
case $purpose in test | docs) lock=requirements/dev.txt ;; esac
stamp=$venv/.prepared-$(basename "$lock" .txt)-$(cat requirements/*.txt pyproject.toml | cksum | tr ' ' -)
if [ ! -e "$stamp" ]; then
  say "making the virtual environment $venv from $lock"
  [ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
  pip() { "$venv/bin/python" -m pip install --quiet --disable-pip-version-check "$@"; }
  log=$(mktemp)
  if ! { pip --require-hashes -r "$lock" && pip --no-deps --no-build-isolation -e .; } >"$log" 2>&1; then
    tail -n 3 "$log" >&2
    rm -f "$log"
    say "pip could not install $lock: is the Python package index within reach? Then: make $purpose"
    exit 2
  fi
  rm -f "$log"
  rm -f "$venv"/.prepared-*
  : >"$stamp"
  [ "$purpose" = test ] && : >"$venv/.prepared-run-${stamp##*/.prepared-dev-}"
fi
exit 0
