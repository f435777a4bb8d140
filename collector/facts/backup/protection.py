"""Whether copies of a store are encrypted, whether others may read them, and who may read the keys.

Of files on this host what stands first in them decides, of repositories how they were made; of
what goes elsewhere the commands it goes through. A repository's password is never asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from collector.errors import NotUnderstood
from collector.facts.backup.artefacts.files import Artefact, artefacts
from collector.facts.backup.commands.addresses import address_of, same_target
from collector.facts.backup.commands.command_lines import ENGINES
from collector.facts.backup.commands.copies import pgbackrest, remotes
from collector.facts.backup.commands.destinations import encrypts, opened_by_nothing
from collector.facts.backup.commands.named_files import named
from collector.facts.backup.commands.permissions import in_home_of, key_opened, opened
from collector.facts.backup.ended import sealed
from collector.facts.backup.job_artefacts import left_by
from collector.facts.backup.offsite import Copy
from collector.facts.backup.outputs import outputs
from collector.facts.base.paths import within
from collector.facts.storage.volumes import Answer, storage
from collector.i18n.message import msg
from collector.model import Capture, Facts, Quote

# borg.constants.KeyType: 2 is no key at all, 6 and 7 only authenticate what they leave readable.
_BORG: Mapping[int, Answer] = {
    **dict.fromkeys((0, 1, 3, 4, 5, *range(0x10, 0x50)), "yes"),
    **dict.fromkeys((2, 6, 7), "no"),
}
_REPOKEYS = {3, 5, *range(0x11, 0x50, 0x10)}
_BORG_MODES: Mapping[int, str] = {2: "none", 6: "authenticated-blake2", 7: "authenticated"}
_CIPHERTEXT = re.compile(
    r"53616c7465645f5f|553246736447566b58|6167652d656e6372797074|2d2d2d2d2d424547494e20(504750|414745)"
    r"|8[45](..){1,2}0[36]$|8c..0[4-6]$|c1(..){1,2}0[36]$|c3..0[4-6]$"
)
_PLAIN = re.compile(
    r"1f8b|fd377a585a00|28b52ffd|425a68|04224d18|5047444d50|2d2d20|2d2d0a|2f2a|524544495330|text$"
)
_SEALED = re.compile(r"\\\.(gpg|age|enc|asc)")
_REPOSITORIES = {"restic", "borg", "borgmatic", "duplicity", "rclone", "pgbackrest"}


@dataclass(frozen=True, slots=True)
class Held:
    """Is one copy encrypted? `why` names the scheme, or what is not encrypted, in any language."""

    encrypted: Answer
    why: str
    quotes: tuple[Quote, ...] = ()


def held(facts: Facts, copy: Copy) -> Held:
    """How a copy is kept, what lies beneath it left out. Raises FactError."""
    tool, words = copy.way.tool, copy.way.words
    if tool == "restic":
        if "--insecure-no-password" in words:
            return Held("no", f"{copy.label}: --insecure-no-password")
        return Held("yes", "restic")
    if tool in ("borg", "borgmatic"):
        return _of_borg(facts, copy)
    if tool == "duplicity":
        plain = "--no-encryption" in words
        return Held("no", f"{copy.label}: --no-encryption") if plain else Held("yes", "gpg")
    if tool == "pgbackrest":
        return _of_pgbackrest(facts, copy)
    if tool == "rclone":
        known = facts.get(remotes)
        name = copy.to.text.removeprefix("rclone:").partition(":")[0]
        for _ in range(5):
            if known.get(name, {}).get("type") == "crypt":
                return Held("yes", "rclone crypt")
            name = known.get(name, {}).get("remote", "").partition(":")[0]
        if copy.to.kind == "unknown":
            return Held("unknown", copy.label)
    if encrypts([words, *copy.way.piped]):
        return _of_files(facts, copy) if copy.to.kind == "path" else Held("yes", "gpg/openssl/age")
    if tool in ENGINES or tool == "tar":
        return _of_files(facts, copy)
    if copy.of is not None:
        return held(facts, copy.of)
    return Held("no", copy.label)


def _of_borg(facts: Facts, copy: Copy) -> Held:
    """By what the borg of those whom it runs as remembers; of two words the worse."""
    told = [
        _of_key(facts, copy, where, kind)
        for folder, (where, kind) in facts.get(borg_keys).items()
        if same_target(address_of(where), copy.to) and in_home_of(folder, copy.way.users)
    ]
    order = ("no", "unknown", "yes")
    return min(told, key=lambda h: order.index(h.encrypted), default=Held("unknown", copy.label))


def _of_key(facts: Facts, copy: Copy, where: str, kind: int) -> Held:
    quote = Quote("backup_named.borg", (f"{where}: key-type {kind}",))
    answer = _BORG.get(kind, "unknown")
    scheme = f"borg -e {_BORG_MODES[kind]}" if kind in _BORG_MODES else "borg"
    # the key lies in the repository, and nothing closes it
    if kind in _REPOKEYS and (empty := _empty_secret(facts, copy)):
        return Held("no", f"{copy.label}: {empty}", (quote,))
    return Held(answer, scheme if answer == "yes" else f"{copy.label}: {scheme}", (quote,))


def _of_pgbackrest(facts: Facts, copy: Copy) -> Held:
    settings = facts.get(pgbackrest)
    for number in {m[1] for k in settings if (m := re.match(r"repo(\d+)-", k))} | {"1"}:
        path = settings.get(f"repo{number}-path", "/var/lib/pgbackrest")
        if copy.to.text == f"repo{number}" or copy.to.path == path:
            kind = settings.get(f"repo{number}-cipher-type", "none")
            quote = Quote("backup_named.settings", (f"repo{number}-cipher-type={kind}",))
            if kind != "none":
                return Held("yes", f"pgbackrest {kind}", (quote,))
            # a repository host has settings of its own
            answer: Answer = "unknown" if copy.to.kind == "host" else "no"
            return Held(answer, f"{copy.label}: repo{number}-cipher-type=none", (quote,))
    return Held("unknown", copy.label)


def _of_files(facts: Facts, copy: Copy) -> Held:
    """By the files it left; where none are seen, by the commands that it goes through."""
    inside = files_of(facts, copy)
    seen = [a for a in inside if a.head]
    if opened_by_nothing([copy.way.words, *copy.way.piped]):
        return Held("no", f"{copy.label}: gpg --passphrase ''")
    plain = [a for a in (*seen, *_in_the_clear_still(facts, copy)) if _is_plain(a)]
    if plain:
        return Held("no", _listed(a.path for a in plain), _heads(plain))
    unknown = [a for a in seen if not _CIPHERTEXT.match(a.head) and not _zip_encrypted(a)]
    through = encrypts([copy.way.words, *copy.way.piped])
    if unknown and not through:
        quotes = tuple(
            Quote("backup.artefacts", (a.line, f"head {a.head}"), a.path) for a in unknown
        )
        return Held("unknown", _listed(a.path for a in unknown), quotes[:5])
    if seen or through:
        quotes = tuple(Quote("backup.artefacts", (a.line, f"head {a.head}"), a.path) for a in seen)
        return Held("yes", "gpg/openssl/age", quotes[:3])
    if copy.to.kind == "unknown":
        return Held("unknown", copy.label)
    if copy.to.kind == "path" and sealed(facts, copy.way.job, copy.to.path):
        return Held("yes", f"{copy.to.path}: gpg/openssl/age, rm")
    return Held("no", copy.label)


def _empty_secret(facts: Facts, copy: Copy) -> str:
    """The passphrase or the file of one that is empty, which borg takes; empty: none is seen so."""
    if told := re.search(r"\bBORG_PASSPHRASE=(''|\"\"|(?=[\s;]|$))", copy.way.job.text):
        return told[0].strip() + ("" if told[1] else "''")
    known = facts.get(named)
    files = known.files_of(copy.way.job)
    for path in (p for f, p in known.keys if f in files):
        mode = known.modes.get(path)
        if mode is not None and re.match(r"\S+ +\d+ +\d+ +\d+ +0 ", mode.line):
            return f"{path} (0)"
    return ""


def _in_the_clear_still(facts: Facts, copy: Copy) -> tuple[Artefact, ...]:
    """Files of the same name without what encryption puts behind it: from before it was done."""
    use = copy.way.use
    if use is None or copy.to.kind != "path":
        return ()
    told = [p.pattern for p in outputs(use) or () if _SEALED.search(p.pattern)]
    before = [re.compile(_SEALED.sub("", p)) for p in told]
    known = facts.get(artefacts).all
    return tuple(a for a in known if a.head and any(p.fullmatch(a.path) for p in before)
                 and not any(re.fullmatch(p, a.path) for p in told))  # fmt: skip


def _heads(files: Sequence[Artefact]) -> tuple[Quote, ...]:
    return tuple(Quote("backup.artefacts", (a.line, f"head {a.head}"), a.path) for a in files[:3])


def files_of(facts: Facts, copy: Copy) -> tuple[Artefact, ...]:
    """The files that the copy's job left at this very place."""
    if copy.way.use is None or copy.to.kind != "path":
        return ()
    top = copy.to.path
    return tuple(
        a for a in left_by(facts, copy.way.use) if within(a.path, top) or a.repository == top
    )


