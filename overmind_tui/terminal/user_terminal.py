"""The person's own terminal, as far as a mission's terminal in a pane needs it: its bytes, its cursor, its colours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.color import Color

from overmind_tui.terminal.input_tap import InputTap

if TYPE_CHECKING:
    from collections.abc import Iterable

    from overmind_core.client.detach_keys import DetachKey
    from overmind_core.terminal.state import Colours
    from overmind_tui.shell.shell import Shell

ESCAPE_SECONDS = 0.025
"""How long Esc waits for company where nobody says otherwise."""
HIDDEN = "\x1b[?25l\x1b[0 q"


class UserTerminal:
    """Does nothing where there is no terminal, as in tests, or where somebody else draws it."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell
        self._cursor: int | None = None
        """The shape of the real cursor; None while it is hidden."""

    def tap(self, keys: Iterable[DetachKey] | None) -> None:
        """Have what the terminal sends cut for a mission's, until one of the keys; None: it is for the program."""
        driver = self._shell.app._driver  # noqa: SLF001 - the application has no other way
        if driver is not None and hasattr(driver, "tap"):
            seconds = getattr(driver, "escape_seconds", ESCAPE_SECONDS)
            driver.tap = None if keys is None else InputTap(keys, seconds)

    def show_cursor(self, shape: int | None) -> None:
        """Show the terminal's own cursor in this shape (DECSCUSR); None hides it."""
        if shape != self._cursor:
            self._cursor = shape
            self._shell.write_terminal(HIDDEN if shape is None else f"\x1b[{shape} q\x1b[?25h")

    def colours(self) -> Colours:
        """What programs are told that ask for the terminal's colours: the theme's, or black and white."""
        from overmind_core.terminal.state import Colours  # noqa: PLC0415 - not before the first frame

        theme = self._shell.app.current_theme
        dark, native = theme.dark, theme.ansi
        ground = Color.parse((not native and theme.background) or ("#000000" if dark else "#ffffff")).rgb
        text = Color.parse((not native and theme.foreground) or ("#ffffff" if dark else "#000000")).rgb
        return Colours(text, ground, text)
