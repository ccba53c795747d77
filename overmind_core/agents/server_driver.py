"""Agents' full-screen programs that have a server beside their screen: heard and answered there, typed into never.

A connection may be lost at any time, with us or without: behind each one the program lists how it stands, and what was
answered or sent and did not arrive is said again.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from overmind_core.agents.output_reader import end_unopened
from overmind_core.agents.program_server import OK, AnswerTooLongError, NoAnswerError, PortTakenError, ProgramServer
from overmind_core.agents.store import ASKED, DECISION, QUESTION_ANSWERED
from overmind_core.agents.terminal_driver import DRAFT_LOOK, DRAFT_REQUEST, DRAFT_TYPED
from overmind_core.domain.agents import conversation, conversation_events, conversation_step
from overmind_core.domain.agents.agent import BY_KEYS, ActivitySource, AgentNeed
from overmind_core.domain.agents.agent_events import AskCancelled, Asked, NotOpened, SessionReady
from overmind_core.domain.agents.turns import INTERRUPTED
from overmind_core.domain.missions.facts import EndAsked
from overmind_core.domain.missions.mission import Cause
from overmind_core.providers.base import Lookup, ServerRequest, Standing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from overmind_core.agents.input_queue import InputQueue
    from overmind_core.agents.questions import Questions
    from overmind_core.agents.session import Session
    from overmind_core.agents.terminal_screen import TerminalScreens
    from overmind_core.domain.agents.agent_events import AgentFact, Decision
    from overmind_core.kernel.tasks import Tasks
    from overmind_core.missions.registry import Registry
    from overmind_core.providers.base import ServerConnection, ServingProvider

RETRY = 0.5
"""Seconds between two attempts to connect."""
PATIENCE, PATIENCE_GROWTH, LONGEST_PATIENCE = 1.0, 2.0, 10.0
"""Seconds until it tells the first: opencode 1.18.33 never answers who asks in the moment in which its port opens."""
SHOWN_LOOKS = 60
"""Looks at its screen, half a second apart, until it has drawn itself, and shows the conversation."""
SHOWN_LOOK = 0.5
TAKEN_LOOKS = 4
"""Looks after which a port stays taken by another program: opencode 1.18.33 waits for ever then, and shows nothing."""
LISTED = (40, 8, 2)
"""Messages, the newest, that are looked at behind a lost connection: fewer than the calls that are remembered.

