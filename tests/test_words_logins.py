"""What somebody logs in with is cut, also with a variable beside it; paths with one stay."""

from __future__ import annotations

import re
import time

import pytest

from tests.masked import AWKS, redacted

PASSWORDS = (
    "oracle", "oracle123", "manager", "oracle_123", "SYSDBA001", "zhang888", "admin123", "19901231",
    "hello2024", "qwer1234", "lianjie-2023", "ora/cle1", "Ora#cle.1", "tiger=1",
)  # fmt: skip
# U, H, S: account, host and what is logged in to, each once as it is and once as a variable
_LOGINS = """
sqlplus U/{}@S
sqlplus -s "U/{}@S" <<X1
X1
sqlplus -L -s "U/{}@S as sysdba" @/opt/x.sql
sqlplus -s U/"{}"@S
sqlplus -s "U"/"{}"@S
sqlplus U/{}@//H:1521/S
exp U/{} file=/b/x.dmp
exp U/{}@S file=/b/x.dmp
exp userid=U/{}@S
exp userid=U/{}
exp USERID="U/{}@S"
imp U/{}@S full=y
expdp \\'U/{}@S as sysdba\\' directory=x
expdp U/{} directory=x
expdp U/{}$ directory=x
expdp U/'"{}"'@S directory=x
impdp U/{}@S full=y
rman target U/{}@S
rman target=U/{}@S
rman target / catalog U/{}@S
rman catalog=U/{}@S target /
sqlldr U/{} control=x
sqlldr userid=U/{}@S control=x
dexp U/{}@H:5236 FILE=/b/a
dexp USERID=U/{}@H:5236 FILE=/b/a
dimp U/{}@H:5236 FILE=/b/a
disql U/{}@H:5236
disql -s U/{}@H:5236 -e "select 1"
dmrman U/{}
CONNECT_STRING="U/{}@S"
DM="U/{}@H:5236"
connstr="U/{}@S"
CONN=U/{}
conn=U/{}@S ; export conn
export ORACLE_CONN="U/{}@S"
db=U/{}@S
exp $CONN U/{}@S
tool U/{}@S
for c in U/{}@S; do x; done
su - oracle -c "expdp U/{}@S directory=x"
docker exec db sqlplus U/{}@S
isql -v dsn U U/{}
htpasswd -bc f u "U/{}"
echo "U/{}@S" | x
echo "connect U/{}@S" | sqlplus /nolog
sqlplus /nolog <<X2
connect U/{}@S
conn U/{}
CONNECT U/{}@S as sysdba;
X2
rman <<X3
connect target U/{}@S;
X3
ASK=`sqlplus -s U/{}@S <<< x`
n=$(sqlplus -s U/{}@S @/opt/n.sql)
OUT="$(exp U/{} file=/b/x 2>&1)"
"""
_NAMES = {
    "U": ("system", "$USER", "${DB_USER}", '"$U"', "$X", "$(id -un)", "$ORACLE_USER"),
    "S": ("orcl", "$ORACLE_SID", "${SID}", "$(hostname)"),
    "H": ("10.0.0.1", "$HOST", "${IP}"),
}
# no login, but nothing that a judge reads either
_BEHIND = """
curl -fsS $HC/{}
curl -fsS -m 10 --retry 5 "$HC/{}"
curl -fsS ${HC}/{}
curl "${HC_URL}/{}/start"
curl -X POST --url "$PUSH/{}"
wget -q -O - $BASE/{}
wget -qO- "$BASE/{}" >/dev/null
curl https://$HOST/{}
curl https://${HOST}/{}
curl https://${HOST}/x/{}?y=1
HOOK=$API/{}
WEBHOOK_URL=${API}/{}
mysqldump -u$X/{} shop
tool $X/{}
tool -k $X/{}
tool ${X}/{}
tool --to=$X/{}
tool "$X/{}"
X=$Y/{}
db_backup root "/{}"
db_backup root /{}
x="${DB_PASSWORD:=/{}}"
: "${DB_PASSWORD:=/{}}"
x=${DB_PASSWORD:-"/{}"}
x=${DB_PASSWORD:-'{}'}
"""
_PIECES = [p for w in PASSWORDS for p in re.split(r"[/#=]", w) if len(p) > 3 and p != "cle1"]


def _forms(text: str) -> list[str]:
    """Each form with each neighbour as it is, and with each of them a variable."""
    out = []
    for line in text.strip().split("\n"):
        one = re.sub(r"\b([UHS])(?=[/@: \"]|$)", r"<\1>", line) if "{}" in line else line
        for turn in range(max(map(len, _NAMES.values()))):
            if turn and "{}" not in line:
                continue
            if "<U>" in one and '"<U>' in one and turn == 3:
                continue
            form = one
            for name, looks in _NAMES.items():
                form = form.replace(f"<{name}>", looks[turn % len(looks)])
            out.append(form)
    return out


