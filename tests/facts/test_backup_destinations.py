"""Command lines of backup tools: where the copy goes, and whether anything encrypts it."""

from __future__ import annotations

import pytest

from collector.facts.backup.commands.command_lines import ENGINES, FILE_TOOLS, pipelines
from collector.facts.backup.commands.destinations import (
    CLOUDS,
    TRANSFERS,
    destinations,
    encrypts,
    operands,
    says_when_it_fails,
    tool_and_args,
)
from tests.masked import redacted

TOOLS = frozenset({*ENGINES, *FILE_TOOLS, *TRANSFERS})
VARIABLES = {"RESTIC_REPOSITORY": "rest:https://vault:8000/r", "BORG_REPO": "ssh://bak@vault/./b"}


def _first(text: str) -> tuple[str, list[str], list[tuple[str, ...]], str, list[list[str]]]:
    line, folder = next(iter(pipelines(text)))
    for line, folder in pipelines(text):  # noqa: B007 - the last `cd` before the tool
        tool, args = tool_and_args(line[0], TOOLS)
        if tool:
            break
    return tool, args, [tuple(w) for w in line[1:]], folder, line


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("aws s3 sync s3://assets /backup", []),
        ("aws s3 sync /backup s3://b/x --dryrun", []),
        ("s3cmd sync -n /backup s3://b/x", []),
        ("gsutil -m rsync -rn /backup gs://b/x", []),
        ("gsutil cp -n /backup/x gs://b/x", ["gs://b:x"]),
        ("mc mirror --fake /backup nas/bucket", []),
        ("s5cmd --dry-run cp /backup/ s3://b/", []),
        ("gcloud storage rsync -r /backup gs://b/x", ["gs://b:x"]),
        ("aws s3 sync /backup s3://b/x --exclude '*.gz'", ["?"]),
        ("s3cmd sync --rexclude=x /backup/ s3://b/", ["?"]),
        ("gsutil rsync -r -x '.*gz' /backup gs://b/x", ["?"]),
        ("azcopy copy /backup https://b.example/c --include-pattern=x", ["?"]),
        ("mc mirror --newer-than 7d /backup nas/bucket", ["?"]),
        ("curl -sST /b/x https://nas/x", ["nas:/x"]),
        ("aws s3 cp s3://assets/x x", []),
        ("aws s3 cp --recursive s3://b/x ./", []),
        ("aws s3 cp s3://a/x s3://b/x", ["s3://b:x"]),
        ("aws s3 cp dump.sql.gz s3://b/", ["s3://b"]),
        ("aws s3 sync /backup s3://b/x --delete", ["s3://b:x"]),
        ("aws s3 rm s3://b/x --recursive", []),
        ("aws --endpoint-url https://oss.example.com s3 sync s3://b /backup", []),
        ("ossutil cp oss://b/ /backup -r -j 3", []),
        ("ossutil cp -r /backup oss://b/ -j 3", ["oss://b"]),
        ("s3cmd get s3://b/a .", []),
        ("s3cmd put a.gz s3://b/", ["s3://b"]),
        ("mc mirror nas/bucket /backup", []),
        ("mc mirror /backup nas/bucket", ["?"]),
        ("coscmd download /b /x", []),
        ("pg_dump shop | aws s3 cp - s3://b/x", ["s3://b:x"]),
        ("restic -r sftp:bak@nas:/r backup /srv", ["nas:/r"]),
        ("restic --repo=/b/r backup /srv", ["/b/r"]),
        ("restic backup /srv", ["vault:/r"]),
        ("restic -r $(cat /x) backup /srv", ["?"]),
        ("borg create --stats bak@nas:r::{now} /srv", ["nas:r"]),
        ("borg create ::{now} /srv", ["vault:/./b"]),
        ("rsync -az -e 'ssh -p 22' --delete /b/ bak@nas:/v/", ["nas:/v/"]),
        ("rsync -a /b/ nas::mod", ["nas:mod"]),
        ("rsync -aP /b/ /mnt/nas/", ["/mnt/nas"]),
        ("scp -P 2222 -i /k /b/x bak@nas:/v", ["nas:/v"]),
        ("tar czf /b/x-$(date).tgz /srv", ["/b"]),
        ("tar -czf /b/x.tgz -C /srv data", ["/b/x.tgz"]),
        ("tar --create --file=/b/x.tar /srv", ["/b/x.tar"]),
        ("cd /b && tar cf x.tar /srv", ["/b/x.tar"]),
        ("tar -cz /srv | ssh -p 22 bak@nas 'cat > x'", ["nas"]),
        ("tar -cz /srv | sshpass -p *** ssh bak@nas 'cat > x'", ["nas"]),
        ("tar -cz /srv | nc 10.0.0.9 9000", ["?"]),
        ("pg_dump shop | gzip > /b/s.gz", ["/b/s.gz"]),
        ("(pg_dump shop) 2>&1 | gzip >/b/s.gz", ["/b/s.gz"]),
        ("pg_dump -Fc -f /b/s.dump shop", ["/b/s.dump"]),
        ("mysqldump shop --result-file=/b/s.sql", ["/b/s.sql"]),
        ("mysqldump shop | tee /b/s.sql", ["/b/s.sql"]),
        ("mysqldump shop | split -b 1G - /b/part.", ["/b/part."]),
        ("mysqldump shop | restic backup --stdin", ["vault:/r"]),
        ("mysqldump shop | gpg -e -r k -o /b/s.gpg", ["/b/s.gpg"]),
        ("mysqldump shop", []),
        ("duplicity full /srv sftp://nas/x", ["nas:/x"]),
        ("rclone copy /b far:x", ["far:x"]),
        ("rclone sync /b :sftp,host=nas:x", ["nas:x"]),
        ("rclone sync /b /mnt/x", ["/mnt/x"]),
        ("aws s3 cp /b/x s3://bucket/x", ["s3://bucket:x"]),
        ("aws s3 sync /b s3://bucket --endpoint-url http://localhost:9000", ["localhost"]),
        ("ossutil64 cp -r /b oss://bucket/x", ["oss://bucket:x"]),
        ("mc cp /b/x alias/b", ["?"]),
        ("curl -T /b/x ftp://nas/x", ["nas:/x"]),
        ("lftp -f /etc/mirror", ["?"]),
    ],
)
def test_where_it_goes(text: str, where: list[str]) -> None:
    tool, args, piped, folder, _ = _first(text)
    assert [a.label for a in destinations(tool, args, piped, folder, VARIABLES)] == where


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("tar c /srv | gpg -e -r k", True),
        ("tar c /srv | gpg --batch --symmetric --passphrase-file /k", True),
        ("tar c /srv | gpg -d", False),
        ("tar c /srv | openssl enc -aes-256-cbc -salt -pass file:/k", True),
        ("tar c /srv | openssl enc -sm4-cbc -pass file:/k", True),
        ("tar c /srv | openssl aes-256-cbc -pass file:/k", True),
        ("tar c /srv | openssl enc -base64", False),
        ("tar c /srv | openssl enc -d -aes-256-cbc -pass file:/k", False),
        ("tar c /srv | openssl enc -des-ede3-cbc -pass file:/k", False),
        ("tar c /srv | openssl smime -encrypt -aes256 -binary /k.pem", True),
        ("tar c /srv | openssl smime -encrypt -des3 -binary /k.pem", False),
        ("tar c /srv | openssl dgst -sha256", False),
        ("tar c /srv | age -r age1x", True),
        ("tar c /srv | age -d -i /k", False),
        ("tar c /srv | gzip", False),
        ("tar c /srv | 7z a -si -p*** x.7z", True),
        ("tar c /srv | zip -q x.zip -", False),
        ("xtrabackup --backup --encrypt=AES256 --encrypt-key-file=/k --stream=xbstream", True),
    ],
)
def test_what_encrypts(text: str, answer: bool) -> None:
    assert encrypts(_first(text)[4]) is answer


