# Debian 12 as Ansible's modules need it. It knows Chinese, in both encodings: who starts it may let it speak so.
export DEBIAN_FRONTEND=noninteractive
echo 'path-include=/usr/share/locale/zh_CN/*' >/etc/dpkg/dpkg.cfg.d/zz-chinese
apt-get -qq update
get() { apt-get -qq --no-install-recommends -y -o Dpkg::Options::=--force-unsafe-io "$@" >/dev/null; }
get install python3 sudo locales
get --reinstall install apt coreutils dpkg grep passwd sed systemd tar util-linux
printf 'zh_CN.GB18030 GB18030\nzh_CN.UTF-8 UTF-8\n' >/etc/locale.gen
locale-gen >/dev/null
rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/cache/apt/archives/*.deb
