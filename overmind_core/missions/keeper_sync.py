"""The synchronisation with the keeper: having one, adopting its runs, applying their ends, letting them go.

One path for a first start, a restart after a crash of ours, an upgrade, a keeper that was lost and a reboot: connect,
list, compare with the registry (`reconcile`), settle each difference.

The keeper learns that an exit is safe with us when everything that follows from it is saved. For as long as it holds an
exit, it starts a daemon when this one dies, and that goes on with what is unsettled.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING, Any

from overmind_core.domain.missions import restart_policy
from overmind_core.domain.missions.facts import Exited, KeeperLost
from overmind_core.domain.missions.lifecycle import stop_signals
from overmind_core.domain.missions.mission import Definition, Kind, Mission, Status
from overmind_core.domain.replacing import replace
from overmind_core.errors import OvermindError
from overmind_core.kernel.keeper_client import KeeperGone, KeeperRefused
from overmind_core.missions.launcher import SPAWNING
from overmind_core.missions.reconcile import Action, Verdict, compare, unknown_runs
from overmind_core.system.membership import RunTarget
from overmind_core.system.process_table import command
from overmind_core.wire.keeper import FENCED, QUERIES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from overmind_core.kernel.database import MetaTable
    from overmind_core.kernel.journal import Journal
    from overmind_core.kernel.keeper_client import CurrentKeeper, KeeperStarter
    from overmind_core.kernel.tasks import Tasks
    from overmind_core.missions.changes import MissionChanged, RunConcluded
    from overmind_core.missions.deadlines import Deadlines
    from overmind_core.missions.followers import Followers
    from overmind_core.missions.launcher import Launcher
    from overmind_core.missions.leases import Leases
    from overmind_core.missions.output_progress import OutputProgress
    from overmind_core.missions.ports import Preparer, Runner
    from overmind_core.missions.process_trees import ProcessTrees
    from overmind_core.missions.registry import Registry
    from overmind_core.missions.run_records import RunRecords
    from overmind_core.missions.terminal_answers import TerminalAnswers
    from overmind_core.missions.terminator import Terminator
    from overmind_core.system.machine import Clock


UNSETTLED = frozenset({Status.STARTING, Status.STOPPING, Status.RESTARTING})
"""Something is still to be done for the mission, though no process of it need live."""


class ExitAcks:
    """The exits that are saved; `tell` acknowledges some runs to the keeper."""

    def __init__(self, registry: Registry, acknowledge: Callable[[Sequence[str]], None]) -> None:
        self._registry = registry
        self._send = acknowledge
        self._outgoing: list[str] = []
        self._owed: dict[str, str] = {}
        """Mission → its run whose exit is saved, and not yet acknowledged."""

    def owe(self, mission: Mission) -> None:
        """The exit of its run is saved; acknowledged is it once the sweep and the restart that follow are over, too."""
        if self._owed.get(mission.id) != mission.run_id:
            self._pay(mission.id)  # the run before it: this one's exit is held instead
        self._owed[mission.id] = mission.run_id
        current = self._registry.live.get(mission.id)
        if current is None or current.status not in UNSETTLED:
            self._pay(mission.id)

    def saved(self, mission: Mission) -> None:
        """A state of the mission is on disk."""
        if mission.status not in UNSETTLED:
            self._pay(mission.id)

    def give(self, run: str) -> None:
        """Acknowledge a run, together with the others of this turn."""
        if not self._outgoing:
            asyncio.get_running_loop().call_soon(self.send)
        self._outgoing.append(run)

    def send(self) -> None:
        """Tell what was given, now."""
        runs, self._outgoing = self._outgoing, []
        if runs:
            self._send(runs)

    def _pay(self, mission_id: str) -> None:
        run = self._owed.pop(mission_id, None)
        if run is not None:
            self.give(run)


KEEPER_FACT = "keeper"
"""Key of the store's fact that tells which keeper holds the runs."""
KEEPER_PAUSE = 0.2
KEEPER_LONG_PAUSE = 1.0
KEEPER_LONGEST_PAUSE = 30.0
"""Seconds between two tries to get a keeper: when one has just died, and, doubling, when none can start."""
_log = logging.getLogger(__name__)


