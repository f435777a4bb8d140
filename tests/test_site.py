"""The documentation's site: built strictly, asks nobody for anything, is searched in Chinese."""

from __future__ import annotations

import importlib
import pkgutil
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from html import unescape
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import click
import pytest
from playwright.sync_api import sync_playwright

import collector
from collector import catalog, errors
from collector.cli.app import hostpledge
from collector.i18n.message import catalogue
from tests.browser import browser
from tools.site import commands, hooks, mends, messages, pictures, reached, said
from tools.site.languages import cell
from tools.site.plan import WRITTEN

ROOT = Path(__file__).parents[1]
# which test runs what a guide tells to type, beside the `console` blocks that test_readme runs
_RUN_BY = {
    "README.md": "tests/test_install.py",
    "docs/ansible.md": "tests/test_collection.py",
    "docs/backup-report.md": "tests/test_backup_report.py",
    "docs/ci.md": "tests/cli/test_check.py",
    "docs/command-line.md": "tests/test_share.py",
    "docs/customers-guide.md": "tests/test_fleet_harden.py",
    "docs/exports.md": "tests/export/test_exports_page.py",
    "docs/keys.md": "tests/test_keys_guide.py",
    "docs/mesh.md": "tests/mesh/test_receptor.py",
    "docs/operators-guide.md": "tests/test_readme.py",
    "docs/probes.md": "tests/test_fleet_probe.py",
    "docs/start.md": "tests/test_install.py",
    "docs/verifying.md": "tests/test_verifying.py",
    "docs/web.md": "tests/web/test_docs.py",
}
_BLOCK = re.compile(r"^```(sh|console)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FOUND = """code =>
  [...document.querySelectorAll(".md-search-result__link")].some(a => a.href.includes(code))"""
# as the page asks its search, with what it wraps around the worker
_ASK = """async (asked) => {
  const config = JSON.parse(document.getElementById("__config").textContent);
  const index = document.createElement("script");
  index.src = new URL(`${config.base}/search/search_index.js`, location).href;
  await new Promise((done) => { index.onload = done; document.body.append(index); });
  const worker = new Worker(new URL(config.search, location).href);
  const say = (type, data) => new Promise((done) => {
    worker.addEventListener("message", (told) => done(told.data.data), { once: true });
    worker.postMessage({ type, data });
  });
  await say(0, { ...__index, options: { suggest: false } });
  const found = {};
  for (const words of asked)
    found[words] = (await say(2, words)).items.map(([one]) => one.location.split("#")[0]);
  return found;
}"""
_CUT = """() => [...document.querySelectorAll("pre > code")]
  .filter((code) => code.scrollWidth > code.clientWidth + 1).length"""
_LANGUAGE = re.compile(r'<a href="([^"]+)" hreflang="(\w+)" class="md-select__link">')
_LISTED = {"controls", "commands", "messages", "reads", "schemas", "adr"}
_UP = re.compile(r'<p class="way-up">(.*?)</p>')
_INLINE = re.compile(r"(?<!`)`(hostpledge [^`\n]+)`")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "tools.site", str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    # a link, an anchor or a page that is missing ends the strict build
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stderr == ""
    return folder


def test_each_language_has_a_page_for_everything(site: Path) -> None:
    for lang in ("zh", "en"):
        assert len(list((site / lang / "reads").glob("*.html"))) > 100
        assert len(list((site / lang / "controls").glob("*.html"))) == 60
        assert (site / lang / "commands/hostpledge-pledge-add.html").exists()
        assert (site / lang / "schemas/capture.html").exists()
        assert (site / lang / "schemas/capture.schema.json").exists()
        assert (site / lang / "index.html").exists()
    assert "href" in (site / "index.html").read_text(encoding="utf-8")


def test_every_message_has_a_page_of_its_own(site: Path) -> None:
    rooms = messages.by_room()
    told = [code for codes in rooms.values() for code in codes]
    assert sorted(told) == sorted(catalogue())
    for lang in ("zh", "en"):
        for room, codes in rooms.items():
            listed = (site / lang / "messages" / room / "index.html").read_text(encoding="utf-8")
            for code in codes:
                assert (site / lang / "messages" / room / f"{code}.html").exists()
                assert f'href="{code}.html"' in listed


def test_a_messages_page_says_what_stands_in_it_who_says_it_and_what_to_do() -> None:
    made = dict(messages.pages("en"))
    page = made["messages/pledges/a_cell_longer_than_any.md"]
    assert "a cell of more than {most} characters" in page
    assert "单元格超过 {most} 个字符" in page
    assert "| `{most}` | the most that is taken | <code>LONGEST_CELL</code> |" in page
    # no line of the source: it is another one tomorrow
    assert not re.search(r"\.py:\d", page)
    assert "[`hostpledge pledge import`](../../commands/hostpledge-pledge-import.md)" in page
    # of no command that does not come there
    assert "hostpledge verify" not in page
    said_with = made["messages/attest/new_key_wants_name.md"]
    assert "(../attest/add_object_name.md)" in said_with
    assert "(../attest/new_key_wants_name.md)" in made["messages/attest/add_object_name.md"]
    judged = made["messages/controls/access_list_not_read.md"]
    assert "[`intrusion.session_timeout`](../../controls/intrusion.session_timeout.md)" in judged
    assert "never `pass`" in judged


def test_what_to_do_is_said_where_it_is_sure() -> None:
    made = dict(messages.pages("en"))
    # a word of a longer sentence, and one that is said in errors of two kinds
    assert "What to do" not in made["messages/others/document_statement.md"]
    both = [
        code
        for code, at in said.places().items()
        if {"BadInput", "VerifyFailed"} <= {one.kind for one in at if not one.mend}
    ]
    for code in both:
        (page,) = (text for place, text in made.items() if place.endswith(f"/{code}.md"))
        assert "ends with status 2" not in page
        assert "does not prove" not in page
    assert both


def test_a_messages_title_is_its_first_words() -> None:
    made = dict(messages.pages("en"))
    long = made["messages/attest/not_packed_form_hostpledge.md"].splitlines()[0]
    assert long.startswith("# not packed in the form that hostpledge writes… `not_packed")
    braced = made["messages/pledges/a_cell_longer_than_any.md"].splitlines()[0]
    # braces at the end of a heading would be attributes of it
    assert braced.startswith("# a cell of more than &#123;most&#125; characters")


def test_every_place_that_says_a_message_is_come_to() -> None:
    """By a command or a task; a gap would mean that the pages leave out whole roads."""
    tops = {(one.module, one.top) for at in said.places().values() for one in at}
    lost = [top for top in tops if not reached.commands(top) and not reached.tasks(top)]
    assert lost == []


def test_a_page_says_what_to_do_about_each_error() -> None:
    # an error is known once its module is, whatever the tests before this one have read in
    for module in pkgutil.walk_packages(collector.__path__, "collector."):
        if not module.name.endswith("__main__") and ".migrations." not in module.name:
            importlib.import_module(module.name)
    named = {one.__name__ for one in _below(errors.CollectorError)}
    said_by = {one.kind for at in said.places().values() for one in at}
    assert (named & said_by) - {"CollectorError"} <= set(mends.DONE_BY)


def _below(error: type[Exception]) -> Iterator[type[Exception]]:
    yield error
    for one in error.__subclasses__():
        yield from _below(one)


def test_it_is_read_and_searched_from_a_disk(site: Path) -> None:
    asked: list[str] = []
    with sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=browser(), args=["--no-sandbox"])
        shown = chromium.new_page()
        shown.on("request", lambda request: asked.append(request.url))
        shown.goto((site / "zh/index.html").as_uri())
        words = shown.locator(".md-search__input")
        words.click()
        words.fill("日志留存")
        # as an input method ends: the search listens to keys
        words.press("End")
        found = shown.locator(".md-search-result__item").first
        found.wait_for(timeout=30_000)
        assert "留存" in found.inner_text()
        words.fill("单元格超过")
        words.press("End")
        shown.wait_for_function(_FOUND, arg="a_cell_longer_than_any", timeout=30_000)
        chromium.close()
    strangers = [url for url in asked if not url.startswith(("file:", "data:", "blob:", "about:"))]
    assert strangers == []


@contextmanager
def _served(site: Path, way: str) -> Iterator[str]:
    """Where the site begins, opened from a disk or served by a server."""
    if way == "disk":
        yield site.as_uri()
        return
    quiet = partial(_Quiet, directory=str(site))
    with ThreadingHTTPServer(("127.0.0.1", 0), quiet) as server:
        running = Thread(target=server.serve_forever)
        running.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            running.join()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Says nothing: what is asked is no matter of these tests."""


def _asked(start: str, lang: str, words: list[str]) -> dict[str, list[str]]:
    """By words, the pages that the search finds, best first: of the worker that the page has."""
    with sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=browser(), args=["--no-sandbox"])
        shown = chromium.new_page()
        shown.goto(f"{start}/{lang}/index.html")
        found: dict[str, list[str]] = shown.evaluate(_ASK, words)
        chromium.close()
    return found


