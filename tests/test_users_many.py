"""However much a user starts, what is root's and the system's is looked at, or it is said."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from collector import catalog
from collector.errors import CouldNotLook
from collector.facts.base.opened import OPENED
from collector.facts.data.data_stores import stores
from collector.facts.data.database_access import access, asked, told_of
from collector.facts.logs.applications.rotation import app_rotation
from collector.model import Capture, HostStatus, ReadResult, ReadStatus
from collector.resources import package_text
from tests.mallory import Host, can_be_made

pytestmark = pytest.mark.skipif(not can_be_made(), reason="needs root, unshare, setpriv, setsid")
READS = catalog.all_reads()
_LOOP = "-c 'while :; do sleep 1; done'"


@pytest.fixture
def host(tmp_path: Path) -> Host:
    made = Host(tmp_path / "host")
    made.as_root = True
    return made


def started(
    host: Host, uid: int, program: str, words: str = "", cwd: str = "/home/mallory"
) -> None:
    """A program of that name and account; it is root's and lies in /opt."""
    place = host.at(f"/opt/{program}")
    if not place.exists():
        shutil.copy("/bin/dash", place)
    host.started.append(
        f'cd "{cwd}" && exec setpriv --reuid={uid} --regid={uid} --clear-groups'
        f" /opt/{program} {_LOOP} {words}"
    )


def said(host: Host, read: str, *changed: tuple[str, str]) -> Capture:
    body = READS[read].body
    for old, new in changed:
        assert old in body
        body = body.replace(old, new)
    result = ReadResult(read, ReadStatus.OK, stdout=host.ran("dash", "-c", body))
    return Capture("h", HostStatus.COMPLETE, reads={read: result})


def _open_server(host: Host) -> None:
    host.write("/srv/pg/data/pg_hba.conf", "host all all 0.0.0.0/0 trust\n", mode=0o600)
    for path in ("/srv/pg/data", "/srv/pg/data/pg_hba.conf"):
        os.chown(host.at(path), 26, 26)
    host.at("/srv/pg/data").chmod(0o700)


def test_a_folder_of_several_words_hides_no_database(host: Host) -> None:
    _open_server(host)
    folder = "/home/mallory/a /srv/pg/data b"
    host.write(f"{folder}/pg_hba.conf", "host all all 0.0.0.0/0 scram-sha-256\n", mallory=True)
    started(host, 12345, "postgres", cwd=folder)
    started(host, 26, "postgres", cwd="/srv/pg/data")
    assert access(said(host, "database_access.state"))["postgresql"].auth == "open"


def test_a_users_word_for_a_folder_is_not_its_owners(host: Host) -> None:
    """He works in the folder too, but may not read there who is let in."""
    _open_server(host)
    host.at("/srv/pg/data").chmod(0o711)
    started(host, 12345, "postgres", cwd="/srv/pg/data")
    started(host, 26, "postgres", cwd="/srv/pg/data")
    assert access(said(host, "database_access.state"))["postgresql"].auth == "open"


def test_more_databases_than_are_looked_at_are_said(host: Host) -> None:
    for _ in range(5):
        started(host, 12345, "mongod", "--auth")
    few = (("head -n 501", "head -n 4"), ("-le 500", "-le 3"))
    with pytest.raises(CouldNotLook, match="more than"):
        access(said(host, "database_access.state", *few))
    few = (("head -n 301", "head -n 4"), ("-le 300", "-le 3"))
    with pytest.raises(CouldNotLook, match="more databases"):
        stores(said(host, "stores.places", *few), 10, 10)


def test_those_of_the_system_come_first(host: Host) -> None:
    for _ in range(5):
        started(host, 12345, "mongod", "--auth")
    started(host, 27, "mongod", "", cwd="/")
    capture = said(host, "database_access.state", ("== more processes", "== mongodb more"))
    parts = told_of(capture, "mongodb")
    assert [lines for _, lines in parts] == [("run none",), *[("--auth", "run none")] * 5]


def test_processes_that_a_server_makes_of_itself_do_not_count(host: Host) -> None:
    started(host, 27, "mongod", cwd="/")
    host.started[-1] = host.started[-1].replace("sleep 1", "(while :; do /bin/sleep 1; done)")
    capture = said(host, "database_access.state")
    assert len(told_of(capture, "mongodb")) == 1


def test_a_list_of_who_is_let_in_is_not_cut_unsaid() -> None:
    lines = ["== postgresql /d", "hba /d/pg_hba.conf", *["host all all 10.0.0.1/32 md5"] * 501]
    result = ReadResult("database_access.state", ReadStatus.OK,
                        stdout="\n".join([*lines, "== end", ""]).encode())  # fmt: skip
    capture = Capture("h", HostStatus.COMPLETE, reads={result.id: result})
    with pytest.raises(CouldNotLook, match="more than 500 lines"):
        access(capture)


def test_the_settings_of_the_systems_java_come_before_a_users(host: Host) -> None:
    for number in range(5):
        host.write(f"/home/mallory/app/{number}/logback.xml", "<maxHistory>400</maxHistory>\n")
    host.write("/opt/tomcat/logback.xml", "<maxHistory>7</maxHistory>\n")
    started(host, 12345, "java", "-Duser.dir=/home/mallory/app")
    started(host, 91, "java", "-Duser.dir=/opt/tomcat", cwd="/")
    capture = said(host, "app_rotation.rules", ("'257{'", "'4{'"))
    lines = capture.read("app_rotation.rules").text().splitlines()
    assert [x for x in lines if x.startswith(("@F /home", "@F /opt", "@T"))] == [
        "@F /opt/tomcat/logback.xml",
        "@F /home/mallory/app/0/logback.xml",
        "@F /home/mallory/app/1/logback.xml",
        "@T",
    ]
    with pytest.raises(CouldNotLook, match="more settings"):
        app_rotation(capture)


