export DEBIAN_FRONTEND=noninteractive
apt-get -qq update
