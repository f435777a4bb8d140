"""What stands in records, reports and folders: other than it should be."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from tests.cases import Case
from tests.mutations.shapes import Lines, in_lines, spoiling, text_of


@spoiling
def dump_in_web_folder(case: Case) -> Case | None:
    """A dump lies in a folder that a web server hands out."""

    def lines(old: list[str]) -> Iterable[str]:
        for line in old:
            if line == "== world":
                yield "root /srv/zz/"
                yield "644 33 regular file /srv/zz/shop.sql"
            yield line

    return in_lines(case, exposed_files__names=lines)


@spoiling
def record_without_address(case: Case) -> Case | None:
    """No record of a login says from where."""

    def lines(old: list[str]) -> Iterable[str]:
        for line in old:
            line = re.sub(r" from [0-9a-f.:*]+( port [\d*]+)?", "", line)
            yield re.sub(r"\b(rhost|addr|hostname|laddr)=\S*", r"\1=?", line)

    return in_lines(case, record_samples__lines=lines)


@spoiling
def format_without_port(case: Case) -> Case | None:
    """The formats of access logs leave the source port out."""

    def lines(old: list[str]) -> Iterable[str]:
        for line in old:
            line = re.sub(r"\$\{?(?:realip_|proxy_protocol_)?(?:remote_)?port\}?", "-", line)
            line = re.sub(r"%(?:\{(?:remote|[cX][^}]*[Pp]ort)\}[pi])", "-", line)
            yield re.sub(r"(?i)remote_port|client_port", "nothing", line)

    return in_lines(case, web_servers__config=lines)


@spoiling
def memory_on_disk(case: Case) -> Case | None:
    """Core dumps are written to a folder of their own, which nothing encrypts, and so is swap."""

    def lines(old: list[str]) -> Iterable[str]:
        for line in old:
            if line.startswith("kernel/core_pattern:"):
                line = "kernel/core_pattern:/var/crash/core.%p"
            yield re.sub(r"(Max core file size\s+)\S+(\s+)\S+", r"\1unlimited\2unlimited", line)
            if line.startswith("Filename"):
                yield "/dev/zz1                                partition\t16380\t\t0\t\t-9"

    return in_lines(case, residual__state=lines)


@spoiling
def dump_is_noise(case: Case) -> Case | None:
    """The files that dumps left, packed or not, hold random bytes of the same size."""

    def lines(old: list[str]) -> Iterable[str]:
        snapshot = False
        for line in old:
            if line.startswith("artefact "):
                snapshot = "/snapshots/" in line
            if line.startswith("inner "):
                line = "inner cut"
            yield line if snapshot else re.sub(r"^(head|tail) .*", r"\1 other", line)

    return in_lines(case, backup__artefacts=lines)


@spoiling
def reported_as_failed(case: Case) -> Case | None:
    """The reports of backups and of restores say that they failed."""

    def made(_: str, text: str) -> str:
        return text.replace('"ok": true', '"ok": false')

    told = case.attached.get("restore-tests")
    beside = text_of(case, made, "backup.reports", "restore_tests.records")
    if told is None or b'"ok": true' not in told:
        return beside
    failed = told.replace(b'"ok": true', b'"ok": false')
    return replace(beside or case, attached={**case.attached, "restore-tests": failed})


def _behind(word: str, mark: str = "more") -> Lines:
    """The mark of a cut list in front of what a read ends with, or at its end."""

    def lines(told: list[str]) -> Iterable[str]:
        return [*told[:-1], mark, word] if told[-1:] == [word] else [*told, mark]

    return lines


def _below(head: str) -> Lines:
    return lambda told: [y for x in told for y in ([x, "more"] if x == head else [x])]


@spoiling
def lists_cut(case: Case) -> Case | None:
    """There was more on the host than the read takes."""
    head = _behind("== end", "== more")
    return in_lines(
        case,
        schedules__called=_behind(""), backup__lists=lambda told: ["more called", *told],
        backup__artefacts=_behind(""), drops__syslog=_behind(""), syslog__running=head,
        tls_served__answers=head, detectors__state=head, log_shipping__state=head,
        firewall__undone=_behind("== end"), residual__state=_below("== later"),
        log_guard__modes=_below("== named"),
        inventory__places=_behind("", "more\t-\t*\t*"), inventory__tree=_behind(""),
    )  # fmt: skip
