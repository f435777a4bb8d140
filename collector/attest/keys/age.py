"""Files encrypted in the age format (age-encryption.org/v1), so that raw captures may travel.

Encryption is about who reads; whose word a bundle is says its signature, which is inside.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from collector import private
from collector.captures import read_at_most, sync_folder
from collector.errors import BadInput, VerifyFailed
from collector.i18n.message import msg

SUFFIX = ".age"
_HEADS = (b"age-encryption.org/v1\n", b"-----BEGIN AGE ENCRYPTED FILE-----")
_LARGEST = 1 << 20


def is_encrypted(path: Path) -> bool:
    with private.opened(path) as source:
        return source.read(64).startswith(_HEADS)


def recipients(words: Sequence[str]) -> list[Any]:
    """Whom to encrypt to: `age1…`, an SSH public key, or a file with one of them in each line.

    Raises BadInput for anything else.
    """
    found: list[Any] = []
    for word in words:
        if word.startswith(("age1", "ssh-")):
            found.append(_recipient(word, "--encrypt-to"))
        else:
            lines = _lines(Path(word))
            found += [_recipient(line, word) for line in lines]
            if not lines:
                raise BadInput(msg("no_recipient"), where=word)
    return found


def _recipient(text: str, where: str) -> Any:
    import pyrage

    kinds: tuple[Any, ...] = (pyrage.x25519, pyrage.tagpq, pyrage.tag)
    for kind in (pyrage.ssh,) if text.startswith("ssh-") else kinds:
        try:
            return kind.Recipient.from_str(text)
        except pyrage.RecipientError:
            continue
    raise BadInput(
        msg("no_recipient_one_could"),
        where=where,
        mend=msg("age_keygen_prints_one"),
    )


def identities(path: Path) -> list[Any]:
    """What can decrypt: a file as `age-keygen` writes it, or an SSH private key.

    Raises BadInput for anything else, and for an SSH key under a passphrase.
    """
    import pyrage

    data = _read(path)
    try:
        if b"-----BEGIN" in data:
            return [pyrage.ssh.Identity.from_buffer(data)]
        found = [pyrage.x25519.Identity.from_str(line) for line in _lines(path)]
    except pyrage.IdentityError as problem:
        raise BadInput(msg("no_identity_one_could", problem=problem), where=str(path)) from None
    if not found:
        raise BadInput(msg("no_identity"), where=str(path))
    return found


def encrypt(source: Path, target: Path, to: Sequence[Any]) -> None:
    """Writes a new file, whole or not at all, and never over another one."""
    import pyrage

    try:
        with private.set_aside(private.BESIDE, target.parent) as aside:
            with source.open("rb") as plain, private.create(aside / "made") as out:
                pyrage.encrypt_io(plain, out, list(to))
                out.flush()
                os.fsync(out.fileno())
            os.link(aside / "made", target)
    except (OSError, pyrage.EncryptError) as problem:
        reason = getattr(problem, "strerror", None) or str(problem) or msg("cannot_written")
        raise BadInput(reason, where=str(target)) from None
    sync_folder(target.parent)


class _Bounded:
    """A file that takes no more than `most` bytes."""

    def __init__(self, out: Any, most: int) -> None:
        self._out, self._left = out, most

    def write(self, data: bytes) -> int:
        self._left -= len(data)
        if self._left < 0:
            raise ValueError(msg("larger_bundle"))
        return int(self._out.write(data))

    def flush(self) -> None:
        self._out.flush()


def decrypt(source: Path, target: Path, by: Sequence[Any], most: int) -> None:
    """Writes what `source` holds to the new file `target`, at most `most` bytes.

    Raises BadInput where `by` cannot decrypt it, and VerifyFailed where it was changed or cut.
    """
    import pyrage

    if not by:
        raise BadInput(
            msg("encrypted_age"), where=str(source), mend=msg("give_identity_file_decrypt")
        )
    try:
        with private.opened(source) as sealed, private.create(target) as out:
            pyrage.decrypt_io(sealed, _Bounded(out, most), list(by))
    except pyrage.DecryptError as problem:
        said = str(problem)
        if "No matching keys" in said:
            raise BadInput(msg("encrypted_others_identity"), where=str(source)) from None
        raise VerifyFailed(msg("cannot_decrypted", said=said), where=str(source)) from None
    except (OSError, ValueError) as problem:
        if getattr(problem, "errno", None):
            raise
        raise VerifyFailed(msg("cannot_decrypted", said=problem), where=str(source)) from None


def _read(path: Path) -> bytes:
    return read_at_most(path, _LARGEST)


def _lines(path: Path) -> list[str]:
    text = _read(path).decode("utf-8", "replace")
    lines = (line.strip() for line in text.splitlines())
    return [line for line in lines if line and not line.startswith("#")]
