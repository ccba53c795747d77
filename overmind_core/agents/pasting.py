"""Typing into a plain program on a terminal: pasted, entered, and then seen to be taken.

Of a known program the empty prompt has to be there first. A full-screen program that reads a text and Enter at once
takes both for a paste, and keeps them as a draft. So Enter comes by itself, once the text stands on the screen. Whether
it was taken shows where the cursor stands then: in a prompt that is empty again, or elsewhere, and not right behind the
text, or on a new line below it.
"""

from __future__ import annotations

import asyncio
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from overmind_core.agents.terminal_driver import DELETE_LINE, ENTER
from overmind_core.domain.agents.agent import ActivityKind, ActivitySource
from overmind_core.providers.terminal_rows import is_free, is_in_prompt, prompt_of, rules_of, told_by

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from overmind_core.agents.session import Session
    from overmind_core.agents.terminal_screen import TerminalScreens
    from overmind_core.domain.agents.terminal_rules import Rule
    from overmind_core.domain.agents.terminal_words import OwnTerminal
    from overmind_core.domain.missions.mission import Definition
    from overmind_core.providers.terminal_rows import Prompt
    from overmind_core.terminal.screen import Screen

LOOK = 0.1
"""Seconds between two looks at a screen."""
ECHO = 0.6
"""Seconds that a program gets to show what was pasted."""
SHOWN = 10.0
"""The same for a known prompt, in which something is seen for certain."""
PROOF = 3.0
"""Seconds that it gets to take it."""
PROMPT = 3.0
"""Seconds that a known program gets to show its empty prompt: it may be drawing."""
START = 30.0
"""Seconds that it gets to begin: some take so long on a busy machine."""
TOLD = 0.6
"""Seconds after which a state is known that a program tells, and an empty prompt behind an interrupt stays empty."""
BETWEEN_KEYS = 0.3
"""Seconds between two keys that delete: the screen follows them."""
TELLING = frozenset({ActivitySource.STATUS, ActivitySource.TITLE})
"""Sources by which a plain program tells its state itself."""


class AtCursor(NamedTuple):
    """The line that the cursor stands on, the one above it, and the part of the first that is behind the cursor."""

    line: str
    above: str
    behind: str = ""


def at_cursor(screen: Screen) -> AtCursor:
    """Return what stands at the cursor of a screen."""
    lines, y = screen.lines(), screen.cursor.y
    line = lines[y] if y < len(lines) else ""
    above = lines[y - 1] if 0 < y <= len(lines) else ""
    return AtCursor(line.rstrip(), above.rstrip(), line[screen.cursor.x :].strip())


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


def is_drafted(before: AtCursor, pasted: AtCursor) -> bool:
    """Return whether a person's text stood behind the cursor: a placeholder there is gone once something was pasted."""
    return bool(before.behind) and pasted.line.endswith(before.behind)


