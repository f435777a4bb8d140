"""Of words that systemd and /proc join by blanks a quoted secret is cut whole (ADR 24)."""

from __future__ import annotations

import shlex

import pytest

from tests.masked import AWKS, redacted

# what somebody may put in quotes; the pieces are of no list
PHRASES = (
    "quxhorse quxstaple", "quxa quxhorse-battery quxstaple", "it's quxhorse quxstaple",
    "quxa -quxhorse --quxstaple", "quxa -- quxhorse - quxstaple", "quxa | quxhorse; quxstaple",
    "quxa = quxhorse (quxstaple) quxb", "quxa /quxhorse /usr/bin/quxstaple",
    "quxa b=quxhorse c=quxd",
    "/quxa quxhorse 1 quxstaple", "quxa ${quxhorse} `quxstaple`", "quxa ; quxhorse ; quxstaple",
    "-quxh quxstaple", "quxa shop quxhorse.sql quxstaple:/srv",
)  # fmt: skip
FORMS = r"""
mysqldump -uroot "--password={}" shop
mysqldump -uroot --password "{}" shop
mysqldump -uroot "-p{}" shop
mysqldump -uroot "--password={}" "--password={}" shop
restic backup /srv --password-command "{}"
restic backup /srv --password-command "echo {}"
restic -o "s3.secret={}" backup /srv
redis-cli -a "{}" bgsave
redis-cli CONFIG SET requirepass "{}"
env "TOKEN={}" /usr/bin/pg_dump shop
env "A=b" "RESTIC_PASSWORD={}" restic backup /srv
docker run -e "MYSQL_PWD={}" img
docker exec db mysqldump "-p{}" shop
docker login -u joe -p "{}" hub
borg create "--remote-path=x" --passphrase "{}" ::a /srv
pg_dump "host=h password={} user=x dbname=shop"
pg_dump "--dbname=host=h user=x password='{}'"
pg_dump -d "postgresql://joe:a {}@h/shop"
mongodump "--uri=mongodb://root:a {}@h/db"
curl -T /srv/x.gz -u "joe:{}" http://h/x
curl -T /srv/x.gz -H "X-Key: {}" http://h/x
curl -T /srv/x.gz "https://h/x?token={}"
lftp -e "user joe {}; mirror /a /b" h
smbclient //h/s -U "joe%{}"
rclone config create x s3 access_key_id "{}"
vault login "{}"
nmcli dev wifi connect x password "{}"
zip -rP "{}" /srv/a.zip /srv/x
sshpass -p "{}" rsync -a /srv bak@nas:/srv
sshpass "-p{}" ssh nas backup
mysql -e "CREATE USER x IDENTIFIED BY '{}'"
psql -c "ALTER USER x PASSWORD '{}'"
sh -c "mysqldump -p'a {}' shop | gzip >/b/x.gz"
sh -c 'mysqldump -p"$1" shop' backup "{}"
sh -c 'for p; do mysqldump --password=$p shop; done' backup "{}"
flock -n /run/x tool --api-key "{}" --secret "{}"
tool --user "joe:{}" x
"""
_UNIT = (
    "Id=a.service\nExecStart={ path=/usr/bin/x ; argv[]=@ ; ignore_errors=no ; start_time=[n/a] ;"
    " stop_time=[n/a] ; pid=0 ; code=(null) ; status=0/0 }\n"
)
# the readers' own forms: a unit's command, and the words of a process
_JOINED = {"units": _UNIT, "wal": "== receiver /proc/7\nargs @\n"}


def _said(awk: list[str], mode: str, argv: str) -> str:
    text = _JOINED[mode].replace("@", argv)
    return redacted(f"#words {mode}", text.encode(), awk=awk).decode()


def _argv(form: str, phrase: str) -> str:
    """The words as a shell takes them apart, without what told them apart."""
    return " ".join(word.replace("{}", phrase) for word in shlex.split(form))


