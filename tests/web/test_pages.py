"""What the pages show, in both languages, and to whom."""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urljoin, urlsplit

import pytest
from openpyxl import load_workbook

from collector.pledges.record.times import CHINA
from collector.pledges.register.register import Register
from collector.resources import package_text
from collector.schema import load_yaml
from collector.verify import open_bundle
from collector.web.asking.drawing import finding_path, own_words
from tests.pledges import lives
from tests.web.sites import NAMES, Place, Site, filled, record, with_accounts

_TEMPLATES = Path(__file__).parents[2] / "collector" / "web" / "templates"


def test_every_word_is_there_in_both_languages_and_used() -> None:
    found = load_yaml(package_text("web/words.yml"), where="words")
    for key, entry in found.items():
        assert set(entry) == {"zh", "en"}, key
        places = [set(re.findall(r"\{(\w*)\}", entry[lang])) for lang in ("zh", "en")]
        assert places[0] == places[1], key
    text = "".join(p.read_text(encoding="utf-8") for p in _TEMPLATES.glob("*.j2"))
    code = "".join(p.read_text(encoding="utf-8") for p in _TEMPLATES.parent.rglob("*.py"))
    used = set(re.findall(r"\bp\.(\w+)", text)) | set(re.findall(r'"(\w+)"', code))
    made = ("standing_", "role_", "event_", "sort_")
    unused = {k for k in own_words() if k not in used and not k.startswith(made)}
    assert not unused
    assert set(re.findall(r"\bp\.(\w+)", text)) <= set(own_words())


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("name", ["boss", "eng", "aud", "cust"])
def test_each_role_in_each_language(site: Site, name: str, lang: str) -> None:
    browser = site.browser(name)
    own = "demo-2" if name == "cust" else "demo-0"
    paths = [f"/pledges/{own}", f"/pledges/{own}/findings/encryption.password_hash/web-01", "/due"]
    paths += ["/?life=all", "/verify", "/password"]
    paths += ["/accounts", "/log"] if name == "boss" else []
    for path in paths:
        answer = browser.get(f"{path}{'&' if '?' in path else '?'}lang={lang}")
        assert answer.status_code == 200, path
        if path != "/verify":
            assert f'<html lang="{"zh-CN" if lang == "zh" else "en"}">' in answer.text
            shown = re.sub(r"<[^>]*>|" + "|".join(map(re.escape, NAMES.values())), "", answer.text)
            assert "undefined" not in shown.casefold(), path


def test_a_customer_is_led_to_the_own_pledge(site: Site) -> None:
    assert site.browser("cust").get("/").headers["location"] == "/pledges/demo-2"


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("q=云帆", {"demo-0"}), ("q=DEMO-2", {"demo-2"}), ("q=203.0.113", set(NAMES)),
        ("q=91330106MA0DEM2670", set(NAMES)), ("q=web-01", set(NAMES)), ("q=%25", set()),
        ("standing=nothing", {"demo-3"}), ("owner=周示例", {"demo-0"}), ("owner=周", set()),
        ("grade=2", set()), ("grade=3", set(NAMES)), ("c2.4=none", {"demo-3"}),
        ("c2.4=open", set(NAMES)), ("life=ended", set()), ("life=nonsense", set(NAMES)),
        ("overdue=1", set(NAMES)), ("expiring=0", set()), ("expiring=3000", set(NAMES)),
        ("due=0&q=demo-3", {"demo-3"}), ("page=99", set(NAMES)),
        ("q=203.0.113.23", set(NAMES)), ("q=203.0.113.24", set()),
        ("q=203.0.113.20/30", set(NAMES)),
        ("q=::ffff:203.0.113.17", set(NAMES)), ("q=203.0.112.0/22", set(NAMES)),
        ("q=2001:db8:ffff::1", set()), ("q=0.0.0.1", set()), ("q=203.0.113.24/29", set()),
    ],
)  # fmt: skip
def test_what_is_asked_for_is_found(site: Site, query: str, ids: set[str]) -> None:
    page = site.browser("boss").get(f"/?{query}").text
    assert set(re.findall(r'href="/pledges/(demo-\d)"', page)) == ids


def test_a_finding_has_all_of_it(site: Site) -> None:
    path = "/pledges/demo-0/findings/encryption.password_hash/web-01"
    page = site.browser("aud").get(path).text
    for text in ("root:$1$", "周示例", "2026-01-20", "opened again", "ENCRYPT_METHOD", path):
        assert text in page, text
    assert page.count("<li>") >= 3
    assert "13800000001" not in page


