"""Questions to people about quests of the queue, and the reactions to their answers."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from overmind_core.domain.agents.agent_events import Behaviour
from overmind_core.domain.engine_questions import ALLOW, BLOCKS, NAMED, UNASSIGNED, UNDOES_LANDED, EngineNeed
from overmind_core.domain.events import THE_QUEUE, About, AboutKind
from overmind_core.domain.quests.attempt import has_run
from overmind_core.domain.quests.why import question_open
from overmind_core.domain.text.cells import shown_name
from overmind_core.errors import OvermindError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from overmind_core.agents.engine_questions import EngineQuestion, EngineQuestions
    from overmind_core.agents.questions import Questions
    from overmind_core.domain.admission import Wait
    from overmind_core.domain.agents.agent_events import Decision
    from overmind_core.domain.missions.events import MissionRemoved
    from overmind_core.domain.quests.quest import Quest
    from overmind_core.missions.registry import Registry
    from overmind_core.quests.attempts import Attempts
    from overmind_core.quests.ports import Lander
    from overmind_core.quests.queue_changes import QueueChanges
    from overmind_core.quests.registry import QuestRegistry


NEEDS = (EngineNeed.STUCK, EngineNeed.REVIEW, EngineNeed.MERGE)
"""Kinds of questions about the attempts of a quest."""


def _lines(subject: Mapping[str, object]) -> Sequence[object]:
    lines = subject.get("lines")
    return lines if isinstance(lines, (list, tuple)) else ()


class QuestQuestions:
    """Asks about quests. Used from the event loop's thread only."""

    def __init__(
        self, *, engine: EngineQuestions, questions: Questions, quests: QuestRegistry, registry: Registry
    ) -> None:
        self._engine = engine
        self._questions = questions
        self._quests = quests
        self._registry = registry
        self._waiting_at: Callable[[str, str], Sequence[Quest]] | None = None
        self._landed_so_far: dict[str, str] = {}
        """Quest whose review is being denied → the sentence that its target has its commits all the same."""

    def bind(self, attempts: Attempts, lander: Lander, changes: Callable[[], QueueChanges]) -> None:
        """Subscribe to the answers. `changes`: imports and builds what gives a quest another round."""

        def stuck(quest: Quest, decision: Decision) -> None:
            if decision.behaviour is Behaviour.ALLOW:
                changes().retried(quest, decision.message or "")

        def review(quest: Quest, decision: Decision) -> None:
            good = decision.behaviour is Behaviour.ALLOW
            said = self._landed_so_far.pop(quest.id, None)
            attempts.reviewed(quest, good=good, text=decision.message or "", notes=() if said is None else (said,))

        def merge(quest: Quest, decision: Decision) -> None:
            if decision.behaviour is Behaviour.ALLOW:
                attempts.land_again(quest)
            elif quest.reason == UNDOES_LANDED:
                attempts.keep_landed(quest, decision.message or "")
            else:
                attempts.left_unmerged(quest)

        self._engine.guard(EngineNeed.REVIEW, partial(self._check_review, attempts, lander), kind=AboutKind.QUEST)
        for need, act in zip(NEEDS, (stuck, review, merge), strict=True):
            self._engine.on(need, self._about_quest(act), kind=AboutKind.QUEST)

        def target(question: EngineQuestion, decision: Decision) -> None:
            retried = attempts.targets.retried_at(*_target(question))
            for quest in attempts.targets.at(*_target(question)):
                merge(quest, decision)
            _end_denied(attempts, retried, decision)

        self._engine.on(EngineNeed.MERGE, target, kind=AboutKind.QUEUE)
        self._waiting_at = attempts.targets.at

    async def _check_review(
        self, attempts: Attempts, lander: Lander, question: EngineQuestion, decision: Decision
    ) -> None:
        """See that work which a person accepts is what they were shown, and whether what they deny has landed.

        Raises:
            OvermindError: `changed`, it is not, and is shown again, or can't land now; `git_failed`, nobody can tell.
        """
        quest = self._quests.live.get(question.about.id)
        if quest is None or quest.goal is None:
            return
        self._landed_so_far.pop(quest.id, None)  # of an answer that came too late
        if decision.behaviour is Behaviour.ALLOW:
            await attempts.check_shown(quest)
        elif (into := quest.goal.into) is not None and await lander.is_on(quest.id, into):
            self._landed_so_far[quest.id] = f"{into} has its commits already, by another merge: they stay there."

    def _about_quest(self, act: Callable[[Quest, Decision], None]) -> Callable[[EngineQuestion, Decision], None]:
        def on_answer(question: EngineQuestion, decision: Decision) -> None:
            quest = self._quests.get(question.about.id)
            if quest is None:
                raise OvermindError("gone", f"Quest {question.about.id} ({question.about.name}) has been removed.")
            act(quest, decision)

        return on_answer

    def ask(self, quest: Quest, need: EngineNeed, summary: str, subject: Mapping[str, object]) -> int:
        """Ask about a quest and return the number of the question; an open question is not asked twice."""
        about = About(AboutKind.QUEST, quest.id, quest.name)
        title = None if quest.goal is None else quest.goal.title
        if title is not None and shown_name(quest.name, title) != quest.name:
            subject = {**subject, "title": title, "lines": [title, *_lines(subject)]}
        return self._engine.ask(need, about, summary=summary, subject=subject)

    def ask_about_target(self, into: str, folder: str, summary: str, subject: Mapping[str, object]) -> int:
        """Ask about a branch whose checkout is in the way, once for all that are to land there; return the number."""
        key = _target_key(into, folder)
        return self._engine.ask(EngineNeed.MERGE, THE_QUEUE, summary=summary, subject=subject, part=into, key=key)

    def withdraw_target(self, into: str, folder: str) -> None:
        """Withdraw that question."""
        self._engine.withdraw(THE_QUEUE.id, EngineNeed.MERGE, key=_target_key(into, folder))

    def quests_of(self, question: EngineQuestion) -> list[str]:
        """Return the ids of the quests that wait for the branch which a question is about; of any other none."""
        is_target = question.about.kind == AboutKind.QUEUE and question.need == EngineNeed.MERGE
        if not is_target or self._waiting_at is None:
            return []
        return [one.id for one in self._waiting_at(*_target(question))]

    def targets_asked_about(self) -> list[tuple[str, str]]:
        """Each such branch about which a question is open, with the folder of its checkout."""
        return [_target(one) for one in self._engine.open_for(THE_QUEUE.id) if one.need == EngineNeed.MERGE]

    def withdraw(self, quest_id: str) -> None:
        """Withdraw the questions about a quest's attempts, but not those that its mission has reported."""
        for question in self._engine.open_for(quest_id):
            if question.need in NEEDS or question.subject.get(BLOCKS):
                self._engine.withdraw(quest_id, EngineNeed(question.need), key=question.key)

    def hold(self, quest: Quest) -> Wait | None:
        """Why a quest may not start before an answer; None: no answer is missing."""
        number = None if quest.queue is None else quest.queue.waits_for
        asked = None if number is None else self._engine.get(number)
        if asked is None:
            return None
        return question_open(asked.number, NAMED if asked.subject.get(UNASSIGNED) else ALLOW)

    def asked_about(self) -> Collection[str]:
        """Ids of quests and missions with an open question, whoever asks it."""
        return self._questions.asked_about()

    def on_removal(self, event: MissionRemoved) -> None:
        """Withdraw the questions about a quest whose mission was removed: it can't have another round."""
        if event.mission is not None:
            self.withdraw(event.mission)

    def load(self) -> None:
        """Withdraw questions about quests that no longer exist, as an earlier daemon had no time to."""
        for about_id in list(self._engine.asked_about()):
            for question in self._engine.open_for(about_id):
                if question.about.kind == AboutKind.QUEST and not self._is_there(about_id):
                    self.withdraw(about_id)

    def _is_there(self, quest_id: str) -> bool:
        quest = self._quests.get(quest_id)
        if quest is None:
            return False
        return not quest.is_over or not has_run(quest) or self._registry.get(quest_id) is not None


def _target_key(into: str, folder: str) -> str:
    return f"{into}\0{folder}"


def _target(question: EngineQuestion) -> tuple[str, str]:
    """The branch that a question is about, and the folder of its checkout."""
    return str(question.subject.get("into", "")), str(question.subject.get("folder", ""))


def _end_denied(attempts: Attempts, retried: Sequence[Quest], decision: Decision) -> None:
    """End those that are just tried again, where they are denied: their checkout refuses them no more."""
    if decision.behaviour is Behaviour.DENY:
        for quest in retried:
            attempts.cancel(quest)
