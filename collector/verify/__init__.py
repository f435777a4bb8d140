"""Reads a bundle that nobody vouches for, and says what it proves. Offline; needs no engine."""

from collector.verify.bundle import Bundle, open_bundle
from collector.verify.verification import Verification, verify

__all__ = ["Bundle", "Verification", "open_bundle", "verify"]
