"""What is answered has been read: it counts only once it was on the screen for a moment."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, cast

from textual.screen import Screen

from overmind_tui.screens.dialog import Dialog

if TYPE_CHECKING:
    from overmind_tui.app import OvermindApp

MOMENT = 0.3
"""Seconds."""


class Sight:
    """How long something has been on a screen."""

    def __init__(self) -> None:
        self._since = float("inf")
        self._shown = 0

    def begin(self, screen: Screen[None]) -> None:
        """Something else is shown from the next frame on."""
        self._since = float("inf")
        self._shown += 1
        shown = self._shown
        screen.call_after_refresh(self._painted, shown)

    def _painted(self, shown: int) -> None:
        if shown == self._shown:
            self._since = time.monotonic()

    @property
    def enough(self) -> bool:
        """Whether a person can have read it."""
        return time.monotonic() - self._since >= MOMENT


class ReadFirst(Dialog):
    """A dialog whose first answer counts only once its lines were on the screen for a moment."""

    def on_mount(self) -> None:
        """It can take keys now."""
        self.sight = Sight()
        self.sight.begin(self)
        super().on_mount()

    def press(self, key: str, character: str | None) -> None:
        """Choose, or answer what was read."""
        if key == "enter" and not self.sight.enough:
            cast("OvermindApp", self.app).flash("it has just come: read it, then press enter", "slow")
        else:
            super().press(key, character)
