"""The processes of runs, remembered from look to look: most missions are idle, and a look at the machine is dear.

A process gets children and threads only by running. So where no process of a tree has run since it was found, the tree
is what it was then, and has used no CPU time. What the kernel counts for each tells that at a tenth of the cost.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, NamedTuple

from overmind_core.system import process_table
from overmind_core.system.process import Identity

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from overmind_core.system.membership import RunTarget
    from overmind_core.system.process import Process
    from overmind_core.system.sweep import Sweep

Identities = tuple[Identity, ...]


class _Tree(NamedTuple):
    """The processes of a run, as they were found."""

    identities: Identities
    statistics: tuple[bytes, ...] | None
    """Of each of them, read before it was found; None: whether they have run since can't be told."""


class TreeMembers:
    """The process trees of runs. Its functions block, for worker threads."""

    def __init__(self, sweep: Callable[[Sequence[RunTarget]], Sweep], is_newest: Callable[[str], bool]) -> None:
        """`sweep`: of some runs; `is_newest`: whether a run, given by its id, may be asked for again."""
        self._sweep = sweep
        self._is_newest = is_newest
        self._trees: dict[str, _Tree] = {}
        """By run."""
        self._lock = Lock()

    def of(self, targets: Sequence[RunTarget]) -> Mapping[str, Identities]:
        """The processes of each run, by run; the very same object as before while none of them has run since.

        Raises:
            OSError: the machine can't be looked at just now.
        """
        with self._lock:
            statistics = self._read_statistics(targets)
            if not all(self._rests(target.run, statistics) for target in targets):
                self._look(targets, statistics)
            return {target.run: self._trees[target.run].identities for target in targets}

    def _read_statistics(self, targets: Sequence[RunTarget]) -> dict[int, bytes]:
        """Of the processes that are known, by pid: of a run that is asked for the first time, that is the root."""
        found = {}
        for target in targets:
            tree = self._trees.get(target.run)
            pids = (target.root_pid,) if tree is None else (identity[0] for identity in tree.identities)
            for pid in pids:
                found[pid] = process_table.run_statistics(pid)
        return found

    def _rests(self, run: str, statistics: Mapping[int, bytes]) -> bool:
        """Whether no process of the run has run since they were found."""
        tree = self._trees.get(run)
        if tree is None or tree.statistics is None:
            return False
        known = zip(tree.identities, tree.statistics, strict=True)
        return all(statistics[identity[0]] == before for identity, before in known)

    def _look(self, targets: Sequence[RunTarget], statistics: Mapping[int, bytes]) -> None:
        """Find the processes of all of them: what nothing explains is judged by what else there is."""
        sweep = self._sweep(targets)
        found = sweep.processes()
        # What one of these leaves behind may come to be a run's, and it tells nobody.
        is_closed = not sweep.spared and not sweep.foreign
        trees = {run: tree for run, tree in self._trees.items() if self._is_newest(run)}
        for run, processes in found.items():
            tree = trees.get(run)
            if tree is None or not self._rests(run, statistics) or not _is_of(tree, processes):
                known = _statistics(processes, statistics) if is_closed else None
                trees[run] = _Tree(tuple(one.identity for one in processes), known)
            elif not is_closed:
                trees[run] = tree._replace(statistics=None)
        self._trees = trees


def _is_of(tree: _Tree, processes: Collection[Process]) -> bool:
    return set(tree.identities) == {one.identity for one in processes}


def _statistics(processes: Sequence[Process], known: Mapping[int, bytes]) -> tuple[bytes, ...] | None:
    """The statistics of these, in their order; None where one has none, or has threads, of which the kernel tells less.

    One that was not known before the look may have started another one since, which the look has missed.
    """
    found = tuple(known.get(one.pid, b"") for one in processes)
    return found if found and all(found) and all(one.threads == 1 for one in processes) else None
