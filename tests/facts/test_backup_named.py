"""What jobs' files name: whose it is, and modes as GNU and busybox ls print them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from collector.errors import CouldNotLook, NotUnderstood
from collector.facts.backup.commands.named_files import READS, named
from collector.facts.backup.commands.named_files_read import FILES
from collector.facts.backup.protection import borg_keys
from collector.facts.scheduling.models import Job, Run
from collector.model import Capture, CapturedFile, HostStatus, ReadResult, ReadStatus

TEXT = """\
set\t/etc/systemd/system/restic@.service\tEnvironmentFile=-/etc/restic/env
set\t/etc/restic/env\tRESTIC_REPOSITORY=sftp:bak@vault:/r
set\t/etc/restic/other\tRESTIC_REPOSITORY=/srv/other
from\t/usr/local/bin/nightly\t/etc/restic/env
key\t/etc/restic/env\t/etc/restic/pw
holds\t/etc/restic/other
== modes
drwxr-xr-x 21   0   0 4096 Nov 25 13:39 /
drwx------+  2 0        34             4096 Nov 25  2025 /srv/a b
-rw-r-----    1 33       34             7 Jan  1  1970 /etc/restic/pw
drwxrwxrwt 2 0 0 4096 Nov 25 13:39 /tmp/x
real\t/backup\t/srv/backup
== end
"""


def _capture(text: str, status: ReadStatus = ReadStatus.OK) -> Capture:
    id = "backup_named.files"
    return Capture(
        "h", HostStatus.COMPLETE, reads={id: ReadResult(id, status, stdout=text.encode())}
    )


def _job(text: str, *, path: str = "/etc/cron.d/x", service: str = "") -> Job:
    run = Run(service, None, None, "") if service else None
    return Job("cron", "x", "", "root", text, text, True, "", "schedules.tabs", path, "", None, run)


def test_modes() -> None:
    found = named(_capture(TEXT)).modes
    folder, key = found["/srv/a b"], found["/etc/restic/pw"]
    assert (folder.mode, folder.folder, folder.listed, folder.gid) == (0o700, True, True, 34)
    assert (key.mode, key.folder, key.listed, key.uid) == (0o640, False, False, 33)
    assert found["/tmp/x"].mode == 0o777


@pytest.mark.parametrize(
    ("job", "repository"),
    [
        (_job("restic backup /srv"), None),
        (_job("/usr/local/bin/nightly"), "sftp:bak@vault:/r"),
        (_job("restic backup /srv", service="restic@srv.service"), "sftp:bak@vault:/r"),
        (_job("restic backup /srv", service="other.service"), None),
        (_job(". /etc/restic/other; restic backup /srv"), "/srv/other"),
        (_job(". /etc/restic/other.bak; restic backup /srv"), None),
        # what the job's own text says holds, as far as it says anything
        (_job("R=sftp:a@b:/c\nRESTIC_REPOSITORY=$R restic backup /srv"), "sftp:a@b:/c"),
        (_job("/usr/local/bin/nightly\nRESTIC_REPOSITORY=$(x) restic"), "sftp:bak@vault:/r"),
    ],
)
def test_whose_variables(job: Job, repository: str | None) -> None:
    assert named(_capture(TEXT)).variables(job).get("RESTIC_REPOSITORY") == repository


def test_real_paths() -> None:
    found = named(_capture(TEXT))
    assert found.real("/backup/restic") == "/srv/backup/restic"
    assert found.real("/backup") == "/srv/backup"
    assert found.real("/backups") == "/backups"


@pytest.mark.parametrize(
    "text",
    ["", "== modes\n", TEXT.replace("== end", ""), TEXT.replace("drwx", "xrwx"), "x\n== end\n"],
)
def test_what_is_not_whole(text: str) -> None:
    with pytest.raises(NotUnderstood):
        named(_capture(text))


def test_another_user_than_root() -> None:
    assert READS[0].privileged
    with pytest.raises(CouldNotLook):
        named(_capture("", ReadStatus.REFUSED))


@pytest.mark.parametrize("shell", ["dash", "bash", "busybox", "ksh93", "mksh"])
def test_every_shell_sees_the_same(shell: str, tmp_path: Path) -> None:
    """Scripts three deep, variables, a key by each way of naming it; as /bin/sh sees it."""
    if not shutil.which(shell):
        pytest.skip(f"there is no {shell} here")
    script, login, key = tmp_path / "a.sh", tmp_path / "login", tmp_path / "pw"
    (tmp_path / "b").mkdir()
    script.write_text(
        f'#!/bin/sh\nD={tmp_path}\n. "$D/login"\nrestic -r {tmp_path}/b --password-file $D/pw\n'
        f"#RESTIC_PASSWORD=commented\nssh -i {tmp_path}/id.pub x\n"
    )
    login.write_text("RESTIC_REPOSITORY=rest:https://h/\nRESTIC_PASSWORD=geheim\n")
    key.write_text("geheim")
    tab = tmp_path / "tab"
    tab.write_text(f"0 2 * * * root {script}\n")
    body = FILES.replace("/etc/crontab", str(tab), 1)
    argv = [shell, *(["sh"] if shell == "busybox" else []), "-c", body]
    done = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=120)
    found = named(_capture(done.stdout))
    assert (str(script), str(key)) in found.keys
    assert (str(script), str(login)) in found.sourced
    assert (str(login), "RESTIC_REPOSITORY", "rest:https://h/") in found.settings
    assert str(login) in found.holds
    assert str(script) not in found.holds
    assert {str(tmp_path / "b"), str(key), str(login), "/"} <= set(found.modes)
    assert "geheim" not in done.stdout


@pytest.mark.parametrize(
    ("line", "held"),
    [
        ("tar cz /srv | openssl enc -aes-256-cbc -k geheim -out /b/x", True),
        ("tar cz /srv | openssl enc -aes-256-cbc -k '' -out /b/x", True),
        ("tar cz /srv | openssl enc -aes-256-cbc -pass pass: -out /b/x", True),
        ("7z a -pgeheim /b/x.7z /srv", True),
        ("zip -r -P geheim /b/x.zip /srv", True),
        ("restic -r /b --password-command 'echo geheim' backup /srv", True),
        ('tar cz /srv | openssl enc -aes-256-cbc -k "$KEY" -out /b/x', False),
        ("tar cz /srv | openssl enc -aes-256-cbc -pass file:/root/pw -out /b/x", False),
        ("7z a -p$(cat /root/pw) /b/x.7z /srv", False),
        ("restic -r /b --password-command 'cat /root/pw' backup /srv", False),
    ],
)
def test_a_secret_in_the_line_itself(line: str, held: bool, tmp_path: Path) -> None:
    tab = tmp_path / "tab"
    tab.write_text(f"0 2 * * * root {line}\n")
    body = FILES.replace("/etc/crontab", str(tab), 1)
    done = subprocess.run(["sh", "-c", body], capture_output=True, text=True, check=True)
    found = named(_capture(done.stdout))
    assert (str(tab) in found.holds) is held
    assert "geheim" not in done.stdout


_SCRIPTS = [
    ('KEY="geheim"\ntar cz /srv | openssl enc -aes-256-cbc -k "$KEY" -out /b/x', True),
    ("KEY='geheim'; openssl enc -aes-256-cbc -k ${KEY} -in a -out b", True),
    ("export BAKPASS=geheim\nopenssl enc -aes-256-cbc -pass env:BAKPASS -in a -out b", True),
    ('PW=geheim\ngpg --batch --passphrase "$PW" -c dump.sql', True),
    ('gpg --batch --passphrase-fd 3 -c dump.sql 3<<<"geheim"', True),
    ('PW=geheim\ngpg --batch --passphrase-fd 3 -c dump.sql 3<<<"$PW"', True),
    ("echo geheim | gpg --batch --passphrase-fd 0 -c dump.sql", True),
    ('PW=geheim\nprintf %s "$PW" | gpg --batch --passphrase-fd 0 -c dump.sql', True),
    ("gpg --batch --passphrase-fd 0 -c dump.sql <<EOF\ngeheim\nEOF", True),
    ('export RESTIC_PASSWORD_COMMAND="echo geheim"\nrestic -r /b backup /srv', True),
    ("export BORG_PASSCOMMAND='echo geheim'\nborg create /b::x /srv", True),
    ('PW=geheim\nexport BORG_PASSPHRASE="$PW"\nborg create /b::x /srv', True),
    ('KEY=geheim\nopenssl enc -aes-256-cbc \\\n  -k "$KEY" -in a -out b', True),
    ('KEY="$(cat /root/pw)"\nopenssl enc -aes-256-cbc -k "$KEY" -in a -out b', False),
    ('KEY=`cat /root/pw`\nopenssl enc -aes-256-cbc -k "$KEY" -in a -out b', False),
    ("KEY=/root/pw\nopenssl enc -aes-256-cbc -pass file:$KEY -in a -out b", False),
    ('PW=$(cat /root/pw)\ngpg --batch --passphrase-fd 3 -c dump.sql 3<<<"$PW"', False),
    ("D=/b\ngpg --batch --passphrase-fd 0 -c $D/dump.sql </root/pw", False),
    ("export BORG_PASSCOMMAND='cat /root/pw'\nborg create /b::x /srv", False),
    ("D=/b\necho started; restic -r $D --password-file /root/pw backup /srv", False),
    ('# KEY="geheim"\nopenssl enc -aes-256-cbc -k "$KEY" -in a -out b', False),
]


@pytest.mark.parametrize("awk", ["awk", "gawk", "mawk", "original-awk", "busybox"])
@pytest.mark.parametrize(("text", "held"), _SCRIPTS)
def test_a_secret_in_a_script(text: str, held: bool, awk: str, tmp_path: Path) -> None:
    if not shutil.which(awk):
        pytest.skip(f"there is no {awk} here")
    script, tab = tmp_path / "a.sh", tmp_path / "tab"
    script.write_text(f"#!/bin/bash\n{text}\n")
    tab.write_text(f"0 2 * * * root {script}\n")
    (tmp_path / "bin").mkdir()
    if awk != "awk":
        (tmp_path / "bin/awk").symlink_to(shutil.which(awk) or "")
    done = subprocess.run(
        ["sh", "-c", FILES.replace("/etc/crontab", str(tab), 1)],
        env={"PATH": f"{tmp_path}/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert (str(script) in named(_capture(done.stdout)).holds) is held
    assert "geheim" not in done.stdout


def test_kinds_of_borg_keys() -> None:
    """The files as borg 1.4 writes them."""
    folder = "/root/.config/borg/security/0a"
    files = (
        CapturedFile(f"{folder}/key-type", ReadStatus.OK, data=b"5"),
        CapturedFile(f"{folder}/location", ReadStatus.OK, data=b"ssh://root@vault/mnt/b"),
    )
    id = "backup_named.borg"

    def capture(*known: CapturedFile) -> Capture:
        return Capture(
            "h", HostStatus.COMPLETE, reads={id: ReadResult(id, ReadStatus.OK, files=known)}
        )

    assert borg_keys(capture(*files)) == {folder: ("ssh://root@vault/mnt/b", 5)}
    assert borg_keys(capture()) == {}
    with pytest.raises(NotUnderstood):
        borg_keys(capture(files[1]))
    his = CapturedFile("/home/mal/.config/borg/security/0a/location", ReadStatus.OK, data=b"x")
    assert borg_keys(capture(*files, his)).keys() == {folder}
