"""Which runs of a ritual are remembered: the newest; with the others goes what they started."""

from __future__ import annotations

from typing import TYPE_CHECKING

from overmind_core.domain.ritual import OPEN, UNBEGUN, Ritual, RitualRun
from overmind_core.supervisor.retention import remove

if TYPE_CHECKING:
    from collections.abc import Sequence

    from overmind_core.supervisor.core import Supervisor


def beyond(runs: Sequence[RitualRun], keep: int) -> list[RitualRun]:
    """Return those of `runs`, oldest first, that are not kept: of the ended ones, and of those that never began."""
    ended = [run for run in runs if run.status not in OPEN]
    kinds = ([run for run in ended if (run.status in UNBEGUN) is unbegun] for unbegun in (True, False))
    return [run for alike in kinds for run in alike[: max(0, len(alike) - keep)]]


async def tidy(core: Supervisor, ritual: Ritual) -> None:
    """Forget the oldest runs beyond those that are kept, with their quests, missions and logs."""
    for run in beyond(core.rituals.register.runs(ritual), ritual.keep):
        await _forget(core, run)


async def _forget(core: Supervisor, run: RitualRun) -> None:
    mission = run.mission
    if mission is not None:
        quest = core.quests.get(mission)
        if quest is not None and quest.runs:  # somebody has started it again
            return
        parts = [mission, *(row.id for row in core.state.missions.children(mission))]
        await remove(core, [one for one in parts if (known := core.book.get(one)) is not None and not known.is_live])
        core.ledger.save(lambda: core.state.quests.remove([mission]))
    core.ledger.save(lambda: core.state.rituals.remove_run(run.ritual, run.number))
