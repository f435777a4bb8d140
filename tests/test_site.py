"""The documentation's site: built strictly, asks nobody for anything, is searched in Chinese."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from playwright.sync_api import sync_playwright

from collector import errors
from collector.cli.app import hostpledge
from collector.i18n.message import catalogue
from tests.browser import browser
from tools.site import mends, messages, pictures, reached, said
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
    "docs/operators-guide.md": "tests/test_readme.py",
    "docs/probes.md": "tests/test_fleet_probe.py",
    "docs/start.md": "tests/test_install.py",
    "docs/verifying.md": "tests/test_verifying.py",
    "docs/web.md": "tests/web/test_docs.py",
}
_BLOCK = re.compile(r"^```(sh|console)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FOUND = """code =>
  [...document.querySelectorAll(".md-search-result__link")].some(a => a.href.includes(code))"""
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
    assert "WARNING" not in done.stderr
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
    assert "`collector/pledges/lists/xlsx.py:" in page
    assert "[`hostpledge pledge import`](../../commands/hostpledge-pledge-import.md)" in page
    # of no command that does not come there
    assert "hostpledge verify" not in page
    said_with = made["messages/attest/new_key_wants_name.md"]
    assert "(../attest/add_object_name.md)" in said_with
    assert "(../attest/new_key_wants_name.md)" in made["messages/attest/add_object_name.md"]
    judged = made["messages/controls/access_list_not_read.md"]
    assert "[`intrusion.session_timeout`](../../controls/intrusion.session_timeout.md)" in judged
    assert "never `pass`" in judged


def test_every_place_that_says_a_message_is_come_to() -> None:
    """By a command or a task; a gap would mean that the pages leave out whole roads."""
    tops = {(one.module, one.top) for at in said.places().values() for one in at}
    lost = [top for top in tops if not reached.commands(top) and not reached.tasks(top)]
    assert lost == []


def test_a_page_says_what_to_do_about_each_error() -> None:
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
