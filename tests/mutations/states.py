"""What runs, what starts with the host, and how its files lie there."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from tests.cases import Case
from tests.mutations.shapes import Lines, both, in_files, in_lines, spoiling

# without these nobody would have looked at the host at all
_KEPT = re.compile(r"(?:systemd|init|sshd|sshd-session|dbus-daemon|cron|crond|busybox)")
_NEEDED = re.compile(r"(?:ssh|sshd|dbus|systemd-[a-z]+|init|cron|crond)\.service")


def _units(state: str, sub: str, load: str = "") -> Lines:
    def lines(old: list[str]) -> Iterable[str]:
        for line in old:
            words = line.split(None, 4)
            name = words[0] if words else ""
            if len(words) < 4 or not name.endswith(".service") or _NEEDED.fullmatch(name):
                yield line
            elif words[2] in ("active", "activating", "reloading"):
                yield " ".join((name, load or words[1], state, sub, *words[4:]))
            else:
                yield line

    return lines


@spoiling
def unit_failed(case: Case) -> Case | None:
    """Every service but sshd, dbus, cron and systemd's own: `failed`."""
    return in_lines(case, services__units=_units("failed", "failed"))


@spoiling
def unit_stopped(case: Case) -> Case | None:
    """As an administrator stops it: inactive, and its processes are gone."""
    stop = lambda c: in_lines(c, services__units=_units("inactive", "dead"))  # noqa: E731
    return both(stop, process_gone)(case)


@spoiling
def unit_masked(case: Case) -> Case | None:
    """Stopped and masked."""

    def masked(old: list[str]) -> Iterable[str]:
        for line in old:
            name, *rest = line.split() or [""]
            hit = rest and name.endswith(".service") and not _NEEDED.fullmatch(name)
            yield f"{name} masked {' '.join(rest[1:])}".rstrip() if hit else line

    mask = lambda c: in_lines(  # noqa: E731
        c, services__units=_units("inactive", "dead", "masked"), services__unit_files=masked
    )
    return both(mask, process_gone)(case)


@spoiling
def not_at_boot(case: Case) -> Case | None:
    """Runs, and nothing starts it at the next boot."""

    def disabled(old: list[str]) -> Iterable[str]:
        for line in old:
            name, *rest = line.split() or [""]
            hit = rest and rest[0].startswith("enabled") and not _NEEDED.fullmatch(name)
            yield f"{name} disabled {' '.join(rest[1:])}".rstrip() if hit else line

    def links(old: list[str]) -> Iterable[str]:
        return (x for x in old if not re.match(r"/etc/(rc|runlevels|systemd)", x))

    return in_lines(case, services__unit_files=disabled, services__boot=links)


@spoiling
def process_gone(case: Case) -> Case | None:
    """Nothing runs but the init system, the kernel's threads, sshd, cron and dbus."""

    def lines(old: list[str]) -> Iterable[str]:
        kept = {"1"}
        for line in old:
            found = re.match(r"/proc/(\d+)/status:(Name|PPid):\s*(\S*)", line)
            if (found and found[2] == "Name" and _KEPT.fullmatch(found[3])) or (
                found and found[2] == "PPid" and found[3] == "2"
            ):
                kept.add(found[1])
        for line in old:
            of = re.search(r"/proc/(\d+)/", line)
            if of is None or of[1] in kept:
                yield line

    return in_lines(case, processes__all=lines)


@spoiling
def file_emptied(case: Case) -> Case | None:
    """Every file that was found is empty."""
    return in_files(case, lambda f: replace(f, data=b"", size=0))


@spoiling
def anyone_may_write(case: Case) -> Case | None:
    """Every file may be written by everybody, and folders and logs as well."""

    def modes(old: list[str]) -> Iterable[str]:
        for line in old:
            made = re.sub(r"^([-d])[-rwxsStT]{9} \d{3,4} ", _open, line)
            yield re.sub(r"^([-d])[-rwxsStT]{9} (?=\d+ +\d)", r"\1rwxrwxrwx ", made)

    return both(
        lambda c: in_files(c, lambda f: replace(f, mode=f.mode | 0o666)),
        lambda c: in_lines(c, log_guard__modes=modes, backup_named__files=modes),
    )(case)


def _open(found: re.Match[str]) -> str:
    return f"{found[1]}rwxrwxrwx 777 "


@spoiling
def owned_by_a_user(case: Case) -> Case | None:
    """Every file belongs to a user who is not root."""

    def owners(old: list[str]) -> Iterable[str]:
        for line in old:
            made = re.sub(r"^([-d][-rwxsStT]{9} \d{3,4}) 0 ", r"\1 1000 ", line)
            yield re.sub(r"^([-d][-rwxsStT]{9} +\d+ +)0 ", r"\g<1>1000 ", made)

    return both(
        lambda c: in_files(c, lambda f: replace(f, uid=1000, gid=1000)),
        lambda c: in_lines(c, log_guard__modes=owners, backup_named__files=owners),
    )(case)
