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
    if yes or not is_attended() or answered_yes(question):
        return True
    sys.stderr.write("Nothing done.\n")
    return False


def is_attended() -> bool:
    """Whether there is a person to ask."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def answered_yes(question: str) -> bool:
    """Ask the person; anything but yes is no."""
    sys.stderr.write(f"{display_safe(question)} [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in {"y", "yes"}
