"""Carries out what steering decides: messages, interrupts, freezing, ending attempts, and asking a person first.

`domain/watching/steering.py` decides. The event, the message (or the end of the attempt) and the answer that allowed it
are saved in one commit; each message has a request key, so none is sent twice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from overmind_core.domain.actor import ENGINE
from overmind_core.domain.agents.agent_events import Behaviour
from overmind_core.domain.agents.events import QuestionAnswered, QuestionAsked
from overmind_core.domain.engine_questions import DOES, LINES, NOTHING, EngineNeed
from overmind_core.domain.events import About, AboutKind, type_of
from overmind_core.domain.missions.facts import EndAsked, Frozen, Thawed
from overmind_core.domain.missions.mission import Cause, Mission, Status
from overmind_core.domain.replacing import replace
from overmind_core.domain.text.cells import cut, display_safe
from overmind_core.domain.watching import health, steering
from overmind_core.domain.watching.guardian import COSTS, Term
from overmind_core.domain.watching.health import HungAction
from overmind_core.domain.watching.steering import Capabilities, Rung, Steer, SteeringState
from overmind_core.kernel.actor import nobody
from overmind_core.watching.events import MissionSteered

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Mapping

    from overmind_core.agents.engine_questions import EngineQuestion, EngineQuestions
    from overmind_core.agents.service import Agents
    from overmind_core.agents.submission import Submission
    from overmind_core.domain.agents.agent_events import Decision
    from overmind_core.domain.watching.steering import Judged
    from overmind_core.kernel.event_log import EventRow, EventTable
    from overmind_core.kernel.journal import Journal
    from overmind_core.kernel.tasks import Tasks
    from overmind_core.missions.output_progress import OutputProgress
    from overmind_core.missions.process_trees import ProcessTrees
    from overmind_core.missions.registry import Registry
    from overmind_core.system.machine import Clock
    from overmind_core.watching.watch import Watch

LONGEST_TOLD = 1000
"""Terminal cells of the line in a log that says why an attempt was ended."""
MOST_EVENTS = 1000
_EFFECTS: Mapping[Rung | None, str] = {
    Rung.MESSAGE: "If you allow it, its agent gets this message:",
    Rung.INTERRUPT: "If you allow it, its turn is interrupted, and its agent gets this message:",
    Rung.END: "If you allow it, this attempt ends, and the next one reads this:",
    None: "It takes no messages. If you allow it, it goes on as it is; stop ends it. This was found:",
}
"""Action on approval → the sentence of the question."""


class Steerer:
    """Steers missions. Used from the event loop's thread only.

    Args:
        on_end: Called with a mission's id and the guardian's text, in the commit that ends the attempt.
    """

    def __init__(
        self,
        *,
        registry: Registry,
        journal: Journal,
        clock: Clock,
        tasks: Tasks,
        trees: ProcessTrees,
        progress: OutputProgress,
        agents: Agents,
        submission: Submission,
        questions: EngineQuestions,
        event_table: EventTable,
        on_end: Callable[[str, str], None],
    ) -> None:
        self._registry = registry
        self._journal = journal
        self._clock = clock
        self._tasks = tasks
        self._trees = trees
        self._progress = progress
        self._agents = agents
        self._submission = submission
        self._questions = questions
        self._event_table = event_table
        self._on_end = on_end

    def earlier(self, mission: Mission) -> SteeringState:
        """How a mission was steered so far, in earlier runs or under an earlier daemon; read from its events.

        The newest steer may still have no outcome: that of this run, or the one that ended the attempt before.
        """
        self._journal.flush()
        state, asked, seq, steered_at = SteeringState(), set[int](), 0, 0.0
        while rows := self._event_table.after(seq, MOST_EVENTS, missions=[mission.id], types=_STEERING):
            for row in rows:
                state = _after(state, row, asked)
                steered_at = row.at if row.type == _STEERED else steered_at
            seq = rows[-1].seq
        pending, began = state.pending, mission.run_started_at or 0.0
        if pending is not None and pending.rung is not Rung.END and steered_at < began:
            pending = None
        if pending is not None:
            pending = replace(pending, by_another=True)
        return replace(state, asking=self._is_asked(mission.id), pending=pending)

    def record_outcome(self, mission: Mission, judged: Judged) -> None:
        """Record the outcome of the newest steer."""
        self._record(mission, judged.rung, (), judged.outcome.value, f"two samples later: {judged.outcome.value}")

    def begin(self, watch: Watch, mission: Mission, capabilities: Capabilities, steer: Steer) -> None:
        """Carry out a steer, or ask a person first."""
        if steer.ask:
            self._ask(mission, capabilities, steer)
        else:
            self._do(watch, mission, capabilities, steer)

    def on_hung(self, watch: Watch, mission: Mission, capabilities: Capabilities, *, mode: str, evidence: str) -> None:
        """Act on a mission that is hung, whatever was done before; `mode`: of `STEER_MODES`."""
        now = self._clock.wall()
        if now < watch.steering.quiet_until:
            return
        terms = (Term("silence", COSTS["silence"], holds=True, evidence=evidence),)
        text = steering.message(terms)
        action = health.on_hung(mode, is_queued=capabilities.is_queued)
        if action is HungAction.END_ATTEMPT:
            asked = EndAsked(Cause.STALLED, 0.0, f"--- killed: {evidence} ---")
            self._registry.apply_if_legal(mission, asked, urgent=True)
        elif action is HungAction.FREEZE_AND_ASK and not self._is_asked(mission.id):
            self._do(watch, mission, capabilities, Steer(Rung.FREEZE, terms, text, ask=False))
        elif action is HungAction.ASK and not self._is_asked(mission.id):
            watch.steering = replace(watch.steering, asking=True, last_at=now)
            self._ask(mission, capabilities, Steer(Rung.INTERRUPT, terms, text, ask=True))

    def settle(self, watch: Watch, mission: Mission, *, is_alive: bool) -> None:
        """Withdraw the question about a mission that has lost its cause; `is_alive`: it gives signs of life again."""
        asked = [one for one in self._questions.open_for(mission.id) if one.need == EngineNeed.STEER]
        if not any(_stands(question, mission, is_alive=is_alive) for question in asked):
            self._questions.withdraw(mission.id, EngineNeed.STEER)
            watch.steering = steering.withdrawn(watch.steering)

    def on_answer(
        self, watch: Watch, mission: Mission, capabilities: Capabilities, question: EngineQuestion, decision: Decision
    ) -> None:
        """Act on a person's answer, in the commit that stores it."""
        subject = question.subject
        if subject.get("frozen"):
            self._thaw(mission)
        if decision.behaviour is Behaviour.DENY:
            watch.steering = steering.denied(watch.steering, self._clock.wall())
            return
        rung = steering.on_approval(Rung(subject["rung"]), capabilities)
        if rung is None:
            watch.steering = steering.withdrawn(watch.steering)
            return
        text = (decision.message or "").strip() or str(subject["text"])
        shown = subject.get("evidence") or {}
        terms = tuple(Term(name, COSTS.get(name, 0.0), True, str(shown.get(name, ""))) for name in subject["terms"])
        self._act(watch, mission, Steer(rung, terms, text, ask=False), f"steer:{question.number}")

    def _do(self, watch: Watch, mission: Mission, capabilities: Capabilities, steer: Steer) -> None:
        key = f"steer:{mission.id}:{watch.steering.steers + 1}"
        with self._journal.together():
            self._act(watch, mission, steer, key)
            if steer.rung is Rung.FREEZE:
                self._freeze(mission)
                self._ask(mission, capabilities, steer, frozen=True)

    def _act(self, watch: Watch, mission: Mission, steer: Steer, key: str) -> None:
        score = 1.0 if watch.sample is None else watch.sample.score
        watch.steering = steering.sent(watch.steering, steer.rung, score, self._clock.wall())
        if watch.liveness is not None:
            watch.liveness = health.steered(watch.liveness)
        names = tuple(term.term for term in steer.terms)
        self._record(mission, steer.rung, names, None, _evidence(steer.terms))
        if steer.rung in {Rung.MESSAGE, Rung.INTERRUPT}:
            self._send(mission, steer.text, interrupt=steer.rung is Rung.INTERRUPT, key=key)
        elif steer.rung is Rung.END:
            told = f"--- steered: {_shortened(steer.text)} ---"
            asked = EndAsked(Cause.LIMIT, mission.definition.grace, told, "steered")
            self._on_end(mission.id, steer.text)
            with nobody():  # who has allowed it has not ended it
                self._registry.apply_if_legal(mission, asked, urgent=True)

    def _send(self, mission: Mission, text: str, *, interrupt: bool, key: str) -> None:
        session = self._agents.of(mission.id)
        if session is None or not text.strip():
            return
        if interrupt:
            session.interrupt()
        with nobody():  # who has allowed it has asked its agent for nothing new
            self._submission.queue(session, text, request=key)

    def _ask(self, mission: Mission, capabilities: Capabilities, steer: Steer, *, frozen: bool = False) -> None:
        name = mission.definition.name
        kind = AboutKind.QUEST if capabilities.is_queued else AboutKind.MISSION
        lines = [f"{term.term}: {term.evidence}" for term in steer.terms]
        lines += ["It is frozen until you answer."] if frozen else []
        does = steering.on_approval(steer.rung, capabilities)
        lines += ["", _EFFECTS[does], *steer.text.splitlines()]
        subject: dict[str, Any] = {
            LINES: lines,
            "rung": steer.rung.value,
            DOES: NOTHING if does is None else does.value,
            "terms": [term.term for term in steer.terms],
            "evidence": {term.term: term.evidence for term in steer.terms},
            "text": steer.text,
            "frozen": frozen,
            "run": mission.run,
        }
        self._questions.ask(
            EngineNeed.STEER,
            About(kind, mission.id, name),
            summary=f"Steer {name}? {_evidence(steer.terms)}",
            subject=subject,
            ends_with=mission.id,
        )

    def _is_asked(self, mission_id: str) -> bool:
        return any(question.need == EngineNeed.STEER for question in self._questions.open_for(mission_id))

    def _record(self, mission: Mission, rung: Rung, terms: tuple[str, ...], outcome: str | None, why: str) -> None:
        event = MissionSteered(rung=rung.value, terms=terms, outcome=outcome, by=ENGINE, why=why)
        self._registry.record(mission, event)

    def _freeze(self, mission: Mission) -> None:
        """Freeze the mission, and stop its processes once that is saved."""
        self._registry.apply_if_legal(mission, Frozen())
        self._journal.save(_nothing, lambda: self._start(self._freeze_now(mission)))

    async def _freeze_now(self, mission: Mission) -> None:
        await self._trees.freeze(mission)
        current = self._registry.live.get(mission.id)
        if current is not None and current.status is not Status.PAUSED:
            await self._trees.thaw(mission)  # it goes on, or is to end, which nothing can that is frozen

    def _thaw(self, mission: Mission) -> None:
        if mission.status is Status.PAUSED:
            self._journal.save(_nothing, lambda: self._start(self._thaw_now(mission)))

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.start(work)

    async def _thaw_now(self, mission: Mission) -> None:
        await self._trees.thaw(mission)
        current = self._registry.live.get(mission.id)
        if current is not None and current.status is Status.PAUSED:
            self._registry.apply_if_legal(current, Thawed(self._progress.of(current.run_id).last))


