"""logging.audit_coverage: what people do is recorded, event by event, whatever the rules look like.

The rules that count are those the kernel has loaded; the files tell whether they come back.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from collector.controls.logging.audit_enabled import without_answer
from collector.errors import NotUnderstood
from collector.facts.access.pam.stack import Entry, Stacks, stacks
from collector.facts.logs.audit.coverage import Event, decides, message
from collector.facts.logs.audit.events import audit_events
from collector.facts.logs.audit.rules import AuditRules, Rule, audit_rules
from collector.facts.logs.audit.status import AuditStatus, audit
from collector.facts.system.os_release import platform
from collector.facts.system.services import services
from collector.i18n.message import msg
from collector.model import Clock, Facts, Method, Parameters, Quote, Result, Text, Value, Verdict

_FAMILIES = {
    "logins": Text("登录", "logins"),
    "identity": Text("账号文件", "identity files"),
    "privileged": Text("特权操作", "privileged programs"),
    "time": Text("修改时间", "changes of the time"),
    "mount": Text("挂载", "mounts"),
    "delete": Text("删除与改名", "deletions"),
    "new": Text("新的系统调用", "newer system calls"),
}
_LOGINS = ("sshd", "login")
_NARROW = " (b32)"
_NO_LOGIN = "no watch, no USER_LOGIN record"
_USER_MESSAGES = {"USER_AUTH": 1100, "USER_START": 1105, "USER_LOGIN": 1112}
_REALTIME = frozenset({("a0", "=", "0x0"), ("a0", "=", "0")})
# what mount(8) since util-linux 2.39 and mv(1) use instead of mount and rename, and since when
_SINCE = {"move_mount": (5, 2), "renameat2": (3, 15)}
_PROGRAMS = {"/usr/bin/sudo": "sudo", "/usr/bin/su": "su"}


@dataclass(frozen=True, slots=True)
class _Hole:
    """An event that is not recorded; `rule` is the one that keeps it from being so, if any."""

    family: str
    what: str
    rule: Rule | None = None

    @property
    def narrow(self) -> bool:
        """Is it in the 32-bit calls only?"""
        return self.what.endswith(_NARROW)

    @property
    def en(self) -> str:
        by = f", voided by: {self.rule.line}" if self.rule else ""
        return f"{_FAMILIES[self.family].en} ({self.what}{by})"

    @property
    def zh(self) -> str:
        by = f"，因此规则失效：{self.rule.line}" if self.rule else ""
        what = "没有监视规则，也没有 USER_LOGIN 记录" if self.what == _NO_LOGIN else self.what
        return f"{_FAMILIES[self.family].zh}（{what}{by}）"


def judge(facts: Facts, parameters: Parameters, clock: Clock) -> Verdict:
    """Off, or a hole in the loaded set: fail. A hole for one width, or after a boot: partial."""
    status = facts.get(audit).status
    if status is None:
        return without_answer(facts.get(audit), facts.get(services), facts.get(platform))
    known = facts.get(audit_rules)
    evidence = [Quote("audit.status", status.lines[:1]), _loaded(known)]
    if status.enabled == 0:
        return Verdict(Result.FAIL, "off", Method.OBSERVED, evidence=tuple(evidence))
    machine, release = _kernel(facts)
    archs = ("b64", "b32") if machine in ("x86_64", "") else ("b64",)
    if re.fullmatch(r"i\d86|arm.*", machine):
        archs = ("b32",)
    holes = _holes(facts, known.loaded, parameters, archs, machine)
    other = [h for h in holes if h.narrow and "b64" in archs]
    worst = [h for h in holes if h not in other]
    if worst:
        return _short("missing", Result.FAIL, worst + other, evidence)
    pam = facts.get(stacks)
    # where no login passes PAM, nothing sets the login uid
    logins = [name for name in _LOGINS if pam.has(name)] or list(_LOGINS)
    unset = [name for name in logins if not _sets(pam, name)]
    if unset:
        return Verdict(
            Result.FAIL,
            "no_loginuid",
            values={"services": list(unset)},
            evidence=tuple(evidence),
        )
    if other:
        return _short("one_architecture", Result.PARTIAL, other, evidence)
    new = [c for c in parameters.strings("new_calls") if release >= _SINCE.get(c, (0, 0))]
    if holes := _once(_calls(known.loaded, "new", new, archs)):
        return _short("new_calls", Result.PARTIAL, holes, evidence)
    files = tuple(
        Quote("audit.rule_files", (f"{len(known.filed)} rules",), p) for p in known.places
    )
    if holes := _holes(facts, known.filed, parameters, archs, machine):
        if known.stop:
            raise NotUnderstood("audit.rule_files", msg("auditctl_gives_up", line=known.stop))
        return _short("not_at_boot", Result.PARTIAL, holes, [*evidence, *files])
    if known.ends_off:
        places: dict[str, Value] = {"files": [*known.places]}
        said = (*evidence, *files)
        return Verdict(Result.PARTIAL, "off_at_boot", values=places, evidence=said)
    return _covered(known, status, (*evidence, *files))


def _covered(known: AuditRules, status: AuditStatus, evidence: tuple[Quote, ...]) -> Verdict:
    values: dict[str, Value] = {"rules": len(known.loaded)}
    if status.enabled == 2:
        return Verdict(Result.PASS, "covered_locked", Method.OBSERVED, values, evidence)
    reason = "covered_lock_pending" if known.locks else "covered"
    return Verdict(Result.PASS, reason, Method.OBSERVED, values, evidence)


def _loaded(known: AuditRules) -> Quote:
    lines = tuple(rule.line for rule in known.loaded[:40])
    return Quote("audit.rules", lines or ("No rules",))


def _short(reason: str, result: Result, holes: list[_Hole], evidence: Sequence[Quote]) -> Verdict:
    shown = holes[:12]
    values: dict[str, Value] = {
        "holes": [hole.en for hole in shown],
        "holes_zh": [hole.zh for hole in shown],
        "count": len(holes),
    }
    return Verdict(result, reason, Method.OBSERVED, values, tuple(evidence))


def _kernel(facts: Facts) -> tuple[str, tuple[int, int]]:
    """The machine's name and the kernel's version; where it is not told, what asks for the most."""
    said = facts.capture.head.get("kernel", "").split()
    if len(said) < 3:
        return "", (99, 0)
    match = re.match(r"(\d{1,3})\.(\d{1,3})", said[1])
    if match is None:
        raise NotUnderstood("audit.kernel", msg("not_version_kernel", said=said[1]))
    return said[-1], (int(match[1]), int(match[2]))


def _holes(
    facts: Facts, rules: Sequence[Rule], parameters: Parameters, archs: Sequence[str], machine: str
) -> list[_Hole]:
    holes = _logins(facts, rules, parameters)
    for path in parameters.strings("identity_files"):
        for perm in "wa":
            for arch in archs:
                event = Event(arch, path=path, perm=perm)
                holes += _hole(rules, "identity", event, f"{path} {perm}")
    holes += _privileged(facts, rules, archs)
    for family in ("time", "mount", "delete"):
        calls = list(parameters.strings(f"{family}_calls"))
        if machine not in ("x86_64", "") and not re.fullmatch(r"i\d86|arm.*|ppc.*|s390.*", machine):
            calls = [c for c in calls if c not in parameters.strings("old_calls")]
        holes += _calls(rules, family, calls, archs)
    return _once(holes)


def _once(holes: list[_Hole]) -> list[_Hole]:
    """A hole in both widths is named once, without one."""
    plain = {hole.what for hole in holes}
    return [h for h in holes if not (h.narrow and h.what.removesuffix(_NARROW) in plain)]


def _hole(rules: Sequence[Rule], family: str, event: Event, what: str) -> list[_Hole]:
    outcome, rule = decides(rules, event)
    if outcome == "recorded":
        return []
    suffix = _NARROW if event.arch == "b32" else ""
    return [_Hole(family, f"{what}{suffix}", rule)]


def _calls(
    rules: Sequence[Rule], family: str, calls: Sequence[str], archs: Sequence[str]
) -> list[_Hole]:
    return [
        hole
        for call in calls
        for arch in archs
        for hole in _hole(rules, family, Event(arch, call, plain=_REALTIME), call)
    ]


def _logins(facts: Facts, rules: Sequence[Rule], parameters: Parameters) -> list[_Hole]:
    """A watch on one of the files of logins; or what PAM and sshd tell the audit by themselves."""
    for path in parameters.strings("login_files"):
        if decides(rules, Event("b64", path=path, perm="w"))[0] == "recorded":
            return []
    login = facts.get(audit_events).login
    if login is None or login.kind not in _USER_MESSAGES:
        return [_Hole("logins", _NO_LOGIN)]
    kept_out = message(rules, _USER_MESSAGES[login.kind])
    return [_Hole("logins", login.kind, kept_out)] if kept_out else []


def _privileged(facts: Facts, rules: Sequence[Rule], archs: Sequence[str]) -> list[_Hole]:
    """Every program that runs as root; or else sudo and su whenever they are called."""
    holes = [
        hole
        for arch in archs
        for hole in _hole(rules, "privileged", Event(arch, "execve", root=True), "execve euid=0")
    ]
    if not holes:
        return []
    pam = facts.get(stacks)
    called = [path for path, name in _PROGRAMS.items() if pam.has(name)]
    missing = [
        hole
        for path in called
        for hole in _hole(rules, "privileged", Event("b64", path=path, perm="x"), f"{path} x")
    ]
    if called and not missing:
        return []
    one_width = all(hole.narrow for hole in holes) and "b64" in archs
    return holes if one_width or len(missing) == len(called) else missing


def _sets(pam: Stacks, service: str) -> bool:
    def inside(entries: Sequence[Entry]) -> bool:
        return any(e.module == "pam_loginuid" or inside(e.inner or ()) for e in entries)

    return inside(pam.stack(service, "session"))
