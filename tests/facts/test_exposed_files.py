"""What the read of exposed files finds on disks of their own."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest

from collector.facts.data.exposed_files import FOLDERS, READS, exposed_files
from collector.model import Capture, HostStatus, ReadResult, ReadStatus

_READ = READS[0]
# /srv is of another file system than what is mounted in it
_MOUNTED = """
mount -t tmpfs x /srv && mkdir -p /srv/open/disk /srv/closed/disk && chmod 755 /srv /srv/open || exit 3
chmod 700 /srv/closed
mount --bind disk /srv/open/disk && mount --bind disk /srv/closed/disk || exit 3
# what else this machine holds is its own business; the folder that this runs in stays
for d in /tmp /var/tmp /home /opt /root /mnt /data; do
  [ ! -d "$d" ] || mount -t tmpfs x "$d" || exit 3
done
sh ./read
"""


@pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("unshare") is None, reason="needs root and unshare"
)
def test_disks_of_their_own_are_looked_through(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    disk.chmod(0o755)
    for name, mode in (("open.sql", 0o644), ("shut.sql", 0o600)):
        (disk / name).write_text("x")
        (disk / name).chmod(mode)
    (tmp_path / "read").write_text(_READ.body)
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", _MOUNTED],
        cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    if done.returncode == 3 or disk.stat().st_dev == Path("/dev/shm").stat().st_dev:
        pytest.skip("nothing can be mounted here")
    result = ReadResult(_READ.id, ReadStatus.OK, stdout=done.stdout)
    capture = Capture("x", HostStatus.COMPLETE, reads={_READ.id: result})
    found = [f.path for f in exposed_files(capture).files if f.path.startswith("/srv/")]
    assert found == ["/srv/open/disk/open.sql"]


_SITES = {
    "nginx/nginx.conf": """
