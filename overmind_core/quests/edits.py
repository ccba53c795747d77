"""Edits of quests of the queue: waiting and failed ones may change in everything, running ones in little."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from overmind_core.agents.spec import spec_of
from overmind_core.domain.agents.agent import RAW
from overmind_core.domain.missions.events import MissionUpdated
from overmind_core.domain.quests.quest import HAS_ENDED, IS, Goal, Quest, QuestStatus
from overmind_core.domain.replacing import replace
from overmind_core.errors import OvermindError
from overmind_core.missions import validate
from overmind_core.missions.requests import AgentArgs, Start
from overmind_core.quests import intake

if TYPE_CHECKING:
    from overmind_core.domain.agents.agent import Agent
    from overmind_core.kernel.config import Settings
    from overmind_core.kernel.journal import Journal
    from overmind_core.missions.registry import Registry
    from overmind_core.missions.service import Missions
    from overmind_core.quests.ports import AgentWork
    from overmind_core.quests.registry import QuestRegistry
    from overmind_core.quests.requests import QuestEdit
    from overmind_core.quests.store import StoredWork
    from overmind_core.system.machine import Clock

WHILE_RUNNING = frozenset({"id", "priority", "deadline", "retries", "max_cost"})
"""Fields of a request that change a quest while it runs."""
_DOING = frozenset({"command", "provider", "agent"})
"""Fields that decide what is run."""
_PLACED = frozenset({"owns", "into"})
"""Fields that need the quest's repository."""


class Edited(NamedTuple):
    """A quest after an edit, and what it then runs."""

    quest: Quest
    work: StoredWork | None
    """None: unchanged."""


