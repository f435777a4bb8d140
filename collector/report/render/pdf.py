"""The report on A4 pages, set by WeasyPrint, with every character that it shows in its fonts.

It has templates of its own (`pages*.html.j2`, `pages.css`) over the same contents as the HTML.
Nothing is fetched, and the same contents give the same bytes where the same fonts are there.
"""

from __future__ import annotations

import gc
import io
import logging
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from typing import Any

from collector.errors import BadInput, one_line
from collector.i18n.message import msg
from collector.report.render.alike import fleet
from collector.report.render.html import page

FONTS = ("Noto Serif CJK SC", "Noto Sans CJK SC", "Noto Sans Mono CJK SC")
_MISSING = re.compile(r"\.notdef glyph .*\(U\+([0-9A-F]+)\)", re.DOTALL)
_LETTER = "网"
# beyond so many hosts the pages go by control, and hosts that are alike share a row: nobody prints
# thousands, and what mends a control stands once; the HTML and the captures hold all of it
_FEW = 20
_LOGS = 6
# the pages of a brief; how many steps, hosts, and characters of a remedy are tried, until it fits
_BRIEF = 2
_ROOMS = ((10, 20, 240), (8, 12, 160), (6, 8, 110), (4, 5, 80))


def check() -> None:
    """Raises BadInput where the library, or a font with Chinese characters, is not there."""
    known, missing = _probe(_LETTER)
    if missing or not any(name in FONTS for name in known):
        raise BadInput(
            msg("no_font_chinese_pages"),
            where="--pdf",
            mend=msg("install_fonts_noto_sans"),
        )


def version() -> str:
    """Of the library, after `check`."""
    from weasyprint import __version__

    return str(__version__)


def to_pdf(given: Mapping[str, Any]) -> bytes:
    """The pages, from what `contents` gave. Raises BadInput where `check` does, or it fails."""
    pages, _ = _pages("pages.html.j2", {**given, **room(given)})
    return pages


def to_brief(given: Mapping[str, Any]) -> bytes:
    """What a manager reads, on two pages at most, from what `contents` gave; raises as `to_pdf`."""
    for steps, listed, words in _ROOMS:
        fitting = {"steps": steps, "hosts": listed, "words": words}
        pages, count = _pages("brief.html.j2", {**given, "room": fitting})
        if count <= _BRIEF:
            break
    return pages


def to_notice(given: Mapping[str, Any]) -> bytes:
    """A notice to a customer, from what `model.notice.contents` gave; raises as `to_pdf`."""
    pages, _ = _pages("notice.html.j2", given)
    return pages


def to_withdrawal(given: Mapping[str, Any]) -> bytes:
    """That a notice is withdrawn, from what `model.notice.withdrawal` gave; raises as `to_pdf`."""
    pages, _ = _pages("notice-withdrawn.html.j2", given)
    return pages


def _pages(template: str, given: Mapping[str, Any]) -> tuple[bytes, int]:
    check()
    text = page(template, given, style="pages.css")
    strange = "".join(sorted({c for c in text if ord(c) > 0x7E}))
    _, missing = _probe(strange)
    if missing:
        # what no font has is shown as its number: no glyph may be a blank box
        text = re.sub(f"[{re.escape(''.join(missing))}]", lambda m: f"U+{ord(m[0]):04X}", text)
    try:
        return _set(text)
    except RecursionError as problem:
        raise BadInput(
            msg("pages_cannot_set", problem=one_line(str(problem))), where="--pdf"
        ) from None


def room(given: Mapping[str, Any]) -> dict[str, Any]:
    """How much of each host the pages show."""
    brief = len(given["hosts"]) > _FEW
    return {
        "brief": brief,
        "fleet": fleet(given, _LOGS) if brief else None,
        "names_each": 3 if brief else 6,
        "quotes_each": 4,
        "lines_each": 12,
        "logs_each": 40,
    }


def _probe(letters: str) -> tuple[set[str], set[str]]:
    """The families of fonts that such a text takes, and those of its characters that none has."""
    names = ", ".join(f'"{name}"' for name in FONTS)
    body = letters.replace("&", "").replace("<", "")
    document = _document(f"<body style='font-family: {names}; word-break: break-all'>{body}</body>")
    with _complaints() as said:
        document.write_pdf(io.BytesIO())
    missing = {chr(int(found[1], 16)) for line in said if (found := _MISSING.search(line))}
    return {font.family for font in document.fonts.values()}, missing


def _set(text: str) -> tuple[bytes, int]:
    with _uncollected():
        document = _document(text)
        out = io.BytesIO()
        document.write_pdf(out)
    return out.getvalue(), len(document.pages)


def _document(text: str) -> Any:
    try:
        # without Pango it prints a page of advice to standard output, which is ours
        with redirect_stdout(io.StringIO()):
            from weasyprint import HTML
            from weasyprint.urls import URLFetcher
    except ImportError:
        raise BadInput(
            msg("weasyprint_not_installed"),
            where="--pdf",
            mend=msg("pip_install_hostpledge_pdf", python=sys.executable),
        ) from None
    except OSError as problem:
        # it looks for Pango when it is imported
        raise BadInput(
            msg("weasyprint_finds_no_pango", problem=one_line(str(problem), 200)),
            where="--pdf",
            mend=msg("install_debian_libpango_1"),
        ) from None
    fetcher = URLFetcher(allowed_protocols=())
    return HTML(string=text, url_fetcher=fetcher).render(optimize_images=False)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Millions of boxes that all stay to the end: walking them again and again took 25 s of 60."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


@contextmanager
def _complaints() -> Iterator[list[str]]:
    said: list[str] = []

    class Held(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.append(record.getMessage())

    logger = logging.getLogger("weasyprint")
    handler = Held()
    logger.addHandler(handler)
    try:
        yield said
    finally:
        logger.removeHandler(handler)
