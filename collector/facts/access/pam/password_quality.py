"""What the password checkers in a PAM stack really demand: pwquality, cracklib, passwdqc.

Sources: pam_pwquality(8), pwquality.conf(5) and NEWS of libpwquality (1.3.0: other defaults, and
`pwquality.conf.d`; 1.4.2: `enforce_for_root` in the file works), pam_cracklib(8), passwdqc.conf(5).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from collector.errors import NotUnderstood
from collector.facts.access.pam import deepin
from collector.facts.access.pam.stack import Course, Entry, courses
from collector.i18n.message import msg
from collector.model import Capture, Quote

CHECKERS = ("pam_pwquality", "pam_cracklib", "pam_passwdqc", deepin.MODULE)
_MAIN = ("/etc/security/pwquality.conf", "/usr/etc/security/pwquality.conf")
_CREDITS = ("dcredit", "ucredit", "lcredit", "ocredit")
_FLAGS = ("enforce_for_root", "local_users_only")
_NUMBERS = (
    "difok", "minlen", *_CREDITS, "minclass", "maxrepeat", "maxclassrepeat", "maxsequence",
    "gecoscheck", "dictcheck", "usercheck", "usersubstr", "enforcing", "retry",
)  # fmt: skip
# the version of libpwquality that first knows a name in its file (settings.c of each release);
# 1.4.1 knew the last three, but stopped behind them
_SINCE: Mapping[str, tuple[int, ...]] = {
    **dict.fromkeys((*_NUMBERS, "badwords", "dictpath"), (0,)),
    "dictcheck": (1, 3, 0),
    "usercheck": (1, 4, 0),
    "enforcing": (1, 4, 0),
    "usersubstr": (1, 4, 3),
    "retry": (1, 4, 2),
    "enforce_for_root": (1, 4, 2),
    "local_users_only": (1, 4, 2),
}


@dataclass(frozen=True, slots=True)
class Quality:
    """What a checker demands of a new password.

    `length` is that of the shortest one it lets pass, `classes` how many of the four kinds of
    characters it must have; `enforced` for users, `root` also where root sets a password.
    """

    length: int
    classes: int
    enforced: bool
    root: bool
    quotes: tuple[Quote, ...]


@dataclass(frozen=True, slots=True)
class Modules:
    """Which checkers are installed; versions of libpwquality and Linux-PAM (None: not known).

    `conf`: does pam_faillock name its file at all? None where that was not asked.
    """

    installed: frozenset[str]
    pwquality: tuple[int, ...] | None
    pam: tuple[int, ...] | None
    conf: bool | None = None


def modules(capture: Capture) -> Modules:
    """Raises CouldNotLook when the host did not let us see."""
    installed: set[str] = set()
    versions: dict[str, tuple[int, ...]] = {}
    conf: set[str] = set()
    for line in capture.read("pam.modules").text().splitlines():
        name, _, value = line.partition("=")
        if name == "module":
            installed.add(value)
        elif name == "conf":
            conf.add(value)
        elif match := re.match(r"(?:\d+:)?(\d+)\.(\d+)(?:\.(\d+))?", value):
            versions[name] = tuple(int(n or 0) for n in match.groups())
    return Modules(
        frozenset(installed),
        versions.get("libpwquality1", versions.get("libpwquality")),
        versions.get("libpam-modules", versions.get("pam")),
        {"named"} == conf if conf else None,
    )


def quality(entry: Entry, capture: Capture) -> Quality:
    """What this entry of a stack demands. Raises FactError when its settings are not seen."""
    if entry.module == "pam_pwquality":
        return _pwquality(entry, capture)
    if entry.module == "pam_cracklib":
        return _cracklib(entry)
    if entry.module == deepin.MODULE:
        length, classes, root, quotes = deepin.demands(entry, capture)
        return Quality(length, classes, enforced=True, root=root, quotes=quotes)
    return _passwdqc(entry, capture)


def _pwquality(entry: Entry, capture: Capture) -> Quality:
    # where the version is not known, the older and weaker behaviour is assumed
    version = modules(capture).pwquality or (0,)
    new = version >= (1, 3, 0)
    settings: dict[str, str] = {
        "minlen": "8" if new else "9",
        "minclass": "0",
        "enforcing": "1",
        **dict.fromkeys(_CREDITS, "0" if new else "1"),
    }
    quotes: list[Quote] = [entry.quote]
    for path, text in _pwquality_files(capture, with_folder=new):
        used, whole = _read_file(text, version, settings)
        if used:
            quotes.append(Quote("pam.settings", tuple(used), path))
        if not whole:
            break
    settings |= _arguments(entry)
    credits = [_int(settings, name, entry) for name in _CREDITS]
    # a positive credit takes one character off the length for each of its kind (up to its value)
    length = max(_int(settings, "minlen", entry), 6) - sum(c for c in credits if c > 0)
    return Quality(
        max(length, 1),
        min(max(_int(settings, "minclass", entry), sum(c < 0 for c in credits)), 4),
        _int(settings, "enforcing", entry) != 0,
        "enforce_for_root" in settings,
        tuple(quotes),
    )


def _read_file(
    text: str, version: tuple[int, ...], settings: dict[str, str]
) -> tuple[list[str], bool]:
    """The lines that had an effect, and whether the file was read to its end.

    libpwquality stops, and reads no further file, at the first name it does not know or value that
    is no number; before 1.3.0 a name ended at a blank only, so that `minlen=8` was no known name.
    """
    used: list[str] = []
    for line in text.splitlines():
        bare = line.partition("#")[0].strip()
        if not bare:
            continue
        pattern = r"([^\s=]+)\s*=?\s*(.*)$" if version >= (1, 3, 0) else r"(\S+)\s*=?\s*(.*)$"
        match = re.match(pattern, bare)
        name, value = (match[1].lower(), match[2]) if match else ("", "")
        used.append(bare)
        if name not in _SINCE or version < _SINCE[name]:
            return used, False
        if name in _NUMBERS and not re.fullmatch(r"[-+]?\d{1,9}", value):
            return used, False
        settings[name] = value
    return used, True


def _pwquality_files(capture: Capture, *, with_folder: bool) -> list[tuple[str, str]]:
    """The files in the order in which they are read: the folder first, so that the file wins."""
    known = {f.path: f.text("pam.settings") for f in capture.read("pam.settings").present()}
    main = next((p for p in _MAIN if p in known), None)
    parts: dict[str, str] = {}
    for base in reversed(_MAIN):
        parts |= {p.rpartition("/")[2]: p for p in known if p.startswith(f"{base}.d/")}
    order = [parts[name] for name in sorted(parts)] if with_folder else []
    return [(p, known[p]) for p in [*order, *([main] if main else [])]]


def _arguments(entry: Entry) -> dict[str, str]:
    """`name=value` and bare flags; `minlen = 8` with spaces is three words that mean nothing."""
    known = ("minlen", "minclass", "enforcing", *_CREDITS)
    found: dict[str, str] = {}
    for word in entry.args:
        name, equals, value = word.partition("=")
        if name in known and equals and value:
            found[name] = value
        elif word in _FLAGS:
            found[word] = ""
    return found


def _int(settings: Mapping[str, str], name: str, entry: Entry) -> int:
    value = settings[name]
    if not re.fullmatch(r"[-+]?\d{1,9}", value):
        raise NotUnderstood("pam.settings", f"{entry.module}: {name} = {value!r}")
    return int(value)


def _cracklib(entry: Entry) -> Quality:
    settings = {"minlen": "9", "minclass": "0", **dict.fromkeys(_CREDITS, "1")} | _arguments(entry)
    credits = [_int(settings, name, entry) for name in _CREDITS]
    length = _int(settings, "minlen", entry) - sum(c for c in credits if c > 0)
    return Quality(
        max(length, 1),
        max(_int(settings, "minclass", entry), sum(c < 0 for c in credits)),
        enforced=True,
        root=entry.flag("enforce_for_root"),
        quotes=(entry.quote,),
    )


def _passwdqc(entry: Entry, capture: Capture) -> Quality:
    """`min=N0,N1,N2,N3,N4`: shortest with one and two classes, passphrase, three, four classes."""
    settings = {"min": "disabled,24,11,8,7", "enforce": "everyone", "passphrase": "3"}
    quotes = [entry.quote]
    words = list(entry.args)
    config = entry.option("config")
    if config is not None:
        known = {f.path: f.text("pam.settings") for f in capture.read("pam.settings").present()}
        if config not in known:
            raise NotUnderstood("pam.settings", msg("pam_passwdqc_config_not", config=config))
        lines = [x.strip() for x in known[config].splitlines()]
        used = [x for x in lines if x and not x.startswith("#")]
        words = [*used, *words]
        quotes.append(Quote("pam.settings", tuple(used), config))
    for word in words:
        name, equals, value = word.partition("=")
        if equals and name in settings:
            settings[name] = value
    parts = settings["min"].split(",")
    if len(parts) != 5 or not all(re.fullmatch(r"disabled|\d{1,6}", p) for p in parts):
        raise NotUnderstood("pam.settings", msg("pam_passwdqc_min", settings=settings["min"]))
    if not settings["passphrase"].isdecimal():
        raise NotUnderstood("pam.settings", msg("pam_passwdqc_passphrase_not"))
    least = [None if p == "disabled" else int(p) for p in parts]
    if not int(settings["passphrase"]):
        least[2] = None
    # a passphrase needs no more than one kind of characters beside its blanks
    classes = {0: 1, 1: 2, 2: 1, 3: 3, 4: 4}
    open_to = [(classes[i], n) for i, n in enumerate(least) if n is not None]
    return Quality(
        min((n for _, n in open_to), default=1 << 16),
        min((c for c, _ in open_to), default=4),
        settings["enforce"] in ("everyone", "users"),
        settings["enforce"] == "everyone",
        tuple(quotes),
    )


# --- the way a weak password takes ---------------------------------------------------------------

_CHANGERS = ("pam_unix", "pam_unix2", "pam_tcb")
_ASK = ("pam_pwhistory", "pam_krb5", "pam_ldap", "pam_sss", "pam_winbind", "pam_unix_passwd")
_KEPT = ("use_authtok", "use_first_pass", "try_first_pass")
_ALWAYS: Mapping[str, tuple[str, ...]] = {
    "pam_deny": ("authtok_err",),
    "pam_permit": ("success",),
    "pam_localuser": ("success",),
    "pam_warn": ("ignore",),
    "pam_debug": ("success",),
    **dict.fromkeys(_ASK, ("success", "user_unknown")),
    "pam_pwhistory": ("success",),
}


def checkers(stack: tuple[Entry, ...]) -> tuple[Entry, ...]:
    """The entries of password checkers in a stack, those of substacks included."""
    found: list[Entry] = []
    for entry in stack:
        if entry.inner is not None:
            found += checkers(entry.inner)
        elif entry.module in CHECKERS:
            found.append(entry)
    return tuple(found)


def stores(stack: tuple[Entry, ...], pam: tuple[int, ...] | None) -> bool:
    """Does any way through a `password` stack end with a password stored, or is it not known?"""
    if checkers(stack):
        return True
    return lets_weak_pass(stack, (), pam)


def lets_weak_pass(
    stack: tuple[Entry, ...], strict: tuple[Entry, ...], pam: tuple[int, ...] | None
) -> bool:
    """Is there a way through a `password` stack on which a weak new password gets stored?

    `strict` are the checkers that refuse it. What a module that is not known returns is left open.
    A checker that fails as `required` does not end the stack: pam_unix behind it, unless told to
    keep what was typed (`use_authtok`), asks anew and stores what it gets, though passwd(1) then
    reports a failure (so seen with Linux-PAM 1.5.2 and 1.7.0). Before 1.5, and where the version
    is not known, it is taken to ask anew even behind a checker that was content.
    """
    asks_anew = pam is None or pam < (1, 5, 0)
    stored: list[bool] = []

    def returns(entry: Entry, way: Course) -> tuple[str, ...]:
        if entry in strict:
            return ("authtok_err", "success") if asks_anew else ("authtok_err",)
        if entry.module in CHECKERS:
            return ("success",)
        if entry.module not in _CHANGERS:
            return _ALWAYS.get(entry.module, ("success", "auth_err"))
        typed = _typed(way, strict)
        if asks_anew and typed == "strong" and not any(entry.flag(f) for f in _KEPT):
            typed = "weak"
        if not typed and not (entry.flag("use_authtok") or entry.flag("use_first_pass")):
            typed = "weak"
        stored.append(typed == "weak")
        return ("success",) if typed else ("authtok_err",)

    courses(stack, returns)
    return any(stored)


def _typed(way: Course, strict: tuple[Entry, ...]) -> str:
    """What PAM holds as the new password at this point: nothing, a strong or a weak one."""
    typed = ""
    for entry, value in way.called:
        if entry in strict:
            typed = "strong" if value == "success" else ""
        elif typed or entry.flag("use_authtok"):
            continue
        elif entry.module in CHECKERS or (entry.module in _ASK and value == "success"):
            typed = "weak"
    return typed
