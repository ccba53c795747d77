"""One agent of the supervisor: its conversation, and what it hears; what follows from each step is for its hands.

Hear → step → save → act. The text of messages and questions is in the store; here is what is under way.

What an agent's conversation has done: delivered to its program, answered, saved, told, ended.

Everything with the commit of the step that it follows from, or after that.
"""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid5

from overmind_core.agents import rules
from overmind_core.agents.line_reader import Reader
from overmind_core.agents.store import (
    ASKED,
    DECISION,
    DELIVERED,
    QUESTION_ANSWERED,
    QUEUED,
    STATE,
    WITHDRAWN,
    CostRow,
    CursorRow,
)
from overmind_core.domain.agents import conversation as agents_conversation
from overmind_core.domain.agents import conversation_events as talk
from overmind_core.domain.agents import conversation_step
from overmind_core.domain.agents.agent import ActivitySource, Agent, AgentMode
from overmind_core.domain.agents.agent_events import Acknowledged, Asked, Echoed, PlainLine, TurnEnded
from overmind_core.domain.agents.turns import one_line
from overmind_core.domain.missions.facts import EndAsked, Note
from overmind_core.domain.missions.mission import Cause

if TYPE_CHECKING:
    from collections.abc import Callable

    from overmind_core.agents.service import Agents
    from overmind_core.domain.agents.agent_events import AgentFact, Decision, TurnResult
    from overmind_core.domain.agents.conversation import Conversation
    from overmind_core.domain.agents.conversation_events import Effect, Fact
    from overmind_core.domain.missions.mission import Mission
    from overmind_core.providers.base import Launch, Provider


CURSOR_STEP = 1 << 20
"""Bytes after which the keeper is told how far we have read."""
_log = logging.getLogger(__name__)


