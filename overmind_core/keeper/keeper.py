"""The keeper: holds the runs, notifies the supervisor of what happens to them, and stops when nobody needs it.

It starts nothing and revives nobody: `SpawnQueue` and `Failover` use it, and `main` joins them.
"""

from __future__ import annotations

import time

from overmind_core.keeper.connection import LentPipeCount
from overmind_core.keeper.input import RequestRefused
from overmind_core.keeper.leases import RunLeases
from overmind_core.keeper.loop import BOOST_TAIL
from overmind_core.keeper.orphans import QUIET
from overmind_core.keeper.tree_ends import TreeEnds
from overmind_core.keeper.viewer_terminal import LentTerminals
from overmind_core.wire.keeper import ERROR_INTERNAL, ERROR_INVALID, EXIT, FENCED, GROWN, QUERIES, TROUBLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from overmind_core.keeper.connection import ClientConnection
    from overmind_core.keeper.exit_journal import ExitJournal
    from overmind_core.keeper.lease_watchdog import LeaseWatchdog
    from overmind_core.keeper.loop import Loop
    from overmind_core.keeper.orphans import Orphans
    from overmind_core.keeper.run import KeptRun, KeptRuns, RunExit
    from overmind_core.keeper.viewers import Tickets
    from overmind_core.system.run_mark import MarkPool

NOTICE_PAUSE = 0.02
"""Seconds between two `grown` notices of one run."""
ECHO_FIRST = BOOST_TAIL
"""Seconds that what a viewer sees is ahead of its notice: the supervisor must not take the processor from the echo."""
TICK = 1.0
"""Seconds between two tries of what failed: a full disk, a closed terminal, no supervisor."""

_EXIT_CLEAN, _EXIT_LEFT = (f'{{"notice":"{EXIT}","left":{left},'.encode() for left in ("false", "true"))
"""How the notice of an exit begins; the rest is its line in the journal."""


