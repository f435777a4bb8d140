"""Complaints and help texts of a Chinese session are Chinese; a bare command is no defect."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from rich.cells import cell_len

from collector import catalog
from collector.assess import assess_host
from collector.errors import BadInput
from collector.export.wrapping import wrapped
from collector.i18n.message import in_chinese
from collector.schema import check, load_json
from tests import cases
from tests.cli.running import hostpledge

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nosuch",), "没有命令 nosuch（见 hostpledge --help）"),
        (("assess",), "缺少参数 PATH...（见 hostpledge assess --help）"),
        (("assess", ""), "PATH：文件名为空"),
        (("run",), "缺少选项 -i / --inventory（见 hostpledge run --help）"),
        (("controls", "extra"), "多余的参数：extra（见 hostpledge controls --help）"),
        (("assess", "{tmp}/empty.capture"), "{tmp}/empty.capture：文件为空，其中没有采集结果"),
        (("exposure", "{tmp}/none"), "{tmp}/none：没有这个文件或目录"),
        (
            ("verify", "x", "--trust", "{tmp}/empty.json"),
            "{tmp}/empty.json：不是信任文件：缺少 schema；格式见 schemas/trust.schema.json",
        ),
        (
            ("key", "trust", "-o", "{tmp}/pipe"),
            "{tmp}/pipe：是设备或管道，不是文件；请给出文件",
        ),
        (
            ("key", "trust", "-o", "{tmp}/none/trust.json"),
            "{tmp}/none/trust.json: 没有这个文件或目录",
        ),
    ],
)
def test_complaints(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    (tmp_path / "empty.capture").touch()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "empty.json").write_text("{}")
    home = tmp_path / "home"
    assert hostpledge("key", "new", home=home).status == 0
    given = [word.replace("{tmp}", str(tmp_path)) for word in arguments]
    ended = hostpledge(*given, "--lang", "zh", home=home)
    assert (ended.status, ended.out) == (2, "")
    assert (
        ended.err.replace("python -m collector", "hostpledge")
        == f"hostpledge: {said.replace('{tmp}', str(tmp_path))}\n"
    )


def test_a_value_inside_a_known_complaint_is_told_too() -> None:
    with pytest.raises(BadInput) as refused:
        check({"schema": "urn:hostpledge:schema:trust:1", "keys": [{}]}, "trust", where="t")
    assert refused.value.said.startswith("t: not a trust: keys[0]: 'keyid' is a required")
    assert in_chinese(refused.value.said).startswith("t：不是信任文件：keys[0]：缺少 keyid")
    with pytest.raises(BadInput) as refused:
        load_json('{"id": 1, "ID": 2}', where="t")
    assert in_chinese(refused.value.said) == "t：不是有效的 JSON：键 ID 出现了两次（此前写作 id）"
    assert in_chinese("something never heard of") == "something never heard of"


@pytest.mark.parametrize("control", ["firewall.admin_sources", "firewall.exposed_ports"])
def test_who_reaches_a_port_and_why_is_told_in_chinese(control: str) -> None:
    for path in cases.case_files(control):
        case = cases.load(path)
        (found,) = assess_host(case.capture, [catalog.control(control)], grade=2, at=case.at)
        for words in ("bound to loopback", "no rule stands in the way", "anywhere"):
            assert words not in found.message.zh, path.name


@pytest.mark.parametrize("group", [(), ("pledge",), ("key",)])
def test_a_bare_group_shows_its_help_and_did_no_work(group: tuple[str, ...]) -> None:
    ended = hostpledge(*group, HOSTPLEDGE_LANG="zh")
    assert (ended.status, ended.out) == (2, "")
    assert "命令：" in ended.err or "缺少命令" in ended.err
    assert "Traceback" not in ended.err


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize(
    "command", ["", "run", "collect", "assess", "bundle", "verify", "pledge due", "key", "report"]
)
def test_help_fits_a_terminal(command: str, lang: str) -> None:
    ended = hostpledge(*command.split(), "--help", HOSTPLEDGE_LANG=lang, COLUMNS="80")
    assert ended.status == 0
    assert max(cell_len(line) for line in ended.out.splitlines()) <= 80
    if lang == "zh":
        assert not re.search(r"Options|Usage|Commands|Show |required|default:", ended.out)


def test_lines_break_where_chinese_may() -> None:
    assert wrapped("请安装 clamav-daemon，然后启用（systemctl）。", 16) == [
        "请安装",
        "clamav-daemon，",
        "然后启用",
        "（systemctl）。",
    ]
    assert wrapped("/var/log/journal/abc", 8) == ["/var/log", "/journal", "/abc"]
    assert wrapped("", 8) == [""]


def test_a_refused_read_says_so_in_words_and_what_to_do() -> None:
    (path,) = (
        p for p in cases.case_files("encryption.password_hash") if p.name == "refused.error.yml"
    )
    case = cases.load(path)
    (found,) = assess_host(case.capture, [catalog.control(case.control)], grade=2, at=case.at)
    assert found.message.zh.endswith("权限不足；请以 root 重新采集")
    assert found.message.en.endswith("; collect again as root")


@pytest.mark.parametrize(
    ("lang", "said"),
    [
        ("en", "No such command 'verfy'. Did you mean 'verify'?"),
        ("zh", "没有命令 verfy，是否要写 verify？"),
    ],
)
def test_a_mistyped_command_is_told_the_nearest(lang: str, said: str) -> None:
    ended = hostpledge("verfy", "x", HOSTPLEDGE_LANG=lang)
    assert (ended.status, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert said in ended.err
