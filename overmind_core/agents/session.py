"""The session of one live agent: its conversation, what reaches it, and what follows from each step.

Read → step → save → act. The conversation is a plain value of the domain; what follows from a step is done with the
commit of that step, or after it. The text of messages and questions is in the store; here is what is under way.
"""

from __future__ import annotations

import asyncio
import json
import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import msgspec

from overmind_core.agents.messages import failure_line
from overmind_core.agents.store import ANSWERED, CANCELLED, DELIVERED, FAILED, QUEUED, STATE, CursorRow
from overmind_core.domain.agents import conversation, conversation_events, conversation_step, events
from overmind_core.domain.agents.agent import ActivitySource, Agent, AgentMode, AgentNeed
from overmind_core.domain.agents.agent_events import Acknowledged, Asked, Echoed, Owed, PlainLine, TextSpoken, TurnEnded
from overmind_core.domain.agents.turns import one_line
from overmind_core.domain.events import MissionEvent
from overmind_core.domain.missions import restart_policy
from overmind_core.domain.missions.facts import EndAsked
from overmind_core.domain.missions.mission import Cause
from overmind_core.domain.text.bytestrings import from_wire
from overmind_core.kernel.database import StoreError
from overmind_core.providers.base import COUNTED, ConnectionRequest
from overmind_core.system.small_file import read_small_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from overmind_core.agents.activity import ActivityEffects
    from overmind_core.agents.budgets import Budgets
    from overmind_core.agents.input_queue import InputQueue, Typing
    from overmind_core.agents.line_reader import LineReader
    from overmind_core.agents.messages import MessageQueue
    from overmind_core.agents.permission_hooks import PermissionWaiters
    from overmind_core.agents.questions import Questions
    from overmind_core.agents.rules import Rules
    from overmind_core.agents.store import AgentStore, MessageRow
    from overmind_core.domain.agents.agent import Activity
    from overmind_core.domain.agents.agent_events import AgentFact, Decision, TurnResult
    from overmind_core.domain.agents.conversation import Conversation, Turn
    from overmind_core.domain.agents.conversation_events import Effect, Fact
    from overmind_core.domain.agents.prices import Price, Prices
    from overmind_core.domain.missions.mission import Mission
    from overmind_core.kernel.journal import Journal
    from overmind_core.kernel.keeper_client import KeeperRefused
    from overmind_core.missions.registry import Registry
    from overmind_core.providers.base import Connection, Launch, Provider
    from overmind_core.system.machine import Clock


CURSOR_STEP = 1 << 20
"""Bytes after which the keeper learns how far we have read."""
LEAVES_AFTER = 10.0
"""Seconds in which a program ends that was told that nothing follows."""
LONGEST_LIMIT = 7 * 86400.0
"""Seconds; no limit of a known provider lasts longer."""
_OVER: Mapping[str, type[events.MessageOver]] = {
    ANSWERED: events.MessageAnswered,
    FAILED: events.MessageFailed,
    CANCELLED: events.MessageCancelled,
}


class Driver(Protocol):
    """Types into an agent's own full-screen program."""

    def type(self, session: Session, message: int) -> None:
        """Deliver a message."""

    def interrupt(self, session: Session) -> None:
        """End the turn."""

    def interrupt_plain(self, session: Session) -> bool:
        """End that of a plain program; False: it is known to have none."""

    def leave(self, session: Session) -> None:
        """Make the program end by itself, else end it."""

    def answer(self, session: Session, asked: Asked, decision: Decision) -> None:
        """Answer a question by the dialog's own keys."""

    def is_alone(self, mission_id: str) -> bool:
        """Whether nobody else can type there."""


class UsageFollower(Protocol):
    """Reads what agents on a terminal use."""

    def read_now(self, session: Session) -> None:
        """Count what was written since the last look."""

    def read_later(self, session: Session) -> None:
        """Look again soon, and once more after that."""


class FactRead(NamedTuple):
    """A fact that a provider has read from the output of an agent's program. On the bus, once; not saved."""

    mission: str
    fact: AgentFact
    run: int = 0
    """The number of the run."""
    out: int | None = None
    """Where in the run's log the line ends that tells it; None: no line of its output does, but a hook or a title."""


