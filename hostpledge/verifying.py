"""Is a bundle signed by somebody trusted, whole, and what a policy wants?"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime

from collector.attest.log.logged import Inclusion, read_inclusion
from collector.attest.trust.trust_file import load_trust
from collector.captures import read_at_most
from collector.verify import Verification, open_bundle
from collector.verify import verify as check
from collector.verify.policy import STRICT, Policy, Unmet, unmet
from hostpledge.given import moment, named

# of a proof
_LARGEST = 2 << 20


@dataclass(frozen=True, slots=True)
class Verified:
    """A bundle whose signature and content hold. `unmet` is what the policy wants in vain."""

    verification: Verification
    unmet: tuple[Unmet, ...]

    @property
    def accepted(self) -> bool:
        """Does it meet the policy? A bundle may verify, and prove less than is wanted."""
        return not self.unmet


def verify(
    bundle: str | os.PathLike[str],
    policy: Policy = STRICT,
    *,
    trust: str | os.PathLike[str],
    proof: str | os.PathLike[str] | None = None,
    now: datetime | None = None,
) -> Verified:
    """As `hostpledge verify BUNDLE --trust FILE --policy … --proof FILE`, with nothing printed.

    `bundle` is a folder or a ZIP file, `trust` the trust file, which must not come with the bundle,
    `proof` the file by which the bundle stands in the log of a register (`hostpledge register
    prove`), which the strict policy wants;
    `now` (aware; by default this machine's clock) says how old things are. Where the policy wants
    `replay`, which the strict one does, the captures are judged again.

    Raises VerifyFailed for what does not verify, BadInput for what cannot be read. Both are one
    line, `str(problem)`. TypeError for a `policy` that is no Policy, ValueError for a `now`
    without its zone, or before 1970 or after 9000.
    """
    if not isinstance(policy, Policy):
        raise TypeError("policy: a hostpledge.Policy is wanted")
    now = moment("now", now)
    keys = load_trust(named(trust, "trust"))
    with open_bundle(named(bundle, "bundle"), (), keys) as opened:
        found = check(opened, keys, now=now, proof=_proof(proof))
        again = None
        if policy.replay:
            from collector.replay import wrong

            again = wrong(opened)
        return Verified(found, unmet(policy, found, opened.names, again))


def _proof(file: str | os.PathLike[str] | None) -> Inclusion | None:
    return (
        None
        if file is None
        else read_inclusion(read_at_most(named(file, "proof"), _LARGEST), where=str(file))
    )
