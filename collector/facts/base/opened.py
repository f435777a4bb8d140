"""How reads open what lies in the reach of a host's own users: what bodies begin with."""

from __future__ import annotations

from collector.resources import package_text

OPENED = package_text("opened.sh") + package_text("odd_names.sh")
"""Functions for the body of a read: `hp_by`, `hp_can`, `hp_pour`, `hp_sift`, `hp_names` and more.

A body that begins with it can be run as it stands; the script holds it once for all of them.
"""

ODD = r"""\( -path "*$hp_nl*" -o -path "*$hp_tab*" \) -prune -exec sh -c "$hp_odd" sh {} + -o"""
"""What a search begins with, after -xdev and -maxdepth: odd names are left out and said.

Such a search needs an action of its own (`-print`).
"""