@dataclass(frozen=True, slots=True)
class AgentContext:
    """What all agents share: where they save what they do, and who does what follows from a step."""

    registry: Registry
    journal: Journal
    clock: Clock
    store: AgentStore
    messages: MessageQueue
    questions: Questions
    rules: Rules
    waiters: PermissionWaiters
    inputs: InputQueue
    driver: Driver
    server_driver: Driver
    activity: ActivityEffects
    budgets: Budgets
    prices: Prices
    """Of models, as the person has set them."""
    usage: UsageFollower
    publish: Callable[[FactRead], None]
    """Told of what each program says."""


class Session:
    """A live mission that talks."""

    def __init__(
        self, context: AgentContext, mission_id: str, agent: Agent, state: Conversation, provider: Provider
    ) -> None:
        self._context = context
        self._journal = context.journal
        self.id = mission_id
        self.agent = agent
        self.state = state
        """How the conversation stands."""
        self.provider = provider
        self.launch: Launch | None = None
        """How the newest run was started, until its first input is sent."""
        self.reader: LineReader | None = None
        self._connection: Connection | None = None
        """Hears the newest run, and writes to it; made when that is read."""
        self.questions: dict[int, Asked] = {}
        """Those that nobody has answered."""
        self.asked_at = 0.0
        """Seconds since the epoch at which the newest question came; 0.0: before this supervisor."""
        self.closed = False
        """The agent has ended: should its mission be started again, another session takes over."""
        self.prompt = ""
        """With what the newest turn on a terminal has begun; "" before this supervisor."""
        self._spoken = ""
        """What the agent has said last in this turn."""
        self._texts: dict[int, str] = {}
        """Of messages that are not delivered yet."""
        self._keeper_knows = 0
        """How far the keeper knows that we have read."""
        self._limit_look: asyncio.TimerHandle | None = None
        """The next look whether a limit has ended."""
        self._unsaved = False

    @property
    def mission(self) -> Mission | None:
        """The mission, while it lives."""
        return self._context.registry.live.get(self.id)

    @property
    def run_id(self) -> str:
        """Of the newest run."""
        return f"{self.id}.{self.state.run}"

    @property
    def connection(self) -> Connection:
        """The one that hears the newest run on pipes, and writes to it."""
        if self._connection is None:  # somebody answers before an earlier supervisor's run is read again
            self._connection = self.provider.connect(self.connection_request())
        return self._connection

    @property
    def reads_lines(self) -> bool:
        """Whether the newest run's output is the provider's lines."""
        return self.provider.speaks_json and self.state.mode is not AgentMode.INTERACTIVE

    @property
    def is_served(self) -> bool:
        """Whether the newest run is a full-screen program with a server of its own."""
        return self.provider.serves and self.state.mode is AgentMode.INTERACTIVE

    @property
    def driver(self) -> Driver:
        """Acts on the newest run's full-screen program."""
        return self._context.server_driver if self.is_served else self._context.driver

    def put(self, state: Conversation) -> None:
        """Save how it stands with this turn's commit."""
        self.state = state
        if not self._unsaved:
            self._unsaved = True
            self._journal.save(self._write, urgent=True)

    def apply(self, fact: Fact, source: ActivitySource = ActivitySource.STREAM) -> None:
        """Let something happen to the conversation, and do what follows."""
        before, turn, now = self.state.activity, self.state.turn, self._context.clock.wall()
        after, effects = conversation_step.step(self.state, fact, now, source=source, price=self._price())
        if after != self.state:
            self.put(after)
        for effect in effects:
            self.carry_out(effect)
        self._watch_turn(turn)
        if self.state.activity != before:
            self._on_activity(before)

    def _price(self) -> Price | None:
        """The price of its model, where its program tells all tokens."""
        is_counted = self.provider.tokens in COUNTED
        return self._context.prices.find(self.state.model, self.agent.model) if is_counted else None

    def _watch_turn(self, before: Turn | None) -> None:
        """Hold what a turn on pipes has used against the budgets before it is paid for."""
        used, known = (None if one is None else one.used for one in (self.state.turn, before))
        if used != known and self.reads_lines and (mission := self._context.registry.known(self.id)) is not None:
            self._context.budgets.use(mission, used)

    def receive(self, fact: AgentFact, source: ActivitySource = ActivitySource.STREAM) -> None:
        """Take in what the program says."""
        if isinstance(fact, PlainLine | Acknowledged) or self._is_cut_off(fact):
            return
        if isinstance(fact, Owed):
            self._send_message(fact.data, is_first=fact.is_prompt and not self.state.resumed)
            return
        out = self.reader.offset if self.reader is not None and self.reads_lines else None
        self._context.publish(FactRead(self.id, fact, self.state.run, out))
        if isinstance(fact, Asked):
            self._on_question(fact, source)
            return
        if isinstance(fact, Echoed) and self.state.mode is AgentMode.INTERACTIVE and self._is_ours(fact):
            fact = fact._replace(uuid=str(self.state.sending))
        self.prompt = fact.text if isinstance(fact, Echoed) else self.prompt
        if isinstance(fact, TextSpoken) and not fact.thought:
            self._spoken = fact.text
        if isinstance(fact, TurnEnded) and fact.result is not None:
            fact = TurnEnded(self._with_answer(fact.result))
        if isinstance(fact, TurnEnded) and fact.result is not None and fact.result.raw:
            raw = json.dumps(fact.result.raw, ensure_ascii=False)
            self._journal.save(lambda: self._context.store.agents.save_result(self.id, raw))
        self.apply(fact, source)
        if isinstance(fact, TurnEnded) and source is not ActivitySource.STREAM:
            self._context.usage.read_later(self)

    def _is_cut_off(self, fact: AgentFact) -> bool:
        """Return whether nobody but the end of a run whose first process is gone has interrupted its turn."""
        result = fact.result if isinstance(fact, TurnEnded) and self.provider.opens else None
        ending = None if result is None or not result.interrupted or self.mission is None else self.mission.ending
        return ending is not None and ending.exited

    def _with_answer(self, result: TurnResult) -> TurnResult:
        """The result with the answer, where the program's own object does not repeat what was said last."""
        spoken, self._spoken = self._spoken, ""
        if not result.ok or result.text or not spoken:
            return result
        return replace(result, text=spoken, raw={**result.raw, "result": spoken} if result.raw else {})

    def listen(self, reader: LineReader, past: Iterable[bytes]) -> None:
        """Hear the newest run from where `reader` stands; `past`: its lines since `heard_from`, taken in already."""
        self.reader, self._connection = reader, self.provider.connect(self.connection_request())
        for line in past:
            self._connection.parse(line)

    def connection_request(self) -> ConnectionRequest:
        """Return the request by which the program of the newest run is heard."""
        state, mission = self.state, self.mission
        folder = "/" if mission is None else from_wire(mission.definition.cwd)
        return ConnectionRequest(
            state.mode,
            self.agent,
            state.session,
            state.resumed,
            folder,
            in_turn=state.turn is not None or state.sending is not None,
            fork=conversation.fork_of_run(state),
            message=conversation.uuid_under_way(state),
            read=lambda name: read_small_file(os.path.join(folder, from_wire(name))),
        )

    def read(self, until: int) -> None:
        """Take in the lines of one window before `until`, an offset in the newest run's output."""
        if self.reader is None:
            return
        with self._journal.together():
            for line in self.reader.lines(until):
                self._take(line.data)
            self._save_cursor()

    def read_all(self, until: int) -> None:
        """Take in everything before `until`, where the run has ended."""
        if self.reader is None:
            return
        while self.reader.position < until:
            before = self.reader.position
            self.read(until)
            if self.reader.position == before:  # the log is gone
                break
        with self._journal.together():
            rest = self.reader.remainder()
            if rest is not None:
                self._take(rest.data)
            self._save_cursor()

    def text_of(self, message: int) -> str:
        """What a message says."""
        if message not in self._texts:
            stored = self._context.messages.get(message)
            self._texts[message] = "" if stored is None else stored.text
        return self._texts[message]

    def know(self, message: int, text: str) -> None:
        """Remember the text of a message that is about to be delivered."""
        self._texts[message] = text

    def write(self, data: bytes) -> Callable[[], Any]:
        """Give the newest run something to read, saved with this turn's commit; the result sends it after that."""
        self.put(replace(self.state, seq=self.state.seq + 1))
        return self._context.inputs.queue(self.run_id, self.state.seq, data)

    def type_message(self, message: MessageRow, data: bytes) -> Typing:
        """Save a new message together with the input that types it into the newest run, and send that after it."""
        context = self._context
        with self._journal.together():
            self.put(replace(self.state, seq=self.state.seq + 1))
            return context.inputs.type_message(
                self.run_id,
                self.state.seq,
                data,
                message=message.id,
                insert=lambda: context.store.messages.insert(message),
            )

    def send(self, data: bytes) -> None:
        """`write`, sent as soon as it is saved."""
        self._journal.save(lambda: None, self.write(data), urgent=True)

    async def press(self, data: bytes) -> KeeperRefused | None:
        """Type into the newest run, and wait for what the keeper says against it; None too where it is gone.

        Raises:
            StoreError: it could not be saved, and is not typed later either.
        """
        context = self._context
        with self._journal.together():
            self.put(replace(self.state, seq=self.state.seq + 1))
            typing = context.inputs.type_keys(self.run_id, self.state.seq, data)
        try:
            await self._journal.saved()
        except StoreError:
            context.inputs.withdraw(typing)
            raise
        return await typing.answer

    def send_notes(self, text: str) -> None:
        """Give the newest run its notes to read, as soon as that is saved."""
        self.put(replace(self.state, seq=self.state.seq + 1))
        send: Callable[[], Any] = self._context.inputs.queue_notes(self.run_id, self.state.seq, text)
        self._journal.save(lambda: None, send, urgent=True)

    def close_input(self) -> None:
        """Say that nothing more follows."""
        if not self.state.input_closed:
            self.put(replace(self.state, input_closed=True))
        run = self.run_id
        self._journal.save(lambda: None, lambda: self._context.inputs.close(run), urgent=True)
        asyncio.get_running_loop().call_later(LEAVES_AFTER, self._end_what_stays, self.state.run)

    def _end_what_stays(self, run: int) -> None:
        """End a program that goes on though nothing follows: some wait for servers of tools that they have begun."""
        if self.state.running == run and self.state.turn is None and self.provider.opens and not self.closed:
            self._context.inputs.end(self.run_id)

    def record(self, event: MissionEvent) -> None:
        """Record an event about the mission, at the line that is being read."""
        mission = self._context.registry.known(self.id)
        if mission is None:
            return
        if self.reader is not None and self.reads_lines:
            event = msgspec.structs.replace(event, out=self.reader.offset)
        self._context.registry.record(mission, event)

    def end(self, asked: EndAsked) -> None:
        """Have the run ended."""
        mission = self.mission
        if mission is not None:
            self._context.registry.apply_if_legal(mission, asked, urgent=True)

    def interrupt(self) -> bool:
        """Have the turn ended, and the session go on; whether there was one to end, as far as that is known."""
        if not self.provider.speaks_json:
            return self._context.driver.interrupt_plain(self)
        has_turn = conversation.has_turn(self.state)
        self.apply(conversation_events.InterruptAsked())
        return has_turn

    def go_on_at(self, wall: float) -> None:
        """Look again once a limit has ended, in seconds since the epoch: what is queued waits for it."""
        clock = self._context.clock
        wait = min(max(0.0, wall - clock.wall()), LONGEST_LIMIT)
        self._await_limit(wall, clock.mono() + wait, self.state.run)

    def _await_limit(self, wall: float, mono: float, run: int) -> None:
        """Look whether a limit has ended once it should have, or in a minute."""
        if self._limit_look is not None:
            self._limit_look.cancel()
        wait = min(max(0.0, mono - self._context.clock.mono()), restart_policy.CLOCK_LOOK)
        self._limit_look = asyncio.get_running_loop().call_later(wait, self._look_at_limit, wall, mono, run)

    def _look_at_limit(self, wall: float, mono: float, run: int) -> None:
        """Go on if the limit of this run has ended, by either clock; else look again."""
        self._limit_look = None
        if self.closed or self.state.run != run:
            return
        clock = self._context.clock
        if not restart_policy.has_come(wall, mono, wall=clock.wall(), mono=clock.mono()):
            self._await_limit(wall, mono, run)
            return
        activity = self.state.activity
        if activity.resume_at == wall and wall > clock.wall():  # the wall clock was set back: it is over all the same
            self.put(replace(self.state, activity=replace(activity, resume_at=clock.wall())))
        self.go_on(run)

    def go_on(self, run: int) -> None:
        """Do what the conversation does by itself, if this run is still its newest."""
        if not self.closed and self.state.run == run:
            self.apply(conversation_events.InputHeld(self.state.held))

    def carry_out(self, effect: Effect) -> None:  # noqa: C901 - one case per effect
        """Do what follows from a step, with this turn's commit or after it."""
        match effect:
            case conversation_events.Deliver(message):
                self._deliver(message)
            case conversation_events.MessageMoved():
                self._move_message(effect)
            case conversation_events.WriteAnswer(number, decision):
                self._reply(number, decision)
            case conversation_events.AskOpened(number):
                asked = self.questions[number]
                need, tool, summary = asked.need.value, asked.tool, asked.summary
                self.record(events.QuestionAsked(question=number, need=need, tool=tool, summary=summary))
            case conversation_events.AskClosed():
                self._close_question(effect)
            case conversation_events.Interrupt():
                self._interrupt()
            case conversation_events.CloseInput():
                self.close_input()
            case conversation_events.LeaveProgram():
                self.driver.leave(self)
            case conversation_events.EndRun(cause, grace, reason, text):
                self.end(EndAsked(cause, grace, text, reason))
            case conversation_events.TurnPaid():
                self._spend(effect)
            case conversation_events.Notify(why):
                question = max(self.questions, default=msgspec.UNSET) if why == "blocked" else msgspec.UNSET
                self.record(events.NotificationDue(why=why, now=self.state.activity.now, question=question))
            case MissionEvent():
                self.record(effect)

    def _write(self) -> None:
        self._unsaved = False
        self._context.store.agents.save(self.id, STATE.encode(self.state))

    def _take(self, line: bytes) -> None:
        for fact in self.connection.parse(line):
            self.receive(fact)

    def _save_cursor(self) -> None:
        """The cursor is saved in the commit of what was read."""
        assert self.reader is not None
        cursor = CursorRow(self.run_id, self.reader.offset, 0, "")
        self._journal.save(lambda: self._context.store.cursors.save(cursor), lambda: self._inform_keeper(cursor))

    def _inform_keeper(self, cursor: CursorRow) -> None:
        enough = cursor.out >= self._keeper_knows + CURSOR_STEP
        if enough and self._context.inputs.output_was_read(cursor.run, cursor.out):
            self._keeper_knows = cursor.out

    def _is_ours(self, prompt: Echoed) -> bool:
        """Whether the prompt is the message under way; where nobody else types, it is, whatever became of it."""
        sent = self.state.sending
        if sent is not None and prompt.uuid is not None:  # its program repeats our name of it
            return prompt.uuid == str(conversation.message_uuid(self.state, sent))
        if sent is None or self._context.driver.is_alone(self.id):
            return sent is not None
        return conversation.same_prompt(self.text_of(sent), prompt.text)

    def _on_question(self, asked: Asked, source: ActivitySource) -> None:
        mission, questions = self.mission, self._context.questions
        number = questions.next_number()
        cwd = "/" if mission is None else mission.definition.cwd
        # A plain program takes no answer of ours: a person gives it in its terminal.
        ruled = self._context.rules.decide(self.agent, asked, self.id, cwd) if self.provider.speaks_json else None
        self.questions[number] = asked
        self.asked_at = self._context.clock.wall()
        questions.insert(number, self.id, self.run_id, asked)
        self.apply(conversation_events.Asking(number, asked.request, asked.need, asked.summary, ruled), source)

    def _on_activity(self, before: Activity) -> None:
        """It does something else now: who waits or looks is notified."""
        activity, mission = self.state.activity, self.mission
        if (activity.doing, activity.need, activity.guess) != (before.doing, before.need, before.guess):
            need = activity.need and activity.need.value
            guess = msgspec.UNSET if activity.guess is None else activity.guess.value
            self.record(events.ActivityChanged(doing=activity.doing.value, need=need, guess=guess))
        if mission is not None:
            self._context.activity.on_change(mission, before, activity)
        if activity.resume_at is not None:
            self.go_on_at(activity.resume_at)

    def _deliver(self, message: int) -> None:
        if self.state.mode is AgentMode.INTERACTIVE:
            self.driver.type(self, message)
            return
        data = self.connection.message(self.text_of(message), str(conversation.message_uuid(self.state, message)))
        if self.provider.opens and self.reader is not None:
            self.put(replace(self.state, heard_from=self.reader.offset))
        self._send_message(data, is_first=conversation.is_first_message(self.state))

    def _send_message(self, data: bytes, *, is_first: bool) -> None:
        """Send a message; the first one of a conversation with what stands before it."""
        at = self.provider.words_at if is_first else 0
        words = self._context.inputs.notes_of(self.run_id) if at else ""
        with self._journal.together():
            for piece in (data[:at], words, data[at:]) if words else (data,):
                self.send(piece) if isinstance(piece, bytes) else self.send_notes(piece)

    def _move_message(self, effect: conversation_events.MessageMoved) -> None:
        self._context.messages.move(effect, resent=lambda: effect.message in (*self.state.resent, self.state.cut_off))
        if effect.state == DELIVERED:
            text = self.text_of(effect.message)
            del self._texts[effect.message]
            self.record(events.MessageDelivered(text=f"[human] {text}", message=effect.message))
            # Nothing was said yet: it does as it was told.
            if not self.state.activity.now and self.provider.speaks_json:
                self.put(replace(self.state, activity=replace(self.state.activity, now=one_line(text))))
        elif effect.state != QUEUED:
            self._texts.pop(effect.message, None)
            failure = failure_line(effect, self.mission, self.state.failed)
            self.record(_OVER[effect.state](message=effect.message, error=effect.error, text=failure))

    def _reply(self, number: int, decision: Decision) -> None:
        asked = self.questions.pop(number, None)
        if asked is None or self._context.waiters.reply(number, asked, decision):
            return
        if self.state.mode is AgentMode.INTERACTIVE:
            self.driver.answer(self, asked, decision)
        else:
            self.send(self.connection.answer(asked, decision))

    def _close_question(self, effect: conversation_events.AskClosed) -> None:
        number, decision, by = effect
        self._context.questions.close(number, decision, by)
        asked = self.questions.get(number) if by is not None else self.questions.pop(number, None)
        if by is None:
            self._context.waiters.drop(number)
        behaviour = None if decision is None else decision.behaviour.value
        summary = None if asked is None else asked.summary
        options = msgspec.UNSET if decision is None else decision.labels or msgspec.UNSET
        asks_for_words = asked is not None and asked.need is AgentNeed.QUESTION
        answer = (decision.words if decision is not None and asks_for_words else "") or msgspec.UNSET
        self.record(
            events.QuestionAnswered(
                question=number, by=by, behaviour=behaviour, summary=summary, options=options, answer=answer
            )
        )

    def _interrupt(self) -> None:
        if self.state.mode is AgentMode.HEADLESS:
            self.send(self.connection.interrupt(f"interrupt-{self.state.seq + 1}", [*self.questions.values()]))
        elif self.state.mode is AgentMode.INTERACTIVE:
            self.driver.interrupt(self)

    def _spend(self, paid: conversation_events.TurnPaid) -> None:
        """Store what was paid, and hold it against the budgets; also of one whose mission has just ended."""
        mission = self._context.registry.known(self.id)
        if mission is not None:
            self._check_turns(mission)
            self._context.budgets.spend(mission, paid)

    def _check_turns(self, mission: Mission) -> None:
        most, turns = self.agent.max_turns, self.state.turns
        if most and turns >= most and self.state.mode is not AgentMode.ONE_SHOT:
            text = f"--- stopped: {turns} of {most} turns used ---"
            self.end(EndAsked(Cause.LIMIT, mission.definition.grace, text, "max_turns"))
