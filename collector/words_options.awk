# Options and words that a secret stands behind.

# Is what stands here bare a secret as likely as not?
function confided() { return TAINT > 1 || TAINT && !(CMD in PLAIN) && CMD !~ HARMLESS || CMD ~ /^(isql|htpasswd)$/ }
# Words of tools behind which bare words are what somebody logs in with.
function confides(w) {
  return CMD ~ /^mcl?i?$/ && w ~ /^(alias|config)$/ || CMD ~ /^(vault|consul)$/ && w ~ /^(login|kv|write|put)$/ \
    || CMD == "virsh" && w ~ /^(set-user-password|secret-set-value)$/ || CMD == "rclone" && w ~ /^(obscure|config)$/ \
    || CMD == "smbclient" && w ~ /^\/\// || CMD == "db2" && w == "using" || CMD == "etcdctl" && w ~ /^(user|put)$/ \
    || CMD ~ /^(docker|podman|nerdctl|buildah|skopeo|helm)$/ && w == "login"
}
# Programs whose secret stands in the option's own word alone, so what follows is another argument.
function attached(w) { return w ~ /^-p./ && CMD ~ /^(mysql|mariadb|mydumper$|innobackupex$|xtrabackup$|automysqlbackup$|sshpass$|7z)/ }
# The letter of an option that may take a secret, also as the last one of several.
function letter(opt) {
  if (opt ~ /^-[A-Za-z0-9]+[PpkKWwa]$/ && CMD !~ HARMLESS && !(opt in FLAGS) && !(opt in NAMED)) return "-" substr(opt, length(opt))
  return opt
}
# Options of these letters that take a path, or nothing: of all other programs what stands behind is cut.
function pathed(opt) {
  return CMD ~ HARMLESS || CMD " " opt ~ /^(restic -p|auditctl -[wkpa]|rclone -P|wget -[Ppk]|curl -[ka]|savelog -p|logsave -a|install -p|mktemp -p|btrfs -p|nginx -p|unzip -[pa]|(bunzip2|bzip2|bzcat|lz4|lzop|unxz|unzip) -k|rpm2?c?p?i?o? -[pKka]|gpg2? -a|e2fsck -[pk]|fsck -[pa]|diff -[wpa]|cpio -[pa]|(mail|mailx|mutt) -a|pg_[a-z]+ -[awp]|(clamscan|clamdscan) -a|split -a|ssh-keygen -p|shopt -p|mysqld?_?s?a?f?e? -P|journalctl -[akp]|lsof -[pPa]|ps -[pa]|aide -a|logrotate -[pa]|shred -p|mkfifo -p|setfacl -[kP]|getfacl -p|pgrep -P|which -a|hostpledge -[a-zA-Z])$/
}
# Does this program take a secret behind this option of one or two letters?
function secretive(opt) {
  if (opt ~ /^-(P|pw|p|hp|K|W|w|k|a)$/) return 1
  return CMD " " opt ~ /^(curl -[uUEbdH]|wget -[uU]|lftp -u|(ossutil(64)?|obsutil) -[ik]|coscmd -[as]|snmp[a-z]* -[cAXa]|smbclient -U|frpc -t|(mosquitto|amqp)[a-z_-]* -[uP]|http[s]? -a|svn -u|ldap[a-z]* -[wy])$/ \
    || CMD ~ /^(curl|wget)$/ && opt ~ /^--(header|data[a-z-]*|cookie|post-data|form|cert|oauth2-bearer)$/
}
# --user NAME:SECRET and its brothers: not a name of databases, nor one that a place stands behind.
function account(opt, w) {
  return opt ~ /^--([a-z]+-)?(user|username|creds|login|account|auth)$/ && w ~ /[:%,]/ && !(w ~ /^[A-Za-z0-9_.$-]*:[A-Za-z0-9_.$-]*$/ && CMD ~ /^(docker|podman|nerdctl|kubectl)$/) || opt ~ /^--([a-z]+-)?creds$/
}
# Is a secret what stands behind the option before it, whatever it looks like?
function expected(w, sep,   o) {
  if (PREV !~ /^-/ || CMD == "" && !(COUNTED && PREV ~ /^--/) || PREV ~ /^--/ && PREV in FLAGS && !(PREV in NAMED)) return 0
  o = letter(PREV)
  if (account(o, w)) return 1
  if (o ~ /^-[a-zA-Z]$/ && pathed(o) || !secretive(o) && (o !~ /^--[a-z]|^-[a-z_].../ || tolower(o) !~ SECRET)) return 0
  return w !~ /^-/ || sep ~ /["']/ && length(w) > 1 || LOST && !(w in FLAGS || w in NAMED)
}
