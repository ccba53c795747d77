"""The protocol of all engines of pools. Its functions wait for programs: a thread's work.

No policy: the number of instances is decided above.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from overmind_core.domain.swarm.pools import KUBERNETES, RAY, SLURM, PoolSettings
from overmind_core.pool_engines.program import EngineSilent, SeenInstance


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

    def alive(self) -> Sequence[SeenInstance]:
        """As `seen`, but without asking for those that ended, which may take another program.

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
    """Return the engine of a pool; nothing is asked of it yet, and none of the others is loaded."""
    if settings.engine == SLURM:
        from overmind_core.pool_engines.slurm import SlurmEngine  # noqa: PLC0415 - a command needs one of them alone

        return SlurmEngine(settings)
    if settings.engine == KUBERNETES:
        from overmind_core.pool_engines.kubernetes import KubernetesEngine  # noqa: PLC0415 - as above

        return KubernetesEngine(settings)
    if settings.engine == RAY:
        from overmind_core.pool_engines.ray import RayEngine  # noqa: PLC0415 - as above

        return RayEngine(settings)
    from overmind_core.pool_engines.command import CommandEngine  # noqa: PLC0415 - as above

    return CommandEngine(settings)


__all__ = ["Engine", "EngineSilent", "SeenInstance", "engine_of"]
