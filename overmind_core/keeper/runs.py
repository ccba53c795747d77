"""Every run that the keeper holds: by id, by pid, and in the order in which they last changed."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from overmind_core.keeper.child import Child

FILES_ON_TERMINAL = 4
"""Descriptors of a run: terminal, log, index, and one to spare for an input pipe."""
FILES_ON_PIPES = 6
"""Three pipes, two logs, index."""
RESERVED_FILES = 64
"""Descriptors for everything else: clients, locks, journals."""


class Runs:
    """The collection; says nothing to anybody."""

    __slots__ = ("_by_id", "_changes", "by_pid", "files", "seq")

    def __init__(self) -> None:
        self._by_id: dict[str, Child] = {}
        self._changes: dict[str, tuple[int, Child]] = {}
        self.by_pid: dict[int, Child | None] = {}
        """Pids that were started here and not reaped yet; None for a daemon."""
        self.files = RESERVED_FILES
        """Descriptors that the runs may need in all."""
        self.seq = 0
        """Number of the newest change."""

    def __len__(self) -> int:
        return len(self._by_id)

    def __iter__(self) -> Iterator[Child]:
        return iter(tuple(self._by_id.values()))

    def get(self, run: str) -> Child | None:
        """The run with this id, as long as it is held."""
        return self._by_id.get(run)

    def add(self, child: Child) -> None:
        """Hold a new run."""
        self._by_id[child.run] = child
        self.by_pid[child.pid] = child
        self.files += _files(child)
        self.touch(child)

    def remove(self, child: Child) -> None:
        """Hold a run no longer."""
        del self._by_id[child.run]
        del self._changes[child.run]
        self.files -= _files(child)

    def touch(self, child: Child) -> None:
        """`child` changed: move it to the end of the order."""
        changes = self._changes
        changes.pop(child.run, None)
        self.seq += 1
        changes[child.run] = (self.seq, child)

    def changed(self, since: int) -> list[Child]:
        """What changed after number `since`, newest first."""
        found = []
        for seq, child in reversed(self._changes.values()):
            if seq <= since:
                break
            found.append(child)
        return found

    @property
    def any_alive(self) -> bool:
        """Whether a root process lives."""
        return any(child is not None for child in self.by_pid.values())

    @property
    def any_unacknowledged(self) -> bool:
        """Whether an exit is known to us alone."""
        return any(not child.lives and not child.acked for child in self._by_id.values())

    def held_cursors(self, mission: str) -> dict[int, tuple[int, int]]:
        """Run number → offsets (out, err) which a parser of this mission has yet to pass."""
        return {child.number: child.cursor for child in self if child.hold and child.mission == mission}


def _files(child: Child) -> int:
    return FILES_ON_TERMINAL if child.tty else FILES_ON_PIPES