class QuestEdits:
    """Edits quests. Used from the event loop's thread only."""

    def __init__(
        self,
        *,
        quests: QuestRegistry,
        journal: Journal,
        clock: Clock,
        settings: Settings,
        registry: Registry,
        missions: Missions,
        agents: AgentWork,
        is_taken: Callable[[str], bool],
        check_cycle: Callable[[Quest], None],
        repository_of: Callable[[Quest], Any],
    ) -> None:
        """`repository_of`: a coroutine function; the repository to which a quest's paths belong."""
        self._quests = quests
        self._journal = journal
        self._clock = clock
        self._settings = settings
        self._registry = registry
        self._missions = missions
        self._agents = agents
        self._is_taken = is_taken
        self._check_cycle = check_cycle
        self._repository_of = repository_of

    async def edit(self, request: QuestEdit) -> Quest:
        """Change a quest; return the changed one.

        Raises:
            OvermindError: `not_running`: it can't be changed now, or not in these fields; `cycle`, `invalid`, others.
        """
        found = self._quests.find(request.id, alone=True)
        given = {name for name in request.__struct_fields__ if getattr(request, name) is not None} - {"id"}
        looked = self._edited(found, request, given)
        if looked.work is not None and given & (_DOING | {"into"}):
            spec = looked.work.spec(self._quests.shared(looked.work.shared))
            if given & _DOING:
                await self._missions.check_program(spec)
            if "into" in given:  # a branch that is not there is refused now, and not when its turn comes
                await self._missions.check_start(spec)
        work = looked.work or self._quests.work(found.id)
        if given & {"review", "provider"} and work is not None:
            spec = work.spec(self._quests.shared(work.shared))
            if (review := intake.review_spec(looked.quest, spec, self._settings)) is not None:
                await self._missions.check_program(review)
        repository = await self._repository_of(looked.quest) if given & _PLACED else None
        current = self._quests.get(found.id)
        if current is None:
            raise OvermindError("gone", f"Quest {found.id} ({found.name}) has been removed.")
        edited = self._edited(current, request, given)  # checked once more, as the lookups took a moment
        if given & _PLACED and edited.quest.queue is not None:
            queue = replace(edited.quest.queue, repository=repository)
            edited = edited._replace(quest=replace(edited.quest, queue=queue))
        self._save(edited)
        await self._journal.saved()
        return edited.quest

    def _edited(self, quest: Quest, request: QuestEdit, given: set[str]) -> Edited:
        self._check_editable(quest, given)
        assert quest.goal is not None
        name = quest.name if request.name is None else validate.checked_name(request.name)
        if name != quest.name and self._is_taken(name):
            raise OvermindError("name_taken", f"The name {name!r} is taken. Choose another one.")
        check = quest.check if request.check is None else intake.checked_check(request.check or None)
        changed = replace(
            quest,
            name=name,
            goal=self._edited_goal(quest.goal, request, given),
            check=check,
            retries=quest.retries if request.retries is None else validate.checked_retries(request.retries),
        )
        if "needs" in given:
            self._check_cycle(changed)
        work = self._edited_work(changed, request, given)
        if work is None:
            return Edited(changed, None)
        goal = changed.goal
        assert goal is not None
        if work.agent is not None and "command" in given and "brief" not in given:
            changed = replace(changed, goal=replace(goal, brief=intake.checked_brief(work.agent.prompt or "")))
        command = goal.title if work.agent is not None else work.definition.command
        return Edited(replace(changed, command=command, provider=work.definition.provider), work)

    def _check_editable(self, quest: Quest, given: set[str]) -> None:
        if quest.goal is None:
            message = (
                f"Quest {quest.id} ({quest.name}) began at once and has no place in the queue. See: overmind update"
            )
            raise OvermindError("invalid", message)
        if quest.status is QuestStatus.COMPLETED:
            raise OvermindError("not_running", f"Quest {quest.id} ({quest.name}) {HAS_ENDED[quest.status]}.")
        if quest.status in {QuestStatus.RUNNING, QuestStatus.REVIEW} and not given <= WHILE_RUNNING:
            names = ", ".join(f"--{name.replace('_', '-')}" for name in sorted(given - WHILE_RUNNING))
            message = f"Quest {quest.id} ({quest.name}) {IS[quest.status]}: {names} can't be changed now."
            raise OvermindError("not_running", f"{message} Cancel it first: overmind quest cancel {quest.name}")

    def _edited_goal(self, goal: Goal, request: QuestEdit, given: set[str]) -> Goal:
        """The goal after the edit; an empty text removes a field."""
        now = self._clock.wall()
        changes = {
            field: check(getattr(request, name), self._quests, now)
            for name, (field, check) in _GOAL.items()
            if name in given
        }
        edited = replace(goal, **changes)
        least = edited.needs_min if request.needs_min is None else request.needs_min
        if request.needs is not None and request.needs_min is None:
            least = min(least, len(edited.needs))
        intake.checked_verify(edited.verify, edited.into)
        return replace(edited, needs_min=intake.checked_min(least, len(edited.needs)))

    def _edited_work(self, quest: Quest, request: QuestEdit, given: set[str]) -> StoredWork | None:
        """What the next attempts run, if that changes."""
        if not given & (_DOING | {"into", "max_cost", "name", "title"}):
            return None
        stored = self._quests.work(quest.id)
        if stored is None:
            if given & _DOING:
                raise OvermindError("gone", f"The work of quest {quest.id} ({quest.name}) is no longer known.")
            return None
        if given & _DOING:
            stored = self._redone(quest, request, stored)
        definition, agent = replace(stored.definition, name=quest.name), stored.agent
        if request.max_cost is not None:
            definition = replace(definition, max_cost=request.max_cost)
            agent = None if agent is None else replace(agent, max_cost=request.max_cost)
        stored = replace(stored, definition=definition, agent=agent)
        return self._replaced(quest, stored) if "into" in given else stored

    def _redone(self, quest: Quest, request: QuestEdit, stored: StoredWork) -> StoredWork:
        """The work with another command or agent; fields that were not given stay."""
        before, goal = stored.definition, quest.goal
        assert goal is not None
        provider = before.provider if request.provider is None else request.provider
        command = request.command or ""
        if provider == RAW and not command and request.provider is None:
            command = list(before.argv)
        provider, command = intake.provider_and_command(provider, command, self._settings)
        start = Start(
            command=command or goal.title,
            cwd=before.cwd,
            env=self._quests.shared(stored.shared),
            env_set=stored.chosen,
            provider=provider,
            agent=request.agent if provider != RAW or request.agent is not None else None,
            max_cost=before.max_cost,
        )
        made = spec_of(start, self._settings, name=quest.name)
        new, agent = made.definition, made.agent
        if agent is not None and stored.agent is not None and provider == before.provider:
            agent = _merged(stored.agent, agent, request.agent)
        definition = replace(before, command=new.command, argv=new.argv, provider=new.provider)
        return replace(stored, definition=definition, agent=agent)

    def _replaced(self, quest: Quest, stored: StoredWork) -> StoredWork:
        """The work after a change of the branch where it begins and lands.

        Raises:
            OvermindError: `invalid`: it has begun, and not in a worktree.
        """
        into = None if quest.goal is None else quest.goal.into
        if into is None:
            return replace(stored, base=None)
        mission = self._registry.get(quest.id)
        if mission is not None and not mission.definition.isolated:
            message = f"Quest {quest.id} ({quest.name}) has no worktree of its own: {mission.definition.cwd}"
            raise OvermindError(
                "invalid", f"{message}. Add it again with: overmind quest add --into {shlex.quote(into)}"
            )
        return replace(stored, isolate=True, base=into)

    def _save(self, edited: Edited) -> None:
        """Save all changes in one commit."""
        quest, work = edited
        assert quest.goal is not None
        self._quests.remember_needs(quest.goal.needs)
        with self._journal.together():
            if work is not None:
                self._quests.change_work(quest.id, work)
                self._change_mission(quest, work)
            if quest.is_over:
                self._quests.amend(quest)
            else:
                self._quests.put(quest)

    def _change_mission(self, quest: Quest, work: StoredWork) -> None:
        """Give its mission the new name and cost limit at once, whether it runs or has ended."""
        mission = self._registry.get(quest.id)
        if mission is None:
            return
        name, most = work.definition.name, work.definition.max_cost
        definition = replace(mission.definition, name=name, max_cost=most)
        if definition == mission.definition:
            return
        self._registry.put(replace(mission, definition=definition), (MissionUpdated(),))
        agent = self._agents.agent(mission.id) if definition.provider != RAW else None
        if agent is not None:
            self._agents.redefine(mission.id, replace(agent, max_cost=most))


