"""The terminator: signals the trees of missions, gives them their grace, ends what is left, and proves that nothing is.

One loop serves all missions that are `stopping`, so that a thousand of them share each look at the machine. It holds
no truth of its own: whatever is `stopping` in the registry is handed to it again after any crash of ours.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from overmind_core.domain.missions.events import BackgroundEnded
from overmind_core.domain.missions.facts import Gone
from overmind_core.domain.missions.mission import Cause, Mission, Status
from overmind_core.domain.text.bytestrings import to_wire
from overmind_core.kernel.keeper_client import KeeperGone, KeeperRefused
from overmind_core.system.membership import RunTarget
from overmind_core.system.process_table import now_ticks
from overmind_core.system.sweep import Sweep

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from overmind_core.domain.missions.mission import Mission
    from overmind_core.kernel.keeper_client import KeeperConnection
    from overmind_core.missions.changes import EndHeldUp, MissionChanged, RunConcluded
    from overmind_core.missions.process_trees import ProcessTrees
    from overmind_core.missions.registry import Registry
    from overmind_core.system.process import Identity
    from overmind_core.system.sweep import NamedProcess


LOOK_AGAIN = 0.05
"""Seconds between looks at background processes that were signalled to end and have not yet, and at missions of which
nothing is left while the exit of their process is not told."""
SHELL_SECONDS = 0.1
"""Pause between looks at the shells that wait for what they run."""
SHORTEST_WAIT = 0.001
"""Seconds: a shorter one may be over before the clock shows it."""
LISTED = 10
"""Background processes that a log names."""
RESWEEP_SECONDS = 60.0
"""How often what could not be ended is tried again."""
RESWEEP_AFTER_AN_END = 1.0
"""Seconds from the end of any run until it is tried again, too."""
BLIND_SECONDS = 0.2
"""Pause after a look at the machine that failed."""
BLIND_LIMIT = 10.0
"""Seconds after which whoever waits for an end is told that it can't be seen to; it is tried again each minute."""
UNTOLD_SECONDS = 1.0
"""Seconds for which nothing of a mission is found and the keeper tells no exit, until it is asked; as often again."""
SAME_SECONDS = 60.0
"""How often the log says the same."""
PURGE_SECONDS = 20.0
_log = logging.getLogger(__name__)


class _Held(NamedTuple):
    """A shell that waits, stopped, until what it runs has ended.

    Args:
        run: That it leads.
        signals: Those that it gets then.
    """

    run: str
    signals: tuple[int, ...]


