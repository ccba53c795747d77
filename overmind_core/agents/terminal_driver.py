"""Typing into an agent's own full-screen program: only what the screen shows to be wanted, and never into a dialog."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from overmind_core.agents.permission_hooks import RETURN_SECONDS
from overmind_core.agents.terminal_screen import typed_lines
from overmind_core.domain.agents import conversation_events, conversation_step
from overmind_core.domain.agents.agent import ActivityKind, ActivitySource, AgentNeed
from overmind_core.domain.agents.agent_events import AskCancelled, Asked, Behaviour, Decision
from overmind_core.domain.agents.conversation import begins_prompt, same_prompt
from overmind_core.domain.agents.turns import INTERRUPTED
from overmind_core.domain.missions.facts import EndAsked
from overmind_core.domain.missions.mission import Cause
from overmind_core.providers.terminal_rows import interrupt_keys

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from overmind_core.agents.permission_hooks import PermissionWaiters
    from overmind_core.agents.session import Session
    from overmind_core.agents.terminal_screen import TerminalScreens
    from overmind_core.kernel.tasks import Tasks
    from overmind_core.missions.attachments import Attachments
    from overmind_core.providers.base import InteractiveProvider
    from overmind_core.terminal.screen import Screen

LOOK = 0.3
"""Seconds between two looks at a screen."""
PROOF = 15.0
"""Seconds within which the program must show that it has what was typed: its hooks may have much to do."""
LOST = 3.0
"""Seconds after which what was pasted and is not to be seen was not taken."""
RETRY = 1.5
"""Seconds after which a key that did nothing is pressed again."""
PATIENCE = 30.0
"""Seconds for which a prompt may be hidden before that is told."""
DRAFT = 3.0
"""Seconds for which something stands in the prompt before that is told: whoever types is not disturbed."""
DRAFT_LOOK = 1.0
"""Seconds between two looks whether it is gone."""
DRAFT_REQUEST = "draft"
DRAFT_TYPED = "a draft is in the prompt: send it or delete it"
HIDDEN = "the prompt is not on the screen"
SETUP = 5.0
"""Seconds after which a program that has not begun is looked at: does it show a dialog of its own?"""
STANDS = 3
"""Looks in a row that show a dialog before its keys are pressed, and an empty prompt behind an interrupt.

