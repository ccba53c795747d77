"""Accepting messages for agents: what can't be accepted is refused; each gets a number, is saved, and is queued.

A raw session has no turns: it is typed what was accepted at once.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

from overmind_core.agents.pasting import TELLING
from overmind_core.agents.store import DELIVERED, FAILED, QUEUED
from overmind_core.agents.terminal_driver import ENTER
from overmind_core.domain.agents import conversation_events
from overmind_core.domain.agents.agent import QUEUE_WITH, ActivityKind, AgentNeed
from overmind_core.domain.agents.conversation import is_handed_over
from overmind_core.domain.agents.events import MessageQueued
from overmind_core.domain.missions.mission import Mission, Status
from overmind_core.domain.text.bytestrings import typed_bytes
from overmind_core.errors import OvermindError
from overmind_core.kernel.database import StoreError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from overmind_core.agents.input_queue import InputQueue
    from overmind_core.agents.messages import MessageQueue
    from overmind_core.agents.pasting import Pasting
    from overmind_core.agents.service import Agents
    from overmind_core.agents.session import Session
    from overmind_core.agents.store import MessageRow
    from overmind_core.kernel.journal import Journal
    from overmind_core.kernel.keeper_client import KeeperRefused
    from overmind_core.providers.terminal_rows import Prompt
    from overmind_core.terminal.screen import Screen

MOST_QUEUED = 1000
"""Messages that may wait for one agent."""


class Submission:
    """The way of a message to its session."""

    def __init__(
        self, agents: Agents, messages: MessageQueue, inputs: InputQueue, journal: Journal, pasting: Pasting
    ) -> None:
        self._agents = agents
        self._pasting = pasting
        self._turns: dict[str, asyncio.Lock] = {}
        self._messages = messages
        self._inputs = inputs
        self._journal = journal
        self._coming: Counter[str] = Counter()
        """Messages that are about to be queued, by mission: they wait for the disk."""

    async def submit(self, mission: Mission, text: str, *, queue: bool, sender: str | None, request: str | None) -> int:
        """Accept a message, once for each `request`; return its number. `queue`: also while a person has the session.

        Raises:
            OvermindError: naming why it can't be accepted.
            StoreError: it could not be saved, and is forgotten: whoever sent it may try again.
        """
        earlier = None if request is None else self._messages.by_request(request)
        if earlier is not None:
            return earlier.id
        session = self._agents.session(mission)
        if not text.strip():
            raise OvermindError("empty_command", "The message is empty.")
        if is_handed_over(session.state) and not queue:
            name = mission.definition.name
            message = f"{_in_a_terminal(mission, session)} {QUEUE_WITH}{name}"
            raise OvermindError("paused", message)
        waiting = len(session.state.queue) + self._coming[session.id]
        if waiting >= MOST_QUEUED:
            raise OvermindError("busy", f"{waiting} messages are already waiting for mission {mission.id}.")
        if not session.provider.speaks_json:
            return await self._type_at_once(session, text, sender=sender, request=request)
        number = await self._post(session, text, sender=sender, request=request)
        await self._journal.saved()
        return number

    async def interrupt(self, mission: Mission, session: Session) -> bool:
        """Have the turn ended, and the session go on; whether there was one to end, as far as that is known."""
        is_known = not session.provider.speaks_json and self._pasting.prompt_of(mission.definition) is not None
        return await self._pasting.interrupt(session) if is_known else session.interrupt()

    async def press(self, mission: Mission, text: str, keys: Sequence[str]) -> None:
        """Type a text and then keys into a session's terminal, whatever its program does.

        Raises:
            OvermindError: `invalid`, a key is unknown, or there is no terminal; `not_running`; `busy`, nobody reads it.
        """
        from overmind_core.terminal.input_encoding import UnknownKey  # noqa: PLC0415 - as for what is pasted
        from overmind_core.terminal.key_names import key_bytes  # noqa: PLC0415 - same

        session = self._agents.session(mission)
        name = mission.definition.name
        if mission.status is not Status.RUNNING:
            raise nobody_reads(mission)
        screen = await self._pasting.terminal(session)
        if screen is None:
            way = f"Send it a message: overmind send {name}"
            raise OvermindError("invalid", f"Mission {mission.id} ({name}) has no terminal right now. {way}")
        try:
            pressed = [key_bytes(key, screen.modes) for key in keys]
        except UnknownKey as error:
            known = "Enter, Escape, Tab, Up, C-c, M-x, F1 and single characters"
            message = f"Unknown key {error.name!r}. Keys are {known}; a text is typed with -l."
            raise OvermindError("invalid", message) from None
        async with self._turns.setdefault(session.id, asyncio.Lock()):
            refusal = await session.press(b"".join((typed_bytes(text.replace("\n", "\r")), *pressed)))
        if refusal is not None:
            raise _not_typed(session, refusal)

    def knows(self, request: str) -> bool:
        """Whether a message with this key was accepted before."""
        return self._messages.by_request(request) is not None

    def queue(self, session: Session, text: str, *, request: str) -> int:
        """Queue a message of the daemon's own with this turn's commit, once for each `request`; return its number."""
        earlier = self._messages.by_request(request)
        if earlier is not None:
            return earlier.id
        message = self._messages.new(session.id, text, sender=None, request=request)
        with self._journal.together():
            self._messages.insert(message)
            session.know(message.id, text)
            session.record(MessageQueued(message=message.id, sender=None))
            session.apply(conversation_events.Queued(message.id))
        return message.id

    def withdraw(self, mission: Mission, number: int) -> None:
        """Take back a message that waits.

        Raises:
            OvermindError: `not_found`, or `invalid` when it doesn't wait any more.
        """
        message = self._messages.get(number)
        if message is None:
            raise OvermindError("not_found", f"There is no message {number}.")
        session = self._agents.of(mission.id)
        if message.mission != mission.id:
            raise OvermindError("not_found", f"Mission {mission.id} has no message {number}.")
        if message.state != QUEUED or session is None or number not in session.state.queue:
            stands = "already being typed" if message.state == QUEUED else message.state
            raise OvermindError("invalid", f"Message {number} can't be withdrawn: it is already {stands}.")
        session.apply(conversation_events.Withdrawn(number))

    async def _post(self, session: Session, text: str, *, sender: str | None, request: str | None) -> int:
        """Queue it; it is delivered in its turn."""
        self._coming[session.id] += 1
        try:
            number = await self._store(session, text, sender=sender, request=request)
        finally:
            self._coming[session.id] -= 1
            self._coming += Counter()  # forgets those of which none is left
        if session.closed:  # it ended meanwhile: what is queued there would reach whoever starts it again
            self._fail(number, "exited")
            return number
        session.record(MessageQueued(message=number, sender=sender))
        session.apply(conversation_events.Queued(number))
        return number

    async def _store(self, session: Session, text: str, *, sender: str | None, request: str | None) -> int:
        message = self._messages.new(session.id, text, sender=sender, request=request)
        await self._messages.store(message)
        session.know(message.id, text)
        return message.id

    async def _type_at_once(self, session: Session, text: str, *, sender: str | None, request: str | None) -> int:
        """Type it into a raw session: it is delivered when the keeper has it.

        Accepted is it once the message and what is typed are saved, in one commit: from then on it is typed once,
        whoever is killed when. Without a keeper just now it stays queued, and whoever adopts the run types it.

        Raises:
            OvermindError: `too_large`, the terminal takes no line of this length; `not_running`, nobody reads it;
                `draft`, the program did not take it, or has no empty prompt; `busy`, by its own report it waits for
                no message.
        """
        definition = _who_reads(session).definition
        prompt = self._pasting.prompt_of(definition)
        message = self._messages.new(session.id, text, sender=sender, request=request)
        async with self._turns.setdefault(session.id, asyncio.Lock()):  # what is pasted is entered before the next one
            screen = await self._screen_of(session, prompt)
            mission = _who_reads(session)  # the message before this one has begun a turn, or led to a question
            if screen is None and prompt is not None:
                raise _without_prompt(mission)
            if screen is None:
                await self._type(session, message, typed_bytes(text) + ENTER)
            else:
                from overmind_core.terminal.input_encoding import paste  # noqa: PLC0415 - few daemons type into one

                await self._type(session, message, paste(text, screen.modes))
                is_seen = prompt is not None and bool(prompt.empty)
                if not await self._pasting.enter(session, screen, prompt if is_seen else None, definition):
                    name = mission.definition.name
                    stands = f"The message stands as a draft in the prompt of mission {session.id} ({name})"
                    raise OvermindError("draft", f"{stands}. Send or delete it in: overmind attach {name}")
        return message.id

    async def _screen_of(self, session: Session, prompt: Prompt | None) -> Screen | None:
        """The screen onto which is pasted; None: there is none."""
        if prompt is None:
            return await self._pasting.screen(session)
        definition = _who_reads(session).definition
        return await self._pasting.free(session, prompt, definition, lambda: self._last_text(session))

    def _last_text(self, session: Session) -> str:
        """The last message that was typed there; "" = there is none."""
        typed = [one.text for one in self._messages.of(session.id) if one.state == DELIVERED]
        return typed[-1] if typed else ""

    async def _type(self, session: Session, message: MessageRow, data: bytes) -> None:
        typing = session.type_message(message, data)
        try:
            await self._journal.saved()
        except StoreError:
            self._inputs.withdraw(typing)
            raise
        refusal = await typing.answer
        await self._journal.saved()
        if refusal is not None:
            raise _not_typed(session, refusal)

    def _fail(self, number: int, error: str) -> None:
        moved = conversation_events.MessageMoved(number, FAILED, error)
        self._messages.move(moved, resent=lambda: False)


def _not_typed(session: Session, refusal: KeeperRefused) -> OvermindError:
    code = refusal.code if refusal.code in {"too_large", "busy"} else "not_running"
    return OvermindError(code, f"Can't type into mission {session.id}: {refusal.message}.")


def _who_reads(session: Session) -> Mission:
    """Return the mission that takes what is typed just now.

    Raises:
        OvermindError: `not_running`, nobody reads it; `paused`; `busy`, by its own report it waits for no message.
    """
    mission = session.mission
    if mission is None:
        raise OvermindError("not_running", f"Mission {session.id} is not running right now. Try again.")
    if mission.status is not Status.RUNNING:
        raise nobody_reads(mission)
    _check_rests(session, mission)
    return mission


def _check_rests(session: Session, mission: Mission) -> None:
    """See that a plain program whose state is told waits for a message: what is typed could answer a question.

    Raises:
        OvermindError: `busy`, it does not, or seems to ask something.
    """
    activity, name = session.state.activity, mission.definition.name
    if activity.guess is ActivityKind.WAITING:
        seems = f"Mission {session.id} ({name}) seems to ask something, by its screen"
        raise OvermindError("busy", f"{seems}. Answer it first: overmind attach {name}")
    if activity.source not in TELLING:
        return
    if activity.doing is ActivityKind.WAITING:
        asks = f"Mission {session.id} ({name}) asks something, which only its own keys answer: {activity.now}"
        raise OvermindError("busy", f"{asks}. Answer it first: overmind attach {name}")
    if activity.doing is ActivityKind.WORKING:
        raise OvermindError("busy", f"Mission {session.id} ({name}) is working. Try again when its turn is over.")


def _without_prompt(mission: Mission) -> OvermindError:
    name = mission.definition.name
    shows = f"Mission {mission.id} ({name}) shows no empty prompt: a draft stands in it, or something is asked"
    return OvermindError("draft", f"{shows}. Nothing was typed. See to it: overmind attach {name}")


def nobody_reads(mission: Mission) -> OvermindError:
    """Return why nothing can be typed into the terminal of a live mission whose program does not run."""
    name = mission.definition.name
    if mission.status is Status.PAUSED:
        return OvermindError("paused", f"Mission {mission.id} ({name}) is frozen. Thaw it: overmind thaw {name}")
    return OvermindError("not_running", f"Mission {mission.id} ({name}) is not running right now. Try again.")


def _in_a_terminal(mission: Mission, session: Session) -> str:
    """Why the session takes no message at once: somebody uses its terminal, or has left a draft there."""
    name = mission.definition.name
    if any(one.need is AgentNeed.DRAFT for one in session.state.open):
        left = f"Mission {mission.id} ({name}) has a draft in its prompt"
        return f"{left}. Send or delete it in: overmind attach {name}."
    return f"A person is using mission {mission.id} ({name}) in a terminal."