def test_evidence_comes_as_a_zip_that_verifies(site: Site, tmp_path: Path) -> None:
    answer = site.browser("aud").get("/pledges/demo-0/evidence/2.zip")
    assert answer.headers["content-type"] == "application/zip"
    file = tmp_path / "bundle.zip"
    file.write_bytes(answer.content)
    assert zipfile.is_zipfile(file)
    with open_bundle(file) as opened:
        assert opened.said["pledge"]["id"] == "demo-0"


def test_a_workbook(site: Site) -> None:
    answer = site.browser("boss").get("/export.xlsx?life=all")
    book = load_workbook(io.BytesIO(answer.content))
    (sheet,) = book.worksheets
    assert sheet.max_row == len(NAMES) + 1
    for path in ("/due/export.xlsx", "/due/export.csv", "/pledges/demo-0/findings.xlsx"):
        assert site.browser("boss").get(path).status_code == 200


def test_handed_in_is_said(site: Site) -> None:
    for path in ("/pledges/demo-0", "/pledges/demo-0/findings/encryption.password_hash/web-01"):
        assert "handed in" in site.browser("boss").get(path).text


def test_a_past_day_is_what_was_proven_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the record and the evidence of that day, though both went on since."""
    monkeypatch.setenv("HOSTPLEDGE_HOME", str(tmp_path / "home"))
    place = filled(tmp_path / "web")
    with_accounts(place.state)
    site = Site(place)
    now = datetime.now(UTC)
    yesterday = (now.astimezone(CHINA) - timedelta(days=1)).date().isoformat()
    browser = site.browser("boss")
    assert browser.get(f"/pledges/demo-0?at={yesterday}").status_code == 404
    tomorrow = now + timedelta(days=1)
    register = Register.open(place.register)
    register.add(record("demo-0", "改名后的单位", 0), update=True)
    customer = site.house.customer
    today = now.astimezone(CHINA).date()
    customer_then = customer.dossier("demo-0", tomorrow + timedelta(days=9), today, "en")
    assert customer_then.record.customer == "改名后的单位"
    assert len(customer_then.evidence) == 3
    # what was attached later is not there then
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("collector.pledges.register.attached.datetime", _Later)
        taken = lives.captured("hardened")
        lives.check(register, "demo-0", place.signer, taken, now - timedelta(hours=1))
    assert len(customer.dossier("demo-0", now, None, "en").evidence) == 4
    then = customer.dossier("demo-0", now + timedelta(days=9), today, "en")
    assert len(then.evidence) == 3
    later = customer.dossier("demo-0", now + timedelta(days=9), today + timedelta(days=3), "en")
    assert len(later.evidence) == 4


class _Later(datetime):
    @classmethod
    def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
        return datetime.now(UTC) + timedelta(days=2)


def test_a_change_shows_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOSTPLEDGE_HOME", str(tmp_path / "home"))
    place = filled(tmp_path / "web")
    with_accounts(place.state)
    site = Site(place)
    browser = site.browser("boss")
    register = Register.open(place.register)
    register.add(record("demo-9", "新来的单位", 9))
    register.add(record("demo-1", "换了名字", 1), update=True)
    page = browser.get("/").text
    assert "新来的单位" in page
    assert "换了名字" in page
    assert NAMES["demo-1"] not in page


def test_what_is_not_proven_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A row that somebody changed behind the register's back, and a bundle that is gone."""
    from tests.pledges.places import owner

    monkeypatch.setenv("HOSTPLEDGE_HOME", str(tmp_path / "home"))
    place = filled(tmp_path / "web")
    with_accounts(place.state)
    with owner(place.register) as theirs:
        theirs.unguard()
        theirs.execute(
            "UPDATE evidence SET verdicts = '{\"2.4\": \"pass\"}' WHERE pledge = 'demo-1'"
        )
    site = Site(place)
    browser = site.browser("boss")
    page = browser.get("/pledges/demo-1").text
    assert "Nothing is proven" in page
    assert "pass" not in re.sub(r"<[^>]*>", "", page)
    overview = browser.get("/").text
    assert "nothing is proven of" in overview
    assert site.house.rows.one("demo-1")["standing"] == "unverified"  # type: ignore[index]
    bundles = Path(place.register).parent / "bundles"
    gone = Register.open(place.register).every_evidence("demo-2")[0].path
    gone.rename(bundles / "away")
    for name in ("boss", "cust"):
        shown = site.browser(name).get("/pledges/demo-2")
        assert shown.status_code == 200
        assert "could not be read" in shown.text
        assert (str(bundles) in shown.text) is (name == "boss")


def test_an_unknown_host_or_control(site: Site) -> None:
    for path in ("encryption.password_hash/nobody", "no.control/web-01", "x/y/z"):
        assert site.browser("boss").get(f"/pledges/demo-0/findings/{path}").status_code == 404


def test_what_is_not_on_record_yet(site: Site) -> None:
    page = site.browser("boss").get("/pledges/demo-3").text
    assert "There is none yet" in page
    assert site.browser("boss").get("/pledges/demo-3/evidence/1.zip").status_code == 404


