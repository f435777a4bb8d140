"""What a user calls his programs, folders and files adds no line of its own to what a read says."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest

from collector import catalog
from collector.errors import CouldNotLook
from collector.facts.base.opened import OPENED
from collector.facts.logs.web.servers import _sections
from collector.model import ReadResult, ReadStatus
from tests.mallory import UID, Host, can_be_made
from tests.test_reach_reads import named
from tests.test_script import SHELLS

lab = pytest.mark.skipif(not can_be_made(), reason="needs root, unshare, setpriv, setsid")
READS = {i: r for i, r in catalog.all_reads().items() if r.kind == "shell"}
COLLECTOR = Path(catalog.__file__).parent
_SCRIPTS = {str(p.relative_to(COLLECTOR)): p.read_text() for p in COLLECTOR.rglob("*.sh")}
# its words up to what ends a command, quoted ones whole
_ECHO = re.compile(
    r"""(?<![\w./%-])echo((?:[ \t]+(?:"(?:[^"\\]|\\.)*"|'[^']*'|\\.|[$][(]|[^\s;|&)"'\\>])+)*)"""
)
_GIVEN = re.compile(r"""awk[^\n|]* -v ["']?NAME=""")


@pytest.fixture(params=SHELLS)
def sh(request: pytest.FixtureRequest) -> list[str]:
    argv = SHELLS[request.param]
    if shutil.which(argv[0]) is None:
        pytest.skip(f"{argv[0]} is not installed")
    return argv


@pytest.mark.parametrize("name", [*READS, *_SCRIPTS])
def test_nothing_that_varies_is_echoed(name: str) -> None:
    r"""The echo of dash makes a line break of `\n`, and so does awk of a variable's value."""
    text = _SCRIPTS[name] if name in _SCRIPTS else READS[name].body.removeprefix(OPENED)
    said = [words for words in _ECHO.findall(text) if re.search("[$`]", words)]
    assert said == []
    assert not _GIVEN.search(text)


@pytest.mark.parametrize("name", READS)
def test_a_body_that_calls_a_function_of_ours_begins_with_them(name: str) -> None:
    body = READS[name].body
    own = body.removeprefix(OPENED)
    called = set(re.findall(r"(?<![\w$\"{/-])(hp_[a-z]\w*)\b(?!=)", own))
    assert body.startswith(OPENED) or called <= set(re.findall(r"(hp_\w+)\(\)", own))


def _program(host: Host, path: str) -> None:
    place = host.at(path)
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy("/bin/dash", place)


@lab
def test_a_title_adds_no_line_to_the_web_servers(sh: list[str], tmp_path: Path) -> None:
    host = Host(tmp_path / "host")
    host.write("/etc/nginx/nginx.conf", "http { server { access_log off; } }\n")
    forged = r"/x\n@F\0040/etc/nginx/nginx.conf\n+{\thttp\n+FORGED"
    named(host, "nginx", f" -c /etc/nginx/nginx.conf -p {forged} ")
    named(host, "java", r"-Dcatalina.base=/x\n== nginx 1 /FORGED\n@F /etc/c\n+FORGED")
    named(host, "apache2", "-f", r"/x\n== nginx 1 /FORGED\n+FORGED")
    text = host.ran(*sh, "-c", READS["web_servers.config"].body).decode()
    assert [x for x in text.splitlines() if re.match(r"\+FORGED|== nginx 1 |@F /etc/c", x)] == []
    servers, _ = _sections(text)
    assert not any("FORGED" in line for s in servers for x in s.files.values() for line in x)


@lab
def test_a_file_of_his_adds_no_line_by_its_name(tmp_path: Path) -> None:
    host = Host(tmp_path / "host")
    odd = r"/home/mallory/\n+FORGED.conf"
    host.write(odd, "access_log off;\n", mallory=True)
    host.write("/etc/nginx/nginx.conf", "http { include /home/mallory/*.conf; }\n")
    host.as_root = True
    _program(host, "/opt/nginx")
    host.started.append(
        "exec /opt/nginx -c 'while :; do sleep 1; done' ' -c /etc/nginx/nginx.conf '"
    )
    text = host.ran("dash", "-c", READS["web_servers.config"].body).decode()
    assert f"@F {odd}\n" in text
    assert "\n+FORGED" not in text


@lab
def test_real_line_breaks_are_left_out_and_said(sh: list[str], tmp_path: Path) -> None:
    host = Host(tmp_path / "host")
    for name in ("java", "apache2", "conmon"):
        shutil.copy("/bin/dash", host.at(f"/home/mallory/{name}"))
        os.chown(host.at(f"/home/mallory/{name}"), UID, UID)
    more = "$(printf '/x\\n/y\\t@E')"
    loop = "-c 'while :; do sleep 1; done'"
    host.started += [
        f'./java {loop} "-Dcatalina.base={more}"',
        f"./apache2 {loop} -f \"$(printf '/x\\t/y')\"",
        f"./conmon {loop} -l \"k8s-file:$(printf '/x\\t/y')\"",
    ]
    for id in ("web_servers.config", "app_rotation.rules"):
        said = host.ran(*sh, "-c", READS[id].body)
        with pytest.raises(CouldNotLook, match="line break"):
            ReadResult(id, ReadStatus.OK, stdout=said).text()


@lab
def test_a_log_of_a_container_adds_no_line(sh: list[str], tmp_path: Path) -> None:
    host = Host(tmp_path / "host")
    named(host, "conmon", "-l", r"k8s-file:/x\n@K java\n@F /var/log/FORGED", "-n", "a")
    text = host.ran(*sh, "-c", READS["app_rotation.rules"].body).decode()
    assert "\n@F /var/log/FORGED" not in text


@lab
def test_a_folder_of_a_database_adds_no_line(sh: list[str], tmp_path: Path) -> None:
    host = Host(tmp_path / "host")
    folder = r"/home/mallory/d\nhost all all all scram"
    host.folder(folder, mallory=True)
    named(host, "postgres")
    host.started[-1] = f"cd d* && exec .{host.started[-1]}"
    text = host.ran(*sh, "-c", READS["database_access.state"].body).decode()
    assert f"== postgresql {folder}\n" in text
    assert "\nhost all all all scram" not in text


@pytest.mark.parametrize("name", READS)
def test_no_list_of_paths_is_parted_by_blanks(name: str) -> None:
    """A folder may be called `a /var/lib/data b`. What is allowed has no blank in it."""
    body = READS[name].body.removeprefix(OPENED)
    found = re.findall(r"""case [^\n]* in \(?\*" \$(\w+) "\*\)""", body)
    allowed = {
        "sockets.listening": ["e"],
        "signatures.clamav": ["d"],
        "tls_served.answers": ["word"],
    }
    assert found == allowed.get(name, [])
