"""How many controls there are at each grade, and of each clause: no test says it in figures."""

from __future__ import annotations

from collections import Counter

from collector import catalog

AT_2 = len(catalog.select((), 2))
AT_3 = len(catalog.select((), 3))
OF_CLAUSE = Counter(control.clause for control in catalog.select((), 2))
