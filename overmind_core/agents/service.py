"""All agents: who is live, what each hears, and how a run of one begins and ends.

The book tells of missions, the feed of output; the lines become facts in `Session`.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from overmind_core.agents import handover
from overmind_core.agents import launch as agents_launch
from overmind_core.agents.input_queue import InputQueue
from overmind_core.agents.launch import first_message
from overmind_core.agents.messages import MessageQueue
from overmind_core.agents.output_reader import OutputReader
from overmind_core.agents.permission_hooks import PermissionWaiters
from overmind_core.agents.session import Hands, Session
from overmind_core.agents.store import ASKED, DEFINITION, QUESTION_OPEN, QUEUED, STATE, MessageRow, QuestionRow
from overmind_core.agents.store import AgentRow as StoredAgent
from overmind_core.agents.terminal_driver import TerminalDriver
from overmind_core.domain.agents import conversation_events as talk
from overmind_core.domain.agents.agent import RAW, Activity, ActivityKind, Agent, AgentMode
from overmind_core.domain.agents.agent_events import Retry, RunVerdict
from overmind_core.domain.agents.conversation import Conversation, is_handed_over, switch_resume
from overmind_core.domain.missions import restart_policy
from overmind_core.domain.missions.mission import FINAL, Mission, Status
from overmind_core.providers import registry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from overmind_core.daemon.app import Supervisor
    from overmind_core.missions.changes import MissionChanged
    from overmind_core.providers.base import Launch

_HELD = frozenset({ActivityKind.WAITING, ActivityKind.LIMITED, ActivityKind.IDLE})
"""What is no silence (cli.md, behaviour 19): a person or a limit is waited for."""
SIGNALLED = 128
"""Exit codes from here on, and negative ones, are of what was killed."""
LONGEST_LIMIT = 7 * 86400.0
"""Seconds; no limit of a known provider lasts longer."""


class Agents:
    """The supervisor's agents. Used from the loop's thread."""

    def __init__(self, core: Supervisor) -> None:
        self.core = core
        self.inputs = InputQueue(core)
        self.hooks = PermissionWaiters()
        self.typist = TerminalDriver(core)
        self.hands = Hands(self)
        self._sessions: dict[str, Session] = {}
        self.mailbox = MessageQueue(core)
        self._ears = OutputReader(core)
        self._question = 0
        self.spent: Callable[[Mission, float], None] = lambda _mission, _usd: None
        """A turn of the mission was paid for, in US dollars."""

    def load(self) -> None:
        """Bring the live agents into memory; what the keeper has of them is settled with its listing."""
        self._question = self.core.state.questions.newest()
        self.mailbox.load()
        for mission_id in self.core.state.agents.live():
            self._load(mission_id)
        for mission_id in self.core.state.agents.unsettled():  # the supervisor died right behind its end
            session = self._load(mission_id)
            if session is not None:
                session.tell(talk.RunOver(final=True))
                self.drop(mission_id)

    def of(self, mission_id: str) -> Session | None:
        """The agent of a live mission; None for plain programs, and for those that have ended."""
        return self._sessions.get(mission_id)

    def conversations(self, missions: Sequence[Mission]) -> dict[str, Conversation]:
        """How the conversations of these missions stand, by mission; plain programs have none."""
        found = {one.id: self._sessions[one.id].c for one in missions if one.id in self._sessions}
        ended = [one.id for one in missions if one.id not in found and one.definition.provider != RAW]
        if ended:
            self.core.ledger.flush()
            stored = self.core.state.agents.states_of(ended)
            found.update((mission_id, STATE.decode(state)) for mission_id, state in stored.items())
        return found

    def create(self, mission: Mission, agent: Agent) -> Callable[[], None]:
        """A new agent; what is returned stores it, in the commit of its mission. A session's prompt is a message."""
        conversation = Conversation(str(uuid4()), agent.home, agent.home, agent.home, model=agent.model, held=True)
        session = Session(self, mission.id, agent, conversation, registry.get(mission.definition.provider))
        self._sessions[mission.id] = session
        first: MessageRow | None = None
        if agent.prompt is not None and agent.home is not AgentMode.ONE_SHOT:
            first = self.mailbox.row(mission.id, agent.prompt, sender=None, request=None)
            session.know(first.id, agent.prompt)
            session.c = replace(conversation, queue=(first.id,))

        def insert() -> None:
            row = StoredAgent(mission.id, STATE.encode(session.c), DEFINITION.encode(agent))
            self.core.state.agents.insert(row)
            if first is not None:
                self.core.state.messages.insert(first)

        return insert

    def denied(self, missions: Iterable[str]) -> tuple[str, ...]:
        """The rules that deny something to any of these agents: what they start inherits them."""
        sessions = (self._sessions.get(one) for one in missions)
        return tuple(dict.fromkeys(rule for session in sessions if session for rule in session.agent.deny))

    def drop(self, mission_id: str) -> None:
        """Forget an agent that never came to be."""
        self._sessions.pop(mission_id, None)
        self._ears.deafen(mission_id)

    def ready(self, mission: Mission) -> Mission:
        """The mission as its next run shall be."""
        session = self._sessions.get(mission.id)
        if session is None and (session := self._load(mission.id)) is not None:  # it had ended, and is started again
            self.mailbox.renew_prompt(session)
        return mission if session is None else agents_launch.ready(session, mission)

    def launch(self, mission: Mission) -> Launch | None:
        """How the mission's newest run is started; None for a plain program."""
        session = self._sessions.get(mission.id)
        return None if session is None else agents_launch.launch(session, mission)

    def on_change(self, change: MissionChanged) -> None:
        """A state of a mission was saved."""
        self.changed(change.saved)

    def changed(self, mission: Mission) -> None:
        """A state of the mission was saved."""
        session = self._sessions.get(mission.id)
        if session is None:
            return
        if mission.status in FINAL:
            session.tell(talk.RunOver(final=True))
            self._sessions.pop(mission.id, None)
            self._ears.deafen(mission.id)
            return
        if session.c.running and (mission.status is Status.RESTARTING or mission.run != session.c.running):
            session.tell(talk.RunOver(final=False))
            self._ears.deafen(mission.id)
        if mission.status is Status.RUNNING and session.c.running != mission.run:
            self._begin(session, mission)
        elif mission.run == session.c.running and (mission.status is not Status.RUNNING) != session.c.held:
            session.tell(talk.InputHeld(on=mission.status is not Status.RUNNING))

    def adopted(self, mission: Mission, row: Mapping[str, Any]) -> None:
        """The keeper has the newest run: go on where an earlier supervisor stopped."""
        session = self._sessions.get(mission.id)
        if session is None:
            return
        if session.c.running != mission.run:  # the supervisor died right behind the run's start
            self.changed(mission)
        if session.c.running != mission.run:
            return
        if session.c.activity.resume_at is not None:
            self._go_on_at(session, session.c.activity.resume_at)
        self._ears.listen(session, mission)
        if is_handed_over(session.c):
            self.core.background(handover.take_back_later(self.core, session.id))
        self.inputs.repeat(mission.run_id, int(row.get("in_seq", 0)))
        if session.c.input_closed:
            self.inputs.end(mission.run_id)
        if session.c.mode is AgentMode.INTERACTIVE and session.c.sending is not None:
            self.typist.type(session, session.c.sending)
        if session.c.leaving and session.c.mode is AgentMode.INTERACTIVE:
            self.typist.leave(session)
        self._look_again(session, session.c.run)  # what was queued while loading waits for nothing else

    def ended(self, mission: Mission, row: Mapping[str, Any]) -> RunVerdict | None:
        """What the newest run's own words say about its end: everything that it wrote is taken in first."""
        session = self._sessions.get(mission.id)
        if session is None or not session.provider.speaks_json:
            return None
        if session.c.running != mission.run and session.c.run == mission.run:
            self._begin(session, mission)  # it was over before anybody heard of its start
        if session.reader is None and session.reads_lines:
            self._ears.listen(session, mission)
        session.read_all(int(row["out"]))
        errors = "" if session.reader is None else session.reader.errors(int(row["err"]))
        return self._verdict(session, int(row["code"]), errors)

    def moved(self, session: Session, before: Activity) -> None:
        """A conversation has gone on: who waits or looks is told."""
        activity = session.c.activity
        mission = session.mission
        if (activity.doing, activity.need) != (before.doing, before.need):
            session.note("activity", doing=activity.doing.value, need=activity.need and activity.need.value)
            if mission is not None:
                self._hold_clock(mission, activity)
        if activity != before and mission is not None:
            self.core.feed.changed(mission)
        if activity.resume_at is not None and activity != before:
            self._go_on_at(session, activity.resume_at)

    def _go_on_at(self, session: Session, wall: float) -> None:
        """Look again once a limit has ended: what is queued waits for it."""
        wait = max(0.0, wall - self.core.clock.wall())
        run = session.c.run
        loop = asyncio.get_running_loop()
        loop.call_later(min(wait, LONGEST_LIMIT), lambda: self._look_again(session, run))

    def _look_again(self, session: Session, run: int) -> None:
        if self._sessions.get(session.id) is session and session.c.run == run:
            session.tell(talk.InputHeld(session.c.held))

    @property
    def upcoming_question(self) -> int:
        """The number of the next question."""
        return self._question + 1

    def agent(self, mission_id: str) -> Agent | None:
        """What the agent is to be, live or not; None for a plain program."""
        session = self._sessions.get(mission_id)
        if session is not None:
            return session.agent
        self.core.ledger.flush()
        row = self.core.state.agents.get(mission_id)
        return None if row is None else DEFINITION.decode(row.definition)

    def redefine(self, mission_id: str, agent: Agent) -> None:
        """Have it be this from now on; a run that lives keeps what its program was started with."""
        session = self._sessions.get(mission_id)
        if session is not None:
            session.agent = agent
        text = DEFINITION.encode(agent)
        self.core.ledger.save(lambda: self.core.state.agents.define(mission_id, text))

    def next_question(self) -> int:
        """A number that no question has had."""
        self._question += 1
        return self._question

    def question_row(self, number: int, mission: str, run: str, at: float, asked: str) -> QuestionRow:
        """A question that is open."""
        return QuestionRow(number, mission, run, QUESTION_OPEN, at, None, None, None, asked)

    def _load(self, mission_id: str) -> Session | None:
        self.core.ledger.flush()
        row = self.core.state.agents.get(mission_id)
        mission = self.core.book.get(mission_id)
        if row is None or mission is None:
            return None
        provider = registry.get(mission.definition.provider)
        session = Session(self, mission_id, DEFINITION.decode(row.definition), STATE.decode(row.state), provider)
        for question in self.core.state.questions.open(mission_id):
            session.questions[question.id] = ASKED.decode(question.asked)
        self._sessions[mission_id] = session
        self._queue_forgotten(session)
        return session

    def _queue_forgotten(self, session: Session) -> None:
        """A supervisor may have died between saving a message and queueing it."""
        c = session.c
        known = {*c.queue, c.sending, c.turn.message if c.turn is not None else None}
        waiting = [one.id for one in self.core.state.messages.open(session.id) if one.state == QUEUED]
        forgotten = tuple(number for number in waiting if number not in known)
        if forgotten:
            session.put(replace(c, queue=(*c.queue, *forgotten)))

    def _begin(self, session: Session, mission: Mission) -> None:
        """A run of the agent was started."""
        launch, session.launch = session.launch or agents_launch.launch(session, mission), None
        session.tell(talk.RunBegun(mission.run, first_message(session)))
        self._ears.listen(session, mission, begun=True)
        if session.c.mode is AgentMode.ONE_SHOT and session.agent.prompt is not None:
            session.note("prompt", f"[human] {session.agent.prompt}")
        if launch is not None and launch.stdin is not None:
            session.send(launch.stdin)
        if launch is not None and launch.end_input:
            session.close_input()
        if session.c.mode is AgentMode.INTERACTIVE and session.provider.speaks_json:
            self.typist.watch_setup(session)

    def _verdict(self, session: Session, code: int, errors: str) -> RunVerdict:
        c = session.c
        if c.wanted is not c.mode or (c.leaving and c.mode is not AgentMode.ONE_SHOT):
            return RunVerdict(failed=False, retry=Retry.SWITCH)
        verdict = session.provider.verdict(code, c.last, errors, mode=c.mode, resumed=c.resumed)
        if verdict.retry is not Retry.SWITCH:
            if c.home is c.mode or not 0 <= code < SIGNALLED:
                return verdict
            # A person left the program, or it couldn't start for them: the session goes on without them.
            session.put(replace(c, wanted=c.home))
            return RunVerdict(failed=False, retry=Retry.SWITCH)
        if c.switched:
            return verdict._replace(failed=True, retry=Retry.POLICY)
        session.put(switch_resume(c))
        return verdict

    def _hold_clock(self, mission: Mission, activity: Activity) -> None:
        """Waiting for a person or a limit is no silence, unless it was said to be."""
        definition = mission.definition
        if not definition.activity_timeout or mission.status is not Status.RUNNING or definition.stall_waiting:
            return
        now = self.core.clock.mono()
        last = self.core.pulse.of(mission.run_id).last
        held = activity.doing in _HELD
        moved = restart_policy.hold(mission, now) if held else restart_policy.unhold(mission, last, now)
        if moved != mission:
            self.core.book.put(moved)