def _is_plain(artefact: Artefact) -> bool:
    if artefact.head.startswith("504b0304"):
        return not _zip_encrypted(artefact)
    return bool(_PLAIN.match(artefact.head)) and not artefact.repository


def _zip_encrypted(artefact: Artefact) -> bool:
    """Bit 0 of the general purpose flags (APPNOTE 4.4.4), of the first file in it."""
    head = artefact.head
    return len(head) >= 16 and head.startswith("504b0304") and bool(int(head[12:14], 16) & 1)


def _listed(paths: Iterable[str]) -> str:
    every = list(paths)
    return ", ".join(every[:2]) + (f" (+{len(every) - 2})" if len(every) > 2 else "")


def waits(facts: Facts, copy: Copy, every: Sequence[Copy]) -> bool:
    """Is it a dump on the host of its data that only waits to go into an encrypted repository?"""
    return copy.place in ("disk", "host") and any(
        c.of == copy and c.way.tool in _REPOSITORIES and held(facts, c).encrypted == "yes"
        for c in every
    )


def beneath(facts: Facts, copy: Copy) -> Held:
    """Is what a copy on this host lies on encrypted? Raises FactError."""
    if copy.to.kind != "path" or copy.place not in ("disk", "host"):
        return Held("no", copy.label)
    found = facts.get(storage).encryption(facts.get(named).real(copy.to.path))
    lines = [Quote("storage.mounts", (found.mount.line,))] if found.mount else []
    return Held(found.encrypted, found.why, tuple(lines))


