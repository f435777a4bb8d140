"""A pledge: how each clause stands and by what, its hosts, findings, waivers and evidence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import date
from typing import Any

from starlette.responses import Response

from collector.catalog import clause_number, clauses
from collector.errors import CollectorError
from collector.model import Lang, Result
from collector.pledges.database.rows import Evidence
from collector.pledges.database.transactions import DatabaseSaysError
from collector.pledges.record.masking import masked
from collector.pledges.record.times import CHINA, waiver_end
from collector.pledges.standing.newest_looks import Looks
from collector.pledges.status.findings import Life
from collector.report.model import found as columns
from collector.report.model.standings import standings
from collector.web.asking.asker import (
    Asker,
    TurnedAwayError,
    page,
    waiting,
)
from collector.web.asking.drawing import own_words
from collector.web.pages import on_record
from collector.web.reading import matrix
from collector.web.reading.asked import number
from collector.web.reading.customer import LIVES, Dossier, GoneError, NotThenError

_CLAUSES = ("2.2", "2.3", "2.4")
_LIVES, _BUNDLES, _TWINS = 100, 25, 20


def customer(asker: Asker) -> Response:
    """Where nothing is proven of it, the page says why, and no more."""
    id = asker.parts["id"]
    asker.must_see(id)
    at = day(asker)
    try:
        known = asker.house.customer.dossier(id, asker.now, at, asker.lang)
    except NotThenError as problem:
        return not_then(asker, id, at, problem)
    except CollectorError as problem:
        return doubted(asker, id, problem)
    with in_turn(asker):
        return _drawn(asker, known)


def in_turn(asker: Asker) -> AbstractContextManager[None]:
    """What takes long to draw is drawn one at a time of each account, and of each customer."""
    return asker.house.customer.turns.one(asker.account.sharing[-1])


def _drawn(asker: Asker, known: Dossier) -> Response:
    id, at = asker.parts["id"], known.at
    newest, unread = _looks(asker, known)
    found = _lives(asker, known.found_now().lives(known.status.lives))
    readable = known.last is not None and not unread
    every = sorted(known.every, key=lambda e: -e.sequence)
    bundles, bundles_paging = page(every, _BUNDLES, number(asker.query.get("bundles", "")))
    lives, lives_paging = page(found, _LIVES, number(asker.query.get("findings", "")))
    return asker.page(
        "customer",
        id=id,
        at=at,
        known=known,
        record=masked(dict(known.record.document)),
        # what is not theirs is not there, its name neither
        renews=_seen(asker, [str(known.record.document.get("renews", ""))]),
        renewed_by=_seen(asker, known.renewed_by),
        life=LIVES[known.status.state].to(asker.lang),
        answers=_answers(known, newest, asker.lang, readable=readable),
        standings=standings(known.status.clauses, known.moment, asker.lang),
        matrix=_matrix(asker, known, newest),
        lives=lives,
        lives_paging=lives_paging,
        lives_asked=[word for name in ("host", "owner") if (word := _asked(asker, name))],
        lives_known=readable,
        states=columns.STATES,
        waivers=_waivers(known),
        notices=on_record.given(known.record),
        taken_back=on_record.taken_back(known.record, asker.lang),
        bundles=[_bundle(asker, known, one) for one in bundles],
        bundles_paging=bundles_paging,
        overdue=[str(masked(due.text.to(asker.lang))) for due in known.status.overdue],
        **(waiting(asker, frozenset({id})) if not at else {"waiting": (), "lost": ()}),
        twins=_twins(asker, known),
        undeclared=[one.text.to(asker.lang) for one in known.status.undeclared],
        unread=unread,
        today=asker.now.astimezone(CHINA).date().isoformat(),
        due_word=lambda life: _due(life, known),
        dated=f"?at={at.isoformat()}" if at else "",
    )


def not_then(asker: Asker, id: str, at: date | None, problem: NotThenError) -> Response:
    """The page that says that there was nothing on that day, or that it is gone."""
    if not isinstance(problem, GoneError):
        return asker.page("not-then", 404, id=id, at=at, gone=None)
    asker.note = "gone"
    return asker.page("not-then", 410, id=id, at=at, gone=problem)


def doubted(asker: Asker, id: str, problem: CollectorError, status: int = 200) -> Response:
    """The page that says why nothing is proven of it; a trouble of the database is none of its.

    `status`: another one where a file was asked for, which a program would keep this page as.
    """
    if isinstance(problem, DatabaseSaysError):
        raise problem
    asker.note = "doubted"
    return asker.page("doubted", status, id=id, why=asker.why(problem))


def _looks(asker: Asker, known: Dossier) -> tuple[Looks | None, str]:
    """The newest look at each host, or why a bundle that it takes cannot be read."""
    if known.last is None or known.status.unread:
        return None, asker.told(known.status.unread)
    try:
        return known.found_now().looks(asker.house.customer.looks(known)), ""
    except DatabaseSaysError:
        raise
    except CollectorError as problem:
        return None, asker.why(problem)


def day(asker: Asker) -> date | None:
    """The day in the address, None for now.

    Raises TurnedAwayError for what is none, in the one form that a page gives it, and for one that
    has not come.
    """
    text = asker.query.get("at", "")
    if not text:
        return None
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise TurnedAwayError("turned_day") from None
    today = asker.now.astimezone(CHINA).date()
    if found.isoformat() != text or found > today:
        raise TurnedAwayError("turned_day")
    return None if found == today else found


def findings(asker: Asker) -> Response:
    """All findings of a pledge, as `pledge findings --all` exports them."""
    id = asker.parts["id"]
    asker.must_see(id)
    try:
        known = asker.house.customer.dossier(id, asker.now, day(asker), asker.lang)
        with in_turn(asker):
            return _findings(asker, known)
    except NotThenError as problem:
        return not_then(asker, id, day(asker), problem)
    except CollectorError as problem:
        return doubted(asker, id, problem, 409)


def _findings(asker: Asker, known: Dossier) -> Response:
    id = asker.parts["id"]
    every, gone = asker.house.customer.lives(known)
    # half a list would pass for all of it
    if gone is not None:
        return doubted(asker, id, gone, 409)
    if known.status.unread:
        asker.note = "doubted"
        return asker.page("doubted", 409, id=id, why=asker.told(known.status.unread))
    rows = [
        columns.cells(known.record, life, known.moment, asker.lang)
        for life in known.found_now().lives(every)
        if asker.query.get("closed", "1") == "1" or life.state != "closed"
    ]
    title = {"zh": "问题", "en": "findings"}[asker.lang]
    form = asker.parts["form"]
    name = f"findings-{id}" + (f"-{known.at.isoformat()}" if known.at else "")
    return asker.sheet(form, name, title, columns.titles(asker.lang), rows)


def _answers(
    known: Dossier, newest: Looks | None, lang: Lang, *, readable: bool
) -> list[dict[str, Any]]:
    """What is proven of the three clauses that hosts are checked for."""
    listed = known.listed()
    found = []
    for id in _CLAUSES:
        word = "fail" if id in known.failing else listed.verdict(id)
        if id in known.unverified and word != "none":
            word = "error"
        if word in ("pass", "notapplicable") and id in known.unproven:
            word = "error"
        if word != "none" and not readable:
            # what the register says of a bundle that nobody can read now is not proven by it
            word = "error"
        result = Result(word) if word != "none" else None
        title = clauses()[id]["title"]
        found.append(
            {
                "id": id,
                "number": clause_number(id, lang),
                "title": title[lang],
                "result": result,
                "gauge": _gauge(newest, id),
            }
        )
    return found


def _gauge(newest: Looks | None, clause: str) -> list[tuple[str, int, float, float]]:
    """How many findings of each verdict: word, count, start and width in hundredths."""
    if newest is None:
        return []
    order = ("pass", "partial", "notchecked", "error", "fail")
    counts = dict.fromkeys(order, 0)
    for entry in newest.hosts.values():
        for finding in entry["findings"]:
            if finding["clause"] == clause and finding["verdict"] in counts:
                counts[finding["verdict"]] += 1
    whole = sum(counts.values()) or 1
    found, start = [], 0.0
    for word in order:
        width = 100 * counts[word] / whole
        if counts[word]:
            found.append((word, counts[word], round(start, 3), round(width, 3)))
        start += width
    return found


def _matrix(asker: Asker, known: Dossier, newest: Looks | None) -> matrix.Matrix | None:
    if newest is None:
        return None
    page = number(asker.query.get("hosts", ""))
    sought = asker.query.get("host", "").strip()[:200]
    waived = {(one.control, one.host) for one in known.status.lives if one.state == "waived"}
    return matrix.of(newest, waived, asker.lang, page, sought)


def _lives(asker: Asker, lives: Sequence[Life]) -> list[Life]:
    """What is open or waived, of what was asked for."""
    host, owner = _asked(asker, "host"), _asked(asker, "owner")
    # masked first: what is sought for would tell the digits one by one
    told = (replace(life, owner=str(masked(life.owner))) for life in lives)
    return [
        life
        for life in told
        if life.state != "closed"
        and (not host or host.casefold() in life.host.casefold())
        and (not owner or owner.casefold() in life.owner.casefold())
    ]


def _asked(asker: Asker, name: str) -> str:
    return asker.query.get(name, "").strip()


def _due(life: Life, known: Dossier) -> tuple[str, bool]:
    text = life.due.astimezone(CHINA).date().isoformat() if life.due else ""
    return text, life.overdue(known.moment)


def _seen(asker: Asker, ids: Iterable[str]) -> list[str]:
    return [id for id in ids if id and asker.sees(id)]


def _twins(asker: Asker, known: Dossier) -> list[str]:
    """Where else its machines were seen; of others' records nothing but that it was there."""
    said = own_words()
    found = [
        said["twin_text"]
        .to(asker.lang)
        .format(host=one.host, pledge=one.pledge, other=one.other, sequence=one.sequence)
        if asker.sees(one.pledge)
        else said["twin_other"].to(asker.lang).format(host=one.host)
        for one in known.status.twins
    ]
    return list(dict.fromkeys(found))[:_TWINS]


def _waivers(known: Dossier) -> list[Mapping[str, Any]]:
    idle = {(life.control, life.host) for life in known.status.lives if life.idle_waiver}
    return [
        {
            **masked(dict(waiver)),
            "ended": waiver_end(waiver["expires"]) <= known.moment,
            "idle": (waiver["control"], waiver["host"]) in idle,
        }
        for waiver in known.record.document.get("waivers", ())
    ]


def _bundle(asker: Asker, known: Dossier, one: Evidence) -> dict[str, Any]:
    # what is void may be of somebody else's host (`evidence.bundle`)
    given_out = asker.only is None or one.sequence not in known.void
    return {
        "row": one,
        "verdicts": [(clause, known.verdict_of(one, clause)) for clause in _CLAUSES],
        "past": one.sequence in known.past,
        "kept": given_out and one.path.is_dir(),
        "void": masked(dict(known.void[one.sequence])) if one.sequence in known.void else None,
    }
