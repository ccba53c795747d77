"""What the registry tells of a mission: each event once, about the run that it belongs to, and who waits is woken."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from overmind_core.errors import OvermindError
from overmind_core.kernel.config import Settings
from overmind_core.missions.changes import EndHeldUp, MissionChanged, RunConcluded
from overmind_core.system.paths import Home
from tests.kit.in_process import idle, played, until


@pytest.fixture
def story(tmp_path):
    return lambda play: played(Home(str(tmp_path / "home")), play, Settings())


def heard(inside, kind):
    found: list[Any] = []
    inside.app.bus.subscribe(kind, found.append)
    return found


async def runs(inside, keeper, run):
    await until(lambda: run in keeper.held, f"{run} runs")


ENDS = {
    "well": (0, "stopped"),
    "badly": (3, "crashed"),
}


@pytest.mark.parametrize("name", ENDS)
def test_a_run_that_ends_is_told_by_its_exit_and_then_by_the_state_of_its_mission(story, name):
    code, state = ENDS[name]

    async def play(inside, keeper):
        mission = await inside.run("true", name="worker")
        await runs(inside, keeper, f"{mission}.1")
        keeper.write(f"{mission}.1", b"12345")
        keeper.exit(f"{mission}.1", code)
        await inside.app.registry.ended(mission)
        return inside.events(mission)

    events = story(play)
    assert [(event["type"], event.get("run")) for event in events] == [
        ("created", 1), ("started", 1), ("exited", 1), (state, 1),
    ]  # fmt: skip
    assert {event["name"] for event in events} == {"worker"}
    exited, last = events[2:]
    assert (exited["exit_code"], exited["out"], exited.get("err", 0)) == (code, 5, 0)
    assert last["exit_code"] == code


def test_a_restart_tells_the_end_of_the_run_before_as_its_own(story):
    async def play(inside, keeper):
        mission = await inside.run("false", restart="on-failure", backoff=0.1)
        await runs(inside, keeper, f"{mission}.1")
        keeper.exit(f"{mission}.1", 3)
        await runs(inside, keeper, f"{mission}.2")
        await idle()
        found = inside.events(mission), inside.app.registry.runs_of(mission)
        keeper.exit(f"{mission}.2", 0)
        await inside.app.registry.ended(mission)
        return *found, inside.events(mission)

    events, found, after = story(play)
    told = [(event["type"], event.get("run")) for event in events]
    assert told.count(("exited", 1)) == 1
    assert told.index(("exited", 1)) < told.index(("started", 2))
    assert ("exited", 2) not in told
    assert [(run.number, run.swept) for run in found] == [(1, True), (2, False)]
    assert [(event["type"], event.get("run")) for event in after][-2:] == [("exited", 2), ("stopped", 2)]


@pytest.mark.parametrize(("ask", "state", "reason"), [("stop", "stopped", "stop"), ("kill", "killed", "kill")])
def test_who_ends_a_mission_is_told_once_and_the_run_says_why(story, ask, state, reason):
    async def play(inside, keeper):
        mission = await inside.run("sleep 9")
        await runs(inside, keeper, f"{mission}.1")
        asked: list[str] = []
        inside.app.registry.on_end_asked.append(asked.append)
        ending = asyncio.ensure_future(inside.ask(ask, id=mission))
        await until(lambda: asked, "it is asked to end")
        await asyncio.sleep(0)
        keeper.exit(f"{mission}.1", -15)
        ended = await inside.app.registry.ended(mission)
        await ending
        run = inside.app.registry.newest_run(mission)
        return mission, asked, ended.status.value, run.reason

    mission, asked, status, why = story(play)
    assert (asked, status, why) == ([mission], state, reason)


def test_a_mission_that_ends_by_itself_is_not_told_of_as_ended_by_somebody(story):
    async def play(inside, keeper):
        mission = await inside.run("true")
        await runs(inside, keeper, f"{mission}.1")
        asked: list[str] = []
        decided: list[tuple[str, bool]] = []
        inside.app.registry.on_end_asked.append(asked.append)
        inside.app.registry.on_end.append(lambda one: decided.append((one.id, one.is_live)))
        keeper.exit(f"{mission}.1", 0)
        await inside.app.registry.ended(mission)
        return mission, asked, decided, inside.app.registry.newest_run(mission).reason

    mission, asked, decided, why = story(play)
    assert (asked, decided, why) == ([], [(mission, False)], None)


def test_a_feature_that_fails_at_an_end_stops_no_other_and_not_the_end(story):
    async def play(inside, keeper):
        decided: list[Any] = []

        def fails(_mission):
            raise ValueError

        inside.app.registry.on_end[:0] = [fails, decided.append]
        mission = await inside.run("true")
        await runs(inside, keeper, f"{mission}.1")
        keeper.exit(f"{mission}.1", 0)
        return (await inside.app.registry.ended(mission)).status.value, len(decided)

    assert story(play) == ("stopped", 1)


@pytest.mark.parametrize(("leaves", "spared"), [(False, False), (True, True)])
def test_the_keeper_may_forget_a_run_once_its_end_is_saved(story, leaves, spared):
    async def play(inside, keeper):
        concluded, changed = heard(inside, RunConcluded), heard(inside, MissionChanged)
        mission = await inside.run("true", leave_background=leaves)
        await runs(inside, keeper, f"{mission}.1")
        assert concluded == []
        keeper.write(f"{mission}.1", b"12345")
        keeper.exit(f"{mission}.1", 0)
        await inside.app.registry.ended(mission)
        await idle()
        return mission, concluded, [one.saved.status.value for one in changed if one.saved.id == mission]

    mission, concluded, states = story(play)
    assert concluded == [RunConcluded(f"{mission}.1", spared, 5, 0)]
    assert states[-1] == "stopped"


def test_an_end_that_is_held_up_is_told_once_wakes_who_waits_and_can_go_on(story):
    async def play(inside, keeper):
        mission = await inside.run("sleep 9")
        await runs(inside, keeper, f"{mission}.1")
        registry = inside.app.registry
        told = heard(inside, EndHeldUp)
        waiting = asyncio.ensure_future(registry.ended_or_held_up(mission))
        await asyncio.sleep(0)
        assert not waiting.done()
        registry.hold_up(mission, None)
        assert told == []
        registry.hold_up(mission, "eu1 is silent.")
        registry.hold_up(mission, "eu1 is silent.")
        held = await waiting
        words = registry.held_up(mission)
        live = registry.live[mission]
        with pytest.raises(OvermindError) as refused:
            registry.check_not_held_up([live])
        registry.hold_up(mission, None)
        registry.check_not_held_up([live])
        return held.is_live, len(told), words, refused.value.code, refused.value.message, registry.held_up(mission)

    is_live, told, words, code, message, after = story(play)
    assert (is_live, told, words, after) == (True, 2, "eu1 is silent.", None)
    assert code == "swarm_silent"
    assert message.endswith(" is being ended. eu1 is silent.")


def test_who_waits_for_the_end_of_a_run_does_not_wait_for_the_next_one(story):
    async def play(inside, keeper):
        mission = await inside.run("false", restart="on-failure", backoff=0.1)
        await runs(inside, keeper, f"{mission}.1")
        waiting = asyncio.ensure_future(inside.app.registry.ended_or_held_up(mission, 1))
        keeper.exit(f"{mission}.1", 3)
        found = await waiting
        return found.run, found.is_live

    assert story(play) == (2, True)


def test_who_is_on_no_books_is_gone(story):
    async def play(inside, _keeper):
        with pytest.raises(OvermindError) as refused:
            await inside.app.registry.ended("a1b2c3d4")
        return refused.value.code, inside.app.registry.knows("a1b2c3d4")

    assert story(play) == ("gone", False)
