"""What ends or holds up a script is run by the shells, and said by the model as they do it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from collector.facts.shell.exit_status import of_lines
from collector.facts.shell.program import read

_SHELLS = [s for s in ("dash", "bash") if shutil.which(s)]

# of each whether the model may say that a good end shows that `a` did well, and that `a` is run
_SCRIPTS = [
    ("set -e\na", "yes", "always"),
    ("set -n\na", "no", "never"),
    ("set -o noexec\na", "no", "never"),
    ("kill $$\na", "no", "never"),
    ("kill -9 $$\na", "no", "never"),
    ('p=$$\nkill -s TERM "$p"\na', "no", "never"),
    ("kill 0\na", "no", "never"),
    ("trap 'exit 0' TERM\nkill $$\na", "no", "untold"),
    ("trap 'exit 0' EXIT\nkill -TERM $$\na", "no", "untold"),
    ("/bin/kill -9 $$\na", "no", "never"),
    ("kill -0 $$\na", "yes", "always"),
    ("b & kill $! 2>/dev/null\na", "yes", "always"),
    ("sleep infinity\na", "no", "never"),
    ("tail -f /dev/null\na", "no", "never"),
    ("sleep 100d\na", "no", "untold"),
    ("sleep 0\na", "yes", "always"),
    ("set -e\r\na\r\n", "no", "untold"),
    # it never ends well
    ("set -e\na\nkill $$", "yes", "always"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "proven", "reached"), _SCRIPTS)
def test_what_stops_a_script(text: str, proven: str, reached: str, tmp_path: Path) -> None:
    done = read(text, dialect="sh")
    told = [c for c in done.commands if c.shown in ("a", "a\r")]
    assert [c.reached for c in told] == ([reached] if told else [])
    assert told or reached == "untold"
    assert (done.proves(lambda c: c.shown == "a") is True) is (proven == "yes")
    script = tmp_path / "script"
    script.write_text(text)
    for shell in _SHELLS:
        for status in (0, 3):
            ran, ended = _run(shell, script, status, tmp_path)
            if reached == "always":
                assert ran
            if reached == "never":
                assert not ran
            if proven == "yes":
                assert ended != 0 or (ran and status == 0)


def _run(shell: str, script: Path, status: int, folder: Path) -> tuple[bool, int | None]:
    """Was `a` run, and how did the script end? None where it does not end of itself."""
    mark = folder / "ran"
    mark.unlink(missing_ok=True)
    for name in ("a", "b"):
        path = folder / name
        path.write_text(f"#!/bin/sh\n[ {name} = b ] || : >{mark}\nexit {status}\n")
        path.chmod(0o755)
    run = subprocess.Popen(
        [shell, str(script)],
        env={"PATH": f"{folder}:/usr/bin:/bin"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        ended: int | None = run.wait(timeout=0.6)
    except subprocess.TimeoutExpired:
        run.kill()
        run.wait()
        ended = None
    return mark.exists(), ended


def _proves(lines: str, text: str, **more: frozenset[str]) -> bool:
    done = of_lines(lines, {"/b": text}, **more)
    return done.proves(lambda c: c.shown == "a") is True


@pytest.mark.parametrize(
    ("lines", "text", "proven"),
    [
        ("/b", "#!/bin/sh -e\na\necho done", True),
        # the options of its first line are the kernel's affair
        ("/bin/sh /b", "#!/bin/sh -e\na\necho done", False),
        ("/bin/sh -e /b", "#!/bin/sh\na\necho done", True),
        ("/b", "#!/bin/sh -n\na", False),
        ("/bin/sh -n /b", "#!/bin/sh\na", False),
        ("/b", "#!/bin/bash\nset -e\ntrap 'exit 0' ERR\na", False),
        ("/b", "#!/bin/bash\nset -e\ntrap 'echo failed' ERR\na", True),
        ("/b", "#!/bin/sh\r\nset -e\r\na\r\n", False),
        ("/bin/bash /b", "#!/bin/bash\r\nset -e\r\na\r\necho done\r\n", False),
        ("/bin/sh /b", "#!/bin/bash\nset -e\nx=(1)\na", False),
    ],
)
def test_a_script_by_whom_it_is_started(lines: str, text: str, *, proven: bool) -> None:
    assert _proves(lines, text) is proven


@pytest.mark.parametrize(
    ("line", "proven"),
    [
        ("pkill -f /opt/bk", False),
        ("pkill bk", False),
        ("killall bk.sh", False),
        ("killall restic", True),
        ("pkill -x mysqldump", True),
    ],
)
def test_a_signal_to_a_name_may_be_to_itself(line: str, *, proven: bool) -> None:
    text = f"#!/bin/sh\nset -e\n{line} || true\na"
    done = of_lines("/opt/bk.sh", {"/opt/bk.sh": text})
    assert (done.proves(lambda c: c.shown == "a") is True) is proven


def test_a_name_for_another_program() -> None:
    done = read("#!/bin/bash\nset -e\nhash -p /bin/true a\na")
    assert done.proves(lambda c: c.shown == "a") is not True


def test_a_script_that_cannot_be_started_is_not_gone_through() -> None:
    done = of_lines("/b", {"/b": "#!/bin/sh\na"}, frozenset({"/b"}))
    assert [c.shown for c in done.commands] == ["/b"]
