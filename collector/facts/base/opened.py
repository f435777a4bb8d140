"""How reads open what lies in the reach of a host's own users: what bodies begin with."""

from __future__ import annotations

from collector.resources import package_text

OPENED = package_text("opened.sh")
"""Functions for the body of a read: `hp_by`, `hp_can`, `hp_pour`, `hp_sift`, `hp_names` and more.

A body that begins with it can be run as it stands; the script holds it once for all of them.
"""
