"""What was written to agents, also last time: what was sent, as the history of the box, and what was not, as drafts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from overmind_tui.app import OvermindApp

SENT, DRAFTS = "messages", "drafts"
"""Names under which they are remembered."""
MOST = 50
"""Texts of each kind."""
LONGEST = 4_000
"""Characters of a text that is kept beyond this program's end."""


class Said:
    """Texts, the newest last.

    Args:
        app: Who remembers them.
    """

    def __init__(self, app: OvermindApp) -> None:
        self._app = app
        self.sent: list[str] = app.remembered.get(SENT, list[str]())
        self._drafts: dict[str, str] = {
            key: text for key, text in app.remembered.get(DRAFTS, {}).items() if isinstance(text, str)
        }

    def add(self, text: str) -> None:
        """This was sent, or nearly."""
        self.sent = [*(one for one in self.sent if one != text), text][-MOST:]
        self._app.remember(**{SENT: [one for one in self.sent if len(one) <= LONGEST]})

    def draft(self, missions: Iterable[str]) -> str:
        """What was written to these and not sent."""
        return self._drafts.get(_key(missions), "")

    def keep(self, missions: Iterable[str], text: str) -> None:
        """Keep what was not sent; "": nothing."""
        key = _key(missions)
        if self._drafts.pop(key, "") == text:
            if text:
                self._drafts[key] = text
            return
        if text.strip():
            self._drafts[key] = text
        self._drafts = dict(list(self._drafts.items())[-MOST:])
        self._app.remember(**{DRAFTS: {one: text for one, text in self._drafts.items() if len(text) <= LONGEST}})


def _key(missions: Iterable[str]) -> str:
    return " ".join(sorted(missions))
