"""`python -m scripts.second_try REPORT SEEN`: the tests to try again, one a line; exit 1 when the failure stands."""

from __future__ import annotations

import sys
from pathlib import Path

from scripts.second_try.decision import Stands, failed_once, listed

if __name__ == "__main__":
    _, report, seen = sys.argv
    try:
        names = failed_once(report, listed(Path(seen).read_text(encoding="utf-8")))
    except Stands as reason:
        sys.stderr.write(f"Not tried again: {reason}.\n")
        sys.exit(1)
    sys.stdout.write("".join(f"{name}\n" for name in names))
