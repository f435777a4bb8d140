"""One control on one host: what was found, by which lines, what to do, and how it came about."""

from __future__ import annotations

from dataclasses import replace

from starlette.responses import Response

from collector.catalog import clause_number
from collector.errors import CollectorError
from collector.pledges.database.rows import Evidence
from collector.pledges.record.masking import masked
from collector.pledges.record.times import CHINA
from collector.pledges.status.latest_bundle import Newest
from collector.remedies.work import hardened
from collector.report.model import found as columns
from collector.report.model import view
from collector.report.model.remedies import labels, platform_named, remedies
from collector.web.asking.asker import Asker, NotFoundError
from collector.web.pages.customer import day, doubted, in_turn, not_then
from collector.web.reading.customer import Dossier, NotThenError, finding_of


def finding(asker: Asker) -> Response:
    """Of a finding that no bundle speaks of there is no page."""
    with in_turn(asker):
        return _drawn(asker)


def _drawn(asker: Asker) -> Response:
    given = asker.parts
    id, control = given["id"], given["control"]
    host = given["host"] or asker.query.get("host", "")
    asker.must_see(id)
    at = day(asker)
    try:
        known = asker.house.customer.dossier(id, asker.now, at, asker.lang)
        every, gone = asker.house.customer.lives(known)
        life = next((one for one in every if (one.control, one.host) == (control, host)), None)
        seen = asker.house.customer.looks(known).seen if life is None else {}
        row = _row(known, life.seen if life is not None else seen.get((host, control), 0))
        newest = Newest(row)
        now = known.found_now()
        document = finding_of(newest.evidence, host, control)
        if document is None:
            raise NotFoundError
        platform, release = platform_named(newest.capture(host))
    except NotThenError as problem:
        return not_then(asker, id, at, problem)
    except CollectorError as problem:
        return doubted(asker, id, problem)
    about = newest.evidence["controls"][control]
    shown = view.finding(document, newest.evidence, asker.lang)
    result, since = now.told(control, host, row.sequence, shown.result)
    shown = replace(shown, result=result)
    return asker.page(
        "finding",
        id=id,
        at=at,
        host=host,
        control=control,
        known=known,
        life=life,
        states=columns.STATES,
        finding=shown,
        since=[str(masked(one.to(asker.lang))) for one in since],
        row=row,
        clause=clause_number(shown.clause, asker.lang),
        criterion=view.spoken(about["criterion"], asker.lang),
        entry=newest.evidence["hosts"][host],
        handed_in=host in newest.handed_in,
        release=release,
        role=hardened(control),
        remedies=remedies([(control, platform)], known.record.grade, asker.lang),
        remedy_labels=labels(asker.lang),
        customer=str(masked(known.record.customer)),
        due=life.due.astimezone(CHINA).date().isoformat() if life and life.due else "",
        note=str(masked(life.note)) if life else "",
        owner=str(masked(life.owner)) if life else "",
        waiver=masked(dict(life.waiver)) if life and life.waiver else None,
        idle=masked(dict(life.idle_waiver)) if life and life.idle_waiver else None,
        overdue=life is not None and life.overdue(known.moment),
        gone=asker.why(gone) if gone else "",
        dated=f"?at={at.isoformat()}" if at else "",
    )


def _row(known: Dossier, sequence: int) -> Evidence:
    """The bundle that spoke of it last."""
    found = next((e for e in known.evidence if e.sequence == sequence), known.last)
    if found is None:
        raise NotFoundError
    return found
