"""Whether a file in git from which an agent was taken is trusted at this hive: it runs commands, like a project's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from overmind_core.errors import OvermindError

if TYPE_CHECKING:
    from collections.abc import Callable

    from overmind_core.domain.plans.genome import Genome
    from overmind_core.isolation.store import TrustTable


class GenomeTrust:
    """Used from the loop's thread. `flush`: writes what is not written yet."""

    def __init__(self, trust_table: TrustTable, flush: Callable[[], None]) -> None:
        self._trust_table = trust_table
        self._flush = flush

    def check(self, genome: Genome) -> None:
        """Refuse a file that nobody here has trusted as it is.

        Raises:
            OvermindError: `untrusted_project`.
        """
        self._flush()
        trusted = self._trust_table.sum_of(genome.file)
        if trusted == genome.sha256:
            return
        why = "is not trusted here yet" if trusted is None else "has changed since it was trusted here"
        raise OvermindError(
            "untrusted_project",
            f"{genome.file} {why}, and it runs commands. Review and trust it: overmind trust '{genome}'",
            genome=str(genome),
            path=genome.file,
            sha256=genome.sha256,
            commands=list(genome.commands),
            changed=trusted is not None,
        )
