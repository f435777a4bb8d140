"""Each read whose text a user of the host may lead somewhere leads him to nothing of root's."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from collector import catalog
from tests.mallory import SECRET, UID, Host, can_be_made
from tests.test_script import SHELLS

pytestmark = pytest.mark.skipif(not can_be_made(), reason="needs root, unshare, setpriv, setsid")
Attack = Callable[[Host], None]
_ATTACKS: dict[str, tuple[str, Attack]] = {}
# words that stand in a file of root's that the reads would show a part of
SAYS = SECRET.replace("-", "-${x}", 1).join(("echo ", ""))
MARKS = (SECRET, "2001-02-03", "/root/kept/db.sql", "sshd[77]: Accepted")


def attack(read: str) -> Callable[[Attack], Attack]:
    def told(made: Attack) -> Attack:
        _ATTACKS[made.__name__] = (read, made)
        return made

    return told


def tab(host: Host, *lines: str) -> None:
    """Mallory's crontab, as cronie keeps it: in a folder of root's."""
    host.folder("/var/spool/cron").chmod(0o700)
    text = "".join(f"0 1 * * * {line}\n" for line in lines)
    host.write("/var/spool/cron/mallory", text, mallory=True, mode=0o600)


def named(host: Host, name: str, *arguments: str) -> None:
    """A process of mallory's that goes by that name and has these arguments besides."""
    program = host.at(f"/home/mallory/{name}")
    shutil.copy("/bin/dash", program)
    os.chown(program, UID, UID)
    words = " ".join(f"'{word}'" for word in arguments)
    host.started.append(f"./{name} -c 'while :; do sleep 1; done' {words}")


@attack("schedules.called")
def a_tab_names_roots_script(host: Host) -> None:
    tab(host, "/root/secret", "/home/mallory/link.sh", "/home/mallory/calls.sh")
    host.link("/home/mallory/link.sh", "/root/secret")
    host.write("/home/mallory/calls.sh", "#!/bin/sh\n/root/secret\n", mallory=True)


@attack("schedules.called")
def roots_tab_names_a_script_of_his(host: Host) -> None:
    host.write("/var/spool/cron/root", "0 1 * * * /home/mallory/job.sh /home/mallory/calls.sh\n")
    host.link("/home/mallory/job.sh", "/root/secret")
    host.write("/home/mallory/calls.sh", "#!/bin/sh\n/root/secret\n", mallory=True)


@attack("schedules.called")
def a_script_in_a_folder_of_roots_is_his_own(host: Host) -> None:
    host.write("/var/spool/cron/root", "0 1 * * * /opt/job.sh\n")
    host.write("/opt/job.sh", "#!/bin/sh\n/root/secret\n", mallory=True)


@attack("backup.lists")
def a_tab_names_roots_file_as_a_list(host: Host) -> None:
    tab(host, "restic backup --files-from /root/secret", "x --files-from=/home/mallory/list")
    os.link(host.at("/root/secret"), host.at("/home/mallory/list"))


def _dump(host: Host) -> None:
    host.write("/root/kept/db.sql", f"-- MySQL dump\n-- Dump completed {SECRET}\n", mode=0o600)


@attack("backup.artefacts")
def a_dump_of_roots_hard_linked(host: Host) -> None:
    _dump(host)
    host.folder("/home/mallory/dumps", mallory=True)
    os.link(host.at("/root/kept/db.sql"), host.at("/home/mallory/dumps/db.sql"))
    tab(host, "mysqldump >/home/mallory/dumps/x.sql")


@attack("backup.artefacts")
def a_tab_names_roots_folder(host: Host) -> None:
    _dump(host)
    host.link("/home/mallory/kept", "/root/kept")
    tab(host, "mysqldump >/root/kept/x.sql", "mysqldump >/home/mallory/kept/x.sql")


@attack("backup_named.files")
def a_tab_names_roots_settings(host: Host) -> None:
    host.write("/root/restic.env", f"RESTIC_REPOSITORY=/srv/{SECRET}\n", mode=0o600)
    host.link("/home/mallory/restic.env", "/root/restic.env")
    tab(host, ". /root/restic.env; restic backup", ". /home/mallory/restic.env")


