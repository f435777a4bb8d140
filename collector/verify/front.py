"""What is looked at of a bundle that came packed before the rest of it is unpacked (ADR 50).

Its envelope says which files there are and whose they are: of what is not in it, and of what nobody
who is trusted signed, nothing is unpacked.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from collector.attest.bundle import bag, redacted
from collector.attest.envelope import dsse as envelope
from collector.attest.envelope import statement
from collector.attest.envelope.dsse import Sealed
from collector.attest.trust.trust_file import Trust
from collector.errors import VerifyFailed
from collector.i18n.message import msg

_ENVELOPE, _TWIN = f"data/{envelope.FILE}", f"data/{envelope.TWIN}"
# each of them at most as large as what is read at once
FILES = frozenset((*bag.TAG_FILES, _ENVELOPE, _TWIN))


def look(root: Path, names: Collection[str], trust: Trust | None) -> None:
    """`root` holds FILES, as far as there are any; `names` are of all that the archive lists.

    Raises VerifyFailed where a file of the form is missing, where one stands in it that has not
    been signed or the other way round, and, with `trust`, where no signature of a key in it holds.
    """
    listed = frozenset(names)
    for name in (*bag.TAG_FILES, _ENVELOPE):
        if name not in listed:
            raise VerifyFailed(msg("is_missing"), where=name)
    sealed = envelope.unseal(bag.read(root / _ENVELOPE, _ENVELOPE), where=_ENVELOPE)
    said = statement.from_bytes(sealed.payload, where=_ENVELOPE)
    present = [(_ENVELOPE, sealed)]
    if _TWIN in listed:
        twin = envelope.unseal(bag.read(root / _TWIN, _TWIN), where=_TWIN, sm2=True)
        present.append((_TWIN, twin))
    if trust is not None:
        _check_signed(present, trust)
    _check_names(root, listed, {f"data/{name}" for name in statement.subjects(said)})


def _check_signed(present: Collection[tuple[str, Sealed]], trust: Trust) -> None:
    """Whether they were made in time, and by a key for bundles, is for `signatures`."""
    keys = [(file, sealed, trust.find(sealed.keyid)) for file, sealed in present]
    failed: list[VerifyFailed] = []
    for file, sealed, known in keys:
        if known is not None:
            try:
                sealed.verify(known.key)
            except VerifyFailed as problem:
                failed.append(VerifyFailed(problem.what, where=file))
            else:
                return
    if failed:
        raise failed[0]
    names = " and ".join(sealed.keyid for _, sealed, _ in keys)
    raise VerifyFailed(msg("signed_not_among_trusted", names=names), where=_ENVELOPE)


def _check_names(root: Path, names: frozenset[str], signed: set[str]) -> None:
    """The files in the archive and in the statement are the same."""
    left_out = redacted.is_redacted(bag.read(root / "bag-info.txt", "bag-info.txt"))
    within = tuple(f"data/{folder}" for folder in redacted.FOLDERS) if left_out else ()
    for name in sorted(names):
        if name in FILES:
            continue
        if not name.startswith("data/"):
            raise VerifyFailed(msg("not_belong_bundle"), where=name)
        if name not in signed:
            raise VerifyFailed(msg("not_among_signed"), where=name)
    for name in sorted(signed):
        if name not in names and not (within and name.startswith(within)):
            raise VerifyFailed(msg("missing_statement_names"), where=name)