pid @/nginx.pid; error_log @/error.log; worker_processes 1; events {}
http { access_log off; client_body_temp_path @/t; proxy_temp_path @/t; fastcgi_temp_path @/t;
 uwsgi_temp_path @/t; scgi_temp_path @/t;
 server { listen unix:@/sock; location /a/ { root @/one; } location /b/ { alias "@/two x/"; }
  location /c/ { root '@/three'; } # root @/no;
  location /d/ {
   root
     @/four;
  }
  location /e { return 200 "root @/no;"; }
  location /f/ { root @/hosts/$host; } include @/elsewhere/*.inc; } }
""",
    "apache2/sites-enabled/x.conf": """
Define BASE @/base
<VirtualHost *:80>
 documentroot ${BASE}/htdocs
 Alias "/y" "@/alias y"
 # DocumentRoot @/no
 DocumentRoot \\
   @/cont
 ScriptAlias /cgi/ @/cgi/
 VirtualDocumentRoot @/virtual/%0
 IncludeOptional @/elsewhere/*.apache
</VirtualHost>
""",
    "lighttpd/lighttpd.conf": """
var.base = "@/lighttpd"
$HTTP["host"] == "x" { server.document-root = var.base + "/htdocs" }
alias.url += ( "/a" => "@/la",
  "/b" => var.base + "/b" )
setenv.add-response-header = ( "X" => "@/no" )
""",
    "caddy/Caddyfile": """
a.example { root * @/c1
 file_server { root `@/c2` }
 root @m "@/c 3"
 respond "root @/no"
}
""",
}
_ELSEWHERE = {
    "a.inc": "location /g/ { include @/elsewhere/b.nginx; }\n",
    "b.nginx": "root @/five;\n",
    "c.apache": "DocumentRoot @/six\n",
}
_SERVED = (
    "five", "six",
    "one", "two x", "three", "four", "hosts", "base/htdocs", "alias y", "cont", "cgi", "virtual",
    "lighttpd/htdocs", "la", "lighttpd/b", "c1", "c2", "c 3",
)  # fmt: skip
# of what else lies below /tmp nothing is seen: only this folder, at its own place
_ALONE = """
mine=$PWD; mkdir -p /mnt/mine && mount --bind "$PWD" /mnt/mine && mount -t tmpfs x /tmp || exit 3
mkdir -p "$mine" && mount --bind /mnt/mine "$mine" && cd "$mine" || exit 3
"""
_IN_ETC = """
for d in nginx apache2 lighttpd caddy; do
  mkdir -p "/etc/$d" && mount --bind "$PWD/etc/$d" "/etc/$d" || exit 3
done
sh ./read
"""


def _read_with(folder: Path, shell: list[str], start: str = ":") -> Capture:
    """What the read finds where the settings of the folder stand in /etc."""
    (folder / "read").write_text(_READ.body)
    # of this machine's own web servers nothing is seen
    etc = f"mount -t proc x /proc && {start} && "
    etc += "mount -t tmpfs x /mnt && mkdir -p /mnt/u /mnt/w && mount -t overlay x -o "
    etc += "lowerdir=/etc,upperdir=/mnt/u,workdir=/mnt/w /etc || exit 3\n"
    script = etc + _ALONE + _IN_ETC.replace("sh ./read", " ".join(shell) + " ./read")
    done = subprocess.run(
        ["unshare", "-m", "-p", "-f", "sh", "-c", script],
        cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, timeout=120, check=False,
    )  # fmt: skip
    if done.returncode == 3:
        pytest.skip("nothing can be mounted here")
    result = ReadResult(_READ.id, ReadStatus.OK, stdout=done.stdout)
    return Capture("x", HostStatus.COMPLETE, reads={_READ.id: result})


@pytest.fixture
def sites(tmp_path: Path) -> Path:
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        pytest.skip("needs root and unshare")
    for above in (tmp_path, *tmp_path.parents[:2]):
        above.chmod(0o755)
    for name, text in _SITES.items():
        path = tmp_path / "etc" / name
        path.parent.mkdir(parents=True)
        path.write_text(text.replace("@/", f"{tmp_path}/"))
    (tmp_path / "elsewhere").mkdir()
    for name, text in _ELSEWHERE.items():
        (tmp_path / "elsewhere" / name).write_text(text.replace("@/", f"{tmp_path}/"))
    for name in (*_SERVED, "no"):
        (tmp_path / name).mkdir(parents=True, exist_ok=True)
    return tmp_path


@pytest.mark.parametrize("shell", [["dash"], ["bash"], ["busybox", "sh"], ["mksh"]], ids=" ".join)
def test_a_folder_is_seen_however_it_is_written(sites: Path, shell: list[str]) -> None:
    if shutil.which(shell[0]) is None:
        pytest.skip(f"no {shell[0]} here")
    found = exposed_files(_read_with(sites, shell))
    mine = {r.removeprefix(f"{sites}/") for r in found.roots if r.startswith(f"{sites}/")}
    assert mine == set(_SERVED)


@pytest.mark.skipif(shutil.which("nginx") is None, reason="needs nginx")
def test_nginx_serves_what_is_found_there(sites: Path) -> None:
    names = {
        "a": "one/a",
        "b": "two x",
        "c": "three/c",
        "d": "four/d",
        "f": "hosts/x/f",
        "g": "five/g",
    }
    for folder in names.values():
        (sites / folder).mkdir(parents=True, exist_ok=True)
        (sites / folder / "shop.sql").write_text("x")
    config = str(sites / "etc/nginx/nginx.conf")
    foreground = "daemon off; user root;"
    with subprocess.Popen(["nginx", "-e", "stderr", "-c", config, "-g", foreground]) as nginx:
        try:
            for _ in range(100):
                if (sites / "sock").exists():
                    break
                time.sleep(0.1)
            for location in names:
                with socket.socket(socket.AF_UNIX) as asking:
                    asking.connect(str(sites / "sock"))
                    asked = f"GET /{location}/shop.sql HTTP/1.0\r\nHost: x\r\n\r\n"
                    asking.sendall(asked.encode())
                    assert b" 200 OK" in asking.recv(4096), location
        finally:
            nginx.terminate()
    found = exposed_files(_read_with(sites, ["sh"]))
    served = {f.path.removeprefix(f"{sites}/") for f in found.files if f.served}
    assert served >= {f"{folder}/shop.sql" for folder in names.values()}


def test_more_folders_than_are_looked_through_are_told(sites: Path) -> None:
    lines = "".join(f"root {sites}/many/{n}; " for n in range(FOLDERS + 5))
    (sites / "etc/nginx/nginx.conf").write_text(f"http {{ server {{ {lines} }} }}\n")
    for n in range(FOLDERS + 5):
        (sites / "many" / str(n)).mkdir(parents=True)
    found = exposed_files(_read_with(sites, ["sh"]))
    assert found.unlooked == ("more folders",)
    assert len(found.roots) == FOLDERS


def test_a_folder_that_is_not_told_is_named_where_a_server_runs(sites: Path) -> None:
    (sites / "etc/nginx/nginx.conf").write_text("http { server { root $where; } }\n")
    shutil.copy("/bin/sleep", sites / "caddy")
    assert exposed_files(_read_with(sites, ["sh"])).unlooked == ()
    found = exposed_files(_read_with(sites, ["sh"], "{ ./caddy 300 & }"))
    assert found.unlooked == ("unsure /etc/nginx/nginx.conf: root",)


def test_keys_to_services_count_as_keys(sites: Path) -> None:
    names = (".git-credentials", "terraform.tfstate", "dump.json", "secrets.yml", "shop.sqldump")
    for name in names:
        (sites / "one" / name).write_text("x")
    (sites / "one/.aws").mkdir()
    found = exposed_files(_read_with(sites, ["sh"]))
    served = {f.path.rpartition("/")[2] for f in found.files if f.served}
    assert served == {*names, ".aws"}


def test_dot_files_and_settings_are_seen(sites: Path) -> None:
    names = (
        "database.yml", ".npmrc", "wp-config.php.1", ".bash_history", "docker-compose.yml",
        "Dockerfile", "conf.ini",
    )  # fmt: skip
    for folder in (".well-known", "lang"):
        (sites / "one" / folder).mkdir()
    harmless = (".htaccess", ".user.ini", ".gitignore", "lang/zh.yml", ".well-known/x", "a.php")
    for name in (*names, *harmless):
        (sites / "one" / name).write_text("x")
    found = exposed_files(_read_with(sites, ["sh"]))
    assert {f.path.rpartition("/")[2] for f in found.files if f.served} == {*names}
    assert {f.path.rpartition("/")[2] for f in found.files if f.unexamined} == {
        "Dockerfile", "conf.ini",
    }  # fmt: skip


def test_a_web_folder_called_wwwroot_is_none_of_its_files(sites: Path) -> None:
    root = sites / "wwwroot"
    (root / "shop").mkdir(parents=True)
    (root / "shop/index.html").write_text("x")
    (sites / "etc/nginx/nginx.conf").write_text(f"http {{ server {{ root {root}; }} }}\n")
    assert not [f for f in exposed_files(_read_with(sites, ["sh"])).files if f.served]
    (root / "wwwroot_2024").write_text("x")
    found = exposed_files(_read_with(sites, ["sh"]))
    assert [f.path for f in found.files if f.served] == [f"{root}/wwwroot_2024"]


_SMALL = {
    "python": "python3 -m http.server 0 --directory {0}/one",
    "python, where it was started": "sh -c 'cd {0}/one && exec python3 -m http.server 0'",
    "busybox": "busybox httpd -f -p 127.0.0.1:18080 -h {0}/one",
}


@pytest.mark.parametrize("server", _SMALL)
def test_small_servers_serve_what_they_were_started_with(sites: Path, server: str) -> None:
    if shutil.which(_SMALL[server].split()[0]) is None:
        pytest.skip("it is not here")
    for path in (sites / "etc").rglob("*.conf"):
        path.write_text("")
    (sites / "etc/caddy/Caddyfile").write_text("")
    (sites / "one/shop.sql").write_text("x")
    start = _SMALL[server].format(sites)
    found = exposed_files(_read_with(sites, ["sh"], f"{{ {start} >/dev/null 2>&1 & }} && sleep 1"))
    assert [f.path for f in found.files if f.served] == [f"{sites}/one/shop.sql"]


def test_a_script_called_like_such_a_server_is_none(sites: Path) -> None:
    for path in (sites / "etc").rglob("*.conf"):
        path.write_text("")
    (sites / "etc/caddy/Caddyfile").write_text("")
    (sites / "http.server").write_text("import time; time.sleep(300)")
    found = exposed_files(_read_with(sites, ["sh"], "{ python3 ./http.server & } && sleep 1"))
    mine = [r for r in found.roots if r.startswith(f"{sites}/")]
    assert not mine
    assert found.unlooked == ()
