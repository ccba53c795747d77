"""CPU time of the process trees of missions that are silent: what each has used since the look before."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from overmind_core.system import process_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from overmind_core.domain.missions.mission import Mission
    from overmind_core.missions.terminator import ProcessTrees
    from overmind_core.system.process import Identity


class _Look(NamedTuple):
    at: float
    """Monotonic seconds."""
    used: tuple[tuple[Identity, float], ...]
    """CPU seconds of each process since it began; most missions are one process, for which a dict is large."""


class TreeCpu:
    """Remembers one look at each mission that was silent at the last one; the others cost nothing."""

    def __init__(self, trees: ProcessTrees) -> None:
        self._trees = trees
        self._looks: dict[str, _Look] = {}
        """By run."""

    async def percent(self, missions: Sequence[Mission], now: float) -> dict[str, float]:
        """Percent of one core that each tree has used since it was looked at before, by mission.

        One that was not is left out, as there is nothing to compare with; so is one that has no process. What began
        since then counts whole: a build that starts a compiler a second is busy, though none of them lives long.

        Raises:
            OSError: the machine can't be looked at just now.
        """
        targets = {one.id: target for one in missions if (target := self._trees.target(one)) is not None}
        before, self._looks = self._looks, {}
        if not targets:
            return {}
        trees = await self._trees.identities(list(targets.values()))
        used = await self._trees.in_thread(partial(_used, set().union(*trees.values())))
        found = {}
        for mission, target in targets.items():
            look = _Look(now, tuple((one, used[one]) for one in trees[target.run] if one in used))
            self._looks[target.run] = look
            earlier = before.get(target.run)
            if earlier is not None and now > earlier.at:
                known = dict(earlier.used)
                seconds = sum(max(since - known.get(one, 0.0), 0.0) for one, since in look.used)
                found[mission] = round(100 * seconds / (now - earlier.at), 1)
        return found


def _used(processes: Iterable[Identity]) -> dict[Identity, float]:
    """CPU seconds of each process that is still there. Reads many files: for a thread."""
    found = {}
    for identity in processes:
        usage = process_table.usage(identity[0])
        if usage is not None:
            found[identity] = usage[0]
    return found
