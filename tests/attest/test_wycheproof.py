"""Project Wycheproof's signatures, through the keys of a trust file: in Python, and in the page.

What is valid there and refused here is refused for one reason only: of the two values of s that
ECDSA allows, one is taken (ADR 7).
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from collector.attest.keys.keys import _ORDER, PublicKey
from collector.errors import VerifyFailed
from collector.verify.webpage import page
from tests.browser import browser, opened

_FILE = Path(__file__).parent / "vectors" / "wycheproof.json"
GROUPS: list[dict[str, Any]] = json.loads(_FILE.read_bytes())["groups"]
_IN_THE_PAGE = """
(async () => {
  const told = [];
  for (const group of %s) {
    const key = await publicKey(group.pem, "t");
    const bytes = (text) => Uint8Array.from(text.match(/../g) || [], (pair) => parseInt(pair, 16));
    for (const test of group.tests) {
      const ecdsa = key.type === "p256";
      const how = ecdsa ? { name: "ECDSA", hash: "SHA-256" } : { name: "Ed25519" };
      try {
        const raw = ecdsa ? rawEcdsa(bytes(test.sig), "t") : bytes(test.sig);
        told.push(await crypto.subtle.verify(how, key.crypto, raw, bytes(test.msg)));
      } catch (problem) {
        if (!(problem instanceof Failed)) throw problem;
        told.push(false);
      }
    }
  }
  return told;
})()
"""


def _expected(kind: str, test: dict[str, Any]) -> bool:
    if test["result"] != "valid":
        return False
    return kind != "p256" or decode_dss_signature(bytes.fromhex(test["sig"]))[1] <= _ORDER // 2


def test_each_vector_in_python() -> None:
    seen: Counter[tuple[str, bool]] = Counter()
    for group in GROUPS:
        key = PublicKey.from_pem(group["pem"], where="t")
        assert key.type == group["file"]
        for test in group["tests"]:
            expected = _expected(key.type, test)
            try:
                key.verify(bytes.fromhex(test["sig"]), bytes.fromhex(test["msg"]))
                verified = True
            except VerifyFailed as problem:
                verified = False
                assert test["result"] != "valid" or "high s" in problem.what
            assert verified is expected, (group["file"], test["tcId"], test["comment"])
            seen[key.type, expected] += 1
    assert min(seen[kind, good] for kind in ("p256", "ed25519") for good in (True, False)) > 50


@pytest.mark.skipif(browser() is None, reason="chromium is not installed")
def test_each_vector_in_the_page(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(page(), encoding="utf-8")
    with opened((tmp_path / "page.html").as_uri(), tmp_path) as shown:
        told = shown.ask(_IN_THE_PAGE % json.dumps(GROUPS))
    asked = [(group["file"], test) for group in GROUPS for test in group["tests"]]
    for (kind, test), verified in zip(asked, told, strict=True):
        assert verified is _expected(kind, test), (kind, test["tcId"], test["comment"])