Codex 0.171.0 keeps a key that comes as it draws the dialog to itself, and later ones with it: at once more than half of
the answers, at 0.5 s none of 16. Qwen rests before it puts an interrupted text back into its prompt.
"""
PRESSES, AGAIN = 2, 5
"""The most presses of a dialog's keys, or more of an interrupt's, and the looks between two, where nothing changes."""
FIRST_PROMPT = 60.0
"""Seconds within which the prompt is there of a program that says that it rests."""
DIALOG = 10.0
"""Seconds within which the dialog of a question is there whose hook does not wait."""
ENTER = b"\r"
DELETE_LINE = b"\x15\x7f"
"""Ctrl-U, and what deletes the end of the line above."""
CTRL_C = b"\x03"
"""The key that ends what any program on a terminal does."""


class TerminalDriver:
    """All typing of ours."""

    def __init__(
        self,
        tasks: Tasks,
        screens: TerminalScreens,
        waiters: PermissionWaiters,
        attachments: Attachments,
        interrupts: Mapping[str, tuple[bytes, ...]],
    ) -> None:
        """`interrupts`: the keys that end a turn, by a person's own word, by the name of the program."""
        self._interrupts = interrupts
        self._tasks = tasks
        self._screens = screens
        self._waiters = waiters
        self._attachments = attachments
        self._interrupted: dict[str, str] = {}
        """Mission → its run, where we have interrupted a turn and typed nothing since."""

    def is_alone(self, mission_id: str) -> bool:
        """Whether nobody else can type there."""
        return self._attachments.typists(mission_id) == 0

    def type(self, session: Session, message: int) -> None:
        """Deliver a message."""
        self._tasks.start(self._type(session, message, session.state.run))

    def interrupt(self, session: Session) -> None:
        """End the turn; where it has not begun, only once the screen shows that the key answers no dialog."""
        self._interrupted[session.id] = session.run_id
        if session.state.turn is not None:
            self._press_all(session, _program(session).interrupt_keys)
            self._tasks.start(self._interrupt_again(session, session.state.turn.began))
        else:
            self._tasks.start(self._interrupt(session, session.state.run))

    def interrupt_plain(self, session: Session) -> bool:
        """End the turn of a plain program by its keys; one that is known to rest gets none, and False is returned."""
        mission, activity = session.mission, session.state.activity
        keys = (CTRL_C,) if mission is None else interrupt_keys(mission.definition, self._interrupts) or (CTRL_C,)
        if keys != (CTRL_C,) and activity.doing is ActivityKind.IDLE:
            return False
        self._press_all(session, keys)
        return True

    def _press_all(self, session: Session, keys: Sequence[bytes]) -> None:
        session.send(keys[0])
        if keys[1:]:
            self._tasks.start(self._press(session, keys[1:], session.state.run))

    async def _press(self, session: Session, keys: Sequence[bytes], run: int) -> None:
        """Press more keys, one by one: at once they would be another key, and to a program that rests, as well."""
        judge = getattr(session.provider, "is_idle", None)
        for key in keys:
            await asyncio.sleep(LOOK)
            screen = await self._screens.of(session.id) if callable(judge) else None
            if session.state.running != run or (screen is not None and callable(judge) and judge(screen.lines())):
                return
            session.send(key)

    def leave(self, session: Session) -> None:
        """Make the program end by itself, else end it."""
        self._tasks.start(self._leave(session, session.state.run))

    def watch_setup(self, session: Session) -> None:
        """Find out why a program does not begin."""
        self._tasks.start(self._watch_setup(session, session.state.run))

    def answer(self, session: Session, asked: Asked, decision: Decision) -> None:
        """Answer a question of which the hook is gone, or does not wait, by the dialog's own keys."""
        if _program(session).shows_held:
            self._waiters.keep(asked, decision)
        self._tasks.start(self._answer(session, asked, decision, session.state.run))

    def on_waiter_gone(self, session: Session, number: int) -> None:
        """A hook has stopped waiting for an answer: most likely somebody has refused on the screen."""
        self._tasks.start(self._on_waiter_gone(session, number, session.state.run))

    def watch_draft(self, session: Session) -> None:
        """Find out when what stands in the prompt is gone."""
        self._tasks.start(self._watch_draft(session, session.state.run))

    async def _type(self, session: Session, message: int, run: int) -> None:
        from overmind_core.terminal.input_encoding import paste  # noqa: PLC0415 - as for the screen

        def wanted() -> bool:
            return session.state.sending == message and session.state.run == run

        for _ in range(2):
            text = session.text_of(message)
            screen = await self._free_prompt(session, run, wanted, ours=_program(session).draft_of(text))
            if screen is None:
                if wanted():
                    self._hold_back(session, HIDDEN, "")
                break
            if not _program(session).draft(typed_lines(screen)):  # else an earlier supervisor died behind the paste
                pieces = _program(session).pastes(text)
                session.send(b"".join(paste(piece, screen.modes) for piece in pieces))
            if await self._enter(session, wanted, PATIENCE):
                await self._comes(lambda: not wanted(), PROOF)
                break
        if wanted():
            session.apply(conversation_events.Undelivered("the program did not accept it"))

    async def _interrupt_again(self, session: Session, began: float) -> None:
        """Press the keys again while the turn that began then goes on: a program that draws may have lost them."""
        for _ in range(PRESSES):
            await asyncio.sleep(RETRY)
            screen, current = await self._screens.of(session.id), session.state.turn
            if screen is None or current is None or current.began != began:
                return
            if not _program(session).is_idle(typed_lines(screen)):
                await self._press_interrupt(session, session.state.run)

    async def _interrupt(self, session: Session, run: int) -> None:
        """Press the key, and see that it ends a message of which the program has not shown yet that it has it.

        A program that still starts loses the key; what it had just begun it puts back, and no hook tells of that.
        """
        program, message = _program(session), session.state.sending
        if not await self._press_interrupt(session, run) or message is None:
            return
        text, looks, is_again = program.draft_of(session.text_of(message)), 0, False
        for _ in range(int(PATIENCE / LOOK)):
            await asyncio.sleep(LOOK)
            screen = await self._screens.of(session.id)
            c = session.state
            if screen is None or c.running != run:
                return
            if message not in {c.sending, c.turn and c.turn.message}:
                break
            lines = typed_lines(screen)
            is_lost = not is_again and not program.is_idle(lines)
            if c.turn is not None and is_lost and await self._press_interrupt(session, run):
                is_again = True
                self._tasks.start(self._interrupt_again(session, c.turn.began))
            looks = looks + 1 if c.sending == message and same_prompt(text, program.draft(lines)) else 0
            if looks > 1:  # what is being pasted stands there for a moment, too
                session.apply(conversation_events.Undelivered(INTERRUPTED))
                break
        else:  # nothing has ended it
            return
        await self._delete_ours(session, text, run)

    async def _press_interrupt(self, session: Session, run: int) -> bool:
        """Press the key that ends a turn, unless a dialog would take it; whether it was pressed."""
        screen = await self._screens.of(session.id)
        shown = None if screen is None else _program(session).dialog(screen.lines())
        if session.state.running != run:
            return False
        if shown is None:
            self._press_all(session, _program(session).interrupt_keys)
        elif not session.state.open:  # a person must see why no key was pressed
            session.receive(shown, ActivitySource.TERMINAL)
        return shown is None

    async def _delete_ours(self, session: Session, text: str, run: int) -> None:
        """Delete what stands in the prompt while that is a beginning of our text, and nobody else can type there."""
        for _ in range(int(PATIENCE / LOOK)):
            screen = await self._screens.of(session.id)
            typed = "" if screen is None else _program(session).draft(typed_lines(screen))
            if session.state.running != run or not typed or not begins_prompt(text, typed):
                return
            if not self.is_alone(session.id):
                return
            session.send(DELETE_LINE)
            await asyncio.sleep(LOOK)

    async def _answer(self, session: Session, asked: Asked, decision: Decision, run: int) -> None:
        if not _program(session).shows_held:
            await self._answer_unheld(session, asked, decision, run)
            return
        if await self._comes(lambda: not self._waiters.keeps(asked), RETURN_SECONDS):
            return  # the hook came back for it
        screen = await self._screens.of(session.id)
        if screen is None or session.state.running != run:
            return
        keys = _program(session).keys_for(screen.lines(), asked, decision)
        if keys is not None:
            session.send(keys)
        else:  # it can't be told which keys mean that: a person must look
            session.receive(asked, ActivitySource.TERMINAL)

    async def _answer_unheld(self, session: Session, asked: Asked, decision: Decision, run: int) -> None:
        """Press the dialog's keys once it is there, and see it go; a person answers what can't be told apart."""
        program, keys = _program(session), None
        lines: list[str] = []
        looks, stands = int(DIALOG / LOOK), 0
        while looks:
            screen = await self._screens.of(session.id)
            if screen is None or session.state.running != run:
                return
            lines = screen.lines()
            keys = program.keys_for(lines, asked, decision)
            stands = stands + 1 if keys is not None else 0
            if stands == STANDS:
                break
            # One of several at once has its dialog behind that of another one.
            if keys is None and not any(program.keys_for(lines, one, decision) for one in session.questions.values()):
                looks -= 1
            await asyncio.sleep(LOOK)
        if keys is not None:
            lines = await self._press_away(session, asked, decision, run, lines)
        if program.dialog(lines) is not None and not any(one.need is AgentNeed.SETUP for one in session.state.open):
            session.receive(asked._replace(need=AgentNeed.SETUP), ActivitySource.TERMINAL)

    async def _press_away(
        self, session: Session, asked: Asked, decision: Decision, run: int, lines: list[str]
    ) -> list[str]:
        """Press keys until the dialog is gone; return the screen where it is not.

        They are pressed again only while nothing at all has changed: the same dialog behind this one would be about
        something that nobody has allowed. Nor are they while an open question would look the same.
        """
        program, before = _program(session), lines
        for look in range(int(PROOF / LOOK)):
            keys = program.keys_for(lines, asked, decision)
            if keys is None:
                return []
            if any(program.keys_for(lines, one, decision) for one in session.questions.values()):
                return lines if look == 0 else []
            if look in range(0, PRESSES * AGAIN, AGAIN) and lines == before:
                session.send(keys)
            await asyncio.sleep(LOOK)
            screen = await self._screens.of(session.id)
            if screen is None or session.state.running != run:
                return []
            lines = screen.lines()
        return lines

    async def _on_waiter_gone(self, session: Session, number: int, run: int) -> None:
        await asyncio.sleep(LOOK)
        asked = session.questions.get(number)
        screen = await self._screens.of(session.id)
        if asked is None or session.state.running != run:
            return
        refusal = Decision(Behaviour.DENY)
        if screen is None or _program(session).keys_for(screen.lines(), asked, refusal) is None:
            session.apply(conversation_events.WaiterGone(number), ActivitySource.HOOK)

    async def _leave(self, session: Session, run: int) -> None:
        def wanted() -> bool:
            return session.state.running == run and session.state.leaving

        now = asyncio.get_running_loop().time
        screen = await self._free_prompt(session, run, wanted, patience=conversation_step.CHANGE_GRACE)
        if screen is not None:
            session.send(_program(session).exit_keys)
            asked = now()
            await self._enter(session, wanted, conversation_step.CHANGE_GRACE)
            await self._comes(lambda: not wanted(), conversation_step.CHANGE_GRACE - (now() - asked))
        if wanted():
            session.end(EndAsked(Cause.CHANGE_OVER, conversation_step.CHANGE_GRACE))

    async def _free_prompt(
        self, session: Session, run: int, wanted: Callable[[], bool], *, patience: float = PATIENCE, ours: str = ""
    ) -> Screen | None:
        """The screen, once it shows an empty prompt and no dialog; None when it never does, or nobody wants it now.

        A draft that stays there is never typed over: what was to be typed waits, and people are told. `ours` is none.
        """
        program, drafts, stands, is_put_back = _program(session), 0, 0, False
        for _ in range(int(patience / LOOK)):
            screen = await self._screens.of(session.id)
            if not wanted() or session.state.run != run:
                return None
            lines = [] if screen is None else typed_lines(screen)
            was_interrupted = self._interrupted.get(session.id) == session.run_id
            is_there = screen is not None and program.dialog(lines) is None and program.is_ready(lines)
            stands = stands + 1 if is_there else 0
            if is_there and (is_put_back or not was_interrupted or stands == STANDS):
                self._interrupted.pop(session.id, None)
                return screen
            typed = program.draft(lines)
            is_put_back = is_put_back or (was_interrupted and same_prompt(session.prompt, typed))
            is_put_back = is_put_back and bool(typed) and self.is_alone(session.id)  # else a person may go on with it
            if is_put_back:  # what we have interrupted, where it would become one with what is pasted
                session.send(DELETE_LINE)
                typed = ""
            if typed and ours and same_prompt(ours, typed):
                return screen
            drafts = drafts + 1 if typed else 0
            if drafts * LOOK >= DRAFT:
                self._hold_back(session, DRAFT_TYPED, typed)
                return None
            await asyncio.sleep(LOOK)
        return None

    def _hold_back(self, session: Session, summary: str, typed: str) -> None:
        session.receive(Asked(DRAFT_REQUEST, AgentNeed.DRAFT, "", summary, {"text": typed}), ActivitySource.TERMINAL)
        session.apply(conversation_events.PromptTaken())
        self.watch_draft(session)

    async def _watch_draft(self, session: Session, run: int) -> None:
        """Look whenever something was written: a person takes their time."""
        seen = -1
        while True:
            await asyncio.sleep(DRAFT_LOOK)
            if session.state.running != run or all(one.need is not AgentNeed.DRAFT for one in session.state.open):
                return
            written = await self._screens.written(session.id)
            if written == seen:
                continue
            seen = written
            screen = await self._screens.of(session.id)
            lines = [] if screen is None else typed_lines(screen)
            if lines and _program(session).dialog(lines) is None and _program(session).is_ready(lines):
                # A dialog that hid the prompt is gone as well; the draft comes last, since its end frees the program.
                for asked in [one.request for one in session.state.open if one.need is AgentNeed.SETUP]:
                    session.apply(AskCancelled(asked), ActivitySource.TERMINAL)
                session.apply(AskCancelled(DRAFT_REQUEST), ActivitySource.TERMINAL)
                return

    async def _enter(self, session: Session, wanted: Callable[[], bool], patience: float) -> bool:
        """Press Enter for what stands in the prompt until it is gone from there; False when nothing ever stood there.

        Programs lose keys while they draw. A dialog that came meanwhile would take Enter for a yes.
        """
        program, pressed = _program(session), False
        now = asyncio.get_running_loop().time
        begin = now()
        while now() - begin < patience:
            await self._comes(lambda: not wanted(), RETRY if pressed else LOOK)
            screen = await self._screens.of(session.id)
            if not wanted() or screen is None:
                break
            lines = typed_lines(screen)
            is_idle, is_ready = program.is_idle(lines), program.is_ready(lines)
            if is_idle and not is_ready:
                session.send(ENTER)
                pressed = True
            elif pressed or (is_ready and now() - begin > LOST):
                break
        return pressed

    async def _comes(self, holds: Callable[[], bool], seconds: float) -> bool:
        for _ in range(int(seconds / LOOK)):
            if holds():
                return True
            await asyncio.sleep(LOOK)
        return holds()

    async def _watch_setup(self, session: Session, run: int) -> None:
        shown: Asked | None = None
        looks = int(FIRST_PROMPT / SETUP)
        while looks:
            await asyncio.sleep(SETUP)
            if session.state.running != run or session.state.turn is not None:
                break
            screen = await self._screens.of(session.id)
            lines = [] if screen is None else screen.lines()
            if not _is_still_starting(session):  # it says that it rests, perhaps behind a page that asks something
                looks = 0 if _program(session).is_idle(lines) else looks - 1
            dialog = _program(session).dialog(lines) if looks else shown
            if dialog != shown:
                session.apply(AskCancelled(""), ActivitySource.TERMINAL)
                if dialog is not None:
                    session.receive(dialog, ActivitySource.TERMINAL)
                shown = dialog


def _is_still_starting(session: Session) -> bool:
    """Whether its program has shown no sign yet that it works."""
    c = session.state
    asks_setup = any(one.need is AgentNeed.SETUP for one in c.open)
    return c.turn is None and (asks_setup or c.sending is not None or c.activity.doing is ActivityKind.UNKNOWN)


def _program(session: Session) -> InteractiveProvider:
    return session.provider  # type: ignore[return-value] # only providers with that mode run interactively