def _leaked(awk: list[str], mode: str, text: str) -> list[tuple[str, str]]:
    said = redacted(f"#words {mode}", text.encode(), awk=awk).decode()
    lines = list(zip(text.splitlines(), said.splitlines(), strict=True))
    # `oracle` is a name, too: in none of these forms does it stand otherwise
    return [(a, b) for a, b in lines if any(p in b.replace("su - oracle", "") for p in _PIECES)]


@pytest.mark.parametrize("awk", AWKS, ids=" ".join)
@pytest.mark.parametrize("password", PASSWORDS)
def test_what_somebody_logs_in_with_stays(awk: list[str], password: str) -> None:
    forms = [x for x in _forms(_LOGINS) if not ("#" in password and "'" in x)]
    text = "".join(x.replace("{}", password) + "\n" for x in forms)
    assert _leaked(awk, "script", text) == []


@pytest.mark.parametrize("awk", AWKS, ids=" ".join)
@pytest.mark.parametrize("password", [*PASSWORDS[:11], "4f1c9d0e-8e7a-4a0c-9f2b-0123456789ab"])
def test_what_stands_behind_a_variable_stays(awk: list[str], password: str) -> None:
    text = _BEHIND.replace("{}", password).lstrip()
    pieces = [x for x in _leaked(awk, "script", text) if password in x[1]]
    assert pieces == []
    assert "4f1c" not in redacted("#words script", text.encode(), awk=awk).decode()


@pytest.mark.parametrize("awk", AWKS, ids=" ".join)
@pytest.mark.parametrize("mode", ["tab", "spool", "units", "wal", "sudo", "settings", "listed"])
def test_so_do_they_in_texts_of_other_forms(awk: list[str], mode: str) -> None:
    heads = {
        "tab": "0 3 * * * root {}", "spool": "0 3 * * * {}", "listed": "|{}",
        "sudo": "joe ALL=(root) {}", "settings": "before_backup:\n  - {}",
        "units": "ExecStart={{ path=/x ; argv[]={} ; ignore_errors=no ; start_time=[n/a] ;"
        " stop_time=[n/a] ; pid=0 ; code=(null) ; status=0/0 }}",
        "wal": "set archive_command {}",
    }  # fmt: skip
    lines = [
        "expdp system/oracle123@$SID full=y", "exp $U/oracle123@orcl", "exp $U/oracle123",
        "sqlplus -s sys/oracle123@${S}", "rman target ${U}/oracle123@$S", "curl -fsS $HC/oracle123",
        "tool $X/oracle123",
    ]  # fmt: skip
    text = "".join(heads[mode].replace("{}", x).replace("{{ ", "{ ").replace("}}", "}") + "\n"
                   for x in lines)  # fmt: skip
    assert "oracle123" not in redacted(f"#words {mode}", text.encode(), awk=awk).decode()


@pytest.mark.parametrize("awk", AWKS, ids=" ".join)
def test_settings_of_a_login_stay(awk: list[str]) -> None:
    """Where a value goes to the end of its line."""
    for mode, text in (
        ("tab", 'CONN="system/oracle123@$SID"\nDM=SYSDBA/oracle123@$H:5236\nX=$U/oracle123\n'),
        ("settings", 'conn: "system/oracle123@$SID"\nconstants:\n  dm: ${U}/oracle123@h\n'),
    ):
        assert "oracle123" not in redacted(f"#words {mode}", text.encode(), awk=awk).decode()


PATHS = [
    "tar czf $D/etc-$(date +%F).tgz /etc",
    "rsync -a $SRC/ user@host:/backup/$DATE",
    "rsync -a $SRC/ $USER@$HOST:/backup/$DATE/",
    "mysqldump shop > $BACKUP_DIR/mysql/shop.sql",
    "mysqldump shop | gzip > ${X}/mysql/shop.sql.gz",
    "DEST=$BACKUP_DIR/mysql",
    'BK="$BASE/$(date +%F)"',
    "BACKUP_PATH=${ROOT}/shop/$DATE",
    'LOG="$HERE/backup.log"',
    "cp $A/x.tgz $B/y/",
    "mkdir -p ${BACKUP}/mysql",
    "find $BAK/mysql -mtime +180 -delete",
    "for f in $BACKUP_DIR/mysql/*.sql; do gzip $f; done",
    "restic -r $REPO/shop backup /srv/data",
    "pg_dump -Fc -f $OUT/shop.dump shop",
    "exp file=$BK/shop.dmp log=$BK/shop.log",
    "rman target / cmdfile=/opt/x.rman log=/b/x.log",
    "sqlplus /nolog",
    "rclone sync ${BACKUP_DIR}/mysql remote:bucket/$HOSTNAME",
    "curl -T $BACKUP_DIR/x.tgz https://nas.example.com/backup/",
    "curl -o $TMP/x.tgz -fsS $URL",
    "if [ -d $BACKUP_DIR/mysql ]; then rm -rf $BACKUP_DIR/old; fi",
]


