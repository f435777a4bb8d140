"""What each probe's recording shows, but for ports (`ports`) and what is restored (`restored`)."""

from __future__ import annotations

import re
from dataclasses import replace

from collector.facts.probed.outcome import Outcome, failed, not_done, untold, worked
from collector.facts.probed.recording import Recording
from collector.i18n.message import Message, msg

# what an AIDE run ends with when it could compare: bits for added, removed, changed (aide(1))
_AIDE_COMPARED = 7
_ECHOES = 3
# of AIDE's attributes and groups (aide.conf(5)); case tells S from s
_TELLING = re.compile(
    r"[psugRHLX]|ftype|acl|xattrs|caps|md5|rmd160|sha1|tiger|crc32|haval|whirlpool|gost"
    r"|sha(?:256|512)|stribog(?:256|512)"
)
# seconds that a clock may be off (monitoring.time_sync)
_MOST_OFF = 1.0


def integrity(made: Recording) -> Outcome:
    """A file was put below a watched tree: did the comparison name it?"""
    if (undone := not_done(made)) is not None:
        return undone
    planted, named = made.said("planted"), made.said("named")
    rc = made.number("rc")
    if not planted or rc is None:
        return untold(made, msg("probe_said_too_little"))
    if rc > _AIDE_COMPARED:
        return untold(made, msg("probe_aide_failed", rc=rc), *made.said("error"))
    lines = (f"planted {planted[0]}", *(f"named {line}" for line in named))
    if made.said("unknown"):
        folder = planted[0].rpartition("/")[0]
        return untold(made, msg("probe_aide_no_baseline", path=folder), *lines)
    if hidden := _hidden(made.said("ignores")):
        return failed(made, msg("probe_aide_ignores", attributes=", ".join(hidden)), *lines)
    if any(planted[0] in line for line in named):
        return worked(made, "logged", msg("probe_aide_named", path=planted[0]), *lines)
    return failed(made, msg("probe_aide_silent", path=planted[0]), *lines)


def _hidden(ignored: tuple[str, ...]) -> list[str]:
    """Of attributes whose change no report names those by which content and rights show."""
    found = {one for line in ignored for one in re.findall(r"[A-Za-z0-9_]+", line)}
    return sorted(one for one in found if _TELLING.fullmatch(one))


def failed_login(made: Recording) -> Outcome:
    """An account that does not exist was tried: is it on record, and did anything ring?"""
    if (undone := not_done(made)) is not None:
        return undone
    account = next(iter(made.all("account")), "")
    # without the server's own answer it is not known that the host was asked at all
    if not account or "refused" not in made.all("answer"):
        return untold(made, msg("probe_no_answer"), *made.all("answer"))
    if made.number("looked") is None:
        return untold(made, msg("probe_said_too_little"))
    found = tuple(line for line in made.said("found") if account in line)
    rang = tuple(line for line in made.said("alert") if account in line)
    places = ", ".join(dict.fromkeys(line.split(" ", 1)[0] for line in found))
    if not found:
        return failed(
            made, msg("probe_login_unseen", account=account), f"account {account}",
            of=("logging.logins",),
        )  # fmt: skip
    if rang:
        alert = rang[0].split(" ", 1)[0]
        return worked(
            made, "alerted", msg("probe_login_alerted", account=account, where=alert), *found, *rang
        )
    return worked(
        made, "logged", msg("probe_login_logged", account=account, where=places), *found,
        of=("logging.logins",),
    )  # fmt: skip


def log_arrival(made: Recording) -> Outcome:
    """Our own login: is it on record here, and did the record arrive on the log store?"""
    if (undone := not_done(made)) is not None:
        return undone
    login = next(iter(made.all("login")), "")
    if not login or made.number("looked") is None:
        return untold(made, msg("probe_said_too_little"))
    found = tuple(line for line in made.said("found") if _names(line, login))
    # whose login it is everybody there sees, and writes the same into a log of lines
    here = tuple(line for line in found if line.startswith("journal "))
    others = (*made.said("unsure"), *(line for line in found if line not in here))
    lines = (f"login {login}", *here)
    if not here and (unsure := tuple(line for line in others if _names(line, login))):
        return untold(made, msg("probe_own_login_whose", login=login), *lines, *unsure)
    if not here:
        return failed(made, msg("probe_own_login_unseen", login=login), *lines)
    store = next(iter(made.all("store")), "")
    if not store:
        return worked(
            made, "logged", msg("probe_no_store", login=login), *lines, of=("logging.logins",)
        )
    if (why := _no_store(made, store)) is not None:
        return replace(worked(made, "logged", why, *lines, of=("logging.logins",)), complete=False)
    records = {core for line in here if (core := _core(line, login))}
    arrived = tuple(
        line
        for line in made.all("arrived")
        if _names(line, login) and any(core in line for core in records)
    )
    if arrived and not any(" publickey for " in line for line in here):
        # no fingerprint is in it, which whoever makes such a line would have to know
        said = msg("probe_arrived_whose", login=login, store=store)
        return replace(
            worked(made, "logged", said, *lines, *arrived, of=("logging.logins",)), complete=False
        )
    if arrived:
        return worked(
            made, "logged", msg("probe_arrived", login=login, store=store), *lines, *arrived
        )
    return Outcome(
        made, "nothing", msg("probe_not_arrived", login=login, store=store), lines,
        ("logging.logins",), ("logging.remote_copy",),
    )  # fmt: skip


