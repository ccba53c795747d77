"""The calendar on a clock that is moved by hand, over a real database: sleep, steps, and crashes at every moment."""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from overmind_core.daemon.state import State
from overmind_core.domain.missions.mission import Cause, Definition, Mission, Status
from overmind_core.domain.missions.outcome import was_stopped
from overmind_core.domain.quests.quest import Finish, Quest, QuestStatus, next_step
from overmind_core.domain.schedules import Ritual, RunStatus
from overmind_core.errors import OvermindError
from overmind_core.kernel.bus import Bus
from overmind_core.kernel.event_log import EventLog
from overmind_core.kernel.journal import Journal
from overmind_core.kernel.phase import Phase
from overmind_core.quests.registry import QuestEnded
from overmind_core.schedules import api
from overmind_core.schedules.registry import RitualRegistry, RunRetention
from overmind_core.schedules.requests import Ritual as Named
from overmind_core.schedules.service import Schedules
from tests.kit.clock import FakeClock

HOUR = 3600.0
NOON = 1_800_000_000.0 - 1_800_000_000.0 % 86400 + 12 * HOUR


class Crash(BaseException):
    """The supervisor dies here."""


class World:
    """One machine: its clock and database outlive the supervisors, of which there is one at a time."""

    def __init__(self, database: str) -> None:
        self.clock = FakeClock(wall=NOON)
        self.state = State.open(database)
        self.done: Counter[str] = Counter()
        """What was started, by the key that makes it come once."""
        self.asked: list[str] = []
        self.fate: list[str] = []
        """What happens at the next starts: `before` and `after` are crashes, `refused` an error."""
        self.quests: dict[str, Quest] = {}
        self.crashed = False
        self.boot()

    def boot(self) -> None:
        """A supervisor starts, over what is saved."""
        loop = asyncio.get_running_loop()
        self.tasks: set[asyncio.Task[Any]] = set()
        self.crashed = False
        self.ledger = Journal(self.state.database, loop)
        registry: Any = SimpleNamespace(get=lambda _mission: None)
        line: Any = SimpleNamespace(hold=lambda *_, **__: None)
        quests: Any = SimpleNamespace(get=self.quests.get)
        table = self.state.rituals
        events = EventLog(Bus(), self.ledger, self.clock, self.state.events)
        rituals = RitualRegistry(journal=self.ledger, events=events, line=line, ritual_table=table)
        unused: Any = None
        self.calendar = Schedules(
            journal=self.ledger,
            clock=self.clock,
            phase=Phase(),
            tasks=cast("Any", SimpleNamespace(start=self.background)),
            registry=registry,
            quests=quests,
            rituals=rituals,
            starter=cast("Any", self),
            retention=RunRetention(
                rituals=rituals,
                quests=quests,
                registry=registry,
                journal=self.ledger,
                retention=unused,
                mission_table=self.state.missions,
                quest_table=self.state.quests,
                ritual_table=table,
            ),
        )
        self.calendar.rituals.load()
        self.calendar.begin()

    def background(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.add(task)

    async def start(self, ritual: Ritual, run: Any) -> dict[str, Any]:
        """Stand in for the start of a quest, which a key makes come once."""
        key = f"{ritual.name}/{run.number}"
        self.asked.append(key)
        fate = self.fate.pop(0) if self.fate else "ok"
        if fate == "refused":
            raise OvermindError("cwd_not_found", "There is no such folder.")
        if fate != "before" and key not in self.quests:
            self.done[key] += 1
            self.quests[key] = Quest(key, key, "true", "/", "raw", self.clock.wall())
        if fate in {"before", "after"}:
            self.crashed = True
            raise Crash
        return {"id": key, "name": key}

    async def settle(self) -> None:
        """Let everything happen that happens at this moment; after a crash the next supervisor starts."""
        for _ in range(60):
            await asyncio.sleep(0)
            self.ledger.flush()  # in a flood it waits a little, by a clock that is not ours
            if self.crashed:
                await self.crash()

    async def crash(self) -> None:
        self.calendar.close()
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        self.boot()

    async def create(self, schedule: str, **how: Any) -> None:
        now = self.clock.wall()
        ritual = Ritual("r1", "r", schedule, "UTC", now, "true", now, quest={}, **how)
        await self.calendar.create(ritual, "{}")

    async def pass_time(self, seconds: float, *, how: str = "advance") -> None:
        """Let time pass, then have the supervisor look, as its timer does at the latest."""
        getattr(self.clock, how)(seconds)
        self.calendar.check_due()
        await self.settle()

    def end(self, key: str) -> None:
        quest = self.quests[key]
        self.quests[key] = Quest(
            key, key, "true", "/", "raw", quest.created_at, None, 0, None, QuestStatus.COMPLETED, None, 0, 1, 0.0
        )
        self.calendar.on_quest_end(QuestEnded(self.quests[key]))

    def history(self) -> list[tuple[str, str, float]]:
        ritual = self.calendar.rituals.find("r")
        return [(run.status.value, run.trigger.value, run.due_at) for run in self.calendar.rituals.runs(ritual)]


def in_world(story: Callable[[World], Any]) -> None:
    async def tell(folder: str) -> None:
        world = World(f"{folder}/state.db")
        try:
            await story(world)
        finally:
            world.calendar.close()
            await asyncio.gather(*world.tasks, return_exceptions=True)
            world.state.close()

    with tempfile.TemporaryDirectory() as folder, asyncio.Runner() as runner:
        runner.get_loop().set_exception_handler(lambda _loop, _context: None)  # a Crash is nobody's mistake
        runner.run(tell(folder))


def test_after_the_machines_sleep_one_run_stands_for_all():
    async def story(world: World) -> None:
        await world.create("@hourly")
        await world.pass_time(9.5 * HOUR, how="sleep")
        assert world.history() == [("running", "catch_up", NOON + 9 * HOUR)]
        world.end("r/1")
        await world.pass_time(HOUR / 2)
        assert world.history()[1:] == [("running", "schedule", NOON + 10 * HOUR)]
        assert world.done == {"r/1": 1, "r/2": 1}

    in_world(story)


def test_a_clock_that_is_set_repeats_nothing_and_stops_nothing():
    async def story(world: World) -> None:
        await world.create("@hourly")
        await world.pass_time(HOUR)
        world.end("r/1")
        await world.pass_time(-HOUR / 2, how="step")
        await world.pass_time(HOUR / 2)
        assert len(world.history()) == 1
        await world.pass_time(10 * 24 * HOUR, how="step")  # far ahead, by mistake
        world.end("r/2")
        await world.pass_time(-10 * 24 * HOUR, how="step")
        await world.pass_time(HOUR)
        assert [due for _, _, due in world.history()][2:] == [NOON + 2 * HOUR]

    in_world(story)


def test_what_waits_begins_in_order_when_the_run_before_has_ended():
    async def story(world: World) -> None:
        await world.create("@hourly", overlap="queue")
        for _ in range(3):
            await world.pass_time(HOUR)
        assert [status for status, *_ in world.history()] == ["running", "queued", "queued"]
        world.calendar.pause(world.calendar.rituals.find("r"), paused=True)
        world.end("r/1")
        await world.settle()
        assert world.done == {"r/1": 1}  # it rests
        world.calendar.pause(world.calendar.rituals.find("r"), paused=False)
        await world.settle()
        world.end("r/2")
        await world.settle()
        assert world.asked == ["r/1", "r/2", "r/3"]
        assert [status for status, *_ in world.history()] == ["completed", "completed", "running"]

    in_world(story)


def test_while_it_is_paused_a_run_by_hand_waits_for_what_runs_alone():
    async def story(world: World) -> None:
        def find() -> Ritual:
            return world.calendar.rituals.find("r")

        await world.create("@hourly", overlap="queue")
        for _ in range(2):
            await world.pass_time(HOUR)
        world.calendar.pause(find(), paused=True)
        assert (await world.calendar.run_now(find(), None)).status is RunStatus.QUEUED
        world.end("r/1")
        await world.settle()
        assert [status for status, *_ in world.history()] == ["completed", "queued", "running"]
        world.end("r/3")
        await world.settle()
        assert [status for status, *_ in world.history()] == ["completed", "queued", "completed"]
        await world.calendar.run_now(find(), None)
        assert world.asked == ["r/1", "r/3", "r/4"], "it begins at once"
        world.calendar.pause(find(), paused=False)
        world.end("r/4")
        await world.settle()
        assert world.asked[-1] == "r/2"

    in_world(story)


def test_whoever_deletes_a_ritual_learns_how_many_queued_runs_go_with_it():
    async def story(world: World) -> None:
        unused: Any = None
        requests = api.RitualApi(
            schedules=world.calendar,
            clock=world.clock,
            settings=unused,
            launcher=unused,
            preparer=unused,
            journal=world.ledger,
        )
        answers = []
        for hours in (1, 3):
            await world.create("@hourly", overlap="queue")
            for _ in range(hours):
                await world.pass_time(HOUR)
            answers.append(await requests.ritual_delete(Named("r"), unused))
        await world.settle()
        assert answers == [{"id": "r1", "name": "r", "queued": 0}, {"id": "r1", "name": "r", "queued": 2}]
        assert world.asked == ["r/1", "r/1"]

    in_world(story)


def test_at_most_a_hundred_times_wait_for_the_run_before():
    async def story(world: World) -> None:
        await world.create("@hourly", overlap="queue", keep=1000)
        for _ in range(104):
            await world.pass_time(HOUR)
        assert [status for status, *_ in world.history()] == ["running", *["queued"] * 100, *["skipped"] * 3]
        ritual = world.calendar.rituals.find("r")
        with pytest.raises(OvermindError, match="is still running: r/1"):
            await world.calendar.run_now(ritual, None)
        world.end("r/1")
        await world.settle()
        assert (await world.calendar.run_now(world.calendar.rituals.find("r"), None)).status is RunStatus.QUEUED
        await world.pass_time(HOUR)
        assert [status for status, *_ in world.history()][-2:] == ["queued", "skipped"]

    in_world(story)


def test_what_was_due_while_it_was_paused_is_over():
    async def story(world: World) -> None:
        await world.create("@hourly")
        world.calendar.pause(world.calendar.rituals.find("r"), paused=True)
        await world.pass_time(5.5 * HOUR)
        assert world.history() == []
        world.calendar.pause(world.calendar.rituals.find("r"), paused=False)
        await world.settle()
        assert world.history() == []
        await world.pass_time(HOUR / 2)
        assert world.history() == [("running", "schedule", NOON + 6 * HOUR)]

    in_world(story)


def test_a_paused_ritual_says_so_also_while_a_run_goes_on_and_has_no_next_times():
    async def story(world: World) -> None:
        await world.create("@hourly")
        await world.pass_time(HOUR)
        rituals = world.calendar.rituals
        world.calendar.pause(rituals.find("r"), paused=True)
        found = rituals.find("r")
        schedule, now = rituals.schedule(found), world.clock.wall()
        shown = api.details(found, rituals.runs(found), rituals.following(found), schedule, now)
        assert (shown["status"], shown["running"]) == ("paused", ["r/1"])
        assert (shown["next_at"], shown["upcoming"]) == (None, [])

    in_world(story)


@pytest.mark.parametrize(
    ("status", "by", "code", "outcome"),
    [
        (Status.STOPPED, Cause.STOP, 143, "stopped"),
        (Status.STOPPED, Cause.STOP, 0, "stopped"),
        (Status.KILLED, Cause.KILL, 137, "killed"),
    ],
)
@pytest.mark.parametrize("kind", ["plan", "quest"])
def test_a_run_that_a_person_has_stopped_says_so_whatever_it_runs(kind, status, by, code, outcome):
    async def story(world: World) -> None:
        await world.create("@hourly")
        await world.pass_time(HOUR)
        work = Mission("r/1", Definition("r/1", "x", ("x",), "/"), NOON, status, exit_code=code, ended_by=by)
        if kind == "plan":
            del world.quests["r/1"]
            world.calendar.changed(work)
        else:
            finish = next_step(world.quests["r/1"], work, None, stopped=was_stopped(work))
            assert isinstance(finish, Finish)
            done = replace(world.quests["r/1"], status=finish.status, reason=finish.reason, exit_code=finish.exit_code)
            world.calendar.on_quest_end(QuestEnded(done))
        await world.settle()
        ritual = world.calendar.rituals.find("r")
        (run,) = world.calendar.rituals.runs(ritual)
        shown = api.run_row(run, ritual)
        assert (shown["status"], shown["outcome"], shown["text"]) == ("cancelled", outcome, f"it was {outcome}")
        listed = api.row(ritual, [run], None)
        assert (listed["last_result"], listed["last_outcome"]) == ("cancelled", outcome)

    in_world(story)


def test_a_run_that_can_not_start_has_failed_and_the_next_time_comes_all_the_same():
    async def story(world: World) -> None:
        await world.create("@hourly")
        world.fate = ["refused"]
        await world.pass_time(HOUR)
        await world.pass_time(HOUR)
        assert [status for status, *_ in world.history()] == ["failed", "running"]

    in_world(story)


def test_a_run_by_hand_of_a_ritual_that_is_deleted_meanwhile_says_so():
    async def story(world: World) -> None:
        await world.create("@hourly")
        ritual = world.calendar.rituals.find("r")
        asked = asyncio.ensure_future(world.calendar.run_now(ritual, None))
        await asyncio.sleep(0)
        world.calendar.forget(ritual)
        with pytest.raises(OvermindError, match="'r' has been deleted meanwhile") as refused:
            await asked
        assert (refused.value.code, world.asked) == ("not_found", [])

    in_world(story)


@pytest.mark.parametrize(("status", "kept"), [(Status.RUNNING, [1, 2]), (Status.STOPPED, [2])])
def test_a_run_whose_plan_a_person_has_started_again_is_kept_with_all_its_parts(status, kept):
    async def story(world: World) -> None:
        await world.create("@hourly")
        for key in ("r/1", "r/2"):
            await world.pass_time(HOUR)
            world.end(key)
            await world.settle()
        plan = Mission("r/1", Definition("r/1", "x", ("x",), "/"), NOON, status)
        removed: list[str] = []

        async def left_by(_missions: list[str]) -> list[str]:
            return []

        async def remove(missions: list[str]) -> None:
            removed.extend(missions)

        registry: Any = SimpleNamespace(get={plan.id: plan}.get)
        quests: Any = SimpleNamespace(get=lambda _mission: None)
        missions: Any = SimpleNamespace(left_by=left_by, remove=remove)
        rituals = world.calendar.rituals
        retention = RunRetention(
            rituals=rituals,
            quests=quests,
            registry=registry,
            journal=world.ledger,
            retention=missions,
            mission_table=world.state.missions,
            quest_table=world.state.quests,
            ritual_table=world.state.rituals,
        )
        await retention.tidy(replace(rituals.find("r"), keep=1))
        assert [run.number for run in rituals.runs(rituals.find("r"))] == kept
        assert removed == ([] if status is Status.RUNNING else ["r/1"])

    in_world(story)


def test_a_zone_that_the_machine_has_lost_pauses_its_ritual_alone():
    async def story(world: World) -> None:
        await world.create("@hourly")
        text = world.state.rituals.all()[0].replace('"UTC"', '"Mars/Olympus"')
        with world.state.transaction():
            world.state.rituals.save("r1", text)
        await world.crash()
        found = world.calendar.rituals.find("r")
        assert (found.paused, found.zone) == (True, "Mars/Olympus")
        assert api.moment(NOON, found.zone)["local"].endswith(" 12:00 UTC")
        with pytest.raises(OvermindError, match="Unknown time zone 'Mars/Olympus' on this machine"):
            world.calendar.pause(found, paused=False)
        assert world.calendar.rituals.find("r") == found, "it is resumed in its own zone, once that is back"

    in_world(story)


@settings(max_examples=30)
@given(
    st.lists(
        st.tuples(st.sampled_from(["ok", "before", "after", "crash", "end"]), st.floats(60, 2 * HOUR)),
        min_size=1,
        max_size=12,
    ),
    st.sampled_from(["skip", "queue"]),
)
def test_whenever_a_supervisor_dies_each_due_time_leads_to_one_start(steps, overlap):
    async def story(world: World) -> None:
        await world.create("@hourly", overlap=overlap, keep=1000)
        for what, seconds in steps:
            if what in {"before", "after"}:
                world.fate.append(what)
            elif what == "crash":
                await world.crash()
            elif what == "end" and world.quests:
                running = [key for key, quest in world.quests.items() if quest.runs]
                for key in running[:1]:
                    world.end(key)
            await world.pass_time(seconds)
        runs = world.calendar.rituals.runs(world.calendar.rituals.find("r"))
        assert len({run.due_at for run in runs}) == len(runs)
        begun = [run for run in runs if run.status in {RunStatus.RUNNING, RunStatus.COMPLETED}]
        assert world.done == {f"r/{run.number}": 1 for run in begun}
        assert not any(run.status is RunStatus.STARTING for run in runs)
        assert sum(run.status is RunStatus.RUNNING for run in runs) <= 1

    in_world(story)
