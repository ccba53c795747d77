"""Missions that run, watched by a supervisor whose clock moves only while nothing is to be done."""

from __future__ import annotations

import asyncio
import json
from itertools import pairwise

import pytest
from msgspec import UNSET

from overmind_core.domain.actor import ENGINE
from overmind_core.domain.agents.agent_events import (
    AgentFact,
    LimitReached,
    TextSpoken,
    ToolCalled,
    ToolReturned,
    TurnBegan,
    TurnEnded,
    TurnResult,
)
from overmind_core.domain.agents.events import MessageDelivered, MessageQueued
from overmind_core.domain.settings import GuardianSettings, HealthSettings
from overmind_core.domain.watching.learning import Estimate
from overmind_core.kernel.config import Settings
from tests.kit import in_process
from tests.kit.in_process import WALL, ScriptedKeeper, played, supervising, until, world

BEAT = 10.0
SETTINGS = Settings(health=HealthSettings(beat=BEAT), guardian=GuardianSettings(every=15.0))


def story(home, play, settings=SETTINGS):
    return played(home, play, settings)


async def agent(inside, environment, **arguments):
    """A claude session in a turn; its mission and its session."""
    mission = await inside.run("", env=environment, provider="claude", type="session", **arguments)
    session = inside.app.agents.of(mission)
    await until(lambda: session.state.running)
    session.receive(TurnBegan())
    return mission, session


async def row(inside, mission):
    return (await inside.ask("health", ids=[mission]))["missions"][0]


def levels(inside, mission):
    """Beat → level, as the events tell."""
    found = [event for event in inside.events(mission) if event["type"] == "health"]
    assert all(event["by"] == "engine" and event["why"] for event in found)
    return [(round((event["at"] - WALL) / BEAT), event["level"]) for event in found]


def test_silence_without_cpu_is_quiet_stalled_and_hung_in_this_order(home):
    """Acceptance 45."""

    async def play(inside, _keeper):
        mission = await inside.run("sleep 9000", activity_timeout=9000)
        await asyncio.sleep(25.5 * BEAT)
        return levels(inside, mission), await row(inside, mission)

    told, shown = story(home, play)
    assert told == [(3, "quiet"), (10, "stalled"), (20, "hung")]
    assert (shown["level"], shown["missed"]) == ("hung", 25)
    assert shown["silent_seconds"] >= 25 * BEAT
    assert [term["term"] for term in shown["terms"] if term["holds"]] == ["silence"]


def test_a_server_without_requests_is_quiet_for_ever_and_that_is_no_news(home):
    async def play(inside, _keeper):
        mission = await inside.run("python3 app.py")
        await asyncio.sleep(25.5 * BEAT)
        return levels(inside, mission), await row(inside, mission)

    told, shown = story(home, play)
    assert told == []
    assert (shown["level"], shown["missed"]) == ("quiet", 25)
    assert [term["term"] for term in shown["terms"] if term["holds"]] == []


@pytest.mark.parametrize(("cpu", "level"), [(0.0, "quiet"), (40.0, "ok")])
def test_silence_goes_on_under_another_supervisor_as_soon_as_it_knows_that_nothing_computes(home, cpu, level):
    async def percent(missions, _now):
        return {one.id: cpu for one in missions}

    async def measured(inside, mission):
        inside.app.engine.watching._cpu.percent = percent
        await asyncio.sleep(1.5 * BEAT)
        shown = await row(inside, mission)
        return shown["level"], round(shown["silent_seconds"] / BEAT)

    async def play():
        keeper = ScriptedKeeper(home)
        async with supervising(home, keeper, settings=SETTINGS) as first:
            await asyncio.sleep(BEAT)
            mission = await first.run("sleep 9000", activity_timeout=9000)
            await asyncio.sleep(40 * BEAT)
        keeper.lose()
        async with supervising(home, keeper, settings=SETTINGS) as second:
            told = len(levels(second, mission))
            found = await measured(second, mission)
            assert levels(second, mission)[told:] in ([], [(42, "quiet")]), "it is quiet at most: no alarm rings twice"
        keeper.close()
        return found

    assert in_process.run(play()) == (level, 42 if level == "quiet" else 0)


