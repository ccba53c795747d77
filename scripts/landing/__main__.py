"""`python3 -m scripts.landing`: run a landing; exit 1 when it is refused. Needs Python's standard library alone."""

from __future__ import annotations

import sys
import tempfile

from scripts.landing.execution import Interrupts
from scripts.landing.sequence import Landing


def main() -> int:
    """Run it, and return its exit status."""
    interrupts = Interrupts()
    interrupts.listen()
    try:
        with tempfile.TemporaryDirectory(prefix="overmind-landing-", ignore_cleanup_errors=True) as folder:
            lands = Landing(folder, out=sys.stdout.buffer, interrupts=interrupts).run()
    except OSError as error:  # a full disk, or nobody reads any more
        sys.stderr.write(f"Refused: {error}\n")
        return 1
    if interrupts.number:
        return 128 + interrupts.number
    return 0 if lands else 1


if __name__ == "__main__":
    sys.exit(main())