# --- who may get at it ---------------------------------------------------------------------------


def readable(facts: Facts, copy: Copy) -> tuple[tuple[str, Quote], ...] | None:
    """What others may get at of a copy on a disk of this host: how, and the line that shows it.

    None where neither files nor the folder were seen, or not the folder that may close them to
    others. Raises FactError.
    """
    if copy.to.kind != "path":
        return ()
    known = facts.get(named)
    files = files_of(facts, copy)
    found = []
    for file in files:
        if file.owned is None:
            return None
        real = known.real(file.path)
        # the mode of a file that its folder's access list came down to shows but the mask
        above = known.modes.get(real.rpartition("/")[0])
        listed = above is not None and above.listed
        how = opened(facts, real, file.owned, copy.way.users, listed=listed)
        if how and real.rpartition("/")[0] not in known.modes:
            return None
        if how:
            quote = Quote("backup.artefacts", (file.line,), file.path)
            found.append((f"{file.path} ({how})", quote))
    if files:
        return tuple(found)
    if sealed(facts, copy.way.job, copy.to.path):
        # no longer there
        return ()
    mode = known.modes.get(copy.to.path)
    if mode is None:
        return None
    owned = (mode.mode, mode.uid, mode.gid)
    how = opened(facts, known.real(mode.path), owned, copy.way.users, listed=mode.listed)
    return ((f"{mode.path} ({how})", Quote("backup_named.files", (mode.line,))),) if how else ()


