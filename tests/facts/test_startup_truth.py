"""Startup files that look as if they set TMOUT, or do not: bash itself is the measure.

`idle` may say that it does not know; what it says is so, a bash shows that runs the same files.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from collector.errors import FactError
from collector.facts.access import idle_timeout
from collector.facts.access.idle_timeout import READS, idle
from collector.model import Capture, HostStatus, ReadResult, ReadStatus
from tests.masked import redacted

_LOOP = 'for i in /etc/profile.d/*.sh; do\n  if [ -r "$i" ]; then\n    . "$i"\n  fi\ndone\n'
# the files of /etc/profile.d; what may be followed, and is not
_FILES: dict[str, tuple[str, ...]] = {
    "ret_cond": ('[ "$USER" = root ] && return\nreadonly TMOUT=600\nexport TMOUT\n',),
    "ret_if": ('if [ -n "$SSH_TTY" ]; then return; fi\nreadonly TMOUT=600\nexport TMOUT\n',),
    "ret_or": ("[ -t 0 ] || return\nreadonly TMOUT=600\nexport TMOUT\n",),
    "ret_case": ("case $- in *i*) ;; *) return;; esac\nreadonly TMOUT=600\nexport TMOUT\n",),
    "ret_case_all": ("case $- in *) return;; esac\nreadonly TMOUT=600\nexport TMOUT\n",),
    "exit_earlier": (
        '[ "$(id -u)" = 0 ] && TMOUT=0 && readonly TMOUT\n',
        "readonly TMOUT=600\nexport TMOUT\n",
    ),
    "unset_later": ("TMOUT=600\nexport TMOUT\n", "unset TMOUT\n"),
    "zero_later_cond": (
        "TMOUT=600\nexport TMOUT\n",
        '[ -n "$SSH_CONNECTION" ] && TMOUT=0\nreadonly TMOUT\n',
    ),
    "func_not_called": ("set_tmout() {\nreadonly TMOUT=600\nexport TMOUT\n}\n",),
    "func_called": ("set_tmout() {\nreadonly TMOUT=600\nexport TMOUT\n}\nset_tmout\n",),
    "heredoc": ("cat >/dev/null <<EOF\nreadonly TMOUT=600\nexport TMOUT\nEOF\n",),
    "colon_heredoc": (": <<'EOF'\nreadonly TMOUT=600\nexport TMOUT\nEOF\n",),
    "squote": ("x='\nreadonly TMOUT=600\nexport TMOUT\n'\n",),
    "false_and": ("false && readonly TMOUT=600\n",),
    "if_false": ("if false; then\nreadonly TMOUT=600\nexport TMOUT\nfi\n",),
    "subshell": ("( readonly TMOUT=600 )\n",),
    "subshell_ml": ("(\nreadonly TMOUT=600\n)\n",),
    "pipe": ("echo a | readonly TMOUT=600\n",),
    "background": ("readonly TMOUT=600 &\n",),
    "cmd_prefix": ("TMOUT=600 true\n",),
    "echo": ("echo readonly TMOUT=600 >/dev/null\n",),
    "and_list": ('[ -n "$PS1" ] && readonly TMOUT=600\n',),
    "or_list": ('[ -n "$PS1" ] || readonly TMOUT=600\n',),
    "or_true": ("true || readonly TMOUT=600\n",),
    "neg": ('[ -z "$PS1" ] && readonly TMOUT=600\n',),
    "declare_i": ("declare -r TMOUT=600\n",),
    "typeset_fn": ("f() { typeset -r TMOUT=600; }\nf\n",),
    "printf_v": ("TMOUT=600\nprintf -v TMOUT 0\nreadonly TMOUT\n",),
    "read": ("TMOUT=600\nread TMOUT <<< 0\nreadonly TMOUT\n",),
    "for_tm": ("TMOUT=600\nfor TMOUT in 0; do :; done\nreadonly TMOUT\n",),
    "let": ("TMOUT=600\nlet TMOUT=0\nreadonly TMOUT\n",),
    "arith2": ("TMOUT=600\n((TMOUT=0))\nreadonly TMOUT\n",),
    "while": ("while false; do\nreadonly TMOUT=600\nexport TMOUT\ndone\n",),
    "unset_v": ("TMOUT=600\nunset -v TMOUT\nreadonly TMOUT\n",),
    "brace_group": ("{\nreadonly TMOUT=600\n}\n",),
    "twolines": ("export \\\nTMOUT=600\nreadonly TMOUT\n",),
    "eval_after": ("TMOUT=600\n", 'eval "TMOUT=0"\nreadonly TMOUT\n'),
}
_PROFILES = {
    "loop": _LOOP,
    "returns": f'[ "$(id -u)" -lt 99999 ] && return\n{_LOOP}',
    "no loop": "PATH=/bin:/usr/bin\n",
    "loop for others": f'if [ "$(id -u)" -lt 99999 ]; then :; else\n{_LOOP}fi\n',
    "breaks": 'for i in /etc/profile.d/*.sh; do . "$i"; break; done\n',
    "flags": _LOOP.replace('. "$i"', 'if [ "${-#*i}" != "$-" ]; then . "$i"; else :; fi'),
    "one line": 'for i in /etc/profile.d/*.sh; do\n  [ -r "$i" ] && . "$i"\ndone\n',
    "brackets": f"[[ $- == *i* ]] || return\n{_LOOP}",
}
_UNKNOWN = {"ret_cond", "ret_if", "ret_or", "exit_earlier", "zero_later_cond", "returns",
            "loop for others", "printf_v", "read", "for_tm", "let", "arith2", "eval_after"}  # fmt: skip
_FIXED = "readonly TMOUT=600\nexport TMOUT\n"
_HOSTS = {
    **{name: (_LOOP, *parts) for name, parts in _FILES.items()},
    **{name: (text, ":\n", _FIXED) for name, text in _PROFILES.items()},
}


def _told(files: dict[str, str]) -> tuple[int | None, bool] | None:
    """What is made of what leaves the host: seconds, and whether they are fixed; None: unknown."""
    shown = "".join(
        f"file {path}\n" + "".join(f"|{line}\n" for line in text.splitlines())
        for path, text in files.items()
    )
    kept = subprocess.run(
        ["sed", "-e", idle_timeout._KEPT], input=f"{shown}== end\n", capture_output=True, text=True,
        check=True,
    ).stdout  # fmt: skip
    read = next(r for r in READS if r.id == "startup.shell")
    result = ReadResult(read.id, ReadStatus.OK, stdout=redacted(read.redact, kept.encode()))
    try:
        found = idle(Capture("h", HostStatus.COMPLETE, reads={read.id: result}))
    except FactError:
        return None
    if found.doubts or (found.conditional and found.seconds is None):
        return None
    return found.seconds, found.fixed


@pytest.mark.skipif(not shutil.which("bash"), reason="bash is the measure")
@pytest.mark.parametrize("name", _HOSTS)
def test_what_is_told_is_so(name: str, tmp_path: Path) -> None:
    profile, *parts = _HOSTS[name]
    files = {"/etc/profile": profile}
    files |= {f"/etc/profile.d/{n}.sh": text for n, text in enumerate(parts)}
    (tmp_path / "profile.d").mkdir()
    for path, text in files.items():
        place = tmp_path / path.removeprefix("/etc/")
        place.write_text(text.replace("/etc/", f"{tmp_path}/"), encoding="utf-8")
    ask = f'. {tmp_path}/profile; echo "R ${{TMOUT-none}} $(readonly -p | grep -c " TMOUT")"'
    said = subprocess.run(
        ["bash", "--norc", "--noprofile", "-ic", ask],
        capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
        env={"PATH": "/usr/bin:/bin", "USER": "root", "SSH_TTY": "x", "SSH_CONNECTION": "1",
             "TERM": "dumb"},
    ).stdout  # fmt: skip
    last = [line.split()[1:] for line in said.splitlines() if line.startswith("R ")][-1]
    truth = (None if last[0] == "none" else int(last[0]), last[1] == "1")
    told = _told(files)
    assert told in (None, truth)
    assert (told is None) is (name in _UNKNOWN)
