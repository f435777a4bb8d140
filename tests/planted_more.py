"""More secrets in what people write, from attacks on the lists: forms nobody had thought of."""

from __future__ import annotations

from tests import planted_texts

_SCRIPT = r"""
apprise -b x dingtalk://{}
apprise -b x -t y feishu://{} wecombot://{}
apprise -b x "bark://h/{}" 'bark://api.day.app/{}/'
apprise -t x -b y pbul://{} schan://{} ntfy://{}
apprise -b x "ntfys://u:{}@h/{}" mailto://u:{}@h tgram://{}/{}
NOTIFY=dingtalk://{}
NOTIFY_URL="feishu://{}"
URLS="wecombot://{} lark://{}"
export APPRISE_URLS='slack://{}/{}/{} discord://{}/{}'
for u in dingtalk://{} schan://{}; do apprise -b x $u; done
restic -r dingtalk://{} backup /srv
pg_dump --dbname='password={} port=5433'
pg_basebackup -D /b --dbname='port=5433 password={} dbname=x'
pg_basebackup -d 'password={} host=h'
pg_dump --dbname="port=5433 password='{}'"
pg_dump --dbname=postgresql://u:{}@h:5433/x
DSN="host=h password={} port=5433"
mysqldump --login-path=x --password={} --all-databases
MYSQL_PWD={} mysqldump shop
echo "db:{}" >> /root/pw.txt
sed "s/X/{}/" /a > /b
a=({})
: {}
:<<X
X
tar czf - /srv | openssl enc -e -aes256 -k {} | ssh h "cat > /x"
tar czf - /srv | gpg -c --passphrase-fd 3 3<<<"{}"
tar cf - /srv | 7z a -si -p{} /b/x.7z
pg_dump "postgresql://u:{}@h:5432/shop?sslmode=require"
pg_dump -d "user=joe password={} host=h"
pg_dump --dbname=postgresql://u:{}@h/shop
rsync --password-file=<(echo {}) /srv rsync://h/x
RSYNC_PASSWORD={} rsync -a /srv rsync://u@h/x
rsync -a /srv rsync://u:{}@h/x
scp /x joe:{}@h:/y
ssh joe:{}@h true
ssh -i /k joe@h 'echo {} | sudo -S x'
rclone copy /x :sftp,host=h,user=u,pass={}:/y
rclone copy /x ":s3,access_key_id={},secret_access_key={}:b/y"
s3cmd --access_key={} --secret_key={} put x s3://b
aliyun oss cp x --access-key-id {} --access-key-secret {}
tccli --secretId {} --secretKey {} x
qshell account {} {} x
curl -sS -X POST https://h/login -d 'user=joe&pass={}'
curl -sS --data-urlencode "desp={}" https://h/
curl -T /x -u joe:{} ftp://h/
curl -k -sS -H "token:{}" https://h/x/{}
curl --cookie "JSESSIONID={}" https://h/
curl -G https://h -d key={} -d a=b
wget --header="Authorization: {}" https://h
http POST h token={}
telnet h <<< "{}"
(echo open h; echo user joe {}; echo quit) | ftp -n
(sleep 1; echo "{}"; sleep 1) | telnet h
{{ echo {}; cat /x; }} | nc h 1
cat /x | mail -s "x" -S smtp-auth-password="{}" j@e
/usr/sbin/sendmail -au joe -ap {} x
perl -e 'print crypt("{}","ab")'
php -r "mysqli_connect('h','u','{}');"
ruby -e 'p "{}"'
node -e "x('{}')"
python - <<'PY'
pw = "{}"
PASSWORD = '{}'
cfg = {{'p': '{}', "k": "{}"}}
x(user="joe", pwd="{}")
s.post(url, json={{"key": "{}"}}, headers={{"X": "{}"}})
PY
my $p = q({});
my %h = (pass => '{}', p => "{}");
$cfg['pw'] = "{}";
const K = `{}`;
let p="{}";
VAR1={};VAR2={}
VAR=`cat <<E
E`
IFS={} read a
dialog --passwordbox {} 1 1
zenity --password={}
sudo -u joe -p {} x
su joe -c {}
timeout 5 {}
nice -n 5 {} x
env A={} B={} x {}
env -i {} x
xargs -I{{}} echo {} {{}}
find /x -exec echo {} \;
parallel {} ::: {}
watch {}
flock /l {}
flock -n /l -c "{}"
time {}
! {}
[ {} ]
[ -f {} ]
[[ a =~ {} ]]
(( {} ))
echo $(( {} + 1 ))
${{X#{}}}
${{X/{}/}}
${{X:-{}}}
"${{X:-{}}}"
$'{}'
$"{}"
"$({})"
x <({})
2>{}
>{}
>>{}
<{}
<<<{}
&>{}
set -x {}
exit {}
kill {}
logger -t {} x
logger {}
wall "{}"
date +{}
date -d "{}"
printf "{}"
printf '%s' {}
read -p "{}" x
read -s {}
docker exec x {} {}
docker exec x mysql -p{}
docker login --password {} x
docker-compose exec -T db mysqldump -u root -p{} x
kubectl exec x -- env PW={} y
kubectl exec x -- {}
helm install x --set pw={}
ansible all -e "pw={}"
ansible-vault x --vault-password-file {}
git clone https://joe:{}@h/x
git clone https://{}:x-oauth-basic@github.com/x
git remote set-url o https://oauth2:{}@h/x
git config user.password {}
svn co --username x --password={} y
smbclient -A {} //h/s
smbclient //h/s {}
mount -t cifs //h/s /m -o user=x%{}
mount.cifs //h/s /m -o "password={}"
sshfs -o password_stdin j@h:/ /m <<< {}
openconnect --passwd-on-stdin <<< {}
vpnc --id x --secret {}
nmcli con add wifi-sec.psk {}
wpa_passphrase ssid {}
htpasswd -nb joe {}
openssl passwd -6 {}
openssl req -passout pass:{}
keytool -storepass {} -keypass {}
jarsigner -storepass {} x
ldapadd -D x -w {} -f y
ldapmodify -x -y {}
snmpset -v 2c -c {} h
ipmitool -P{} x
racadm -u x -p {} y
zabbix_get -s h -k {}
influx -username x -password {}
clickhouse-client --password {} -q x
clickhouse-client --password={}
cqlsh -u x -p {} h
mongosh -u x -p {} h
mongo --authenticationDatabase a -u b -p{}
redis-cli -h x --pass {} save
redis-cli AUTH {}
etcdctl --user root:{} get x
consul kv get -token={} x
vault kv get -field={} x
sqlite3 x "insert into u values('{}')"
psql -c "ALTER USER x PASSWORD '{}'"
psql -c "CREATE ROLE x LOGIN PASSWORD '{}'"
mysql -e "SET PASSWORD = '{}'"
mysql -e "GRANT ALL ON *.* TO a IDENTIFIED BY PASSWORD '{}'"
mysql -uroot -p{}<<SQL
isql -U sa -P{} x
osql -E -P {}
sqlplus "sys/{} as sysdba"
sqlplus sys/{}@h/x as sysdba
rman target sys/{}@x
rman target / catalog u/{}@c
exp u/{} file=x
exp userid=u/{}@x
db2 connect to x user u using {}
disql SYSDBA/{}@h:5236
dexp USERID=SYSDBA/{}@h FILE=x
gs_dump -W {} x
ksql -U x -W {} y
gbase -u x -p{} y
hive -u jdbc:hive2://h:1/x -n u -p {}
beeline -u "jdbc:hive2://h" -p {}
kinit -kt {} x
echo '{}'|kinit x
echo -n {}|base64
echo -e "{}\n{}"|passwd x
echo x:{}|chpasswd -e
yes {}|x
usermod -p '{}' x
adduser --password {} x
chage {}
getent {}
certbot --dns-x-credentials {}
acme.sh --issue --dns dns_ali Ali_Key={} Ali_Secret={}
Ali_Key="{}" acme.sh x
export Ali_Secret='{}'
SMTP_PASS={} x
export SLACK="https://hooks.slack.com/services/T/B/{}"
WEBHOOK=https://oapi.dingtalk.com/robot/send?access_token={}
URL="https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={}"
URL=https://open.feishu.cn/open-apis/bot/v2/hook/{}
API=https://api.day.app/{}/
BOT={}:{}
CHAT={}
curl "https://h/{}"
curl https://h:8443/{}/x
curl http://h/x;token={}
curl http://h/#{}
curl "http://h/x?{}"
curl "sftp://u:{}@h/"
wget ftp://u:{}@h/x
X=ftp://u:{}@h
X="user:{}"
X='{}' Y="{}"
X=a{}b
X="a {} b"
X=${{Y}}{}
X="$Y-{}"
X=/a:{}
X=@{}
readonly X={}
typeset -x X={}
local -r X="{}"
declare -A M=([a]={} [b]="{}")
M[a]={}
X+={}
let X={}
eval "export X={}"
alias x={}
trap "{}" INT
function {} {{ :; }}
for x in {}; do :; done
case {} in a) ;; esac
case x in {}) ;; esac
select x in {}; do :; done
while read {}; do :; done
if {}; then :; fi
until {}; do :; done
--x {}
-x {}
-x={}
x={}
x: {}
x:{}
"x":"{}"
<x>{}</x>
<x a="{}"/>
x {} y
x = {}
x => {}
x #{}
"""

MORE = {"script": _SCRIPT, **planted_texts.TEXTS}
