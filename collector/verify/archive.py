"""Unpacks a bundle that came as a ZIP file from somebody we do not trust.

It is taken in the one form in which `pack` writes it (ADR 21), so that whatever program unpacks it
finds the same files: nothing lies before, between or after, and nothing is said twice.
"""

from __future__ import annotations

import io
import re
import zlib
from collections.abc import Iterator
from pathlib import Path

from collector import private
from collector.attest.bundle import bag, container
from collector.attest.bundle.container import Entry
from collector.attest.bundle.making import packs
from collector.attest.trust.trust_file import Trust
from collector.errors import VerifyFailed
from collector.i18n.message import msg
from collector.verify import front

MOST_ENTRIES = 100_000
_DEEPEST = 8
MOST_BYTES = bag.MOST_BYTES
# nothing in a bundle packs better than its repetitive evidence.json, which reaches about 60
MOST_RATIO = 200
# what documents that were packed, once, may unpack to beyond that: of the whole archive
FREE = 1 << 20
_CHUNK = 1 << 20
# all names in a bundle: what is odd in the name of a host is written as =XX
_PART = re.compile(r"[A-Za-z0-9_=.-]+", re.ASCII)


def unpack(path: Path, target: Path, *, where: str = "", trust: Trust | None = None) -> Path:
    """Unpacks into the empty folder `target`, and returns it.

    `where` is what to call the archive (default: its path).
    Raises VerifyFailed for any byte beside the content that is not the one that `pack` writes, for
    names that lead elsewhere or stand twice (also in other letters), and for more entries, bytes
    or a higher ratio than a bundle has; then, with nothing but the envelope unpacked, for what the
    signed statement does not name, or, with `trust`, where nobody trusted signed it. No entry
    yields more than its header says, so that what is checked of the headers holds (ADR 50).
    """
    where = where or str(path)
    with private.opened(path) as source:
        entries = container.layout(source, where, most=MOST_ENTRIES)
        _check_names(entries)
        _check_sizes(entries)
        for entry in entries:
            if entry.name in front.FILES:
                _extract(source, entry, target)
        front.look(target, [entry.name for entry in entries], trust)
        for entry in entries:
            if entry.name not in front.FILES:
                _extract(source, entry, target)
    return target


def _check_sizes(entries: list[Entry]) -> None:
    """By what their headers say, before a byte is unpacked."""
    free, left = FREE, MOST_BYTES
    for entry in entries:
        if entry.method == container.STORED and entry.size != entry.packed:
            raise VerifyFailed(msg("not_archive_says"), where=entry.name)
        free -= max(0, entry.size - entry.packed * MOST_RATIO)
        left -= entry.size
        if min(free, left) < 0:
            raise VerifyFailed(msg("unpacks_more_bundle_holds"), where=entry.name)
    bag.check_sizes({entry.name: entry.size for entry in entries})


def _check_names(entries: list[Entry]) -> None:
    seen: set[str] = set()
    folders: set[str] = set()
    for entry in entries:
        parts = entry.name.split("/")
        if (
            any(not _PART.fullmatch(part) or part in (".", "..") for part in parts)
            or len(parts) > _DEEPEST
        ):
            raise VerifyFailed(msg("name_leads_elsewhere"), where=repr(entry.name))
        if entry.name.lower() in seen:
            raise VerifyFailed(msg("stands_twice_archive"), where=repr(entry.name))
        seen.add(entry.name.lower())
        folders |= {"/".join(parts[:many]).lower() for many in range(1, len(parts))}
    before = ""
    for entry in entries:
        if entry.name.lower() in folders:
            raise VerifyFailed(msg("both_file_folder"), where=repr(entry.name))
        if entry.name <= before:
            raise container.other_form(msg("its_order"), repr(entry.name))
        before = entry.name
        # documents were packed too, once
        freely = entry.name.startswith("data/attached/")
        if (entry.method == container.DEFLATED) is not packs(entry.name) and not freely:
            raise container.other_form(msg("its_method"), repr(entry.name))
        if entry.wide is not container.is_wide(entry.size):
            raise container.other_form(msg("its_header"), repr(entry.name))


def _extract(source: io.BufferedReader, entry: Entry, target: Path) -> None:
    place = target / entry.name
    private.folder(place.parent)
    source.seek(entry.offset + len(entry.local()))
    written = crc = 0
    with private.create(place) as out:
        for chunk in _content(source, entry):
            written, crc = written + len(chunk), zlib.crc32(chunk, crc)
            if written > entry.size:
                raise VerifyFailed(msg("not_archive_says"), where=entry.name)
            out.write(chunk)
    if (written, crc) != (entry.size, entry.crc):
        raise VerifyFailed(msg("not_archive_says"), where=entry.name)


def _content(source: io.BufferedReader, entry: Entry) -> Iterator[bytes]:
    """Its bytes, a piece at a time; raises VerifyFailed unless they fill exactly their place."""
    left = entry.packed
    unpacking = None if entry.method == container.STORED else zlib.decompressobj(-15)
    held = b""
    while left if unpacking is None else not unpacking.eof:
        if left and not held:
            held = source.read(min(left, _CHUNK))
            left = left - len(held) if held else 0
        if unpacking is None:
            yield held
            held = b""
            continue
        try:
            chunk = unpacking.decompress(held, _CHUNK)
        except zlib.error:
            raise VerifyFailed(msg("not_whole_zip_file"), where=entry.name) from None
        held = unpacking.unconsumed_tail
        if not (chunk or held or left or unpacking.eof):
            raise VerifyFailed(msg("not_whole_zip_file"), where=entry.name)
        yield chunk
    if left or (unpacking is not None and unpacking.unused_data):
        raise VerifyFailed(msg("something_follows_packed_content"), where=entry.name)
