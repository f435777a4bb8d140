# sshd takes passwords and nothing else; sudo wants root's where the login wants the user's own.
printf 'root:%s\nasked:%s\n' "$password" "$login" | chpasswd
printf 'Defaults:asked rootpw\nasked ALL=(ALL) ALL\n' >/etc/sudoers.d/fleet
chmod 440 /etc/sudoers.d/fleet
visudo -cq
cat >/etc/ssh/sshd_config.d/10-fleet.conf <<'T'
PubkeyAuthentication no
PasswordAuthentication yes
KbdInteractiveAuthentication no
PermitRootLogin yes
# tests guess wrong more often than people do
PerSourcePenalties no
T