@pytest.mark.parametrize(("lang", "way"), [("zh", "disk"), ("en", "http")])
def test_each_control_is_found_by_its_name(site: Path, lang: str, way: str) -> None:
    ids = list(catalog.controls())
    with _served(site, way) as start:
        found = _asked(start, lang, ids)
    assert {id: pages[:1] for id, pages in found.items()} == {
        id: [f"controls/{id}.html"] for id in ids
    }


@pytest.mark.parametrize("way", ["disk", "http"])
def test_a_messages_text_finds_its_page_and_a_command_its_own(site: Path, way: str) -> None:
    texts = {
        "内容已被改动": "messages/attest/bytes_changed.html",
        "没有这个证据包": "messages/verify/no_such_bundle.html",
        "单元格超过": "messages/pledges/a_cell_longer_than_any.html",
        # a dash is an option's, and not the word for "without"
        "请给出 --passphrase-file": "messages/attest/give_passphrase_file.html",
    }
    words = ["hostpledge verify", "hostpledge replay", "日志限速", "off-", "dry-run"]
    with _served(site, way) as start:
        found = _asked(start, "zh", [*texts, *words])
    assert {text: found[text][0] for text in texts} == texts
    assert "commands/hostpledge-verify.html" in found["hostpledge verify"][:3]
    assert "commands/hostpledge-replay.html" in found["hostpledge replay"][:3]
    # its last word is looked for as well
    assert "controls/logging.drops.html" in found["日志限速"][:3]
    # on the way to a word with a dash, and there
    assert found["off-"] and found["dry-run"]


