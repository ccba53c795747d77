"""Typing into a program of which nothing is known but its screen: pasted, entered, and then seen to be taken.

A full-screen program that reads a text and Enter at once takes both for a paste, and keeps them as a draft. So Enter
comes by itself, once the text stands on the screen. Whether it was taken shows where the cursor stands then: in a
prompt that is empty again, or elsewhere, and not right behind the text, or on a new line below it.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple

from overmind_core.agents.terminal_driver import ENTER
from overmind_core.domain.agents.agent import ActivityKind

if TYPE_CHECKING:
    from overmind_core.agents.session import Session
    from overmind_core.agents.terminal_screen import TerminalScreens
    from overmind_core.terminal.screen import Screen

LOOK = 0.1
"""Seconds between two looks at a screen."""
ECHO = 0.6
"""Seconds that a program gets to show what was pasted."""
PROOF = 3.0
"""Seconds that it gets to take it."""


class AtCursor(NamedTuple):
    """The line that the cursor stands on, up to the cursor, and the whole line above it."""

    line: str
    above: str


def at_cursor(screen: Screen) -> AtCursor:
    """Return what stands at the cursor of a screen."""
    lines, y = screen.lines(), screen.cursor.y
    line = lines[y] if y < len(lines) else ""
    return AtCursor(line.rstrip(), lines[y - 1].rstrip() if 0 < y <= len(lines) else "")


def is_taken(before: AtCursor, pasted: AtCursor, now: AtCursor) -> bool:
    """Whether a pasted text has left the prompt.

    Args:
        before: What stood at the cursor before it was pasted.
        pasted: Once it stood there.
        now: After Enter.
    """
    if before.line in {now.line, pasted.line}:  # an empty prompt, or one that shows nothing
        return True
    return pasted.line not in {now.line, now.above}


class Pasting:
    """Enters what was pasted."""

    def __init__(self, screens: TerminalScreens) -> None:
        self._screens = screens

    async def terminal(self, session: Session) -> Screen | None:
        """The screen of a session; None: it has no terminal."""
        return await self._screens.of(session.id)

    async def screen(self, session: Session) -> Screen | None:
        """The screen of a session whose program takes pastes; None: it reads lines, or has no terminal."""
        screen = await self._screens.of(session.id)
        return screen if screen is not None and screen.modes.bracketed_paste else None

    async def enter(self, session: Session, screen: Screen) -> bool:
        """Press Enter for what was pasted onto that screen; False: it still stands in the prompt.

        A program that has come to ask something meanwhile would take Enter for a yes.
        """
        before, run = at_cursor(screen), session.state.run
        pasted = await self._shown(session, before)
        if session.state.running != run:
            return True
        activity = session.state.activity
        if ActivityKind.WAITING in {activity.doing, activity.guess}:
            return False
        session.send(ENTER)
        for _ in range(round(PROOF / LOOK)):
            await asyncio.sleep(LOOK)
            now = await self._screens.of(session.id)
            if now is None or session.state.running != run or is_taken(before, pasted, at_cursor(now)):
                return True
            if not now.modes.bracketed_paste:  # a shell that runs a command takes no pastes; a draft leaves that on
                return True
        return False

    async def _shown(self, session: Session, before: AtCursor) -> AtCursor:
        """What stands at the cursor once the program has drawn what was pasted, and draws no more."""
        last = before
        for _ in range(round(ECHO / LOOK)):
            await asyncio.sleep(LOOK)
            screen = await self._screens.of(session.id)
            if screen is None:
                break
            now = at_cursor(screen)
            if now == last and now != before:
                break
            last = now
        return last
