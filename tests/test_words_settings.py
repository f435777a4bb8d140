"""Secrets in settings: behind a keyword, a name inside quotes, options of a tool, and line ends."""

from __future__ import annotations

import pytest

from tests.masked import AWKS, redacted

# what must not leave has `qux` in it
_SCRIPT = (
    "  curl -u monitor:quxa http://h/x\n  sshpass -p quxa ssh h true\n  PGPASSWORD=quxa psql -c x\n"
)
_BEGINS = (
    "{}", "{} ", "{} #", "{} # tell the monitor", "{}\t\r", "{} curl -u joe:quxb http://h",
    "{};curl -u joe:quxb http://h", "/var/log/x {{ {}", "daily {}",
)  # fmt: skip
_QUOTED = [
    ("settings", 'encryption_passphrase: "quxbattery="'),
    ("settings", "encryption_passphrase: 'quxbattery='"),
    ("settings", 'password: "qux:"'),
    ("settings", 'password: "qux: x"'),
    ("settings", "passphrase: quxa= "),
    ("settings", 'databases:\n  - {name: x, password: "quxa=", format: custom}'),
    ("settings", "databases:\n  - {name: x, password: quxa=, format: custom}"),
    ("settings", "databases:\n  - {name: x, password: 'qux:'}"),
    ("settings", "databases:\n  - name: shop\n  - {name: x, password: quxa}"),
    ("settings", 'connection: "SharedAccessKey=quxa="'),
    ("tab", "BORG_PASSPHRASE='quxbattery='"),
    ("tab", 'RESTIC_PASSWORD="quxa:"'),
    ("tab", "PASSWORD=quxa= "),
    ("tab", "PASSWORD=[quxa=,quxb= ]"),
]
_OPTIONS = [
    "-u root -pquxRain", "-u root -p quxRain", "PGPASSWORD=quxRain", "password=quxRain",
    "-W quxRain", "-P quxRain", "-K quxRain -a quxRain", "-u joe:quxRain", "--user joe:quxRain",
    "-x password quxRain", "--uri mongodb://u:quxRain@h", "--password=quxRain --quick",
]  # fmt: skip
_OPTIONS_KEYS = ("options", "restore_options", "list_options")
_SPLIT = [
    "mysqldump --password=\\\nquxRain shop",
    'mysqldump --password="\\\nquxRain" shop',
    'mysqldump --password="qux\\\nRain quxb" shop',
    "mysqldump --password=\\\nquxRain=\nshop",
    "docker run -e MYSQL_ROOT_PASSWORD=\\\nquxRain mysql",
    'docker run -e MYSQL_ROOT_PASSWORD=\\\n"quxRain" mysql',
    "mysqldump --password=zux\\\nquxRain shop",
    "restic --secret=\\\n#quxRain x",
    "mongodump --uri=mongodb://u:\\\nquxRain@h",
    "duplicity /srv ftp://u:\\\nquxRain@h",
    "PASSWORD=\\\nquxa\\\nquxb pg_dump shop",
]


def _said(awk: list[str], mode: str, text: str) -> str:
    return redacted(f"#words {mode}", text.encode() + b"\n", awk=awk).decode()


@pytest.mark.parametrize("awk", AWKS, ids=" ".join)
@pytest.mark.parametrize("form", _BEGINS)
def test_whatever_stands_behind_its_keyword_a_script_begins(awk: list[str], form: str) -> None:
    for word in ("prerotate", "postrotate", "firstaction", "lastaction", "preremove"):
        said = _said(awk, "rotate", f"{form.format(word)}\n{_SCRIPT}endscript\nrotate 26")
        assert "qux" not in said
        assert word in said
        assert said.endswith("\nendscript\nrotate 26\n")


@pytest.mark.parametrize("awk", AWKS, ids=" ".join)
def test_a_script_ends_at_its_own_word_only(awk: list[str]) -> None:
    said = _said(awk, "rotate", f"postrotate\nendscripts\n{_SCRIPT}endscript\nrotate 26")
    assert "qux" not in said


@pytest.mark.parametrize("awk", AWKS, ids=" ".join)
@pytest.mark.parametrize("line", ["daily # postrotate", "olddir /srv/postrotate", "# postrotate"])
def test_where_no_script_begins_settings_go_on(awk: list[str], line: str) -> None:
    assert _said(awk, "rotate", f"{line}\nrotate 26\nmaxage 365").endswith(
        "rotate 26\nmaxage 365\n"
    )


@pytest.mark.parametrize("awk", AWKS, ids=" ".join)
@pytest.mark.parametrize(("mode", "text"), _QUOTED)
def test_in_a_secret_no_name_begins(awk: list[str], mode: str, text: str) -> None:
    assert "qux" not in _said(awk, mode, text)


@pytest.mark.parametrize("awk", AWKS, ids=" ".join)
@pytest.mark.parametrize("options", _OPTIONS)
def test_options_of_a_tool_are_those_of_a_command(awk: list[str], options: str) -> None:
    for key in _OPTIONS_KEYS:
        for form in ("{}", '"{}"', "'{}'", '"{}" # quxc', ">\n   {}", "\n   - {}"):
            assert "qux" not in _said(awk, "settings", f"{key}: {form.format(options)}")


@pytest.mark.parametrize("awk", AWKS, ids=" ".join)
@pytest.mark.parametrize(
    "text",
    [
        "options: >\n   -u root -p\n   quxa",
        'options: "-u root\n   -p quxa"',
        "options:\n  - -p\n  - quxa",
        'options: "-p \\"quxa quxb\\" --quick"',
        "username: root:quxa",
        "hostname: root:quxa",
        "exclude_patterns:\n  - PGPASSWORD=quxa",
    ],
)
def test_nor_do_they_leave_over_several_lines(awk: list[str], text: str) -> None:
    assert "qux" not in _said(awk, "settings", text)


@pytest.mark.parametrize("awk", AWKS, ids=" ".join)
@pytest.mark.parametrize(
    "line",
    [
        'options: "--ignore-table=shop.log --single-transaction"',
        "options: -Fc -j 4 --no-owner",
        "username: backup",
        "hostname: db1:3306",
        "exclude_patterns: ['*.pyc', /tmp]",
        "archive_name_format: '{hostname}-{now}'",
        "databases: [{name: shop, format: custom}]",
    ],
)
def test_what_is_no_secret_of_settings_stays(awk: list[str], line: str) -> None:
    assert _said(awk, "settings", line) == line + "\n"


@pytest.mark.parametrize("awk", AWKS, ids=" ".join)
@pytest.mark.parametrize("text", _SPLIT)
def test_a_backslash_at_the_end_of_its_line_parts_no_secret(awk: list[str], text: str) -> None:
    assert "qux" not in _said(awk, "script", text)
    assert "qux" not in _said(awk, "listed", "@ /x\n|" + text.replace("\n", "\n|"))


@pytest.mark.parametrize("awk", AWKS, ids=" ".join)
@pytest.mark.parametrize(
    "text",
    [
        "tar czf /b/x.tgz \\\n  /srv/data /etc",
        "restic --password-file=/etc/pw \\\n  backup /srv/data",
        "DEST=\\\n/b/shop; KEEP_DAYS=180",
    ],
)
def test_what_goes_on_otherwise_stays(awk: list[str], text: str) -> None:
    assert _said(awk, "script", text) == text + "\n"