def keys(facts: Facts, every: Sequence[Copy]) -> tuple[tuple[str, Quote], ...]:
    """Files of keys or passwords of the jobs that make these copies that others may read.

    Raises FactError, and NotUnderstood for a key whose mode was not seen.
    """
    known = facts.get(named)
    jobs = {c.way.job.name: c.way.job for c in every}.values()
    borg = any(c.way.tool in ("borg", "borgmatic") for c in every)
    files = {f for job in jobs for f in known.files_of(job)} | ({"borg"} if borg else set())
    if any(c.way.tool == "borgmatic" for c in every):
        files |= {f for f, *_ in known.keys if f.startswith("/etc/borgmatic")}
        files |= {f for f in known.holds if f.startswith("/etc/borgmatic")}
    if any(c.way.tool == "pgbackrest" for c in every):
        files |= {f for f in known.holds if f.startswith("/etc/pgbackrest")}
    users = frozenset(u for c in every for u in c.way.users)
    found = []
    for path in dict.fromkeys(p for f, p in known.keys if f in files):
        if re.search(r"\.(pub|crt|cer)$", path):
            continue
        mode = known.modes.get(path)
        if mode is None:
            raise NotUnderstood("backup_named.files", msg("mode_not_seen", path=path))
        how = key_opened(facts, mode, users)
        if how:
            found.append((f"{path} ({how})", Quote("backup_named.files", (mode.line,))))
    for path in known.holds:
        mode = known.modes.get(path)
        if path not in files:
            continue
        if mode is None:
            raise NotUnderstood("backup_named.files", msg("mode_not_seen", path=path))
        owned = (mode.mode, mode.uid, mode.gid)
        how = opened(facts, path, owned, users, listed=mode.listed)
        if how:
            found.append((f"{path} ({how})", Quote("backup_named.files", (mode.line,))))
    return tuple(found)


def keys_beside(facts: Facts, every: Sequence[Copy]) -> tuple[tuple[str, Quote], ...]:
    """Files of keys or passwords that lie among the very copies they open, on this host.

    Whoever gets the folder, or what is carried away of it, gets the key, too. Raises FactError.
    """
    known = facts.get(named)
    files = {f for c in every for f in known.files_of(c.way.job)}
    folders = {known.real(c.to.path) for c in every if c.to.kind == "path"}
    found = []
    for path in dict.fromkeys(p for f, p in known.keys if f in files):
        mode, real = known.modes.get(path), known.real(path)
        public = re.search(r"\.(pub|crt|cer)$", path)
        if mode is not None and not public and any(within(real, f) for f in folders):
            found.append((path, Quote("backup_named.files", (mode.line,))))
    return tuple(found)


def borg_keys(capture: Capture) -> Mapping[str, tuple[str, int]]:
    """How each borg repository is encrypted that was used here, by the folder of who used it.

    First where it lies, then the key's type (borg.constants.KeyType). Raises FactError.
    """
    kinds: dict[str, str] = {}
    places: dict[str, str] = {}
    for file in capture.read("backup_named.borg").present():
        folder, _, name = file.path.rpartition("/")
        (kinds if name == "key-type" else places)[folder] = file.text("backup_named.borg").strip()
    found = {}
    for folder, where in places.items():
        kind = kinds.get(folder, "")
        if folder.startswith("/home/") and not kind.isdecimal():
            # what a user lays there keeps nobody from judging the rest
            continue
        if not re.fullmatch(r"\d{1,3}", kind):
            raise NotUnderstood("backup_named.borg", msg("key_type", folder=folder, kind=kind))
        found[folder] = (where, int(kind))
    return found
