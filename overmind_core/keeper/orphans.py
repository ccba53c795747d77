"""Orphans: the processes that runs left behind and the keeper has adopted, and their end.

A process that loses its parent becomes our child (we are a child subreaper). So *a child that no run owns* (an orphan)
is what a process escaped as, and when there is none, right after a root was reaped, nothing of its run lives: proof
without a scan. An orphan tells its run by its mark (system/run_mark.py), a zombie too. Chains, whose every generation
forks and exits faster than anybody can scan, pass through here one by one: a purge kills them as they come.

The contract with the keeper's loop, which has one thread:

* `Orphans()` once, after prctl(PR_SET_CHILD_SUBREAPER), in the thread that spawns and reaps. `registered` is always its
  own current collection of the pids that it spawned and has not reaped (a dict by pid will do); daemons it started
  belong in there too.
* Reaping: while `orphans.purging`, peek (`waitid(P_ALL, 0, WEXITED | WNOHANG | WNOWAIT)`) and, for a pid that isn't
  registered, call `on_reap(pid)` *before* `waitpid(pid, WNOHANG)`: a dead one is a sign of life of its mark.
  Otherwise plain `waitpid(-1, WNOHANG)` will do. A purge reaps orphans by itself as well, never a registered child.
* After reaping a root, and taking it out of `registered`: `any_left(mark, registered)` belongs into its exit notice.
  The op `orphans` asks the same.
* Op `purge`: `begin(run, mark, root=pid, quiet=…, spare=…)`; then in every turn, at once and while `purging`,
  `for purge in orphans.step(registered)`: answer that purge's request with `killed` and `survivors`. Meanwhile poll
  with a timeout of at most `timeout()` seconds.
* Runs that must die with their supervisor (`kill_after`) take the same way: SIGKILL the root, `begin`, step until done.

Only the keeper reaps, so a pid in the list of our children can't be another process by the time we signal it.
"""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from overmind_core.system.run_mark import MARK_UNKNOWN, OWN_MARK, mark_of, unmarked_limit

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

STEP_TIME = 0.005
"""Seconds that one `step` may take from the loop (plus one look at the children)."""
SHORT_PAUSE = 0.001
"""Seconds between two steps while there are signs of life."""
QUIET = 0.1
"""Seconds without a sign of life after which a run counts as gone; a chain shows in every single look."""
LIMIT = 5.0
"""Seconds after which a purge gives up and names who is left."""


class Purge:
    """The killing of one run's orphans until none is left.

    Read `run`, `killed` and `survivors` once `Orphans.step` has returned it.
    """

    __slots__ = ("began", "killed", "last_seen", "limit", "mark", "quiet", "root", "run", "spare", "survivors")

    def __init__(
        self, run: str, mark: int, *, root: int, quiet: float, limit: float, spare: frozenset[int], now: float
    ) -> None:
        self.run = run
        self.mark = mark
        self.root = root
        self.quiet = quiet
        self.limit = limit
        self.spare = spare
        self.began = now
        self.last_seen = now
        """When an orphan of this run was last seen, dead or alive (monotonic seconds)."""
        self.killed = 0
        """Orphans that were seen to end."""
        self.survivors: list[int] = []
        """Pids that would not die within `limit`."""

    def over(self, now: float) -> bool:
        """Whether it has been quiet for long enough, or lasted for too long."""
        return now - self.last_seen >= self.quiet or now - self.began >= self.limit