def test_more_settings_in_a_folder_than_are_looked_at_are_said(host: Host) -> None:
    for number in range(3):
        host.write(f"/opt/tomcat/{number}/logback.xml", "<maxHistory>7</maxHistory>\n")
    started(host, 91, "java", "-Duser.dir=/opt/tomcat", cwd="/")
    with pytest.raises(CouldNotLook, match="more settings"):
        app_rotation(said(host, "app_rotation.rules", ("'129{'", "'3{'")))


def test_a_mongod_of_the_systems_is_asked_before_users(host: Host) -> None:
    for _ in range(4):
        started(host, 12345, "mongod", "--tlsMode requireTLS")
    started(host, 27, "mongod", "--tlsMode disabled", cwd="/")
    text = OPENED + package_text("facts/tls/databases.sh")
    for old, new in (("head -n 17", "head -n 3"), ("-le 16", "-le 2"), ("$(PROC_ROOT=", "$(x=")):
        assert old in text
        text = text.replace(old, new)
    text = text.replace("ss -ltnp 2>/dev/null)", "false)").replace(
        "l='\"mysqld\"'", "l='\"mongod\"'"
    )
    said = host.ran("dash", "-c", text).decode()
    told = [x.split(" ", 3)[3] for x in said.splitlines() if x.startswith("db mongod ")]
    assert told == ["disabled", "requireTLS", "more"]


def _open_elasticsearch(host: Host, words: str = "-Des.path.conf=/etc/elasticsearch") -> None:
    text = "xpack.security.enabled: false\nxpack.security.http.ssl.key_passphrase: hidden\n"
    host.write("/etc/elasticsearch/elasticsearch.yml", text)
    host.write("/home/mallory/es/elasticsearch.yml", "xpack.security.enabled: true\n", mallory=True)
    many = " ".join(f"-Des.path.conf=/a{number}" for number in range(30))
    for _ in range(3):
        started(host, 12345, "java", f"{many} -Des.path.conf=/home/mallory/es")
    started(host, 27, "java", words, cwd="/")


def test_settings_that_a_user_names_hide_none_of_the_server_that_runs(host: Host) -> None:
    _open_elasticsearch(host)
    capture = said(host, "database_access.state")
    assert access(capture)["elasticsearch"].auth == "open"
    first, *others = told_of(capture, "elasticsearch")
    assert first[0] == "/etc/elasticsearch/elasticsearch.yml"
    assert "xpack.security.enabled: false" in first[1]
    assert {name for name, _ in others} == {"/home/mallory/es/elasticsearch.yml"}
    assert "hidden" not in capture.read("database_access.state").text()


def test_what_a_user_names_is_not_said_of_the_server_that_runs(host: Host) -> None:
    """Of one that names no settings nothing is told, whatever stands beside it."""
    _open_elasticsearch(host, "")
    capture = said(host, "database_access.state")
    numbers = {
        int(line.split()[2])
        for _, lines in told_of(capture, "elasticsearch")
        for line in lines
        if line.startswith("run start ")
    }
    assert len(numbers) == 3
    assert all(asked(capture, "elasticsearch", number, ()) for number in numbers)
    assert not asked(capture, "elasticsearch", max(numbers) + 1, ())


def test_more_java_than_is_looked_at_is_said(host: Host) -> None:
    _open_elasticsearch(host)
    few = (("head -n 501", "head -n 4"), ("-le 500", "-le 2"))
    with pytest.raises(CouldNotLook, match="more than"):
        access(said(host, "database_access.state", *few))


def test_the_words_of_the_process_that_started_it_count(host: Host) -> None:
    """As Elasticsearch 8 does it, by an account of its own."""
    host.write("/opt/es/elasticsearch.yml", "xpack.security.enabled: true\n")
    started(host, 27, "java", "-Des.path.conf=/opt/es/", cwd="/")
    inner = '/opt/java -c "while :; do sleep 1; done" & wait'
    host.started[-1] = host.started[-1].replace("while :; do sleep 1; done", inner)
    capture = said(host, "database_access.state")
    assert [name for name, _ in told_of(capture, "elasticsearch")] == [
        "/opt/es/elasticsearch.yml"
    ] * 2
    assert access(capture)["elasticsearch"].auth == "asks"


_FOLLOWED = ("schedules.called", "backup.lists", "backup.artefacts")


@pytest.mark.parametrize("read", _FOLLOWED)
def test_more_names_than_are_followed_are_said(host: Host, read: str) -> None:
    lines = "".join(f"0 1 * * * root /opt/app/job{n} >/opt/app/{n}.sql\n" for n in range(2100))
    host.write("/etc/cron.d/many", lines)
    _, capture = host.collected(["dash"], [READS[read]])
    with pytest.raises(CouldNotLook, match="more than 2000"):
        capture.read(read).text()


def test_a_users_many_names_hide_no_script_of_roots(host: Host) -> None:
    host.write("/etc/cron.d/clean", "0 1 * * * root /usr/local/bin/zclean.sh /opt/zclean.sh\n")
    host.write("/opt/zclean.sh", "#!/bin/sh\nrm /var/log/x\n", mode=0o755)
    tab = "".join(f"0 1 * * * /home/mallory/{n}.sh\n" for n in range(2100))
    host.write("/var/spool/cron/mallory", tab, mallory=True)
    host.write("/etc/cron.d/more", "".join(f"0 1 * * * root /opt/app/{n}\n" for n in range(400)))
    _, capture = host.collected(["dash"], [READS["schedules.called"]])
    assert "script x all /opt/zclean.sh\n" in capture.read("schedules.called").text()