@pytest.mark.parametrize("way", ["disk", "http"])
@pytest.mark.parametrize("script", [True, False])
def test_the_switch_leads_to_the_same_page(site: Path, way: str, *, script: bool) -> None:
    with _served(site, way) as start, sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=browser(), args=["--no-sandbox"])
        shown = chromium.new_context(java_script_enabled=script).new_page()
        for place in ("controls/logging.drops.html", "messages/verify/no_such_bundle.html"):
            shown.goto(f"{start}/zh/{place}")
            for lang in ("en", "zh"):
                shown.locator(".md-select > button").hover()
                shown.locator(f".md-select__link[hreflang={lang}]").click()
                shown.wait_for_url(f"{start}/{lang}/{place}")
        chromium.close()


def test_each_page_leads_to_itself_in_the_other_language_and_up_to_its_list(site: Path) -> None:
    pages = sorted(one.relative_to(site / "zh") for one in (site / "zh").rglob("*.html"))
    assert pages == sorted(one.relative_to(site / "en") for one in (site / "en").rglob("*.html"))
    for page in pages:
        assert page.name != "404.html"
        for lang in ("zh", "en"):
            file = site / lang / page
            text = file.read_text(encoding="utf-8")
            links = dict(map(reversed, _LANGUAGE.findall(text)))
            # beside which the theme would ask for a map of the site, in vain
            assert 'rel="alternate"' not in text
            assert (file.parent / links["zh"]).resolve() == site / "zh" / page
            assert (file.parent / links["en"]).resolve() == site / "en" / page
            above = _UP.findall(text)
            listed = page.parts[0] in _LISTED
            assert bool(above) == (listed and page.parts[1:] != ("index.html",))
            for up in re.findall(r'href="([^"]+)"', "".join(above)):
                assert (file.parent / up).is_file()
                assert (file.parent / up).name == "index.html"


def test_a_page_of_a_control_is_titled_by_what_it_is_about(site: Path) -> None:
    for lang, title in (("zh", "L15 日志丢弃与限速"), ("en", "L15 ")):
        text = (site / lang / "controls/logging.drops.html").read_text(encoding="utf-8")
        assert re.search(f"<title>{title}.* logging.drops - hostpledge</title>", text)


def test_a_page_of_a_command_says_what_help_says(site: Path) -> None:
    """Its exit statuses with it, wherever in the help they stand."""
    words = ("verify", "replay", "diff", "doctor")
    for lang, ends in (("zh", "退出码"), ("en", "xit status")):
        for file in sorted((site / lang / "commands").glob("hostpledge*.html")):
            told = _plain(_article(file).split("</h1>", 1)[1]).strip()
            assert not told.startswith("hostpledge"), file
            if file.stem.removeprefix("hostpledge-") in words:
                assert ends in told.split("选项" if lang == "zh" else "Options")[0], file
    for place, text in commands.pages():
        for command, context in commands.every():
            if place == f"commands/{context.command_path.replace(' ', '-')}.md":
                whole = " ".join((command.help or "").split())
                assert cell(whole) in " ".join(text.split())


