"""How missions stand by the work that they are a part of, whoever runs that: quests and plans say it together."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from overmind_core.domain.missions.mission import Mission
    from overmind_core.domain.missions.standing import WorkStanding
    from overmind_core.missions.ports import Standings


class JoinedStandings:
    """Asks each of those that run missions; a mission is part of one work at the most."""

    def __init__(self, *runners: Standings) -> None:
        self._runners = runners

    def of(self, missions: Sequence[Mission]) -> Mapping[str, WorkStanding]:
        """How the ended ones stand, by id; a mission that stands as it says itself is not among them."""
        found: dict[str, WorkStanding] = {}
        for runner in self._runners:
            found |= runner.of(missions)
        return found
