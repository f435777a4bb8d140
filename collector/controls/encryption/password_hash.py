"""encryption.password_hash: no password is stored with a scheme that gives it away."""

from __future__ import annotations

from collector.facts.access.password_hashing import new_passwords
from collector.facts.system.accounts import accounts
from collector.model import Clock, Facts, Method, Parameters, Quote, Result, Scalar, Verdict


def judge(facts: Facts, parameters: Parameters, clock: Clock) -> Verdict:
    """Locked accounts count too: an unlock brings the old hash back into use.

    Not so where a word such as `!locked` stands there, which is no hash of anything.
    """
    allowed = parameters.strings("schemes")
    known = facts.get(accounts)
    hashed = [a for a in known if a.scheme and not (a.locked and a.scheme == "other")]
    weak = [a for a in hashed if a.scheme not in allowed]
    if weak:
        return Verdict(
            Result.FAIL,
            "weak",
            Method.OBSERVED,
            {"accounts": [f"{a.name} ({a.scheme})" for a in weak]},
            (Quote("accounts.shadow", tuple(a.line for a in weak), "/etc/shadow"),),
        )
    later = [(s, q) for s, q in facts.get(new_passwords) if s not in allowed]
    if later:
        told: list[Scalar] = [f"{q.path} ({s})" for s, q in later]
        quotes = tuple(q for _, q in later)
        return Verdict(Result.PARTIAL, "later", Method.CONFIGURED, {"files": told}, quotes)
    if not hashed:
        return Verdict(Result.NOTAPPLICABLE, "no_passwords", Method.OBSERVED)
    return Verdict(
        Result.PASS,
        "all_strong",
        Method.OBSERVED,
        {"count": len(hashed)},
        (Quote("accounts.shadow", tuple(a.line for a in hashed), "/etc/shadow"),),
    )
