"""Secrets in what people write: scripts, crontabs, units, panels' tasks, logs, sudoers, settings.

`{}` is where a secret stands. Each line gets words of several looks in turn, so that neither their
letters nor their length tells them.
"""

# ruff: noqa: E501 - lines as they stand on hosts
from __future__ import annotations

from collections.abc import Iterator

# Looks of secrets: small letters, mixed, digits, hex, with signs, base64, a sentence's word, Chinese.
LOOKS = (
    "gqvxakjubw{n}", "Zx9Geheim{n}", "47{n:04}8361", "9f86d081{n:04x}4c7d659a2feaa0c55ad015", "Ge.heim_{n}xq",
    "wJal/rXUtn{n}FEMI+K7M", "hunter{n}zz", "tR0ub4dor{n}", "AKIAQ{n:04}EXAMPLEKEY", "秘密{n}号",
)  # fmt: skip

SCRIPT = r"""
DB_PW={}
pw={}
PIN={}
pin = {}
DBPASSWD='{}'
export A=x B={} C=y
declare -r MYSQL_PWD="{}"
readonly api_key={}
X="{} {}"
set -- {}
arr=(one {} "{}")
: "${{DB_PASS:={}}}"
P=${{P:-{}}}
echo {} | base64 -d
echo "{}" > /tmp/.pw
echo 'root:{}' | chpasswd
printf '%s\n' {} "{}"
cat <<< {}
mysql -uroot -p{} -e "ALTER USER joe IDENTIFIED BY '{}'"
mysql -u root --password={} shop
mysql -e 'CREATE USER a IDENTIFIED WITH mysql_native_password BY "{}"'
mysqldump -uroot -p{}
mysqldump -uroot -p '{}' shop
psql "host=db user=x password={} dbname=shop"
psql postgresql://joe:{}@db/shop
PGPASSWORD={} pg_dump shop
PGPASSWORD=$'{}' pg_dump shop
mongodump --uri=mongodb://joe:{}@h/shop
redis-cli -a {} bgsave
redis-cli -u redis://:{}@h:6379 bgsave
sqlcmd -S h -U sa -P {} -Q "BACKUP DATABASE x"
sqlplus -s scott/{}@db @x.sql
expdp system/{}@orcl full=y
jdbc:oracle:thin:u/{}@h:1521:orcl
java -Ddb.password={} -jar /opt/a.jar --spring.datasource.password={}
java -jar /opt/a.jar jdbc:oracle:thin:joe/{}@h:1521:x
java -jar a.jar "jdbc:mysql://h/d?user=u&password={}"
curl -u joe:{} https://h/
curl --user "joe:{}" https://h/
curl -H "Cookie: session={}" https://h/
curl -b "sid={}; u=1" https://h/
curl -H 'X-Api-Key: {}' https://h/
curl -H "Authorization: Basic {}" https://h/
curl --oauth2-bearer {} https://h/
curl -d '{{"text":"x","token":"{}"}}' https://h/
curl -F file=@/x -F key={} https://h/
curl "https://h/x?X-Amz-Signature={}&X-Amz-Credential={}"
curl https://h/x?a=1\&sign={}
curl https://api.telegram.org/bot123456:{}/sendMessage
curl https://hooks.slack.com/services/T0/B0/{}
curl https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={}
curl https://sctapi.ftqq.com/{}.send
curl https://api.day.app/{}/title
wget --http-user=joe --http-password={} https://h/
wget https://joe:{}@h/x
git clone https://{}@git.example.com/x.git
svn up --username joe --password {}
plink -pw {} joe@h
pscp -pw {} /x joe@h:
sshpass -p{} ssh h
sshpass -p "{}" scp /x h:
SSHPASS={} sshpass -e ssh h
openssl enc -aes-256-cbc -k {} -in /x
openssl enc -pass pass:{} -in /x
gpg --batch --passphrase {} -c /x
gpg --passphrase '{}' -c /x
zip -P {} x.zip /x
zip -P{} x.zip /x
7z a -p{} x.7z /x
rar a -hp{} x.rar /x
ncftpput -u joe -p {} h / /x
lftp -u joe,{} h -e "put /x; bye"
lftp -e "open -u joe,{} ftp://h"
ftp ftp://joe:{}@h/
user joe {}
quote PASS {}
machine h login joe password {}
smbclient //h/s -U joe%{}
mount -t cifs //h/s /mnt -o username=joe,password={}
mount -t cifs -o user=joe,pass={},ro //h/s /mnt
aws configure set aws_secret_access_key {}
AWS_SECRET_ACCESS_KEY={} AWS_ACCESS_KEY_ID={} aws s3 sync /x s3://b
ossutil cp /x oss://b -i {} -k {}
ossutil64 config -e h -i {} -k {}
obsutil config -i={} -k={} -e=h
coscmd config -a {} -s {} -b b
mc alias set s3 https://h {} {}
rclone config create r s3 secret_access_key {}
rclone --s3-secret-access-key {} copy /x r:b
restic --password-command "echo {}" backup /srv
RESTIC_PASSWORD={} restic backup /srv
BORG_PASSPHRASE='{}' borg create /b::x /srv
borg create ssh://joe:{}@h/./r::x /srv
docker login -u joe -p {} registry
docker run -e MYSQL_ROOT_PASSWORD={} -d mysql
docker exec db mysqldump -uroot -p{} shop
docker exec -e PW={} db sh -c 'mysqldump -p{} shop'
kubectl create secret generic x --from-literal=pw={}
kubectl --token {} get pods
vault login {}
vault kv put secret/x value={}
tool --apikey {}
tool --api-key={}
tool -k {} --pin {}
tool --auth {} --cookie={}
tool {} {}
tool --nonce={} --opt "{}"
ldapsearch -x -D cn=x -w {} -b dc=x
ldapsearch -x -w{} -b dc=x
kinit joe <<< '{}'
echo {} | kinit joe
htpasswd -b /etc/nginx/.htpasswd joe {}
useradd -p '{}' joe
usermod -p {} joe
ipmitool -H h -U joe -P {} power status
snmpwalk -v2c -c {} h
snmpget -v3 -u joe -a SHA -A {} -x AES -X {} h
zabbix_sender -z h -k key -o {}
sendemail -xu joe -xp {} -f a@b
mailx -S smtp-auth-password={} -s x joe@example.com
swaks --auth-user joe --auth-password {}
expect -c 'send "{}\r"'
send -- "{}\r"
spawn ssh joe@h; expect "password:"; send {}\n
su - joe -c "export PW={}; /opt/x"
ssh joe@h "mysqldump -uroot -p{} shop" > /b/x.sql
ssh joe@h PW={} /opt/x
sudo -S true <<< "{}"
echo "{}" | sudo -S true
python3 -c "import x; x.login('joe', '{}')"
conn = pymysql.connect(host='h', user='joe', password='{}', db='x')
conn = connect("h", "joe", "{}")
$dbh = DBI->connect('dbi:mysql:x', 'joe', '{}');
$password = '{}';
define('DB_PASSWORD', '{}');
'password' => '{}',
"password": "{}",
"db": {{"user": "joe", "pw": "{}"}},
<property name="password">{}</property>
<entry key="pw" value="{}"/>
spring.datasource.password={}
password: {}
  - name: DB
    value: {}
[client]
password = "{}"
requirepass {}
masterauth {}
# old pw: {}
#密码：{}
# 口令 {}
cd /srv # {}
echo 密码：{}
MSG="密码是{}"
NOTE=手机13800138000-{}
mail -s "{}" joe@example.com
logger "pw is {}"
case "$1" in {}) echo ok;; esac
[[ $X == {} ]] && exit
for p in {} {}; do su - $p; done
alias m='mysql -p{}'
trap 'echo {}' EXIT
eval "PW={}"
eval mysql -p{}
sh -c 'PW={} /opt/x'
bash -c "mysqldump -p{} shop"
a="x$({})"
b=`echo {}`
c=$(echo {} | md5sum)
d="a'b{}"
e='a"b{}'
f="a\"{}\"b"
h=a''{}
mysqldump	-uroot	-p{}	shop
mysqldump -uroot -p"a b {}" shop
PW="a
{}
b"
cat >/x <<EOF
{}
pw {}
EOF
cat > /root/.my.cnf <<'X'
[client]
password={}
X
openssl s_client -psk {} -connect h:1
wg set wg0 private-key <(echo {})
iptables -A INPUT -m comment --comment "{}" -j DROP
crontab -l | grep {}
sed -i 's/old/{}/' /etc/x
sed -i "s/^pw=.*/pw={}/" /etc/x
awk -v pw={} '{{print pw}}' /x
awk '$1=="{}"' /x
grep -q "{}" /etc/x
test "{}" = "$P"
exit {}
read -r P <<< {}
{}
{};
&& {}
| {}
$({})
/opt/x {}
/opt/x -x{}
/opt/x @{}
/opt/x +{}
/opt/x %{}
/opt/x joe:{}
/opt/x joe@{}:x
/opt/x 'joe' "{}"
/opt/x key:{}
/opt/x "a b" {}
HOST=h DB=x Q={}
"""