def _merged(before: Agent, made: Agent, given: AgentArgs | None) -> Agent:
    """The agent with the given options changed."""
    default = AgentArgs()
    changed = () if given is None else [name for name in default.__struct_fields__ if _differs(given, default, name)]
    options = {name: getattr(made, name) for name in changed if name != "prompt"}
    return replace(before, prompt=made.prompt, program=made.program, **options)


def _differs(given: AgentArgs, default: AgentArgs, name: str) -> bool:
    return bool(getattr(given, name) != getattr(default, name))


def _needs(needs: list[str], quests: QuestRegistry, _now: float) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(quests.find(one).id for one in needs))
    intake.check_number_of_needs(len(found))
    return found


def _alone(check: Callable[[Any], object]) -> Callable[[Any, QuestRegistry, float], object]:
    return lambda given, _quests, _now: check(given)


_TEXT = _alone(lambda text: text or None)
_GOAL: Mapping[str, tuple[str, Callable[[Any, QuestRegistry, float], object]]] = {
    "title": ("title", _alone(intake.checked_title)),
    "brief": ("brief", _alone(intake.checked_brief)),
    "needs": ("needs", _needs),
    "priority": ("priority", _alone(intake.checked_priority)),
    "deadline": ("deadline_at", lambda given, _quests, now: intake.checked_deadline(given, now)),
    "owns": ("owns", _alone(intake.checked_owns)),
    "outputs": ("outputs", _alone(intake.checked_outputs)),
    "review": ("review", _alone(intake.checked_review)),
    "estimate": ("estimate", _alone(intake.checked_estimate)),
    "into": ("into", _TEXT),
    "verify": ("verify", _TEXT),
    "allow_empty": ("allow_empty", _alone(bool)),
    "group": ("group", _TEXT),
    "max_cost": ("max_cost", _alone(float)),
}
"""Fields of a request, and what each becomes in the goal."""