class Terminator:
    """Ends trees. `link` is replaced when the keeper is; None while there is none."""

    def __init__(self, registry: Registry, trees: ProcessTrees) -> None:
        self._registry = registry
        self._trees = trees
        self._loop = asyncio.get_running_loop()
        self._signals: dict[str, tuple[int, ...]] = {}
        self._leaving: dict[str, str] = {}
        self._in_hand: set[str] = set()
        self._at_work: Counter[str] = Counter()
        self._postponed: dict[str, list[Callable[[], None]]] = {}
        self._before: dict[str, frozenset[str]] = {}
        """Missions that must be gone before this one is touched: a cascade ends leaves first."""
        self._held: dict[str, _Held] = {}
        """Missions whose shell waits, stopped, until what it runs has ended."""
        self._seen: dict[str, set[Identity]] = {}
        self._survived: dict[str, RunTarget] = {}
        """Run of which something could not be ended → how it is found."""
        self._resweeping = asyncio.Lock()
        self._resweep_at = self._loop.time() + RESWEEP_SECONDS
        self._look_again_at: dict[str, float] = {}
        """Run of which nothing was found, while its exit is not told → the moment of the next look."""
        self._blind_since: dict[str, float] = {}
        """Run → when an attempt to end it failed first, of those that did since the last that worked."""
        self._missing_since: dict[str, float] = {}
        """Run whose process is not found while its exit is not told → since when, or since the keeper was asked."""
        self.on_untold: Callable[[Mission], object] = lambda _mission: None
        """Called with a mission of whose process nothing is found, when the keeper should have told its exit."""
        self._reported: dict[str, float] = {}
        """Failure → when the log said so."""
        self._wake = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self.link: KeeperConnection | None = None

    def signal(self, mission: Mission, signals: tuple[int, ...]) -> None:
        """Send these to every process of the mission, then see it out."""
        self._signals[mission.id] = signals
        self.terminate(mission)

    def terminate(self, mission: Mission) -> None:
        """The mission is `stopping`: end it at its deadline."""
        self._leaving[mission.id] = mission.run_id
        self._wake.set()

    def when_free(self, mission_id: str, then: Callable[[], None]) -> None:
        """Call `then` once no thread of ours is after the mission's processes; now, if none is.

        An exit waits for that: to a thread, a run that began meanwhile would look like the one that it was sent for.
        """
        if mission_id in self._at_work:
            self._postponed.setdefault(mission_id, []).append(then)
        else:
            then()

    def wait_for(self, mission_id: str, before: frozenset[str]) -> None:
        """Touch this mission only once those are gone."""
        if before:
            self._before[mission_id] = before
        else:
            self._before.pop(mission_id, None)

    def on_change(self, change: MissionChanged) -> None:
        """The mission's state changed: its deadline may have, too, and another may have waited for its end."""
        if change.current.id in self._leaving or self._before:
            self._wake.set()

    def on_held_up(self, held_up: EndHeldUp) -> None:
        """What was to end after that mission need not wait for it, or has to again."""
        if held_up.mission in self._leaving or self._before:
            self._wake.set()

    def on_conclusion(self, concluded: RunConcluded) -> None:
        """The run is over."""
        self._seen.pop(concluded.run, None)
        if concluded.spared:
            self._trees.certain_since = now_ticks()
        for known in (self._blind_since, self._look_again_at, self._missing_since):
            known.pop(concluded.run, None)
        if self._survived:  # perhaps of what used a server that has survived
            self._resweep_at = min(self._resweep_at, self._loop.time() + RESWEEP_AFTER_AN_END)
            self._wake.set()

    def load(self) -> None:
        """Go on with what the supervisor before us could not end; nothing outlives a restart of the machine."""
        for mission in self._registry.with_survivors():
            run = self._registry.newest_run(mission.id)
            if run is None or run.number != mission.run or not run.pid or run.boot != self._registry.boot:
                self._registry.forget_survivors(mission.run_id)
            else:
                target = RunTarget(run.id, mission.id, self._trees.home, run.pid, run.ticks, mark=run.mark)
                self._survived.setdefault(run.id, target)

    async def end_survivors(self, missions: Collection[str]) -> None:
        """Try once more, now, to end what could not be ended of these."""
        await self._resweep([target for target in self._survived.values() if target.mission in missions])

    async def run(self) -> None:
        """Work until cancelled."""
        self.load()
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), self._timeout())
            self._wake.clear()
            if self.link is None:
                continue
            try:
                await self._turn()
            except Exception as error:  # noqa: BLE001 - whatever it is, other ends must not wait for it
                await self._try_later(error)
            if self._loop.time() >= self._resweep_at:
                self._resweep_at = self._loop.time() + RESWEEP_SECONDS
                self._start(self._resweep([*self._survived.values()]))

    async def _turn(self) -> None:
        self._drop_finished()
        try:
            await self._send_signals()
            await self._let_shells_end()
        finally:  # what is due to be killed need not be asked to end
            self._end_due()
        await self._check_leftovers()

    async def _try_later(self, error: Exception) -> None:
        """The machine can't be looked at, most likely for want of file descriptors."""
        self._report(error)
        await asyncio.sleep(BLIND_SECONDS)
        self._wake.set()

    def _report(self, error: Exception) -> None:
        """Log a failure, the same one not again and again."""
        text, now = _reason(error), self._loop.time()
        if now - self._reported.get(text, -SAME_SECONDS) >= SAME_SECONDS:
            self._reported = {one: at for one, at in self._reported.items() if now - at < SAME_SECONDS} | {text: now}
            _log.warning("can't list processes: %s", text, exc_info=None if isinstance(error, OSError) else error)

    def _timeout(self) -> float | None:
        """Seconds until something is due by itself."""
        now = self._loop.time()
        times = [self._resweep_at] if self._survived else []
        times += [now + SHELL_SECONDS] if self._held else []
        for mission, due in self._waiting():
            has_exited = mission.ending is not None and mission.ending.exited
            times.append(min(due, now + LOOK_AGAIN) if has_exited else due)
        if not times or self.link is None:
            return None
        left = min(times) - now
        return max(left, SHORTEST_WAIT) if left > 0 else 0.0

    def _waiting(self) -> list[tuple[Mission, float]]:
        """Missions on their way out that no batch has in hand, and whose process is known; when to end each."""
        found = []
        for mission_id in self._leaving:
            mission = self._registry.live.get(mission_id)
            if mission is None or mission.ending is None or mission_id in self._in_hand or self._blocked(mission_id):
                continue
            if mission.pid is not None or mission.ending.exited:
                again = self._look_again_at.get(mission.run_id, mission.ending.deadline_mono)
                found.append((mission, max(mission.ending.deadline_mono, again)))
        return found

    def _blocked(self, mission_id: str) -> bool:
        """Whether one that comes before it in a cascade is still ending, and nobody elsewhere holds that up."""
        before = self._before.get(mission_id, ())
        live = [one for name in before if (one := self._registry.live.get(name)) is not None]
        return any(one.ending is not None and self._registry.held_up(one.id) is None for one in live)

    def _drop_finished(self) -> None:
        for mission_id, run in list(self._leaving.items()):
            mission = self._registry.live.get(mission_id)
            if mission is None or mission.status is not Status.STOPPING or mission.run_id != run:
                del self._leaving[mission_id]
                self._signals.pop(mission_id, None)
                self._held.pop(mission_id, None)
        for mission_id in list(self._before):  # also of one that is ended again before its next run has a process
            mission = self._registry.live.get(mission_id)
            if mission is None or mission.status is not Status.STOPPING:
                del self._before[mission_id]

    async def _send_signals(self) -> None:
        groups: dict[tuple[int, ...], list[RunTarget]] = {}
        leftovers: dict[tuple[int, ...], list[RunTarget]] = {}
        missions = []
        taken: dict[str, tuple[int, ...]] = {}
        for mission_id, signals in list(self._signals.items()):
            if self._blocked(mission_id):
                continue
            taken[mission_id] = self._signals.pop(mission_id)
            mission = self._registry.live.get(mission_id)
            target = None if mission is None else self._trees.target(mission)
            if mission is not None and target is not None:
                natural = mission.ending is not None and mission.ending.cause is Cause.EXITED
                (leftovers if natural else groups).setdefault(signals, []).append(target)
                missions.append(mission_id)
        try:
            with self._working_on(missions):
                for signals, targets in groups.items():
                    terminals = [target.run for target in targets if self._is_on_terminal(target.mission)]
                    ask = partial(self._sweep(targets).ask_to_end, signals, terminals)
                    held = await self._trees.in_thread(ask)
                    self._held |= {one.mission: _Held(one.run, signals) for one in targets if one.run in held}
                for signals, targets in leftovers.items():
                    found = await self._trees.in_thread(partial(self._sweep(targets).signal_leftovers, signals))
                    self._record_leftovers(found)
        except Exception:
            self._signals = taken | self._signals  # sent once more is better than never
            raise

    def _is_on_terminal(self, mission_id: str) -> bool:
        mission = self._registry.live.get(mission_id)
        return mission is not None and mission.definition.tty

    async def _let_shells_end(self, *, all_: bool = False) -> None:
        """Let the shells end that wait for what they run, where that has ended or begins to be killed."""
        groups: dict[tuple[int, ...], list[RunTarget]] = {}
        for mission_id, held in list(self._held.items()):
            mission = self._registry.live.get(mission_id)
            is_held = held.run == self._leaving.get(mission_id) and mission_id not in self._in_hand
            same = is_held and mission is not None and mission.run_id == held.run
            target = self._trees.target(mission) if mission is not None and same else None
            if target is None:
                del self._held[mission_id]
            else:
                groups.setdefault(held.signals, []).append(target)
        for signals, targets in groups.items():
            let_end = partial(self._sweep(targets).let_shells_end, signals, all_=all_)
            with self._working_on([target.mission for target in targets]):
                waiting = await self._trees.in_thread(let_end)
            for target in targets:
                if target.run not in waiting:
                    self._held.pop(target.mission, None)

    async def leave(self) -> None:
        """Hold no shell any more: nobody may come for a long time who would let it end."""
        with contextlib.suppress(OSError):
            await self._let_shells_end(all_=True)

    def _record_leftovers(self, found: Mapping[str, Sequence[NamedProcess]]) -> None:
        """Say in the log of each run what it had left behind: a forgotten server is the usual leak."""
        for run, named in found.items():
            mission = self._registry.live.get(run.partition(".")[0])
            if mission is not None and mission.run_id == run:
                text = f"--- ended in the background: {listed([*map(process_line, named)])} ---"
                self._registry.record(mission, BackgroundEnded(text=text))

    def _end_due(self) -> None:
        now = self._loop.time()
        due = [mission for mission, at in self._waiting() if at <= now]
        if due:
            self._in_hand.update(mission.id for mission in due)
            self._start(self._end(due))

    async def _end(self, missions: list[Mission]) -> None:
        targets = [target for mission in missions if (target := self._trees.target(mission)) is not None]
        survivors: Mapping[str, Sequence[NamedProcess]] = {}
        killed: Collection[str] = ()
        try:
            with self._working_on([mission.id for mission in missions]):
                if targets:
                    sweep = self._sweep(targets)
                    survivors = await self._trees.in_thread(partial(sweep.end, purge=self.purge_from_thread))
                    killed = sweep.killed
        except KeeperGone:
            return  # whoever takes over from the dead keeper ends them
        except TimeoutError as error:  # the keeper does not answer; who asked is told so
            await self._try_later(error)
            return
        except Exception as error:  # noqa: BLE001 - whatever it is, who waits for the end is told
            self._blind(targets, error)
            await self._try_later(error)
            return
        finally:
            self._in_hand.difference_update(mission.id for mission in missions)
        by_run = {target.run: target for target in targets}
        for mission in missions:
            left = tuple(map(process_line, survivors.get(mission.run_id, ())))
            self._apply_gone(mission, left, by_run, killed=mission.run_id in killed)
        self._wake.set()

    def _blind(self, targets: Sequence[RunTarget], error: Exception) -> None:
        """An attempt failed: after a while it counts as one that something has survived, though nobody knows what."""
        now = self._loop.time()
        for target in targets:
            mission = self._registry.live.get(target.mission)
            since = self._blind_since.setdefault(target.run, now)
            if mission is not None and now - since >= BLIND_LIMIT:
                self._apply_gone(mission, (f"can't list processes: {_reason(error)}",), {target.run: target})

    @contextlib.contextmanager
    def _working_on(self, missions: Sequence[str]) -> Iterator[None]:
        """Exits of these missions wait until the block ends."""
        self._at_work.update(missions)
        try:
            yield
        finally:
            self._at_work.subtract(missions)
            for mission_id in missions:
                if self._at_work[mission_id] <= 0:
                    del self._at_work[mission_id]
                    for then in self._postponed.pop(mission_id, ()):
                        self._loop.call_soon(then)

    def _apply_gone(
        self, mission: Mission, survivors: tuple[str, ...], targets: Mapping[str, RunTarget], *, killed: bool = False
    ) -> None:
        current = self._registry.live.get(mission.id)
        if current is None or current.run != mission.run or current.status is not Status.STOPPING:
            return
        if survivors:
            self._survived[mission.run_id] = targets[mission.run_id]
        self._look_again_at[mission.run_id] = self._loop.time() + LOOK_AGAIN
        self._registry.apply_if_legal(current, Gone(survivors, killed), urgent=True)
        if not survivors and current.ending is not None and not current.ending.exited:
            self._ask_about(current)

    def _ask_about(self, mission: Mission) -> None:
        now = self._loop.time()
        if now - self._missing_since.setdefault(mission.run_id, now) >= UNTOLD_SECONDS:
            self._missing_since[mission.run_id] = now
            self.on_untold(mission)

    async def _check_leftovers(self) -> None:
        """Check the missions whose own process has ended: are the others gone, too?"""
        exited = [m for m, _ in self._waiting() if m.ending is not None and m.ending.exited and not m.ending.gone]
        targets = [target for mission in exited if (target := self._trees.target(mission)) is not None]
        if not exited:
            return
        sweep, by_run = self._sweep(targets), {target.run: target for target in targets}
        alive = await self._trees.in_thread(sweep.alive) if targets else {}
        for mission in exited:
            known = sweep.spared | sweep.foreign
            if not alive.get(mission.run_id) and await self._is_proved_gone(mission.run_id, known):
                self._apply_gone(mission, tuple(map(process_line, sweep.perhaps.get(mission.run_id, ()))), by_run)

    async def _is_proved_gone(self, run: str, spared: Collection[int]) -> bool:
        """Ask the keeper, to whom every process that lost its parent comes."""
        if self.link is None:
            return False
        try:
            return not (await self.link.request("orphans", run=run, spare=sorted(spared)))["left"]
        except (KeeperGone, KeeperRefused):
            return False

    async def _resweep(self, survived: Sequence[RunTarget]) -> None:
        """End what is left of these; a run of which nothing is is forgotten."""
        if not survived:
            return
        targets = [self._trees.target_of_ended(target) for target in survived]
        try:
            async with self._resweeping:
                sweep = self._sweep(targets)
                survivors = await self._trees.in_thread(partial(sweep.end, purge=self.purge_from_thread))
        except (OSError, KeeperGone) as error:
            self._report(error)  # the next round tries again
            return
        for target in targets:
            if target.run not in survivors and self._survived.pop(target.run, None) is not None:
                self._registry.forget_survivors(target.run)

    def _sweep(self, targets: Sequence[RunTarget]) -> Sweep:
        """A sweep that goes on where the last one of the same runs ended."""
        return self._trees.sweep(targets, {target.run: self._seen.setdefault(target.run, set()) for target in targets})

    def purge_from_thread(self, runs: Sequence[str], spared: Collection[int]) -> Mapping[str, Sequence[int]]:
        """Have the keeper end the orphans of these runs, but for the spared; blocks, for threads beside the loop."""
        asked = asyncio.run_coroutine_threadsafe(self._purge(runs, spared), self._loop)
        return asked.result(PURGE_SECONDS)

    async def _purge(self, runs: Sequence[str], spared: Collection[int]) -> dict[str, list[int]]:
        link = self.link
        if link is None:
            raise KeeperGone
        answers = await asyncio.gather(
            *(link.request("purge", run=run, spare=sorted(spared)) for run in runs), return_exceptions=True
        )
        found = {}
        for run, answer in zip(runs, answers, strict=True):
            if isinstance(answer, KeeperGone):
                raise answer
            if isinstance(answer, dict) and answer.get("survivors"):
                found[run] = answer["survivors"]
        return found

    def _start(self, work: Any) -> None:  # noqa: ANN401 - a coroutine
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            _log.error("a search for leftover processes failed", exc_info=task.exception())


def _reason(error: Exception) -> str:
    return to_wire(str(error) or type(error).__name__)


def process_line(one: NamedProcess) -> str:
    """`pid command`, in wire form."""
    return to_wire(f"{one.pid} {one.command}".strip())


def listed(lines: Sequence[str]) -> str:
    """Processes in one line, the first ones of many."""
    more = f" and {len(lines) - LISTED} more" if len(lines) > LISTED else ""
    return f"{', '.join(lines[:LISTED])}{more}"
