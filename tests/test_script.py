"""The collector script on this machine, under each shell that it is made for."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

import pytest

from collector import catalog
from collector.model import Capture, HostStatus, Read, ReadStatus, Text, command, files, shell
from collector.script import collector_script, parse_output, with_nonce

WHY = Text("试验", "a trial")
NONCE = "0123456789abcdef0123456789abcdef"
SHELLS = {
    "dash": ["dash"],
    "bash": ["bash"],
    "busybox": ["busybox", "sh"],
    "ksh93": ["ksh93"],
    "mksh": ["mksh"],
}
AS_NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]


@pytest.fixture(params=SHELLS)
def sh(request: pytest.FixtureRequest) -> list[str]:
    argv = SHELLS[request.param]
    if shutil.which(argv[0]) is None:
        if os.environ.get("CI"):
            pytest.fail(f"{argv[0]} is not installed")
        pytest.skip(f"{argv[0]} is not installed")
    return argv


def run(sh: list[str], reads: Iterable[Read], *, before: Iterable[str] = (), **env: str) -> Capture:
    """Feeds the script to the shell as the transport does, and leaves no process behind."""
    reads = list(reads)
    text = with_nonce(collector_script(reads), NONCE)
    process = subprocess.Popen(
        [*before, *sh],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={"PATH": os.environ["PATH"], **env},
    )
    out, err = process.communicate(text.encode(), timeout=300)
    assert process.returncode == 0, err
    assert err == b""
    assert marked(process.pid) == []
    capture = parse_output(out, host="here", nonce=NONCE)
    assert capture.status is HostStatus.COMPLETE
    assert set(capture.reads) == {r.id for r in reads}
    return capture


def marked(pid: int) -> list[str]:
    """Processes that still carry the mark of the run whose shell was `pid`, some seconds later."""
    for _ in range(100):
        if not (found := _marked(pid)):
            break
        time.sleep(0.05)  # what was killed needs its turn to die
    return found


def _marked(pid: int) -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if f"HP_MARK={pid}-".encode() in path.read_bytes():
                found.append((path.parent / "cmdline").read_bytes().decode())
        except OSError:
            continue
    return found


# --- what a command returns ----------------------------------------------------------------------


def test_output_is_kept_byte_for_byte(sh: list[str], tmp_path: Path) -> None:
    blob = bytes(range(256)) * 8 + b"\n@0000 end 1 1\n\n\n\r\n" + "中文".encode() + b"\x00\xff"
    path = tmp_path / "blob"
    path.write_bytes(blob)
    capture = run(
        sh, [command("t.cat", "cat", str(path), why=WHY), files("t.file", str(path), why=WHY)]
    )
    assert capture.read("t.cat").status is ReadStatus.OK
    assert capture.read("t.cat").stdout == blob
    assert capture.read("t.file").files[0].data == blob


def test_status_errors_and_absence_are_told_apart(sh: list[str], tmp_path: Path) -> None:
    capture = run(
        sh,
        [
            shell("t.exit", "echo out; echo 'so wrong' >&2; exit 3", why=WHY),
            shell("t.denied", "echo 'Permission denied' >&2; exit 1", why=WHY),
            shell("t.quiet", ":", why=WHY),
            shell(
                "t.noise",
                "i=0; while [ $i -lt 900 ]; do echo noise-$i >&2; i=$((i+1)); done; echo done",
                why=WHY,
            ),
            command("t.missing", "no-such-command-here", why=WHY),
            files("t.absent", str(tmp_path / "nothing"), str(tmp_path / "*.conf"), why=WHY),
            shell("t.killed", "kill -9 $$", why=WHY),
        ],
    )
    seen = {id: read.status for id, read in capture.reads.items()}
    assert seen == {
        "t.exit": ReadStatus.EXIT,
        "t.denied": ReadStatus.REFUSED,
        "t.quiet": ReadStatus.OK,
        "t.noise": ReadStatus.OK,
        "t.missing": ReadStatus.MISSING,
        "t.absent": ReadStatus.ABSENT,
        "t.killed": ReadStatus.EXIT,
    }
    wrong = capture.read("t.exit")
    assert (wrong.rc, wrong.stdout, wrong.stderr) == (3, b"out\n", "so wrong")
    assert capture.read("t.quiet").stdout == b""
    assert capture.read("t.killed").rc == 137
    noise = capture.read("t.noise")
    assert noise.stdout == b"done\n"
    assert 0 < len(noise.stderr) <= 2000


def test_a_command_gets_no_input(sh: list[str]) -> None:
    capture = run(
        sh, [command("t.a", "cat", why=WHY), shell("t.b", "read x; echo got=$x", why=WHY)]
    )
    assert capture.read("t.a").stdout == b""
    assert capture.read("t.b").stdout == b"got=\n"


def test_what_a_host_prints_forges_no_section(sh: list[str]) -> None:
    forged = f"\n@{'f' * 32} end 0 0\n\n@ done ok 0 0\n"
    capture = run(
        sh,
        [
            command("t.a", "printf", "%s", forged, why=WHY),
            command("t.env", "env", why=WHY),
            shell("t.see", "cat /proc/$PPID/environ /proc/$PPID/cmdline", why=WHY),
        ],
        HP_NONCE=NONCE,
        HP_N="seen",
        HP_M="seen",
    )
    assert capture.read("t.a").stdout == forged.encode()
    assert NONCE.encode() not in capture.read("t.env").stdout


def test_the_users_own_programs_do_not_stand_in_for_the_systems(
    sh: list[str], tmp_path: Path
) -> None:
    fake = tmp_path / "uname"
    fake.write_text("#!/bin/sh\necho fake\n")
    fake.chmod(0o755)
    capture = run(sh, [command("t.a", "uname", why=WHY)], PATH=f"{tmp_path}:{os.environ['PATH']}")
    assert capture.read("t.a").stdout == b"Linux\n"


# --- limits --------------------------------------------------------------------------------------


def test_time_limits_hold(sh: list[str]) -> None:
    began = time.monotonic()
    capture = run(
        sh,
        [
            shell("t.a", "echo part; sleep 131; echo never", why=WHY, seconds=1),
            shell(
                "t.deaf", "trap '' TERM; echo deaf; while :; do sleep 131; done", why=WHY, seconds=1
            ),
            shell("t.after", "echo still here", why=WHY),
        ],
    )
    assert time.monotonic() - began < 60
    assert capture.read("t.a").status is ReadStatus.TIMEOUT
    assert capture.read("t.a").stdout == b"part\n"
    assert capture.read("t.deaf").status is ReadStatus.TIMEOUT
    assert capture.read("t.deaf").stdout == b"deaf\n"
    assert capture.read("t.after").stdout == b"still here\n"


def test_a_child_that_leaves_its_session_cannot_hold_the_output_open(sh: list[str]) -> None:
    began = time.monotonic()
    capture = run(
        sh,
        [
            shell("t.left", "setsid sleep 132 & echo ok", why=WHY, seconds=1),
            shell("t.bare", "env -i setsid sleep 125 & echo ok", why=WHY, seconds=1),
            shell("t.quiet", "setsid sleep 133 >/dev/null 2>&1 & echo ok", why=WHY, seconds=5),
            shell("t.after", "echo still here", why=WHY),
        ],
    )
    assert time.monotonic() - began < 60
    # What it printed may be all or not: nobody can say, so it is not `ok`.
    assert capture.read("t.left").status is ReadStatus.TIMEOUT
    assert capture.read("t.bare").status is ReadStatus.TIMEOUT
    assert capture.read("t.quiet").status is ReadStatus.OK
    assert capture.read("t.after").stdout == b"still here\n"


def test_byte_limits_hold(sh: list[str], tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(b"x" * 5000)
    for number in range(5):
        (tmp_path / f"many.{number}").write_text(str(number))
    capture = run(
        sh,
        [
            command("t.yes", "yes", why=WHY, limit=1000),
            shell("t.exact", "printf '%1000s' ''", why=WHY, limit=1000),
            files("t.big", str(tmp_path / "big"), why=WHY, limit=100),
            files("t.many", str(tmp_path / "many.*"), why=WHY, most=3),
        ],
    )
    assert capture.read("t.yes").status is ReadStatus.TRUNCATED
    assert len(capture.read("t.yes").stdout) == 1000
    assert capture.read("t.exact").status is ReadStatus.OK
    assert capture.read("t.big").files[0].status is ReadStatus.TRUNCATED
    assert capture.read("t.many").status is ReadStatus.TRUNCATED
    assert len(capture.read("t.many").files) == 3


# --- files ---------------------------------------------------------------------------------------

ODD_NAMES = (
    "with space.conf",
    "new\nline.conf",
    "中文.conf",
    "quo'te\".conf",
    "-n.conf",
    "a*b.conf",
)


def test_odd_file_names(sh: list[str], tmp_path: Path) -> None:
    for name in ODD_NAMES:
        (tmp_path / name).write_text(name)
        (tmp_path / name).chmod(0o640)
    (tmp_path / "dangling.conf").symlink_to(tmp_path / "gone")
    os.mkfifo(tmp_path / "fifo.conf")
    (tmp_path / "folder.conf").mkdir()
    capture = run(sh, [files("t.a", f"{tmp_path}/*.conf", f"{tmp_path}/with space.conf", why=WHY)])
    found = capture.read("t.a").files
    seen = {Path(file.path).name: file for file in found}
    assert set(seen) == {*ODD_NAMES, "dangling.conf", "fifo.conf"}
    for name in ODD_NAMES:
        assert seen[name].status is ReadStatus.OK
        assert seen[name].data == name.encode()
        assert (seen[name].mode, seen[name].size) == (0o640, len(name.encode()))
    assert seen["dangling.conf"].status is ReadStatus.ABSENT
    assert seen["fifo.conf"].status is ReadStatus.EXIT


def test_a_file_whose_content_cannot_be_had_is_not_an_empty_file(sh: list[str]) -> None:
    capture = run(sh, [files("t.a", "/proc/self/mem", why=WHY)])
    assert capture.read("t.a").files[0].status is not ReadStatus.OK


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_an_ordinary_user_is_refused_and_it_is_said(
    sh: list[str], request: pytest.FixtureRequest
) -> None:
    # Not below pytest's own folder, which is closed to others.
    tmp_path = Path(tempfile.mkdtemp(prefix="hostpledge-test."))
    request.addfinalizer(lambda: shutil.rmtree(tmp_path))
    tmp_path.chmod(0o755)
    (tmp_path / "open").write_text("open")
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "secret").chmod(0o600)
    (tmp_path / "closed").mkdir(mode=0o700)
    (tmp_path / "listed").mkdir(mode=0o711)
    (tmp_path / "listed" / "known").write_text("known")
    capture = run(
        sh,
        [
            files("t.open", str(tmp_path / "open"), why=WHY),
            files("t.secret", str(tmp_path / "secret"), why=WHY),
            files("t.closed", str(tmp_path / "closed" / "a"), why=WHY),
            files("t.below", str(tmp_path / "closed" / "x" / "a"), why=WHY),
            files("t.unlisted", str(tmp_path / "listed" / "*"), why=WHY),
            files("t.known", str(tmp_path / "listed" / "known"), why=WHY),
            files("t.absent", str(tmp_path / "nothing"), why=WHY),
            command("t.root", "id", why=WHY, privileged=True),
            command("t.cat", "cat", str(tmp_path / "secret"), why=WHY),
        ],
        before=AS_NOBODY,
    )
    seen = {id: read.status for id, read in capture.reads.items()}
    assert seen == {
        "t.open": ReadStatus.OK,
        "t.secret": ReadStatus.OK,
        "t.closed": ReadStatus.REFUSED,
        "t.below": ReadStatus.REFUSED,
        "t.unlisted": ReadStatus.REFUSED,
        "t.known": ReadStatus.OK,
        "t.absent": ReadStatus.ABSENT,
        "t.root": ReadStatus.REFUSED,
        "t.cat": ReadStatus.REFUSED,
    }
    secret = capture.read("t.secret").files[0]
    assert (secret.status, secret.data, secret.size) == (ReadStatus.REFUSED, b"", 6)
    assert not capture.root


# --- redaction -----------------------------------------------------------------------------------


def test_secrets_are_redacted_at_the_source(sh: list[str], tmp_path: Path) -> None:
    (tmp_path / "conf").write_text("user=a\npassword=hunter2\n")
    redact = "s/^\\(password=\\).*/\\1***/"
    capture = run(
        sh,
        [
            files("t.file", str(tmp_path / "conf"), why=WHY, redact=redact),
            command("t.cat", "cat", str(tmp_path / "conf"), why=WHY, redact=redact),
            command("t.bad", "cat", str(tmp_path / "conf"), why=WHY, redact="s/(unclosed"),
            files("t.worse", str(tmp_path / "conf"), why=WHY, redact="s/(unclosed"),
        ],
    )
    whole = b"user=a\npassword=***\n"
    assert capture.read("t.cat").stdout == whole
    assert capture.read("t.file").files[0].data == whole
    for id in ("t.bad", "t.worse"):
        assert capture.read(id).status is ReadStatus.EXIT
        assert capture.read(id).stdout == b""
        assert [file.data for file in capture.read(id).files if file.data] == []
        assert "redact" in capture.read(id).stderr


@pytest.fixture
def poor_root(tmp_path: Path) -> Path:
    """A root with little more than a shell in it: no sed, stat, id, date, nor /proc."""
    busybox, dash = shutil.which("busybox"), shutil.which("dash")
    if busybox is None or dash is None or os.geteuid() != 0:
        pytest.skip("needs root, busybox-static and dash")
    root = tmp_path / "root"
    for folder in ("bin", "dev", "etc"):
        (root / folder).mkdir(parents=True)
    shutil.copy(busybox, root / "bin" / "busybox")
    # Not busybox's own shell: it has the missing tools built in.
    shutil.copy(dash, root / "bin" / "sh")
    needs = subprocess.run(["ldd", dash], capture_output=True, text=True, check=True).stdout
    for library in (word for word in needs.split() if word.startswith("/")):
        (root / library[1:]).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(library, root / library[1:])
    for applet in ("cat", "head", "tr", "sleep", "grep", "ls"):
        (root / "bin" / applet).symlink_to("busybox")
    subprocess.run(["mknod", str(root / "dev" / "null"), "c", "1", "3"], check=True)
    (root / "etc" / "secret").write_text("password=hunter2\n")
    return root


def test_where_sed_is_missing_nothing_leaks(poor_root: Path) -> None:
    reads = [
        files("t.file", "/etc/secret", why=WHY, redact="s/=.*/=***/"),
        command("t.cat", "cat", "/etc/secret", why=WHY, redact="s/=.*/=***/"),
        command("t.plain", "cat", "/etc/secret", why=WHY),
        files("t.known", "/etc/secret", why=WHY),
    ]
    capture = run(["chroot", str(poor_root), "/bin/sh"], reads)
    assert capture.read("t.file").status is ReadStatus.EXIT
    assert capture.read("t.cat").status is ReadStatus.EXIT
    assert capture.read("t.cat").stdout == b""
    assert capture.read("t.plain").stdout == b"password=hunter2\n"
    assert capture.read("t.known").files[0].data == b"password=hunter2\n"


@pytest.mark.parametrize("tool", ["head", "sleep"])
def test_without_its_own_tools_the_script_says_so_and_stops(poor_root: Path, tool: str) -> None:
    (poor_root / "bin" / tool).unlink()
    script = with_nonce(collector_script([command("t.a", "cat", why=WHY)]), NONCE)
    done = subprocess.run(
        ["chroot", str(poor_root), "/bin/sh"],
        input=script.encode(),
        capture_output=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stdout == b""
    assert b"head -c and sleep are needed" in done.stderr


# --- the script as a whole -----------------------------------------------------------------------


def test_a_script_cut_short_does_nothing(sh: list[str], tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    text = collector_script([command("t.a", "touch", str(marker), why=WHY)])
    whole = len(text.rstrip())
    for end in [*range(1, whole - 12, whole // 23), whole - 10, whole - 1]:
        done = subprocess.run(
            sh, input=text[:end].encode(), capture_output=True, timeout=60, check=False
        )
        assert done.stdout == b"", f"cut at {end}"
        assert not marker.exists(), f"cut at {end}"
    subprocess.run(sh, input=text.encode(), capture_output=True, timeout=60, check=True)
    assert marker.exists()


def test_the_script_ends_when_nobody_listens(sh: list[str]) -> None:
    reads = [shell(f"t.r{n:02}", "sleep 1; printf '%9000s' x", why=WHY) for n in range(30)]
    process = subprocess.Popen(sh, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(collector_script(reads).encode())
    process.stdin.close()
    process.stdout.read(40)
    process.stdout.close()
    process.wait(timeout=25)
    time.sleep(1.5)
    assert marked(process.pid) == []


def test_a_nonce_is_drawn_where_none_is_given(sh: list[str]) -> None:
    script = collector_script([command("t.a", "true", why=WHY)])
    seen = set()
    for _ in range(2):
        out = subprocess.run(sh, input=script.encode(), capture_output=True, check=True).stdout
        capture = parse_output(out, host="here")
        assert capture.status is HostStatus.COMPLETE
        assert capture.head["pinned"] == ""
        seen.add(capture.nonce)
    assert len(seen) == 2


def test_the_whole_catalog_on_this_machine(sh: list[str]) -> None:
    began = time.monotonic()
    capture = run(sh, catalog.all_reads().values())
    took = time.monotonic() - began
    slow = {id: r.seconds for id, r in capture.reads.items() if r.status is ReadStatus.TIMEOUT}
    assert slow == {}
    assert took < 240


def test_the_script_is_clean_for_shellcheck() -> None:
    if shutil.which("shellcheck") is None:
        pytest.skip("shellcheck is not installed")
    parts = sorted(map(str, Path(catalog.__file__).parent.glob("*.sh")))
    done = subprocess.run(["shellcheck", "-s", "sh", *parts], capture_output=True, check=False)
    assert done.returncode == 0, done.stdout.decode()


def test_a_sed_that_is_ended_makes_the_read_lost(sh: list[str]) -> None:
    body = """
