"""The panel of the main screen in what the program shows, as text: its title, and the face below that."""

from __future__ import annotations

from overmind_core.view.panel_title import FACES

WORDS = "  ".join(FACES)
"""The faces, as each title names them."""
_EDGES = 2
"""Lines below all others: the one that is typed into, and the hints."""


def title_of(shown: str) -> str:
    """The title of the panel; "" where no panel is shown."""
    lines = shown.split("\n")
    found = _place(lines)
    return "" if found is None else lines[found[0]][found[1] :].strip("─ ")


def face_of(shown: str) -> str:
    """What the panel shows below its title; "" where no panel is shown."""
    lines = shown.split("\n")
    found = _place(lines)
    return "" if found is None else "\n".join(line[found[1] :] for line in lines[found[0] + 1 : -_EDGES])


def _place(lines: list[str]) -> tuple[int, int] | None:
    """The row of its title, and the column in which the panel begins."""
    row = next((at for at, line in enumerate(lines) if WORDS in line), None)
    return None if row is None else (row, lines[row].rfind("│", 0, lines[row].index(WORDS)) + 1)