@pytest.mark.parametrize("mode", _JOINED)
@pytest.mark.parametrize("awk", AWKS, ids=" ".join)
@pytest.mark.parametrize("phrase", PHRASES)
def test_no_word_of_a_quoted_secret_is_let_through(awk: list[str], phrase: str, mode: str) -> None:
    # a quote inside of another one has to be written otherwise
    forms = [x for x in FORMS.split("\n") if x and not ("'" in phrase and "{}'" in x)]
    said = {x: _said(awk, mode, _argv(x, phrase)) for x in forms}
    assert {x: line for x, line in said.items() if "qux" in line} == {}


@pytest.mark.parametrize("awk", AWKS, ids=" ".join)
# `$` is a variable of the script's own
@pytest.mark.parametrize("phrase", [phrase for phrase in PHRASES if "$" not in phrase])
def test_no_quoted_secret_of_a_script_is_let_through(awk: list[str], phrase: str) -> None:
    """There the quotes are, and tell where it ends."""
    forms = [x for x in FORMS.split("\n") if '{}"' in x and "'" not in x]
    text = "".join(x.replace("{}", phrase) + "\n" for x in forms)
    said = redacted("#words script", text.encode(), awk=awk).decode()
    assert [line for line in said.split("\n") if "qux" in line] == []


@pytest.mark.parametrize("awk", AWKS, ids=" ".join)
@pytest.mark.parametrize(
    ("argv", "told"),
    [
        ("mysqldump -uroot --password=quxa --single-transaction --databases shop",
         "mysqldump -uroot --password=*** --single-transaction --databases shop"),
        ("env RESTIC_PASSWORD=quxa /usr/bin/restic backup /srv",
         "env RESTIC_PASSWORD=*** /usr/bin/restic backup /srv"),
        ("sh -c mysqldump -pquxa shop | gzip >/b/x.gz",
         "sh -c mysqldump -p*** shop | gzip >/b/x.gz"),
        ("restic -r /srv/repo --password-file /etc/restic/pw backup /srv",
         "restic -r /srv/repo --password-file /etc/restic/pw backup /srv"),
        ("pg_dump -w -f /b/my dump shop", "pg_dump -w -f /b/my dump shop"),
    ],
)  # fmt: skip
def test_what_surely_begins_anew_is_told(awk: list[str], argv: str, told: str) -> None:
    assert f"argv[]={told} ; ignore_errors=no" in _said(awk, "units", argv)


# each ends in a state that was kept for the next one
_BEFORE = (
    "/usr/bin/docker exec", "docker run", "kubectl exec", "su -", "bash -c", "mysqldump -p",
    "cat <<EOF", "sh -c cat <<quxhorse", "sqlplus u/a@b", "curl https://u:a@h/", "tool a,b@c",
)  # fmt: skip
_BEHIND = (
    "docker login -u joe -d quxa hub", "docker run -it quxa quxb", "tool -it quxa quxhorse",
    "podman ps -i quxa quxb", "mysqldump -d quxa shop", "tool $X/quxa", "curl https://h/a?quxa",
    "tar czf /b/x.tgz /srv", "quxhorse", "mysqldump -uroot -pquxa shop",
)  # fmt: skip


@pytest.mark.parametrize("awk", AWKS, ids=" ".join)
def test_a_unit_is_masked_as_if_no_other_stood_before_it(awk: list[str]) -> None:
    units = [_UNIT.replace("@", argv) for argv in _BEHIND]
    alone = ["".join(redacted("#words units", x.encode(), awk=awk).decode()) for x in units]
    for before in _BEFORE:
        first = _UNIT.replace("@", before)
        text = "".join(first + unit for unit in units)
        said = redacted("#words units", text.encode(), awk=awk).decode()
        shown = redacted("#words units", first.encode(), awk=awk).decode()
        assert said == "".join(shown + x for x in alone)


@pytest.mark.parametrize("awk", AWKS, ids=" ".join)
def test_nor_does_a_line_of_a_script_begin_within_a_container(awk: list[str]) -> None:
    text = "docker exec\ndocker login -d quxa hub\n"
    said = redacted("#words script", text.encode(), awk=awk).decode()
    alone = redacted("#words script", b"docker login -d quxa hub\n", awk=awk).decode()
    assert said == "docker exec\n" + alone
