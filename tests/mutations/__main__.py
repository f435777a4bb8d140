"""`python -m tests.mutations CONTROL`: what `list.yml` lacks of it; without one, makes the page."""

from __future__ import annotations

import sys

from tests.mutations.page import PATH, page
from tests.mutations.run import differences, judged

if __name__ == "__main__":
    if sys.argv[1:]:
        print("\n".join(differences(sys.argv[1], judged(sys.argv[1]))))
    else:
        PATH.write_text(page(), encoding="utf-8")
