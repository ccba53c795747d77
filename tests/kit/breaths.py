"""A journal of the lives of runs: each writes again and again that it lives, so that its first and last are known.

Moments are those of the boot clock, in hundredths of a second: one clock for all processes of a machine, whatever its
clock on the wall says.
"""

from __future__ import annotations

import os
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

PERIOD = 0.05
"""Seconds between two breaths."""


class Life(NamedTuple):
    """One process that has breathed."""

    pid: int
    first: float
    last: float

    @property
    def goes_on(self) -> bool:
        """Whether the process lives."""
        return os.path.exists(f"/proc/{self.pid}")


def breathing(journal: Path) -> str:
    """Return a command that breathes into a journal until it is killed."""
    return f'while :; do echo "$$ $(cut -d" " -f1 /proc/uptime)" >> {journal}; sleep {PERIOD}; done'


def escaped(journal: Path) -> str:
    """Return a command whose double-forked child breathes into a journal, in its own session; it ignores hang-ups."""
    inner = breathing(journal).replace("'", "'\\''")
    return f"(trap '' HUP; setsid sh -c '{inner}' > /dev/null 2>&1 < /dev/null & ) & "


def lives(journal: Path) -> list[Life]:
    """Return all lives of a journal, in the order of their first breaths."""
    found: dict[int, Life] = {}
    lines = journal.read_text().splitlines() if journal.exists() else []
    for line in lines:
        pid, _, at = line.partition(" ")
        if at:
            known = found.get(int(pid), Life(int(pid), float(at), float(at)))
            found[int(pid)] = known._replace(last=float(at))
    return sorted(found.values(), key=lambda life: life.first)


def gaps(journal: Path) -> list[float]:
    """Return the seconds from the last breath of each life to the first one of the next; below 0: they overlapped."""
    return [after.first - before.last for before, after in pairwise(lives(journal))]