Fewer again where they are too long, as with pictures: without that nobody would ever be heard.
"""
REFUSALS, GONE = range(400, 600), 404
"""Statuses; `GONE` is that of a question that is answered."""
TERMINAL = ActivitySource.TERMINAL
UNACCEPTED = "the program did not accept it"
_log = logging.getLogger(__name__)


class _Talk(NamedTuple):
    """A connection that lives."""

    connection: ServerConnection
    server: ProgramServer
    settled: asyncio.Event
    """Set once it is known how the program stands."""
    lost: asyncio.Event
    """Set where something did not arrive: all is listed again."""
    posted: set[str]
    """The names of messages that were sent over it."""


class _TurnName(NamedTuple):
    """One turn, also before it has begun."""

    run: str
    message: int | None
    began: float | None
    """Seconds since the epoch, of a turn that a person has begun; None: a message of ours does."""


class ServerDriver:
    """All talk with such servers."""

    def __init__(
        self, tasks: Tasks, screens: TerminalScreens, registry: Registry, questions: Questions, inputs: InputQueue
    ) -> None:
        self._tasks = tasks
        self._screens = screens
        self._registry = registry
        self._questions = questions
        self._inputs = inputs
        self._following: dict[str, asyncio.Task[Any]] = {}
        self._talks: dict[str, _Talk] = {}
        self._interrupted: dict[str, _TurnName] = {}
        """Mission → the turn that is to end as soon as it is known how that stands."""

    def start(self, session: Session) -> None:
        """Hear the newest run of a session, until it ends."""
        self.stop(session.id)
        run = session.state.running
        self._following[session.id] = self._tasks.start(self._follow(session, run))
        if session.state.opening:
            asyncio.get_running_loop().call_later(session.provider.opening_seconds, end_unopened, session, run)

    def stop(self, mission_id: str) -> None:
        """Stop hearing it."""
        self._talks.pop(mission_id, None)
        self._interrupted.pop(mission_id, None)
        if (task := self._following.pop(mission_id, None)) is not None:
            task.cancel()

    def is_alone(self, mission_id: str) -> bool:
        """False: a prompt of ours is known by its name."""
        del mission_id
        return False

    def type(self, session: Session, message: int) -> None:
        """Deliver a message; where nobody is heard just now, that follows once somebody is."""
        del message
        talk = self._talks.get(session.id)
        if talk is not None and talk.settled.is_set():
            self._post_next(session, talk)

    def interrupt(self, session: Session) -> None:
        """End the turn; one whose message was not sent begins none. Where nobody is heard just now, that follows."""
        talk = self._talks.get(session.id)
        if talk is None or not talk.settled.is_set() or talk.lost.is_set():
            self._interrupted[session.id] = _turn_of(session)
        elif session.state.turn is None and _awaited(session) not in {"", *talk.posted}:
            session.apply(conversation_events.Undelivered(INTERRUPTED))
        else:
            self._tasks.start(self._interrupt(session, talk))

    def interrupt_plain(self, session: Session) -> bool:
        """False: it is no plain program."""
        del session
        return False

    def leave(self, session: Session) -> None:
        """Have the program end: it has stored all that was said, but not what is typed there."""
        self._tasks.start(self._leave(session, session.state.run))

    async def _leave(self, session: Session, run: int) -> None:
        typed = await self._draft(session)
        if session.state.running != run or not session.state.leaving:
            return
        if not typed:
            session.end(EndAsked(Cause.CHANGE_OVER, conversation_step.CHANGE_GRACE))
            return
        session.receive(Asked(DRAFT_REQUEST, AgentNeed.DRAFT, "", DRAFT_TYPED, {"text": typed}), TERMINAL)
        session.apply(conversation_events.PromptTaken())
        self.watch_draft(session)

    def watch_draft(self, session: Session) -> None:
        """Find out when a draft is gone that keeps the program from its end."""
        self._tasks.start(self._watch_draft(session, session.state.run))

    async def _watch_draft(self, session: Session, run: int) -> None:
        while True:
            await asyncio.sleep(DRAFT_LOOK)
            if session.state.running != run or all(one.need is not AgentNeed.DRAFT for one in session.state.open):
                return
            if not await self._draft(session):
                session.apply(AskCancelled(DRAFT_REQUEST), TERMINAL)
                return

    async def _draft(self, session: Session) -> str:
        screen = await self._screens.of(session.id)
        provider: ServingProvider = session.provider  # type: ignore[assignment] # only those have such a run
        return "" if screen is None else provider.draft(screen.lines())

    def answer(self, session: Session, asked: Asked, decision: Decision) -> None:
        """Answer a question; where nobody is heard just now, that follows."""
        if (talk := self._talks.get(session.id)) is not None:
            self._tasks.start(self._answer(session, asked, decision, talk))

    async def _follow(self, session: Session, run: int) -> None:
        provider: ServingProvider = session.provider  # type: ignore[assignment] # only those have such a run
        patience, taken = PATIENCE, 0
        while session.state.running == run and not session.closed:
            connection = provider.serve(session.connection_request())
            server = ProgramServer(session.state.port, connection.user, session.state.token)
            talk = _Talk(connection, server, asyncio.Event(), asyncio.Event(), set())
            try:
                await self._hear(session, run, talk, patience)
                taken = 0
            except TimeoutError:
                patience = min(patience * PATIENCE_GROWTH, LONGEST_PATIENCE)
            except PortTakenError:
                taken += 1
                if taken == TAKEN_LOOKS:
                    _end_taken(session, run)
            except OSError as error:
                _log.debug("the server of mission %s: %s", session.id, error)
            finally:
                if self._talks.get(session.id) is talk:
                    del self._talks[session.id]
            await asyncio.sleep(RETRY)

    async def _hear(self, session: Session, run: int, talk: _Talk, patience: float) -> None:
        """Take in what its server tells, until the connection ends."""
        pid = self._registry.runs[session.id].pid if session.id in self._registry.runs else 0
        await talk.server.check_owner(pid)  # who has taken the port meanwhile would read the password
        async with talk.server.listen(ServerRequest(talk.connection.events), patience) as lines:
            if session.state.opening and not await self._open(session, talk):
                return
            if session.state.running != run:
                return
            self._talks[session.id] = talk
            await self._settle(session, talk)
            lost = asyncio.ensure_future(talk.lost.wait())
            try:
                while True:
                    line = asyncio.ensure_future(anext(lines, None))
                    await asyncio.wait({line, lost}, return_when=asyncio.FIRST_COMPLETED)
                    if not line.done():
                        line.cancel()
                        return
                    if (told := line.result()) is None or session.state.running != run:
                        return
                    await self._receive(session, talk, talk.connection.parse(told))
                    self._post_next(session, talk)
            finally:
                lost.cancel()

    async def _open(self, session: Session, talk: _Talk) -> bool:
        """Open the conversation, and have it on the screen; False where that can't be."""
        try:
            *before, last = talk.connection.opening()
        except ValueError as error:
            self._give_up(session, talk.connection.unreadable(error))
            return False
        for request in before:
            await talk.server.ask(request)
        facts = talk.connection.opened(*await talk.server.ask(last))
        ready = [one for one in facts if isinstance(one, SessionReady)]
        for fact in facts:
            if isinstance(fact, NotOpened):
                self._give_up(session, fact)
            elif not isinstance(fact, SessionReady):
                session.receive(fact)
        if not ready:
            return False
        await self._show(session, talk)
        session.receive(ready[0])
        return True

    def _give_up(self, session: Session, fact: NotOpened) -> None:
        session.receive(fact)
        self._inputs.end(session.run_id)

    async def _show(self, session: Session, talk: _Talk) -> None:
        """Put the conversation on the screen; its program hears nothing before it has drawn itself."""
        for _ in range(SHOWN_LOOKS):
            screen = await self._screens.of(session.id)
            is_shown = None if screen is None else talk.connection.is_shown(screen.lines())
            if is_shown:
                return
            if is_shown is False:
                await talk.server.ask(talk.connection.show())
            await asyncio.sleep(SHOWN_LOOK)
        await talk.server.ask(talk.connection.show())

    async def _settle(self, session: Session, talk: _Talk) -> None:
        """Take in how the program stands, and say again what it has not."""
        replies = await self._list(talk)
        if any(status != OK for status, _ in replies[:-1]):
            raise NoAnswerError("it does not list how it stands")
        state, run = session.state, self._registry.runs.get(session.id)
        standing = Standing(
            awaited=_awaited(session),
            in_turn=state.turn is not None,
            asked=frozenset(one.request for one in session.questions.values() if one.need not in BY_KEYS),
            counted=frozenset(one.call for one in state.counted),
            since=0.0 if run is None else run.started_at,
        )
        facts = talk.connection.settle([reply if status == OK else None for status, reply in replies], standing)
        await self._receive(session, talk, facts, is_listed=True)
        talk.settled.set()
        if self._interrupted.pop(session.id, None) == _turn_of(session):
            self.interrupt(session)
        self._post_next(session, talk)

    async def _list(self, talk: _Talk) -> list[tuple[int, Any]]:
        """The replies to what is listed."""
        for most in LISTED[:-1]:
            with suppress(AnswerTooLongError):
                return [await talk.server.ask(one) for one in talk.connection.listing(most)]
        return [await talk.server.ask(one) for one in talk.connection.listing(LISTED[-1])]

    async def _receive(
        self, session: Session, talk: _Talk, facts: Sequence[AgentFact | Lookup], *, is_listed: bool = False
    ) -> None:
        """Take facts in; `is_listed`: of a list, in which what we have answered may stand still."""
        for fact in facts:
            if isinstance(fact, Lookup):
                status, reply = await talk.server.ask(ServerRequest(fact.path))
                found = talk.connection.looked_up(fact, reply if status == OK else None)
                await self._receive(session, talk, found, is_listed=is_listed)
            elif not isinstance(fact, Asked):
                session.receive(fact)
            elif all(one.request != fact.request for one in session.questions.values()):
                decision = self._decision_on(session, fact.request) if is_listed else None
                if decision is None:
                    session.receive(fact)
                else:
                    self.answer(session, fact, decision)

    def _decision_on(self, session: Session, request: str) -> Decision | None:
        """The answer that somebody has given to a question of this run, and that may not have arrived."""
        for row in self._questions.every_about([session.id]):
            is_of_run = row.run == session.run_id and row.state == QUESTION_ANSWERED and row.decision is not None
            if is_of_run and ASKED.decode(row.asked).request == request:
                return DECISION.decode(row.decision or "")
        return None

    def _post_next(self, session: Session, talk: _Talk) -> None:
        """Send the message that is to be sent, once: behind a turn that a person has begun meanwhile."""
        name, message = _awaited(session), session.state.sending
        if message is not None and session.state.turn is None and name not in talk.posted:
            talk.posted.add(name)
            self._tasks.start(self._post(session, message, talk))

    async def _post(self, session: Session, message: int, talk: _Talk) -> None:
        state, provider = session.state, session.provider
        words: Sequence[str] = ()
        if conversation.is_first_message(state):
            notes = self._inputs.notes_of(session.run_id) or None
            words = provider.hidden_words(notes, session.agent.append_system_prompt)  # type: ignore[attr-defined]
        uuid = str(conversation.message_uuid(state, message))
        status = await self._ask(talk, talk.connection.message(session.text_of(message), uuid, words))
        if status in REFUSALS and session.state.sending == message:
            session.apply(conversation_events.Undelivered(UNACCEPTED))

    async def _interrupt(self, session: Session, talk: _Talk) -> None:
        turn = _turn_of(session)
        if await self._ask(talk, talk.connection.interrupt()) is None and session.state.running:
            self._interrupted[session.id] = turn

    async def _answer(self, session: Session, asked: Asked, decision: Decision, talk: _Talk) -> None:
        """Answer; one that is gone was answered on the screen, and what the program refuses a person answers there."""
        status = await self._ask(talk, talk.connection.answer(asked, decision))
        if status in REFUSALS and status != GONE:
            session.receive(asked._replace(need=AgentNeed.SETUP))

    async def _ask(self, talk: _Talk, request: ServerRequest) -> int | None:
        """Ask something of it; None where that did not arrive: then all is listed again."""
        try:
            status, _ = await talk.server.ask(request)
        except OSError:
            talk.lost.set()
            return None
        return status


def _turn_of(session: Session) -> _TurnName:
    """The turn that is under way or about to be."""
    turn, sending = session.state.turn, session.state.sending
    message = sending if turn is None else turn.message
    return _TurnName(session.run_id, message, turn.began if turn is not None and message is None else None)


def _awaited(session: Session) -> str:
    """The name of the message that was sent, or is to be, and has not been seen there; "": there is none."""
    sent = session.state.sending
    return "" if sent is None else str(conversation.message_uuid(session.state, sent))


def _end_taken(session: Session, run: int) -> None:
    """End a run whose program can't be heard."""
    state, mission = session.state, session.mission
    if not session.closed and mission is not None and state.running == run and state.opening:
        text = f"--- stopped: another program has taken port {state.port} before {session.provider.name} could ---"
        session.end(EndAsked(Cause.LIMIT, mission.definition.grace, text, "no_handshake"))
