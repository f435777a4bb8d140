"""Programs that run what they are given: nice, timeout, ssh, docker exec, xargs, sh -c and others.

Of each its manual page: which options take a value, where the command begins, and whether the
command's status is theirs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from collector.facts.shell.values import Hole, Value, plain, shown, value


@dataclass(frozen=True, slots=True)
class Wrapped:
    """What is run: `words`, or a script (`text`; None: not known), or the script in `file`.

    `sure`: it is run whenever the wrapper is. `passes`: the wrapper fails when it does. `exact`:
    with its very status, and never on its own. `skips`: it may end well without running it.
    `elsewhere`: in another environment, or on another host. `direct`: by its first line.
    """

    words: tuple[Value, ...] | None = None
    text: str | None = None
    file: Value | None = None
    arguments: tuple[Value, ...] = ()
    flags: tuple[str, ...] = ()
    sure: bool = True
    passes: Literal["yes", "no", "untold"] = "yes"
    exact: bool = False
    skips: bool = False
    elsewhere: bool = False
    direct: bool = False
    name: str = ""


@dataclass(frozen=True, slots=True)
class _Way:
    """`valued`: short options, then long ones, that take the next word; `operands` before it."""

    valued: str = ""
    long: tuple[str, ...] = ()
    operands: int = 0
    sure: bool = True
    passes: Literal["yes", "no", "untold"] = "yes"
    skips: bool = False
    elsewhere: bool = False


_SUDO = _Way("ugpCThRrtUD", ("user", "group", "prompt", "host", "chdir"), sure=False)
_WAYS: Mapping[str, _Way] = {
    "nice": _Way("n", ("adjustment",)),
    "ionice": _Way("cnpPu", ("class", "classdata", "pid")),
    "nohup": _Way(),
    "env": _Way("uSC", ("unset", "chdir", "split-string")),
    "timeout": _Way("ks", ("kill-after", "signal"), operands=1),
    "time": _Way("fo", ("format", "output")),
    "stdbuf": _Way("ioe", ("input", "output", "error")),
    "chronic": _Way(),
    "cronic": _Way(),
    "setsid": _Way(passes="untold"),
    "systemd-cat": _Way("tpP", ("identifier", "priority", "stderr-priority", "level-prefix")),
    "systemd-inhibit": _Way("", ("what", "who", "why", "mode"), sure=False),
    "systemd-run": _Way("upESMH", ("unit", "property", "setenv", "slice", "description", "uid",
                                   "gid", "nice", "working-directory"),
                        sure=False, passes="untold"),
    "hostpledge-backup-report": _Way(),
    "sudo": _SUDO,
    "doas": _Way("uC", sure=False),
    "gosu": _Way(operands=1, sure=False),
    "setpriv": _Way("", ("reuid", "regid", "groups"), sure=False),
    "chpst": _Way("uUbenlmodpfcrt", sure=False),
    "chroot": _Way("", ("userspec", "groups"), operands=1, sure=False, elsewhere=True),
    "sshpass": _Way("pfdP", sure=False),
    "xargs": _Way("IdEnLPsa", ("max-args", "max-procs", "delimiter", "arg-file", "replace",
                               "max-lines"), sure=False, skips=True),
    "parallel": _Way("jIaNL", ("jobs", "colsep", "delay", "joblog"), sure=False, skips=True),
}  # fmt: skip
_IN_CONTAINERS = ("user", "env", "workdir", "env-file", "index", "name", "volume", "network",
                  "entrypoint", "volumes-from", "mount", "memory", "cpus", "detach-keys", "label",
                  "publish", "container", "namespace", "hostname", "link", "add-host",
                  "log-driver", "restart")  # fmt: skip
_SHELL = re.compile(r"(?:.*/)?(?:ba|da|a|k|mk)?sh")
_UNKNOWN: Value = (Hole(splits=True),)


def unwrap(fields: list[Value], stdin: Value | None) -> Wrapped | None:
    """What `fields` runs, None where it is no wrapper or it cannot be told where that begins."""
    first = plain(fields[0])
    if first is None:
        return None
    name = first.rpartition("/")[2]
    if name == "busybox" and len(fields) > 1:
        return Wrapped(words=tuple(fields[1:]), exact=True, name=name)
    if _SHELL.fullmatch(first):
        return _shell(name, fields, stdin)
    if name in ("su", "runuser"):
        return _su(name, fields)
    if name == "ssh":
        return _ssh(fields, stdin)
    if name in ("docker", "podman", "docker-compose", "podman-compose", "kubectl", "lxc", "incus"):
        return _container(name, fields)
    if name == "flock":
        return _flock(fields)
    if name == "find":
        return _find(fields)
    way = _WAYS.get(name)
    return None if way is None else _plainly(name, way, fields)


def _options(
    fields: list[Value], valued: str, long: tuple[str, ...]
) -> tuple[int, list[str]] | None:
    """Where the operands begin, and the options before; None where an option is not known."""
    at, found = 1, list[str]()
    while at < len(fields):
        text = plain(fields[at])
        if text is None:
            shape = shown(fields[at], "")
            if shape.startswith("-"):
                at += 1
                continue
            return at, found
        if text == "--":
            return at + 1, found
        if not text.startswith("-") or text == "-":
            return at, found
        found.append(text)
        if text.startswith("--"):
            at += 2 if text[2:] in long else 1
        else:
            letters = text[1:]
            takes = next((i for i, c in enumerate(letters) if c in valued), None)
            at += 2 if takes == len(letters) - 1 else 1
    return at, found


def _plainly(name: str, way: _Way, fields: list[Value]) -> Wrapped | None:
    told = _options(fields, way.valued, way.long)
    if told is None:
        return None
    at, options = told
    rest = fields[at + way.operands :]
    if name == "sudo" and {"-l", "-v", "-k", "-K", "-e"} & set(options):
        return None
    if name in ("env", "sudo"):
        while rest and re.match(r"[A-Za-z_]\w*=", shown(rest[0])):
            rest = rest[1:]
    if name == "systemd-run":
        waits = {"--wait", "--scope", "--pipe", "-P", "-t"} & set(options)
        passes: Literal["yes", "no", "untold"] = "yes" if waits else "no"
    else:
        passes = way.passes
    if not rest:
        return None
    if name == "xargs":
        rest = _handed(rest, options, fields)
    return Wrapped(
        words=tuple(rest), sure=way.sure, passes=passes, skips=way.skips,
        exact=name in ("nice", "nohup", "env", "time", "stdbuf", "ionice", "busybox"),
        elsewhere=way.elsewhere, name=name,
    )  # fmt: skip


def _handed(rest: list[Value], options: list[str], fields: list[Value]) -> list[Value]:
    """Xargs puts what it reads where its mark stands, or behind all."""
    mark = next((o[2:] for o in options if o.startswith("-I") and len(o) > 2), "")
    for at, field in enumerate(fields[:-1]):
        if plain(field) == "-I":
            mark = plain(fields[at + 1]) or ""
    if "-i" in options:
        mark = "{}"
    if not mark:
        return [*rest, _UNKNOWN]
    found: list[Value] = []
    for field in rest:
        pieces: list[str | Hole] = []
        for piece in field:
            if isinstance(piece, str):
                for at, some in enumerate(piece.split(mark)):
                    pieces += [Hole(), some] if at else [some]
            else:
                pieces.append(piece)
        found.append(value(*pieces))
    return found


def _shell(name: str, fields: list[Value], stdin: Value | None) -> Wrapped | None:
    flags: list[str] = []
    at, inline = 1, False
    while at < len(fields):
        text = plain(fields[at])
        if text is None:
            return Wrapped(name=name, sure=False)
        if text == "--" or not re.fullmatch(r"[-+]\w+|--\w+", text):
            break
        if not text.startswith("--"):
            inline |= "c" in text and text[0] == "-"
            flags += [f for c, f in (("e", "errexit"), ("u", "nounset")) if c in text]
            if "n" in text:
                return Wrapped(text="", name=name)
            if text.endswith("o"):
                at += 1
                option = plain(fields[at]) if at < len(fields) else ""
                flags += [option] if option in ("errexit", "nounset", "pipefail") else []
        at += 1
    if at < len(fields) and plain(fields[at]) == "--":
        at += 1
    rest = fields[at:]
    settled = tuple(flags)
    if inline and rest:
        made = Wrapped(text=plain(rest[0]), arguments=tuple(rest[2:]))
        return replace(made, flags=settled, exact=True, name=name)
    if rest:
        made = Wrapped(file=rest[0], arguments=tuple(rest[1:]))
        return replace(made, flags=settled, exact=True, name=name)
    text = plain(stdin) if stdin is not None else None
    return Wrapped(text=text, flags=settled, exact=stdin is not None, name=name)


def _su(name: str, fields: list[Value]) -> Wrapped | None:
    texts = [plain(f) for f in fields]
    for at, text in enumerate(texts):
        if text in ("-c", "--command", "-lc") and at + 1 < len(fields):
            return Wrapped(text=texts[at + 1], sure=False, elsewhere=True, name=name)
        if text and text.startswith("--command="):
            return Wrapped(text=text.partition("=")[2], sure=False, elsewhere=True, name=name)
    if name == "runuser" and ("-u" in texts or "--" in texts):
        told = _options(fields, "ugGs", ("user", "group", "shell"))
        rest = fields[told[0] :] if told else []
        return Wrapped(words=tuple(rest), sure=False, name=name) if rest else None
    return None


def _ssh(fields: list[Value], stdin: Value | None) -> Wrapped | None:
    told = _options(fields, "bcDEeFIiJLlmOopQRSWwB", ())
    if told is None or told[0] >= len(fields):
        return None
    at, options = told
    rest = fields[at + 1 :]
    if "-N" in options or "-O" in options:
        return None
    passes: Literal["yes", "no"] = (
        "no" if any(re.fullmatch(r"-\w*f\w*", o) for o in options) else "yes"
    )
    text: str | None = None
    words: tuple[Value, ...] | None = None
    if rest:
        known = [plain(f) for f in rest]
        if None not in known:
            text = " ".join(k for k in known if k is not None)
            if re.fullmatch(r"(?:ba|da|)sh(?: -s)?", text) and stdin is not None:
                text = plain(stdin)
        else:
            words = _apart(rest)
    elif stdin is not None:
        text = plain(stdin)
    else:
        return None
    return Wrapped(words=words, text=text, sure=False, passes=passes, elsewhere=True, name="ssh")


def _apart(rest: list[Value]) -> tuple[Value, ...] | None:
    """The words of a remote command with holes, where no more than blanks part them."""
    whole: list[str | Hole] = []
    for at, field in enumerate(rest):
        whole += [" ", *field] if at else [*field]
    if any(isinstance(p, str) and re.search(r"[;&|<>()$`'\"\\\n]", p) for p in whole):
        return None
    words: list[list[str | Hole]] = [[]]
    for piece in value(*whole):
        if isinstance(piece, Hole):
            words[-1].append(piece)
            continue
        for at, some in enumerate(piece.split(" ")):
            if at:
                words.append([])
            words[-1].append(some)
    made = tuple(value(*w) for w in words)
    kept = tuple(w for w in made if w)
    return kept or None


def _container(name: str, fields: list[Value]) -> Wrapped | None:
    """Of docker exec, docker run, docker compose exec, kubectl exec … --."""
    rest = fields[1:]
    compose = name.endswith("compose")
    at = 0
    while at < len(rest):
        text = plain(rest[at])
        if text is None:
            return None
        if text == "compose":
            compose = True
        elif text in ("exec", "run"):
            break
        elif text in ("-f", "-p", "-H", "-c", "-n", "--file", "--project-name", "--env-file",
                      "--context", "--host", "--profile", "--project-directory", "--namespace",
                      "--kubeconfig"):  # fmt: skip
            at += 1
        elif not text.startswith("-") and text != "container":
            return None
        at += 1
    if at >= len(rest):
        return None
    valued = "uewclI" if plain(rest[at]) == "exec" else "uewvpmhclaI"
    told = _options(rest[at:], valued, _IN_CONTAINERS)
    if told is None:
        return None
    begin, options = told
    words = rest[at + begin + 1 :]
    if words and plain(words[0]) == "--":
        words = words[1:]
    if not words:
        return None
    away = any(o == "--detach" or re.fullmatch(r"-\w*d\w*", o) for o in options)
    return Wrapped(words=tuple(words), sure=False, passes="no" if away else "yes", elsewhere=True,
                   name="compose" if compose else name)  # fmt: skip


def _flock(fields: list[Value]) -> Wrapped | None:
    told = _options(fields, "wE", ("timeout", "wait", "conflict-exit-code"))
    if told is None:
        return None
    at, options = told
    rest = fields[at + 1 :]
    skips = any(o.startswith(("-E", "--conflict")) for o in options)
    if not rest:
        return None
    if plain(rest[0]) in ("-c", "--command") and len(rest) > 1:
        return Wrapped(text=plain(rest[1]), sure=False, skips=skips, name="flock")
    return Wrapped(words=tuple(rest), sure=False, skips=skips, name="flock")


def _find(fields: list[Value]) -> Wrapped | None:
    r"""`-exec … \;` hides how its command ended, `-exec … +` does not."""
    texts = [plain(f) for f in fields]
    for at, text in enumerate(texts):
        if text in ("-exec", "-execdir", "-ok", "-okdir"):
            end = next((i for i in range(at, len(texts)) if texts[i] in (";", "+")), len(texts))
            words = [_UNKNOWN if plain(f) == "{}" else f for f in fields[at + 1 : end]]
            if not words:
                return None
            every = end < len(texts) and texts[end] == "+"
            return Wrapped(words=tuple(words), sure=False, passes="yes" if every else "no",
                           skips=True, name="find")  # fmt: skip
    return None