@attack("backup.borg")
def borg_of_his_was_at_roots_file(host: Host) -> None:
    host.write("/home/mallory/.cache/borg/1/files", "x", mallory=True)
    folder = host.folder("/home/mallory/.config/borg/security/1", mallory=True)
    host.link(f"/{folder.relative_to(host.root)}/location", "/root/secret")


@attack("backup.logs")
def his_log_is_a_link(host: Host) -> None:
    host.folder("/var/log/mallory", mallory=True)
    host.link("/var/log/mallory/backup.log", "/root/secret")


@attack("backup_checks.logs")
def his_checks_go_to_roots_file(host: Host) -> None:
    host.write("/root/check.txt", f"no errors were found {SECRET}\n", mode=0o600)
    tab(host, "restic check >/root/check.txt", "borg check >/home/mallory/check")
    host.link("/home/mallory/check", "/root/check.txt")


@attack("clamav.state")
def his_scan_logs_to_roots_file(host: Host) -> None:
    host.write("/root/scan", f"Start Date: {SECRET}\n", mode=0o600)
    host.write("/opt/clam/bin/clamscan", "", mode=0o755)
    tab(host, "clamscan -l /root/scan", "clamscan --log=/home/mallory/scan")
    host.link("/home/mallory/scan", "/root/scan")


@attack("clamav.state")
def a_process_of_his_runs_sed_as_root(host: Host) -> None:
    named(host, "clamonacc", f"x/;1e {SAYS}; # --watch-list=/home/mallory/list")
    host.write("/home/mallory/list", "one\n", mallory=True)


@attack("clamav.state")
def a_process_of_his_names_roots_list(host: Host) -> None:
    named(host, "clamonacc", "--watch-list=/root/secret", "-e", "/root/secret")


@attack("signatures.clamav")
def his_signatures_are_a_link(host: Host) -> None:
    host.folder("/var/lib/clamav", mallory=True)
    host.link("/var/lib/clamav/daily.cvd", "/root/secret")


@attack("syslog.running")
def a_syslog_daemon_of_his(host: Host) -> None:
    named(host, "rsyslogd", "-f", "/root/secret")


@attack("web_servers.config")
def a_web_server_of_his_names_roots_file(host: Host) -> None:
    host.write("/root/nginx.conf", f"log_format {SECRET};\n", mode=0o600)
    host.write("/root/httpd.conf", f"LogFormat {SECRET}\n", mode=0o600)
    named(host, "nginx", " -c /root/nginx.conf ")
    named(host, "apache2", "-f", "/root/httpd.conf")


@attack("web_servers.config")
def his_program_is_run_as_root(host: Host) -> None:
    """What he put in its place once it ran: the kernel names it still."""
    text = f"#!/bin/sh\n[ $(id -u) = 0 ] && echo --prefix={SECRET}\n"
    host.write("/home/mallory/evil", text, mallory=True, mode=0o755)
    named(host, "nginx")
    host.started[-1] = f"{host.started[-1]} & sleep 0.1; mv evil nginx; wait"


@attack("web_servers.config")
def settings_of_his_include_roots_file(host: Host) -> None:
    host.write("/root/more.conf", f"log_format {SECRET};\n", mode=0o600)
    host.write("/home/mallory/c", "include /root/more.conf;\n", mallory=True)
    named(host, "nginx", " -c /home/mallory/c ")


@attack("database_access.state")
def a_database_of_his_names_roots_file(host: Host) -> None:
    host.write("/root/mongod.conf", f"authorization: {SECRET}\n", mode=0o600)
    named(host, "mongod", "--config", "/root/mongod.conf")
    named(host, "postgres")
    host.link("/home/mallory/pg_hba.conf", "/root/secret")


