service ssh restart >/dev/null