class Session:
    """A live mission that talks."""

    def __init__(
        self, desk: Agents, mission_id: str, agent: Agent, conversation: Conversation, provider: Provider
    ) -> None:
        self._desk = desk
        self._core = desk.core
        self.id = mission_id
        self.agent = agent
        self.c = conversation
        self.provider = provider
        self.launch: Launch | None = None
        """How the newest run was started, until its first input is sent."""
        self.reader: Reader | None = None
        self.questions: dict[int, Asked] = {}
        """Those that nobody has answered."""
        self._texts: dict[int, str] = {}
        """Of messages that are not delivered yet."""
        self._told_keeper = 0
        self._unsaved = False

    @property
    def mission(self) -> Mission | None:
        """The mission, while it lives."""
        return self._core.book.live.get(self.id)

    @property
    def run_id(self) -> str:
        """Of the newest run."""
        return f"{self.id}.{self.c.run}"

    @property
    def reads_lines(self) -> bool:
        """Whether the newest run's output is the provider's lines."""
        return self.provider.speaks_json and self.c.mode is not AgentMode.INTERACTIVE

    def put(self, conversation: Conversation) -> None:
        """Save how it stands with this turn's commit."""
        self.c = conversation
        if not self._unsaved:
            self._unsaved = True
            self._core.ledger.save(self._write, urgent=True)

    def tell(self, fact: Fact, source: ActivitySource = ActivitySource.STREAM) -> None:
        """Let something happen to the conversation."""
        before = self.c.activity
        after, effects = conversation_step.step(self.c, fact, self._core.clock.wall(), source=source)
        if after != self.c:
            self.put(after)
        for effect in effects:
            self._desk.hands.carry_out(self, effect)
        self._desk.moved(self, before)

    def hear(self, fact: AgentFact, source: ActivitySource = ActivitySource.STREAM) -> int | None:
        """Take in what the program says; the number of the question, when it asks one."""
        if isinstance(fact, PlainLine | Acknowledged):
            return None
        if isinstance(fact, Asked):
            return self._asked(fact, source)
        if isinstance(fact, Echoed) and self.c.mode is AgentMode.INTERACTIVE and self._is_ours(fact.text):
            fact = fact._replace(uuid=str(self.c.sending))
        if isinstance(fact, TurnEnded) and fact.result is not None and fact.result.raw:
            raw = json.dumps(fact.result.raw, ensure_ascii=False)
            self._core.ledger.save(lambda: self._core.state.agents.save_result(self.id, raw))
        self.tell(fact, source)
        return None

    def read(self, until: int) -> None:
        """Take in the lines of one window before `until`, an offset in the newest run's output."""
        if self.reader is None:
            return
        with self._core.ledger.together():
            for line in self.reader.lines(until):
                self._take(line.data)
            self._remember()

    def read_all(self, until: int) -> None:
        """Take in everything before `until`, where the run has ended."""
        if self.reader is None:
            return
        while self.reader.position < until:
            before = self.reader.position
            self.read(until)
            if self.reader.position == before:  # the log is gone
                break
        with self._core.ledger.together():
            rest = self.reader.rest()
            if rest is not None:
                self._take(rest.data)
            self._remember()

    def text_of(self, message: int) -> str:
        """What a message says."""
        if message not in self._texts:
            self._core.ledger.flush()
            stored = self._core.state.messages.get(message)
            self._texts[message] = "" if stored is None else stored.text
        return self._texts[message]

    def know(self, message: int, text: str) -> None:
        """Remember the text of a message that is about to be delivered."""
        self._texts[message] = text

    def forget(self, message: int) -> str:
        """Its text is not needed any more; return it, or "" when nobody has asked for it."""
        return self._texts.pop(message, "")

    def write(self, data: bytes) -> Callable[[], Any]:
        """Give the newest run something to read, saved with this turn's commit; the result sends it after that."""
        self.put(replace(self.c, seq=self.c.seq + 1))
        return self._desk.inputs.queue(self.run_id, self.c.seq, data)

    def send(self, data: bytes) -> None:
        """`write`, sent as soon as it is saved."""
        self._core.ledger.save(lambda: None, self.write(data), urgent=True)

    def close_input(self) -> None:
        """Say that nothing more follows."""
        if not self.c.input_closed:
            self.put(replace(self.c, input_closed=True))
        run = self.run_id
        self._core.ledger.save(lambda: None, lambda: self._desk.inputs.end(run), urgent=True)

    def note(self, type_: str, text: str | None = None, **data: object) -> None:
        """Record an event about the mission, at the line that is being read."""
        mission = self._core.book.known(self.id)
        if mission is None:
            return
        place = {} if self.reader is None or not self.reads_lines else {"out": self.reader.offset}
        self._core.book.note(mission, Note(type_, text, tuple((data | place).items())))

    def _write(self) -> None:
        self._unsaved = False
        self._core.state.agents.save(self.id, STATE.encode(self.c))

    def _take(self, line: bytes) -> None:
        for fact in self.provider.parse(line):
            self.hear(fact)

    def _remember(self) -> None:
        """The cursor is saved in the commit of what was read."""
        assert self.reader is not None
        cursor = CursorRow(self.run_id, self.reader.offset, 0, "")
        self._core.ledger.save(lambda: self._core.state.cursors.save(cursor), lambda: self._tell_keeper(cursor))

    def _tell_keeper(self, cursor: CursorRow) -> None:
        link = self._core.custody.link
        if link is not None and cursor.out >= self._told_keeper + CURSOR_STEP:
            self._told_keeper = cursor.out
            link.ask("cursor", run=cursor.run, out=cursor.out, err=0)

    def _is_ours(self, text: str) -> bool:
        """Whether the prompt is the message under way; where nobody else types, it is, whatever became of it."""
        if self.c.sending is None:
            return False
        return self._core.attached.typists(self.id) == 0 or agents_conversation.same_prompt(
            self.text_of(self.c.sending), text
        )

    def _asked(self, asked: Asked, source: ActivitySource) -> int:
        mission = self.mission
        number = self._desk.next_question()
        cwd = "/" if mission is None else mission.definition.cwd
        ruled = rules.decide(self.agent, self._core.settings, asked, cwd, self._core.environment(self.id))
        if ruled is None and self._core.line.headless:  # a headless run
            ruled = rules.alone(asked)
        self.questions[number] = asked
        row = ASKED.encode(asked)
        run, at = self.run_id, self._core.clock.wall()
        question = self._desk.question_row(number, self.id, run, at, row)
        self._core.ledger.save(lambda: self._core.state.questions.insert(question))
        self.tell(talk.Asking(number, asked.request, asked.need, asked.summary, ruled), source)
        return number

    def end(self, asked: EndAsked) -> None:
        """Have the run ended."""
        mission = self.mission
        if mission is not None:
            self._core.book.tell_if_legal(mission, asked, urgent=True)