def test_the_offline_verifier_runs_its_one_script(site: Site) -> None:
    answer = site.browser().get("/verify")
    policy = answer.headers["content-security-policy"]
    assert "script-src 'sha256-" in policy
    assert "frame-ancestors 'none'" in policy
    assert "'unsafe-inline'" not in policy.partition("script-src")[2].partition(";")[0]


def test_several_hundred_rows_are_paged(site: Site, tmp_path: Path) -> None:
    """No page grows with the register: a page is a page of fifty, whatever there is."""
    from sqlalchemy import select

    from collector.web.keeping import tables

    copied = replace(site.place, state=str(tmp_path / "s"))
    with_accounts(copied.state)
    other = Site(copied)
    with other.house.state.write() as connection:
        row = dict(connection.execute(select(tables.listed)).mappings().first() or {})
        many = [{**row, "id": f"many-{n:04d}"} for n in range(300)]
        connection.execute(tables.listed.insert(), many)
    page = other.browser("boss").get("/?q=&page=2&lang=en").text
    assert page.count('<th scope="row">') <= 50
    assert "page 2 of 7" in page


def test_before_the_list_is_made_nothing_is_called_empty(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = str(tmp_path / "s")
    with_accounts(state)
    monkeypatch.setattr("collector.web.reading.index.Index.renew", lambda *_a, **_k: None)
    browser = Site(replace(place, state=state)).browser("boss")
    for path in ("/", "/due", "/export.csv", "/due/export.csv"):
        assert browser.get(path).status_code == 503
    assert browser.get("/pledges/demo-0").status_code == 200


def test_an_empty_list_says_why_it_is_empty(site: Site) -> None:
    boss = site.browser("boss")
    asked = boss.get("/pledges/demo-0?host=zzz&lang=en").text
    assert "No finding is open." not in asked
    assert "None of what was asked for is open" in asked


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_past_the_last_page_is_the_last(site: Site, lang: str) -> None:
    """A page of nothing would say that there is none."""
    browser = site.browser("boss")
    for path, none in (
        ("/pledges/demo-0?findings=", ("No finding is open", "没有未闭环的问题")),
        ("/pledges/demo-0?bundles=", ("There is none yet", "尚无证据")),
        ("/due?page=", ("Nothing falls due", "没有到期事项")),
        ("/?page=", ("No pledge record is so", "没有这样的")),
    ):
        first = _body(browser.get(f"{path}1&lang={lang}").text)
        assert not any(words in first for words in none), path
        for at in ("2", "3", "999999", "9" * 15):
            assert _body(browser.get(f"{path}{at}&lang={lang}").text) == first, path


def _body(page: str) -> str:
    """Without the addresses of its own links, which bear the page that was asked for."""
    return re.sub(r'href="[^"]*"', "", page[page.index("<main") :])


def test_a_kind_that_is_none_asks_for_nothing(site: Site) -> None:
    browser = site.browser("boss")
    every = browser.get("/due/export.csv").text
    assert browser.get("/due/export.csv?kind=zzz").text == every
    assert "Nothing falls due" not in browser.get("/due?kind=zzz&lang=en").text
    # one that there is and nothing is of is named
    page = browser.get("/due?kind=disposal&lang=en").text
    assert "Nothing of this kind falls due." in page
    assert "Of this kind alone: end of keeping" in page
    assert "Nothing falls due" not in page


def test_findings_of_one_owner_do_not_pass_for_all(site: Site) -> None:
    browser = site.browser("boss")
    assert "Only the findings asked for" not in browser.get("/pledges/demo-0?lang=en").text
    page = browser.get("/pledges/demo-0?lang=en&owner=周").text
    assert "Only the findings asked for: <bdi>周</bdi>" in page


def test_a_host_of_dots_has_a_page(site: Site) -> None:
    """A browser takes such a step of an address away, however it is written."""
    browser = site.browser("boss")
    base = "/pledges/demo-0/findings/encryption.password_hash"
    page = browser.get(f"{base}/?host=web-01")
    assert page.status_code == 200
    assert f'href="{base}/web-01"' in page.text
    assert browser.get(f"{base}/?host=nobody").status_code == 404
    assert browser.get(f"{base}/").status_code == 404
    for host in (".", ".."):
        path = finding_path("demo-0", "encryption.password_hash", host, "?at=2026-01-01")
        assert urljoin(f"http://x{base}/y", path) == f"http://x{path}"
        assert parse_qs(urlsplit(path).query) == {"host": [host], "at": ["2026-01-01"]}
    for text in _TEMPLATES.glob("*.j2"):
        assert "/findings/{{" not in text.read_text(encoding="utf-8"), text.name
