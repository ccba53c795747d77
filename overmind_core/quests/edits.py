"""Edits of quests of the queue, and of the missions of all quests.

Quests that wait or have failed may change in everything, running ones in little. What a mission gets by an edit of its
own its quest gets too, or it is refused: the next attempt would throw it away, or nothing would run it.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from overmind_core.agents.spec import spec_of
from overmind_core.agents.validate import check_limits
from overmind_core.domain.agents.agent import RAW
from overmind_core.domain.landing import VERIFY
from overmind_core.domain.missions.events import MissionUpdated
from overmind_core.domain.missions.mission import Restart
from overmind_core.domain.quests.again import row_of, sentence_again
from overmind_core.domain.quests.quest import HAS_ENDED, IS, Goal, Quest, QuestStatus
from overmind_core.domain.replacing import replace
from overmind_core.errors import OvermindError
from overmind_core.missions import validate
from overmind_core.missions.requests import AgentArgs, Start
from overmind_core.providers import registry
from overmind_core.quests import intake

if TYPE_CHECKING:
    from overmind_core.domain.agents.agent import Agent
    from overmind_core.domain.missions.mission import Definition, Mission
    from overmind_core.kernel.config import Settings
    from overmind_core.kernel.journal import Journal
    from overmind_core.missions.registry import Registry
    from overmind_core.missions.service import Missions
    from overmind_core.quests.ports import AgentWork
    from overmind_core.quests.registry import QuestRegistry
    from overmind_core.quests.requests import QuestEdit
    from overmind_core.quests.store import StoredWork
    from overmind_core.system.machine import Clock

WHILE_RUNNING = frozenset(
    {"id", "priority", "deadline", "retries", "max_cost", "max_tokens", "timeout", "activity_timeout"}
)
"""Fields of a request that change a quest while it runs."""
_DOING = frozenset({"command", "provider", "agent"})
"""Fields that decide what is run."""
_TIMED = (("timeout", "timeout", "ms"), ("activity_timeout", "activity-timeout", "s"))
"""Fields of a request that are limits of a run: each with its option, and the unit of a bare number."""
_TIMES = frozenset(name for name, _, _ in _TIMED)
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
        if not given & (_DOING | _TIMES | {"into", "max_cost", "max_tokens", "name", "title"}):
            return None
        stored = self._quests.work(quest.id)
        if stored is None:
            if given & _DOING:
                raise OvermindError("gone", f"The work of quest {quest.id} ({quest.name}) is no longer known.")
            return None
        if given & _DOING:
            stored = self._redone(quest, request, stored)
        times = {name: validate.seconds(getattr(request, name), f"--{option}", unit=unit)
                 for name, option, unit in _TIMED if name in given}  # fmt: skip
        definition, agent = replace(stored.definition, name=quest.name, **times), stored.agent
        if request.max_cost is not None:
            definition = replace(definition, max_cost=request.max_cost)
            agent = None if agent is None else replace(agent, max_cost=request.max_cost)
        if request.max_tokens is not None:
            definition = replace(definition, max_tokens=request.max_tokens)
        if agent is not None and given & {"max_cost", "max_tokens"}:
            check_limits(agent, definition.max_tokens, registry.get(definition.provider), self._settings)
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
        kept = stored.agent if provider == before.provider and provider != RAW else None
        start = Start(
            command=command or goal.title,
            cwd=before.cwd,
            env=self._quests.shared(stored.shared),
            env_set=stored.chosen,
            provider=provider,
            agent=request.agent if kept is None else _merged(kept, request.agent),
            max_cost=before.max_cost if request.max_cost is None else request.max_cost,
            max_tokens=before.max_tokens if request.max_tokens is None else request.max_tokens,
        )
        made = spec_of(start, self._settings, name=quest.name)
        new = made.definition
        definition = replace(before, command=new.command, argv=new.argv, provider=new.provider)
        return replace(stored, definition=definition, agent=made.agent)

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
        """Give its mission the new name and limits at once, whether it runs or has ended."""
        mission = self._registry.get(quest.id)
        if mission is None:
            return
        now, most = work.definition, work.definition.max_cost
        times = {name: getattr(now, name) for name in _TIMES}
        limits = {"max_cost": most, "max_tokens": now.max_tokens}
        definition = replace(mission.definition, name=now.name, **limits, **times)
        if definition == mission.definition:
            return
        self._registry.put(replace(mission, definition=definition), (MissionUpdated(),))
        agent = self._agents.agent(mission.id) if definition.provider != RAW else None
        if agent is not None:
            self._agents.redefine(mission.id, replace(agent, max_cost=most))


class MissionEdits:
    """Edits of the missions of quests. Used from the event loop's thread only."""

    def __init__(self, quests: QuestRegistry) -> None:
        self._quests = quests

    def redefine(
        self,
        mission: Mission,
        definition: Definition,
        agents: tuple[Agent | None, Agent | None] = (None, None),
        chosen: tuple[Mapping[str, str], Mapping[str, str]] | None = None,
    ) -> None:
        """Give the quest of a mission what the mission gets; one that began at once reads the rest as a run begins.

        Args:
            mission: As it stands.
            definition: The one that it gets.
            agents: Its agent before and after the edit.
            chosen: The variables that are set for it alone, before and after it; None: they stay.

        Raises:
            OvermindError: `name_taken`; `invalid` or `not_finished`, it can't have that; says what to do.
        """
        edit = _MissionEdit(mission, definition, agents, chosen)
        holder = self._quests.holder(definition.name) if edit.renames else None
        if holder not in {None, mission.id}:
            message = f"The name {definition.name!r} is taken by quest {holder}. Choose another one."
            raise OvermindError("name_taken", message)
        quest = self._quests.by_ids((mission.id,)).get(mission.id)
        if quest is None:
            self._check_beside(edit)
            return
        self._check(quest, edit)
        work = self._quests.work(quest.id) if quest.is_queued else None
        if work is not None and (changed := edit.applied(work)) != work:  # the next attempt begins with it
            self._quests.change_work(quest.id, changed)
        goal = quest.goal
        if goal is not None and definition.max_cost != mission.definition.max_cost:
            goal = replace(goal, max_cost=definition.max_cost)
        after = replace(quest, name=definition.name if edit.renames else quest.name, goal=goal)
        if after != quest:
            (self._quests.amend if quest.is_over else self._quests.put)(after)

    def way(self, mission_id: str) -> str:
        """A sentence with the command that changes what the next attempt of its quest runs; "" where none follows."""
        quest = self._quests.by_ids((mission_id,)).get(mission_id)
        if quest is None or not quest.is_queued or quest.status is QuestStatus.COMPLETED:
            return ""
        if quest.status in {QuestStatus.RUNNING, QuestStatus.REVIEW}:
            return f"Change its limits and rules with: overmind edit {quest.name} --no-restart"
        return f"Change it with: overmind quest edit {quest.name}"

    def _check(self, quest: Quest, edit: _MissionEdit) -> None:
        """Refuse what the quest can't have.

        Raises:
            OvermindError: `invalid` or `not_finished`.
        """
        mission, about = edit.mission, f"Quest {quest.id} ({quest.name})"
        refusal = self._quests.runs_by_itself(mission)
        if (
            quest.is_over
            and refusal is not None
            and not (quest.is_queued and quest.status is not QuestStatus.COMPLETED)
        ):
            if edit.changes_run:  # nothing would ever run it
                raise OvermindError("not_finished", refusal)
            return
        if edit.renames and quest.is_queued and not quest.is_over:
            way = f"Cancel it first: overmind quest cancel {quest.name}"
            if quest.status is QuestStatus.QUEUED:
                way = f"Rename both with: overmind quest edit {quest.name} --name {edit.definition.name}"
            message = f"{about} {IS[quest.status]}, and has the name of its mission. {way}"
            raise OvermindError("not_finished", message)
        is_lost = quest.is_over and refusal is None  # it is a mission again
        if not is_lost and (edit.restarts_otherwise if _restarts_itself(quest, mission) else edit.gets_restarts):
            way = f"Change them with: overmind quest edit {quest.name} --retries N"
            if not quest.is_queued:
                again = sentence_again(row_of(quest, timeout=mission.definition.timeout))
                given = "" if quest.ritual else "Retries are given as it begins, by --retries N. "
                way = f"Cancel it first: overmind quest cancel {quest.name}. {given}{again}"
            message = f"{about} ends on its own: it has retries in the place of restarts. {way}"
            raise OvermindError("invalid", message)
        if quest.is_queued:
            self._check_doing(quest, edit)
        elif refusal is not None and edit.changes_what_runs:  # its check would be about something else
            raise OvermindError("not_finished", refusal)

    def _check_doing(self, quest: Quest, edit: _MissionEdit) -> None:
        """Refuse what a quest of the queue says anew for each attempt.

        Raises:
            OvermindError: `not_finished`.
        """
        if not edit.changes_task:
            return
        what, option = ("prompt", "--brief TEXT") if quest.provider != RAW else ("command", "-- CMD")
        way = f"overmind quest edit {quest.name} {option}"
        if quest.status in {QuestStatus.RUNNING, QuestStatus.REVIEW}:
            way = f"overmind quest cancel {quest.name}. Then change it with: {way}"
            message = f"Quest {quest.id} ({quest.name}) {IS[quest.status]}: its {what} can't be changed now."
            raise OvermindError("not_finished", f"{message} Cancel it first: {way}")
        message = f"Quest {quest.id} ({quest.name}) {IS[quest.status]}: its next attempt has the {what} of the quest."
        raise OvermindError("not_finished", f"{message} Change that with: {way}")

    def _check_beside(self, edit: _MissionEdit) -> None:
        """Refuse restarts of a check or a review, for whose end its quest waits.

        Raises:
            OvermindError: `invalid`.
        """
        mission, parent = edit.mission, edit.mission.definition.parent
        quest = None if parent is None else self._quests.live.get(parent)
        if quest is None or not edit.gets_restarts:
            return
        name, review = mission.definition.name, None if quest.queue is None else quest.queue.review_id
        if mission.id in {quest.check_id, review} or name.rpartition("/")[2] == VERIFY:
            message = f"Mission {mission.id} ({name}) belongs to quest {quest.name}, which waits for its end"
            raise OvermindError("invalid", f"{message}: it has no restarts.")


