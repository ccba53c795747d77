"""The protocol of all engines of pools. Its functions wait for programs: a thread's work.

No policy: the number of instances is decided above.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from overmind_core.domain.swarm.pools import COMMAND, KUBERNETES, RAY, SLURM, PoolSettings
from overmind_core.pool_engines.command import CommandEngine
from overmind_core.pool_engines.kubernetes import KubernetesEngine
from overmind_core.pool_engines.program import EngineSilent, SeenInstance
from overmind_core.pool_engines.ray import RayEngine
from overmind_core.pool_engines.slurm import SlurmEngine


class Engine(Protocol):
    """Another engine that gives machines; it knows them by names that tell swarms apart, see `name_at_engine`."""

    def start(self, instance: str, command: Sequence[str]) -> str:
        """Ask for an instance; return what the engine calls it. One of that name that it knows already is that one.

        Args:
            instance: Its name, by which it is found again.
            command: The words of `overmind hive serve …`, and nothing secret.

        Raises:
            EngineSilent: it isn't installed, doesn't answer, or refuses; it may have started it all the same.
        """

    def seen(self) -> Sequence[SeenInstance]:
        """Return the instances of this account that the engine knows; those that ended as long as it remembers them.

        Some may be of other pools, or of nobody's: whoever asks knows its own by their names.

        Raises:
            EngineSilent: it isn't installed, or doesn't answer.
        """

    def end(self, seen: SeenInstance) -> None:
        """Cancel an instance; one that is gone already is fine.

        Raises:
            EngineSilent: it isn't installed, doesn't answer, or refuses.
        """

    def gate(self, seen: SeenInstance) -> list[str] | None:
        """Return the words of a command that runs a gate there; None: it is reached through the swarm only."""


def engine_of(settings: PoolSettings) -> Engine:
    """Return the engine of a pool; nothing is asked of it yet."""
    return _ENGINES[settings.engine](settings)


_ENGINES: Mapping[str, Callable[[PoolSettings], Engine]] = {
    SLURM: SlurmEngine,
    RAY: RayEngine,
    KUBERNETES: KubernetesEngine,
    COMMAND: CommandEngine,
}

__all__ = ["Engine", "EngineSilent", "SeenInstance", "engine_of"]
