"""What an agent's activity means for its mission: its silence is no silence while it waits, and who looks is woken."""

from __future__ import annotations

from typing import TYPE_CHECKING

from overmind_core.domain.agents.agent import Activity, ActivityKind
from overmind_core.domain.missions import restart_policy
from overmind_core.domain.missions.mission import Kind, Mission, Status

if TYPE_CHECKING:
    from overmind_core.missions.followers import Followers
    from overmind_core.missions.output_progress import OutputProgress
    from overmind_core.missions.registry import Registry
    from overmind_core.system.machine import Clock

_HELD = frozenset({ActivityKind.WAITING, ActivityKind.LIMITED})
"""What is no silence: a person or a limit is waited for."""


class ActivityEffects:
    """Told of each change of an agent's activity."""

    def __init__(self, registry: Registry, clock: Clock, progress: OutputProgress, followers: Followers) -> None:
        self._registry = registry
        self._clock = clock
        self._progress = progress
        self._followers = followers

    def on_change(self, mission: Mission, before: Activity, activity: Activity) -> None:
        """The agent of a live mission does something else now, or for another reason."""
        if (activity.doing, activity.need) != (before.doing, before.need):
            self.hold_clock(mission, activity)
        self._followers.changed(mission)

    def hold_clock(self, mission: Mission, activity: Activity) -> None:
        """Have the silence of a mission that runs count or not, as its activity and its definition are now.

        A thaw, the end of a full disk and another definition change that as well, though the activity stays.
        """
        if mission.status is not Status.RUNNING:
            return
        last = self._progress.of(mission.run_id).last
        if _waits(mission, activity):
            # That it waits it has said itself, which ends its silence.
            moved = restart_policy.hold(mission, max(last, mission.quiet_since_mono))
        elif mission.reason is not None:  # its output is held back
            moved = restart_policy.hold(mission, self._clock.mono())
        else:
            moved = restart_policy.unhold(mission, last, self._clock.mono())
        if moved != mission:
            self._registry.put(moved)


def _waits(mission: Mission, activity: Activity) -> bool:
    """Return whether it waits for a person or a limit, which is no silence, unless it was said to be."""
    definition = mission.definition
    if not definition.activity_timeout or definition.stall_waiting:
        return False
    # An idle session waits for a person's next message; an agent with one prompt gets none, and should have ended.
    is_free = activity.doing is ActivityKind.IDLE and definition.kind is Kind.SESSION
    return is_free or activity.doing in _HELD