class Orphans:
    """The processes that the keeper has adopted, read from its own list of children."""

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        mark: Callable[[int], int] = mark_of,
        top: int | None = None,
    ) -> None:
        """Open the list of this thread's children once, so that a lack of file descriptors never blinds us.

        Args:
            clock: monotonic seconds.
            mark: reads the mark of a pid.
            top: what an unmarked process wears, `unmarked_limit()` by default.
        """
        self._clock = clock
        self._mark = mark
        self._unmarked = frozenset((unmarked_limit() if top is None else top, 0, MARK_UNKNOWN))
        self._purges: list[Purge] = []
        self._list = -1
        with suppress(OSError):
            self._list = os.open(f"/proc/self/task/{os.getpid()}/children", os.O_RDONLY | os.O_CLOEXEC)

    @property
    def purging(self) -> bool:
        """Whether `step` has something to do."""
        return bool(self._purges)

    def timeout(self) -> float | None:
        """How long the loop may sleep before the next `step`, in seconds; None = for ever."""
        if not self._purges:
            return None
        now = self._clock()
        return SHORT_PAUSE if any(now - purge.last_seen < STEP_TIME for purge in self._purges) else STEP_TIME

    def adopted(self, registered: Collection[int]) -> list[int] | None:
        """The children that no run owns, oldest first; None where the system doesn't tell.

        Only we take children off the list, so nobody is missed while it is read.
        """
        if self._list < 0:
            return None
        try:
            os.lseek(self._list, 0, os.SEEK_SET)
            parts = []
            while part := os.read(self._list, 65536):
                parts.append(part)
        except OSError:
            return None
        return [pid for pid in map(int, b"".join(parts).split()) if pid not in registered]

    def any_left(self, mark: int, registered: Collection[int], *, seen: list[int] | None = None) -> bool:
        """Whether something of the run that wears `mark` may still live; False is certain.

        The dead alone are no doubt: had one of them left a child, that child would be in a second look.

        Args:
            mark: of the run, whose root was reaped.
            registered: pids that the keeper spawned and has not reaped.
            seen: what `adopted` has told since then; None looks now.
        """
        orphans = self._suspects(mark, self.adopted(registered) if seen is None else seen)
        if orphans is None:
            return True
        if not all(map(_is_dead, orphans)):
            return True
        again = self._suspects(mark, self.adopted(registered)) if orphans else []
        return again is None or not set(again) <= set(orphans)

    def has_daemons(self, registered: Collection[int], *, seen: list[int] | None = None) -> bool:
        """Whether a daemon or keeper of another home, started inside a run, has outlived that: somebody has to name it.

        The arguments are those of `any_left`.
        """
        orphans = self.adopted(registered) if seen is None else seen
        return any(self._mark(pid) == OWN_MARK for pid in orphans or ())

    def _suspects(self, mark: int, orphans: list[int] | None) -> list[int] | None:
        """Those that wear `mark`, or none that tells whose they are."""
        if orphans is None or not mark:
            return orphans
        suspicious = self._unmarked | {mark}
        return [pid for pid in orphans if self._mark(pid) in suspicious]

    def begin(
        self,
        run: str,
        mark: int,
        *,
        root: int = 0,
        quiet: float = QUIET,
        limit: float = LIMIT,
        spare: Iterable[int] = (),
    ) -> Purge:
        """Begin to end the orphans of a run whose root was told to die.

        Args:
            run: its id, for the answer.
            mark: what they wear; 0 finds none.
            root: its first process; as long as it is registered it may hide others below it.
            quiet: seconds without a sign of life that prove the end.
            limit: seconds until survivors are named.
            spare: pids that may live (programs on the list `leave`).
        """
        purge = Purge(run, mark, root=root, quiet=quiet, limit=limit, spare=frozenset(spare), now=self._clock())
        self._purges.append(purge)
        return purge

    def on_reap(self, pid: int) -> None:
        """Count an orphan that is about to be reaped as a sign of life of its run. Cheap when nothing is purged."""
        if self._purges:
            mark = self._mark(pid)
            for purge in self._purges:
                if purge.mark == mark:
                    purge.last_seen = self._clock()
                    purge.killed += 1

    def step(self, registered: Collection[int]) -> list[Purge]:
        """Kill for at most a `STEP_TIME`, and return the purges that are finished: they are no longer ours."""
        end = self._clock() + STEP_TIME
        finished: list[Purge] = []
        while self._purges:
            orphans = self.adopted(registered) or []
            killed = sum(purge.killed for purge in self._purges)
            worn = self._kill_marked(orphans, end)
            progress = sum(purge.killed for purge in self._purges) > killed
            finished += self._finish(orphans, worn, registered)
            if not progress or self._clock() >= end:
                break
        return finished

    def _kill_marked(self, orphans: list[int], end: float) -> set[int]:
        """Kill and reap the orphans of every purge, newest first, until `end`; return the marks that were seen worn."""
        worn: set[int] = set()
        for pid in reversed(orphans):
            mark = self._mark(pid)
            purges = [purge for purge in self._purges if purge.mark == mark and pid not in purge.spare]
            worn.add(mark)
            if not purges:
                continue
            gone = _kill(pid)
            for purge in purges:
                purge.last_seen = self._clock()
                purge.killed += gone
            if self._clock() >= end:
                # Who wasn't looked at must not count as quiet.
                return worn | {purge.mark for purge in self._purges}
        return worn

    def _finish(self, orphans: list[int], worn: set[int], registered: Collection[int]) -> list[Purge]:
        """Take the purges off the list that have nothing more to do, each with its own among `orphans`."""
        now = self._clock()
        done = []
        for purge in self._purges:
            doubt = purge.mark in worn or bool(worn & self._unmarked)
            if purge.root in registered:
                doubt, purge.last_seen = True, now
            if not purge.mark or not doubt or purge.over(now):
                left = [pid for pid in orphans if self._is_purged(pid, purge)]
                # The newest dead stands for a chain that was not caught.
                purge.survivors = [pid for pid in left if not _is_dead(pid)] or left[-1:]
                done.append(purge)
        self._purges = [purge for purge in self._purges if purge not in done]
        return done

    def _is_purged(self, pid: int, purge: Purge) -> bool:
        return bool(purge.mark) and pid not in purge.spare and self._mark(pid) == purge.mark


def _is_dead(pid: int) -> bool:
    """Whether our child `pid` waits to be reaped (a dead main thread with live others doesn't)."""
    with suppress(OSError):
        return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    return False


def _kill(pid: int) -> bool:
    """SIGKILL our child `pid` and reap it if it is dead already; return whether it is gone."""
    with suppress(OSError):
        os.kill(pid, signal.SIGKILL)
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    return False
