"""`hostpledge doctor`: is everything there that the other commands need, and how is it mended?"""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import click

from collector.cli.options.common import form_option
from collector.cli.ui.columns import labelled, out
from collector.cli.ui.language import lang_option, tr
from collector.errors import BadInput, CollectorError, VerifyFailed, one_line
from collector.export.envelope import as_json
from collector.i18n.message import in_chinese
from collector.resources import home_place

_PYTHON = (3, 11)
_ENGINES = (
    ("ansible-core", (2, 19), (2, 22), "pip install 'ansible-core>=2.19,<2.22'"),
    ("ansible-runner", (2, 4, 1), None, "pip install 'ansible-runner>=2.4.1'"),
)
# what has a name in each language, by the word for programs
_NAMES = {
    "home": tr("数据目录", "own folder"),
    "signing_key": tr("签名密钥", "signing key"),
    "register": tr("登记库", "register"),
    "bundles": tr("证据包", "bundles"),
    "trust": tr("信任", "trust"),
}


class State(StrEnum):
    """`NOTE`: not there, and only some commands want it."""

    OK = "ok"
    NOTE = "note"
    BAD = "bad"


_SIGNS = {State.OK: "✓", State.NOTE: "-", State.BAD: "✗"}


@dataclass(frozen=True, slots=True)
class Check:
    name: str
    state: State
    found: str
    mend: str = ""


@click.command(
    help=tr(
        "检查运行环境，并给出每个问题的处理办法。退出码：0 可用；1 有问题。",
        "Looks at what the other commands need, and names the mend of each trouble. Exit status: "
        "0 fit for use; 1 something is wrong.",
    )
)
@form_option("table", "json")
@lang_option
def doctor(form: str) -> int:
    checks = list(examine())
    fit = not any(check.state is State.BAD for check in checks)
    if form == "json":
        out(as_json("doctor", {"fit": fit, "checks": [_entry(check) for check in checks]}))
        return 0 if fit else 1
    lines = []
    for check in checks:
        lines.append(labelled(f"{_SIGNS[check.state]} {check.name}", check.found, column=22))
        if check.mend:
            # on one line, however long: it is there to be copied
            lines.append(f"    → {check.mend}")
    bad = sum(check.state is State.BAD for check in checks)
    lines.append("")
    lines.append(
        tr(f"{bad} 个问题需要处理", f"{bad} to mend") if bad else tr("可以使用", "fit for use")
    )
    out("\n".join(lines) + "\n")
    return 0 if fit else 1


def _entry(check: Check) -> dict[str, Any]:
    return {
        "id": next((id for id, name in _NAMES.items() if name == check.name), check.name),
        "name": check.name,
        "state": str(check.state),
        "found": check.found,
        "mend": check.mend or None,
    }


def examine() -> Iterator[Check]:
    """Every check, in the order in which a person would mend them."""
    yield _python()
    for name, least, below, mend in _ENGINES:
        yield _engine(name, least, below, mend)
    yield _ssh()
    yield _program(
        "sshpass",
        tr("仅在用口令登录主机时需要", "only wanted for logins with a password"),
        tr("安装 sshpass，或改用密钥登录", "install sshpass, or log in with keys"),
    )
    folder = _home()
    yield folder
    if folder.state is not State.BAD:
        yield _key()
        yield _register()
        yield from _bundles()
        yield _trust()
    yield _pages()


def _python() -> Check:
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] >= _PYTHON:
        return Check("Python", State.OK, version)
    return Check(
        "Python", State.BAD, version, tr("需要 Python 3.11 或更新版本", "use Python 3.11 or newer")
    )


def _engine(name: str, least: tuple[int, ...], below: tuple[int, ...] | None, mend: str) -> Check:
    try:
        version = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return Check(name, State.BAD, tr("未安装", "not installed"), mend)
    numbers = numbers_of(version)
    if numbers < least or (below is not None and numbers >= below):
        return Check(
            name, State.BAD, tr(f"{version}，版本不受支持", f"{version}: not supported"), mend
        )
    return Check(name, State.OK, version)


def numbers_of(version: str) -> tuple[int, ...]:
    """The leading numbers of a version: 2.19.4rc1 gives (2, 19, 4)."""
    numbers: list[int] = []
    for part in version.split("."):
        digits = ""
        for letter in part:
            if not letter.isdecimal():
                break
            digits += letter
        if not digits:
            break
        numbers.append(int(digits))
        if digits != part:
            break
    return tuple(numbers)


