"""Flags, families and the like take the same cells in a pane as in the terminal that it shows."""

from __future__ import annotations

from rich.cells import cell_len

from overmind_tui.terminal.grid import width
from tests.kit.cases import tabled


@tabled(
    "text",
    [
        "🇩🇪",
        "👨\u200d👩\u200d👧",
        "👍🏽",
        "⚠\ufe0f",
        "✔\ufe0f",
        "1\ufe0f\u20e3",
        "🏳\ufe0f\u200d🌈",
        "🧔\u200d♂\ufe0f",
        "👩🏽\u200d❤\ufe0f\u200d💋\u200d👨🏽",
        "⚠",
        "a日",
    ],
)
def test_what_draws_the_pane_counts_as_the_terminal_does(text):
    assert cell_len(text) == width(text)
