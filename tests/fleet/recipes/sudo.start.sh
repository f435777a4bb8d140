for account in free asked refused; do
  printf '%s:%s\n' "$account" "$password" | chpasswd
done
printf 'free ALL=(ALL) NOPASSWD: ALL\nasked ALL=(ALL) ALL\n' >/etc/sudoers.d/fleet
chmod 440 /etc/sudoers.d/fleet
visudo -cq
