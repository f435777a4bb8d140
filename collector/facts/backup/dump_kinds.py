"""Whether a dump's file begins as its job's own command prints: noise of the usual size is none.

`pg_dump -Fc` prints PGDMP first, mysqldump `-- MySQL dump`, mongodump --archive its magic number
(mongo-tools, common/archive/prelude.go), and a tar the name of a file. Of a file that is packed or
encrypted its own form's mark tells, and what unpacks where that was looked at.
"""

from __future__ import annotations

import re
from dataclasses import replace

from collector.facts.backup.artefacts.files import Artefact
from collector.facts.backup.commands.command_lines import filled
from collector.facts.backup.commands.destinations import tool_and_args, values
from collector.facts.backup.commands.jobs import BackupJob
from collector.facts.backup.commands.spelling import spelled_out
from collector.i18n.message import Message, msg

_PGDMP = "5047444d50"
_RDB = ("524544495330", "56414c4b4559")
_ARCHIVE = "6de29981"
_GZIP = "1f8b"
# the first line of mysqldump, of mariadb-dump, and the one that MariaDB has set before it
_MYSQL = ("2d2d204d7953514c2064756d70", "2d2d204d6172696144422064756d70", "2f2a4d21393939393939")
_POSTGRESQL = ("2d2d0a2d2d20506f737467726553514c206461746162617365",)
_TEXT = "text"
# what is said of a file that is not in the form that its name says
_NOT_PACKED = {"no_gzip_file", "not_as_named"}
_ENDS = "ends_before_last_line"
_PACKED = (_GZIP, "fd377a585a00", "28b52ffd", "425a68", "04224d18", "02214c18", "504b0304",
           "377abcaf271c", "53616c7465645f5f", "553246736447566b58")  # fmt: skip
# what a pipe's next command passes on as it comes
_PASSES = {"tee", "cat", "pv", "mbuffer", "buffer", "sponge", "nice", "ionice", "dd"}
# what encrypts leaves no mark that is always there, and may do so in another line of the job
_SEALS = re.compile(r"(?:^|[\s/|;&(])(?:gpg2?|openssl|r?age|ccrypt|7za?|zip|mcrypt)\s")
_NO_HEADING = re.compile(r"--(?:skip-comments|compact|comments=(?:0|false|off)|xml)|-\w*[iX]\w*")

# with these nothing that is printed last says that it is the end
_NO_FOOTER = re.compile(r"--(?:skip[-_]comments|compact|comments=(?:0|false|off|FALSE|OFF)|xml)|-X")


def footless(job: BackupJob) -> bool:
    """Is its dump one of mysqldump's that ends with no line which says so?"""
    _, args = tool_and_args(job.words, {job.tool})
    mysql = job.tool in ("mysqldump", "mariadb-dump")
    return mysql and any(map(_NO_FOOTER.fullmatch, args))


def as_printed(job: BackupJob, artefact: Artefact) -> Artefact:
    """The file with a fault where it surely is none that the job's command prints.

    With a doubt where it does not begin as such files do, and something else may stand before it.
    """
    if isinstance(artefact.fault, Message) and artefact.fault.code in _NOT_PACKED:
        return replace(artefact, doubt=artefact.fault)
    if isinstance(artefact.fault, Message) and artefact.fault.code == _ENDS and footless(job):
        artefact = replace(artefact, fault="")
    wanted = _begins(job)
    if wanted is None or artefact.fault or artefact.repository or not artefact.head:
        return artefact
    head = artefact.head
    if head.startswith(_PACKED) and not any(head.startswith(w) for w in wanted):
        return _unpacked(job, artefact, wanted)
    if not _printed_as_is(job):
        return artefact
    if any(head.startswith(w) for w in wanted):
        return artefact
    # captures from before its mark was told apart have `other` for mongodump's archives
    may_be = head == _TEXT and set(wanted) & {*_MYSQL, *_POSTGRESQL}
    if may_be or (wanted == (_ARCHIVE,) and head == "other"):
        return replace(artefact, doubt=msg("not_begin_as_dump", tool=job.tool))
    wrong = msg("not_of_the_kind", tool=job.tool)
    return replace(artefact, fault=wrong, doubt=wrong)


def _unpacked(job: BackupJob, artefact: Artefact, wanted: tuple[str, ...]) -> Artefact:
    """`other` is said of what is unpacked and begins like no dump in words."""
    words = set(wanted) & {*_MYSQL, *_POSTGRESQL}
    plain = not job.piped or _packs_alone(job)
    if artefact.content == "other" and words and plain:
        return replace(artefact, doubt=msg("not_begin_as_dump", tool=job.tool))
    return artefact


def _packs_alone(job: BackupJob) -> bool:
    names = {words[0].rpartition("/")[2] for words in job.piped if words}
    return names <= _PASSES | {"gzip", "pigz", "xz", "zstd", "bzip2", "lz4"}


def _printed_as_is(job: BackupJob) -> bool:
    names = {words[0].rpartition("/")[2] for words in job.piped if words}
    return names <= _PASSES and not _SEALS.search(filled(job.job.text))


def _begins(job: BackupJob) -> tuple[str, ...] | None:
    """How a file begins that its command prints, in hex; None where its words do not say."""
    _, args = tool_and_args(job.words, {job.tool})
    if job.tool in ("mysqldump", "mariadb-dump"):
        return (_TEXT, *_MYSQL) if any(map(_NO_HEADING.fullmatch, args)) else _MYSQL
    if job.tool == "pg_dumpall":
        return _POSTGRESQL
    if job.tool == "pg_dump":
        return _by_format(spelled_out("pg_dump", args))
    if job.tool == "mongodump":
        archive = any(a.startswith("--archive") for a in args)
        return ((_GZIP,) if "--gzip" in args else (_ARCHIVE,)) if archive else None
    if job.tool == "redis-cli":
        return _RDB if "--rdb" in args else None
    return None


def _by_format(args: list[str]) -> tuple[str, ...] | None:
    told = [m[1] for a in args if (m := re.fullmatch(r"-[A-Za-z]*F(\w+)", a))]
    told += values(args, "-F", "--format")
    form = told[-1] if told else "p"
    known: dict[str, tuple[str, ...]] = {"c": (_PGDMP,), "t": (_TEXT,), "p": _POSTGRESQL}
    # a name that only shows at run time
    return known.get(form[:1])
