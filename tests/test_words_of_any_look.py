"""What stands where a secret stands is cut, though it looks like a path, a setting or an option."""

from __future__ import annotations

import shutil

import pytest

from collector import catalog
from tests.masked import AWKS, redacted

# one of 64 passwords in base64 begins with a slash
LOOKS = (
    "/Hx7pq9", "/kq9w", "~/kq9w", "../kq9w", "Zk3/pQ9w", "x9=/kq9w", "Kq9w=12", "/kq9w,/kq9w",
    "a:/kq9w",
)  # fmt: skip
PIECES = ("Hx7pq9", "kq9w", "pQ9w", "Kq9w")

COMMANDS = r"""
mysqldump -uroot -p'{}' shop
mysqldump -uroot -p"{}" shop
mysqladmin -uroot -p '{}' flush-logs
mysqldump -p'two {}' shop
mysqldump --password='two b={}' shop
redis-cli -a '{}' bgsave
redis-cli --user x --pass {} bgsave
redis-cli CONFIG SET requirepass "{}"
zip -P {} /srv/a.zip /srv/x
zip -rP '{}' /srv/a.zip /srv/x
ldapsearch -x -D cn=admin -w '{}' -b dc=x
mongodump -u=u -p={}
obsutil cp a b -i=x -k={}
ksql -Usystem -W {}
useradd -p '{}' joe
docker login -u j -p '{}' h
docker exec db sh -c 'mysql -p"{}" x'
docker run img --token {}
sh -c "mysql -uroot -p'{}' -e x"
curl -u 'joe:{}' h
curl --user joe:{} -T /srv/x.gz h
curl -H 'X-Key: {}' h
etcdctl --user root:{} snapshot save /srv/s
etcdctl --user=root:{} snapshot save /srv/s
lftp -u joe,{} h
lftp -e "user j {}; mirror" h
mysql -e "CREATE USER x IDENTIFIED BY '{}'"
psql -c "ALTER USER x PASSWORD '{}'"
echo '{}' | passwd --stdin joe
echo {} | gpg --passphrase-fd 0 -c /x
echo '{}' > /root/.netrc
cryptsetup open /dev/sdb x <<< '{}'
nmcli dev wifi connect x password '{}'
ipmitool user set password 2 '{}'
virsh set-user-password d root '{}'
mc alias set x http://h AK '{}'
vault login '{}'
smbclient //h/s -U u '{}'
rclone config create x s3 access_key_id '{}'
s3cmd --secret_key {} put f
keytool -storepass '{}' -list
expect -c 'send "{}\r"'
DB_PASS='two b={}'
USER=joe:{}
ssh -o ProxyCommand="sshpass -p '{}' ssh j" h
scp -o ProxyCommand='ncat --proxy-auth {}' a h:/b
sftp -o 'ProxyCommand nc -w {} h' h
rsync -a -e "sshpass -p '{}' ssh" /a h:/b
git -c http.extraheader="A: {}" pull
"""
SUDO = (
    "joe ALL=(root) NOPASSWD: /usr/bin/redis-cli -a {} save, /usr/bin/id",
    "joe ALL=(root) NOPASSWD: /usr/bin/mysqldump -uroot -p{} shop",
)
SETTINGS = ("ntfy:\n  topic: {}", "  encryption_passphrase: two b: {}", '  password: "{}"')
STAYS = (
    "restic -p /etc/restic/password -r /srv/repo backup /srv/data",
    "rclone sync -P /backup remote:bucket/backup",
    "install -p -m 0600 /srv/a /srv/b",
    "cp -a /srv/data /backup && mkdir -p /backup/db && rsync -aP /srv/ bak@nas:/srv/",
    "pg_dump -p 5433 -f /backup/shop.dump shop",
    "tmp=$(mktemp -p /var/tmp)",
    "echo /srv/data | cpio -o > /backup/a.cpio",
    'MYSQL_PWD="$PW" mysqldump -p"$PW" -p"${PW}" shop | gzip > /backup/a.gz',
    "mysqldump --password=$(cat /etc/pw) shop > /backup/a.sql",
)


@pytest.mark.parametrize("awk", AWKS, ids=" ".join)
@pytest.mark.parametrize("look", LOOKS)
def test_no_look_of_a_secret_lets_it_out(awk: list[str], look: str) -> None:
    texts = [
        ("script", COMMANDS),
        *(("sudo", x) for x in SUDO),
        *(("settings", x) for x in SETTINGS),
    ]
    for mode, form in texts:
        if mode == "sudo" and "," in look:
            # sudoers(5) separates commands by it
            continue
        text = form.replace("{}", look) + "\n"
        said = redacted(f"#words {mode}", text.encode(), awk=awk).decode()
        lines = zip(text.splitlines(), said.splitlines(), strict=True)
        assert [(f, s) for f, s in lines if any(p in s for p in PIECES)] == []


@pytest.mark.parametrize("awk", AWKS, ids=" ".join)
def test_a_line_of_cron_is_told_without_it(awk: list[str]) -> None:
    said = redacted("#words tab", b"1 3 * * * root mysqldump -p'/Hx7' s | gzip > /b.gz\n", awk=awk)
    assert said == b"1 3 * * * root mysqldump -p'***' s | gzip > /b.gz\n"


@pytest.mark.parametrize("awk", AWKS, ids=" ".join)
@pytest.mark.parametrize("line", STAYS)
def test_what_takes_a_path_keeps_it(awk: list[str], line: str) -> None:
    assert redacted("#words script", f"{line}\n".encode(), awk=awk).decode() == f"{line}\n"


@pytest.mark.parametrize("awk", AWKS, ids=" ".join)
@pytest.mark.parametrize("secret", ["wrong", "secret", "token", "ab", "Hx7pq9", "'a b'", "/kq9w"])
@pytest.mark.parametrize("tool", ["mysqldump", "mariadb-dump", "mysqldump --no-defaults"])
def test_what_stands_behind_an_attached_password_stays(
    awk: list[str], secret: str, tool: str
) -> None:
    line = f"{tool} -u joe -p{secret} --single-transaction shop | gzip >/b/x.gz\n"
    cut = "'*** ***'" if secret[0] == "'" else "***"
    said = redacted("#words script", line.encode(), awk=awk).decode()
    assert said == line.replace(f"-p{secret}", f"-p{cut}")


MATCHES = (
    'Match exec "mysql -uroot -pkq9w -e x"',
    'Match exec "x --password kq9w"',
    'Match exec "PGPASSWORD=kq9w exec psql"',
    "match EXEC=/opt/kq9w",
    'Match localnetwork 10.0.0.0/8 exec "mysql -pkq9w"',
    'Match "exec" "x kq9w"',
    'Match command "x kq9w"',
    '|Match user joe exec "redis-cli -a kq9w exec command x" address 10.0.0.1',
)


@pytest.mark.parametrize("sed", [["sed"], ["busybox", "sed"]], ids=" ".join)
@pytest.mark.parametrize("line", MATCHES)
@pytest.mark.parametrize("read", ["sshd.files", "sshd.effective"])
def test_what_a_match_of_sshd_runs_stays_on_the_host(sed: list[str], line: str, read: str) -> None:
    if shutil.which(sed[0]) is None:
        pytest.skip(f"no {sed[0]} here")
    text = f"PermitRootLogin no\n{line}\n  PermitTTY no\nMatch user joe\n"
    said = redacted(catalog.all_reads()[read].redact, text.encode(), sed=sed).decode()
    assert "kq9w" not in said
    assert said.count("atch ") == 2
    assert said.endswith("  PermitTTY no\nMatch user joe\n")