def test_output_is_a_sign_of_life(home):
    async def play(inside, keeper):
        mission = await inside.run("make", activity_timeout=9000)
        await asyncio.sleep(4.5 * BEAT)
        keeper.write(f"{mission}.1", b"x")
        await asyncio.sleep(BEAT)
        return levels(inside, mission), await row(inside, mission)

    told, shown = story(home, play)
    assert told == [(3, "quiet"), (5, "ok")]
    assert (shown["level"], shown["missed"], shown["silent_seconds"]) == ("ok", 0, pytest.approx(BEAT, abs=1.0))


def test_how_long_it_is_silent_does_not_wait_for_the_next_beat(home):
    async def play(inside, keeper):
        mission = await inside.run("make", activity_timeout=9000)
        await asyncio.sleep(4.5 * BEAT)
        before = await row(inside, mission)
        keeper.write(f"{mission}.1", b"x")
        await asyncio.sleep(1.0)
        return before, await row(inside, mission)

    before, shown = story(home, play)
    assert (before["level"], before["missed"]) == ("quiet", 4)
    assert (shown["level"], shown["missed"], shown["silent_seconds"]) == ("ok", 0, pytest.approx(1.0, abs=0.5))


def test_what_runs_and_is_not_watched_is_counted(home):
    async def play(inside, _keeper):
        await inside.run("make")
        await inside.run("cat", type="session")
        answer = await inside.ask("health")
        return [one["name"] for one in answer["missions"]], answer["coherence"]

    names, found = story(home, play)
    assert len(names) == 1
    assert (found["live"], found["unwatched"]) == (1, 1)


def test_silence_of_a_command_holds_until_its_next_output(home):
    async def play(inside, keeper):
        mission = await inside.run("make", activity_timeout=9000)
        seen = []
        for beats in (9.5, 1, 8):
            await asyncio.sleep(beats * BEAT)
            seen.append(await row(inside, mission))
        keeper.write(f"{mission}.1", b"x")
        await asyncio.sleep(2 * BEAT)  # a sample is due each second beat
        seen.append(await row(inside, mission))
        return [[term["evidence"] for term in one["terms"] if term["holds"]] for one in seen]

    before, first, later, after = story(home, play)
    assert before == after == []
    assert first != later
    assert [one[0].startswith("no sign of life for") for one in (first, later)] == [True, True]


def test_what_an_agent_reports_is_a_sign_of_life(home, environment):
    async def play(inside, _keeper):
        mission, session = await agent(inside, environment)
        for _ in range(12):
            await asyncio.sleep(BEAT)
            session.receive(TextSpoken("still here"))
        return levels(inside, mission)

    assert story(home, play) == []


WAITS: dict[str, list[AgentFact]] = {
    "limited": [LimitReached(WALL + 90_000, "rate_limit"), TurnEnded(TurnResult(ok=False, reason="limit"))],
    "idle": [TurnEnded(TurnResult(ok=True))],
}


@pytest.mark.parametrize("how", WAITS)
def test_one_that_is_limited_or_idle_is_none_of_these(home, environment, how):
    """Acceptance 45."""

    async def play(inside, _keeper):
        mission, session = await agent(inside, environment)
        await asyncio.sleep(5 * BEAT)
        for fact in WAITS[how]:
            session.receive(fact)
        await asyncio.sleep(30 * BEAT)
        return levels(inside, mission), await row(inside, mission)

    told, shown = story(home, play)
    assert [level for _, level in told] == ["quiet", "ok"]
    assert (shown["level"], shown["silent_seconds"], shown["missed"]) == (None, None, None)


