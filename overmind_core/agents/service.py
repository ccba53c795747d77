"""The service of agents: how each comes to be, how a run of one begins, goes on under another daemon, and ends.

The registry publishes changes of missions, the logs their output; the lines become facts in `Session`.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from overmind_core.agents.budgets import spent_budget, spent_turns
from overmind_core.agents.launch import checked_mission, first_message, has_forgotten, launch_of, spare_file
from overmind_core.agents.results import capped, told_end
from overmind_core.agents.session import Session
from overmind_core.agents.store import ASKED, DEFINITION, DELIVERED, FAILED, QUEUED, STATE, AgentRow, MessageRow
from overmind_core.agents.waiting import WaitingMissions
from overmind_core.domain.agents import conversation_events, note_commands
from overmind_core.domain.agents.agent import RAW, Activity, Agent, AgentMode, AgentNeed
from overmind_core.domain.agents.agent_events import Retry, RunVerdict, TurnEnded
from overmind_core.domain.agents.conversation import (
    Conversation,
    adopt,
    begin_as_copy,
    has_begun,
    inherit,
    is_handed_over,
    is_uncopied,
    last_paragraph,
    lose_conversation,
    may_copy_again,
    switch_resume,
)
from overmind_core.domain.agents.events import AnswerFound, ConversationLost, MessageResent, PromptGiven
from overmind_core.domain.agents.own_folders import rules
from overmind_core.domain.memory.giving import Injection
from overmind_core.domain.missions.events import StartFailed
from overmind_core.domain.missions.mission import FINAL, Cause, Kind, Mission, Status
from overmind_core.errors import OvermindError
from overmind_core.missions.spec import Adoption, Fork
from overmind_core.providers import registry

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

    from overmind_core.agents.briefing import RunBriefing
    from overmind_core.agents.handover import Handover
    from overmind_core.agents.output_reader import OutputReader
    from overmind_core.agents.plain_conversations import PlainConversations
    from overmind_core.agents.server_driver import ServerDriver
    from overmind_core.agents.session import AgentContext
    from overmind_core.agents.terminal_driver import TerminalDriver
    from overmind_core.domain.memory.giving import GivenNotes
    from overmind_core.domain.missions.tree import SpentLimit
    from overmind_core.kernel.tasks import Tasks
    from overmind_core.missions.answer_types import MissionNotes
    from overmind_core.missions.changes import MissionChanged
    from overmind_core.providers.base import InteractiveProvider, Launch

REJOIN_SECONDS = 10.0
"""How long who was attached has to come back after a supervisor died."""
PLAIN = Conversation("", AgentMode.ONE_SHOT, AgentMode.ONE_SHOT, AgentMode.ONE_SHOT)
"""Of a plain program."""
LONGEST_ANSWER = 4 * 1024 * 1024
"""Bytes of an answer that is all that a program has printed; the log has all of it."""
LONGEST_SHOWN = 64 * 1024
"""Bytes of such an answer in the log, behind the lines in which it was found."""
SIGNALLED = 128
"""Exit codes from here on, and negative ones, are of what was killed."""


class Agents:
    """The daemon's agents. Used from the loop's thread."""

    def __init__(
        self,
        context: AgentContext,
        output: OutputReader,
        driver: TerminalDriver,
        handover: Handover,
        tasks: Tasks,
        *,
        servers: ServerDriver,
        plain: PlainConversations,
        written_notes: Callable[[str], str | None],
        briefing: RunBriefing | None,
    ) -> None:
        """`written_notes`: those that the newest run of a mission was given; `briefing`: None without memory."""
        self._context = context
        self._journal = context.journal
        self._store = context.store
        self.messages = context.messages
        self._output = output
        self._driver = driver
        self._servers = servers
        self.plain = plain
        self.handover = handover
        self._tasks = tasks
        self._written_notes = written_notes
        self._briefing = briefing
        self._sessions: dict[str, Session] = {}
        context.inputs.on_message = self._on_typed
        self.waiting = WaitingMissions(context.registry, context.clock, context.activity, self._own_activity)

    def load(self) -> None:
        """Bring the live agents into memory; what the keeper has of them is settled with its listing."""
        self._context.questions.load()
        self._context.messages.load()
        self._context.inputs.load()
        for mission_id in self._store.agents.live():
            self._load(mission_id)
        for mission_id in self._store.agents.unsettled():  # the supervisor died right behind its end
            session = self._load(mission_id)
            if session is not None:
                session.apply(conversation_events.RunOver(final=True))
                self.drop(mission_id)
        newest = {mission.run_id for mission in self._context.registry.live.values()}
        for run in self._context.inputs.runs_with_messages():
            if run not in newest:  # likewise
                self._context.inputs.over(run)

    def of(self, mission_id: str) -> Session | None:
        """The agent of a live mission; None for plain programs, and for those that have ended."""
        return self._sessions.get(mission_id)

    def session(self, mission: Mission, *, to_interrupt: bool = False) -> Session:
        """The session to which something can be sent; `to_interrupt`: that is the end of its turn.

        Raises:
            OvermindError: `not_session`, `not_running` or `exited`.
        """
        name, session = mission.definition.name, self._sessions.get(mission.id)
        if mission.definition.kind is Kind.BLUEPRINT:
            message = f"Mission {mission.id} ({name}) is a plan: its agents have a name of their own"
            raise OvermindError("not_session", f"{message}, {name}/AGENT. See: overmind describe {name}")
        if mission.definition.kind is not Kind.SESSION:
            what, do = ("takes no messages", "Its input is empty. Start a session: overmind run --type session …")
            if to_interrupt:
                what, do = "has no turn to interrupt", f"Stop it: overmind stop {name}"
            elif mission.definition.has_terminal_input:
                do = f"Type into it: overmind attach {name}"
            raise OvermindError("not_session", f"Mission {mission.id} ({name}) is a task and {what}. {do}")
        if not mission.is_live:
            raise OvermindError(
                "not_running", f"Mission {mission.id} ({name}) has ended. Start it again: overmind restart {name}"
            )
        if session is None:
            raise _without_session(mission, to_interrupt=to_interrupt)
        ending = mission.ending
        if ending is not None and ending.cause not in {Cause.CHANGE_OVER, Cause.RESTART, Cause.EXITED}:
            raise OvermindError("exited", f"Mission {mission.id} ({name}) is being stopped.")
        return session

    def conversations(self, missions: Sequence[Mission], *, plain: bool = False) -> dict[str, Conversation]:
        """How the conversations of these missions stand, by mission; plain programs have none, unless they wait.

        `plain`: also those of plain programs that have ended.
        """
        found = {one.id: self._sessions[one.id].state for one in missions if one.id in self._sessions}
        ended = [one.id for one in missions if one.id not in found and (plain or one.definition.provider != RAW)]
        if ended:
            self._journal.flush()
            stored = self._store.agents.states_of(ended)
            found.update((mission_id, STATE.decode(state)) for mission_id, state in stored.items())
        for one in missions:
            activity = self.waiting.activity(one.id)
            if activity is not None and one.is_live:
                found[one.id] = replace(found.get(one.id, PLAIN), activity=activity)
        return found

    def _own_activity(self, mission_id: str) -> Activity:
        session = self._sessions.get(mission_id)
        return Activity() if session is None else session.state.activity

    def result(self, mission_id: str) -> str | None:
        """JSON of the last result object of an agent, as its program gave it; None before there is one."""
        self._journal.flush()
        return self._store.agents.result(mission_id)

    def denied(self, missions: Iterable[str]) -> tuple[str, ...]:
        """The rules that deny something to any of these agents, those that ended too: what is below inherits them."""
        agents = [agent for one in missions if (agent := self.agent(one)) is not None]
        return tuple(dict.fromkeys(rule for agent in agents for rule in agent.deny))

    def create(
        self, mission: Mission, agent: Agent, origin: Mission | Fork | Adoption | None = None
    ) -> Callable[[], None]:
        """Return what stores a new agent, in the commit of its mission. A session's prompt is a message.

        Args:
            mission: Of the agent.
            agent: What a person wants of it.
            origin: A mission that has ended, whose conversation it goes on with; what it begins as a copy of; or a
                conversation that a person has led with its program. None: it begins one.

        Raises:
            OvermindError: `busy`, another session leads that conversation.
        """
        conversation = Conversation(str(uuid4()), agent.home, agent.home, agent.home, model=agent.model, held=True,
                                    permission_mode=agent.permission_mode)  # fmt: skip
        if isinstance(origin, Adoption):
            self._check_free(origin.session)
            conversation = adopt(conversation, origin.session, origin.cost)
        elif isinstance(origin, Fork):
            is_plain = mission.definition.provider == RAW  # the copy of such a program is made as it starts
            conversation = replace(begin_as_copy(conversation, origin.point, origin.source), copied=is_plain)
        elif origin is not None and (known := self.conversations([origin]).get(origin.id)) is not None:
            conversation = inherit(conversation, known)
        session = Session(self._context, mission.id, agent, conversation, registry.get(mission.definition.provider))
        self._sessions[mission.id] = session
        first: MessageRow | None = None
        if agent.prompt is not None and agent.home is not AgentMode.ONE_SHOT:
            first = self._context.messages.new(mission.id, agent.prompt, sender=None, request=None)
            session.know(first.id, agent.prompt)
            session.state = replace(conversation, queue=(first.id,))

        def insert() -> None:
            row = AgentRow(mission.id, STATE.encode(session.state), DEFINITION.encode(agent))
            self._store.agents.insert(row)
            if first is not None:
                self._store.messages.insert(first)

        return insert

    def check_alone(self, mission: Mission) -> None:
        """See that no other mission leads the conversation with which one that has ended would go on.

        Raises:
            OvermindError: `busy`.
        """
        known = self.conversations([mission], plain=True).get(mission.id)
        is_plain = mission.definition.provider == RAW
        if known is not None and known.begun and (led := known.terminal_session if is_plain else known.session):
            self._check_free(led, but=mission.id)

    def _check_free(self, conversation: str, *, but: str = "") -> None:
        for one in self._sessions.values():
            mission = self._context.registry.live.get(one.id) if one.id != but else None
            if mission is not None and conversation in {one.state.session, one.state.terminal_session}:
                named = f"mission {mission.id} ({mission.definition.name})"
                raise OvermindError("busy", f"Conversation {conversation} is led by {named}.", id=mission.id)

    def drop(self, mission_id: str) -> None:
        """Forget an agent that has ended, or never came to be."""
        session = self._sessions.pop(mission_id, None)
        if session is not None:
            session.closed = True
        self._output.stop(mission_id)
        self._servers.stop(mission_id)

    def ready(self, mission: Mission) -> Mission:
        """The mission as its next run shall be."""
        session = self._sessions.get(mission.id)
        if session is None and (session := self._load(mission.id)) is not None:  # it had ended, and is started again
            self._renew_prompt(session)
        return mission if session is None else checked_mission(session, mission, self.plain)

    def spent(self, mission: Mission) -> SpentLimit | None:
        """The limit of money or turns that is used up; None for a plain program."""
        agent = None if mission.definition.provider == RAW else self.agent(mission.id)
        if agent is None:
            return None
        found = self._context.budgets.spent(mission.id)
        if found is not None:
            return spent_budget(mission, *found)
        conversation = self.conversations([mission]).get(mission.id)
        used = 0 if conversation is None or agent.home is AgentMode.ONE_SHOT else conversation.turns
        return spent_turns(mission, used, agent.max_turns) if agent.max_turns and used >= agent.max_turns else None

    def brief(self, mission: Mission) -> Awaitable[GivenNotes | None] | None:
        """What the mission's newest run is to know from its beginning; None, at once, where nothing is wanted."""
        return None if self._briefing is None else self._briefing.begin(mission, self._sessions.get(mission.id))

    def never_begun(self, mission_id: str, run: int) -> None:
        """A run that was briefed has not begun, and never will: what it was given counts as not given."""
        if self._briefing is not None:
            self._briefing.never_begun(mission_id, run)

    def notes_of(self, mission: Mission) -> Awaitable[MissionNotes | None] | None:
        """What a mission was given of the notes, and has written; None: it was to be given nothing."""
        return None if self._briefing is None else self._briefing.notes_of(mission)

    def launch(self, mission: Mission, notes: str | None, environ: Mapping[str, str]) -> Launch | None:
        """How the mission's newest run is started, with these notes; None for a plain program."""
        session = self._sessions.get(mission.id)
        if session is None:
            return None
        if not session.provider.speaks_json:
            program = self.plain.program(mission)
            if session.state.resumed and program in registry.names():
                spare_file(registry.get(program), session.state.terminal_session, environ)
            return self.plain.launch(session, mission)
        if not may_copy_again(session.state) and has_forgotten(session, environ):
            self._begin_again(session, mission)
        return launch_of(session, mission, notes, environ)

    def on_change(self, change: MissionChanged) -> None:
        """A state of a mission was saved."""
        self._follow(change.saved)
        current = self._context.registry.live.get(change.saved.id)
        if current is not None:
            activity = self.waiting.activity(current.id) or self._own_activity(current.id)
            self._context.activity.hold_clock(current, activity)

    def adopted(self, mission: Mission, row: Mapping[str, Any]) -> None:
        """The keeper has the newest run: go on where an earlier supervisor stopped."""
        session = self._sessions.get(mission.id)
        if session is None:
            return
        is_new = session.state.running != mission.run
        if is_new:  # the supervisor died right behind the run's start
            self._follow(mission)
        if session.state.running != mission.run:
            return
        if session.state.activity.resume_at is not None:
            session.go_on_at(session.state.activity.resume_at)
        self._output.start(session, mission)
        if not session.provider.speaks_json and not is_new:
            self._tasks.start(self.plain.watch(session, mission))
        if is_handed_over(session.state):
            self._tasks.start(self._take_back_later(session.id))
        self._context.usage.read_later(session)
        self._context.inputs.resume(mission.run_id, int(row.get("in_seq", 0)))
        if session.state.input_closed:
            session.close_input()
        self._watch_screen(session)
        if any(one.need is AgentNeed.DRAFT for one in session.state.open):
            (self._servers if session.is_served else self._driver).watch_draft(session)
        if session.state.leaving and session.state.mode is AgentMode.INTERACTIVE:
            session.driver.leave(session)
        session.go_on(session.state.run)  # what was queued while loading waits for nothing else

    def _watch_screen(self, session: Session) -> None:
        """Go on with a run on a terminal: its server is heard, or a message typed that an earlier supervisor began."""
        if session.is_served:
            self._servers.start(session)
        elif session.state.mode is AgentMode.INTERACTIVE and session.state.sending is not None:
            self._driver.type(session, session.state.sending)

    def ended(self, mission: Mission, row: Mapping[str, Any]) -> RunVerdict | None:
        """What the newest run's own words say about its end: everything that it wrote is taken in first."""
        session = self._sessions.get(mission.id)
        if session is not None and "in_seq" in row:  # it ended while nobody listened
            self._context.inputs.taken(mission.run_id, int(row["in_seq"]))
        if session is None or not session.provider.speaks_json:
            return None if session is None else self.plain.ended(session, mission, row)
        if session.state.running != mission.run and session.state.run == mission.run:
            self._begin(session, mission)  # it was over before anybody heard of its start
        if session.reader is None and session.reads_lines:
            self._output.start(session, mission)
        session.read_all(int(row["out"]))
        if session.state.mode is AgentMode.ONE_SHOT and int(row["code"]) == 0:
            _take_whole_answer(session, int(row["out"]))
        self._context.usage.read_now(session)
        errors = "" if session.reader is None else session.reader.errors(int(row["err"]))
        if session.provider.opens and session.state.mode is AgentMode.INTERACTIVE and int(row["code"]):
            errors = "\n".join(self._left_lines(mission, int(row["out"])))
        return self._verdict(session, mission, row, errors)

    def agent(self, mission_id: str) -> Agent | None:
        """What the agent is to be, live or not; None for a plain program."""
        session = self._sessions.get(mission_id)
        if session is not None:
            return session.agent
        self._journal.flush()
        row = self._store.agents.get(mission_id)
        return None if row is None else DEFINITION.decode(row.definition)

    def own_rules(self, mission: Mission) -> tuple[str, ...]:
        """The rules of ours by which the agent uses the folders of its quest, and the notes, unasked."""
        agent = None if mission.definition.provider == RAW else self.agent(mission.id)
        if agent is None:
            return ()
        of_folders = () if agent.folders is None else rules(agent.folders)
        return (*of_folders, note_commands.NAME) if self.has_memory(mission.id) else of_folders

    def has_memory(self, mission_id: str) -> bool:
        """Whether it is an agent that may use the notes: those that are given some, as far as any fit."""
        mission = None if self._briefing is None else self._context.registry.get(mission_id)
        if self._briefing is None or mission is None or mission.definition.provider == RAW:
            return False
        return self._briefing.injection(mission, is_agent=True) is not Injection.OFF

    def redefine(self, mission_id: str, agent: Agent) -> None:
        """Have it be this from now on; a run that lives keeps what its program was started with."""
        session = self._sessions.get(mission_id)
        if session is not None:
            session.agent = agent
        text = DEFINITION.encode(agent)
        self._journal.save(lambda: self._store.agents.define(mission_id, text))

    def _load(self, mission_id: str) -> Session | None:
        self._journal.flush()
        row = self._store.agents.get(mission_id)
        mission = self._context.registry.get(mission_id)
        if row is None or mission is None:
            return None
        provider = registry.get(mission.definition.provider)
        agent, conversation = DEFINITION.decode(row.definition), STATE.decode(row.state)
        session = Session(self._context, mission_id, agent, conversation, provider)
        for question in self._context.questions.open(mission_id):
            session.questions[question.id] = ASKED.decode(question.asked)
        self._sessions[mission_id] = session
        self._queue_forgotten(session)
        return session

    def _queue_forgotten(self, session: Session) -> None:
        """A supervisor may have died between saving a message and queueing it."""
        state = session.state
        known = {*state.queue, state.sending, state.turn.message if state.turn is not None else None}
        if not session.provider.speaks_json:  # it has no queue: what waits for it waits among the inputs
            return
        waiting = [one.id for one in self._store.messages.open(session.id) if one.state == QUEUED]
        forgotten = tuple(number for number in waiting if number not in known)
        if forgotten:
            session.put(replace(state, queue=(*state.queue, *forgotten)))

    def _renew_prompt(self, session: Session) -> None:
        """Queue the prompt of a session anew that ended before it had taken any message, as at a dialog of its own."""
        agent = session.agent
        if agent.prompt is None or agent.home is AgentMode.ONE_SHOT or session.state.begun or session.state.queue:
            return
        earlier = self._store.messages.of(session.id)
        never = all(one.delivered_at is None for one in earlier)
        if not never or not earlier or earlier[0].state != FAILED:
            return
        again = self._context.messages.new(session.id, agent.prompt, sender=None, request=None)._replace(resent=True)
        self._context.messages.insert(again)
        session.know(again.id, again.text)
        session.put(replace(session.state, queue=(again.id,)))
        text = f"--- message {earlier[0].id} was not delivered: resent as message {again.id} ---"
        session.record(MessageResent(text=text, message=again.id))

    def _begin_again(self, session: Session, mission: Mission) -> None:
        """The conversation is gone, and the new one knows nothing: it gets the first prompt before all else."""
        session.put(replace(lose_conversation(session.state), files=None))  # the new one may have its name
        text = "--- its conversation is gone: it begins a new one, without what was said before ---"
        self._context.registry.record(mission, ConversationLost(text=text))
        prompt = session.agent.prompt
        waiting = [session.text_of(one) for one in session.state.queue]
        if prompt is None or session.agent.home is AgentMode.ONE_SHOT or prompt in waiting:
            return
        again = self._context.messages.new(session.id, prompt, sender=None, request=None)._replace(resent=True)
        self._context.messages.insert(again)
        session.know(again.id, again.text)
        session.put(replace(session.state, queue=(again.id, *session.state.queue)))
        text = f"--- its first prompt is given again, as message {again.id} ---"
        self._context.registry.record(mission, MessageResent(text=text, message=again.id))

    def _follow(self, mission: Mission) -> None:
        """Take in where the mission stands: its run may have begun or ended, or hold still."""
        session = self._sessions.get(mission.id)
        if session is None:
            return
        if mission.status in FINAL:
            self._context.inputs.over(session.run_id)
            session.apply(conversation_events.RunOver(final=True))
            self.drop(mission.id)
            return
        if session.state.running and (mission.status is Status.RESTARTING or mission.run != session.state.running):
            self._context.inputs.over(f"{mission.id}.{session.state.running}")
            session.apply(conversation_events.RunOver(final=False))
            self._output.stop(mission.id)
            self._servers.stop(mission.id)
        if mission.status is Status.RUNNING and session.state.running != mission.run:
            self._begin(session, mission)
        elif mission.run == session.state.running and (mission.status is not Status.RUNNING) != session.state.held:
            session.apply(conversation_events.InputHeld(on=mission.status is not Status.RUNNING))

    def _begin(self, session: Session, mission: Mission) -> None:
        """A run of the agent was started."""
        launch, session.launch = session.launch or self._launch_again(session, mission), None
        opens = session.provider.opens and (session.is_served or session.state.mode is not AgentMode.INTERACTIVE)
        self._output.start(session, mission, begun=True)
        session.apply(conversation_events.RunBegun(mission.run, first_message(session), opens))
        if session.state.mode is AgentMode.ONE_SHOT and session.agent.prompt is not None:
            session.record(PromptGiven(text=f"[human] {session.agent.prompt}"))
        if launch is not None and launch.notes is not None:
            session.send_notes(launch.notes)
        if launch is not None and launch.stdin is not None:
            session.send(launch.stdin)
        if launch is not None and launch.end_input:
            session.close_input()
        if session.is_served:
            self._servers.start(session)
        elif session.state.mode is AgentMode.INTERACTIVE and session.provider.speaks_json:
            self._driver.watch_setup(session)
        elif not session.provider.speaks_json:
            self._tasks.start(self.plain.watch(session, mission))

    def _launch_again(self, session: Session, mission: Mission) -> Launch | None:
        """How a run was started that an earlier supervisor began: with the notes that it has written down for it."""
        notes = self._written_notes(mission.id) if self.has_memory(mission.id) else None
        try:
            return launch_of(session, mission, notes, {})
        except OvermindError:  # it has started, and a file that it was given is another one since: nothing is sent
            return None

    def notes_as_written(self, mission_id: str) -> str | None:
        """The notes that the newest run of a mission was given, from their file, as its program reads them."""
        session = self._sessions.get(mission_id)
        mission = None if session is None else session.mission
        on_terminal = session is not None and session.state.mode is AgentMode.INTERACTIVE
        if session is None or mission is None or on_terminal or not session.provider.opens:
            return self._written_notes(mission_id)
        launch, session.launch = self._launch_again(session, mission), None
        if launch is None or launch.notes is not None or launch.first_words is not None:
            return None if launch is None else launch.notes or launch.first_words
        return (launch.stdin or b"").decode("utf-8", "replace")  # they are gone: it begins without them

    def _on_typed(self, run: str, message: int, error: str | None) -> None:
        """The keeper has a message for a raw session, or it will never be typed."""
        moved = conversation_events.MessageMoved(message, DELIVERED if error is None else FAILED, error)
        session = self._sessions.get(run.partition(".")[0])
        if session is not None:
            session.carry_out(moved)
            if error is None and (session.state.switched or not session.state.begun):
                session.put(replace(session.state, begun=True, switched=False))
        else:
            self._context.messages.move(moved, resent=lambda: False)

    def _verdict(self, session: Session, mission: Mission, row: Mapping[str, Any], errors: str) -> RunVerdict:
        code, until = int(row["code"]), int(row["out"])
        was_resumed = session.state.resumed and not session.state.switched
        verdict = _verdict(session, code, errors, lambda: self._last_words(session, mission, until))
        is_gone = was_resumed and session.state.switched and not session.state.begun
        if is_gone and not may_copy_again(session.state):
            self._begin_again(session, mission)
        return verdict

    def _left_lines(self, mission: Mission, until: int) -> list[str]:
        """The lines that the newest run has left on its screen."""
        run = self._context.registry.runs.get(mission.id)
        return [] if run is None else self._output.last_screen(run, until)

    def _last_words(self, session: Session, mission: Mission, until: int) -> str:
        """Why a program on a terminal did not start, as its screen says."""
        lines = self._left_lines(mission, until)
        program: InteractiveProvider = session.provider  # type: ignore[assignment] # only those with that mode
        dialog = None if session.is_served else program.dialog(lines)
        return dialog.summary if dialog is not None else last_paragraph(lines) or "it printed nothing"

    async def _take_back_later(self, mission_id: str) -> None:
        """After a crash of ours: whoever was attached comes back soon, or not at all."""
        await asyncio.sleep(REJOIN_SECONDS)
        self.handover.take_back(self.of(mission_id))


