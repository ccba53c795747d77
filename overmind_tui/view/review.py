"""Comments on lines of a diff, gathered in one message that is not sent yet: its text is all there is of them. Pure."""

from __future__ import annotations

import re

from overmind_tui.view.difftext import Spot

_PLACE = re.compile(r"^(?P<place>\S.*:\d+)\n> .*$", re.MULTILINE)
"""`path:line`, and below it the line, quoted."""


def places(draft: str) -> list[str]:
    """Of which places a message speaks."""
    return [found["place"] for found in _PLACE.finditer(draft)]


def with_place(draft: str, spot: Spot) -> str:
    """The message with another place at its end, behind which the comment is written."""
    begun = pruned(draft)
    return f"{begun}\n\n{quoted(spot)}\n" if begun else f"{quoted(spot)}\n"


def quoted(spot: Spot) -> str:
    """A place and its line."""
    gone = spot.text.startswith("-")
    line = spot.text if gone or spot.text.startswith("+") else spot.text[1:]
    return f"{spot.place}\n> {line}"


def pruned(draft: str) -> str:
    """The message without places at its end of which it says nothing."""
    text = draft.rstrip()
    while True:
        found = list(_PLACE.finditer(text))
        if not found or found[-1].end() != len(text):
            return text
        text = text[: found[-1].start()].rstrip()