def _stands(question: EngineQuestion, mission: Mission, *, is_alive: bool) -> bool:
    """True while a question has its cause: its run goes on, frozen if it was, and silent where it was only that."""
    subject = question.subject
    if subject.get("run", mission.run) != mission.run or mission.status not in {Status.RUNNING, Status.PAUSED}:
        return False
    if subject.get("frozen"):
        return mission.status is Status.PAUSED
    return not is_alive or list(subject["terms"]) != ["silence"]


def _after(state: SteeringState, row: EventRow, asked: set[int]) -> SteeringState:
    """The state of steering after one more event; `asked`: numbers of the questions so far, to which this may add."""
    import json  # noqa: PLC0415 - for those who were steered, or asked something

    data = json.loads(row.data)
    if row.type == _STEERED and data["outcome"] is None:
        score = 1.0 - sum(COSTS.get(term, 0.0) for term in data["terms"])
        return steering.sent(state, Rung(data["rung"]), score, row.at)
    if row.type == _STEERED:
        return replace(state, pending=None)
    if row.type == _ASKED:
        if data["need"] != EngineNeed.STEER:
            return state
        asked.add(data["question"])
        return replace(state, last_at=row.at)
    denies = data["question"] in asked and data["behaviour"] == Behaviour.DENY
    return steering.denied(state, row.at) if denies else state


_STEERED, _ASKED, _ANSWERED = _STEERING = tuple(
    type_of(kind) for kind in (MissionSteered, QuestionAsked, QuestionAnswered)
)
"""Types of the events from which the state of steering is read."""


def _evidence(terms: Iterable[Term]) -> str:
    """The terms in one line, each with its evidence, if there is any."""
    return "; ".join(f"{term.term}: {term.evidence}" if term.evidence else term.term for term in terms)


def _shortened(text: str) -> str:
    """A text in one line of at most `LONGEST_TOLD` cells, cut between two words."""
    line = display_safe(" ".join(text.split()))
    found = cut(line, LONGEST_TOLD)
    return found if found == line else f"{found.rpartition(' ')[0] or found} ..."


def _nothing() -> None:
    return