class Departure(Enum):
    """What is to become of the missions when the supervisor leaves."""

    HAND_OVER = "hand_over"
    """Another supervisor follows. Should it not come, the keeper starts a daemon, as after a crash."""
    KEEP = "keep"
    """They live on with their keeper, and nobody supervises until somebody starts a daemon."""
    END = "end"
    """None is left: the keeper may go, too."""


class KeeperSync:
    """The supervisor's side of the keeper."""

    def __init__(
        self,
        *,
        line: CurrentKeeper,
        keepers: KeeperStarter,
        registry: Registry,
        journal: Journal,
        meta_table: MetaTable,
        exits: str,
        clock: Clock,
        tasks: Tasks,
        launcher: Launcher,
        leases: Leases,
        terminator: Terminator,
        trees: ProcessTrees,
        progress: OutputProgress,
        followers: Followers,
        deadlines: Deadlines,
        runner: Runner,
        preparer: Preparer,
        records: RunRecords,
        terminals: TerminalAnswers,
    ) -> None:
        """`exits`: the path of the keeper's journal of exits."""
        self._records = records
        self._terminals = terminals
        self._line = line
        self._keepers = keepers
        self._registry = registry
        self._journal = journal
        self._meta_table = meta_table
        self._exits = exits
        self._clock = clock
        self._tasks = tasks
        self._launcher = launcher
        self._leases = leases
        self._terminator = terminator
        self._trees = trees
        self._progress = progress
        self._followers = followers
        self._deadlines = deadlines
        self._runner = runner
        self._preparer = preparer
        self._left = False
        self._acks = ExitAcks(registry, lambda runs: line.post("ack", runs=runs))
        self._troubles: dict[str, str] = {}
        """Run → why the keeper holds its output back."""
        self._connecting = False

    async def leave(self, how: Departure) -> None:
        """Part from the keeper."""
        self._left = True
        if how is Departure.KEEP:
            await self._terminator.leave()
        self._acks.send()  # a keeper with an unacknowledged exit would stay
        link, self._line.link = self._line.link, None
        if link is None or link.closed:
            return
        try:
            if how is not Departure.HAND_OVER and not self._line.ends_all:
                await link.request("goodbye")
            if how is Departure.END:
                await link.request("quit")
        except (KeeperGone, KeeperRefused):
            _log.info("the keeper had already exited")
        link.close()

    async def unsaved_ends(self) -> int:
        """How many runs have ended whose end the keeper alone holds; 0 where it can't be asked."""
        self._acks.send()
        if self._line.link is None:
            return 0
        try:
            held = await self._line.link.request("list")
        except (KeeperGone, KeeperRefused):
            return 0
        return sum(row.get("exit") is not None and not row["acked"] for row in held["runs"])

    def on_change(self, change: MissionChanged) -> None:
        """A state of the mission is on disk; on a disk that was full it may have ended since."""
        mission = change.saved
        current = self._registry.live.get(mission.id)
        if current is not None:
            self.show_trouble(current)
        self._acks.saved(mission)

    def on_conclusion(self, concluded: RunConcluded) -> None:
        """Nothing of the run is left, or what is left is spared."""
        if not concluded.spared and self._line.link is not None:
            asked = self._line.link.request("release", run=concluded.run)
            asked.add_done_callback(partial(self._on_release, concluded))
        self._troubles.pop(concluded.run, None)

    def _on_release(self, concluded: RunConcluded, done: asyncio.Future[dict[str, Any]]) -> None:
        if not done.cancelled() and done.exception() is None:
            self._records.released(concluded, done.result())

    async def connect(self, *, patient: bool) -> None:
        """Until a line to a keeper holds, for the next one may die as well; also after the line broke.

        Raises:
            OvermindError: no keeper can be had now; with `patient` it is tried again.
        """
        self._connecting = True  # once at a time: a second line would push out the first, and so on for ever
        pause = KEEPER_LONG_PAUSE
        try:
            while not self._left and (self._line.link is None or self._line.link.closed):
                self._keepers.reap()
                try:
                    await self._take_over()
                except (KeeperGone, KeeperRefused):
                    await asyncio.sleep(KEEPER_PAUSE)
                except (OvermindError, OSError) as error:
                    if not patient:
                        raise
                    _log.error("no keeper: %s", error)
                    await asyncio.sleep(pause)
                    pause = min(2 * pause, KEEPER_LONGEST_PAUSE)
        finally:
            self._connecting = False

    async def _take_over(self) -> None:
        """Settle what differs between the books and what the keeper holds."""
        self._line.is_settled = False
        survivors_of_the_dead = [] if self._keepers.lives() else await self._sweep_lost({})
        self._line.link, self._line.hello = await self._keepers.connect(self._noticed_soon, self._lost)
        self._stay()
        identity = json.dumps([self._line.hello["pid"], self._line.hello["started"], self._line.hello["boot"]])
        same = self._meta_table.get(KEEPER_FACT) == identity
        listing = await self._line.link.request("list")
        held = {row["run"]: row for row in listing["runs"]}
        exits = {} if same else read_exits(self._exits)
        if not same and not survivors_of_the_dead:
            await self._sweep_lost(held)
        self._stay()
        if self._line.link is None:  # lost while the sweep went on
            raise KeeperGone
        for part in (
            self._launcher,
            self._terminator,
        ):  # from here on, so that nothing starts behind the listing's back
            part.link = self._line.link
        self._line.is_settled = True
        self._registry.keeper_pid = self._line.hello["pid"]
        if self._line.is_needed:
            self._line.send_needs()
        self._progress.restart(self._line.link)
        self._leases.adopt(held)
        missions = [one for one in self._registry.live.values() if self._has_runs(one)]
        unasked = self._launcher.unasked(missions)
        for verdict in compare(missions, held, exits, same_keeper=same, unasked=unasked):
            self._settle(verdict)
        for run in unknown_runs(held, self._registry.live):
            self._adopt_unknown(held[run])
        # In one commit with what was settled: a supervisor that dies before it must find the keeper new again.
        self._journal.save(lambda: self._meta_table.save(KEEPER_FACT, identity))
        self._records.journalled({run: entry for run, entry in exits.items() if run not in held})
        for run, row in held.items():
            if row.get("queries"):  # asked while nobody supervised; an older keeper notes none
                self._terminals.on_queries(run, row["queries"])
        self._followers.watch_again(self._line.link)

    def _stay(self) -> None:
        """Go on only as the supervisor: who has left meanwhile would act, and could save nothing of it.

        Raises:
            KeeperGone: we have left.
        """
        if self._left:
            link, self._line.link = self._line.link, None
            if link is not None:
                link.close()
            raise KeeperGone

    def _has_runs(self, mission: Mission) -> bool:
        """Whether the keeper can know of it: a plan has no process, nor what is still being prepared."""
        return mission.definition.kind is not Kind.BLUEPRINT and not self._preparer.drives(mission)

    def _lost(self) -> None:
        """The line to the keeper broke: it is dead, or has dropped us."""
        _log.warning("the connection to the keeper was lost")
        self._line.link = self._launcher.link = self._terminator.link = None
        self._progress.restart(None)
        self._followers.watch_again(None)
        if not self._left and not self._connecting:
            self._tasks.start(self.connect(patient=True))

    async def _sweep_lost(self, held: Mapping[str, Any]) -> list[str]:
        """End what is left of runs whose keeper is dead, before anything is started again."""
        targets: list[RunTarget] = []
        for mission in self._registry.live.values():
            target = None if mission.run_id in held else self._trees.target(mission)
            if target is not None and mission.status is not Status.RESTARTING:
                targets.append(target)
        survivors = await self._trees.end_without_keeper(targets)
        for run, left in survivors.items():
            _log.warning("could not be ended, of run %s: %s", run, left)
        return [target.run for target in targets]

    def _settle(self, verdict: Verdict) -> None:
        mission = self._registry.live.get(verdict.mission.id, verdict.mission)
        if verdict.action in {Action.ADOPT, Action.ENDED} and _is_fenced(verdict.row):
            mission = self._leases.fence(mission)
        match verdict.action:
            case Action.NOTHING:
                self._acks.owe(mission)
                if not mission.definition.leave_background:
                    self._line.post("release", run=mission.run_id)
                self._deadlines.schedule(mission)
            case Action.SPAWN:
                self._tasks.start(self._launcher.respawn(mission))
            case Action.ADOPT:
                adopted = self._adopt(mission, verdict.row)
                if not adopted.setup:
                    self._runner.adopted(adopted, verdict.row)
            case Action.ENDED:
                adopted = self._adopt(mission, verdict.row) if "pid" in verdict.row else mission
                if adopted.ending is not None and adopted.ending.exited:
                    self._acks.owe(adopted)  # its exit is known; its sweep goes on
                else:
                    self._ended(adopted, _with_begin(verdict.row))
            case Action.LOST:
                self._records.lost(mission, asked=not self._launcher.unasked([mission]))
                self._registry.apply_if_legal(mission, KeeperLost(leased=self._leases.until(mission) is not None))

    def ask_about(self, mission: Mission) -> None:
        """Nothing of an ending mission is found, and no exit of it was told: the books follow what the keeper holds."""
        self._tasks.start(self._settle_untold(mission))

    async def _settle_untold(self, mission: Mission) -> None:
        if (link := self._line.link) is None:
            return  # the next keeper is asked about all of them
        try:
            listing = await link.request("list")
        except (KeeperGone, KeeperRefused):
            return
        current = self._registry.live.get(mission.id)
        if current is None or current.run != mission.run or current.status is not Status.STOPPING:
            return
        held = {row["run"]: row for row in listing["runs"]}
        for verdict in compare([current], held, read_exits(self._exits), same_keeper=True):
            if verdict.action in {Action.ENDED, Action.LOST}:
                self._settle(verdict)

    def _adopt(self, mission: Mission, row: Mapping[str, Any]) -> Mission:
        """The keeper has the run: learn its process if we never heard the answer, go on with an ending."""
        self._progress.set(mission.run_id, row["out"], row["err"], row["last"])
        if (
            mission.pid is None and mission.status in SPAWNING and row.get("exit") is None
        ) or mission.status is Status.STARTING:
            self._launcher.started(mission, row)
        elif mission.status is Status.STOPPING and mission.ending is not None:
            if mission.ending.deadline_mono > self._clock.mono() or mission.definition.tty:  # a held shell ends by it
                self._terminator.signal(mission, stop_signals(mission))
            self._terminator.terminate(mission)
        else:
            if mission.status is Status.PAUSED:  # it was saved before it was done
                self._tasks.start(self._trees.freeze(mission))
            self._troubled(mission.run_id, row.get("trouble"))
            self._deadlines.schedule(self._registry.live.get(mission.id, mission))
        return self._registry.live.get(mission.id, mission)

    def _adopt_unknown(self, row: Mapping[str, Any]) -> None:
        """A run that is on no books: an old one whose end was saved, or one of a database that is lost."""
        run: str = row["run"]
        mission_id, _, number = run.partition(".")
        known = self._registry.get(mission_id)
        if known is not None or row.get("exit"):
            if row.get("exit"):
                self._records.ended(run, _with_begin(row))
            self._let_go(run, spared=known is not None and known.definition.leave_background)
            return
        line = " ".join(command(row["pid"])) or "unknown"
        _log.warning("run %s is not recorded; kept as a recovered mission", run)
        definition = Definition(f"recovered-{mission_id}", line, (line,), "/", columns=80, rows=24)
        mission = Mission(mission_id, definition, self._clock.wall(), Status.STARTING, run=int(number))
        self._registry.add(mission, lambda: None, None)
        self._launcher.started(self._registry.live[mission_id], row)

    def _let_go(self, run: str, *, spared: bool) -> None:
        """The run's end is on the books: the keeper may forget it."""
        self._acks.give(run)
        if not spared:
            self._line.post("release", run=run)

    def _noticed_soon(self, notice: dict[str, Any]) -> None:
        # One turn later: the answer that came before it has woken its task by then.
        asyncio.get_running_loop().call_soon(self._noticed, notice)

    def _noticed(self, notice: dict[str, Any]) -> None:
        run: str = notice["run"]
        kind = notice["notice"]
        if kind == "grown":
            self._progress.on_notice(run, notice["out"], notice["err"], notice.get("last"))
        elif kind == "exit":
            self._terminator.when_free(run.partition(".")[0], partial(self._exit_noticed, notice))
        elif kind == "trouble":
            self._troubled(run, notice.get("reason"))
        elif kind == QUERIES:
            self._terminals.on_queries(run, notice["queries"])
        elif kind == FENCED and (mission := self._of(run)) is not None:
            self._leases.fence(mission)

    def _exit_noticed(self, notice: dict[str, Any]) -> None:
        mission = self._of(notice["run"])
        if mission is None:
            self._records.ended(notice["run"], notice)
            self._let_go(notice["run"], spared=False)
        else:
            self._ended(mission, notice)

    def _of(self, run: str) -> Mission | None:
        """The live mission of which this is the newest run."""
        mission = self._registry.live.get(run.partition(".")[0])
        return mission if mission is not None and mission.run_id == run else None

    def _ended(self, mission: Mission, row: Mapping[str, Any]) -> None:
        """The run's process was reaped: save its true code, and decide."""
        this_boot = row.get("boot", self._registry.boot) == self._registry.boot
        if mission.pid is None and "began" in row and this_boot:
            # It was over before anybody heard of its start.
            self._launcher.started(mission, {**row, "mono": row["began"]})
            mission = self._registry.live.get(mission.id, mission)
        run = self._records.newest(mission, row)
        self._progress.set(mission.run_id, row["out"], row["err"])
        if run is not None:
            run = replace(run, code=row["code"], ended_at=row["end"], out=row["out"], err=row["err"])
            self._registry.runs[mission.id] = run  # saved with what follows from it
        self._journal.save(lambda: None, lambda: self._acks.owe(mission))
        verdict = None if mission.setup else self._runner.ended(mission, row)
        mission = self._registry.live.get(mission.id, mission)
        ended = Exited(row["code"], row["end"], bool(row.get("left")), verdict)
        self._registry.apply_if_legal(mission, ended, urgent=True)
        if run is not None and self._registry.runs.get(mission.id) is run:  # something of it is left
            self._registry.put_run(run)
        current = self._registry.live.get(mission.id)
        if current is not None and current.status is Status.STOPPING:
            self._terminator.terminate(current)

    def _troubled(self, run: str, reason: str | None) -> None:
        """The keeper holds the run's output back (a full disk), or no longer does."""
        if reason:
            self._troubles[run] = reason
        else:
            self._troubles.pop(run, None)
        mission = self._registry.live.get(run.partition(".")[0])
        if mission is not None and mission.run_id == run:
            self.show_trouble(mission)

    def show_trouble(self, mission: Mission) -> None:
        """While it runs its reason says why its output is held back; that is not its silence."""
        reason = self._troubles.get(mission.run_id)
        if mission.reason == reason or mission.status is not Status.RUNNING:
            return
        now = self._clock.mono()
        last = self._progress.of(mission.run_id).last
        moved = restart_policy.hold(mission, now) if reason else restart_policy.unhold(mission, last, now)
        self._registry.put(replace(moved, reason=reason), urgent=True)


def _is_fenced(row: Mapping[str, Any]) -> bool:
    """Whether the lease of the run has ended, as the keeper or its journal of exits says."""
    return bool(row.get("fenced") or (row.get("exit") or {}).get("fenced"))


def _with_begin(row: Mapping[str, Any]) -> dict[str, Any]:
    """What the keeper's listing says of a run that has ended, in the form of the notice of its exit."""
    began = {"began": row["mono"]} if "pid" in row else {}
    return {**row, **row["exit"], **began}


def read_exits(path: str) -> dict[str, dict[str, Any]]:
    """The keeper's journal of exits by run id; a line that was cut off by a crash is skipped."""
    found: dict[str, dict[str, Any]] = {}
    if not os.path.exists(path):
        return found
    with open(path, "rb") as file:
        for line in file:
            try:
                entry = json.loads(line)
                found[entry["run"]] = {**entry, "end": float(entry["end"])}
            except (ValueError, KeyError, TypeError):
                _log.warning("skipped a broken line of %s", path)
    return found
