"""The processes of runs, remembered from look to look: most missions are idle, and a look at the machine is dear.

A process gets children and threads only by running. So where no process of a tree has run since it was found, the tree
is what it was then, and has used no CPU time. What the kernel counts for each tells that at a tenth of the cost.

Of a tree that has run, the known processes are asked for their children. What has left its parent comes to the keeper:
only when the keeper has adopted somebody new is the whole machine looked at, or now and then, for what else there is.
"""

from __future__ import annotations

import time
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple

from overmind_core.system import process_table
from overmind_core.system.process import Identity

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from overmind_core.system.membership import ProcessFacts, RunTarget
    from overmind_core.system.process import Process
    from overmind_core.system.sweep import Sweep

Identities = tuple[Identity, ...]
RESCAN_SECONDS = 30.0
"""After so long a tree that runs is looked for on the whole machine again."""


class _Look(NamedTuple):
    """A look at the whole machine, for some runs."""

    at: float
    """On the monotonic clock, in seconds."""
    orphans: frozenset[int] | None
    """The pids that the keeper had adopted just before; None: it adopts nobody, so that only a look can tell."""
    is_closed: bool
    """Whether nothing was left alone: it may come to be a run's, and it tells nobody."""


class _Tree(NamedTuple):
    """The processes of a run, as they were found."""

    identities: Identities
    statistics: tuple[bytes, ...] | None
    """Of each of them, read before it was found; None: whether they have run since can't be told."""
    look: _Look
    """The last one at the whole machine that was also for this run."""


class TreeMembers:
    """The process trees of runs. Its functions block, for worker threads."""

    def __init__(
        self,
        sweep: Callable[[Sequence[RunTarget]], Sweep],
        is_newest: Callable[[str], bool],
        orphans: Callable[[], frozenset[int] | None],
        facts: ProcessFacts,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Know of no process yet.

        Args:
            sweep: Of some runs.
            is_newest: Whether a run, given by its id, may be asked for again.
            orphans: The pids of the keeper's children that it has adopted; None: nobody comes to it.
            facts: Asked about single processes.
            clock: Monotonic seconds.
        """
        self._sweep = sweep
        self._is_newest = is_newest
        self._orphans = orphans
        self._facts = facts
        self._clock = clock
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
            awake = [target.run for target in targets if not self._rests(target.run, statistics)]
            if awake and not self._follow(awake, statistics):
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

    def _follow(self, runs: Sequence[str], statistics: Mapping[int, bytes]) -> bool:
        """Find what has come to known trees from what is known of them; False: that does not tell enough."""
        orphans, oldest = self._orphans(), self._clock() - RESCAN_SECONDS
        if orphans is None:
            return False
        trees = [self._trees.get(run) for run in runs]
        for tree in trees:
            if tree is None or tree.look.at < oldest or tree.look.orphans is None or orphans - tree.look.orphans:
                return False
        for run in runs:
            tree = self._trees[run]
            processes = self._below(tree.identities)
            known = _statistics(processes, statistics) if tree.look.is_closed else None
            self._trees[run] = tree._replace(identities=tuple(one.identity for one in processes), statistics=known)
        return True

    def _below(self, identities: Identities) -> list[Process]:
        """Those of these processes that live, and what is below them."""
        found: dict[int, Process] = {}
        todo = [(pid, ticks) for pid, ticks in reversed(identities)]
        known = frozenset(identities)
        while todo:
            pid, ticks = todo.pop()
            process = None if pid in found else process_table.read(pid)
            if process is None or process.dead or ticks not in {0, process.ticks}:
                continue
            if process.identity in known or not self._is_left_alone(process):
                found[pid] = process
                todo += [(child, 0) for child in process_table.children(pid)]
        return list(found.values())

    def _is_left_alone(self, process: Process) -> bool:
        return self._facts.is_exempt(process) or self._facts.holds_lock(process)

    def _look(self, targets: Sequence[RunTarget], statistics: Mapping[int, bytes]) -> None:
        """Find the processes of all of them: what nothing explains is judged by what else there is."""
        at, orphans = self._clock(), self._orphans()
        sweep = self._sweep(targets)
        found = sweep.processes()
        # What one of these leaves behind may come to be a run's, and it tells nobody.
        look = _Look(at, orphans, is_closed=not sweep.spared and not sweep.foreign)
        trees = {run: tree for run, tree in self._trees.items() if self._is_newest(run)}
        for run, processes in found.items():
            tree = trees.get(run)
            if tree is None or not self._rests(run, statistics) or not _is_of(tree, processes):
                known = _statistics(processes, statistics) if look.is_closed else None
                trees[run] = _Tree(tuple(one.identity for one in processes), known, look)
            else:
                trees[run] = tree._replace(look=look, statistics=tree.statistics if look.is_closed else None)
        self._trees = trees


def _is_of(tree: _Tree, processes: Collection[Process]) -> bool:
    return set(tree.identities) == {one.identity for one in processes}


def _statistics(processes: Sequence[Process], known: Mapping[int, bytes]) -> tuple[bytes, ...] | None:
    """The statistics of these, in their order; None where one has none, or has threads, of which the kernel tells less.

    One that was not known before the look may have started another one since, which the look has missed.
    """
    found = tuple(known.get(one.pid, b"") for one in processes)
    return found if found and all(found) and all(one.threads == 1 for one in processes) else None