@attack("app_rotation.rules")
def applications_of_his_name_roots_files(host: Host) -> None:
    line = f"log_directory = '{SECRET}'\nx.directory = {SECRET}\n"
    for name in ("pg/postgresql.conf", "logging.properties", "app/logging.properties"):
        host.write(f"/root/{name}", line, mode=0o600)
    named(host, "postgres", "-D", "/root/pg")
    named(host, "java", "-Dlogging.config=/root/logging.properties", "-Dcatalina.base=/root/app")
    host.link("/home/mallory/logging.properties", "/root/logging.properties")


@attack("app_rotation.rules")
def a_container_of_his_runs_sed_as_root(host: Host) -> None:
    named(host, "conmon", "-l", f"k8s-file:/x,;}};1e {SAYS};#", "-n", "a")


@attack("log_files.times")
def his_log_has_roots_times(host: Host) -> None:
    host.write("/root/times", "2001-02-03T04:05:06Z secret\n", mode=0o600)
    host.folder("/var/log/mallory", mallory=True)
    host.link("/var/log/mallory/a.log", "/root/times")
    os.link(host.at("/root/times"), host.at("/var/log/mallory/b.log"))
    host.link("/var/log/mallory/kept", "/root/kept")
    _dump(host)


@attack("record_samples.lines")
def his_log_has_roots_lines(host: Host) -> None:
    host.write("/root/lines", "Nov 25 04:00:00 h sshd[77]: Accepted\n", mode=0o600)
    host.folder("/var/log/mallory", mallory=True)
    host.link("/var/log/mallory/a.log", "/root/lines")
    os.link(host.at("/root/lines"), host.at("/var/log/mallory/auth.log"))


@attack("log_shipping.state")
def his_agent_has_roots_settings(host: Host) -> None:
    host.folder("/etc/filebeat", mallory=True)
    host.link("/etc/filebeat/filebeat.yml", "/root/secret")


@attack("detectors.state")
def his_sites_have_roots_lines(host: Host) -> None:
    host.write("/root/site", f"root /srv/{SECRET};\n", mode=0o600)
    host.folder("/etc/nginx")
    host.folder("/etc/nginx/conf.d", mallory=True)
    host.link("/etc/nginx/conf.d/site", "/root/site")
    host.link("/etc/nginx/conf.d/two", "/root/site")


@attack("backup_wal.state")
def a_database_server_of_his_names_roots_script(host: Host) -> None:
    host.write("/home/mallory/pg/postgresql.conf", "archive_command = '/root/secret'\n",
               mallory=True)  # fmt: skip
    code = (
        "import socket, time; s = socket.socket(socket.AF_UNIX);"
        's.bind("/home/mallory/.s.PGSQL.5432"); s.listen();'
        'open("/home/mallory/.s.PGSQL.5432.lock", "w").write("1\\n/home/mallory/pg\\n");'
        "time.sleep(60)"
    )
    host.started.append(f"python3 -c '{code}'")


@pytest.fixture(params=SHELLS)
def sh(request: pytest.FixtureRequest) -> list[str]:
    argv = SHELLS[request.param]
    if shutil.which(argv[0]) is None:
        pytest.skip(f"{argv[0]} is not installed")
    return argv


@pytest.mark.parametrize("name", _ATTACKS)
def test_it_leads_to_nothing(name: str, sh: list[str], tmp_path: Path) -> None:
    read, made = _ATTACKS[name]
    host = Host(tmp_path / "host")
    made(host)
    said = host.ran(*sh, "-c", catalog.all_reads()[read].body).decode()
    assert [mark for mark in MARKS if mark in said] == []


@pytest.mark.parametrize("name", [n for n in _ATTACKS if "runs_sed" not in n])
def test_it_would_lead_somewhere_if_it_were_roots(name: str, tmp_path: Path) -> None:
    """Else the attack shows nothing: the same, laid there and said by root."""
    read, made = _ATTACKS[name]
    host = Host(tmp_path / "host")
    made(host)
    for folder, _, files in os.walk(host.root):
        for path in (folder, *(os.path.join(folder, file) for file in files)):
            if os.lstat(path).st_uid == UID:
                os.chown(path, 0, 0, follow_symlinks=False)
    host.as_root = True
    said = host.ran("dash", "-c", catalog.all_reads()[read].body).decode()
    assert [mark for mark in MARKS if mark in said] != []
