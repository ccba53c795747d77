"""Screens that paint no faster than the terminal takes what they paint."""

from __future__ import annotations

from textual.screen import Screen


class Paced(Screen[None]):
    """What has changed is kept until a frame is due: fewer frames, never a queue of them."""

    def _on_timer_update(self) -> None:
        """Textual's own timer, which goes on until it is answered with a frame."""
        take_frame = getattr(self.app._driver, "take_frame", None)  # noqa: SLF001 - the application has no other way
        if take_frame is None or take_frame():
            super()._on_timer_update()