echo one
sleep 1
for p in /proc/[0-9]*; do
  grep -q "HP_MARK=${HP_MARK%-run}-out" "$p/environ" 2>/dev/null || continue
  grep -q 's/hidden' "$p/cmdline" 2>/dev/null && kill -9 "${p#/proc/}"
done
sleep 1
exit 0
"""
    read = shell("t.cut", body, why=WHY, redact="s/hidden/***/")
    capture = run(sh, [read, shell("t.next", "echo two", why=WHY)])
    assert capture.read("t.cut").status is ReadStatus.LOST
    assert capture.read("t.next").stdout == b"two\n"


def test_a_limit_reached_behind_sed_is_told_as_such(sh: list[str]) -> None:
    body = "i=0; while [ $i -lt 20000 ]; do echo line-$i; i=$((i+1)); done"
    read = shell("t.much", body, why=WHY, redact="s/hidden/***/", limit=1000)
    assert run(sh, [read]).read("t.much").status is ReadStatus.TRUNCATED


def test_no_shell_body_has_an_error_for_shellcheck() -> None:
    """The bodies stand in quotes in the script, where shellcheck does not look."""
    if shutil.which("shellcheck") is None:
        pytest.skip("shellcheck is not installed")
    from collector import catalog

    said = {}
    for read in catalog.all_reads().values():
        if read.body:
            done = subprocess.run(
                ["shellcheck", "-s", "sh", "-S", "error", "-"],
                input=read.body.encode(),
                capture_output=True,
                check=False,
            )
            if done.returncode:
                said[read.id] = done.stdout.decode()
    assert not said
