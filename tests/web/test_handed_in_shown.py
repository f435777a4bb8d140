"""What was handed in is shown as that for as long as anything of it is shown."""

from __future__ import annotations

from typing import Any

from collector.attest.bundle.provenance import is_collected
from collector.web.reading.newest_looks import newest_looks

_RUN = {"nonce": "n" * 32}
_COLLECTED = {"transport": "ansible", "run": "n" * 32}
_GIVEN = {"transport": "handed-in"}


def _document(origin: dict[str, Any], run: dict[str, Any] | None, *controls: str) -> dict[str, Any]:
    findings = [{"control": c, "clause": "2.3", "verdict": "pass"} for c in controls]
    entry = {"status": "complete", "origin": origin, "findings": findings}
    return {"controls": {}, "hosts": {"web1": entry}, "run": run}


def test_a_run_of_a_part_does_not_hide_that_the_rest_was_handed_in() -> None:
    given = _document(_GIVEN, None, "a", "b")
    part, all_ = (_document(_COLLECTED, _RUN, *c) for c in (["a"], ["a", "b"]))
    assert is_collected(_COLLECTED, _RUN) and not is_collected(_GIVEN, None)
    found = newest_looks([(3, part, False), (2, given, True)], ("web1",))
    assert found.seen == {("web1", "a"): 3, ("web1", "b"): 2}
    assert found.handed_in == {"web1"}
    # nothing of it is shown any more
    found = newest_looks([(3, all_, False), (2, given, True)], ("web1",))
    assert found.handed_in == frozenset()