class Hands:
    """Those of all agents."""

    def __init__(self, desk: Agents) -> None:
        self._desk = desk
        self._core = desk.core

    def carry_out(self, session: Session, effect: Effect) -> None:  # noqa: C901 - one case per effect
        """Do what follows from a step, with this turn's commit or after it."""
        match effect:
            case talk.Deliver(message):
                self._deliver(session, message)
            case talk.MessageMoved():
                self._message_moved(session, effect)
            case talk.WriteAnswer(number, decision):
                self._reply(session, number, decision)
            case talk.AskOpened(number):
                asked = session.questions[number]
                session.note("asked", question=number, need=asked.need.value, tool=asked.tool, summary=asked.summary)
            case talk.AskClosed():
                self._ask_closed(session, effect)
            case talk.Interrupt():
                self._interrupt(session)
            case talk.CloseInput():
                session.close_input()
            case talk.LeaveProgram():
                self._desk.typist.leave(session)
            case talk.EndRun(cause, grace, reason, text):
                session.end(EndAsked(cause, grace, text, reason))
            case talk.TurnPaid(usd, result):
                self._spent(session, usd, result)
            case talk.Notify(why):
                session.note("notification", why=why, now=session.c.activity.now)
            case talk.EventRecorded(type_, text, data):
                session.note(type_, text, **dict(data))

    def _deliver(self, session: Session, message: int) -> None:
        if session.c.mode is AgentMode.INTERACTIVE:
            self._desk.typist.type(session, message)
            return
        # Of its own for each run: a program that resumes drops a message whose answer had begun when it died.
        uuid = uuid5(UUID(session.c.session), f"{message}.{session.c.run}")
        session.send(session.provider.message(session.text_of(message), str(uuid)))

    def _message_moved(self, session: Session, effect: talk.MessageMoved) -> None:
        self._desk.mailbox.moved(session, effect)
        if effect.state == DELIVERED:
            text = session.forget(effect.message)
            session.note("message_delivered", f"[human] {text}", message=effect.message)
            if not session.c.activity.now:  # nothing was said yet: it does what it was told
                session.put(replace(session.c, activity=replace(session.c.activity, now=one_line(text))))
        elif effect.state != QUEUED:
            session.forget(effect.message)
            session.note(f"message_{effect.state}", message=effect.message, error=effect.error)

    def _reply(self, session: Session, number: int, decision: Decision) -> None:
        asked = session.questions.pop(number, None)
        if asked is None:
            return
        if self._desk.hooks.reply(number, asked, decision):
            return
        if session.c.mode is AgentMode.INTERACTIVE:
            self._desk.hooks.keep(asked, decision)
            self._desk.typist.answer(session, asked, decision)
        else:
            session.send(session.provider.answer(asked, decision))

    def _ask_closed(self, session: Session, effect: talk.AskClosed) -> None:
        number, decision, by = effect
        state = WITHDRAWN if by is None else QUESTION_ANSWERED
        text = None if decision is None else DECISION.encode(decision)
        at = self._core.clock.wall()
        self._core.ledger.save(lambda: self._core.state.questions.close(number, state, at, by, text))
        asked = session.questions.get(number) if by is not None else session.questions.pop(number, None)
        if by is None:
            self._desk.hooks.drop(number)
        behaviour = None if decision is None else decision.behaviour.value
        summary = None if asked is None else asked.summary
        session.note("answered", question=number, by=by, behaviour=behaviour, summary=summary)

    def _interrupt(self, session: Session) -> None:
        if session.c.mode is AgentMode.HEADLESS:
            session.send(session.provider.interrupt(f"interrupt-{session.c.seq + 1}"))
        elif session.c.mode is AgentMode.INTERACTIVE:
            self._desk.typist.interrupt(session)

    def _spent(self, session: Session, usd: float, result: TurnResult) -> None:
        mission = session.mission
        if mission is None:
            return
        definition = mission.definition
        used = result.usage
        cost = CostRow(
            at=self._core.clock.wall(),
            mission=session.id,
            name=definition.name,
            labels=json.dumps(definition.labels),
            usd=usd,
            input=used.input + used.cache_read + used.cache_write,
            output=used.output,
            turns=result.turns,
        )
        self._core.ledger.save(lambda: self._core.state.costs.insert(cost))
        self._check_turns(session, mission)
        self._desk.spent(mission, usd)

    def _check_turns(self, session: Session, mission: Mission) -> None:
        most, turns = session.agent.max_turns, session.c.turns
        if most and turns >= most and session.c.mode is not AgentMode.ONE_SHOT:
            text = f"--- stopped: {turns} of {most} turns are used ---"
            session.end(EndAsked(Cause.LIMIT, mission.definition.grace, text, "max_turns"))