def _ssh() -> Check:
    program = shutil.which("ssh")
    if program is None:
        return Check(
            "ssh",
            State.BAD,
            tr("未找到", "not found"),
            tr(
                "安装 openssh-client（openssh-clients）", "install openssh-client (openssh-clients)"
            ),
        )
    try:
        said = subprocess.run(
            [program, "-V"], stdin=subprocess.DEVNULL, capture_output=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as problem:
        return Check("ssh", State.BAD, one_line(str(problem)), tr("重新安装 ssh", "reinstall ssh"))
    return Check("ssh", State.OK, one_line(said.stderr.decode("utf-8", "replace")) or program)


def _program(name: str, why: str, mend: str) -> Check:
    found = shutil.which(name)
    if found:
        return Check(name, State.OK, found)
    return Check(name, State.NOTE, f"{tr('未找到', 'not found')}: {why}", mend)


def _home() -> Check:
    name = _NAMES["home"]
    folder = home_place()
    if not folder.exists():
        above = next((p for p in folder.absolute().parents if p.exists()), Path("/"))
        # /proc and its like let root write and hold nothing
        held = os.statvfs(above).f_blocks > 0
        if held and above.is_dir() and os.access(above, os.W_OK | os.X_OK):
            said = tr(f"{folder} 尚不存在，用到时新建", f"{folder}: made when it is needed")
            return Check(name, State.OK, said)
        said = tr(f"{folder} 无法新建", f"{folder} cannot be made")
        mend = tr(
            "把 HOSTPLEDGE_HOME 设为可写的目录", "set HOSTPLEDGE_HOME to a folder you can write"
        )
        return Check(name, State.BAD, said, mend)
    mode = stat.S_IMODE(folder.stat().st_mode)
    if not os.access(folder, os.W_OK | os.X_OK):
        return Check(
            name,
            State.BAD,
            tr(f"{folder} 不可写", f"{folder} cannot be written"),
            tr(
                "把 HOSTPLEDGE_HOME 设为可写的目录", "set HOSTPLEDGE_HOME to a folder you can write"
            ),
        )
    if mode & 0o077:
        return Check(
            name,
            State.BAD,
            tr(f"{folder} 对他人开放（{mode:04o}）", f"{folder} is open to others ({mode:04o})"),
            f"chmod 700 {folder}",
        )
    return Check(name, State.OK, f"{folder} ({mode:04o})")


def _key() -> Check:
    from collector.attest.keys import keys
    from collector.attest.trust import keyring

    name = _NAMES["signing_key"]
    found = sorted(keyring.folder().glob("*.pem"))
    if not found:
        return Check(
            name,
            State.NOTE,
            tr("没有；签名证据包时需要", "none; wanted to sign bundles"),
            "hostpledge key new",
        )
    for path in found:
        trouble = _trouble(path)
        if trouble:
            return Check(name, State.BAD, trouble[0], trouble[1])
        try:
            if not keys.encrypted(path):
                keys.load(path)
        except CollectorError as problem:
            return Check(
                name, State.BAD, str(problem), tr("换一个密钥文件", "replace the key file")
            )
    names = tr("、", ", ").join(path.stem for path in found)
    return Check(name, State.OK, names)


def _trouble(path: Path) -> tuple[str, str] | None:
    """A key file that others can read, and the mend."""
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        return (
            tr(f"{path} 对他人开放（{mode:04o}）", f"{path} is open to others ({mode:04o})"),
            f"chmod 600 {path}",
        )
    return None


def _register() -> Check:
    from collector.cli.workflows.checkpoints import stepped_back
    from collector.pledges.register.register import FILE, Register

    name = _NAMES["register"]
    if not os.environ.get("HOSTPLEDGE_REGISTER") and not (home_place() / FILE).exists():
        return Check(
            name,
            State.NOTE,
            tr("没有；管理责任书登记时需要", "none; wanted to keep pledge records"),
            "hostpledge pledge add",
        )
    try:
        register = Register.open(create=False)
        count = len(register.list())
        said = list(stepped_back(register.log()))
    except VerifyFailed as problem:
        return Check(
            name,
            State.BAD,
            one_line(str(problem)),
            tr("由备份恢复：", "restore it from a backup: ") + "hostpledge register restore",
        )
    except (CollectorError, OSError) as problem:
        return Check(
            name,
            State.BAD,
            one_line(str(problem)),
            tr(
                "检查 HOSTPLEDGE_REGISTER 与文件权限",
                "check HOSTPLEDGE_REGISTER and the file's mode",
            ),
        )
    if said:
        return Check(name, State.NOTE, said[0])
    return Check(name, State.OK, tr(f"{count} 条登记", f"{count} pledge records"))


def _bundles() -> Iterator[Check]:
    from collector.cli.workflows.desk.left_bundles import left_bundles

    if (told := left_bundles()) is not None:
        yield Check(_NAMES["bundles"], State.NOTE, *told)


def _trust() -> Check:
    from collector.attest.trust import keyring
    from collector.attest.trust.trust_file import load_trust
    from collector.pledges.register.signers import NAMED

    name, named = _NAMES["trust"], os.environ.get(NAMED)
    try:
        known = keyring.trust().keys + (load_trust(Path(named)).keys if named else ())
    except CollectorError as problem:
        return Check(
            name,
            State.BAD,
            one_line(str(problem)),
            tr(f"检查 {NAMED}", f"check {NAMED}"),
        )
    if not known:
        return Check(
            name,
            State.NOTE,
            tr(
                "没有；网页（hostpledge serve）没有它时，证据一概按未能核查计",
                "nobody; without it the page of `hostpledge serve` counts no evidence",
            ),
            tr(f"{NAMED}=信任文件", f"{NAMED}=trust.json"),
        )
    return Check(name, State.OK, tr(f"{len(known)} 个密钥", f"{len(known)} key(s)"))


def _pages() -> Check:
    from collector.report.render import pdf

    try:
        pdf.check()
    except BadInput as problem:
        return Check(
            "WeasyPrint",
            State.NOTE,
            tr(
                f"report --pdf 不可用：{in_chinese(problem.what)}",
                f"no report --pdf: {problem.what}",
            ),
            tr(in_chinese(problem.mend), problem.mend),
        )
    return Check("WeasyPrint", State.OK, pdf.version())