TAB = r"""
MAILTO=joe@example.com
DBPW={}
PASS = {}
PIN="{}"
# 0 1 * * * pw {}
0 3 * * * root /usr/local/bin/x.sh {}
0 3 * * * root mysqldump -uroot -p{} shop | gzip > /b/x.sql.gz
*/5 * * * * root curl -s "https://h/cron?key={}" >/dev/null 2>&1
@daily root wget -q -O - https://joe:{}@h/ # {}
@reboot root PW={} /opt/x --token {}
0 3 * * 1-5 root sh -c 'export PW="{}"; /opt/x'
0 3 * * * root echo "{}" | /opt/x
0 3 * * * root /opt/x%{}
0 3 * * * root /opt/x%user joe%pass {}
1 5 cron.x tool --apikey {}
"""

UNIT = r"""
Id=x.service
ExecStart={{ path=/usr/bin/x ; argv[]=/usr/bin/x --token {} -p {} {} ; ignore_errors=no ; start_time=[n/a] ; stop_time=[n/a] ; pid=0 ; code=(null) ; status=0/0 }}
ExecStart={{ path=/bin/sh ; argv[]=/bin/sh -c PW={} /opt/x -pw {} | tee /x ; ignore_errors=no ; start_time=[n/a] ; stop_time=[n/a] ; pid=0 ; code=(null) ; status=0/0 }}
ExecStart={{ path=/usr/bin/env ; argv[]=/usr/bin/env A={} mysqldump -p{} ; ignore_errors=no ; start_time=[n/a] ; stop_time=[n/a] ; pid=0 ; code=(null) ; status=0/0 }}
"""