def test_no_table_has_an_empty_head(site: Path) -> None:
    for folder in ("commands", "messages", "reads", "schemas", "controls"):
        for file in (site / "zh" / folder).rglob("*.html"):
            for head in re.findall(r"<thead>.*?</thead>", file.read_text("utf-8"), re.DOTALL):
                assert _plain(head).strip(), file


def test_chinese_has_no_blanks_where_a_line_of_its_source_ends(site: Path) -> None:
    assert hooks.joined("<p>主机\n留存</p>") == "<p>主机留存</p>"
    assert hooks.joined("<p><strong>主机</strong>\n留存。\n<code>x</code></p>") == (
        "<p><strong>主机</strong>留存。<code>x</code></p>"
    )
    assert hooks.joined("<pre>主机\n留存</pre><p>a\nb 主\na</p>") == (
        "<pre>主机\n留存</pre><p>a\nb 主\na</p>"
    )
    for file in (site / "zh").glob("*.html"):
        body = re.sub(r"<pre\b.*?</pre>", "", _article(file), flags=re.DOTALL)
        assert not re.search(r"[一-鿿，。；：]\s*\n\s*[一-鿿]", body), file


@pytest.mark.parametrize("width", [1366, 360])
def test_no_line_of_code_is_cut(site: Path, width: int) -> None:
    places = ("index", "controls/logging.drops", "reads/journal.events", "schemas/predicate")
    with sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=browser(), args=["--no-sandbox"])
        shown = chromium.new_page(viewport={"width": width, "height": 800})
        for lang in ("zh", "en"):
            for place in places:
                shown.goto((site / lang / f"{place}.html").as_uri())
                cut = shown.evaluate(_CUT)
                assert cut == 0, (lang, place)
        chromium.close()


def _article(file: Path) -> str:
    text = file.read_text(encoding="utf-8")
    return text[text.index("<article") : text.index("</article>")]


def _plain(text: str) -> str:
    return unescape(re.sub(r"<[^>]+>", "", text))


def test_pictures_are_those_that_would_be_drawn() -> None:
    there = {file.name: file.read_text(encoding="utf-8") for file in pictures.FOLDER.iterdir()}
    assert there == dict(pictures.drawn())


def _sources() -> Iterator[Path]:
    yield ROOT / "README.md"
    yield ROOT / "README.zh-CN.md"
    for one in WRITTEN:
        yield from {one.file("en"), one.file("zh")}


@pytest.mark.parametrize("source", sorted(set(_sources())), ids=lambda file: file.name)
def test_every_command_that_a_page_shows_can_be_typed(source: Path) -> None:
    """Its name and its options are there, wherever it stands; console blocks are run as well."""
    text = source.read_text(encoding="utf-8")
    wrong = [problem for line in _lines(text) if (problem := _cannot(line))]
    assert wrong == []


def test_what_is_told_to_type_is_run_by_a_test() -> None:
    shown = {
        str(file.relative_to(ROOT)).replace(".zh-CN.md", ".md").replace(".zh.md", ".md")
        for file in _sources()
        if "```sh" in file.read_text(encoding="utf-8")
    }
    assert shown == set(_RUN_BY)
    assert all((ROOT / test).exists() for test in _RUN_BY.values())


def _lines(text: str) -> Iterator[str]:
    for _, block in _BLOCK.findall(text):
        for line in block.replace("\\\n", " ").splitlines():
            typed = line.removeprefix("$ ")
            if typed.startswith("hostpledge "):
                yield typed
    yield from _INLINE.findall(text)


def _cannot(line: str) -> str:
    """Why `line` cannot be typed, or nothing."""
    try:
        words = shlex.split(line.split(" # ", maxsplit=1)[0], comments=True)
    except ValueError:
        return f"{line}: not words of a shell"
    command: click.Command = hostpledge
    context = click.Context(hostpledge, info_name="hostpledge")
    for word in words[1:]:
        if word in {"|", ">", "&&", ";", "2>"} or word.startswith(("|", ">")):
            break
        if word.startswith("--"):
            name = word.split("=")[0]
            if not any(
                name in one.opts + one.secondary_opts for one in command.get_params(context)
            ):
                return f"{line}: {context.command_path} has no {name}"
        elif isinstance(command, click.Group) and re.fullmatch("[a-z-]+", word):
            inner = command.get_command(context, word)
            if inner is None:
                return f"{line}: no command {word}"
            command, context = inner, click.Context(inner, info_name=word, parent=context)
    return ""
