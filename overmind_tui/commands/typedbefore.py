"""What was typed after `:` and `/`, for up and down: kept for the next time, the newest last, each line once."""

from __future__ import annotations

from collections.abc import Callable

from overmind_tui.person.remembered import Remembered

MOST = 200
LONGEST = 10_000
"""Characters of a line that is still worth keeping: a longer one was pasted by mistake."""
_NAMES = {":": "commands", "/": "filters"}


class TypedBefore:
    """Lines by the sign that they were typed after.

    Args:
        known: What is remembered of the last time.
        keep: Remembers for the next time.
    """

    def __init__(self, known: Remembered, keep: Callable[..., None]) -> None:
        self._keep = keep
        nothing: list[str] = []
        self._lines = {sign: known.get(name, nothing)[-MOST:] for sign, name in _NAMES.items()}

    def of(self, sign: str) -> list[str]:
        """The lines after a sign."""
        return self._lines.get(sign, [])

    def add(self, sign: str, text: str) -> None:
        """A line was entered."""
        if not text.strip() or len(text) > LONGEST or sign not in _NAMES:
            return
        past = [line for line in self._lines[sign] if line != text]
        self._lines[sign] = [*past, text][-MOST:]
        self._keep(**{_NAMES[sign]: self._lines[sign]})