def test_values_of_options_are_no_sources() -> None:
    assert operands(["-P", "22", "-i", "/k", "/b/x", "nas:/v"], "scp") == ["/b/x", "nas:/v"]
    assert operands(["-aP", "--bwlimit", "9", "/b/", "nas:/v"], "rsync") == ["/b/", "nas:/v"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("-T /b/x https://nas/x", False),
        ("-sS -T /b/x -o /tmp/f https://nas/x", False),
        ("-sS --upload-file /b/x HTTP://nas/x", False),
        ("-fsS -T /b/x https://nas/x", True),
        ("-sSf -T /b/x https://nas/x", True),
        ("--fail-with-body -T /b/x https://nas/x", True),
        ("-T /b/x ftp://nas/x", True),
    ],
)
def test_curl_fails_where_it_is_told_to(text: str, told: bool) -> None:
    assert says_when_it_fails("curl", text.split()) is told


def test_the_names_of_clouds_and_their_verbs_are_shown() -> None:
    """What is masked is a command that nobody knows."""
    verbs = "s3 cp sync mv rsync put upload copy move mirror storage"
    for tool in sorted(CLOUDS):
        line = f"{tool} {verbs} /backup/c6 s3://corp/c6\n"
        assert redacted("#words script", line.encode()).decode() == line