def _no_store(made: Recording, store: str) -> Message | None:
    """Why nothing is known of it, if so: not asked, or the host itself."""
    asked = next(iter(made.all("store_asked")), "")
    if asked == "itself":
        return msg("probe_store_itself", store=store)
    if asked != "ok":
        return msg("probe_store_silent", store=store, why=asked or "-")
    there, here = next(iter(made.all("store_self")), "-"), next(iter(made.said("self")), "")
    if store.startswith("ssh:") and (there == "-" or not here):
        return msg("probe_store_whose", store=store)
    return None


def _core(line: str, login: str) -> str:
    """What sshd wrote, whole, the key's fingerprint too; without its name in front of it, up to the

    login: who asks a store for the login alone does not write that.
    """
    if written := re.search(r"\[[0-9]+\]: (.+)", line):
        return written[1]
    found = re.search(rf"\S+ \S+ {re.escape(login)}(?![0-9])", line)
    return found[0] if found else ""


def _names(line: str, login: str) -> bool:
    """`ADDRESS port NUMBER`: another login may begin with the same digits, or end with them."""
    return re.search(rf"(?<![0-9a-fA-F.:]){re.escape(login)}(?![0-9])", line) is not None


def clock(made: Recording) -> Outcome:
    """The host's clock against the control node's, and against two other hosts'."""
    if (undone := not_done(made)) is not None:
        return undone
    seen = [pair for text in made.all("exchange") if (pair := _pair(text)) is not None]
    others = [pair for text in made.all("other") if (pair := _pair(text)) is not None]
    if not seen:
        return untold(made, msg("probe_said_too_little"))
    lines = tuple(f"exchange {text}" for text in made.all("exchange")[:_ECHOES])
    offset, unsure = min(seen, key=lambda pair: pair[1])
    off, by = f"{offset:+.3f}", f"{unsure:.3f}"
    apart = [(offset - o, unsure + u) for o, u in others]
    with_others = [abs(o) + u <= _MOST_OFF for o, u in apart]
    if abs(offset) + unsure <= _MOST_OFF:
        far = sum(abs(o) - u > _MOST_OFF for o, u in apart)
        if len(apart) > 1 and far == len(apart):
            return untold(made, msg("probe_clock_ours_doubtful", offset=off, unsure=by), *lines)
        said = msg("probe_clock_in_step", offset=off, unsure=by, others=sum(with_others))
        if not others:
            said = msg("probe_clock_alone", offset=off, unsure=by)
        return worked(made, "logged", said, *lines)
    if abs(offset) - unsure <= _MOST_OFF:
        return untold(made, msg("probe_clock_unsure", offset=off, unsure=by), *lines)
    if len(with_others) > 1 and all(with_others):
        return untold(made, msg("probe_clock_ours_doubtful", offset=off, unsure=by), *lines)
    return failed(made, msg("probe_clock_off", offset=off, unsure=by), *lines)


def _pair(text: str) -> tuple[float, float] | None:
    """Seconds that a clock is ahead of the control node's, and how unsure that is."""
    number = r"-?[0-9]{1,12}(?:\.[0-9]{1,9})?"
    found = re.fullmatch(rf"({number}) ({number})(?: .*)?", text)
    return (float(found[1]), float(found[2])) if found else None


def ban(made: Recording) -> Outcome:
    """A burst of failed logins from an address of our own: is it out, and let in again?"""
    if (undone := not_done(made)) is not None:
        return undone
    source = next(iter(made.all("from")), "")
    before, after = made.all("before"), made.all("after")
    if not source or before[:1] != ("open",) or not after:
        return untold(made, msg("probe_said_too_little"))
    tried = len(made.all("attempt"))
    lines: tuple[str, ...] = (f"from {source}", f"before {before[0]}", f"after {after[0]}")
    lines += tuple(f"beside {x}" for x in made.all("beside"))
    if after[0] == "open":
        return failed(made, msg("probe_not_banned", source=source, tried=tried), *lines)
    if made.all("beside") != ("open",):
        return untold(made, msg("probe_ban_or_network", source=source), *lines)
    again = made.all("again")
    lines += tuple(f"again {x}" for x in again)
    if again[:1] != ("open",):
        return untold(made, msg("probe_still_banned", source=source), *lines)
    return worked(made, "blocked", msg("probe_banned", source=source, tried=tried), *lines)
