"""JSON that has exactly one spelling (RFC 8785), so that no byte of it can change unseen."""

from __future__ import annotations

from typing import Any

import rfc8785

from collector.errors import BadInput, VerifyFailed
from collector.schema import check, load_json


def parse(data: bytes, *, where: str) -> Any:
    """Raises VerifyFailed unless `data` is JSON in canonical bytes, without duplicate keys."""
    try:
        value = load_json(data, where=where)
        canonical = rfc8785.dumps(value)
    except BadInput as problem:
        raise VerifyFailed(problem.what, where=where) from None
    except (rfc8785.CanonicalizationError, UnicodeError) as problem:
        raise VerifyFailed(f"cannot be canonical: {problem}", where=where) from None
    except RecursionError:
        raise VerifyFailed("nested too deeply", where=where) from None
    if canonical != data:
        raise VerifyFailed("not in its canonical bytes (RFC 8785)", where=where)
    return value


def conform(document: Any, schema: str, *, where: str) -> None:
    """As `schema.check`, for what is verified: raises VerifyFailed."""
    try:
        check(document, schema, where=where)
    except BadInput as problem:
        raise VerifyFailed(problem.what, where=where) from None
    except RecursionError:
        raise VerifyFailed("nested too deeply", where=where) from None
