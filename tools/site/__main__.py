"""`python -m tools.site [FOLDER]`: the whole site, both languages, into FOLDER (build/site)."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

from collector.cli.ui.language import lang as spoken
from tools.site import commands, hooks, law, messages, pictures, reads, schemas, written
from tools.site.languages import LANGS, Lang, either
from tools.site.plan import ROOT, nav
from tools.site.samples import samples

_WORKER = "iframe-worker.js"
_STYLE = "site.css"
_FRONT = """<!doctype html>
<html lang="zh"><head><meta charset="utf-8"><title>hostpledge</title>
<meta http-equiv="refresh" content="0; url=zh/index.html"></head>
<body><p><a href="zh/index.html">中文</a> · <a href="en/index.html">English</a></p></body></html>
"""


def main(arguments: list[str]) -> int:
    """FOLDER, and --lang for one language alone: what commands say is made in the process's own."""
    places = [word for word in arguments if not word.startswith("-") and word not in LANGS]
    folder = Path(places[0] if places else ROOT / "build" / "site").resolve()
    if "--lang" in arguments:
        return _one(folder, spoken())
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    again = [sys.executable, "-m", "tools.site", str(folder), "--lang"]
    both = [subprocess.Popen([*again, each], cwd=ROOT) for each in LANGS]
    failed = [one.returncode for one in both if one.wait()]
    if failed:
        return failed[0]
    (folder / "index.html").write_text(_FRONT, encoding="utf-8")
    print(folder / "index.html")
    return 0


def _one(folder: Path, lang: Lang) -> int:
    with tempfile.TemporaryDirectory() as made:
        source = Path(made) / "docs"
        for place, text in [
            *written.pages(lang),
            *commands.pages(),
            *reads.pages(lang),
            *law.pages(lang),
            *messages.pages(lang),
            *schemas.pages(lang, samples(Path(made))),
        ]:
            _write(source / place, text)
        for place, file in schemas.files():
            shutil.copyfile(file, source / place)
        shutil.copytree(pictures.FOLDER, source / "pictures")
        for name in (_WORKER, _STYLE):
            shutil.copyfile(Path(__file__).with_name(name), source / name)
        settings = Path(made) / "mkdocs.yml"
        settings.write_text(yaml.safe_dump(_settings(lang, source, folder / lang)), "utf-8")
        command = [
            sys.executable,
            "-m",
            "mkdocs",
            "build",
            "--strict",
            "-f",
            str(settings),
        ]
        # jieba keeps its words in the temporary folder
        env = {
            **os.environ,
            "TMPDIR": made,
            "NO_MKDOCS_2_WARNING": "1",
            "DISABLE_MKDOCS_2_WARNING": "true",
        }
        # quiet it would count no warning either, and `--strict` hold nothing back
        done = subprocess.run(
            command,
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode:
            sys.stderr.write(done.stdout)
        # its links are those of a server's root, wherever the site lies
        (folder / lang / "404.html").unlink(missing_ok=True)
        return done.returncode


def _write(place: Path, text: str) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text, encoding="utf-8")


def _settings(lang: Lang, source: Path, out: Path) -> dict[str, object]:
    made = {
        name: f"{name}/index.md" for name in ("law", "reads", "commands", "schemas", "messages")
    }
    return {
        "site_name": "hostpledge",
        "site_description": either(
            lang,
            "入网承诺的技术措施，逐台主机可证",
            "Shows, host by host, that a network pledge is kept",
        ),
        "docs_dir": str(source),
        "site_dir": str(out),
        "use_directory_urls": False,
        "nav": nav(lang, made),
        "theme": {
            "name": "material",
            "language": lang,
            # nothing is asked of anybody's server
            "font": False,
            "features": ["navigation.top", "content.code.copy", "search.highlight"],
            "palette": {"scheme": "default", "primary": "blue grey", "accent": "teal"},
        },
        "extra": {
            "generator": False,
            # in the place of one that the theme would fetch
            "polyfills": [_WORKER],
            "alternate": hooks.alternates("index.html"),
        },
        "extra_css": [_STYLE],
        "hooks": [str(Path(hooks.__file__))],
        "plugins": [
            {
                "search": {
                    # words stay as they are: what is typed is the beginning of one, which a stem is
                    # not; those of Chinese are cut by jieba, and in the question by the page
                    "lang": ["en"],
                    "pipeline": [] if lang == "zh" else ["stopWordFilter"],
                    # words of a code and of an id as well; jieba's mark is U+200B
                    "separator": r"[\s\u200b\-_.,:;!?()\[\]{}\"'`/=，。：；、！？（）《》“”「」…]+",
                }
            },
            "offline",
        ],
        "markdown_extensions": [
            "tables",
            "attr_list",
            "md_in_html",
            "admonition",
            "toc",
            "fenced_code",
            {"pymdownx.highlight": {"use_pygments": True}},
            "pymdownx.superfences",
        ],
        "validation": {
            "omitted_files": "ignore",
            "absolute_links": "warn",
            "unrecognized_links": "warn",
            "anchors": "warn",
        },
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
