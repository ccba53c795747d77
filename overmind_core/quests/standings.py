"""How missions stand by their quests, for all that tell of missions: see `domain.quests.standing`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from overmind_core.domain.quests.standing import standing_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from overmind_core.domain.missions.mission import Mission
    from overmind_core.domain.missions.standing import WorkStanding
    from overmind_core.quests.registry import QuestRegistry


class QuestStandings:
    """Reads the quests of missions: unfinished ones from memory, ended ones from the store, all at once."""

    def __init__(self, quests: QuestRegistry, in_the_way: Callable[[str], str]) -> None:
        """Connect them.

        Args:
            quests: The registry.
            in_the_way: Returns what the landing of the quest with an id waits for, as far as it was seen.
        """
        self._quests = quests
        self._in_the_way = in_the_way

    def of(self, missions: Sequence[Mission]) -> Mapping[str, WorkStanding]:
        """How those stand whose quest says it, by the mission's id."""
        ended = [one for one in missions if not one.is_live]
        quests = self._quests.by_ids({quest_id for one in ended for quest_id in _quests_of(one)})
        found: dict[str, WorkStanding] = {}
        for mission in ended:
            quest = next((quests[quest_id] for quest_id in _quests_of(mission) if quest_id in quests), None)
            standing = None if quest is None else standing_of(quest, mission, self._in_the_way(quest.id))
            if standing is not None:
                found[mission.id] = standing
        return found


def _quests_of(mission: Mission) -> tuple[str, ...]:
    """The ids that its quest may have: its own, or for a check and a review that of the work above it."""
    parent = mission.definition.parent
    return (mission.id,) if parent is None else (mission.id, parent)
