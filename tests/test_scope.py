"""How much was judged is a part of the verdict, wherever a clause is spoken of."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from collector import catalog
from collector.assess import assess_host
from collector.export import FORMATS, exporter, judged
from collector.model import Lang, Result
from collector.report.model.contents import Source, contents
from collector.report.render.html import page, render
from collector.report.render.pdf import room
from collector.scope import Part, Scope, scope_of
from collector.verify import open_bundle
from tests import bundles
from tests.counts import AT_2, OF_CLAUSE

SEVEN = [c for c in catalog.select() if c.clause == "2.2"][:7]
PARTS = {"2.2": Part(7, 25), "2.3": Part(17, 17), "2.4": Part(0, 15)}
SCOPE = Scope(2, PARTS)


@pytest.mark.parametrize("result", Result)
def test_what_a_clause_is_when_a_part_of_it_was_judged(result: Result) -> None:
    expected = Result.FAIL if result is Result.FAIL else Result.ERROR
    assert SCOPE.narrowed("2.2", result) is expected
    assert SCOPE.narrowed("2.3", result) is result
    assert SCOPE.narrowed("2.4", Result.NOTCHECKED) is Result.NOTCHECKED
    for less in (replace(SCOPE, absent=("db-1",)), replace(SCOPE, known=False)):
        assert less.narrowed("2.3", result) is expected
    assert SCOPE.at_most(result) is expected


def test_what_is_said_of_it() -> None:
    assert SCOPE.said().en == "24 of 57 controls"
    assert SCOPE.said().zh == "57 项核查项中的 24 项"
    assert SCOPE.unproven == ("2.2",)
    told = replace(SCOPE, absent=tuple(f"h{n}" for n in range(7)), known=False).reasons()
    assert [one.en for one in told] == [
        "made by a release that is not known here: its scope cannot be checked",
        "24 of 57 controls judged (二(二): 7 of 25; 二(四): 0 of 15)",
        "declared, and not looked at: h0, h1, h2, h3, h4 and 2 more",
    ]


def test_the_scope_is_that_of_the_catalogue_and_the_grade() -> None:
    every = [c.id for c in catalog.select((), 3)]
    assert scope_of(every, 3).whole
    at_two = scope_of(every, 2)
    assert (at_two.judged, at_two.of) == (AT_2, AT_2)
    assert not scope_of([c.id for c in catalog.select((), 2)], 3).whole
    assert scope_of(["nobody.knows"], 2).judged == 0


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("form", FORMATS)
def test_every_format_says_how_many_of_how_many(form: str, lang: Lang) -> None:
    found = assess_host(bundles.capture(), SEVEN)
    at = {"web-1": datetime(2026, 11, 25, tzinfo=UTC)}
    scope = scope_of([c.id for c in SEVEN], 2)
    text = exporter(form)({"web-1": found}, at, lang, {}, scope)
    if form == "json":
        document = json.loads(text)
        assert (document["scope"]["judged"], document["scope"]["of"]) == (7, AT_2)
        assert document["clauses"]["2.2"]["verdict"] in ("error", "fail")
        assert document["hosts"]["web-1"]["clauses"]["2.2"]["verdict"] in ("error", "fail")
    elif form in ("prometheus", "openmetrics"):
        assert 'hostpledge_controls_judged{clause="2.2",grade="2"} 7' in text
        wanted = f'hostpledge_controls_wanted{{clause="2.2",grade="2"}} {OF_CLAUSE["2.2"]}'
        assert wanted in text
    else:
        said = (
            f"{AT_2} 项核查项中的 7 项：不能证明二(二)"
            if lang == "zh"
            else f"7 of {AT_2} controls: no proof of"
        )
        if form == "defectdojo":  # its text is Markdown, where brackets are escaped
            text = text.replace("\\\\", "")
        assert said in text.replace("\n", "")


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_report_says_it_before_anything_else(tmp_path: Path, lang: Lang) -> None:
    made, _ = bundles.make(tmp_path, [bundles.capture()], controls=SEVEN, declared=["web-1", "db"])
    with open_bundle(made.path) as opened:
        source = Source(opened.evidence, opened.capture, None, opened.digest, opened.keyid)
        given = contents(source, lang)
    for text in (render(given), page("pages.html.j2", {**given, **room(given)}, style="pages.css")):
        head = text[: text.index("<h2")]
        assert {"zh": f"{AT_2} 项核查项中的 7 项", "en": f"7 of {AT_2} controls"}[lang] in head
        assert {"zh": "不能证明二(二)", "en": "no proof of 2(2)"}[lang] in head
        assert {"zh": "登记的主机未核查：db", "en": "not looked at: db"}[lang] in head
    clause = given["clauses"][0]
    assert clause["result"] in (Result.ERROR, Result.FAIL)
    assert clause["judged"] == {"zh": "25 项中的 7 项", "en": "7 of 25 controls"}[lang]
    assert given["hosts"][0].result in (Result.ERROR, Result.FAIL)


@pytest.mark.parametrize(("lang", "said"), [("zh", "未核查"), ("en", "not looked at")])
def test_exports_name_the_hosts_that_nobody_looked_at(lang: Lang, said: str) -> None:
    known = scope_of(catalog.controls(), 3, ["db-01"])
    assert f"{said}{'：' if lang == 'zh' else ': '}db-01" in judged(known, lang)
    assert said not in judged(scope_of(catalog.controls(), 3), lang)
