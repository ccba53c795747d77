"""What a decision entails, carried out once it is saved: start, prepare, signal or end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from overmind_core.domain.missions.facts import EndTree, Prepare, SignalTree, Spawn
from overmind_core.domain.missions.mission import Kind

if TYPE_CHECKING:
    from overmind_core.kernel.tasks import Tasks
    from overmind_core.missions.changes import EffectDue
    from overmind_core.missions.launcher import Launcher
    from overmind_core.missions.ports import PlanRunner, Preparer
    from overmind_core.missions.terminator import Terminator


class Effects:
    """Hands each effect to the part whose work it is."""

    def __init__(
        self, *, launcher: Launcher, terminator: Terminator, preparer: Preparer, plans: PlanRunner, tasks: Tasks
    ) -> None:
        self._launcher = launcher
        self._terminator = terminator
        self._preparer = preparer
        self._plans = plans
        self._tasks = tasks

    def on_effect(self, due: EffectDue) -> None:
        """A decision was saved."""
        mission, effect = due
        if mission.definition.kind is Kind.BLUEPRINT:  # it has no process: its agents have
            if isinstance(effect, Spawn):
                self._plans.begin(mission)
            return
        match effect:
            case Spawn():
                self._tasks.start(self._launcher.respawn(mission))
            case Prepare():
                self._preparer.prepare(mission.id)
            case SignalTree(signals):
                self._terminator.signal(mission, signals)
            case EndTree():
                self._terminator.terminate(mission)
