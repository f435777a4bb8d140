"""Commands that carry a dump to a cloud or to a server of HTTP, and what their success proves."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import pytest

from collector import catalog
from collector.assess import assess_host
from tests import cases

_CASE = (
    cases.HERE / "controls/backup/offsite/looks_right_curl_takes_a_refusal_for_success.error.yml"
)
_CURL = "curl -sS -T /backup/shop-$(date +%F).sql.gz https://vault.example/up/"


@pytest.mark.parametrize(
    ("command", "result", "reason"),
    [
        (_CURL, "error", "untold"),
        (_CURL.replace("-sS", "-fsS"), "pass", "offsite"),
        (_CURL.replace("-sS", "--fail-with-body"), "pass", "offsite"),
        ("aws s3 sync /backup s3://corp/c6 --only-show-errors", "pass", "offsite"),
        ("aws s3 sync /backup s3://corp/c6 --dryrun", "fail", "same_disk"),
        ("aws s3 sync /backup s3://corp/c6 --exclude '*.gz'", "error", "untold"),
        ("s3cmd sync /backup/ s3://corp/c6/", "pass", "offsite"),
        ("gcloud storage rsync -r /backup gs://corp/c6", "pass", "offsite"),
        ("$_1232f24a $_83baec6b sync /backup s3://corp/c6", "error", "untold"),
        ("$_1232f24a https://monitor.example/done", "fail", "same_disk"),
    ],
)
def test_uploads(command: str, result: str, reason: str) -> None:
    case = cases.load(_CASE)
    called = case.capture.reads["schedules.called"]
    text = called.stdout.decode()
    assert _CURL in text
    changed = replace(called, stdout=text.replace(_CURL, command).encode())
    reads = MappingProxyType({**case.capture.reads, called.id: changed})
    (found,) = assess_host(
        replace(case.capture, reads=reads),
        [catalog.control("backup.offsite")],
        grade=case.grade,
        at=case.at,
        attached=case.attached,
    )
    assert (found.result, found.reason) == (result, reason), found.message.en
