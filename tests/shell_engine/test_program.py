"""What the shell engine says of scripts as administrators write them."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from collector.facts.shell.program import Command, read

Told = list[tuple[str, str, bool | None]]


def told(text: str, **more: object) -> Told:
    done = read(text, **more)  # type: ignore[arg-type]
    return [(c.shown, c.reached, c.decides) for c in done.commands]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a; b; echo done", [("a", "always", False), ("b", "always", False)]),
        ("set -e\na\nb", [("a", "always", True), ("b", "perhaps", True)]),
        ("a || true\nb", [("a", "always", False), ("b", "always", True)]),
        ("a || exit 1\nb", [("a", "always", True), ("b", "perhaps", True)]),
        ("[ -e /lock ] && exit 0\na", [("a", "perhaps", True)]),
        ("rc=0\na || rc=$?\nb || rc=1\nexit $rc", [("a", "always", True), ("b", "always", True)]),
        ("a\ns=$?\nb\nexit $s", [("a", "always", True), ("b", "always", False)]),
        ("exit 0\na", [("a", "never", False)]),
        ("f() { a; }\nb", [("b", "always", True), ("a", "never", False)]),
        ("f() { a; }\nf || exit 2", [("a", "always", True)]),
        ("#!/bin/bash\na | b", [("a", "always", False), ("b", "always", True)]),
        (
            "#!/bin/bash\nset -o pipefail\na | b",
            [("a", "always", True), ("b", "always", True)],
        ),
        ("for x in 1 2; do a $x; done", [("a 1", "always", False), ("a 2", "always", True)]),
        ("case go in stop) a;; go|on) b;; esac", [("b", "always", True), ("a", "never", False)]),
        ("while true; do a; done\nb", [("a", "always", True), ("b", "never", False)]),
        ("trap 'c' EXIT\na", [("a", "always", True), ("c", "always", False)]),
        ("a &\nb", [("a", "always", False), ("b", "always", True)]),
        ('eval "$x"\na', [("a", "untold", None)]),
        ("a\n. /etc/own.sh\nb", [("a", "always", None), ("b", "untold", None)]),
        ("a\nif b; then", [("a", "always", None), ("b", "untold", None)]),
        ("if [ -d / ] && [ x = x ]; then a; fi", [("a", "perhaps", True)]),
        ("! a | b && c", [("a", "always", False), ("b", "always", False),
                          ("c", "perhaps", True)]),
    ],
)  # fmt: skip
def test_flow(text: str, expected: Told) -> None:
    assert told(text) == expected


# scripts as they were drawn, made small, and what a look at the model itself found beside them
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # 30038: the shell ends at "$2", so what a later word runs is not run
        (
            'set -u\nf() { a "$2" $(b); }\nf x',
            [("b", "perhaps", True), ("a $_ $_", "never", False)],
        ),
        # 31028: a stage of a pipeline sees the status from before the pipeline
        ("false\na | b $?", [("a", "always", False), ("b 1", "always", True)]),
        (
            "f() { v=$?; c $v; }\na\nb | f\nd",
            [("a", "always", False), ("b", "always", False), ("c 0", "perhaps", False),
             ("c $_", "perhaps", False), ("d", "always", True)],
        ),
        # 31036: who sees `c 0` run does not know whether it is the one that decides
        (
            "a\nv=$?\nc $v || true\nexit $v",
            [("a", "always", True), ("c 0", "perhaps", False), ("c $_", "perhaps", None)],
        ),
        (
            "for x in dump check; do a $x $R; done",
            [("a dump $_", "always", False), ("a check $_", "always", True)],
        ),
        ("false\nfor i in x; do a $?; done", [("a 1", "always", True)]),
        (
            "false\nfor i in $L; do a $?; done\nb $?",
            [("a 1", "perhaps", False), ("a 0", "perhaps", False), ("a $_", "perhaps", False),
             ("b 0", "perhaps", True), ("b $_", "perhaps", True)],
        ),
        ("false\ncase a in a) b $?;; esac", [("b 1", "always", True)]),
        ("false\ncase a in a) ;; esac\nb $?", [("b 0", "always", True)]),
        # of `$?` behind a substitution, dash and bash differ
        ("#!/bin/bash\ntrue\na $(b) $?", [("b", "always", False), ("a $_ $_", "always", True)]),
        ("#!/bin/dash\ntrue\na $(b) $?", [("b", "always", False), ("a $_ 0", "always", True)]),
        ("#!/bin/bash\na <(b)", [("b", "always", False), ("a $_", "always", True)]),
        (
            "case x in $(a)) b;; esac\nc",
            [("a", "always", False), ("b", "perhaps", False), ("c", "always", True)],
        ),
        ("set -u\ncase x in $2) ;; esac\na", [("a", "never", False)]),
        # 31961: the grammar takes the end of a line for a part of a word
        (
            "f() {\na | b | c 1 ]\n}\n{\nd || e\n}\ng",
            [("d", "always", False), ("e", "perhaps", False), ("g", "always", True),
             ("a", "never", False), ("b", "never", False), ("c 1 ]", "never", False)],
        ),
        (
            "a | b | c\n{\nd || e\n} >f\ng",
            [("a", "always", False), ("b", "always", False), ("c", "always", False),
             ("d", "always", False), ("e", "perhaps", False), ("g", "always", True)],
        ),
        ("set -u\nn=$((M+1))\na", [("a", "perhaps", True)]),
        ("set -u\na ${M:-$2}", [("a $_", "perhaps", True)]),
    ],
)  # fmt: skip
def test_what_dash_and_bash_were_seen_to_do(text: str, expected: Told) -> None:
    assert told(text) == expected


@pytest.mark.parametrize(
    ("text", "command", "reached", "decides"),
    [
        ("nice -n 5 timeout 60 a b", "a b", "always", True),
        ("ssh -p 22 h 'a; b'", "a", "perhaps", False),
        ("ssh h <<'E'\na\nE\n", "a", "perhaps", True),
        ("docker-compose exec -T db a x", "a x", "perhaps", True),
        ("docker compose -f y.yml exec db a", "a", "perhaps", True),
        ("docker exec -d db a", "a", "perhaps", False),
        ("systemd-cat -t x a", "a", "always", True),
        ("flock -n /run/l a", "a", "perhaps", True),
        ("flock -n /run/l -c 'a; b'", "b", "perhaps", True),
        ("sudo -u u a", "a", "perhaps", True),
        ("su - u -c 'a'", "a", "perhaps", True),
        ("runuser -u u -- a", "a", "perhaps", True),
        ("env X=1 nohup ionice -c 3 a", "a", "always", True),
        ("x | xargs -I{} a --to=/b/{}", "a --to=/b/$_", "perhaps", True),
        ("find /b -name x -exec a {} \\;", "a $_", "perhaps", False),
        ("find /b -exec a {} +", "a $_", "perhaps", True),
        ("bash -ec 'a; b'", "a", "always", True),
        ("sh -c 'a; b'", "a", "always", False),
        ("chronic a", "a", "always", True),
        ("setsid a", "a", "always", None),
    ],
)
def test_what_runs_a_command(text: str, command: str, reached: str, decides: bool | None) -> None:
    assert (command, reached, decides) in told(text)


def _one(text: str, pick: Callable[[Command], bool] = lambda c: True) -> Command:
    return next(c for c in read(text).commands if pick(c))


def test_a_word_with_an_unknown_part_is_one_word() -> None:
    done = read("DATE=$(date +%Y%m%d)\nscp /b/x_$DATE.gz h:/b/")
    assert done.commands[1].argv == ("scp", None, "h:/b/")
    assert done.commands[1].shown == "scp /b/x_$_.gz h:/b/"


@pytest.mark.parametrize(
    ("text", "reads", "writes"),
    [
        ("aws s3 sync s3://b/x /r", ["s3://b/x"], ["/r"]),
        ("aws s3 sync /d s3://b/x", ["/d"], ["s3://b/x"]),
        ("a < /in >> /out 2>/dev/null", ["/in"], ["/out"]),
        ("mysqldump --result-file=/b/x.sql s", [], ["/b/x.sql"]),
        ("redis-cli --rdb /b/x.rdb", [], ["/b/x.rdb"]),
        ("openssl enc -in /a -out /b", ["/a"], ["/b"]),
        ("tar czf /b/x.tgz /srv", ["/srv"], ["/b/x.tgz"]),
        ("tar xzf /b/x.tgz", ["/b/x.tgz"], []),
        ("dd if=/dev/sda of=/b/i", ["/dev/sda"], ["/b/i"]),
    ],
)
def test_which_way_it_copies(text: str, reads: list[str], writes: list[str]) -> None:
    command = _one(text)
    assert ["".join(map(str, x)) for x in command.reads] == reads
    assert ["".join(map(str, x)) for x in command.writes] == writes


def test_arguments_and_environment() -> None:
    done = read('[ "$1" = x ] && a "$HOST"', arguments=("x",), environment={"HOST": "h"})
    assert [(c.argv, c.reached) for c in done.commands] == [(("a", "h"), "always")]
    # what nobody told may be set or not
    assert [c.reached for c in read('[ "$M" = x ] && a').commands] == ["perhaps"]


def test_a_script_that_is_called_is_gone_through() -> None:
    done = read("/opt/b.sh now", scripts={"/opt/b.sh": "#!/bin/sh -e\na $1\nb\n"})
    assert [(c.shown, c.reached, c.decides) for c in done.commands] == [
        ("/opt/b.sh now", "always", True), ("a now", "always", True), ("b", "perhaps", True),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "(" * 250_000,
        "$(a " * 60_000,
        "if a; then " * 22_000,
        "a=1;" * 60_000,
        "a || b=1\n" * 20_000,
        "".join(f"a || b{i}=1\n" for i in range(5_000)),
        "f() { f; f; }; f\n" * 100,
        "while a; do x=$x$x; done\n" * 2_000,
        "for i in 1 2 3 4 5 6 7 8; do " * 50 + "a" + "; done" * 50,
        "x=" + "y" * 250_000 + "\n" + "a ${x%y*y*y*y*z}\n" * 200,
        "cat <<E\n" * 20_000,
        "a b\n" * 1_300_000,
        "'" * 250_001,
        "a && " * 50_000,
    ],
    ids=lambda t: t[:12],
)
def test_hostile_scripts_end(text: str) -> None:
    began = time.process_time()
    read(text)
    assert time.process_time() - began < 15