def _without_session(mission: Mission, *, to_interrupt: bool) -> OvermindError:
    """Return why nothing can be sent to a live session that nothing is known of: no terminal, or no run yet."""
    name = mission.definition.name
    if mission.definition.provider != RAW or mission.definition.tty:
        return OvermindError("not_running", f"Mission {mission.id} ({name}) is not running right now. Try again.")
    what, do = "takes no messages", "Start one that has: overmind run --type session …"
    if to_interrupt:
        what, do = "has no turn to interrupt", f"Stop it: overmind stop {name}"
    return OvermindError("not_session", f"Mission {mission.id} ({name}) has no terminal and {what}. {do}")


def _take_whole_answer(session: Session, until: int) -> None:
    """Take in the answer that no line tells, but all of them; one that was found among others is shown behind them."""
    output = b"" if session.reader is None else session.reader.last_bytes(until, LONGEST_ANSWER)
    answer = session.provider.whole_answer(session.agent, told_end(output, until))
    if answer is not None:
        session.receive(TurnEnded(answer))
        if session.agent.answer:
            session.record(AnswerFound(text=capped(answer.text, LONGEST_SHOWN)))


def _verdict(session: Session, code: int, errors: str, why: Callable[[], str]) -> RunVerdict:
    state = session.state
    if state.wanted is not state.mode or (state.leaving and state.mode is not AgentMode.ONE_SHOT):
        return RunVerdict(failed=False, retry=Retry.SWITCH)
    if state.opening and code == 0 and state.last is None:  # no success: it has taken nothing that it was to do
        return RunVerdict(failed=True, reason="no_conversation")
    verdict = session.provider.verdict(code, state.last, errors, mode=state.mode, resumed=state.resumed)
    if verdict.retry is not Retry.SWITCH:
        if state.home is state.mode or not 0 <= code < SIGNALLED:
            return verdict
        # A person left the program, or it couldn't start for them: the session goes on without them.
        refused = why() if code and not has_begun(state) else None
        session.put(replace(state, wanted=state.home, refused=refused))
        if refused is not None:
            session.record(StartFailed(text=f"--- could not start in a terminal: {refused} ---"))
        return RunVerdict(failed=False, retry=Retry.SWITCH)
    is_named = is_uncopied(state) or state.adopted  # never a conversation with nothing in it under that name
    if is_named or state.switched:
        return verdict._replace(failed=True, retry=Retry.NEVER if is_named else Retry.POLICY)
    session.put(switch_resume(state))
    return verdict