class Pasting:
    """Enters what was pasted."""

    def __init__(
        self,
        screens: TerminalScreens,
        rules: Mapping[str, tuple[Rule, ...]],
        terminals: Mapping[str, OwnTerminal] = MappingProxyType({}),
    ) -> None:
        """`rules`, `terminals`: a person's own words about programs, by their names."""
        self._terminals = terminals
        self._screens = screens
        self._rules = rules
        self._interrupted: dict[str, str] = {}
        """Mission → its run, where we have interrupted a turn and typed nothing since."""

    def prompt_of(self, definition: Definition) -> Prompt | None:
        """The look of the prompt of the program that a mission runs; None: it is not known."""
        return prompt_of(definition, self._terminals)

    async def terminal(self, session: Session) -> Screen | None:
        """The screen of a session; None: it has no terminal."""
        return await self._screens.of(session.id)

    async def screen(self, session: Session) -> Screen | None:
        """The screen of a session whose program takes pastes; None: it reads lines, or has no terminal."""
        screen = await self._screens.of(session.id)
        return screen if screen is not None and screen.modes.bracketed_paste else None

    async def free(
        self, session: Session, prompt: Prompt, definition: Definition, earlier: Callable[[], str]
    ) -> Screen | None:
        """The screen of a known program once its empty prompt is there; None: it is not, and nothing may be typed.

        `earlier`: the text before this one. Some programs put what we have interrupted back into the prompt, where it
        would become one with what is pasted: that, and nothing else, is deleted there. They may do so a moment later.
        """
        run, ours, began, stands = session.state.run, False, 0.0, 0
        was_interrupted = self._interrupted.get(session.id) == session.run_id
        for look in range(round(START / LOOK)):
            screen = await self._screens.of(session.id)
            if screen is None or session.state.running != run:
                return None
            lines, cursor = screen.lines(), screen.cursor
            asks = bool(prompt.ready) and _shows_question(rules_of(definition, self._rules), screen)
            is_there = screen.modes.bracketed_paste and not asks and is_free(prompt, lines, cursor.x, cursor.y)
            stands = stands + 1 if is_there else 0
            if is_there and (ours or not was_interrupted or stands * LOOK >= TOLD):
                self._interrupted.pop(session.id, None)
                return screen
            began = began or (look if screen.modes.bracketed_paste else 0)
            ours = ours or (was_interrupted and is_in_prompt(prompt, lines, cursor.y, earlier()))
            if ours:
                session.send(DELETE_LINE)
                await asyncio.sleep(BETWEEN_KEYS)
            elif began and not is_there and (look - began) * LOOK >= PROMPT:
                break
            await asyncio.sleep(LOOK)
        return None

    async def interrupt(self, session: Session) -> bool:
        """Have the turn of a plain program ended; False: it is known to have none."""
        activity = session.state.activity
        if activity.doing is ActivityKind.IDLE:
            await asyncio.sleep(TOLD)  # what was sent just now may have begun one
        self._interrupted[session.id] = session.run_id
        return session.interrupt()

    async def enter(self, session: Session, screen: Screen, prompt: Prompt | None, definition: Definition) -> bool:
        """Press Enter for what was pasted onto that screen; False: it still stands in the prompt.

        A program that has come to ask something meanwhile would take Enter for a yes. One that is slow takes an Enter
        that comes before it has drawn the text for a part of that: of a known prompt that is waited for, and where the
        text stays there Enter is pressed once more.
        """
        before, run, rules = at_cursor(screen), session.state.run, rules_of(definition, self._rules)
        pasted = await self._shown(session, before, ECHO if prompt is None else SHOWN)
        if session.state.running != run:
            return True
        if prompt is not None and (pasted == before or is_drafted(before, pasted)):
            return False
        for _ in range(1 if prompt is None else 2):
            if await self._asks(session, rules):
                return False
            session.send(ENTER)
            if await self._is_entered(session, before, pasted):
                return True
        return False

    async def _is_entered(self, session: Session, before: AtCursor, pasted: AtCursor) -> bool:
        """Return whether the pasted text leaves the prompt."""
        run = session.state.run
        for _ in range(round(PROOF / LOOK)):
            await asyncio.sleep(LOOK)
            now = await self._screens.of(session.id)
            if now is None or session.state.running != run or is_taken(before, pasted, at_cursor(now)):
                return True
            if not now.modes.bracketed_paste:  # a shell that runs a command takes no pastes; a draft leaves that on
                return True
        return False

    async def _asks(self, session: Session, rules: Sequence[Rule]) -> bool:
        """Return whether the program asks something, or its screen does now: the rest is told a moment later."""
        activity = session.state.activity
        if ActivityKind.WAITING in {activity.doing, activity.guess}:
            return True
        screen = await self._screens.of(session.id) if rules else None
        return screen is not None and _shows_question(rules, screen)

    async def _shown(self, session: Session, before: AtCursor, seconds: float) -> AtCursor:
        """What stands at the cursor once the program has drawn what was pasted, and draws no more."""
        last = before
        for _ in range(round(seconds / LOOK)):
            await asyncio.sleep(LOOK)
            screen = await self._screens.of(session.id)
            if screen is None:
                break
            now = at_cursor(screen)
            if now == last and now != before:
                break
            last = now
        return last


def _shows_question(rules: Sequence[Rule], screen: Screen) -> bool:
    told = told_by(rules, screen.title, screen.lines())
    return told is not None and told.state is ActivityKind.WAITING
