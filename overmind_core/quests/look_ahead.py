"""A look ahead: what the first attempts of the next quests begin with, worked out while nobody waits.

Only where nothing that is not known yet can change it: what an attempt gets of other quests, of its spec or of an agent
is known when its turn has come. Nothing of this is saved, and nothing is made: what is not used is forgotten.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from overmind_core.domain.agents.agent import RAW
from overmind_core.domain.quests import briefing
from overmind_core.domain.quests.life import has_landed_nothing
from overmind_core.domain.quests.variables import variables
from overmind_core.domain.text.bytestrings import to_wire
from overmind_core.missions.spec import Environment, MissionSpec
from overmind_core.quests.input_folder import attempt_folders

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from overmind_core.domain.quests.quest import Goal, Quest
    from overmind_core.quests.registry import QuestRegistry
    from overmind_core.quests.store import StoredWork
    from overmind_core.system.paths import Home

KEPT = 8
"""Quests of which it is remembered, until their turn comes."""


class Beginning(NamedTuple):
    """What the first attempt of a quest begins with."""

    quest: Quest
    """As it stands in the registry. Whatever of it is edited, its work too, makes it another object."""
    files: Mapping[str, bytes]
    """Of its input folder."""
    spec: MissionSpec


class LookAhead:
    """Used from the loop's thread only."""

    def __init__(self, quests: QuestRegistry, home: Home) -> None:
        self._quests = quests
        self._home = home
        self._known: dict[str, Beginning] = {}

    def look(self, quests: Iterable[Quest]) -> None:
        """These may begin soon."""
        for quest in quests:
            known = self._known.get(quest.id)
            if known is not None and known.quest is quest:
                continue
            self._known.pop(quest.id, None)
            made = self._beginning(quest)
            if made is not None:
                self._known[quest.id] = made
        while len(self._known) > KEPT:  # the oldest one waits for something else, or for nothing more
            del self._known[next(iter(self._known))]

    def take(self, quest: Quest) -> Beginning | None:
        """What a quest begins with whose turn has come, once; None: that has to be worked out."""
        known = self._known.pop(quest.id, None)
        return known if known is not None and known.quest is quest and self._gets_nothing(quest.goal) else None

    def _beginning(self, quest: Quest) -> Beginning | None:
        goal, queue = quest.goal, quest.queue
        if goal is None or queue is None or queue.tries or quest.provider != RAW:
            return None
        elsewhere = queue.spec is not None or queue.source is not None or queue.post is not None
        if elsewhere or not self._gets_nothing(goal):
            return None
        stored = self._quests.work(quest.id)
        if stored is None:
            return None
        brief = briefing.Briefing(goal.title, goal.brief, feedback=queue.feedback, expects=goal.outputs)
        folders = attempt_folders(self._home, quest.id)
        given = variables(inputs=to_wire(folders.inputs), outputs=to_wire(folders.outputs), quest=quest.id, attempt=1)
        return Beginning(quest, briefing.files(brief), first_spec(quest, stored, self._quests, given))

    def _gets_nothing(self, goal: Goal | None) -> bool:
        """Whether none of those that it needs hands anything on to it, or is to be told of."""
        needed = map(self._quests.get, () if goal is None else goal.needs)
        return all(one is None or _hands_on_nothing(one) for one in needed)


def _hands_on_nothing(quest: Quest) -> bool:
    is_silent = quest.provider == RAW and not has_landed_nothing(quest)
    return is_silent and (quest.goal is None or not quest.goal.outputs)


def first_spec(quest: Quest, stored: StoredWork, quests: QuestRegistry, given: Mapping[str, str]) -> MissionSpec:
    """What the mission of a quest is started with; `given`: the variables of its first attempt."""
    environment = Environment(quests.shared(stored.shared), {**stored.chosen, **given})
    return MissionSpec(
        stored.definition, environment, stored.agent, stored.isolate, stored.base, request=f"quest:{quest.id}"
    )