def test_a_frozen_one_is_none_of_these_and_its_silence_counts_anew_when_it_goes_on(home):
    async def play(inside, _keeper):
        mission = await inside.run("sleep 9000")
        await inside.ask("freeze", id=mission)
        await asyncio.sleep(30 * BEAT)
        frozen = await row(inside, mission)
        await inside.ask("thaw", id=mission)
        await asyncio.sleep(2.5 * BEAT)
        return frozen["level"], (await row(inside, mission))["level"], levels(inside, mission)

    assert story(home, play) == (None, "ok", [])


@pytest.mark.parametrize("how", ["frozen", "restarting", "idle"])
def test_one_that_waits_has_no_level_from_then_on_not_from_the_next_beat_on(home, environment, how):
    async def play(inside, keeper):
        mission, session = (
            await agent(inside, environment)
            if how == "idle"
            else (await inside.run("make", restart="always", backoff=60_000), None)
        )
        await asyncio.sleep(1.4 * BEAT)
        before = await row(inside, mission)
        if session is not None:
            session.receive(TurnEnded(TurnResult(ok=True)))
        elif how == "frozen":
            await inside.ask("freeze", id=mission)
        else:
            keeper.exit(f"{mission}.1", 3)
        await in_process.idle()
        return before["level"], await row(inside, mission)

    before, shown = story(home, play)
    assert before == "ok"
    assert (shown["level"], shown["silent_seconds"], shown["missed"]) == (None, None, None)


def test_the_time_for_which_a_quest_was_frozen_is_none_that_it_overruns(home):
    async def play(inside, _keeper):
        inside.app.engine.watching._estimated = lambda _quest: Estimate(4 * BEAT)
        quest = (await inside.ask("quest_run", command="make", cwd="/", env=world()))["id"]
        await asyncio.sleep(2 * BEAT)
        await inside.ask("freeze", id=quest)
        await asyncio.sleep(10 * BEAT)
        await inside.ask("thaw", id=quest)
        found = []
        for beats in (1, 10):
            await asyncio.sleep(beats * BEAT)
            found.append([one["holds"] for one in (await row(inside, quest))["terms"] if one["term"] == "overrun"])
        return found

    assert story(home, play) == [[False], [True]]


def test_a_program_that_waits_for_input_by_nature_is_not_watched(home):
    async def play(inside, _keeper):
        shell = await inside.run("sh", type="session")
        await asyncio.sleep(30 * BEAT)
        return levels(inside, shell), await inside.ask("health"), await row(inside, shell)

    told, every, shown = story(home, play)
    assert told == []
    assert every["missions"] == []
    assert every["coherence"]["text"] == "idle"
    assert (shown["level"], shown["alignment"], shown["terms"]) == (None, None, [])


def test_nothing_wakes_up_while_nothing_runs(home):
    async def play(inside, keeper):
        looks = []

        async def look():
            looks.append(1)

        inside.app.engine.watching.look = look
        mission = await inside.run("true")
        await until(lambda: f"{mission}.1" in keeper.held)
        await asyncio.sleep(1.5 * BEAT)
        keeper.exit(f"{mission}.1")
        await until(lambda: mission not in inside.app.registry.live)
        await asyncio.sleep(10 * BEAT)
        return len(looks)

    assert story(home, play) in {1, 2}


def test_another_daemon_counts_the_silence_anew(home):
    async def told():
        keeper = ScriptedKeeper(home)
        async with supervising(home, keeper, settings=SETTINGS) as inside:
            mission = await inside.run("sleep 9000")
            await asyncio.sleep(9 * BEAT)
            await inside.app.journal.saved()
        async with supervising(home, keeper, settings=SETTINGS) as inside:
            await asyncio.sleep(2.5 * BEAT)
            early = (await row(inside, mission))["level"]
            await asyncio.sleep(BEAT)
            found = early, (await row(inside, mission))["level"]
        keeper.close()
        return found

    assert in_process.run(told()) == ("ok", "quiet")


