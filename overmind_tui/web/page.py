"""The page of the web server: a link to the dashboard that counts once, and its code for a phone's camera."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from overmind_core.view.cells import Cell, safe
from overmind_core.view.describe import Lines
from overmind_core.view.registry import View
from overmind_tui.command_line.jobs import PROGRAM, Outcome
from overmind_tui.command_line.parse import Show
from overmind_tui.pages.text import TextPage
from overmind_tui.render import texts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from overmind_tui.shell.shell import Shell

BORDER = 2
"""Modules around a code that are left light, as cameras need them."""
_BLOCKS = {(True, True): "█", (True, False): "▀", (False, True): "▄", (False, False): " "}
"""Whether the upper and the lower of two modules are drawn → the character."""


def open_web(shell: Shell, view: View, _show: Show) -> None:
    """Open the page, and make a link."""
    shell.open(WebPage(view))


class WebPage(TextPage):
    """The link, and what to do where no server runs; refreshing makes another link."""

    def __init__(self, view: View) -> None:
        super().__init__(view.name, "", lambda: self._lines, hang=2)
        self._lines: Lines = texts.plain(f"  {view.empty}")

    def begin(self) -> None:
        """Make a link."""
        super().begin()
        self._make()

    def do_refresh(self) -> None:
        """Make another one: each counts once."""
        self._make()
        self.shell.flash("another link", "quiet")

    def _make(self) -> None:
        if self.shell.read_only:
            self._lines = [[Cell("  read-only: a link would log somebody in, who could do more", "slow")]]
            self.update()
            return
        self.shell.jobs.start(self.view, [[*PROGRAM, "web", "link", "--json"]], self._on_result)

    def _on_result(self, outcome: Outcome) -> None:
        try:
            facts = json.loads(outcome.text)
            self._lines = lines(facts, modules(facts["url"]), dark=self.app.current_theme.dark)
        except (ValueError, KeyError, TypeError):  # no server runs, or whatever went wrong is said in words
            self._lines = refusal(outcome.text)
        if self.is_attached:
            self.update()


def modules(text: str) -> Sequence[Sequence[bool]]:
    """The modules of the code of a text, dark ones true, without a border; empty: what makes it is not installed."""
    try:
        import segno  # noqa: PLC0415 - installed with the web server
    except ModuleNotFoundError:
        return ()
    return [[bool(module) for module in row] for row in segno.make_qr(text, error="l").matrix]


def lines(facts: dict[str, Any], code: Sequence[Sequence[bool]], *, dark: bool) -> Lines:
    """The link, what it is, and its code. Pure.

    Args:
        facts: As `overmind web link --json` prints them.
        code: As of `modules`.
        dark: The ground is dark: then the light modules are drawn.
    """
    rights = "lets a browser only look" if facts["read_only"] else "lets a browser do what you may"
    found: Lines = [
        [],
        [Cell("  "), Cell(safe(facts["url"]), "key")],
        [],
        [Cell("  It works once, within 10 minutes, and ", "quiet"), Cell(rights), Cell(".", "quiet")],
        [Cell("  ctrl-r makes another · :web sessions lists who is logged in · :web revoke NAME ends one", "quiet")],
        [],
    ]
    return found + [[Cell("  "), Cell(line)] for line in drawn(code, dark=dark)]


def drawn(code: Sequence[Sequence[bool]], *, dark: bool) -> list[str]:
    """The code, two rows of it in one line of a terminal, with its border. Pure."""
    if not code:
        return []
    width = len(code[0]) + 2 * BORDER
    side = [False] * BORDER
    rows = [[False] * width] * BORDER + [[*side, *row, *side] for row in code] + [[False] * width] * (BORDER + 1)
    return [
        "".join(
            _BLOCKS[upper is not dark, lower is not dark] for upper, lower in zip(rows[at], rows[at + 1], strict=True)
        )
        for at in range(0, len(rows) - 1, 2)
    ]


def refusal(text: str) -> Lines:
    """Why there is no link, and what to type. Pure."""
    return [
        [],
        *([Cell("  "), *line] for line in texts.plain(text)),
        [],
        [Cell("  :web --background", "key"), Cell("   serves the dashboard, and goes on when you leave", "quiet")],
    ]
