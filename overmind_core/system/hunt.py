"""Ends chains of processes after their keeper was killed: they pass through another process' hands then.

Whoever adopts the orphans now (the first process, a user's service manager) lists each generation among its children. A
chain's generations live for less than a millisecond, so this looks at nothing else until it has been quiet for a while.
Best effort: it needs marks, and never catches up with an adopter that has thousands of children.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from overmind_core.system.marks import mark_of
from overmind_core.system.membership import Target
from overmind_core.system.process import Snapshot
from overmind_core.system.processtree import Machine, children, read

QUIET = 0.1
"""Seconds without anybody new that prove the end."""
LIMIT = 2.0
"""Seconds after which the hunt gives up."""


def hunt(
    targets: Sequence[Target],
    snapshot: Snapshot,
    machine: Machine,
    *,
    spared: Collection[int],
    clock: Callable[[], float] = time.monotonic,
) -> int:
    """Kill what wears a mark of `targets` as soon as it is adopted, but for `spared`; return how many came by."""
    marks = {target.mark: target for target in targets if target.mark}
    adopters = [1, *snapshot.ancestors(os.getpid())] if marks else []
    met = set(spared)
    began = sign = clock()
    while adopters and (now := clock()) - sign < QUIET and now - began < LIMIT:
        for pid, target in _marked(adopters, marks):
            if pid not in met and _end(pid, target, machine):
                sign = clock()
            met.add(pid)
    return len(met) - len(set(spared))


def _marked(adopters: Sequence[int], marks: Mapping[int, Target]) -> Iterator[tuple[int, Target]]:
    """The adopted that wear one of `marks`, newest first."""
    for adopter in dict.fromkeys(adopters):
        for pid in reversed(children(adopter)):
            target = marks.get(mark_of(pid))
            if target is not None:
                yield pid, target


def _end(pid: int, target: Target, machine: Machine) -> bool:
    """Kill `pid` if it is that run's, as membership.py has it; return whether it is, dead or alive."""
    process = read(pid)
    if process is None or process.ticks < target.root_ticks:
        return False
    if machine.origin(process)[1] not in {b"", os.fsencode(target.home)} or machine.holds_lock(process):
        return False
    machine.send(process, signal.SIGKILL)
    return True