def _restarts_itself(quest: Quest, mission: Mission) -> bool:
    """True where restarts of its mission are the retries of a quest that began at once."""
    return not quest.is_queued and quest.retries > 0 and mission.definition.restart.when is Restart.ON_FAILURE


class _MissionEdit(NamedTuple):
    """An edit of a mission: what it is, and what it gets."""

    mission: Mission
    definition: Definition
    agents: tuple[Agent | None, Agent | None]
    chosen: tuple[Mapping[str, str], Mapping[str, str]] | None

    @property
    def renames(self) -> bool:
        """True if it gets another name."""
        return self.definition.name != self.mission.definition.name

    @property
    def restarts_otherwise(self) -> bool:
        """True if it is started again at other times; its pause before that is no matter."""
        before, after = self.mission.definition.restart, self.definition.restart
        return after != replace(before, backoff=after.backoff)

    @property
    def gets_restarts(self) -> bool:
        """True for such an edit, but for one that takes away the restarts which an older daemon has let it have."""
        before, after = self.mission.definition.restart.when, self.definition.restart.when
        return self.restarts_otherwise and not (after is Restart.NEVER and before is not after)

    @property
    def changes_task(self) -> bool:
        """True if its command or its prompt is another one."""
        return self.definition.argv != self.mission.definition.argv or "prompt" in self._changed_options()

    @property
    def changes_what_runs(self) -> bool:
        """True if its next run is of something else, or elsewhere."""
        is_moved = self.definition.cwd != self.mission.definition.cwd
        is_set_otherwise = self.chosen is not None and self.chosen[0] != self.chosen[1]
        return self.changes_task or is_moved or is_set_otherwise or bool(self._changed_options())

    @property
    def changes_run(self) -> bool:
        """True if it changes anything about its next run."""
        return self.changes_what_runs or bool(self._changed_limits().keys() - {"labels"})

    def applied(self, work: StoredWork) -> StoredWork:
        """The work of its quest after the edit."""
        name = self.definition.name if self.renames else work.definition.name
        work = replace(work, definition=replace(work.definition, name=name, **self._changed_limits()))
        if work.agent is not None and (changed := self._changed_options() | self._changed_cost()):
            work = replace(work, agent=replace(work.agent, **changed))
        if self.chosen is None:
            return work
        before, after = self.chosen
        kept = {name: value for name, value in work.chosen.items() if name in after or name not in before}
        new = {name: value for name, value in after.items() if before.get(name) != value}
        return replace(work, chosen=kept | new)

    def _changed_limits(self) -> dict[str, Any]:
        before, after = self.mission.definition, self.definition
        return {name: now for name in _LIMITS if (now := getattr(after, name)) != getattr(before, name)}

    def _changed_cost(self) -> dict[str, Any]:
        changed = self._changed_limits()
        return {"max_cost": changed["max_cost"]} if "max_cost" in changed else {}

    def _changed_options(self) -> dict[str, Any]:
        """The options of its agent that are others."""
        before, after = self.agents
        if before is None or after is None:
            return {}
        names = AgentArgs.__struct_fields__
        return {name: now for name in names if (now := getattr(after, name)) != getattr(before, name)}


_LIMITS = (
    "labels",
    "restart",
    "activity_timeout",
    "stall_waiting",
    "grace",
    "stop_signal",
    "timeout",
    "leave_background",
    "max_children",
    "max_depth",
    "max_cost",
    "max_tokens",
    "columns",
    "rows",
    "notes",
)
"""Fields of a definition that say how a run is treated, and not what it runs."""


def _merged(before: Agent, given: AgentArgs | None) -> AgentArgs:
    """The options that are given, and for the others those that the agent has; the prompt is a new one."""
    default = AgentArgs()
    given = given or default
    stay = [name for name in default.__struct_fields__ if name != "prompt" and not _differs(given, default, name)]
    kept = {name: getattr(before, name) for name in stay}
    return msgspec.structs.replace(
        given, **{name: list(one) if isinstance(one, tuple) else one for name, one in kept.items()}
    )


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