ERROR = "ImportError: no module named 'carts'"


def fails(session, number, error=ERROR):
    session.receive(ToolCalled(f"t{number}", "Bash", "Bash: pytest", runs=True, digest=f"d{number}"))
    session.receive(ToolReturned(f"t{number}", failed=True, digest=f"r{number}", error=error))


def test_the_same_error_three_times_shows_as_a_loop(home, environment):
    """Acceptance 46."""

    async def play(inside, _keeper):
        mission, session = await agent(inside, environment)
        before = await row(inside, mission)
        for number in range(3):
            fails(session, number)
        await asyncio.sleep(20.0)
        return before, await row(inside, mission), await inside.ask("health")

    before, after, every = story(home, play)
    assert (before["alignment"], after["alignment"], after["steers"]) == (None, 0.65, 0)
    assert [(term["term"], term["evidence"]) for term in after["terms"] if term["holds"]] == [
        ("loop", f"3 times: {ERROR}")
    ]
    assert (every["coherence"]["text"], every["coherence"]["known"], every["coherence"]["low"]) == ("0.65", 1, 0)
    assert after["coherence"] == 0.65


def sends(inside, mission, number, by):
    """A message that its agent receives at once."""
    inside.app.bus.publish(MessageQueued(mission=mission, message=number, sender=None, by=by))
    inside.app.bus.publish(MessageDelivered(mission=mission, message=number))


@pytest.mark.parametrize(
    ("by", "loops"), [("person", False), ("web:phone", False), ("1a2b3c4d", True), (ENGINE, True), (UNSET, True)]
)
def test_what_a_person_asks_for_again_and_again_is_no_loop(home, environment, by, loops):
    async def play(inside, _keeper):
        mission, session = await agent(inside, environment)
        for number in range(3):
            sends(inside, mission, number, by)
            fails(session, number)
        await asyncio.sleep(20.0)
        return await row(inside, mission)

    found = story(home, play)
    assert ["loop" in term["term"] for term in found["terms"] if term["holds"]] == ([True] if loops else [])


def test_a_mission_is_sampled_at_once_and_then_at_most_so_often(home, environment):
    async def play(inside, _keeper):
        mission, session = await agent(inside, environment)
        times = []
        for number in range(60):
            fails(session, number, error=f"{number} failed")
            times.append(inside.app.engine.watching.of(mission).sample.at)
            await asyncio.sleep(1.0)
        return sorted(set(times))

    times = story(home, play)
    assert all(later - earlier >= 15.0 for earlier, later in pairwise(times))
    assert len(times) == 4


def test_another_run_of_a_mission_begins_without_the_past_of_the_one_before(home, environment):
    async def play(inside, keeper):
        mission, session = await agent(inside, environment)
        for number in range(3):
            fails(session, number)
        keeper.exit(f"{mission}.1")
        await until(lambda: mission not in inside.app.registry.live)
        await inside.ask("restart", id=mission)
        await until(lambda: f"{mission}.2" in keeper.held)
        return await row(inside, mission)

    shown = story(home, play)
    assert (shown["alignment"], shown["terms"]) == (None, [])


def test_lines_of_a_program_reach_the_guardian(home, environment):
    def line(kind, block):
        return json.dumps({"type": kind, "message": {"role": kind, "content": [block]}}).encode() + b"\n"

    async def play(inside, keeper):
        mission, _ = await agent(inside, environment)
        for number in range(3):
            called = {"type": "tool_use", "id": f"t{number}", "name": "Bash", "input": {"command": "pytest"}}
            keeper.write(f"{mission}.1", line("assistant", called))
            failed = {"type": "tool_result", "tool_use_id": f"t{number}", "content": ERROR, "is_error": True}
            keeper.write(f"{mission}.1", line("user", failed))
        await asyncio.sleep(20.0)
        return (await row(inside, mission))["alignment"]

    assert story(home, play) == 0.65
