"""intrusion.two_factor: nobody logs in with one factor alone (grade 3)."""

from __future__ import annotations

from collector.errors import NotUnderstood
from collector.facts.access.pam.stack import Course, Entry, courses, stacks
from collector.facts.access.sshd_config import Block, blocks
from collector.facts.access.sshd_effective import Listener, listeners
from collector.i18n.message import msg
from collector.judges import ssh_servers, taken_up
from collector.judges.predicates import attested
from collector.model import Clock, Facts, Method, Parameters, Quote, Result, Value, Verdict

CONTROL = "intrusion.two_factor"
_PASSWORDS = ("pam_unix", "pam_unix2", "pam_sss", "pam_ldap", "pam_krb5", "pam_winbind")
_OPEN = ("success", "auth_err")
# with these a module lets in some whom it did not ask: who has not enrolled, who was asked a while
# ago, whoever comes while its server is down
_SPARES = (
    "nullok", "nouserok", "alwaysok", "grace_period", "localifdown", "failmode",
)  # fmt: skip


def judge(facts: Facts, parameters: Parameters, clock: Clock) -> Verdict:
    """Each way that sshd offers must ask for two kinds of factors, one of them cryptographic."""
    servers = facts.get(listeners)
    for server in servers:
        for user in ("root", "nobody"):
            told = server.first("authenticationmethods", user) or "any"
            found = _single(facts, parameters, server, user, told)
            if found:
                return _short(facts, clock, server, found)
        for block in blocks(facts.capture, server):
            told = block.value("authenticationmethods") or ""
            if any(block.value(keyword) == "yes" for keyword in _OFFERS.values()):
                # what a block opens counts with what holds for all
                told = told or server.first("authenticationmethods") or "any"
            found = told and _single(facts, parameters, server, "nobody", told, block)
            if found:
                return _short(facts, clock, server, f"{block.line}: {found}")
    ssh_servers.refuse_others(facts, parameters.strings("other_servers"))
    if not servers:
        return Verdict(Result.NOTAPPLICABLE, "no_sshd", Method.OBSERVED)
    told = servers[0].first("authenticationmethods") or "any"
    both = Verdict(
        Result.PASS,
        "two_factors",
        values={"methods": told},
        evidence=(servers[0].quote("authenticationmethods", "pubkeyauthoptions"),),
    )
    return taken_up.running(both, servers)


def _short(facts: Facts, clock: Clock, server: Listener, found: str) -> Verdict:
    answer = attested(facts, CONTROL, clock)
    if answer is not None:
        values: dict[str, Value] = {"by": f"{answer.by}: {answer.statement}"}
        return Verdict(
            Result.PASS, "attested", Method.ATTESTED, values, (answer.quote,), answer.until
        )
    keywords = (
        "authenticationmethods", "pubkeyauthentication", "passwordauthentication",
        "kbdinteractiveauthentication", "pubkeyauthoptions",
    )  # fmt: skip
    quotes = [server.quote(*keywords)]
    if facts.get(stacks).has("sshd"):
        stack = facts.get(stacks).stack("sshd", "auth")
        quotes.append(Quote("pam.files", tuple(e.line for e in stack), "/etc/pam.d/sshd"))
    return Verdict(Result.FAIL, "one_factor", values={"way": found}, evidence=tuple(quotes))


def _single(
    facts: Facts,
    parameters: Parameters,
    server: Listener,
    user: str,
    told: str,
    block: Block | None = None,
) -> str:
    """The first way that asks for less than two kinds of factors; empty when there is none."""
    alternatives = [tuple(a.split(",")) for a in told.split()]
    if told == "any":
        alternatives = [(m,) for m in _offered(server, user, block)]
    for methods in alternatives:
        kinds: set[str] = set()
        for method in methods:
            kinds |= _kinds(facts, parameters, server, user, method.partition(":")[0])
        # `password` alone is no cryptographic factor, nor are two passwords two factors
        if len(kinds) < 2:
            return ",".join(methods)
    return ""


_OFFERS = {
    "publickey": "pubkeyauthentication", "password": "passwordauthentication",
    "keyboard-interactive": "kbdinteractiveauthentication",
    "gssapi-with-mic": "gssapiauthentication", "hostbased": "hostbasedauthentication",
}  # fmt: skip


def _offered(server: Listener, user: str, block: Block | None) -> list[str]:
    def set_to(keyword: str) -> str:
        told = block.value(keyword) if block is not None else None
        return server.first(keyword, user) if told is None else told

    offered = [method for method, keyword in _OFFERS.items() if set_to(keyword) == "yes"]
    if server.first("challengeresponseauthentication", user) == "yes":
        offered.append("keyboard-interactive")
    return offered


def _kinds(
    facts: Facts, parameters: Parameters, server: Listener, user: str, method: str
) -> frozenset[str]:
    """The kinds of factors that a method is certain to ask for."""
    if method in ("publickey", "gssapi-with-mic"):
        options = server.first("pubkeyauthoptions", user)
        kinds = server.first("pubkeyacceptedalgorithms", user).split(",")
        # a FIDO key that checks its PIN, where no other kind of key is taken
        if "verify-required" in options and all(k.startswith("sk-") for k in kinds):
            return frozenset(("key", "pin"))
        return frozenset(("key",))
    if method not in ("password", "keyboard-interactive"):
        return frozenset()
    if server.first("usepam", user) == "no":
        return frozenset(("password",))
    service = server.first("pamservicename", user) or "sshd"
    stack = facts.get(stacks).stack(service, "auth")
    if not stack:
        raise NotUnderstood("pam.files", msg("no_auth_stack", service=service))
    return _asked(stack, parameters)


def _asked(stack: tuple[Entry, ...], parameters: Parameters) -> frozenset[str]:
    """What every way to success through the stack has asked for."""
    tokens = parameters.strings("modules")
    spares = {id(e) for e in _all(stack) if e.module in tokens and _spares(e)}

    def returns(entry: Entry, way: Course) -> tuple[str, ...]:
        del way
        if entry.module in tokens:
            return (*_OPEN, "ignore") if id(entry) in spares else _OPEN
        if entry.module in _PASSWORDS:
            return _OPEN
        if entry.module == "pam_deny":
            return ("auth_err",)
        return ("success",) if entry.module in parameters.strings("passed") else _OPEN

    kinds: frozenset[str] | None = None
    for way in courses(stack, returns):
        if way.success:
            mine = frozenset(
                "token" if e.module in tokens else "password"
                for e, value in way.called
                if value == "success"
                and id(e) not in spares
                and (e.module in tokens or e.module in _PASSWORDS)
            )
            kinds = mine if kinds is None else kinds & mine
    # nobody gets through at all: nothing that would be less than two
    return frozenset(("token", "password")) if kinds is None else kinds


def _all(stack: tuple[Entry, ...]) -> list[Entry]:
    return [x for e in stack for x in (_all(e.inner) if e.inner is not None else [e])]


def _spares(entry: Entry) -> bool:
    for word in entry.args:
        name, _, value = word.partition("=")
        if name.lower() in _SPARES and value.lower() not in ("0", "no", "secure"):
            return True
        if word == "***":
            raise NotUnderstood("pam.files", msg("at", where=entry.path, what=repr(entry.line)))
    return False
