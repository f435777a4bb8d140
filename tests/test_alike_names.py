"""Names that look as those of other hosts."""

from __future__ import annotations

import pytest

from collector.alike_names import folded, pairs


@pytest.mark.parametrize(
    "name",
    ["WEB-01", "web-01.", "\uff57\uff45\uff42-01", "w\u0435b-01", "web\u201101", "web\u200b-01",
     "we\u0062\u0301-01"],
)  # fmt: skip
def test_it_looks_as_the_other(name: str) -> None:
    assert folded(name) == "web-01"
    assert list(pairs([name], ["web-01"])) == [(name, "web-01")]
    assert list(pairs([name, "web-01"], ["web-01"])) == [(name, "web-01")]


def test_names_that_are_others_are_not_told() -> None:
    assert list(pairs(["web-01", "web-02", "数据库-1"], ["web-01", "web-03", "数据库-2"])) == []
    assert list(pairs(["a", "A"], [])) == [("A", "a"), ("a", "A")]
