"""The keeper itself: holds the runs, tells the supervisor what happens to them, and knows when it is not needed."""

from __future__ import annotations

import time

from overmind_core.keeper.input import Refused
from overmind_core.keeper.orphans import QUIET
from overmind_core.wire.keeper import ERROR_INTERNAL, ERROR_INVALID, EXIT, GROWN, TROUBLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from overmind_core.keeper.connection import Connection
    from overmind_core.keeper.exit_journal import Exits
    from overmind_core.keeper.failover import Revival
    from overmind_core.keeper.loop import Loop
    from overmind_core.keeper.orphans import Orphans
    from overmind_core.keeper.run import Child, Runs
    from overmind_core.keeper.spawn_queue import Spawner
    from overmind_core.keeper.viewers import Tickets
    from overmind_core.system.run_mark import Marks

WATCH_PAUSE = 0.02
"""Seconds between two `grown` notices of one run."""
RETRY = 1.0
"""Seconds between two tries of what failed: a full disk, a closed terminal, no supervisor."""


class Keeper:
    """What all parts of the keeper share."""

    spawner: Spawner
    revival: Revival

    def __init__(
        self,
        loop: Loop,
        runs: Runs,
        *,
        exits: Exits,
        orphans: Orphans,
        marks: Marks,
        tickets: Tickets,
        boot: str,
        linger: float,
    ) -> None:
        """`boot`: id of this boot; `linger`: seconds to stay without being needed."""
        self.loop = loop
        self.runs = runs
        self.exits = exits
        self.orphans = orphans
        self.marks = marks
        self.tickets = tickets
        self.boot = boot
        self.started = loop.wall
        self.supervisor: Connection | None = None
        self.said_goodbye = False
        self.asked_to_quit = False
        self.asked_to_stay = False
        """A plan or a schedule goes on although nothing may run now."""
        self._linger = linger
        self._idle_since = loop.mono
        self._blocked: set[Child] = set()
        self._hushed: set[Child] = set()
        self._purges: dict[str, list[tuple[Connection, int]]] = {}
        loop.later(RETRY, self._each_second)

    @property
    def is_needed(self) -> bool:
        """Whether somebody should supervise: a root lives, an exit is known to us alone, or we were told so."""
        return self.asked_to_stay or self.runs.any_alive or self.runs.any_unacknowledged

    def grown(self, child: Child) -> None:
        """`child` wrote something."""
        self.runs.touch(child)
        if not child.watched or child.watch_due:
            return
        if child.watch_next <= self.loop.mono:
            self._tell_growth(child)
        else:
            child.watch_due = True
            self.loop.later(child.watch_next - self.loop.mono, lambda: self._tell_growth(child))

    def _tell_growth(self, child: Child) -> None:
        child.watch_due = False
        child.watch_next = self.loop.mono + WATCH_PAUSE
        if child.watched:
            out, err = child.log.offsets
            self.notify({"notice": GROWN, "run": child.run, "out": out, "err": err})

    def watch(self, child: Child, *, on: bool) -> None:
        """Tell the supervisor of this run's growth, with a first word at once; or no longer."""
        child.watched = on
        if on:
            self._tell_growth(child)

    def troubled(self, child: Child) -> None:
        """Its log can't be written, or can again."""
        (self._blocked.add if child.trouble else self._blocked.discard)(child)
        self.runs.touch(child)
        self.notify({"notice": TROUBLE, "run": child.run, "reason": child.trouble})
        self.settle(child)

    def hushed(self, child: Child) -> None:
        """Nobody has its terminal open, though its root lives: look again later."""
        self._hushed.add(child)

    def exited(self, child: Child, code: int) -> None:
        """Its root was reaped: drain, write it down, tell."""
        self._hushed.discard(child)
        end = child.ended(code)
        end.left = self.orphans.left(child.mark, self.runs.by_pid)
        record = {"run": child.run, "code": code, "end": end.end, "mono": end.mono, "out": end.out, "err": end.err}
        self.exits.add({**record, "boot": self.boot})
        self.runs.touch(child)
        self.notify({"notice": EXIT, **record, "left": end.left})
        self.quit_when_done()

    def settle(self, child: Child) -> None:
        """Forget the run when nothing about it can change any more."""
        if child.is_over and self.runs.get(child.run) is child:
            child.close()
            if not self.orphans.left(child.mark, self.runs.by_pid):
                self.marks.give_back(child.mark)
            self.runs.remove(child)
        if not self.runs.any_unacknowledged:
            self.exits.forget()
        self.quit_when_done()

    def notify(self, notice: Mapping[str, object]) -> None:
        """Tell the supervisor, if one is there."""
        if self.supervisor is not None:
            self.supervisor.say(notice)

    def answer(
        self,
        connection: Connection,
        number: int,
        act: Callable[[Mapping[str, Any]], dict[str, object] | None],
        request: Mapping[str, Any],
    ) -> None:
        """Answer a request by what `act` returns (None: it is answered later) or by the error that it raises."""
        try:
            said = act(request)
        except Refused as refusal:
            connection.say({"n": number, "error": refusal.code, "message": str(refusal), **refusal.fields})
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            connection.say({"n": number, "error": ERROR_INVALID, "message": f"{type(error).__name__}: {error}"})
        except OSError as error:
            connection.say({"n": number, "error": ERROR_INTERNAL, "message": str(error)})
        else:
            if said is not None:
                connection.say({"n": number, "ok": said})

    def took_over(self, connection: Connection) -> None:
        """`connection` is the supervisor from now on; an older one is hung up on."""
        older, self.supervisor = self.supervisor, connection
        self.said_goodbye = False
        connection.lost = lambda: self.lost(connection)
        if older is not None and older is not connection:
            older.close()
            for child in self.runs:
                child.watched = False

    def lost(self, connection: Connection) -> None:
        """A client that had said hello is gone."""
        if self.supervisor is not connection:
            return
        self.supervisor = None
        self._idle_since = time.monotonic()
        for child in self.runs:
            child.watched = False
        if not self.said_goodbye:
            self.revival.lost()

    def purge(self, connection: Connection, number: int, request: Mapping[str, Any]) -> None:
        """End the orphans of a run but for the pids to `spare`; the answer comes when they are gone."""
        run = str(request["run"])
        quiet = float(request.get("quiet", QUIET))
        spare = [int(pid) for pid in request.get("spare", ())]
        child = self.runs.get(run)
        waiting = self._purges.setdefault(run, [])
        waiting.append((connection, number))
        if len(waiting) == 1:
            mark, root = (child.mark, child.pid) if child is not None else (0, 0)
            self.orphans.begin(run, mark, root=root, quiet=quiet, spare=spare)

    def purging(self) -> float | None:
        """Work for the loop: a slice of every hunt."""
        if not self.orphans.purging:
            return None
        for purge in self.orphans.step(self.runs.by_pid):
            said: dict[str, object] = {"killed": purge.killed}
            if purge.survivors:
                said["survivors"] = purge.survivors
            for connection, number in self._purges.pop(purge.run, []):
                connection.say({"n": number, "ok": said})
        return self.orphans.patience()

    def quit_when_done(self) -> None:
        """Leave once asked to and not needed."""
        if self.asked_to_quit and not self.is_needed:
            self.loop.stop()

    def _each_second(self) -> None:
        self.loop.later(RETRY, self._each_second)
        self.exits.flush()
        for child in tuple(self._blocked):
            child.retry()
        hushed, self._hushed = self._hushed, set()
        for child in hushed:
            child.listen_again()
        self._consider_leaving()

    def _consider_leaving(self) -> None:
        if self.supervisor is not None or self.is_needed:
            self._idle_since = self.loop.mono
        elif self.loop.mono - self._idle_since >= self._linger:
            self.loop.stop()
