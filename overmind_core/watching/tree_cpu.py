"""CPU time of the process trees of missions that are silent: what each has used since the look before."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from overmind_core.system import process_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from overmind_core.domain.missions.mission import Mission
    from overmind_core.missions.process_trees import ProcessTrees
    from overmind_core.missions.tree_members import Identities
    from overmind_core.system.process import Identity


class _Look(NamedTuple):
    processes: Identities
    used: tuple[float | None, ...]
    """CPU seconds of each of them since it began; None: it has ended. Most missions are one process, for which a dict
    is large."""


class TreeCpu:
    """Remembers one look at each mission that was silent at the last one; the others cost nothing."""

    def __init__(self, trees: ProcessTrees) -> None:
        self._trees = trees
        self._looks: dict[str, _Look] = {}
        """By run."""
        self._looked_at = 0.0
        """Monotonic seconds."""

    async def percent(self, missions: Sequence[Mission], now: float) -> dict[str, float]:
        """Percent of one core that each tree has used since it was looked at before, by mission.

        One that was not is left out, as there is nothing to compare with; so is one that has no process. What began
        since then counts whole: a build that starts a compiler a second is busy, though none of them lives long.

        Raises:
            OSError: the machine can't be looked at just now.
        """
        targets = {one.id: target for one in missions if (target := self._trees.target(one)) is not None}
        before, self._looks = self._looks, {}
        elapsed, self._looked_at = now - self._looked_at, now
        if not targets:
            return {}
        trees = await self._trees.identities(list(targets.values()))
        resting = {run for run, found in trees.items() if run in before and before[run].processes is found}
        used = await self._trees.in_thread(
            partial(_used, [one for run, found in trees.items() if run not in resting for one in found])
        )
        found = {}
        for mission, target in targets.items():
            run, earlier = target.run, before.get(target.run)
            if earlier is not None and run in resting:
                self._looks[run], seconds = earlier, 0.0
            else:
                self._looks[run] = look = _Look(trees[run], tuple(map(used.get, trees[run])))
                seconds = 0.0 if earlier is None else _seconds_between(earlier, look)
            if earlier is not None and elapsed > 0:
                found[mission] = round(100 * seconds / elapsed, 1)
        return found


def _used(processes: Iterable[Identity]) -> dict[Identity, float]:
    """CPU seconds of each process that is still there. Reads many files: for a thread."""
    found = {}
    for identity in processes:
        usage = process_table.usage(identity[0])
        if usage is not None:
            found[identity] = usage[0]
    return found


def _seconds_between(earlier: _Look, later: _Look) -> float:
    """CPU seconds that those of the later look have used since the earlier one."""
    known = dict(zip(earlier.processes, earlier.used, strict=True))
    pairs = zip(later.processes, later.used, strict=True)
    return sum(max(used - (known.get(one) or 0.0), 0.0) for one, used in pairs if used is not None)
