"""Ends runs with everything they started: stop it all, then kill it all, then look until nobody is left.

All functions block and are made for a worker thread. Several runs share each look at the machine. What was ever seen to
belong to a run stays its own, so keep the `Sweep` from the first signal to the end. An empty look proves nothing about
a chain of processes that fork and exit faster than a look takes: at the end the keeper, who adopts each of them, hunts
them down (`purge`), or, when the keeper is dead, this process does what it can (system/hunt.py).
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import NamedTuple

from overmind_core.system.hunt import hunt
from overmind_core.system.membership import Found, Target, members
from overmind_core.system.process import Identity, Process, Snapshot
from overmind_core.system.processtree import Machine, machine

Purge = Callable[[Sequence[str], Collection[int]], Mapping[str, Sequence[int]]]
"""Has the keeper end the orphans of these runs, but for the pids to be spared.

Returns the pids that would not die, by run. Called only when the keeper lives.
"""

LIMIT = 5.0
"""Seconds after the first SIGKILL until survivors are named."""
FREEZE = 0.4
"""Seconds after which to stop no more: a storm takes half of that, a chain never stands still."""
EMPTY = 2
"""Looks in a row that must find nobody."""
PAUSES = (0.0, 0.001, 0.002, 0.005, 0.01, 0.01, 0.02, 0.02, 0.05)
"""Seconds between looks while the killed are dying. Who is still there after the last one is stuck, or a chain."""


class Named(NamedTuple):
    """A process as people know it."""

    pid: int
    command: str


class Sweep:
    """The processes of some runs of one keeper."""

    def __init__(
        self,
        targets: Sequence[Target],
        *,
        keeper: int | None,
        on: Machine | None = None,
        seen: dict[str, set[Identity]] | None = None,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        """Look at nothing yet.

        Args:
            targets: the runs.
            keeper: the pid of the keeper that holds them, None when it is dead.
            on: the machine; `machine(leave)` with the list of programs to leave alone.
            seen: what belonged to the runs in earlier sweeps, by run; added to here.
            clock: monotonic seconds.
            pause: sleeps for so many seconds.
        """
        self.targets = targets
        self.keeper = keeper
        self._machine = machine() if on is None else on
        self._clock = clock
        self._pause = pause
        self._seen = {} if seen is None else seen
        for target in targets:
            self._seen.setdefault(target.run, set())
        self._snapshot = Snapshot({})
        self.spared: set[int] = set()
        """Whom the newest look found, and left alone (a program of the list `leave`, a daemon of ours)."""

    def alive(self) -> dict[str, set[int]]:
        """The pids that live, by run. An empty set proves nothing yet: `end` does."""
        return self._look().members

    def identities(self) -> dict[str, set[Identity]]:
        """The processes that live, by run."""
        found = self._look().members
        return {run: {self._snapshot.processes[pid].identity for pid in pids} for run, pids in found.items()}

    def signal_tree(self, signals: Sequence[int]) -> dict[str, set[int]]:
        """Send each of `signals`, in this order, to all processes; return their pids by run."""
        found = self._look()
        for number in signals:
            for process in self._all(found):
                self._machine.send(process, number)
        return found.members

    def dismiss(self, signals: Sequence[int]) -> dict[str, list[Named]]:
        """`signal_tree` for those who have outlived their run; return who they were."""
        found = self._look()
        named = self._named(found.members)
        for number in signals:
            for process in self._all(found):
                self._machine.send(process, number)
        return named

    def freeze(self) -> dict[str, set[int]]:
        """Stop all, until nobody new is found; return the pids by run. Who was stopped before stays so."""
        return self._each_once(signal.SIGSTOP).members

    def thaw(self) -> dict[str, set[int]]:
        """Let all go on, also what somebody else had stopped; return the pids by run."""
        return self._each_once(signal.SIGCONT).members

    def end(self, *, purge: Purge | None = None, limit: float = LIMIT) -> dict[str, list[Named]]:
        """Kill all of them.

        Args:
            purge: how to reach the keeper; None when it is dead.
            limit: seconds until survivors are named.

        Returns:
            Who would not die, by run, only runs that have some; empty = nothing of these runs exists.
        """
        deadline = self._clock() + limit
        while True:
            self._each_once(signal.SIGSTOP)
            found = self._kill(deadline)
            stubborn = self._flush(purge, found.spared)
            found = self._look()
            if not any(found.members.values()) and not any(stubborn.values()):
                return {}
            if self._clock() >= deadline:
                return self._survivors(found, stubborn)

    def _look(self) -> Found:
        self._snapshot = self._machine.scan()
        found = members(
            self._snapshot, self.targets, self._machine, keeper=self.keeper, ours=os.getpid(), seen=self._seen
        )
        for run, pids in found.members.items():
            self._seen[run].update(self._snapshot.processes[pid].identity for pid in pids)
        self.spared = found.spared
        return found

    def _all(self, found: Found) -> list[Process]:
        """Oldest first, so that parents are stopped before their children."""
        processes = (self._snapshot.processes[pid] for pids in found.members.values() for pid in pids)
        return sorted(processes, key=lambda process: (process.ticks, process.pid))

    def _each_once(self, number: int) -> Found:
        """Signal everybody once, until a look finds nobody new or `FREEZE` is over.

        A fork fails while a signal is pending, so who was stopped before a look has no child that this look misses.
        """
        done: set[Identity] = set()
        end = self._clock() + FREEZE
        while True:
            found = self._look()
            new = [process for process in self._all(found) if process.identity not in done]
            if not new or self._clock() >= end:
                return found
            for process in new:
                self._machine.send(process, number)
                done.add(process.identity)

    def _kill(self, deadline: float) -> Found:
        """SIGKILL whom each look finds, until some in a row find nobody, or looking longer won't help."""
        empty = 0
        found = self._look()
        for pause in PAUSES:
            for process in self._all(found):
                self._machine.send(process, signal.SIGKILL)
            empty = 0 if any(found.members.values()) else empty + 1
            if empty >= EMPTY or self._clock() >= deadline:
                break
            self._pause(pause)
            found = self._look()
        return found

    def _flush(self, purge: Purge | None, spared: Collection[int]) -> Mapping[str, Sequence[int]]:
        """End what no look can catch; return the pids that would not die, by run."""
        if purge is not None:
            return purge([target.run for target in self.targets], spared)
        if self.keeper is None:
            hunt(self.targets, self._snapshot, self._machine, spared=spared, clock=self._clock)
        return {}

    def _survivors(self, found: Found, stubborn: Mapping[str, Sequence[int]]) -> dict[str, list[Named]]:
        return self._named({run: pids | set(stubborn.get(run, ())) for run, pids in found.members.items()})

    def _named(self, members: Mapping[str, Collection[int]]) -> dict[str, list[Named]]:
        return {run: [self._name(pid) for pid in sorted(pids)] for run, pids in members.items() if pids}

    def _name(self, pid: int) -> Named:
        process = self._snapshot.processes.get(pid)
        return Named(pid, self._machine.command(process) if process else "")
