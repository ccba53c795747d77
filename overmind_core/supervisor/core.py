"""The supervisor: its parts, and what passes between them.

Facts come in from the keeper, the clock and people; the book turns each into a state and effects; the parts carry
those out. Nothing here decides.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from overmind_core.domain import liveness
from overmind_core.domain.lifecycle import EndTree, Exited, KeeperLost, SignalTree, Spawn, stop_signals
from overmind_core.domain.mission import Definition, Mission, Status
from overmind_core.errors import OvermindError
from overmind_core.supervisor.book import Book
from overmind_core.supervisor.ender import Ender
from overmind_core.supervisor.feed import Feed
from overmind_core.supervisor.keeperlink import KeeperGone, KeeperLink, KeeperRefused
from overmind_core.supervisor.lastline import LastLines
from overmind_core.supervisor.ledger import Ledger
from overmind_core.supervisor.once import Once
from overmind_core.supervisor.pulse import Extent, Pulse
from overmind_core.supervisor.reconcile import Action, Verdict, compare, unknown_runs
from overmind_core.supervisor.spawner import Environment, Spawner
from overmind_core.supervisor.timers import Timers
from overmind_core.supervisor.trees import Trees
from overmind_core.supervisor.usage import Meter, Usage
from overmind_core.system.boot import boot_id
from overmind_core.system.membership import Target
from overmind_core.system.processtree import command

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping, Sequence

    from overmind_core.domain.lifecycle import Effect
    from overmind_core.store.state import State
    from overmind_core.supervisor.keeperhost import KeeperHost
    from overmind_core.supervisor.settings import Settings
    from overmind_core.system.clock import Clock
    from overmind_core.system.paths import Home

KEEPER_FACT = "keeper"
"""Key of the store's fact that tells which keeper holds the runs."""
UNSETTLED = frozenset({Status.STARTING, Status.STOPPING, Status.RESTARTING})
"""Something is still to be done for the mission, though no process of it need live."""
KEEPER_PAUSE = 0.2
KEEPER_LONG_PAUSE = 1.0
"""Seconds between two tries to get a keeper: when one has just died, and when none can start."""
_log = logging.getLogger(__name__)


