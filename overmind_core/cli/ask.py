"""Questions before something that can't be undone."""

from __future__ import annotations

import sys

from overmind_core.domain.cells import display_safe


def agreed(question: str, *, yes: bool) -> bool:
    """Whether to go on: asked of a person only, when stdin and stderr are terminals.

    Args:
        question: Ends with a question mark.
        yes: -y was given: don't ask.
    """
    if yes or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return True
    sys.stderr.write(f"{display_safe(question)} [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() in {"y", "yes"}:
        return True
    sys.stderr.write("Nothing done.\n")
    return False