class Keeper:
    """The state that all parts of the keeper share, and what follows from each event of a run."""

    def __init__(
        self,
        loop: Loop,
        runs: KeptRuns,
        *,
        exit_journal: ExitJournal,
        orphans: Orphans,
        marks: MarkPool,
        tickets: Tickets,
        watchdog: LeaseWatchdog,
        boot: str,
        linger: float,
    ) -> None:
        """`boot`: id of this boot; `linger`: seconds to stay without being needed."""
        self.loop = loop
        self.runs = runs
        self.exit_journal = exit_journal
        self.orphans = orphans
        self.marks = marks
        self.tickets = tickets
        self.lent_terminals = LentTerminals()
        self.lent_pipes = LentPipeCount()
        self.leases = RunLeases(loop, self._on_lease_end, watchdog=watchdog)
        self.tree_ends = TreeEnds(loop, runs, orphans, on_gone=self._on_tree_end)
        self.boot = boot
        self.started = loop.wall
        self.supervisor: ClientConnection | None = None
        self.on_supervisor_lost: Callable[[], None] = _nothing
        """Called when the supervisor is gone without a goodbye."""
        self.reap: Callable[[], None] = _nothing
        """Called when a child may have died, though nobody has said so yet."""
        self.goodbye_received = False
        self.quit_requested = False
        self.stay_requested = False
        """A plan or a schedule goes on although nothing may run now."""
        self.ends_all = False
        """Whether all runs end with their supervisor: they do so with us, too."""
        self._linger = linger
        self._idle_since = loop.mono
        self._blocked: set[KeptRun] = set()
        self._hung_up: set[KeptRun] = set()
        self._purges: dict[str, list[tuple[ClientConnection, int]]] = {}
        loop.later(TICK, self._on_tick)

    @property
    def is_needed(self) -> bool:
        """Whether a supervisor is needed: a root lives, an exit is known to us alone, or one asked us to stay.

        So is one for what a root has left behind while its lease goes on or its tree is ended.
        """
        held = self.runs.any_alive or self.runs.any_unacknowledged or self.leases.any or self.tree_ends.any
        return self.stay_requested or held

    def on_output(self, run: KeptRun) -> None:
        """`run` has written: notify the supervisor, at most once per `NOTICE_PAUSE`."""
        self.runs.touch(run)
        if not run.watched or run.notice_due:
            return
        pause = max(run.next_notice - self.loop.mono, ECHO_FIRST if run.viewers.all else 0.0)
        if pause <= 0:
            self._notify_output(run)
        else:
            run.notice_due = True
            self.loop.later(pause, lambda: self._notify_output(run))

    def _notify_output(self, run: KeptRun) -> None:
        run.notice_due = False
        run.next_notice = self.loop.mono + NOTICE_PAUSE
        if run.watched:
            out, err = run.log.offsets
            self.notify({"notice": GROWN, "run": run.id, "out": out, "err": err, "last": run.last})

    def watch(self, run: KeptRun, *, on: bool) -> None:
        """Notify the supervisor when this run's log grows, beginning with its present size; or no longer."""
        run.watched = on
        if on:
            self._notify_output(run)

    def on_log_state(self, run: KeptRun) -> None:
        """The log of `run` can't be written, or can again."""
        (self._blocked.add if run.trouble else self._blocked.discard)(run)
        self.runs.touch(run)
        self.notify({"notice": TROUBLE, "run": run.id, "reason": run.trouble})
        self.forget_if_over(run)

    def on_queries(self, run: KeptRun) -> None:
        """The program of `run` has asked its terminal, and the supervisor is to answer; without one they wait."""
        self.notify({"notice": QUERIES, "run": run.id, "queries": run.viewers.queries.for_memory()})

    def on_hangup(self, run: KeptRun) -> None:
        """Nobody has the terminal of `run` open, though its root lives: read again at the next tick."""
        self._hung_up.add(run)

    def on_closed_output(self, _run: KeptRun) -> None:
        """A root has closed its end of a pipe, most likely by ending: the system says so a little later."""
        self.reap()

    def on_exit(self, run: KeptRun, code: int, orphans: list[int] | None = None) -> None:
        """The root of `run` was reaped: drain its output, journal its exit, notify the supervisor.

        `orphans`: those that were there afterwards; None looks.
        """
        self._hung_up.discard(run)
        end = run.on_exit(code)
        pids = self.runs.by_pid
        end.left = self.orphans.any_left(run.mark, pids, seen=orphans) or self.orphans.has_daemons(pids, seen=orphans)
        line = self.exit_journal.add(self._exit_record(run, end))
        if not end.left:
            self.leases.drop(run)
        self.runs.touch(run)
        if self.supervisor is not None:  # a notice as any other, made of the same line
            self.supervisor.send((_EXIT_LEFT if end.left else _EXIT_CLEAN) + line[1:])
        self.stop_if_done()

    def _exit_record(self, run: KeptRun, end: RunExit) -> dict[str, object]:
        record: dict[str, object] = {
            "run": run.id, "code": end.code, "end": end.end, "mono": end.mono, "out": end.out, "err": end.err,
            "pid": run.pid, "ticks": run.ticks, "mark": run.mark, "started": run.started, "began": run.mono,
            "boot": self.boot,
        }  # fmt: skip
        return {**record, "fenced": True} if run.fenced else record

    def _on_lease_end(self, run: KeptRun) -> None:
        """The lease of `run` has ended: so does everything that it has started, whoever supervises."""
        if run.exit is not None and not self.orphans.any_left(run.mark, self.runs.by_pid):
            self.leases.forget(run)
            return
        run.fenced = True
        self.runs.touch(run)
        self.notify({"notice": FENCED, "run": run.id})
        if run.exit is not None:  # the journal has its exit already: the later line counts
            self.exit_journal.add(self._exit_record(run, run.exit))
        self.tree_ends.begin(run)

    def _on_tree_end(self, run: KeptRun) -> None:
        """Nothing of the tree of `run` is left."""
        self.leases.forget(run)
        self.stop_if_done()

    def forget_if_over(self, run: KeptRun) -> None:
        """Forget the run when nothing about it can change any more."""
        if run.is_over and self.runs.get(run.id) is run:
            run.close()
            self.leases.drop(run)
            # Where nothing was left, nothing can come any more that wears its mark.
            if not (run.exit is None or run.exit.left) or not self.orphans.any_left(run.mark, self.runs.by_pid):
                self.marks.give_back(run.mark)
            self.runs.remove(run)
        if not self.runs.any_unacknowledged:
            self.exit_journal.truncate_if_large()
        self.stop_if_done()

    def notify(self, notice: Mapping[str, object]) -> None:
        """Send a notice to the supervisor, if there is one."""
        if self.supervisor is not None:
            self.supervisor.send_json(notice)

    def answer(
        self,
        connection: ClientConnection,
        number: int,
        act: Callable[[Mapping[str, Any]], dict[str, object] | None],
        request: Mapping[str, Any],
    ) -> None:
        """Answer a request by what `act` returns (None: it is answered later) or by the error that it raises."""
        try:
            result = act(request)
        except RequestRefused as refusal:
            connection.send_json({"n": number, "error": refusal.code, "message": str(refusal), **refusal.fields})
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            connection.send_json({"n": number, "error": ERROR_INVALID, "message": f"{type(error).__name__}: {error}"})
        except OSError as error:
            connection.send_json({"n": number, "error": ERROR_INTERNAL, "message": str(error)})
        else:
            if result is not None:
                connection.send_json({"n": number, "ok": result})

    def attach_supervisor(self, connection: ClientConnection) -> None:
        """`connection` is the supervisor from now on; the connection of an older one is closed."""
        older, self.supervisor = self.supervisor, connection
        self.goodbye_received = self.quit_requested = False
        connection.on_closed = lambda: self._detach_supervisor(connection)
        if older is not None and older is not connection:
            older.close()
            for run in self.runs:
                run.watched = False

    def _detach_supervisor(self, connection: ClientConnection) -> None:
        """A client that had said hello is gone; an older supervisor counts no more."""
        if self.supervisor is not connection:
            return
        self.supervisor = None
        self._idle_since = time.monotonic()
        for run in self.runs:
            run.watched = False
        if not self.goodbye_received:
            self.on_supervisor_lost()

    def purge(self, connection: ClientConnection, number: int, request: Mapping[str, Any]) -> None:
        """End the orphans of a run but for the pids to `spare`; the answer comes when they are gone."""
        run_id = str(request["run"])
        quiet = float(request.get("quiet", QUIET))
        spare = [int(pid) for pid in request.get("spare", ())]
        run = self.runs.get(run_id)
        waiting = self._purges.setdefault(run_id, [])
        waiting.append((connection, number))
        if len(waiting) == 1:
            mark, root = (run.mark, run.pid) if run is not None else (0, 0)
            self.orphans.begin(run_id, mark, root=root, quiet=quiet, spare=spare)

    def purge_step(self) -> float | None:
        """Work for the loop: one step of every purge."""
        if not self.orphans.purging:
            return None
        for purge in self.orphans.step(self.runs.by_pid):
            result: dict[str, object] = {"killed": purge.killed}
            if purge.survivors:
                result["survivors"] = purge.survivors
            for connection, number in self._purges.pop(purge.run, []):
                connection.send_json({"n": number, "ok": result})
        return self.orphans.timeout()

    def stop_if_done(self) -> None:
        """Leave once asked to and not needed."""
        if self.quit_requested and not self.is_needed:
            self.loop.stop()

    def _on_tick(self) -> None:
        self.loop.later(TICK, self._on_tick)
        self.exit_journal.flush()
        for run in tuple(self._blocked):
            run.retry()
        hung_up, self._hung_up = self._hung_up, set()
        for run in hung_up:
            run.resume_reading()
        self._stop_when_idle()

    def _stop_when_idle(self) -> None:
        if self.supervisor is not None or self.is_needed:
            self._idle_since = self.loop.mono
        elif self.loop.mono - self._idle_since >= self._linger:
            self.loop.stop()


def _nothing() -> None:
    return