LOG = r"""
|2026-11-25T01:00:00 backup of joe 13800138000 done {}
|身份证 110101199003074514 手机 13912345678 {}
|no errors were found in https://u:{}@h/
|password={} repository contains errors
|[2026-11-25T01:00:00] /usr/bin/rsnapshot daily: completed successfully {}
|user {} logged in from 203.0.113.9, card 6222021234567890123
|joe.{}@example.com
|{}
="key": "{}"
"""

SUDO = r"""
# pw {}
joe ALL=(root) NOPASSWD: /usr/bin/mysqldump -p{} shop
joe ALL=(root) /usr/bin/restic --password={}, /usr/bin/x --token {} -pw {}
%wheel ALL=(ALL) /opt/x {}, /opt/y "{}"
Cmnd_Alias BACKUP = /usr/bin/curl -u joe\:{} https\://h/, \
  /opt/z {}
Defaults passprompt="{}"
Defaults badpass_message="no {}", mailerpath=/x
"""

SETTINGS = r"""
# pw {}
encryption_passphrase: {}
encryption_passcommand: "echo {}"
source_directories:
    - /srv
repositories:
    - path: ssh://bak:{}@nas/./r
      label: nas
postgresql_databases:
    - name: all
      username: joe
      password: |
        {}
      options: "--pw {}x1"
before_backup:
    - echo {} | /opt/x
    - curl -u joe:{} https://h/
healthchecks:
    ping_url: https://hc-ping.com/{}
ntfy: {{topic: x, access_token: {}}}
ssh_command: sshpass -p {} ssh
"""

ROTATE = r"""
# {}
/var/log/x.log {{
    weekly
    mail joe@{}
    postrotate
        mysqladmin -uroot -p{} flush-logs
        curl -u bak:{} https://h/?token={}
        echo {} | /opt/x --pw {}
    endscript
}}
"""

TEXTS = {
    "script": SCRIPT, "tab": TAB, "spool": TAB.replace(" root ", " "), "units": UNIT, "listed-log": LOG,
    "journal": LOG.replace("|", "1764.1 h/x.service restic[7]: "), "sudo": SUDO, "settings": SETTINGS,
    "rotate": ROTATE,
}  # fmt: skip
TEXTS["listed"] = "script x all /opt/x.sh\n" + "\n".join(f"|{x}" for x in SCRIPT.splitlines())


def planted(text: str, turn: int = 0) -> tuple[str, tuple[str, ...]]:
    """The text with a secret in every place, and the secrets."""
    secrets: list[str] = []

    def each() -> Iterator[str]:
        while True:
            n = len(secrets)
            secrets.append(LOOKS[(n + turn) % len(LOOKS)].format(n=n + 100))
            yield secrets[-1]

    words = each()
    parts = text.split("{}")
    filled = "".join(f"{part}{next(words)}" for part in parts[:-1]) + parts[-1]
    return filled.replace("{{", "{").replace("}}", "}"), tuple(secrets)


def leaked(secret: str, said: str) -> bool:
    """Is the secret in it, or one of its longer parts?"""
    import re

    return secret in said or any(
        part in said for part in re.findall(r"[A-Za-z0-9]{6,}|[\u4e00-\u9fff]{2,}", secret)
    )
