"""Jobs that start by themselves: they do not, or their end tells nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from tests.cases import Case
from tests.mutations.shapes import both, in_files, in_lines, spoiling, text_of

_TABS, _PERIODIC = "schedules.tabs", "schedules.periodic"
_LINE = re.compile(r"^\s*(@\w+|[\d*@][^\s=]*\s+\S+\s+\S+\s+\S+\s+\S+)\s+\S")


@spoiling
def timer_off(case: Case) -> Case | None:
    """Every timer stopped and disabled."""

    def shown(old: list[str]) -> Iterable[str]:
        timer = False
        for line in old:
            if line.startswith("Id="):
                timer = line.endswith(".timer")
            line = re.sub(r"^ActiveState=.*", "ActiveState=inactive", line) if timer else line
            yield re.sub(r"^UnitFileState=.*", "UnitFileState=disabled", line) if timer else line

    def units(old: list[str]) -> Iterable[str]:
        for line in old:
            hit = re.match(r"(\S+\.timer)\s+(\S+)\s+active\s+\S+", line)
            yield f"{hit[1]} {hit[2]} inactive dead" if hit else line

    def files(old: list[str]) -> Iterable[str]:
        return (re.sub(r"^(\S+\.timer\s+)enabled", r"\1disabled", line) for line in old)

    return in_lines(
        case, schedules__timers=shown, services__units=units, services__unit_files=files
    )


@spoiling
def timer_masked(case: Case) -> Case | None:
    """Every timer masked."""

    def shown(old: list[str]) -> Iterable[str]:
        timer = False
        for line in old:
            if line.startswith("Id="):
                timer = line.endswith(".timer")
            if timer and line.startswith(("LoadState=", "UnitFileState=")):
                line = f"{line.partition('=')[0]}=masked"
            yield re.sub(r"^ActiveState=.*", "ActiveState=inactive", line) if timer else line

    def units(old: list[str]) -> Iterable[str]:
        for line in old:
            hit = re.match(r"(\S+\.timer)\s+\S+\s+\S+\s+\S+", line)
            yield f"{hit[1]} masked inactive dead" if hit else line

    def files(old: list[str]) -> Iterable[str]:
        return (re.sub(r"^(\S+\.timer\s+)\S+", r"\1masked", line) for line in old)

    return in_lines(
        case, schedules__timers=shown, services__units=units, services__unit_files=files
    )


@spoiling
def timer_never_fired(case: Case) -> Case | None:
    """No timer has fired yet, and no service has ended."""

    def shown(old: list[str]) -> Iterable[str]:
        for line in old:
            yield re.sub(r"^(LastTriggerUSec|ExecMain\w+Timestamp)=.*", r"\1=", line)

    return in_lines(case, schedules__timers=shown)


@spoiling
def run_failed(case: Case) -> Case | None:
    """The last run of every service ended with status 1."""

    def shown(old: list[str]) -> Iterable[str]:
        for line in old:
            line = re.sub(r"^Result=.*", "Result=exit-code", line)
            line = re.sub(r"^ExecMainStatus=.*", "ExecMainStatus=1", line)
            yield re.sub(r"\bstatus=0(/\S+)? }", "status=1 }", line)

    return in_lines(case, schedules__timers=shown)


@spoiling
def tab_commented(case: Case) -> Case | None:
    """Every line of every crontab behind a `#`, and no script of cron.daily executable."""

    def made(path: str, text: str) -> str:
        return "".join(f"#{line}\n" for line in text.splitlines())

    return both(
        lambda c: text_of(c, made, _TABS),
        lambda c: in_files(c, lambda f: replace(f, mode=0o644), _PERIODIC),
    )(case)


@spoiling
def tab_refused(case: Case) -> Case | None:
    """Crontabs that belong to a user and that everybody may write: cron passes over them."""
    return in_files(case, lambda f: replace(f, uid=1000, mode=0o666), _TABS)


@spoiling
def status_swallowed(case: Case) -> Case | None:
    """`|| true` behind each command of a job, in crontab, unit and script."""

    def tab(path: str, text: str) -> str:
        return "".join(f"{x} || true\n" if _LINE.match(x) else f"{x}\n" for x in text.splitlines())

    def script(line: str) -> str:
        simple = re.fullmatch(r"\s*[\w./-]+(\s[^#;{}()&|]*)?", line) and not re.match(
            r"\s*(if|then|else|elif|fi|for|do|done|while|case|esac|set|exit|return"
            r"|export|local|trap|function)\b",
            line,
        )
        whole = (
            simple
            and line.strip()
            and not line.rstrip().endswith("\\")
            and "=" not in (line.split(maxsplit=1)[0])
        )
        return f"{line} || true" if whole else line

    def called(old: list[str]) -> Iterable[str]:
        return (f"|{script(x[1:])}" if x.startswith("|") else x for x in old)

    def periodic(path: str, text: str) -> str:
        return "".join(f"{script(x)}\n" for x in text.splitlines())

    def shown(old: list[str]) -> Iterable[str]:
        return (x.replace("ignore_errors=no", "ignore_errors=yes") for x in old)

    return both(
        lambda c: text_of(c, tab, _TABS),
        lambda c: text_of(c, periodic, _PERIODIC),
        lambda c: in_lines(c, schedules__called=called, schedules__timers=shown),
    )(case)