@pytest.mark.parametrize("awk", AWKS, ids=" ".join)
def test_paths_with_a_variable_stay(awk: list[str]) -> None:
    text = "\n".join(PATHS) + "\n"
    said = redacted("#words script", text.encode(), awk=awk).decode()
    lines = zip(PATHS, said.splitlines(), strict=True)
    assert [(a, b) for a, b in lines if a != b] == []


@pytest.mark.parametrize("awk", AWKS, ids=" ".join)
def test_a_word_of_many_parts_takes_no_long_time(awk: list[str]) -> None:
    for piece in ("$X/", "a,", "${A}/", "'b'/", "b2://u,"):
        began = time.perf_counter()
        redacted("#words script", (piece * 800 + "@h\n").encode(), awk=awk)
        assert time.perf_counter() - began < 20


_OF_THREE = """
HOSTS="192.0.2.5 admin {}"
HOSTS="192.0.2.5,admin,{}"
HOSTS="192.0.2.5|admin|{}"
HOSTS='192.0.2.5;admin;{}'
servers="192.0.2.5:22 joe {}"
dbs="shop,shop_user,{}"
certbot renew --deploy-hook "curl -u bob:{} https://h.example/x"
certbot renew --post-hook='curl -u bob:{} h'
restic backup -u bob:{} /srv
docker login registry.example.com joe {}
podman login registry.example.com joe {}
"""
_OF_ONE_KIND = [
    'HOSTS="web1 web2 db1"',
    'HOSTS="192.0.2.5 192.0.2.6"',
    'dbs="shop crm wiki"',
    'EXCLUDE="cache,tmp,old"',
    'dirs="etc;srv"',
    'certbot renew --deploy-hook "systemctl reload nginx"',
    "docker run -u 1000:1000 image",
]


@pytest.mark.parametrize("awk", AWKS, ids=" ".join)
def test_a_list_of_three_kinds_is_a_login(awk: list[str]) -> None:
    text = _OF_THREE.replace("{}", "sunflower")
    assert "sunflower" not in redacted("#words script", text.encode(), awk=awk).decode()


@pytest.mark.parametrize("awk", AWKS, ids=" ".join)
@pytest.mark.parametrize("line", _OF_ONE_KIND)
def test_a_list_of_one_kind_stays(awk: list[str], line: str) -> None:
    assert redacted("#words script", f"{line}\n".encode(), awk=awk).decode() == f"{line}\n"


_NO_SHELL = {
    "script": (
        """#!/usr/bin/python3
f = ftplib.FTP("10.0.0.2"); f.login("bak", "P$ssw0rd")
CONF = {"host": "h", "user": "root", "passwd": "P$ssw0rd"}
PASSWORD = "P$ssw0rd"
password = \"\"\"P$ssw0rd\"\"\"
smtp.login("a@b.example","$P$ssw0rd")
path = "/srv/P$ssw0rd/x"
""",
        """#!/bin/sh
ftp -n 192.0.2.2 <<'EOF'
user bak P$ssw0rd
EOF
mysql <<\\EOF
ALTER USER x IDENTIFIED BY "P$ssw0rd";
EOF
chpasswd <<"EOF"
root:P$ssw0rd
EOF
x "P\\$ssw0rd"
backup root P\\$ssw0rd
echo "P\\$ssw0rd" | passwd --stdin root
./b.sh root "P\\$ssw0rd"
./b.sh root 'P${ssw0rd}x' 'P$(ssw0rd)x'
./b.sh root "P\\${ssw0rd}x"
""",
        """#!/usr/bin/expect
send "P\\$ssw0rd\\r"
set password {P$ssw0rd}
""",
    ),
    "settings": (
        """postgresql_databases:
    - name: all
      options: "P$ssw0rd"
ntfy:
    x: P$ssw0rd
""",
    ),
}


@pytest.mark.parametrize("awk", AWKS, ids=" ".join)
@pytest.mark.parametrize("mode", _NO_SHELL)
def test_where_nothing_is_expanded_a_dollar_begins_no_variable(awk: list[str], mode: str) -> None:
    for text in _NO_SHELL[mode]:
        said = redacted(f"#words {mode}", text.encode(), awk=awk).decode()
        assert "ssw0rd" not in said and "\1" not in said, said


@pytest.mark.parametrize("awk", AWKS, ids=" ".join)
def test_what_another_shell_expands_is_a_variable(awk: list[str]) -> None:
    lines = (
        'sh -c "tar czf /b/\\$NAME.tgz /srv"',
        'find /b -type f | awk "{print \\$2}" | xargs rm -f',
        'docker exec db sh -c "mysqldump -uroot -p\\$MYSQL_PWD shop >/b/x.sql"',
    )
    text = "\n".join(lines) + "\n"
    assert "$NAME" in (said := redacted("#words script", text.encode(), awk=awk).decode())
    assert "$2" in said and "$MYSQL_PWD" in said