class Supervisor:
    """Everything that lives as long as one supervisor does."""

    def __init__(self, home: Home, state: State, settings: Settings, keepers: KeeperHost, clock: Clock) -> None:
        loop = asyncio.get_running_loop()
        self.home = home
        self.state = state
        self.settings = settings
        self.clock = clock
        self.keepers = keepers
        self.started_at = clock.wall()
        self.ledger = Ledger(state.database, loop)
        self.book = Book(state, self.ledger, clock, boot_id())
        self.spawner = Spawner(home, self.book, settings, self.environment)
        self.pulse = Pulse(clock)
        self.feed = Feed(self.book)
        self.timers = Timers(loop, self.book, lambda mission: self.pulse.of(mission.run_id).last)
        self.trees = Trees(self.book, home.root, settings.leave)
        self.ender = Ender(self.book, self.trees)
        self.beginning: Once[dict[str, Any]] = Once()
        self.link: KeeperLink | None = None
        self.keeper: dict[str, Any] = {}
        self.leaving = asyncio.Event()
        self.closing = False
        """A shutdown is under way: nothing new is started."""
        self.handing_over = False
        """Another daemon takes over: requests are left to it."""
        self._left = False
        self.last_lines = LastLines()
        self._meter = Meter()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._acks: list[str] = []
        self._owed: dict[str, str] = {}
        """Mission → its run whose exit is saved, and not yet acknowledged."""
        self._troubles: dict[str, str] = {}
        """Run → why the keeper holds its output back."""
        self._connecting = False
        self._wire()

    async def start(self) -> None:
        """Take over: read the books, find or start the keeper, settle the difference."""
        self.book.load()
        self.spawner.suppose_asked(self.book.live.values())
        await self._connect(patient=False)
        self.background(self.ender.run())
        self.background(self.pulse.beat(lambda: bool(self.book.live)))

    def background(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run something beside everything else; its failure is logged."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)
        return task

    def environment(self, mission_id: str) -> Environment:
        """What the mission's caller sent."""
        self.ledger.flush()
        saved = self.state.environments.get(mission_id)
        parts = json.loads(saved) if saved else {}
        return Environment(parts.get("inherited", {}), parts.get("chosen", {}))

    async def leave(self, *, quit_keeper: bool) -> None:
        """Say goodbye to the keeper, so that nobody starts a daemon; without agents it may end as well."""
        self.closing = self._left = True
        self.timers.cancel_all()
        self.ledger.flush()
        self._send_acks()  # a keeper with an unacknowledged exit would stay
        link, self.link = self.link, None
        if link is None or link.closed:
            return
        try:
            if self.keepers.kill_after is None:
                await link.ask("goodbye")
            if quit_keeper:
                await link.ask("quit")
        except (KeeperGone, KeeperRefused):
            _log.info("the keeper was gone already")
        link.close()

    async def usage(self, missions: Sequence[Mission]) -> dict[str, Usage]:
        """What the process trees of these missions use, by mission."""
        targets = {one.id: target for one in missions if (target := self.trees.target(one)) is not None}
        if not targets:
            return {}
        trees = await self.trees.identities(list(targets.values()))
        return await self._meter.measure({one: trees[target.run] for one, target in targets.items()})

    def close(self) -> None:
        """Stop all background work."""
        for task in list(self._tasks):
            task.cancel()
        self.trees.close()

    def _wire(self) -> None:
        self.book.act = self._act
        self.book.changed = self._changed
        self.book.published = lambda event: self.feed.happened(event.get("mission"))
        self.book.concluded = self._concluded
        self.pulse.grown = self._grown
        self.pulse.wanted = lambda run: run.partition(".")[0] in self.book.live
        self.timers.confirm = lambda mission: void(self.background(self._confirm_silence(mission)))

    def _act(self, mission: Mission, effect: Effect) -> None:
        match effect:
            case Spawn():
                self.background(self.spawner.respawn(mission))
            case SignalTree(signals):
                self.ender.signal(mission, signals)
            case EndTree():
                self.ender.see_out(mission)

    def _changed(self, mission: Mission) -> None:
        current = self.book.live.get(mission.id, mission)
        self.timers.schedule(current)
        self.ender.changed(current)
        self.feed.changed(current)
        self._show_trouble(current)
        if mission.status not in UNSETTLED:
            self._pay(mission.id)

    def _concluded(self, run: str, spared: bool) -> None:  # noqa: FBT001 - a callback
        if not spared:
            self._tell_keeper("release", run=run)
        self.pulse.forget(run)
        self.ender.forget(run)
        self._troubles.pop(run, None)

    def _grown(self, run: str, extent: Extent) -> None:
        mission_id = run.partition(".")[0]
        known = self.book.runs.get(mission_id)
        if known is not None and known.id == run:
            self.book.runs[mission_id] = replace(known, out=extent.out, err=extent.err)
        self.feed.grown(run)

    # The keeper

    async def _connect(self, *, patient: bool) -> None:
        """Until a line to a keeper holds, for the next one may die as well; also after the line broke.

        Raises:
            OvermindError: no keeper can be had now; with `patient` it is tried again.
        """
        self._connecting = True  # once at a time: a second line would push out the first, and so on for ever
        try:
            while not self._left and (self.link is None or self.link.closed):
                self.keepers.reap()
                await self._try_to_connect(patient=patient)
        finally:
            self._connecting = False

    async def _try_to_connect(self, *, patient: bool) -> None:
        try:
            await self._take_over()
        except (KeeperGone, KeeperRefused):
            await asyncio.sleep(KEEPER_PAUSE)
        except (OvermindError, OSError) as error:
            if not patient:
                raise
            _log.error("no keeper: %s", error)
            await asyncio.sleep(KEEPER_LONG_PAUSE)

    async def _take_over(self) -> None:
        """Settle what differs between the books and what the keeper holds."""
        survivors_of_the_dead = [] if self.keepers.lives() else await self._sweep_lost({})
        self.link, self.keeper = await self.keepers.connect(self._noticed_soon, self._lost)
        identity = json.dumps([self.keeper["pid"], self.keeper["started"], self.keeper["boot"]])
        same = self.state.meta.get(KEEPER_FACT) == identity
        listing = await self.link.ask("list")
        held = {row["run"]: row for row in listing["runs"]}
        exits = {} if same else read_exits(self.home.exits)
        if not same and not survivors_of_the_dead:
            await self._sweep_lost(held)
        if self.link is None:  # lost while the sweep went on
            raise KeeperGone
        for part in (self.spawner, self.ender):  # from here on, so that nothing starts behind the listing's back
            part.link = self.link
        self.trees.keeper_pid = self.keeper["pid"]
        self.pulse.restart(self.link)
        unasked = self.spawner.unasked(self.book.live.values())
        for verdict in compare(list(self.book.live.values()), held, exits, same_keeper=same, unasked=unasked):
            self._settle(verdict)
        for run in unknown_runs(held, self.book.live):
            self._meet(held[run])
        # In one commit with what was settled: a supervisor that dies before it must find the keeper new again.
        self.ledger.save(lambda: self.state.meta.save(KEEPER_FACT, identity))
        self.feed.watch_again(self.link)

    def _lost(self) -> None:
        """The line to the keeper broke: it is dead, or has dropped us."""
        _log.warning("the connection to the keeper was lost")
        self.link = self.spawner.link = self.ender.link = None
        self.pulse.restart(None)
        self.feed.watch_again(None)
        if not self._left and not self._connecting:
            self.background(self._connect(patient=True))

    async def _sweep_lost(self, held: Mapping[str, Any]) -> list[str]:
        """End what is left of runs whose keeper is dead, before anything is started again."""
        targets: list[Target] = []
        for mission in self.book.live.values():
            target = None if mission.run_id in held else self.trees.target(mission)
            if target is not None and mission.status is not Status.RESTARTING:
                targets.append(target)
        survivors = await self.trees.end_without_keeper(targets)
        for run, left in survivors.items():
            _log.warning("could not end of run %s: %s", run, left)
        return [target.run for target in targets]

    def _settle(self, verdict: Verdict) -> None:
        mission = self.book.live.get(verdict.mission.id, verdict.mission)
        match verdict.action:
            case Action.NOTHING:
                self._owe(mission)
                if not mission.definition.leave_background:
                    self._tell_keeper("release", run=mission.run_id)
                self.timers.schedule(mission)
            case Action.SPAWN:
                self.background(self.spawner.respawn(mission))
            case Action.ADOPT:
                self._adopt(mission, verdict.row)
            case Action.ENDED:
                adopted = self._adopt(mission, verdict.row) if "pid" in verdict.row else mission
                if adopted.ending is not None and adopted.ending.exited:
                    self._owe(adopted)  # its exit is known; its sweep goes on
                else:
                    self._ended(adopted, {**verdict.row, **verdict.row["exit"]})
            case Action.LOST:
                self.book.tell_if_legal(mission, KeeperLost())

    def _adopt(self, mission: Mission, row: Mapping[str, Any]) -> Mission:
        """The keeper has the run: learn its process if we never heard the answer, go on with an ending."""
        self.pulse.set(mission.run_id, row["out"], row["err"], row["last"])
        if (
            mission.pid is None and mission.status in {Status.STARTING, Status.STOPPING} and row.get("exit") is None
        ) or mission.status is Status.STARTING:
            self.spawner.started(mission, row)
        elif mission.status is Status.STOPPING and mission.ending is not None:
            if mission.ending.deadline_mono > self.clock.mono():
                self.ender.signal(mission, stop_signals(mission))
            self.ender.see_out(mission)
        else:
            if mission.status is Status.PAUSED:  # it was saved before it was done
                self.background(self.trees.freeze(mission))
            self._troubled(mission.run_id, row.get("trouble"))
            self.timers.schedule(self.book.live.get(mission.id, mission))
        return self.book.live.get(mission.id, mission)

    def _meet(self, row: Mapping[str, Any]) -> None:
        """A run that is on no books: an old one whose end was saved, or one of a database that is lost."""
        run: str = row["run"]
        mission_id, _, number = run.partition(".")
        known = self.book.get(mission_id)
        if known is not None or row.get("exit"):
            self._let_go(run, spared=known is not None and known.definition.leave_background)
            return
        line = " ".join(command(row["pid"])) or "unknown"
        _log.warning("run %s is on no books; kept as a recovered mission", run)
        definition = Definition(f"recovered-{mission_id}", line, (line,), "/", columns=80, rows=24)
        mission = Mission(mission_id, definition, self.clock.wall(), Status.STARTING, run=int(number))
        self.book.add(mission, lambda: None, None)
        self.spawner.started(self.book.live[mission_id], row)

    def _let_go(self, run: str, *, spared: bool) -> None:
        """The run's end is on the books: the keeper may forget it."""
        self._acknowledge(run)
        if not spared:
            self._tell_keeper("release", run=run)

    def _noticed_soon(self, notice: dict[str, Any]) -> None:
        # One turn later: the answer that came before it has woken its task by then.
        asyncio.get_running_loop().call_soon(self._noticed, notice)

    def _noticed(self, notice: dict[str, Any]) -> None:
        run: str = notice["run"]
        kind = notice["notice"]
        if kind == "grown":
            self.pulse.set(run, notice["out"], notice["err"], self.clock.mono())
        elif kind == "exit":
            self.ender.when_free(run.partition(".")[0], partial(self._exit_noticed, notice))
        elif kind == "trouble":
            self._troubled(run, notice.get("reason"))

    def _exit_noticed(self, notice: dict[str, Any]) -> None:
        mission = self._of(notice["run"])
        if mission is None:
            self._let_go(notice["run"], spared=False)
        else:
            self._ended(mission, notice)

    def _of(self, run: str) -> Mission | None:
        """The live mission of which this is the newest run."""
        mission = self.book.live.get(run.partition(".")[0])
        return mission if mission is not None and mission.run_id == run else None

    def _ended(self, mission: Mission, row: Mapping[str, Any]) -> None:
        """The run's process was reaped: save its true code, and decide."""
        run = self.book.runs.get(mission.id)
        self.pulse.set(mission.run_id, row["out"], row["err"])
        if run is not None and run.number == mission.run:
            run = replace(run, code=row["code"], ended_at=row["end"], out=row["out"], err=row["err"])
            self.book.put_run(run)
        self.ledger.save(lambda: None, lambda: self._owe(mission))
        self.book.tell_if_legal(mission, Exited(row["code"], row["end"], bool(row.get("left"))), urgent=True)
        current = self.book.live.get(mission.id)
        if current is not None and current.status is Status.STOPPING:
            self.ender.see_out(current)

    def _troubled(self, run: str, reason: str | None) -> None:
        """The keeper holds the run's output back (a full disk), or no longer does."""
        if reason:
            self._troubles[run] = reason
        else:
            self._troubles.pop(run, None)
        mission = self.book.live.get(run.partition(".")[0])
        if mission is not None and mission.run_id == run:
            self._show_trouble(mission)

    def _show_trouble(self, mission: Mission) -> None:
        """While it runs its reason says why its output is held back; that is not its silence."""
        reason = self._troubles.get(mission.run_id)
        if mission.reason == reason or mission.status is not Status.RUNNING:
            return
        now = self.clock.mono()
        last = self.pulse.of(mission.run_id).last
        moved = liveness.hold(mission, now) if reason else liveness.unhold(mission, last, now)
        self.book.put(replace(moved, reason=reason), urgent=True)

    async def _confirm_silence(self, mission: Mission) -> None:
        await self.pulse.refresh()
        self.timers.silent(mission, self.pulse.of(mission.run_id).last)

    def _owe(self, mission: Mission) -> None:
        """The exit of its run is saved; acknowledged is it once the sweep and the restart that follow are over, too.

        For as long as the keeper holds an exit it starts a daemon when this one dies, and that goes on with them.
        """
        if self._owed.get(mission.id) != mission.run_id:
            self._pay(mission.id)  # the run before it: this one's exit is held instead
        self._owed[mission.id] = mission.run_id
        current = self.book.live.get(mission.id)
        if current is None or current.status not in UNSETTLED:
            self._pay(mission.id)

    def _pay(self, mission_id: str) -> None:
        run = self._owed.pop(mission_id, None)
        if run is not None:
            self._acknowledge(run)

    def _acknowledge(self, run: str) -> None:
        if not self._acks:
            asyncio.get_running_loop().call_soon(self._send_acks)
        self._acks.append(run)

    def _send_acks(self) -> None:
        runs, self._acks = self._acks, []
        self._tell_keeper("ack", runs=runs)

    def _tell_keeper(self, op: str, **fields: object) -> None:
        if self.link is not None:
            self.link.ask(op, **fields)

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            _log.error("background work failed", exc_info=task.exception())


def read_exits(path: str) -> dict[str, dict[str, Any]]:
    """The keeper's journal of exits by run id; a line that was cut off by a crash is skipped."""
    found: dict[str, dict[str, Any]] = {}
    if not os.path.exists(path):
        return found
    with open(path, "rb") as file:
        for line in file:
            try:
                entry = json.loads(line)
                found[entry["run"]] = entry
            except (ValueError, KeyError, TypeError):
                _log.warning("skipped a broken line of %s", path)
    return found


def void(_: object) -> None:
    """Drop a result where a callback must return nothing."""
